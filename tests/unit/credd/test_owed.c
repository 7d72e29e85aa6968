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
		cr_assert_eq(owed_tried(fd, 17, "first"), 0);
		cr_assert_eq(owed_tried(fd, 99, "it says \"no\""), 0);
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
	cr_assert_eq(owed_tried(fd, 5, "x"), 0);
	cr_assert_eq(lseek(fd, 0, SEEK_SET), 0);
	cr_assert_eq(fdio_slurp(fd, OWED_MAX, &bytes), 0);
	cr_assert_eq(owed_read(&bytes, &arena, &got), 0);
	cr_expect_str_eq(got.handle, "");
	cr_expect_eq(got.tries, 1u);
	arena_finish(&arena);
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
