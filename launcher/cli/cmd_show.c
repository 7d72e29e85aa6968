/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock show`: the page that somebody reads after an incident: what a call saw, what was
 * decided, what it touched. Runs in airlock-cli as the caller. Every string of a record is a
 * caller's or a tool's: it passes view_text, view_path or text_safe here.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "view_page.h"
#include "view_record.h"
#include "view_show.h"

static int
print_json(const struct record *rec)
{
	auto_buf line = BUF_INIT;

	buf_printf(&line, "{\"call\":\"%s\",\"outcome\":", rec->id);
	if (rec->outcome_text.len > 0) {
		buf_put(&line, rec->outcome_text.data, rec->outcome_text.len);
	} else {
		buf_puts(&line, "null");
	}
	buf_puts(&line, ",\"planned\":");
	buf_put(&line, rec->planned_text.data, rec->planned_text.len);
	buf_puts(&line, "}\n");
	if (buf_error(&line) != 0) {
		return -ENOMEM;
	}
	return fwrite(line.data, 1, line.len, stdout) == line.len ? 0 : -EIO;
}

/* "failed, exit 2", "signaled, SIGSEGV", "ok, exit 0". */
static void
put_verdict(const struct record *rec, struct buf *b)
{
	const json_t *exit_code = json_object_get(rec->outcome, "exit");
	int signal = (int)record_number(rec->outcome, "signal");

	if (rec->outcome == NULL) {
		buf_puts(b,
			 "unknown: no outcome is recorded; it still runs, or airlock was killed");
		return;
	}
	view_text(b, record_text(rec->outcome, "verdict"));
	if (json_is_integer(exit_code)) {
		buf_printf(b, ", exit %lld", (long long)json_integer_value(exit_code));
	}
	if (signal > 0) {
		const char *name = sigabbrev_np(signal);

		buf_printf(b, ", signal %d%s%s", signal, name != NULL ? " SIG" : "",
			   name != NULL ? name : "");
	}
}

static void
show_head(struct page *p, const struct record *rec)
{
	const json_t *argv = json_object_get(rec->planned, "argv");
	auto_buf text = BUF_INIT;
	uint64_t t0 = record_number(rec->planned, "t0"), t1 = record_number(rec->outcome, "t1");

	buf_puts(&p->out, "call ");
	view_paint(&p->view, &p->out, VIEW_BOLD, rec->id);
	buf_putc(&p->out, '\n');
	for (size_t i = 0; i < json_array_size(argv); i++) {
		if (i > 0) {
			buf_putc(&text, ' ');
		}
		index_spell_argument(&text, json_string_value(json_array_get(argv, i)));
	}
	page_fact(p, "command", buf_text(&text));
	buf_reset(&text);
	put_verdict(rec, &text);
	page_fact_color(p, "verdict",
			view_verdict_color(rec->outcome != NULL
						   ? record_text(rec->outcome, "verdict")
						   : "unknown"),
			buf_text(&text));
	if (record_text(rec->outcome, "reason")[0] != '\0') {
		buf_reset(&text);
		view_text(&text, record_text(rec->outcome, "reason"));
		page_fact(p, "reason", buf_text(&text));
	}
	buf_reset(&text);
	view_time(&text, t0, VIEW_TIME_FULL);
	if (t1 != 0) {
		buf_puts(&text, ", took ");
		view_duration(&text, t1 > t0 ? t1 - t0 : 0);
	}
	page_fact(p, "started", buf_text(&text));
	buf_reset(&text);
	view_text(&text, record_text(rec->planned, "workflow_name"));
	page_factf(p, "workflow", "%s, call %llu, %s", buf_text(&text),
		   (unsigned long long)record_number(rec->planned, "seq"),
		   record_text(rec->planned, "workflow"));
}

int
cmd_show(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	const char *name, *argument;
	auto_reading r = READING_INIT;
	auto_record rec = RECORD_INIT;
	auto_page page = PAGE_INIT;
	struct err err = ERR_INIT;
	bool json = false;
	int rc;

	while ((rc = command_line_next(&cl, &name, &argument)) > 0) {
		json = true; /* the only option there is */
	}
	if (rc != 0) {
		return command_line_status(rc);
	}
	if (command_line_operands(&cl, 1, 1) != 0) {
		return EXIT_AIRLOCK;
	}
	rc = reading_open(&r, &err);
	if (rc == 0) {
		rc = record_load(&r, cl.operand[0], &rec, &err);
	}
	if (rc != 0) {
		return commands_fail(1, &err);
	}
	if (json) {
		rc = print_json(&rec);
	} else {
		page_init(&page, STDOUT_FILENO);
		show_head(&page, &rec);
		show_saw(&page, &rec);
		show_decided(&page, &rec);
		show_touched(&page, &rec);
		rc = buf_error(&page.out);
		if (rc == 0 && fwrite(page.out.data, 1, page.out.len, stdout) != page.out.len) {
			rc = -EIO;
		}
	}
	if (rc != 0) {
		ignore_err(err_sys(&err, rc, "show the call"), "it is returned below");
		return commands_fail(1, &err);
	}
	return 0;
}
