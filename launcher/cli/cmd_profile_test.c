/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock profile test`: the questions of a profile's author against what the profile says. Runs
 * in airlock-cli as the caller. Nothing is run,
 * unless --live asks the same in a real sandbox.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/text.h"
#include "cmd_profile_ask.h"
#include "cmd_profile_live.h"
#include "commands.h"

#define EXIT_FAILED 1

struct counts {
	size_t passed, failed, skipped;
};

/* "ok default.yaml:9 deny syscall ptrace: why" */
static void
tell(const char *result, const char *how, const struct profile_question *q, const char *why)
{
	auto_buf line = BUF_INIT;

	buf_printf(&line, "%-6s ", result);
	text_safe(&line, q->at, strlen(q->at), false);
	buf_printf(&line, " %s%s ", how, q->deny ? "deny" : "allow");
	text_safe(&line, q->text, strlen(q->text), false);
	if (why[0] != '\0') {
		buf_puts(&line, ": ");
		text_safe(&line, why, strcspn(why, "\n"), false);
	}
	puts(buf_text(&line));
}

static void
judge_question(const struct profile_question *q, const struct vector *v,
	       const struct ask_answer *answer, struct counts *counts)
{
	auto_buf why = BUF_INIT;
	const char *got = answer->error != 0 ? strerrorname_np(answer->error) : "no errno";

	if (!q->deny && !answer->allowed && answer->absent) {
		counts->skipped++;
		tell("skip", "", q, "this host does not have it");
		return;
	}
	if (answer->allowed == q->deny) {
		buf_printf(&why, "wanted it %s, and it is %s: %s", q->deny ? "denied" : "allowed",
			   q->deny ? "allowed" : "denied", buf_text(&answer->why));
		if (answer->key != KEY__COUNT) {
			buf_printf(&why, " (%s, %s)", profile_key_name(answer->key),
				   buf_text(&answer->place));
		}
	} else if (q->deny && v->error != 0 && v->error != answer->error) {
		buf_printf(&why, "wanted %s, it gives %s", strerrorname_np(v->error), got);
	} else {
		counts->passed++;
		tell("ok", "", q, "");
		return;
	}
	counts->failed++;
	tell("not ok", "", q, buf_text(&why));
}

/* A path in the workspace is there when it is asked about: a file, or a directory for "x/". */
static int
make_path(const struct ask *a, const struct vector *v)
{
	auto_free char *path = ask_path(a, v->subject);
	char *slash = path != NULL ? strrchr(path, '/') : NULL;
	bool dir = slash != NULL && slash[1] == '\0';
	int rc;

	if (slash == NULL) {
		return -ENOMEM;
	}
	*slash = '\0';
	rc = fdio_mkdirs(path, 0755);
	*slash = '/';
	if (rc == 0 && !dir) {
		auto_fd fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0755);

		rc = fd < 0 && errno != EISDIR ? -errno : 0;
	}
	return rc;
}

static bool
is_in_workspace(const struct vector *v)
{
	return (v->kind == VECTOR_SEE || v->kind == VECTOR_READ || v->kind == VECTOR_WRITE ||
		v->kind == VECTOR_EXECUTE) &&
	       v->subject[0] != '/' && strncmp(v->subject, "~/", 2) != 0;
}

/* Read already when the profile was: what stands there is right. */
static int
parse(const struct profile_question *q, struct vector *ret, struct err *err)
{
	char why[256];

	return vector_parse(q->text, ret, why, sizeof(why)) < 0
		     ? err_set(err, -EINVAL, "%s: %s", q->at, why)
		     : 0;
}

static int
make_workspace(struct ask *a, const struct profile_questions *questions, struct err *err)
{
	int rc = ask_scratch(a, err);
	struct vector v;

	a->workspace = rc == 0 ? strdup(a->scratch) : NULL;
	for (size_t i = 0; rc == 0 && i < questions->count; i++) {
		rc = parse(&questions->items[i], &v, err);
		if (rc == 0 && is_in_workspace(&v)) {
			rc = make_path(a, &v);
			rc = rc < 0 ? err_sys(err, rc, "%s/%s", a->scratch, v.subject) : 0;
		}
	}
	return rc == 0 ? ask_workspace(a, a->scratch, err) : rc;
}

/* A second line per question. */
static int
test_live(struct ask *a, const char *name, const struct profile_questions *questions,
	  struct counts *counts, struct err *err)
{
	auto_free struct live_answer *answers = calloc(questions->count + 1, sizeof(*answers));
	int rc = answers == NULL ? err_set(err, -ENOMEM, "out of memory")
				 : live_ask(a, name, questions, answers, err);

	for (size_t i = 0; rc == 0 && i < questions->count; i++) {
		static const char *const words[] = {
			[LIVE_OK] = "ok", [LIVE_NOT_OK] = "not ok", [LIVE_SKIPPED] = "skip"
		};
		const struct live_answer *answer = &answers[i];

		tell(words[answer->result], "live ", &questions->items[i],
		     answer->result != LIVE_OK ? answer->why : "");
		counts->passed += answer->result == LIVE_OK;
		counts->failed += answer->result == LIVE_NOT_OK;
		counts->skipped += answer->result == LIVE_SKIPPED;
	}
	return rc;
}

static int
test_profile(const char *name, bool live, struct counts *counts, struct buf *report,
	     struct err *err)
{
	auto_ask a = { .judge = NULL };
	struct profile_questions questions = { .count = 0 };
	struct vector v;
	int rc = ask_profile(&a, name, NULL, report, err);

	if (rc == 0) {
		rc = profile_questions_load(&a.loaded, &questions, report, err);
	}
	if (rc == 0) {
		rc = make_workspace(&a, &questions, err);
	}
	for (size_t i = 0; rc == 0 && i < questions.count; i++) {
		auto_answer answer = ASK_ANSWER_INIT;

		rc = ask_question(&a, &questions.items[i], &v, &answer, err);
		if (rc == 0) {
			judge_question(&questions.items[i], &v, &answer, counts);
		}
	}
	if (rc == 0 && live) {
		rc = test_live(&a, name, &questions, counts, err);
	}
	profile_questions_finish(&questions);
	return rc;
}

int
cmd_profile_test(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	struct counts counts = { .passed = 0 };
	const char *name, *argument;
	bool live = false;
	int status = 0, rc;

	while ((rc = command_line_next(&cl, &name, &argument)) > 0) {
		live = true; /* the one option there is */
	}
	rc = command_line_end(&cl, rc, 1, SIZE_MAX);
	if (rc >= 0) {
		return rc;
	}
	for (size_t i = 0; i < cl.operands; i++) {
		auto_buf report = BUF_INIT;
		struct err err = ERR_INIT;

		if (test_profile(cl.operand[i], live, &counts, &report, &err) < 0) {
			status = profile_fail(EXIT_AIRLOCK, &report, &err);
		}
	}
	printf("%zu passed, %zu failed, %zu skipped\n", counts.passed, counts.failed,
	       counts.skipped);
	return status != 0 ? status : counts.failed > 0 ? EXIT_FAILED : 0;
}
