/* SPDX-License-Identifier: Apache-2.0 */
/* view_sentence.c: how a call ended, in one sentence. Run by `make unit`. */
#include "view_fixture.h"

#include <stdlib.h>
#include <time.h>

/* clang-format off */
#define HOOK                                                                                       \
	"{\"path\":\".git/hooks/post-checkout\",\"kind\":\"create\",\"hold\":\"built-in: .git/hooks: git runs these\"}"
#define PLAIN "{\"path\":\"a\",\"kind\":\"create\",\"hold\":null}"

static const struct row {
	const char *outcome; /* NULL: none */
	const char *sentence;
	enum view_color color;
} rows[] = {
	{ NULL,
	  "unknown: no outcome is recorded, airlock was killed in it", VIEW_RED },
	{ "{\"verdict\":\"ok\",\"exit\":0,\"settled\":\"none\"}",
	  "ok, exit 0; it changed nothing in the workspace", VIEW_GREEN },
	{ "{\"verdict\":\"ok\",\"exit\":0,\"settled\":\"committed\",\"changes\":{\"created\":1}}",
	  "ok, exit 0; 1 change is in the workspace", VIEW_GREEN },
	{ "{\"verdict\":\"ok\",\"exit\":0,\"settled\":\"discarded\",\"changes\":{\"created\":1,"
	  "\"modified\":1}}",
	  "ok, exit 0; 2 changes were dropped, as the mode is observe", VIEW_GREEN },
	{ "{\"verdict\":\"ok\",\"exit\":0,\"settled\":\"held\",\"reason\":\"…\",\"changes\":"
	  "{\"created\":1,\"deleted\":223,\"held\":1,\"items\":[" PLAIN "," HOOK "]}}",
	  "ok, exit 0; nothing was committed: 224 changes are held for a person because of "
	  ".git/hooks/post-checkout (built-in: .git/hooks: git runs these)",
	  VIEW_YELLOW },
	{ "{\"verdict\":\"ok\",\"exit\":0,\"settled\":\"held\",\"changes\":{\"created\":3,"
	  "\"held\":3,\"items\":[" HOOK "]}}",
	  "ok, exit 0; nothing was committed: 3 changes are held for a person because of "
	  ".git/hooks/post-checkout (built-in: .git/hooks: git runs these) and 2 more",
	  VIEW_YELLOW },
	{ "{\"verdict\":\"ok\",\"exit\":0,\"settled\":\"held\",\"reason\":\"a: conflict\","
	  "\"changes\":{\"modified\":1,\"held\":0,\"items\":[" PLAIN "]}}",
	  "ok, exit 0; nothing was committed: 1 change is held: a: conflict", VIEW_YELLOW },
	{ "{\"verdict\":\"failed\",\"exit\":2,\"reason\":\"exit 2 is not in the profile's success\","
	  "\"settled\":\"held\",\"changes\":{\"created\":2}}",
	  "failed, exit 2; nothing was committed: "
	  "2 changes are held, as the tool did not succeed",
	  VIEW_YELLOW },
	{ "{\"verdict\":\"signaled\",\"signal\":11,\"reason\":\"ended by signal 11\","
	  "\"settled\":\"none\"}",
	  "signaled, signal 11 SIGSEGV; it changed nothing in the workspace", VIEW_YELLOW },
	{ "{\"verdict\":\"timeout\",\"exit\":null,\"reason\":\"wall: the call ran for limits.wall\","
	  "\"settled\":\"none\"}",
	  "timeout (wall: the call ran for limits.wall); it changed nothing in the workspace",
	  VIEW_YELLOW },
	{ "{\"verdict\":\"launch_failed\",\"reason\":\"mounts: no \\u001b[2Jsuch file\","
	  "\"settled\":\"none\"}",
	  "launch_failed: the tool did not run; mounts: no \\033[2Jsuch file", VIEW_RED },
	{ "{\"verdict\":\"denied\",\"reason\":null,\"settled\":\"none\"}",
	  "denied: the tool did not run", VIEW_RED },
	{ "{\"verdict\":\"interrupted\",\"reason\":\"undead: a process of the call did not die in 10 s\""
	  ",\"settled\":\"none\"}",
	  "interrupted (undead: a process of the call did not die in 10 s); what it changed was not "
	  "read and is not committed",
	  VIEW_RED },
};

/* clang-format on */

Test(view_sentence, every_ending)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_record rec = make_record("{}", rows[i].outcome);
		auto_buf b = BUF_INIT;

		show_sentence(&b, &rec);
		cr_expect_str_eq(buf_text(&b), rows[i].sentence, "row %zu", i);
		cr_expect_eq(show_sentence_color(&rec), rows[i].color, "row %zu", i);
	}
}

#define SETTLE(action, state, more)                                                          \
	"{\"action\":\"" action "\",\"actor\":{\"gid\":1,\"uid\":1000},\"settled\":\"" state \
	"\",\"t\":1750000060000" more "}"

static const struct settled_row {
	const char *outcome, *settles, *sentence;
	enum view_color color;
} settled_rows[] = {
	{ "{\"verdict\":\"ok\",\"exit\":0,\"settled\":\"held\",\"changes\":{\"created\":1}}",
	  "[" SETTLE("apply", "committed", "") "]",
	  "ok, exit 0; 1 change was held, then applied 2025-06-15 15:07 by uid 1000", VIEW_GREEN },
	{ "{\"verdict\":\"ok\",\"exit\":0,\"settled\":\"committed\",\"changes\":{\"created\":2}}",
	  "[" SETTLE("undo", "undone", "") "]",
	  "ok, exit 0; 2 changes were committed, then undone 2025-06-15 15:07 by uid 1000",
	  VIEW_GREEN },
	{ "{\"verdict\":\"ok\",\"exit\":0,\"settled\":\"none\"}",
	  "[" SETTLE("recover", "held", "") "," SETTLE("discard", "discarded", "") "]",
	  "ok, exit 0; it changed nothing in the workspace, then recovered (held) 2025-06-15 15:07 "
	  "by uid 1000, then discarded 2025-06-15 15:07 by uid 1000",
	  VIEW_GREEN },
	{ "{\"verdict\":\"ok\",\"exit\":0,\"settled\":\"held\",\"changes\":{\"created\":1}}",
	  "[" SETTLE("apply", "held", "") "]",
	  "ok, exit 0; 1 change was held, then applied (held) 2025-06-15 15:07 by uid 1000",
	  VIEW_YELLOW },
	{ NULL, "[" SETTLE("recover", "none", "") "]",
	  "unknown: no outcome is recorded, airlock was killed in it, then recovered (none) "
	  "2025-06-15 15:07 by uid 1000",
	  VIEW_RED },
};

Test(view_sentence, what_was_decided_since)
{
	setenv("TZ", "UTC", 1);
	tzset();
	for (size_t i = 0; i < ARRAY_LEN(settled_rows); i++) {
		auto_record rec = make_record("{}", settled_rows[i].outcome);
		auto_buf b = BUF_INIT;

		rec.settles = parse_json(settled_rows[i].settles);
		show_sentence(&b, &rec);
		cr_expect_str_eq(buf_text(&b), settled_rows[i].sentence, "row %zu", i);
		cr_expect_eq(show_sentence_color(&rec), settled_rows[i].color, "row %zu", i);
	}
}

Test(view_sentence, a_call_without_outcome_runs_is_unknown_or_resolved)
{
	static const char resolves[] = "[{\"actor\":{\"uid\":1000},\"answer\":\"done\","
				       "\"reason\":\"seen\",\"t\":1750000060000}]";
	auto_record running = make_record("{}", NULL), resolved = make_record("{}", NULL);
	auto_buf b = BUF_INIT;

	setenv("TZ", "UTC", 1);
	tzset();
	running.is_running = true;
	show_sentence(&b, &running);
	cr_expect_str_eq(buf_text(&b), "running: no outcome is recorded yet");
	cr_expect_eq(show_sentence_color(&running), VIEW_YELLOW);
	running.is_frozen = true;
	buf_reset(&b);
	show_sentence(&b, &running);
	cr_expect_str_eq(buf_text(&b), "frozen: it is stopped where it is, until its workflow is "
				       "resumed");
	cr_expect_eq(show_sentence_color(&running), VIEW_YELLOW);
	buf_reset(&b);
	resolved.resolves = parse_json(resolves);
	show_sentence(&b, &resolved);
	cr_expect_str_eq(buf_text(&b), "unknown: no outcome is recorded, airlock was killed in it, "
				       "then resolved as done 2025-06-15 15:07 by uid 1000");
	cr_expect_eq(show_sentence_color(&resolved), VIEW_YELLOW);
}

Test(view_sentence, each_decision_has_a_fact)
{
	auto_record rec = make_record("{\"argv\":[\"true\"],\"t0\":1750000000000}",
				      "{\"verdict\":\"ok\",\"settled\":\"held\"}");
	static const char expected[] =
		"  started     2025-06-15 15:06:40 +0000\n"
		"  settled     recovered (held) 2025-06-15 15:07:40 +0000 by uid 1000:\n"
		"              found\\033[2J\n"
		"              applied 2025-06-15 15:07:40 +0000 by uid 1000, set 0123456789ab\n"
		"  workflow ";
	auto_page p = make_page();

	setenv("TZ", "UTC", 1);
	tzset();
	rec.settles = parse_json(
		"[" SETTLE("recover", "held", ",\"reason\":\"found\\u001b[2J\"") "," SETTLE(
			"apply", "committed",
			",\"changes\":\"0123456789abcdef\",\"reason\":null") "]");
	show_head(&p, &rec);
	cr_expect_not_null(strstr(buf_text(&p.out), expected), "%s", buf_text(&p.out));
}

Test(view_sentence, the_head_of_a_page)
{
	auto_record rec = make_record(
		"{\"argv\":[\"sh\",\"-c\",\"echo '\\\\033[31m'\"],\"t0\":1750000000000,"
		"\"workflow_name\":\"local\",\"workflow\":\"0198c2a4-0000-7000-8000-000000000001\","
		"\"seq\":3}",
		"{\"verdict\":\"ok\",\"exit\":0,\"settled\":\"none\",\"t1\":1750000001200}");
	auto_page p = make_page();

	setenv("TZ", "UTC", 1);
	tzset();
	show_head(&p, &rec);
	expect_page(&p, "ok, exit 0; it changed nothing in the workspace\n\n"
			"  call        " VIEW_CALL "\n"
			"  command     sh -c $'echo \\'\\033[31m\\''\n"
			"  started     2025-06-15 15:06:40 +0000, took 1.2s\n"
			"  workflow    local, call 3 (0198c2a4)\n");
}
