/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks for what a sandbox denies, as its arguments say, and prints what it got: "ptrace", "mount",
 * "netlink", "fork N" (N processes at once), "kinds N" (N different families of sockets).
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void
tell(const char *what, long rc)
{
	printf("%s %s\n", what, rc < 0 ? strerrorname_np(errno) : "ok");
}

static long
fork_many(int count)
{
	long rc = 0;

	for (int i = 0; rc >= 0 && i < count; i++) {
		rc = fork();
		if (rc == 0) {
			pause();
			_exit(0);
		}
	}
	return rc;
}

int
main(int argc, char **argv)
{
	int count = argc > 2 ? atoi(argv[2]) : 0;
	long rc = -1;

	if (argc < 2) {
		return 2;
	}
	if (strcmp(argv[1], "ptrace") == 0) {
		rc = ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	} else if (strcmp(argv[1], "mount") == 0) {
		rc = mount("none", "/tmp", "tmpfs", 0, NULL);
	} else if (strcmp(argv[1], "netlink") == 0) {
		rc = socket(AF_NETLINK, SOCK_RAW, 0);
	} else if (strcmp(argv[1], "fork") == 0) {
		rc = fork_many(count);
	} else if (strcmp(argv[1], "kinds") == 0) {
		for (int i = 0; i < count; i++) {
			rc = socket(1000 + i, SOCK_RAW, 0);
		}
	}
	tell(argv[1], rc);
	return 0;
}
