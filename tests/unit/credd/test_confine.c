/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. What airlock-credd can still write once it has the values. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../launcher/base/fdio.h"
#include "../../../launcher/credd/confine.h"

enum outcome { ALL_WELL, NOT_CONFINED, PIPE_FAILS, FILE_IS_WRITTEN, ANOTHER_ERROR, CONTROL_FAILS };

static int
write_confined(int file, int pipe)
{
	struct err err = ERR_INIT;

	signal(SIGXFSZ, SIG_IGN); /* else the answer would be a signal */
	if (write(file, "x", 1) != 1) {
		return CONTROL_FAILS;
	}
	if (confine_credd(&err) < 0) {
		return NOT_CONFINED;
	}
	if (write(pipe, "x", 1) != 1) {
		return PIPE_FAILS;
	}
	errno = 0;
	if (write(file, "x", 1) >= 0) {
		return FILE_IS_WRITTEN;
	}
	return errno == EFBIG ? ALL_WELL : ANOTHER_ERROR;
}

Test(confine, no_file_that_is_open_gets_a_byte)
{
	auto_fd file = fdio_memfd("file", "", 0);
	int ends[2], status;
	pid_t pid;

	cr_assert_geq(file, 0);
	cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		/* itself: at a library's _exit a sanitizer does what is not allowed any more */
		syscall(SYS_exit_group, write_confined(file, ends[1]));
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect(WIFEXITED(status));
	cr_expect_eq(WEXITSTATUS(status), ALL_WELL, "%d", WEXITSTATUS(status));
	close(ends[0]);
	close(ends[1]);
}
