/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by airlock-cli as settle_call.h says. What stands in a record is the callers' and the
 * tools'.
 */
#include "settle_call.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../sys/sys.h"
#include "settle_recover.h"

void
settling_finish(struct settling *s)
{
	workspace_lock_release(&s->lock);
	cleanup_fd(&s->place_fd);
	cleanup_fd(&s->workflow_fd);
	cleanup_fd(&s->workspace_fd);
	free(s->workspace);
	changes_finish(&s->list.set);
	record_finish(&s->rec);
	store_finish(&s->store);
	reading_finish(&s->reading);
}

/* What an undo needs beyond the list; a record of before that was kept has none. */
static int
load_meta(struct settling *s, struct err *err)
{
	const char *hex = record_text(s->rec.outcome, "changes.meta");
	auto_buf meta = BUF_INIT;
	uint8_t digest[SHA256_SIZE];
	int rc;

	if (text_unhex(hex, digest, sizeof(digest)) != 0) {
		return 0;
	}
	rc = object_content(&s->reading, &s->rec, digest, &meta, err);
	if (rc == -ENODATA) {
		return err_set(err, -ENOENT,
			       "%s: object %s of its change set is not in the packs", s->rec.id,
			       hex);
	}
	if (rc == 0) {
		rc = changes_meta_read(meta.data, meta.len, &s->list.set);
		rc = rc < 0 ? err_sys(err, rc, "%s: its change set", s->rec.id) : 0;
	}
	return rc;
}

static int
load_list(struct settling *s, struct err *err)
{
	const char *reason = record_text(s->rec.outcome, "reason");
	int rc;

	s->has_digest = text_unhex(record_text(s->rec.outcome, "changes.digest"), s->digest,
				   SHA256_SIZE) == 0;
	if (!s->has_digest) {
		return err_set(err, -ENODATA, "%s: it has no change set that can be settled%s%s",
			       s->rec.id, reason[0] != '\0' ? ": " : "", reason);
	}
	rc = object_changes(&s->reading, &s->rec, &s->list, err);
	if (rc < 0) {
		err_prefix(err, "%s", s->rec.id);
		return rc;
	}
	return load_meta(s, err);
}

/*
 * Who settles anything of a workflow has its directory locked, and reads the record after that: how
 * it was settled cannot change any more. A commit that was cut short, and that only recovery may
 * settle, has its journal there.
 */
static int
claim(struct settling *s, struct err *err)
{
	char id[UUID_TEXT_SIZE], path[64];

	text_uuid_print(s->rec.workflow, id);
	snprintf(path, sizeof(path), "wf/%s", id);
	s->workflow_fd = fdio_open_dir(s->store.dir_fd, path);
	if (s->workflow_fd < 0) {
		return err_sys(err, s->workflow_fd, "open %s/%s", s->store.path, path);
	}
	if (flock(s->workflow_fd, LOCK_EX | LOCK_NB) < 0) {
		return errno != EWOULDBLOCK
			       ? err_sys(err, -errno, "lock %s/%s", s->store.path, path)
			       : err_set(err, -EBUSY,
					 "%s: another apply, discard or undo of its workflow is "
					 "under way: try again when that has ended",
					 s->rec.id);
	}
	return settle_check_commit(&s->store, s->rec.id, err);
}

static int
load_again(struct settling *s, struct err *err)
{
	char id[UUID_TEXT_SIZE];

	memcpy(id, s->rec.id, sizeof(id));
	record_finish(&s->rec);
	s->rec = (struct record)RECORD_INIT;
	return record_load(&s->reading, id, &s->rec, err);
}

int
settling_refresh(struct settling *s, struct err *err)
{
	int rc = settle_check_commit(&s->store, s->rec.id, err);

	rc = rc < 0 ? rc : reading_refresh(&s->reading, err);
	return rc < 0 ? rc : load_again(s, err);
}

static int
begin(const char *name, struct settling *s, struct err *err)
{
	int rc = reading_open(&s->reading, err);

	rc = rc < 0 ? rc : record_load(&s->reading, name, &s->rec, err);
	rc = rc < 0 ? rc : store_open_write(s->reading.store.path, &s->store, err);
	rc = rc < 0 ? rc : claim(s, err);
	rc = rc < 0 ? rc : index_catch_up(&s->store, err);
	rc = rc < 0 ? rc : load_again(s, err);
	if (rc == 0 && text_uuid_parse(s->rec.id, s->call) < 0) {
		rc = err_set(err, -EBADMSG, "%s: no call id", s->rec.id);
	}
	return rc;
}

int
settling_open(const char *name, struct settling *ret, struct err *err)
{
	struct settling s = SETTLING_INIT;
	int rc = begin(name, &s, err);

	if (rc == 0 && s.rec.outcome == NULL) {
		rc = err_set(err, -ENODATA,
			     "%s: it has no outcome: it still runs, or airlock was killed in it; "
			     "what it left can only be discarded",
			     s.rec.id);
	}
	rc = rc < 0 ? rc : load_list(&s, err);
	if (rc < 0) {
		settling_finish(&s);
		return rc;
	}
	*ret = s;
	return 0;
}

int
settling_open_to_discard(const char *name, struct settling *ret, struct err *err)
{
	struct settling s = SETTLING_INIT;
	struct err none = ERR_INIT;
	int rc = begin(name, &s, err);

	if (rc < 0) {
		settling_finish(&s);
		return rc;
	}
	ignore_err(s.rec.outcome != NULL ? load_list(&s, &none) : 0,
		   "what cannot be read can be thrown away");
	*ret = s;
	return 0;
}

/* -ENOENT: there is none. */
static int
find_layer(struct settling *s)
{
	const char *held_as =
		s->rec.outcome != NULL
			? record_text(s->rec.outcome, "held_as")
			: reading_layer(&s->reading, record_text(s->rec.planned, "workflow"),
					record_number(s->rec.planned, "seq"), s->rec.id);
	struct stat st;

	while (s->place < LAYER_PLACE__COUNT && strcmp(held_as, layer_place_words[s->place]) != 0) {
		s->place++;
	}
	layer_name(record_number(s->rec.planned, "seq"), s->call, s->layer);
	s->place_fd = s->place == LAYER_PLACE__COUNT
			    ? -ENOENT
			    : layer_open_place(s->workflow_fd, s->place, false);
	if (s->place_fd < 0 || fstatat(s->place_fd, s->layer, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		return -ENOENT;
	}
	return 0;
}

int
settling_open_layer(struct settling *s, struct err *err)
{
	if (s->rec.outcome != NULL && strcmp(record_settled(&s->rec), "held") != 0) {
		return err_set(err, -EALREADY, "%s: it is not held, but %s", s->rec.id,
			       record_settled(&s->rec));
	}
	if (find_layer(s) == 0) {
		return 0;
	}
	return s->rec.outcome == NULL
		     ? err_set(err, -ENOENT, "%s: it has no outcome, and left nothing to discard",
			       s->rec.id)
		     : err_set(err, -ENOENT,
			       "%s: what it changed was not kept, or is gone: it can only be "
			       "discarded",
			       s->rec.id);
}

/*
 * The device's number may be another one since the machine started again; the time of birth is
 * not.
 */
static bool
is_same_directory(const struct record *rec, int fd, const struct stat *st)
{
	int64_t birth_ns = sys_birth_ns(fd);

	return st->st_ino == record_number(rec->planned, "workspace.ino") &&
	       (st->st_dev == record_number(rec->planned, "workspace.dev") ||
		(birth_ns != 0 &&
		 birth_ns == (int64_t)record_number(rec->planned, "workspace.btime_ns")));
}

int
settling_open_workspace(const struct record *rec, char **ret_path, struct err *err)
{
	auto_buf path = BUF_INIT;
	auto_fd fd = -1;
	struct stat st;
	int rc = text_unvis(record_text(rec->planned, "workspace.path"), &path);

	*ret_path = rc == 0 ? strdup(buf_text(&path)) : NULL;
	if (*ret_path == NULL) {
		return err_sys(err, rc < 0 ? rc : -ENOMEM, "%s: its workspace", rec->id);
	}
	fd = sys_openat2(AT_FDCWD, *ret_path, O_RDONLY | O_DIRECTORY, 0,
			 SYS_RESOLVE_NO_SYMLINKS | SYS_RESOLVE_NO_MAGICLINKS);
	if (fd < 0 || fstat(fd, &st) < 0) {
		return err_sys(err, fd < 0 ? fd : -errno, "the workspace %s", *ret_path);
	}
	if (!is_same_directory(rec, fd, &st)) {
		return err_set(err, -ESTALE,
			       "another directory stands at %s than the one the call ran in",
			       *ret_path);
	}
	return take_fd(&fd);
}

int
settling_lock_workspace(struct settling *s, struct err *err)
{
	struct stat st;

	s->workspace_fd = settling_open_workspace(&s->rec, &s->workspace, err);
	if (s->workspace_fd < 0) {
		return s->workspace_fd;
	}
	if (fstat(s->workspace_fd, &st) < 0) {
		return err_sys(err, -errno, "the workspace %s", s->workspace);
	}
	s->owner_uid = st.st_uid;
	s->owner_gid = st.st_gid;
	s->lock.workspace_fd = s->workspace_fd;
	s->lock.state_fd = s->store.dir_fd;
	return workspace_lock_exclusive(&s->lock, &s->list.set, WORKSPACE_LOCK_COMMIT_MS, err);
}

int
settling_collect(const struct settling *s, int upper_fd, struct change_set *ret, struct err *err)
{
	struct collect_request req = {
		.upper_fd = upper_fd,
		.lower_fd = s->workspace_fd,
		.opaque_xattr = "user.overlay.opaque",
		.workspace = s->workspace,
		.capture = CAPTURE_DIGESTS,
		.max_files = CHANGES_MAX,
		.workspace_dev = s->list.workspace_dev,
		.workspace_ino = s->list.workspace_ino,
	};

	memcpy(req.call, s->call, sizeof(req.call));
	return changes_collect(&req, ret, err);
}

/* What the canonical list says of one change. */
static bool
is_same(const struct change *a, const struct change *b)
{
	const char *link_a = a->link_after != NULL ? a->link_after : "";
	const char *link_b = b->link_after != NULL ? b->link_after : "";

	return a->kind == b->kind && a->mode_before == b->mode_before &&
	       a->mode_after == b->mode_after && a->size_before == b->size_before &&
	       a->size_after == b->size_after && a->before_known == b->before_known &&
	       a->after_known == b->after_known &&
	       memcmp(a->before, b->before, sizeof(a->before)) == 0 &&
	       memcmp(a->after, b->after, sizeof(a->after)) == 0 && strcmp(link_a, link_b) == 0 &&
	       strcmp(a->xattrs_after != NULL ? a->xattrs_after : "",
		      b->xattrs_after != NULL ? b->xattrs_after : "") == 0;
}

void
settling_differences(const struct change_set *wanted, const struct change_set *found, size_t max,
		     struct buf *out)
{
	size_t i = 0, j = 0, count = 0;

	while (i < wanted->count || j < found->count) {
		int order = i == wanted->count ? 1
			  : j == found->count  ? -1
					      : strcmp(wanted->items[i].path, found->items[j].path);
		const char *path = order > 0 ? found->items[j].path : wanted->items[i].path;

		if (order != 0 || !is_same(&wanted->items[i], &found->items[j])) {
			if (count++ < max) {
				buf_puts(out, "  ");
				text_safe(out, path, strlen(path), false);
				buf_putc(out, '\n');
			}
		}
		i += order <= 0;
		j += order >= 0;
	}
	if (count > max) {
		buf_printf(out, "  and %zu more\n", count - max);
	}
}
