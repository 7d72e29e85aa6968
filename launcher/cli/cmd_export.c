/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock export`: what was captured of a call, as files in a new or empty directory, with a
 * MANIFEST that `sha256sum -c` takes; or its tree as mtree(5), or a signed
 * statement; or all of a workflow. Runs in airlock-cli as the caller.
 * Names, modes and link targets are the tool's and the workspace's: everything is made by
 * descriptor, below the directory, never through a link.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../log/log_key.h"
#include "../snapshot/snapshot.h"
#include "commands.h"
#include "view_case.h"
#include "view_dsse.h"
#include "view_evidence.h"
#include "view_export.h"
#include "view_record.h"
#include "view_tree.h"

struct request {
	const char *to;	      /* a directory; NULL: to stdout */
	const char *workflow; /* NULL: a call */
	bool mtree, after, dsse;
};

static int
refuse(const char *why)
{
	fprintf(stderr, "airlock: export: %s\n", why);
	return EXIT_AIRLOCK;
}

/* One form at a time. -1 to go on, else the exit status. */
static int
check(const struct request *req)
{
	if (req->workflow != NULL && (req->mtree || req->dsse || req->to == NULL)) {
		return refuse("--workflow takes --to DIR and nothing else");
	}
	if ((req->mtree || req->dsse) && req->to != NULL) {
		return refuse("--mtree and --dsse write to standard output, they take no --to");
	}
	if (req->mtree && req->dsse) {
		return refuse("--mtree or --dsse, not both");
	}
	if (req->after && !req->mtree) {
		return refuse("--after belongs to --mtree");
	}
	return req->mtree || req->dsse || req->to != NULL
		     ? -1
		     : refuse("--to DIR is missing, or --mtree, or --dsse");
}

/* -1 to go on, else the exit status. */
static int
parse(struct command_line *cl, struct request *ret)
{
	const char *name, *argument;
	int rc;

	while ((rc = command_line_next(cl, &name, &argument)) > 0) {
		if (strcmp(name, "to") == 0) {
			ret->to = argument;
		} else if (strcmp(name, "mtree") == 0) {
			ret->mtree = true;
		} else if (strcmp(name, "dsse") == 0) {
			ret->dsse = true;
		} else if (strcmp(name, "workflow") == 0) {
			ret->workflow = argument;
		} else {
			ret->after = true;
		}
	}
	rc = command_line_end(cl, rc, ret->workflow == NULL, ret->workflow == NULL);
	return rc >= 0 ? rc : check(ret);
}

static int
export_records(struct export *x, const struct record *rec, struct err *err)
{
	int rc = export_bytes(x, x->root_fd, "record-planned.json", "record-planned.json", 0600,
			      &rec->planned_text, err);

	if (rc == 0 && rec->outcome != NULL) {
		rc = export_bytes(x, x->root_fd, "record-outcome.json", "record-outcome.json", 0600,
				  &rec->outcome_text, err);
	}
	return rc;
}

static int
export_streams(struct export *x, struct reading *r, const struct record *rec, struct err *err)
{
	static const char *const streams[] = { "stdin", "stdout", "stderr" };
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(streams) && rc == 0 && rec->outcome != NULL; i++) {
		const json_t *stream = json_object_get(rec->outcome, streams[i]);
		auto_buf content = BUF_INIT;

		rc = object_stream(r, rec, streams[i], &content, err);
		if (rc == -ENODATA) {
			bool kept = record_number(stream, "kept") > 0;

			export_note(x, kept ? "kept, and lost since" : "not captured", streams[i],
				    record_text(stream, "digest"));
			x->lost += kept ? 1 : 0;
			rc = 0;
			continue;
		}
		if (rc == 0 && content.len < record_number(stream, "bytes")) {
			export_note(x, "only the start was captured", streams[i],
				    record_text(stream, "digest"));
		}
		if (rc == 0) {
			rc = export_bytes(x, x->root_fd, streams[i], streams[i], 0600, &content,
					  err);
		}
	}
	return rc;
}

/* Everything of one call into a directory; *ret_lost: what was kept and is not there any more. */
static int
export_call(struct reading *r, const struct record *rec, const char *to, uint64_t *ret_lost,
	    struct err *err)
{
	auto_export x = EXPORT_INIT;
	int rc = export_open(&x, to, err);

	rc = rc == 0 ? export_records(&x, rec, err) : rc;
	rc = rc == 0 ? export_streams(&x, r, rec, err) : rc;
	rc = rc == 0 ? export_trees(&x, r, rec, err) : rc;
	rc = rc == 0 ? export_close(&x, err) : rc;
	if (rc == 0) {
		fprintf(stderr,
			"airlock: %llu files of call %s are in %s; MANIFEST lists them, and %llu "
			"notes\n",
			x.files, rec->id, to, x.notes);
		*ret_lost = x.lost;
	}
	return rc;
}

static int
print(const struct record *rec, const struct buf *text, struct err *err)
{
	int rc = commands_write(text);

	return rc == 0 ? 0 : err_sys(err, rc, "export %s", rec->id);
}

static int
print_mtree(struct reading *r, const struct record *rec, enum tree_side side, struct err *err)
{
	auto_tree_list list = TREE_LIST_INIT;
	auto_buf page = BUF_INIT;
	int rc = tree_list_read(r, rec, side, &list, err);

	if (rc != 0) {
		return rc;
	}
	tree_print_mtree(&list, &page);
	return print(rec, &page, err);
}

/* The log's key, which signs nothing that the log does not hold: both records are in it first. */
static int
load_signer(struct note_signer *ret, struct err *err)
{
	auto_signing s = SIGNING_INIT;
	int rc = signing_open(&s, err);

	return rc != 0 ? rc
		       : log_key_load(&s.store, getenv("CREDENTIALS_DIRECTORY"), ret, NULL, err);
}

static int
print_dsse(struct reading *r, struct record *rec, struct err *err)
{
	auto_note_signer signer = { .key.algorithm = 0 };
	struct change_list list = { .set = { .items = NULL } };
	auto_buf statement = BUF_INIT, envelope = BUF_INIT;
	int rc;

	if (rec->outcome == NULL) {
		return err_set(err, -ENODATA,
			       "%s: the call has no outcome, so there is nothing to state",
			       rec->id);
	}
	rc = load_signer(&signer, err);
	rc = rc == 0 ? record_leaves(r, rec, err) : rc;
	rc = rc == 0 ? object_changes(r, rec, &list, err) : rc;
	if (rc != 0) {
		return rc;
	}
	rc = dsse_statement(rec, &list.set, signer.key.name, &statement);
	changes_finish(&list.set);
	rc = rc == 0 ? dsse_envelope(&statement, &signer, &envelope, err) : rc;
	if (rc != 0) {
		return err->code != 0 ? rc : err_sys(err, rc, "export %s", rec->id);
	}
	return print(rec, &envelope, err);
}

static int
export_one(struct reading *r, struct record *rec, const struct request *req, uint64_t *ret_lost,
	   struct err *err)
{
	if (req->mtree) {
		return print_mtree(r, rec, req->after ? TREE_OUT : TREE_IN, err);
	}
	return req->dsse ? print_dsse(r, rec, err) : export_call(r, rec, req->to, ret_lost, err);
}

int
cmd_export(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	struct request req = { .to = NULL };
	auto_reading r = READING_INIT;
	auto_record rec = RECORD_INIT;
	auto_buf gone = BUF_INIT;
	struct err err = ERR_INIT;
	uint64_t lost = 0;
	int rc = parse(&cl, &req);

	if (rc >= 0) {
		return rc;
	}
	rc = reading_open(&r, &err);
	if (rc == 0 && req.workflow != NULL) {
		rc = case_export(&r, req.workflow, req.to, &err);
		return rc == 0 ? 0 : commands_fail(1, &err);
	}
	rc = rc == 0 ? record_load(&r, cl.operand[0], &rec, &err) : rc;
	if (rc == 0) {
		rc = export_one(&r, &rec, &req, &lost, &err);
	}
	if (rc != 0) {
		return commands_fail(1, &err);
	}
	if (lost > 0) {
		object_put_collected(&r, &rec, &gone);
		fprintf(stderr,
			"airlock: %llu that the record says were kept are not in the store%s\n",
			(unsigned long long)lost, buf_text(&gone));
		return 1;
	}
	return 0;
}
