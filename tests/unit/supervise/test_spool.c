/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of spool.c. Run by anybody, in a temporary directory. */
#include "../../../launcher/supervise/spool.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "../../../launcher/base/fdio.h"
#include "../../../launcher/supervise/spool_internal.h"

static char dir_path[] = "/tmp/airlock-spool-XXXXXX";
static int dir_fd = -1;

static void
set_up(void)
{
	cr_assert_not_null(mkdtemp(dir_path));
	dir_fd = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(dir_fd, 0);
}

static void
tear_down(void)
{
	close(dir_fd);
	cr_assert_eq(rmdir(dir_path), 0, "a spool left a name behind");
}

TestSuite(spool, .init = set_up, .fini = tear_down);

static void
fill(uint8_t *data, size_t len, uint32_t seed)
{
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525u + 1013904223u;
		data[i] = (uint8_t)(seed >> 24);
	}
}

static void
expect_digest(const struct spool *s, const void *data, size_t len)
{
	uint8_t want[SHA256_SIZE], got[SHA256_SIZE];

	sha256_of(data, len, want);
	spool_digest(s, got);
	cr_assert_eq(memcmp(want, got, sizeof(want)), 0);
}

static void
expect_file(const struct spool *s, const void *data, size_t len)
{
	auto_free uint8_t *back = malloc(len + 1);
	struct stat st;

	cr_assert_not_null(back);
	cr_assert_eq(fstat(s->fd, &st), 0);
	cr_assert_eq((uint64_t)st.st_size, (uint64_t)len);
	cr_assert_eq(st.st_nlink, 0u);
	cr_assert_eq(st.st_mode & 07777u, 0600u);
	cr_assert_eq(fdio_pread(s->fd, back, len, 0), 0);
	cr_assert_eq(memcmp(back, data, len), 0);
}

Test(spool, empty)
{
	struct spool s;

	spool_init(&s, dir_fd, 100);
	cr_assert_eq(s.fd, -1);
	cr_assert_eq(s.kept_bytes, 0u);
	expect_digest(&s, "", 0);
	spool_finish(&s);
}

Test(spool, exactly_the_memory_stays_in_memory)
{
	auto_free uint8_t *data = malloc(SPOOL_MEMORY);
	struct spool s;

	fill(data, SPOOL_MEMORY, 1);
	spool_init(&s, dir_fd, UINT64_MAX);
	cr_assert_eq(spool_add(&s, data, 1), 0);
	cr_assert_eq(spool_add(&s, data + 1, SPOOL_MEMORY - 1), 0);
	cr_assert_eq(s.fd, -1);
	cr_assert_eq(s.memory.len, SPOOL_MEMORY);
	cr_assert_eq(memcmp(s.memory.data, data, SPOOL_MEMORY), 0);
	expect_digest(&s, data, SPOOL_MEMORY);
	spool_finish(&s);
}

Test(spool, one_byte_more_goes_to_a_file)
{
	const size_t len = SPOOL_MEMORY + 1;
	auto_free uint8_t *data = malloc(len + 5000);
	struct spool s;

	fill(data, len + 5000, 2);
	spool_init(&s, dir_fd, UINT64_MAX);
	cr_assert_eq(spool_add(&s, data, SPOOL_MEMORY), 0);
	cr_assert_eq(spool_add(&s, data + SPOOL_MEMORY, 1), 0);
	cr_assert_geq(s.fd, 0);
	cr_assert_eq(s.memory.len, 0u);
	expect_file(&s, data, len);
	expect_digest(&s, data, len);
	cr_assert_eq(spool_add(&s, data + len, 5000), 0);
	expect_file(&s, data, len + 5000);
	expect_digest(&s, data, len + 5000);
	cr_assert_eq(s.total_bytes, len + 5000u);
	spool_finish(&s);
	cr_assert_eq(s.fd, -1);
}

Test(spool, first_bytes_too_many_for_memory)
{
	const size_t len = 3 * SPOOL_MEMORY;
	auto_free uint8_t *data = malloc(len);
	struct spool s;

	fill(data, len, 3);
	spool_init(&s, dir_fd, UINT64_MAX);
	cr_assert_eq(spool_add(&s, data, len), 0);
	expect_file(&s, data, len);
	spool_finish(&s);
}

Test(spool, past_the_cap_is_hashed_and_counted)
{
	uint8_t data[300];
	struct spool s;

	fill(data, sizeof(data), 4);
	spool_init(&s, dir_fd, 150);
	for (size_t at = 0; at < sizeof(data); at += 100) {
		cr_assert_eq(spool_add(&s, data + at, 100), 0);
	}
	cr_assert_eq(s.kept_bytes, 150u);
	cr_assert_eq(s.total_bytes, 300u);
	cr_assert_eq(s.memory.len, 150u);
	cr_assert_eq(memcmp(s.memory.data, data, 150), 0);
	expect_digest(&s, data, 300);
	spool_finish(&s);
}

Test(spool, cap_inside_the_file)
{
	const size_t len = 2 * SPOOL_MEMORY;
	const size_t cap = SPOOL_MEMORY + 77;
	auto_free uint8_t *data = malloc(len);
	struct spool s;

	fill(data, len, 5);
	spool_init(&s, dir_fd, cap);
	cr_assert_eq(spool_add(&s, data, SPOOL_MEMORY), 0);
	cr_assert_eq(spool_add(&s, data + SPOOL_MEMORY, SPOOL_MEMORY), 0);
	expect_file(&s, data, cap);
	cr_assert_eq(s.total_bytes, len + 0u);
	expect_digest(&s, data, len);
	spool_finish(&s);
}

Test(spool, no_directory_is_an_error_that_changes_nothing)
{
	auto_free uint8_t *data = malloc(SPOOL_MEMORY);
	struct spool s;

	fill(data, SPOOL_MEMORY, 6);
	spool_init(&s, -1, UINT64_MAX);
	cr_assert_eq(spool_add(&s, data, SPOOL_MEMORY), 0);
	cr_assert_eq(spool_add(&s, "x", 1), -EBADF);
	cr_assert_eq(s.kept_bytes, (uint64_t)SPOOL_MEMORY);
	cr_assert_eq(s.total_bytes, (uint64_t)SPOOL_MEMORY);
	cr_assert_eq(memcmp(s.memory.data, data, SPOOL_MEMORY), 0);
	expect_digest(&s, data, SPOOL_MEMORY);
	spool_finish(&s);
}

/* A full disk, as RLIMIT_FSIZE does it: a part of the write succeeds, then -EFBIG. */
Test(spool, failed_write_is_cut_off_again)
{
	const size_t len = 2 * SPOOL_MEMORY;
	const struct rlimit limit = { len + 10, RLIM_INFINITY };
	auto_free uint8_t *data = malloc(len + 20);
	struct spool s;

	fill(data, len + 20, 7);
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	spool_init(&s, dir_fd, UINT64_MAX);
	cr_assert_eq(spool_add(&s, data, len), 0);
	cr_assert_eq(spool_add(&s, data + len, 20), -EFBIG);
	cr_assert_eq(s.kept_bytes, (uint64_t)len);
	expect_file(&s, data, len);
	expect_digest(&s, data, len);
	spool_finish(&s);
}

Test(spool, a_named_file_leaves_no_name)
{
	auto_fd fd = spool_open_named(dir_fd);
	struct stat st;

	cr_assert_geq(fd, 0);
	cr_assert_eq(fstat(fd, &st), 0);
	cr_assert_eq(st.st_nlink, 0u);
	cr_assert_eq(st.st_mode & 07777u, 0600u);
	cr_assert_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	cr_assert_eq(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR);
}

Test(spool, a_named_file_needs_a_directory)
{
	cr_assert_eq(spool_open_named(-1), -EBADF);
}
