/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TOUCHED of `airlock show`: changes, denials, streams, use of the limits. Runs in airlock-cli as
 * the caller; paths and what was denied are the tool's and are escaped here.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "view_show.h"

#define CHANGES_SHOWN 20u
#define SIZE_COLUMNS 9u

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

/* The size after; what is no file says so. */
static void
put_size(struct buf *b, const json_t *item)
{
	mode_t mode = (mode_t)record_number(item, "mode_after");

	if (S_ISDIR(mode)) {
		buf_puts(b, "dir");
	} else if (S_ISLNK(mode)) {
		buf_puts(b, "link");
	} else if (mode != 0 && !S_ISREG(mode)) {
		buf_puts(b, "special");
	} else if (mode != 0) {
		view_size(b, record_number(item, "size_after"));
	}
}

static bool
is_kind(const json_t *item, const char *kind)
{
	return strcmp(record_text(item, "kind"), kind) == 0;
}

static bool
is_below(const json_t *item, const json_t *dir)
{
	const char *path = record_text(item, "path"), *above = record_text(dir, "path");
	size_t len = strlen(above);

	return strncmp(path, above, len) == 0 && path[len] == '/';
}

/* Entries of that kind below items[at]: they need not follow at once, "a-b" stands before "a/b". */
static size_t
count_below(const json_t *items, size_t at, const char *kind)
{
	size_t count = 0;

	for (size_t i = at + 1; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);

		count += is_kind(item, kind) && is_below(item, json_array_get(items, at)) ? 1 : 0;
	}
	return count;
}

/*
 * What another line says already: a directory that was made for what is in it, an entry of a
 * directory that went as a whole.
 */
static bool
is_implied(const json_t *items, size_t at)
{
	const json_t *item = json_array_get(items, at);

	if (is_kind(item, "create")) {
		return S_ISDIR((mode_t)record_number(item, "mode_after")) &&
		       count_below(items, at, "create") > 0;
	}
	for (size_t i = 0; is_kind(item, "delete") && i < at; i++) {
		const json_t *dir = json_array_get(items, i);

		if (is_kind(dir, "delete") && is_below(item, dir)) {
			return true;
		}
	}
	return false;
}

static void
put_remarks(const struct page *p, struct buf *line, const json_t *items, size_t at)
{
	const json_t *item = json_array_get(items, at);
	size_t below = 0;

	if (is_kind(item, "mode")) {
		buf_printf(line, " (mode %llo to %llo)",
			   (unsigned long long)(record_number(item, "mode_before") & 07777),
			   (unsigned long long)(record_number(item, "mode_after") & 07777));
	}
	if (!p->verbose && is_kind(item, "delete")) {
		below = count_below(items, at, "delete");
	}
	if (below > 0) {
		buf_puts(line, "/ and ");
		view_count(line, below, "entry below", "entries below");
	}
}

/* What is held comes first: it is what a person has to decide about. Then what steers agents. */
static int
rank(const json_t *item)
{
	return show_is_held(item) ? 0 : record_text(item, "watched")[0] != '\0' ? 1 : 2;
}

static void
put_change(struct page *p, const json_t *items, size_t at)
{
	const json_t *item = json_array_get(items, at);
	enum view_color color = rank(item) < 2 ? VIEW_YELLOW : VIEW_PLAIN;
	auto_buf line = BUF_INIT, size = BUF_INIT;

	put_size(&size, item);
	buf_printf(&line, "%c ", kind_sign(record_text(item, "kind")));
	view_pad(&line, buf_text(&size), SIZE_COLUMNS, true);
	buf_puts(&line, "  ");
	view_path(&line, record_text(item, "path"));
	put_remarks(p, &line, items, at);
	page_line(p, color, buf_text(&line));
	if (show_is_held(item)) {
		buf_reset(&line);
		buf_puts(&line, "HELD for a person: ");
		view_text(&line, record_text(item, "hold"));
		page_remark(p, color, SIZE_COLUMNS + 4, buf_text(&line));
	}
	if (record_text(item, "watched")[0] != '\0') {
		buf_reset(&line);
		buf_puts(&line, "watched: ");
		view_text(&line, record_text(item, "watched"));
		page_remark(p, color, SIZE_COLUMNS + 4, buf_text(&line));
	}
	if (p->verbose) {
		buf_reset(&line);
		buf_printf(&line, "  %*s  ", (int)SIZE_COLUMNS, "");
		page_digest(p, &line, record_text(item, "before"));
		buf_puts(&line, " to ");
		page_digest(p, &line, record_text(item, "after"));
		page_line(p, VIEW_DIM, buf_text(&line));
	}
}

static void
put_more(struct page *p, const struct record *rec, uint64_t count)
{
	auto_buf more = BUF_INIT;

	buf_printf(&more, "… and %llu more", (unsigned long long)count);
	if (p->verbose) {
		buf_puts(&more, ": the record lists no more; the whole list is the object ");
		page_digest(p, &more, record_text(rec->outcome, "changes.object"));
	} else {
		buf_printf(&more, " (airlock show -v %.13s)", rec->id);
	}
	page_line(p, VIEW_DIM, buf_text(&more));
}

static void
put_items(struct page *p, const struct record *rec, uint64_t total)
{
	const json_t *items = record_get(rec->outcome, "changes.items");
	size_t count = json_array_size(items), limit = p->verbose ? count : CHANGES_SHOWN;
	size_t shown = 0, lines = 0;

	for (int wanted = 0; wanted <= 2; wanted++) {
		for (size_t i = 0; i < count && lines < limit; i++) {
			if (rank(json_array_get(items, i)) != wanted) {
				continue;
			}
			if (wanted < 2 || p->verbose || !is_implied(items, i)) {
				put_change(p, items, i);
				lines++;
			}
			shown++;
		}
	}
	if (shown < total) {
		put_more(p, rec, total - shown);
	}
}

static void
show_changes(struct page *p, const struct record *rec)
{
	const json_t *changes = json_object_get(rec->outcome, "changes");
	uint64_t created = record_number(changes, "created");
	uint64_t modified = record_number(changes, "modified");
	uint64_t deleted = record_number(changes, "deleted");
	uint64_t links_broken = record_number(changes, "links_broken");
	auto_buf text = BUF_INIT;

	if (created + modified + deleted == 0) {
		page_fact(p, "changes", "none");
		return;
	}
	buf_printf(&text, "%llu created, %llu modified, %llu deleted, ",
		   (unsigned long long)created, (unsigned long long)modified,
		   (unsigned long long)deleted);
	view_size(&text, record_number(changes, "bytes"));
	buf_puts(&text, "; set ");
	page_digest(p, &text, record_text(changes, "digest"));
	page_fact(p, "changes", buf_text(&text));
	put_items(p, rec, created + modified + deleted);
	if (links_broken > 0) {
		buf_reset(&text);
		view_count(&text, links_broken, "hard link was broken", "hard links were broken");
		buf_puts(&text, ": one name of several was written");
		page_fact(p, "", buf_text(&text));
	}
	if (strcmp(record_settled(rec), "held") == 0 && !p->html) {
		page_factf(p, "",
			   "airlock diff %.13s shows every line; apply commits it, discard drops "
			   "it",
			   rec->id);
	}
}

/* ---- denials ------------------------------------------------------------------------------ */

static void
put_times(struct buf *b, uint64_t count)
{
	if (count == 1) {
		buf_puts(b, "once");
	} else {
		buf_printf(b, "%llu times", (unsigned long long)count);
	}
}

void
show_denial(struct buf *b, const json_t *d)
{
	const char *kind = record_text(d, "kind"), *rule = record_text(d, "rule");

	if (strcmp(kind, "syscall") == 0) {
		buf_puts(b, "system call");
	} else {
		view_text(b, kind);
	}
	buf_putc(b, ' ');
	view_text(b, record_text(d, "what"));
	buf_puts(b, ", ");
	put_times(b, record_number(d, "count"));
	if (strcmp(rule, "built-in") == 0) {
		buf_puts(b, ", built in");
	} else if (rule[0] != '\0') {
		buf_puts(b, ", by ");
		view_text(b, rule);
	}
	if (record_text(d, "why")[0] != '\0') {
		buf_puts(b, ": ");
		view_text(b, record_text(d, "why"));
	}
}

static void
put_denial(struct page *p, const char *label, const json_t *d)
{
	auto_buf line = BUF_INIT;

	show_denial(&line, d);
	page_fact_color(p, label, VIEW_YELLOW, buf_text(&line));
	buf_reset(&line);
	view_text(&line, record_text(d, "hint"));
	if (line.len > 0) {
		page_fact(p, "", buf_text(&line));
	}
}

static void
show_denials(struct page *p, const json_t *denials, uint64_t dropped)
{
	size_t count = json_array_size(denials);
	char more[64];

	for (size_t i = 0; i < count; i++) {
		put_denial(p, i == 0 ? "denied" : "", json_array_get(denials, i));
	}
	if (count == 0) {
		page_fact(p, "denied", "nothing that leaves an event");
	}
	if (dropped > 0) {
		snprintf(more, sizeof(more), "and %llu more of other kinds",
			 (unsigned long long)dropped);
		page_fact_color(p, "", VIEW_YELLOW, more);
	}
	page_fact_color(p, "no event", VIEW_DIM,
			"a path or an address that the sandbox does not have: a try to open or "
			"reach it fails, and is not recorded");
}

/* ---- limits ------------------------------------------------------------------------------- */

enum unit { UNIT_SIZE, UNIT_TIME, UNIT_COUNT };

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
	}
}

/* used "": both streams together. */
static const struct {
	const char *label, *used, *limit;
	enum unit unit;
} limit_rows[] = {
	{ "memory", "usage.memory_peak", "limits.memory", UNIT_SIZE },
	{ "disk", "usage.disk_bytes", "limits.disk", UNIT_SIZE },
	{ "output", "", "limits.output", UNIT_SIZE },
	{ "wall", "usage.wall_ms", "limits.wall", UNIT_TIME },
	{ "cpu time", "usage.cpu_ms", "limits.cpu_time", UNIT_TIME },
	{ "pids", "usage.pids_peak", "limits.pids", UNIT_COUNT },
};

static uint64_t
used_of(const struct record *rec, const char *member)
{
	return member[0] != '\0' ? record_number(rec->outcome, member)
				 : record_number(rec->outcome, "stdout.bytes") +
					   record_number(rec->outcome, "stderr.bytes");
}

/* "memory 3.5 MiB of 2 GiB, …": what stayed below its limit, or what reached it. */
static void
put_limits(struct buf *text, const struct record *rec, bool is_reached)
{
	for (size_t i = 0; i < ARRAY_LEN(limit_rows); i++) {
		uint64_t limit = record_number(rec->planned, limit_rows[i].limit);
		uint64_t used = used_of(rec, limit_rows[i].used);

		if ((used >= limit) != is_reached) {
			continue;
		}
		buf_printf(text, "%s%s ", text->len > 0 ? ", " : "", limit_rows[i].label);
		put_quantity(text, limit_rows[i].unit, used);
		buf_puts(text, " of ");
		put_quantity(text, limit_rows[i].unit, limit);
	}
}

void
show_reached(struct buf *b, const struct record *rec)
{
	put_limits(b, rec, true);
}

static void
show_limits(struct page *p, const struct record *rec)
{
	auto_buf text = BUF_INIT, reached = BUF_INIT;

	show_reached(&reached, rec);
	if (reached.len > 0) {
		page_fact_color(p, "reached", VIEW_RED, buf_text(&reached));
	}
	put_limits(&text, rec, false);
	page_fact(p, "used", buf_text(&text));
}

/* A line each: what it came to, and the call that has the rest. */
static void
show_done_when(struct page *p, const struct record *rec)
{
	const json_t *checks = json_object_get(rec->outcome, "done_when");

	for (size_t i = 0; i < json_array_size(checks); i++) {
		const json_t *c = json_array_get(checks, i);
		const json_t *exit_code = json_object_get(c, "exit");
		bool held = json_is_true(json_object_get(c, "held"));
		auto_buf text = BUF_INIT, call = BUF_INIT;

		view_text(&text, record_text(c, "name"));
		buf_puts(&text, held ? " holds" : " does not hold");
		if (record_text(c, "call")[0] == '\0') {
			buf_puts(&text, ": it did not run");
		} else {
			buf_puts(&text, ": ");
			view_text(&text, record_text(c, "verdict"));
			if (json_is_integer(exit_code)) {
				buf_printf(&text, ", exit %lld",
					   (long long)json_integer_value(exit_code));
			}
			view_text(&call, record_text(c, "call"));
			buf_printf(&text, ", call %.13s", buf_text(&call));
		}
		page_fact_color(p, i == 0 ? "done when" : "", held ? VIEW_GREEN : VIEW_RED,
				buf_text(&text));
	}
}

static void
show_events(struct page *p, const struct record *rec)
{
	const json_t *warnings = json_object_get(rec->outcome, "warnings");
	uint64_t oom = record_number(rec->outcome, "cgroup_events.oom_kills");
	uint64_t pids = record_number(rec->outcome, "cgroup_events.pids_max");

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

/* ---- the part ----------------------------------------------------------------------------- */

void
show_touched(struct page *p, struct reading *r, const struct record *rec)
{
	page_part(p, "TOUCHED", "what came out");
	if (rec->outcome == NULL) {
		page_fact_color(p, "", VIEW_RED, "not recorded: there is no outcome");
		return;
	}
	show_changes(p, rec);
	show_done_when(p, rec);
	show_denials(p, json_object_get(rec->outcome, "denials"),
		     record_number(rec->outcome, "denials_dropped"));
	show_stream(p, r, rec, "stdout");
	show_stream(p, r, rec, "stderr");
	show_limits(p, rec);
	show_events(p, rec);
}
