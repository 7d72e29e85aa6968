/* SPDX-License-Identifier: Apache-2.0 */
/* Starts a resolver as a call of its own. Runs in airlock-cli as the caller. */
#include "cmd_resolver.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/limits.h"
#include "../credd/serves.h"
#include "../sys/sys.h"
#include "cmd_profile.h"
#include "commands.h"

static const char **
command_of(struct arena *a, const struct store *s, const struct owed *o, const char *front,
	   int result_fd)
{
	const char *const fixed[] = { front,
				      "run",
				      "--quiet",
				      "--serves",
				      o->call,
				      "--profile",
				      o->profile,
				      "--workspace",
				      arena_printf(a, "%s/" SERVES_DIR, s->path),
				      "--result-fd",
				      arena_printf(a, "%d", result_fd),
				      "--" };
	const char **argv =
		arena_alloc(a, (ARRAY_LEN(fixed) + o->command_count + 1) * sizeof(*argv));

	if (argv != NULL) {
		memcpy(argv, fixed, sizeof(fixed));
		memcpy(argv + ARRAY_LEN(fixed), o->command, o->command_count * sizeof(*argv));
	}
	return arena_failed(a) ? NULL : argv;
}

static void __attribute__((noreturn))
become_airlock(const struct store *s, const char *const argv[], int in, int out, int result_fd,
	       int lock_fd, pid_t parent)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	sigset_t none;

	sigemptyset(&none);
	/* in its own way, so that it has an outcome */
	if (null >= 0 && sys_end_with_parent(parent, SIGTERM) == 0 &&
	    setenv("AIRLOCK_STATE", s->path, 1) == 0 && chdir("/") == 0 && dup2(in, 0) == 0 &&
	    dup2(out, 1) == 1 && dup2(null, 2) == 2 &&
	    sys_close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) == 0 &&
	    fcntl(result_fd, F_SETFD, 0) == 0 && (lock_fd < 0 || fcntl(lock_fd, F_SETFD, 0) == 0) &&
	    sigprocmask(SIG_SETMASK, &none, NULL) == 0) {
		execv(argv[0], (char *const *)(uintptr_t)argv);
	}
	_exit(EXIT_AIRLOCK);
}

static int
start(const struct store *s, const char *const argv[], int in, int lock_fd, struct resolver *r)
{
	int ends[2];
	pid_t parent = getpid();

	if (mkdirat(s->dir_fd, SERVES_DIR, 0700) < 0 && errno != EEXIST) {
		return -errno;
	}
	if (pipe2(ends, O_CLOEXEC) < 0) {
		return -errno;
	}
	/* it need not wait for us; where it may not have so much it does */
	ignore_err(fcntl(ends[0], F_SETPIPE_SZ, CAP_ANSWER), "then it waits");
	r->pid = fork();
	if (r->pid == 0) {
		become_airlock(s, argv, in, ends[1], r->result_fd, lock_fd, parent);
	}
	close(ends[1]);
	r->out_fd = ends[0];
	return r->pid < 0 ? -errno : 0;
}

int
resolver_start(const struct store *s, const struct owed *o, const struct buf *request, int lock_fd,
	       struct resolver *ret, struct err *err)
{
	struct arena arena = ARENA_INIT;
	auto_places places = { .programs = NULL };
	auto_fd in = fdio_memfd("request", request->data, request->len);
	struct resolver r = RESOLVER_INIT;
	const char **argv = NULL;
	int rc = places_find(&places, err);

	r.result_fd = fdio_memfd("result", "", 0);
	if (rc == 0) {
		argv = command_of(&arena, s, o, places.front, r.result_fd);
		rc = in < 0	     ? in
		   : r.result_fd < 0 ? r.result_fd
		   : argv == NULL    ? -ENOMEM
				     : start(s, argv, in, lock_fd, &r);
		rc = rc < 0 ? err_sys(err, rc, "start the resolver of credential %s", o->item) : 0;
	}
	arena_finish(&arena);
	*ret = r;
	return rc;
}
