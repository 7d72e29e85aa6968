/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-cli as the caller. The tree is made new in a directory that only the caller can
 * enter, by descriptor and without following a link; what is in it is the tool's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/fdio.h"
#include "../snapshot/fsat.h"
#include "../snapshot/remove.h"
#include "../snapshot/snapshot.h"
#include "rerun.h"
#include "view_tree.h"

#define NAMES_SHOWN 10u
#define ROOT_MODE 0755

void
rerun_note(struct rerun_notes *notes, const char *fmt, ...)
{
	char **items = reallocarray(notes->items, notes->count + 1, sizeof(*items));
	char *text = NULL;
	va_list ap;

	if (items == NULL) {
		return;
	}
	notes->items = items;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) >= 0) {
		items[notes->count++] = text;
	}
	va_end(ap);
}

void
rerun_notes_finish(struct rerun_notes *notes)
{
	for (size_t i = 0; i < notes->count; i++) {
		free(notes->items[i]);
	}
	free(notes->items);
}

void
rerun_scratch_finish(struct rerun_scratch *s)
{
	cleanup_fd(&s->tree_fd);
	if (s->fd >= 0) {
		ignore_err(remove_tree(s->parent_fd, s->name), "the next sweep tries again");
	}
	cleanup_fd(&s->fd);
	cleanup_fd(&s->parent_fd);
	free(s->path);
}

/* ---- where it stands ------------------------------------------------------------------------- */

static int
scratch_make(struct reading *r, struct rerun_scratch *s, struct err *err)
{
	uint8_t id[16];
	char text[UUID_TEXT_SIZE];
	int rc = text_uuid7(clock_realtime_ms(), id);

	if (rc < 0) {
		return err_sys(err, rc, "name a directory in %s/scratch", r->store.path);
	}
	text_uuid_print(id, text);
	snprintf(s->name, sizeof(s->name), "%s-rerun", text);
	s->parent_fd = store_scratch_open(&r->store, err);
	s->fd = s->parent_fd < 0 ? s->parent_fd
				 : store_scratch_make(&r->store, s->parent_fd, s->name, err);
	if (s->fd < 0) {
		return s->fd;
	}
	s->tree_fd = fdio_make_dir(s->fd, "tree");
	rc = s->tree_fd < 0 ? s->tree_fd : 0;
	if (rc == 0 && asprintf(&s->path, "%s/scratch/%s/tree", r->store.path, s->name) < 0) {
		s->path = NULL;
		rc = -ENOMEM;
	}
	return rc == 0 ? 0 : err_sys(err, rc, "make %s/scratch/%s/tree", r->store.path, s->name);
}

/* ---- entries --------------------------------------------------------------------------------- */

/* Names of which something is not as it was. */
struct names {
	struct buf shown;
	size_t count;
};

struct making {
	struct reading *r;
	const struct record *rec;
	const struct tree_list *list;
	int tree_fd;
	int above_fd;	  /* the directory of the last entry */
	struct buf above; /* and its path; empty: the root */
	struct timespec times[2];
	struct names empty, special;
	struct err *err;
};

static void
making_finish(struct making *m)
{
	cleanup_fd(&m->above_fd);
	buf_finish(&m->above);
	buf_finish(&m->empty.shown);
	buf_finish(&m->special.shown);
}

static void
add_name(struct names *names, const char *path)
{
	if (names->count < NAMES_SHOWN) {
		buf_puts(&names->shown, names->count > 0 ? ", " : "");
		text_safe(&names->shown, path, strlen(path), false);
	} else if (names->count == NAMES_SHOWN) {
		buf_puts(&names->shown, ", …");
	}
	names->count++;
}

static int
fail(struct making *m, int code, const char *path)
{
	auto_buf shown = BUF_INIT;

	text_safe(&shown, path, strlen(path), false);
	return err_sys(m->err, code, "make %s of the input", buf_text(&shown));
}

/* The directory that the path is in; entries of one directory come one after the other. */
static int
open_above(struct making *m, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash != NULL ? (size_t)(slash - path) : 0;

	*ret_name = slash != NULL ? slash + 1 : path;
	if (m->above_fd >= 0 && m->above.len == len &&
	    (len == 0 || memcmp(m->above.data, path, len) == 0)) {
		return 0;
	}
	cleanup_fd(&m->above_fd);
	buf_reset(&m->above);
	buf_put(&m->above, path, len);
	if (buf_error(&m->above) != 0) {
		return -ENOMEM;
	}
	m->above_fd = fsat_open_path(m->tree_fd, buf_text(&m->above), O_RDONLY | O_DIRECTORY);
	return m->above_fd < 0 ? m->above_fd : 0;
}

/* Never stored, whatever the profile keeps. */
static bool
is_never_kept(const struct making *m, const struct tree_entry *e)
{
	const char *why = object_not_kept(m->rec, e->path, 0, true);

	return names_is_secret(e->path) ||
	       (strcmp(record_text(m->rec->planned, "capture"), "content") == 0 && why != NULL);
}

static int
not_there(struct making *m, const struct tree_entry *e)
{
	const char *why = object_not_kept(m->rec, e->path, e->size, true);
	auto_buf shown = BUF_INIT, profile = BUF_INIT;

	text_safe(&shown, e->path, strlen(e->path), false);
	view_text(&profile, record_text(m->rec->planned, "profile.name"));
	if (strcmp(record_text(m->rec->planned, "capture"), "content") != 0) {
		return err_set(m->err, -ENODATA,
			       "%s was in the input and its content was not captured: `capture: { "
			       "inputs: content }` in profile %s keeps the input of calls to come",
			       buf_text(&shown), buf_text(&profile));
	}
	return err_set(m->err, -ENODATA,
		       "%s was in the input and its content is not in the store: %s",
		       buf_text(&shown), why != NULL ? why : "removed, or not restored");
}

static int
make_file(struct making *m, const struct tree_entry *e, const char *name)
{
	auto_buf content = BUF_INIT;
	auto_fd fd = -1;
	int rc = e->has_digest ? object_content(m->r, m->rec, e->digest, &content, m->err)
			       : -ENODATA;

	if (rc == -ENODATA && e->has_digest && e->size > 0 && !is_never_kept(m, e)) {
		return not_there(m, e);
	}
	if (rc == -ENODATA && (!e->has_digest || e->size > 0)) {
		add_name(&m->empty, e->path);
	}
	if (rc != 0 && rc != -ENODATA) {
		return rc;
	}
	fd = openat(m->above_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	rc = fd < 0 ? -errno : fdio_write(fd, content.data, content.len);
	if (rc == 0 && ftruncate(fd, (off_t)e->size) < 0) {
		rc = -errno; /* what is not there has its length */
	}
	if (rc == 0 && (fchmod(fd, e->mode) < 0 || futimens(fd, m->times) < 0)) {
		rc = -errno;
	}
	return rc == 0 ? 0 : fail(m, rc, e->path);
}

static int
make_entry(struct making *m, const struct tree_entry *e)
{
	const char *name;
	int rc = open_above(m, e->path, &name);

	if (rc != 0) {
		return fail(m, rc, e->path);
	}
	switch (e->kind) {
	case 'f':
		return make_file(m, e, name);
	case 'd':
		if (!e->is_entered) {
			add_name(&m->empty, e->path);
		}
		return mkdirat(m->above_fd, name, 0700) == 0 ? 0 : fail(m, -errno, e->path);
	case 'l':
		if (symlinkat(e->target, m->above_fd, name) < 0 ||
		    utimensat(m->above_fd, name, m->times, AT_SYMLINK_NOFOLLOW) < 0) {
			return fail(m, -errno, e->path);
		}
		return 0;
	default:
		add_name(&m->special, e->path);
		return 0;
	}
}

/* Last, and children before parents: a directory may forbid its owner to write. */
static int
close_directories(struct making *m)
{
	for (size_t i = m->list->count; i > 0; i--) {
		const struct tree_entry *e = &m->list->entries[i - 1];
		auto_fd fd = -1;

		if (e->kind != 'd') {
			continue;
		}
		fd = fsat_open_path(m->tree_fd, e->path, O_RDONLY | O_DIRECTORY);
		if (fd < 0 || futimens(fd, m->times) < 0 || fchmod(fd, e->mode) < 0) {
			return fail(m, fd < 0 ? fd : -errno, e->path);
		}
	}
	return fchmod(m->tree_fd, ROOT_MODE) < 0 || futimens(m->tree_fd, m->times) < 0
		     ? fail(m, -errno, ".")
		     : 0;
}

static void
note_names(struct rerun_notes *notes, const struct names *names, const char *what)
{
	if (names->count > 0) {
		rerun_note(notes, "%s: %s", what, buf_text(&names->shown));
	}
}

static int
make_all(struct making *m, struct rerun_notes *notes)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < m->list->count; i++) {
		rc = make_entry(m, &m->list->entries[i]);
	}
	rc = rc == 0 ? close_directories(m) : rc;
	note_names(notes, &m->empty,
		   "contents that are never stored, or could not be read then, are zeros now");
	note_names(notes, &m->special, "fifos, sockets, devices and the like are missing");
	return rc;
}

int
rerun_tree_make(struct reading *r, const struct record *rec, struct rerun_scratch *ret,
		struct rerun_notes *notes, struct err *err)
{
	auto_tree_list list = TREE_LIST_INIT;
	time_t t0 = (time_t)(record_number(rec->planned, "t0") / 1000);
	__attribute__((cleanup(making_finish))) struct making m = {
		.r = r,
		.rec = rec,
		.list = &list,
		.above_fd = -1,
		.above = BUF_INIT,
		.times = { { .tv_sec = t0 }, { .tv_sec = t0 } },
		.empty = { .shown = BUF_INIT },
		.special = { .shown = BUF_INIT },
		.err = err,
	};
	int rc = tree_list_read(r, rec, TREE_IN, &list, err);

	rc = rc != 0 ? rc : scratch_make(r, ret, err);
	if (rc == 0) {
		m.tree_fd = ret->tree_fd;
		rc = make_all(&m, notes);
	}
	if (rc == 0) {
		/* entries of the second call's tick would look as if somebody wrote meanwhile */
		clock_next_tick_ns();
	}
	return rc;
}
