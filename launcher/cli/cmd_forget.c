/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock forget --workflow W`: all that is kept of a workflow goes, its records too. What stays
 * is that there were so many calls, and the leaf of each entry. Runs in airlock-cli as the caller.
 *
 * Order, and what a crash leaves: the gc entry, durable; its name, which another may have from then
 * on; the records, file by file of the journal (index_forget); the objects. From the entry on the
 * workflow is to go: whatever is left of it, the same command takes it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../store/quota.h"
#include "collect.h"
#include "commands.h"
#include "view_format.h"

#define REASON_MAX 4096u

struct request {
	const char *workflow, *reason;
};

/* -1 to go on, else the exit status. */
static int
parse(int argc, char **argv, struct request *ret)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	const char *name, *argument;
	int rc;

	while ((rc = command_line_next(&cl, &name, &argument)) > 0) {
		*(strcmp(name, "workflow") == 0 ? &ret->workflow : &ret->reason) = argument;
	}
	rc = command_line_end(&cl, rc, 0, 0);
	if (rc >= 0) {
		return rc;
	}
	if (ret->workflow == NULL || ret->workflow[0] == '\0') {
		fprintf(stderr, "airlock: forget: --workflow W is missing\n");
		return EXIT_AIRLOCK;
	}
	if (ret->reason != NULL && strlen(ret->reason) > REASON_MAX) {
		fprintf(stderr, "airlock: forget: --reason has at most %u bytes\n", REASON_MAX);
		return EXIT_AIRLOCK;
	}
	return -1;
}

static void
print_done(const char *workflow, const struct collect_entry *e)
{
	auto_buf line = BUF_INIT;

	if (e->entries + e->objects + e->bytes == 0) {
		printf("nothing is left of workflow %s\n", workflow);
		return;
	}
	buf_printf(&line, "forgot workflow %s: ", workflow);
	view_count(&line, e->entries, "record", "records");
	buf_puts(&line, ", ");
	view_count(&line, e->objects, "object", "objects");
	buf_puts(&line, ", ");
	view_size(&line, e->bytes);
	printf("%s\n", buf_text(&line));
}

/* Under the workflow's locks: nobody adds to it or settles anything of it meanwhile. */
static int
forget_locked(struct reading *r, struct store *s, const struct collect *c,
	      const struct request *req, struct err *err)
{
	struct collect_calls calls = { .items = NULL };
	struct collect_entry entry = { .action = "forget",
				       .workflow = c->workflow,
				       .reason = req->reason };
	int rc = reading_refresh(r, err);

	rc = rc < 0 ? rc : collect_calls_list(r, c->workflow, &calls, err);
	rc = rc < 0 ? rc : collect_check_held(c, &calls, err);
	collect_calls_finish(&calls);
	rc = rc < 0 ? rc : index_forgettable(r->ix, c->workflow, &entry.entries, err);
	if (rc < 0) {
		return rc;
	}
	collect_measure(c, &entry.objects, &entry.bytes);
	if (entry.entries + entry.objects + entry.bytes > 0) {
		index_close(r->ix); /* the file goes */
		r->ix = NULL;
		rc = collect_log(s, &entry, err);
		rc = rc < 0 ? rc : collect_drop_name(c, err);
		rc = rc < 0 ? rc : index_forget(s, c->workflow, err);
		rc = rc < 0 ? rc : collect_remove(c, err);
	}
	if (rc == 0) {
		print_done(c->workflow, &entry);
	}
	return rc;
}

static int
forget(const struct request *req, struct err *err)
{
	auto_reading r = READING_INIT;
	auto_store s = STORE_INIT;
	auto_collect c = COLLECT_INIT;
	char id[UUID_TEXT_SIZE];
	int rc = reading_open(&r, err);

	if (rc == 0 && reading_workflow(&r, req->workflow, id) != id) {
		rc = index_workflow(r.ix, req->workflow, id, err);
	}
	rc = rc < 0 ? rc : store_open_write(r.store.path, &s, err);
	rc = rc < 0 ? rc : collect_lock(&s, id, COLLECT_ALL, &c, err);
	rc = rc < 0 ? rc : forget_locked(&r, &s, &c, req, err);
	rc = rc < 0 ? rc : collect_sign(err);
	return rc < 0 ? rc : quota_update(&s, err);
}

int
cmd_forget(int argc, char **argv)
{
	struct request req = { .workflow = NULL };
	struct err err = ERR_INIT;
	int rc = parse(argc, argv, &req);

	if (rc >= 0) {
		return rc;
	}
	return forget(&req, &err) < 0 ? commands_fail(1, &err) : 0;
}
