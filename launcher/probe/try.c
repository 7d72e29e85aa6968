/* SPDX-License-Identifier: Apache-2.0 */
/* Run by programs of the sandbox, as the tool. A pipe that execve closed shows that it was let. */
#include "try.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANSWER_MS 1000

int
try_in_child(try_act *act, const void *what, int when_closed)
{
	int pipes[2], answer = TRY_NO_ANSWER;
	struct pollfd wait;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) < 0) {
		return errno;
	}
	pid = fork();
	if (pid == 0) {
		act(what, pipes[1]);
		_exit(0);
	}
	close(pipes[1]);
	wait = (struct pollfd){ .fd = pipes[0], .events = POLLIN };
	if (pid > 0 && poll(&wait, 1, ANSWER_MS) > 0 &&
	    read(pipes[0], &answer, sizeof(answer)) != sizeof(answer)) {
		answer = when_closed;
	}
	close(pipes[0]);
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return pid < 0 ? errno : answer;
}

void
try_say(int fd, int answer)
{
	if (write(fd, &answer, sizeof(answer)) != sizeof(answer)) {
		_exit(1);
	}
}
