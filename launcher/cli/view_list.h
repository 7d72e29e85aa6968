/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of `airlock log`: rows are collected, so that columns are as wide as what stands in
 * them. airlock-cli only, as the caller.
 */
#ifndef AIRLOCK_CLI_VIEW_LIST_H
#define AIRLOCK_CLI_VIEW_LIST_H

#include "../store/index.h"
#include "view_format.h"

struct json;
struct reading;

/*
 * The first 48 bits of an id are its milliseconds: an id cut here stays unique when later calls
 * come.
 */
#define VIEW_LIST_PREFIX_MIN 13u

enum view_list_column {
	COLUMN_TIME,
	COLUMN_CALL,
	COLUMN_VERDICT,
	COLUMN_EXIT,
	COLUMN_PROFILE,
	COLUMN_TOOK,
	COLUMN_CHANGES,
	COLUMN_DENIED,
	COLUMN_COMMAND,
	COLUMN__COUNT
};

struct view_list_row {
	uint64_t t0_ms;
	char id[UUID_TEXT_SIZE];
	char *text[COLUMN__COUNT]; /* owned, safe to print; NULL for TIME and CALL: they depend on
				      the list */
};

struct view_list {
	struct index *ix;	       /* borrowed */
	const struct reading *reading; /* borrowed; tells which calls run. NULL: it is not told */
	struct view_list_row *rows;
	size_t count, cap;
	size_t prefix_len; /* characters of an id */
};

#define VIEW_LIST_INIT                                                                           \
	{                                                                                        \
		.ix = NULL, .reading = NULL, .rows = NULL, .count = 0, .cap = 0, .prefix_len = 0 \
	}
#define auto_view_list __attribute__((cleanup(view_list_finish))) struct view_list

/* How long the call took; 0 when the clock was set back meanwhile. */
int64_t view_list_duration(const struct index_call *call);
/*
 * Its verdict; of a call without outcome "resolved", "running" or "frozen" (r knows it), or
 * "unknown".
 */
const char *view_list_state(const struct reading *r, const struct index_call *call);
/* How many changes it made, for a program. */
void view_list_changes_json(struct json *j, const struct index_call *call);
/* An index_call_fn; arg is the list. */
int view_list_add(void *arg, const struct index_call *call);
/* How much of each id must be shown, asked from the index. */
int view_list_prefixes(struct view_list *list, struct err *err) must_check;
/* On a terminal with a head line, and cut to its width; else every line whole. */
void view_list_print(const struct view_list *list, const struct view *v, uint64_t now_ms,
		     struct buf *out);
void view_list_finish(struct view_list *list);

#endif
