/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock workflow finish` and `verify`: the end of a task is a state that somebody can check. Run
 * in airlock-cli as the caller; a check is a call as any other, whose record is the evidence.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/clock.h"
#include "cmd_workflow_check.h"
#include "cmd_workflow_story.h"
#include "commands.h"
#include "settle_call.h"

struct request {
	const char *workflow, *profile, *workspace, *reason;
	char **command;
	size_t count;
	bool json;
};

/* ---- finish --------------------------------------------------------------------------------- */

/* -1 to go on, else the exit status. */
static int
parse_finish(int argc, char **argv, struct request *ret)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	const char *name, *argument;
	struct err err = ERR_INIT;
	int rc;

	while ((rc = command_line_next(&cl, &name, &argument)) > 0) {
		if (strcmp(name, "check") == 0) {
			ret->profile = argument;
		} else if (strcmp(name, "workspace") == 0) {
			ret->workspace = argument;
		} else if (workflow_words_reason(argument, &ret->reason, &err) < 0) {
			return commands_fail(EXIT_AIRLOCK, &err);
		}
	}
	rc = command_line_end(&cl, rc, 1, SIZE_MAX);
	if (rc >= 0) {
		return rc;
	}
	ret->workflow = cl.operand[0];
	ret->command = cl.operand + 1;
	ret->count = cl.operands - 1;
	if ((ret->count > 0) != (ret->profile != NULL)) {
		fputs("airlock: workflow finish: a check is a profile and a command: --check "
		      "PROFILE -- COMMAND\n",
		      stderr);
		return EXIT_AIRLOCK;
	}
	return -1;
}

struct newest {
	char call[UUID_TEXT_SIZE];
	struct buf workspace; /* raw bytes */
};

static int
take_newest(void *arg, const struct index_call *call)
{
	struct newest *n = arg;

	snprintf(n->call, sizeof(n->call), "%s", call->id);
	buf_reset(&n->workspace);
	return text_unvis(call->workspace, &n->workspace);
}

/* The workflow's newest call; call "" where it had none. The caller has the workspace finished. */
static int
find_newest(struct reading *r, const struct workflow_at *at, struct newest *ret, struct err *err)
{
	int rc = index_workflow_calls(r->ix, at->id, take_newest, ret, err);

	return rc == 0 || err->code != 0 ? rc : err_sys(err, rc, "read the workflow's calls");
}

/* What ran behind the check, or was settled. Under the ledger, so it waits for nobody. */
static int
check_unchanged(struct workflow_at *at, const struct record *check, struct err *err)
{
	auto_reading r = READING_INIT;
	struct newest newest = { .workspace = BUF_INIT };
	int rc = reading_open_raw(&r, err);

	rc = rc < 0 ? rc : find_newest(&r, at, &newest, err);
	buf_finish(&newest.workspace);
	if (rc == 0 && strcmp(newest.call, check->id) != 0) {
		return err_set(err, -EBUSY,
			       "call %.13s ran behind the check: check workflow %s again",
			       newest.call, at->d.name);
	}
	return rc < 0 ? rc : check_is_current(&r, at->dir_fd, check, err);
}

/* check NULL: nothing was looked at that could be another by now. */
static int
check_quiet(struct workflow_at *at, const struct ledger *l, const struct record *check,
	    struct err *err)
{
	if (l->reserved[BUDGET_CALLS] > 0) {
		return err_set(err, -EBUSY,
			       "%llu call%s of workflow %s still run%s: finish it when they have "
			       "ended",
			       (unsigned long long)l->reserved[BUDGET_CALLS],
			       l->reserved[BUDGET_CALLS] == 1 ? "" : "s", at->d.name,
			       l->reserved[BUDGET_CALLS] == 1 ? "s" : "");
	}
	return check != NULL ? check_unchanged(at, check, err) : 0;
}

/* check NULL: by word. */
static int
close_workflow(struct workflow_at *at, const struct request *req, const struct record *check,
	       const char *tree, struct err *err)
{
	auto_ledger f = LEDGER_FILE_INIT;
	auto_buf text = BUF_INIT;
	int rc = workflow_at_ledger(at, &f, err);

	rc = rc < 0 ? rc : workflow_check_move(at, &f.l, WORKFLOW_FINISHED, "finished", err);
	rc = rc < 0 ? rc : check_quiet(at, &f.l, check, err);
	if (rc == 0 && check != NULL) {
		rc = check_print(check, tree, &text);
		rc = rc < 0 ? err_sys(err, rc, "write what the check saw") : 0;
	}
	rc = rc < 0 ? rc : ledger_distrust(&f, err);
	rc = rc < 0 ? rc
		    : workflow_at_note(at, "finish", NULL, req->reason,
				       check != NULL ? buf_text(&text) : NULL, err);
	if (rc == 0) {
		ledger_move(&f.l, WORKFLOW_FINISHED, clock_realtime_ms(), req->reason);
		rc = ledger_write(&f, err);
	}
	return rc;
}

/* Spares a check whose answer would not count. */
static int
may_finish(struct workflow_at *at, struct err *err)
{
	auto_ledger f = LEDGER_FILE_INIT;
	int rc = workflow_at_ledger(at, &f, err);

	return rc < 0 ? rc : workflow_check_move(at, &f.l, WORKFLOW_FINISHED, "finished", err);
}

static int
run_check(struct workflow_at *at, const struct request *req, char ret_call[UUID_TEXT_SIZE],
	  struct err *err)
{
	struct newest newest = { .workspace = BUF_INIT };
	struct check_request check = {
		.profile = req->profile,
		.workflow = at->d.name,
		.workspace = req->workspace,
		.argv = (const char *const *)req->command,
		.argc = req->count,
	};
	int rc = may_finish(at, err);

	if (rc == 0 && check.workspace == NULL) {
		auto_reading r = READING_INIT;

		rc = reading_open(&r, err);
		rc = rc < 0 ? rc : find_newest(&r, at, &newest, err);
		check.workspace = text_or_null(buf_text(&newest.workspace));
	}
	rc = rc < 0 ? rc : check_run(&check, ret_call, err);
	buf_finish(&newest.workspace);
	return rc;
}

/* The lock first: who settles has it, and waits for the ledger with it. */
static int
close_checked(struct workflow_at *at, const struct request *req, const struct record *check,
	      const char *tree, struct err *err)
{
	struct workspace_lock lock = WORKSPACE_LOCK_INIT;
	auto_free char *path = NULL;
	auto_fd workspace = settling_open_workspace(check, &path, err);
	int rc = workspace;

	if (rc >= 0) {
		lock.workspace_fd = workspace;
		lock.state_fd = at->store.dir_fd;
		rc = workspace_lock_shared(&lock, WORKSPACE_LOCK_RUN_MS, err);
	}
	rc = rc < 0 ? rc : close_workflow(at, req, check, tree, err);
	workspace_lock_release(&lock);
	return rc;
}

static int
finish_by_check(struct workflow_at *at, const struct request *req, struct err *err)
{
	auto_reading r = READING_INIT;
	auto_record rec = RECORD_INIT;
	auto_buf verdict = BUF_INIT;
	char call[UUID_TEXT_SIZE], tree[HEX_DIGEST_SIZE] = "";
	int rc = run_check(at, req, call, err);

	rc = rc < 0 ? rc : reading_open(&r, err);
	rc = rc < 0 ? rc : record_load(&r, call, &rec, err);
	if (rc < 0) {
		return rc;
	}
	if (strcmp(record_verdict(&rec), "ok") != 0) {
		check_put_verdict(&verdict, &rec);
		return err_set(err, -ECANCELED,
			       "the check does not hold: call %.13s: %s; workflow %s is not "
			       "finished",
			       call, buf_text(&verdict), at->d.name);
	}
	rc = check_tree(&r, &rec, tree, err);
	rc = rc < 0 ? rc : close_checked(at, req, &rec, tree, err);
	if (rc == 0) {
		printf("workflow %s is finished: call %.13s checked it over the tree %s\n",
		       at->d.name, call, tree[0] != '\0' ? tree : "(not all of it is recorded)");
	}
	return rc;
}

int
cmd_workflow_finish(int argc, char **argv)
{
	struct request req = { .workflow = NULL };
	auto_workflow_at at = WORKFLOW_AT_INIT;
	struct err err = ERR_INIT;
	int rc = parse_finish(argc, argv, &req);

	if (rc >= 0) {
		return rc;
	}
	rc = workflow_at_open(req.workflow, &at, &err);
	if (rc == 0 && req.profile != NULL) {
		rc = finish_by_check(&at, &req, &err);
	} else if (rc == 0) {
		rc = close_workflow(&at, &req, NULL, "", &err);
		if (rc == 0) {
			printf("workflow %s is finished, by word: no check was run\n", at.d.name);
		}
	}
	return rc < 0 ? commands_fail(1, &err) : 0;
}

/* ---- verify --------------------------------------------------------------------------------- */

struct verified {
	struct record then, now;
	char tree_then[HEX_DIGEST_SIZE], tree[HEX_DIGEST_SIZE]; /* "": nobody can say */
};

static void
verified_finish(struct verified *v)
{
	record_finish(&v->then);
	record_finish(&v->now);
}

/* The call that a finish entry names; -ENODATA where there is none. */
static int
find_check(struct reading *r, const char *name, struct verified *ret, struct err *err)
{
	auto_story story = STORY_INIT;
	char id[UUID_TEXT_SIZE];
	int rc = workflow_lookup(r, name, id, err);

	rc = rc == 0 ? story_read(r, id, &story, err) : rc;
	if (rc != 0) {
		return rc;
	}
	if (story.finish == NULL || story.finish->check_call[0] == '\0') {
		return err_set(err, -ENODATA, "workflow %s %s: there is nothing to check again",
			       name,
			       story.finish == NULL ? "is not finished"
						    : "was finished by word, without a check");
	}
	snprintf(ret->tree_then, sizeof(ret->tree_then), "%s", story.finish->check_tree);
	return record_load(r, story.finish->check_call, &ret->then, err);
}

/* As much of a digest as a person compares. */
static void
put_tree(struct buf *b, const char *tree)
{
	buf_printf(b, "%.12s", tree[0] != '\0' ? tree : "unknown");
}

static int
print_verified(const struct request *req, const struct verified *v, struct err *err)
{
	bool holds = strcmp(record_verdict(&v->now), "ok") == 0;
	bool is_known = v->tree[0] != '\0' && v->tree_then[0] != '\0';
	bool is_same = is_known && strcmp(v->tree, v->tree_then) == 0;
	auto_buf out = BUF_INIT, verdict = BUF_INIT;
	int rc = 0;

	if (req->json) {
		rc = record_put_json(
			json_pack("{s:s, s:s, s:b, s:o, s:s?, s:s?, s:s}", "again", v->now.id,
				  "call", v->then.id, "holds", holds, "same",
				  is_known ? json_boolean(is_same) : json_null(), "tree",
				  text_or_null(v->tree), "tree_then", text_or_null(v->tree_then),
				  "verdict", record_verdict(&v->now)),
			&out);
		buf_putc(&out, '\n');
	} else {
		check_put_verdict(&verdict, &v->now);
		buf_printf(&out, "the check of call %.13s %s: call %.13s: %s\n", v->then.id,
			   holds ? "still holds" : "does not hold any more", v->now.id,
			   buf_text(&verdict));
		buf_printf(&out, "its tree is %s: ",
			   is_same    ? "the same"
			   : is_known ? "another"
				      : "not known to be the same");
		put_tree(&out, v->tree_then);
		buf_puts(&out, " then, ");
		put_tree(&out, v->tree);
		buf_puts(&out, " now\n");
	}
	rc = rc < 0 ? rc : commands_write(&out);
	return rc < 0 ? err_sys(err, rc, "standard output") : holds ? 0 : 1;
}

/* The exit status; negative: it is in err. */
static int
verify(const struct request *req, struct err *err)
{
	__attribute__((cleanup(verified_finish))) struct verified v = { .then = RECORD_INIT,
									.now = RECORD_INIT };
	auto_reading r = READING_INIT, after = READING_INIT;
	struct arena arena = ARENA_INIT;
	struct check_request check = { .profile = NULL };
	char call[UUID_TEXT_SIZE];
	int rc = reading_open(&r, err);

	rc = rc != 0 ? rc : find_check(&r, req->workflow, &v, err);
	rc = rc != 0 ? rc : check_request_of(&r, &v.then, &arena, &check, err);
	check.quiet = true;
	rc = rc != 0 ? rc : check_run(&check, call, err);
	arena_finish(&arena);
	/* a reading sees the state as it was when it began */
	rc = rc != 0 ? rc : reading_open(&after, err);
	rc = rc != 0 ? rc : record_load(&after, call, &v.now, err);
	rc = rc != 0 ? rc : check_tree(&after, &v.now, v.tree, err);
	return rc != 0 ? rc : print_verified(req, &v, err);
}

int
cmd_workflow_verify(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	struct request req = { .json = false };
	struct err err = ERR_INIT;
	int rc = command_line_flag(&cl, 1, 1, &req.json);

	if (rc >= 0) {
		return rc;
	}
	req.workflow = cl.operand[0];
	rc = verify(&req, &err);
	if (rc < 0 && err.code == 0) {
		ignore_err(err_sys(&err, rc, "check a workflow again"), "it is returned below");
	}
	return rc < 0 ? commands_fail(EXIT_AIRLOCK, &err) : rc;
}
