/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The check of a workflow: a call in `observe` whose verdict says whether the task is done, run by
 * `airlock run`. airlock-cli only, as the caller. Not to be included beside base/json.h.
 */
#ifndef AIRLOCK_CLI_CMD_WORKFLOW_CHECK_H
#define AIRLOCK_CLI_CMD_WORKFLOW_CHECK_H

#include "../base/arena.h"
#include "view_record.h"

struct check_request {
	const char *profile;   /* by name or path */
	const char *workflow;  /* NULL: `local` */
	const char *over;      /* a call whose held change set it runs over; NULL: none */
	const char *workspace; /* NULL: the front's default */
	const char *directory; /* where it starts; NULL: the front's default */
	const char *const *argv;
	size_t argc;
	bool quiet; /* the tool's stdout is nobody's */
};

/* Runs it; ret_call is the call's id. -ECHILD where there was none: the front has said why. */
int check_run(const struct check_request *req, char ret_call[UUID_TEXT_SIZE], struct err *err)
	must_check;

/*
 * The digest of what it ran over, draft and all: of the lines that `airlock export CALL --mtree`
 * prints, so that anybody can make it again. ret "" when not all of it was recorded.
 */
int check_tree(struct reading *r, const struct record *rec, char ret[HEX_DIGEST_SIZE],
	       struct err *err) must_check;
/*
 * Whether what it ran over is still there: the layers of the draft, and a workspace where nothing
 * was committed since, nor taken back. Under the workspace's lock and the workflow's ledger, with a
 * reading of after both. -EBUSY; err says what is another.
 */
int check_is_current(struct reading *r, int workflow_fd, const struct record *rec, struct err *err)
	must_check;
/* "ok"; or how it ended in words: "failed with exit 3". */
void check_put_verdict(struct buf *b, const struct record *rec);
/* The `check` of a finish entry; tree as above. */
int check_print(const struct record *rec, const char *tree, struct buf *out) must_check;
/*
 * What a record says was run, over what of its draft is still held: strings live in the arena.
 * -EBADMSG.
 */
int check_request_of(struct reading *r, const struct record *rec, struct arena *arena,
		     struct check_request *ret, struct err *err) must_check;
#endif
