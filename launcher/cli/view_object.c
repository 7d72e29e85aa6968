/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes that a record names: streams, files of the input tree, changed files. Runs in
 * airlock-cli as the caller. Objects are rehashed by the store; what they hold is the tool's and is
 * handed on as it is.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "../base/text.h"
#include "../snapshot/dirobj.h"
#include "../snapshot/snapshot.h"
#include "view_record.h"

/* Objects are asked for by the hundred, and mostly of one workflow. */
static int
open_catalog(struct reading *r, const uint8_t workflow[16], struct err *err)
{
	if (r->catalog != NULL &&
	    memcmp(r->catalog_workflow, workflow, sizeof(r->catalog_workflow)) == 0) {
		return 0;
	}
	pack_catalog_destroy(r->catalog);
	r->catalog = NULL;
	memcpy(r->catalog_workflow, workflow, sizeof(r->catalog_workflow));
	return pack_catalog_create(&r->store, workflow, &r->catalog, err);
}

int
object_content(struct reading *r, const struct record *rec, const uint8_t digest[SHA256_SIZE],
	       struct buf *out, struct err *err)
{
	enum object_type type;
	int rc = open_catalog(r, rec->workflow, err);

	rc = rc != 0 ? rc : pack_catalog_get(r->catalog, digest, out, &type, err);
	if (rc == -ENOENT) {
		if (err != NULL) {
			*err = (struct err)ERR_INIT;
		}
		return -ENODATA;
	}
	return rc;
}

void
object_put_collected(struct reading *r, const struct record *rec, struct buf *out)
{
	struct index_forgotten gone;
	struct err none = ERR_INIT;

	if (index_collected(r->ix, record_text(rec->planned, "workflow"),
			    record_number(rec->planned, "t0"), &gone, &none) == 0) {
		buf_puts(out, "; gc removed the objects of its workflow, ");
		index_put_remover(out, &gone);
	}
}

/* ---- streams -------------------------------------------------------------------------------- */

static int
stream_not_kept(const char *name, uint64_t bytes, struct err *err)
{
	if (bytes == 0) {
		return 0; /* an empty stream is known without being kept */
	}
	return err_set(err, -ENODATA,
		       "%s: %llu bytes passed, none was kept; only the digest is recorded", name,
		       (unsigned long long)bytes);
}

int
object_stream(struct reading *r, const struct record *rec, const char *name, struct buf *out,
	      struct err *err)
{
	const json_t *stream = json_object_get(rec->outcome, name);
	const json_t *content = json_object_get(stream, "inline");
	const char *hex = record_text(stream, "object");
	uint64_t bytes = record_number(stream, "bytes"), kept = record_number(stream, "kept");
	uint8_t digest[SHA256_SIZE], seen[SHA256_SIZE];
	auto_buf gone = BUF_INIT;
	int rc;

	if (rec->outcome == NULL) {
		return err_set(err, -ENODATA,
			       "%s: the call has no outcome, so no stream of it is recorded", name);
	}
	hex = hex[0] != '\0' ? hex : record_text(stream, "digest");
	if (kept == 0) {
		return stream_not_kept(name, bytes, err);
	}
	if (text_unhex(hex, digest, sizeof(digest)) != 0) {
		return err_set(err, -EBADMSG, "%s: the record has no digest of it", name);
	}
	if (!json_is_string(content)) {
		rc = object_content(r, rec, digest, out, err);
		if (rc == -ENODATA) {
			object_put_collected(r, rec, &gone);
			err_set(err, rc, "%s: its object %s is not in the packs%s", name, hex,
				buf_text(&gone));
		}
		return rc;
	}
	if (text_unbase64(json_string_value(content), out) != 0) {
		return err_set(err, -EBADMSG, "%s: the record's base64 is damaged", name);
	}
	sha256_of(out->data, out->len, seen);
	if (kept == bytes && memcmp(seen, digest, sizeof(seen)) != 0) {
		return err_set(err, -EBADMSG, "%s: the bytes in the record have another digest",
			       name);
	}
	return 0;
}

/* ---- paths ---------------------------------------------------------------------------------- */

int
object_path(const struct record *rec, const char *given, struct buf *ret_path, struct err *err)
{
	auto_buf root = BUF_INIT, path = BUF_INIT;
	const char *p = given;

	if (text_unvis(record_text(rec->planned, "workspace.path"), &root) != 0) {
		return err_set(err, -EBADMSG, "the record's workspace path is damaged");
	}
	if (*p == '/') {
		if (strncmp(p, buf_text(&root), root.len) != 0 ||
		    (p[root.len] != '/' && p[root.len] != '\0')) {
			return err_set(err, -EINVAL,
				       "an absolute path must lie in the workspace, %s",
				       record_text(rec->planned, "workspace.path"));
		}
		p += root.len;
	}
	while (*p != '\0') {
		size_t len = strcspn(p, "/");

		if (len == 2 && memcmp(p, "..", 2) == 0) {
			return err_set(
				err, -EINVAL,
				"\"..\" is not resolved: name the path from the workspace down");
		}
		if (len > 0 && !(len == 1 && *p == '.')) {
			if (path.len > 0) {
				buf_putc(&path, '/');
			}
			buf_put(&path, p, len);
		}
		p += len + (p[len] == '/' ? 1 : 0);
	}
	if (buf_error(&path) != 0) {
		return err_sys(err, -ENOMEM, "read a path");
	}
	buf_put(ret_path, path.data, path.len);
	return buf_error(ret_path);
}

/* ---- the input tree ------------------------------------------------------------------------- */

static int
not_captured(const char *path, const char *what, struct err *err)
{
	auto_buf shown = BUF_INIT;

	text_safe(&shown, path, strlen(path), false);
	if (names_is_secret(path)) {
		return err_set(err, -ENODATA,
			       "%s: content is never captured under this name (it may hold a "
			       "secret); %s",
			       buf_text(&shown), what);
	}
	return err_set(err, -ENODATA,
		       "%s: the content was not captured; `capture: { inputs: content }` in the "
		       "profile keeps it; %s",
		       buf_text(&shown), what);
}

/* What is at the end of the path is no file: its object, its target, or a refusal. */
static int
end_of_path(struct reading *r, const struct record *rec, const char *path,
	    const struct dirobj_item *item, struct buf *out, struct err *err)
{
	auto_buf shown = BUF_INIT, target = BUF_INIT, what = BUF_INIT;
	char hex[HEX_DIGEST_SIZE] = "unknown";
	int rc = -ENODATA;

	text_safe(&shown, path, strlen(path), false);
	if (item->kind == 'l') {
		text_safe(&target, item->target.data, item->target.len, false);
		return err_set(err, -ELOOP, "%s: a symbolic link to %s", buf_text(&shown),
			       buf_text(&target));
	}
	if (item->kind != 'f' && item->kind != 'd') {
		return err_set(err, -EINVAL, "%s: a special file, it has no content",
			       buf_text(&shown));
	}
	if (item->has_digest) {
		text_hex(item->digest, SHA256_SIZE, hex);
		rc = object_content(r, rec, item->digest, out, err);
	}
	if (rc == -ENODATA) {
		buf_printf(&what, "sha256 %s", hex);
		object_put_collected(r, rec, &what);
		return not_captured(path, buf_text(&what), err);
	}
	return rc;
}

/* Goes down the tree; -ENOENT when the path is not in it. */
static int
walk(struct reading *r, const struct record *rec, const char *path, struct buf *out,
     struct err *err)
{
	auto_buf directory = BUF_INIT, name = BUF_INIT;
	auto_dirobj_item item = DIROBJ_ITEM_INIT;
	const char *p = path;
	int rc;

	item.kind = 'd';
	item.has_digest = text_unhex(record_text(rec->outcome, "in_tree.digest"), item.digest,
				     SHA256_SIZE) == 0;
	while (*p != '\0') {
		size_t len = strcspn(p, "/");

		if (item.kind != 'd') {
			return -ENOENT;
		}
		buf_reset(&directory);
		rc = end_of_path(r, rec, path, &item, &directory, err);
		if (rc != 0) {
			return rc;
		}
		buf_reset(&name);
		buf_put(&name, p, len);
		rc = dirobj_find(buf_text(&directory), directory.len, buf_text(&name), &item);
		if (rc != 0) {
			return rc == -ENOENT ? rc : err_sys(err, rc, "read a directory object");
		}
		p += len + (p[len] == '/' ? 1 : 0);
	}
	return end_of_path(r, rec, path, &item, out, err);
}

int
object_in(struct reading *r, const struct record *rec, const char *path, struct buf *out,
	  struct err *err)
{
	auto_buf raw = BUF_INIT, shown = BUF_INIT;
	int rc;

	if (!json_is_object(json_object_get(rec->outcome, "in_tree"))) {
		return err_set(err, -ENODATA, "no input tree is recorded of this call");
	}
	rc = walk(r, rec, path, out, err);
	/* a path as `airlock show` spells it */
	if (rc == -ENOENT && strchr(path, '\\') != NULL && text_unvis(path, &raw) == 0 &&
	    memchr(raw.data, '\0', raw.len) == NULL) {
		rc = walk(r, rec, buf_text(&raw), out, err);
	}
	if (rc == -ENOENT) {
		text_safe(&shown, path, strlen(path), false);
		return err_set(err, rc, "%s: no such file in the workspace when the call started",
			       buf_text(&shown));
	}
	return rc;
}

/* ---- changes -------------------------------------------------------------------------------- */

/* Whether dir is path or a directory above it. */
static bool
covers(const char *dir, const char *path)
{
	size_t len = strlen(dir);

	return strncmp(dir, path, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

/*
 * The change of a raw path, or of a directory above that was deleted or replaced; NULL when
 * untouched.
 */
static const json_t *
find_change(const struct record *rec, const char *path)
{
	const json_t *items = record_get(rec->outcome, "changes.items");
	const json_t *above = NULL;

	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);
		const char *kind = record_text(item, "kind");
		auto_buf raw = BUF_INIT;

		if (text_unvis(record_text(item, "path"), &raw) != 0 ||
		    !covers(buf_text(&raw), path)) {
			continue;
		}
		if (strcmp(buf_text(&raw), path) == 0) {
			return item;
		}
		if (strcmp(kind, "delete") == 0 || strcmp(kind, "replace") == 0) {
			above = item;
		}
	}
	return above;
}

int
object_out(struct reading *r, const struct record *rec, const char *path, struct buf *out,
	   struct err *err)
{
	const json_t *change = find_change(rec, path);
	auto_buf raw = BUF_INIT, shown = BUF_INIT, what = BUF_INIT, content = BUF_INIT;
	uint8_t digest[SHA256_SIZE];
	int rc;

	if (change == NULL && strchr(path, '\\') != NULL && text_unvis(path, &raw) == 0) {
		change = find_change(rec, buf_text(&raw));
	}
	text_safe(&shown, path, strlen(path), false);
	if (change == NULL && json_is_true(record_get(rec->outcome, "changes.truncated"))) {
		return err_set(
			err, -ENODATA,
			"%s is not among the changes that the record lists, which are not all",
			buf_text(&shown));
	}
	if (change == NULL) {
		return object_in(r, rec, path, out, err);
	}
	if (strcmp(record_text(change, "kind"), "delete") == 0) {
		return err_set(err, -ENOENT, "%s: deleted by the call; in:%s is what it was",
			       buf_text(&shown), buf_text(&shown));
	}
	if (text_unhex(record_text(change, "after"), digest, sizeof(digest)) != 0) {
		return err_set(err, -ENODATA, "%s: no regular file after the call",
			       buf_text(&shown));
	}
	rc = object_content(r, rec, digest, &content, err);
	if (rc == -ENODATA) {
		buf_printf(&what, "sha256 %s", record_text(change, "after"));
		object_put_collected(r, rec, &what);
		return not_captured(path, buf_text(&what), err);
	}
	if (rc == 0 && S_ISLNK((mode_t)record_number(change, "mode_after"))) {
		text_safe(&what, content.data, content.len, false);
		return err_set(err, -ELOOP, "%s: a symbolic link to %s", buf_text(&shown),
			       buf_text(&what));
	}
	if (rc == 0) {
		buf_put(out, content.data, content.len);
		rc = buf_error(out);
	}
	return rc;
}

/* Whether the profile hid the path from the tool: what stood there was not stored either. */
static bool
is_hidden(const struct record *rec, const char *path)
{
	const json_t *hidden = json_object_get(rec->planned, "hidden");

	for (size_t i = 0; i < json_array_size(hidden); i++) {
		const char *entry = json_string_value(json_array_get(hidden, i));
		auto_buf raw = BUF_INIT;
		size_t len;

		if (entry == NULL || text_unvis(entry, &raw) != 0) {
			continue;
		}
		len = raw.len > 0 && raw.data[raw.len - 1] == '/' ? raw.len - 1 : raw.len;
		if (strncasecmp(buf_text(&raw), path, len) == 0 &&
		    (path[len] == '\0' || path[len] == '/')) {
			return true;
		}
	}
	return false;
}

const char *
object_not_kept(const struct record *rec, const char *path, uint64_t size, bool is_before)
{
	const json_t *bound = record_get(rec->planned, "capture_bounds.file_size");

	if (names_is_secret(path)) {
		return "its name may stand for a secret, so it is never stored";
	}
	if (strcmp(record_text(rec->planned, "capture"), "digests") == 0) {
		return "the profile has capture.inputs: digests";
	}
	if (bound != NULL && size > record_value(bound)) {
		return "it is larger than the profile's capture.file_size";
	}
	return is_before && is_hidden(rec, path) ? "the profile hides it, so it is not stored"
						 : NULL;
}

/* ---- the change set ----------------------------------------------------------------------- */

/* The object that the list is: the outcome's, or of a call without one what recovery found. */
static const char *
list_object(const struct record *rec)
{
	const char *hex = record_text(rec->outcome, "changes.object");

	for (size_t i = json_array_size(rec->settles); i > 0 && hex[0] == '\0'; i--) {
		hex = record_text(json_array_get(rec->settles, i - 1), "changes");
	}
	return hex;
}

/* No list is named: whether there was nothing to list. */
static int
no_list(const struct record *rec, struct change_list *ret, struct err *err)
{
	auto_buf reason = BUF_INIT;

	if (rec->outcome == NULL) {
		return err_set(err, -ENODATA,
			       "no change set is recorded: the call has no outcome; it still runs, "
			       "or airlock was killed in it");
	}
	if (strcmp(record_text(rec->outcome, "settled"), "none") == 0) {
		*ret = (struct change_list){ .set = { .items = NULL } };
		return text_uuid_parse(rec->id, ret->call);
	}
	text_safe(&reason, record_text(rec->outcome, "reason"),
		  strlen(record_text(rec->outcome, "reason")), false);
	return err_set(err, -ENODATA, "no change set is recorded: %s",
		       reason.len > 0 ? buf_text(&reason) : "it could not be read");
}

static uint64_t
count_holds(const json_t *items)
{
	uint64_t count = 0;

	for (size_t i = 0; i < json_array_size(items); i++) {
		count += record_text(json_array_get(items, i), "hold")[0] != '\0' ? 1 : 0;
	}
	return count;
}

static bool
is_item_of(const json_t *item, const struct change *c)
{
	auto_buf path = BUF_INIT;

	text_vis(&path, c->path, strlen(c->path));
	return strcmp(record_text(item, "path"), buf_text(&path)) == 0;
}

/*
 * Both are in the order of the raw paths, and the record's items are some of the list's. Where
 * more are held than it names, a name that is protected says so itself.
 */
static int
copy_holds(const struct record *rec, struct change_set *set)
{
	const json_t *items = record_get(rec->outcome, "changes.items");
	bool is_short = record_number(rec->outcome, "changes.held") > count_holds(items);
	size_t at = 0;

	for (size_t i = 0; i < set->count; i++) {
		struct change *c = &set->items[i];
		const json_t *item = json_array_get(items, at);
		const char *hold = is_short ? names_protected_by(c->path) : NULL;

		if (item != NULL && is_item_of(item, c)) {
			hold = record_text(item, "hold");
			at++;
		}
		if (hold != NULL && hold[0] != '\0') {
			c->hold_rule = strdup(hold);
			if (c->hold_rule == NULL) {
				return -ENOMEM;
			}
		}
	}
	return 0;
}

/* The list is of this call, and the one whose digest the record has. */
static int
check_list(const struct record *rec, const struct change_list *list, struct err *err)
{
	const char *recorded = record_text(rec->outcome, "changes.digest");
	char id[UUID_TEXT_SIZE], hex[HEX_DIGEST_SIZE];

	text_uuid_print(list->call, id);
	text_hex(list->set.digest, SHA256_SIZE, hex);
	if (strcmp(id, rec->id) != 0) {
		return err_set(err, -EBADMSG, "the change list %s is of another call, %s", hex, id);
	}
	if (recorded[0] != '\0' && strcmp(recorded, hex) != 0) {
		return err_set(err, -EBADMSG, "the change list is %s, and the record says %.64s",
			       hex, recorded);
	}
	return 0;
}

int
object_changes(struct reading *r, const struct record *rec, struct change_list *ret,
	       struct err *err)
{
	const char *hex = list_object(rec);
	struct change_list list;
	uint8_t digest[SHA256_SIZE];
	auto_buf text = BUF_INIT, gone = BUF_INIT;
	int rc;

	if (hex[0] == '\0') {
		return no_list(rec, ret, err);
	}
	if (text_unhex(hex, digest, sizeof(digest)) != 0) {
		return err_set(err, -EBADMSG, "the record has no digest of its change list");
	}
	rc = object_content(r, rec, digest, &text, err);
	if (rc == -ENODATA) {
		object_put_collected(r, rec, &gone);
		return err_set(err, rc,
			       "the change list, object %s, is in no pack of the workflow%s", hex,
			       gone.len > 0 ? buf_text(&gone) : ": removed, or not restored");
	}
	rc = rc != 0 ? rc : changes_list_read(buf_text(&text), text.len, &list, err);
	if (rc != 0) {
		return rc;
	}
	rc = check_list(rec, &list, err);
	if (rc == 0 && copy_holds(rec, &list.set) != 0) {
		rc = err_sys(err, -ENOMEM, "read the change list");
	}
	if (rc != 0) {
		changes_finish(&list.set);
		return rc;
	}
	*ret = list;
	return 0;
}
