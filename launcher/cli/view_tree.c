/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-cli as the caller. Directory objects and change lists are rehashed by the store
 * and take one spelling only; what they name is the tool's and is never opened here.
 */
#include "view_tree.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/grow.h"
#include "../base/limits.h"
#include "../snapshot/dirobj.h"
#include "../snapshot/snapshot.h"

static void
entry_finish(struct tree_entry *e)
{
	free(e->path);
	free(e->target);
}

void
tree_list_finish(struct tree_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		entry_finish(&list->entries[i]);
	}
	free(list->entries);
	*list = (struct tree_list)TREE_LIST_INIT;
}

/* Takes the entry over, also when it fails. */
static int
add(struct tree_list *list, struct tree_entry *e)
{
	struct tree_entry *entries =
		grow_array(list->entries, list->count, &list->cap, sizeof(*entries));

	if (entries == NULL) {
		entry_finish(e);
		return -ENOMEM;
	}
	list->entries = entries;
	list->entries[list->count++] = *e;
	*e = (struct tree_entry){ .path = NULL };
	return 0;
}

int
tree_path_compare(const char *a, const char *b)
{
	while (*a == *b && *a != '\0') {
		a++;
		b++;
	}
	if (*a == *b) {
		return 0;
	}
	if (*a == '\0' || *b == '\0') {
		return *a == '\0' ? -1 : 1;
	}
	if (*a == '/' || *b == '/') {
		return *a == '/' ? -1 : 1;
	}
	return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}

/* ---- the input tree ----------------------------------------------------------------------- */

struct walk {
	struct reading *r;
	const struct record *rec;
	struct tree_list *list;
	struct buf path;
	unsigned int depth;
	struct err *err;
};

static int
fail(struct walk *w, int code, const char *why)
{
	auto_buf shown = BUF_INIT;

	text_safe(&shown, w->path.data, w->path.len, false);
	return err_set(w->err, code, "%s: directory %s of the input tree: %s", w->rec->id,
		       w->path.len > 0 ? buf_text(&shown) : ".", why);
}

static int walk_directory(struct walk *w, const uint8_t digest[SHA256_SIZE]);

static int
walk_item(struct walk *w, const struct dirobj_item *item)
{
	struct tree_entry e = { .kind = item->kind,
				.mode = item->mode,
				.size = item->size,
				.has_digest = item->kind == 'f' && item->has_digest,
				.is_entered = item->kind == 'd' && item->has_digest };
	int rc = buf_error(&w->path);

	memcpy(e.digest, item->digest, sizeof(e.digest));
	e.path = strdup(buf_text(&w->path));
	e.target = item->kind == 'l' ? strdup(buf_text(&item->target)) : NULL;
	if (rc != 0 || e.path == NULL || (item->kind == 'l' && e.target == NULL)) {
		entry_finish(&e);
		return fail(w, -ENOMEM, "out of memory");
	}
	if (add(w->list, &e) != 0) {
		return fail(w, -ENOMEM, "out of memory");
	}
	if (item->kind != 'd' || !item->has_digest) {
		return 0;
	}
	if (w->depth >= CAP_TREE_DEPTH) {
		return fail(w, -ELOOP, "it is too deep");
	}
	w->depth++;
	rc = walk_directory(w, item->digest);
	w->depth--;
	return rc;
}

static int
walk_directory(struct walk *w, const uint8_t digest[SHA256_SIZE])
{
	auto_buf object = BUF_INIT;
	auto_dirobj_reader reader = { .p = NULL };
	auto_dirobj_item item = DIROBJ_ITEM_INIT;
	size_t len = w->path.len;
	int rc = object_content(w->r, w->rec, digest, &object, w->err);

	if (rc == -ENODATA) {
		return fail(w, rc,
			    "its object is not in the store, so the list would not be "
			    "whole");
	}
	if (rc == 0) {
		rc = dirobj_open(&reader, buf_text(&object), object.len);
		rc = rc == 0 ? 0 : fail(w, rc, "its object is damaged");
	}
	while (rc == 0 && (rc = dirobj_next(&reader, &item)) > 0) {
		buf_puts(&w->path, len > 0 ? "/" : "");
		buf_put(&w->path, item.name.data, item.name.len);
		rc = walk_item(w, &item);
		if (rc == 0) {
			w->path.len = len;
			w->path.data[len] = '\0';
		}
	}
	return rc == -EBADMSG && w->err->code == 0 ? fail(w, rc, "its object is damaged") : rc;
}

static int
read_input(struct reading *r, const struct record *rec, struct tree_list *ret, struct err *err)
{
	struct walk w = { .r = r, .rec = rec, .list = ret, .path = BUF_INIT, .err = err };
	uint8_t digest[SHA256_SIZE];
	int rc;

	if (rec->outcome == NULL) {
		return err_set(err, -ENODATA,
			       "%s: the call has no outcome, so no tree of it is recorded",
			       rec->id);
	}
	if (text_unhex(record_text(rec->outcome, "in_tree.digest"), digest, sizeof(digest)) != 0) {
		return err_set(err, -ENODATA, "%s: no input tree is recorded of this call",
			       rec->id);
	}
	rc = walk_directory(&w, digest);
	buf_finish(&w.path);
	return rc;
}

/* ---- change sets -------------------------------------------------------------------------- */

/* A change in the order of the list. */
struct sorted {
	const struct change *change;
};

static int
compare_changes(const void *a, const void *b)
{
	const struct sorted *x = a, *y = b;

	return tree_path_compare(x->change->path, y->change->path);
}

/* What the entry is after the change; below: what it was, NULL where there was nothing. */
static int
changed(const struct change *c, const struct tree_entry *below, struct tree_entry *ret)
{
	struct tree_entry e = { .kind = dirobj_kind(c->mode_after),
				.mode = c->mode_after & 07777,
				.size = c->size_after,
				.is_entered = S_ISDIR(c->mode_after) };

	e.has_digest = S_ISREG(c->mode_after) && c->after_known;
	memcpy(e.digest, c->after, sizeof(e.digest));
	if (c->kind == CHANGE_MODE && below != NULL) {
		e.is_entered = below->is_entered;
		if (!c->after_known) {
			e.has_digest = below->has_digest;
			memcpy(e.digest, below->digest, sizeof(e.digest));
		}
	}
	e.path = strdup(c->path);
	if (S_ISLNK(c->mode_after)) {
		const char *target = c->link_after != NULL ? c->link_after
				   : below != NULL	   ? below->target
							   : NULL;

		e.target = strdup(target != NULL ? target : "");
	}
	if (e.path == NULL || (e.kind == 'l' && e.target == NULL)) {
		entry_finish(&e);
		return -ENOMEM;
	}
	*ret = e;
	return 0;
}

/* One step of the merge: the entry and the change of one path, one of which may be NULL. */
static int
merge_one(struct tree_list *merged, struct tree_entry *entry, const struct change *c)
{
	struct tree_entry e = { .path = NULL };
	int rc;

	if (c == NULL) {
		return entry != NULL ? add(merged, entry) : 0;
	}
	if (c->kind == CHANGE_DELETE) {
		return 0;
	}
	rc = changed(c, entry, &e);
	return rc != 0 ? rc : add(merged, &e);
}

int
tree_list_apply(struct tree_list *list, const struct change_set *set)
{
	auto_free struct sorted *sorted = calloc(set->count + 1, sizeof(*sorted));
	struct tree_list merged = TREE_LIST_INIT;
	size_t i = 0, k = 0;
	int rc = sorted == NULL ? -ENOMEM : 0;

	for (size_t n = 0; rc == 0 && n < set->count; n++) {
		sorted[n].change = &set->items[n];
	}
	if (rc == 0 && set->count > 0) {
		qsort(sorted, set->count, sizeof(*sorted), compare_changes);
	}
	while (rc == 0 && (i < list->count || k < set->count)) {
		int order = i >= list->count ? 1
			  : k >= set->count  ? -1
					     : tree_path_compare(list->entries[i].path,
								 sorted[k].change->path);

		rc = merge_one(&merged, order <= 0 ? &list->entries[i] : NULL,
			       order >= 0 ? sorted[k].change : NULL);
		i += order <= 0 ? 1 : 0;
		k += order >= 0 ? 1 : 0;
	}
	if (rc != 0) {
		tree_list_finish(&merged);
		return rc;
	}
	tree_list_finish(list); /* entries that moved are empty in it */
	*list = merged;
	return 0;
}

static int
apply_call(struct reading *r, const struct record *rec, struct tree_list *list, struct err *err)
{
	struct change_list changes = { .set = { .items = NULL } };
	int rc = object_changes(r, rec, &changes, err);

	if (rc == 0) {
		rc = tree_list_apply(list, &changes.set);
		rc = rc == 0 ? 0 : err_sys(err, rc, "%s: list the tree", rec->id);
		changes_finish(&changes.set);
	}
	return rc;
}

int
tree_list_read(struct reading *r, const struct record *rec, enum tree_side side,
	       struct tree_list *ret, struct err *err)
{
	const json_t *draft = json_object_get(rec->planned, "draft");
	auto_tree_list list = TREE_LIST_INIT;
	int rc = read_input(r, rec, &list, err);

	for (size_t i = 0; rc == 0 && i < json_array_size(draft); i++) {
		const char *call = json_string_value(json_array_get(draft, i));
		auto_record below = RECORD_INIT;

		rc = record_load(r, call != NULL ? call : "", &below, err);
		rc = rc == 0 ? apply_call(r, &below, &list, err) : rc;
		if (rc != 0) {
			err_prefix(err, "%s ran over it", rec->id);
		}
	}
	if (rc == 0 && side == TREE_OUT) {
		rc = apply_call(r, rec, &list, err);
	}
	if (rc == 0) {
		*ret = list;
		list = (struct tree_list)TREE_LIST_INIT;
	}
	return rc;
}

/* ---- mtree -------------------------------------------------------------------------------- */

static const char *
mtree_type(char kind)
{
	static const struct {
		char kind;
		const char *type;
	} types[] = { { 'b', "block" }, { 'c', "char" }, { 'd', "dir" },   { 'f', "file" },
		      { 'l', "link" },	{ 'p', "fifo" }, { 's', "socket" } };

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		if (types[i].kind == kind) {
			return types[i].type;
		}
	}
	return NULL;
}

/*
 * The components of a path in vis octal. mtree(8) takes a name with `*`, `?` or `[` for a pattern,
 * also when they are spelled in octal: in such a component a backslash stands before each.
 */
static void
put_mtree_path(struct buf *out, const char *path)
{
	buf_putc(out, '.');
	while (path != NULL) {
		size_t len = strcspn(path, "/");
		bool is_pattern = strcspn(path, "*?[") < len;

		buf_putc(out, '/');
		for (size_t i = 0; i < len; i++) {
			if (is_pattern && strchr("*?[\\", path[i]) != NULL) {
				text_vis(out, "\\", 1);
			}
			text_vis(out, path + i, 1);
		}
		path = path[len] == '/' ? path + len + 1 : NULL;
	}
}

void
tree_print_mtree(const struct tree_list *list, struct buf *out)
{
	char hex[HEX_DIGEST_SIZE];

	buf_puts(out, "#mtree v2.0\n. type=dir\n");
	for (size_t i = 0; i < list->count; i++) {
		const struct tree_entry *e = &list->entries[i];
		const char *type = mtree_type(e->kind);

		put_mtree_path(out, e->path);
		if (type != NULL) {
			buf_printf(out, " type=%s mode=%04o", type, e->mode);
		}
		if (e->kind == 'f') {
			buf_printf(out, " size=%llu", (unsigned long long)e->size);
		}
		if (e->has_digest) {
			text_hex(e->digest, SHA256_SIZE, hex);
			buf_printf(out, " sha256=%s", hex);
		}
		if (e->kind == 'l') {
			buf_puts(out, " link=");
			text_vis(out, e->target, strlen(e->target));
		}
		if (e->kind == 'd' && !e->is_entered) {
			buf_puts(out, " ignore");
		}
		buf_putc(out, '\n');
	}
}
