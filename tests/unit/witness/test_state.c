/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. What a witness remembers, and who may touch it. */
#include <criterion/criterion.h>
#include <errno.h>

#include "../../../launcher/witness/state.h"
#include "../evidence/log_temp.h"
#include "../evidence/note_golden.h"

static struct err err;

static int
open_in(const struct log_temp *t, const char *name)
{
	char path[128];
	int fd = -1;
	int r;

	snprintf(path, sizeof(path), "%s/%s", t->path, name);
	r = witness_state_open(path, &fd, &err);
	return r < 0 ? r : fd;
}

Test(state, remembers)
{
	auto_log_temp t = log_temp_make();
	auto_fd fd = open_in(&t, "a/b");
	struct checkpoint c;
	char hex[HEX_DIGEST_SIZE];

	cr_assert_geq(fd, 0, "%s", err.text);
	cr_assert_eq(witness_state_read(fd, LOG_NAME, &c, &err), 0);
	cr_expect_eq(c.size, 0);
	text_hex(c.root, sizeof(c.root), hex);
	cr_expect_str_eq(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	cr_assert_eq(witness_state_write(fd, LOG_NAME, GOLDEN_NOTE, strlen(GOLDEN_NOTE), &err), 0);
	cr_assert_eq(witness_state_read(fd, LOG_NAME, &c, &err), 0, "%s", err.text);
	cr_expect_eq(c.size, 600);
	cr_assert_eq(witness_state_read(fd, "another", &c, &err), 0);
	cr_expect_eq(c.size, 0);
}

Test(state, one_witness_at_a_time)
{
	auto_log_temp t = log_temp_make();
	int fd = open_in(&t, "s");

	cr_assert_geq(fd, 0);
	cr_expect_eq(open_in(&t, "s"), -EBUSY);
	close(fd);
	fd = open_in(&t, "s");
	cr_expect_geq(fd, 0);
	close(fd);
}

Test(state, refuses_a_directory_of_others)
{
	auto_log_temp t = log_temp_make();
	int fd;

	cr_assert_eq(mkdirat(t.fd, "s", 0700), 0);
	cr_assert_eq(fchmodat(t.fd, "s", 0770, 0), 0);
	cr_expect_eq(open_in(&t, "s"), -EPERM);
	cr_expect_not_null(strstr(err.text, "group and others can write"));
	cr_assert_eq(fchmodat(t.fd, "s", 0755, 0), 0);
	fd = open_in(&t, "s");
	cr_expect_geq(fd, 0);
	close(fd);
	fd = openat(t.fd, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	close(fd);
	cr_expect_eq(open_in(&t, "file"), -ENOTDIR);
}

Test(state, a_damaged_file_is_not_an_empty_tree)
{
	auto_log_temp t = log_temp_make();
	auto_fd fd = open_in(&t, "s");
	struct checkpoint c = { .size = 4711 };

	cr_assert_geq(fd, 0);
	cr_assert_eq(witness_state_write(fd, LOG_NAME, "", 0, &err), 0);
	cr_expect_eq(witness_state_read(fd, LOG_NAME, &c, &err), -EBADMSG);
	cr_assert_eq(witness_state_write(fd, LOG_NAME, GOLDEN_NOTE, strlen(GOLDEN_NOTE) - 1, &err),
		     0);
	cr_expect_eq(witness_state_read(fd, LOG_NAME, &c, &err), -EBADMSG);
	cr_expect_not_null(strstr(err.text, "is damaged"));
	/* the note of another log under this one's name */
	cr_assert_eq(witness_state_write(fd, "another", GOLDEN_NOTE, strlen(GOLDEN_NOTE), &err), 0);
	cr_expect_eq(witness_state_read(fd, "another", &c, &err), -EBADMSG);
	cr_expect_eq(c.size, 4711);
}
