/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock workflow show`: where a workflow stands, and what happened in it. Runs in airlock-cli as
 * the caller. Commands, keys, owners and reasons are the callers' and the tools': the index holds
 * commands that are safe to print, the rest is escaped here.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/clock.h"
#include "cmd_workflow_story.h"
#include "commands.h"
#include "view_list.h"
#include "view_page.h"

#define KEY_COLUMNS 20u
#define IDS_SHOWN 4u

struct show {
	struct page page;
	const struct reading *reading;
	const struct workflow_seen *w;
	const struct story *story;
	const struct index_forgotten *forgotten;
	size_t prefix_len, step_width, key_width;
	enum view_time_style style;
};

/* ---- facts ---------------------------------------------------------------------------------- */

static void
put_safe(struct buf *b, const char *text)
{
	text_safe(b, text, strlen(text), false);
}

static void
show_state(struct show *s)
{
	static const enum view_color colors[WORKFLOW__COUNT] = {
		[WORKFLOW_ACTIVE] = VIEW_GREEN,
		[WORKFLOW_PAUSED] = VIEW_YELLOW,
		[WORKFLOW_STOPPED] = VIEW_RED,
		[WORKFLOW_FINISHED] = VIEW_GREEN,
	};
	const struct ledger *l = &s->w->l;
	auto_buf text = BUF_INIT;

	buf_puts(&text, workflow_seen_state(s->w));
	if (s->w->is_forgotten) {
		buf_putc(&text, ' ');
		index_put_remover(&text, s->forgotten);
	}
	if (l->since_ms != 0) {
		buf_puts(&text, " since ");
		view_time(&text, l->since_ms, s->style);
	}
	if (l->reason[0] != '\0') {
		buf_puts(&text, ": ");
		put_safe(&text, l->reason);
	}
	page_fact_color(&s->page, "state", colors[l->state], buf_text(&text));
}

static void
show_check(struct show *s)
{
	const struct story_event *e = s->story->finish;
	auto_buf text = BUF_INIT;

	if (e == NULL) {
		return;
	}
	if (e->check_call[0] == '\0') {
		page_fact(&s->page, "finished", "by word: no check was run");
		return;
	}
	buf_puts(&text, "call ");
	put_safe(&text, e->check_call);
	buf_puts(&text, " over the tree ");
	page_digest(&s->page, &text, e->check_tree);
	buf_puts(&text, ", under the profile ");
	put_safe(&text, e->check_profile);
	buf_printf(&text, ": airlock workflow verify %s runs it again", s->w->d.name);
	page_fact(&s->page, "check", buf_text(&text));
}

static void
show_steps(struct show *s)
{
	const struct workflow_seen *w = s->w;

	for (uint32_t i = 0; i < w->d.step_count; i++) {
		const char *state = i + 1 < w->l.step  ? "done"
				  : i + 1 == w->l.step ? "here"
						       : "not begun";
		uint64_t calls = story_step_calls(s->story, w->d.steps[i]);
		auto_buf text = BUF_INIT;

		buf_printf(&text, "%s: %s, ", w->d.steps[i], state);
		view_count(&text, calls, "call", "calls");
		page_fact_color(&s->page, i == 0 ? "steps" : "",
				i + 1 == w->l.step ? VIEW_BOLD : VIEW_PLAIN, buf_text(&text));
	}
}

static void
show_budget(struct show *s)
{
	const struct ledger *l = &s->w->l;

	for (enum budget_id i = 0; i < BUDGET__COUNT; i++) {
		auto_buf text = BUF_INIT;
		uint64_t left = 0;
		bool is_bound = workflow_seen_left(l, i, &left);

		workflow_put_budget(&text, l, i);
		page_fact_color(&s->page, i == 0 ? "budget" : "",
				is_bound && left == 0 ? VIEW_YELLOW : VIEW_PLAIN, buf_text(&text));
	}
}

static void
show_deadline(struct show *s)
{
	uint64_t at_ms = s->w->l.deadline_ms, now_ms = clock_realtime_ms();
	auto_buf text = BUF_INIT;

	if (at_ms == 0) {
		return;
	}
	view_time(&text, at_ms, VIEW_TIME_FULL);
	if (at_ms > now_ms) {
		buf_puts(&text, ", in ");
		view_duration(&text, at_ms - now_ms);
	} else {
		buf_puts(&text, ", which has passed");
	}
	page_fact_color(&s->page, "deadline", at_ms > now_ms ? VIEW_PLAIN : VIEW_YELLOW,
			buf_text(&text));
}

/* The change sets that wait in one place; layer "": theirs is gone. */
static void
show_held(struct show *s, const char *label, const char *layer)
{
	auto_buf text = BUF_INIT, ids = BUF_INIT;
	uint64_t count = 0;

	for (size_t i = 0; i < s->story->count; i++) {
		const struct index_call *call = s->story->items[i].call;

		if (call == NULL || strcmp(call->settled, "held") != 0 ||
		    strcmp(reading_layer(s->reading, call->workflow, call->seq, call->id), layer) !=
			    0) {
			continue;
		}
		if (count++ < IDS_SHOWN) {
			buf_printf(&ids, "%s%.*s", count > 1 ? ", " : "", (int)s->prefix_len,
				   call->id);
		}
	}
	if (count > 0) {
		view_count(&text, count, "change set", "change sets");
		buf_printf(&text, " (%s%s): airlock diff --workflow %s", buf_text(&ids),
			   count > IDS_SHOWN ? ", ..." : "",
			   s->w->is_named ? s->w->d.name : s->w->id);
		page_fact_color(&s->page, label, VIEW_YELLOW, buf_text(&text));
	}
}

static void
show_labels(struct show *s)
{
	auto_buf text = BUF_INIT;

	for (uint32_t i = 0; i < s->w->d.label_count; i++) {
		buf_printf(&text, "%s%s", i > 0 ? ", " : "", s->w->d.labels[i]);
	}
	if (text.len > 0) {
		page_fact(&s->page, "labels", buf_text(&text));
	}
}

static void
show_facts(struct show *s)
{
	const struct workflow_seen *w = s->w;
	auto_buf owner = BUF_INIT, made = BUF_INIT, id = BUF_INIT;

	buf_printf(&id, "%s, %s", w->d.name, w->id);
	page_fact_color(&s->page, "workflow", VIEW_BOLD, buf_text(&id));
	if (w->is_named) {
		put_safe(&owner, w->d.owner);
		page_fact(&s->page, "owner", buf_text(&owner));
		if (w->d.bundle[0] != '\0') {
			page_fact(&s->page, "bundle", w->d.bundle);
		}
		view_time(&made, w->d.created_ms, VIEW_TIME_FULL);
		page_fact(&s->page, "made", buf_text(&made));
	}
	show_state(s);
	show_check(s);
	show_steps(s);
	show_budget(s);
	show_deadline(s);
	if (w->l.guard > 0) {
		page_factf(&s->page, "loop guard",
			   "%u equal requests, or denials, in a row pause it", w->l.guard);
	}
	show_held(s, "draft", "draft");
	show_held(s, "set aside", "aside");
	show_held(s, "lost", "");
	show_labels(s);
}

/* ---- what happened -------------------------------------------------------------------------- */

static void
begin_line(struct show *s, uint64_t t_ms, struct buf *line)
{
	auto_buf time = BUF_INIT;

	view_time(&time, t_ms, s->style);
	view_paint(&s->page.view, line, VIEW_DIM, buf_text(&time));
	buf_puts(line, "  ");
}

/* By whom, where it was a person. */
static void
put_by(struct buf *b, const struct story_event *e)
{
	if (strcmp(e->by, "guard") == 0) {
		buf_puts(b, " by the loop guard");
	} else if (strcmp(e->by, "call") == 0) {
		buf_puts(b, " by on_failure");
	} else if (strcmp(e->by, "person") == 0 && e->uid >= 0) {
		buf_printf(b, " by uid %lld", (long long)e->uid);
	}
}

static void
put_limits(struct buf *b, const struct story_event *e)
{
	const char *between = ": ";

	for (enum budget_id i = 0; e->has_budget && i < BUDGET__COUNT; i++) {
		if (e->limits[i] != 0) {
			buf_printf(b, "%s%s=", between, budget_words[i]);
			budget_print(b, i, e->limits[i]);
			between = ",";
		}
	}
	if (e->deadline_ms != 0) {
		buf_puts(b, between[0] == ':' ? ": deadline " : ", deadline ");
		view_time(b, e->deadline_ms, VIEW_TIME_FULL);
	}
}

static void
put_event(struct buf *b, const struct story_event *e)
{
	static const struct {
		const char *action, *words;
	} sentences[] = {
		{ "new", "made" },	   { "pause", "paused" },    { "resume", "resumed" },
		{ "stop", "stopped" },	   { "finish", "finished" }, { "budget", "budget set" },
		{ "step", "step begins" },
	};
	static const char guard[] = "loop guard: ";
	const char *words = e->action, *reason = e->reason;

	for (size_t i = 0; i < ARRAY_LEN(sentences); i++) {
		words = strcmp(sentences[i].action, e->action) == 0 ? sentences[i].words : words;
	}
	put_safe(b, words);
	if (e->step[0] != '\0') {
		buf_puts(b, ": ");
		view_text(b, e->step);
	}
	put_by(b, e);
	put_limits(b, e);
	if (strcmp(e->by, "guard") == 0 && strncmp(reason, guard, strlen(guard)) == 0) {
		reason += strlen(guard);
	}
	if (reason[0] != '\0') {
		buf_puts(b, ": ");
		view_text(b, reason);
	}
}

static void
show_event(struct show *s, const struct story_item *item)
{
	const char *action = item->event->action;
	bool is_end = strcmp(action, "pause") == 0 || strcmp(action, "stop") == 0;
	auto_buf text = BUF_INIT;

	begin_line(s, item->t_ms, &s->page.out);
	buf_puts(&text, "-- ");
	put_event(&text, item->event);
	view_paint(&s->page.view, &s->page.out, is_end ? VIEW_YELLOW : VIEW_BOLD, buf_text(&text));
	buf_putc(&s->page.out, '\n');
}

static void
show_resolve(struct show *s, const struct story_item *item)
{
	const struct story_resolve *r = item->resolve;
	auto_buf text = BUF_INIT;

	begin_line(s, item->t_ms, &s->page.out);
	buf_printf(&text, "-- %.*s is said to be %s by uid %llu", (int)s->prefix_len, r->call,
		   strcmp(r->answer, "rerun") == 0 ? "run again" : r->answer,
		   (unsigned long long)r->uid);
	if (r->reason[0] != '\0') {
		buf_puts(&text, ": ");
		view_text(&text, r->reason);
	}
	view_paint(&s->page.view, &s->page.out, VIEW_BOLD, buf_text(&text));
	buf_putc(&s->page.out, '\n');
}

/* "failed 3, held +1 ~2, attempt 2". */
static void
put_end(struct buf *b, const struct story_item *item)
{
	const struct index_call *call = item->call;
	auto_buf changes = BUF_INIT;

	put_safe(b, item->state);
	if (call->exit > 0) {
		buf_printf(b, " %d", call->exit);
	}
	view_changes(&changes, call->created, call->modified, call->deleted);
	if (call->settled[0] != '\0' && changes.len > 0) {
		buf_puts(b, ", ");
		put_safe(b, call->settled);
		buf_printf(b, " %s", buf_text(&changes));
	}
	if (call->attempt > 1) {
		buf_printf(b, ", attempt %u", call->attempt);
	}
	if (call->answer[0] != '\0') {
		buf_puts(b, ", said to be ");
		put_safe(b, strcmp(call->answer, "rerun") == 0 ? "run again" : call->answer);
	}
}

/* Whether it was sent again, and ran: what became of the first is nobody's question. */
static bool
has_later(const struct story *story, const struct index_call *call)
{
	for (size_t i = 0; i < story->count; i++) {
		const struct index_call *other = story->items[i].call;

		if (other != NULL && strcmp(other->retry_of, call->id) == 0) {
			return true;
		}
	}
	return false;
}

static void
remark_unknown(struct show *s, const struct index_call *call)
{
	auto_buf what = BUF_INIT;

	if (call->key[0] != '\0' && strcmp(call->retry, "safe") == 0) {
		buf_puts(&what, "airlock died in it: sent again under its key, it runs");
	} else {
		buf_printf(&what, "airlock died in it: airlock show %.*s, then airlock resolve",
			   (int)s->prefix_len, call->id);
	}
	page_remark(&s->page, VIEW_RED, 2, buf_text(&what));
}

static void
show_call(struct show *s, const struct story_item *item)
{
	const struct index_call *call = item->call;
	struct buf *out = &s->page.out;
	auto_buf key = BUF_INIT, cut = BUF_INIT, end = BUF_INIT;

	begin_line(s, item->t_ms, out);
	buf_printf(out, "%.*s  ", (int)s->prefix_len, call->id);
	if (s->step_width > 0) {
		view_pad(out, call->step[0] != '\0' ? call->step : "-", s->step_width, false);
		buf_puts(out, "  ");
	}
	if (s->key_width > 0) {
		view_text(&key, call->key[0] != '\0' ? call->key : "-");
		view_cut(&cut, buf_text(&key), s->key_width);
		view_pad(out, buf_text(&cut), s->key_width, false);
		buf_puts(out, "  ");
	}
	put_end(&end, item);
	view_paint(&s->page.view, out, view_verdict_color(item->state), buf_text(&end));
	buf_puts(out, "  ");
	put_safe(out, call->command);
	buf_putc(out, '\n');
	if (call->reason[0] != '\0') {
		auto_buf reason = BUF_INIT;

		view_text(&reason, call->reason);
		page_remark(&s->page, VIEW_DIM, 2, buf_text(&reason));
	}
	if (strcmp(item->state, "unknown") == 0 && !has_later(s->story, call)) {
		remark_unknown(s, call);
	}
}

static void
show_story(struct show *s)
{
	page_part(&s->page, "TIMELINE", "what happened, oldest first");
	for (size_t i = 0; i < s->story->count; i++) {
		const struct story_item *item = &s->story->items[i];

		if (item->call != NULL) {
			show_call(s, item);
		} else if (item->event != NULL) {
			show_event(s, item);
		} else {
			show_resolve(s, item);
		}
	}
}

/* ---- all of it ------------------------------------------------------------------------------ */

static int
measure(struct show *s, struct reading *r, struct err *err)
{
	uint64_t oldest_ms = s->story->count > 0 ? s->story->items[0].t_ms : s->w->d.created_ms;
	int rc = 0;

	s->prefix_len = VIEW_LIST_PREFIX_MIN;
	s->style = view_time_style(oldest_ms, clock_realtime_ms());
	for (size_t i = 0; rc == 0 && i < s->story->count; i++) {
		const struct index_call *call = s->story->items[i].call;
		auto_buf key = BUF_INIT;
		size_t width;

		if (call == NULL) {
			continue;
		}
		view_text(&key, call->key);
		width = view_width(buf_text(&key));
		width = width > KEY_COLUMNS ? KEY_COLUMNS : width;
		s->key_width = width > s->key_width ? width : s->key_width;
		width = strlen(call->step);
		s->step_width = width > s->step_width ? width : s->step_width;
		rc = index_prefix_len(r->ix, call->id, s->prefix_len, &s->prefix_len, err);
	}
	return rc;
}

static int
print_page(struct reading *r, const struct workflow_seen *w, const struct story *story,
	   const struct index_forgotten *forgotten, struct err *err)
{
	struct show s = {
		.page = PAGE_INIT, .reading = r, .w = w, .story = story, .forgotten = forgotten
	};
	int rc = measure(&s, r, err);

	if (rc == 0) {
		page_init(&s.page, STDOUT_FILENO);
		show_facts(&s);
		show_story(&s);
		rc = commands_write(&s.page.out);
	}
	page_finish(&s.page);
	return rc;
}

/* Of one that has lost its files the journal has the name. */
static void
take_name(struct workflow_seen *w, const struct story *story)
{
	for (size_t i = 0; i < story->count; i++) {
		const struct story_event *e = story->items[i].event;

		if (e != NULL) {
			snprintf(w->d.name, sizeof(w->d.name), "%s", e->name);
			return;
		}
	}
}

static int
show(struct reading *r, const char *name, bool json, struct err *err)
{
	struct workflow_seen w = { .id = "" };
	auto_story story = STORY_INIT;
	auto_buf out = BUF_INIT;
	struct index_forgotten forgotten = { .is_all = false };
	char id[UUID_TEXT_SIZE];
	struct err none = ERR_INIT;
	uint8_t uuid[16];
	int rc = workflow_lookup(r, name, id, err);

	rc = rc == 0 ? text_uuid_parse(id, uuid) : rc;
	rc = rc == 0 ? workflow_see(&r->store, uuid, &w, err) : rc;
	rc = rc == 0 ? story_read(r, id, &story, err) : rc;
	if (rc != 0) {
		return rc;
	}
	if (!w.is_named) {
		take_name(&w, &story);
		w.is_forgotten = !w.has_ledger &&
				 index_collected(r->ix, id, 0, &forgotten, &none) == 0 &&
				 forgotten.is_all;
	}
	if (!json) {
		return print_page(r, &w, &story, &forgotten, err);
	}
	rc = workflow_seen_json(r, &w, &story, &out);
	return rc == 0 ? commands_write(&out) : rc;
}

int
cmd_workflow_show(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	auto_reading r = READING_INIT;
	struct err err = ERR_INIT;
	bool json = false;
	int rc = command_line_flag(&cl, 1, 1, &json);

	if (rc >= 0) {
		return rc;
	}
	rc = reading_open(&r, &err);
	rc = rc == 0 ? show(&r, cl.operand[0], json, &err) : rc;
	if (rc != 0 && err.code == 0) {
		ignore_err(err_sys(&err, rc, "show a workflow"), "it is returned below");
	}
	return rc != 0 ? commands_fail(1, &err) : 0;
}
