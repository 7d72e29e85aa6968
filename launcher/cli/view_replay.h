/* SPDX-License-Identifier: Apache-2.0 */
/* What is answered in the place of a retry, from the record. airlock-cli only, as the caller. */
#ifndef AIRLOCK_CLI_VIEW_REPLAY_H
#define AIRLOCK_CLI_VIEW_REPLAY_H

#include "../workflow/keys.h"
#include "view_answer.h"
#include "view_record.h"

enum key_answer key_answer_of(const struct record *rec);

/*
 * 1 where a later attempt has the call's key: no retry asks about this one any more. 0 where it
 * has its key, or never had one. workflow_fd: of its workflow.
 */
int key_is_taken(int workflow_fd, const struct record *rec, struct key_entry *ret) must_check;

/* Why a call that a person resolved as not done is not tried again: one sentence, as it is. */
void key_answer_put_not_done(struct buf *b, const struct record *rec);

/* What is said of a replay besides the record. Borrowed. */
struct replay_said {
	enum key_answer answer; /* REPLAY, DONE or NOT_DONE */
	const char *refused;	/* why nothing is answered; else NULL */
	bool lost[2];		/* of stdout and stderr: not all that passed is given again */
};

/*
 * Appends the result JSON that `airlock run` would have written, from the record, and a newline.
 * refused: there is no call, and the reason says why.
 */
int
replay_result(const struct record *rec, const struct replay_said *said, struct buf *out) must_check;

#endif
