/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock rerun`: whether a recorded call does the same again. Runs in airlock-cli as the caller;
 * the second call is run by airlock itself, in mode observe, and is recorded as every call is.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/json.h"
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

static void
put_row_json(struct json *j, const struct rerun_row *row)
{
	json_begin_object(j);
	json_kv_str(j, "answer", rerun_answers[row->answer]);
	json_kv_str(j, "first", text_or_null(buf_text(&row->first)));
	json_kv_str(j, "now", text_or_null(buf_text(&row->now)));
	json_kv_str(j, "then", text_or_null(buf_text(&row->then)));
	json_end(j);
}

static int
put_json(const struct record *then, const struct record *now, const struct rerun_comparison *c,
	 const struct rerun_notes *notes, struct buf *out)
{
	static const enum rerun_what sorted[RERUN_WHAT__COUNT] = {
		RERUN_CHANGES, RERUN_EXIT, RERUN_STDERR, RERUN_STDOUT, RERUN_VERDICT,
	};
	struct json j;

	json_init(&j, out);
	json_begin_object(&j);
	json_kv_str(&j, "again", now->id);
	json_kv_str(&j, "call", then->id);
	json_key(&j, "compared");
	json_begin_object(&j);
	for (size_t i = 0; i < ARRAY_LEN(sorted); i++) {
		json_key(&j, rerun_whats[sorted[i]]);
		put_row_json(&j, &c->rows[sorted[i]]);
	}
	json_end(&j);
	json_key(&j, "notes");
	json_begin_array(&j);
	for (size_t i = 0; i < notes->count; i++) {
		json_str(&j, notes->items[i]);
	}
	json_end(&j);
	json_kv_bool(&j, "same", rerun_is_same(c));
	json_end(&j);
	buf_putc(out, '\n');
	return json_error(&j);
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
	rc = rc == 0 ? commands_write(&out) : rc;
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
	struct err err = ERR_INIT;
	int rc = command_line_flag(&cl, 1, 1, &req.json);

	if (rc >= 0) {
		return rc;
	}
	req.call = cl.operand[0];
	rc = rerun(&req, &err);
	return rc < 0 ? commands_fail(EXIT_AIRLOCK, &err) : rc;
}
