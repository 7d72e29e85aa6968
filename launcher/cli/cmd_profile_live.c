/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock profile test --live`: one call of airlock-probe under the profile, in the scratch
 * workspace that the questions are about. Runs in airlock-cli as the caller. What comes back is the
 * tool's word: it is compared, and never printed as it is. A profile with tool.run names other
 * programs than the probe, so its copy without that key is what is run then; all else is the same.
 */
#include "cmd_profile_live.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../profile/explain.h"
#include "../sys/sys.h"

#define PROBE "airlock-probe"
#define PROBE_MAX (1u << 20)
#define ANSWERS_MAX (64u << 10)
#define ARGUMENTS_MAX 600
#define MARK "airlock-test"

struct live {
	struct ask *a;
	const struct profile_questions *questions;
	struct live_answer *answers;
	struct arena arena;
	struct buf input;
	size_t *asked; /* the question of each line of input */
	size_t count;
	const char *argv[ARGUMENTS_MAX];
	size_t argc;
	const char **marked; /* variables that airlock itself gets for the test */
	size_t marked_count;
};

static void
settle(struct live_answer *answer, enum live_result result, const char *why)
{
	answer->result = result;
	snprintf(answer->why, sizeof(answer->why), "%s", why);
}

/* ---- the questions --------------------------------------------------------------------------- */

static void
ask_line(struct live *l, size_t question)
{
	l->asked[l->count++] = question;
	buf_putc(&l->input, '\n');
}

/* Set outside, so that crossing can be seen; what airlock itself goes by is left alone. */
static bool
mark_variable(struct live *l, const struct vector *v, const struct ask_answer *judged)
{
	static const char *const own[] = { "HOME", "PATH", "USER", "LOGNAME", "SHELL", "PWD" };
	bool is_own =
		strncmp(v->subject, "AIRLOCK_", 8) == 0 || strncmp(v->subject, "XDG_", 4) == 0;

	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		if (strcmp(own[i], v->subject) == 0) {
			return true;
		}
	}
	if (is_own || l->argc + 8 > ARGUMENTS_MAX) {
		return false;
	}
	l->marked[l->marked_count++] = arena_string(&l->arena, v->subject);
	if (judged->key == KEY_ENV_ACCEPT && judged->allowed) {
		l->argv[l->argc++] = "-e";
		l->argv[l->argc++] = arena_string(&l->arena, v->subject);
	}
	return true;
}

static void
ask_one(struct live *l, size_t i, const struct vector *v, const struct ask_answer *judged)
{
	struct live_answer *answer = &l->answers[i];
	auto_free char *path = NULL;
	struct judge_number nr;

	switch (v->kind) {
	case VECTOR_SEE:
	case VECTOR_READ:
	case VECTOR_WRITE:
	case VECTOR_EXECUTE:
		path = ask_path(l->a, v->subject);
		if (path == NULL || strchr(path, '\n') != NULL || judged->masked) {
			settle(answer, LIVE_SKIPPED, "a mask is there, which can be opened");
			return;
		}
		buf_printf(&l->input, "%s %s", vector_word(v->kind), path);
		break;
	case VECTOR_ENVIRONMENT:
		if (!mark_variable(l, v, judged)) {
			settle(answer, LIVE_SKIPPED, "airlock itself goes by this variable");
			return;
		}
		buf_printf(&l->input, "environment %s", v->subject);
		break;
	case VECTOR_SYSCALL:
		nr = judge_syscall_number(v->call.name);
		if (nr.depends && v->call.given == 0) {
			settle(answer, LIVE_SKIPPED, "its arguments decide, and there are none");
			return;
		}
		buf_printf(&l->input, "syscall %d", nr.number);
		for (size_t n = 0; n < ARRAY_LEN(v->call.args); n++) {
			buf_printf(&l->input, " %llu", (unsigned long long)v->call.args[n]);
		}
		break;
	case VECTOR_COMMAND:
	case VECTOR_LIMIT:
	case VECTOR__COUNT:
		settle(answer, LIVE_SKIPPED, "not tried in a sandbox");
		return;
	}
	ask_line(l, i);
}

/* ---- the call -------------------------------------------------------------------------------- */

static int
copy_file(const char *from, const char *to, mode_t mode)
{
	auto_buf bytes = BUF_INIT;
	int rc = fdio_slurp_at(AT_FDCWD, from, PROBE_MAX, &bytes);
	auto_fd fd = rc == 0 ? open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode) : -1;

	if (rc < 0 || fd < 0) {
		return rc < 0 ? rc : -errno;
	}
	return fdio_write(fd, bytes.data, bytes.len);
}

/* The profile without tool.run, where it has one; *ret_dir must be removed, with what is in it. */
static int
profile_for_probe(struct live *l, const char *profile, const char **ret, char *ret_dir, size_t size)
{
	auto_buf yaml = BUF_INIT;
	auto_fd fd = -1;
	char *path;

	*ret = profile;
	ret_dir[0] = '\0';
	if (l->a->loaded.profile->tool_run.count == 0) {
		return 0;
	}
	snprintf(ret_dir, size, "/tmp/airlock-profile-XXXXXX");
	if (mkdtemp(ret_dir) == NULL) {
		ret_dir[0] = '\0';
		return -errno;
	}
	path = arena_printf(&l->arena, "%s/profile.yaml", ret_dir);
	explain_without(&l->a->loaded, KEY_TOOL_RUN, &yaml);
	fd = path != NULL ? open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
	if (fd < 0 || buf_error(&yaml) < 0) {
		return path == NULL || buf_error(&yaml) < 0 ? -ENOMEM : -errno;
	}
	*ret = path;
	return fdio_write(fd, yaml.data, yaml.len);
}

static void __attribute__((noreturn))
become_airlock(struct live *l, int input, int output, int said)
{
	for (size_t i = 0; i < l->marked_count; i++) {
		setenv(l->marked[i], MARK, 1);
	}
	if (dup2(input, 0) == 0 && dup2(output, 1) == 1 && dup2(said, 2) == 2) {
		execv(l->a->places.front, (char *const *)(uintptr_t)l->argv);
	}
	_exit(127);
}

/* 0 when the probe answered all; what the launcher said goes to err otherwise. */
static int
run_probe(struct live *l, struct buf *output, struct err *err)
{
	auto_fd input = fdio_memfd("questions", l->input.data, l->input.len);
	auto_fd said = fdio_memfd("said", "", 0);
	auto_buf words = BUF_INIT;
	int pipes[2] = { -1, -1 }, status = 0, rc;
	pid_t pid;

	if (input < 0 || said < 0 || pipe2(pipes, O_CLOEXEC) < 0) {
		return err_sys(err, -errno, "--live");
	}
	pid = fork();
	if (pid == 0) {
		become_airlock(l, input, pipes[1], said);
	}
	close(pipes[1]);
	rc = pid < 0 ? -errno : fdio_slurp(pipes[0], ANSWERS_MAX, output);
	close(pipes[0]);
	if (pid > 0) {
		int waited = sys_wait(pid, &status);

		rc = rc < 0 ? rc : waited;
	}
	if (rc == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		return 0;
	}
	if (lseek(said, 0, SEEK_SET) == 0) {
		ignore_err(fdio_slurp(said, ANSWERS_MAX, &words), "the status says it failed");
	}
	return err_set(err, rc < 0 ? rc : -ECHILD, "--live: the probe did not run: %.*s",
		       (int)strcspn(buf_text(&words), "\n"), buf_text(&words));
}

static int
run_all(struct live *l, const char *profile, struct buf *output, struct err *err)
{
	char dir[32];
	const char *used;
	char *from = arena_printf(&l->arena, "%s/" PROBE, l->a->places.programs);
	char *probe = arena_printf(&l->arena, "%s/." PROBE, l->a->workspace);
	int rc = from == NULL || probe == NULL ? -ENOMEM : copy_file(from, probe, 0755);

	if (rc < 0) {
		return err_sys(err, rc, "--live: %s", PROBE);
	}
	rc = profile_for_probe(l, profile, &used, dir, sizeof(dir));
	if (rc < 0) {
		err_sys(err, rc, "--live: %s", dir);
	} else {
		/* Behind what was put there for the environment. */
		const char *const last[] = { "-q", "-m", "observe", "-w", l->a->workspace,
					     "-p", used, "--",	    probe };

		memcpy(&l->argv[l->argc], last, sizeof(last));
		l->argv[l->argc + ARRAY_LEN(last)] = NULL;
		rc = run_probe(l, output, err);
	}
	if (dir[0] != '\0') {
		auto_free char *path = NULL;

		if (asprintf(&path, "%s/profile.yaml", dir) > 0) {
			ignore_err(unlink(path), "it may not have been made");
		}
		ignore_err(rmdir(dir), "what is left is in /tmp");
	}
	return rc;
}

/* ---- the answers ----------------------------------------------------------------------------- */

/* An errno that the filter gives: what an allowed call must not answer. */
static bool
looks_denied(int error)
{
	return error == EPERM || error == ENOSYS || error == EAFNOSUPPORT ||
	       error == EPROTONOSUPPORT;
}

static void
compare(const struct profile_question *q, const struct vector *v, const struct ask_answer *judged,
	const char *said, struct live_answer *ret)
{
	bool none = strncmp(said, "none", 4) == 0;
	int got = none ? 0 : (int)strtol(said, NULL, 10);
	int wanted = v->error != 0 ? v->error : judged->error;
	bool right;

	if (v->kind == VECTOR_ENVIRONMENT) {
		right = (got != 0) == q->deny;
	} else if (q->deny) {
		right = got != 0 && got == wanted;
	} else if (v->kind == VECTOR_SYSCALL) {
		right = v->error != 0 ? got == v->error : !looks_denied(got);
	} else {
		right = got == 0;
	}
	ret->result = right ? LIVE_OK : !q->deny && judged->absent ? LIVE_SKIPPED : LIVE_NOT_OK;
	snprintf(ret->why, sizeof(ret->why), "in the sandbox it gives %s",
		 none				? "no answer"
		 : got == 0			? "no error"
		 : strerrorname_np(got) != NULL ? strerrorname_np(got)
						: "an unknown error");
}

/* Each question judged once, then asked or, once the output is there, compared. */
static int
each(struct live *l, const char *output, struct err *err)
{
	size_t line = 0;

	for (size_t i = 0; i < l->questions->count; i++) {
		auto_answer judged = ASK_ANSWER_INIT;
		struct vector v;
		int rc = ask_question(l->a, &l->questions->items[i], &v, &judged, err);

		if (rc < 0) {
			return rc;
		}
		if (output == NULL) {
			ask_one(l, i, &v, &judged);
		} else if (line < l->count && l->asked[line] == i) {
			compare(&l->questions->items[i], &v, &judged, output, &l->answers[i]);
			output += strcspn(output, "\n");
			output += *output == '\n';
			line++;
		}
	}
	return 0;
}

int
live_ask(struct ask *a, const char *profile, const struct profile_questions *questions,
	 struct live_answer *ret, struct err *err)
{
	struct live l = { .a = a, .questions = questions, .answers = ret, .input = BUF_INIT };
	auto_buf output = BUF_INIT;
	size_t lines = 0;
	int rc = 0;

	l.asked = arena_alloc(&l.arena, (questions->count + 1) * sizeof(*l.asked));
	l.marked = arena_alloc(&l.arena, (questions->count + 1) * sizeof(*l.marked));
	if (l.asked == NULL || l.marked == NULL) {
		rc = err_set(err, -ENOMEM, "out of memory");
	}
	l.argv[l.argc++] = "airlock";
	l.argv[l.argc++] = "run";
	rc = rc == 0 ? each(&l, NULL, err) : rc;
	if (rc == 0 && l.count > 0) {
		rc = buf_error(&l.input) < 0 ? err_set(err, -ENOMEM, "out of memory")
					     : run_all(&l, profile, &output, err);
	}
	for (size_t i = 0; i < output.len; i++) {
		lines += output.data[i] == '\n';
	}
	if (rc == 0 && lines != l.count) {
		rc = err_set(err, -EPROTO, "--live: %zu answers to %zu questions", lines, l.count);
	}
	if (rc == 0) {
		rc = each(&l, buf_text(&output), err);
	}
	buf_finish(&l.input);
	arena_finish(&l.arena);
	return rc;
}
