/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock ps`: which calls are under way. Runs in airlock-cli as the caller, without the index: it
 * says what is there now, and at once. Names are callers' and are escaped here.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/json.h"
#include "../workflow/workflow.h"
#include "commands.h"
#include "control.h"
#include "view_format.h"

struct shown {
	const struct running_call *call;
	char workflow[WORKFLOW_NAME_MAX + 1]; /* its name; "local" where it has none */
};

static const char *
state_of(const struct running_call *c)
{
	return !c->is_alive ? "lost" : c->is_frozen ? "frozen" : "running";
}

static void
find_name(const struct store *s, struct shown *ret)
{
	auto_fd dir = workflow_dir(s, ret->call->workflow, false, NULL);
	auto_free struct workflow_definition *d = calloc(1, sizeof(*d));

	snprintf(ret->workflow, sizeof(ret->workflow), "local");
	if (dir >= 0 && d != NULL && workflow_definition_read(dir, d, NULL) == 0) {
		snprintf(ret->workflow, sizeof(ret->workflow), "%s", d->name);
	}
}

/* ---- for a program ------------------------------------------------------------------------ */

static int
print_json(const struct shown *s)
{
	const struct running_call *c = s->call;
	char workflow[UUID_TEXT_SIZE];
	auto_buf line = BUF_INIT;
	struct json j;

	text_uuid_print(c->workflow, workflow);
	json_init(&j, &line);
	json_begin_object(&j);
	json_kv_str(&j, "call", c->call_text);
	json_kv_bytes(&j, "cgroup", text_or_null(c->cgroup));
	json_kv_uint(&j, "pid", (uint64_t)c->pid);
	json_kv_bytes(&j, "principal", text_or_null(c->principal));
	json_kv_bytes(&j, "profile", c->profile);
	json_key(&j, "reserved");
	json_begin_object(&j);
	ledger_put_amounts(&j, c->reserved, false);
	json_end(&j);
	json_kv_str(&j, "state", state_of(c));
	json_kv_uint(&j, "t0", c->t0_ms);
	json_kv_str(&j, "workflow", workflow);
	json_kv_str(&j, "workflow_name", s->workflow);
	json_end(&j);
	buf_putc(&line, '\n');
	return json_error(&j) != 0 ? json_error(&j) : commands_write(&line);
}

/* ---- for a person ------------------------------------------------------------------------- */

static void
put_column(struct buf *b, const char *text, size_t width)
{
	auto_buf safe = BUF_INIT;

	text_safe(&safe, text, strlen(text), false);
	view_pad(b, buf_text(&safe), width, false);
	buf_putc(b, ' ');
}

static int
print_line(const struct view *v, const struct shown *s, uint64_t now_ms)
{
	const struct running_call *c = s->call;
	auto_buf line = BUF_INIT, age = BUF_INIT, state = BUF_INIT;

	view_duration(&age, now_ms > c->t0_ms ? now_ms - c->t0_ms : 0);
	view_pad(&state, state_of(c), 7, false);
	put_column(&line, c->call_text, UUID_TEXT_SIZE - 1);
	view_paint(v, &line, c->is_alive && !c->is_frozen ? VIEW_PLAIN : VIEW_YELLOW,
		   buf_text(&state));
	buf_putc(&line, ' ');
	view_pad(&line, buf_text(&age), 7, true);
	buf_printf(&line, " %8d ", (int)c->pid);
	put_column(&line, s->workflow, 12);
	put_column(&line, c->profile, 12);
	put_column(&line, c->principal, 0);
	while (line.len > 0 && line.data[line.len - 1] == ' ') {
		line.data[--line.len] = '\0';
	}
	buf_putc(&line, '\n');
	return buf_error(&line) != 0 ? buf_error(&line) : commands_write(&line);
}

static int
print_end(const struct control_list *l, size_t lost)
{
	auto_buf line = BUF_INIT;

	if (l->count == 0) {
		buf_puts(&line, "no call is under way\n");
	}
	if (lost > 0) {
		view_count(&line, lost, "call is", "calls are");
		buf_puts(&line, " lost: airlock was killed in it, airlock recover looks what "
				"became of it\n");
	}
	return commands_write(&line);
}

static int
print_all(const struct store *s, const struct control_list *l, bool json)
{
	const uint64_t now_ms = clock_realtime_ms();
	struct view v;
	size_t lost = 0;
	int rc = 0;

	view_init(&v, STDOUT_FILENO);
	if (!json && l->count > 0) {
		printf("%-36s %-7s %7s %8s %-12s %-12s %s\n", "CALL", "STATE", "AGE", "PID",
		       "WORKFLOW", "PROFILE", "PRINCIPAL");
	}
	for (size_t i = 0; rc == 0 && i < l->count; i++) {
		struct shown shown = { .call = &l->items[i] };

		find_name(s, &shown);
		lost += shown.call->is_alive ? 0 : 1;
		rc = json ? print_json(&shown) : print_line(&v, &shown, now_ms);
	}
	return rc == 0 && !json ? print_end(l, lost) : rc;
}

int
cmd_ps(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	auto_control_list list = { .items = NULL };
	auto_store s = STORE_INIT;
	struct err err = ERR_INIT;
	bool json = false;
	int rc = command_line_flag(&cl, 0, 0, &json);

	if (rc >= 0) {
		return rc;
	}
	rc = control_open(&s, &err);
	rc = rc == 0 ? control_list(&s, &list, &err) : rc;
	if (rc == -ENOENT) {
		rc = 0; /* no state directory, no call */
	}
	rc = rc == 0 ? print_all(&s, &list, json) : rc;
	return rc == 0 ? 0 : commands_fail(1, &err);
}
