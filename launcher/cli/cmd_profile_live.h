/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The questions of a profile, asked once more by airlock-probe in one real sandbox under it.
 * airlock-cli only, as the caller.
 */
#ifndef AIRLOCK_CLI_CMD_PROFILE_LIVE_H
#define AIRLOCK_CLI_CMD_PROFILE_LIVE_H

#include "cmd_profile_ask.h"

enum live_result { LIVE_OK, LIVE_NOT_OK, LIVE_SKIPPED, LIVE_RESULT__COUNT };

struct live_answer {
	enum live_result result;
	char why[160];
};

/*
 * Runs the probe in the workspace of `a`; profile: as the caller named it. One answer per question
 * into ret. -errno when the sandbox could not be had, with the launcher's own words in err.
 */
int live_ask(struct ask *a, const char *profile, const struct profile_questions *questions,
	     struct live_answer *ret, struct err *err) must_check;

#endif
