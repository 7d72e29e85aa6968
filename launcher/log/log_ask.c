/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-log as the caller. HTTP is another program's, which has nothing of this one but a
 * request and two pipes.
 */
#include "log_ask.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>

#include "../base/cleanup.h"
#include "../base/fdio.h"

#define TIMEOUT_MS "2000" /* readers wait for whoever has the index */
#define ANSWER_MAX (64u << 10)
#define EXIT_CONFLICT 4

static int
start(const char *program, const char *url, int in, int out, pid_t *ret_pid)
{
	char *const argv[] = { "airlock-witness", "submit",   "--url", (char *)(uintptr_t)url,
			       "--timeout",	  TIMEOUT_MS, NULL };
	posix_spawn_file_actions_t actions;
	int rc = posix_spawn_file_actions_init(&actions);

	if (rc != 0) {
		return -rc;
	}
	rc = posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
	if (rc == 0) {
		rc = posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	}
	if (rc == 0) {
		rc = posix_spawn(ret_pid, program, &actions, NULL, argv, environ);
	}
	ignore_err(posix_spawn_file_actions_destroy(&actions), "it frees memory");
	return -rc;
}

static int
wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR) {
			return -EPROTO;
		}
	}
	if (!WIFEXITED(status)) {
		return -EPROTO;
	}
	return WEXITSTATUS(status) == 0		    ? 0
	     : WEXITSTATUS(status) == EXIT_CONFLICT ? -EAGAIN
						    : -EPROTO;
}

int
log_ask(const char *program, const char *url, const struct buf *request, struct buf *ret_answer)
{
	auto_fd in = fdio_memfd("airlock-request", request->data, request->len);
	int pipes[2] = { -1, -1 };
	pid_t pid = -1;
	int rc = in < 0 ? in : 0, read_rc;

	if (rc == 0 && pipe2(pipes, O_CLOEXEC) < 0) {
		rc = -errno;
	}
	if (rc == 0) {
		rc = start(program, url, in, pipes[1], &pid);
	}
	cleanup_fd(&pipes[1]);
	if (rc != 0) {
		cleanup_fd(&pipes[0]);
		return -EPROTO;
	}
	read_rc = fdio_slurp(pipes[0], ANSWER_MAX, ret_answer);
	cleanup_fd(&pipes[0]);
	rc = wait_for(pid);
	return read_rc != 0 ? -EPROTO : rc;
}
