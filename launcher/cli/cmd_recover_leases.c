/* SPDX-License-Identifier: Apache-2.0 */
/* Leases of resolvers whose calls are over. Run by airlock-cli as cmd_recover.h says. */
#include "cmd_recover.h"

#include "cmd_resolver.h"

static void
tell(void *arg, enum resolver_paid paid, const struct owed *o, const struct err *err)
{
	struct recovery *r = arg;
	auto_buf line = BUF_INIT;

	buf_printf(&line, "the lease of credential %s", o->item);
	if (o->bundle[0] != '\0') {
		buf_printf(&line, " of bundle %s", o->bundle);
	}
	buf_printf(&line, " by call %s", o->call);
	if (paid == RESOLVER_REVOKED) {
		buf_puts(&line, " is revoked");
		recovery_tell(r, buf_text(&line));
		r->found++;
	} else if (paid == RESOLVER_BUSY) {
		buf_puts(&line, " is in use: its call runs, or somebody has it revoked just now");
		recovery_tell(r, buf_text(&line));
		r->found++;
	} else if (paid == RESOLVER_PENDING) {
		recovery_fail(r, buf_text(&line), err);
	}
}

void
recover_leases(struct recovery *r)
{
	const struct resolver_walk walk = { .tell = tell, .arg = r };
	struct err err = ERR_INIT;

	if (!r->quiet && resolver_revoke(r->store, &walk, &err) < 0) {
		recovery_fail(r, "what resolvers gave", &err);
	}
}
