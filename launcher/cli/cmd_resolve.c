/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock resolve`: a person says what became of a call that nobody knows the end of. Runs in
 * airlock-cli as the caller. What a retry under its key gets from then on is view_answer.c's.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../workflow/running.h"
#include "cmd_recover.h"
#include "commands.h"
#include "settle_call.h"
#include "view_replay.h"
#include "view_show.h"

static const struct {
	const char *word;
	const char *means;
	const char *promise; /* "a retry under its key K ..." */
} answers[] = {
	{ "done", "its work is done", "is answered as done, and runs nothing" },
	{ "not-done", "its work is not done",
	  "is answered as interrupted (exit 125), and runs nothing: to do it after all, take "
	  "another key" },
	{ "rerun", "it may run again", "runs, as attempt" },
};

static int
find_answer(const char *word, size_t *ret, struct err *err)
{
	auto_buf safe = BUF_INIT;

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		if (strcmp(answers[i].word, word) == 0) {
			*ret = i;
			return 0;
		}
	}
	text_safe(&safe, word, strlen(word), false);
	return err_set(err, -EINVAL, "resolve: %s is no answer; there are done, not-done, rerun",
		       buf_text(&safe));
}

/* A later attempt has the key: what is said of this one would be nobody's answer. */
static int
check_key(const struct settling *s, struct err *err)
{
	struct key_entry e;
	int rc = key_is_taken(s->workflow_fd, &s->rec, &e);

	if (rc <= 0) {
		return rc < 0 ? err_sys(err, rc, "%s: its key", s->rec.id) : 0;
	}
	return err_set(err, -EALREADY, "%s: its key is that of call %s by now", s->rec.id, e.call);
}

/* Only an unknown one, and only once: what a retry was told must stay true. */
static int
check(const struct settling *s, struct err *err)
{
	auto_buf before = BUF_INIT;
	size_t count = json_array_size(s->rec.resolves);

	if (s->rec.outcome != NULL) {
		return err_set(err, -EALREADY, "%s is not unknown: it ended, and its verdict is %s",
			       s->rec.id, record_verdict(&s->rec));
	}
	if (s->rec.is_running) {
		return err_set(err, -EBUSY, "%s still runs: airlock kill %.13s ends it", s->rec.id,
			       s->rec.id);
	}
	if (count > 0) {
		show_resolve(&before, json_array_get(s->rec.resolves, count - 1), VIEW_TIME_MINUTE);
		return err_set(err, -EALREADY, "%s was resolved as %s", s->rec.id,
			       buf_text(&before));
	}
	return check_key(s, err);
}

static int
append(struct settling *s, const char *answer, const char *reason, struct err *err)
{
	const struct resolve_entry entry = { .call = s->rec.id,
					     .answer = answer,
					     .reason = reason };
	auto_buf payload = BUF_INIT;
	struct journal_pos pos;
	int rc = resolve_entry_write(&entry, &payload, err);

	return rc < 0 ? rc : journal_append(&s->store, payload.data, payload.len, &pos, err);
}

static void
tell(const struct settling *s, size_t answer)
{
	const char *key = record_text(s->rec.planned, "key");
	const uint64_t attempt = record_number(s->rec.planned, "attempt");
	auto_buf safe = BUF_INIT;

	if (key[0] == '\0') {
		printf("call %.13s: %s; it had no key, so nobody is answered by it\n", s->rec.id,
		       answers[answer].means);
		return;
	}
	view_text(&safe, key);
	printf("call %.13s: %s; a retry under its key %s ", s->rec.id, answers[answer].means,
	       buf_text(&safe));
	fputs(answers[answer].promise, stdout);
	if (strcmp(answers[answer].word, "rerun") == 0) {
		printf(" %llu", (unsigned long long)(attempt > 0 ? attempt : 1) + 1);
	}
	putchar('\n');
}

/* Whose front died before anything was recorded of it may have the key. */
static int
recover_dead(struct err *err)
{
	auto_store store = STORE_INIT, writable = STORE_INIT;
	auto_free char *path = NULL;
	int rc = reading_path(&path, err);

	if (rc < 0 || store_open_read(path, &store, err) < 0 || !running_has_dead(&store)) {
		return rc; /* what cannot be opened is told by who reads the call */
	}
	rc = store_open_write(path, &writable, err);
	rc = rc < 0 ? rc : recover_state(&writable, true, err);
	return rc < 0 ? rc : 0;
}

static int
resolve(const char *name, size_t answer, const char *reason, struct err *err)
{
	auto_settling s = SETTLING_INIT;
	auto_ledger ledger = LEDGER_FILE_INIT;
	int rc = recover_dead(err);

	/* what the call left, if anything, is another question: apply, discard */
	rc = rc < 0 ? rc : settling_open_to_discard(name, &s, err);
	/* one that runs now may begin a commit, and die in it, while the ledger is waited for */
	rc = rc < 0 ? rc : check(&s, err);
	/* under it nobody takes the key, and who asked what a retry gets sees it or is seen */
	rc = rc < 0 ? rc : recover_ledger_open(s.workflow_fd, s.rec.workflow, &ledger, err);
	rc = rc < 0 ? rc : settling_refresh(&s, err);
	rc = rc < 0 ? rc : check(&s, err);
	rc = rc < 0 ? rc : append(&s, answers[answer].word, reason, err);
	if (rc == 0) {
		tell(&s, answer);
	}
	return rc;
}

int
cmd_resolve(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	const char *name, *argument, *reason = NULL;
	struct err err = ERR_INIT;
	size_t answer = 0;
	int rc;

	while ((rc = command_line_next(&cl, &name, &argument)) > 0) {
		reason = text_or_null(argument); /* the only option there is */
	}
	rc = command_line_end(&cl, rc, 2, 2);
	if (rc >= 0) {
		return rc;
	}
	if (find_answer(cl.operand[1], &answer, &err) < 0) {
		return commands_fail(EXIT_AIRLOCK, &err);
	}
	return resolve(cl.operand[0], answer, reason, &err) < 0 ? commands_fail(1, &err) : 0;
}
