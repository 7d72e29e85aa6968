/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front and by the verbs that settle, as the workspace's owner. All locks of an attempt
 * are asked for without waiting and given up together when one is not to be had, so nobody waits
 * while holding what another waits for; only the gate is kept meanwhile, and who holds a gate has
 * nothing else.
 */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/clock.h"
#include "../base/fdio.h"
#include "../sys/sys.h"
#include "fsat.h"
#include "snapshot.h"

#define NAP_FIRST_NS 250000ull /* of the waits between attempts, each twice the one before */
#define NAP_LONGEST_NS 8000000ull
#define PATH_SHOWN 300 /* bytes of a path in a reason; its end says most */

/* 0, -EAGAIN where somebody else has it, or what is wrong. */
static int
lock_one(int fd, int operation)
{
	while (flock(fd, operation | LOCK_NB) < 0) {
		if (errno != EINTR) {
			return errno == EWOULDBLOCK ? -EAGAIN : -errno;
		}
	}
	return 0;
}

static int
open_gate(struct workspace_lock *l, struct err *err)
{
	struct stat st;
	char name[64];

	if (fstat(l->workspace_fd, &st) < 0) {
		return err_sys(err, -errno, "the workspace");
	}
	snprintf(name, sizeof(name), "cache/lock-%llx-%llx", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	l->gate_fd =
		openat(l->state_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	return l->gate_fd < 0 ? err_sys(err, -errno, "open %s in the state directory", name) : 0;
}

/*
 * Places of everybody, such as /tmp, and "/": no workspaces, and all commits of root, or of whoever
 * owns the place, would queue there.
 */
static bool
is_common(const struct stat *st, const struct stat *root)
{
	return (st->st_dev == root->st_dev && st->st_ino == root->st_ino) ||
	       (st->st_mode & (S_ISVTX | S_IWOTH)) == (S_ISVTX | S_IWOTH);
}

/*
 * Up to the first one that is another's, who could then stop us at will, or that is closed to us,
 * or everybody's.
 */
static int
open_above(struct workspace_lock *l, struct err *err)
{
	struct stat ws, root, st;
	int at = l->workspace_fd;

	if (fstat(at, &ws) < 0 || stat("/", &root) < 0) {
		return err_sys(err, -errno, "lock the workspace");
	}
	for (;;) {
		auto_fd up = sys_openat2(at, "..", O_RDONLY | O_DIRECTORY, 0,
					 SYS_RESOLVE_NO_MAGICLINKS);

		if (up == -EACCES || up == -ENOENT) {
			return 0;
		}
		if (up < 0 || fstat(up, &st) < 0) {
			return err_sys(err, up < 0 ? up : -errno,
				       "open a directory above the workspace");
		}
		if (st.st_uid != ws.st_uid || is_common(&st, &root)) {
			return 0;
		}
		if (l->above_count == WORKSPACE_LOCK_ABOVE_MAX) {
			return err_set(err, -ENAMETOOLONG,
				       "the workspace lies more than %u directories deep: each is "
				       "locked with it",
				       WORKSPACE_LOCK_ABOVE_MAX);
		}
		at = l->above[l->above_count++] = take_fd(&up);
	}
}

static int
busy_above(int fd, struct err *busy)
{
	char path[PATH_MAX];

	if (fdio_path(fd, path) < 0) {
		snprintf(path, sizeof(path), "a directory");
	}
	return err_set(busy, -EBUSY,
		       "busy: another call runs in %s, which contains the workspace, or commits "
		       "below it",
		       path);
}

static int
busy_below(const char *path, struct err *busy)
{
	size_t len = strlen(path);

	return err_set(busy, -EBUSY, "busy: another call runs in %s inside the workspace",
		       len > PATH_SHOWN ? path + len - PATH_SHOWN : path);
}

/*
 * Whether a call runs in this directory. It is not kept: while the workspace is held no call can
 * begin in it. One that is gone or a link now is the commit's own to find, and one that is closed
 * to us is nobody's workspace whom we could ask.
 */
static int
test_directory(const struct workspace_lock *l, const char *path, struct err *busy)
{
	auto_fd fd = fsat_open_path(l->workspace_fd, path, O_RDONLY | O_DIRECTORY);
	int rc;

	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP || fd == -EXDEV || fd == -EACCES) {
		return 0;
	}
	rc = fd < 0 ? fd : lock_one(fd, LOCK_EX);
	if (rc == -EAGAIN) {
		return busy_below(path, busy);
	}
	return rc < 0 ? err_sys(busy, rc, "ask whether a call runs in %s", path) : 0;
}

/* Is path[0..len) an entry above, or is, what was looked at just before? */
static bool
was_tested(const char *path, size_t len, const char *before)
{
	return strncmp(path, before, len) == 0 && (before[len] == '/' || before[len] == '\0');
}

/* Every directory from the workspace's root to a touched entry, and the entry where it is one. */
static int
test_below(const struct workspace_lock *l, const struct change_set *touched, struct err *busy)
{
	auto_buf at = BUF_INIT;
	const char *before = "";

	for (size_t i = 0; i < touched->count; i++) {
		const struct change *c = &touched->items[i];
		const char *end = c->path;

		while (*end != '\0') {
			size_t len = (size_t)(end - c->path) + strcspn(end, "/");
			int rc;

			end = c->path + len + (c->path[len] == '/');
			if (was_tested(c->path, len, before) ||
			    (c->path[len] == '\0' && !S_ISDIR(c->mode_before))) {
				continue;
			}
			buf_reset(&at);
			buf_put(&at, c->path, len);
			rc = buf_error(&at) < 0
				     ? err_set(busy, -ENOMEM, "out of memory")
				     : test_directory(l, buf_text(&at), busy);
			if (rc < 0) {
				return rc;
			}
		}
		before = c->path;
	}
	return 0;
}

/* All but the gate. */
static void
unlock(struct workspace_lock *l)
{
	for (size_t i = 0; i < l->above_count; i++) {
		ignore_err(flock(l->above[i], LOCK_UN), "it cannot fail on what can be locked");
	}
	ignore_err(flock(l->workspace_fd, LOCK_UN), "the same");
}

static int
lock_places(struct workspace_lock *l, int operation, const struct change_set *touched,
	    struct err *busy)
{
	int rc;

	for (size_t i = l->above_count; i-- > 0;) {
		rc = lock_one(l->above[i], operation);
		if (rc < 0) {
			return rc == -EAGAIN ? busy_above(l->above[i], busy)
					     : err_sys(busy, rc, "lock above the workspace");
		}
	}
	rc = lock_one(l->workspace_fd, operation);
	if (rc < 0) {
		return rc == -EAGAIN ? err_set(busy, -EBUSY,
					       "busy: another call %s in the workspace",
					       operation == LOCK_EX ? "runs" : "commits")
				     : err_sys(busy, rc, "lock the workspace");
	}
	return touched != NULL ? test_below(l, touched, busy) : 0;
}

/*
 * For several who commit it is enough that one of them holds the gate. A call goes round a gate
 * that stays shut: whoever shut it first has given up by then.
 */
static int
pass_gate(struct workspace_lock *l, int operation, uint64_t patience_ns, struct err *busy)
{
	int rc = l->has_gate ? 0 : lock_one(l->gate_fd, operation);

	if (rc == 0) {
		l->has_gate = true;
	}
	if (rc == -EAGAIN) {
		return operation == LOCK_EX || clock_monotonic_ns() >= patience_ns
			       ? 0
			       : err_set(busy, -EBUSY,
					 "busy: another call waits to commit to the workspace");
	}
	return rc < 0 ? err_sys(busy, rc, "lock the gate of the workspace") : 0;
}

static int
attempt(struct workspace_lock *l, int operation, const struct change_set *touched,
	uint64_t patience_ns, struct err *busy)
{
	int rc = pass_gate(l, operation, patience_ns, busy);

	if (rc < 0) {
		return rc;
	}
	rc = lock_places(l, operation, touched, busy);
	if (rc < 0) {
		unlock(l);
	}
	return rc;
}

/* False: no further attempt. */
static bool
nap(const struct workspace_lock *l, uint64_t *nap_ns, uint64_t deadline_ns)
{
	struct pollfd wake = { .fd = l->wake_fd, .events = POLLIN };
	uint64_t now = clock_monotonic_ns();
	uint64_t ns = now < deadline_ns && *nap_ns > deadline_ns - now ? deadline_ns - now
								       : *nap_ns;
	const struct timespec ts = { .tv_nsec = (long)ns };

	if (now >= deadline_ns || ppoll(&wake, 1, &ts, NULL) > 0) {
		return false;
	}
	*nap_ns = *nap_ns * 2 < NAP_LONGEST_NS ? *nap_ns * 2 : NAP_LONGEST_NS;
	return true;
}

static int
acquire(struct workspace_lock *l, int operation, const struct change_set *touched,
	unsigned int timeout_ms, struct err *err)
{
	uint64_t from_ns = clock_monotonic_ns();
	uint64_t deadline_ns = from_ns + (uint64_t)timeout_ms * 1000000u;
	uint64_t patience_ns = from_ns + (uint64_t)WORKSPACE_LOCK_COMMIT_MS * 1000000u;
	uint64_t nap_ns = NAP_FIRST_NS;
	struct err busy = ERR_INIT;
	int rc = open_gate(l, err);

	if (rc == 0) {
		rc = open_above(l, err);
	}
	if (rc < 0) {
		workspace_lock_release(l);
		return rc;
	}
	do {
		rc = attempt(l, operation, touched, patience_ns, &busy);
	} while (rc == -EBUSY && nap(l, &nap_ns, deadline_ns));
	if (rc < 0) {
		*err = busy;
		workspace_lock_release(l);
	}
	return rc;
}

/* What is above, and the gate. */
static void
let_others_pass(struct workspace_lock *l)
{
	for (size_t i = 0; i < l->above_count; i++) {
		ignore_err(flock(l->above[i], LOCK_UN), "a child may have it open still");
		close(l->above[i]);
	}
	l->above_count = 0;
	if (l->gate_fd >= 0) {
		ignore_err(flock(l->gate_fd, LOCK_UN), "the same");
		close(l->gate_fd);
	}
	l->gate_fd = -1;
	l->has_gate = false;
}

int
workspace_lock_shared(struct workspace_lock *l, unsigned int timeout_ms, struct err *err)
{
	int rc = acquire(l, LOCK_SH, NULL, timeout_ms, err);

	if (rc == 0) {
		let_others_pass(l);
	}
	return rc;
}

int
workspace_lock_exclusive(struct workspace_lock *l, const struct change_set *touched,
			 unsigned int timeout_ms, struct err *err)
{
	workspace_lock_release(l);
	return acquire(l, LOCK_EX, touched, timeout_ms, err);
}

void
workspace_lock_release(struct workspace_lock *l)
{
	if (l->workspace_fd >= 0) {
		ignore_err(flock(l->workspace_fd, LOCK_UN), "it cannot fail on what can be locked");
	}
	let_others_pass(l);
}
