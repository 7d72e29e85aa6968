/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attest_terminal.c on a process of the test's own that leads a session, or not. Run by anybody. A
 * swapped terminal is refused by what it is, whatever its name says.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../launcher/base/json.h"
#include "../../../launcher/supervise/attest.h"

static int master = -1, slave = -1;
static pid_t tool;
static struct plan plan = { .flags = PLAN_TERMINAL };
static struct attest_request req = { .plan = &plan };

/* leads: with the terminal as its controlling one. */
static void
start(bool leads)
{
	struct winsize size = { .ws_row = 30, .ws_col = 100 };
	struct stat st;
	int said[2];
	char c;

	cr_assert_eq(openpty(&master, &slave, NULL, NULL, &size), 0);
	cr_assert_eq(pipe(said), 0);
	tool = fork();
	if (tool == 0) {
		if (leads) {
			setsid();
			ioctl(slave, TIOCSCTTY, 0);
		}
		if (write(said[1], "x", 1) == 1) {
			pause();
		}
		_exit(1);
	}
	cr_assert_eq(read(said[0], &c, 1), 1);
	close(said[0]);
	close(said[1]);
	cr_assert_eq(fstat(master, &st), 0);
	req.tool_pid = tool;
	req.terminal_fd = master;
	req.early.pts_device = st.st_dev;
}

static void
finish(void)
{
	if (tool > 0) {
		kill(tool, SIGKILL);
		waitpid(tool, NULL, 0);
	}
	close(master);
	close(slave);
}

static void
expect_refused(const char *text)
{
	struct err err = ERR_INIT;

	cr_expect_eq(attest_terminal(&req, &err), -EPERM, "%s", err.text);
	cr_expect_str_eq(err.text, text);
}

static const char foreign[] = "the tool's terminal was not made in the sandbox's own devpts";

TestSuite(attest_terminal, .fini = finish);

Test(attest_terminal, the_tools_own)
{
	auto_buf text = BUF_INIT;
	struct err err = ERR_INIT;
	struct json j;

	start(true);
	cr_expect_eq(attest_terminal(&req, &err), 0, "%s", err.text);
	json_init(&j, &text);
	attest_terminal_json(&req, &j);
	cr_expect_eq(json_error(&j), 0);
	cr_expect_str_eq(buf_text(&text), "{\"columns\":100,\"rows\":30}");
}

Test(attest_terminal, of_another_devpts)
{
	start(true);
	req.early.pts_device++;
	expect_refused(foreign);
}

Test(attest_terminal, the_other_end_is_no_master)
{
	struct err err = ERR_INIT;

	start(true);
	req.terminal_fd = slave;
	cr_expect_eq(attest_terminal(&req, &err), -ENOTTY, "%s", err.text);
}

Test(attest_terminal, another_master)
{
	int other, end;

	start(true);
	cr_assert_eq(openpty(&other, &end, NULL, NULL, NULL), 0);
	req.terminal_fd = other;
	cr_expect_eq(attest_terminal(&req, NULL), -EPERM);
	close(other);
	close(end);
}

Test(attest_terminal, no_controlling_terminal)
{
	start(false);
	cr_expect_eq(attest_terminal(&req, NULL), -EPERM);
}

Test(attest_terminal, no_file_at_all)
{
	start(true);
	req.terminal_fd = -1;
	cr_expect_eq(attest_terminal(&req, NULL), -EBADF);
}

Test(attest_terminal, nothing_planned_nothing_looked_at)
{
	auto_buf text = BUF_INIT;
	struct json j;

	plan.flags = 0;
	req.terminal_fd = -1;
	cr_expect_eq(attest_terminal(&req, NULL), 0);
	json_init(&j, &text);
	attest_terminal_json(&req, &j);
	cr_expect_str_eq(buf_text(&text), "null");
}
