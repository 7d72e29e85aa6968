/* SPDX-License-Identifier: Apache-2.0 */
/* Run by `make unit`: what may not be opened, and names of any length. */
#include <criterion/criterion.h>

#include "../../../launcher/snapshot/fsat.h"
#include "snapshot_world.h"

Test(fsat, nothing_leads_out)
{
	struct world w;
	char out[128];

	world_init(&w);
	world_file(w.out_fd, "canary", "x", 0644);
	world_dir(w.ws_fd, "d", 0755);
	world_file(w.ws_fd, "d/f", "x", 0644);
	snprintf(out, sizeof(out), "%s/out", w.path);
	world_link(w.ws_fd, "abs", out);
	world_link(w.ws_fd, "rel", "../out");
	world_link(w.ws_fd, "in", "d");
	cr_expect_eq(fsat_open_path(w.ws_fd, "abs/canary", O_RDONLY), -ELOOP);
	cr_expect_eq(fsat_open_path(w.ws_fd, "rel/canary", O_RDONLY), -ELOOP);
	cr_expect_eq(fsat_open_path(w.ws_fd, "in/f", O_RDONLY), -ELOOP);
	cr_expect_eq(fsat_open_path(w.ws_fd, "abs", O_RDONLY), -ELOOP);
	cr_expect_eq(fsat_open_path(w.ws_fd, "../out/canary", O_RDONLY), -EXDEV);
	cr_expect_eq(fsat_open_path(w.ws_fd, "/etc/passwd", O_RDONLY), -EXDEV);
	{
		auto_fd good = fsat_open_path(w.ws_fd, "d/f", O_RDONLY);

		cr_expect_geq(good, 0);
		cr_expect_eq(fcntl(good, F_GETFD), FD_CLOEXEC);
	}
	world_finish(&w);
}

Test(fsat, long_path)
{
	char path[9001], *p = path;
	struct world w;
	int at, root;

	world_init(&w);
	at = dup(w.ws_fd);
	for (int i = 0; i < 60; i++) {
		char name[151];
		int next;

		memset(name, 'a' + i % 26, 149);
		name[149] = '\0';
		cr_assert_eq(mkdirat(at, name, 0755), 0);
		next = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = next;
		memcpy(p, name, 149);
		p += 149;
		*p++ = '/';
	}
	p[-1] = '\0';
	root = fsat_open_path(w.ws_fd, path, O_RDONLY | O_DIRECTORY);
	cr_assert_geq(root, 0);
	{
		struct fs_stat a, b;

		cr_assert_eq(fsat_stat(at, "", &a), 0);
		cr_assert_eq(fsat_stat(root, "", &b), 0);
		cr_expect_eq(fsat_same_file(&a, &b), true);
	}
	for (int i = 59; i >= 0; i--) { /* too long for nftw */
		int parent;

		if (i > 0) {
			path[i * 150 - 1] = '\0';
		}
		parent = fsat_open_path(w.ws_fd, i > 0 ? path : "", O_RDONLY | O_DIRECTORY);
		cr_assert_geq(parent, 0);
		cr_assert_eq(unlinkat(parent, path + i * 150, AT_REMOVEDIR), 0);
		close(parent);
	}
	memset(path, 'x', 5000); /* one name that cannot exist */
	path[5000] = '\0';
	cr_expect_eq(fsat_open_path(w.ws_fd, path, O_RDONLY), -ENAMETOOLONG);
	close(root);
	close(at);
	world_finish(&w);
}

Test(fsat, list_is_sorted_by_bytes)
{
	struct fs_names names = FS_NAMES_INIT;
	struct world w;

	world_init(&w);
	world_file(w.ws_fd, "b", "", 0644);
	world_file(w.ws_fd, "a.c", "", 0644);
	world_file(w.ws_fd, "\xff", "", 0644);
	world_file(w.ws_fd, "\n", "", 0644);
	cr_assert_eq(fsat_list(w.ws_fd, 4, &names), 0);
	cr_assert_eq(names.count, 4u);
	cr_expect_str_eq(names.items[0], "\n");
	cr_expect_str_eq(names.items[1], "a.c");
	cr_expect_str_eq(names.items[2], "b");
	cr_expect_str_eq(names.items[3], "\xff");
	cr_expect_eq(fsat_listed(&names, "b"), true);
	cr_expect_eq(fsat_listed(&names, "a"), false);
	fsat_names_finish(&names);
	cr_expect_eq(fsat_list(w.ws_fd, 3, &names), -E2BIG);
	world_finish(&w);
}

Test(fsat, parent_is_checked)
{
	struct fs_stat st;
	struct world w;
	int d, parent;

	world_init(&w);
	world_dir(w.ws_fd, "d", 0755);
	cr_assert_eq(fsat_stat(w.ws_fd, "", &st), 0);
	d = fsat_open(w.ws_fd, "d", O_RDONLY | O_DIRECTORY);
	parent = fsat_open_parent(d, st.dev, st.ino);
	cr_expect_geq(parent, 0);
	close(parent);
	cr_assert_eq(renameat(w.ws_fd, "d", w.out_fd, "d"), 0);
	cr_expect_eq(fsat_open_parent(d, st.dev, st.ino), -ESTALE);
	close(d);
	world_finish(&w);
}

Test(fsat, hash_is_bounded)
{
	uint8_t digest[32], want[32];
	struct world w;
	uint64_t size;
	int fd;

	world_init(&w);
	world_file(w.ws_fd, "f", "hello", 0644);
	fd = fsat_open(w.ws_fd, "f", O_RDONLY);
	cr_expect_eq(fsat_hash(fd, 4, NULL, digest, &size), -EFBIG);
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	cr_expect_eq(fsat_hash(fd, 5, NULL, digest, &size), 0);
	sha256_of("hello", 5, want);
	cr_expect_arr_eq(digest, want, 32);
	cr_expect_eq(size, 5u);
	close(fd);
	world_finish(&w);
}

/* What a tool sets with touch: before 1970, and what nanoseconds in 64 bits do not reach. */
Test(fsat, times_of_any_year)
{
	static const struct {
		int64_t mtime_ns;
		struct timespec want;
	} rows[] = {
		{ 0, { 0, 0 } },
		{ 1000000000123456789, { 1000000000, 123456789 } },
		{ -1, { -1, 999999999 } },
		{ -1000000000, { -1, 0 } },
		{ -315619199500000000, { -315619200, 500000000 } },
		{ INT64_MAX, { 9223372036, 854775807 } },
		{ INT64_MIN, { -9223372037, 145224192 } },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct timespec got[2];

		fsat_times(rows[i].mtime_ns, got);
		cr_expect_eq(got[0].tv_nsec, UTIME_OMIT);
		cr_expect_eq(got[1].tv_sec, rows[i].want.tv_sec, "row %zu", i);
		cr_expect_eq(got[1].tv_nsec, rows[i].want.tv_nsec, "row %zu", i);
	}
}

Test(fsat, stat_of_any_year)
{
	static const struct {
		time_t set;
		int64_t want;
	} rows[] = { { -315619200, -315619199500000000 },
		     { 1000000000, 1000000000500000000 },
		     { 9300000000, INT64_MAX } };
	struct fs_stat got;
	struct world w;
	struct stat st;

	world_init(&w);
	world_file(w.ws_fd, "f", "x", 0644);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct timespec times[2] = { { 0, 0 }, { rows[i].set, 500000000 } };

		cr_assert_eq(utimensat(w.ws_fd, "f", times, 0), 0);
		cr_assert_eq(fstatat(w.ws_fd, "f", &st, 0), 0);
		if (st.st_mtim.tv_sec != rows[i].set) {
			cr_log_warn("skipped: the file system has no such year");
			continue;
		}
		cr_expect_eq(fsat_stat(w.ws_fd, "f", &got), 0);
		cr_expect_eq(got.mtime_ns, rows[i].want, "row %zu", i);
	}
	world_finish(&w);
}
