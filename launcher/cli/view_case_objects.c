/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The objects of a case folder. Runs in airlock-cli as the caller; each object is rehashed as it is
 * read, and written under its digest.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/limits.h"
#include "../snapshot/dirobj.h"
#include "../snapshot/snapshot.h"
#include "../store/digest_set.h"
#include "view_case.h"

/* Whoever names an object: its line of objects.tsv has call and role; path in vis octal. */
struct namer {
	struct case_folder *c;
	const struct record *rec;
	const char *role, *path;
	struct err *err;
};

static void
put_line(const struct namer *n, const uint8_t digest[SHA256_SIZE], const struct buf *content)
{
	char hex[HEX_DIGEST_SIZE];

	text_hex(digest, SHA256_SIZE, hex);
	buf_printf(&n->c->index, "%s\t", hex);
	if (content != NULL) {
		buf_printf(&n->c->index, "%zu", content->len);
	} else {
		buf_putc(&n->c->index, '-');
	}
	buf_printf(&n->c->index, "\t%s\t%s\t%s\n", n->rec->id, n->role, n->path);
}

/* The bytes under their digest, once. */
static int
write_object(const struct namer *n, const uint8_t digest[SHA256_SIZE], const struct buf *content)
{
	char hex[HEX_DIGEST_SIZE], shown[HEX_DIGEST_SIZE + 8];

	put_line(n, digest, content);
	if (digest_set_has(n->c->objects, digest)) {
		return 0;
	}
	text_hex(digest, SHA256_SIZE, hex);
	snprintf(shown, sizeof(shown), "objects/%s", hex);
	if (digest_set_add(n->c->objects, digest) != 0) {
		return err_sys(n->err, -ENOMEM, "export %s", shown);
	}
	return export_bytes(&n->c->x, n->c->objects_fd, hex, shown, 0600, content, n->err);
}

/* An object that a record names; one that was not captured has a line without a size. */
static int
put_object(const struct namer *n, const uint8_t digest[SHA256_SIZE])
{
	auto_buf content = BUF_INIT;
	int rc = object_content(n->c->r, n->rec, digest, &content, n->err);

	if (rc == -ENODATA) {
		put_line(n, digest, NULL);
		return 0;
	}
	return rc != 0 ? rc : write_object(n, digest, &content);
}

static int
put_hex(const struct namer *n, const char *hex)
{
	uint8_t digest[SHA256_SIZE];

	return text_unhex(hex, digest, sizeof(digest)) == 0 ? put_object(n, digest) : 0;
}

/* ---- streams ------------------------------------------------------------------------------ */

static int
put_streams(struct namer *n)
{
	static const char *const streams[] = { "stdin", "stdout", "stderr" };
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(streams) && rc == 0; i++) {
		const json_t *stream = json_object_get(n->rec->outcome, streams[i]);
		auto_buf content = BUF_INIT;
		uint8_t digest[SHA256_SIZE];

		n->role = streams[i];
		if (record_number(stream, "bytes") == 0) {
			continue;
		}
		rc = object_stream(n->c->r, n->rec, streams[i], &content, n->err);
		if (rc == 0) {
			sha256_of(content.data, content.len, digest);
			rc = write_object(n, digest, &content);
		} else if (rc == -ENODATA) {
			*n->err = (struct err)ERR_INIT;
			n->c->lost += record_number(stream, "kept") > 0 ? 1 : 0;
			rc = text_unhex(record_text(stream, "digest"), digest, sizeof(digest));
			if (rc == 0) {
				put_line(n, digest, NULL);
			}
			rc = 0;
		}
	}
	return rc;
}

/* ---- the input tree ----------------------------------------------------------------------- */

static int put_directory(struct namer *n, const uint8_t digest[SHA256_SIZE], struct buf *path,
			 unsigned int depth);

/* Of a file only what the packs have: the directory's object names the rest. */
static int
put_tree_item(struct namer *n, const struct dirobj_item *item, struct buf *path, unsigned int depth)
{
	auto_buf content = BUF_INIT;
	int rc;

	if (!item->has_digest || digest_set_has(n->c->seen, item->digest)) {
		return 0;
	}
	if (item->kind == 'd') {
		return depth < CAP_TREE_DEPTH ? put_directory(n, item->digest, path, depth + 1)
					      : -ELOOP;
	}
	if (item->kind != 'f' || digest_set_add(n->c->seen, item->digest) != 0) {
		return item->kind != 'f' ? 0 : -ENOMEM;
	}
	rc = object_content(n->c->r, n->rec, item->digest, &content, n->err);
	if (rc == 0) {
		n->role = "in";
		n->path = buf_text(path);
		rc = write_object(n, item->digest, &content);
	}
	return rc == -ENODATA ? 0 : rc;
}

static int
put_directory(struct namer *n, const uint8_t digest[SHA256_SIZE], struct buf *path,
	      unsigned int depth)
{
	auto_buf object = BUF_INIT;
	auto_dirobj_reader reader = { .p = NULL };
	auto_dirobj_item item = DIROBJ_ITEM_INIT;
	size_t len = path->len;
	int rc = object_content(n->c->r, n->rec, digest, &object, n->err);

	n->role = "in-directory";
	n->path = len > 0 ? buf_text(path) : ".";
	if (rc == -ENODATA) {
		put_line(n, digest, NULL);
		return 0;
	}
	rc = rc == 0 ? write_object(n, digest, &object) : rc;
	rc = rc == 0 ? digest_set_add(n->c->seen, digest) : rc;
	rc = rc == 0 ? dirobj_open(&reader, buf_text(&object), object.len) : rc;
	while (rc == 0 && (rc = dirobj_next(&reader, &item)) > 0) {
		buf_puts(path, len > 0 ? "/" : "");
		text_vis(path, item.name.data, item.name.len);
		rc = put_tree_item(n, &item, path, depth);
		path->len = len;
		path->data[len] = '\0';
	}
	return rc;
}

static int
put_input(struct namer *n)
{
	auto_buf path = BUF_INIT;
	uint8_t digest[SHA256_SIZE];

	buf_puts(&path, "");
	if (text_unhex(record_text(n->rec->outcome, "in_tree.digest"), digest, sizeof(digest)) !=
		    0 ||
	    digest_set_has(n->c->seen, digest)) {
		return 0;
	}
	return put_directory(n, digest, &path, 0);
}

/* ---- changes ------------------------------------------------------------------------------ */

static int
put_change(struct namer *n, const struct change *c)
{
	auto_buf path = BUF_INIT;
	int rc = 0;

	text_vis(&path, c->path, strlen(c->path));
	n->path = buf_text(&path);
	if (c->before_known) {
		n->role = "before";
		rc = put_object(n, c->before);
	}
	if (rc == 0 && c->after_known) {
		n->role = "after";
		rc = put_object(n, c->after);
	}
	n->path = "";
	return rc;
}

static int
put_changes(struct namer *n)
{
	struct change_list list = { .set = { .items = NULL } };
	int rc;

	n->path = "";
	n->role = "changes";
	rc = put_hex(n, record_text(n->rec->outcome, "changes.object"));
	n->role = "meta";
	rc = rc == 0 ? put_hex(n, record_text(n->rec->outcome, "changes.meta")) : rc;
	if (rc != 0 || record_text(n->rec->outcome, "changes.object")[0] == '\0') {
		return rc;
	}
	rc = object_changes(n->c->r, n->rec, &list, n->err);
	if (rc == -ENODATA) {
		*n->err = (struct err)ERR_INIT;
		n->c->lost++;
		return 0;
	}
	for (size_t i = 0; rc == 0 && i < list.set.count; i++) {
		rc = put_change(n, &list.set.items[i]);
	}
	changes_finish(&list.set);
	return rc;
}

int
case_objects(struct case_folder *c, const struct record *rec, struct err *err)
{
	struct namer n = { .c = c, .rec = rec, .role = "", .path = "", .err = err };
	int rc = 0;

	if (rec->outcome != NULL) {
		rc = put_streams(&n);
		rc = rc == 0 ? put_input(&n) : rc;
		rc = rc == 0 ? put_changes(&n) : rc;
	}
	return rc == 0 || err->code != 0 ? rc : err_sys(err, rc, "%s: export its objects", rec->id);
}
