/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A change set for a person who decides about it: every change with what it does, the difference of
 * texts line by line. airlock-cli only, as the caller. Paths, targets and contents are the tool's;
 * all of it is escaped here, also into a pipe.
 */
#ifndef AIRLOCK_CLI_VIEW_DIFF_H
#define AIRLOCK_CLI_VIEW_DIFF_H

#include "../base/buf.h"
#include "../base/err.h"
#include "../snapshot/snapshot.h"
#include "view_format.h"

/* A larger file is not compared: its sizes and digests are shown, and how to read it. */
#define DIFF_FILE_MAX (8u << 20)

/* ---- two texts (view_diff_run.c) ---------------------------------------------------------- */

/*
 * What diff(1) says about them, without its two lines of file names; nothing when they are alike.
 * It runs with no environment, with bounds on its time and memory, and sees two descriptors. Its
 * bytes are not escaped.
 */
int diff_run(const struct buf *before, const struct buf *after, struct buf *out, struct err *err)
	must_check;
/* The same of a text against none: every line with that sign, + or -. */
void diff_whole(const struct buf *content, char sign, struct buf *out);
/* Whether a person can read the bytes: no NUL, and of ten bytes at most one that is no text. */
bool diff_is_text(const struct buf *content);
/* How many lines begin so. */
uint64_t diff_count(const struct buf *lines, char sign);

/* ---- one set (view_diff.c, view_diff_json.c) ---------------------------------------------- */

struct reading;
struct record;

struct diff_set {
	struct reading *reading; /* borrowed, as the rest */
	const struct record *record;
	const struct change_list *list; /* hold_rule of items as the record has it */
	struct view view;
	/* contents that should be there and are not, or that could not be compared */
	uint64_t failures;
};

/* Both write to stdout as they go: a set may be larger than memory. */
int diff_print(struct diff_set *set, struct err *err) must_check;
int diff_print_stat(struct diff_set *set, struct err *err) must_check;
/* One object, and a newline. state: how the call is settled now. */
int diff_json(const struct change_list *list, const char *call, const char *state, struct buf *out)
	must_check;

/* Bytes that are no spelling, readable and safe, with one look for one name. */
void diff_put_path(struct buf *b, const char *path);

#endif
