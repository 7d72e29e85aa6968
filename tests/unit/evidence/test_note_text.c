/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. Lines, numbers and hashes, each of one spelling. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../../../launcher/evidence/note_text.h"

Test(note_text, numbers)
{
	static const char *const bad[] = { "",	 "00", "01",
					   "+1", "-1", " 1",
					   "1 ", "1a", "18446744073709551616" };
	uint64_t n = 47;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		cr_expect_eq(note_number(bad[i], strlen(bad[i]), &n), -EINVAL, "%s", bad[i]);
	}
	cr_expect_eq(n, 47);
	cr_expect_eq(note_number("0", 1, &n), 0);
	cr_expect_eq(n, 0);
	cr_expect_eq(note_number("123", 2, &n), 0);
	cr_expect_eq(n, 12);
	cr_expect_eq(note_number("18446744073709551615", 20, &n), 0);
	cr_expect_eq(n, UINT64_MAX);
}

Test(note_text, hashes)
{
	static const char good[] = "PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=";
	char text[45];
	uint8_t hash[SHA256_SIZE] = { 0 };

	cr_expect_eq(note_hash(good, 44, hash), 0);
	cr_expect_eq(hash[0], 0x3e);
	cr_expect_eq(hash[31], 0xac);
	cr_expect_eq(note_hash(good, 43, hash), -EINVAL);
	memcpy(text, good, sizeof(text));
	text[42] = 'x'; /* bits that no hash has */
	cr_expect_eq(note_hash(text, 44, hash), -EINVAL);
	text[42] = '\0';
	cr_expect_eq(note_hash(text, 44, hash), -EINVAL);
	cr_expect_eq(hash[31], 0xac);
}

Test(note_text, lines)
{
	static const char text[] = "a\n\nbc";
	const char *at = text, *end = text + strlen(text);
	size_t len = 47;

	cr_expect_eq(note_line(&at, end, &len), text);
	cr_expect_eq(len, 1);
	cr_expect_eq(note_line(&at, end, &len), text + 2);
	cr_expect_eq(len, 0);
	cr_expect_null(note_line(&at, end, &len));
	cr_expect_eq(at, text + 3);
}
