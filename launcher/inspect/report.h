/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One report, said once and printed in one of two ways: as JSON with sorted keys (base/json.h), or
 * as text for a person. Keys of an object come in ascending byte order. In text a section is a
 * heading, an object's member a line "key: value", a row of a list one line: its title, then the
 * values; a number with its key, a flag its key where it holds. Whatever is given as text may hold
 * any bytes: no terminal gets them raw. Anybody may call; nothing is printed.
 */
#ifndef AIRLOCK_INSPECT_REPORT_H
#define AIRLOCK_INSPECT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/json.h"

#define REPORT_DEPTH_MAX 4

struct report {
	struct buf *out; /* borrowed */
	bool is_json;
	struct json j;
	unsigned int depth;
	struct {
		bool is_list, is_row, has_items;
	} level[REPORT_DEPTH_MAX];
	struct buf title, row; /* of the row that is being said */
};

void report_init(struct report *r, struct buf *out, bool is_json);
/* Ends the report. 0, -ENOMEM, -EINVAL after keys that were out of order. */
int report_finish(struct report *r) must_check;

/* Members of an object. */
void report_object(struct report *r, const char *key);
void report_list(struct report *r, const char *key);
void report_end(struct report *r); /* the innermost object, list or row */
/* An item of a list that is an object, and one that is a text. */
void report_row(struct report *r);
void report_item(struct report *r, const char *text);

void report_text(struct report *r, const char *key, const char *text); /* NULL: null */
/* The same; in a row it stands first. */
void report_title(struct report *r, const char *key, const char *text);
void report_number(struct report *r, const char *key, uint64_t v);
/* null where it is not known, for which a person reads instead. */
void
report_known(struct report *r, const char *key, bool is_known, uint64_t v, const char *instead);
/* The same of a flag; a row says "KEY", "not KEY" or nothing. */
void report_maybe(struct report *r, const char *key, bool is_known, bool v);
/* A list of texts; for a person it is one line. */
void report_words(struct report *r, const char *key, const char *const *words, size_t count);
void report_flag(struct report *r, const char *key, bool v);

#endif
