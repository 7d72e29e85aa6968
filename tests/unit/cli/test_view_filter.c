/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_filter.c: what is asked for, and how paths stand to workspaces. What it asks of a store is
 * tried by tests/e2e/74-log-filters.sh. Run by `make unit`.
 */
#include "../../../launcher/cli/view_filter.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

Test(view_filter, a_path_and_a_workspace)
{
	static const struct {
		const char *path, *workspace, *below; /* NULL: nothing to do with it */
	} rows[] = {
		{ "/w", "/w", "" },
		{ "/w/a", "/w", "a" },
		{ "/w/a/b", "/w", "a/b" },
		{ "/", "/w", "" },
		{ "/home", "/home/w", "" },
		{ "/w2", "/w", NULL },
		{ "/w", "/w2", NULL },
		{ "/wa", "/w", NULL },
		{ "/w\\040x/a", "/w\\040x", "a" },
		{ "/w\\040x", "/w", NULL },
		{ "/home/w", "/hom", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *below = NULL;
		int found = view_filter_below(rows[i].path, rows[i].workspace, &below);

		cr_expect_eq(found, rows[i].below != NULL ? 1 : 0, "row %zu", i);
		if (rows[i].below != NULL && found == 1) {
			cr_expect_str_eq(below, rows[i].below, "row %zu", i);
		}
	}
}

Test(view_filter, digests)
{
	static const char whole[] =
		"98ea6e4f216f2fb4b69fff9b3a44842c38686ca685f3f55dc48c5d3fb1107be4";
	static const struct {
		const char *text, *expected; /* NULL: it is none */
	} rows[] = {
		{ whole, whole },
		{ "98ea6e4f", "98ea6e4f" },
		{ "98EA6E4F2", "98ea6e4f2" },
		{ "98ea6e4", NULL },
		{ "", NULL },
		{ "98ea6e4g", NULL },
		{ "01a214fc-25e9", NULL },
		{ "98ea6e4f216f2fb4b69fff9b3a44842c38686ca685f3f55dc48c5d3fb1107be40", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_view_filter f = VIEW_FILTER_INIT;
		struct err err = ERR_INIT;
		int rc = view_filter_digest(&f, rows[i].text, &err);

		cr_expect_eq(rc, rows[i].expected != NULL ? 0 : -EINVAL, "%s", rows[i].text);
		cr_expect_str_eq(f.digest, rows[i].expected != NULL ? rows[i].expected : "");
		cr_expect_eq(view_filter_is_set(&f), rows[i].expected != NULL);
	}
}

Test(view_filter, a_principal_is_a_user_or_a_word)
{
	auto_view_filter f = VIEW_FILTER_INIT;

	cr_expect_eq(view_filter_is_set(&f), false);
	view_filter_principal(&f, "root");
	cr_expect_eq(f.has_uid, true);
	cr_expect_eq(f.uid, (uid_t)0);
	view_filter_principal(&f, "1234567");
	cr_expect_eq(f.has_uid, true);
	cr_expect_eq(f.uid, (uid_t)1234567);
	view_filter_principal(&f, "4294967295");
	cr_expect_eq(f.has_uid, false);
	view_filter_principal(&f, "no such user");
	cr_expect_eq(f.has_uid, false);
	cr_expect_eq(view_filter_is_set(&f), true);
}

Test(view_filter, links_on_the_way_are_followed_and_the_last_is_not)
{
	static const struct {
		const char *given, *expected; /* below the directory; NULL: refused */
	} rows[] = {
		{ "dir/file", "/dir/file" },	{ "to-dir/file", "/dir/file" },
		{ "to-dir", "/to-dir" },	{ "to-dir/", "/to-dir" },
		{ "./dir//file", "/dir/file" }, { "to-dir/gone/file", "/dir/gone/file" },
		{ "dir/../gone", "/gone" },	{ ".", "" },
		{ "to-dir/.", "/dir" },		{ "gone/../file", NULL },
		{ "..gone", "/..gone" },
	};
	char root[] = "/tmp/airlock-filter-XXXXXX";

	cr_assert_not_null(mkdtemp(root));
	cr_assert_eq(chdir(root), 0);
	cr_assert_eq(mkdir("dir", 0700), 0);
	cr_assert_eq(symlink("dir", "to-dir"), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf path = BUF_INIT;
		struct err err = ERR_INIT;
		int rc = view_filter_absolute(rows[i].given, &path, &err);

		cr_expect_eq(rc, rows[i].expected != NULL ? 0 : -ENOENT, "%s: %s", rows[i].given,
			     err.text);
		if (rc == 0 && rows[i].expected != NULL) {
			cr_expect_eq(strncmp(buf_text(&path), root, strlen(root)), 0);
			cr_expect_str_eq(buf_text(&path) + strlen(root), rows[i].expected);
		}
	}
	cr_assert_eq(unlink("to-dir") + rmdir("dir") + chdir("/") + rmdir(root), 0);
}
