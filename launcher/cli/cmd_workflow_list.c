/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock workflow list`: those that were made by name. Runs in airlock-cli as the caller; owners
 * and reasons are the callers' and are escaped.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/fdio.h"
#include "../snapshot/fsat.h"
#include "cmd_workflow.h"
#include "commands.h"
#include "view_format.h"

#define NAMES_MAX 1048576u

struct listing {
	struct workflow_seen *items; /* owned */
	size_t count;
};

static void
listing_finish(struct listing *l)
{
	free(l->items);
}

static int
order(const void *a, const void *b)
{
	const struct workflow_seen *x = a, *y = b;

	if (x->d.created_ms != y->d.created_ms) {
		return x->d.created_ms < y->d.created_ms ? -1 : 1;
	}
	return strcmp(x->id, y->id);
}

static int
add(const struct store *s, const char *name, struct listing *ret, struct err *err)
{
	struct workflow_seen *grown;
	uint8_t id[16];
	struct err why = ERR_INIT;
	int rc;

	if (!workflow_name_is_good(name)) {
		return 0;
	}
	grown = reallocarray(ret->items, ret->count + 1, sizeof(*ret->items));
	if (grown == NULL) {
		return err_sys(err, -ENOMEM, "list workflows");
	}
	ret->items = grown;
	rc = workflow_find(s, name, id, &why);
	rc = rc < 0 ? rc : workflow_see(s, id, &ret->items[ret->count], &why);
	if (rc < 0) {
		fprintf(stderr, "airlock: workflow %s: %s\n", name, why.text);
		return 0;
	}
	ret->count++;
	return 0;
}

static int
read_all(const struct store *s, struct listing *ret, struct err *err)
{
	struct fs_names names = FS_NAMES_INIT;
	auto_fd dir = fdio_open_dir(s->dir_fd, WORKFLOW_NAMES);
	int rc = dir < 0 ? dir : fsat_list(dir, NAMES_MAX, &names);

	if (rc < 0) {
		return rc == -ENOENT ? 0 : err_sys(err, rc, "list %s/" WORKFLOW_NAMES, s->path);
	}
	for (size_t i = 0; rc == 0 && i < names.count; i++) {
		rc = add(s, names.items[i], ret, err);
	}
	fsat_names_finish(&names);
	if (rc == 0 && ret->count > 0) {
		qsort(ret->items, ret->count, sizeof(ret->items[0]), order);
	}
	return rc;
}

/* ---- for a person --------------------------------------------------------------------------- */

enum column { COLUMN_NAME, COLUMN_STATE, COLUMN_MADE, COLUMN_STEP, COLUMN_CALLS, COLUMN__COUNT };

static void
put_cell(struct buf *b, const struct workflow_seen *w, enum column c, enum view_time_style style)
{
	const struct ledger *l = &w->l;

	switch (c) {
	case COLUMN_NAME:
		buf_puts(b, w->d.name);
		break;
	case COLUMN_STATE:
		buf_puts(b, workflow_seen_state(w));
		break;
	case COLUMN_MADE:
		view_time(b, w->d.created_ms, style);
		break;
	case COLUMN_STEP:
		if (w->d.step_count > 0) {
			buf_printf(b, "%s %u/%u",
				   l->step > 0 && l->step <= w->d.step_count
					   ? w->d.steps[l->step - 1]
					   : "-",
				   l->step, w->d.step_count);
		}
		break;
	case COLUMN_CALLS:
		buf_printf(b, "%llu", (unsigned long long)l->used[BUDGET_CALLS]);
		if (l->limit[BUDGET_CALLS] != 0) {
			buf_printf(b, "/%llu", (unsigned long long)l->limit[BUDGET_CALLS]);
		}
		break;
	case COLUMN__COUNT:
		break;
	}
}

/* Who answers for it, and why it does not go on. */
static void
put_rest(struct buf *b, const struct workflow_seen *w)
{
	text_safe(b, w->d.owner, strlen(w->d.owner), false);
	if (w->l.reason[0] != '\0') {
		buf_puts(b, b->len > 0 ? ": " : "");
		text_safe(b, w->l.reason, strlen(w->l.reason), false);
	}
}

static enum view_color
color_of(const struct workflow_seen *w, enum column c)
{
	static const enum view_color colors[WORKFLOW__COUNT] = {
		[WORKFLOW_ACTIVE] = VIEW_GREEN,
		[WORKFLOW_PAUSED] = VIEW_YELLOW,
		[WORKFLOW_STOPPED] = VIEW_RED,
		[WORKFLOW_FINISHED] = VIEW_PLAIN,
	};

	if (c == COLUMN_NAME) {
		return VIEW_BOLD;
	}
	return c == COLUMN_STATE ? colors[w->l.state] : VIEW_PLAIN;
}

static void
print_table(const struct listing *l, const struct view *v, struct buf *out)
{
	size_t width[COLUMN__COUNT] = { 0 };
	enum view_time_style style =
		view_time_style(l->count > 0 ? l->items[0].d.created_ms : 0, clock_realtime_ms());

	for (size_t i = 0; i < l->count; i++) {
		for (enum column c = COLUMN_NAME; c < COLUMN__COUNT; c++) {
			auto_buf cell = BUF_INIT;

			put_cell(&cell, &l->items[i], c, style);
			width[c] = cell.len > width[c] ? cell.len : width[c];
		}
	}
	for (size_t i = 0; i < l->count; i++) {
		auto_buf line = BUF_INIT;

		for (enum column c = COLUMN_NAME; c < COLUMN__COUNT; c++) {
			auto_buf cell = BUF_INIT, padded = BUF_INIT;

			if (width[c] == 0) {
				continue;
			}
			put_cell(&cell, &l->items[i], c, style);
			view_pad(&padded, buf_text(&cell), width[c], false);
			view_paint(v, out, color_of(&l->items[i], c), buf_text(&padded));
			buf_puts(out, "  ");
		}
		put_rest(&line, &l->items[i]);
		buf_puts(out, buf_text(&line));
		buf_putc(out, '\n');
	}
}

static int
print(struct reading *r, const struct listing *l, bool json, struct err *err)
{
	auto_buf out = BUF_INIT;
	struct view v;
	int rc = 0;

	view_init(&v, STDOUT_FILENO);
	if (!json) {
		print_table(l, &v, &out);
	}
	for (size_t i = 0; json && rc == 0 && i < l->count; i++) {
		rc = workflow_seen_json(r, &l->items[i], NULL, &out);
	}
	rc = rc < 0 ? rc : commands_write(&out);
	if (rc == 0 && l->count == 0 && v.terminal) {
		fputs("airlock: no workflow was made by name: airlock workflow new NAME makes "
		      "one\n",
		      stderr);
	}
	return rc < 0 ? err_sys(err, rc, "standard output") : 0;
}

int
cmd_workflow_list(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	__attribute__((cleanup(listing_finish))) struct listing l = { .items = NULL };
	auto_reading r = READING_INIT;
	struct err err = ERR_INIT;
	bool json = false;
	int rc = command_line_flag(&cl, 0, 0, &json);

	if (rc >= 0) {
		return rc;
	}
	rc = reading_open(&r, &err);
	if (rc == -ENOENT) {
		return commands_fail(0, &err);
	}
	rc = rc < 0 ? rc : read_all(&r.store, &l, &err);
	rc = rc < 0 ? rc : print(&r, &l, json, &err);
	return rc < 0 ? commands_fail(1, &err) : 0;
}
