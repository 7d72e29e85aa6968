/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. What the sections share, and those that depend on nothing else. */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>

#include "../../../launcher/inspect/inspect.h"
#include "../../../launcher/inspect/parse.h"
#include "../../../launcher/probe/try.h"

static struct look
look_at(struct report *r, const char *const *environment)
{
	return (struct look){ .report = r,
			      .arena = ARENA_INIT,
			      .status = BUF_INIT,
			      .mounts = BUF_INIT,
			      .environment = environment };
}

static void
forget(struct look *l)
{
	arena_finish(&l->arena);
	buf_finish(&l->status);
	buf_finish(&l->mounts);
}

Test(inspect_look, results)
{
	cr_expect_str_eq(inspect_result(0), "ok");
	cr_expect_str_eq(inspect_result(EPERM), "EPERM");
	cr_expect_str_eq(inspect_result(EKEYREJECTED), "EKEYREJECTED");
	cr_expect_str_eq(inspect_result(TRY_NO_ANSWER), "killed");
	cr_expect_str_eq(inspect_result(4095), "another error");
}

Test(inspect_look, lines)
{
	struct look l = look_at(NULL, NULL);
	const char *at = "a\n\nb";

	cr_expect_str_eq(inspect_line(&l, &at), "a");
	cr_expect_str_eq(inspect_line(&l, &at), "");
	cr_expect_str_eq(inspect_line(&l, &at), "b");
	cr_expect_null(inspect_line(&l, &at));
	cr_expect_str_eq(inspect_slurp(&l, "/proc/self/none"), "");
	forget(&l);
}

Test(inspect_look, variables)
{
	static const char *const environment[] = { "HOMES=/x", "HOME=/y", NULL };
	struct look l = look_at(NULL, environment);

	cr_expect_str_eq(inspect_variable(&l, "HOME"), "/y");
	cr_expect_null(inspect_variable(&l, "HOM"));
	forget(&l);
}

static bool
count_two(struct look *l, const struct parsed_mount *m, void *context)
{
	(void)l;
	cr_expect_str_eq(m->fs, "tmpfs");
	return ++*(int *)context < 2;
}

/* A damaged line is passed over; who has seen enough is not asked again. */
Test(inspect_look, mounts)
{
	struct look l = look_at(NULL, NULL);
	int count = 0;

	buf_puts(&l.mounts, "1 1 0:1 / /a rw - tmpfs a rw\ndamaged\n2 1 0:1 / /b rw - tmpfs a rw\n"
			    "3 1 0:1 / /c rw - tmpfs a rw\n");
	inspect_each_mount(&l, count_two, &count);
	cr_expect_eq(count, 2);
	forget(&l);
}

Test(inspect_look, names_and_no_values)
{
	static const char *const environment[] = { "API_TOKEN=pl4nted", "B=pl4nted", "NO_VALUE",
						   NULL };
	auto_buf out = BUF_INIT;
	struct report r;
	struct look l = look_at(&r, environment);

	report_init(&r, &out, true);
	see_environment(&l);
	cr_expect_eq(report_finish(&r), 0);
	cr_expect_str_eq(buf_text(&out),
			 "{\"environment\":[{\"credential\":true,\"name\":\"API_TOKEN\"},"
			 "{\"credential\":false,\"name\":\"B\"},"
			 "{\"credential\":false,\"name\":\"NO_VALUE\"}]}\n");
	forget(&l);
}

Test(inspect_look, sets_of_capabilities)
{
	auto_buf out = BUF_INIT;
	struct report r;
	struct look l = look_at(&r, NULL);

	buf_puts(&l.status, "CapInh:\t0\nCapPrm:\t0000000000000003\nCapEff:\t8000010000000000\n"
			    "CapBnd:\t0\n");
	report_init(&r, &out, true);
	see_capabilities(&l);
	cr_expect_eq(report_finish(&r), 0);
	cr_expect_str_eq(buf_text(&out),
			 "{\"capabilities\":{\"ambient\":null,\"bounding\":[],"
			 "\"effective\":[\"checkpoint_restore\",\"cap_63\"],\"inheritable\":[],"
			 "\"permitted\":[\"chown\",\"dac_override\"]}}\n");
	forget(&l);
}

static void
act_kill_itself(const void *what, int fd)
{
	(void)what;
	(void)fd;
	raise(SIGKILL);
}

static void
act_answer(const void *what, int fd)
{
	try_say(fd, *(const int *)what);
}

Test(inspect_look, tries)
{
	const int error = EROFS;

	cr_expect_eq(try_in_child(act_answer, &error, 0), EROFS);
	cr_expect_eq(try_in_child(act_kill_itself, NULL, TRY_NO_ANSWER), TRY_NO_ANSWER);
}
