/* SPDX-License-Identifier: Apache-2.0 */
/* entry.c: the envelope, what is left of a forgotten one, the leaf. Run by `make unit`. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../../../launcher/store/entry.h"

#define CALL "0198c2a4-7f3e-7abc-8def-0123456789ab"
#define WORKFLOW "0198c2a4-0000-7000-8000-000000000001"
#define SALT "00112233445566778899aabbccddeeff"
#define RECORD                                                                                   \
	"{\"a\":1,\"pad\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"," \
	"\"pad2\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}"
#define PLANNED                                                         \
	"{\"call\":\"" CALL "\",\"record\":" RECORD ",\"salt\":\"" SALT \
	"\",\"type\":\"call.planned\"}"
/* { printf '\x00\x11...\xff'; printf '{"a":1,...}'; } | sha256sum */
#define DIGEST "468288d22525eb85271f0a287d64f399f8247b5020ce00cf58df4597f1fb0fea"

static bool
slice(const char *text, struct entry *ret)
{
	return entry_slice((const uint8_t *)text, strlen(text), ret);
}

Test(entry, every_type_has_a_word_that_finds_it)
{
	static const char *const of_call[] = { "call.planned", "call.outcome", "settle",
					       "lost", "resolve" };
	static const char *const of_none[] = { "gc",	   "key.rotate",   "log.close",
					       "log.open", "profile.load", "stop",
					       "witness",  "workflow" };
	enum entry_type type = ENTRY__COUNT;

	cr_expect_eq((int)ENTRY__COUNT, (int)(ARRAY_LEN(of_call) + ARRAY_LEN(of_none)));
	for (size_t i = 0; i < ARRAY_LEN(of_call); i++) {
		cr_assert(entry_type_find(of_call[i], &type), "%s", of_call[i]);
		cr_expect(entry_type_is_of_call(type), "%s", of_call[i]);
		cr_expect_str_eq(entry_type_word(type), of_call[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(of_none); i++) {
		cr_assert(entry_type_find(of_none[i], &type), "%s", of_none[i]);
		cr_expect(!entry_type_is_of_call(type), "%s", of_none[i]);
		cr_expect_str_eq(entry_type_word(type), of_none[i]);
	}
	cr_expect(!entry_type_find("call", &type));
	cr_expect_eq((int)type, (int)ENTRY_WORKFLOW);
}

Test(entry, a_payload_is_cut_into_its_parts)
{
	struct entry e;
	char hex[HEX_DIGEST_SIZE];

	cr_assert(slice(PLANNED, &e));
	cr_expect_eq((int)e.type, (int)ENTRY_PLANNED);
	cr_expect_str_eq(e.call, CALL);
	cr_expect_str_eq(e.forgotten, "");
	cr_expect_eq(e.record_len, strlen(RECORD));
	cr_expect_eq(memcmp(e.record, RECORD, strlen(RECORD)), 0);
	text_hex(e.salt, sizeof(e.salt), hex);
	cr_expect_str_eq(hex, SALT);
	text_hex(e.digest, sizeof(e.digest), hex);
	cr_expect_str_eq(hex, DIGEST);
}

Test(entry, what_has_not_the_shape_is_none)
{
	static const char *const rows[] = {
		"",
		"{}",
		"{\"call\":\"" CALL "\",\"record\":{},\"salt\":\"" SALT
		"\",\"type\":\"call.other\"}",
		"{\"call\":\"" CALL "\",\"record\":{},\"salt\":\"" SALT "\",\"type\":\"settle\"} ",
		"{\"call\":\"" CALL "\",\"record\":{},\"salt\":\"" SALT "\",\"type\":\"gc\"}",
		"{\"call\":\"" ENTRY_NO_CALL "\",\"record\":{},\"salt\":\"" SALT
		"\",\"type\":\"settle\"}",
		"{\"call\":\"0198C2A4-7f3e-7abc-8def-0123456789ab\",\"record\":{},\"salt\":\"" SALT
		"\",\"type\":\"settle\"}",
		"{\"call\":\"" CALL "\",\"record\":{},\"salt\":\"0011\",\"type\":\"settle\"}",
		"{\"call\":\"" CALL "\",\"record\":,\"salt\":\"" SALT "\",\"type\":\"settle\"}",
		"{\"call\":\"" CALL "\",\"digest\":\"" DIGEST
		"\",\"forgotten\":true,\"type\":\"call.planned\",\"workflow\":\"" WORKFLOW "\"}x",
		"{\"call\":\"" CALL "\",\"digest\":\"" DIGEST
		"\",\"forgotten\":false,\"type\":\"call.planned\",\"workflow\":\"" WORKFLOW "\"}",
		"{\"call\":\"" CALL "\",\"digest\":\"aa\",\"forgotten\":true,"
		"\"type\":\"call.planned\",\"workflow\":\"" WORKFLOW "\"}",
		"{\"call\":\"" CALL "\",\"digest\":\"" DIGEST
		"\",\"forgotten\":true,\"type\":\"call.planned\"}",
		"{\"call\":\"" ENTRY_NO_CALL "\",\"digest\":\"" DIGEST
		"\",\"forgotten\":true,\"type\":\"gc\",\"workflow\":\"" WORKFLOW "\"}",
	};
	struct entry e = { .type = ENTRY_GC };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_expect(!slice(rows[i], &e), "row %zu", i);
	}
	cr_expect_eq((int)e.type, (int)ENTRY_GC);
	/* the controls: nothing wrong */
	cr_expect(slice("{\"call\":\"" CALL "\",\"record\":{},\"salt\":\"" SALT
			"\",\"type\":\"settle\"}",
			&e));
	cr_expect(slice("{\"call\":\"" ENTRY_NO_CALL "\",\"record\":{},\"salt\":\"" SALT
			"\",\"type\":\"gc\"}",
			&e));
	cr_expect(slice("{\"call\":\"" CALL "\",\"digest\":\"" DIGEST
			"\",\"forgotten\":true,\"type\":\"call.planned\",\"workflow\":\"" WORKFLOW
			"\"}",
			&e));
}

Test(entry, what_was_printed_is_read_and_no_two_salts_are_alike)
{
	auto_buf first = BUF_INIT, second = BUF_INIT;
	struct entry a, b;

	cr_assert_eq(entry_print(ENTRY_OUTCOME, CALL, RECORD, strlen(RECORD), &first), 0);
	cr_assert_eq(entry_print(ENTRY_WITNESS, ENTRY_NO_CALL, "{}", 2, &second), 0);
	cr_assert(slice(buf_text(&first), &a));
	cr_assert(slice(buf_text(&second), &b));
	cr_expect_eq((int)a.type, (int)ENTRY_OUTCOME);
	cr_expect_eq((int)b.type, (int)ENTRY_WITNESS);
	cr_expect_eq(b.record_len, 2u);
	cr_expect_neq(memcmp(a.salt, b.salt, sizeof(a.salt)), 0);
}

Test(entry, a_forgotten_one_keeps_its_length_its_digest_and_its_leaf)
{
	static const char stub[] =
		"{\"call\":\"" CALL "\",\"digest\":\"" DIGEST
		"\",\"forgotten\":true,\"type\":\"call.planned\",\"workflow\":\"" WORKFLOW "\"}";
	static const char leaf[] =
		"{\"call\":\"" CALL "\",\"digest\":\"" DIGEST "\",\"type\":\"call.planned\"}";
	auto_buf out = BUF_INIT, before = BUF_INIT, after = BUF_INIT;
	struct entry whole, e;

	cr_assert(slice(PLANNED, &whole));
	cr_assert_eq(entry_print_forgotten(&whole, WORKFLOW, strlen(PLANNED), &out), 0);
	cr_expect_eq(out.len, strlen(PLANNED));
	cr_expect_eq(memcmp(out.data, stub, strlen(stub)), 0);
	cr_expect_eq(strspn(buf_text(&out) + strlen(stub), " "), out.len - strlen(stub));
	cr_assert(slice(buf_text(&out), &e));
	cr_expect_eq((int)e.type, (int)ENTRY_PLANNED);
	cr_expect_null(e.record);
	cr_expect_str_eq(e.forgotten, WORKFLOW);
	entry_leaf(whole.type, whole.call, whole.digest, &before);
	entry_leaf(e.type, e.call, e.digest, &after);
	cr_expect_str_eq(buf_text(&before), leaf);
	cr_expect_str_eq(buf_text(&after), leaf);
}

Test(entry, only_a_calls_entry_that_is_long_enough_is_forgotten)
{
	auto_buf out = BUF_INIT;
	struct entry e;

	cr_assert(slice(PLANNED, &e));
	cr_expect_eq(entry_print_forgotten(&e, WORKFLOW, 100, &out), -ENOSPC);
	cr_assert(slice("{\"call\":\"" ENTRY_NO_CALL "\",\"record\":{},\"salt\":\"" SALT
			"\",\"type\":\"gc\"}",
			&e));
	cr_expect_eq(entry_print_forgotten(&e, WORKFLOW, 1000, &out), -EINVAL);
}
