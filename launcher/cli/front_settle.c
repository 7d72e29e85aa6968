/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front after every process of the call is dead: reads the change set and decides by the
 * table of docs/architecture.md what happens to it: committed, held, discarded, none.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "front.h"

static int
collect(struct front *f)
{
	const struct request *r = &f->req;
	const struct collect_request req = {
		.upper_fd = f->outcome.upper_fd,
		.lower_fd = r->workspace_fd,
		.opaque_xattr = "user.overlay.opaque",
		.protect = &f->profile->protect,
		.workspace = r->workspace,
		.hide = &f->profile->hide,
		.capture = f->profile->capture_inputs,
		.max_files = f->plan->scratch_inodes, /* what the tmpfs could hold at most */
		.max_bytes = r->limits.disk_bytes,
		.workspace_dev = r->workspace_dev,
		.workspace_ino = r->workspace_ino,
		.pack = &f->pack,
	};
	struct collect_request with_call = req;
	int rc;

	memcpy(with_call.call, r->call, sizeof(with_call.call));
	rc = changes_collect(&with_call, &f->changes, &f->err);
	f->changes_known = rc == 0;
	return rc;
}

static void
hold(struct front *f, const char *reason)
{
	f->settled = "held";
	f->settle_reason = reason;
}

static const char *
hold_reason(struct front *f)
{
	for (size_t i = 0; i < f->changes.count; i++) {
		const struct change *c = &f->changes.items[i];

		if (c->hold != HOLD_NONE) {
			auto_buf path = BUF_INIT;

			text_safe(&path, c->path, strlen(c->path), false);
			return arena_printf(&f->arena, "%s is held for a person: %s",
					    buf_text(&path),
					    c->hold_rule != NULL ? c->hold_rule : "protected");
		}
	}
	return "held for a person";
}

static int
commit(struct front *f)
{
	const struct request *r = &f->req;
	struct commit_request req = {
		.upper_fd = f->outcome.upper_fd,
		.workspace_fd = r->workspace_fd,
		.changes = &f->changes,
		.start_ns = f->outcome.go_realtime_ns,
		.owner_uid = r->identity.owner_uid,
		.owner_gid = r->identity.owner_gid,
	};
	uint64_t applied = 0;
	int rc;

	memcpy(req.call, r->call, sizeof(req.call));
	/*
	 * Pre-images and streams are durable first: without room for the evidence nothing is
	 * committed.
	 */
	rc = pack_sync(&f->pack, &f->err);
	if (rc < 0) {
		err_prefix(&f->err, "nothing was committed, the evidence cannot be stored");
		return rc;
	}
	f->lock.wake_fd = f->signal_fd;
	rc = workspace_lock_exclusive(&f->lock, &f->changes, WORKSPACE_LOCK_COMMIT_MS, &f->err);
	if (rc == 0) {
		rc = changes_commit(&req, &applied, &f->err);
	}
	if (rc == 0) {
		f->settled = "committed";
		return 0;
	}
	if (applied > 0) {
		/* Neither before nor after: that is `unknown`, and no outcome may say otherwise. */
		err_prefix(&f->err, "the commit was cut short, the call stays unknown");
		return rc;
	}
	hold(f, arena_string(&f->arena, f->err.text));
	return 0;
}

static int
settle(struct front *f)
{
	struct outcome *o = &f->outcome;
	int rc;

	f->settled = "none";
	if (!o->launched || o->undead || o->upper_fd < 0) {
		return 0;
	}
	rc = collect(f);
	if (rc < 0) {
		/*
		 * What cannot be read cannot be vouched for: nothing of it is committed, the record
		 * says why.
		 */
		hold(f, arena_printf(&f->arena, "the change set cannot be read: %s", f->err.text));
		return 0;
	}
	if (f->changes.count == 0) {
		return 0;
	}
	if (f->req.mode == MODE_OBSERVE) {
		f->settled = "discarded";
		return 0;
	}
	if (o->verdict != VERDICT_OK) {
		hold(f, NULL);
		return 0;
	}
	if (f->changes.held > 0) {
		hold(f, hold_reason(f));
		return 0;
	}
	return commit(f);
}

int
front_settle(struct front *f)
{
	int rc = settle(f);

	workspace_lock_release(&f->lock);
	return rc;
}
