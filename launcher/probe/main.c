/* SPDX-License-Identifier: Apache-2.0 */
/*
 * airlock-probe: the program that `airlock profile test --live` runs in a sandbox. It runs as the
 * tool, trusts its standard input, and does there what each line asks: "see PATH", "read PATH",
 * "write PATH", "execute PATH", "environment NAME", "syscall NUMBER SIX ARGUMENTS". It answers each
 * with a line: the errno, 0 when it was let, "none" when the call did not come back.
 * Nothing that is there is changed: a file is opened and not written, what it makes it removes, and
 * an executed program dies before its first instruction.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "try.h"

#define LINE_MAX_BYTES 8192

static int
try_see(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 ? errno : 0;
}

static int
try_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int error = fd < 0 ? errno : 0;

	if (fd >= 0) {
		close(fd);
	}
	return error;
}

/* A directory is written by making a name in it. */
static int
try_write(const char *path)
{
	struct stat st;
	char name[LINE_MAX_BYTES + 32];
	bool there = stat(path, &st) == 0, dir = there && S_ISDIR(st.st_mode);
	int fd, error;

	snprintf(name, sizeof(name), dir ? "%s/.airlock-probe" : "%s", path);
	fd = open(name,
		  O_WRONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY |
			  (dir || !there ? O_CREAT | O_EXCL : 0),
		  0600);
	error = fd < 0 ? errno : 0;
	if (fd >= 0) {
		close(fd);
		if (dir || !there) {
			unlink(name);
		}
	}
	return error;
}

/* Without address space the kernel ends the new program while it loads it. */
static void
act_execute(const void *what, int fd)
{
	const struct rlimit none = { 0, 0 };
	char *argv[] = { (char *)(uintptr_t)what, NULL }, *envp[] = { NULL };

	if (setrlimit(RLIMIT_AS, &none) < 0) {
		try_say(fd, errno);
		return;
	}
	execve(what, argv, envp);
	/* What is no program was opened for execution all the same. */
	try_say(fd, errno == ENOEXEC ? 0 : errno);
}

static void
act_syscall(const void *what, int fd)
{
	const long long *a = what;
	long rc = syscall((long)a[0], (long)a[1], (long)a[2], (long)a[3], (long)a[4], (long)a[5],
			  (long)a[6]);

	try_say(fd, rc == -1 ? errno : 0);
}

static int
try_syscall(const char *text)
{
	long long a[7];
	char *end;

	for (int i = 0; i < 7; i++) {
		a[i] = (long long)strtoull(text, &end, 10);
		text = end;
	}
	return try_in_child(act_syscall, a, TRY_NO_ANSWER);
}

static int
answer_of(const char *word, const char *rest)
{
	if (strcmp(word, "see") == 0) {
		return try_see(rest);
	}
	if (strcmp(word, "read") == 0) {
		return try_read(rest);
	}
	if (strcmp(word, "write") == 0) {
		return try_write(rest);
	}
	if (strcmp(word, "execute") == 0) {
		return try_in_child(act_execute, rest, 0);
	}
	if (strcmp(word, "environment") == 0) {
		return getenv(rest) != NULL ? 0 : ENOENT;
	}
	return strcmp(word, "syscall") == 0 ? try_syscall(rest) : EINVAL;
}

int
main(void)
{
	char line[LINE_MAX_BYTES];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		char *rest = strchr(line, ' ');
		int answer;

		line[strcspn(line, "\n")] = '\0';
		if (rest == NULL) {
			return 1;
		}
		*rest++ = '\0';
		answer = answer_of(line, rest);
		if (answer == TRY_NO_ANSWER) {
			puts("none");
		} else {
			printf("%d\n", answer);
		}
		fflush(stdout);
	}
	return 0;
}
