/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes the records of a workflow out of the journal. Runs in airlock-cli, as the caller, under
 * index.lock. What was no entry before must not become one: only what the index has as an entry is
 * rewritten, and it keeps its place, its length and its digest, so every leaf stays what it was.
 *
 * The index goes first: what it has of the records must not outlive them, and whoever makes it
 * again in the middle reads the journal as it is then. Files are rewritten from the oldest on, each
 * copied, synced and renamed, so that a call's planned entry goes before the rest of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/crc32.h"
#include "../base/fdio.h"
#include "../base/grow.h"
#include "../base/limits.h"
#include "index_internal.h"
#include "store_internal.h"

#define CANDIDATES_SHOWN 4u

/* Entries of calls of the workflow ?1 that still have a record. */
/* clang-format off */
#define FORGETTABLE                                                                                \
	" FROM entry WHERE record IS NOT NULL AND call IN"                                         \
	" (SELECT id FROM call WHERE workflow = ?1"                                                \
	" UNION SELECT call FROM forgotten WHERE workflow = ?1)"
/* clang-format on */

struct targets {
	struct journal_pos *items; /* in the order of the journal; owned */
	size_t count, cap;
};

struct forgetting {
	struct store *store;
	const char *workflow;
	struct targets targets;
};

static int
bind_workflow(struct index *ix, sqlite3_stmt *st, const char *workflow, struct err *err)
{
	return sqlite3_bind_text(st, 1, workflow, -1, SQLITE_STATIC) == SQLITE_OK
		     ? 0
		     : index_error(ix, err, "look for a workflow");
}

int
index_workflow(struct index *ix, const char *name, char ret_id[UUID_TEXT_SIZE], struct err *err)
{
	static const char sql[] =
		"SELECT workflow FROM call WHERE workflow_name = ?1"
		" UNION SELECT workflow FROM event WHERE type = 'workflow' AND name = ?1"
		" UNION SELECT workflow FROM (SELECT workflow FROM call"
		" UNION SELECT workflow FROM forgotten UNION SELECT workflow FROM event)"
		" WHERE length(?1) >= ?2 AND substr(workflow, 1, length(?1)) = ?1 ORDER BY 1";
	auto_stmt st = NULL;
	auto_buf candidates = BUF_INIT, shown = BUF_INIT;
	char first[UUID_TEXT_SIZE] = "";
	size_t count = 0;
	int rc = index_prepare(ix, sql, &st, err), step;

	rc = rc != 0 ? rc : bind_workflow(ix, st, name, err);
	if (rc != 0) {
		return rc;
	}
	ignore_err(sqlite3_bind_int(st, 2, INDEX_PREFIX_MIN), "unbound, no start of an id counts");
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		const char *id = index_column_text(st, 0);

		if (count == 0) {
			snprintf(first, sizeof(first), "%s", id);
		}
		if (count++ < CANDIDATES_SHOWN) {
			buf_printf(&candidates, "%s%s", count > 1 ? ", " : "", id);
		}
	}
	if (step != SQLITE_DONE) {
		return index_error(ix, err, "look for a workflow");
	}
	text_safe(&shown, name, strlen(name), false);
	if (count == 0) {
		return err_set(err, -ENOENT, "--workflow %s: no such workflow is recorded",
			       buf_text(&shown));
	}
	if (count > 1) {
		return err_set(err, -ENOTUNIQ,
			       "--workflow %s: several workflows are called so: %s%s: name one by "
			       "its id",
			       buf_text(&shown), buf_text(&candidates),
			       count > CANDIDATES_SHOWN ? ", …" : "");
	}
	memcpy(ret_id, first, UUID_TEXT_SIZE);
	return 0;
}

int
index_workflow_newest(struct index *ix, const char *workflow, uint64_t *ret_ms, struct err *err)
{
	static const char sql[] =
		"SELECT max(ifnull((SELECT max(max(t0), ifnull(max(t1), 0)) FROM call"
		" WHERE workflow = ?1), 0), ifnull((SELECT max(settle.t) FROM settle"
		" JOIN call ON call.id = settle.call WHERE workflow = ?1), 0),"
		" ifnull((SELECT max(resolve.t) FROM resolve"
		" JOIN call ON call.id = resolve.call WHERE workflow = ?1), 0))";

	return index_number(ix, sql, workflow, "look for the newest entry of a workflow", ret_ms,
			    err);
}

int
index_forgettable(struct index *ix, const char *workflow, uint64_t *ret_entries, struct err *err)
{
	return index_number(ix, "SELECT count(*)" FORGETTABLE, workflow,
			    "count the entries of a workflow", ret_entries, err);
}

static int
find_targets(struct index *ix, const char *workflow, struct targets *t, struct err *err)
{
	auto_stmt st = NULL;
	int rc = index_prepare(ix, "SELECT file, offset" FORGETTABLE " ORDER BY n", &st, err), step;

	rc = rc != 0 ? rc : bind_workflow(ix, st, workflow, err);
	if (rc != 0) {
		return rc;
	}
	while ((step = sqlite3_step(st)) == SQLITE_ROW) {
		struct journal_pos *grown = grow_array(t->items, t->count, &t->cap, sizeof(*grown));

		if (grown == NULL) {
			return err_sys(err, -ENOMEM, "look for the entries of a workflow");
		}
		t->items = grown;
		t->items[t->count++] = index_column_pos(st, 0);
	}
	return step == SQLITE_DONE ? 0 : index_error(ix, err, "look for the entries of a workflow");
}

/* ---- the journal ---------------------------------------------------------------------------- */

/* The entry at that offset of the file's bytes is forgotten in its place. */
static int
forget_entry(struct buf *file, uint64_t offset, const char *workflow)
{
	auto_buf stub = BUF_INIT;
	struct entry e;
	uint8_t *p;
	size_t len;
	int r;

	if (file->data == NULL || offset > file->len) {
		return -EBADMSG;
	}
	p = file->data + offset;
	len = journal_entry_len(p, file->len - offset);
	if (len == 0 || !entry_slice(p + JOURNAL_HEADER, len, &e)) {
		return -EBADMSG;
	}
	r = entry_print_forgotten(&e, workflow, len, &stub);
	if (r == 0) {
		memcpy(p + JOURNAL_HEADER, stub.data, len);
		journal_store32(p + 4, crc32_update(0, p + JOURNAL_HEADER, len));
	}
	return r;
}

/* The file's new bytes in its place, durable. */
static int
replace_file(const struct store *s, const char *name, const struct buf *bytes)
{
	char unnamed[JOURNAL_NAME_SIZE];
	auto_fd dir =
		openat(s->dir_fd, JOURNAL_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	auto_fd fd = -1;
	int r = dir < 0 ? -errno : journal_open_unnamed(s->dir_fd, unnamed, &fd);

	if (r < 0) {
		return r;
	}
	r = fdio_write(fd, bytes->data, bytes->len);
	if (r == 0 && fsync(fd) < 0) {
		r = -errno;
	}
	if (r == 0 && renameat(s->dir_fd, unnamed, s->dir_fd, name) < 0) {
		r = -errno;
	}
	if (r < 0) {
		ignore_err(unlinkat(s->dir_fd, unnamed, 0), "the first failure is reported");
		return r;
	}
	return fsync(dir) < 0 ? -errno : 0;
}

/* All targets of one file, which is complete: nobody appends to it. */
static int
rewrite_file(const struct forgetting *f, size_t from, size_t to, struct err *err)
{
	char name[JOURNAL_NAME_SIZE];
	auto_buf bytes = BUF_INIT;
	auto_fd fd = -1;
	int r;

	journal_name(f->targets.items[from].file, name);
	fd = openat(f->store->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	r = fd < 0 ? -errno
		   : fdio_slurp(fd, CAP_JOURNAL_FILE + 2 * (size_t)CAP_JOURNAL_ENTRY, &bytes);
	for (size_t i = from; i < to && r == 0; i++) {
		r = forget_entry(&bytes, f->targets.items[i].offset, f->workflow);
	}
	r = r < 0 ? r : replace_file(f->store, name, &bytes);
	return r < 0 ? err_sys(err, r, "forget entries of %s/%s", f->store->path, name) : 0;
}

static int
rewrite_journal(void *arg, struct err *err)
{
	const struct forgetting *f = arg;
	const struct targets *t = &f->targets;

	for (size_t from = 0, to; from < t->count; from = to) {
		int r;

		for (to = from; to < t->count && t->items[to].file == t->items[from].file;) {
			to++;
		}
		r = rewrite_file(f, from, to, err);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static int
forget_targets(struct forgetting *f, struct index **slot, struct err *err)
{
	uint32_t newest = 0, next = 0, last = f->targets.items[f->targets.count - 1].file;
	uint64_t entries;
	int r = journal_scan(f->store->dir_fd, 0, &next, &newest);

	if (r < 0) {
		return err_sys(err, r, "journal in %s", f->store->path);
	}
	r = newest == last ? journal_roll(f->store, err) : 0;
	r = r < 0 ? r : index_remake(f->store, slot, rewrite_journal, f, err);
	return r < 0 ? r : index_ingest(*slot, f->store, &entries, err);
}

int
index_forget(struct store *s, const char *workflow, struct err *err)
{
	struct forgetting f = { .store = s, .workflow = workflow };
	auto_index ix = NULL;
	uint64_t entries;
	int r = index_open_write(s, true, &ix, err);

	r = r < 0 ? r : index_ingest(ix, s, &entries, err);
	r = r < 0 ? r : find_targets(ix, workflow, &f.targets, err);
	if (r == 0 && f.targets.count > 0) {
		r = forget_targets(&f, &ix, err);
	}
	free(f.targets.items);
	return r;
}
