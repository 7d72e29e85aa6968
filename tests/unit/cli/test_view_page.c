/* SPDX-License-Identifier: Apache-2.0 */
/* view_page.c: facts, wrapping, cutting, digests. Run by `make unit`. */
#include "view_fixture.h"

#include "../../../launcher/store/digest_set.h"

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

/* ---- HTML -------------------------------------------------------------------------------- */

#define DIGEST_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIGEST_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

Test(view_page, html_has_every_text_escaped)
{
	auto_page p = PAGE_INIT;

	page_init_html(&p, NULL);
	page_text(&p, VIEW_RED, "<script>");
	page_part(&p, "S<W", "a & b");
	page_fact(&p, "l\"abel", "it's <b>");
	page_fact(&p, "", "");
	page_line(&p, VIEW_YELLOW, "| </dd>");
	page_remark(&p, VIEW_PLAIN, 4, "&amp;");
	page_part(&p, "T", "");
	page_end(&p);
	expect_page(&p, "<p class=\"sentence bad\">&lt;script&gt;</p>\n"
			"<h3>S&lt;W <small>a &amp; b</small></h3>\n"
			"<dl>\n"
			"<dt>l&quot;abel</dt><dd class=\"fact \">it&#39;s &lt;b&gt;</dd>\n"
			"<dd class=\"fact \">-</dd>\n"
			"<dd class=\"line notice\">| &lt;/dd&gt;</dd>\n"
			"<dd class=\"remark \">&amp;amp;</dd>\n"
			"</dl>\n"
			"<h3>T <small></small></h3>\n");
}

Test(view_page, html_links_the_digests_of_objects_alone)
{
	struct digest_set *objects = digest_set_create(1);
	uint8_t digest[SHA256_SIZE];
	auto_page p = PAGE_INIT;

	memset(digest, 0xaa, sizeof(digest));
	cr_assert_eq(digest_set_add(objects, digest), 0);
	page_init_html(&p, objects);
	page_html(&p, "tree " DIGEST_A ", " DIGEST_B " a" DIGEST_A " " DIGEST_A);
	expect_page(&p, "tree <a href=\"objects/" DIGEST_A "\">" DIGEST_A "</a>, " DIGEST_B
			" a" DIGEST_A " <a href=\"objects/" DIGEST_A "\">" DIGEST_A "</a>");
	digest_set_destroy(objects);
}
