/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in airlock-cli as the caller; names and commands are anybody's and are escaped here. */
#include "view_list.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "../base/json.h"
#include "view_state.h"

#define PROFILE_COLUMNS 16u
#define COMMAND_MIN 16u

static const struct {
	const char *head;
	bool right;
} columns[COLUMN__COUNT] = {
	[COLUMN_TIME] = { "TIME", false },	 [COLUMN_CALL] = { "CALL", false },
	[COLUMN_VERDICT] = { "VERDICT", false }, [COLUMN_EXIT] = { "EXIT", true },
	[COLUMN_PROFILE] = { "PROFILE", false }, [COLUMN_TOOK] = { "TOOK", true },
	[COLUMN_CHANGES] = { "CHANGES", false }, [COLUMN_DENIED] = { "DENIED", true },
	[COLUMN_COMMAND] = { "COMMAND", false },
};

int64_t
view_list_duration(const struct index_call *call)
{
	return call->t1_ms > call->t0_ms ? (int64_t)(call->t1_ms - call->t0_ms) : 0;
}

void
view_list_changes_json(struct json *j, const struct index_call *call)
{
	json_begin_object(j);
	json_kv_uint(j, "created", call->created);
	json_kv_uint(j, "deleted", call->deleted);
	json_kv_uint(j, "held", call->held);
	json_kv_uint(j, "modified", call->modified);
	json_end(j);
}

/* A cell's text out of a buf that is empty again. */
static char *
take_text(struct buf *b)
{
	char *text = strdup(buf_error(b) == 0 ? buf_text(b) : "?");

	buf_reset(b);
	return text;
}

static void
put_exit(struct buf *b, const struct index_call *call)
{
	const char *name = call->signal > 0 ? sigabbrev_np(call->signal) : NULL;

	if (call->exit >= 0) {
		buf_printf(b, "%d", call->exit);
	} else if (name != NULL) {
		buf_puts(b, name);
	} else if (call->signal > 0) {
		buf_printf(b, "sig%d", call->signal);
	} else {
		buf_putc(b, '-');
	}
}

/* What waits for a person, or what a person took back, so that is said. */
static void
put_changes(struct buf *b, const struct index_call *call)
{
	bool is_told =
		strcmp(call->settled, "held") == 0 || strcmp(call->settled, "undone") == 0 ||
		(strcmp(call->settled, "discarded") == 0 && strcmp(call->mode, "observe") != 0);

	view_changes(b, call->created, call->modified, call->deleted);
	if (b->len > 0 && is_told) {
		buf_putc(b, ' ');
		buf_puts(b, call->settled);
	}
}

const char *
view_list_state(const struct reading *r, const struct index_call *call)
{
	if (strcmp(call->verdict, "unknown") != 0) {
		return call->verdict;
	}
	if (call->answer[0] != '\0') {
		return "resolved";
	}
	if (r == NULL || !reading_is_running(r, call->id)) {
		return call->verdict;
	}
	return reading_is_frozen(r, call->id) ? "frozen" : "running";
}

static bool
fill_row(const struct view_list *list, struct view_list_row *row, const struct index_call *call)
{
	const char *state = view_list_state(list->reading, call);
	auto_buf b = BUF_INIT, name = BUF_INIT;

	row->t0_ms = call->t0_ms;
	snprintf(row->id, sizeof(row->id), "%s", call->id);
	text_safe(&b, state, strlen(state), false);
	row->text[COLUMN_VERDICT] = take_text(&b);
	put_exit(&b, call);
	row->text[COLUMN_EXIT] = take_text(&b);
	text_safe(&name, call->profile, strlen(call->profile), false);
	view_cut(&b, buf_text(&name), PROFILE_COLUMNS);
	row->text[COLUMN_PROFILE] = take_text(&b);
	if (call->t1_ms != 0) {
		view_duration(&b, (uint64_t)view_list_duration(call));
	} else {
		buf_putc(&b, '-');
	}
	row->text[COLUMN_TOOK] = take_text(&b);
	put_changes(&b, call);
	row->text[COLUMN_CHANGES] = take_text(&b);
	if (call->denials > 0) {
		buf_printf(&b, "%llu", (unsigned long long)call->denials);
	}
	row->text[COLUMN_DENIED] = take_text(&b);
	text_safe(&b, call->command, strlen(call->command), false);
	row->text[COLUMN_COMMAND] = take_text(&b);
	for (enum view_list_column c = COLUMN_VERDICT; c < COLUMN__COUNT; c++) {
		if (row->text[c] == NULL) {
			return false;
		}
	}
	return true;
}

int
view_list_add(void *arg, const struct index_call *call)
{
	struct view_list *list = arg;

	if (list->count == list->cap) {
		size_t cap = list->cap > 0 ? 2 * list->cap : 32;
		struct view_list_row *rows = reallocarray(list->rows, cap, sizeof(*rows));

		if (rows == NULL) {
			return -ENOMEM;
		}
		list->rows = rows;
		list->cap = cap;
	}
	list->rows[list->count] = (struct view_list_row){ .t0_ms = 0 };
	return fill_row(list, &list->rows[list->count++], call) ? 0 : -ENOMEM;
}

int
view_list_prefixes(struct view_list *list, struct err *err)
{
	list->prefix_len = VIEW_LIST_PREFIX_MIN;
	for (size_t i = 0; i < list->count; i++) {
		int rc = index_prefix_len(list->ix, list->rows[i].id, list->prefix_len,
					  &list->prefix_len, err);

		if (rc != 0) {
			return rc;
		}
	}
	return 0;
}

void
view_list_finish(struct view_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		for (enum view_list_column c = COLUMN_TIME; c < COLUMN__COUNT; c++) {
			free(list->rows[i].text[c]);
		}
	}
	free(list->rows);
	*list = (struct view_list)VIEW_LIST_INIT;
}

/* ---- printing ----------------------------------------------------------------------------- */

struct layout {
	enum view_time_style time_style;
	const char *gap; /* one space where a terminal's width is short, else two */
	size_t width[COLUMN__COUNT];
	size_t command_columns; /* SIZE_MAX: never cut */
};

/* The cell's text, for what is not made before. */
static const char *
cell(const struct view_list *list, const struct layout *l, size_t row, enum view_list_column c,
     struct buf *scratch)
{
	const struct view_list_row *r = &list->rows[row];

	buf_reset(scratch);
	if (c == COLUMN_TIME) {
		view_time(scratch, r->t0_ms, l->time_style);
	} else if (c == COLUMN_CALL) {
		buf_put(scratch, r->id, list->prefix_len);
	} else {
		return r->text[c];
	}
	return buf_text(scratch);
}

static void
lay_out(const struct view_list *list, const struct view *v, uint64_t now_ms, struct layout *ret)
{
	auto_buf scratch = BUF_INIT;
	uint64_t oldest = now_ms;
	size_t used = 0;

	for (size_t i = 0; i < list->count; i++) {
		oldest = list->rows[i].t0_ms < oldest ? list->rows[i].t0_ms : oldest;
	}
	ret->time_style = view_time_style(oldest, now_ms);
	ret->gap = v->terminal ? " " : "  ";
	for (enum view_list_column c = COLUMN_TIME; c < COLUMN_COMMAND; c++) {
		size_t width = 0;

		for (size_t i = 0; i < list->count; i++) {
			size_t one = view_width(cell(list, ret, i, c, &scratch));

			width = one > width ? one : width;
		}
		if (v->terminal && width > 0 && width < strlen(columns[c].head)) {
			width = strlen(columns[c].head);
		}
		ret->width[c] = width; /* 0: nothing stands in the column, it is left out */
		used += width > 0 ? width + strlen(ret->gap) : 0;
	}
	ret->width[COLUMN_COMMAND] = 0;
	ret->command_columns = SIZE_MAX;
	if (v->terminal) {
		ret->command_columns =
			v->columns > used + COMMAND_MIN ? v->columns - used : COMMAND_MIN;
	}
}

static enum view_color
color_of(const struct view_list_row *row, enum view_list_column c)
{
	if (c == COLUMN_VERDICT) {
		return view_verdict_color(row->text[COLUMN_VERDICT]);
	}
	if (c == COLUMN_DENIED) {
		return VIEW_YELLOW;
	}
	return c == COLUMN_TIME ? VIEW_DIM : VIEW_PLAIN;
}

void
view_list_print(const struct view_list *list, const struct view *v, uint64_t now_ms,
		struct buf *out)
{
	auto_buf scratch = BUF_INIT, padded = BUF_INIT;
	struct layout l;

	lay_out(list, v, now_ms, &l);
	for (enum view_list_column c = COLUMN_TIME;
	     v->terminal && list->count > 0 && c < COLUMN_COMMAND; c++) {
		if (l.width[c] > 0) {
			view_pad(&padded, columns[c].head, l.width[c], columns[c].right);
			buf_puts(&padded, l.gap);
		}
	}
	if (padded.len > 0) {
		buf_puts(&padded, columns[COLUMN_COMMAND].head);
		view_paint(v, out, VIEW_DIM, buf_text(&padded));
		buf_putc(out, '\n');
	}
	for (size_t i = 0; i < list->count; i++) {
		for (enum view_list_column c = COLUMN_TIME; c < COLUMN_COMMAND; c++) {
			if (l.width[c] == 0) {
				continue;
			}
			buf_reset(&padded);
			view_pad(&padded, cell(list, &l, i, c, &scratch), l.width[c],
				 columns[c].right);
			view_paint(v, out, color_of(&list->rows[i], c), buf_text(&padded));
			buf_puts(out, l.gap);
		}
		view_cut(out, list->rows[i].text[COLUMN_COMMAND], l.command_columns);
		buf_putc(out, '\n');
	}
}
