/* SPDX-License-Identifier: Apache-2.0 */
/* The change set as data: order, counts, canonical bytes. Pure. Run by the front as the workspace's
 * owner. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/grow.h"
#include "../base/text.h"
#include "changes_internal.h"

const char *
changes_kind_word(enum change_kind kind)
{
	switch (kind) {
	case CHANGE_CREATE:
		return "create";
	case CHANGE_MODIFY:
		return "modify";
	case CHANGE_DELETE:
		return "delete";
	case CHANGE_REPLACE:
		return "replace";
	case CHANGE_MODE:
		return "mode";
	case CHANGE__COUNT:
		break;
	}
	return "?";
}

void
changes_drop(struct change *c)
{
	free(c->path);
	free(c->link_after);
	free(c->xattrs_after);
	free(c->hold_rule);
	free(c->attributes_before);
}

void
changes_finish(struct change_set *cs)
{
	for (size_t i = 0; i < cs->count; i++) {
		changes_drop(&cs->items[i]);
	}
	free(cs->items);
	free(cs->lost_first);
	*cs = (struct change_set){ .items = NULL };
}

int
changes_append(struct change_set *cs, struct change *item)
{
	size_t bytes = strlen(item->path) +
		       (item->link_after != NULL ? strlen(item->link_after) : 0) +
		       (item->xattrs_after != NULL ? strlen(item->xattrs_after) : 0) +
		       item->attributes_before_len;
	struct change *grown;

	if (cs->count >= CHANGES_MAX || bytes > CHANGES_PATH_BYTES - cs->path_bytes) {
		changes_drop(item);
		return -E2BIG;
	}
	grown = grow_array(cs->items, cs->count, &cs->cap, sizeof(*grown));
	if (grown == NULL) {
		changes_drop(item);
		return -ENOMEM;
	}
	cs->items = grown;
	cs->items[cs->count++] = *item;
	cs->path_bytes += bytes;
	return 0;
}

int
changes_note_lost(struct change_set *cs, const char *path, const struct xattrs *upper,
		  const struct xattrs *lower)
{
	const char *is = buf_text(&upper->others);
	const char *was = lower != NULL ? buf_text(&lower->others) : "";
	const char *which = is[0] != '\0' ? is : was;
	auto_buf first = BUF_INIT;

	if (strcmp(is, was) == 0) {
		return 0;
	}
	cs->lost++;
	if (cs->lost_first != NULL) {
		return 0;
	}
	which += strlen(" xattr:");
	buf_put(&first, which, strcspn(which, "="));
	buf_puts(&first, " of ");
	text_safe(&first, path, strlen(path), false);
	if (buf_error(&first) == 0) {
		cs->lost_first = strdup(buf_text(&first));
	}
	return cs->lost_first == NULL ? -ENOMEM : 0;
}

static int
by_path(const void *a, const void *b)
{
	return strcmp(((const struct change *)a)->path, ((const struct change *)b)->path);
}

void
changes_sort(struct change_set *cs)
{
	if (cs->count > 0) {
		qsort(cs->items, cs->count, sizeof(cs->items[0]), by_path);
	}
	for (size_t i = 0; i < cs->count; i++) {
		const struct change *c = &cs->items[i];

		cs->created += c->kind == CHANGE_CREATE;
		cs->deleted += c->kind == CHANGE_DELETE;
		cs->modified += c->kind != CHANGE_CREATE && c->kind != CHANGE_DELETE;
		cs->held += c->hold != HOLD_NONE;
		cs->leaked += c->leaked != 0;
		cs->watched += c->watched != NULL;
		cs->bytes += c->size_after;
	}
}

const struct change *
changes_find(const struct change_set *cs, const char *path)
{
	size_t low = 0, high = cs->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(cs->items[middle].path, path);

		if (order == 0) {
			return &cs->items[middle];
		}
		if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return NULL;
}

bool
changes_comes_with_parent(const struct change_set *cs, const struct change *c)
{
	const char *slash = c->kind == CHANGE_CREATE ? strrchr(c->path, '/') : NULL;
	auto_free char *path = slash != NULL ? strndup(c->path, (size_t)(slash - c->path)) : NULL;
	const struct change *parent = path != NULL ? changes_find(cs, path) : NULL;

	return parent != NULL && S_ISDIR(parent->mode_after) &&
	       (parent->kind == CHANGE_CREATE || parent->kind == CHANGE_REPLACE);
}

static void
put_mode(struct buf *b, mode_t mode)
{
	if (mode == 0) {
		buf_puts(b, " -");
	} else {
		buf_printf(b, " %06o", (unsigned int)mode);
	}
}

static void
put_size(struct buf *b, mode_t mode, uint64_t size)
{
	if (S_ISREG(mode)) {
		buf_printf(b, " %" PRIu64, size);
	} else {
		buf_puts(b, " -");
	}
}

static void
put_digest(struct buf *b, bool known, const uint8_t digest[SHA256_SIZE])
{
	char hex[HEX_DIGEST_SIZE];

	if (known) {
		text_hex(digest, SHA256_SIZE, hex);
	}
	buf_printf(b, " %s", known ? hex : "-");
}

/* The length in front makes the field's end independent of the escaping. */
static void
put_counted(struct buf *b, const char *bytes)
{
	if (bytes == NULL) {
		buf_puts(b, " -");
		return;
	}
	buf_printf(b, " %zu:", strlen(bytes));
	text_vis(b, bytes, strlen(bytes));
}

static void
put_change(struct buf *out, const struct change *c)
{
	buf_puts(out, changes_kind_word(c->kind));
	put_mode(out, c->mode_before);
	put_mode(out, c->mode_after);
	put_size(out, c->mode_before, c->size_before);
	put_size(out, c->mode_after, c->size_after);
	put_digest(out, c->before_known, c->before);
	put_digest(out, c->after_known, c->after);
	put_counted(out, c->path);
	put_counted(out, c->link_after);
	buf_puts(out, c->xattrs_after != NULL ? c->xattrs_after : "");
	buf_putc(out, '\n');
}

static bool
is_same_line(const struct change *a, const struct change *b)
{
	auto_buf one = BUF_INIT, other = BUF_INIT;

	put_change(&one, a);
	put_change(&other, b);
	return buf_error(&one) == 0 && buf_error(&other) == 0 && one.len == other.len &&
	       memcmp(one.data, other.data, one.len) == 0;
}

const char *
changes_first_difference(const struct change_set *a, const struct change_set *b)
{
	for (size_t i = 0; i < a->count && i < b->count; i++) {
		const struct change *x = &a->items[i], *y = &b->items[i];
		int order = strcmp(x->path, y->path);

		if (order != 0) {
			return order < 0 ? x->path : y->path;
		}
		if (!is_same_line(x, y)) {
			return x->path;
		}
	}
	return a->count > b->count ? a->items[b->count].path
	     : b->count > a->count ? b->items[a->count].path
				   : NULL;
}

int
changes_list_write(const struct change_set *cs, const uint8_t call[16], uint64_t workspace_dev,
		   uint64_t workspace_ino, struct buf *out)
{
	char uuid[UUID_TEXT_SIZE];

	text_uuid_print(call, uuid);
	buf_reset(out);
	buf_printf(out, CHANGES_LIST_TITLE "\ncall %s\nworkspace %" PRIu64 " %" PRIu64 "\n", uuid,
		   workspace_dev, workspace_ino);
	for (size_t i = 0; i < cs->count; i++) {
		put_change(out, &cs->items[i]);
	}
	return buf_error(out);
}
