/* SPDX-License-Identifier: Apache-2.0 */
/* Run by `make unit`: golden bytes of docs/formats.md, "Change set". */
#include <criterion/criterion.h>
#include <string.h>
#include <sys/stat.h>

#include "../../../launcher/base/text.h"
#include "../../../launcher/snapshot/changes_internal.h"
#include "changes_golden.h"

static void
append(struct change_set *set, struct change c, const char *path)
{
	c.path = strdup(path);
	cr_assert_eq(changes_append(set, &c), 0);
}

Test(changes_list, golden_bytes)
{
	static const uint8_t call[16] = { 0x01, 0x93, 0x5c, 0x8e, 0x1f, 0x2a, 0x7b, 0x3c,
					  0x9d, 0x4e, 0xaf, 0x50, 0x61, 0x72, 0x83, 0x94 };
	struct change_set set = { .items = NULL };
	struct buf list = BUF_INIT;
	uint8_t digest[32];
	char hex[65];

	append(&set,
	       (struct change){ .kind = CHANGE_MODE,
				.mode_before = S_IFDIR | 0755,
				.mode_after = S_IFDIR | 0700 },
	       "d");
	append(&set,
	       (struct change){
		       .kind = CHANGE_DELETE, .mode_before = S_IFREG | 0644, .size_before = 3 },
	       "d/a b");
	append(&set,
	       (struct change){ .kind = CHANGE_MODIFY,
				.mode_before = S_IFREG | 0644,
				.mode_after = S_IFREG | 0644,
				.size_before = 1,
				.size_after = 2,
				.before_known = true,
				.after_known = true,
				.before = { 0xaa },
				.after = { 0xbb },
				.xattrs_after = strdup(" xattr:user.x=00" ZEROS_62) },
	       "d.c");
	append(&set,
	       (struct change){ .kind = CHANGE_REPLACE,
				.mode_before = S_IFREG | 0644,
				.mode_after = S_IFLNK | 0777,
				.size_before = 1,
				.link_after = strdup("-") },
	       "\n\xff");
	append(&set,
	       (struct change){ .kind = CHANGE_CREATE,
				.mode_after = S_IFREG | 0644,
				.after_known = true,
				.hold = HOLD_PROTECTED },
	       ".envrc");
	changes_sort(&set);
	cr_assert_eq(changes_list_write(&set, call, 64512, 131073, &list), 0);
	cr_expect_str_eq(buf_text(&list), CHANGES_GOLDEN);
	sha256_of(list.data, list.len, digest);
	text_hex(digest, 32, hex);
	cr_expect_str_eq(hex, CHANGES_GOLDEN_DIGEST);
	cr_expect_eq(set.created, 1u);
	cr_expect_eq(set.modified, 3u);
	cr_expect_eq(set.deleted, 1u);
	cr_expect_eq(set.held, 1u);
	cr_expect_eq(set.bytes, 2u);
	cr_expect_str_eq(changes_find(&set, "d.c")->path, "d.c");
	cr_expect_null(changes_find(&set, "d.d"));
	buf_finish(&list);
	changes_finish(&set);
	cr_expect_null(set.items);
}

Test(changes_list, empty_set)
{
	struct change_set set = { .items = NULL };
	struct buf list = BUF_INIT;
	uint8_t call[16] = { 0 };

	changes_sort(&set);
	cr_assert_eq(changes_list_write(&set, call, 0, 0, &list), 0);
	cr_expect_str_eq(buf_text(&list),
			 "airlock-changes v1\ncall 00000000-0000-0000-0000-000000000000\n"
			 "workspace 0 0\n");
	buf_finish(&list);
}

Test(changes_list, every_kind_has_a_word)
{
	static const char *const words[] = { "create", "modify", "delete", "replace", "mode" };

	cr_assert_eq(sizeof(words) / sizeof(words[0]), (size_t)CHANGE__COUNT);
	for (enum change_kind k = 0; k < CHANGE__COUNT; k++) {
		cr_expect_str_eq(changes_kind_word(k), words[k]);
	}
}

/* What the list says is compared, and nothing else. */
Test(changes_list, first_difference)
{
	static const struct {
		struct change a, b;
		bool differs;
	} rows[] = {
		{ { .mode_after = S_IFREG | 0644 }, { .mode_after = S_IFREG | 0644 }, false },
		{ { .lower_ino = 1 }, { .lower_ino = 2 }, false },
		{ { .mode_after = S_IFREG | 0644 }, { .mode_after = S_IFREG | 0600 }, true },
		{ { .kind = CHANGE_CREATE }, { .kind = CHANGE_MODIFY }, true },
		{ { .before_known = true, .before = { 1 } },
		  { .before_known = true, .before = { 2 } },
		  true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct change_set a = { .items = NULL }, b = { .items = NULL };
		const char *got;

		append(&a, (struct change){ .kind = CHANGE_CREATE }, "a");
		append(&b, (struct change){ .kind = CHANGE_CREATE }, "a");
		append(&a, rows[i].a, "b");
		append(&b, rows[i].b, "b");
		got = changes_first_difference(&a, &b);
		cr_expect_str_eq(got != NULL ? got : "none", rows[i].differs ? "b" : "none", "%zu",
				 i);
		append(&b, (struct change){ .kind = CHANGE_CREATE }, "z");
		got = changes_first_difference(&a, &b);
		cr_expect_str_eq(got, rows[i].differs ? "b" : "z");
		cr_expect_str_eq(changes_first_difference(&b, &a), rows[i].differs ? "b" : "z");
		changes_finish(&a);
		changes_finish(&b);
	}
}

Test(changes_list, first_difference_of_paths)
{
	struct change_set a = { .items = NULL }, b = { .items = NULL };

	append(&a, (struct change){ .kind = CHANGE_CREATE }, "b");
	cr_expect_str_eq(changes_first_difference(&a, &b), "b");
	append(&b, (struct change){ .kind = CHANGE_CREATE }, "a");
	append(&b, (struct change){ .kind = CHANGE_CREATE }, "b");
	cr_expect_str_eq(changes_first_difference(&a, &b), "a");
	cr_expect_str_eq(changes_first_difference(&b, &a), "a");
	changes_finish(&a);
	changes_finish(&b);
}

static void
lost(struct change_set *cs, const char *path, const char *upper, const char *lower)
{
	struct xattrs is = XATTRS_INIT, was = XATTRS_INIT;

	buf_puts(&is.others, upper);
	buf_puts(&was.others, lower != NULL ? lower : "");
	cr_assert_eq(changes_note_lost(cs, path, &is, lower != NULL ? &was : NULL), 0);
	xattrs_finish(&is);
	xattrs_finish(&was);
}

/* What a new entry has; of one that stays, what the tool gave it or took away. */
Test(changes_list, attributes_that_are_lost)
{
	struct change_set cs = { .items = NULL };

	lost(&cs, "none", "", NULL);
	lost(&cs, "stays", " xattr:system.posix_acl_access=00",
	     " xattr:system.posix_acl_access=00");
	cr_expect_eq(cs.lost, 0u);
	cr_expect_null(cs.lost_first);
	lost(&cs, "d/a\033", "", " xattr:system.posix_acl_default=00");
	cr_expect_eq(cs.lost, 1u);
	cr_expect_str_eq(cs.lost_first, "system.posix_acl_default of d/a\\033");
	lost(&cs, "new", " xattr:system.posix_acl_access=00", NULL);
	lost(&cs, "other", " xattr:system.posix_acl_access=01",
	     " xattr:system.posix_acl_access=00");
	cr_expect_eq(cs.lost, 3u);
	cr_expect_str_eq(cs.lost_first, "system.posix_acl_default of d/a\\033");
	changes_finish(&cs);
}
