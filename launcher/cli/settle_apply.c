/* SPDX-License-Identifier: Apache-2.0 */
/* Run by airlock-cli as settle_apply.h says. */
#include "settle_apply.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../snapshot/commit.h"

int
settle_commit(struct settling *s, int upper_fd, const struct change_set *set,
	      const struct settle_entry *entry, struct err *err)
{
	auto_buf done = BUF_INIT;
	auto_fd commits_fd = -1;
	struct commit_request req = {
		.upper_fd = upper_fd,
		.workspace_fd = s->workspace_fd,
		.workspace = s->workspace,
		.changes = set,
		.start_ns = INT64_MAX,
		.owner_uid = s->owner_uid,
		.owner_gid = s->owner_gid,
	};
	struct commit *cm = NULL;
	struct journal_pos pos;
	int rc = settle_entry_write(entry, &done, err);

	memcpy(req.call, s->call, sizeof(req.call));
	commits_fd = rc < 0 ? rc : commit_open_dir(&s->store, err);
	if (commits_fd < 0) {
		return commits_fd;
	}
	req.commits_fd = commits_fd;
	req.since.file = s->store.journal_number;
	req.done = (struct commit_entry){ done.data, done.len };
	rc = commit_run(&req, &cm, err);
	rc = rc < 0 ? rc : journal_append(&s->store, done.data, done.len, &pos, err);
	if (rc == 0 && s->place_fd >= 0) {
		rc = layer_remove(s->place_fd, s->layer);
		rc = rc < 0 ? err_sys(err, rc, "remove the held change set") : 0;
	}
	if (rc == 0) {
		commit_close(cm);
	} else {
		/* committed and not yet all told: the next command goes on from here */
		commit_leave(cm);
	}
	return rc;
}

void
settle_tell(const struct settling *s, struct settled *ret)
{
	memcpy(ret->call, s->rec.id, sizeof(ret->call));
	ret->changes = s->list.set.count;
}

/* A draft is applied from below: the oldest change set of it first. */
static int
check_order(struct settling *s, struct err *err)
{
	struct layers draft = { .items = NULL };
	char oldest[UUID_TEXT_SIZE];
	int rc = s->place == LAYER_DRAFT ? layers_list(s->place_fd, &draft, err) : 0;

	if (rc == 0 && draft.count > 0 &&
	    memcmp(draft.items[0].call, s->call, sizeof(s->call)) != 0) {
		text_uuid_print(draft.items[0].call, oldest);
		rc = err_set(err, -EBUSY,
			     "%s: it lies over older change sets of the draft, which come first "
			     "(call %.13s); apply --workflow %s applies them in order",
			     s->rec.id, oldest, record_text(s->rec.planned, "workflow"));
	}
	layers_finish(&draft);
	return rc;
}

static int
check_digest(const struct settling *s, const char *given, struct err *err)
{
	char recorded[HEX_DIGEST_SIZE];

	text_hex(s->digest, sizeof(s->digest), recorded);
	if (given == NULL || strcmp(given, recorded) == 0) {
		return 0;
	}
	return err_set(err, -ESTALE, "%s: its change set is %s, and not what was approved: %s",
		       s->rec.id, recorded, given);
}

/* Against the workspace as it is now: the same list, or a conflict. */
static int
collect_again(struct settling *s, int upper_fd, struct change_set *ret, struct err *err)
{
	auto_buf paths = BUF_INIT;
	int rc = settling_collect(s, upper_fd, ret, err);

	if (rc < 0 || memcmp(ret->digest, s->digest, sizeof(s->digest)) == 0) {
		return rc;
	}
	settling_differences(&s->list.set, ret, SETTLING_NAMED, &paths);
	changes_finish(ret);
	fputs(buf_text(&paths), stderr);
	return err_set(err, -ESTALE,
		       "%s: conflict: the paths above are not what the call saw; nothing was "
		       "changed",
		       s->rec.id);
}

int
settle_apply(const char *name, const char *digest, struct settled *ret, struct err *err)
{
	auto_settling s = SETTLING_INIT;
	struct change_set set = { .items = NULL };
	auto_fd upper = -1;
	int rc = settling_open(name, &s, err);
	const struct settle_entry entry = {
		.call = s.rec.id,
		.action = "apply",
		.settled = "committed",
		.changes_digest = s.digest,
	};

	rc = rc < 0 ? rc : settling_open_layer(&s, err);
	rc = rc < 0 ? rc : check_digest(&s, digest, err);
	rc = rc < 0 ? rc : settling_lock_workspace(&s, err);
	rc = rc < 0 ? rc : check_order(&s, err);
	if (rc < 0) {
		return rc;
	}
	upper = layer_open(s.place_fd, s.layer);
	if (upper < 0) {
		return err_sys(err, upper, "%s: open what it changed", s.rec.id);
	}
	rc = collect_again(&s, upper, &set, err);
	rc = rc < 0 ? rc : settle_commit(&s, upper, &set, &entry, err);
	settle_tell(&s, ret);
	changes_finish(&set);
	return rc;
}

/* ---- discard -----------------------------------------------------------------------------------
 */

static bool
ran_over(const json_t *planned, const char *call)
{
	const json_t *draft = json_object_get(planned, "draft");
	size_t i;
	const json_t *one;

	json_array_foreach(draft, i, one)
	{
		if (json_is_string(one) && strcmp(json_string_value(one), call) == 0) {
			return true;
		}
	}
	return false;
}

/* Held change sets that were made over this one would lose the ground they stand on. */
static int
check_dependents(struct settling *s, struct err *err)
{
	struct layers draft = { .items = NULL };
	auto_buf list = BUF_INIT;
	size_t count = 0;
	int rc = s->place == LAYER_DRAFT ? layers_list(s->place_fd, &draft, err) : 0;

	for (size_t i = 0; rc == 0 && i < draft.count; i++) {
		auto_record other = RECORD_INIT;
		char id[UUID_TEXT_SIZE];

		text_uuid_print(draft.items[i].call, id);
		rc = record_load(&s->reading, id, &other, err);
		if (rc == 0 && ran_over(other.planned, s->rec.id)) {
			buf_printf(&list, "  call %.13s\n", id);
			count++;
		}
	}
	layers_finish(&draft);
	if (rc == 0 && count > 0) {
		fputs(buf_text(&list), stderr);
		rc = err_set(err, -EBUSY,
			     "%s: %zu held change set%s ran over it: discard %s first, the newest "
			     "before the others, or all with --workflow %s",
			     s->rec.id, count, count == 1 ? "" : "s", count == 1 ? "it" : "them",
			     record_text(s->rec.planned, "workflow"));
	}
	return rc;
}

/*
 * Nobody may run over what goes away. In a workspace that is gone nobody does; nor does the call
 * itself, when it is the one without an outcome.
 */
static int
lock_to_discard(struct settling *s, struct err *err)
{
	int rc;

	if (s->place != LAYER_DRAFT && s->rec.outcome != NULL) {
		return 0;
	}
	rc = settling_lock_workspace(s, err);
	if (rc == -ENOENT || rc == -ENOTDIR || rc == -ESTALE) {
		*err = (struct err)ERR_INIT;
		rc = 0;
	}
	return rc < 0 ? rc : check_dependents(s, err);
}

static int
append_discarded(struct settling *s, struct err *err)
{
	const struct settle_entry entry = {
		.call = s->rec.id,
		.action = "discard",
		.settled = "discarded",
		.changes_digest = s->has_digest ? s->digest : NULL,
	};
	auto_buf payload = BUF_INIT;
	struct journal_pos pos;
	int rc = settle_entry_write(&entry, &payload, err);

	return rc < 0 ? rc : journal_append(&s->store, payload.data, payload.len, &pos, err);
}

static int
remove_layer(struct settling *s, struct err *err)
{
	auto_fd alone = layer_lock(s->place_fd, s->layer, true);
	int rc = alone;

	if (rc == -EAGAIN) {
		return err_set(err, -EBUSY,
			       "%s: a call runs over it (--over): try again when that has ended",
			       s->rec.id);
	}
	rc = rc < 0 ? rc : layer_remove(s->place_fd, s->layer);
	return rc < 0 ? err_sys(err, rc, "remove the held change set") : 0;
}

int
settle_discard(const char *name, struct settled *ret, struct err *err)
{
	auto_settling s = SETTLING_INIT;
	int rc = settling_open_to_discard(name, &s, err);
	bool unknown, kept;

	if (rc < 0) {
		return rc;
	}
	unknown = s.rec.outcome == NULL;
	rc = settling_open_layer(&s, err);
	kept = rc == 0;
	/* what was not kept is discarded by saying so */
	rc = rc == -ENOENT && !unknown ? 0 : rc;
	rc = rc == 0 && kept ? lock_to_discard(&s, err) : rc;
	if (rc == 0 && kept) {
		rc = remove_layer(&s, err);
	} else if (rc == 0) {
		rc = layer_forget(&s.store, s.call);
		rc = rc < 0 ? err_sys(err, rc, "remove the held change set") : 0;
	}
	settle_tell(&s, ret);
	/* what has no outcome stays unknown: there is nothing recorded that could be settled */
	return rc < 0 || unknown ? rc : append_discarded(&s, err);
}
