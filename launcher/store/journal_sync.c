/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes what was read of the journal durable before something is signed about it. Runs in
 * airlock-log and airlock-cli, as the caller.
 *
 * A reader can see an entry whose writer was killed between write and fdatasync, or is about to
 * take it back because the sync failed. The lock waits for the second; the sync is made up for the
 * first.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "store_internal.h"

/* One file; *ret_size as it is under the lock. */
static int
sync_file(const struct store *s, uint32_t number, uint64_t *ret_size)
{
	char name[JOURNAL_NAME_SIZE];
	auto_fd fd = -1;
	struct stat st = { 0 };
	int r;

	journal_name(number, name);
	fd = openat(s->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	r = store_lock(fd, LOCK_SH);
	if (r < 0) {
		return r;
	}
	if (fdatasync(fd) < 0 || fstat(fd, &st) < 0) {
		return -errno;
	}
	*ret_size = (uint64_t)st.st_size;
	return 0;
}

int
journal_sync(const struct store *s, struct journal_pos from, struct journal_pos to, struct err *err)
{
	uint64_t size = 0;
	int r = 0;

	for (uint32_t n = from.file > 0 ? from.file : 1; n <= to.file && r == 0; n++) {
		r = sync_file(s, n, &size);
		/* Numbers may start above 1 where old files were removed by hand. */
		r = r == -ENOENT && n < to.file ? 0 : r;
	}
	if (r < 0) {
		return err_sys(err, r, "sync the journal in %s", s->path);
	}
	return to.file > 0 && size < to.offset
		     ? err_set(err, -ESTALE, "an entry of the journal in %s was taken back",
			       s->path)
		     : 0;
}
