/* SPDX-License-Identifier: Apache-2.0 */
/* Run by `make unit`: the golden list read back, and everything that is no list. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../../launcher/base/limits.h"
#include "../../../launcher/base/text.h"
#include "../../../launcher/snapshot/changes_internal.h"
#include "changes_golden.h"

#define D "11" ZEROS_62
/* Of "t". */
#define T "e3b98a4da31a127d4bde6e43033f66ba274cab0eb7eb1c70ec41402bf6273dd8"

static int
read_text(const char *text, struct change_list *ret, struct err *err)
{
	size_t len = strlen(text);
	char *copy = malloc(len + 1); /* exactly as long, for the sanitizer */
	int r;

	cr_assert_not_null(copy);
	memcpy(copy, text, len);
	r = changes_list_read(copy, len, ret, err);
	free(copy);
	return r;
}

static void
expect_round_trip(const char *text)
{
	struct change_list list;
	struct err err = ERR_INIT;
	struct buf again = BUF_INIT;
	uint8_t digest[32];

	cr_assert_eq(read_text(text, &list, &err), 0, "%s: %s", text, err.text);
	cr_assert_eq(changes_list_write(&list.set, list.call, list.workspace_dev,
					list.workspace_ino, &again),
		     0);
	cr_expect_str_eq(buf_text(&again), text);
	sha256_of(text, strlen(text), digest);
	cr_expect_arr_eq(list.set.digest, digest, 32);
	cr_expect_arr_eq(list.set.object, digest, 32);
	buf_finish(&again);
	changes_finish(&list.set);
}

Test(changes_read, golden_vector)
{
	struct change_list list;
	struct err err = ERR_INIT;
	const struct change *c;
	char hex[HEX_DIGEST_SIZE], uuid[UUID_TEXT_SIZE];

	cr_assert_eq(read_text(CHANGES_GOLDEN, &list, &err), 0, "%s", err.text);
	text_uuid_print(list.call, uuid);
	cr_expect_str_eq(uuid, "01935c8e-1f2a-7b3c-9d4e-af5061728394");
	cr_expect_eq(list.workspace_dev, 64512u);
	cr_expect_eq(list.workspace_ino, 131073u);
	text_hex(list.set.digest, 32, hex);
	cr_expect_str_eq(hex, CHANGES_GOLDEN_DIGEST);
	cr_assert_eq(list.set.count, 5u);
	cr_expect_eq(list.set.created, 1u);
	cr_expect_eq(list.set.modified, 3u);
	cr_expect_eq(list.set.deleted, 1u);
	cr_expect_eq(list.set.held, 0u);
	cr_expect_eq(list.set.bytes, 2u);

	c = &list.set.items[0];
	cr_expect_str_eq(c->path, "\n\xff");
	cr_expect_eq(c->kind, CHANGE_REPLACE);
	cr_expect_eq(c->mode_before, (mode_t)(S_IFREG | 0644));
	cr_expect_eq(c->mode_after, (mode_t)(S_IFLNK | 0777));
	cr_expect_eq(c->size_before, 1u);
	cr_expect_eq(c->size_after, 0u);
	cr_expect_eq(c->before_known, false);
	cr_expect_eq(c->after_known, false);
	cr_expect_str_eq(c->link_after, "-");
	cr_expect_str_eq(c->xattrs_after, "");

	c = changes_find(&list.set, "d.c");
	cr_assert_not_null(c);
	cr_expect_eq(c->kind, CHANGE_MODIFY);
	cr_expect_eq(c->size_before, 1u);
	cr_expect_eq(c->size_after, 2u);
	cr_expect_eq(c->before_known, true);
	cr_expect_eq(c->before[0], 0xaa);
	cr_expect_eq(c->after_known, true);
	cr_expect_eq(c->after[0], 0xbb);
	cr_expect_null(c->link_after);
	cr_expect_str_eq(c->xattrs_after, " xattr:user.x=00" ZEROS_62);

	c = changes_find(&list.set, "d/a b");
	cr_assert_not_null(c);
	cr_expect_eq(c->kind, CHANGE_DELETE);
	cr_expect_eq(c->mode_after, 0u);
	changes_finish(&list.set);
	expect_round_trip(CHANGES_GOLDEN);
	expect_round_trip(CHANGES_GOLDEN_HEADER);
}

/* Positive controls of the table of refusals below. */
Test(changes_read, takes_what_the_writer_can_write)
{
	static const char *const lines[] = {
		"create - 100644 - 0 - - 1:a -\n",
		"create - 140755 - - - - 1:a -\n",
		"create - 120777 - - - " T " 1:a 1:t\n",
		"create - 040755 - - - - 1:a - xattr:user.a=" D " xattr:user.b\\040=" D "\n",
		"create - 100644 - 0 - " D " 1:a - xattr:user.a==" D "\n",
		"replace 020600 020600 - - - - 1:a -\n",
		"replace 040755 100644 - 18446744073709551615 - " D " 1:a -\n",
		"modify 120777 120777 - - " D " " T " 1:a 1:t\n",
		"mode 010644 010600 - - - - 1:a -\n",
		"delete 120777 - - - " D " - 1:a -\n",
		"create - 100644 - 0 - " D " 3:... -\n",
		"create - 100644 - 0 - " D " 1:\\134 -\n",
		"create - 100644 - 0 - " D " 1:a -\ncreate - 100644 - 0 - " D " 2:a! -\n",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct buf text = BUF_INIT;

		buf_printf(&text, "%s%s", CHANGES_GOLDEN_HEADER, lines[i]);
		expect_round_trip(buf_text(&text));
		buf_finish(&text);
	}
}

struct refusal {
	const char *text, *says;
};

static void
expect_refused(const struct refusal *rows, size_t count, const char *head)
{
	for (size_t i = 0; i < count; i++) {
		struct change_list list = { .workspace_ino = 77 };
		struct err err = ERR_INIT;
		struct buf text = BUF_INIT;

		buf_printf(&text, "%s%s", head, rows[i].text);
		cr_expect_eq(read_text(buf_text(&text), &list, &err), -EBADMSG, "%s", rows[i].text);
		cr_expect_str_eq(err.text, rows[i].says, "%s", rows[i].text);
		cr_expect_eq(list.workspace_ino, 77u);
		buf_finish(&text);
	}
}

Test(changes_read, refuses_other_headers)
{
	static const struct refusal rows[] = {
		{ "", "change list: line 1: cut, or a space at its end" },
		{ "airlock-changes v1", "change list: line 1: cut, or a space at its end" },
		{ "airlock-changes v2\n", "change list: line 1: not \"airlock-changes v1\"" },
		{ "airlock-changes v1 \n", "change list: line 1: cut, or a space at its end" },
		{ "airlock-changes v1\n", "change list: line 2: cut, or a space at its end" },
		{ "airlock-changes v1\n\n", "change list: line 2: cut, or a space at its end" },
		{ "airlock-changes v1\ncall 01935C8e-1f2a-7b3c-9d4e-af5061728394\n",
		  "change list: line 2: not a call's id" },
		{ "airlock-changes v1\ncall 01935c8e-1f2a-7b3c-9d4e-af506172839\n",
		  "change list: line 2: not a call's id" },
		{ "airlock-changes v1\ncall 01935c8e-1f2a-7b3c-9d4e-af5061728394 x\n",
		  "change list: line 2: not a call's id" },
		{ "airlock-changes v1\ncall\n", "change list: line 2: not a call's id" },
		{ "airlock-changes v1\ncall  01935c8e-1f2a-7b3c-9d4e-af5061728394\n",
		  "change list: line 2: not a call's id" },
	};
	static const struct refusal workspaces[] = {
		{ "", "change list: line 3: cut, or a space at its end" },
		{ "workspace 1\n", "change list: line 3: not a workspace's device and inode" },
		{ "workspace 1 2 3\n", "change list: line 3: not a workspace's device and inode" },
		{ "workspace 01 2\n", "change list: line 3: not a workspace's device and inode" },
		{ "workspace 1 -2\n", "change list: line 3: not a workspace's device and inode" },
		{ "workspace 1 18446744073709551616\n",
		  "change list: line 3: not a workspace's device and inode" },
		{ "Workspace 1 2\n", "change list: line 3: not a workspace's device and inode" },
	};

	expect_refused(rows, sizeof(rows) / sizeof(rows[0]), "");
	expect_refused(workspaces, sizeof(workspaces) / sizeof(workspaces[0]),
		       "airlock-changes v1\ncall 01935c8e-1f2a-7b3c-9d4e-af5061728394\n");
}

#define CUT "change list: line 4: cut, or a space at its end"
#define FEW "change list: line 4: fields are missing, or two spaces"
#define KIND "change list: line 4: an unknown kind"
#define MODE "change list: line 4: not a mode"
#define FITS "change list: line 4: modes that this kind of change has not"
#define SIZE "change list: line 4: not a size"
#define DIGEST "change list: line 4: not a digest"
#define PATH "change list: line 4: no path of a workspace in its one spelling"
#define TARGET "change list: line 4: no link's target in its one spelling"
#define ATTRS "change list: line 4: attributes that no change has"

Test(changes_read, refuses_other_facts)
{
	static const struct refusal rows[] = {
		{ "create - 100644 - 0 - - 1:a -", CUT },
		{ "\n", CUT },
		{ "create - 100644 - 0 - - 1:a - \n", CUT },
		{ "create - 100644 - 0 - - 1:a\n", FEW },
		{ "create - 100644 - 0 - -  1:a -\n", FEW },
		{ " create - 100644 - 0 - - 1:a -\n", FEW },
		{ "rename - 100644 - 0 - - 1:a -\n", KIND },
		{ "Create - 100644 - 0 - - 1:a -\n", KIND },
		{ "create - 10644 - 0 - - 1:a -\n", MODE },
		{ "create - 0100644 - 0 - - 1:a -\n", MODE },
		{ "create - 100648 - 0 - - 1:a -\n", MODE },
		{ "create - 000644 - 0 - - 1:a -\n", MODE },
		{ "create - 170644 - 0 - - 1:a -\n", MODE },
		{ "create - 777777 - 0 - - 1:a -\n", MODE },
		{ "delete 000000 - - - - - 1:a -\n", MODE },
		{ "create 100644 100644 0 0 - - 1:a -\n", FITS },
		{ "create - - - - - - 1:a -\n", FITS },
		{ "delete 100644 100644 0 0 - - 1:a -\n", FITS },
		{ "delete - - - - - - 1:a -\n", FITS },
		{ "modify - 100644 - 0 - - 1:a -\n", FITS },
		{ "modify 100644 120777 0 - - - 1:a 1:t\n", FITS },
		{ "modify 040755 040755 - - - - 1:a -\n", FITS },
		{ "mode 120777 120755 - - - - 1:a 1:t\n", FITS },
		{ "mode 100644 - 0 - - - 1:a -\n", FITS },
		{ "replace 100644 100644 0 0 - - 1:a -\n", FITS },
		{ "replace - 100644 - 0 - - 1:a -\n", FITS },
		{ "create - 100644 - - - - 1:a -\n", SIZE },
		{ "create - 100644 0 0 - - 1:a -\n", SIZE },
		{ "create - 100644 - 00 - - 1:a -\n", SIZE },
		{ "create - 100644 - +1 - - 1:a -\n", SIZE },
		{ "create - 100644 - 18446744073709551616 - - 1:a -\n", SIZE },
		{ "create - 040755 - 0 - - 1:a -\n", SIZE },
		{ "create - 100644 - 0 - 11 1:a -\n", DIGEST },
		{ "create - 100644 - 0 - AA" ZEROS_62 " 1:a -\n", DIGEST },
		{ "create - 100644 - 0 - " D "0 1:a -\n", DIGEST },
		{ "create - 100644 - 0 " D " - 1:a -\n", DIGEST },
		{ "create - 040755 - - - " D " 1:a -\n", DIGEST },
		{ "delete 100644 - 0 - - " D " 1:a -\n", DIGEST },
	};

	expect_refused(rows, sizeof(rows) / sizeof(rows[0]), CHANGES_GOLDEN_HEADER);
}

Test(changes_read, refuses_other_names)
{
	static const struct refusal rows[] = {
		{ "create - 100644 - 0 - - a -\n", PATH },
		{ "create - 100644 - 0 - - :a -\n", PATH },
		{ "create - 100644 - 0 - - 2:a -\n", PATH },
		{ "create - 100644 - 0 - - 01:a -\n", PATH },
		{ "create - 100644 - 0 - - 0: -\n", PATH },
		{ "create - 100644 - 0 - - 1:\\141 -\n", PATH },
		{ "create - 100644 - 0 - - 1:\\000 -\n", PATH },
		{ "create - 100644 - 0 - - 1:\\400 -\n", PATH },
		{ "create - 100644 - 0 - - 1:\xff -\n", PATH },
		{ "create - 100644 - 0 - - 2:/a -\n", PATH },
		{ "create - 100644 - 0 - - 2:a/ -\n", PATH },
		{ "create - 100644 - 0 - - 4:a//b -\n", PATH },
		{ "create - 100644 - 0 - - 1:. -\n", PATH },
		{ "create - 100644 - 0 - - 2:.. -\n", PATH },
		{ "create - 100644 - 0 - - 6:a/../b -\n", PATH },
		{ "create - 100644 - 0 - - 4:a/.. -\n", PATH },
		{ "create - 100644 - 0 - - 1:a 1:t\n",
		  "change list: line 4: a target of what is no link" },
		{ "create - 120777 - - - - 1:a -\n", TARGET },
		{ "create - 120777 - - - - 1:a 0:\n", TARGET },
		{ "create - 120777 - - - - 1:a 2:t\n", TARGET },
		{ "create - 120777 - - - - 1:a 1:\\164\n", TARGET },
		{ "create - 120777 - - - " D " 1:a 1:t\n",
		  "change list: line 4: the digest after is not the target's" },
		{ "create - 100644 - 0 - - 1:a - x\n", ATTRS },
		{ "create - 100644 - 0 - - 1:a -  xattr:user.a=" D "\n", ATTRS },
		{ "create - 100644 - 0 - - 1:a - xattr:user.a=11\n", ATTRS },
		{ "create - 100644 - 0 - - 1:a - xattr:user.a:" D "\n", ATTRS },
		{ "create - 100644 - 0 - - 1:a - xattr:=" D "\n", ATTRS },
		{ "create - 100644 - 0 - - 1:a - xattr:user.\\141=" D "\n", ATTRS },
		{ "create - 100644 - 0 - - 1:a - xattr:security.capability=" D "\n", ATTRS },
		{ "create - 100644 - 0 - - 1:a - xattr:user.overlay.opaque=" D "\n", ATTRS },
		{ "create - 100644 - 0 - - 1:a - xattr:user.b=" D " xattr:user.a=" D "\n", ATTRS },
		{ "create - 100644 - 0 - - 1:a - xattr:user.a=" D " xattr:user.a=" D "\n", ATTRS },
		{ "create - 120777 - - - - 1:a 1:t xattr:user.a=" D "\n", ATTRS },
		{ "delete 100644 - 0 - - - 1:a - xattr:user.a=" D "\n", ATTRS },
		{ "create - 100644 - 0 - - 1:b -\ncreate - 100644 - 0 - - 1:a -\n",
		  "change list: line 5: its path is not behind the one before" },
		{ "create - 100644 - 0 - - 1:a -\ncreate - 100644 - 0 - - 1:a -\n",
		  "change list: line 5: its path is not behind the one before" },
	};

	expect_refused(rows, sizeof(rows) / sizeof(rows[0]), CHANGES_GOLDEN_HEADER);
}

static int
read_deep(unsigned int components)
{
	struct change_list list;
	struct buf path = BUF_INIT, text = BUF_INIT;
	int r;

	for (unsigned int i = 0; i < components; i++) {
		buf_puts(&path, i == 0 ? "d" : "/d");
	}
	buf_printf(&text, "%screate - 040755 - - - - %zu:%s -\n", CHANGES_GOLDEN_HEADER, path.len,
		   buf_text(&path));
	r = changes_list_read(text.data, text.len, &list, NULL);
	if (r == 0) {
		cr_expect_str_eq(list.set.items[0].path, buf_text(&path));
		changes_finish(&list.set);
	}
	buf_finish(&path);
	buf_finish(&text);
	return r;
}

/* The collector enters CAP_TREE_DEPTH directories below the root and lists the deepest. */
Test(changes_read, depth)
{
	cr_expect_eq(read_deep(CAP_TREE_DEPTH + 1), 0);
	cr_expect_eq(read_deep(CAP_TREE_DEPTH + 2), -EBADMSG);
}

/* Four names of 20 MiB are more than the writer's 64. */
Test(changes_read, more_bytes_of_names_than_the_writer_writes)
{
	const size_t size = (size_t)20 << 20;
	struct change_list list;
	struct err err = ERR_INIT;
	struct buf text = BUF_INIT;
	char *name = malloc(size + 1);

	cr_assert_not_null(name);
	memset(name, 'n', size);
	name[size] = '\0';
	buf_puts(&text, CHANGES_GOLDEN_HEADER);
	for (char first = 'a'; first < 'e'; first++) {
		name[0] = first;
		buf_printf(&text, "create - 040755 - - - - %zu:%s -\n", size, name);
	}
	cr_assert_eq(buf_error(&text), 0);
	cr_expect_eq(changes_list_read(text.data, text.len, &list, &err), -E2BIG);
	cr_expect_str_eq(err.text, "change list: line 7: Argument list too long");
	free(name);
	buf_finish(&text);
}

/* Every prefix is read to an end; what ends between two lines is a list, and no other. */
Test(changes_read, cut_anywhere)
{
	static const char golden[] = CHANGES_GOLDEN;

	for (size_t len = 0; len < sizeof(golden) - 1; len++) {
		char *copy = malloc(len + 1);
		bool whole = len >= strlen(CHANGES_GOLDEN_HEADER) && golden[len - 1] == '\n';
		struct change_list list;
		int r;

		memcpy(copy, golden, len);
		r = changes_list_read(copy, len, &list, NULL);
		cr_expect_eq(r, whole ? 0 : -EBADMSG, "%zu", len);
		if (r == 0) {
			changes_finish(&list.set);
		}
		free(copy);
	}
}

/* One bit that differs is another list, or none; never the same one. */
Test(changes_read, any_bit_counts)
{
	char text[] = CHANGES_GOLDEN;

	for (size_t bit = 0; bit < 8 * strlen(CHANGES_GOLDEN); bit++) {
		struct change_list list;
		struct buf again = BUF_INIT;

		text[bit / 8] ^= (char)(1 << bit % 8);
		if (changes_list_read(text, sizeof(text) - 1, &list, NULL) == 0) {
			cr_assert_eq(changes_list_write(&list.set, list.call, list.workspace_dev,
							list.workspace_ino, &again),
				     0);
			cr_expect_eq(again.len, sizeof(text) - 1);
			cr_expect_arr_eq(again.data, text, again.len, "bit %zu", bit);
			changes_finish(&list.set);
			buf_finish(&again);
		}
		text[bit / 8] ^= (char)(1 << bit % 8);
	}
}
