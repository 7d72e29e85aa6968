/* SPDX-License-Identifier: Apache-2.0 */
/* Acts that last: processes, memory, time, locks. Runs inside and outside, see attack.h. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "attack.h"

extern char **environ;

/* COUNT children that wait: how it ended, then all are gone. */
static void
act_forks(const char *line, const char *argument)
{
	long count = strtol(argument, NULL, 10);
	pid_t pid = 1;
	int code = 0;

	for (long i = 0; i < count && pid > 0; i++) {
		pid = fork();
		if (pid == 0) {
			pause();
			_exit(0);
		}
		code = errno;
	}
	errno = code;
	report(line, pid < 0 ? -1 : 0);
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	while (wait(NULL) > 0) {
	}
}

static void *
wait_for_lock(void *lock)
{
	pthread_mutex_lock(lock);
	pthread_mutex_unlock(lock);
	return NULL;
}

/* COUNT threads that wait: how it ended, then all are gone. */
static void
act_crowd(const char *line, const char *argument)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	long count = strtol(argument, NULL, 10), made = 0;
	pthread_t *threads = calloc((size_t)count, sizeof(*threads));
	pthread_attr_t attr;
	int code = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 << 10);
	pthread_mutex_lock(&lock);
	while (threads != NULL && made < count && code == 0) {
		code = pthread_create(&threads[made], &attr, wait_for_lock, &lock);
		made += code == 0;
	}
	pthread_mutex_unlock(&lock);
	while (made > 0) {
		pthread_join(threads[--made], NULL);
	}
	free(threads);
	errno = code;
	report(line, code != 0 ? -1 : 0);
}

/* COUNT children that end at once, left to PID 1. */
static void
act_zombies(const char *line, const char *argument)
{
	pid_t pid = 1;

	for (long i = strtol(argument, NULL, 10); i > 0 && pid > 0; i--) {
		pid = fork();
		if (pid == 0) {
			if (fork() == 0) {
				_exit(0);
			}
			_exit(0);
		}
		waitpid(pid, NULL, 0);
	}
	report(line, pid < 0 ? -1 : 0);
}

/* Leaves a process behind that nobody waits for, in its own session, with NAME as argv[0]. */
static void
act_daemon(const char *line, const char *name)
{
	pid_t pid = fork();

	if (pid == 0) {
		char *const argv[] = { (char *)(uintptr_t)name, "300", NULL };

		setsid();
		if (fork() == 0) {
			int null = open("/dev/null", O_RDWR | O_CLOEXEC);

			dup2(null, 0);
			dup2(null, 1);
			dup2(null, 2);
			signal(SIGTERM, SIG_IGN);
			signal(SIGHUP, SIG_IGN);
			execv("/usr/bin/sleep", argv);
		}
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	report(line, pid);
}

/* MIB of touched memory. */
static void
act_memory(const char *line, const char *argument)
{
	for (long i = strtol(argument, NULL, 10); i > 0; i--) {
		char *p = malloc(1 << 20);

		if (p == NULL) {
			report(line, -1);
			return;
		}
		memset(p, (int)i, 1 << 20);
	}
	report(line, 0);
}

static void
act_memfd(const char *line, const char *argument)
{
	static char mib[1 << 20];
	int fd = (int)syscall(SYS_memfd_create, "attack", 0);
	ssize_t n = fd;

	for (long i = strtol(argument, NULL, 10); i > 0 && n >= 0; i--) {
		memset(mib, (int)i, sizeof(mib));
		n = write(fd, mib, sizeof(mib));
	}
	report(line, n);
}

static void
act_mlock(const char *line, const char *argument)
{
	size_t size = (size_t)strtol(argument, NULL, 10) << 20;
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	report(line, p == MAP_FAILED ? -1 : mlock(p, size));
}

static void
act_spin(const char *line, const char *argument)
{
	(void)line, (void)argument;
	signal(SIGTERM, SIG_IGN);
	for (volatile unsigned long i = 0;; i++) {
	}
}

static void
act_sleep(const char *line, const char *argument)
{
	(void)line, (void)argument;
	signal(SIGTERM, SIG_IGN);
	for (;;) {
		pause();
	}
}

static void
act_stop(const char *line, const char *argument)
{
	(void)argument;
	report(line, kill(getpid(), SIGSTOP));
}

/* Never-ending denied calls: whoever answers them must still see the clock. */
static void
act_flood(const char *line, const char *argument)
{
	(void)line, (void)argument;
	for (;;) {
		syscall(SYS_pivot_root, "/nonexistent/airlock-attack", "");
	}
}

static void
act_crash(const char *line, const char *argument)
{
	(void)line, (void)argument;
	abort();
}

/*
 * Takes the lock, makes the file in "MARK" exist when it has it, holds it until MARK is gone.
 * PATH,MARK
 */
static void
act_hold(const char *line, const char *argument)
{
	const char *mark;
	const char *path = cut(argument, &mark);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char byte;

	report(line, fd < 0 ? -1 : flock(fd, LOCK_EX | LOCK_NB));
	printf("%s\n", mark);
	fflush(stdout);
	while (read(0, &byte, 1) > 0) {
	}
}

static void
act_lock(const char *line, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	report(line, fd < 0 ? -1 : flock(fd, LOCK_EX | LOCK_NB));
	close(fd);
}

/* Watches PATH, says "watching", and at the end of stdin how many events there were. */
static void
act_watch(const char *line, const char *path)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	int rc = fd < 0 ? -1 : inotify_add_watch(fd, path, IN_ALL_EVENTS);
	char buffer[4096], byte;

	if (rc < 0) {
		report(line, rc);
		return;
	}
	printf("watching\n");
	fflush(stdout);
	while (read(0, &byte, 1) > 0) {
	}
	report_text(line, read(fd, buffer, sizeof(buffer)) > 0 ? "events" : "silence");
}

/* System V memory of a fixed key: written by one call, looked for by another. KEY,TEXT or KEY */
static void
act_shm(const char *line, const char *argument)
{
	const char *text;
	key_t key = (key_t)strtol(cut(argument, &text), NULL, 10);
	int id = shmget(key, 4096, text[0] != '\0' ? IPC_CREAT | 0666 : 0666);
	char *p = id < 0 ? (void *)-1 : shmat(id, NULL, 0);

	if (p != (void *)-1 && text[0] != '\0') {
		snprintf(p, 4096, "%s", text);
	}
	report(line, p == (void *)-1 ? -1 : 0);
}

static void
act_shm_remove(const char *line, const char *argument)
{
	int id = shmget((key_t)strtol(argument, NULL, 10), 0, 0666);

	report(line, id < 0 ? -1 : shmctl(id, IPC_RMID, NULL));
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
act_environ(const char *line, const char *argument)
{
	char text[4096] = "";
	size_t count = 0, used = 0;

	(void)argument;
	while (environ[count] != NULL) {
		count++;
	}
	qsort(environ, count, sizeof(*environ), by_text);
	for (size_t i = 0; i < count && used < sizeof(text) - 256; i++) {
		used += (size_t)snprintf(text + used, 256, "%s%.*s", i > 0 ? " " : "",
					 (int)strcspn(environ[i], "="), environ[i]);
	}
	report_text(line, text);
}

/* Signals that are ignored or blocked, as a mask, and how many descriptors may be open. */
static void
act_inherited(const char *line, const char *argument)
{
	struct sigaction old;
	sigset_t blocked;
	char text[64];
	int ignored = 0, masked = 0;

	(void)argument;
	sigprocmask(SIG_SETMASK, NULL, &blocked);
	for (int sig = 1; sig < 65; sig++) {
		ignored += sigaction(sig, NULL, &old) == 0 && old.sa_handler == SIG_IGN;
		masked += sigismember(&blocked, sig) == 1;
	}
	snprintf(text, sizeof(text), "%d ignored, %d blocked", ignored, masked);
	report_text(line, text);
}

/* Descriptors that are open, whatever they are. */
static void
act_descriptors(const char *line, const char *argument)
{
	char text[512] = "";
	size_t used = 0;

	(void)argument;
	for (int fd = 0; fd < 1024 && used < sizeof(text) - 8; fd++) {
		if (fcntl(fd, F_GETFD) >= 0) {
			used += (size_t)snprintf(text + used, 8, "%s%d", used > 0 ? " " : "", fd);
		}
	}
	report_text(line, text);
}

static void
act_stdin_kind(const char *line, const char *argument)
{
	struct stat st;

	(void)argument;
	if (fstat(0, &st) < 0) {
		report(line, -1);
	} else {
		report_text(line, S_ISCHR(st.st_mode) && st.st_rdev == 0x103 ? "null"
				  : S_ISFIFO(st.st_mode)		      ? "pipe"
									      : "other");
	}
}

const struct act acts_life[] = {
	/* clang-format off */
	{ "crash", act_crash },
	{ "crowd", act_crowd },
	{ "daemon", act_daemon },
	{ "descriptors", act_descriptors },
	{ "environ", act_environ },
	{ "flood", act_flood },
	{ "forks", act_forks },
	{ "hold", act_hold },
	{ "inherited", act_inherited },
	{ "lock", act_lock },
	{ "memfd", act_memfd },
	{ "memory", act_memory },
	{ "mlock", act_mlock },
	{ "shm", act_shm },
	{ "shm-remove", act_shm_remove },
	{ "sleep", act_sleep },
	{ "spin", act_spin },
	{ "stdin", act_stdin_kind },
	{ "stop", act_stop },
	{ "watch", act_watch },
	{ "zombies", act_zombies },
	{ NULL, NULL },
	/* clang-format on */
};
