/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock creds rotate` and `revoke`: another value of an item, or none. Runs in airlock-cli as
 * the caller. A reader finds the old bundle or the new one, whole; calls that hold what is revoked
 * are ended.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/text.h"
#include "../bundle/bundle_time.h"
#include "cmd_creds.h"
#include "commands.h"
#include "control.h"

/* ---- rotate ---------------------------------------------------------------------------------- */

struct rotation {
	const char *bundle, *item;
	struct creds_from from;
	bool has_not_after;
	uint64_t not_after_ms;
	/* of the bundle as it is open now */
	struct bundle_item old, to;
	struct buf manifest;
};

/* What is sealed again must be of use to somebody. */
static int
check_use(const struct creds *c, const struct rotation *r, struct err *err)
{
	char at[BUNDLE_TIME_SIZE];

	if (r->old.source != BUNDLE_SOURCE_SEALED) {
		return err_set(err, -EINVAL,
			       "%s/%s is not sealed: its source is %s, and that is where its value "
			       "changes",
			       r->bundle, r->item, bundle_source_word(r->old.source));
	}
	if (r->old.revoked) {
		return err_set(err, -EPERM,
			       "%s/%s is revoked (%s/" BUNDLE_MANIFEST ":%u); add another item, or "
			       "take `revoked` out by hand",
			       r->bundle, r->item, c->at.path, r->old.line);
	}
	if (r->to.not_after_ms > 0 && r->to.not_after_ms <= clock_realtime_ms()) {
		return err_set(err, -EPERM, "%s/%s ended %s; give it another end by --not-after",
			       r->bundle, r->item,
			       bundle_time_print(r->to.not_after_ms, at) == 0 ? at : "");
	}
	return 0;
}

/* As of now, with the lock: what a person is asked for a value of may be another by then. */
static int
prepare(struct creds *c, struct rotation *r)
{
	const struct bundle_item *item;
	int rc;

	bundle_at_finish(&c->at);
	buf_reset(&r->manifest);
	rc = bundle_open_write(&c->req, r->bundle, &c->at, &c->report, &c->err);
	rc = rc < 0 ? rc : bundle_item_find(&c->at.bundle, r->item, &item, &c->err);
	if (rc < 0) {
		return rc;
	}
	r->old = *item;
	r->to = *item;
	r->to.version++;
	if (r->has_not_after) {
		r->to.not_after_ms = r->not_after_ms;
	}
	rc = check_use(c, r, &c->err);
	return rc < 0 ? rc : bundle_edit_item(&c->at, &r->to, &r->manifest, &c->err);
}

static int
rotate(struct creds *c, struct rotation *r)
{
	auto_locked memory = LOCKED_INIT;
	auto_buf what = BUF_INIT;
	struct sealed_value value = { .len = 0 };
	int rc = prepare(c, r);

	bundle_at_finish(&c->at); /* nobody waits while a person types */
	buf_printf(&what, "new value of %s/%s", r->bundle, r->item);
	rc = rc < 0 ? rc : creds_harden(&c->err);
	rc = rc < 0 ? rc
		    : creds_value_read(&r->from, buf_text(&what), &memory, &value.len, &c->err);
	value.data = memory.data;
	rc = rc < 0 ? rc : creds_value_check(r->old.deliver, value.data, value.len, &c->err);
	rc = rc < 0 ? rc : prepare(c, r);
	value.not_after_ms = r->to.not_after_ms;
	rc = rc < 0 ? rc : creds_seal(c, &r->to, &value, &r->manifest);
	return rc < 0 ? rc : bundle_remove_sealed(&c->at, &r->old, &c->err);
}

int
cmd_creds_rotate(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	struct rotation r = { .has_not_after = false };
	auto_creds c = { .at = BUNDLE_AT_INIT };
	const char *name, *argument;
	int rc, wrong = 0;

	creds_init(&c);
	while (wrong == 0 && (rc = command_line_next(&cl, &name, &argument)) > 0) {
		if (!creds_from_option(&r.from, name, argument)) {
			r.has_not_after = true;
			wrong = creds_not_after(argument, &r.not_after_ms, &c.err);
		}
	}
	if (wrong < 0) {
		return creds_fail(&c, EXIT_AIRLOCK);
	}
	rc = command_line_end(&cl, rc, 2, 2);
	if (rc >= 0) {
		return rc;
	}
	r.bundle = cl.operand[0];
	r.item = cl.operand[1];
	rc = rotate(&c, &r);
	if (rc == 0) {
		printf("%s/%s is version %llu now\n", r.bundle, r.item,
		       (unsigned long long)r.to.version);
	}
	buf_finish(&r.manifest);
	return rc < 0 ? creds_fail(&c, EXIT_AIRLOCK) : 0;
}

/* ---- revoke ---------------------------------------------------------------------------------- */

static int
revoke_item(struct creds *c, const char *bundle, const char *name, bool *ret_done)
{
	const struct bundle_item *item;
	auto_buf manifest = BUF_INIT;
	struct bundle_item to;
	int rc = bundle_open_write(&c->req, bundle, &c->at, &c->report, &c->err);

	rc = rc < 0 ? rc : bundle_item_find(&c->at.bundle, name, &item, &c->err);
	if (rc < 0 || item->revoked) {
		return rc;
	}
	to = *item;
	to.revoked = true;
	rc = bundle_edit_item(&c->at, &to, &manifest, &c->err);
	rc = rc < 0 ? rc : bundle_write_manifest(&c->at, &manifest, &c->err);
	*ret_done = rc == 0;
	return rc;
}

/*
 * From here on nobody gets it. Who may have it has said so before he read the manifest, and is in
 * the state directory: the caller's, as no other is known. The exit status.
 */
static int
end_holders(const char *bundle, const char *item)
{
	const struct control_filter which = { .bundle = bundle, .item = item };
	auto_control_calls calls = { .texts = NULL };
	auto_store s = STORE_INIT;
	struct err err = ERR_INIT;
	int rc = control_open(&s, &err);

	if (rc == 0) {
		rc = control_signal(&s, &which, RUNNING_SIGNAL_KILL, RUNNING_BY_REVOKE, &calls,
				    &err);
	}
	if (rc < 0) {
		putchar('\n');
		return rc == -ENOENT ? 0 : commands_fail(1, &err);
	}
	return control_tell(&s, &calls, true, "ended");
}

int
cmd_creds_revoke(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	auto_creds c = { .at = BUNDLE_AT_INIT };
	bool done = false;
	int rc = command_line_flag(&cl, 2, 2, &done);

	if (rc >= 0) {
		return rc;
	}
	creds_init(&c);
	rc = revoke_item(&c, cl.operand[0], cl.operand[1], &done);
	bundle_at_finish(&c.at); /* who waits for its lock is ended, too */
	if (rc < 0 && rc != -ENOENT) {
		/* a full disk keeps nobody's key alive; the next call may get it again */
		printf("%s/%s is not revoked", cl.operand[0], cl.operand[1]);
		ignore_err(end_holders(cl.operand[0], cl.operand[1]), "it failed already");
	}
	if (rc < 0) {
		return creds_fail(&c, EXIT_AIRLOCK);
	}
	printf("%s/%s is revoked%s", cl.operand[0], cl.operand[1], done ? "" : " already");
	return end_holders(cl.operand[0], cl.operand[1]);
}
