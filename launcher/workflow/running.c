/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front (its own file) and airlock-cli (everybody's), as the caller. What another
 * process wrote is bounded, and believed only as far as the kernel says the same: that somebody
 * holds the lock, and that the pid is a process that began then.
 */
#include "running.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/fdio.h"
#include "../sys/sys.h"

#define FILE_MAX 4096u
#define STAT_MAX 1024u
#define NEW ".new-"
#define PATH_SIZE (sizeof(RUNNING_DIR "/" NEW) + UUID_TEXT_SIZE)
/* Who writes again does it in one write(2); a reader that met it half done looks once more. */
#define READ_TRIES 3
/* A sweep may take a file away before it is locked: nobody's, by then. */
#define ENTER_TRIES 16

static const char *const by_words[RUNNING_BY__COUNT] = {
#define RUNNING_BY(id, words) [RUNNING_BY_##id] = (words),
#include "running_by.def"
#undef RUNNING_BY
};

const char *
running_by_words(int value)
{
	return by_words[value > 0 && value < RUNNING_BY__COUNT ? value : RUNNING_BY_NOBODY];
}

/* proc_pid_stat(5): field 22, counted behind the name, which may hold anything. */
static int
start_time(const char *proc, uint64_t *ret)
{
	char path[64], text[STAT_MAX + 1];
	const char *p;
	auto_fd fd = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%s/stat", proc);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, STAT_MAX);
	if (n < 0) {
		return -errno;
	}
	text[n] = '\0';
	p = strrchr(text, ')');
	for (int field = 2; p != NULL && field < 22; field++) {
		p = strchr(p + 1, ' ');
	}
	return p != NULL && text_numbers(p, ' ', ret, 1) != NULL ? 0 : -EBADMSG;
}

int
running_self(struct running_call *c)
{
	c->pid = getpid();
	return start_time("self", &c->pid_start);
}

void
running_set_principal(struct running_call *c, const char *name)
{
	memset(c->principal_digest, 0, sizeof(c->principal_digest));
	snprintf(c->principal, sizeof(c->principal), "%s", name != NULL ? name : "");
	if (text_or_null(name) != NULL) {
		sha256_of(name, strlen(name), c->principal_digest);
	}
}

bool
running_is_principal(const struct running_call *c, const char *name)
{
	struct running_call other = { .principal = "" };

	running_set_principal(&other, name);
	return memcmp(c->principal_digest, other.principal_digest,
		      sizeof(other.principal_digest)) == 0;
}

int
running_set_lease(struct running_call *c, const char *bundle, const char *const items[],
		  size_t count)
{
	auto_buf b = BUF_INIT;

	c->lease[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		buf_printf(&b, "%s %s", i == 0 ? bundle : "", items[i]);
	}
	if (buf_error(&b) != 0 || b.len >= sizeof(c->lease)) {
		return buf_error(&b) != 0 ? -ENOMEM : -E2BIG;
	}
	memcpy(c->lease, buf_text(&b), b.len + 1);
	return 0;
}

/* Whether it begins with that word; *p is then behind it. */
static bool
take_word(const char **p, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(*p, word, len) != 0 || ((*p)[len] != ' ' && (*p)[len] != '\0')) {
		return false;
	}
	*p += len;
	return true;
}

bool
running_may_hold(const struct running_call *c, const char *bundle, const char *item)
{
	const char *p = c->lease;

	if (!c->is_whole) {
		return true;
	}
	if (!take_word(&p, bundle)) {
		return false;
	}
	while ((p = strchr(p, ' ')) != NULL) {
		p++;
		if (take_word(&p, item)) {
			return true;
		}
	}
	return false;
}

/* ---- the file -------------------------------------------------------------------------------- */

static int
print_call(struct buf *b, const struct running_call *c)
{
	char workflow[UUID_TEXT_SIZE], digest[HEX_DIGEST_SIZE];

	text_uuid_print(c->workflow, workflow);
	text_hex(c->principal_digest, sizeof(c->principal_digest), digest);
	buf_printf(b, "v 1\npid %d %llu\nt0 %llu\nworkflow %s\nreserved", (int)c->pid,
		   (unsigned long long)c->pid_start, (unsigned long long)c->t0_ms, workflow);
	for (int i = 0; i < BUDGET__COUNT; i++) {
		buf_printf(b, " %llu", (unsigned long long)c->reserved[i]);
	}
	buf_printf(b, "\nfrozen %d\n", c->is_frozen ? 1 : 0);
	text_vis_line(b, "profile", c->profile);
	text_vis_line(b, "principal", c->principal);
	if (c->principal[0] != '\0') {
		text_vis_line(b, "principal_digest", digest);
	}
	text_vis_line(b, "cgroup", c->cgroup);
	if (c->lease[0] != '\0') {
		text_vis_line(b, "lease", c->lease);
	}
	if (c->serves[0] != '\0') {
		text_vis_line(b, "serves", c->serves);
	}
	buf_puts(b, "end\n");
	return buf_error(b) != 0 ? -ENOMEM : b->len > FILE_MAX ? -E2BIG : 0;
}

static void
take_line(struct running_call *c, const char *key, const char *value)
{
	uint64_t n[TEXT_NUMBERS_MAX] = { 0 };

	_Static_assert(BUDGET__COUNT <= TEXT_NUMBERS_MAX, "reserved is read at once");
	if (strcmp(key, "pid") == 0 && text_numbers(value, ' ', n, 2) != NULL && n[0] <= INT_MAX) {
		c->pid = (pid_t)n[0];
		c->pid_start = n[1];
	} else if (strcmp(key, "t0") == 0 && text_numbers(value, ' ', n, 1) != NULL) {
		c->t0_ms = n[0];
	} else if (strcmp(key, "workflow") == 0) {
		ignore_err(text_uuid_parse(value, c->workflow), "it stays unknown");
	} else if (strcmp(key, "reserved") == 0 &&
		   text_numbers(value, ' ', n, BUDGET__COUNT) != NULL) {
		memcpy(c->reserved, n, sizeof(c->reserved));
	} else if (strcmp(key, "frozen") == 0) {
		c->is_frozen = strcmp(value, "1") == 0;
	} else if (strcmp(key, "profile") == 0) {
		text_unvis_cut(value, c->profile, sizeof(c->profile));
	} else if (strcmp(key, "principal") == 0) {
		text_unvis_cut(value, c->principal, sizeof(c->principal));
	} else if (strcmp(key, "principal_digest") == 0) {
		ignore_err(text_unhex(value, c->principal_digest, sizeof(c->principal_digest)),
			   "it is nobody's");
	} else if (strcmp(key, "cgroup") == 0) {
		text_unvis_cut(value, c->cgroup, sizeof(c->cgroup));
	} else if (strcmp(key, "lease") == 0) {
		text_unvis_cut(value, c->lease, sizeof(c->lease));
	} else if (strcmp(key, "serves") == 0) {
		text_unvis_cut(value, c->serves, sizeof(c->serves));
	}
}

/* Whether the file was whole; what there is of it is in c either way. */
static bool
read_call(int fd, struct running_call *c)
{
	char text[FILE_MAX + 1], *rest = text, *line;
	ssize_t n = pread(fd, text, FILE_MAX, 0);

	if (n <= 0) {
		return false;
	}
	text[n] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL && rest != NULL) {
		char *value = strchr(line, ' ');

		if (value != NULL) {
			*value = '\0';
			take_line(c, line, value + 1);
		} else if (strcmp(line, "end") == 0) {
			return true;
		}
	}
	return false;
}

static int
open_file(const struct store *s, const char *name)
{
	char path[PATH_SIZE];
	int fd;

	snprintf(path, sizeof(path), RUNNING_DIR "/%s", name);
	fd = openat(s->dir_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/*
 * Whether somebody holds it. A shared lock, so that two who ask do not take each other for a front;
 * it goes with fd.
 */
static bool
is_held(int fd)
{
	return flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

/* One that has no name any more left in the ordinary way while we looked. */
static bool
has_left(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_nlink == 0;
}

/* ---- the front's own ------------------------------------------------------------------------- */

int
running_update(int fd, const struct running_call *c)
{
	auto_buf b = BUF_INIT;
	int rc = print_call(&b, c);

	return rc < 0 ? rc : fdio_rewrite(fd, b.data, b.len);
}

static int
open_new(const struct store *s, const char *path)
{
	int fd = openat(s->dir_fd, path, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

static int
make_file(const struct store *s, const char *path)
{
	int fd = open_new(s, path);

	if (fd == -ENOENT) {
		if (mkdirat(s->dir_fd, RUNNING_DIR, 0700) < 0 && errno != EEXIST) {
			return -errno;
		}
		fd = open_new(s, path);
	}
	return fd;
}

/* -ENOENT when a sweep was faster. */
static int
try_enter(const struct store *s, const struct running_call *c, int *ret_fd)
{
	char unfinished[PATH_SIZE], path[PATH_SIZE];
	auto_fd fd = -1;
	int rc;

	snprintf(unfinished, sizeof(unfinished), RUNNING_DIR "/" NEW "%s", c->call_text);
	snprintf(path, sizeof(path), RUNNING_DIR "/%s", c->call_text);
	fd = make_file(s, unfinished);
	if (fd < 0) {
		return fd == -ENOENT ? -ENOTDIR : fd;
	}
	rc = store_lock(fd, LOCK_EX);
	if (rc == 0) {
		rc = running_update(fd, c);
	}
	if (rc == 0 && renameat(s->dir_fd, unfinished, s->dir_fd, path) < 0) {
		rc = -errno;
	}
	if (rc < 0) {
		ignore_err(unlinkat(s->dir_fd, unfinished, 0), "the first failure is returned");
		return rc;
	}
	*ret_fd = take_fd(&fd);
	return 0;
}

int
running_enter(const struct store *s, const struct running_call *c, int *ret_fd, struct err *err)
{
	int rc = -ENOENT;

	for (int i = 0; rc == -ENOENT && i < ENTER_TRIES; i++) {
		rc = try_enter(s, c, ret_fd);
	}
	return rc < 0 ? err_sys(err, rc, "%s/" RUNNING_DIR "/%s", s->path, c->call_text) : 0;
}

void
running_leave(const struct store *s, const char *call_text, int *fd)
{
	char path[PATH_SIZE];

	if (*fd < 0) {
		return;
	}
	snprintf(path, sizeof(path), RUNNING_DIR "/%s", call_text);
	/* in this order: a file with a name that nobody holds is of one who died */
	ignore_err(unlinkat(s->dir_fd, path, 0), "then recover removes it");
	close(take_fd(fd));
}

/* ---- everybody's ----------------------------------------------------------------------------- */

/* Locked only for a moment before it has its name: one that we can lock has lost its front. */
static void
sweep(int dir_fd, const char *name)
{
	auto_fd fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && !has_left(fd)) {
		ignore_err(unlinkat(dir_fd, name, 0), "it is in nobody's way");
	}
}

/* NULL and 0 where there is none. */
static int
list(const struct store *s, DIR **ret)
{
	int rc = fdio_list_dir(s->dir_fd, RUNNING_DIR, O_NOFOLLOW, ret);

	return rc == -ENOENT ? 0 : rc;
}

static bool
is_call(const char *name, struct running_call *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (strlen(name) != UUID_TEXT_SIZE - 1 || text_uuid_parse(name, ret->call) < 0) {
		return false;
	}
	memcpy(ret->call_text, name, UUID_TEXT_SIZE);
	return true;
}

int
running_look(const struct store *s, const char *call_text, struct running_call *ret)
{
	struct running_call c;
	auto_fd fd = is_call(call_text, &c) ? open_file(s, call_text) : -ENOENT;

	if (fd == -ENOENT) {
		return fd;
	}
	if (fd >= 0) {
		c.is_alive = is_held(fd);
		for (int i = 0; i < READ_TRIES && !c.is_whole; i++) {
			c.is_whole = read_call(fd, &c);
		}
		if (has_left(fd)) {
			return -ENOENT;
		}
	}
	*ret = c;
	return fd < 0 ? fd : 0;
}

int
running_each(const struct store *s, int (*fn)(void *arg, const struct running_call *c), void *arg,
	     struct err *err)
{
	auto_dir dir = NULL;
	struct running_call c;
	struct dirent *e;
	int rc = list(s, &dir);

	if (rc < 0) {
		return err_sys(err, rc, "%s/" RUNNING_DIR, s->path);
	}
	while (rc == 0 && dir != NULL && (e = readdir(dir)) != NULL) {
		if (strncmp(e->d_name, NEW, sizeof(NEW) - 1) == 0) {
			sweep(dirfd(dir), e->d_name);
		} else if (is_call(e->d_name, &c) && running_look(s, e->d_name, &c) != -ENOENT) {
			rc = fn(arg, &c);
		}
	}
	return rc;
}

bool
running_has_dead(const struct store *s)
{
	auto_dir dir = NULL;
	struct running_call c;
	struct dirent *e;
	bool has = false;

	if (list(s, &dir) < 0) {
		return true; /* recover says what is wrong with it */
	}
	while (!has && dir != NULL && (e = readdir(dir)) != NULL) {
		auto_fd fd = is_call(e->d_name, &c) ? open_file(s, e->d_name) : -1;

		has = fd >= 0 && !is_held(fd) && !has_left(fd);
	}
	return has;
}

int
running_is_alive(const struct store *s, const char *call_text)
{
	auto_fd fd = open_file(s, call_text);

	if (fd < 0) {
		return fd == -ENOENT ? 0 : fd;
	}
	return is_held(fd) ? 1 : 0;
}

int
running_wait(const struct store *s, const char *call_text, uint64_t timeout_ms, int wake_fd)
{
	auto_fd fd = open_file(s, call_text);

	return fd < 0 ? fd : store_lock_until(fd, LOCK_SH, timeout_ms, wake_fd);
}

/*
 * The descriptor first, then what it is of: a pid that was given to another process in between
 * began later, and where the lock is still held nothing was given at all.
 */
int
running_signal(const struct store *s, const struct running_call *c, int signal, enum running_by by)
{
	char proc[16];
	auto_fd fd = open_file(s, c->call_text);
	auto_fd pidfd = -1;
	uint64_t start = 0;
	int rc;

	if (fd < 0) {
		return fd == -ENOENT ? -ESRCH : fd;
	}
	pidfd = c->pid > 0 ? sys_pidfd_open(c->pid) : -ESRCH;
	if (pidfd < 0) {
		return pidfd;
	}
	snprintf(proc, sizeof(proc), "%d", (int)c->pid);
	rc = start_time(proc, &start);
	if (rc == -EBADMSG || rc == -ENOENT || (rc == 0 && start != c->pid_start) || !is_held(fd)) {
		return -ESRCH;
	}
	if (rc < 0) {
		return rc;
	}
	rc = sys_pidfd_queue_signal(pidfd, signal & ~RUNNING_FLAGS,
				    (int)by | (signal & RUNNING_FLAGS));
	/* a queue that is full has no room for the value; the signal itself always arrives */
	if (rc == -EAGAIN && (signal & RUNNING_FLAGS) == 0) {
		rc = sys_pidfd_send_signal(pidfd, signal);
	}
	if (rc == 0 && signal == RUNNING_SIGNAL_KILL) {
		ignore_err(sys_pidfd_send_signal(pidfd, SIGCONT), "it has ended already");
	}
	return rc;
}
