/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_replay.c and cmd_key_answer.c over journals that are made by hand. Run by `make unit`. Each
 * test is a process of its own, whose standard streams it can replace.
 */
#include "../store/index_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../../launcher/base/fdio.h"
#include "../../../launcher/cli/commands.h"

static void
begin(void)
{
	state_make();
	cr_assert_eq(setenv("AIRLOCK_STATE", state_dir, 1), 0);
}

TestSuite(cmd_replay, .init = begin, .fini = state_remove);

/* An outcome whose streams and status are given; each is JSON. */
static void
append_answer(struct store *s, const char *call, const char *in, const char *out, const char *wrong,
	      const char *status)
{
	auto_buf b = BUF_INIT;

	put_outcome(&b, call, "ok", "[]", "[]");
	replace_once(&b, "\"stderr\":{\"bytes\":0,\"digest\":null,\"inline\":\"\",\"kept\":0}",
		     wrong);
	replace_once(&b, "\"stdin\":{\"bytes\":0,\"digest\":null,\"inline\":\"\",\"kept\":0}", in);
	replace_once(&b,
		     "\"stdout\":{\"bytes\":3,\"digest\":\"ff\",\"inline\":\"aGkK\",\"kept\":3}",
		     out);
	replace_once(&b, "\"signal\":null,", status);
	append(s, buf_text(&b));
}

/* SHA-256 of "abc", of "hi\n", of "no\n". */
#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define HI "98ea6e4f216f2fb4b69fff9b3a44842c38686ca685f3f55dc48c5d3fb1107be4"
#define NO "564739ea8fa5926d4fa5c9734fed462061960a22e6b8d5c06e94969d97891bf2"

#define STDIN_ABC(eof)                                                                       \
	"\"stdin\":{\"bytes\":3,\"digest\":\"" ABC "\",\"eof\":" eof ",\"inline\":\"YWJj\"," \
	"\"kept\":3}"
#define STDIN_NONE(eof) "\"stdin\":{\"bytes\":0,\"digest\":null,\"eof\":" eof ",\"kept\":0}"
#define STDOUT_HI "\"stdout\":{\"bytes\":3,\"digest\":\"" HI "\",\"inline\":\"aGkK\",\"kept\":3}"
#define STDERR_NONE "\"stderr\":{\"bytes\":0,\"digest\":null,\"inline\":\"\",\"kept\":0}"
#define STATUS(n) "\"signal\":null,\"status\":" n ","

enum { OUT, ERR, RESULT, STREAMS };

static char files[STREAMS][96];

static void
replace_stream(int fd, const char *path)
{
	int opened = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	cr_assert_geq(opened, 0);
	cr_assert_eq(dup2(opened, fd), fd);
	close(opened);
}

/* Runs a verb with that input; what it wrote is in files[]. */
static int
run_verb(int (*verb)(int argc, char **argv), int argc, char **argv, const char *input)
{
	int in = memfd_create("input", 0), kept[2] = { dup(STDOUT_FILENO), dup(STDERR_FILENO) };
	int status;

	cr_assert_eq(fdio_write(in, input, strlen(input)), 0);
	cr_assert_eq(lseek(in, 0, SEEK_SET), 0);
	cr_assert_eq(dup2(in, STDIN_FILENO), STDIN_FILENO);
	close(in);
	for (int i = 0; i < STREAMS; i++) {
		snprintf(files[i], sizeof(files[i]), "%s/stream-%d", state_dir, i);
		replace_stream(i == RESULT ? 100 : STDOUT_FILENO + i, files[i]);
	}
	status = verb(argc, argv);
	fflush(stdout);
	fflush(stderr);
	cr_assert_eq(dup2(kept[0], STDOUT_FILENO), STDOUT_FILENO);
	cr_assert_eq(dup2(kept[1], STDERR_FILENO), STDERR_FILENO);
	close(kept[0]);
	close(kept[1]);
	close(100);
	return status;
}

static void
read_stream(int which, struct buf *ret)
{
	cr_assert_eq(fdio_slurp_at(AT_FDCWD, files[which], 1u << 20, ret), 0);
}

static void
expect_stream(int which, const char *expected)
{
	auto_buf text = BUF_INIT;

	read_stream(which, &text);
	cr_expect_str_eq(buf_text(&text), expected, "stream %d", which);
}

static void
expect_in(int which, const char *part)
{
	auto_buf text = BUF_INIT;

	read_stream(which, &text);
	cr_expect_not_null(strstr(buf_text(&text), part), "%s in %s", part, buf_text(&text));
}

static int
replay(const char *call, bool has_stdin, const char *input)
{
	char *argv[] = { (char *)"replay", (char *)(uintptr_t)call, (char *)"--result-fd",
			 (char *)"100",	   (char *)"--stdin",	    NULL };

	return run_verb(cmd_replay, has_stdin ? 5 : 4, argv, input);
}

static int
key_answer(const char *call)
{
	char *argv[] = { (char *)"key-answer", (char *)(uintptr_t)call, NULL };

	return run_verb(cmd_key_answer, 2, argv, "");
}

Test(cmd_replay, the_key_is_answered_in_one_word)
{
	auto_store s = open_store();
	static const struct {
		const char *call, *said;
	} rows[] = {
		{ CALL_A, "replay\n" },
		{ CALL_B, "unknown\n" },
		{ CALL_C, "free\n" },
		{ WORKFLOW, "free\n" },
	};

	cr_expect_eq(key_answer(CALL_A), 0);
	expect_stream(OUT, "free\n"); /* nothing is recorded at all */
	append_planned(&s, CALL_A, "python");
	append_outcome(&s, CALL_A, "ok");
	append_planned(&s, CALL_B, "python");
	append_planned(&s, CALL_C, "python");
	append_outcome(&s, CALL_C, "denied");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_expect_eq(key_answer(rows[i].call), 0, "row %zu", i);
		expect_stream(OUT, rows[i].said);
		expect_stream(ERR, "");
	}
	append_resolve(&s, CALL_B, "rerun", "null");
	cr_expect_eq(key_answer(CALL_B), 0);
	expect_stream(OUT, "again\n");
	cr_expect_eq(key_answer("0198"), 125);
	expect_in(ERR, "airlock: 0198 is no call's id\n");
}

Test(cmd_replay, a_commit_that_was_cut_short_decides_first)
{
	auto_store s = open_store();
	auto_fd fd = -1;

	append_planned(&s, CALL_A, "python");
	cr_assert_eq(mkdirat(s.dir_fd, "commits", 0700), 0);
	fd = openat(s.dir_fd, "commits/" CALL_A, O_CREAT | O_WRONLY, 0600);
	cr_assert_eq(flock(fd, LOCK_EX), 0); /* somebody is at it */
	cr_expect_eq(key_answer(CALL_A), 125);
	expect_stream(OUT, "");
	expect_in(ERR, "a commit of call " CALL_A " was cut short");
}

Test(cmd_replay, a_forgotten_call_has_no_answer)
{
	auto_store s = open_store();
	auto_buf planned = BUF_INIT;

	put_planned(&planned, CALL_A, "python", "[\"true\"]", "null");
	append_forgotten(&s, buf_text(&planned));
	cr_expect_eq(key_answer(CALL_A), 125);
	expect_stream(OUT, "");
	expect_in(ERR, CALL_A " was forgotten");
	cr_expect_eq(replay(CALL_A, false, ""), 125);
	expect_in(ERR, CALL_A " was forgotten");
	expect_in(RESULT, "\"call\":null");
	expect_in(RESULT, "was forgotten");
}

Test(cmd_replay, streams_result_and_status_are_those_of_the_call)
{
	auto_store s = open_store();

	append_planned(&s, CALL_A, "python");
	append_answer(&s, CALL_A, STDIN_NONE("true"), STDOUT_HI,
		      "\"stderr\":{\"bytes\":3,\"digest\":\"" NO
		      "\",\"inline\":\"bm8K\",\"kept\":3}",
		      STATUS("3"));
	cr_expect_eq(replay(CALL_A, false, ""), 3);
	expect_stream(OUT, "hi\n");
	expect_stream(ERR, "no\n");
	expect_in(RESULT, "\"call\":\"" CALL_A "\"");
	expect_in(RESULT, "\"replayed\":true");
	expect_in(RESULT, "\"not_replayed\":[]");
	expect_in(RESULT, "\"attempt\":1,");
}

Test(cmd_replay, what_is_not_whole_is_told)
{
	auto_store s = open_store();

	append_planned(&s, CALL_A, "python");
	append_answer(&s, CALL_A, STDIN_NONE("true"),
		      "\"stdout\":{\"bytes\":7,\"digest\":\"" ABC
		      "\",\"inline\":\"aGkK\",\"kept\":3}",
		      "\"stderr\":{\"bytes\":9,\"digest\":\"" ABC "\",\"kept\":9}", STATUS("0"));
	cr_expect_eq(replay(CALL_A, false, ""), 0);
	expect_stream(OUT, "hi\n");
	expect_stream(ERR, "airlock: note: replayed in part: stdout: the first 3 of 7 bytes were "
			   "kept\n"
			   "airlock: note: not replayed: stderr: its object " ABC
			   " is not in the packs\n");
	expect_in(RESULT, "\"not_replayed\":[\"stderr\",\"stdout\"]");
}

Test(cmd_replay, another_input_is_another_request)
{
	/* what the call read, and whether it saw the end; the retry; whether that is the same */
	static const struct {
		const char *in;
		bool has_stdin;
		const char *given;
		bool is_same;
	} rows[] = {
		{ STDIN_ABC("true"), true, "abc", true },
		{ STDIN_ABC("true"), true, "abcd", false },
		{ STDIN_ABC("true"), true, "ab", false },
		{ STDIN_ABC("true"), true, "abd", false },
		{ STDIN_ABC("true"), true, "", false },
		{ STDIN_ABC("true"), false, "abc", false },
		{ STDIN_ABC("false"), true, "abc", true },
		{ STDIN_ABC("false"), true, "abcd", true },
		{ STDIN_ABC("false"), true, "xbcd", false },
		{ STDIN_ABC("false"), true, "ab", false },
		{ STDIN_NONE("true"), true, "", true },
		{ STDIN_NONE("true"), false, "abc", true },
		{ STDIN_NONE("true"), true, "a", false },
		{ STDIN_NONE("false"), true, "a", true },
	};
	auto_store s = open_store();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char call[UUID_TEXT_SIZE];
		int status;

		snprintf(call, sizeof(call), "0198c2a4-7f3e-7abc-8def-%012zx", i);
		append_planned(&s, call, "python");
		append_answer(&s, call, rows[i].in, STDOUT_HI, STDERR_NONE, STATUS("7"));
		status = replay(call, rows[i].has_stdin, rows[i].given);
		cr_expect_eq(status, rows[i].is_same ? 7 : 125, "row %zu: %d", i, status);
		expect_stream(OUT, rows[i].is_same ? "hi\n" : "");
		expect_in(RESULT, rows[i].is_same ? "\"replayed\":true" : "other stdin");
	}
}

Test(cmd_replay, what_a_terminal_was_given_is_no_part_of_the_request)
{
	auto_store s = open_store();

	append_planned_with(&s, CALL_A, "\"key\":\"k\",\"terminal\":true", "\"ee\"");
	append_answer(&s, CALL_A, STDIN_ABC("true"), STDOUT_HI, STDERR_NONE, STATUS("0"));
	cr_expect_eq(replay(CALL_A, true, "other"), 0);
	expect_stream(OUT, "hi\n");
}

Test(cmd_replay, no_answer_where_none_is_recorded)
{
	auto_store s = open_store();

	append_planned(&s, CALL_A, "python");
	append_outcome(&s, CALL_A, "ok"); /* no status: of before there were replays */
	cr_expect_eq(replay(CALL_A, false, ""), 125);
	expect_stream(OUT, "");
	expect_in(ERR, "kept no exit status: its answer cannot be given again\n");
	append_planned(&s, CALL_B, "python");
	cr_expect_eq(replay(CALL_B, false, ""), 125);
	expect_in(ERR, "call " CALL_B " has no answer that could be given again\n");
	expect_in(RESULT, "\"verdict\":\"launch_failed\"");
}

Test(cmd_replay, what_a_person_said_is_the_answer)
{
	auto_store s = open_store();

	append_planned(&s, CALL_A, "python");
	append_resolve(&s, CALL_A, "done", "null");
	append_planned(&s, CALL_B, "python");
	append_resolve(&s, CALL_B, "not-done", "\"looked\"");
	cr_expect_eq(replay(CALL_A, true, "abc"), 0);
	expect_stream(OUT, "");
	expect_stream(ERR, "");
	expect_in(RESULT, "\"resolved\":\"done\"");
	expect_in(RESULT, "\"verdict\":\"ok\"");
	cr_expect_eq(replay(CALL_B, true, "abc"), 125);
	expect_stream(OUT, "");
	expect_stream(ERR, "airlock: interrupted: uid 1000 said of call " CALL_B
			   " that its work is not done: looked; it is not tried again under this "
			   "key\n");
	expect_in(RESULT, "\"resolved\":\"not-done\"");
	expect_in(RESULT, "\"verdict\":\"interrupted\"");
}
