/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front. Finds its neighbours beside /proc/self/exe, in a build tree or an installed
 * prefix.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/text.h"
#include "../sys/sys.h"
#include "front.h"

#define CLI_WORDS_MAX (64u << 10)

static int
open_program(struct front *f, const char *dir, const char *name)
{
	const char *path = arena_printf(&f->arena, "%s/%s", dir, name);
	int fd = path == NULL ? -1 : open(path, O_PATH | O_CLOEXEC);

	return fd < 0 ? err_sys(&f->err, -errno, "%s/%s, which belongs to this airlock", dir, name)
		      : fd;
}

int
front_find_paths(struct front *f)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *dir, *programs;
	struct stat st;
	char *slash;

	f->paths.self_fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	if (n < 0 || f->paths.self_fd < 0) {
		return err_sys(&f->err, -errno, "read /proc/self/exe (is /proc mounted?)");
	}
	self[n] = '\0';
	slash = strrchr(self, '/');
	*slash = '\0';
	dir = arena_string(&f->arena, self);
	programs = arena_printf(&f->arena, "%s/airlock-jail", self);
	f->paths.inspector = arena_printf(&f->arena, "%s/" INSPECTOR, self);
	if (dir == NULL || programs == NULL || f->paths.inspector == NULL) {
		return err_set(&f->err, -ENOMEM, "out of memory");
	}
	/*
	 * PREFIX/bin/airlock has the rest in PREFIX/libexec/airlock; a build tree has all in
	 * build/.
	 */
	if (stat(programs, &st) == 0) {
		programs = dir;
		f->paths.shipped = arena_printf(&f->arena, "%.*s/profiles",
						(int)(strrchr(dir, '/') - dir), dir);
	} else {
		programs = arena_printf(&f->arena, "%.*s/libexec/airlock",
					(int)(strrchr(dir, '/') - dir), dir);
		f->paths.shipped = arena_printf(&f->arena, "%.*s/share/airlock/profiles",
						(int)(strrchr(dir, '/') - dir), dir);
	}
	f->paths.jail_fd = open_program(f, programs, "airlock-jail");
	f->paths.cli_fd = f->paths.jail_fd < 0 ? -1 : open_program(f, programs, "airlock-cli");
	f->paths.log_fd = f->paths.cli_fd < 0 ? -1 : open_program(f, programs, "airlock-log");
	return f->paths.log_fd < 0 ? f->err.code : 0;
}

/*
 * Root's environment is no business of the owner's, whose process a program that is started after
 * the drop is: he can read all that it was started with. His profile takes no more over, either.
 */
const char *const *
front_environ(const struct front *f, const char *few[FRONT_ENVIRON_ROOM])
{
	static const char *const names[] = {
		"AIRLOCK_PROFILES", "AIRLOCK_STATE", "AIRLOCK_TRACE", "AIRLOCK_UIDS", "COLORTERM",
		"COLUMNS",	    "HOME",	     "LANG",	      "LANGUAGE",     "LC_ALL",
		"LC_COLLATE",	    "LC_CTYPE",	     "LC_MESSAGES",   "LC_MONETARY",  "LC_NUMERIC",
		"LC_TIME",	    "LINES",	     "NO_COLOR",      "PATH",	      "TERM",
		"TZ"
	};
	size_t count = 0;

	_Static_assert(ARRAY_LEN(names) < FRONT_ENVIRON_ROOM, "all of them, and the end");
	if (!f->req.identity.dropped) {
		return (const char *const *)environ;
	}
	for (char **e = environ; *e != NULL; e++) {
		for (size_t i = 0; i < ARRAY_LEN(names) && count < ARRAY_LEN(names); i++) {
			size_t len = strlen(names[i]);

			if (strncmp(*e, names[i], len) == 0 && (*e)[len] == '=') {
				few[count++] = *e;
			}
		}
	}
	few[count] = NULL;
	return few;
}

/*
 * In a child, before it becomes another program. Until then nobody but root may take it over, since
 * its ids changed; from then on its owner may: were it still of root's session he could type into
 * root's terminal by it, and its working directory is open to him.
 */
int
front_leave_caller(const struct front *f)
{
	return f->req.identity.dropped && geteuid() != 0 ? sys_leave_caller() : 0;
}

/*
 * It gets no descriptor of the caller's but what it is to have: after a drop it runs as the owner,
 * who could take them out of it. Its state directory is the call's: after a drop HOME is still the
 * caller's.
 */
void __attribute__((noreturn))
front_become_cli(const struct front *f, const char *const argv[], const int stdio[3])
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	const char *few[FRONT_ENVIRON_ROOM];
	sigset_t none;
	int rc;

	/* what we block to read it, ends whom we wait for */
	sigemptyset(&none);
	ignore_err(sigprocmask(SIG_SETMASK, &none, NULL), "it takes any set");
	if (front_leave_caller(f) < 0) {
		_exit(EXIT_AIRLOCK);
	}
	for (int i = 0; i < 3; i++) {
		int fd = stdio[i] >= 0 ? stdio[i] : i == STDERR_FILENO ? i : null;

		if (fd < 0 || (fd != i && dup2(fd, i) < 0)) {
			_exit(EXIT_AIRLOCK);
		}
	}
	if (f->state_path != NULL && setenv("AIRLOCK_STATE", f->state_path, 1) < 0) {
		_exit(EXIT_AIRLOCK);
	}
	rc = sys_execveat(f->paths.cli_fd, "", argv, front_environ(f, few), AT_EMPTY_PATH);
	dprintf(STDERR_FILENO, "airlock: start airlock-cli %s: %s\n", argv[1], strerror(-rc));
	_exit(EXIT_AIRLOCK);
}

/* Until it ends, or stop_fd is readable: false then. What it says has room in the pipe. */
static bool
await_end(pid_t pid, int stop_fd)
{
	auto_fd pidfd = sys_pidfd_open(pid);
	struct pollfd waits[] = { { .fd = pidfd, .events = POLLIN },
				  { .fd = stop_fd, .events = POLLIN } };

	while (pidfd >= 0 && poll(waits, ARRAY_LEN(waits), -1) < 0 && errno == EINTR) {
	}
	return waits[0].revents != 0 || waits[1].revents == 0;
}

/* One that goes on without us: no key ends it, and nobody may be there to read what it says. */
static void
leave_us(void)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	if (setsid() < 0 || sigaction(SIGPIPE, &ignore, NULL) < 0) {
		_exit(EXIT_AIRLOCK);
	}
}

/*
 * said: NULL lets it speak to the person itself. with_output: said has its stdout, too. stop_fd, or
 * -1: once it is readable nobody waits any more, and -EINTR; the process goes on.
 */
static int
start_cli(struct front *f, const char *const argv[], struct buf *said, bool with_output,
	  int stop_fd)
{
	int words[2] = { -1, -1 };
	int status, rc;
	pid_t pid;

	if (said != NULL && pipe2(words, O_CLOEXEC) < 0) {
		return err_sys(&f->err, -errno, "pipe");
	}
	pid = fork();
	if (pid == 0) {
		const int stdio[] = { -1, with_output ? words[1] : -1, words[1] };

		if (stop_fd >= 0) {
			leave_us();
		}
		if (sys_close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) == 0) {
			front_become_cli(f, argv, stdio);
		}
		_exit(EXIT_AIRLOCK);
	}
	cleanup_fd(&words[1]);
	if (pid > 0 && stop_fd >= 0 && !await_end(pid, stop_fd)) {
		cleanup_fd(&words[0]);
		return -EINTR;
	}
	if (pid > 0 && said != NULL) {
		ignore_err(fdio_slurp(words[0], CLI_WORDS_MAX, said), "what came so far is enough");
	}
	cleanup_fd(&words[0]);
	if (pid < 0) {
		return err_sys(&f->err, -errno, "start airlock-cli");
	}
	rc = sys_wait(pid, &status);
	if (rc < 0) {
		return err_sys(&f->err, rc, "wait for airlock-cli");
	}
	if (WIFSIGNALED(status)) {
		return err_set(&f->err, -ECHILD, "airlock-cli %s was killed by signal %d", argv[1],
			       WTERMSIG(status));
	}
	return WEXITSTATUS(status);
}

int
front_run_cli(struct front *f, const char *const argv[])
{
	bool as_owner = f->req.identity.dropped && geteuid() != 0;
	auto_buf said = BUF_INIT, safe = BUF_INIT;
	/* The owner's process gets no descriptor of root's, a terminal least of all. */
	int status = start_cli(f, argv, as_owner ? &said : NULL, false, -1);

	if (said.len > 0) {
		text_safe(&safe, buf_text(&said), said.len, true);
		ignore_err(fdio_write(STDERR_FILENO, buf_text(&safe), safe.len),
			   "nobody to tell it to");
	}
	return status;
}

int
front_ask_cli(struct front *f, const char *const argv[], char *ret_said, size_t size)
{
	auto_buf said = BUF_INIT;
	int status = start_cli(f, argv, &said, false, -1);
	size_t len = said.len;

	while (len > 0 && buf_text(&said)[len - 1] == '\n') {
		len--;
	}
	snprintf(ret_said, size, "%.*s", (int)len, buf_text(&said));
	return status;
}

int
front_read_cli(struct front *f, const char *const argv[], struct buf *ret)
{
	return start_cli(f, argv, ret, true, -1);
}

int
front_read_cli_until(struct front *f, const char *const argv[], int stop_fd, struct buf *ret)
{
	return start_cli(f, argv, ret, true, stop_fd);
}
