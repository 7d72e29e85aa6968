/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TOUCHED of `airlock show`: changes, streams, denials, limits. Runs in airlock-cli as the caller;
 * paths and what was denied are the tool's and are escaped here.
 */
#include <stdio.h>
#include <string.h>

#include "view_show.h"

#define CHANGES_SHOWN 60u

/* ---- changes ------------------------------------------------------------------------------ */

static char
kind_sign(const char *kind)
{
	static const struct {
		const char *kind;
		char sign;
	} signs[] = { { "create", '+' },
		      { "delete", '-' },
		      { "mode", '%' },
		      { "modify", '~' },
		      { "replace", '~' } };

	for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
		if (strcmp(signs[i].kind, kind) == 0) {
			return signs[i].sign;
		}
	}
	return '?';
}

static bool
is_held(const json_t *item)
{
	const char *hold = record_text(item, "hold");

	return hold[0] != '\0' && strcmp(hold, "none") != 0;
}

static void
put_change(struct page *p, const json_t *item)
{
	const char *kind = record_text(item, "kind"), *hold = record_text(item, "hold");
	auto_buf line = BUF_INIT, size = BUF_INIT;

	if (strcmp(kind, "delete") != 0 && strcmp(kind, "mode") != 0) {
		view_size(&size, record_number(item, "size_after"));
	}
	buf_printf(&line, "%c ", kind_sign(kind));
	view_pad(&line, buf_text(&size), 9, true);
	buf_puts(&line, "  ");
	view_path(&line, record_text(item, "path"));
	if (strcmp(kind, "mode") == 0) {
		buf_printf(&line, " (mode %llo to %llo)",
			   (unsigned long long)(record_number(item, "mode_before") & 07777),
			   (unsigned long long)(record_number(item, "mode_after") & 07777));
	}
	page_line(p, is_held(item) ? VIEW_YELLOW : VIEW_PLAIN, buf_text(&line));
	if (is_held(item)) {
		buf_reset(&line);
		buf_puts(&line, "             held: ");
		view_text(&line, hold);
		page_line(p, VIEW_YELLOW, buf_text(&line));
	}
}

/* What is held comes first: it is what a person has to decide about. */
static void
put_items(struct page *p, const struct record *rec, const json_t *items, bool truncated)
{
	size_t shown = 0, count = json_array_size(items);

	for (int held = 1; held >= 0; held--) {
		for (size_t i = 0; i < count && shown < CHANGES_SHOWN; i++) {
			const json_t *item = json_array_get(items, i);

			if (is_held(item) == (held == 1)) {
				put_change(p, item);
				shown++;
			}
		}
	}
	if (shown < count || truncated) {
		auto_buf more = BUF_INIT;

		buf_printf(&more, "… %s%zu more: airlock show %.13s --json",
			   truncated ? "at least " : "", count - shown, rec->id);
		page_line(p, VIEW_DIM, buf_text(&more));
	}
}

static void
show_settled(struct page *p, const char *settled, uint64_t held)
{
	static const struct {
		const char *settled, *meaning;
	} words[] = {
		{ "committed", ": the changes are in the workspace" },
		{ "discarded", ": the changes were dropped, the list is kept" },
		{ "held", ": the changes are not in the workspace, a person decides" },
		{ "none", ": nothing to settle" },
	};
	auto_buf text = BUF_INIT;

	view_text(&text, settled);
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i].settled, settled) == 0) {
			buf_puts(&text, words[i].meaning);
		}
	}
	if (held > 0) {
		buf_puts(&text, "; ");
		view_count(&text, held, "change asks for it", "changes ask for it");
	}
	page_fact_color(p, "settled", strcmp(settled, "held") == 0 ? VIEW_YELLOW : VIEW_PLAIN,
			buf_text(&text));
}

static void
show_changes(struct page *p, const struct record *rec)
{
	const json_t *changes = json_object_get(rec->outcome, "changes");
	uint64_t links_broken = record_number(changes, "links_broken");
	auto_buf text = BUF_INIT;

	show_settled(p, record_text(rec->outcome, "settled"), record_number(changes, "held"));
	view_changes(&text, record_number(changes, "created"), record_number(changes, "modified"),
		     record_number(changes, "deleted"));
	if (text.len == 0) {
		page_fact(p, "changes", "none");
		return;
	}
	buf_puts(&text, ", ");
	view_size(&text, record_number(changes, "bytes"));
	page_fact(p, "changes", buf_text(&text));
	show_text(p, "", changes, "digest");
	put_items(p, rec, json_object_get(changes, "items"),
		  json_is_true(json_object_get(changes, "truncated")));
	if (links_broken > 0) {
		buf_reset(&text);
		view_count(&text, links_broken, "hard link was broken", "hard links were broken");
		buf_puts(&text, ": one name of several was written");
		page_fact(p, "", buf_text(&text));
	}
}

/* ---- denials ------------------------------------------------------------------------------ */

static void
put_denial(struct page *p, const json_t *d)
{
	auto_buf line = BUF_INIT;

	buf_printf(&line, "%llux ", (unsigned long long)record_number(d, "count"));
	view_text(&line, record_text(d, "kind"));
	buf_puts(&line, " ");
	view_text(&line, record_text(d, "what"));
	if (record_text(d, "rule")[0] != '\0') {
		buf_puts(&line, "  by ");
		view_text(&line, record_text(d, "rule"));
	}
	page_fact_color(p, "", VIEW_YELLOW, buf_text(&line));
	if (record_text(d, "hint")[0] != '\0') {
		buf_reset(&line);
		buf_puts(&line, "hint: ");
		view_text(&line, record_text(d, "hint"));
		page_fact(p, "", buf_text(&line));
	}
}

static void
show_denials(struct page *p, const json_t *denials)
{
	size_t count = json_array_size(denials);
	uint64_t times = 0;

	for (size_t i = 0; i < count; i++) {
		times += record_number(json_array_get(denials, i), "count");
	}
	if (count == 0) {
		page_fact(p, "denials", "none were seen");
		return;
	}
	page_factf(p, "denials", "%zu different, %llu in all", count, (unsigned long long)times);
	for (size_t i = 0; i < count; i++) {
		put_denial(p, json_array_get(denials, i));
	}
}

/* ---- limits ------------------------------------------------------------------------------- */

enum unit { UNIT_SIZE, UNIT_TIME, UNIT_COUNT, UNIT_PERCENT };

static void
put_quantity(struct buf *b, enum unit unit, uint64_t v)
{
	switch (unit) {
	case UNIT_SIZE:
		view_size(b, v);
		break;
	case UNIT_TIME:
		view_duration(b, v);
		break;
	case UNIT_COUNT:
		buf_printf(b, "%llu", (unsigned long long)v);
		break;
	case UNIT_PERCENT:
		buf_printf(b, "%llu%%", (unsigned long long)v);
		break;
	}
}

/* used may be NULL: a limit whose use is not measured. */
static const struct {
	const char *label, *used, *limit;
	enum unit unit;
} limit_rows[] = {
	{ "memory", "usage.memory_peak", "limits.memory", UNIT_SIZE },
	{ "disk", "usage.disk_bytes", "limits.disk", UNIT_SIZE },
	{ "wall", "usage.wall_ms", "limits.wall", UNIT_TIME },
	{ "cpu time", "usage.cpu_ms", "limits.cpu_time", UNIT_TIME },
	{ "pids", "usage.pids_peak", "limits.pids", UNIT_COUNT },
	{ "output", "", "limits.output", UNIT_SIZE },
	{ "cpu", NULL, "limits.cpu", UNIT_PERCENT },
	{ "files", NULL, "limits.files", UNIT_COUNT },
	{ "open files", NULL, "limits.open_files", UNIT_COUNT },
};

static void
show_limits(struct page *p, const struct record *rec)
{
	page_fact(p, "limits", "                 used          limit");
	for (size_t i = 0; i < ARRAY_LEN(limit_rows); i++) {
		const char *member = limit_rows[i].used;
		uint64_t limit = record_number(rec->planned, limit_rows[i].limit), used = 0;
		auto_buf line = BUF_INIT, cell = BUF_INIT;
		bool known = member != NULL && rec->outcome != NULL;

		if (known && member[0] != '\0') {
			used = record_number(rec->outcome, member);
		} else if (known) {
			used = record_number(rec->outcome, "stdout.bytes") +
			       record_number(rec->outcome, "stderr.bytes");
		}
		view_pad(&line, limit_rows[i].label, 11, false);
		if (known) {
			put_quantity(&cell, limit_rows[i].unit, used);
		}
		view_pad(&line, known ? buf_text(&cell) : "-", 10, true);
		buf_reset(&cell);
		put_quantity(&cell, limit_rows[i].unit, limit);
		view_pad(&line, buf_text(&cell), 15, true);
		if (known && used >= limit) {
			buf_puts(&line, "  reached");
		}
		page_line(p, known && used >= limit ? VIEW_RED : VIEW_PLAIN, buf_text(&line));
	}
}

/* ---- the part ----------------------------------------------------------------------------- */

void
show_touched(struct page *p, const struct record *rec)
{
	const json_t *warnings = json_object_get(rec->outcome, "warnings");
	uint64_t oom = record_number(rec->outcome, "cgroup_events.oom_kills");
	uint64_t pids = record_number(rec->outcome, "cgroup_events.pids_max");

	page_part(p, "TOUCHED", "what came out");
	if (rec->outcome == NULL) {
		page_fact_color(p, "", VIEW_RED, "not recorded: there is no outcome");
		show_limits(p, rec);
		return;
	}
	show_changes(p, rec);
	show_stream(p, "stdout", json_object_get(rec->outcome, "stdout"));
	show_stream(p, "stderr", json_object_get(rec->outcome, "stderr"));
	show_denials(p, json_object_get(rec->outcome, "denials"));
	show_limits(p, rec);
	if (oom > 0) {
		page_factf(p, "events", "killed for want of memory: %llu processes",
			   (unsigned long long)oom);
	}
	if (pids > 0) {
		page_factf(p, "events", "new processes refused: %llu times",
			   (unsigned long long)pids);
	}
	for (size_t i = 0; i < json_array_size(warnings); i++) {
		auto_buf text = BUF_INIT;
		const char *warning = json_string_value(json_array_get(warnings, i));

		view_text(&text, warning != NULL ? warning : "?");
		page_fact_color(p, i == 0 ? "warnings" : "", VIEW_YELLOW, buf_text(&text));
	}
}
