/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rerun_compare.c: what of two calls is the same. Change sets are tried by tests/e2e/76-rerun.sh.
 * Run by `make unit`.
 */
#include "../../../launcher/cli/rerun.h"

#include <errno.h>

#include "view_fixture.h"

#define STREAM(bytes, digest, inline_)                                          \
	"{\"bytes\":" #bytes ",\"digest\":\"" digest "\",\"inline\":\"" inline_ \
	"\",\"kept\":" #bytes "}"
#define EMPTY "{\"bytes\":0,\"digest\":\"e3b0\",\"kept\":0}"
#define TREE(digest) "{\"digest\":\"" digest "\",\"files\":1,\"unstable\":false}"
#define OUTCOME(verdict, code, signal, out, tree)                                          \
	"{\"changes\":{\"object\":null},\"exit\":" code ",\"in_tree\":" tree               \
	",\"settled\":\"none\",\"signal\":" signal ",\"stderr\":" EMPTY ",\"stdout\":" out \
	",\"verdict\":\"" verdict "\"}"
#define PLANNED(profile, env)                                                                  \
	"{\"caches\":[],\"draft\":[],\"env_names\":[" env "],\"limits\":{\"pids\":9},"         \
	"\"node\":{\"airlock\":\"0.1\",\"kernel\":\"6.1\"},\"profile\":{\"digest\":\"" profile \
	"\"},\"tool\":\"/usr/bin/true\",\"toolchains\":[],\"write\":[]}"
#define DIGEST_HI "98ea6e4f216f2fb4b69fff9b3a44842c38686ca685f3f55dc48c5d3fb1107be4" /* "hi\n" */
#define HI STREAM(3, DIGEST_HI, "aGkK")
#define HO STREAM(3, "92d49b", "aG8K") /* "ho\n" */
#define SAME_OUTCOME OUTCOME("ok", "0", "null", HI, TREE("aa"))
#define SAME_PLANNED PLANNED("dd", "\"PATH\"")

static const struct {
	const char *planned, *outcome, *answers, *noted; /* of the second; NULL: not noted */
} rows[] = {
	{ SAME_PLANNED, SAME_OUTCOME, "same same same same same", NULL },
	{ SAME_PLANNED, OUTCOME("failed", "3", "null", HI, TREE("aa")),
	  "different different same same same", NULL },
	{ SAME_PLANNED, OUTCOME("signaled", "null", "11", HI, TREE("aa")),
	  "different different same same same", NULL },
	{ SAME_PLANNED, OUTCOME("ok", "0", "null", HO, TREE("aa")), "same same different same same",
	  NULL },
	{ SAME_PLANNED, OUTCOME("ok", "0", "null", EMPTY, TREE("aa")),
	  "same same different same same", NULL },
	{ SAME_PLANNED,
	  OUTCOME("ok", "0", "null", "{\"bytes\":3,\"digest\":null,\"kept\":0}", TREE("aa")),
	  "same same unknown same same", NULL },
	{ SAME_PLANNED,
	  OUTCOME("ok", "0", "null", "{\"bytes\":4,\"digest\":null,\"kept\":0}", TREE("aa")),
	  "same same different same same", NULL },
	{ SAME_PLANNED, OUTCOME("ok", "0", "null", HI, TREE("bb")), "same same same same same",
	  "its tree is bb, and was aa" },
	{ SAME_PLANNED, OUTCOME("ok", "0", "null", HI, "null"), "same same same same same",
	  "its tree is unknown, and was aa" },
	{ PLANNED("ee", "\"PATH\""), SAME_OUTCOME, "same same same same same",
	  "the profile says something else now: its digest is ee, and was dd" },
	{ PLANNED("dd", "\"PATH\",\"TERM\""), SAME_OUTCOME, "same same same same same",
	  "the names of its variables are not the same ones" },
};

static bool
is_noted(const struct rerun_notes *notes, const char *text)
{
	for (size_t i = 0; i < notes->count; i++) {
		if (strstr(notes->items[i], text) != NULL) {
			return true;
		}
	}
	return false;
}

Test(rerun_compare, what_is_the_same)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_record then = make_record(SAME_PLANNED, SAME_OUTCOME);
		auto_record now = make_record(rows[i].planned, rows[i].outcome);
		auto_rerun_comparison c = { .rows = { { .answer = RERUN_UNKNOWN } } };
		struct rerun_notes notes = { .items = NULL };
		auto_buf answers = BUF_INIT;
		struct err err = ERR_INIT;

		cr_expect_eq(rerun_compare(NULL, &then, &now, &c, &notes, &err), 0, "%s", err.text);
		for (size_t what = 0; what < RERUN_WHAT__COUNT; what++) {
			buf_printf(&answers, "%s%s", what > 0 ? " " : "",
				   rerun_answers[c.rows[what].answer]);
		}
		cr_expect_str_eq(buf_text(&answers), rows[i].answers, "row %zu", i);
		cr_expect_eq(rerun_is_same(&c),
			     strcmp(rows[i].answers, "same same same same same") == 0);
		/* that times are not recorded is always said */
		cr_expect_eq(notes.count, rows[i].noted != NULL ? (size_t)2 : 1, "row %zu", i);
		cr_expect(rows[i].noted == NULL || is_noted(&notes, rows[i].noted), "row %zu", i);
		rerun_notes_finish(&notes);
	}
}

Test(rerun_compare, an_exit_in_words)
{
	auto_record then = make_record(SAME_PLANNED, SAME_OUTCOME);
	auto_record now =
		make_record(SAME_PLANNED, OUTCOME("signaled", "null", "11", HO, TREE("aa")));
	auto_rerun_comparison c = { .rows = { { .answer = RERUN_UNKNOWN } } };
	struct rerun_notes notes = { .items = NULL };
	struct err err = ERR_INIT;

	cr_expect_eq(rerun_compare(NULL, &then, &now, &c, &notes, &err), 0, "%s", err.text);
	cr_expect_str_eq(buf_text(&c.rows[RERUN_EXIT].then), "0");
	cr_expect_str_eq(buf_text(&c.rows[RERUN_EXIT].now), "SIGSEGV");
	cr_expect_str_eq(buf_text(&c.rows[RERUN_STDERR].now), "empty");
	cr_expect_str_eq(buf_text(&c.rows[RERUN_CHANGES].now), "none");
	cr_expect_str_eq(buf_text(&c.rows[RERUN_STDOUT].then), "3 B, sha256 98ea6e4f216f");
	rerun_notes_finish(&notes);
}

Test(rerun_compare, a_second_call_without_an_outcome)
{
	auto_record then = make_record(SAME_PLANNED, SAME_OUTCOME);
	auto_record now = make_record(SAME_PLANNED, NULL);
	auto_rerun_comparison c = { .rows = { { .answer = RERUN_UNKNOWN } } };
	struct rerun_notes notes = { .items = NULL };
	struct err err = ERR_INIT;

	cr_expect_eq(rerun_compare(NULL, &then, &now, &c, &notes, &err), -ENODATA);
	cr_expect_str_eq(err.text, VIEW_CALL ", the second call, has no outcome");
	cr_expect_eq(rerun_is_same(&c), false);
}

Test(rerun_compare, the_first_line_that_differs)
{
	static const struct {
		const char *then, *now, *expected;
	} lines[] = {
		{ "a\nb\n", "a\nc\n", "line 2: \"b\" then, \"c\" now" },
		{ "a\n", "a\nb\n", "line 2: the end then, \"b\" now" },
		{ "a\nb\n", "a\n", "line 2: \"b\" then, the end now" },
		{ "", "x", "line 1: the end then, \"x\" without a newline now" },
		{ "abc\n", "abd\n", "line 1: \"abc\" then, \"abd\" now" },
		{ "a", "a\n", "line 1: \"a\" without a newline then, \"a\" now" },
		{ "\033[31m\n", "x\n", "line 1: \"\\033[31m\" then, \"x\" now" },
	};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		auto_buf then = BUF_INIT, now = BUF_INIT, out = BUF_INIT;

		buf_puts(&then, lines[i].then);
		buf_puts(&now, lines[i].now);
		rerun_first_line(&then, &now, &out);
		cr_expect_str_eq(buf_text(&out), lines[i].expected, "row %zu", i);
	}
}
