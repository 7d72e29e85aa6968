/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds a bundle, checks whose it is, locks and reads it. Runs in airlock-cli, as the caller. What
 * is believed is what was opened: the directory by descriptor, everything else below it, through no
 * link.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/fdio.h"
#include "../base/limits.h"
#include "../base/trusted.h"
#include "../sys/sys.h"
#include "bundle_internal.h"

#define LOCK_WAIT_NS 10000000000ull
#define LOCK_NAP_NS 2000000l
#define NO_LINKS (SYS_RESOLVE_NO_SYMLINKS | SYS_RESOLVE_NO_MAGICLINKS)
#define BELOW (SYS_RESOLVE_BENEATH | NO_LINKS)

/* ---- where ----------------------------------------------------------------------------------- */

void
bundle_own_path(const struct bundle_request *req, const char *rest, struct buf *ret)
{
	bool config = req->config_home != NULL && req->config_home[0] == '/';

	buf_puts(ret, config ? req->config_home : req->home);
	buf_puts(ret, config ? "/airlock" : "/.config/airlock");
	buf_puts(ret, rest);
}

int
bundle_own_open(const struct bundle_request *req, const char *rest, struct buf *ret_path,
		struct err *err)
{
	auto_fd fd = -1;
	int rc;

	bundle_own_path(req, rest, ret_path);
	rc = buf_error(ret_path);
	rc = rc < 0 ? rc : fdio_mkdirs(buf_text(ret_path), 0700);
	if (rc == 0) {
		fd = open(buf_text(ret_path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		rc = fd < 0 ? -errno : 0;
	}
	return rc < 0 ? err_sys(err, rc, "%s", buf_text(ret_path)) : take_fd(&fd);
}

static int
compare_found(const void *a, const void *b)
{
	const struct bundle_found *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	return order != 0 ? order : (int)x->is_system - (int)y->is_system;
}

/* A directory that cannot be reached has no bundles. */
static void
list_dir(struct profile_arena *a, const char *path, bool is_system, struct bundle_listing *list)
{
	auto_dir dir = NULL;
	const struct dirent *e;

	if (fdio_list_dir(AT_FDCWD, path, 0, &dir) < 0) {
		return;
	}
	while (list->count < BUNDLE_LIST_MAX && (e = readdir(dir)) != NULL) {
		struct bundle_found *row = &list->rows[list->count];
		auto_buf full = BUF_INIT;
		struct stat st;

		if (!bundle_name_is_right(e->d_name) ||
		    fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    S_ISREG(st.st_mode)) {
			continue;
		}
		buf_printf(&full, "%s/%s", path, e->d_name);
		row->name = profile_arena_text(a, e->d_name, strlen(e->d_name));
		row->path = profile_arena_text(a, buf_text(&full), full.len);
		row->is_system = is_system;
		list->count += a->failed ? 0 : 1;
	}
}

int
bundle_list(const struct bundle_request *req, struct bundle_listing *ret, struct err *err)
{
	auto_arena a = { .chunks = NULL, .failed = false };
	struct bundle_listing list = { .count = 0 };
	auto_buf own = BUF_INIT;

	bundle_own_path(req, "/bundles", &own);
	list.rows = profile_arena_get(&a, BUNDLE_LIST_MAX, sizeof(*list.rows));
	if (list.rows != NULL && buf_error(&own) == 0) {
		list_dir(&a, buf_text(&own), false, &list);
		list_dir(&a, req->system_dir, true, &list);
	}
	if (list.rows == NULL || a.failed || buf_error(&own) < 0) {
		return err_sys(err, -ENOMEM, "list bundles");
	}
	qsort(list.rows, list.count, sizeof(list.rows[0]), compare_found);
	for (size_t i = 1; i < list.count; i++) {
		list.rows[i].is_hidden = strcmp(list.rows[i - 1].name, list.rows[i].name) == 0;
	}
	list.arena = take_ptr(a.chunks);
	*ret = list;
	return 0;
}

void
bundle_listing_finish(struct bundle_listing *l)
{
	struct profile_arena a = { .chunks = l->arena, .failed = false };

	profile_arena_finish(&a);
	*l = (struct bundle_listing){ .count = 0 };
}

static int
not_found(const struct bundle_request *req, const char *name, struct err *err)
{
	struct bundle_listing list = { .count = 0 };
	const char *names[BUNDLE_LIST_MAX];
	size_t count = 0;
	int rc = bundle_list(req, &list, err);

	if (rc < 0) {
		return rc;
	}
	for (size_t i = 0; i < list.count; i++) {
		if (!list.rows[i].is_hidden) {
			names[count++] = list.rows[i].name;
		}
	}
	rc = bundle_none_such("no bundle", name, names, count, err);
	bundle_listing_finish(&list);
	return rc;
}

/* ---- the directory --------------------------------------------------------------------------- */

/*
 * The bundle in one directory of the search: 1, or 0 where it has none. at->path is set then. The
 * directory of the search may be reached through links, which are the caller's or root's to set;
 * the bundle itself is no link.
 */
static int
open_below(struct bundle_at *at, const char *dir, const char *name, struct err *err)
{
	const struct trust trust = { at->req.caller, at->req.unmapped, at->is_system };
	auto_fd above = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;
	int rc;

	if (above < 0 || asprintf(&at->path, "%s/%s", dir, name) < 0) {
		at->path = NULL;
		return above < 0 ? 0 : err_sys(err, -ENOMEM, "%s", dir);
	}
	at->dir_fd = sys_openat2(above, name, O_RDONLY | O_DIRECTORY, 0, BELOW);
	if (at->dir_fd == -ENOENT || at->dir_fd == -EACCES) {
		free(take_ptr(at->path));
		return at->dir_fd == -ENOENT ? 0 : err_sys(err, -EACCES, "%s/%s", dir, name);
	}
	if (at->dir_fd == -ELOOP || at->dir_fd == -ENOTDIR) {
		return err_set(err, -EPERM,
			       "%s is no directory; a bundle is one, and no link to one", at->path);
	}
	if (at->dir_fd < 0) {
		return err_sys(err, at->dir_fd, "%s", at->path);
	}
	if (fstat(above, &st) < 0) {
		return err_sys(err, -errno, "%s", dir);
	}
	rc = trusted_owner(&trust, dir, &st, err);
	if (rc == 0 && fstat(at->dir_fd, &st) < 0) {
		rc = err_sys(err, -errno, "%s", at->path);
	}
	rc = rc < 0 ? rc : trusted_owner(&trust, at->path, &st, err);
	return rc < 0 ? rc : 1;
}

/* Who has it has it for some milliseconds; one that hangs must not hang everybody else. */
static int
lock(const struct bundle_at *at, int operation, struct err *err)
{
	const struct timespec nap = { .tv_nsec = LOCK_NAP_NS };
	uint64_t until = clock_monotonic_ns() + LOCK_WAIT_NS;

	while (flock(at->dir_fd, operation | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR) {
			return err_sys(err, -errno, "lock %s", at->path);
		}
		if (clock_monotonic_ns() > until) {
			return err_set(err, -EBUSY,
				       "%s is in use by another airlock for more than 10 s",
				       at->path);
		}
		nanosleep(&nap, NULL);
	}
	return 0;
}

/* ---- files in it ----------------------------------------------------------------------------- */

static int
not_opened(const char *path, int rc, struct err *err)
{
	return rc == -ELOOP ? err_set(err, -EPERM, "%s is a link, or reached through one", path)
			    : err_sys(err, rc, "%s", path);
}

/* A regular file with one name: another would change it where nobody looks. */
static int
check_regular(const char *path, const struct stat *st, struct err *err)
{
	if (!S_ISREG(st->st_mode)) {
		return err_set(err, -EPERM, "%s is not a regular file", path);
	}
	if (st->st_nlink != 1) {
		return err_set(err, -EPERM,
			       "%s has %llu names (hard links); make a copy of its own", path,
			       (unsigned long long)st->st_nlink);
	}
	return 0;
}

int
bundle_check_private(int fd, const char *path, struct err *err)
{
	struct stat st;
	int rc = fstat(fd, &st) < 0 ? err_sys(err, -errno, "%s", path)
				    : check_regular(path, &st, err);

	return rc < 0 ? rc : trusted_private(fd, path, err);
}

static int
open_own(const struct bundle_at *at, const char *name, size_t max, int *ret_fd, struct stat *ret_st,
	 struct err *err)
{
	const struct trust trust = { at->req.caller, at->req.unmapped, at->is_system };
	auto_buf path = BUF_INIT;
	/* a FIFO is refused, not waited for */
	auto_fd fd = sys_openat2(at->dir_fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, BELOW);
	int rc;

	buf_printf(&path, "%s/%s", at->path, name);
	if (fd < 0 || fstat(fd, ret_st) < 0) {
		return not_opened(buf_text(&path), fd < 0 ? fd : -errno, err);
	}
	rc = check_regular(buf_text(&path), ret_st, err);
	rc = rc < 0 ? rc : trusted_owner(&trust, buf_text(&path), ret_st, err);
	if (rc == 0 && (uint64_t)ret_st->st_size > max) {
		rc = err_set(err, -EFBIG, "%s is larger than %zu KiB", buf_text(&path), max >> 10);
	}
	*ret_fd = rc < 0 ? -1 : take_fd(&fd);
	return rc;
}

static int
read_manifest(struct bundle_at *at, const char *name, struct buf *report, struct err *err)
{
	auto_buf path = BUF_INIT;
	auto_fd fd = -1;
	struct stat st = { .st_mode = 0 };
	int rc = open_own(at, BUNDLE_MANIFEST, CAP_PROFILE_FILE, &fd, &st, err);

	if (rc < 0) {
		return rc;
	}
	at->mode = st.st_mode & 07777;
	rc = fdio_slurp(fd, CAP_PROFILE_FILE, &at->manifest);
	buf_printf(&path, "%s/" BUNDLE_MANIFEST, at->path);
	if (rc < 0 || buf_error(&path) < 0) {
		return err_sys(err, rc < 0 ? rc : -ENOMEM, "%s/" BUNDLE_MANIFEST, at->path);
	}
	return bundle_parse(buf_text(&path), name, &at->manifest, &at->bundle, report, err);
}

static int
open_file(const struct bundle_item *item, int *ret_fd, struct err *err)
{
	auto_fd fd =
		sys_openat2(AT_FDCWD, item->path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0, NO_LINKS);
	int rc = fd < 0 ? not_opened(item->path, fd, err)
			: bundle_check_private(fd, item->path, err);

	*ret_fd = rc < 0 ? -1 : take_fd(&fd);
	return rc;
}

int
bundle_open_item(const struct bundle_at *at, const struct bundle_item *item, int *ret_fd,
		 struct err *err)
{
	auto_buf name = BUF_INIT;
	struct stat st;

	if (item->source == BUNDLE_SOURCE_FILE) {
		return open_file(item, ret_fd, err);
	}
	if (item->source != BUNDLE_SOURCE_SEALED) {
		return err_set(err, -EINVAL, "%s/%s is no file: its source is %s", at->bundle.name,
			       item->name, bundle_source_word(item->source));
	}
	bundle_item_file(item->name, item->version, &name);
	return buf_error(&name) < 0
		     ? err_sys(err, -ENOMEM, "%s", at->path)
		     : open_own(at, buf_text(&name), CAP_SEALED_FILE, ret_fd, &st, err);
}

int
bundle_check_command(const struct bundle_at *at, const struct bundle_item *item, struct err *err)
{
	const struct trust trust = { at->req.caller, at->req.unmapped, at->is_system };
	const char *path = item->command.items[0];
	auto_fd fd = sys_openat2(AT_FDCWD, path, O_PATH, 0, NO_LINKS);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		return not_opened(path, fd < 0 ? fd : -errno, err);
	}
	if (!S_ISREG(st.st_mode) || (st.st_mode & 0111) == 0) {
		return err_set(err, -EPERM, "%s is no program", path);
	}
	return trusted_owner(&trust, path, &st, err);
}

/* ---- the whole ------------------------------------------------------------------------------- */

void
bundle_at_finish(struct bundle_at *at)
{
	bundle_finish(&at->bundle);
	buf_finish(&at->manifest);
	free(at->path);
	if (at->dir_fd >= 0) {
		close(at->dir_fd);
	}
	*at = (struct bundle_at)BUNDLE_AT_INIT;
}

static int
open_bundle(struct bundle_at *at, const char *name, int operation, struct buf *report,
	    struct err *err)
{
	auto_buf own = BUF_INIT;
	int rc = bundle_name_check("a bundle", name, err);

	if (rc < 0) {
		return rc;
	}
	bundle_own_path(&at->req, "/bundles", &own);
	if (buf_error(&own) < 0) {
		return err_sys(err, -ENOMEM, "bundle %s", name);
	}
	rc = open_below(at, buf_text(&own), name, err);
	if (rc == 0) {
		at->is_system = true;
		rc = open_below(at, at->req.system_dir, name, err);
	}
	if (rc == 0) {
		return not_found(&at->req, name, err);
	}
	rc = rc < 0 ? rc : lock(at, operation, err);
	return rc < 0 ? rc : read_manifest(at, name, report, err);
}

static int
open_locked(const struct bundle_request *req, const char *name, int operation,
	    struct bundle_at *ret, struct buf *report, struct err *err)
{
	struct bundle_at at = BUNDLE_AT_INIT;
	int rc;

	at.req = *req;
	rc = open_bundle(&at, name, operation, report, err);
	if (rc < 0) {
		bundle_at_finish(&at);
		return rc;
	}
	*ret = at;
	return 0;
}

int
bundle_open_read(const struct bundle_request *req, const char *name, struct bundle_at *ret,
		 struct buf *report, struct err *err)
{
	return open_locked(req, name, LOCK_SH, ret, report, err);
}

int
bundle_open_write(const struct bundle_request *req, const char *name, struct bundle_at *ret,
		  struct buf *report, struct err *err)
{
	return open_locked(req, name, LOCK_EX, ret, report, err);
}
