/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in the front (append) and in airlock-log and airlock-cli (read), as the caller, in a state
 * directory that store_open_* accepted. Several processes append; any of them may die at any byte.
 *
 * What makes the end of a file decidable: a length is below 2^24, so a header holds a zero byte,
 * and no payload does. Hence no entry can stand inside another one's payload, and the last whole
 * entry is found from the end backwards, without reading the file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/crc32.h"
#include "../base/fdio.h"
#include "../base/limits.h"
#include "store_internal.h"

#define ENTRY_MAX ((uint64_t)CAP_JOURNAL_ENTRY + JOURNAL_HEADER)
#define TAIL_FIRST_LOOK (16u << 10) /* holds the last entry of nearly every call */

_Static_assert(CAP_JOURNAL_ENTRY < 1u << 24, "a header must hold a zero byte");

size_t
journal_entry_len(const uint8_t *p, uint64_t left)
{
	uint32_t len;

	if (left < JOURNAL_HEADER) {
		return 0;
	}
	len = journal_load32(p);
	if (len == 0 || len > CAP_JOURNAL_ENTRY || len > left - JOURNAL_HEADER ||
	    crc32_update(0, p + JOURNAL_HEADER, len) != journal_load32(p + 4)) {
		return 0;
	}
	return len;
}

/* ---- the end of a file ----------------------------------------------------------------------- */

enum tail { TAIL_WHOLE, TAIL_NOT_WHOLE, TAIL_LOOK_FURTHER };

/* Does a whole entry end where the window of len bytes does? Its header has the window's last zero
 * byte. */
static enum tail
look_at_tail(const uint8_t *window, size_t len)
{
	size_t zero = len;

	while (zero > 0 && window[zero - 1] != 0) {
		zero--;
	}
	if (zero == 0) {
		return TAIL_LOOK_FURTHER;
	}
	zero--;
	/* The zero byte is one of the length's (its fourth always is) or of the crc's. */
	for (size_t back = 3; back < JOURNAL_HEADER; back++) {
		size_t n = zero >= back
				 ? journal_entry_len(window + zero - back, len - (zero - back))
				 : 0;

		if (n > 0 && zero - back + JOURNAL_HEADER + n == len) {
			return TAIL_WHOLE;
		}
	}
	return zero < JOURNAL_HEADER ? TAIL_LOOK_FURTHER : TAIL_NOT_WHOLE;
}

static int
read_tail(int fd, uint64_t size, uint64_t window, uint8_t **ret_data)
{
	auto_free uint8_t *data = malloc(window);
	int r;

	if (data == NULL) {
		return -ENOMEM;
	}
	r = fdio_pread(fd, data, window, (off_t)(size - window));
	if (r == 0) {
		*ret_data = take_ptr(data);
	}
	return r;
}

static uint64_t
smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/*
 * Where the last whole entry ends. What is behind it can only be what one crash left, less than one
 * entry: else -EBADMSG. Under the file's lock.
 */
static int
find_end(int fd, uint64_t size, uint64_t *ret_end)
{
	const uint64_t looks[] = { smaller(size, TAIL_FIRST_LOOK), smaller(size, ENTRY_MAX),
				   smaller(size, 2 * ENTRY_MAX) };
	auto_free uint8_t *data = NULL;
	enum tail tail = TAIL_LOOK_FURTHER;
	uint64_t window = looks[2];
	int r;

	if (size == 0) {
		*ret_end = 0;
		return 0;
	}
	for (size_t i = 0; i < 2 && tail == TAIL_LOOK_FURTHER; i++) {
		auto_free uint8_t *look = NULL;

		r = read_tail(fd, size, looks[i], &look);
		if (r != 0) {
			return r;
		}
		tail = look_at_tail(look, looks[i]);
	}
	if (tail == TAIL_WHOLE) {
		*ret_end = size;
		return 0;
	}
	r = read_tail(fd, size, window, &data);
	if (r < 0) {
		return r;
	}
	for (uint64_t at = window; at-- > 0;) {
		size_t n = journal_entry_len(data + at, window - at);

		if (n > 0) {
			uint64_t torn = window - at - JOURNAL_HEADER - n;

			if (torn >= ENTRY_MAX) {
				return -EBADMSG;
			}
			*ret_end = size - torn;
			return 0;
		}
	}
	if (size >= ENTRY_MAX) {
		return -EBADMSG;
	}
	*ret_end = 0;
	return 0;
}

/* ---- append ---------------------------------------------------------------------------------- */

static int
damaged(struct store *s, uint32_t number, uint64_t offset, struct err *err)
{
	char name[JOURNAL_NAME_SIZE];

	journal_name(number, name);
	return err_set(err, -EBADMSG, "%s/%s is damaged at byte %llu", s->path, name,
		       (unsigned long long)offset);
}

/*
 * Locks the newest file. Another process may have rolled since we opened ours or while we waited:
 * whoever rolls makes the next file under the lock of this one, so after the lock its absence is
 * certain.
 */
static int
lock_newest(struct store *s, struct err *err)
{
	for (;;) {
		char name[JOURNAL_NAME_SIZE];
		int r = store_lock(s->journal_fd, LOCK_EX);

		if (r < 0) {
			return err_sys(err, r, "lock the journal in %s", s->path);
		}
		journal_name(s->journal_number + 1, name);
		if (faccessat(s->dir_fd, name, F_OK, 0) < 0) {
			return errno == ENOENT ? 0 : err_sys(err, -errno, "%s/%s", s->path, name);
		}
		r = journal_switch(s, s->journal_number + 1, err);
		if (r < 0) {
			return r;
		}
	}
}

/* The size to append at, with a torn tail cut off. */
static int
settle_end(struct store *s, uint64_t *ret_end, struct err *err)
{
	struct stat st;
	uint64_t size, end = 0;
	int r;

	if (fstat(s->journal_fd, &st) < 0) {
		return err_sys(err, -errno, "journal in %s", s->path);
	}
	if (st.st_nlink == 0) {
		return err_set(err, -ESTALE, "the journal in %s was removed", s->path);
	}
	size = (uint64_t)st.st_size;
	if (size == s->journal_end) {
		*ret_end = size;
		return 0;
	}
	r = find_end(s->journal_fd, size, &end);
	if (r == -EBADMSG) {
		return damaged(s, s->journal_number, size, err);
	}
	if (r < 0) {
		return err_sys(err, r, "read the journal in %s", s->path);
	}
	if (end < size) {
		if (ftruncate(s->journal_fd, (off_t)end) < 0) {
			return err_sys(err, -errno, "cut the torn end of the journal in %s",
				       s->path);
		}
		/* The cut gave the reserved room back. */
		r = journal_reserve(s->dir_fd, s->journal_fd);
		if (r < 0) {
			return store_fail(err, r, s->path, "reserve room");
		}
	}
	s->journal_end = end;
	*ret_end = end;
	return 0;
}

/*
 * Where to append len bytes: *ret_end in the newest file, which is locked. A full file is followed
 * by a new one, unless there is no room for a new one: then the old one grows, into the room that
 * was reserved.
 */
static int
begin_append(struct store *s, size_t len, uint64_t *ret_end, struct err *err)
{
	for (;;) {
		uint64_t end = 0;
		int r = lock_newest(s, err);

		if (r == 0) {
			r = settle_end(s, &end, err);
		}
		if (r < 0) {
			return r;
		}
		if (end > 0 && end + JOURNAL_HEADER + len > CAP_JOURNAL_FILE) {
			r = journal_create(s->dir_fd, s->journal_number + 1);
			if (r == 0 || r == -EEXIST) {
				continue;
			}
			if (r != -ENOSPC && r != -EDQUOT) {
				return err_sys(err, r, "new journal file in %s", s->path);
			}
		}
		*ret_end = end;
		return 0;
	}
}

static int
write_entry(int fd, const void *json, size_t len, uint64_t at)
{
	uint8_t header[JOURNAL_HEADER];
	struct iovec parts[2] = {
		{ .iov_base = header, .iov_len = sizeof(header) },
		{ .iov_base = (void *)(uintptr_t)json, .iov_len = len },
	};
	ssize_t n;
	int r;

	journal_store32(header, (uint32_t)len);
	journal_store32(header + 4, crc32_update(0, json, len));
	do {
		n = pwritev(fd, parts, 2, (off_t)at);
	} while (n < 0 && errno == EINTR);
	if (n < 0) {
		return -errno;
	}
	if ((size_t)n < sizeof(header)) {
		r = fdio_pwrite(fd, header + n, sizeof(header) - (size_t)n, (off_t)at + n);
		if (r < 0) {
			return r;
		}
		n = sizeof(header);
	}
	if ((size_t)n < sizeof(header) + len) {
		size_t done = (size_t)n - sizeof(header);

		r = fdio_pwrite(fd, (const uint8_t *)json + done, len - done, (off_t)at + n);
		if (r < 0) {
			return r;
		}
	}
	return fdatasync(fd) < 0 ? -errno : 0;
}

int
journal_append(struct store *s, const void *json, size_t len, struct journal_pos *ret_pos,
	       struct err *err)
{
	uint64_t end = 0;
	int r;

	if (s->journal_fd < 0) {
		return err_set(err, -EBADF, "the store is not open for writing");
	}
	if (len > CAP_JOURNAL_ENTRY) {
		return err_set(err, -E2BIG, "a record of %zu bytes is too large (at most %u)", len,
			       CAP_JOURNAL_ENTRY);
	}
	if (len == 0 || memchr(json, 0, len) != NULL) {
		return err_set(err, -EINVAL, "a record that is empty or holds a zero byte");
	}
	r = begin_append(s, len, &end, err);
	if (r == 0) {
		r = write_entry(s->journal_fd, json, len, end);
		if (r == 0) {
			s->journal_end = end + JOURNAL_HEADER + len;
			*ret_pos = (struct journal_pos){ .file = s->journal_number, .offset = end };
		} else {
			err_sys(err, r, "write the journal in %s", s->path);
			/* If this fails too, the next writer finds a torn tail or an entry nobody
			 * waits for. */
			ignore_err(ftruncate(s->journal_fd, (off_t)end),
				   "the first failure is reported");
			s->journal_end = UINT64_MAX;
		}
	}
	ignore_err(store_lock(s->journal_fd, LOCK_UN), "closing unlocks as well");
	return r;
}

int
journal_roll(struct store *s, struct err *err)
{
	uint64_t end = 0;
	int r = s->journal_fd < 0 ? err_set(err, -EBADF, "the store is not open for writing")
				  : lock_newest(s, err);

	r = r < 0 ? r : settle_end(s, &end, err);
	if (r == 0 && end > 0) {
		r = journal_create(s->dir_fd, s->journal_number + 1);
		r = r < 0 && r != -EEXIST ? store_fail(err, r, s->path, "new journal file") : 0;
	}
	if (s->journal_fd >= 0) {
		ignore_err(store_lock(s->journal_fd, LOCK_UN), "closing unlocks as well");
	}
	return r;
}

/* ---- read ------------------------------------------------------------------------------------ */

#define CHUNK (256u << 10)

struct reader {
	int fd;
	uint32_t number;
	uint64_t size;	/* as of the last look */
	uint64_t start; /* file offset of the buffered bytes */
	size_t have;	/* how many there are */
	uint8_t *data;	/* owned; of cap bytes */
	size_t cap;
};

static void
reader_finish(struct reader *rd)
{
	cleanup_fd(&rd->fd);
	free(rd->data);
}

static int
reader_look(struct reader *rd)
{
	struct stat st;

	if (fstat(rd->fd, &st) < 0) {
		return -errno;
	}
	rd->size = (uint64_t)st.st_size;
	return 0;
}

/*
 * The same between two writers: an entry that is only being written may be taken back by its
 * writer, when the sync fails, and another one stand in its place afterwards. Nobody has read it
 * then.
 */
static int
reader_look_between(struct reader *rd)
{
	int r = store_lock(rd->fd, LOCK_SH);

	if (r < 0) {
		return r;
	}
	r = reader_look(rd);
	ignore_err(store_lock(rd->fd, LOCK_UN), "closing unlocks as well");
	return r;
}

/* Buffers [at, at + len), which is below size. */
static int
reader_fill(struct reader *rd, uint64_t at, size_t len)
{
	size_t want = (size_t)smaller(len > CHUNK ? len : CHUNK, rd->size - at);
	int r;

	if (at >= rd->start && at + len <= rd->start + rd->have) {
		return 0;
	}
	if (rd->data == NULL || want > rd->cap) {
		uint8_t *grown = realloc(rd->data, want);

		if (grown == NULL) {
			return -ENOMEM;
		}
		rd->data = grown;
		rd->cap = want;
	}
	rd->have = 0;
	r = fdio_pread(rd->fd, rd->data, want, (off_t)at);
	if (r == 0) {
		rd->start = at;
		rd->have = want;
	}
	return r;
}

/*
 * The entry at `at`: its payload (borrowed until the next call) and length. A length of 0 when
 * there is no whole entry.
 */
static int
reader_entry(struct reader *rd, uint64_t at, const uint8_t **ret_json, size_t *ret_len)
{
	uint64_t left = rd->size > at ? rd->size - at : 0;
	const uint8_t *p;
	uint32_t len;
	int r;

	*ret_len = 0;
	if (left < JOURNAL_HEADER) {
		return 0;
	}
	r = reader_fill(rd, at, JOURNAL_HEADER);
	if (r < 0) {
		return r;
	}
	len = journal_load32(rd->data + (at - rd->start));
	if (len == 0 || len > CAP_JOURNAL_ENTRY || len > left - JOURNAL_HEADER) {
		return 0;
	}
	r = reader_fill(rd, at, JOURNAL_HEADER + len);
	if (r < 0) {
		return r;
	}
	p = rd->data + (at - rd->start);
	*ret_len = journal_entry_len(p, JOURNAL_HEADER + len);
	*ret_json = p + JOURNAL_HEADER;
	return 0;
}

/*
 * No whole entry at `at` of the newest file. A writer may be at work there, so look again under the
 * lock; then it is either whole (*ret_again), or the torn end (0), or damage with entries behind it
 * (-EBADMSG).
 */
static int
reader_judge(struct reader *rd, uint64_t at, bool *ret_again)
{
	const uint8_t *json;
	size_t len = 0;
	uint64_t end = 0;
	int r = store_lock(rd->fd, LOCK_SH);

	if (r < 0) {
		return r;
	}
	rd->have = 0;
	r = reader_look(rd);
	if (r == 0 && rd->size > at) {
		r = reader_entry(rd, at, &json, &len);
		if (r == 0 && len == 0) {
			r = find_end(rd->fd, rd->size, &end);
			r = r == 0 && end > at ? -EBADMSG : r;
		}
	}
	ignore_err(store_lock(rd->fd, LOCK_UN), "closing unlocks as well");
	*ret_again = len > 0;
	return r;
}

/* What journal_read was asked. */
struct walk {
	struct store *store;
	int (*fn)(void *arg, struct journal_pos pos, const uint8_t *json, size_t len);
	void *arg;
	struct err *err;
};

/* All whole entries of one file from *at on, which is moved. */
static int
read_file(const struct walk *walk, struct reader *rd, bool is_newest, uint64_t *at)
{
	for (;;) {
		const uint8_t *json = NULL;
		size_t len = 0;
		bool again = false;
		int r = *at < rd->size ? reader_entry(rd, *at, &json, &len) : 0;

		/* A writer that takes a torn end back cuts the file while we read it. */
		if (r == -ENODATA && is_newest) {
			r = 0;
			len = 0;
		}
		if (r == 0 && len > 0) {
			const struct journal_pos pos = { .file = rd->number, .offset = *at };

			r = walk->fn(walk->arg, pos, json, len);
			if (r != 0) {
				return r;
			}
			*at += JOURNAL_HEADER + len;
			continue;
		}
		if (r == 0 && *at == rd->size) {
			return 0;
		}
		if (r == 0) {
			r = is_newest ? reader_judge(rd, *at, &again) : -EBADMSG;
		}
		if (r < 0) {
			return r == -EBADMSG ? damaged(walk->store, rd->number, *at, walk->err)
					     : err_sys(walk->err, r, "read the journal in %s",
						       walk->store->path);
		}
		if (!again) {
			return 0;
		}
	}
}

/* The file of *pos, from there on; the position is moved. */
static int
read_number(const struct walk *walk, bool is_newest, struct journal_pos *pos)
{
	__attribute__((cleanup(reader_finish))) struct reader rd = { .fd = -1,
								     .number = pos->file };
	const char *path = walk->store->path;
	char name[JOURNAL_NAME_SIZE];
	int r;

	journal_name(pos->file, name);
	rd.fd = openat(walk->store->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	r = rd.fd < 0 ? -errno : is_newest ? reader_look_between(&rd) : reader_look(&rd);
	if (r < 0) {
		return r == -ENOENT ? err_set(walk->err, -ESTALE, "%s/%s is not there", path, name)
				    : err_sys(walk->err, r, "%s/%s", path, name);
	}
	if (pos->offset > rd.size) {
		return err_set(walk->err, -ESTALE,
			       "%s/%s has %llu bytes, fewer than were read before", path, name,
			       (unsigned long long)rd.size);
	}
	return read_file(walk, &rd, is_newest, &pos->offset);
}

int
journal_read(struct store *s, struct journal_pos from, struct journal_pos *ret_next,
	     int (*fn)(void *arg, struct journal_pos pos, const uint8_t *json, size_t len),
	     void *arg, struct err *err)
{
	const struct walk walk = { .store = s, .fn = fn, .arg = arg, .err = err };
	struct journal_pos pos = from;

	for (;;) {
		uint32_t next = 0, newest = 0;
		/* Before the file is read: once it has a follower, nothing more is appended to it.
		 */
		int r = journal_scan(s->dir_fd, pos.file, &next, &newest);

		if (r < 0) {
			return err_sys(err, r, "journal in %s", s->path);
		}
		if (newest == 0 && pos.offset == 0) {
			break;
		}
		if (pos.file > 0) {
			r = read_number(&walk, next == 0, &pos);
			if (r != 0) {
				return r;
			}
			if (next == 0) {
				break;
			}
		}
		pos = (struct journal_pos){ .file = next, .offset = 0 };
	}
	*ret_next = pos;
	return 0;
}
