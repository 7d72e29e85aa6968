/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is owed to resolvers: its files, and paying it. Runs in airlock-cli as the caller. Killed
 * anywhere, doing it again does the rest: a resolver that is told twice to end a lease says twice
 * that it has ended.
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
#include "../bundle/bundle.h"
#include "../credd/answer.h"
#include "../credd/hear.h"
#include "../sys/sys.h"
#include "cmd_creds.h"
#include "cmd_resolver.h"
#include "view_state.h"

#define NAP_NS 2000000l
#define STRAY_S 3600	     /* a file that has no name yet, and is of nobody any more */
#define LINKS (SYS_RESOLVE_NO_SYMLINKS | SYS_RESOLVE_BENEATH)

/* ---- to owe ---------------------------------------------------------------------------------- */

static int
make_file(int dir, const char *name, const struct owed *o, int *ret_fd)
{
	auto_buf hidden = BUF_INIT;
	auto_fd fd = -1;
	int rc;

	buf_printf(&hidden, ".%s", name);
	rc = buf_error(&hidden);
	fd = rc < 0 ? rc
		    : sys_openat2(dir, buf_text(&hidden), O_RDWR | O_CREAT | O_EXCL, 0600, LINKS);
	if (fd < 0) {
		return fd;
	}
	/* whoever finds it by its name finds it locked, and whole */
	rc = flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : owed_begin(fd, o);
	if (rc == 0 &&
	    (fsync(fd) < 0 || renameat(dir, buf_text(&hidden), dir, name) < 0 || fsync(dir) < 0)) {
		rc = -errno;
	}
	if (rc < 0) {
		ignore_err(unlinkat(dir, buf_text(&hidden), 0), "a later walk removes it");
		return rc;
	}
	*ret_fd = take_fd(&fd);
	return 0;
}

int
resolver_owe(const struct store *s, const struct owed *o, int *ret_fd, struct err *err)
{
	auto_buf name = BUF_INIT;
	auto_fd dir = -1;
	int rc = mkdirat(s->dir_fd, OWED_DIR, 0700) < 0 && errno != EEXIST ? -errno : 0;

	owed_name(o->call, o->item, &name);
	rc = rc < 0 ? rc : buf_error(&name);
	if (rc == 0) {
		dir = sys_openat2(s->dir_fd, OWED_DIR, O_RDONLY | O_DIRECTORY, 0, LINKS);
		rc = dir < 0 ? dir : fsync(s->dir_fd) < 0 ? -errno : 0;
	}
	rc = rc < 0 ? rc : make_file(dir, buf_text(&name), o, ret_fd);
	return rc < 0 ? err_sys(err, rc, "write down what is owed to the resolver of credential %s",
				o->item)
		      : 0;
}

/* ---- to pay ---------------------------------------------------------------------------------- */

/* 0 with the lock; -EWOULDBLOCK. */
static int
lock(int fd, int wait_ms)
{
	const struct timespec nap = { .tv_nsec = NAP_NS };
	uint64_t until = clock_monotonic_ns() + (uint64_t)wait_ms * 1000000u;

	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if ((errno != EWOULDBLOCK && errno != EINTR) || clock_monotonic_ns() >= until) {
			return -errno;
		}
		nanosleep(&nap, NULL);
	}
	return 0;
}

/* The program may be another one than the one that was looked at when the lease was made. */
static int
check_command(const struct owed *o, struct err *err)
{
	auto_creds c = { .at = BUNDLE_AT_INIT };
	struct bundle_item item = { .name = o->item, BUNDLE_ITEM_UNSAID };

	creds_init(&c);
	c.at.req = c.req;
	c.at.is_system = true; /* of a bundle of the system's it may be */
	item.command = (struct bundle_words){ .items = o->command, .count = o->command_count };
	return bundle_check_command(&c.at, &item, err);
}

static int
ask(const struct store *s, const struct owed *o, int lock_fd, struct err *err)
{
	auto_secret_buf room = BUF_INIT;
	auto_buf request = BUF_INIT, name = BUF_INIT;
	struct resolver r = RESOLVER_INIT;
	struct heard heard = { .len = 0 };
	int rc = check_command(o, err);

	owed_name(o->call, o->item, &name);
	answer_ask_revoke(o->provider, o->id, buf_text(&name), o->handle, &request);
	if (rc == 0 && (buf_error(&name) < 0 || buf_error(&request) < 0 ||
			buf_reserve(&room, ANSWER_ROOM) < 0)) {
		rc = err_set(err, -ENOMEM, "out of memory");
	}
	rc = rc < 0 ? rc : resolver_start(s, o, &request, lock_fd, &r, err);
	if (rc == 0) {
		rc = hear(r.out_fd, r.result_fd, r.pid, room.data, CAP_ANSWER, &heard, err);
		/* all of it is wiped, whatever it says */
		room.len = ANSWER_ROOM - 1;
		rc = rc < 0 ? rc : answer_revoked(room.data, heard.len, o->id, err);
	}
	cleanup_fd(&r.out_fd);
	cleanup_fd(&r.result_fd);
	return rc;
}

/* One file, which is ours. */
static enum resolver_paid
pay(const struct store *s, int dir, const char *name, int fd, const struct resolver_walk *walk,
    struct owed *o, struct arena *arena, struct err *err)
{
	auto_buf bytes = BUF_INIT;
	int rc = fdio_slurp(fd, OWED_MAX, &bytes);

	rc = rc < 0 ? rc : owed_read(&bytes, arena, o);
	if (rc < 0 && rc != -ENODATA) {
		err_sys(err, rc, "%s/" OWED_DIR "/%s", s->path, name);
		return RESOLVER_PENDING;
	}
	if (rc == 0 && !o->is_none) {
		if (walk->is_due_only && !owed_is_due(o, clock_realtime_ms())) {
			return RESOLVER_NOT_DUE;
		}
		rc = ask(s, o, fd, err);
		if (rc < 0) {
			ignore_err(owed_tried(fd, o, clock_realtime_ms(), err->text),
				   "then it is tried again the sooner");
			return RESOLVER_PENDING;
		}
	}
	if (unlinkat(dir, name, 0) < 0 || fsync(dir) < 0) {
		err_sys(err, -errno, "%s/" OWED_DIR "/%s", s->path, name);
		return RESOLVER_PENDING;
	}
	return rc == -ENODATA || o->is_none ? RESOLVER_NONE : RESOLVER_REVOKED;
}

/* What the name alone says of it, for who cannot be told more. */
static struct owed
owed_of(const char *name, struct arena *arena)
{
	size_t len = strcspn(name, ".");
	const char *call = arena_copy(arena, name, len);

	return (struct owed){ .bundle = "",
			      .item = name[len] == '.' ? name + len + 1 : "?",
			      .call = call != NULL ? call : name };
}

static enum resolver_paid
pay_locked(const struct store *s, int dir, const char *name, int fd,
	   const struct resolver_walk *walk, struct owed *o, struct arena *arena, struct err *err)
{
	struct stat st = { .st_nlink = 0 };
	int rc = lock(fd, walk->wait_ms);

	if (rc == -EWOULDBLOCK) {
		return RESOLVER_BUSY;
	}
	if (rc < 0) {
		err_sys(err, rc, "lock %s/" OWED_DIR "/%s", s->path, name);
		return RESOLVER_PENDING;
	}
	return fstat(fd, &st) == 0 && st.st_nlink == 0
		     ? RESOLVER_REVOKED
		     : pay(s, dir, name, fd, walk, o, arena, err);
}

static void
visit(const struct store *s, int dir, const char *name, const struct resolver_walk *walk)
{
	struct arena arena = ARENA_INIT;
	struct owed o = owed_of(name, &arena);
	struct err err = ERR_INIT;
	enum resolver_paid paid = RESOLVER_PENDING;
	auto_fd fd = sys_openat2(dir, name, O_RDWR | O_NONBLOCK, 0, LINKS);

	if (fd >= 0) {
		paid = pay_locked(s, dir, name, fd, walk, &o, &arena, &err);
	} else if (fd != -ENOENT) {
		err_sys(&err, fd, "%s/" OWED_DIR "/%s", s->path, name);
	}
	if (fd != -ENOENT) { /* else somebody else paid it */
		walk->tell(walk->arg, paid, &o, &err);
	}
	arena_finish(&arena);
}

/* A file without a name is of one who was killed before he asked for anything. */
static void
sweep(int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	    time(NULL) - st.st_mtime > STRAY_S) {
		ignore_err(unlinkat(dir, name, 0), "the next one does it");
	}
}

int
resolver_revoke(const struct store *s, const struct resolver_walk *walk, struct err *err)
{
	auto_fd fd = sys_openat2(s->dir_fd, OWED_DIR, O_RDONLY | O_DIRECTORY, 0, LINKS);
	size_t len = walk->call != NULL ? strlen(walk->call) : 0;
	auto_dir dir = NULL;
	const struct dirent *e;
	int rc;

	if (fd < 0) {
		return fd == -ENOENT ? 0 : err_sys(err, fd, "%s/" OWED_DIR, s->path);
	}
	rc = fdio_list_dir(fd, ".", 0, &dir);
	if (rc < 0) {
		return err_sys(err, rc, "%s/" OWED_DIR, s->path);
	}
	while ((e = readdir(dir)) != NULL) {
		if (e->d_name[0] == '.') {
			sweep(fd, e->d_name);
		} else if (len == 0 ||
			   (strncmp(e->d_name, walk->call, len) == 0 && e->d_name[len] == '.')) {
			visit(s, fd, e->d_name, walk);
		}
	}
	return 0;
}
