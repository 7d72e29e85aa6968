/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a retry with the key of a call gets, once no front runs that call any more.
 * airlock-cli only, as the caller. Pure.
 */
#ifndef AIRLOCK_CLI_VIEW_ANSWER_H
#define AIRLOCK_CLI_VIEW_ANSWER_H

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

#endif
