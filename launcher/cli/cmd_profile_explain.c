/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock profile explain`: a profile in sentences, or the answer to one question with its rule
 * and its remedy. Runs in airlock-cli as the caller. What comes from files and from the question is
 * escaped.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/json.h"
#include "../base/text.h"
#include "../profile/explain.h"
#include "cmd_profile_ask.h"
#include "commands.h"
#include "view_format.h"

#define EXIT_DENIED 1
#define QUESTIONS_MAX 16

struct explain_options {
	const char *workspace, *access;
	bool json;
	struct {
		const char *word; /* of vectors.def; NULL: a path, by `access` */
		const char *subject;
	} ask[QUESTIONS_MAX];
	size_t count;
};

/* ---- the whole page -------------------------------------------------------------------------- */

static void
put_row(const struct view *v, struct buf *out, const struct explain_row *row)
{
	size_t indent = row->entry ? 4 : 2;
	auto_buf text = BUF_INIT;

	text_safe(&text, row->text, strlen(row->text), false);
	buf_puts(&text, " (");
	text_safe(&text, row->at, strlen(row->at), false);
	buf_putc(&text, ')');
	buf_printf(out, "%*s", (int)indent, "");
	view_wrap(out, buf_text(&text), indent + 2, v->columns);
}

static void
print_page(const struct explain_page *page, const struct profile_loaded *l, struct buf *out)
{
	enum explain_topic topic = EXPLAIN__COUNT;
	struct view v;

	view_init(&v, STDOUT_FILENO);
	view_paint(&v, out, VIEW_BOLD, l->profile->name);
	buf_puts(out, " ");
	text_safe(out, l->profile->source, strlen(l->profile->source), false);
	buf_putc(out, '\n');
	for (size_t i = 0; i < page->count; i++) {
		if (page->rows[i].topic != topic) {
			topic = page->rows[i].topic;
			buf_putc(out, '\n');
			view_paint(&v, out, VIEW_BOLD, explain_title(topic));
			buf_putc(out, '\n');
		}
		put_row(&v, out, &page->rows[i]);
	}
}

static int
print_page_json(const struct explain_page *page, const struct profile_loaded *l, struct buf *out)
{
	struct json j;

	json_init(&j, out);
	json_begin_object(&j);
	json_kv_hex(&j, "digest", l->profile->digest, sizeof(l->profile->digest));
	json_kv_bytes(&j, "name", text_or_null(l->profile->name));
	json_key(&j, "rows");
	json_begin_array(&j);
	for (size_t i = 0; i < page->count; i++) {
		const struct explain_row *row = &page->rows[i];

		json_begin_object(&j);
		json_kv_bytes(&j, "at", text_or_null(row->at));
		json_kv_bool(&j, "entry", row->entry);
		json_kv_str(&j, "key", row->key);
		json_kv_bytes(&j, "text", text_or_null(row->text));
		json_kv_str(&j, "topic", explain_title(row->topic));
		json_end(&j);
	}
	json_end(&j);
	json_kv_bytes(&j, "source", text_or_null(l->profile->source));
	json_end(&j);
	buf_putc(out, '\n');
	return json_error(&j);
}

static int
explain_whole(const struct ask *a, bool json, struct err *err)
{
	struct explain_page page = { .count = 0 };
	auto_buf out = BUF_INIT;
	int rc = explain_page(&a->loaded, &page);

	if (rc == 0 && json) {
		rc = print_page_json(&page, &a->loaded, &out);
	} else if (rc == 0) {
		print_page(&page, &a->loaded, &out);
	}
	explain_page_finish(&page);
	rc = rc == 0 ? buf_error(&out) : rc;
	if (rc < 0) {
		return err_sys(err, rc, "profile explain");
	}
	fputs(buf_text(&out), stdout);
	return 0;
}

/* ---- one question ---------------------------------------------------------------------------- */

/* Lines, each below the one before by the same indent. */
static void
put_lines(struct buf *out, const char *text)
{
	for (const char *p = text; *p != '\0';) {
		size_t len = strcspn(p, "\n");

		buf_puts(out, "  ");
		text_safe(out, p, len, false);
		buf_putc(out, '\n');
		p += len + (p[len] == '\n');
	}
}

static void
print_answer(const struct vector *v, const struct ask_answer *answer, struct buf *out)
{
	struct view view;

	view_init(&view, STDOUT_FILENO);
	view_paint(&view, out, answer->allowed ? VIEW_GREEN : VIEW_RED,
		   answer->allowed ? "yes" : "no");
	buf_printf(out, ": %s ", vector_word(v->kind));
	text_safe(out, v->subject, strlen(v->subject), false);
	if (answer->error != 0 && v->kind != VECTOR_COMMAND) {
		buf_printf(out, " (%s)", strerrorname_np(answer->error));
	}
	buf_putc(out, '\n');
	put_lines(out, buf_text(&answer->why));
	if (answer->key != KEY__COUNT) {
		buf_printf(out, "  rule: %s, ", profile_key_name(answer->key));
		text_safe(out, buf_text(&answer->place), answer->place.len, false);
		buf_putc(out, '\n');
	}
	if (answer->remedy.len > 0) {
		buf_puts(out, "what to do:\n");
		put_lines(out, buf_text(&answer->remedy));
	}
}

static int
print_answer_json(const struct vector *v, const struct ask_answer *answer, struct buf *out)
{
	struct json j;

	json_init(&j, out);
	json_begin_object(&j);
	json_kv_bool(&j, "allowed", answer->allowed);
	json_kv_bytes(&j, "at", text_or_null(buf_text(&answer->place)));
	json_kv_str(&j, "errno", answer->error != 0 ? strerrorname_np(answer->error) : NULL);
	json_kv_str(&j, "key", answer->key != KEY__COUNT ? profile_key_name(answer->key) : NULL);
	json_kv_bytes(&j, "question", text_or_null(vector_word(v->kind)));
	json_kv_bytes(&j, "remedy", text_or_null(buf_text(&answer->remedy)));
	json_kv_bytes(&j, "subject", text_or_null(v->subject));
	json_kv_bytes(&j, "why", text_or_null(buf_text(&answer->why)));
	json_end(&j);
	buf_putc(out, '\n');
	return json_error(&j);
}

static int
read_question(const struct explain_options *o, size_t i, struct vector *ret, struct err *err)
{
	const char *word = o->ask[i].word != NULL ? o->ask[i].word : o->access;
	auto_free char *text = NULL;
	auto_free char *here = NULL;
	char why[256];
	const char *subject = o->ask[i].subject;

	/* A path of the command line is one of this directory, as everywhere else. */
	if (o->ask[i].word == NULL && subject[0] != '/' && strncmp(subject, "~/", 2) != 0) {
		here = getcwd(NULL, 0);
		if (here == NULL || asprintf(&text, "%s %s/%s", word, here, subject) < 0) {
			text = NULL;
		}
	} else if (asprintf(&text, "%s %s", word, subject) < 0) {
		text = NULL;
	}
	if (text == NULL) {
		return err_set(err, -ENOMEM, "out of memory");
	}
	return vector_parse(text, ret, why, sizeof(why)) < 0
		     ? err_set(err, -EINVAL, "profile explain: %s", why)
		     : 0;
}

/* 0 allowed, EXIT_DENIED, or -errno. */
static int
explain_one(struct ask *a, const struct explain_options *o, size_t i, struct err *err)
{
	auto_answer answer = ASK_ANSWER_INIT;
	auto_buf out = BUF_INIT;
	struct vector v = { .kind = VECTOR__COUNT };
	int rc = read_question(o, i, &v, err);

	if (rc == 0) {
		rc = ask_vector(a, &v, &answer, err);
	}
	if (rc < 0) {
		return rc;
	}
	if (o->json) {
		rc = print_answer_json(&v, &answer, &out);
	} else {
		print_answer(&v, &answer, &out);
	}
	rc = rc == 0 ? buf_error(&out) : rc;
	if (rc < 0) {
		return err_sys(err, rc, "profile explain");
	}
	fputs(buf_text(&out), stdout);
	return answer.allowed ? 0 : EXIT_DENIED;
}

static int
explain_questions(struct ask *a, const struct explain_options *o, struct err *err)
{
	int status = 0, rc = ask_workspace(a, o->workspace, err);

	for (size_t i = 0; rc >= 0 && i < o->count; i++) {
		rc = explain_one(a, o, i, err);
		status = rc > 0 ? rc : status;
	}
	return rc < 0 ? rc : status;
}

/* ---- the verb -------------------------------------------------------------------------------- */

static int
take_option(struct explain_options *o, const char *name, const char *argument)
{
	static const struct {
		const char *option, *word;
	} questions[] = {
		{ "command", "command" }, { "env", "environment" }, { "limit", "limit" },
		{ "path", NULL },	  { "syscall", "syscall" },
	};

	if (strcmp(name, "json") == 0) {
		o->json = true;
	} else if (strcmp(name, "workspace") == 0) {
		o->workspace = argument;
	} else if (strcmp(name, "access") == 0) {
		o->access = argument;
	}
	for (size_t i = 0; i < ARRAY_LEN(questions); i++) {
		if (strcmp(name, questions[i].option) != 0) {
			continue;
		}
		if (o->count == QUESTIONS_MAX) {
			return -E2BIG;
		}
		o->ask[o->count].word = questions[i].word;
		o->ask[o->count++].subject = argument;
	}
	return 0;
}

static bool
is_access(const char *word)
{
	return strcmp(word, "see") == 0 || strcmp(word, "read") == 0 ||
	       strcmp(word, "write") == 0 || strcmp(word, "execute") == 0;
}

int
cmd_profile_explain(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	struct explain_options o = { .access = "read", .workspace = "." };
	auto_ask a = { .judge = NULL };
	auto_buf report = BUF_INIT;
	struct err err = ERR_INIT;
	const char *name, *argument;
	int rc;

	while ((rc = command_line_next(&cl, &name, &argument)) > 0) {
		if (take_option(&o, name, argument) < 0) {
			err_set(&err, -E2BIG, "profile explain: at most %d questions",
				QUESTIONS_MAX);
			return commands_fail(EXIT_AIRLOCK, &err);
		}
	}
	rc = command_line_end(&cl, rc, 1, 1);
	if (rc >= 0) {
		return rc;
	}
	if (!is_access(o.access)) {
		err_set(&err, -EINVAL, "--access wants see, read, write or execute");
		return commands_fail(EXIT_AIRLOCK, &err);
	}
	rc = ask_profile(&a, cl.operand[0], o.workspace, &report, &err);
	if (rc == 0) {
		rc = o.count == 0 ? explain_whole(&a, o.json, &err)
				  : explain_questions(&a, &o, &err);
	}
	return rc < 0 ? profile_fail(EXIT_AIRLOCK, &report, &err) : rc;
}
