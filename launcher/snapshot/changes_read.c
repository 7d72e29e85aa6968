/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a change set's canonical list back. Pure. Run by airlock-cli over an object whose digest
 * was checked and which is nevertheless only bytes: what a person approves, what is committed and
 * what is undone follow from it, so what the writer would not have written is no list.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/limits.h"
#include "../base/text.h"
#include "changes_internal.h"
#include "dirobj.h"
#include "fields.h"
#include "xattrs.h"

struct reading {
	const char *p, *end; /* what is left of the text */
	size_t line;
	struct buf raw; /* of the field that is being read */
	struct change_list list;
	struct err *err;
};

/* The fields that every line has; attributes follow. */
enum {
	FIELD_KIND,
	FIELD_MODE_BEFORE,
	FIELD_MODE_AFTER,
	FIELD_SIZE_BEFORE,
	FIELD_SIZE_AFTER,
	FIELD_BEFORE,
	FIELD_AFTER,
	FIELD_PATH,
	FIELD_TARGET,
	FIELD__COUNT
};

static int
wrong(struct reading *r, const char *what)
{
	return err_set(r->err, -EBADMSG, "change list: line %zu: %s", r->line, what);
}

/* What a field's reader said, in words. */
static int
failed(struct reading *r, int code, const char *what)
{
	return code == -EBADMSG ? wrong(r, what)
				: err_sys(r->err, code, "change list: line %zu", r->line);
}

/* The next line without its newline; it ends in a field. */
static int
next_line(struct reading *r, struct field *ret)
{
	const char *newline = memchr(r->p, '\n', (size_t)(r->end - r->p));

	r->line++;
	if (newline == NULL || newline == r->p || newline[-1] == ' ') {
		return wrong(r, "cut, or a space at its end");
	}
	*ret = (struct field){ r->p, (size_t)(newline - r->p) };
	r->p = newline + 1;
	return 0;
}

/* "word field…": exactly count fields behind that word. */
static bool
header_fields(struct field line, const char *word, struct field *ret, size_t count)
{
	const char *p = line.p, *end = line.p + line.len;
	struct field first;
	bool good = fields_next(&p, end, &first) && fields_is(first, word);

	for (size_t i = 0; good && i < count; i++) {
		good = fields_next(&p, end, &ret[i]);
	}
	return good && p == end;
}

static bool
read_call(struct field f, uint8_t ret_call[16])
{
	char uuid[UUID_TEXT_SIZE];

	if (f.len != sizeof(uuid) - 1) {
		return false;
	}
	memcpy(uuid, f.p, f.len);
	uuid[f.len] = '\0';
	return text_uuid_parse(uuid, ret_call) == 0;
}

static int
read_header(struct reading *r)
{
	struct change_list *list = &r->list;
	struct field line = { NULL, 0 }, f[2] = { { NULL, 0 } };
	int code = next_line(r, &line);

	if (code == 0 && !fields_is(line, CHANGES_LIST_TITLE)) {
		code = wrong(r, "not \"" CHANGES_LIST_TITLE "\"");
	}
	code = code < 0 ? code : next_line(r, &line);
	if (code == 0 && (!header_fields(line, "call", f, 1) || !read_call(f[0], list->call))) {
		code = wrong(r, "not a call's id");
	}
	code = code < 0 ? code : next_line(r, &line);
	if (code == 0 && (!header_fields(line, "workspace", f, 2) ||
			  !fields_number(f[0], UINT64_MAX, &list->workspace_dev) ||
			  !fields_number(f[1], UINT64_MAX, &list->workspace_ino))) {
		code = wrong(r, "not a workspace's device and inode");
	}
	return code;
}

static bool
read_kind(struct field f, enum change_kind *ret)
{
	for (enum change_kind k = 0; k < CHANGE__COUNT; k++) {
		if (fields_is(f, changes_kind_word(k))) {
			*ret = k;
			return true;
		}
	}
	return false;
}

static bool
read_mode(struct field f, mode_t *ret)
{
	unsigned int mode;

	if (fields_is(f, "-")) {
		*ret = 0;
		return true;
	}
	if (!fields_octal(f, 6, &mode) || dirobj_kind(mode) == '?') {
		return false;
	}
	*ret = mode;
	return true;
}

static bool
read_size(struct field f, mode_t mode, uint64_t *ret)
{
	return S_ISREG(mode) ? fields_number(f, UINT64_MAX, ret) : fields_is(f, "-");
}

static bool
read_digest(struct field f, mode_t mode, bool *ret_known, uint8_t ret[SHA256_SIZE])
{
	*ret_known = !fields_is(f, "-");
	return !*ret_known || ((S_ISREG(mode) || S_ISLNK(mode)) && fields_digest(f, ret));
}

/* "length:bytes" into raw. */
static int
read_counted(struct reading *r, struct field f)
{
	const char *colon = memchr(f.p, ':', f.len);
	uint64_t len;
	int code;

	if (colon == NULL ||
	    !fields_number((struct field){ f.p, (size_t)(colon - f.p) }, SIZE_MAX, &len)) {
		return -EBADMSG;
	}
	code = fields_vis((struct field){ colon + 1, (size_t)(f.p + f.len - colon) - 1 }, &r->raw);
	return code == 0 && r->raw.len != len ? -EBADMSG : code;
}

static int
keep(const struct buf *b, char **ret)
{
	*ret = strdup(buf_text(b));
	return *ret == NULL ? -ENOMEM : 0;
}

/* The kind says on which sides there is something, and whether it is of one type. */
static bool
kind_fits(const struct change *c)
{
	mode_t before = c->mode_before & S_IFMT, after = c->mode_after & S_IFMT;
	bool same = before == after && before != 0;

	switch (c->kind) {
	case CHANGE_CREATE:
		return before == 0 && after != 0;
	case CHANGE_DELETE:
		return before != 0 && after == 0;
	case CHANGE_MODIFY:
		return same && (after == S_IFREG || after == S_IFLNK);
	case CHANGE_MODE:
		return same && after != S_IFLNK;
	case CHANGE_REPLACE:
		/* a device of another number takes a device's place */
		return before != 0 && after != 0 && (!same || after == S_IFCHR || after == S_IFBLK);
	case CHANGE__COUNT:
		break;
	}
	return false;
}

/* No component is empty, "." or "..", and there are not too many. */
static bool
path_is_plain(const char *path)
{
	size_t components = 0;

	for (const char *p = path;; p++) {
		size_t len = strcspn(p, "/");

		if (len == 0 || (p[0] == '.' && (len == 1 || (len == 2 && p[1] == '.'))) ||
		    ++components > CAP_TREE_DEPTH + 1) {
			return false;
		}
		p += len;
		if (*p == '\0') {
			return true;
		}
	}
}

static int
read_path(struct reading *r, struct field f, struct change *c)
{
	const struct change_set *set = &r->list.set;
	int code = read_counted(r, f);

	if (code == 0 && !path_is_plain(buf_text(&r->raw))) {
		code = -EBADMSG;
	}
	code = code < 0 ? code : keep(&r->raw, &c->path);
	if (code < 0) {
		return failed(r, code, "no path of a workspace in its one spelling");
	}
	if (set->count > 0 && strcmp(set->items[set->count - 1].path, c->path) >= 0) {
		return wrong(r, "its path is not behind the one before");
	}
	return 0;
}

static int
read_target(struct reading *r, struct field f, struct change *c)
{
	uint8_t digest[SHA256_SIZE];
	int code;

	if (!S_ISLNK(c->mode_after)) {
		return fields_is(f, "-") ? 0 : wrong(r, "a target of what is no link");
	}
	code = read_counted(r, f);
	code = code < 0 ? code : keep(&r->raw, &c->link_after);
	if (code < 0) {
		return failed(r, code, "no link's target in its one spelling");
	}
	sha256_of(r->raw.data, r->raw.len, digest);
	if (c->after_known && memcmp(digest, c->after, sizeof(digest)) != 0) {
		return wrong(r, "the digest after is not the target's");
	}
	return 0;
}

/* One attribute; its name goes into last, which holds the name before it. */
static int
read_attribute(struct reading *r, struct field f, struct buf *last)
{
	int code = fields_attribute(f, &r->raw);

	if (code < 0) {
		return code;
	}
	if (!xattrs_kept(buf_text(&r->raw)) || strcmp(buf_text(last), buf_text(&r->raw)) >= 0) {
		return -EBADMSG;
	}
	buf_reset(last);
	buf_put(last, r->raw.data, r->raw.len);
	return buf_error(last);
}

/* p: behind the target; at the end when there are none. */
static int
read_attributes(struct reading *r, const char *p, const char *end, struct change *c)
{
	auto_buf last = BUF_INIT;
	const char *begin = p < end ? p - 1 : end; /* each has its space before it */
	int code = p < end && !S_ISREG(c->mode_after) && !S_ISDIR(c->mode_after) ? -EBADMSG : 0;
	struct field f;

	while (code == 0 && p < end) {
		code = fields_next(&p, end, &f) ? read_attribute(r, f, &last) : -EBADMSG;
	}
	if (code == 0) {
		c->xattrs_after = strndup(begin, (size_t)(end - begin));
		code = c->xattrs_after == NULL ? -ENOMEM : 0;
	}
	return code < 0 ? failed(r, code, "attributes that no change has") : 0;
}

static int
read_change(struct reading *r, struct field line, struct change *c)
{
	const char *p = line.p, *end = line.p + line.len;
	struct field f[FIELD__COUNT] = { { NULL, 0 } };
	int code;

	for (size_t i = 0; i < FIELD__COUNT; i++) {
		if (!fields_next(&p, end, &f[i])) {
			return wrong(r, "fields are missing, or two spaces");
		}
	}
	if (!read_kind(f[FIELD_KIND], &c->kind)) {
		return wrong(r, "an unknown kind");
	}
	if (!read_mode(f[FIELD_MODE_BEFORE], &c->mode_before) ||
	    !read_mode(f[FIELD_MODE_AFTER], &c->mode_after)) {
		return wrong(r, "not a mode");
	}
	if (!kind_fits(c)) {
		return wrong(r, "modes that this kind of change has not");
	}
	if (!read_size(f[FIELD_SIZE_BEFORE], c->mode_before, &c->size_before) ||
	    !read_size(f[FIELD_SIZE_AFTER], c->mode_after, &c->size_after)) {
		return wrong(r, "not a size");
	}
	if (!read_digest(f[FIELD_BEFORE], c->mode_before, &c->before_known, c->before) ||
	    !read_digest(f[FIELD_AFTER], c->mode_after, &c->after_known, c->after)) {
		return wrong(r, "not a digest");
	}
	code = read_path(r, f[FIELD_PATH], c);
	code = code < 0 ? code : read_target(r, f[FIELD_TARGET], c);
	return code < 0 ? code : read_attributes(r, p, end, c);
}

static int
read_changes(struct reading *r)
{
	int code = 0;

	while (code == 0 && r->p < r->end) {
		struct change c = { .path = NULL };
		struct field line = { NULL, 0 };

		code = next_line(r, &line);
		code = code < 0 ? code : read_change(r, line, &c);
		if (code < 0) {
			changes_drop(&c);
			return code;
		}
		code = changes_append(&r->list.set, &c);
		if (code < 0) {
			return err_sys(r->err, code, "change list: line %zu", r->line);
		}
	}
	return code;
}

int
changes_list_read(const void *text, size_t len, struct change_list *ret, struct err *err)
{
	struct reading r = { .p = text,
			     .end = (const char *)text + len,
			     .raw = BUF_INIT,
			     .list = { .set = { .items = NULL } },
			     .err = err };
	int code = read_header(&r);

	code = code < 0 ? code : read_changes(&r);
	buf_finish(&r.raw);
	if (code < 0) {
		changes_finish(&r.list.set);
		return code;
	}
	changes_sort(&r.list.set);
	sha256_of(text, len, r.list.set.digest);
	memcpy(r.list.set.object, r.list.set.digest, sizeof(r.list.set.object));
	*ret = r.list;
	return 0;
}
