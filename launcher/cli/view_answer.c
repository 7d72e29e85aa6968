/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in airlock-cli as the caller. Pure. */
#include "view_answer.h"

#include <string.h>

#include "../base/cleanup.h"

const char *const key_answer_words[KEY_ANSWER__COUNT] = {
#define KEY_ANSWER(id, word, meaning) [KEY_##id] = (word),
#include "../workflow/key_answers.def"
#undef KEY_ANSWER
};

enum key_answer
key_answer(const char *verdict, const char *answer, const char *retry)
{
	static const struct {
		const char *resolved;
		enum key_answer answer;
	} resolved[] = {
		{ "done", KEY_DONE },
		{ "not-done", KEY_NOT_DONE },
		{ "rerun", KEY_AGAIN },
	};

	if (strcmp(verdict, "denied") == 0 || strcmp(verdict, "launch_failed") == 0) {
		return KEY_FREE;
	}
	if (strcmp(verdict, "unknown") != 0) {
		return KEY_REPLAY;
	}
	for (size_t i = 0; i < ARRAY_LEN(resolved); i++) {
		if (strcmp(resolved[i].resolved, answer) == 0) {
			return resolved[i].answer;
		}
	}
	return strcmp(retry, "safe") == 0 ? KEY_AGAIN : KEY_UNKNOWN;
}
