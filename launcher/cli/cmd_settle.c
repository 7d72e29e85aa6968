/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock apply`, `discard` and `undo`: what a person decides about change sets. Runs in
 * airlock-cli as the caller.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "settle_apply.h"

struct options {
	const char *digest, *workflow, *to;
};

struct action {
	const char *done;    /* "applied" */
	const char *settled; /* what a call must be for it */
	bool newest_first;
	bool draft_only; /* of a workflow; what was set aside has to be named */
	int (*run)(const char *name, const struct options *o, struct settled *ret, struct err *err);
};

static int
run_apply(const char *name, const struct options *o, struct settled *ret, struct err *err)
{
	return settle_apply(name, o->digest, ret, err);
}

static int
run_discard(const char *name, const struct options *o, struct settled *ret, struct err *err)
{
	(void)o;
	return settle_discard(name, ret, err);
}

static int
run_undo(const char *name, const struct options *o, struct settled *ret, struct err *err)
{
	(void)o;
	return settle_undo(name, ret, err);
}

static const struct action apply = { "applied", "held", false, true, run_apply };
static const struct action discard = { "discarded", "held", true, false, run_discard };
static const struct action undo = { "undone", "committed", true, false, run_undo };

/* ---- one call ----------------------------------------------------------------------------------
 */

static int
settle_one(const struct action *a, const char *name, const struct options *o)
{
	struct err err = ERR_INIT;
	struct settled done = { .changes = 0 };
	int rc = a->run(name, o, &done, &err);

	if (rc < 0) {
		return commands_fail(1, &err);
	}
	if (done.changes == 0) {
		printf("%s what call %.13s left\n", a->done, done.call);
	} else {
		printf("%s %llu change%s of call %.13s\n", a->done,
		       (unsigned long long)done.changes, done.changes == 1 ? "" : "s", done.call);
	}
	return 0;
}

/* ---- a workflow --------------------------------------------------------------------------------
 */

static int
list_calls(struct reading *r, const struct action *a, const struct options *o, struct call_ids *ret,
	   struct err *err)
{
	char id[UUID_TEXT_SIZE];
	const struct index_query query = { .workflow = reading_workflow(r, o->workflow, id),
					   .settled = a->settled,
					   /* as their layers lie on each other */
					   .by_seq = true };
	int rc = reading_list(r, &query, ret, err);

	if (rc == 0 && ret->several) {
		return err_set(err, -ENOTUNIQ,
			       "--workflow %s: several workflows are called so: name one by its id "
			       "(airlock pending)",
			       o->workflow);
	}
	return rc;
}

/* What was set aside is not part of the draft. */
static int
keep_draft(struct reading *r, struct call_ids *ids, struct err *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < ids->count; i++) {
		auto_record rec = RECORD_INIT;
		int rc = record_load(r, ids->items[i], &rec, err);

		if (rc < 0) {
			return rc;
		}
		if (strcmp(record_text(rec.outcome, "held_as"), layer_place_words[LAYER_DRAFT]) ==
		    0) {
			memmove(ids->items[kept++], ids->items[i], sizeof(ids->items[0]));
		}
	}
	ids->count = kept;
	return 0;
}

/* Nothing is settled before it is known where to end. */
static int
cut_behind(struct reading *r, const char *to, struct call_ids *ids, struct err *err)
{
	char id[UUID_TEXT_SIZE];
	int rc = index_find(r->ix, to, id, err);

	for (size_t i = 0; rc == 0 && i < ids->count; i++) {
		if (strcmp(ids->items[i], id) == 0) {
			ids->count = i + 1;
			return 0;
		}
	}
	return rc < 0 ? rc
		      : err_set(err, -ENOENT, "--to %.13s: it is not part of the draft of %s", id,
				ids->workflow);
}

static int
settle_listed(const struct action *a, const struct options *o, const struct call_ids *ids)
{
	for (size_t i = 0; i < ids->count; i++) {
		const char *id = ids->items[a->newest_first ? ids->count - 1 - i : i];

		if (settle_one(a, id, o) != 0) {
			return 1;
		}
	}
	if (ids->count == 0) {
		printf("nothing to be %s\n", a->done);
	}
	return 0;
}

static int
settle_workflow(const struct action *a, const struct options *o)
{
	auto_reading r = READING_INIT;
	struct call_ids ids = { .items = NULL };
	struct err err = ERR_INIT;
	int rc = reading_open(&r, &err), status;

	rc = rc < 0 ? rc : list_calls(&r, a, o, &ids, &err);
	rc = rc == 0 && a->draft_only ? keep_draft(&r, &ids, &err) : rc;
	rc = rc == 0 && o->to != NULL ? cut_behind(&r, o->to, &ids, &err) : rc;
	status = rc < 0 ? commands_fail(1, &err) : settle_listed(a, o, &ids);
	free(ids.items);
	return status;
}

static int
settle(int argc, char **argv, const struct action *a)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	const char *name, *argument;
	struct options o = { .digest = NULL };
	int rc;

	while ((rc = command_line_next(&cl, &name, &argument)) > 0) {
		if (strcmp(name, "digest") == 0) {
			o.digest = argument;
		} else if (strcmp(name, "workflow") == 0) {
			o.workflow = argument;
		} else {
			o.to = argument;
		}
	}
	rc = command_line_end(&cl, rc, o.workflow == NULL, o.workflow == NULL);
	if (rc >= 0) {
		return rc;
	}
	if (o.workflow != NULL && o.digest != NULL) {
		fprintf(stderr, "airlock: --digest is of one change set: name its call\n");
		return EXIT_AIRLOCK;
	}
	if (o.workflow == NULL && o.to != NULL) {
		fprintf(stderr, "airlock: --to goes with --workflow\n");
		return EXIT_AIRLOCK;
	}
	return o.workflow != NULL ? settle_workflow(a, &o) : settle_one(a, cl.operand[0], &o);
}

int
cmd_apply(int argc, char **argv)
{
	return settle(argc, argv, &apply);
}

int
cmd_discard(int argc, char **argv)
{
	return settle(argc, argv, &discard);
}

int
cmd_undo(int argc, char **argv)
{
	return settle(argc, argv, &undo);
}
