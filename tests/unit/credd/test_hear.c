/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. How a resolver ended is known, or it has not done its work. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "../../../launcher/base/cleanup.h"
#include "../../../launcher/base/fdio.h"
#include "../../../launcher/credd/hear.h"

#define SAID "what it says"

/* A child that says so and ends with that status: what is heard of it. */
static int
hear_of(int status, const char *result, struct heard *ret, struct err *err)
{
	auto_fd result_fd = fdio_memfd("result", result, strlen(result));
	uint8_t data[64];
	int ends[2], rc;
	pid_t pid;

	cr_assert_geq(result_fd, 0);
	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		_exit(write(ends[1], SAID, sizeof(SAID) - 1) == sizeof(SAID) - 1 ? status : 99);
	}
	cr_assert_gt(pid, 0);
	close(ends[1]);
	rc = hear(ends[0], result_fd, pid, data, sizeof(data), ret, err);
	close(ends[0]);
	cr_expect_eq(ret->len, sizeof(SAID) - 1);
	cr_expect_eq(memcmp(data, SAID, sizeof(SAID) - 1), 0);
	return rc;
}

Test(hear, one_that_does_its_work)
{
	struct err err = ERR_INIT;
	struct heard heard;

	cr_expect_eq(hear_of(0, "{\"verdict\":\"ok\"}", &heard, &err), 0, "%s", err.text);
	cr_expect_eq(heard.has_not_run, false);
}

Test(hear, one_that_fails)
{
	struct err err = ERR_INIT;
	struct heard heard;

	cr_expect_eq(hear_of(3, "{\"verdict\":\"failed\"}", &heard, &err), -ECHILD);
	cr_expect_str_eq(err.text, "its resolver ended with status 3 (call none)");
}

/* Its status is lost then, and that is not 0. */
Test(hear, one_whose_end_nobody_is_told_of)
{
	static const char *const results[] = { "{\"verdict\":\"ok\"}", "{\"verdict\":\"failed\"}",
					       "" };

	cr_assert_neq(signal(SIGCHLD, SIG_IGN), SIG_ERR);
	for (size_t i = 0; i < ARRAY_LEN(results); i++) {
		struct err err = ERR_INIT;
		struct heard heard;

		cr_expect_eq(hear_of(0, results[i], &heard, &err), -ECHILD, "%s", results[i]);
	}
}
