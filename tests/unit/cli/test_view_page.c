/* SPDX-License-Identifier: Apache-2.0 */
/* view_page.c: facts, wrapping, cutting, digests. Run by `make unit`. */
#include "view_fixture.h"

#define HEX64 "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

Test(view_page, parts_and_facts)
{
	auto_page p = make_page();

	page_part(&p, "SAW", "what went in");
	page_fact(&p, "program", "/usr/bin/sh");
	page_fact(&p, "empty", "");
	page_factf(&p, "number", "%d of %s", 3, "four");
	page_fact_color(&p, "", VIEW_RED, "goes on");
	page_text(&p, VIEW_GREEN, "over the whole width");
	expect_page(&p, "\nSAW  what went in\n"
			"  program     /usr/bin/sh\n"
			"  empty       -\n"
			"  number      3 of four\n"
			"              goes on\n"
			"over the whole width\n");
}

Test(view_page, long_texts_are_wrapped_and_long_lines_cut)
{
	auto_page p = make_page();
	auto_page whole = make_page();

	p.view.columns = 24;
	page_fact(&p, "words", "one two three four");
	page_line(&p, VIEW_PLAIN, "0123456789abc");
	expect_page(&p, "  words       one two\n"
			"              three four\n"
			"              012345678…\n");
	whole.view.columns = 24;
	whole.verbose = true;
	page_line(&whole, VIEW_PLAIN, "0123456789abc");
	expect_page(&whole, "              0123456789abc\n");
}

Test(view_page, digests_are_short_unless_verbose)
{
	auto_page p = make_page();
	auto_buf b = BUF_INIT;

	page_digest(&p, &b, HEX64);
	buf_putc(&b, ' ');
	page_digest(&p, &b, "");
	buf_putc(&b, ' ');
	page_digest(&p, &b, "a\033[31mb");
	buf_putc(&b, ' ');
	p.verbose = true;
	page_digest(&p, &b, HEX64);
	cr_expect_str_eq(buf_text(&b), "001122334455 - a\\033[31mb " HEX64);
}

Test(view_page, colour_ends_before_the_newline)
{
	auto_page p = make_page();

	p.view.color = true;
	page_fact_color(&p, "", VIEW_RED, "no");
	expect_page(&p, "  \033[2m           \033[0m \033[31mno\033[0m\n");
}
