/* SPDX-License-Identifier: Apache-2.0 */
/* attack ACT[:ARGUMENT]…: see attack.h. The acts are in attack_*.c, one table each. */
#include "attack.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))
#define HALVES 4

static const struct {
	const char *name;
	int code;
} errors[] = {
/* clang-format off */
#define E(name) { #name, name }
	E(E2BIG), E(EACCES), E(EADDRINUSE), E(EADDRNOTAVAIL), E(EAFNOSUPPORT), E(EAGAIN), E(EBADF), E(EBUSY),
	E(ECHILD), E(ECONNREFUSED), E(ECONNRESET), E(EDESTADDRREQ), E(EDQUOT), E(EEXIST), E(EFAULT), E(EFBIG),
	E(EHOSTUNREACH), E(EINPROGRESS), E(EINTR), E(EINVAL), E(EIO), E(EISDIR), E(ELOOP), E(EMFILE), E(EMLINK),
	E(EMSGSIZE), E(ENAMETOOLONG), E(ENETDOWN), E(ENETUNREACH), E(ENFILE), E(ENODATA), E(ENODEV), E(ENOENT),
	E(ENOEXEC), E(ENOKEY), E(ENOMEM), E(ENOPROTOOPT), E(ENOSPC), E(ENOSYS), E(ENOTCONN), E(ENOTDIR),
	E(ENOTEMPTY), E(ENOTSOCK), E(ENOTTY), E(ENXIO), E(EOPNOTSUPP), E(EPERM), E(EPIPE), E(EPROTONOSUPPORT),
	E(EPROTOTYPE), E(ERANGE), E(EROFS), E(ESOCKTNOSUPPORT), E(ESPIPE), E(ESRCH), E(ETIMEDOUT), E(ETXTBSY),
	E(EUSERS), E(EXDEV),
#undef E
	/* clang-format on */
};

const char *
errno_name(int code)
{
	static char number[16];

	for (size_t i = 0; i < LENGTH(errors); i++) {
		if (errors[i].code == code) {
			return errors[i].name;
		}
	}
	snprintf(number, sizeof(number), "errno-%d", code);
	return number;
}

void
report_text(const char *name, const char *text)
{
	printf("%s=%s\n", name, text);
	fflush(stdout); /* the next act may kill us */
}

void
report(const char *name, long result)
{
	report_text(name, result < 0 ? errno_name(errno) : "ok");
}

void
report_child(const char *name, long (*run)(const void *), const void *argument)
{
	char text[24];
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		_exit(run(argument) < 0 ? errno : 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		report(name, -1);
	} else if (WIFSIGNALED(status)) {
		snprintf(text, sizeof(text), "killed-%d", WTERMSIG(status));
		report_text(name, text);
	} else {
		errno = WEXITSTATUS(status);
		report(name, errno == 0 ? 0 : -1);
	}
}

static long
make_call(const void *argument)
{
	const struct call *c = argument;

	return syscall(c->number, c->args[0], c->args[1], c->args[2], c->args[3], c->args[4],
		       c->args[5]);
}

void
report_call(const struct call *call)
{
	report_child(call->name, make_call, call);
}

const char *
cut(const char *argument, const char **ret_rest)
{
	static char copies[HALVES][8192];
	static int next;
	char *copy = copies[next++ % HALVES];
	char *comma;

	snprintf(copy, sizeof(copies[0]), "%s", argument);
	comma = strchr(copy, ',');
	*ret_rest = "";
	if (comma != NULL) {
		*comma = '\0';
		*ret_rest = comma + 1;
	}
	return copy;
}

static int
run(const char *word)
{
	const struct act *tables[] = { acts_files, acts_kernel, acts_net, acts_life, acts_between };
	size_t len = strcspn(word, ":");

	for (size_t t = 0; t < LENGTH(tables); t++) {
		for (const struct act *a = tables[t]; a->verb != NULL; a++) {
			if (strlen(a->verb) == len && strncmp(a->verb, word, len) == 0) {
				a->run(word, word[len] == ':' ? word + len + 1 : "");
				return 0;
			}
		}
	}
	fprintf(stderr, "attack: no act %s\n", word);
	return 2;
}

int
main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strncmp(argv[i], "hand:", 5) == 0) {
			hand_and_exec(argv[i] + 5, argv + i + 1);
			return 127;
		}
		if (run(argv[i]) != 0) {
			return 2;
		}
	}
	return 0;
}
