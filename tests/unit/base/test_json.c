/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. The writer's bytes, its refusals, and jansson's opinion of them. */
#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../launcher/base/json.h"
#include "../../../launcher/base/text.h"

/* jansson reads the text and writes the same bytes. */
static void
expect_canonical(const struct buf *b)
{
	json_error_t error;
	json_t *root = json_loadb(buf_text(b), b->len, JSON_DECODE_ANY, &error);
	char *again;

	cr_assert_not_null(root, "%s at %d of %s", error.text, error.position, buf_text(b));
	again = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	cr_expect_str_eq(buf_text(b), again);
	free(again);
	json_decref(root);
}

Test(json, a_document)
{
	auto_buf b = BUF_INIT;
	struct json j;

	json_init(&j, &b);
	json_begin_object(&j);
	json_key(&j, "array");
	json_begin_array(&j);
	json_int(&j, -5);
	json_uint(&j, UINT64_C(9223372036854775807));
	json_begin_object(&j);
	json_end(&j);
	json_begin_array(&j);
	json_end(&j);
	json_put_null(&j);
	json_end(&j);
	json_key(&j, "base64");
	json_base64(&j, "\x00\xff", 2);
	json_kv_bool(&j, "f", false);
	json_kv_hex(&j, "hex", (const uint8_t *)"\x00\xab", 2);
	json_kv_hex(&j, "hex2", NULL, 2);
	json_kv_int(&j, "i", INT64_MIN);
	json_kv_known(&j, "k", true, -1);
	json_kv_known(&j, "k2", false, -1);
	json_kv_path(&j, "p", "a\xff");
	json_kv_path(&j, "p2", NULL);
	json_key(&j, "raw");
	json_raw(&j, "{\"a\":1}", 7);
	json_kv_str(&j, "s", "x");
	json_kv_str(&j, "s2", NULL);
	json_kv_bool(&j, "t", true);
	json_kv_uint(&j, "u", 0);
	json_end(&j);
	cr_expect_eq(json_error(&j), 0);
	cr_expect_str_eq(
		buf_text(&b),
		"{\"array\":[-5,9223372036854775807,{},[],null],\"base64\":\"AP8=\",\"f\":false,"
		"\"hex\":\"00ab\",\"hex2\":null,\"i\":-9223372036854775808,\"k\":-1,"
		"\"k2\":null,\"p\":\"a\\\\377\",\"p2\":null,\"raw\":{\"a\":1},\"s\":\"x\","
		"\"s2\":null,\"t\":true,\"u\":0}");
	expect_canonical(&b);
}

Test(json, greatest_unsigned)
{
	auto_buf b = BUF_INIT;
	struct json j;

	json_init(&j, &b);
	json_uint(&j, UINT64_MAX);
	cr_expect_eq(json_error(&j), 0);
	cr_expect_str_eq(buf_text(&b), "18446744073709551615");
}

/* Each byte alone, by json_bytes: jansson takes it, and text_unvis gives the byte back. */
Test(json, every_byte_survives)
{
	for (unsigned int v = 0; v < 256; v++) {
		auto_buf b = BUF_INIT;
		auto_buf back = BUF_INIT;
		struct json j;
		uint8_t c = (uint8_t)v;
		json_t *root;

		json_init(&j, &b);
		json_bytes(&j, &c, 1);
		cr_assert_eq(json_error(&j), 0);
		expect_canonical(&b);
		root = json_loadb(buf_text(&b), b.len, JSON_DECODE_ANY, NULL);
		cr_assert_eq(text_unvis(json_string_value(root), &back), 0, "byte %u", v);
		cr_assert_eq(back.len, 1u, "byte %u", v);
		cr_expect_eq(back.data[0], v);
		json_decref(root);
	}
}

Test(json, strings)
{
	/* clang-format off */
	static const struct { const char *in; size_t len; const char *bytes; } rows[] = {
		{ "", 0, "\"\"" },
		{ "plain", 5, "\"plain\"" },
		{ "a\"b", 3, "\"a\\\"b\"" },
		{ "a\\b", 3, "\"a\\\\134b\"" },
		{ "\n\t\r\b\f", 5, "\"\\n\\t\\r\\b\\f\"" },
		{ "\x1b[31m", 5, "\"\\u001B[31m\"" },
		{ "\x7f/", 2, "\"\x7f/\"" },
		{ "\xc3\xa9\xf0\x9f\x98\x80", 6, "\"\xc3\xa9\xf0\x9f\x98\x80\"" },
		{ "a\xff" "b", 3, "\"a\\\\377b\"" },
		{ "\xc3", 1, "\"\\\\303\"" },
		{ "\xed\xa0\x80", 3, "\"\\\\355\\\\240\\\\200\"" },
		{ "a\0b", 3, "\"a\\\\000b\"" },
	};
	/* clang-format on */
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf b = BUF_INIT;
		struct json j;

		json_init(&j, &b);
		json_bytes(&j, rows[i].in, rows[i].len);
		cr_expect_eq(json_error(&j), 0);
		cr_expect_str_eq(buf_text(&b), rows[i].bytes, "row %zu", i);
		expect_canonical(&b);
	}
}

Test(json, str_keeps_the_backslash_and_is_valid_always)
{
	auto_buf b = BUF_INIT;
	struct json j;

	json_init(&j, &b);
	json_str(&j, "a\\b\xff");
	cr_expect_eq(json_error(&j), 0);
	cr_expect_str_eq(buf_text(&b), "\"a\\\\b\\\\377\"");
	expect_canonical(&b);
}

Test(json, path_is_vis)
{
	auto_buf b = BUF_INIT;
	struct json j;

	json_init(&j, &b);
	json_path(&j, "d/x y\n\xc3\xa9\\");
	cr_expect_eq(json_error(&j), 0);
	cr_expect_str_eq(buf_text(&b), "\"d/x\\\\040y\\\\012\\\\303\\\\251\\\\134\"");
}

static void
unsorted(struct json *j)
{
	json_begin_object(j);
	json_kv_uint(j, "b", 1);
	json_kv_uint(j, "a", 1);
	json_end(j);
}

static void
same_key_twice(struct json *j)
{
	json_begin_object(j);
	json_kv_uint(j, "a", 1);
	json_kv_uint(j, "a", 1);
	json_end(j);
}

static void
unsorted_by_high_byte(struct json *j)
{
	json_begin_object(j);
	json_kv_uint(j, "\xc3\xa9", 1);
	json_kv_uint(j, "z", 1);
	json_end(j);
}

static void
value_without_key(struct json *j)
{
	json_begin_object(j);
	json_uint(j, 1);
	json_end(j);
}

static void
key_without_value(struct json *j)
{
	json_begin_object(j);
	json_key(j, "a");
	json_end(j);
}

static void
two_keys(struct json *j)
{
	json_begin_object(j);
	json_key(j, "a");
	json_key(j, "b");
	json_uint(j, 1);
	json_end(j);
}

static void
key_in_array(struct json *j)
{
	json_begin_array(j);
	json_kv_uint(j, "a", 1);
	json_end(j);
}

static void
key_at_top(struct json *j)
{
	json_kv_uint(j, "a", 1);
}

static void
never_closed(struct json *j)
{
	json_begin_object(j);
}

static void
closed_twice(struct json *j)
{
	json_begin_object(j);
	json_end(j);
	json_end(j);
}

static void
two_documents(struct json *j)
{
	json_uint(j, 1);
	json_uint(j, 2);
}

static void
nothing(struct json *j)
{
	(void)j;
}

static void
too_deep(struct json *j)
{
	for (unsigned int i = 0; i <= JSON_DEPTH_MAX; i++) {
		json_begin_array(j);
	}
	for (unsigned int i = 0; i <= JSON_DEPTH_MAX; i++) {
		json_end(j);
	}
}

static void
key_too_long(struct json *j)
{
	char key[JSON_KEY_MAX + 1];

	memset(key, 'k', JSON_KEY_MAX);
	key[JSON_KEY_MAX] = '\0';
	json_begin_object(j);
	json_kv_uint(j, key, 1);
	json_end(j);
}

Test(json, every_misuse_is_found)
{
	/* clang-format off */
	static const struct { const char *name; void (*write)(struct json *j); } rows[] = {
		{ "unsorted", unsorted },
		{ "same_key_twice", same_key_twice },
		{ "unsorted_by_high_byte", unsorted_by_high_byte },
		{ "value_without_key", value_without_key },
		{ "key_without_value", key_without_value },
		{ "two_keys", two_keys },
		{ "key_in_array", key_in_array },
		{ "key_at_top", key_at_top },
		{ "never_closed", never_closed },
		{ "closed_twice", closed_twice },
		{ "two_documents", two_documents },
		{ "nothing", nothing },
		{ "too_deep", too_deep },
		{ "key_too_long", key_too_long },
	};
	/* clang-format on */
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf b = BUF_INIT;
		struct json j;

		json_init(&j, &b);
		rows[i].write(&j);
		cr_expect_eq(json_error(&j), -EINVAL, "%s", rows[i].name);
	}
}

Test(json, as_deep_and_long_as_allowed)
{
	auto_buf b = BUF_INIT;
	struct json j;
	char key[JSON_KEY_MAX];

	memset(key, 'k', JSON_KEY_MAX - 1);
	key[JSON_KEY_MAX - 1] = '\0';
	json_init(&j, &b);
	for (unsigned int i = 1; i < JSON_DEPTH_MAX; i++) {
		json_begin_array(&j);
	}
	json_begin_object(&j);
	json_kv_uint(&j, key, 1);
	for (unsigned int i = 0; i < JSON_DEPTH_MAX; i++) {
		json_end(&j);
	}
	cr_expect_eq(json_error(&j), 0);
	expect_canonical(&b);
}

Test(json, failed_buffer_is_no_memory)
{
	auto_buf b = BUF_INIT;
	struct json j;

	json_init(&j, &b);
	b.failed = true;
	json_uint(&j, 1);
	cr_expect_eq(json_error(&j), -ENOMEM);
}
