/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. Verifier keys, and private keys as openssl writes them. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../../../launcher/base/text.h"
#include "../../../launcher/evidence/note.h"
#include "note_golden.h"

static struct err err;

Test(note_key, reads_and_prints_keys)
{
	static const char *const rows[] = { LOG_VKEY, WITNESS_VKEY };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct note_key key;
		auto_buf out = BUF_INIT, spaced = BUF_INIT;
		char hex[HEX_DIGEST_SIZE];

		cr_assert_eq(note_key_parse(rows[i], &key, &err), 0, "%s", err.text);
		cr_expect_str_eq(key.name, i == 0 ? LOG_NAME : WITNESS_NAME);
		cr_expect_eq(key.algorithm, i == 0 ? 1 : 4);
		text_hex(key.pub, sizeof(key.pub), hex);
		cr_expect_str_eq(hex, KEY_PUB);
		note_key_print(&key, &out);
		cr_expect_str_eq(buf_text(&out), rows[i]);
		buf_printf(&spaced, " \n%s\r\n", rows[i]);
		cr_expect_eq(note_key_parse(buf_text(&spaced), &key, &err), 0);
	}
}

Test(note_key, refuses_keys_that_are_none)
{
	/* clang-format off */
	static const struct { const char *text, *says; } rows[] = {
		{ "", "two '+' are missing" },
		{ "name", "two '+' are missing" },
		{ "name+a83f02b7", "two '+' are missing" },
		{ "+a83f02b7+AcZBE6ymS6QWYsQFkQVznYFMnOsHOJu35SXO+HkmjWlO", "the name is empty" },
		{ "a b+a83f02b7+AcZBE6ymS6QWYsQFkQVznYFMnOsHOJu35SXO+HkmjWlO", "the name is empty" },
		{ LOG_NAME "+A83F02B7+AcZBE6ymS6QWYsQFkQVznYFMnOsHOJu35SXO+HkmjWlO", "8 hex digits" },
		{ LOG_NAME "+a83f02b+AcZBE6ymS6QWYsQFkQVznYFMnOsHOJu35SXO+HkmjWlO", "8 hex digits" },
		{ LOG_NAME "+a83f02b7+AcZBE6ymS6QWYsQFkQVznYFMnOsHOJu35SXO+HkmjWk=", "another number" },
		{ LOG_NAME "+a83f02b7+", "not base64" },
		{ LOG_NAME "+a83f02b7+AcZBE6ymS6QW*", "not base64" },
		{ LOG_NAME "+a83f02b7+AsZBE6ymS6QWYsQFkQVznYFMnOsHOJu35SXO+HkmjWlO", "neither Ed25519" },
		{ LOG_NAME "+a83f02b8+AcZBE6ymS6QWYsQFkQVznYFMnOsHOJu35SXO+HkmjWlO", "one of them was changed" },
		{ LOG_NAME "x+a83f02b7+AcZBE6ymS6QWYsQFkQVznYFMnOsHOJu35SXO+HkmjWlO", "one of them was changed" },
		{ LOG_NAME "+a83f02b7+AcZBE6ymS6QWYsQFkQVznYFMnOsHOJu35SXO+HkmjWlP", "one of them was changed" },
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct note_key key = { .name = "kept" };

		cr_expect_eq(note_key_parse(rows[i].text, &key, &err), -EINVAL, "row %zu", i);
		cr_expect_not_null(strstr(err.text, rows[i].says), "row %zu: %s", i, err.text);
		cr_expect_str_eq(key.name, "kept");
	}
}

Test(note_key, refuses_a_key_that_is_too_long)
{
	char text[400];
	struct note_key key;

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	cr_expect_eq(note_key_parse(text, &key, &err), -EINVAL);
}

Test(note_key, names)
{
	static const char *const good[] = { "a", LOG_NAME, "caf\xc3\xa9.example", "a:b@c" };
	static const char *const bad[] = {
		"",	 "a b",	      "a+b",	       "a\tb",		"a\nb",	    "a\x7f",
		"a\xff", "a\xc2\xa0", "a\xe3\x80\x80", "a\xe2\x80\x83", "\xc2\x85", "a\xc2\x9b"
	};
	char text[NOTE_KEY_NAME_MAX + 2];

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		cr_expect_eq(note_name_check(good[i], &err), 0, "%s", good[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		cr_expect_eq(note_name_check(bad[i], &err), -EINVAL, "row %zu", i);
	}
	memset(text, 'a', sizeof(text));
	text[NOTE_KEY_NAME_MAX] = '\0';
	cr_expect_eq(note_name_check(text, &err), 0);
	text[NOTE_KEY_NAME_MAX] = 'a';
	text[NOTE_KEY_NAME_MAX + 1] = '\0';
	cr_expect_eq(note_name_check(text, &err), -EINVAL);
}

Test(note_key, equal_is_name_algorithm_and_key)
{
	struct note_key a, b;

	cr_assert_eq(note_key_parse(LOG_VKEY, &a, &err), 0);
	b = a;
	cr_expect(note_key_equal(&a, &b));
	b.pub[31] ^= 1;
	cr_expect_not(note_key_equal(&a, &b));
	b = a;
	b.algorithm = 4;
	cr_expect_not(note_key_equal(&a, &b));
	b = a;
	b.name[0] = 'L';
	cr_expect_not(note_key_equal(&a, &b));
}

Test(note_key, private_keys_are_those_of_openssl)
{
	static const char pem[] = "name: " LOG_NAME "\n" KEY_PEM;
	struct note_signer s;
	auto_buf out = BUF_INIT, vkey = BUF_INIT;

	cr_assert_eq(note_signer_parse(pem, strlen(pem), NOTE_ALGORITHM_ED25519, &s, &err), 0, "%s",
		     err.text);
	note_key_print(&s.key, &vkey);
	cr_expect_str_eq(buf_text(&vkey), LOG_VKEY);
	cr_assert_eq(note_signer_print(&s, &out, &err), 0);
	cr_expect_str_eq(buf_text(&out), pem);
	note_signer_finish(&s);
	cr_expect_eq(s.seed[0] | s.seed[15] | s.seed[31], 0);
}

Test(note_key, refuses_private_keys_of_another_spelling)
{
	/* clang-format off */
	static const struct { const char *text, *says; } rows[] = {
		{ "", "is not the first" },
		{ KEY_PEM, "is not the first" },
		{ "name: " LOG_NAME, "is not the first" },
		{ "name: a b\n" KEY_PEM, "not a key's name" },
		{ "name: " LOG_NAME "\n", "second line" },
		{ "name: " LOG_NAME "\n\n" KEY_PEM, "second line" },
		{ "name: " LOG_NAME "\n" KEY_PEM "\n", "one line of base64" },
		{ "name: " LOG_NAME "\n-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIMzwUDEsjtW+7OJ+97gH0eJ0AJ2S5KDUFyDbElovqM5N\n",
		  "one line of base64" },
		/* X25519 */
		{ "name: " LOG_NAME "\n-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VuBCIEIMzwUDEsjtW+7OJ+97gH0eJ0AJ2S5KDUFyDbElovqM5N\n"
		  "-----END PRIVATE KEY-----\n", "not an Ed25519 key" },
		{ "name: " LOG_NAME "\n-----BEGIN ENCRYPTED PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIMzwUDEsjtW+7OJ+97gH0eJ0AJ2S5KDUFyDbElovqM5N\n"
		  "-----END ENCRYPTED PRIVATE KEY-----\n", "second line" },
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct note_signer s = { .seed = { 47 } };

		cr_expect_eq(note_signer_parse(rows[i].text, strlen(rows[i].text),
					       NOTE_ALGORITHM_ED25519, &s, &err),
			     -EINVAL, "row %zu", i);
		cr_expect_not_null(strstr(err.text, rows[i].says), "row %zu: %s", i, err.text);
		cr_expect_eq(s.seed[0], 47);
		/* Nothing of a key stands in a message. */
		cr_expect_null(strstr(err.text, "MC4C"));
	}
}

Test(note_key, a_new_key_is_another_one_each_time)
{
	auto_note_signer a = { .seed = { 0 } }, b = { .seed = { 0 } };
	uint8_t sig[64];

	cr_assert_eq(note_signer_generate(LOG_NAME, NOTE_ALGORITHM_ED25519, &a, &err), 0);
	cr_assert_eq(note_signer_generate(LOG_NAME, NOTE_ALGORITHM_ED25519, &b, &err), 0);
	cr_expect_neq(memcmp(a.seed, b.seed, sizeof(a.seed)), 0);
	cr_expect_neq(memcmp(a.key.pub, b.key.pub, sizeof(a.key.pub)), 0);
	cr_assert_eq(note_sign_raw(&a, "x", 1, sig, &err), 0);
	cr_expect_eq(note_check_raw(&a.key, "x", 1, sig), 0);
	cr_expect_eq(note_check_raw(&a.key, "y", 1, sig), -EBADMSG);
	cr_expect_eq(note_check_raw(&b.key, "x", 1, sig), -EBADMSG);
	cr_expect_eq(note_signer_generate("a b", NOTE_ALGORITHM_ED25519, &a, &err), -EINVAL);
}
