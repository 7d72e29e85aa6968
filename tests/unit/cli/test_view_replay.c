/* SPDX-License-Identifier: Apache-2.0 */
/* view_replay.c: the result of a replay. Run by `make unit`. */
#include "../../../launcher/cli/view_replay.h"
#include "view_fixture.h"

#define PLANNED                                                             \
	"{\"attempt\":2,\"context\":{\"principal\":\"ann\"},\"key\":\"k\"," \
	"\"limits\":{\"cpu\":200,\"wall\":9},\"mode\":\"apply\","           \
	"\"profile\":{\"name\":\"python\"},\"retry\":\"ask\",\"workflow\":\"W\"}"
#define OUTCOME                                                                      \
	"{\"attestation\":{\"uid\":7},\"changes\":{\"created\":1,\"deleted\":2,"     \
	"\"held\":3,\"modified\":4,\"watched\":5},"                                  \
	"\"denials\":[{\"kind\":\"syscall\"}],\"denials_dropped\":6,"                \
	"\"done_when\":[],\"exit\":3,\"held_as\":\"aside\","                         \
	"\"in_tree\":{\"changed\":[\"f\"],\"unstable\":true},\"missing_layers\":[]," \
	"\"reason\":\"exit 3\",\"settled\":\"held\",\"signal\":null,\"status\":3,"   \
	"\"stderr\":{\"bytes\":8},\"stdout\":{\"bytes\":9},"                         \
	"\"usage\":{\"cpu_ms\":10,\"disk_bytes\":11,\"memory_peak\":12,"             \
	"\"pids_peak\":13,\"wall_ms\":14},\"verdict\":\"failed\"}"

Test(view_replay, the_result_of_a_replay_is_the_one_of_the_call)
{
	auto_record rec = make_record(PLANNED, OUTCOME);
	struct replay_said said = { .answer = KEY_REPLAY, .lost = { true, true } };
	auto_buf text = BUF_INIT;

	cr_assert_eq(key_answer_of(&rec), KEY_REPLAY);
	cr_assert_eq(replay_result(&rec, &said, &text), 0);
	cr_expect_str_eq(
		buf_text(&text),
		"{\"attempt\":2,\"call\":\"" VIEW_CALL
		"\",\"changes\":{\"created\":1,\"deleted\":2,"
		"\"held\":3,\"modified\":4,\"watched\":5},\"denials\":[{\"kind\":\"syscall\"}],"
		"\"denials_dropped\":6,\"done_when\":[],\"exit\":3,\"held_as\":\"aside\","
		"\"input\":\"unstable\",\"input_changed\":[\"f\"],\"isolation\":{\"uid\":7},"
		"\"key\":\"k\",\"limits\":{\"cpu\":200,\"cpu_time\":0,\"disk\":0,\"files\":0,"
		"\"memory\":0,\"open_files\":0,\"output\":0,\"pids\":0,\"wall\":9},"
		"\"missing_layers\":[],\"mode\":\"apply\",\"not_replayed\":[\"stderr\",\"stdout\"],"
		"\"principal\":\"ann\",\"profile\":\"python\",\"reason\":\"exit 3\","
		"\"record\":\"" VIEW_CALL "\","
		"\"replayed\":true,\"resolved\":null,\"settled\":\"held\",\"signal\":null,"
		"\"usage\":{\"cpu_ms\":10,\"disk_bytes\":11,\"memory_peak\":12,\"pids_peak\":13,"
		"\"stderr_bytes\":8,\"stdout_bytes\":9,\"wall_ms\":14},\"verdict\":\"failed\","
		"\"workflow\":\"W\"}\n");
}

/* What stands behind a member of the result, up to the next comma. */
static void
expect_member(const struct buf *result, const char *name, const char *expected)
{
	auto_buf key = BUF_INIT;
	const char *at;

	buf_printf(&key, "\"%s\":", name);
	at = strstr(buf_text(result), buf_text(&key));
	cr_assert_not_null(at, "%s in %s", name, buf_text(result));
	cr_expect_eq(strncmp(at + key.len, expected, strlen(expected)), 0, "%s is %.60s", name, at);
}

Test(view_replay, what_a_person_said_is_the_result)
{
	static const struct {
		const char *answer, *verdict, *reason;
	} rows[] = {
		{ "done", "\"ok\"", "null" },
		{ "not-done", "\"interrupted\"",
		  "\"uid 1000 said of call " VIEW_CALL
		  " that its work is not done: looked; it is not "
		  "tried again under this key\"" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_record rec = make_record(PLANNED, NULL);
		struct replay_said said = { 0 };
		auto_buf text = BUF_INIT, list = BUF_INIT, resolved = BUF_INIT;

		buf_printf(&list,
			   "[{\"answer\":\"rerun\"},{\"actor\":{\"uid\":1000},\"answer\":\"%s\","
			   "\"reason\":\"looked\"}]",
			   rows[i].answer);
		buf_printf(&resolved, "\"%s\"", rows[i].answer);
		rec.resolves = parse_json(buf_text(&list));
		said.answer = key_answer_of(&rec);
		cr_expect_str_eq(key_answer_words[said.answer], rows[i].answer);
		cr_assert_eq(replay_result(&rec, &said, &text), 0);
		expect_member(&text, "verdict", rows[i].verdict);
		expect_member(&text, "reason", rows[i].reason);
		expect_member(&text, "resolved", buf_text(&resolved));
		expect_member(&text, "call", "\"" VIEW_CALL "\"");
		expect_member(&text, "replayed", "true");
		expect_member(&text, "exit", "null");
		expect_member(&text, "settled", "\"none\"");
	}
}

Test(view_replay, a_refused_replay_has_no_call)
{
	auto_record rec = make_record(PLANNED, OUTCOME);
	struct replay_said said = { .answer = KEY_REPLAY, .refused = "other stdin" };
	auto_buf text = BUF_INIT;

	cr_assert_eq(replay_result(&rec, &said, &text), 0);
	expect_member(&text, "call", "null");
	expect_member(&text, "record", "null");
	expect_member(&text, "workflow", "null");
	expect_member(&text, "replayed", "false");
	expect_member(&text, "reason", "\"other stdin\"");
	expect_member(&text, "verdict", "\"launch_failed\"");
}
