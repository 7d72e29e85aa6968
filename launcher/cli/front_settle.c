/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front after every process of the call is dead: reads the change set and decides by the
 * table of docs/architecture.md what happens to it: committed, held, discarded, none.
 */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/text.h"
#include "../base/until.h"
#include "../base/units.h"
#include "front_lease.h"

/* A sparse file takes its whole size to be read, and nothing of limits.disk. */
#define READ_AT_LEAST (16ull << 30)
/* A tool that gets a second may leave what takes longer to be read. */
#define READ_AT_LEAST_MS 10000u
#define READ_ENDED_MS 5000u /* of a call that somebody ended, who waits for its end */

/*
 * Whoever ends the call now ends it, though its tool succeeded: all of it that is not in the
 * workspace yet is set aside.
 */
static void
note_end(struct front *f)
{
	struct outcome *o = &f->outcome;
	const char *by = NULL, *more;

	while ((more = front_told_to_end(f)) != NULL) {
		by = by == NULL ? more : by;
	}
	if (by != NULL && (o->verdict == VERDICT_OK || o->verdict == VERDICT_FAILED ||
			   o->verdict == VERDICT_SIGNALED)) {
		o->verdict = VERDICT_INTERRUPTED;
		snprintf(o->reason, sizeof(o->reason), "ended by %s", by);
	}
}

/*
 * A signal ends the reading, and so does the call's own wall limit, from here once more. Where one
 * ended the call already, those that are sent to make sure do not: what the tool did would be lost
 * for the moments that are left.
 */
static struct until
read_until(const struct front *f)
{
	bool is_ended = f->outcome.verdict == VERDICT_INTERRUPTED;
	uint64_t ms = f->req.limits.wall_ms < INT_MAX ? f->req.limits.wall_ms : INT_MAX;

	ms = ms < READ_AT_LEAST_MS ? READ_AT_LEAST_MS : ms;
	ms = is_ended ? READ_ENDED_MS : ms;
	return (struct until){ .stop_fd = is_ended ? -1 : f->end_fd,
			       .deadline_ns = clock_monotonic_ns() + ms * 1000000u };
}

static int
collect(struct front *f, int lower_fd, struct pack *pack, struct change_set *ret)
{
	const struct request *r = &f->req;
	const struct until until = read_until(f);
	const struct collect_request req = {
		.upper_fd = f->outcome.upper_fd,
		.lower_fd = lower_fd,
		.opaque_xattr = "user.overlay.opaque",
		.protect = &f->profile->protect,
		.workspace = r->workspace,
		.home = r->identity.home,
		.hide = &f->profile->hide,
		.capture = f->profile->capture_inputs,
		.content_max = f->profile->capture_file_size,
		.max_files = f->plan->scratch_inodes, /* what the tmpfs could hold at most */
		.max_bytes =
			r->limits.disk_bytes > READ_AT_LEAST ? r->limits.disk_bytes : READ_AT_LEAST,
		.workspace_dev = r->workspace_dev,
		.workspace_ino = r->workspace_ino,
		.pack = pack,
		.until = &until,
		.scanner = front_lease_scanner(f),
		.hold_leaks = f->profile->on_leak == LEAK_STOP,
		.ret_named = f->lease != NULL ? &f->lease->named : NULL,
	};
	struct collect_request with_call = req;

	memcpy(with_call.call, r->call, sizeof(with_call.call));
	return changes_collect(&with_call, ret, &f->err);
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

/* The same changes, of which some are held in the workspace as it is. */
static void
take_holds(struct change_set *to, struct change_set *from)
{
	for (size_t i = 0; i < to->count && i < from->count; i++) {
		struct change *mine = &to->items[i], *theirs = &from->items[i];
		char *rule = mine->hold_rule;

		mine->hold = theirs->hold;
		mine->hold_rule = theirs->hold_rule;
		theirs->hold_rule = rule;
	}
	to->held = from->held;
}

/*
 * A copy's change set says what to do to the workspace as it was. Collected again over the
 * workspace as it is, under the exclusive lock, it must be the same, and nothing in it held: where
 * git looks may have changed. The entries that it is then compared with are of this moment.
 */
static int
collect_again(struct front *f, struct change_set *ret)
{
	struct change_set now = { .count = 0 };
	const char *differs = NULL;
	bool same;
	int rc = collect(f, f->lock.workspace_fd, NULL, &now);

	if (rc < 0) {
		err_prefix(&f->err, "conflict: the workspace is not as it was copied");
		return rc;
	}
	same = memcmp(now.digest, f->changes.digest, sizeof(now.digest)) == 0;
	if (same && now.held == 0) {
		*ret = now;
		return 0;
	}
	if (same) {
		take_holds(&f->changes, &now);
		rc = err_set(&f->err, -EPERM, "%s", hold_reason(f));
	} else {
		differs = changes_first_difference(&f->changes, &now);
		rc = err_set(&f->err, -ESTALE, "conflict: %s: it was changed since it was copied",
			     differs != NULL ? differs : ".");
	}
	changes_finish(&now);
	return rc;
}

static int
hold(struct front *f, enum layer_place where, const char *reason)
{
	f->settled = "held";
	f->settle_reason = reason;
	front_keep_held(f, where);
	return 0;
}

/*
 * The draft is what later calls run over, so it must fit the workspace, and it grows under the
 * lock. A call on a copy has none, and its workspace went on.
 */
static int
hold_in_draft(struct front *f, const char *reason)
{
	struct change_set now = { .count = 0 };
	int rc = 0;

	if (f->req.snapshot) {
		f->lock.wake_fd = f->end_fd;
		rc = workspace_lock_shared(&f->lock, WORKSPACE_LOCK_RUN_MS, &f->err);
		rc = rc < 0 ? rc : collect_again(f, &now);
		changes_finish(&now);
	}
	if (rc < 0) {
		note_end(f); /* it may be why */
		return hold(f, LAYER_ASIDE, arena_string(&f->arena, f->err.text));
	}
	return hold(f, LAYER_DRAFT, reason);
}

/* filesystem.hold_above: a change set larger than the profile expects; NULL when it is not. */
static const char *
too_much(struct front *f)
{
	const struct profile *p = f->profile;
	auto_buf is = BUF_INIT, most = BUF_INIT;

	if (f->changes.count > p->hold_files.most) {
		return arena_printf(&f->arena,
				    "%zu changes, more than files: %" PRIu64
				    " of filesystem.hold_above (%s)",
				    f->changes.count, p->hold_files.most, p->hold_files.origin);
	}
	if (f->changes.bytes <= p->hold_bytes.most) {
		return NULL;
	}
	units_print_size(&is, f->changes.bytes);
	units_print_size(&most, p->hold_bytes.most);
	return arena_printf(&f->arena,
			    "%s in what was changed, more than bytes: %s of filesystem.hold_above "
			    "(%s)",
			    buf_text(&is), buf_text(&most), p->hold_bytes.origin);
}

/* What recovery appends, should we not live to do it. */
static int
write_ahead(struct front *f, struct buf *ret_undone)
{
	int rc;

	f->settled = "none";
	f->settle_reason = "the commit was cut short and taken back: the workspace is as before";
	rc = front_outcome_entry(f, ret_undone);
	f->settled = "committed";
	f->settle_reason = NULL;
	return rc < 0 ? rc : front_outcome_entry(f, &f->outcome_entry);
}

static int
commit(struct front *f)
{
	const struct request *r = &f->req;
	const struct until until = { .stop_fd = f->end_fd };
	struct commit_request req = {
		.upper_fd = f->outcome.upper_fd,
		.workspace_fd = f->lock.workspace_fd,
		.workspace = r->workspace,
		.changes = &f->changes,
		.start_ns = r->snapshot ? INT64_MAX : f->outcome.go_realtime_ns,
		.owner_uid = r->identity.owner_uid,
		.owner_gid = r->identity.owner_gid,
		.since = f->planned_pos,
		.until = &until,
	};
	struct change_set now = { .count = 0 };
	auto_buf undone = BUF_INIT;
	auto_fd commits_fd = -1;
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
	rc = write_ahead(f, &undone);
	commits_fd = rc < 0 ? rc : commit_open_dir(&f->store, &f->err);
	if (commits_fd < 0) {
		return commits_fd;
	}
	req.commits_fd = commits_fd;
	req.done = (struct commit_entry){ f->outcome_entry.data, f->outcome_entry.len };
	req.undone = (struct commit_entry){ undone.data, undone.len };
	f->lock.wake_fd = f->end_fd;
	rc = workspace_lock_exclusive(&f->lock, &f->changes, WORKSPACE_LOCK_COMMIT_MS, &f->err);
	if (rc == 0 && r->snapshot) {
		rc = collect_again(f, &now);
		req.changes = &now;
	}
	rc = rc < 0 ? rc : commit_run(&req, &f->commit, &f->err);
	changes_finish(&now);
	if (rc == 0) {
		front_drop_aside(f);
		f->commits_fd = take_fd(&commits_fd);
		return 0;
	}
	buf_finish(&f->outcome_entry);
	f->outcome_entry = (struct buf)BUF_INIT;
	if (rc == -EIO) {
		/* Neither before nor after: that is `unknown`, and no outcome may say otherwise. */
		err_prefix(&f->err, "the call stays unknown");
		return rc;
	}
	note_end(f); /* it may be why */
	/* nobody has to decide it: later calls need not wait for a person */
	return hold(f, LAYER_ASIDE, arena_string(&f->arena, f->err.text));
}

/*
 * What it cannot recover it has told; only the workspace of this call matters to this call
 * (front_lock).
 */
int
front_recover_now(struct front *f)
{
	static const char *const argv[] = { "airlock-cli", "recover", "--quiet", NULL };
	int rc = front_run_cli(f, argv);

	if (rc < 0) {
		err_prefix(&f->err, "recover what was cut short");
		return rc;
	}
	return 0;
}

int
front_recover(struct front *f)
{
	int rc = commit_is_left(&f->store);

	if (rc < 0) {
		return err_sys(&f->err, rc, "look for commits that were cut short");
	}
	return rc > 0 || running_has_dead(&f->store) ? front_recover_now(f) : 0;
}

/* A commit keeps user.* and the mode: what else an entry had is said. */
static void
tell_lost(struct front *f)
{
	const struct change_set *set = &f->changes;

	if (set->lost > 0 && f->req.mode != MODE_OBSERVE) {
		front_warn(f, arena_printf(&f->arena,
					   "attributes of %llu %s are not kept by a commit: %s%s",
					   (unsigned long long)set->lost,
					   set->lost == 1 ? "entry" : "entries", set->lost_first,
					   set->lost > 1 ? " and others" : ""));
	}
}

/*
 * done_when, over what the call changed; not of a call that is one itself, or that a person made to
 * try something. What cannot be tried does not hold.
 */
static void
try_postconditions(struct front *f)
{
	const char *failed = NULL;
	int rc;

	if (f->outcome.verdict != VERDICT_OK || f->profile->check_count == 0 ||
	    f->opt.over != NULL) {
		return;
	}
	rc = front_keep_aside(f);
	rc = rc < 0 ? rc : front_checks(f, &failed);
	if (rc < 0) {
		failed = arena_printf(&f->arena, "done_when could not be tried: %s", f->err.text);
	}
	if (f->ended_by != NULL) {
		f->outcome.verdict = VERDICT_INTERRUPTED;
		snprintf(f->outcome.reason, sizeof(f->outcome.reason), "ended by %s", f->ended_by);
	} else if (rc < 0 || failed != NULL) {
		f->not_done = true;
		f->outcome.verdict = VERDICT_FAILED;
		f->settle_reason = failed;
	}
}

/* What cannot be read cannot be vouched for: nothing of it is committed, the record says why. */
static int
hold_unread(struct front *f)
{
	const char *why = arena_printf(&f->arena, "the change set cannot be read: %s", f->err.text);

	if (f->req.mode == MODE_OBSERVE) {
		f->err = (struct err)ERR_INIT;
		f->settled = "discarded";
		front_warn(f, why);
		return 0;
	}
	return hold(f, LAYER_ASIDE, why);
}

int
front_settle(struct front *f)
{
	struct outcome *o = &f->outcome;
	const char *why;
	int rc;

	f->settled = "none";
	if (!o->launched || o->undead || o->upper_fd < 0) {
		return 0;
	}
	note_end(f);
	rc = collect(f, o->below_fd >= 0 ? o->below_fd : f->req.workspace_fd, &f->pack,
		     &f->changes);
	f->changes_known = rc == 0;
	note_end(f);
	if (rc < 0) {
		return hold_unread(f);
	}
	tell_lost(f);
	try_postconditions(f);
	note_end(f);
	if (f->changes.count == 0 || f->req.mode == MODE_OBSERVE || f->opt.serves != NULL) {
		f->settled = f->changes.count == 0 ? "none" : "discarded";
		front_drop_aside(f);
		return 0;
	}
	if (o->verdict != VERDICT_OK) {
		/* half of something, or not done: later calls do not build on it */
		return hold(f, LAYER_ASIDE, f->settle_reason);
	}
	if (f->changes.held > 0) {
		/* a later call, perhaps of a wider profile, would run what nobody looked at */
		return hold(f, LAYER_ASIDE, hold_reason(f));
	}
	if (f->req.mode == MODE_PROPOSE) {
		return hold_in_draft(f, NULL);
	}
	if (f->draft.count > 0) {
		return hold(
			f, LAYER_DRAFT,
			arena_printf(&f->arena,
				     "it lies over %zu held change set%s: apply the draft first",
				     f->draft.count, f->draft.count == 1 ? "" : "s"));
	}
	why = too_much(f);
	return why != NULL ? hold_in_draft(f, why) : commit(f);
}
