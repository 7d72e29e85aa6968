/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by tests as the identity, outside of any sandbox: stdio HOW COMMAND [ARG...] starts COMMAND
 * the way other programs do, and exits as it does.
 *   sockets  0, 1, 2 are socketpairs and the command leads a session (as a gateway does it). Our
 *   stdin is fed and
 *            then half-closed; what comes back goes to our stdout and stderr
 *   reply    like sockets; "ping" is written only after the command has said something, and only
 *   its end closes
 *   pty      0, 1, 2 are a new terminal of its own; what it shows goes to our stdout
 *   outpty   the same for 1 only; 0 and 2 stay
 *   stray    descriptors 3 to 99 are open: the root directory, a memfd, a pipe
 *   deleted  the current directory is removed first
 */
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static _Noreturn void
run(char **argv)
{
	execvp(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

static int
status_of(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid) {
		return 125;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Whatever is there goes to TO; false at the end. */
static bool
pass(int from, int to)
{
	char bytes[65536];
	ssize_t n = read(from, bytes, sizeof(bytes));

	for (ssize_t at = 0; at < n;) {
		ssize_t done = write(to, bytes + at, (size_t)(n - at));

		if (done <= 0) {
			return false;
		}
		at += done;
	}
	return n > 0;
}

/*
 * A process of its own, so that neither direction waits for the other: our stdin, then the
 * half-close.
 */
static void
feed(int in)
{
	char bytes[65536];
	ssize_t n;

	while ((n = read(STDIN_FILENO, bytes, sizeof(bytes))) > 0) {
		for (ssize_t at = 0; at < n;) {
			ssize_t done = send(in, bytes + at, (size_t)(n - at), MSG_NOSIGNAL);

			if (done <= 0) {
				_exit(0);
			}
			at += done;
		}
	}
	shutdown(in, SHUT_WR);
	_exit(0);
}

static int
with_sockets(char **argv, bool reply)
{
	int s[3][2];
	struct pollfd fds[3];
	pid_t pid, feeder = -1;

	for (int i = 0; i < 3; i++) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s[i]) < 0) {
			return 125;
		}
	}
	pid = fork();
	if (pid == 0) {
		setsid();
		for (int i = 0; i < 3; i++) {
			dup2(s[i][1], i);
		}
		run(argv);
	}
	for (int i = 0; i < 3; i++) {
		close(s[i][1]);
	}
	if (!reply) {
		feeder = fork();
		if (feeder == 0) {
			feed(s[0][0]);
		}
	}
	fds[0] = (struct pollfd){ .fd = -1 };
	fds[1] = (struct pollfd){ .fd = s[1][0], .events = POLLIN };
	fds[2] = (struct pollfd){ .fd = s[2][0], .events = POLLIN };
	while (fds[1].fd >= 0 || fds[2].fd >= 0) {
		if (poll(fds, 3, 30000) <= 0) {
			kill(pid, SIGTERM);
			break;
		}
		for (int i = 1; i < 3; i++) {
			if (fds[i].revents == 0) {
				continue;
			}
			if (!pass(fds[i].fd, i)) {
				fds[i].fd = -1;
			} else if (reply && i == 1) {
				send(s[0][0], "ping\n", 5, MSG_NOSIGNAL);
				reply = false;
			}
		}
	}
	if (feeder > 0) {
		kill(feeder, SIGKILL);
		status_of(feeder);
	}
	return status_of(pid);
}

static int
with_pty(char **argv, bool only_output)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	struct termios raw;
	int master, slave;
	pid_t pid;

	if (openpty(&master, &slave, NULL, NULL, &size) < 0 || tcgetattr(slave, &raw) < 0) {
		return 125;
	}
	cfmakeraw(&raw);
	tcsetattr(slave, TCSANOW, &raw);
	fcntl(master, F_SETFD, FD_CLOEXEC);
	pid = fork();
	if (pid == 0) {
		if (!only_output) {
			setsid();
			ioctl(slave, TIOCSCTTY, 0);
			dup2(slave, 0);
			dup2(slave, 2);
		}
		dup2(slave, 1);
		close(slave);
		run(argv);
	}
	close(slave);
	while (pass(master, STDOUT_FILENO)) {
	}
	return status_of(pid);
}

static int
with_stray(char **argv)
{
	int dir = open("/", O_RDONLY | O_DIRECTORY);
	int mem = memfd_create("stray", 0);
	int p[2];

	if (dir < 0 || mem < 0 || pipe(p) < 0) {
		return 125;
	}
	for (int fd = 3; fd <= 99; fd++) {
		int from = fd % 3 == 0 ? dir : fd % 3 == 1 ? mem : p[1];

		if (fcntl(fd, F_GETFD) < 0 && dup2(from, fd) < 0) {
			return 125;
		}
	}
	run(argv);
}

int
main(int argc, char **argv)
{
	const char *how = argc > 2 ? argv[1] : "";

	if (strcmp(how, "sockets") == 0 || strcmp(how, "reply") == 0) {
		return with_sockets(argv + 2, how[0] == 'r');
	}
	if (strcmp(how, "pty") == 0 || strcmp(how, "outpty") == 0) {
		return with_pty(argv + 2, how[0] == 'o');
	}
	if (strcmp(how, "stray") == 0) {
		return with_stray(argv + 2);
	}
	if (strcmp(how, "deleted") == 0) {
		char here[4096];

		if (getcwd(here, sizeof(here)) == NULL || rmdir(here) < 0) {
			perror("rmdir");
			return 125;
		}
		run(argv + 2);
	}
	fprintf(stderr, "usage: stdio sockets|reply|pty|outpty|stray|deleted COMMAND [ARG...]\n");
	return 125;
}
