/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for what resolvers answer, and for what is owed to them. Run by the developer or
 * CI; the bytes of an answer are anybody's. The first byte says which reader. What is taken must
 * lie in the room and have its size; an error has words, and none of the bytes but an error's code.
 */
#include "../../launcher/base/json.h"
#include "../../launcher/credd/answer.h"
#include "../../launcher/credd/owed.h"
#include "fuzz.h"

static void
one_answer(uint8_t *room, size_t size)
{
	struct answer a;
	struct err err = ERR_INIT;

	if (answer_read(room, size, "kv/gh", &a, &err) == 0) {
		require(a.len >= 1 && a.len <= CAP_VALUE, "a length that is none");
		require(a.value > room && a.value + a.len < room + ANSWER_ROOM, "out of the room");
		require(!a.is_refused, "a value that is refused");
	} else {
		require(err.text[0] != '\0' && strlen(err.text) < 120, "an error without words");
		require(a.value == NULL, "a value with an error");
	}
	require(strlen(a.handle) < ANSWER_HANDLE_SIZE, "a handle that is too long");
	for (const char *p = a.handle; *p != '\0'; p++) {
		require(*p >= ' ' && *p <= '~', "a handle that cannot be shown");
	}
}

static void
one_owed(const uint8_t *data, size_t size)
{
	struct arena arena = ARENA_INIT;
	auto_buf bytes = BUF_INIT, request = BUF_INIT;
	struct owed o;

	buf_put(&bytes, data, size);
	if (owed_read(&bytes, &arena, &o) == 0) {
		require(o.command_count > 0 && o.command[0] != NULL && o.handle != NULL,
			"a text that is none");
		answer_ask_revoke(o.provider, o.id, o.call, o.handle, &request);
		require(buf_error(&request) == 0 &&
				json_check_object(buf_text(&request), request.len) == 0,
			"a request that is no JSON");
	}
	arena_finish(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t room[ANSWER_ROOM];
	struct err err = ERR_INIT;

	require(size <= CAP_ANSWER, "no room");
	if (size == 0) {
		return 0;
	}
	memcpy(room, data + 1, size - 1);
	switch (data[0]) {
	case 0:
		one_answer(room, size - 1);
		break;
	case 1:
		require(answer_revoked(room, size - 1, "kv/gh", &err) == 0 || err.text[0] != '\0',
			"an error without words");
		break;
	default:
		one_owed(data + 1, size - 1);
		break;
	}
	return 0;
}
