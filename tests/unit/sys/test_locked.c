/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. Memory that is locked, dumped by nobody, and gone in a child. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../launcher/sys/locked.h"
#include "../mapping.h"

/* A sanitizer takes mlock away. */
static void
expect_hidden(const struct locked *l)
{
	char flags[512];

	mapping_flags(l->data, flags, sizeof(flags));
	cr_expect_not_null(strstr(flags, " dd "), "in no dump: %s", flags);
	cr_expect_not_null(strstr(flags, " dc "), "in no child: %s", flags);
}

Test(locked, flags)
{
	auto_locked l = LOCKED_INIT;

	cr_assert_eq(locked_init(&l, 5000), 0);
	cr_expect_geq(l.size, 5000u);
	cr_expect_eq(l.data[l.size - 1], 0);
	expect_hidden(&l);
	locked_finish(&l);
	cr_expect_null(l.data);
	locked_finish(&l);
}

Test(locked, shared)
{
	auto_locked l = LOCKED_INIT, other = LOCKED_INIT;
	auto_fd fd = -1;

	cr_assert_eq(locked_share(&l, 5000, &fd), 0);
	cr_assert_eq(locked_map(fd, &other), 0);
	cr_expect_eq(other.size, l.size);
	expect_hidden(&l);
	expect_hidden(&other);
	l.data[4999] = 7;
	cr_expect_eq(other.data[4999], 7);
	locked_finish(&other);
	cr_expect_eq(l.data[4999], 0, "wiped for all");
	cr_expect_eq(locked_map(-1, &other), -EBADF);
}

Test(locked, gone_in_a_child)
{
	auto_locked l = LOCKED_INIT;
	int status = 0;
	pid_t pid;

	cr_assert_eq(locked_init(&l, 1), 0);
	l.data[0] = 7;
	pid = fork();
	if (pid == 0) {
		struct sigaction fatal = { .sa_handler = SIG_DFL };

		sigaction(SIGSEGV, &fatal, NULL);
		_exit(*(volatile uint8_t *)l.data);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV, "%x", (unsigned int)status);
	cr_expect_eq(l.data[0], 7);
}
