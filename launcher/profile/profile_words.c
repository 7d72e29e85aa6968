/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words of the enums of profile.h, as profiles, records and results have them. Runs in airlock-cli
 * and in the static front. Pure.
 */
#include "profile.h"

const char *const profile_mode_words[] = {
	[MODE_OBSERVE] = "observe",
	[MODE_PROPOSE] = "propose",
	[MODE_APPLY] = "apply",
};
const char *const profile_capture_words[] = {
	[CAPTURE_DIGESTS] = "digests",
	[CAPTURE_TOUCHED] = "touched",
	[CAPTURE_CONTENT] = "content",
};
const char *const profile_retry_words[] = { [RETRY_SAFE] = "safe", [RETRY_ASK] = "ask" };
const char *const profile_leak_words[] = {
	[LEAK_REDACT] = "redact",
	[LEAK_STOP] = "stop",
};

const char *const profile_on_failure_words[] = {
	[ON_FAILURE_CONTINUE] = "continue",
	[ON_FAILURE_ASK] = "ask",
	[ON_FAILURE_STOP] = "stop",
};
const char *const profile_observe_words[] = { [OBSERVE_DISCARD] = "discard",
					      [OBSERVE_REFUSE] = "refuse" };
const char *const profile_workspace_words[] = { [WORKSPACE_SHARED] = "shared",
						[WORKSPACE_SNAPSHOT] = "snapshot" };

const char *
profile_cache_scope(uint32_t flags)
{
	return (flags & CACHE_USER) != 0 ? "user" : "workflow";
}
