/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for what the front, `airlock-cli lease` and airlock-credd say to each other. Run
 * by the developer or CI. The first byte is the reader: 0 the lease, which airlock-credd has from a
 * memfd and the front from the socket; 1 a message to the front; 2 the memory with the values; 3
 * what is said of them. What is taken lies in the bytes and says the same when it is said again; an
 * error has words.
 */
#include <errno.h>

#include "../../launcher/base/sha256.h"
#include "../../launcher/base/text.h"
#include "../../launcher/credd/credd_protocol.h"
#include "../../launcher/credd/lease.h"
#include "fuzz.h"

static void
require_inside(const void *p, size_t len, const uint8_t *data, size_t size)
{
	const uint8_t *at = p;

	require(at >= data && len <= size && at <= data + size - len, "out of the bytes");
}

/* Each text ends in the bytes; rd_str gives a literal for none, which only what is bad has. */
static void
require_text(const char *text, const uint8_t *data, size_t size)
{
	require_inside(text, 1, data, size);
	require_inside(text, strlen(text) + 1, data, size);
}

static void
lease(const uint8_t *data, size_t size)
{
	struct lease l, again;
	auto_buf said = BUF_INIT, twice = BUF_INIT;

	if (lease_decode(data, size, &l) < 0) {
		return;
	}
	require(l.count <= LEASE_ITEMS_MAX && l.left_out_count <= LEASE_ITEMS_MAX, "too many");
	require_text(l.bundle, data, size);
	require_inside(l.bundle_digest, SHA256_SIZE, data, size);
	require_inside(l.fingerprint_key, SHA256_SIZE, data, size);
	for (size_t i = 0; i < l.count; i++) {
		const struct lease_item *item = &l.items[i];

		require_text(item->item, data, size);
		require_text(item->source, data, size);
		require_text(item->access, data, size);
		require_text(item->name, data, size);
		require_text(item->ask, data, size);
		require(item->delivery < DELIVERY__COUNT, "no delivery");
	}
	for (size_t i = 0; i < l.left_out_count; i++) {
		require_text(l.left_out[i], data, size);
	}
	lease_encode(&l, &said);
	require(buf_error(&said) == 0 && lease_decode(said.data, said.len, &again) == 0,
		"it is not said again");
	lease_encode(&again, &twice);
	require(said.len == size && twice.len == said.len &&
			memcmp(said.data, twice.data, said.len) == 0,
		"it is another one");
}

static void
message(const uint8_t *data, size_t size)
{
	for (int want = CREDD_LEASED; want <= CREDD_REVOKED; want++) {
		struct err err = ERR_INIT;
		int rc = credd_hear(data, size, (enum credd_message)want, &err);

		if (rc == 0) {
			require(size > 0 && data[0] == want, "another message");
		} else {
			require(rc == -EACCES || rc == -EPROTO, "another error");
			require(err.text[0] != '\0', "an error without words");
		}
		require(rc != -EACCES || data[0] == CREDD_REFUSED || data[0] == CREDD_FAILED,
			"a refusal that is none");
	}
}

static void
values(const uint8_t *data, size_t size)
{
	struct credd_value values[LEASE_ITEMS_MAX];
	size_t sum = 0;

	for (size_t count = 1; count <= LEASE_ITEMS_MAX; count++) {
		const struct credd_value *last = &values[count - 1];

		if (credd_hear_values(data, size, count, values) < 0) {
			return; /* nor are there more of them */
		}
		require(last->len > 0, "an empty value");
		require_inside(last->bytes, last->len, data, size);
		sum += last->len + sizeof(uint32_t);
		require(sum <= size, "more than there is");
	}
}

static void
facts(const uint8_t *data, size_t size)
{
	struct credd_fact facts[LEASE_ITEMS_MAX];

	for (size_t count = 0; count <= LEASE_ITEMS_MAX; count++) {
		struct rd r = { .p = data, .left = size };

		if (credd_hear_facts(&r, count, facts) < 0) {
			return; /* nor are there more of them */
		}
		require(r.left <= size, "more than there is");
		for (size_t i = 0; i < count; i++) {
			require_inside(facts[i].fingerprint, LEASE_FINGERPRINT_SIZE, data, size);
			require_text(facts[i].call, data, size);
			require(strlen(facts[i].call) < UUID_TEXT_SIZE, "no call");
		}
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const readers[])(const uint8_t *, size_t) = { lease, message, values, facts };

	if (size > 0) {
		readers[data[0] % ARRAY_LEN(readers)](data + 1, size - 1);
	}
	return 0;
}
