/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in the front, in airlock-cli and airlock-log, as the caller. The path comes from the
 * caller's own environment; the directory is taken only when the caller owns it and nobody else may
 * write to it, and then what is in it is trusted as much as the caller.
 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/clock.h"
#include "../base/fdio.h"
#include "store_internal.h"

#define LOCK_NAP_FIRST_NS 250000 /* each twice the one before */
#define LOCK_NAP_LONGEST_NS 8000000
#define SCRATCH_TRIES 1000 /* some microseconds each */

static bool
is_set(const char *value)
{
	return value != NULL && value[0] != '\0';
}

int
store_path(const char *env_state, const char *env_xdg_state, const char *home, char **ret_path,
	   struct err *err)
{
	const char *base = home, *tail = "/.local/state/airlock", *name = "HOME";
	size_t base_len, tail_len;
	char *path;

	if (is_set(env_state)) {
		base = env_state;
		tail = "";
		name = "AIRLOCK_STATE";
	} else if (is_set(env_xdg_state)) {
		base = env_xdg_state;
		tail = "/airlock";
		name = "XDG_STATE_HOME";
	}
	if (!is_set(base)) {
		return err_set(
			err, -EINVAL,
			"no state directory: none of AIRLOCK_STATE, XDG_STATE_HOME, HOME is set");
	}
	if (base[0] != '/') {
		return err_set(err, -EINVAL, "%s is not an absolute path", name);
	}
	base_len = strlen(base);
	while (base_len > 1 && base[base_len - 1] == '/') {
		base_len--;
	}
	if (base_len == 1 && tail[0] != '\0') {
		base_len = 0;
	}
	tail_len = strlen(tail);
	path = malloc(base_len + tail_len + 1);
	if (path == NULL) {
		return err_sys(err, -ENOMEM, "state directory");
	}
	memcpy(path, base, base_len);
	memcpy(path + base_len, tail, tail_len + 1);
	*ret_path = path;
	return 0;
}

int
store_lock(int fd, int operation)
{
	while (flock(fd, operation) < 0) {
		if (errno != EINTR) {
			return -errno;
		}
	}
	return 0;
}

int
store_lock_until(int fd, int operation, uint64_t timeout_ms, int wake_fd)
{
	const uint64_t until_ns = clock_monotonic_ns() + timeout_ms * 1000000u;
	struct pollfd wake = { .fd = wake_fd, .events = POLLIN };
	struct timespec nap = { .tv_nsec = LOCK_NAP_FIRST_NS };
	int rc;

	while ((rc = store_lock(fd, operation | LOCK_NB)) == -EWOULDBLOCK) {
		if (timeout_ms != 0 && clock_monotonic_ns() >= until_ns) {
			return -ETIMEDOUT;
		}
		if (ppoll(&wake, 1, &nap, NULL) > 0) {
			return -EINTR;
		}
		nap.tv_nsec += nap.tv_nsec < LOCK_NAP_LONGEST_NS ? nap.tv_nsec : 0;
	}
	return rc;
}

int
store_scratch_open(const struct store *s, struct err *err)
{
	int fd = fdio_make_dir(s->dir_fd, "scratch");

	return fd < 0 ? err_sys(err, fd, "make %s/scratch", s->path) : fd;
}

bool
store_scratch_take(int scratch_fd, const char *name, int fd)
{
	struct stat ours, named;

	return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &ours) == 0 &&
	       fstatat(scratch_fd, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_dev == named.st_dev && ours.st_ino == named.st_ino;
}

/* -ENOENT: a sweep took it before it had its lock. */
static int
try_scratch(int scratch_fd, const char *name)
{
	auto_fd fd = mkdirat(scratch_fd, name, 0700) < 0 ? -errno
							 : fdio_open_dir(scratch_fd, name);
	/* a sweep has it for a moment, and then it is gone */
	int r = fd < 0 ? fd : store_lock(fd, LOCK_EX);

	if (r < 0) {
		return r;
	}
	return store_scratch_take(scratch_fd, name, fd) ? take_fd(&fd) : -ENOENT;
}

int
store_scratch_make(const struct store *s, int scratch_fd, const char *name, struct err *err)
{
	int r = -ENOENT;

	for (int i = 0; r == -ENOENT && i < SCRATCH_TRIES; i++) {
		r = try_scratch(scratch_fd, name);
	}
	return r < 0 ? err_sys(err, r, "make %s/scratch/%s", s->path, name) : r;
}

/* Makes directories and makes them durable: an entry is as durable as the path to it. */
static int
make_layout(const char *path, int *ret_dir_fd)
{
	/* The journal last: where that is, nobody looks for the rest. */
	static const char *const parts[] = { WORKFLOW_DIR, STOP_DIR, JOURNAL_DIR };
	auto_fd fd = -1;
	auto_fd parent = -1;
	int r = fdio_mkdirs(path, 0700);

	if (r < 0) {
		return r;
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (mkdirat(fd, parts[i], 0700) < 0 && errno != EEXIST) {
			return -errno;
		}
	}
	if (fsync(fd) < 0) {
		return -errno;
	}
	/* A parent that we may pass but not read was not made here. */
	parent = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (parent >= 0 && fsync(parent) < 0) {
		return -errno;
	}
	*ret_dir_fd = take_fd(&fd);
	return 0;
}

static int
check_owner(int dir_fd, const char *path, struct err *err)
{
	struct stat st;

	if (fstat(dir_fd, &st) < 0) {
		return err_sys(err, -errno, "state directory %s", path);
	}
	if (st.st_uid != geteuid()) {
		return err_set(err, -EPERM, "state directory %s belongs to uid %u, not to you (%u)",
			       path, (unsigned int)st.st_uid, (unsigned int)geteuid());
	}
	if ((st.st_mode & 022) != 0) {
		return err_set(
			err, -EPERM,
			"state directory %s can be written by others (mode %04o): chmod go-w it",
			path, (unsigned int)(st.st_mode & 07777));
	}
	return 0;
}

int
store_fail(struct err *err, int code, const char *path, const char *what)
{
	switch (code) {
	case -ENOSPC:
		return err_set(err, code, "state directory %s: no room for the record of a call",
			       path);
	case -EDQUOT:
		return err_set(
			err, code,
			"state directory %s: your quota has no room for the record of a call",
			path);
	case -EROFS:
		return err_set(err, code, "state directory %s is on a read-only file system", path);
	default:
		return err_sys(err, code, "state directory %s: %s", path, what);
	}
}

/* The newest journal file, or the first one. */
static int
open_journal(struct store *s, struct err *err)
{
	uint32_t next = 0, newest = 0;
	int r = journal_scan(s->dir_fd, 0, &next, &newest);

	if (r == -ENOENT) {
		int again = -1;

		r = make_layout(s->path, &again);
		cleanup_fd(&again);
	}
	if (r == 0 && newest == 0) {
		newest = 1;
		r = journal_create(s->dir_fd, newest);
		r = r == -EEXIST ? 0 : r;
	}
	if (r < 0) {
		return store_fail(err, r, s->path, "journal");
	}
	r = journal_switch(s, newest, err);
	if (r < 0) {
		return r;
	}
	r = journal_reserve(s->dir_fd, s->journal_fd);
	return r < 0 ? store_fail(err, r, s->path, "reserve room") : 0;
}

int
store_open_write(const char *path, struct store *ret_store, struct err *err)
{
	auto_store s = STORE_INIT;
	int r = 0;

	s.path = strdup(path);
	if (s.path == NULL) {
		return err_sys(err, -ENOMEM, "state directory");
	}
	s.dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s.dir_fd < 0) {
		r = errno == ENOENT ? make_layout(path, &s.dir_fd) : -errno;
	}
	if (r < 0) {
		return store_fail(err, r, path, "open");
	}
	r = check_owner(s.dir_fd, path, err);
	if (r == 0) {
		r = open_journal(&s, err);
	}
	if (r == 0) {
		r = store_covered_check(&s, err);
	}
	if (r < 0) {
		return r;
	}
	*ret_store = s;
	s = (struct store)STORE_INIT;
	return 0;
}

int
store_open_read(const char *path, struct store *ret_store, struct err *err)
{
	auto_store s = STORE_INIT;
	struct stat st;

	s.path = strdup(path);
	if (s.path == NULL) {
		return err_sys(err, -ENOMEM, "state directory");
	}
	s.dir_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s.dir_fd < 0 || fstatat(s.dir_fd, JOURNAL_DIR, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		return errno == ENOENT ?
			       err_set(err, -ENOENT, "nothing is recorded yet in %s", path) :
			       err_sys(err, -errno, "state directory %s", path);
	}
	*ret_store = s;
	/* NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): its cleanup reads it */
	s = (struct store)STORE_INIT;
	return 0;
}

void
store_finish(struct store *s)
{
	cleanup_fd(&s->dir_fd);
	cleanup_fd(&s->journal_fd);
	free(s->path);
	*s = (struct store)STORE_INIT;
}

int
store_append_event(struct store *s, enum entry_type type, const void *record, size_t len,
		   struct err *err)
{
	auto_buf payload = BUF_INIT;
	struct journal_pos pos;
	int r = entry_type_is_of_call(type)
			? -EINVAL
			: entry_print(type, ENTRY_NO_CALL, record, len, &payload);

	if (r < 0) {
		return err_sys(err, r, "write a %s entry", entry_type_word(type));
	}
	return journal_append(s, payload.data, payload.len, &pos, err);
}

int
store_append_event_to(const char *path, enum entry_type type, const void *record, size_t len,
		      struct err *err)
{
	auto_store s = STORE_INIT;
	int r = store_open_write(path, &s, err);

	return r == 0 ? store_append_event(&s, type, record, len, err) : r;
}
