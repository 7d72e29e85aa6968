/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by tests/e2e/run around every test file, as whoever runs the suite: reap SECONDS COMMAND
 * [ARG...]. Becomes the subreaper of all that COMMAND starts and exits with its status. What is
 * still alive SECONDS after COMMAND ended is named on stdout, one "leftover PID NAME" a line, and
 * killed.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static long long
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* Names and kills the direct children that are left; theirs come up to us by and by. */
static void
end_children(void)
{
	FILE *list;
	char path[64];
	int pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	list = fopen(path, "re");
	while (list != NULL && fscanf(list, "%d", &pid) == 1) {
		char name[64] = "?";
		FILE *comm;

		snprintf(path, sizeof(path), "/proc/%d/comm", pid);
		comm = fopen(path, "re");
		if (comm != NULL && fscanf(comm, "%63[^\n]", name) != 1) {
			name[0] = '?';
		}
		if (comm != NULL) {
			fclose(comm);
		}
		printf("leftover %d %s\n", pid, name);
		kill(pid, SIGKILL);
	}
	if (list != NULL) {
		fclose(list);
	}
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	long long deadline = 0;
	int status = 0, result = 125;
	pid_t child;

	if (argc < 3 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) {
		return 125;
	}
	/* a shell ignores both for what it runs beside itself */
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	child = fork();
	if (child == 0) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	for (;;) {
		pid_t pid = waitpid(-1, &status, deadline == 0 ? 0 : WNOHANG);

		if (pid == child) {
			result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
			deadline = now_ms() + atoi(argv[1]) * 1000LL;
		} else if (pid < 0 && errno == ECHILD) {
			return result;
		} else if (pid == 0 && now_ms() < deadline) {
			nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
		} else if (pid == 0) {
			end_children();
			result = 125;
			deadline = now_ms() + 1000;
		}
	}
}
