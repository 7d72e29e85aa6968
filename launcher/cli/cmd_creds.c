/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs below `airlock creds` share. Runs in airlock-cli as the caller. */
#include "cmd_creds.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/trusted.h"
#include "../bundle/bundle_time.h"
#include "cmd_profile.h"
#include "cmd_workflow.h"

void
creds_init(struct creds *c)
{
	*c = (struct creds){ .at = BUNDLE_AT_INIT, .err = ERR_INIT };
	c->req = (struct bundle_request){
		.config_home = getenv("XDG_CONFIG_HOME"),
		.home = places_home(),
		.system_dir = BUNDLE_SYSTEM_DIR,
		.caller = geteuid(),
		.unmapped = trusted_unmapped_uid(),
	};
}

void
creds_finish(struct creds *c)
{
	bundle_at_finish(&c->at);
	buf_finish(&c->report);
}

int
creds_fail(const struct creds *c, int status)
{
	return profile_fail(status, &c->report, &c->err);
}

void
creds_put_state(const struct bundle_item *item, struct buf *out)
{
	char not_after[BUNDLE_TIME_SIZE];

	if (item->revoked) {
		buf_puts(out, "revoked");
	} else if (item->not_after_ms > 0 &&
		   bundle_time_print(item->not_after_ms, not_after) == 0) {
		buf_printf(out, "%s %s",
			   item->not_after_ms > clock_realtime_ms() ? "until" : "expired",
			   not_after);
	}
}

int
creds_harden(struct err *err)
{
	const struct rlimit none = { 0, 0 };

	if (prctl(PR_SET_DUMPABLE, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0) {
		return err_sys(err, -errno, "keep other processes out");
	}
	return 0;
}

int
creds_lock(struct locked *ret, size_t size, struct err *err)
{
	int rc = locked_init(ret, size);

	return rc < 0 ? err_sys(err, rc, "lock %zu KiB of memory (ulimit -l)", size >> 10) : 0;
}

int
creds_not_after(const char *text, uint64_t *ret_ms, struct err *err)
{
	uint64_t ms = 0;
	int rc = workflow_words_deadline(text, clock_realtime_ms(), &ms, err);

	*ret_ms = ms / 1000u * 1000u;
	return rc;
}
