/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the first inputs for fuzz_credd into a directory: seed_credd DIRECTORY. Run by the
 * developer or CI. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../../launcher/base/fdio.h"
#include "../../launcher/base/sha256.h"
#include "../../launcher/credd/credd_protocol.h"
#include "../../launcher/credd/lease.h"

/* The first byte is the reader. */
enum reader {
	READS_LEASE,
	READS_MESSAGE,
	READS_VALUES,
	READS_FACTS,
};

static int
write_seed(const char *dir, const char *name, enum reader reader, const struct buf *bytes)
{
	char path[4096];
	auto_buf seed = BUF_INIT;
	auto_fd fd = -1;

	buf_u8(&seed, (uint8_t)reader);
	buf_put(&seed, bytes->data, bytes->len);
	if (buf_error(&seed) < 0 ||
	    snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path)) {
		return -1;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	return fd < 0 ? -1 : fdio_write(fd, seed.data, seed.len);
}

static void
make_lease(struct buf *out)
{
	static const uint8_t digest[SHA256_SIZE] = { 1, 2, 3 };
	struct lease l = {
		.bundle = "acme",
		.bundle_digest = digest,
		.fingerprint_key = digest,
		.items = { { .item = "gh",
			     .source = "sealed",
			     .access = "read",
			     .name = "token",
			     .delivery = DELIVERY_FILE,
			     .is_sealed = true,
			     .version = 3,
			     .expires_ms = UINT64_C(0x123456789abc),
			     .ask = "kv/gh",
			     .is_revocable = true,
			     .pid = 77 } },
		.count = 1,
		.left_out = { "credential x is not given: why" },
		.left_out_count = 1,
	};

	for (int i = 1; i < DELIVERY__COUNT; i++) {
		l.items[l.count] = l.items[0];
		l.items[l.count++].delivery = (enum plan_delivery)i;
	}
	lease_encode(&l, out);
}

int
main(int argc, char **argv)
{
	auto_buf lease = BUF_INIT, leased = BUF_INIT, refused = BUF_INIT, values = BUF_INIT;
	auto_buf facts = BUF_INIT;
	int rc;

	if (argc != 2) {
		fprintf(stderr, "usage: seed_credd DIRECTORY\n");
		return 2;
	}
	make_lease(&lease);
	buf_u8(&leased, CREDD_LEASED);
	buf_put(&leased, lease.data, lease.len);
	buf_u8(&refused, CREDD_REFUSED);
	buf_str(&refused, "credential gh of bundle acme is revoked");
	for (uint32_t len = 1; len < 4; len++) {
		buf_put(&facts, "8 bytes!", LEASE_FINGERPRINT_SIZE);
		buf_u64(&facts, len);
		buf_str(&facts, len > 1 ? "01a217a1-42dc-799d-9d83-9f9e97583ef3" : "");
		buf_u32(&values, len);
		buf_put(&values, "abc", len);
	}
	rc = write_seed(argv[1], "lease", READS_LEASE, &lease);
	rc = rc < 0 ? rc : write_seed(argv[1], "leased", READS_MESSAGE, &leased);
	rc = rc < 0 ? rc : write_seed(argv[1], "refused", READS_MESSAGE, &refused);
	rc = rc < 0 ? rc : write_seed(argv[1], "values", READS_VALUES, &values);
	rc = rc < 0 ? rc : write_seed(argv[1], "facts", READS_FACTS, &facts);
	return rc < 0;
}
