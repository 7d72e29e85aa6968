/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by `make unit` as anybody; no input but the tables below. What git 2.39 says is beside a row
 * where the two differ.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

#include "../../../launcher/snapshot/gitconfig.h"

struct row {
	const char *text;
	const char *want; /* section.subsection.key=value, each on a line; "line N" when broken */
};

static void
dump(const char *text, size_t len, struct buf *out)
{
	struct gitconfig g;

	cr_assert_eq(gitconfig_parse(text, len, &g), 0);
	if (g.broken_line != 0) {
		buf_printf(out, "line %zu", g.broken_line);
	}
	for (size_t i = 0; g.broken_line == 0 && i < g.count; i++) {
		const struct gitconfig_entry *e = &g.items[i];

		buf_puts(out, e->section);
		if (e->subsection != NULL) {
			buf_printf(out, ".%s", e->subsection);
		}
		buf_printf(out, ".%s%s%s\n", e->key, e->value != NULL ? "=" : "",
			   e->value != NULL ? e->value : "");
	}
	gitconfig_finish(&g);
}

static const struct row rows[] = {
	{ "", "" },
	{ "\n\n  \t\r\n", "" },
	{ "[core]\n\tbare = false\n", "core.bare=false\n" },
	{ "[CORE]\nBare=False", "core.bare=False\n" },
	{ "[core] bare = 1 \n editor\n", "core.bare=1\ncore.editor\n" },
	{ "[core]bare", "core.bare\n" },
	{ "\xef\xbb\xbf[a]\nb=c\n", "a.b=c\n" },
	{ "[a]\r\nb = c\r\nd\r\n", "a.b=c\na.d\n" },
	{ "[a]\nb = c\rd\n", "a.b=c\rd\n" }, /* git: "c d" */
	/* sections */
	{ "[branch \"Main\"]\nmerge = x\n", "branch.Main.merge=x\n" },
	{ "[branch \"a\\\"b\\\\c\\d\"]\nm=x\n", "branch.a\"b\\cd.m=x\n" },
	{ "[branch \"\"]\nm=x\n", "branch..m=x\n" },
	{ "[branch.Main]\nm=x\n", "branch.main.m=x\n" },
	{ "[a.b.c]\nd=x\n", "a.b.c.d=x\n" },
	{ "[a.B \"C\"]\nd=x\n", "a.b.C.d=x\n" },
	{ "[.a]\nd=x\n", ".a.d=x\n" },
	{ "[a  \t\"x\"]\nd=x\n", "a.x.d=x\n" },
	{ "[a \"x\"]d=1[b]\n", "a.x.d=1[b]\n" },
	{ "[a]\n[b]\nc=1\n", "b.c=1\n" },
	{ "[]\na=b\n", "line 1" },
	{ "[a", "line 1" },
	{ "[a\n]", "line 1" },
	{ "[a \"x]\n", "line 1" },
	{ "[a \"x\\\n\"]", "line 1" },
	{ "[a \"x\" ]\n", "line 1" },
	{ "[a x]\n", "line 1" },
	{ "[a_b]\n", "line 1" },
	{ "[ a]\nb=c\n", "line 1" },
	/* keys */
	{ "[a]\nb-2 = c\n", "a.b-2=c\n" },
	{ "[a]\n2b = c\n", "line 2" },
	{ "[a]\nb_c = d\n", "line 2" },
	{ "[a]\nb c = d\n", "line 2" },
	{ "[a]\nb # c\n", "line 2" },
	{ "b = c\n", "line 1" }, /* git: takes it, and nothing asks for it */
	/* values */
	{ "[a]\nb=\n", "a.b=\n" },
	{ "[a]\nb =   c  d\t e  \n", "a.b=c  d\t e\n" },
	{ "[a]\nb = \"  c  \" \n", "a.b=  c  \n" },
	{ "[a]\nb = \"c;d#e\" ; f\n", "a.b=c;d#e\n" },
	{ "[a]\nb = c;d\n", "a.b=c\n" },
	{ "[a]\nb = x\"y z\"w\n", "a.b=xy zw\n" },
	{ "[a]\nb = c \\\n  d\n", "a.b=c   d\n" },
	{ "[a]\nb = c\\\r\nd\n", "a.b=cd\n" },
	{ "[a]\nb = \"c\\\nd\"\n", "a.b=cd\n" },
	{ "[a]\nb = c\\", "a.b=c\n" },
	{ "[a]\nb = \\t\\n\\b\\\\\\\"\n", "a.b=\t\n\b\\\"\n" },
	{ "[a]\nb = \\x\n", "line 2" },
	{ "[a]\nb = \\$\n", "line 2" },
	{ "[a]\nb = \"c\nd\"\n", "line 2" },
	{ "[a]\nb = \"c", "line 2" },
	{ "[a]\nb = !sh -c 'x; y'\n", "a.b=!sh -c 'x\n" },
	/* comments */
	{ "# [a]\n; x\n[b] # c\n d = e # f \\\n g = h\n", "b.d=e\nb.g=h\n" },
	{ "[a]\n# b = c \\\nd = e\n", "a.d=e\n" },
	{ "# no end", "" },
	{ "[a] ; x\n#\n", "" },
	{ "x", "line 1" },
	{ "]\n", "line 1" },
	{ "[a]\n=b\n", "line 2" },
};

Test(gitconfig_parse, rows)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		auto_buf got = BUF_INIT;

		dump(rows[i].text, strlen(rows[i].text), &got);
		cr_expect_str_eq(buf_text(&got), rows[i].want, "row %zu: %s", i, rows[i].text);
	}
}

/* The reader stops at the end of the bytes, wherever that is. */
Test(gitconfig_parse, every_prefix)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = strlen(rows[i].text);

		for (size_t n = 0; n <= len; n++) {
			char *exact = malloc(n + (n == 0));
			struct gitconfig g;

			memcpy(exact, rows[i].text, n);
			cr_assert_eq(gitconfig_parse(exact, n, &g), 0);
			gitconfig_finish(&g);
			free(exact);
		}
	}
}

Test(gitconfig_parse, bounds)
{
	auto_buf text = BUF_INIT, got = BUF_INIT;

	dump("[a]\nb=c\0d\n", 10, &got);
	cr_expect_str_eq(buf_text(&got), "line 1");
	buf_puts(&text, "[a]\n");
	for (size_t i = 0; i < GITCONFIG_ENTRIES_MAX; i++) {
		buf_puts(&text, "b\n");
	}
	buf_reset(&got);
	dump(buf_text(&text), text.len, &got);
	cr_expect_eq(got.len, (size_t)GITCONFIG_ENTRIES_MAX * 4);
	buf_puts(&text, "b\n");
	buf_reset(&got);
	dump(buf_text(&text), text.len, &got);
	cr_expect_str_eq(buf_text(&got), "line 16386");
	buf_reset(&text);
	for (size_t i = 0; i < GITCONFIG_BYTES_MAX + 1; i++) {
		buf_putc(&text, '\n');
	}
	buf_reset(&got);
	dump(buf_text(&text), GITCONFIG_BYTES_MAX, &got);
	cr_expect_str_eq(buf_text(&got), "");
	dump(buf_text(&text), text.len, &got);
	cr_expect_str_eq(buf_text(&got), "line 1");
}
