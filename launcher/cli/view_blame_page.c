/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page of `airlock blame`: the lines, each with who wrote it, then who they are. Runs in
 * airlock-cli as the caller; paths, lines and strings of records are anybody's and are escaped
 * here.
 */
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "view_blame.h"
#include "view_diff.h"
#include "view_show.h"

#define ID_COLUMNS 13 /* of an id that is not shown whole */
#define TAB_COLUMNS 8u
#define CANDIDATES_SHOWN 8u
#define OUTSIDE "not through airlock"
#define UNKNOWN "unknown (not captured)"

/* The parts that come from the same steps. */
struct source {
	size_t first, steps; /* as blame_steps gives them */
	struct buf lines;    /* "1-3, 7" */
	size_t count;	     /* of lines */
};

struct sources {
	struct source *items;
	size_t count;
};

static void
sources_finish(struct sources *s)
{
	for (size_t i = 0; i < s->count; i++) {
		buf_finish(&s->items[i].lines);
	}
	free(s->items);
}

#define auto_sources __attribute__((cleanup(sources_finish))) struct sources

static int
by_step(const void *a, const void *b)
{
	const struct source *x = a, *y = b;

	if (x->first != y->first) {
		return x->first < y->first ? -1 : 1;
	}
	return x->steps < y->steps ? -1 : x->steps > y->steps;
}

static struct source *
source_of(struct sources *s, size_t first, size_t steps)
{
	struct source *grown;

	for (size_t i = 0; i < s->count; i++) {
		if (s->items[i].first == first && s->items[i].steps == steps) {
			return &s->items[i];
		}
	}
	grown = reallocarray(s->items, s->count + 1, sizeof(*grown));
	if (grown == NULL) {
		return NULL;
	}
	s->items = grown;
	grown[s->count] = (struct source){ .first = first, .steps = steps, .lines = BUF_INIT };
	return &grown[s->count++];
}

static int
gather(const struct blame *b, struct sources *ret)
{
	for (size_t i = 0; i < b->part_count; i++) {
		const struct blame_part *part = &b->parts[i];
		size_t first, steps = blame_steps(part, &first);
		struct source *s = source_of(ret, first, steps);

		if (s == NULL) {
			return -ENOMEM;
		}
		buf_puts(&s->lines, s->count > 0 ? ", " : "");
		buf_printf(&s->lines, part->count > 1 ? "%zu-%zu" : "%zu", part->first,
			   part->first + part->count - 1);
		s->count += part->count;
	}
	/* nothing has no lines, and yet somebody left it so */
	if (b->part_count == 0 && source_of(ret, b->history->count - 1, 1) == NULL) {
		return -ENOMEM;
	}
	if (ret->count > 0) {
		qsort(ret->items, ret->count, sizeof(*ret->items), by_step);
	}
	return 0;
}

/* ---- the lines ------------------------------------------------------------------------------- */

static int
id_columns(const struct page *p)
{
	return p->verbose ? UUID_TEXT_SIZE - 1 : ID_COLUMNS;
}

static void
put_author(const struct page *p, struct buf *b, const struct blame *blame,
	   const struct blame_part *part)
{
	const struct blame_history *h = blame->history;
	size_t first, steps = blame_steps(part, &first);

	if (steps != 1) {
		buf_printf(b, "%-*s", id_columns(p), "unknown");
	} else if (h->steps[first].call == BLAME_OUTSIDE) {
		buf_printf(b, "%-*s", id_columns(p), "not airlock");
	} else {
		buf_printf(b, "%.*s", id_columns(p), h->calls[h->steps[first].call].record.id);
	}
}

static enum view_color
author_color(const struct blame *blame, const struct blame_part *part)
{
	size_t first, steps = blame_steps(part, &first);

	if (steps != 1) {
		return VIEW_YELLOW;
	}
	return blame->history->steps[first].call == BLAME_OUTSIDE ? VIEW_DIM : VIEW_PLAIN;
}

/* Tabs as spaces, so that a line can be cut to the columns of a terminal. */
static void
put_expanded(struct buf *b, const char *text)
{
	size_t from = b->len;

	for (; *text != '\0'; text++) {
		if (*text != '\t') {
			buf_putc(b, *text);
			continue;
		}
		do {
			buf_putc(b, ' ');
		} while (view_width(buf_text(b) + from) % TAB_COLUMNS != 0);
	}
}

static void
put_line(struct page *p, const struct blame *b, const struct blame_part *part, size_t number,
	 int digits, const uint8_t *line, size_t len)
{
	auto_buf author = BUF_INIT, safe = BUF_INIT, text = BUF_INIT;
	size_t used = (size_t)id_columns(p) + (size_t)digits + 3;

	put_author(p, &author, b, part);
	view_paint(&p->view, &p->out, author_color(b, part), buf_text(&author));
	buf_printf(&p->out, " %*zu  ", digits, number);
	text_safe(&safe, line, len, true);
	if (!p->view.terminal || p->verbose) {
		buf_puts(&p->out, buf_text(&safe));
	} else {
		put_expanded(&text, buf_text(&safe));
		view_cut(&p->out, buf_text(&text),
			 p->view.columns > used + 16 ? p->view.columns - used : 16);
	}
	buf_putc(&p->out, '\n');
}

static void
put_lines(struct page *p, const struct blame *b)
{
	const struct blame_state *now = &b->history->steps[b->history->count - 1].state;
	const uint8_t *at = now->content.data, *end = at + now->content.len;
	const struct blame_part *last = &b->parts[b->part_count - 1];
	int digits = snprintf(NULL, 0, "%zu", last->first + last->count - 1);
	size_t number = 1;

	buf_putc(&p->out, '\n');
	for (size_t i = 0; i < b->part_count; i++) {
		for (size_t j = 0; j < b->parts[i].count && at < end; j++, number++) {
			const uint8_t *newline = memchr(at, '\n', (size_t)(end - at));
			const uint8_t *stop = newline != NULL ? newline : end;

			put_line(p, b, &b->parts[i], number, digits, at, (size_t)(stop - at));
			at = newline != NULL ? newline + 1 : end;
		}
	}
}

/* ---- who they are ---------------------------------------------------------------------------- */

static void
put_user(struct buf *b, uint64_t uid)
{
	const struct passwd *user = getpwuid((uid_t)uid);

	if (user != NULL) {
		text_safe(b, user->pw_name, strlen(user->pw_name), false);
		buf_printf(b, " (uid %llu)", (unsigned long long)uid);
	} else {
		buf_printf(b, "uid %llu", (unsigned long long)uid);
	}
}

static void
put_for(struct page *p, const struct record *rec)
{
	static const char *const members[] = { "principal", "model" };
	const json_t *context = json_object_get(rec->planned, "context");
	auto_buf text = BUF_INIT;

	put_user(&text, record_number(rec->planned, "actor.uid"));
	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		const char *value = i == 0 ? record_principal(rec->planned)
					   : record_text(context, members[i]);

		if (value[0] != '\0') {
			buf_printf(&text, ", %s ", members[i]);
			view_text(&text, value);
		}
	}
	page_fact(p, "for", buf_text(&text));
	if (p->verbose && json_is_object(context)) {
		show_object(p, "context", context);
	}
}

static void
put_when(struct page *p, const struct blame_step *step)
{
	auto_buf text = BUF_INIT;

	view_time(&text, step->t_ms, VIEW_TIME_FULL);
	buf_puts(&text, step->is_undo	 ? ", taken back"
			: step->uid >= 0 ? ", applied"
					 : ", committed");
	if (step->uid >= 0) {
		buf_puts(&text, " by ");
		put_user(&text, (uint64_t)step->uid);
	} else {
		buf_puts(&text, " when it ended");
	}
	page_fact(p, "when", buf_text(&text));
}

static void
put_profile(struct page *p, const struct record *rec, const struct blame_rule *rule)
{
	const char *mode = record_text(rec->planned, "mode");
	auto_buf text = BUF_INIT;

	view_text(&text, record_text(rec->planned, "profile.name"));
	buf_puts(&text, "; mode ");
	view_text(&text, mode);
	if (rule->place.len > 0) {
		buf_puts(&text, " by ");
		text_safe(&text, rule->place.data, rule->place.len, false);
	} else {
		buf_puts(&text, ", and where that was written cannot be said: the profile says "
				"something else today, or is gone");
	}
	page_fact(p, "profile", buf_text(&text));
	if (p->verbose) {
		show_text(p, "source", rec->planned, "profile.source");
		show_text(p, "digest", rec->planned, "profile.digest");
	}
}

static void
put_command(struct page *p, const struct record *rec)
{
	auto_buf text = BUF_INIT, cut = BUF_INIT;

	record_command(&text, rec);
	view_cut(&cut, buf_text(&text), p->verbose ? SIZE_MAX : 3 * (size_t)p->view.columns);
	page_fact(p, "command", buf_text(&cut));
}

static void
put_change(struct page *p, const struct blame_call *c)
{
	auto_buf text = BUF_INIT;

	if (p->verbose) {
		buf_printf(&text, "%s in the change set ", c->kind);
		page_digest(p, &text, record_text(c->record.outcome, "changes.digest"));
		page_fact(p, "change", buf_text(&text));
	}
}

static const char *
id_of(const struct blame_history *h, size_t step)
{
	return h->calls[h->steps[step].call].record.id;
}

/* The step of a call nearest before or behind one; BLAME_NONE: there is none. */
static size_t
call_beside(const struct blame_history *h, size_t step, bool before)
{
	for (size_t i = step; before ? i > 0 : i + 1 < h->count;) {
		i = before ? i - 1 : i + 1;
		if (h->steps[i].call != BLAME_OUTSIDE) {
			return i;
		}
	}
	return BLAME_NONE;
}

static void
put_outside(struct page *p, const struct blame_history *h, size_t step)
{
	size_t before = call_beside(h, step, true), behind = call_beside(h, step, false);
	int len = id_columns(p);
	auto_buf time = BUF_INIT;

	if (h->mtime_ms > 0) {
		buf_puts(&time, "; the file says ");
		view_time(&time, h->mtime_ms, VIEW_TIME_FULL);
	}

	if (before == BLAME_NONE && behind == BLAME_NONE) {
		page_fact(p, "when", "no call that is recorded here changed the file");
	} else if (before == BLAME_NONE) {
		page_factf(p, "when", "before %.*s, the first call that changed it", len,
			   id_of(h, behind));
	} else if (behind == BLAME_NONE) {
		page_factf(p, "when", "after %.*s, the last call that changed it%s", len,
			   id_of(h, before), buf_text(&time));
	} else {
		page_factf(p, "when", "between %.*s and %.*s", len, id_of(h, before), len,
			   id_of(h, behind));
	}
}

/* Whose it may be, and why nobody can say. */
static void
put_candidates(struct page *p, const struct blame_history *h, const struct source *s)
{
	auto_buf text = BUF_INIT;
	const char *why = NULL;
	for (size_t i = s->first; i < s->first + s->steps; i++) {
		bool is_outside = h->steps[i].call == BLAME_OUTSIDE;
		bool is_told = p->verbose || i - s->first < CANDIDATES_SHOWN;

		buf_puts(&text, i == s->first ? "" : is_told ? ", or " : "");
		if (!is_told && i - s->first == CANDIDATES_SHOWN) {
			buf_printf(&text, ", or one of %zu more", s->steps - CANDIDATES_SHOWN);
		} else if (is_told && is_outside) {
			buf_puts(&text, i == 0 ? "what was there before" : "something outside");
		} else if (is_told) {
			buf_printf(&text, "%.*s", id_columns(p), id_of(h, i));
		}
		/* the last one is known, or there would be no such part */
		if (i + 1 < s->first + s->steps && !h->steps[i].state.has_content && why == NULL) {
			why = h->steps[i].state.why;
		}
	}
	page_fact(p, "one of", buf_text(&text));
	page_fact(p, "because", why != NULL ? why : "two versions could not be compared");
}

static void
put_source(struct page *p, const struct blame *b, const struct source *s)
{
	const struct blame_history *h = b->history;
	const struct blame_step *step = &h->steps[s->first];
	const struct blame_call *c = NULL;
	auto_buf head = BUF_INIT;

	buf_putc(&p->out, '\n');
	if (s->steps != 1) {
		buf_puts(&head, UNKNOWN);
	} else if (step->call == BLAME_OUTSIDE) {
		buf_puts(&head, OUTSIDE);
	} else {
		c = &h->calls[step->call];
		buf_printf(&head, "%.*s", id_columns(p), c->record.id);
	}
	view_paint(&p->view, &p->out, VIEW_BOLD, buf_text(&head));
	buf_putc(&p->out, '\n');
	if (h->by_line && s->count > 0) {
		page_fact(p, s->count > 1 ? "lines" : "line", buf_text(&s->lines));
	}
	if (s->steps != 1) {
		put_candidates(p, h, s);
	} else if (c == NULL) {
		put_outside(p, h, s->first);
	} else {
		put_for(p, &c->record);
		put_when(p, step);
		put_profile(p, &c->record, &b->rules[step->call]);
		put_command(p, &c->record);
		put_change(p, c);
	}
}

/* ---- the head -------------------------------------------------------------------------------- */

/* It is not there, and nothing says that it ever was. */
static bool
is_unknown_here(const struct blame_history *h)
{
	return h->count == 1 && h->steps[0].state.type == '-';
}

static void
put_state(struct page *p, const struct blame *b)
{
	const struct blame_history *h = b->history;
	const struct blame_step *step = &h->steps[h->count - 1];
	const struct blame_state *now = &step->state;
	auto_buf text = BUF_INIT;
	char hex[HEX_DIGEST_SIZE];
	size_t lines = 0;

	for (size_t i = 0; i < b->part_count; i++) {
		lines += b->parts[i].count;
	}
	if (is_unknown_here(h)) {
		buf_puts(&text, "not there, and no call that is recorded here committed it");
	} else if (now->type == '-') {
		buf_puts(&text, "not there any more: deleted ");
		buf_puts(&text, step->call == BLAME_OUTSIDE ? OUTSIDE
				: step->is_undo		    ? "by an undo"
							    : "by a call");
	} else if (h->by_line) {
		view_count(&text, lines, "line", "lines");
	} else if (now->type == 'f') {
		buf_puts(&text, "no text, or too large to be compared by line: one part");
	} else if (now->type == 'l') {
		buf_puts(&text, "a symbolic link to ");
		diff_put_path(&text, buf_text(&now->content));
	} else {
		buf_puts(&text, "no regular file");
	}
	page_fact(p, "now", buf_text(&text));
	if (now->has_digest && p->verbose) {
		text_hex(now->digest, SHA256_SIZE, hex);
		page_fact(p, "sha256", hex);
	}
}

static void
put_counts(struct page *p, const struct blame *b, const struct sources *sources)
{
	size_t calls = 0, outside = 0, unknown = 0;
	auto_buf text = BUF_INIT;

	for (size_t i = 0; i < sources->count; i++) {
		const struct source *s = &sources->items[i];

		if (s->steps != 1) {
			unknown += s->count;
		} else if (b->history->steps[s->first].call == BLAME_OUTSIDE) {
			outside += s->count;
		} else {
			calls++;
		}
	}
	if (calls > 0) {
		view_count(&text, calls, "call", "calls");
	} else {
		buf_puts(&text, "no call");
	}
	if (outside > 0) {
		buf_puts(&text, "; ");
		view_count(&text, outside, "line ", "lines ");
		buf_puts(&text, OUTSIDE);
	}
	if (unknown > 0) {
		buf_puts(&text, "; ");
		view_count(&text, unknown, "line ", "lines ");
		buf_puts(&text, UNKNOWN);
	}
	page_fact(p, "written by", buf_text(&text));
}

static void
put_notes(struct page *p, const struct blame_history *h)
{
	auto_buf text = BUF_INIT;

	if (h->uncommitted > 0) {
		view_count(&text, h->uncommitted, "call", "calls");
		buf_puts(&text, " more changed it without a commit: held, discarded or observed");
		page_fact(p, "besides", buf_text(&text));
		buf_reset(&text);
	}
	if (h->forgotten > 0) {
		view_count(&text, h->forgotten, "call of this store was",
			   "calls of this store were");
		buf_puts(&text, " forgotten: what was written then counts as " OUTSIDE);
		page_fact(p, h->uncommitted > 0 ? "" : "besides", buf_text(&text));
		buf_reset(&text);
	}
	if (h->unlisted > 0) {
		view_count(&text, h->unlisted, "call", "calls");
		buf_puts(&text, " may have changed it: the list of what they changed is not in the "
				"store");
		page_fact_color(p, "not known", VIEW_YELLOW, buf_text(&text));
	}
}

int
blame_print(struct page *p, const struct blame *b)
{
	const struct blame_history *h = b->history;
	auto_sources sources = { .items = NULL };
	auto_buf path = BUF_INIT;
	int rc = gather(b, &sources);

	if (rc != 0) {
		return rc;
	}
	diff_put_path(&path, buf_text(&h->path));
	view_paint(&p->view, &p->out, VIEW_BOLD, buf_text(&path));
	buf_putc(&p->out, '\n');
	put_state(p, b);
	if (h->by_line) {
		put_counts(p, b, &sources);
	}
	put_notes(p, h);
	if (h->by_line && b->part_count > 0) {
		put_lines(p, b);
	}
	for (size_t i = 0; i < sources.count && !is_unknown_here(h); i++) {
		put_source(p, b, &sources.items[i]);
	}
	return buf_error(&p->out);
}
