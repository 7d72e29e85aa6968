/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages for a person: columns, quantities, times, escaping. airlock-cli only; pure but for
 * view_init. What came from a tool or a caller goes through view_text, view_path or text_safe
 * before it is printed.
 */
#ifndef AIRLOCK_CLI_VIEW_FORMAT_H
#define AIRLOCK_CLI_VIEW_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/text.h"

struct view {
	bool terminal;
	bool color;
	unsigned int columns; /* of the terminal; 80 where there is none */
};

enum view_color {
	VIEW_PLAIN,
	VIEW_BOLD,
	VIEW_DIM,
	VIEW_GREEN,
	VIEW_YELLOW,
	VIEW_RED,
	VIEW_COLOR__COUNT
};

void view_init(struct view *v, int fd);
void view_paint(const struct view *v, struct buf *b, enum view_color color, const char *text);
enum view_color view_verdict_color(const char *verdict);
/* Short, for people: "8ms", "1.2s", "2m03s", "1h05m", "3d04h". */
void view_duration(struct buf *b, uint64_t ms);
/* "1 file", "2 files". */
void view_count(struct buf *b, uint64_t count, const char *one, const char *many);
/* "812 B", "1.2 KiB". */
void view_size(struct buf *b, uint64_t bytes);
/* "+3 ~1 -2" without what is zero. */
void view_changes(struct buf *b, uint64_t created, uint64_t modified, uint64_t deleted);
/* Local time; the style that tells all of a list apart, or one that stands alone. */
enum view_time_style {
	VIEW_TIME_TODAY,
	VIEW_TIME_YEAR,
	VIEW_TIME_DATE,
	VIEW_TIME_MINUTE,
	VIEW_TIME_FULL,
	VIEW_TIME__COUNT
};
enum view_time_style view_time_style(uint64_t oldest_ms, uint64_t now_ms);
void view_time(struct buf *b, uint64_t ms, enum view_time_style style);
/* Columns that a UTF-8 text takes, and the text cut to so many with "…" at its end. */
size_t view_width(const char *text);
void view_cut(struct buf *b, const char *text, size_t columns);
/* The text, then spaces up to that width; right: before it. */
void view_pad(struct buf *b, const char *text, size_t width, bool right);
/*
 * Words of the text broken into lines: the first goes on where the cursor is (column indent),
 * the rest begin with indent spaces. A word that is too long stays whole, so that it can be
 * copied. Ends with a newline.
 */
void view_wrap(struct buf *b, const char *text, size_t indent, size_t columns);
/* A string as json_bytes wrote it, and a path as json_path did, readable and safe. */
void view_text(struct buf *b, const char *spelled);
void view_path(struct buf *b, const char *spelled);

#endif
