/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock show`: the page that somebody reads after an incident: what a call saw, what was
 * decided, what it touched. Runs in airlock-cli as the caller. Every string of a record is a
 * caller's or a tool's: it passes view_text, view_path or text_safe here.
 */
#include <errno.h>
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

	buf_printf(&line, "{\"call\":\"%s\",\"lost\":", rec->id);
	if (rec->lost_text.len > 0) {
		buf_put(&line, rec->lost_text.data, rec->lost_text.len);
	} else {
		buf_puts(&line, "null");
	}
	buf_puts(&line, ",\"outcome\":");
	if (rec->outcome_text.len > 0) {
		buf_put(&line, rec->outcome_text.data, rec->outcome_text.len);
	} else {
		buf_puts(&line, "null");
	}
	buf_puts(&line, ",\"planned\":");
	buf_put(&line, rec->planned_text.data, rec->planned_text.len);
	buf_puts(&line, ",\"resolves\":[");
	buf_put(&line, rec->resolves_text.data, rec->resolves_text.len);
	buf_puts(&line, "],\"settles\":[");
	buf_put(&line, rec->settles_text.data, rec->settles_text.len);
	buf_puts(&line, "]}\n");
	return commands_write(&line);
}

static int
print_page(struct reading *r, const struct record *rec, bool verbose)
{
	auto_page page = PAGE_INIT;

	page_init(&page, STDOUT_FILENO);
	page.verbose = verbose;
	show_head(&page, rec);
	show_unknown(&page, r, rec);
	show_findings(&page, rec);
	show_saw(&page, r, rec);
	show_decided(&page, rec);
	show_touched(&page, r, rec);
	return commands_write(&page.out);
}

int
cmd_show(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	const char *name, *argument;
	auto_reading r = READING_INIT;
	auto_record rec = RECORD_INIT;
	struct err err = ERR_INIT;
	bool json = false, verbose = false;
	int rc;

	while ((rc = command_line_next(&cl, &name, &argument)) > 0) {
		if (strcmp(name, "json") == 0) {
			json = true;
		} else {
			verbose = true;
		}
	}
	rc = command_line_end(&cl, rc, 1, 1);
	if (rc >= 0) {
		return rc;
	}
	rc = reading_open(&r, &err);
	if (rc == 0) {
		rc = record_load(&r, cl.operand[0], &rec, &err);
	}
	if (rc != 0) {
		return commands_fail(1, &err);
	}
	rc = json ? print_json(&rec) : print_page(&r, &rec, verbose);
	if (rc != 0) {
		ignore_err(err_sys(&err, rc, "show the call"), "it is returned below");
		return commands_fail(1, &err);
	}
	return 0;
}
