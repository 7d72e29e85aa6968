/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. What is owed to resolvers is read as written, cut short or not. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "../../../launcher/base/fdio.h"
#include "../../../launcher/credd/owed.h"

static const char *command[] = { "/usr/bin/resolver", "--x=\"y\\z\"", "" };

static const struct owed sample = { .bundle = "acme",
				    .item = "gh",
				    .call = "01a21788-229a-770a-92c8-3a0ab7942134",
				    .provider = "vault",
				    .id = "kv/gh",
				    .profile = "resolver",
				    .command = command,
				    .command_count = 3 };

/* A file with these lines: each is written where its bit is set. */
static void
write_file(unsigned int lines, struct buf *ret)
{
	auto_fd fd = fdio_memfd("owed", "", 0);

	cr_assert_geq(fd, 0);
	if ((lines & 1) != 0) {
		cr_assert_eq(owed_begin(fd, &sample), 0);
	}
	if ((lines & 2) != 0) {
		cr_assert_eq(owed_answered(fd, "h", false), 0);
	}
	if ((lines & 4) != 0) {
		cr_assert_eq(owed_tried(fd, &sample, 17, "first"), 0);
		cr_assert_eq(owed_tried(fd, &sample, 99, "it says \"no\""), 0);
	}
	if ((lines & 8) != 0) {
		cr_assert_eq(owed_answered(fd, "", true), 0);
	}
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	cr_assert_eq(fdio_slurp(fd, OWED_MAX, ret), 0);
}

Test(owed, what_is_written_is_read)
{
	struct arena arena = ARENA_INIT;
	auto_buf bytes = BUF_INIT;
	struct owed got;

	write_file(7, &bytes);
	cr_assert_eq(owed_read(&bytes, &arena, &got), 0);
	cr_expect_str_eq(got.bundle, sample.bundle);
	cr_expect_str_eq(got.item, sample.item);
	cr_expect_str_eq(got.call, sample.call);
	cr_expect_str_eq(got.provider, sample.provider);
	cr_expect_str_eq(got.id, sample.id);
	cr_expect_str_eq(got.profile, sample.profile);
	cr_assert_eq(got.command_count, 3u);
	for (size_t i = 0; i < 3; i++) {
		cr_expect_str_eq(got.command[i], command[i]);
	}
	cr_expect_str_eq(got.handle, "h");
	cr_expect_eq(got.is_none, false);
	cr_expect_eq(got.tries, 2u);
	cr_expect_eq(got.tried_ms, 99u);
	arena_finish(&arena);
}

Test(owed, nothing_given)
{
	struct arena arena = ARENA_INIT;
	auto_buf bytes = BUF_INIT;
	struct owed got;

	write_file(9, &bytes);
	cr_assert_eq(owed_read(&bytes, &arena, &got), 0);
	cr_expect_eq(got.is_none, true);
	arena_finish(&arena);
}

Test(owed, cut_anywhere_it_says_less)
{
	auto_buf whole = BUF_INIT, first = BUF_INIT, answered = BUF_INIT;

	write_file(1, &first);
	write_file(3, &answered);
	write_file(7, &whole);
	for (size_t len = 0; len <= whole.len; len++) {
		struct arena arena = ARENA_INIT;
		auto_buf cut = BUF_INIT;
		struct owed got = { .tries = 0 };
		int rc;

		buf_put(&cut, whole.data, len);
		rc = owed_read(&cut, &arena, &got);
		cr_expect_eq(rc, len < first.len ? -ENODATA : 0, "%zu", len);
		if (rc == 0) {
			cr_expect_str_eq(got.handle, len < answered.len ? "" : "h", "%zu", len);
			cr_expect_leq(got.tries, 2u);
		}
		arena_finish(&arena);
	}
}

Test(owed, a_line_behind_one_that_was_cut)
{
	struct arena arena = ARENA_INIT;
	auto_buf bytes = BUF_INIT, first = BUF_INIT, whole = BUF_INIT;
	auto_fd fd = fdio_memfd("owed", "", 0);
	struct owed got;

	write_file(1, &first);
	write_file(3, &whole);
	cr_assert_eq(fdio_write(fd, whole.data, whole.len - 3), 0);
	cr_assert_eq(owed_tried(fd, &sample, 5, "x"), 0);
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	cr_assert_eq(fdio_slurp(fd, OWED_MAX, &bytes), 0);
	cr_assert_eq(owed_read(&bytes, &arena, &got), 0);
	cr_expect_str_eq(got.handle, "");
	cr_expect_eq(got.tries, 1u);
	arena_finish(&arena);
}

/* What the file says now. */
static void
read_back(int fd, struct arena *arena, struct buf *bytes, struct owed *ret)
{
	buf_reset(bytes);
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	cr_assert_eq(fdio_slurp(fd, OWED_MAX, bytes), 0);
	cr_assert_eq(owed_read(bytes, arena, ret), 0);
}

Test(owed, who_fails_for_ever_has_a_file_that_is_read)
{
	auto_buf bytes = BUF_INIT, said = BUF_INIT;
	auto_fd fd = fdio_memfd("owed", "", 0);
	const size_t line_len = 300;
	char error[300];
	size_t most = 0;

	memset(error, 'x', sizeof(error));
	error[sizeof(error) - 1] = '\0';
	write_file(3, &said);
	cr_assert_eq(fdio_write(fd, said.data, said.len), 0);
	for (uint64_t i = 1; i <= 3 * (OWED_TRIES_MAX / line_len); i++) {
		struct arena arena = ARENA_INIT;
		struct owed got;

		read_back(fd, &arena, &bytes, &got);
		cr_assert_str_eq(got.handle, "h");
		cr_assert_eq(got.said_len, said.len);
		cr_assert_eq(owed_tried(fd, &got, i, error), 0);
		read_back(fd, &arena, &bytes, &got);
		cr_assert_eq(got.tried_ms, i);
		cr_assert_eq(memcmp(bytes.data, said.data, said.len), 0);
		most = bytes.len > most ? bytes.len : most;
		arena_finish(&arena);
	}
	cr_expect_gt(most, OWED_TRIES_MAX, "control: they are kept until then");
	cr_expect_leq(most, OWED_TRIES_MAX + 2 * line_len);
}

Test(owed, a_tail_of_zeros)
{
	auto_buf whole = BUF_INIT, first = BUF_INIT, answered = BUF_INIT;

	write_file(1, &first);
	write_file(3, &answered);
	write_file(7, &whole);
	for (size_t len = 0; len <= whole.len; len++) {
		struct arena arena = ARENA_INIT;
		auto_buf bytes = BUF_INIT;
		auto_fd fd = -1;
		struct owed got = { .tries = 0 };
		int rc;

		buf_put(&bytes, whole.data, len);
		for (int i = 0; i < 5; i++) {
			buf_putc(&bytes, '\0');
		}
		rc = owed_read(&bytes, &arena, &got);
		cr_expect_eq(rc, len < first.len ? -EBADMSG : 0, "%zu", len);
		if (rc == 0) {
			const uint64_t tries = got.tries;

			cr_expect_str_eq(got.handle, len < answered.len ? "" : "h", "%zu", len);
			/* and what is written behind it is there */
			fd = fdio_memfd("owed", bytes.data, bytes.len);
			cr_assert_eq(owed_tried(fd, &got, 5, "x"), 0);
			read_back(fd, &arena, &bytes, &got);
			cr_expect_eq(got.tries, tries + 1, "%zu", len);
		}
		arena_finish(&arena);
	}
}

#define REST "\"id\":\"i\",\"item\":\"x\",\"profile\":\"p\",\"provider\":\"v\"}\n"
#define FIRST(bundle, command) "{\"bundle\":" bundle ",\"call\":\"c\",\"command\":" command "," REST

Test(owed, what_is_no_such_file)
{
	static const char *const rows[] = {
		"x\n",
		"{}\n",
		"{\"bundle\":\"a\"}\n",
		FIRST("\"a\"", "[]"),
		FIRST("\"a\"", "[1]"),
		FIRST("\"a\"", "\"c\""),
		FIRST("1", "[\"c\"]"),
	};
	struct arena arena = ARENA_INIT;
	auto_buf right = BUF_INIT;
	struct owed got;

	buf_puts(&right, FIRST("\"a\"", "[\"c\"]"));
	cr_expect_eq(owed_read(&right, &arena, &got), 0, "control");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		auto_buf bytes = BUF_INIT;

		buf_puts(&bytes, rows[i]);
		cr_expect_eq(owed_read(&bytes, &arena, &got), -EBADMSG, "%s", rows[i]);
	}
	arena_finish(&arena);
}

Test(owed, a_name)
{
	auto_buf name = BUF_INIT;

	owed_name("c", "gh", &name);
	cr_expect_str_eq(buf_text(&name), "c.gh");
}

Test(owed, is_due_after_intervals_that_double_up_to_85_minutes)
{
	static const uint64_t wait_ms[] = { 0,	    10000,  20000,   40000,   80000,   160000,
					    320000, 640000, 1280000, 2560000, 5120000, 5120000 };
	struct owed o = { .tried_ms = 1000 };

	for (o.tries = 0; o.tries < sizeof(wait_ms) / sizeof(wait_ms[0]); o.tries++) {
		uint64_t due_ms = o.tried_ms + wait_ms[o.tries];

		cr_expect(owed_is_due(&o, due_ms), "%u", (unsigned int)o.tries);
		cr_expect_eq(owed_is_due(&o, due_ms - 1), o.tries == 0, "%u",
			     (unsigned int)o.tries);
	}
	cr_expect(owed_is_due(&o, 0), "the clock was set back");
}

Test(owed, a_file_that_is_cut_keeps_the_count)
{
	struct arena arena = ARENA_INIT;
	auto_buf bytes = BUF_INIT, filler = BUF_INIT, again = BUF_INIT;
	auto_fd fd = fdio_memfd("owed", "", 0);
	struct owed got;

	write_file(7, &bytes);
	cr_assert_eq(owed_read(&bytes, &arena, &got), 0);
	cr_assert_eq(fdio_write(fd, bytes.data, bytes.len), 0);
	for (unsigned int i = 0; i <= OWED_TRIES_MAX; i++) {
		buf_putc(&filler, '\n');
	}
	cr_assert_eq(fdio_write(fd, filler.data, filler.len), 0);
	cr_assert_eq(owed_tried(fd, &got, 100, "x"), 0);
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	cr_assert_eq(fdio_slurp(fd, OWED_MAX, &again), 0);
	cr_expect_lt(again.len, bytes.len + 64);
	cr_assert_eq(owed_read(&again, &arena, &got), 0);
	cr_expect_eq(got.tries, 3u);
	cr_expect_eq(got.tried_ms, 100u);
	arena_finish(&arena);
}
