/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the next whole entry behind damage in a journal file, so that one broken sector does not
 * hide the calls after it. Runs in airlock-log and airlock-cli, as the caller, over bytes that are
 * known to be damaged. A header holds a zero byte and no payload does (journal.c), so an entry
 * found here never is a piece of another one.
 */
#include <errno.h>
#include <fcntl.h>

#include "../base/cleanup.h"
#include "../base/fdio.h"
#include "../base/limits.h"
#include "index_internal.h"
#include "store_internal.h"

int
index_resync(const struct store *s, struct journal_pos pos, struct buf *damage, bool *ret_found)
{
	char name[JOURNAL_NAME_SIZE];
	auto_buf bytes = BUF_INIT;
	auto_fd fd = -1;
	size_t at = 1;
	int rc;

	journal_name(pos.file, name);
	fd = openat(s->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || lseek(fd, (off_t)pos.offset, SEEK_SET) < 0) {
		return -errno;
	}
	/* a journal file is rolled at its cap, so it fits into memory */
	rc = fdio_slurp(fd, CAP_JOURNAL_FILE + 2 * (size_t)CAP_JOURNAL_ENTRY, &bytes);
	if (rc != 0) {
		return rc;
	}
	while (at < bytes.len && journal_entry_len(bytes.data + at, bytes.len - at) == 0) {
		at++;
	}
	buf_put(damage, bytes.data, at < bytes.len ? at : bytes.len);
	*ret_found = at < bytes.len;
	return buf_error(damage);
}
