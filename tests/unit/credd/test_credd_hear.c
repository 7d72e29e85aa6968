/* SPDX-License-Identifier: Apache-2.0 */
/* What the front takes from the process of its lease: run as the developer or CI. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../../../launcher/base/buf.h"
#include "../../../launcher/credd/credd_protocol.h"

static int
hear(const struct buf *message, enum credd_message want, char text[ERR_TEXT_MAX])
{
	struct err err = ERR_INIT;
	int rc = credd_hear(message->data, message->len, want, &err);

	snprintf(text, ERR_TEXT_MAX, "%s", err.text);
	return rc;
}

Test(credd_hear, messages)
{
	static const struct {
		uint8_t what;
		const char *text; /* NULL: none is behind it */
		enum credd_message want;
		int rc;
		const char *says;
	} rows[] = {
		{ CREDD_LEASED, "rest", CREDD_LEASED, 0, "" },
		{ CREDD_LEASED, NULL, CREDD_LEASED, 0, "" },
		{ CREDD_VALUES, NULL, CREDD_LEASED, -EPROTO,
		  "the lease's process has said what it does not say" },
		{ 0, NULL, CREDD_LEASED, -EPROTO,
		  "the lease's process has said what it does not say" },
		{ CREDD_REFUSED, "it is revoked", CREDD_LEASED, -EACCES, "it is revoked" },
		{ CREDD_FAILED, "no identity", CREDD_VALUES, -EACCES, "no identity" },
		{ CREDD_FAILED, "", CREDD_VALUES, -EPROTO,
		  "the lease's process has failed, and not said why" },
		{ CREDD_FAILED, NULL, CREDD_VALUES, -EPROTO,
		  "the lease's process has said what it does not say" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf message = BUF_INIT;
		char text[ERR_TEXT_MAX];

		buf_u8(&message, rows[i].what);
		if (rows[i].text != NULL) {
			buf_str(&message, rows[i].text);
		}
		cr_expect_eq(hear(&message, rows[i].want, text), rows[i].rc, "%zu", i);
		cr_expect_str_eq(text, rows[i].says, "%zu", i);
	}
}

Test(credd_hear, the_other_end_is_closed)
{
	auto_buf message = BUF_INIT;
	char text[ERR_TEXT_MAX];

	cr_expect_eq(hear(&message, CREDD_VALUES, text), -EPROTO);
	cr_expect_str_eq(text, "the lease's process has died");
}

/* A reason that is cut off, or has a NUL in it, is none. */
Test(credd_hear, a_damaged_reason)
{
	auto_buf whole = BUF_INIT;
	char text[ERR_TEXT_MAX];

	buf_u8(&whole, CREDD_REFUSED);
	buf_str(&whole, "why");
	for (size_t len = 2; len < whole.len; len++) {
		struct buf part = whole;

		part.len = len;
		cr_expect_eq(hear(&part, CREDD_LEASED, text), -EPROTO, "%zu", len);
	}
	cr_expect_eq(hear(&whole, CREDD_LEASED, text), -EACCES);
}

Test(credd_hear, values)
{
	struct credd_value got[3];
	auto_buf memory = BUF_INIT;

	buf_u32(&memory, 5);
	buf_put(&memory, "first", 5);
	buf_u32(&memory, 1);
	buf_put(&memory, "2", 1);
	cr_assert_eq(credd_hear_values(memory.data, memory.len, 2, got), 0);
	cr_expect_eq(got[0].len, 5u);
	cr_expect_eq(memcmp(got[0].bytes, "first", 5), 0);
	cr_expect_eq(got[1].len, 1u);
	cr_expect_eq(got[1].bytes[0], '2');
	/* pages are whole: what is behind them is not looked at */
	cr_expect_eq(credd_hear_values(memory.data, memory.len, 1, got), 0);
	cr_expect_eq(credd_hear_values(memory.data, memory.len, 3, got), -EPROTO);
	for (size_t len = 0; len < memory.len; len++) {
		cr_expect_eq(credd_hear_values(memory.data, len, 2, got), -EPROTO, "%zu", len);
	}
	buf_u32(&memory, 0);
	cr_expect_eq(credd_hear_values(memory.data, memory.len, 3, got), -EPROTO, "an empty one");
}

Test(credd_hear, facts)
{
	struct credd_fact got[2];
	auto_buf bytes = BUF_INIT;
	struct rd r;

	buf_put(&bytes, "12345678", LEASE_FINGERPRINT_SIZE);
	buf_u64(&bytes, 17);
	buf_str(&bytes, "01a217a1-42dc-799d-9d83-9f9e97583ef3");
	buf_put(&bytes, "abcdefgh", LEASE_FINGERPRINT_SIZE);
	buf_u64(&bytes, 0);
	buf_str(&bytes, "");
	r = (struct rd){ .p = bytes.data, .left = bytes.len };
	cr_assert_eq(credd_hear_facts(&r, 2, got), 0);
	cr_expect_eq(r.left, 0u);
	cr_expect_eq(memcmp(got[0].fingerprint, "12345678", LEASE_FINGERPRINT_SIZE), 0);
	cr_expect_eq(got[0].expires_ms, 17u);
	cr_expect_str_eq(got[0].call, "01a217a1-42dc-799d-9d83-9f9e97583ef3");
	cr_expect_eq(got[1].expires_ms, 0u);
	cr_expect_str_eq(got[1].call, "");
	for (size_t len = 0; len < bytes.len; len++) {
		r = (struct rd){ .p = bytes.data, .left = len };
		cr_expect_eq(credd_hear_facts(&r, 2, got), -EPROTO, "%zu", len);
	}
	buf_reset(&bytes);
	buf_put(&bytes, "12345678", LEASE_FINGERPRINT_SIZE);
	buf_u64(&bytes, 17);
	buf_str(&bytes, "01a217a1-42dc-799d-9d83-9f9e97583ef3!");
	r = (struct rd){ .p = bytes.data, .left = bytes.len };
	cr_expect_eq(credd_hear_facts(&r, 1, got), -EPROTO, "longer than a call");
}
