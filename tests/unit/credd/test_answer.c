/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. What resolvers answer, and what they are asked. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../../../launcher/credd/answer.h"

static uint8_t room[ANSWER_ROOM];
static struct answer answer;
static struct err err;

static int
read_text(const char *json)
{
	memcpy(room, json, strlen(json));
	err = (struct err)ERR_INIT;
	return answer_read(room, strlen(json), "kv/gh", &answer, &err);
}

Test(answer, a_value)
{
	cr_assert_eq(read_text("{\"protocolVersion\":1,\"values\":{\"kv/gh\":\"s3cr\\u00e9t\"}}"),
		     0);
	cr_expect_eq(answer.len, 7u);
	cr_expect_eq(memcmp(answer.value, "s3cr\xc3\xa9t", 7), 0);
	cr_expect_eq(answer.expires_ms, 0u);
	cr_expect_str_eq(answer.handle, "");
}

Test(answer, all_that_it_can_say)
{
	cr_assert_eq(
		read_text(" {\n\"x\": [1, {\"protocolVersion\": 7}],\t\"values\" : { \"other\":"
			  " 1, \"kv\\/gh\" : \"v\" }, \"errors\": {\"other\":{}},\r\n\"handle\""
			  ":\"h 1\", \"expiresAt\": \"2027-01-01T00:00:00Z\","
			  "\"protocolVersion\" : 1 }\n "),
		0, "%s", err.text);
	cr_expect_eq(answer.len, 1u);
	cr_expect_eq(answer.value[0], 'v');
	cr_expect_str_eq(answer.handle, "h 1");
	cr_expect_eq(answer.expires_ms, 1798761600000u);
	cr_assert_eq(read_text("{\"protocolVersion\":1,\"expiresAt\":null,\"handle\":null,"
			       "\"errors\":{},\"values\":{\"kv/gh\":\"v\"}}"),
		     0);
}

Test(answer, a_value_may_be_of_any_characters_but_nul)
{
	cr_assert_eq(read_text("{\"protocolVersion\":1,\"values\":{\"kv/gh\":\"a\\\"b\\n\"}}"), 0);
	cr_expect_eq(answer.len, 4u);
	cr_expect_eq(memcmp(answer.value, "a\"b\n", 4), 0);
}

#define V1 "{\"protocolVersion\":1,"
#define VALUE "\"values\":{\"kv/gh\":\"the value\"}"

Test(answer, what_is_refused)
{
	static const struct {
		const char *json, *why;
	} rows[] = {
		{ "", "its answer is no JSON object" },
		{ V1 "\"values\":{\"kv/gh\":\"a\\u0000b\"}}", "its answer is no JSON object" },
		{ "s3cret", "its answer is no JSON object" },
		{ "[]", "its answer is no JSON object" },
		{ V1 VALUE "}}", "its answer is no JSON object" },
		{ V1 VALUE "} {}", "its answer is no JSON object" },
		{ "{" VALUE "}", "its answer is not of protocolVersion 1" },
		{ "{\"protocolVersion\":10," VALUE "}", "its answer is not of protocolVersion 1" },
		{ "{\"protocolVersion\":1.0," VALUE "}", "its answer is not of protocolVersion 1" },
		{ "{\"protocolVersion\":\"1\"," VALUE "}",
		  "its answer is not of protocolVersion 1" },
		{ "{\"protocolVersion\":1,\"protocolVersion\":1," VALUE "}",
		  "its answer has protocolVersion twice" },
		{ V1 VALUE "," VALUE "}", "its answer has values twice" },
		{ V1 "\"values\":{\"kv/gh\":\"a\",\"kv\\/gh\":\"a\"}}",
		  "its answer's values are not one for each id" },
		{ V1 "\"values\":[\"kv/gh\"]}", "its answer's values are not one for each id" },
		{ V1 "\"values\":{\"kv/g\":\"a\"}}", "its answer has no value for the id" },
		{ V1 "\"values\":{\"kv/gh\":null}}", "its answer has no value for the id" },
		{ V1 "\"values\":{\"kv/gh\":{\"value\":\"a\"}}}",
		  "its answer has no value for the id" },
		{ V1 "\"values\":{\"kv/gh\":\"\"}}",
		  "its value has 0 bytes; from 1 to 65536 may be" },
		{ "{\"protocolVersion\":1}", "its answer has no value for the id" },
		{ V1 VALUE ",\"errors\":[]}", "its answer's errors are none" },
		{ V1 VALUE ",\"expiresAt\":17}",
		  "its answer's expiresAt is no moment such as 2027-01-01T00:00:00Z" },
		{ V1 VALUE ",\"expiresAt\":\"\"}",
		  "its answer's expiresAt is no moment such as 2027-01-01T00:00:00Z" },
		{ V1 VALUE ",\"expiresAt\":\"2027-01-01T00:00:00Z\\u0000\"}",
		  "its answer is no JSON object" },
		{ V1 VALUE ",\"expiresAt\":\"2027-01-01T00:00:00+01:00\"}",
		  "its answer's expiresAt is no moment such as 2027-01-01T00:00:00Z" },
		{ V1 VALUE ",\"handle\":1}",
		  "its answer's handle is no text of at most 1024 bytes" },
		{ V1 VALUE ",\"handle\":\"a\\nb\"}", "its answer's handle is not all of ASCII" },
		{ V1 VALUE ",\"handle\":\"a\\u0000b\"}", "its answer is no JSON object" },
		{ V1 VALUE ",\"handle\":\"of the value\"}",
		  "its answer's handle has the value in it" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(read_text(rows[i].json), -EBADMSG, "%s", rows[i].json);
		cr_expect_str_eq(err.text, rows[i].why, "%s", rows[i].json);
		cr_expect_null(answer.value, "%s", rows[i].json);
		cr_expect_eq(answer.is_refused, false, "%s", rows[i].json);
	}
}

Test(answer, its_errors)
{
	cr_expect_eq(
		read_text(
			V1
			"\"errors\":{\"kv/gh\":{\"code\":\"NOT_FOUND\",\"message\":\"s3cret\"}}}"),
		-EACCES);
	cr_expect_str_eq(err.text, "it answered with the error NOT_FOUND");
	cr_expect_eq(answer.is_refused, true);
	cr_expect_eq(read_text(V1 "\"values\":{},\"errors\":{\"kv/gh\":{\"code\":\"no word\"}}}"),
		     -EACCES);
	cr_expect_str_eq(err.text, "it answered with an error");
	cr_expect_eq(answer.is_refused, true);
	cr_expect_eq(read_text(V1 "\"errors\":{\"kv/gh\":\"s3cret\"}}"), -EACCES);
	cr_expect_str_eq(err.text, "it answered with an error");
	cr_expect_eq(
		read_text(V1 VALUE ",\"errors\":{\"kv/gh\":{\"code\":\"WARN\"}},\"handle\":\"h\"}"),
		-EACCES);
	cr_expect_eq(answer.is_refused, false, "a value may have been made");
	cr_expect_str_eq(answer.handle, "h");
}

/* An answer with so many bytes of value, and spaces to make it longer; how long it is. */
static size_t
long_answer(size_t value, size_t spaces)
{
	char *p = (char *)room;

	p = stpcpy(p, V1 "\"values\":{\"kv/gh\":\"");
	p = (char *)memset(p, 'x', value) + value;
	p = stpcpy(p, "\"}");
	p = (char *)memset(p, ' ', spaces) + spaces;
	*p++ = '}';
	return (size_t)(p - (char *)room);
}

Test(answer, bounds)
{
	size_t frame = long_answer(0, 0);

	cr_expect_eq(answer_read(room, long_answer(CAP_VALUE, 0), "kv/gh", &answer, &err), 0);
	cr_expect_eq(answer.len, CAP_VALUE);
	cr_expect_eq(answer_read(room, long_answer(CAP_VALUE + 1, 0), "kv/gh", &answer, &err),
		     -EBADMSG);
	cr_expect_eq(answer_read(room, long_answer(CAP_ANSWER - frame, 0), "kv/gh", &answer, &err),
		     -EBADMSG);
	cr_expect_eq(
		answer_read(room, long_answer(9, CAP_ANSWER - frame - 9), "kv/gh", &answer, &err),
		0);
	cr_expect_eq(
		answer_read(room, long_answer(9, CAP_ANSWER - frame - 8), "kv/gh", &answer, &err),
		-EFBIG);
}

Test(answer, revoked)
{
	static const struct {
		const char *json;
		int rc;
	} rows[] = {
		{ V1 "\"revoked\":[\"kv/gh\"]}", 0 },
		{ V1 "\"revoked\" : [ \"a\" , \"kv\\/gh\" ] }", 0 },
		{ V1 "\"revoked\":[\"kv/g\"]}", -EBADMSG },
		{ V1 "\"revoked\":[[\"kv/gh\"]]}", -EBADMSG },
		{ V1 "\"revoked\":[]}", -EBADMSG },
		{ V1 "\"revoked\":\"kv/gh\"}", -EBADMSG },
		{ "{\"protocolVersion\":1}", -EBADMSG },
		{ "{\"protocolVersion\":2,\"revoked\":[\"kv/gh\"]}", -EBADMSG },
		{ V1 "\"revoked\":[\"kv/gh\"],\"errors\":{\"kv/gh\":{\"code\":\"X\"}}}", -EACCES },
		{ V1 "\"revoked\":[\"kv/gh\"],\"errors\":{\"a\":{\"code\":\"X\"}}}", 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		memcpy(room, rows[i].json, strlen(rows[i].json));
		cr_expect_eq(answer_revoked(room, strlen(rows[i].json), "kv/gh", &err), rows[i].rc,
			     "%s", rows[i].json);
	}
}

Test(answer, what_is_asked)
{
	auto_buf plain = BUF_INIT, leased = BUF_INIT, revoke = BUF_INIT, bare = BUF_INIT;

	answer_ask("vault", "kv/\"gh\"", NULL, &plain);
	cr_expect_str_eq(
		buf_text(&plain),
		"{\"ids\":[\"kv/\\\"gh\\\"\"],\"protocolVersion\":1,\"provider\":\"vault\"}");
	answer_ask("vault", "kv/gh", "c.gh", &leased);
	cr_expect_str_eq(buf_text(&leased),
			 "{\"ids\":[\"kv/gh\"],\"lease\":\"c.gh\",\"protocolVersion\":1,"
			 "\"provider\":\"vault\"}");
	answer_ask_revoke("vault", "kv/gh", "c.gh", "h", &revoke);
	cr_expect_str_eq(buf_text(&revoke),
			 "{\"handle\":\"h\",\"lease\":\"c.gh\",\"protocolVersion\":1,"
			 "\"provider\":\"vault\",\"revoke\":[\"kv/gh\"]}");
	answer_ask_revoke("vault", "kv/gh", "c.gh", "", &bare);
	cr_expect_str_eq(buf_text(&bare),
			 "{\"lease\":\"c.gh\",\"protocolVersion\":1,\"provider\":\"vault\","
			 "\"revoke\":[\"kv/gh\"]}");
}
