/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a key: whole or none, and what differs. */
#include "../../../launcher/workflow/keys.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../scratch.h"

struct place {
	char path[32];
	int fd;
};

static struct place
place_make(void)
{
	struct place p = { .path = "/tmp/airlock-keys-XXXXXX" };

	cr_assert_not_null(mkdtemp(p.path));
	p.fd = open(p.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(p.fd, 0);
	return p;
}

static void
place_finish(struct place *p)
{
	close(p->fd);
	scratch_remove(p->path);
}

static struct key_entry
entry_of(uint32_t attempt)
{
	struct key_entry e = { .call = "0190b0a0-1111-7222-8333-444455556666", .attempt = attempt };

	memset(e.request, 0xab, sizeof(e.request));
	memset(e.parts, 'c', sizeof(e.parts) - 1);
	return e;
}

Test(keys, what_was_written_is_read)
{
	struct place p = place_make();
	struct key_entry e = entry_of(3), got = { .call = "" };

	cr_expect_eq(keys_read(p.fd, "a key", &got), -ENOENT);
	cr_assert_eq(keys_write(p.fd, "a key", &e), 0);
	cr_assert_eq(keys_read(p.fd, "a key", &got), 0);
	cr_expect_str_eq(got.call, e.call);
	cr_expect_arr_eq(got.request, e.request, sizeof(e.request));
	cr_expect_eq(got.attempt, 3u);
	cr_expect_str_eq(got.parts, e.parts);
	cr_expect_eq(keys_read(p.fd, "another", &got), -ENOENT);
	keys_remove(p.fd, "a key");
	cr_expect_eq(keys_read(p.fd, "a key", &got), -ENOENT);
	place_finish(&p);
}

/* SHA-256 of "k", as sha256sum has it. */
#define NAME_OF_K "key-8254c329a92850f6d539dd376f4816ee2764517da5e0235514af433164480d7a"

Test(keys, what_a_crash_cut_is_no_entry)
{
	struct place p = place_make();
	struct key_entry e = entry_of(1), got;
	char whole[256];
	ssize_t len;
	int fd;

	cr_assert_eq(keys_write(p.fd, "k", &e), 0);
	fd = openat(p.fd, NAME_OF_K, O_RDWR);
	cr_assert_geq(fd, 0);
	len = read(fd, whole, sizeof(whole));
	cr_assert_eq(len, 36 + 1 + 64 + 1 + 1 + 1 + 72 + 1);
	for (off_t cut = 0; cut < len; cut++) {
		cr_assert_eq(ftruncate(fd, cut), 0);
		cr_expect_eq(keys_read(p.fd, "k", &got), -ENOENT, "%d bytes", (int)cut);
		cr_assert_eq(pwrite(fd, whole, (size_t)len, 0), len);
	}
	cr_expect_eq(keys_read(p.fd, "k", &got), 0);
	close(fd);
	place_finish(&p);
}

/* A limit of 0 is as a full disk: no byte can be written. */
Test(keys, what_cannot_be_written_leaves_what_was_there)
{
	const struct rlimit none = { .rlim_max = RLIM_INFINITY },
			    any = { RLIM_INFINITY, RLIM_INFINITY };
	struct place p = place_make();
	struct key_entry first = entry_of(1), second = entry_of(2), got;

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(keys_write(p.fd, "k", &first), 0);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &none), 0);
	cr_expect_eq(keys_write(p.fd, "k", &second), -EFBIG);
	cr_expect_eq(keys_write(p.fd, "new", &second), -EFBIG);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &any), 0);
	cr_assert_eq(keys_read(p.fd, "k", &got), 0);
	cr_expect_eq(got.attempt, 1u);
	cr_expect_eq(keys_read(p.fd, "new", &got), -ENOENT);
	place_finish(&p);
}

/* Who died between the line and the new end of the file. */
Test(keys, what_stands_behind_the_line_is_no_part_of_it)
{
	struct place p = place_make();
	struct key_entry e = entry_of(7), longer = entry_of(10), got;
	char whole[256];
	ssize_t len;
	int fd;

	cr_assert_eq(keys_write(p.fd, "k", &e), 0);
	fd = openat(p.fd, NAME_OF_K, O_RDWR);
	len = read(fd, whole, sizeof(whole));
	cr_assert_eq(keys_write(p.fd, "k", &longer), 0);
	cr_assert_eq(pwrite(fd, whole, (size_t)len, 0), len);
	cr_assert_eq(keys_read(p.fd, "k", &got), 0);
	cr_expect_eq(got.attempt, 7u);
	cr_assert_eq(keys_write(p.fd, "k", &e), 0);
	cr_expect_eq(lseek(fd, 0, SEEK_END), len);
	close(fd);
	place_finish(&p);
}

Test(keys, the_parts_that_differ_are_named)
{
	struct key_entry a = entry_of(1), b = entry_of(1);
	auto_buf text = BUF_INIT;

	keys_put_difference(&text, a.parts, b.parts);
	cr_expect_str_eq(buf_text(&text), "");
	b.parts[REQUEST_ARGV * 8] = 'd';
	b.parts[REQUEST_LIMITS * 8 + 7] = 'd';
	keys_put_difference(&text, a.parts, b.parts);
	cr_expect_str_eq(buf_text(&text), "command, limits");
}
