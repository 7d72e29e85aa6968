/* SPDX-License-Identifier: Apache-2.0 */
/* Run by the front (reading) and airlock-cli, as the caller. */
#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/buf.h"
#include "../base/fdio.h"
#include "../base/sha256.h"
#include "../base/text.h"

#define ALL "all"
#define UNFINISHED ".new"
#define OF "principal-"
#define NAME_SIZE (sizeof(OF) + HEX_DIGEST_SIZE)
#define PATH_SIZE (sizeof(STOP_DIR "/") + NAME_SIZE)
#define FILE_MAX 4096u

static void
name_of(const char *principal, char ret_name[NAME_SIZE])
{
	uint8_t digest[SHA256_SIZE];
	char hex[HEX_DIGEST_SIZE];

	if (text_or_null(principal) == NULL) {
		snprintf(ret_name, NAME_SIZE, ALL);
		return;
	}
	sha256_of(principal, strlen(principal), digest);
	text_hex(digest, sizeof(digest), hex);
	snprintf(ret_name, NAME_SIZE, OF "%s", hex);
}

static void
take_line(struct stop_order *o, const char *key, const char *value)
{
	uint64_t n;

	if (strcmp(key, "since") == 0 && text_numbers(value, ' ', &n, 1) != NULL) {
		o->since_ms = n;
	} else if (strcmp(key, "uid") == 0 && text_numbers(value, ' ', &n, 1) != NULL &&
		   n <= UINT_MAX) {
		o->uid = (uid_t)n;
	} else if (strcmp(key, "principal") == 0) {
		text_unvis_cut(value, o->principal, sizeof(o->principal));
	} else if (strcmp(key, "reason") == 0) {
		text_unvis_cut(value, o->reason, sizeof(o->reason));
	}
}

/*
 * What cannot be read of it stays empty, and by whom and when is what the file says: it stops all
 * the same.
 */
static void
read_order(int fd, struct stop_order *ret)
{
	char text[FILE_MAX + 1], *rest = text, *line;
	ssize_t n = pread(fd, text, FILE_MAX, 0);
	struct stat st;

	memset(ret, 0, sizeof(*ret));
	if (fstat(fd, &st) == 0) {
		ret->uid = st.st_uid;
		ret->since_ms = (uint64_t)st.st_mtim.tv_sec * 1000 +
				(uint64_t)st.st_mtim.tv_nsec / 1000000;
	}
	text[n < 0 ? 0 : n] = '\0';
	while ((line = strsep(&rest, "\n")) != NULL) {
		char *value = strchr(line, ' ');

		if (value != NULL) {
			*value = '\0';
			take_line(ret, line, value + 1);
		}
	}
}

/* 1, 0 where there is none, or -errno. */
static int
look_at(const struct store *s, const char *name, struct stop_order *ret)
{
	char path[PATH_SIZE];
	auto_fd fd = -1;

	snprintf(path, sizeof(path), STOP_DIR "/%s", name);
	fd = openat(s->dir_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		return errno == ENOENT ? 0 : -errno;
	}
	read_order(fd, ret);
	return 1;
}

int
stop_find(const struct store *s, const char *principal, struct stop_order *ret)
{
	char name[NAME_SIZE];
	int rc = look_at(s, ALL, ret);

	if (rc == 0 && text_or_null(principal) != NULL) {
		name_of(principal, name);
		rc = look_at(s, name, ret);
	}
	return rc;
}

/* Open and locked: one writer at a time. fd or -errno. */
static int
lock_dir(const struct store *s)
{
	auto_fd dir = fdio_make_dir(s->dir_fd, STOP_DIR);
	int rc = dir < 0 ? dir : store_lock(dir, LOCK_EX);

	return rc < 0 ? rc : take_fd(&dir);
}

/*
 * In the place of what was there, whole. One that a crash left is as new. Where there is no room
 * for what it says, what is there stays, or an empty one stops as well.
 */
static int
replace(int dir_fd, const char *name, const struct buf *b)
{
	auto_fd fd = openat(dir_fd, UNFINISHED,
			    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int rc = fd < 0 ? -errno : fdio_write(fd, b->data, b->len);

	if (rc == 0 || fd < 0) {
		return rc == 0 && renameat(dir_fd, UNFINISHED, dir_fd, name) < 0 ? -errno : rc;
	}
	rc = ftruncate(fd, 0) < 0 || (linkat(dir_fd, UNFINISHED, dir_fd, name, 0) < 0 &&
				      errno != EEXIST)
		     ? -errno
		     : 0;
	ignore_err(unlinkat(dir_fd, UNFINISHED, 0), "the next one makes it empty");
	return rc;
}

int
stop_set(const struct store *s, const char *principal, const struct stop_order *order,
	 struct err *err)
{
	char name[NAME_SIZE], cut[sizeof(order->principal)];
	auto_buf b = BUF_INIT;
	auto_fd dir = lock_dir(s);
	int rc = dir < 0 ? dir : 0;

	name_of(principal, name);
	buf_printf(&b, "v 1\nsince %llu\nuid %u\n", (unsigned long long)order->since_ms,
		   (unsigned int)order->uid);
	snprintf(cut, sizeof(cut), "%s", principal != NULL ? principal : "");
	text_vis_line(&b, "principal", cut);
	text_vis_line(&b, "reason", order->reason);
	if (rc == 0) {
		rc = buf_error(&b);
	}
	if (rc == 0) {
		rc = replace(dir, name, &b);
	}
	return rc < 0 ? err_sys(err, rc, "%s/" STOP_DIR "/%s", s->path, name) : 0;
}

int
stop_sync(const struct store *s, const char *principal, struct err *err)
{
	char name[NAME_SIZE];
	auto_fd dir = fdio_open_dir(s->dir_fd, STOP_DIR);
	auto_fd fd = -1;

	name_of(principal, name);
	if (dir >= 0) {
		fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	}
	/* the directory itself may be new */
	if (dir < 0 || fd < 0 || fsync(fd) < 0 || fsync(dir) < 0 || fsync(s->dir_fd) < 0) {
		return err_sys(err, -errno, "%s/" STOP_DIR "/%s", s->path, name);
	}
	return 0;
}

int
stop_release(const struct store *s, const char *principal, struct err *err)
{
	char name[NAME_SIZE];
	auto_fd dir = lock_dir(s);
	int rc = dir < 0 ? dir : 0;

	name_of(principal, name);
	if (rc == 0 && unlinkat(dir, name, 0) < 0) {
		rc = -errno;
	}
	if (rc == -ENOENT) {
		return err_set(err, rc, "nothing is stopped there: `airlock stop` lists what is");
	}
	if (rc == 0 && fsync(dir) < 0) {
		rc = -errno;
	}
	return rc < 0 ? err_sys(err, rc, "%s/" STOP_DIR "/%s", s->path, name) : 0;
}

static bool
is_order(const char *name)
{
	uint8_t digest[SHA256_SIZE];

	return strcmp(name, ALL) == 0 ||
	       (strncmp(name, OF, sizeof(OF) - 1) == 0 && strlen(name) == NAME_SIZE - 2 &&
		text_unhex(name + sizeof(OF) - 1, digest, sizeof(digest)) == 0);
}

int
stop_each(const struct store *s, int (*fn)(void *arg, const struct stop_order *order), void *arg,
	  struct err *err)
{
	auto_dir dir = NULL;
	struct stop_order order = { .since_ms = 0 };
	struct dirent *e;
	int rc = fdio_list_dir(s->dir_fd, STOP_DIR, O_NOFOLLOW, &dir);

	if (rc == -ENOENT) {
		return 0;
	}
	if (rc < 0) {
		return err_sys(err, rc, "%s/" STOP_DIR, s->path);
	}
	while (rc == 0 && (e = readdir(dir)) != NULL) {
		if (!is_order(e->d_name)) {
			continue;
		}
		rc = look_at(s, e->d_name, &order);
		if (rc < 0) {
			return err_sys(err, rc, "%s/" STOP_DIR "/%s", s->path, e->d_name);
		}
		if (rc == 1 && order.principal[0] == '\0' && strcmp(e->d_name, ALL) != 0) {
			snprintf(order.principal, sizeof(order.principal), "?");
		}
		rc = rc == 1 ? fn(arg, &order) : 0;
	}
	return rc;
}
