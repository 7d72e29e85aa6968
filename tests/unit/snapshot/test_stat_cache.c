/* SPDX-License-Identifier: Apache-2.0 */
/* Run by `make unit`: a cache file in a temporary directory. */
#include <criterion/criterion.h>

#include "../../../launcher/snapshot/stat_cache.h"
#include "snapshot_world.h"

#define NOW ((int64_t)1700000000 * 1000000000)
#define OLD (NOW - 1000000000)

static struct fs_stat
file(uint64_t ino, int64_t ctime_ns)
{
	return (struct fs_stat){
		.dev = 3, .ino = ino, .size = 10, .ctime_ns = ctime_ns, .mtime_ns = OLD
	};
}

static int
cache_file(const struct world *w)
{
	int fd = openat(w->dir_fd, "cache", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0);
	return fd;
}

static void
fill(int fd, size_t count)
{
	struct stat_cache c;

	stat_cache_open(&c, fd, NOW);
	for (size_t i = count; i > 0; i--) {
		struct fs_stat st = file(i, OLD);
		uint8_t digest[32] = { (uint8_t)i };

		stat_cache_add(&c, &st, digest, i == 2 ? STAT_CACHE_XATTRS : 0);
		stat_cache_add(&c, &st, digest, 0); /* a second link */
	}
	cr_expect_eq(stat_cache_save(&c), 0);
	stat_cache_close(&c);
}

static bool
answers(int fd, struct fs_stat st, struct stat_cache_item *item)
{
	struct stat_cache c;
	bool found;

	stat_cache_open(&c, fd, NOW + 5000000000);
	found = stat_cache_find(&c, &st, item);
	stat_cache_close(&c);
	return found;
}

Test(stat_cache, answers_what_is_unchanged)
{
	struct stat_cache_item item;
	struct world w;
	struct stat st;
	int fd;

	world_init(&w);
	fd = cache_file(&w);
	fill(fd, 3);
	cr_expect_eq(fstat(fd, &st), 0);
	cr_expect_eq(st.st_size, 32 + 3 * 80);
	cr_expect_eq(answers(fd, file(3, OLD), &item), true);
	cr_expect_eq(item.digest[0], 3);
	cr_expect_eq(item.flags, 0u);
	cr_expect_eq(answers(fd, file(4, OLD), &item), false);
	cr_expect_eq(answers(fd, file(3, OLD + 1), &item), false);
	{
		struct fs_stat other = file(3, OLD);

		other.size = 11;
		cr_expect_eq(answers(fd, other, &item), false);
		other = file(3, OLD);
		other.mtime_ns++;
		cr_expect_eq(answers(fd, other, &item), false);
		other = file(3, OLD);
		other.dev++;
		cr_expect_eq(answers(fd, other, &item), false);
	}
	close(fd);
	world_finish(&w);
}

Test(stat_cache, racy_entries_are_not_kept)
{
	struct stat_cache_item item;
	struct stat_cache c;
	struct world w;
	uint8_t digest[32] = { 1 };
	struct fs_stat at_now = file(1, NOW), in_tick = file(2, NOW - 1000000),
		       early = file(3, OLD);
	struct fs_stat mtime_now = file(4, OLD), mtime_future = file(5, OLD);
	int fd;

	world_init(&w);
	fd = cache_file(&w);
	mtime_now.mtime_ns = NOW;
	mtime_future.mtime_ns = NOW + 3600000000000;
	stat_cache_open(&c, fd, NOW);
	stat_cache_add(&c, &at_now, digest, 0);
	stat_cache_add(&c, &in_tick, digest, 0);
	stat_cache_add(&c, &early, digest, 0);
	stat_cache_add(&c, &mtime_now, digest, 0);
	stat_cache_add(&c, &mtime_future, digest, 0);
	cr_expect_eq(stat_cache_save(&c), 0);
	stat_cache_close(&c);
	cr_expect_eq(answers(fd, at_now, &item), false);
	cr_expect_eq(answers(fd, in_tick, &item), false);
	cr_expect_eq(answers(fd, early, &item), true);
	cr_expect_eq(answers(fd, mtime_now, &item), false);
	cr_expect_eq(answers(fd, mtime_future, &item), true);
	close(fd);
	world_finish(&w);
}

/* Each byte that is flipped makes it an empty cache, never a wrong answer. */
Test(stat_cache, damaged)
{
	struct stat_cache_item item;
	struct world w;
	int fd;

	world_init(&w);
	fd = cache_file(&w);
	fill(fd, 2);
	for (off_t at = 0; at < 32 + 2 * 80; at++) {
		uint8_t byte, bad;

		cr_assert_eq(pread(fd, &byte, 1, at), 1);
		bad = byte ^ 0x10;
		cr_assert_eq(pwrite(fd, &bad, 1, at), 1);
		cr_expect_eq(answers(fd, file(1, OLD), &item), false, "byte %d", (int)at);
		cr_assert_eq(pwrite(fd, &byte, 1, at), 1);
	}
	cr_expect_eq(answers(fd, file(1, OLD), &item), true);
	cr_assert_eq(ftruncate(fd, 100), 0);
	cr_expect_eq(answers(fd, file(1, OLD), &item), false);
	cr_assert_eq(ftruncate(fd, 0), 0);
	cr_expect_eq(answers(fd, file(1, OLD), &item), false);
	cr_expect_eq(answers(-1, file(1, OLD), &item), false);
	close(fd);
	world_finish(&w);
}

Test(stat_cache, written_only_when_something_changed)
{
	struct stat_cache_item item;
	struct stat before, after;
	struct stat_cache c;
	struct fs_stat one = file(1, OLD), two = file(2, OLD);
	struct world w;
	int fd;

	world_init(&w);
	fd = cache_file(&w);
	fill(fd, 2);
	cr_assert_eq(futimens(fd, (struct timespec[2]){ { 1, 0 }, { 1, 0 } }), 0);
	cr_assert_eq(fstat(fd, &before), 0);
	stat_cache_open(&c, fd, NOW + 5000000000);
	cr_expect_eq(stat_cache_find(&c, &one, &item), true);
	cr_expect_eq(stat_cache_find(&c, &two, &item), true);
	cr_expect_eq(item.flags, STAT_CACHE_XATTRS);
	cr_expect_eq(stat_cache_save(&c), 0);
	stat_cache_close(&c);
	cr_assert_eq(fstat(fd, &after), 0);
	cr_expect_eq(after.st_mtim.tv_sec, 1);
	/* one is gone: written, and the other stays */
	stat_cache_open(&c, fd, NOW + 5000000000);
	cr_expect_eq(stat_cache_find(&c, &two, &item), true);
	cr_expect_eq(stat_cache_save(&c), 0);
	stat_cache_close(&c);
	cr_assert_eq(fstat(fd, &after), 0);
	cr_expect_eq(after.st_size, 32 + 80);
	cr_expect_eq(answers(fd, two, &item), true);
	close(fd);
	world_finish(&w);
}
