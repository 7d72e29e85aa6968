/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs as the developer or CI, with ssh-keygen and openssl. Every kind and form of a key is opened,
 * and what it says of itself compared with what ssh-keygen says; what it signs, test_agent_serve
 * has ssh-keygen verify.
 */
#include "keys.h"

#include <errno.h>
#include <openssl/evp.h>

#include "../../../launcher/credd/ssh_wire.h"

#define KEYGEN "ssh-keygen -q -N '' -C c -f key "
#define REFUSED_KIND                                                                     \
	"its key is of a kind that the agent has not: Ed25519, ECDSA over a NIST curve " \
	"and RSA of 2048 to 8192 bits it has"
#define REFUSED_PASSPHRASE                                                                       \
	"its key has a passphrase, and nobody can be asked for it: ssh-keygen -p takes it off, " \
	"the sealed file protects the key"
#define REFUSED_DAMAGED "it is no private key of SSH, or a damaged one"

/* What a key is made with, and what it signs: its flags, and the name in the signature. */
static const struct row {
	const char *command;
	uint32_t flags;
	const char *name;
} rows[] = {
	{ KEYGEN "-t ed25519", 0, "ssh-ed25519" },
	{ KEYGEN "-t ed25519 -C ''", 0, "ssh-ed25519" },
	{ KEYGEN "-t ecdsa -b 256", 0, "ecdsa-sha2-nistp256" },
	{ KEYGEN "-t ecdsa -b 384", 0, "ecdsa-sha2-nistp384" },
	{ KEYGEN "-t ecdsa -b 521", 0, "ecdsa-sha2-nistp521" },
	{ KEYGEN "-t rsa -b 2048", 2, "rsa-sha2-256" },
	{ KEYGEN "-t rsa -b 3072", 4, "rsa-sha2-512" },
	{ KEYGEN "-t rsa -b 2048 -m PEM", 4, "rsa-sha2-512" },
	{ KEYGEN "-t rsa -b 2048 -m PKCS8", 4, "rsa-sha2-512" },
	{ KEYGEN "-t ecdsa -b 256 -m PEM", 0, "ecdsa-sha2-nistp256" },
	{ KEYGEN "-t ecdsa -b 521 -m PKCS8", 0, "ecdsa-sha2-nistp521" },
	{ "openssl genpkey -algorithm ed25519 -out key", 0, "ssh-ed25519" },
	{ "openssl genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-384 -out k; "
	  "openssl ec -in k -conv_form compressed -out key; chmod 600 key",
	  0, "ecdsa-sha2-nistp384" },
	{ KEYGEN "-t ed25519; { echo text before it; cat key; echo and behind; } >k; mv k key", 0,
	  "ssh-ed25519" },
};

static void
expect_public(struct keys *k, const struct ssh_key *key, const char *command)
{
	auto_buf mine = BUF_INIT;
	const char *theirs;

	/* of libcrypto's own Ed25519 form ssh-keygen 9.2 reads nothing */
	if (strncmp(command, "openssl genpkey -algorithm ed25519", 34) == 0 ||
	    strstr(command, "text before") != NULL) {
		return;
	}
	cr_assert_eq(keys_run(k, "chmod 600 key; ssh-keygen -y -f key >public"), 0, "%s", command);
	text_base64(&mine, key->blob.data, key->blob.len);
	theirs = strchr(buf_text(keys_read(k, "public")), ' ');
	cr_assert_not_null(theirs);
	cr_expect_eq(strncmp(theirs + 1, buf_text(&mine), mine.len), 0, "%s", command);
	cr_expect_eq(strcspn(theirs + 1, " \n"), mine.len, "%s", command);
}

Test(ssh_key, every_kind_and_form)
{
	auto_keys k;

	keys_init(&k);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_ssh_key key = SSH_KEY_INIT;
		struct err err = ERR_INIT;
		auto_buf out = BUF_INIT;
		struct rd whole, r;
		size_t len;

		cr_assert_eq(keys_open(&k, rows[i].command, &key, &err), 0, "%s: %s",
			     rows[i].command, err.text);
		expect_public(&k, &key, rows[i].command);
		cr_assert_eq(ssh_key_sign(&key, rows[i].flags, "text", 4, &out), 0, "%s",
			     rows[i].command);
		whole = (struct rd){ .p = out.data, .left = out.len };
		r.p = ssh_get_string(&whole, &r.left);
		r.bad = false;
		cr_assert_eq(whole.left, 0u);
		cr_expect(ssh_get_text(&r, rows[i].name), "%s", rows[i].command);
		cr_expect_not_null(ssh_get_string(&r, &len));
		cr_expect_eq(r.left, 0u);
	}
}

Test(ssh_key, an_rsa_signature_is_verified_by_the_library)
{
	static const uint32_t flags[] = { SSH_KEY_RSA_SHA2_256, SSH_KEY_RSA_SHA2_512 };
	auto_ssh_key key = SSH_KEY_INIT;
	struct err err = ERR_INIT;
	auto_keys k;

	keys_init(&k);
	cr_assert_eq(keys_open(&k, KEYGEN "-t rsa -b 2048", &key, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		auto_buf out = BUF_INIT;
		EVP_MD_CTX *md = EVP_MD_CTX_new();

		cr_assert_eq(ssh_key_sign(&key, flags[i], "text", 4, &out), 0);
		cr_assert_eq(out.len, 4 + 4 + 12 + 4 + 256u);
		cr_assert_eq(EVP_DigestVerifyInit(md, NULL, i == 0 ? EVP_sha256() : EVP_sha512(),
						  NULL, key.key),
			     1);
		cr_expect_eq(EVP_DigestVerify(md, out.data + 24, 256, (const uint8_t *)"text", 4),
			     1);
		EVP_MD_CTX_free(md);
	}
}

Test(ssh_key, flags_that_are_not_the_keys)
{
	static const struct {
		const char *command;
		uint32_t flags;
	} wrong[] = {
		{ KEYGEN "-t rsa -b 2048", 0 }, /* SHA-1 */
		{ KEYGEN "-t rsa -b 2048", 6 },	 { KEYGEN "-t rsa -b 2048", 1 },
		{ KEYGEN "-t rsa -b 2048", 10 }, { KEYGEN "-t ed25519", 2 },
		{ KEYGEN "-t ecdsa", 4 },	 { KEYGEN "-t ed25519", 1 },
	};
	auto_keys k;

	keys_init(&k);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		auto_ssh_key key = SSH_KEY_INIT;
		struct err err = ERR_INIT;
		auto_buf out = BUF_INIT;

		cr_assert_eq(keys_open(&k, wrong[i].command, &key, &err), 0);
		cr_expect_eq(ssh_key_sign(&key, wrong[i].flags, "text", 4, &out), -ENOTSUP, "%s %u",
			     wrong[i].command, wrong[i].flags);
		cr_expect_eq(out.len, 0u);
	}
}

Test(ssh_key, what_is_refused_and_why)
{
	static const struct {
		const char *command, *why;
	} wrong[] = {
		{ "ssh-keygen -q -N secret -f key -t ed25519", REFUSED_PASSPHRASE },
		{ "ssh-keygen -q -N secret -f key -t rsa -b 2048 -m PEM", REFUSED_PASSPHRASE },
		{ "ssh-keygen -q -N secret -f key -t rsa -b 2048 -m PKCS8", REFUSED_PASSPHRASE },
		{ KEYGEN "-t dsa", REFUSED_KIND },
		{ KEYGEN "-t dsa -m PEM", REFUSED_KIND },
		{ KEYGEN "-t rsa -b 1024", REFUSED_KIND },
		{ KEYGEN "-t rsa -b 1024 -m PEM", REFUSED_KIND },
		{ "openssl genpkey -algorithm ed448 -out key", REFUSED_KIND },
		{ "openssl genpkey -algorithm x25519 -out key", REFUSED_KIND },
		{ "openssl genpkey -algorithm ec -pkeyopt ec_paramgen_curve:secp256k1 -out key",
		  REFUSED_KIND },
		{ "openssl genpkey -algorithm rsa-pss -pkeyopt rsa_keygen_bits:2048 -out key",
		  REFUSED_KIND },
		{ KEYGEN "-t ed25519; mv key.pub key", REFUSED_DAMAGED },
		{ KEYGEN "-t ed25519; ssh-keygen -e -m PKCS8 -f key >k || :; mv k key",
		  REFUSED_DAMAGED },
		{ "head -c 60000 /dev/urandom >key", REFUSED_DAMAGED },
		{ "echo >key", REFUSED_DAMAGED },
		{ "printf -- '-----BEGIN OPENSSH PRIVATE KEY-----\n' >key", REFUSED_DAMAGED },
		{ KEYGEN "-t ed25519; sed -i 's/OPENSSH/RSA/' key", REFUSED_DAMAGED },
		{ KEYGEN "-t rsa -b 2048 -m PEM; sed -i 's/RSA/OPENSSH/' key", REFUSED_DAMAGED },
	};
	auto_keys k;

	keys_init(&k);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		auto_ssh_key key = SSH_KEY_INIT;
		struct err err = ERR_INIT;

		cr_expect_eq(keys_open(&k, wrong[i].command, &key, &err), -EBADMSG, "%s",
			     wrong[i].command);
		cr_expect_str_eq(err.text, wrong[i].why, "%s", wrong[i].command);
		cr_expect_null(key.key);
	}
}

/* The bytes below the armour, with one changed or some left out. */
static int
open_bytes(const uint8_t *bytes, size_t len)
{
	EVP_PKEY *key = NULL;
	struct err err = ERR_INIT;
	int rc = ssh_key_read(bytes, len, &key, &err);

	EVP_PKEY_free(key);
	cr_expect_eq(rc == 0, key != NULL);
	cr_expect(rc == 0 || rc == -EBADMSG);
	return rc;
}

Test(ssh_key, a_part_of_it_is_none)
{
	static const char *const commands[] = { KEYGEN "-t ed25519", KEYGEN "-t ecdsa -b 384",
						KEYGEN "-t rsa -b 2048" };
	auto_keys k;

	keys_init(&k);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		auto_ssh_key key = SSH_KEY_INIT;
		auto_buf bytes = BUF_INIT;
		struct err err = ERR_INIT;

		cr_assert_eq(keys_open(&k, commands[i], &key, &err), 0); /* memory for keys, too */
		cr_assert_eq(keys_run(&k, "grep -v -- ----- key | tr -d '\\n' >b"), 0);
		cr_assert_eq(text_unbase64(buf_text(keys_read(&k, "b")), &bytes), 0);
		cr_expect_eq(open_bytes(bytes.data, bytes.len), 0, "control");
		for (size_t len = 0; len < bytes.len; len++) {
			cr_expect_eq(open_bytes(bytes.data, len), -EBADMSG, "%s: %zu bytes",
				     commands[i], len);
		}
		buf_u8(&bytes, 9);
		cr_expect_eq(open_bytes(bytes.data, bytes.len), -EBADMSG, "one byte more");
	}
}

Test(ssh_key, halves_that_do_not_belong_together)
{
	static const char *const commands[] = { KEYGEN "-t ed25519", KEYGEN "-t ecdsa -b 256",
						KEYGEN "-t rsa -b 2048" };
	auto_keys k;

	keys_init(&k);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		auto_ssh_key key = SSH_KEY_INIT, damaged = SSH_KEY_INIT;
		struct err err = ERR_INIT;
		const struct buf *text;

		cr_assert_eq(keys_open(&k, commands[i], &key, &err), 0);
		/* the last bit of the private half, of d of an RSA key */
		cr_assert_eq(
			keys_run(&k,
				 "python3 - <<'EOF'\n"
				 "import base64\n"
				 "lines = open('key').read().split('\\n')\n"
				 "b = bytearray(base64.b64decode(''.join(lines[1:-2])))\n"
				 "def string(at):\n"
				 "    n = int.from_bytes(b[at:at + 4], 'big')\n"
				 "    return at + 4, at + 4 + n\n"
				 "at = 15\n"
				 "for _ in range(3): at = string(at)[1]\n"
				 "at = string(at + 4)[1] + 4 + 8\n"
				 "start, at = string(at)\n"
				 "for _ in range({b'ssh-ed25519': 1}.get(bytes(b[start:at]), 2)):\n"
				 "    at = string(at)[1]\n"
				 "b[string(at)[0] + 31] ^= 1\n"
				 "lines[1:-2] = [base64.b64encode(b).decode()]\n"
				 "open('key', 'w').write('\\n'.join(lines))\n"
				 "EOF\n"),
			0);
		text = keys_read(&k, "key");
		cr_expect_eq(ssh_key_open(text->data, text->len, &damaged, &err), -EBADMSG, "%s",
			     commands[i]);
		cr_expect_str_eq(err.text, REFUSED_DAMAGED);
	}
}

Test(ssh_key, check_says_the_same)
{
	struct err err = ERR_INIT;
	const struct buf *text;
	auto_keys k;

	keys_init(&k);
	cr_assert_eq(keys_run(&k, KEYGEN "-t ed25519"), 0);
	text = keys_read(&k, "key");
	cr_expect_eq(ssh_key_check(text->data, text->len, &err), 0);
	cr_expect_eq(ssh_key_check((const uint8_t *)"x", 1, &err), -EBADMSG);
	cr_expect_str_eq(err.text, REFUSED_DAMAGED);
}
