/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. One report, both ways, byte for byte. */
#include <criterion/criterion.h>
#include <errno.h>

#include "../../../launcher/inspect/report.h"

static void
say_all(struct report *r)
{
	static const char *const words[] = { "a", "b" };

	report_object(r, "alpha");
	report_flag(r, "a_flag", false);
	report_list(r, "items");
	report_item(r, "x\x1b[0m");
	report_end(r);
	report_maybe(r, "maybe", false, true);
	report_text(r, "nothing", NULL);
	report_number(r, "number", 7);
	report_known(r, "unknown", false, 0, "unlimited");
	report_words(r, "words", words, 2);
	report_words(r, "words_none", words, 0);
	report_end(r);
	report_list(r, "empty");
	report_end(r);
	report_list(r, "rows");
	report_row(r);
	report_flag(r, "aside", true);
	report_maybe(r, "initial", true, false);
	report_title(r, "name", "first\n");
	report_number(r, "number", 1);
	report_text(r, "target", "t");
	report_end(r);
	report_row(r);
	report_flag(r, "aside", false);
	report_maybe(r, "initial", true, true);
	report_title(r, "name", "second");
	report_text(r, "target", NULL);
	report_end(r);
	report_row(r);
	report_maybe(r, "initial", false, false);
	report_number(r, "number", 3);
	report_end(r);
	report_row(r);
	report_title(r, "name", "alone");
	report_end(r);
	report_end(r);
}

Test(inspect_report, json)
{
	auto_buf out = BUF_INIT;
	struct report r;

	report_init(&r, &out, true);
	say_all(&r);
	cr_expect_eq(report_finish(&r), 0);
	cr_expect_str_eq(buf_text(&out),
			 "{\"alpha\":{\"a_flag\":false,\"items\":[\"x\\u001B[0m\"],\"maybe\":null,"
			 "\"nothing\":null,\"number\":7,\"unknown\":null,\"words\":[\"a\",\"b\"],"
			 "\"words_none\":[]},\"empty\":[],\"rows\":["
			 "{\"aside\":true,\"initial\":false,\"name\":\"first\\n\",\"number\":1,"
			 "\"target\":\"t\"},"
			 "{\"aside\":false,\"initial\":true,\"name\":\"second\",\"target\":null},"
			 "{\"initial\":null,\"number\":3},{\"name\":\"alone\"}]}\n");
}

Test(inspect_report, text)
{
	auto_buf out = BUF_INIT;
	struct report r;

	report_init(&r, &out, false);
	say_all(&r);
	cr_expect_eq(report_finish(&r), 0);
	cr_expect_str_eq(buf_text(&out),
			 "alpha\n"
			 "  a flag: no\n"
			 "  items:\n"
			 "    x\\033[0m\n"
			 "  maybe: not known\n"
			 "  nothing: none\n"
			 "  number: 7\n"
			 "  unknown: unlimited\n"
			 "  words: a, b\n"
			 "  words none: none\n"
			 "empty\n"
			 "  none\n"
			 "rows\n"
			 "  first\\012                   aside  not initial  number 1  t\n"
			 "  second                      initial\n"
			 "  number 3\n"
			 "  alone\n");
}

Test(inspect_report, keys_out_of_order)
{
	auto_buf out = BUF_INIT;
	struct report r;

	report_init(&r, &out, true);
	report_text(&r, "b", "x");
	report_text(&r, "a", "x");
	cr_expect_eq(report_finish(&r), -EINVAL);
}
