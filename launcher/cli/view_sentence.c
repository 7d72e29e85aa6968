/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of `airlock show`: one sentence that says how a call ended and what became of its
 * changes, then which call it was. Runs in airlock-cli as the caller; reasons and paths are the
 * tool's and are escaped here.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "../store/index.h"
#include "view_show.h"

bool
show_is_held(const json_t *item)
{
	return record_text(item, "hold")[0] != '\0';
}

static bool
is(const struct record *rec, const char *member, const char *value)
{
	return strcmp(record_text(rec->outcome, member), value) == 0;
}

static bool
has_run(const struct record *rec)
{
	return !is(rec, "verdict", "launch_failed") && !is(rec, "verdict", "denied");
}

/* "ok, exit 0", "signaled, SIGSEGV", "timeout (wall: the call ran for limits.wall)". */
static void
put_ending(struct buf *b, const struct record *rec)
{
	const json_t *exit_code = json_object_get(rec->outcome, "exit");
	const char *reason = record_text(rec->outcome, "reason");
	int signal = (int)record_number(rec->outcome, "signal");

	view_text(b, record_text(rec->outcome, "verdict"));
	if (json_is_integer(exit_code)) {
		buf_printf(b, ", exit %lld", (long long)json_integer_value(exit_code));
	}
	if (signal > 0) {
		const char *name = sigabbrev_np(signal);

		buf_printf(b, ", signal %d%s%s", signal, name != NULL ? " SIG" : "",
			   name != NULL ? name : "");
	}
	if (reason[0] != '\0' && has_run(rec) && !is(rec, "verdict", "ok") &&
	    !is(rec, "verdict", "signaled") && strncmp(reason, "exit ", 5) != 0) {
		buf_puts(b, " (");
		view_text(b, reason);
		buf_putc(b, ')');
	}
}

/* The first change that asks for a person, and how many more do. */
static bool
put_culprit(struct buf *b, const json_t *changes)
{
	const json_t *items = json_object_get(changes, "items");
	uint64_t held = record_number(changes, "held");

	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);

		if (!show_is_held(item)) {
			continue;
		}
		buf_puts(b, " for a person because of ");
		view_path(b, record_text(item, "path"));
		buf_puts(b, " (");
		view_text(b, record_text(item, "hold"));
		buf_putc(b, ')');
		if (held > 1) {
			buf_printf(b, " and %llu more", (unsigned long long)(held - 1));
		}
		return true;
	}
	return false;
}

static void
put_held(struct buf *b, const struct record *rec, uint64_t count)
{
	const char *reason = record_text(rec->outcome, "reason");

	buf_puts(b, "; nothing was committed: ");
	view_count(b, count, "change is", "changes are");
	buf_puts(b, " held");
	if (strncmp(reason, "done_when ", 10) == 0) {
		buf_puts(b, ", as not all that makes it done holds");
	} else if (!is(rec, "verdict", "ok")) {
		buf_puts(b, ", as the tool did not succeed");
	} else if (put_culprit(b, json_object_get(rec->outcome, "changes"))) {
		return;
	} else if (reason[0] != '\0') {
		buf_puts(b, ": ");
		view_text(b, reason);
	} else if (strcmp(record_text(rec->planned, "mode"), "propose") == 0) {
		buf_puts(b, ", as the mode is propose");
	}
}

/* What somebody did about the call, and what came of it where the word does not say that. */
static void
put_settle(struct buf *b, const json_t *settle, enum view_time_style style)
{
	static const struct {
		const char *action, *done, *state;
	} words[] = {
		{ "apply", "applied", "committed" },
		{ "discard", "discarded", "discarded" },
		{ "recover", "recovered", "" },
		{ "undo", "undone", "undone" },
	};
	const char *action = record_text(settle, "action");
	const char *state = record_text(settle, "settled"), *usual = "";

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i].action, action) == 0) {
			action = words[i].done;
			usual = words[i].state;
		}
	}
	view_text(b, action);
	if (strcmp(state, usual) != 0) {
		buf_puts(b, " (");
		view_text(b, state);
		buf_putc(b, ')');
	}
	buf_putc(b, ' ');
	view_time(b, record_number(settle, "t"), style);
	buf_printf(b, " by uid %llu", (unsigned long long)record_number(settle, "actor.uid"));
}

static void
put_settles(struct buf *b, const struct record *rec)
{
	for (size_t i = 0; i < json_array_size(rec->settles); i++) {
		buf_puts(b, ", then ");
		put_settle(b, json_array_get(rec->settles, i), VIEW_TIME_MINUTE);
	}
}

static void
put_resolved(struct buf *b, const struct record *rec)
{
	size_t count = json_array_size(rec->resolves);

	if (count > 0) {
		buf_puts(b, ", then resolved as ");
		show_resolve(b, json_array_get(rec->resolves, count - 1), VIEW_TIME_MINUTE);
	}
}

/* What the call's own end had made of the changes, before somebody decided. */
static void
put_first(struct buf *b, const struct record *rec, uint64_t count)
{
	buf_puts(b, "; ");
	if (is(rec, "settled", "none")) {
		buf_puts(b, "it changed nothing in the workspace");
		return;
	}
	view_count(b, count, "change was", "changes were");
	buf_putc(b, ' ');
	view_text(b, record_text(rec->outcome, "settled"));
}

static void
put_settled(struct buf *b, const struct record *rec)
{
	const json_t *changes = json_object_get(rec->outcome, "changes");
	uint64_t count = record_number(changes, "created") + record_number(changes, "modified") +
			 record_number(changes, "deleted");

	if (json_array_size(rec->settles) > 0) {
		put_first(b, rec, count);
		put_settles(b, rec);
	} else if (!has_run(rec)) {
		buf_puts(b, ": the tool did not run");
		if (record_text(rec->outcome, "reason")[0] != '\0') {
			buf_puts(b, "; ");
			view_text(b, record_text(rec->outcome, "reason"));
		}
	} else if (is(rec, "settled", "held")) {
		put_held(b, rec, count);
	} else if (is(rec, "settled", "committed")) {
		buf_puts(b, "; ");
		view_count(b, count, "change is", "changes are");
		buf_puts(b, " in the workspace");
	} else if (is(rec, "settled", "discarded")) {
		buf_puts(b, "; ");
		view_count(b, count, "change was", "changes were");
		buf_puts(b, " dropped, as the mode is observe");
	} else if (strncmp(record_text(rec->outcome, "reason"), "undead", 6) == 0) {
		buf_puts(b, "; what it changed was not read and is not committed");
	} else {
		buf_puts(b, "; it changed nothing in the workspace");
	}
}

void
show_sentence(struct buf *b, const struct record *rec)
{
	if (rec->outcome == NULL) {
		buf_puts(b, rec->is_frozen    ? "frozen: it is stopped where it is, until its "
						"workflow is resumed"
			    : rec->is_running ? "running: no outcome is recorded yet"
					      : "unknown: no outcome is recorded, airlock was "
						"killed in it");
		put_settles(b, rec);
		put_resolved(b, rec);
		return;
	}
	put_ending(b, rec);
	put_settled(b, rec);
}

enum view_color
show_sentence_color(const struct record *rec)
{
	if (rec->outcome == NULL) {
		return rec->is_running || record_answer(rec)[0] != '\0' ? VIEW_YELLOW : VIEW_RED;
	}
	if (is(rec, "verdict", "ok") && strcmp(record_settled(rec), "held") == 0) {
		return VIEW_YELLOW;
	}
	return view_verdict_color(record_text(rec->outcome, "verdict"));
}

/* Each with its second, the change set that it was about, and why. */
static void
show_settles(struct page *p, const json_t *settles)
{
	for (size_t i = 0; i < json_array_size(settles); i++) {
		const json_t *settle = json_array_get(settles, i);
		auto_buf text = BUF_INIT;

		put_settle(&text, settle, VIEW_TIME_FULL);
		if (record_text(settle, "changes")[0] != '\0') {
			buf_puts(&text, ", set ");
			page_digest(p, &text, record_text(settle, "changes"));
		}
		if (record_text(settle, "reason")[0] != '\0') {
			buf_puts(&text, ": ");
			view_text(&text, record_text(settle, "reason"));
		}
		page_fact(p, i == 0 ? "settled" : "", buf_text(&text));
	}
}

void
show_head(struct page *p, const struct record *rec)
{
	uint64_t t0 = record_number(rec->planned, "t0"), t1 = record_number(rec->outcome, "t1");
	const char *workflow = record_text(rec->planned, "workflow");
	auto_buf text = BUF_INIT;

	show_sentence(&text, rec);
	page_text(p, show_sentence_color(rec), buf_text(&text));
	buf_puts(&p->out, p->html ? "" : "\n");
	page_fact(p, "call", rec->id);
	buf_reset(&text);
	record_command(&text, rec);
	page_fact_color(p, "command", VIEW_BOLD, buf_text(&text));
	buf_reset(&text);
	view_time(&text, t0, VIEW_TIME_FULL);
	if (t1 != 0) {
		buf_puts(&text, ", took ");
		view_duration(&text, t1 > t0 ? t1 - t0 : 0);
	}
	page_fact(p, "started", buf_text(&text));
	show_settles(p, rec->settles);
	buf_reset(&text);
	view_text(&text, record_text(rec->planned, "workflow_name"));
	page_factf(p, "workflow", "%s, call %llu (%.*s)", buf_text(&text),
		   (unsigned long long)record_number(rec->planned, "seq"),
		   p->verbose ? UUID_TEXT_SIZE : 8, workflow);
}
