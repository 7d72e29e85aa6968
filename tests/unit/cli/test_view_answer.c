/* SPDX-License-Identifier: Apache-2.0 */
/* view_answer.c: what a key gets. Run by `make unit`. */
#include "../../../launcher/cli/view_answer.h"

#include <criterion/criterion.h>

#include "../../../launcher/base/cleanup.h"

Test(view_answer, every_end_of_a_call_has_its_answer)
{
	static const struct {
		const char *verdict, *answer, *retry, *expected;
	} rows[] = {
		{ "ok", "", "ask", "replay" },
		{ "failed", "", "safe", "replay" },
		{ "timeout", "", "ask", "replay" },
		{ "interrupted", "", "safe", "replay" },
		{ "denied", "", "ask", "free" },
		{ "launch_failed", "", "safe", "free" },
		{ "unknown", "", "safe", "again" },
		{ "unknown", "", "ask", "unknown" },
		{ "unknown", "", "", "unknown" },
		{ "unknown", "rerun", "ask", "again" },
		{ "unknown", "done", "ask", "done" },
		{ "unknown", "not-done", "ask", "not-done" },
		/* a person's word counts more than the profile's */
		{ "unknown", "done", "safe", "done" },
		{ "unknown", "not-done", "safe", "not-done" },
		/* an outcome that recovery finished counts more than a person's word */
		{ "ok", "not-done", "ask", "replay" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum key_answer a = key_answer(rows[i].verdict, rows[i].answer, rows[i].retry);

		cr_expect_str_eq(key_answer_words[a], rows[i].expected, "row %zu", i);
	}
}
