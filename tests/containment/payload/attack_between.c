/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Acts that one call leaves for another: queues, semaphores; and what a process is. See attack.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "attack.h"

/* mq:/NAME,TEXT makes and fills a queue, mq:/NAME reads it. */
static void
act_mq(const char *line, const char *argument)
{
	const char *text;
	const char *name = cut(argument, &text);
	struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 64 };
	mqd_t queue = text[0] != '\0' ? mq_open(name, O_CREAT | O_RDWR | O_NONBLOCK, 0666, &attr)
				      : mq_open(name, O_RDONLY | O_NONBLOCK);
	char got[64];

	if (queue == (mqd_t)-1) {
		report(line, -1);
	} else if (text[0] != '\0') {
		report(line, mq_send(queue, text, strlen(text), 0));
	} else {
		report(line, mq_receive(queue, got, sizeof(got), NULL));
	}
}

static void
act_mq_remove(const char *line, const char *name)
{
	report(line, mq_unlink(name));
}

/* The same with System V's, by KEY. */
static void
act_msg(const char *line, const char *argument)
{
	struct {
		long type;
		char text[64];
	} m = { 1, { 0 } };
	const char *text;
	key_t key = (key_t)strtol(cut(argument, &text), NULL, 10);
	int id = msgget(key, text[0] != '\0' ? IPC_CREAT | 0666 : 0666);

	if (id >= 0 && text[0] != '\0') {
		snprintf(m.text, sizeof(m.text), "%s", text);
		report(line, msgsnd(id, &m, sizeof(m.text), IPC_NOWAIT));
	} else {
		report(line, id < 0 ? -1 : msgrcv(id, &m, sizeof(m.text), 0, IPC_NOWAIT));
	}
}

static void
act_msg_remove(const char *line, const char *argument)
{
	int id = msgget((key_t)strtol(argument, NULL, 10), 0);

	report(line, id < 0 ? -1 : msgctl(id, IPC_RMID, NULL));
}

static void
act_sem(const char *line, const char *argument)
{
	const char *text;
	key_t key = (key_t)strtol(cut(argument, &text), NULL, 10);

	report(line, semget(key, 1, text[0] != '\0' ? IPC_CREAT | 0666 : 0666));
}

static void
act_sem_remove(const char *line, const char *argument)
{
	int id = semget((key_t)strtol(argument, NULL, 10), 0, 0);

	report(line, id < 0 ? -1 : semctl(id, 0, IPC_RMID));
}

/* COUNT pipes, filled, and COUNT inotify instances, kept until stdin ends. */
static void
act_hoard(const char *line, const char *argument)
{
	static const char page[4096];
	long count = strtol(argument, NULL, 10);
	char byte;

	for (long i = 0; i < count; i++) {
		int fds[2];

		if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) == 0) {
			fcntl(fds[1], F_SETPIPE_SZ, 1 << 20);
			while (write(fds[1], page, sizeof(page)) > 0) {
			}
		}
		inotify_init1(IN_CLOEXEC);
	}
	report(line, 0);
	fflush(stdout);
	while (read(0, &byte, 1) > 0) {
	}
}

/* COUNT socket calls that no filter of families lets through, each of another kind. */
static void
act_kinds(const char *line, const char *argument)
{
	long count = strtol(argument, NULL, 10), denied = 0;
	char text[32];

	for (long i = 0; i < count; i++) {
		denied += socket(3 + (int)(i % 7), SOCK_RAW, (int)(i / 7)) < 0;
	}
	snprintf(text, sizeof(text), "%ld denied", denied);
	report_text(line, text);
}

/* A signal for PID whenever a pipe of ours can be read. */
static void
act_own(const char *line, const char *argument)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0 || fcntl(fds[0], F_SETSIG, SIGUSR1) < 0) {
		report(line, -1);
		return;
	}
	report(line, fcntl(fds[0], F_SETOWN, (int)strtol(argument, NULL, 10)));
}

/* Who the process is after a program was started that has a set-id bit. */
static void
act_ids(const char *line, const char *argument)
{
	char text[64];

	(void)argument;
	snprintf(text, sizeof(text), "%s %s", geteuid() == getuid() ? "own" : "other",
		 getegid() == getgid() ? "own" : "other");
	report_text(line, text);
}

/* PATH's time of the last access, as seconds: "old" before 2001. */
static void
act_atime(const char *line, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		report(line, -1);
		return;
	}
	report_text(line, st.st_atime < 978307200 ? "old" : "new");
}

/* Waits for the end of stdin. */
static void
act_await(const char *line, const char *argument)
{
	char byte;

	(void)argument;
	printf("waiting\n");
	fflush(stdout);
	while (read(0, &byte, 1) > 0) {
	}
	report(line, 0);
}

/* Writes until it cannot, COUNT KiB at most. */
static void
act_talk(const char *line, const char *argument)
{
	static char text[1024];
	long wrote = 0;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\n';
	for (long i = strtol(argument, NULL, 10); i > 0 && wrote >= 0; i--) {
		wrote = write(STDOUT_FILENO, text, sizeof(text));
	}
	report(line, wrote < 0 ? -1 : 0);
}

const struct act acts_between[] = {
	/* clang-format off */
	{ "atime", act_atime },
	{ "await", act_await },
	{ "hoard", act_hoard },
	{ "ids", act_ids },
	{ "kinds", act_kinds },
	{ "mq", act_mq },
	{ "mq-remove", act_mq_remove },
	{ "msg", act_msg },
	{ "msg-remove", act_msg_remove },
	{ "own", act_own },
	{ "sem", act_sem },
	{ "sem-remove", act_sem_remove },
	{ "talk", act_talk },
	{ NULL, NULL },
	/* clang-format on */
};
