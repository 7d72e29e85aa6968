/* SPDX-License-Identifier: Apache-2.0 */
/* What airlock-cli leases, as bytes: run as the developer or CI. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../../../launcher/base/sha256.h"
#include "../../../launcher/credd/lease.h"

static const uint8_t digest[SHA256_SIZE] = { 1, 2, 3 }, key[SHA256_SIZE] = { 9 };

static struct lease
sample(void)
{
	struct lease l = {
		.bundle = "acme",
		.bundle_digest = digest,
		.fingerprint_key = key,
		.uid = 2147000001,
		.items = { { .item = "gh",
			     .source = "sealed",
			     .access = "read",
			     .name = "token",
			     .delivery = DELIVERY_FILE,
			     .is_sealed = true,
			     .version = 3,
			     .expires_ms = UINT64_C(0x123456789abc),
			     .ask = "" },
			   { .item = "db",
			     .source = "file",
			     .access = "write",
			     .name = "DB",
			     .delivery = DELIVERY_ENV,
			     .ask = "kv/db",
			     .is_revocable = true,
			     .pid = 77 } },
		.count = 2,
		.left_out = { "credential x is not given: why" },
		.left_out_count = 1,
	};

	return l;
}

Test(lease, what_is_said_is_heard)
{
	auto_buf bytes = BUF_INIT;
	struct lease want = sample(), got;

	lease_encode(&want, &bytes);
	cr_assert_eq(lease_decode(bytes.data, bytes.len, &got), 0);
	cr_expect_str_eq(got.bundle, "acme");
	cr_expect_eq(memcmp(got.bundle_digest, digest, SHA256_SIZE), 0);
	cr_expect_eq(memcmp(got.fingerprint_key, key, SHA256_SIZE), 0);
	cr_expect_eq(got.uid, 2147000001u);
	cr_assert_eq(got.count, 2u);
	cr_expect_str_eq(got.items[0].item, "gh");
	cr_expect_str_eq(got.items[0].source, "sealed");
	cr_expect_str_eq(got.items[0].access, "read");
	cr_expect_str_eq(got.items[0].name, "token");
	cr_expect_eq(got.items[0].delivery, DELIVERY_FILE);
	cr_expect_eq(got.items[0].is_sealed, true);
	cr_expect_eq(got.items[0].version, 3u);
	cr_expect_eq(got.items[0].expires_ms, UINT64_C(0x123456789abc));
	cr_expect_str_eq(got.items[1].item, "db");
	cr_expect_eq(got.items[1].delivery, DELIVERY_ENV);
	cr_expect_eq(got.items[1].is_sealed, false);
	cr_assert_eq(got.left_out_count, 1u);
	cr_expect_str_eq(got.left_out[0], "credential x is not given: why");
}

Test(lease, a_part_of_it_is_none)
{
	auto_buf bytes = BUF_INIT;
	struct lease want = sample(), got;

	lease_encode(&want, &bytes);
	for (size_t len = 0; len < bytes.len; len++) {
		cr_expect_eq(lease_decode(bytes.data, len, &got), -EBADMSG, "%zu bytes", len);
	}
	buf_u8(&bytes, 0);
	cr_expect_eq(lease_decode(bytes.data, bytes.len, &got), -EBADMSG, "one byte more");
}

Test(lease, no_more_items_than_there_is_room_for)
{
	auto_buf bytes = BUF_INIT;
	struct lease l = sample(), got;

	for (size_t i = 0; i < LEASE_ITEMS_MAX; i++) {
		l.items[i] = l.items[0];
		l.left_out[i] = "";
	}
	l.count = l.left_out_count = LEASE_ITEMS_MAX;
	lease_encode(&l, &bytes);
	cr_assert_eq(lease_decode(bytes.data, bytes.len, &got), 0);
	cr_expect_eq(got.count, (size_t)LEASE_ITEMS_MAX);
	/* the count is behind magic, bundle, both digests and the uid */
	bytes.data[4 + 4 + 5 + 2 * SHA256_SIZE + 4] = LEASE_ITEMS_MAX + 1;
	cr_expect_eq(lease_decode(bytes.data, bytes.len, &got), -EBADMSG);
}

Test(lease, a_delivery_that_is_none)
{
	auto_buf bytes = BUF_INIT;
	struct lease l = sample(), got;

	l.items[1].delivery = DELIVERY__COUNT;
	lease_encode(&l, &bytes);
	cr_expect_eq(lease_decode(bytes.data, bytes.len, &got), -EBADMSG);
}
