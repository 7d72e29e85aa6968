/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by a test, outside: netns_listen PID PORT each|fd COMMAND [ARG...]. Listens on
 * 127.0.0.1:PORT of the network namespace that the process PID is in, as nothing of a call could
 * do for it, and serves it from here: with "each" COMMAND once for each connection, which is its
 * stdin and stdout; with "fd" it becomes COMMAND, with the listening socket as descriptor 3
 * (sd_listen_fds(3)). Says "listening" when a client can connect; ends with whoever started it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LISTEN_FD 3

static void __attribute__((noreturn)) die(const char *what)
{
	fprintf(stderr, "netns_listen: %s: %s\n", what, strerror(errno));
	exit(125);
}

static int
open_namespace(const char *pid, const char *kind)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%s/ns/%s", pid, kind);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		die(path);
	}
	return fd;
}

/* Who has no power over the network has it in the user namespace that he made. */
static void
enter(const char *pid)
{
	int net = open_namespace(pid, "net"), user = open_namespace(pid, "user");

	if (setns(net, CLONE_NEWNET) < 0 &&
	    (setns(user, CLONE_NEWUSER) < 0 || setns(net, CLONE_NEWNET) < 0)) {
		die("enter the namespace");
	}
	close(net);
	close(user);
}

static void
listen_there(const char *pid, int port)
{
	const struct sockaddr_in at = { .sin_family = AF_INET,
					.sin_port = htons((uint16_t)port),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const int on = 1;
	int fd;

	enter(pid);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 16) < 0 ||
	    dup2(fd, LISTEN_FD) < 0) {
		die("listen");
	}
	if (fd != LISTEN_FD) {
		close(fd);
	}
}

/* A child enters, and shares its descriptors: this process stays where it is. */
static void
listen_from_here(const char *pid, int port)
{
	int status;
	pid_t child;

	if (fcntl(LISTEN_FD, F_GETFD) >= 0) {
		close(LISTEN_FD); /* inherited by chance */
	}
	child = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, NULL, NULL, NULL, NULL);
	if (child < 0) {
		die("clone");
	}
	if (child == 0) {
		listen_there(pid, port);
		_exit(0);
	}
	if (waitpid(child, &status, 0) != child || status != 0) {
		exit(125);
	}
}

static void
serve(char **command)
{
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int connection = accept4(LISTEN_FD, NULL, NULL, SOCK_CLOEXEC);
		pid_t child = connection < 0 ? -1 : fork();

		if (child == 0) {
			signal(SIGCHLD, SIG_DFL);
			close(LISTEN_FD);
			dup2(connection, STDIN_FILENO);
			dup2(connection, STDOUT_FILENO);
			execvp(command[0], command);
			die(command[0]);
		}
		if (child < 0 && errno != EINTR && errno != ECONNABORTED) {
			die("serve a connection");
		}
		close(connection);
	}
}

int
main(int argc, char **argv)
{
	char pid[16];

	if (argc < 5) {
		fputs("usage: netns_listen PID PORT each|fd COMMAND [ARG...]\n", stderr);
		return 125;
	}
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	listen_from_here(argv[1], (int)strtol(argv[2], NULL, 10));
	puts("listening");
	fflush(stdout);
	if (strcmp(argv[3], "each") == 0) {
		serve(argv + 4);
	}
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("LISTEN_FDS", "1", 1);
	setenv("LISTEN_PID", pid, 1);
	execvp(argv[4], argv + 4);
	die(argv[4]);
}
