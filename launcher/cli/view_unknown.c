/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UNKNOWN of `airlock show`: what there is to decide by where airlock died in a call, and what can
 * be done about it. Runs in airlock-cli as the caller; texts of a record are escaped here.
 */
#include <string.h>

#include "../workflow/ledger.h"
#include "view_replay.h"
#include "view_show.h"

void
show_resolve(struct buf *b, const json_t *resolve, enum view_time_style style)
{
	view_text(b, record_text(resolve, "answer"));
	buf_putc(b, ' ');
	view_time(b, record_number(resolve, "t"), style);
	buf_printf(b, " by uid %llu", (unsigned long long)record_number(resolve, "actor.uid"));
}

static void
show_resolves(struct page *p, const struct record *rec)
{
	for (size_t i = 0; i < json_array_size(rec->resolves); i++) {
		const json_t *resolve = json_array_get(rec->resolves, i);
		auto_buf text = BUF_INIT;

		show_resolve(&text, resolve, VIEW_TIME_FULL);
		if (record_text(resolve, "reason")[0] != '\0') {
			buf_puts(&text, ": ");
			view_text(&text, record_text(resolve, "reason"));
		}
		page_fact(p, i == 0 ? "resolved" : "", buf_text(&text));
	}
}

/* What it may have done outside of what airlock keeps apart. */
static void
show_reach(struct page *p, const struct record *rec)
{
	const json_t *writes = json_object_get(rec->planned, "write");
	auto_buf text = BUF_INIT;

	if (json_array_size(writes) == 0 ||
	    strcmp(record_text(rec->planned, "mode"), "observe") == 0) {
		page_fact(p, "could do",
			  strcmp(record_settled(rec), "committed") == 0
				  ? "nothing outside of its sandbox but what was committed"
				  : "nothing outside of its sandbox: what it changed of the "
				    "workspace is not committed");
		return;
	}
	buf_puts(&text, "it could write ");
	show_strings(&text, writes, " ");
	buf_puts(&text, " directly: what it did there stands");
	page_fact_color(p, "could do", VIEW_YELLOW, buf_text(&text));
}

static void
show_left(struct page *p, const struct reading *r, const struct record *rec)
{
	const char *layer = r == NULL ? ""
				      : reading_layer(r, record_text(rec->planned, "workflow"),
						      record_number(rec->planned, "seq"), rec->id);

	if (layer[0] != '\0') {
		page_factf(p, "left", "a change set, kept %s: airlock discard %.13s drops it",
			   strcmp(layer, "aside") == 0 ? "aside" : "in the draft", rec->id);
	} else {
		page_fact(p, "left", "no change set is kept of it");
	}
}

/* Whether a later attempt was let in, and which. */
static bool
has_later(const struct reading *r, const struct record *rec, struct key_entry *ret)
{
	auto_fd dir = r != NULL ? workflow_dir(&r->store, rec->workflow, false, NULL) : -1;

	return dir >= 0 && key_is_taken(dir, rec, ret) > 0;
}

/* "the same request under its key nightly-7 runs as attempt 2". */
static void
put_key(struct buf *b, const struct record *rec)
{
	if (record_text(rec->planned, "key")[0] == '\0') {
		buf_puts(b, "it had no key, so nothing waits for its answer");
		return;
	}
	buf_puts(b, "a retry under its key ");
	view_text(b, record_text(rec->planned, "key"));
}

static void
show_next(struct page *p, const struct reading *r, const struct record *rec)
{
	const uint64_t attempt = record_number(rec->planned, "attempt");
	const bool has_key = record_text(rec->planned, "key")[0] != '\0';
	struct key_entry later;
	auto_buf text = BUF_INIT;

	if (has_later(r, rec, &later)) {
		page_factf(p, "retry", "its key was given to attempt %u, call %.13s: see there",
			   later.attempt, later.call);
		return;
	}
	put_key(&text, rec);
	switch (has_key ? key_answer_of(rec) : KEY_ANSWER__COUNT) {
	case KEY_AGAIN:
		buf_printf(&text, " runs, as attempt %llu",
			   (unsigned long long)(attempt > 0 ? attempt + 1 : 2));
		break;
	case KEY_UNKNOWN:
		buf_puts(&text, " is refused, as its profile says retry: ask");
		break;
	case KEY_DONE:
		buf_puts(&text, " is answered as done, and runs nothing");
		break;
	case KEY_NOT_DONE:
		buf_puts(&text, " is answered as interrupted, and runs nothing");
		break;
	case KEY_FREE:
	case KEY_REPLAY:
	case KEY_ANSWER__COUNT:
		break;
	}
	page_fact(p, "retry", buf_text(&text));
	if (record_answer(rec)[0] == '\0') {
		page_factf(p, "to decide",
			   "airlock resolve %.13s done|not-done|rerun, when you know", rec->id);
	}
}

/* With what it counts in its workflow's budget. */
static void
show_found(struct page *p, const struct record *rec)
{
	auto_buf when = BUF_INIT, wall = BUF_INIT, cpu = BUF_INIT, disk = BUF_INIT;

	if (rec->lost == NULL) {
		return;
	}
	view_time(&when, record_number(rec->lost, "t"), VIEW_TIME_FULL);
	budget_print(&wall, BUDGET_WALL, record_number(rec->lost, "used.wall_ms"));
	budget_print(&cpu, BUDGET_CPU, record_number(rec->lost, "used.cpu_ms"));
	budget_print(&disk, BUDGET_DISK, record_number(rec->lost, "used.disk_bytes"));
	page_factf(p, "found",
		   "without its airlock %s: in the budget of its workflow it counts as %s of wall, "
		   "%s of cpu, %s of disk",
		   buf_text(&when), buf_text(&wall), buf_text(&cpu), buf_text(&disk));
}

void
show_unknown(struct page *p, const struct reading *r, const struct record *rec)
{
	auto_buf text = BUF_INIT, boot = BUF_INIT;

	if (rec->outcome != NULL || rec->is_running) {
		return;
	}
	page_part(p, "UNKNOWN", "airlock died in this call: what is known, and what can be done");
	view_time(&text, record_number(rec->planned, "t0"), VIEW_TIME_FULL);
	view_text(&boot, record_text(rec->planned, "node.boot_id"));
	page_factf(p, "known",
		   "it was planned %s (boot %s); when airlock died is not known, nor "
		   "whether the tool had begun or ended",
		   buf_text(&text), buf_text(&boot));
	show_found(p, rec);
	show_reach(p, rec);
	show_left(p, r, rec);
	show_resolves(p, rec);
	show_next(p, r, rec);
}
