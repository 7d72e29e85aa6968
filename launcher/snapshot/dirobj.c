/* SPDX-License-Identifier: Apache-2.0 */
/* Pure. The writer runs in the front; the reader in airlock-cli, over bytes whose digest was
 * checked. */
#include "dirobj.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/text.h"
#include "fields.h"

#define HEADER "airlock-dir v1\n"

char
dirobj_kind(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return 'f';
	case S_IFDIR:
		return 'd';
	case S_IFLNK:
		return 'l';
	case S_IFSOCK:
		return 's';
	case S_IFIFO:
		return 'p';
	case S_IFBLK:
		return 'b';
	case S_IFCHR:
		return 'c';
	default:
		return '?';
	}
}

void
dirobj_begin(struct buf *b)
{
	buf_reset(b);
	buf_puts(b, HEADER);
}

/* Digits by hand: printf would double the cost of a walk. */
static char *
put_number(char *end, uint64_t v)
{
	do {
		*--end = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	return end;
}

void
dirobj_add(struct buf *b, const struct dirobj_entry *e)
{
	char number[24], hex[HEX_DIGEST_SIZE];
	char *end = number + sizeof(number) - 1;
	char head[] = { dirobj_kind(e->mode),
			' ',
			(char)('0' + (e->mode >> 9 & 7)),
			(char)('0' + (e->mode >> 6 & 7)),
			(char)('0' + (e->mode >> 3 & 7)),
			(char)('0' + (e->mode & 7)),
			' ',
			'\0' };

	*end = '\0';
	buf_put(b, head, 7);
	buf_puts(b, put_number(end, e->uid));
	buf_putc(b, ':');
	buf_puts(b, put_number(end, e->gid));
	buf_putc(b, ' ');
	buf_puts(b, S_ISREG(e->mode) ? put_number(end, e->size) : "-");
	buf_putc(b, ' ');
	if (S_ISLNK(e->mode)) {
		text_vis(b, e->target, strlen(e->target));
	} else if (e->digest != NULL) {
		text_hex(e->digest, SHA256_SIZE, hex);
		buf_put(b, hex, HEX_DIGEST_SIZE - 1);
	} else {
		buf_putc(b, '-');
	}
	buf_putc(b, ' ');
	text_vis(b, e->name, strlen(e->name));
	buf_puts(b, e->xattrs);
	buf_putc(b, '\n');
}

/* ---- reader -----------------------------------------------------------------------------------
 */

static bool
read_owner(struct field f, struct dirobj_item *item)
{
	const char *colon = memchr(f.p, ':', f.len);
	struct field uid, gid;
	uint64_t u, g;

	if (colon == NULL) {
		return false;
	}
	uid = (struct field){ f.p, (size_t)(colon - f.p) };
	gid = (struct field){ colon + 1, f.len - uid.len - 1 };
	if (!fields_number(uid, UINT32_MAX, &u) || !fields_number(gid, UINT32_MAX, &g)) {
		return false;
	}
	item->uid = (uint32_t)u;
	item->gid = (uint32_t)g;
	return true;
}

static int
read_content(struct field size, struct field content, struct dirobj_item *item)
{
	item->size = 0;
	item->has_digest = false;
	buf_reset(&item->target);
	if (item->kind == 'f' ? !fields_number(size, UINT64_MAX, &item->size)
			      : !fields_is(size, "-")) {
		return -EBADMSG;
	}
	if (item->kind == 'l') {
		return fields_vis(content, &item->target);
	}
	if (fields_is(content, "-")) {
		return 0;
	}
	item->has_digest =
		(item->kind == 'f' || item->kind == 'd') && fields_digest(content, item->digest);
	return item->has_digest ? 0 : -EBADMSG;
}

/* p: behind the name. In the order of their names, each once. */
static int
read_attributes(const char *p, const char *end, struct dirobj_item *item)
{
	auto_buf last = BUF_INIT, name = BUF_INIT;
	struct field f;

	item->xattrs = p;
	item->xattrs_len = (size_t)(end - p);
	while (p < end) {
		int r = fields_next(&p, end, &f) ? fields_attribute(f, &name) : -EBADMSG;

		if (r < 0 || strcmp(buf_text(&last), buf_text(&name)) >= 0) {
			return r < 0 ? r : -EBADMSG;
		}
		buf_reset(&last);
		buf_put(&last, name.data, name.len);
		if (buf_error(&last) < 0) {
			return -ENOMEM;
		}
	}
	return end[-1] == ' ' ? -EBADMSG : 0;
}

static int
read_line(const char *p, const char *end, struct dirobj_item *item)
{
	struct field kind, mode, owner, size, content, name;
	int r;

	if (!fields_next(&p, end, &kind) || !fields_next(&p, end, &mode) ||
	    !fields_next(&p, end, &owner) || !fields_next(&p, end, &size) ||
	    !fields_next(&p, end, &content) || !fields_next(&p, end, &name)) {
		return -EBADMSG;
	}
	if (kind.len != 1 || kind.p[0] == '\0' || strchr("fdlspbc?", kind.p[0]) == NULL ||
	    !fields_octal(mode, 4, &item->mode) || !read_owner(owner, item)) {
		return -EBADMSG;
	}
	item->kind = kind.p[0];
	r = read_content(size, content, item);
	if (r == 0) {
		r = fields_vis(name, &item->name);
	}
	if (r < 0) {
		return r;
	}
	if (memchr(item->name.data, '/', item->name.len) != NULL) {
		return -EBADMSG;
	}
	return read_attributes(p, end, item);
}

int
dirobj_open(struct dirobj_reader *r, const char *text, size_t len)
{
	size_t header = strlen(HEADER);

	if (len < header || memcmp(text, HEADER, header) != 0) {
		return -EBADMSG;
	}
	*r = (struct dirobj_reader){ .p = text + header,
				     .left = len - header,
				     .last_name = BUF_INIT };
	return 0;
}

int
dirobj_next(struct dirobj_reader *r, struct dirobj_item *ret)
{
	const char *end;
	int result;

	if (r->left == 0) {
		return 0;
	}
	end = memchr(r->p, '\n', r->left);
	if (end == NULL || end == r->p) {
		return -EBADMSG;
	}
	result = read_line(r->p, end, ret);
	if (result < 0) {
		return result;
	}
	if (r->last_name.len > 0 && strcmp(buf_text(&r->last_name), buf_text(&ret->name)) >= 0) {
		return -EBADMSG;
	}
	buf_reset(&r->last_name);
	buf_put(&r->last_name, ret->name.data, ret->name.len);
	if (buf_error(&r->last_name) < 0) {
		return -ENOMEM;
	}
	r->left -= (size_t)(end + 1 - r->p);
	r->p = end + 1;
	return 1;
}

void
dirobj_close(struct dirobj_reader *r)
{
	buf_finish(&r->last_name);
}

void
dirobj_item_finish(struct dirobj_item *item)
{
	buf_finish(&item->name);
	buf_finish(&item->target);
}

int
dirobj_find(const char *text, size_t len, const char *name, struct dirobj_item *ret)
{
	struct dirobj_reader reader;
	int r = dirobj_open(&reader, text, len);

	if (r < 0) {
		return r;
	}
	do {
		r = dirobj_next(&reader, ret);
	} while (r == 1 && strcmp(buf_text(&ret->name), name) != 0);
	dirobj_close(&reader);
	return r == 0 ? -ENOENT : r < 0 ? r : 0;
}
