/* SPDX-License-Identifier: Apache-2.0 */
/* Run by airlock-cli, as the caller, who is the only one to write into the state directory. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "../base/fdio.h"
#include "ledger.h"
#include "workflow_internal.h"

#define NAME_FILE "name" /* in wf/<id>, until it has its place among the names */

static int
taken(const char *name, struct err *err)
{
	return err_set(err, -EEXIST,
		       "there is a workflow %s already: `airlock workflow show %s` tells of it",
		       name, name);
}

static int
open_names(const struct store *s, struct err *err)
{
	int fd = fdio_make_dir(s->dir_fd, WORKFLOW_NAMES);

	if (fd >= 0 && fsync(s->dir_fd) < 0) {
		int rc = -errno;

		close(fd);
		fd = rc;
	}
	return fd < 0 ? err_sys(err, fd, "make %s/" WORKFLOW_NAMES, s->path) : fd;
}

/* wf/<id>, with its own name durable. */
static int
make_dir(const struct store *s, const uint8_t id[16], struct err *err)
{
	auto_fd all = fdio_make_dir(s->dir_fd, "wf");
	auto_fd dir = all < 0 ? all : workflow_dir(s, id, true, err);

	if (all < 0) {
		return err_sys(err, all, "make %s/wf", s->path);
	}
	if (dir < 0) {
		return dir;
	}
	if (fsync(all) < 0) {
		return err_sys(err, -errno, "write %s/wf", s->path);
	}
	return take_fd(&dir);
}

static int
write_definition(int dir, const struct workflow_definition *d, struct err *err)
{
	auto_buf text = BUF_INIT;
	int rc;

	workflow_definition_print(d, &text);
	rc = buf_error(&text);
	rc = rc < 0 ? rc : fdio_update_at(dir, WORKFLOW_DEFINITION, text.data, text.len, 0600);
	return rc < 0 ? err_sys(err, rc, "write the workflow's definition") : 0;
}

static int
write_ledger(int dir, const struct workflow_definition *d, struct ledger_file *f, struct err *err)
{
	int rc = ledger_open(dir, f, err);

	if (rc < 0) {
		return rc;
	}
	f->l = (struct ledger){ .state = WORKFLOW_ACTIVE,
				.since_ms = d->created_ms,
				.deadline_ms = d->deadline_ms,
				.guard = d->guard };
	memcpy(f->l.limit, d->limits, sizeof(f->l.limit));
	snprintf(f->l.name, sizeof(f->l.name), "%s", d->name);
	return ledger_write(f, err);
}

/*
 * Puts the file of the id at its name, whole, from a place where no other name can be hit: a link
 * takes nothing's place, a rename does.
 */
static int
place_name(const struct store *s, int dir, const struct workflow_definition *d, bool replaces,
	   struct err *err)
{
	auto_fd names = open_names(s, err);
	char id[UUID_TEXT_SIZE];
	int rc;

	if (names < 0) {
		return names;
	}
	text_uuid_print(d->id, id);
	rc = fdio_replace_at(dir, NAME_FILE, id, strlen(id), 0600);
	if (rc == 0 && (replaces ? renameat(dir, NAME_FILE, names, d->name)
				 : linkat(dir, NAME_FILE, names, d->name, 0)) < 0) {
		rc = -errno;
	}
	if (rc == 0 && fsync(names) < 0) {
		rc = -errno;
	}
	if (rc == -EEXIST) {
		return taken(d->name, err);
	}
	if (rc < 0) {
		return err_sys(err, rc, "write %s/" WORKFLOW_NAMES "/%s", s->path, d->name);
	}
	ignore_err(unlinkat(dir, NAME_FILE, 0), "nobody looks for it");
	return 0;
}

/* What was made of one that does not come to be. */
static void
unmake(const struct store *s, int dir, const uint8_t id[16])
{
	static const char *const files[] = { WORKFLOW_DEFINITION, LEDGER_FILE, NAME_FILE };
	char text[UUID_TEXT_SIZE], path[sizeof("wf/") + UUID_TEXT_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		ignore_err(unlinkat(dir, files[i], 0), "it need not be there");
	}
	text_uuid_print(id, text);
	snprintf(path, sizeof(path), "wf/%s", text);
	ignore_err(unlinkat(s->dir_fd, path, AT_REMOVEDIR), "an empty directory harms nobody");
}

static int
fill(const struct store *s, int dir, const struct workflow_definition *d, struct ledger_file *f,
     struct err *err)
{
	int rc = write_ledger(dir, d, f, err);

	rc = rc < 0 ? rc : write_definition(dir, d, err);
	return rc < 0 ? rc : place_name(s, dir, d, false, err);
}

int
workflow_create(const struct store *s, struct workflow_definition *d, struct ledger_file *ret_held,
		struct err *err)
{
	uint8_t other[16];
	struct err none = ERR_INIT;
	auto_fd dir = -1;
	int rc;

	if (!workflow_definition_is_good(d)) {
		return err_set(err, -EINVAL, "no definition of a workflow");
	}
	/* spares the work; the link decides */
	if (workflow_find(s, d->name, other, &none) == 0) {
		return taken(d->name, err);
	}
	d->created_ms = clock_realtime_ms();
	rc = text_uuid7(d->created_ms, d->id);
	if (rc < 0) {
		return err_sys(err, rc, "make an id");
	}
	dir = make_dir(s, d->id, err);
	if (dir < 0) {
		return dir;
	}
	rc = fill(s, dir, d, ret_held, err);
	if (rc < 0) {
		unmake(s, dir, d->id);
		ledger_close(ret_held);
	}
	return rc;
}

int
workflow_restore(const struct store *s, const struct workflow_definition *d, struct err *err)
{
	auto_fd dir = make_dir(s, d->id, err);
	struct err none = ERR_INIT;
	uint8_t holder[16];
	int rc = dir < 0 ? dir : write_definition(dir, d, err);

	if (rc < 0) {
		return rc;
	}
	rc = workflow_find(s, d->name, holder, &none);
	if (rc == 0) {
		return memcmp(holder, d->id, sizeof(holder)) == 0 ? 0 : taken(d->name, err);
	}
	/* a damaged one is nobody's */
	return place_name(s, dir, d, rc != -ENOENT, err);
}

int
workflow_drop_name(const struct store *s, const char *name, const uint8_t id[16], struct err *err)
{
	auto_fd names = fdio_open_dir(s->dir_fd, WORKFLOW_NAMES);
	struct err none = ERR_INIT;
	uint8_t holder[16];
	int rc = names == -ENOENT ? -ENOENT : workflow_find(s, name, holder, &none);

	/* a damaged one is not known to be its */
	if (rc == -ENOENT || rc == -EBADMSG ||
	    (rc == 0 && memcmp(holder, id, sizeof(holder)) != 0)) {
		return 0;
	}
	if (names < 0 || (rc == 0 && (unlinkat(names, name, 0) < 0 || fsync(names) < 0))) {
		rc = names < 0 ? names : -errno;
	}
	return rc < 0 ? err_sys(err, rc, "remove %s/" WORKFLOW_NAMES "/%s", s->path, name) : 0;
}
