/* SPDX-License-Identifier: Apache-2.0 */
/* Run by `make unit` as anybody; no input but the tables below. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../../../launcher/snapshot/names_internal.h"

struct row {
	const char *path;
	const char *want; /* folded components, each ended by '|' */
};

#define SEPARATOR(bytes)                    \
	{                                   \
		"a" bytes "b" bytes, "a|b|" \
	}

static const struct row rows[] = {
	{ "a/b", "a|b|" },
	{ "//a//b/", "a|b|" },
	{ "", "" },
	{ "A/Bc.D", "a|bc.d|" },
	/* other letters that are these */
	{ "hoo\xe2\x84\xaa\xc5\xbf", "hooks|" },
	{ "\xef\xbc\x8e\xef\xbc\xa7\xef\xbd\x89\xef\xbd\x94", ".git|" },
	{ "\xe2\x80\xa4git/\xef\xb9\x92x", ".git|.x|" },
	{ "\xef\xbc\x81\xef\xbd\x9e", "!~|" },
	/* what is next to the full width, and cut */
	{ "\xef\xbc\x80\xef\xbd\x9f", "\xef\xbc\x80\xef\xbd\x9f|" },
	{ "\xef\xbc", "\xef\xbc|" },
	{ "\xef", "\xef|" },
	/* what nobody sees */
	{ ".g\xe2\x80\x8cit", ".git|" },
	{ "\xef\xbb\xbf.git", ".git|" },
	{ ".git /x", ".git|x|" },
	{ ".git. ./x", ".git|x|" },
	{ "..", "..|" },
	{ "...", "..|" },
	{ ". ", ". |" },
	/* what is shown as a separator, or becomes one */
	SEPARATOR("\xc2\xa5"),
	SEPARATOR("\xe1\x9c\xb5"),
	SEPARATOR("\xe2\x81\x84"),
	SEPARATOR("\xe2\x82\xa9"),
	SEPARATOR("\xe2\x88\x95"),
	SEPARATOR("\xe2\x88\x96"),
	SEPARATOR("\xe2\x95\xb1"),
	SEPARATOR("\xe2\x95\xb2"),
	SEPARATOR("\xe2\x9f\x8b"),
	SEPARATOR("\xe2\x9f\x8d"),
	SEPARATOR("\xe2\xa7\xb5"),
	SEPARATOR("\xe2\xa7\xb8"),
	SEPARATOR("\xe2\xa7\xb9"),
	SEPARATOR("\xe3\x87\x93"),
	SEPARATOR("\xe3\x87\x94"),
	SEPARATOR("\xef\xb9\xa8"),
	SEPARATOR("\xef\xbc\x8f"),
	SEPARATOR("\xef\xbc\xbc"),
	SEPARATOR("\xe2\x80\x8b\xe2\x88\x95"),
	SEPARATOR("\xe2\x88\x95/\xe2\x88\x95"),
	SEPARATOR("\\"),
	/* letters of a language stay */
	{ "\xc3\xa4\xe4\xb8\xad", "\xc3\xa4\xe4\xb8\xad|" },
};

Test(names_fold, rows)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *p = rows[i].path;
		char got[64] = "", name[NAME_MAX + 1];

		while (*p != '\0') {
			cr_expect_eq(names_take(&p, true, name), strlen(name));
			strcat(strcat(got, name), "|");
		}
		cr_expect_str_eq(got, rows[i].want, "row %zu", i);
	}
}

Test(names_fold, exact_bytes_without_folding)
{
	const char *p = "A\\b\xe2\x88\x95 /C.";
	char name[NAME_MAX + 1];

	cr_expect_eq(names_take(&p, false, name), 7u);
	cr_expect_str_eq(name, "A\\b\xe2\x88\x95 ");
	cr_expect_eq(names_take(&p, false, name), 2u);
	cr_expect_str_eq(name, "C.");
	cr_expect_str_eq(p, "");
}

/* The rules see them all, also where the whole path is one name. */
Test(names_fold, rules)
{
	static const char *const held[] = {
		".git\xe2\x88\x95hooks\xe2\x88\x95pre-commit",
		".git\\hooks\\pre-commit",
		"sub\xef\xbc\x8f.envrc",
		".git/hooks\xe2\x81\x84pre-push",
		".vscode\xe2\xa7\xb8tasks.json",
		"\xef\xbc\x8e"
		"envrc",
		".ENVRC ",
		".envrc.",
		"repo\xe2\x88\x95HEAD",
		".airlock-commit\xe2\x88\x95n0",
		".github\xe2\x88\x95workflows/x.yml",
	};
	static const char *const passes[] = {
		"src\xe2\x88\x95main.c",
		"a\\b",
		"docs/1\xe2\x81\x84"
		"2.md",
		".git\xe2\x88\x95objects/ab",
		"x\xe2\x88\x95.github\xe2\x88\x95workflows/x.yml",
	};
	const char *says;

	for (size_t i = 0; i < sizeof(held) / sizeof(held[0]); i++) {
		cr_expect_neq(names_class(held[i], S_IFREG, &says), NAME__NONE, "%s", held[i]);
	}
	for (size_t i = 0; i < sizeof(passes) / sizeof(passes[0]); i++) {
		cr_expect_eq(names_class(passes[i], S_IFREG, &says), NAME__NONE, "%s: %s",
			     passes[i], says);
	}
}
