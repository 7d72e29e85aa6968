/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front, as the owner, when the tool succeeded: the postconditions of done_when. Each is
 * a call of its own in mode observe over what this one changed, which is set aside for it. Its
 * airlock is this program by descriptor, gets nothing of ours but a file for its result JSON, and
 * is believed about nothing but that call's end.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/fdio.h"
#include "../base/json.h"
#include "../base/json_find.h"
#include "../base/text.h"
#include "../base/units.h"
#include "../sys/sys.h"
#include "front.h"

#define RESULT_MAX (4u << 20)
#define GRACE_MS 60000u	   /* beyond wall: the lock, the hash of the input, the record */
#define STOPPING_MS 10000u /* from the polite signal to the other one */

/* ---- its result JSON ---------------------------------------------------------------------------
 */

/* A string as it stands there, escapes and all; NULL when it is none. */
static const char *
text_member(struct front *f, const char *json, const char *name)
{
	const char *p = json_find(json, name);

	return p == NULL || *p != '"'
		     ? NULL
		     : arena_copy(&f->arena, p + 1, (size_t)(json_skip_text(p) - p) - 2);
}

static void
read_result(struct front *f, int fd, struct check_result *ret)
{
	auto_buf json = BUF_INIT;
	const char *exit_code;
	int rc = lseek(fd, 0, SEEK_SET) < 0 ? -errno : fdio_slurp(fd, RESULT_MAX, &json);

	if (rc < 0 || json_check_object(buf_text(&json), json.len) < 0) {
		return;
	}
	ret->call = text_member(f, buf_text(&json), "call");
	ret->verdict = text_member(f, buf_text(&json), "verdict");
	ret->reason = text_member(f, buf_text(&json), "reason");
	exit_code = json_find(buf_text(&json), "exit");
	if (exit_code != NULL && *exit_code >= '0' && *exit_code <= '9') {
		ret->exit_code = (int)strtol(exit_code, NULL, 10);
	}
}

/* ---- its process -------------------------------------------------------------------------------
 */

/* What the call was given, a check may pass on, too; of an owner's process that is all. */
static const char *const *
environment(const struct front *f)
{
	const char *few[FRONT_ENVIRON_ROOM];
	const char *const *ours = front_environ(f, few);
	const char **all;
	size_t count = 0;

	if (!f->req.identity.dropped) {
		return ours;
	}
	while (ours[count] != NULL) {
		count++;
	}
	all = calloc(count + f->asked_env_count + 1, sizeof(*all));
	if (all == NULL) {
		_exit(EXIT_AIRLOCK);
	}
	memcpy(all, ours, count * sizeof(*all));
	for (size_t i = 0; i < f->asked_env_count; i++) {
		all[count + i] = f->asked_env[i];
	}
	return all;
}

static void __attribute__((noreturn))
become_check(const struct front *f, const char *const argv[], int result_fd, pid_t parent)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	sigemptyset(&none);
	/* a check outlives nobody: what kills us ends it as well */
	if (sys_end_with_parent(parent, SIGTERM) < 0 ||
	    setenv("AIRLOCK_STATE", f->state_path, 1) < 0 || null < 0 ||
	    dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(null, STDERR_FILENO) < 0 || sys_close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) < 0 ||
	    fcntl(result_fd, F_SETFD, 0) < 0 || sigprocmask(SIG_SETMASK, &none, NULL) < 0 ||
	    front_leave_caller(f) < 0) {
		_exit(EXIT_AIRLOCK);
	}
	ignore_err(sys_execveat(f->paths.self_fd, "", argv, environment(f), AT_EMPTY_PATH),
		   "it returns only on failure");
	_exit(EXIT_AIRLOCK);
}

/*
 * Takes what arrived: it is ours, and says that the person has had enough. Of a kill (running.h) it
 * is kept who did it: that ends the call, and not only what it asks.
 */
static bool
took_signal(struct front *f)
{
	struct signalfd_siginfo info;
	bool any = false;

	while (read(f->end_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		any = true;
		if (info.ssi_signo == RUNNING_SIGNAL_KILL) {
			f->ended_by =
				running_by_words(info.ssi_code == SI_QUEUE ? info.ssi_int : 0);
		}
	}
	return any;
}

/* In its own way, so that it has an outcome; at once where we are to end at once. */
static void
tell_to_end(const struct front *f, pid_t pid)
{
	int signal = f->ended_by != NULL ? RUNNING_SIGNAL_KILL : SIGTERM;

	ignore_err(kill(pid, signal), "it is ours and was not waited for");
}

/* Until it ends; asked to end after bound_ms (0: its own limits do that) or by a signal to us. */
static void
await(struct front *f, pid_t pid, uint64_t bound_ms)
{
	auto_fd pidfd = sys_pidfd_open(pid);
	struct pollfd fds[] = { { .fd = pidfd, .events = POLLIN },
				{ .fd = f->end_fd, .events = POLLIN } };
	uint64_t left = bound_ms == 0 || bound_ms > INT_MAX ? INT_MAX : bound_ms;
	int n = pidfd < 0 ? 0 : poll(fds, ARRAY_LEN(fds), (int)left);

	if (n <= 0 || (fds[0].revents & POLLIN) == 0) {
		f->checks_stopped = took_signal(f) || f->checks_stopped;
		tell_to_end(f, pid);
		if (pidfd < 0 || poll(fds, 1, STOPPING_MS) <= 0) {
			ignore_err(kill(pid, SIGKILL), "the same; its sandbox dies with it");
		}
	}
	ignore_err(sys_wait(pid, NULL), "its result file says how it ended");
}

#define ARGS_MAX 32

static const char **
command_of(struct front *f, const struct profile_check *c, int result_fd)
{
	const char **argv = arena_alloc(&f->arena, (ARGS_MAX + c->run.count + 1) * sizeof(*argv));
	const char *fixed[] = { "airlock",     "run",
				"--quiet",     "--no-stdin",
				"--over",      f->req.call_text,
				"--workflow",  f->opt.workflow != NULL ? f->opt.workflow : "local",
				"--mode",      profile_mode_words[MODE_OBSERVE],
				"--profile",   c->profile != NULL ? c->profile : f->opt.profile,
				"--workspace", f->req.workspace,
				"--chdir",     f->req.workspace,
				"--result-fd", arena_printf(&f->arena, "%d", result_fd) };
	auto_buf wall = BUF_INIT;
	size_t n = 0;

	_Static_assert(ARRAY_LEN(fixed) + 3 <= ARGS_MAX, "all words fit");
	if (argv == NULL) {
		return NULL;
	}
	for (; n < ARRAY_LEN(fixed); n++) {
		argv[n] = fixed[n];
	}
	if (c->wall_ms > 0) {
		units_print_duration(&wall, c->wall_ms);
		argv[n++] = "--limit";
		argv[n++] = arena_printf(&f->arena, "wall=%s", buf_text(&wall));
	}
	argv[n++] = "--";
	for (size_t i = 0; i < c->run.count; i++) {
		argv[n++] = c->run.items[i];
	}
	argv[n] = NULL;
	for (size_t i = 0; i < n; i++) {
		if (argv[i] == NULL) {
			return NULL;
		}
	}
	return argv;
}

static bool
is(const char *text, const char *word)
{
	return text != NULL && strcmp(text, word) == 0;
}

static int
run_check(struct front *f, const struct profile_check *c, struct check_result *ret)
{
	auto_fd result = memfd_create("airlock-result", MFD_CLOEXEC);
	const char **argv = command_of(f, c, result);
	pid_t parent = getpid();
	pid_t pid;

	if (argv == NULL) {
		return err_set(&f->err, -ENOMEM, "out of memory");
	}
	pid = result < 0 ? -1 : fork();
	if (pid == 0) {
		become_check(f, argv, result, parent);
	}
	if (pid < 0) {
		return err_sys(&f->err, -errno, "start a postcondition");
	}
	await(f, pid, c->wall_ms > 0 ? 2 * c->wall_ms + GRACE_MS : 0);
	read_result(f, result, ret);
	/* a profile may call another exit a success, and the one that is wanted a failure */
	ret->held = ret->call != NULL && ret->exit_code == c->exit &&
		    (is(ret->verdict, "ok") || (c->exit != 0 && is(ret->verdict, "failed")));
	return 0;
}

/* ---- all of them -------------------------------------------------------------------------------
 */

static const char *
why_not(struct front *f, const struct check_result *r)
{
	const char *reason = r->reason != NULL ? r->reason : "it gave no result";

	if (r->skipped || (r->call == NULL && f->checks_stopped)) {
		return "a signal to airlock ended it";
	}
	if (r->call == NULL) {
		return arena_printf(&f->arena, "it did not run: %s", reason);
	}
	if (is(r->verdict, "ok") || is(r->verdict, "failed")) {
		return arena_printf(&f->arena, "exit %d, wanted %u (call %.13s)", r->exit_code,
				    r->check->exit, r->call);
	}
	return arena_printf(&f->arena, "%s: %s (call %.13s)",
			    r->verdict != NULL ? r->verdict : "unknown", reason, r->call);
}

static const char *
fail_reason(struct front *f)
{
	const struct check_result *first = NULL;
	size_t failed = 0;
	auto_buf more = BUF_INIT;

	for (size_t i = 0; i < f->check_count; i++) {
		failed += f->checks[i].held ? 0 : 1;
		first = first == NULL && !f->checks[i].held ? &f->checks[i] : first;
	}
	if (first == NULL) {
		return NULL;
	}
	if (failed > 1) {
		buf_printf(&more, "; and %zu more", failed - 1);
	}
	return arena_printf(&f->arena, "done_when %s: %s%s", first->check->name, why_not(f, first),
			    buf_text(&more));
}

int
front_checks(struct front *f, const char **ret_failed)
{
	const struct profile *p = f->profile;

	f->checks = arena_alloc(&f->arena, (p->check_count + 1) * sizeof(*f->checks));
	if (f->checks == NULL) {
		return err_set(&f->err, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < p->check_count; i++) {
		struct check_result *r = &f->checks[f->check_count++];
		int rc;

		*r = (struct check_result){ .check = &p->checks[i],
					    .exit_code = -1,
					    .skipped = f->checks_stopped };
		rc = r->skipped ? 0 : run_check(f, r->check, r);
		if (rc < 0) {
			return rc;
		}
		trace_step("postcondition");
	}
	*ret_failed = fail_reason(f);
	return 0;
}

void
front_checks_json(struct json *j, const struct front *f)
{
	json_begin_array(j);
	for (size_t i = 0; i < f->check_count; i++) {
		const struct check_result *r = &f->checks[i];

		json_begin_object(j);
		json_kv_str(j, "call", r->call);
		json_kv_known(j, "exit", r->exit_code >= 0, r->exit_code);
		json_kv_bool(j, "held", r->held);
		json_kv_str(j, "name", r->check->name);
		json_kv_str(j, "verdict", r->verdict);
		json_end(j);
	}
	json_end(j);
}
