/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock diff`: what a call changed, for the person who decides about it. Runs in airlock-cli as
 * the caller. Nothing is taken from the workspace: the pack holds what the call left and what was
 * there before it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "view_diff.h"
#include "view_record.h"

struct request {
	const char *call, *workflow; /* one of them */
	bool json, stat;
};

/* -1 to go on, else the exit status. */
static int
parse(int argc, char **argv, struct request *ret)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	const char *name, *argument;
	int rc;

	while ((rc = command_line_next(&cl, &name, &argument)) > 0) {
		if (strcmp(name, "workflow") == 0) {
			ret->workflow = argument;
		} else {
			*(strcmp(name, "json") == 0 ? &ret->json : &ret->stat) = true;
		}
	}
	rc = command_line_end(&cl, rc, ret->workflow == NULL, ret->workflow == NULL);
	if (rc >= 0) {
		return rc;
	}
	if (ret->json && ret->stat) {
		fputs("airlock: diff: --json and --stat do not go together\n", stderr);
		return EXIT_AIRLOCK;
	}
	ret->call = ret->workflow == NULL ? cl.operand[0] : NULL;
	return -1;
}

/* "call …: failed, held (aside)". */
static void
put_title(struct buf *b, const struct record *rec, const char *layer)
{
	const char *settled = record_settled(rec);

	buf_printf(b, "call %s: ", rec->id);
	view_text(b, record_verdict(rec));
	buf_puts(b, settled[0] != '\0' ? ", " : "");
	view_text(b, settled);
	if (strcmp(settled, "held") == 0) {
		buf_printf(b, " (%s)", layer[0] != '\0' ? layer : "its layer is gone");
	}
}

/* The record names so many; of the others a name that is protected tells. */
static void
put_unmarked(struct buf *b, const struct record *rec, const struct change_set *set)
{
	uint64_t held = record_number(rec->outcome, "changes.held"), marked = 0;

	for (size_t i = 0; i < set->count; i++) {
		marked += set->items[i].hold_rule != NULL;
	}
	if (held > marked) {
		buf_printf(b,
			   "%llu more of them %s held, and not marked: the record names no "
			   "more\n",
			   (unsigned long long)(held - marked), held - marked == 1 ? "is" : "are");
	}
}

/* The digest of what is shown, and with it how to commit this and nothing else. */
static void
put_set(struct buf *b, const struct record *rec, const struct change_set *set, const char *layer)
{
	char hex[HEX_DIGEST_SIZE];

	text_hex(set->digest, SHA256_SIZE, hex);
	buf_printf(b, "change set %s\n", hex);
	if (strcmp(record_settled(rec), "held") == 0 && layer[0] != '\0') {
		buf_printf(b, "airlock apply --digest %s %.13s\n", hex, rec->id);
	}
	buf_printf(b, "%llu created, %llu modified, %llu deleted\n",
		   (unsigned long long)set->created, (unsigned long long)set->modified,
		   (unsigned long long)set->deleted);
	put_unmarked(b, rec, set);
}

static int
print_head(const struct reading *r, const struct record *rec, const struct change_set *set,
	   const struct view *v)
{
	const char *layer = reading_layer(r, record_text(rec->planned, "workflow"),
					  record_number(rec->planned, "seq"), rec->id);
	auto_buf out = BUF_INIT, line = BUF_INIT;

	put_title(&line, rec, layer);
	view_paint(v, &out, VIEW_BOLD, buf_text(&line));
	buf_puts(&out, "\ncommand ");
	record_command(&out, rec);
	buf_putc(&out, '\n');
	if (set->count > 0) {
		put_set(&out, rec, set, layer);
	} else {
		buf_puts(&out, "it changed nothing in the workspace\n");
	}
	return commands_write(&out);
}

static int
print_json(const struct record *rec, const struct change_list *list, struct err *err)
{
	auto_buf out = BUF_INIT;
	int rc = diff_json(list, rec->id, record_settled(rec), &out);

	rc = rc == 0 ? commands_write(&out) : rc;
	return rc != 0 ? err_sys(err, rc, "print the change set") : 0;
}

static int
print_set(struct reading *r, const struct request *req, const struct record *rec,
	  const struct change_list *list, struct err *err)
{
	struct diff_set set = { .reading = r, .record = rec, .list = list };
	int rc;

	if (req->json) {
		return print_json(rec, list, err);
	}
	view_init(&set.view, STDOUT_FILENO);
	rc = print_head(r, rec, &list->set, &set.view);
	if (rc != 0) {
		return err_sys(err, rc, "standard output");
	}
	if (list->set.count > 0) {
		rc = req->stat ? diff_print_stat(&set, err) : diff_print(&set, err);
	}
	if (rc == 0 && set.failures > 0) {
		return err_set(err, -ENODATA, "%s: not all of the change set could be shown",
			       rec->id);
	}
	return rc;
}

static int
print_call(struct reading *r, const struct request *req, const char *name, struct err *err)
{
	auto_record rec = RECORD_INIT;
	struct change_list list;
	int rc = record_load(r, name, &rec, err);

	if (rc != 0) {
		return rc;
	}
	rc = object_changes(r, &rec, &list, err);
	if (rc != 0) {
		err_prefix(err, "%s", rec.id);
		return rc;
	}
	rc = print_set(r, req, &rec, &list, err);
	changes_finish(&list.set);
	return rc;
}

/* ---- all of a workflow -------------------------------------------------------------------- */

/* The exit status. One that cannot be shown is said so and does not hide the others. */
static int
print_workflow(struct reading *r, const struct request *req)
{
	char id[UUID_TEXT_SIZE];
	const struct index_query query = { .workflow = reading_workflow(r, req->workflow, id),
					   .settled = "held" };
	struct call_ids ids = { .items = NULL };
	struct err err = ERR_INIT;
	int rc = reading_list(r, &query, &ids, &err), status = 0;

	if (rc != 0) {
		status = commands_fail(1, &err);
	}
	for (size_t i = 0; rc != -EIO && i < ids.count; i++) {
		if (i > 0 && !req->json) {
			putchar('\n');
		}
		err = (struct err)ERR_INIT;
		rc = print_call(r, req, ids.items[i], &err);
		if (rc != 0) {
			fflush(stdout);
			status = commands_fail(1, &err);
		}
	}
	if (status == 0 && ids.count == 0 && !req->json) {
		fputs("airlock: nothing of that workflow is held\n", stderr);
	}
	free(ids.items);
	return status;
}

int
cmd_diff(int argc, char **argv)
{
	struct request req = { .call = NULL };
	auto_reading r = READING_INIT;
	struct err err = ERR_INIT;
	int rc = parse(argc, argv, &req);

	if (rc >= 0) {
		return rc;
	}
	rc = reading_open(&r, &err);
	if (rc == 0 && req.workflow != NULL) {
		return print_workflow(&r, &req);
	}
	rc = rc != 0 ? rc : print_call(&r, &req, req.call, &err);
	if (rc != 0) {
		fflush(stdout);
		return commands_fail(1, &err);
	}
	return 0;
}
