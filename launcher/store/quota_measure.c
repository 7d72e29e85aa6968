/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much lies in the state directory. Runs in airlock-log, behind the answer, and in airlock-cli,
 * as the caller; held layers and caches hold what tools wrote, of any shape. By descriptor, without
 * following a link or entering another file system; what is deeper than a reasonable tree is not
 * counted.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/fdio.h"
#include "quota.h"
#include "store_internal.h"

#define DEPTH_MAX 200u

struct measure {
	dev_t dev;
	uint64_t bytes;
};

static void measure_entry(struct measure *m, int dir_fd, const char *name, unsigned int depth);

static void
measure_dir(struct measure *m, int dir_fd, const char *name, unsigned int depth)
{
	auto_dir dir = NULL;
	struct dirent *e;

	if (fdio_list_dir(dir_fd, name, O_NOFOLLOW, &dir) < 0) {
		return;
	}
	while ((e = readdir(dir)) != NULL) {
		const char *n = e->d_name;

		if (n[0] != '.' || (n[1] != '\0' && (n[1] != '.' || n[2] != '\0'))) {
			measure_entry(m, dirfd(dir), n, depth);
		}
	}
}

static void
measure_entry(struct measure *m, int dir_fd, const char *name, unsigned int depth)
{
	struct stat st;

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0) {
		return;
	}
	m->dev = depth == 0 ? st.st_dev : m->dev;
	if (st.st_dev != m->dev) {
		return;
	}
	m->bytes += (uint64_t)st.st_blocks * 512;
	if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX) {
		measure_dir(m, dir_fd, name, depth + 1);
	}
}

uint64_t
quota_measure(int dir_fd, const char *name)
{
	struct measure m = { .bytes = 0 };

	measure_entry(&m, dir_fd, name, 0);
	return m.bytes;
}

/* Who sets the limit and who stores what is used do not lose each other's number. */
static int
lock_state(const struct store *s, int *ret_fd, struct err *err)
{
	auto_fd fd = openat(s->dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -errno : store_lock(fd, LOCK_EX);

	if (r < 0) {
		return err_sys(err, r, "lock %s", s->path);
	}
	*ret_fd = take_fd(&fd);
	return 0;
}

static int
write_quota(const struct store *s, const struct quota *q, struct err *err)
{
	const uint64_t pair[2] = { q->limit_bytes, q->used_bytes };
	int r = 0;

	if (q->limit_bytes > 0) {
		r = store_write_pair(s, QUOTA_FILE, pair);
	} else if (unlinkat(s->dir_fd, QUOTA_FILE, 0) < 0 && errno != ENOENT) {
		r = -errno;
	}
	return r < 0 ? err_sys(err, r, "write %s/%s", s->path, QUOTA_FILE) : 0;
}

int
quota_set(const struct store *s, uint64_t limit_bytes, struct err *err)
{
	struct quota q = { .limit_bytes = limit_bytes };
	auto_fd lock = -1;
	int r;

	q.used_bytes = limit_bytes > 0 ? quota_measure(s->dir_fd, ".") : 0;
	r = lock_state(s, &lock, err);
	return r < 0 ? r : write_quota(s, &q, err);
}

int
quota_update(const struct store *s, struct err *err)
{
	struct quota q = { 0 };
	auto_fd lock = -1;
	uint64_t used;
	int r = quota_read(s, &q, err);

	if (r < 0 || q.limit_bytes == 0) {
		return r;
	}
	used = quota_measure(s->dir_fd, ".");
	r = lock_state(s, &lock, err);
	r = r < 0 ? r : quota_read(s, &q, err);
	if (r < 0 || q.limit_bytes == 0) {
		return r;
	}
	q.used_bytes = used;
	return write_quota(s, &q, err);
}
