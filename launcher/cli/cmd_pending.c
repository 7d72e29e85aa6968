/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock pending`: what waits for a person. Runs in airlock-cli as the caller. Reasons, names and
 * paths are the tools' and are escaped here; the index holds commands that are safe to print.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/json.h"
#include "commands.h"
#include "view_answer.h"
#include "view_list.h"
#include "view_state.h"

struct waiting {
	struct reading *reading; /* borrowed */
	struct err *err;
	struct view view;
	uint64_t now_ms;
	bool json;
	uint64_t held, unknown;
};

static bool
is_unknown(const struct index_call *call)
{
	return call->settled[0] == '\0';
}

static const char *
layer_of(const struct waiting *w, const struct index_call *call)
{
	return reading_layer(w->reading, call->workflow, call->seq, call->id);
}

/*
 * Whether a call without outcome waits for a person: it does not run, and it left something, or
 * nobody may decide but a person whether it runs again.
 */
static bool
is_asking(const struct waiting *w, const struct index_call *call)
{
	return !reading_is_running(w->reading, call->id) &&
	       (layer_of(w, call)[0] != '\0' ||
		key_answer(call->verdict, call->answer, call->retry) == KEY_UNKNOWN);
}

/* ---- for a program ------------------------------------------------------------------------ */

static int
print_json(struct waiting *w, const struct index_call *call)
{
	auto_buf line = BUF_INIT;
	struct json j;

	json_init(&j, &line);
	json_begin_object(&j);
	json_kv_str(&j, "call", call->id);
	json_key(&j, "changes");
	view_list_changes_json(&j, call);
	json_kv_str(&j, "command", call->command);
	json_kv_str(&j, "digest", text_or_null(call->changes_digest));
	json_kv_str(&j, "layer", text_or_null(layer_of(w, call)));
	json_kv_str(&j, "reason", text_or_null(call->reason));
	json_kv_str(&j, "retry", text_or_null(call->retry));
	json_kv_uint(&j, "seq", call->seq);
	json_kv_str(&j, "settled", text_or_null(call->settled));
	json_kv_uint(&j, "t0", call->t0_ms);
	json_kv_str(&j, "verdict", call->verdict);
	json_kv_str(&j, "workflow", call->workflow);
	json_kv_str(&j, "workflow_name", call->workflow_name);
	json_kv_str(&j, "workspace", call->workspace);
	json_end(&j);
	buf_putc(&line, '\n');
	return json_error(&j) != 0 ? json_error(&j) : commands_write(&line);
}

/* ---- for a person ------------------------------------------------------------------------- */

/* "held as part of the draft: …", "unknown: …". */
static void
put_why(struct buf *b, const struct waiting *w, const struct index_call *call)
{
	static const struct {
		const char *layer, *says;
	} layers[] = {
		{ "", ", but its layer is gone: it can be seen and discarded" },
		{ "aside", ", set aside" },
		{ "draft", ", part of the draft" },
	};
	const char *layer = layer_of(w, call);

	if (is_unknown(call)) {
		buf_puts(b, "unknown: it has no outcome, airlock was killed in it");
		buf_puts(b, layer[0] != '\0' ? "; what it left can only be discarded" : "");
		return;
	}
	buf_puts(b, "held");
	for (size_t i = 0; i < ARRAY_LEN(layers); i++) {
		if (strcmp(layers[i].layer, layer) == 0) {
			buf_puts(b, layers[i].says);
		}
	}
	if (call->reason[0] != '\0') {
		buf_puts(b, ": ");
		view_text(b, call->reason);
	} else if (strcmp(call->mode, "propose") == 0) {
		buf_puts(b, ", as the mode is propose");
	}
}

static void
put_cut(struct buf *out, const struct view *v, const char *text)
{
	buf_puts(out, "  ");
	view_cut(out, text, v->terminal ? v->columns - 2 : SIZE_MAX);
	buf_putc(out, '\n');
}

static int
print_block(struct waiting *w, const struct index_call *call)
{
	auto_buf out = BUF_INIT, head = BUF_INIT, text = BUF_INIT;
	size_t prefix_len = VIEW_LIST_PREFIX_MIN;
	int rc = index_prefix_len(w->reading->ix, call->id, prefix_len, &prefix_len, w->err);

	if (rc != 0) {
		return rc;
	}
	buf_printf(&head, "%.*s", (int)prefix_len, call->id);
	view_paint(&w->view, &out, VIEW_BOLD, buf_text(&head));
	buf_puts(&out, "  ");
	view_duration(&out, w->now_ms > call->t0_ms ? w->now_ms - call->t0_ms : 0);
	buf_puts(&out, " ago  ");
	view_changes(&text, call->created, call->modified, call->deleted);
	buf_puts(&text, text.len > 0 ? "  " : "");
	buf_puts(&out, buf_text(&text));
	view_path(&out, call->workspace);
	buf_putc(&out, '\n');
	put_cut(&out, &w->view, call->command);
	buf_reset(&text);
	put_why(&text, w, call);
	buf_puts(&out, "  ");
	view_paint(&w->view, &out, is_unknown(call) ? VIEW_RED : VIEW_YELLOW, buf_text(&text));
	buf_puts(&out, "\n\n");
	return commands_write(&out);
}

static int
on_call(void *arg, const struct index_call *call)
{
	struct waiting *w = arg;

	*(is_unknown(call) ? &w->unknown : &w->held) += 1;
	return w->json ? print_json(w, call) : print_block(w, call);
}

/* One whose commit was recovered waits for nobody, or is held. */
static int
on_unknown(void *arg, const struct index_call *call)
{
	return is_unknown(call) && is_asking(arg, call) ? on_call(arg, call) : 0;
}

static int
print_end(const struct waiting *w)
{
	auto_buf out = BUF_INIT;

	if (w->held + w->unknown == 0) {
		buf_puts(&out, "nothing waits\n");
		return commands_write(&out);
	}
	if (w->held > 0) {
		view_count(&out, w->held, "change set waits", "change sets wait");
		buf_puts(&out, ": airlock diff CALL shows one, apply commits it, discard drops "
			       "it\n");
	}
	if (w->unknown > 0) {
		view_count(&out, w->unknown, "call is", "calls are");
		buf_puts(&out, " unknown: airlock show CALL says what is recorded, airlock "
			       "resolve CALL done|not-done|rerun decides\n");
	}
	return commands_write(&out);
}

static int
print_all(struct waiting *w)
{
	const struct index_query held = { .settled = "held" }, unknown = { .verdict = "unknown" };
	int rc = index_list(w->reading->ix, &held, on_call, w, w->err);

	if (rc == 0) {
		rc = index_list(w->reading->ix, &unknown, on_unknown, w, w->err);
	}
	if (rc == 0 && !w->json) {
		rc = print_end(w);
	}
	return rc == 0 || w->err->code != 0 ? rc : err_sys(w->err, rc, "list what waits");
}

int
cmd_pending(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	auto_reading r = READING_INIT;
	struct err err = ERR_INIT;
	struct waiting w = { .reading = &r, .err = &err, .now_ms = clock_realtime_ms() };
	int rc = command_line_flag(&cl, 0, 0, &w.json);

	if (rc >= 0) {
		return rc;
	}
	view_init(&w.view, STDOUT_FILENO);
	rc = reading_open(&r, &err);
	if (rc == -ENOENT) {
		return commands_fail(0, &err); /* where nothing was recorded, nothing waits */
	}
	rc = rc != 0 ? rc : print_all(&w);
	return rc != 0 ? commands_fail(1, &err) : 0;
}
