/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the next whole entry behind damage in a journal file, so that one broken sector does not
 * hide the calls after it. Runs in airlock-log and airlock-cli, as the caller, over bytes that are
 * known to be damaged. A header holds a zero byte and no payload does (journal.c), so an entry
 * found here never is a piece of another one.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/cleanup.h"
#include "../base/crc32.h"
#include "../base/fdio.h"
#include "../base/limits.h"
#include "index_internal.h"
#include "store_internal.h"

static uint32_t
load_le32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static bool
is_whole_entry(const uint8_t *p, size_t left)
{
	uint32_t len = left >= JOURNAL_HEADER ? load_le32(p) : 0;

	return len > 0 && len <= CAP_JOURNAL_ENTRY && len <= left - JOURNAL_HEADER &&
	       crc32_update(0, p + JOURNAL_HEADER, len) == load_le32(p + 4);
}

int
index_resync(const struct store *s, struct journal_pos pos, struct buf *damage, bool *ret_found)
{
	char name[JOURNAL_NAME_SIZE];
	auto_buf bytes = BUF_INIT;
	auto_fd fd = -1;
	size_t at = 1;
	int rc;

	journal_name(pos.file, name);
	fd = openat(s->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || lseek(fd, (off_t)pos.offset, SEEK_SET) < 0) {
		return -errno;
	}
	/* a journal file is rolled at its cap, so it fits into memory */
	rc = fdio_slurp(fd, CAP_JOURNAL_FILE + 2 * (size_t)CAP_JOURNAL_ENTRY, &bytes);
	if (rc != 0) {
		return rc;
	}
	while (at < bytes.len && !is_whole_entry(bytes.data + at, bytes.len - at)) {
		at++;
	}
	buf_put(damage, bytes.data, at < bytes.len ? at : bytes.len);
	*ret_found = at < bytes.len;
	return buf_error(damage);
}
