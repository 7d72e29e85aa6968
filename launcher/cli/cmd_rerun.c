/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock rerun`: whether a recorded call does the same again. Runs in airlock-cli as the caller;
 * the second call is run by airlock itself, in mode observe, and is recorded as every call is.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "rerun.h"

#define EXIT_DIFFERENT 1

/* What of a call can be run again at all. */
static int
check(const struct record *rec, struct err *err)
{
	if (rec->outcome == NULL) {
		return err_set(err, -ENODATA,
			       "%s has no outcome: there is nothing that it could be compared with",
			       rec->id);
	}
	if (json_is_true(json_object_get(rec->planned, "terminal"))) {
		return err_set(err, -EINVAL, "%s had a terminal: who sat at it cannot be run again",
			       rec->id);
	}
	return 0;
}

/* ---- the answer ------------------------------------------------------------------------------ */

static void
put_row(struct page *p, enum rerun_what what, const struct rerun_row *row)
{
	static const enum view_color colors[RERUN_ANSWER__COUNT] = {
		[RERUN_SAME] = VIEW_GREEN,
		[RERUN_DIFFERENT] = VIEW_RED,
		[RERUN_UNKNOWN] = VIEW_YELLOW,
	};
	auto_buf text = BUF_INIT;

	buf_puts(&text, rerun_answers[row->answer]);
	if (row->answer == RERUN_SAME) {
		buf_printf(&text, ": %s", buf_text(&row->now));
	} else if (row->then.len > 0) {
		buf_printf(&text, ": %s then, %s now", buf_text(&row->then), buf_text(&row->now));
	}
	page_fact_color(p, rerun_whats[what], colors[row->answer], buf_text(&text));
	if (row->first.len > 0) {
		page_fact(p, "", buf_text(&row->first));
	}
}

static int
put_page(const struct record *then, const struct record *now, const struct rerun_comparison *c,
	 const struct rerun_notes *notes, struct buf *out)
{
	auto_page p = PAGE_INIT;
	auto_buf command = BUF_INIT;

	page_init(&p, STDOUT_FILENO);
	record_command(&command, then);
	page_fact(&p, "call", then->id);
	page_fact(&p, "again", now->id);
	page_fact(&p, "command", buf_text(&command));
	for (enum rerun_what what = 0; what < RERUN_WHAT__COUNT; what++) {
		put_row(&p, what, &c->rows[what]);
	}
	for (size_t i = 0; i < notes->count; i++) {
		page_fact(&p, i == 0 ? "but" : "", notes->items[i]);
	}
	buf_put(out, p.out.data, p.out.len);
	return buf_error(&p.out) != 0 ? -ENOMEM : buf_error(out);
}

static json_t *
json_or_null(const struct buf *text)
{
	return text->len > 0 ? json_string(buf_text(text)) : json_null();
}

static int
put_json(const struct record *then, const struct record *now, const struct rerun_comparison *c,
	 const struct rerun_notes *notes, struct buf *out)
{
	json_t *rows = json_object(), *list = json_array(), *whole;
	bool is_good = true;
	char *text;

	for (enum rerun_what what = 0; what < RERUN_WHAT__COUNT; what++) {
		const struct rerun_row *row = &c->rows[what];
		json_t *one =
			json_pack("{s:s, s:o, s:o, s:o}", "answer", rerun_answers[row->answer],
				  "first", json_or_null(&row->first), "now",
				  json_or_null(&row->now), "then", json_or_null(&row->then));

		is_good = one != NULL && json_object_set_new(rows, rerun_whats[what], one) == 0 &&
			  is_good;
	}
	for (size_t i = 0; i < notes->count; i++) {
		is_good = json_array_append_new(list, json_string(notes->items[i])) == 0 && is_good;
	}
	whole = json_pack("{s:s, s:s, s:o, s:o, s:b}", "again", now->id, "call", then->id,
			  "compared", rows, "notes", list, "same", rerun_is_same(c));
	text = json_dumps(whole, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(whole);
	if (text != NULL && is_good) {
		buf_puts(out, text);
		buf_putc(out, '\n');
	}
	is_good = is_good && text != NULL;
	free(text);
	return is_good ? buf_error(out) : -ENOMEM;
}

/* ---- the two calls --------------------------------------------------------------------------- */

struct request {
	const char *call;
	bool json;
};

/* The exit status; negative: it is in err. */
static int
tell(const struct request *req, const struct record *then, const char *id,
     struct rerun_notes *notes, struct err *err)
{
	auto_reading r = READING_INIT;
	auto_record now = RECORD_INIT;
	auto_rerun_comparison c = { .rows = { { .answer = RERUN_UNKNOWN } } };
	auto_buf out = BUF_INIT;
	/* a reading sees the state as it was when it began */
	int rc = reading_open(&r, err);

	rc = rc != 0 ? rc : record_load(&r, id, &now, err);
	rc = rc != 0 ? rc : rerun_compare(&r, then, &now, &c, notes, err);
	if (rc != 0) {
		return rc;
	}
	rc = req->json ? put_json(then, &now, &c, notes, &out)
		       : put_page(then, &now, &c, notes, &out);
	if (rc == 0 && fwrite(out.data, 1, out.len, stdout) != out.len) {
		rc = -EIO;
	}
	if (rc != 0) {
		return err_sys(err, rc, "standard output");
	}
	return rerun_is_same(&c) ? 0 : EXIT_DIFFERENT;
}

static int
rerun(const struct request *req, struct err *err)
{
	auto_reading r = READING_INIT;
	auto_record then = RECORD_INIT;
	auto_rerun_scratch scratch = RERUN_SCRATCH_INIT;
	struct rerun_notes notes = { .items = NULL };
	char id[UUID_TEXT_SIZE];
	int rc = reading_open(&r, err);

	rc = rc != 0 ? rc : record_load(&r, req->call, &then, err);
	rc = rc != 0 ? rc : check(&then, err);
	rc = rc != 0 ? rc : rerun_tree_make(&r, &then, &scratch, &notes, err);
	rc = rc != 0 ? rc : rerun_start(&r, &then, &scratch, &notes, id, err);
	rc = rc != 0 ? rc : tell(req, &then, id, &notes, err);
	rerun_notes_finish(&notes);
	return rc;
}

int
cmd_rerun(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	struct request req = { .json = false };
	const char *name, *argument;
	struct err err = ERR_INIT;
	int rc;

	while ((rc = command_line_next(&cl, &name, &argument)) > 0) {
		req.json = true; /* the only option there is */
	}
	rc = command_line_end(&cl, rc, 1, 1);
	if (rc >= 0) {
		return rc;
	}
	req.call = cl.operand[0];
	rc = rerun(&req, &err);
	return rc < 0 ? commands_fail(EXIT_AIRLOCK, &err) : rc;
}
