/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs as the developer or CI, with the age programs. Payloads, and age files made and opened; the
 * identities are the tests' own.
 */
#include <signal.h>

#include "../../../launcher/bundle/bundle_identity.h"
#include "../../../launcher/bundle/sealed.h"
#include "bundle_test.h"

#define AAD "\"aad\":{\"bundle\":\"acme\",\"item\":\"gh\",\"version\":3}"

#define OF(bundle, item, version)                                                        \
	"{\"aad\":{\"bundle\":\"" bundle "\",\"item\":\"" item "\",\"version\":" version \
	"},\"id\":\"i\",\"value\":\"s\"}"

static const struct sealed_place place = { "acme", "gh", 3 };

/* What is taken, and what is refused with which words. */
static const struct {
	const char *payload, *value, *err;
	uint64_t not_after_ms;
} payloads[] = {
	{ "{" AAD ",\"id\":\"i\",\"value\":\"s\"}", "s", NULL, 0 },
	{ " {\"value\" : \"a\\n\\u00e9\\\"\" , \"id\":\"\", \"not_after\":null, " AAD "} ",
	  "a\né\"", NULL, 0 },
	{ "{" AAD ",\"id\":\"i\",\"value_base64\":\"c2U=\",\"not_after\":\"2027-01-01T00:00:00Z\"}",
	  "se", NULL, 1798761600000 },
	{ "{\"aad\":{\"version\":3,\"item\":\"gh\",\"bundle\":\"acm\\u0065\"},\"id\":\"i\","
	  "\"value\":\"s\"}",
	  "s", NULL, 0 },
	{ OF("other", "gh", "3"), NULL, "it was made for another bundle, not for acme/gh version 3",
	  0 },
	{ OF("acme", "g", "3"), NULL, "it was made for another item, not for acme/gh version 3",
	  0 },
	{ OF("acme", "gh", "2"), NULL, "it was made for another version, not for acme/gh version 3",
	  0 },
	{ OF("acme", "gh", "33"), NULL,
	  "it was made for another version, not for acme/gh version 3", 0 },
	{ OF("acme", "gh", "\"3\""), NULL,
	  "it was made for another version, not for acme/gh version 3", 0 },
	{ OF("acme", "gh", "3,\"x\":1"), NULL, "its payload does not say where it belongs", 0 },
	{ "{\"id\":\"i\",\"value\":\"s\"}", NULL, "its payload does not say where it belongs", 0 },
	{ "{" AAD ",\"value\":\"s\"}", NULL, "its payload has no id", 0 },
	{ "{" AAD ",\"id\":7,\"value\":\"s\"}", NULL, "its payload has no id", 0 },
	{ "{" AAD ",\"id\":\"i\"}", NULL, "its payload has not one value", 0 },
	{ "{" AAD ",\"id\":\"i\",\"value\":\"s\",\"value_base64\":\"cw==\"}", NULL,
	  "its payload has not one value", 0 },
	{ "{" AAD ",\"id\":\"i\",\"value\":\"s\",\"value\":\"t\"}", NULL,
	  "its payload is not JSON of id, value or value_base64, not_after and aad", 0 },
	{ "{" AAD ",\"id\":\"i\",\"value\":\"s\",\"x\":1}", NULL,
	  "its payload is not JSON of id, value or value_base64, not_after and aad", 0 },
	{ "s3cr3t", NULL, "its payload is not JSON of id, value or value_base64, not_after and aad",
	  0 },
	{ "{" AAD ",\"id\":\"i\",\"value\":7}", NULL,
	  "its payload's value is not what its name says", 0 },
	{ "{" AAD ",\"id\":\"i\",\"value_base64\":\"s\"}", NULL,
	  "its payload's value is not what its name says", 0 },
	{ "{" AAD ",\"id\":\"i\",\"value\":\"\"}", NULL,
	  "its value has 0 bytes; from 1 to 65536 may be", 0 },
	{ "{" AAD ",\"id\":\"i\",\"value\":\"s\",\"not_after\":\"soon\"}", NULL,
	  "its payload's not_after is no moment in UTC", 0 },
	{ "", NULL, "its payload is not JSON of id, value or value_base64, not_after and aad", 0 },
};

Test(sealed, payloads)
{
	auto_locked room = LOCKED_INIT;

	cr_assert_eq(locked_init(&room, SEALED_ROOM), 0);
	for (size_t i = 0; i < ARRAY_LEN(payloads); i++) {
		struct sealed_value value = { .len = 7 };
		struct err err = ERR_INIT;
		size_t len = strlen(payloads[i].payload);
		int rc;

		memset(room.data, 'x', room.size);
		memcpy(room.data, payloads[i].payload, len);
		rc = sealed_check(&place, &room, len, &value, &err);
		if (payloads[i].err != NULL) {
			cr_expect_eq(rc, -EBADMSG, "%s", payloads[i].payload);
			cr_expect_str_eq(err.text, payloads[i].err, "%s: %s", payloads[i].payload,
					 err.text);
			cr_expect_eq(value.len, 7u, "untouched");
			continue;
		}
		cr_assert_eq(rc, 0, "%s: %s", payloads[i].payload, err.text);
		cr_expect_eq(value.len, strlen(payloads[i].value));
		cr_expect_str_eq((const char *)value.data, payloads[i].value);
		cr_expect_eq(value.not_after_ms, payloads[i].not_after_ms);
	}
}

/* ---- with age -------------------------------------------------------------------------------- */

struct keys {
	struct place p;
	int fd;
	char recipient[IDENTITY_RECIPIENT_SIZE];
	struct buf path;
};

#define auto_keys __attribute__((cleanup(keys_finish))) struct keys

static void
keys_finish(struct keys *k)
{
	cleanup_fd(&k->fd);
	buf_finish(&k->path);
	place_finish(&k->p);
}

static void
keys_init(struct keys *k)
{
	memset(k, 0, sizeof(*k));
	place_init(&k->p);
	cr_assert_eq(bundle_identity_make(&k->p.request, &k->fd, &k->path, &k->p.err), 0, "%s",
		     k->p.err.text);
	cr_assert_eq(bundle_identity_recipient(k->fd, k->recipient, &k->p.err), 0, "%s",
		     k->p.err.text);
}

/* An age file of these bytes, in a memfd that stands at its start. */
static int
file_of(const struct buf *bytes)
{
	return fdio_memfd("file", bytes->data, bytes->len);
}

static int
make(const struct keys *k, const void *data, size_t len, struct buf *file, struct err *err)
{
	const char *const recipients[] = { k->recipient };
	const struct sealed_value value = { .data = data,
					    .len = len,
					    .not_after_ms = 1798761600000 };
	auto_locked room = LOCKED_INIT;

	cr_assert_eq(locked_init(&room, SEALED_ROOM), 0);
	return sealed_make(recipients, 1, &place, &value, &room, file, err);
}

static void
expect_same(const struct keys *k, const void *data, size_t len)
{
	auto_buf file = BUF_INIT;
	auto_locked room = LOCKED_INIT;
	auto_fd fd = -1;
	struct sealed_value got;
	struct err err = ERR_INIT;

	cr_assert_eq(make(k, data, len, &file, &err), 0, "%s", err.text);
	cr_assert_eq(locked_init(&room, SEALED_ROOM), 0);
	fd = file_of(&file);
	cr_assert_eq(sealed_open(fd, k->fd, &place, &room, &got, &err), 0, "%s", err.text);
	cr_assert_eq(got.len, len);
	cr_expect_eq(memcmp(got.data, data, len), 0);
	cr_expect_eq(got.data[len], 0, "a NUL behind it");
	cr_expect_eq(got.not_after_ms, 1798761600000u);
}

Test(sealed, what_is_made_opens)
{
	auto_keys k;
	auto_free char *big = malloc(CAP_VALUE + 1u);

	keys_init(&k);
	expect_same(&k, "t", sizeof("t") - 1);
	expect_same(&k, "line\nwith \"quotes\" and \\ é\t",
		    sizeof("line\nwith \"quotes\" and \\ é\t") - 1);
	expect_same(&k, "\0binary\xff", sizeof("\0binary\xff") - 1);
	expect_same(&k, "\033[31m", sizeof("\033[31m") - 1);
	cr_assert_not_null(big);
	big[CAP_VALUE] = '\0';
	memset(big, '"', CAP_VALUE);
	expect_same(&k, big, CAP_VALUE);
	memset(big, '\1', CAP_VALUE);
	expect_same(&k, big, CAP_VALUE);
	memset(big, 'a', CAP_VALUE);
	expect_same(&k, big, CAP_VALUE);
}

Test(sealed, what_is_no_value)
{
	auto_keys k;
	auto_buf file = BUF_INIT;
	auto_free char *big = calloc(1, CAP_VALUE + 2u);
	struct err err = ERR_INIT;

	keys_init(&k);
	cr_assert_not_null(big);
	cr_expect_eq(make(&k, "", 0, &file, &err), -EINVAL);
	cr_expect_str_eq(err.text, "a value has from 1 to 65536 bytes, and this has none");
	cr_expect_eq(make(&k, big, CAP_VALUE + 1u, &file, &err), -EINVAL);
	cr_expect_str_eq(err.text, "a value has from 1 to 65536 bytes, and this has more");
	memcpy(k.recipient, RECIPIENT, sizeof(k.recipient));
	cr_expect_eq(make(&k, "x", 1, &file, &err), -EINVAL);
	cr_expect_str_eq(err.text, "a recipient of the manifest is no public key of age: its "
				   "checksum is wrong");
	cr_expect_eq(file.len, 0u);
}

/* Its status is lost then, and that is not 0. */
Test(sealed, an_age_whose_end_nobody_is_told_of)
{
	auto_keys k;
	auto_buf file = BUF_INIT;
	struct err err = ERR_INIT;

	keys_init(&k);
	cr_assert_eq(make(&k, "x", 1, &file, &err), 0, "control: %s", err.text);
	buf_reset(&file);
	cr_assert_neq(signal(SIGCHLD, SIG_IGN), SIG_ERR);
	cr_expect_eq(make(&k, "x", 1, &file, &err), -ECHILD);
	cr_expect_str_eq(err.text, "nobody knows how /usr/bin/age ended");
	cr_expect_eq(file.len, 0u);
}

static void
expect_refused(const struct buf *file, int identity, int rc, const char *text)
{
	auto_locked room = LOCKED_INIT;
	auto_fd fd = file_of(file);
	struct sealed_value got;
	struct err err = ERR_INIT;

	cr_assert_eq(locked_init(&room, SEALED_ROOM), 0);
	cr_expect_eq(sealed_open(fd, identity, &place, &room, &got, &err), rc, "%s", err.text);
	cr_expect_str_eq(err.text, text);
}

Test(sealed, what_does_not_open)
{
	auto_keys k, other;
	auto_buf file = BUF_INIT, junk = BUF_INIT, cut = BUF_INIT;
	auto_fd null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct err err = ERR_INIT;
	unsigned int fds;

	keys_init(&k);
	keys_init(&other);
	fds = scratch_count_fds();
	cr_assert_eq(make(&k, "x", 1, &file, &err), 0);
	expect_refused(&file, other.fd, -EKEYREJECTED,
		       "it was not encrypted to this identity's recipient");
	expect_refused(&file, null, -EINVAL, "the identity file has no secret key of age");
	buf_puts(&junk, "junk\n");
	expect_refused(&junk, k.fd, -EBADMSG, "it is no age file, or damaged");
	buf_put(&cut, file.data, file.len - 1);
	expect_refused(&cut, k.fd, -EBADMSG, "it is damaged");
	file.data[file.len - 1] ^= 1;
	expect_refused(&file, k.fd, -EBADMSG, "it is damaged");
	cr_expect_eq(scratch_count_fds(), fds);
}

Test(sealed, a_payload_that_is_too_large)
{
	auto_keys k;
	auto_buf plain = BUF_INIT, file = BUF_INIT;
	char command[512], path[256];
	auto_fd fd = -1;

	keys_init(&k);
	cr_assert_eq(buf_reserve(&plain, CAP_SEALED_PAYLOAD + 2u), 0);
	memset(plain.data, ' ', CAP_SEALED_PAYLOAD + 1u);
	plain.len = CAP_SEALED_PAYLOAD + 1u;
	snprintf(path, sizeof(path), "%s/plain", k.p.dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	cr_assert_eq(fdio_write(fd, plain.data, plain.len), 0);
	snprintf(command, sizeof(command), "age -r %s -o %s/file %s", k.recipient, k.p.dir, path);
	cr_assert_eq(system(command), 0);
	snprintf(path, sizeof(path), "%s/file", k.p.dir);
	cr_assert_eq(fdio_slurp_at(AT_FDCWD, path, 1u << 20, &file), 0);
	expect_refused(&file, k.fd, -EFBIG, "its payload is larger than 128 KiB");
}
