/* SPDX-License-Identifier: Apache-2.0 */
/* view_tree.c: the order of a list, change sets over it, mtree's bytes. Run by `make unit`. */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>

#include "../../../launcher/cli/view_tree.h"
#include "../../../launcher/snapshot/snapshot.h"

Test(view_tree, parents_come_before_what_is_below_them)
{
	static const char *const sorted[] = { "a",   "a/b", "a/b/c", "a/\xff", "a\001",
					      "a-b", "a.b", "ab",    "b" };

	for (size_t i = 0; i < ARRAY_LEN(sorted); i++) {
		for (size_t k = 0; k < ARRAY_LEN(sorted); k++) {
			int want = i < k ? -1 : i > k ? 1 : 0;

			cr_expect_eq(tree_path_compare(sorted[i], sorted[k]), want, "%s, %s",
				     sorted[i], sorted[k]);
		}
	}
}

static struct change
make_change(const char *path, enum change_kind kind, mode_t mode)
{
	return (struct change){ .path = (char *)(uintptr_t)path, .kind = kind, .mode_after = mode };
}

static void
apply(struct tree_list *list, struct change *items, size_t count)
{
	const struct change_set set = { .items = items, .count = count };

	cr_assert_eq(tree_list_apply(list, &set), 0);
}

static void
expect_mtree(const struct tree_list *list, const char *body)
{
	auto_buf out = BUF_INIT, want = BUF_INIT;

	buf_puts(&want, "#mtree v2.0\n. type=dir\n");
	buf_puts(&want, body);
	tree_print_mtree(list, &out);
	cr_expect_str_eq(buf_text(&out), buf_text(&want));
}

/* Sets come in the order of whole paths, where "a-b" stands before "a/f". */
Test(view_tree, change_sets_over_each_other)
{
	auto_tree_list list = TREE_LIST_INIT;
	struct change first[] = { make_change("a", CHANGE_CREATE, S_IFDIR | 0755),
				  make_change("a-b", CHANGE_CREATE, S_IFREG | 0644),
				  make_change("a/f", CHANGE_CREATE, S_IFREG | 0600),
				  make_change("l", CHANGE_CREATE, S_IFLNK | 0777) };
	struct change second[] = { make_change("a", CHANGE_MODE, S_IFDIR | 0700),
				   make_change("a-b", CHANGE_DELETE, 0),
				   make_change("a/f", CHANGE_MODE, S_IFREG | 04755),
				   make_change("l", CHANGE_MODIFY, S_IFLNK | 0777) };
	struct change third[] = { make_change("a", CHANGE_REPLACE, S_IFREG | 0644),
				  make_change("a/f", CHANGE_DELETE, 0) };

	first[2].after_known = true;
	memset(first[2].after, 0xab, sizeof(first[2].after));
	first[2].size_after = second[2].size_after = 7;
	first[3].link_after = (char *)(uintptr_t) "x y";
	second[3].link_after = (char *)(uintptr_t) "z";
	apply(&list, first, ARRAY_LEN(first));
	expect_mtree(&list, "./a type=dir mode=0755\n"
			    "./a/f type=file mode=0600 size=7 "
			    "sha256=ababababababababababababababababababababababababababababababab"
			    "ab\n"
			    "./a-b type=file mode=0644 size=0\n"
			    "./l type=link mode=0777 link=x\\040y\n");
	apply(&list, second, ARRAY_LEN(second));
	expect_mtree(&list, "./a type=dir mode=0700\n"
			    "./a/f type=file mode=4755 size=7 "
			    "sha256=ababababababababababababababababababababababababababababababab"
			    "ab\n"
			    "./l type=link mode=0777 link=z\n");
	apply(&list, third, ARRAY_LEN(third));
	expect_mtree(&list, "./a type=file mode=0644 size=0\n"
			    "./l type=link mode=0777 link=z\n");
}

Test(view_tree, what_was_not_entered_is_ignored_and_patterns_are_names)
{
	struct tree_entry entries[] = {
		{ .path = (char *)(uintptr_t) "[x]\\/mnt", .kind = 'd', .mode = 0755 },
		{ .path = (char *)(uintptr_t) "p\\q", .kind = 'p', .mode = 0644 },
		{ .path = (char *)(uintptr_t) "q", .kind = '?', .mode = 0644 },
	};
	const struct tree_list list = { .entries = entries, .count = ARRAY_LEN(entries) };

	expect_mtree(&list, "./\\134[x]\\134\\134/mnt type=dir mode=0755 ignore\n"
			    "./p\\134q type=fifo mode=0644\n"
			    "./q\n");
}
