/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock workflow new`. Runs in airlock-cli as the caller; names are the caller's and are told
 * only where they are good.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/clock.h"
#include "cmd_workflow.h"
#include "commands.h"

static int
take_option(struct workflow_definition *d, const char *name, const char *argument, struct err *err)
{
	if (strcmp(name, "budget") == 0) {
		return workflow_words_budget(argument, d->limits, err);
	}
	if (strcmp(name, "bundle") == 0) {
		return workflow_words_bundle(argument, d, err);
	}
	if (strcmp(name, "deadline") == 0) {
		return workflow_words_deadline(argument, clock_realtime_ms(), &d->deadline_ms, err);
	}
	if (strcmp(name, "label") == 0) {
		return workflow_words_label(argument, d, err);
	}
	if (strcmp(name, "loop-guard") == 0) {
		return workflow_words_guard(argument, &d->guard, err);
	}
	if (strcmp(name, "owner") == 0) {
		return workflow_words_owner(argument, d, err);
	}
	return workflow_words_steps(argument, d, err);
}

static int
take_name(struct workflow_definition *d, const char *name, struct err *err)
{
	auto_buf safe = BUF_INIT;

	if (workflow_name_is_good(name)) {
		memcpy(d->name, name, strlen(name) + 1);
		return 0;
	}
	text_safe(&safe, name, strlen(name), false);
	return err_set(err, -EINVAL,
		       "%s: no name of a workflow: 1 to %u letters, digits, '.', '_' and '-', the "
		       "first no '.' and no '-', and not local",
		       buf_text(&safe), WORKFLOW_NAME_MAX);
}

/* -1 to go on, else the exit status. */
static int
parse(int argc, char **argv, struct workflow_definition *ret)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	const char *name, *argument;
	struct err err = ERR_INIT;
	int rc, bad = 0;

	while (bad == 0 && (rc = command_line_next(&cl, &name, &argument)) > 0) {
		bad = take_option(ret, name, argument, &err);
	}
	if (bad < 0) {
		return commands_fail(EXIT_AIRLOCK, &err);
	}
	rc = command_line_end(&cl, rc, 1, 1);
	if (rc >= 0) {
		return rc;
	}
	return take_name(ret, cl.operand[0], &err) < 0 ? commands_fail(EXIT_AIRLOCK, &err) : -1;
}

/* Whoever had the name before us may have died before the journal had its entry. */
static void
complete_other(const char *name)
{
	auto_workflow_at at = WORKFLOW_AT_INIT;
	auto_reading r = READING_INIT;
	struct err none = ERR_INIT;
	bool noted = false;
	int rc = workflow_at_open(name, &at, &none);

	rc = rc < 0 ? rc : reading_open(&r, &none);
	rc = rc < 0 ? rc : workflow_note_missing(&at.store, &r, &at.d, &noted, &none);
	ignore_err(rc, "recover does the same, and tells");
}

static int
make(struct workflow_definition *d, struct err *err)
{
	auto_store store = STORE_INIT;
	auto_ledger held = LEDGER_FILE_INIT;
	auto_free char *path = NULL;
	int rc = reading_path(&path, err);

	rc = rc < 0 ? rc : store_open_write(path, &store, err);
	rc = rc < 0 ? rc : workflow_create(&store, d, &held, err);
	if (rc == -EEXIST) {
		complete_other(d->name);
	}
	return rc < 0 ? rc : workflow_note_new(&store, d, err);
}

int
cmd_workflow_new(int argc, char **argv)
{
	struct workflow_definition d = { .guard = WORKFLOW_GUARD };
	char id[UUID_TEXT_SIZE];
	struct err err = ERR_INIT;
	int rc = parse(argc, argv, &d);

	if (rc >= 0) {
		return rc;
	}
	if (make(&d, &err) < 0) {
		return commands_fail(1, &err);
	}
	text_uuid_print(d.id, id);
	printf("workflow %s is %s\n", d.name, id);
	return 0;
}
