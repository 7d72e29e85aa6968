/* SPDX-License-Identifier: Apache-2.0 */
/* Run by the front as the workspace's owner, over a file in a state directory that the tool cannot
 * reach. */
#include "stat_cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/crc32.h"
#include "../base/fdio.h"
#include "../base/grow.h"

#define MAGIC "ALSC"
#define VERSION 1u
#define HEADER_SIZE                                                                                \
	32u /* magic, version, count u64, limit i64, crc of the items, crc of the header */
#define ITEM_SIZE 80u
#define FILE_MAX (256u << 20)
/* File times come from the kernel's coarse clock, which is behind by up to a tick (10 ms at
 * HZ=100). */
#define TICK_NS 20000000

static uint64_t
get_le(const uint8_t *p, unsigned int bytes)
{
	uint64_t v = 0;

	for (unsigned int i = bytes; i > 0; i--) {
		v = v << 8 | p[i - 1];
	}
	return v;
}

static const uint8_t *
old_at(const struct stat_cache *c, size_t i)
{
	return c->old.data + HEADER_SIZE + i * ITEM_SIZE;
}

static bool
old_is_whole(const struct buf *b)
{
	uint64_t count;

	if (b->len < HEADER_SIZE || memcmp(b->data, MAGIC, 4) != 0 ||
	    get_le(b->data + 4, 4) != VERSION ||
	    get_le(b->data + 28, 4) != crc32_update(0, b->data, 28)) {
		return false;
	}
	count = get_le(b->data + 8, 8);
	return count == (b->len - HEADER_SIZE) / ITEM_SIZE &&
	       (b->len - HEADER_SIZE) % ITEM_SIZE == 0 &&
	       get_le(b->data + 24, 4) ==
		       crc32_update(0, b->data + HEADER_SIZE, b->len - HEADER_SIZE);
}

/* One read and not a mapping: another call may cut the file while we look. */
static int
read_old(int fd, struct buf *b)
{
	struct stat st;
	int r = 0;

	if (fstat(fd, &st) < 0) {
		return -errno;
	}
	if (!S_ISREG(st.st_mode) || st.st_size < (off_t)HEADER_SIZE ||
	    st.st_size > (off_t)FILE_MAX) {
		return -ENODATA;
	}
	b->data = malloc((size_t)st.st_size + 1);
	if (b->data == NULL) {
		return -ENOMEM;
	}
	b->cap = (size_t)st.st_size + 1;
	b->len = (size_t)st.st_size;
	b->data[b->len] = '\0';
	/* a writer holds the lock for moments; when it does, the crc decides */
	if (flock(fd, LOCK_SH | LOCK_NB) == 0) {
		r = fdio_pread(fd, b->data, b->len, 0);
		ignore_err(flock(fd, LOCK_UN), "closing the descriptor does it too");
		return r;
	}
	return fdio_pread(fd, b->data, b->len, 0);
}

void
stat_cache_open(struct stat_cache *c, int fd, int64_t walk_ns)
{
	*c = (struct stat_cache){ .fd = fd, .old = BUF_INIT, .walk_ns = walk_ns };
	if (fd < 0 || read_old(fd, &c->old) < 0 || !old_is_whole(&c->old)) {
		buf_reset(&c->old);
		return;
	}
	c->old_limit_ns = (int64_t)get_le(c->old.data + 16, 8);
	c->old_count = (c->old.len - HEADER_SIZE) / ITEM_SIZE;
	c->seen = calloc(c->old_count + 1, 1);
	if (c->seen == NULL) {
		c->old_count = 0;
		c->failed = true;
	}
}

static int
compare(uint64_t dev_a, uint64_t ino_a, uint64_t dev_b, uint64_t ino_b)
{
	if (dev_a != dev_b) {
		return dev_a < dev_b ? -1 : 1;
	}
	return ino_a == ino_b ? 0 : ino_a < ino_b ? -1 : 1;
}

static bool
find_old(const struct stat_cache *c, uint64_t dev, uint64_t ino, size_t *ret_at)
{
	size_t low = 0, high = c->old_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const uint8_t *p = old_at(c, middle);
		int order = compare(get_le(p, 8), get_le(p + 8, 8), dev, ino);

		if (order == 0) {
			*ret_at = middle;
			return true;
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return false;
}

static void
append(struct stat_cache *c, const struct stat_cache_item *item)
{
	struct stat_cache_item *grown;

	if (c->failed) {
		return;
	}
	grown = grow_array(c->items, c->count, &c->cap, sizeof(*grown));
	if (grown == NULL) {
		c->failed = true;
		return;
	}
	c->items = grown;
	c->items[c->count++] = *item;
}

bool
stat_cache_find(struct stat_cache *c, const struct fs_stat *st, struct stat_cache_item *ret)
{
	struct stat_cache_item item;
	const uint8_t *p;
	size_t at;

	if (!find_old(c, st->dev, st->ino, &at)) {
		return false;
	}
	p = old_at(c, at);
	item = (struct stat_cache_item){
		.dev = st->dev,
		.ino = st->ino,
		.size = get_le(p + 16, 8),
		.ctime_ns = (int64_t)get_le(p + 24, 8),
		.mtime_ns = (int64_t)get_le(p + 32, 8),
		.flags = (uint32_t)get_le(p + 72, 4),
	};
	if (item.size != st->size || item.ctime_ns != st->ctime_ns ||
	    item.mtime_ns != st->mtime_ns || item.ctime_ns >= c->old_limit_ns) {
		return false;
	}
	memcpy(item.digest, p + 40, SHA256_SIZE);
	if (c->seen[at] == 0) {
		c->seen[at] = 1;
		c->seen_count++;
		append(c, &item);
	}
	*ret = item;
	return true;
}

void
stat_cache_add(struct stat_cache *c, const struct fs_stat *st, const uint8_t digest[SHA256_SIZE],
	       uint32_t flags)
{
	int64_t limit = c->walk_ns - TICK_NS;
	struct stat_cache_item item = {
		.dev = st->dev,
		.ino = st->ino,
		.size = st->size,
		.ctime_ns = st->ctime_ns,
		.mtime_ns = st->mtime_ns,
		.flags = flags,
	};

	/* an mtime far in the future was set by hand: the next write leaves it, and ctime tells */
	if (c->fd < 0 || st->ctime_ns >= limit ||
	    (st->mtime_ns >= limit && st->mtime_ns <= c->walk_ns + TICK_NS)) {
		return;
	}
	memcpy(item.digest, digest, SHA256_SIZE);
	append(c, &item);
	c->changed = true;
}

static int
by_inode(const void *a, const void *b)
{
	const struct stat_cache_item *x = a, *y = b;

	return compare(x->dev, x->ino, y->dev, y->ino);
}

static void
encode(const struct stat_cache *c, struct buf *b)
{
	struct buf head = BUF_INIT;
	uint64_t count = 0;

	for (size_t i = 0; i < c->count; i++) {
		const struct stat_cache_item *it = &c->items[i];

		/* several links of one inode */
		if (i > 0 && by_inode(it, &c->items[i - 1]) == 0) {
			continue;
		}
		buf_u64(b, it->dev);
		buf_u64(b, it->ino);
		buf_u64(b, it->size);
		buf_u64(b, (uint64_t)it->ctime_ns);
		buf_u64(b, (uint64_t)it->mtime_ns);
		buf_put(b, it->digest, SHA256_SIZE);
		buf_u32(b, it->flags);
		buf_u32(b, 0);
		count++;
	}
	buf_puts(&head, MAGIC);
	buf_u32(&head, VERSION);
	buf_u64(&head, count);
	buf_u64(&head, (uint64_t)(c->walk_ns - TICK_NS));
	buf_u32(&head, crc32_update(0, b->data + HEADER_SIZE, b->len - HEADER_SIZE));
	buf_u32(&head, crc32_update(0, head.data, head.len));
	if (buf_error(&head) == 0 && buf_error(b) == 0) {
		memcpy(b->data, head.data, HEADER_SIZE);
	} else {
		b->failed = true;
	}
	buf_finish(&head);
}

int
stat_cache_save(struct stat_cache *c)
{
	static const uint8_t room[HEADER_SIZE];
	auto_buf b = BUF_INIT;
	int r;

	if (c->fd < 0 || c->failed || (!c->changed && c->seen_count == c->old_count)) {
		return 0;
	}
	if (c->count > 0) {
		qsort(c->items, c->count, sizeof(c->items[0]), by_inode);
	}
	buf_put(&b, room, sizeof(room));
	if (buf_error(&b) < 0) {
		return -ENOMEM;
	}
	encode(c, &b);
	if (buf_error(&b) < 0 || b.len > FILE_MAX) {
		return b.failed ? -ENOMEM : -EFBIG;
	}
	if (flock(c->fd, LOCK_EX | LOCK_NB) < 0) {
		return errno == EWOULDBLOCK ? 0 : -errno; /* another call is writing the same */
	}
	r = fdio_pwrite(c->fd, b.data, b.len, 0);
	if (r == 0 && ftruncate(c->fd, (off_t)b.len) < 0) {
		r = -errno;
	}
	ignore_err(flock(c->fd, LOCK_UN), "closing the descriptor does it too");
	return r;
}

void
stat_cache_close(struct stat_cache *c)
{
	buf_finish(&c->old);
	free(c->seen);
	free(c->items);
	*c = (struct stat_cache){ .fd = -1, .old = BUF_INIT };
}
