/* SPDX-License-Identifier: Apache-2.0 */
/* Run by `make unit`: fields at their edges. Whole lines are tried with their readers. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../../../launcher/snapshot/fields.h"

static struct field
of(const char *text)
{
	return (struct field){ text, strlen(text) };
}

Test(fields, one_space_between)
{
	static const char line[] = "a bc  d";
	const char *p = line, *end = line + strlen(line);
	struct field f;

	cr_assert(fields_next(&p, end, &f));
	cr_expect(fields_is(f, "a"));
	cr_expect_not(fields_is(f, "a "));
	cr_assert(fields_next(&p, end, &f));
	cr_expect(fields_is(f, "bc"));
	cr_expect_not(fields_is(f, "b"));
	cr_expect_not(fields_next(&p, end, &f));
	cr_expect_not(fields_next(&end, end, &f));
}

Test(fields, numbers)
{
	uint64_t v = 7;

	cr_expect(fields_number(of("0"), 0, &v));
	cr_expect_eq(v, 0u);
	cr_expect(fields_number(of("18446744073709551615"), UINT64_MAX, &v));
	cr_expect_eq(v, UINT64_MAX);
	cr_expect(fields_number(of("255"), 255, &v));
	cr_expect_not(fields_number(of("256"), 255, &v));
	cr_expect_not(fields_number(of("18446744073709551616"), UINT64_MAX, &v));
	cr_expect_not(fields_number(of(""), UINT64_MAX, &v));
	cr_expect_not(fields_number(of("00"), UINT64_MAX, &v));
	cr_expect_not(fields_number(of("1a"), UINT64_MAX, &v));
	cr_expect_not(fields_number(of("-1"), UINT64_MAX, &v));
	cr_expect_eq(v, 255u);
}

Test(fields, octal_digits)
{
	unsigned int v = 9;

	cr_expect(fields_octal(of("0755"), 4, &v));
	cr_expect_eq(v, 0755u);
	cr_expect_not(fields_octal(of("755"), 4, &v));
	cr_expect_not(fields_octal(of("00755"), 4, &v));
	cr_expect_not(fields_octal(of("0758"), 4, &v));
	cr_expect_not(fields_octal(of("07 5"), 4, &v));
}

Test(fields, vis)
{
	struct buf b = BUF_INIT;
	const struct field with_nul = { "a\0b", 3 };

	cr_assert_eq(fields_vis(of("a\\040b\\377"), &b), 0);
	cr_expect_str_eq((const char *)b.data, "a b\xff");
	cr_assert_eq(fields_vis(of("x"), &b), 0);
	cr_expect_str_eq((const char *)b.data, "x");
	cr_expect_eq(fields_vis(of(""), &b), -EBADMSG);
	cr_expect_eq(fields_vis(of("\\141"), &b), -EBADMSG);
	cr_expect_eq(fields_vis(of("\\000"), &b), -EBADMSG);
	cr_expect_eq(fields_vis(of("a\\"), &b), -EBADMSG);
	cr_expect_eq(fields_vis(with_nul, &b), -EBADMSG);
	buf_finish(&b);
}
