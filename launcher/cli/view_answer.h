/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a retry with the key of a call gets, once no front runs that call any more.
 * airlock-cli only, as the caller. Pure.
 */
#ifndef AIRLOCK_CLI_VIEW_ANSWER_H
#define AIRLOCK_CLI_VIEW_ANSWER_H

#include "view_record.h"

enum key_answer {
#define KEY_ANSWER(id, word, meaning) KEY_##id,
#include "../workflow/key_answers.def"
#undef KEY_ANSWER
	KEY_ANSWER__COUNT
};

extern const char *const key_answer_words[KEY_ANSWER__COUNT];

/*
 * verdict: "unknown" where there is no outcome. answer: of the last resolve entry, or "". retry:
 * "safe" or "ask"; a record that says neither asks.
 */
enum key_answer key_answer(const char *verdict, const char *answer, const char *retry);
enum key_answer key_answer_of(const struct record *rec);

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
