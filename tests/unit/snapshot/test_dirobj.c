/* SPDX-License-Identifier: Apache-2.0 */
/* Run by `make unit`: golden bytes of docs/formats.md, and hostile text for the reader. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../../launcher/base/text.h"
#include "../../../launcher/snapshot/dirobj.h"

#define D "98ea6e4f216f2fb4b69fff9b3a44842c38686ca685f3f55dc48c5d3fb1107be4"

static const char golden[] =
	"airlock-dir v1\n"
	"f 0644 1000:1000 812 " D " README.md\n"
	"l 0777 1000:1000 - ../a\\040link link\n"
	"p 0600 0:0 - - pipe\n"
	"d 0755 1000:1000 - " D " src\n"
	"f 0000 4294967295:7 18446744073709551615 - unreadable\n"
	"f 4755 1000:1000 812 " D " x\\040y\\012\\377\\134 xattr:security.capability=" D "\n";

static void
write_golden(struct buf *b)
{
	uint8_t d[32];
	const struct dirobj_entry entries[] = {
		{ .mode = S_IFREG | 0644,
		  .uid = 1000,
		  .gid = 1000,
		  .size = 812,
		  .digest = d,
		  .name = "README.md",
		  .xattrs = "" },
		{ .mode = S_IFLNK | 0777,
		  .uid = 1000,
		  .gid = 1000,
		  .target = "../a link",
		  .name = "link",
		  .xattrs = "" },
		{ .mode = S_IFIFO | 0600, .size = 9, .name = "pipe", .xattrs = "" },
		{ .mode = S_IFDIR | 0755,
		  .uid = 1000,
		  .gid = 1000,
		  .size = 4096,
		  .digest = d,
		  .name = "src",
		  .xattrs = "" },
		{ .mode = S_IFREG,
		  .uid = UINT32_MAX,
		  .gid = 7,
		  .size = UINT64_MAX,
		  .name = "unreadable",
		  .xattrs = "" },
		{ .mode = S_IFREG | 04755,
		  .uid = 1000,
		  .gid = 1000,
		  .size = 812,
		  .digest = d,
		  .name = "x y\n\xff\\",
		  .xattrs = " xattr:security.capability=" D },
	};

	cr_assert_eq(text_unhex(D, d, 32), 0);
	dirobj_begin(b);
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		dirobj_add(b, &entries[i]);
	}
}

Test(dirobj, golden_bytes)
{
	struct buf b = BUF_INIT;
	uint8_t digest[32];
	char hex[65];

	write_golden(&b);
	cr_expect_str_eq(buf_text(&b), golden);
	sha256_of("airlock-dir v1\n", 15, digest);
	text_hex(digest, 32, hex);
	cr_expect_str_eq(hex, "73b5334cbac5edf5808e41b7146adccd795f68016bdc512311c54921cd6fafeb");
	buf_finish(&b);
}

Test(dirobj, read_again)
{
	struct dirobj_item item = DIROBJ_ITEM_INIT;

	cr_assert_eq(dirobj_find(golden, strlen(golden), "x y\n\xff\\", &item), 0);
	cr_expect_eq(item.kind, 'f');
	cr_expect_eq(item.mode, 04755u);
	cr_expect_eq(item.size, 812u);
	cr_expect_eq(item.has_digest, true);
	cr_expect_eq(item.xattrs_len, strlen("xattr:security.capability=") + 64);
	cr_assert_eq(dirobj_find(golden, strlen(golden), "link", &item), 0);
	cr_expect_str_eq(buf_text(&item.target), "../a link");
	cr_expect_eq(item.has_digest, false);
	cr_assert_eq(dirobj_find(golden, strlen(golden), "unreadable", &item), 0);
	cr_expect_eq(item.uid, UINT32_MAX);
	cr_expect_eq(item.size, UINT64_MAX);
	cr_expect_eq(dirobj_find(golden, strlen(golden), "absent", &item), -ENOENT);
	cr_expect_eq(dirobj_find("airlock-dir v1\n", 15, "a", &item), -ENOENT);
	dirobj_item_finish(&item);
}

Test(dirobj, refuses_other_spellings)
{
	static const char *const lines[] = {
		"f 0644 0:0 1 - a", /* no newline at the end */
		"\n",
		"f 644 0:0 1 - a\n",
		"f 0844 0:0 1 - a\n",
		"f 0644 0 1 - a\n",
		"f 0644 00:0 1 - a\n",
		"f 0644 0:4294967296 1 - a\n",
		"f 0644 0:0 01 - a\n",
		"f 0644 0:0 18446744073709551616 - a\n",
		"f 0644 0:0 - - a\n",
		"d 0644 0:0 1 - a\n",
		"f 0644 0:0 1 " D "0 a\n",
		"f 0644 0:0 1 98EA a\n",
		"f 0644 0:0 1 - \n",
		"f 0644 0:0 1 -  a\n",
		"f 0644 0:0 1 - a \n",
		"f 0644 0:0 1 - a x\n",
		"f 0644 0:0 1 - a/b\n",
		"f 0644 0:0 1 - a xattr:user.x" D "0\n",
		"f 0644 0:0 1 - a xattr:=" D "\n",
		"f 0644 0:0 1 - a xattr:user\x01=" D "\n",
		"f 0644 0:0 1 - a xattr:user.x=98EA" D "\n",
		"f 0644 0:0 1 - a xattr:b=" D " xattr:a=" D "\n",
		"f 0644 0:0 1 - a xattr:a=" D " xattr:a=" D "\n",
		"f 0644 0:0 1 - a xattr:a=" D "  xattr:b=" D "\n",
		"f 0644 0:0 1 - a xattr:a=" D " \n",
		"f 0644 0:0 1 - \\141\n",
		"f 0644 0:0 1 - \\000\n",
		"f 0644 0:0 1 - \\9\n",
		"f 0644 0:0 1 - a\nf 0644 0:0 1 - a\n",
		"f 0644 0:0 1 - b\nf 0644 0:0 1 - a\n",
		"x 0644 0:0 1 - a\n",
		"p 0644 0:0 - " D " a\n",
	};
	static const char no_kind[] = "airlock-dir v1\n\0 0644 0:0 - - a\n";
	struct dirobj_item item = DIROBJ_ITEM_INIT;
	char text[512];

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(text, sizeof(text), "airlock-dir v1\n%s", lines[i]);
		cr_expect_eq(dirobj_find(text, strlen(text), "zz", &item), -EBADMSG, "%s",
			     lines[i]);
	}
	cr_expect_eq(dirobj_find(no_kind, sizeof(no_kind) - 1, "a", &item), -EBADMSG);
	cr_expect_eq(dirobj_find("airlock-dir v2\n", 15, "a", &item), -EBADMSG);
	cr_expect_eq(dirobj_find("", 0, "a", &item), -EBADMSG);
	dirobj_item_finish(&item);
}

/* Every prefix of a good object is read to an end, without a fault. */
Test(dirobj, cut_anywhere)
{
	struct dirobj_item item = DIROBJ_ITEM_INIT;

	for (size_t len = 0; len < strlen(golden); len++) {
		char *copy = malloc(len + 1); /* exactly as long, for the sanitizer */
		int r;

		memcpy(copy, golden, len);
		r = dirobj_find(copy, len, "zz", &item);
		cr_expect(r == -EBADMSG || r == -ENOENT, "%zu: %d", len, r);
		free(copy);
	}
	dirobj_item_finish(&item);
}
