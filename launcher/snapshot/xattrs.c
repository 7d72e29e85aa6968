/* SPDX-License-Identifier: Apache-2.0 */
/* Run by the front as the workspace's owner, over files that a tool or its user filled. */
#include "xattrs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "../base/sha256.h"
#include "../base/text.h"

/* The kernel's own bounds (XATTR_LIST_MAX, XATTR_SIZE_MAX); a list that grew in between is read
 * again. */
#define LIST_MAX 65536u
#define VALUE_MAX 65536u
#define OVERLAY_USER "user.overlay."
#define OVERLAY_TRUSTED "trusted.overlay."
#define ATTRS_MAX 8192u /* names of at least 8 bytes in LIST_MAX */

static bool
starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool
xattrs_kept(const char *name)
{
	return starts(name, "user.") && !starts(name, OVERLAY_USER);
}

static bool
counts(const char *name, enum xattrs_scope scope)
{
	return xattrs_kept(name) ||
	       (scope == XATTRS_TREE &&
		(strcmp(name, "security.capability") == 0 || starts(name, "system.posix_acl_")));
}

/* -ENOTSUP means "none"; the list is NUL-separated. */
static int
read_list(const char *path, int fd, char *list, size_t *ret_len)
{
	ssize_t n = path != NULL ? listxattr(path, list, LIST_MAX) : flistxattr(fd, list, LIST_MAX);

	if (n < 0 && errno != ENOTSUP) {
		return -errno;
	}
	*ret_len = n < 0 ? 0 : (size_t)n;
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t
cut_list(const char *list, size_t len, const char **names, size_t max)
{
	size_t count = 0;

	for (size_t at = 0; at < len && count < max; at += strlen(list + at) + 1) {
		names[count++] = list + at;
	}
	qsort(names, count, sizeof(names[0]), by_name);
	return count;
}

static const char *
overlay_tail(const char *name)
{
	if (starts(name, OVERLAY_USER)) {
		return name + strlen(OVERLAY_USER);
	}
	return starts(name, OVERLAY_TRUSTED) ? name + strlen(OVERLAY_TRUSTED) : "";
}

static int
note_one(int fd, const char *name, enum xattrs_scope scope, const char *opaque_name, char *value,
	 struct xattrs *x)
{
	const char *tail = overlay_tail(name);
	struct buf *out;
	uint8_t digest[SHA256_SIZE];
	char hex[HEX_DIGEST_SIZE];
	ssize_t n;

	x->capability |= strcmp(name, "security.capability") == 0;
	x->whiteout |= strcmp(tail, "whiteout") == 0;
	x->redirect |= strcmp(tail, "redirect") == 0 || strcmp(tail, "metacopy") == 0;
	if (opaque_name != NULL && strcmp(name, opaque_name) == 0) {
		/* "x" instead marks a directory that holds whiteouts of the attribute kind */
		n = fgetxattr(fd, name, value, VALUE_MAX);
		x->opaque = n == 1 && value[0] == 'y';
		return n < 0 ? -errno : 0;
	}
	if (!counts(name, XATTRS_TREE)) {
		return 0;
	}
	n = fgetxattr(fd, name, value, VALUE_MAX);
	if (n < 0) {
		return errno == ENODATA ? 0 : -errno;
	}
	sha256_of(value, (size_t)n, digest);
	text_hex(digest, sizeof(digest), hex);
	out = counts(name, scope) ? &x->text : &x->others;
	buf_puts(out, " xattr:");
	text_vis(out, name, strlen(name));
	buf_putc(out, '=');
	buf_puts(out, hex);
	return buf_error(out);
}

int
xattrs_read(int fd, enum xattrs_scope scope, const char *opaque_name, struct xattrs *ret)
{
	auto_free char *list = NULL;
	auto_free char *value = NULL;
	auto_free const char **names = NULL;
	size_t len = 0, count;
	ssize_t size = flistxattr(fd, NULL, 0);
	int r;

	*ret = (struct xattrs)XATTRS_INIT;
	if (size <= 0) {
		return size < 0 && errno != ENOTSUP ? -errno : 0;
	}
	list = malloc(LIST_MAX);
	value = malloc(VALUE_MAX);
	names = malloc(ATTRS_MAX * sizeof(names[0]));
	if (list == NULL || value == NULL || names == NULL) {
		return -ENOMEM;
	}
	r = read_list(NULL, fd, list, &len);
	if (r < 0) {
		return r;
	}
	count = cut_list(list, len, names, ATTRS_MAX);
	for (size_t i = 0; i < count; i++) {
		r = note_one(fd, names[i], scope, opaque_name, value, ret);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

void
xattrs_finish(struct xattrs *x)
{
	buf_finish(&x->text);
	buf_finish(&x->others);
}

/* f*xattr refuses O_PATH descriptors; this magic link is ours, not the tree's. */
static void
name_of(int fd, char ret_path[40])
{
	snprintf(ret_path, 40, "/proc/self/fd/%d", fd);
}

int
xattrs_save(int fd, struct buf *out)
{
	auto_free char *list = NULL;
	auto_free char *value = NULL;
	auto_free const char **names = NULL;
	char path[40];
	size_t len = 0, count;
	int r;

	name_of(fd, path);
	if (listxattr(path, NULL, 0) == 0) {
		return 0;
	}
	list = malloc(LIST_MAX);
	value = malloc(VALUE_MAX);
	names = malloc(ATTRS_MAX * sizeof(names[0]));
	if (list == NULL || value == NULL || names == NULL) {
		return -ENOMEM;
	}
	r = read_list(path, -1, list, &len);
	count = r == 0 ? cut_list(list, len, names, ATTRS_MAX) : 0;
	for (size_t i = 0; r == 0 && i < count; i++) {
		ssize_t n;

		if (!xattrs_kept(names[i])) {
			continue;
		}
		n = getxattr(path, names[i], value, VALUE_MAX);
		if (n < 0) {
			r = errno == ENODATA ? 0 : -errno;
			continue;
		}
		buf_str(out, names[i]);
		buf_blob(out, value, (size_t)n);
	}
	return r < 0 ? r : buf_error(out);
}

static bool
is_saved(const void *saved, size_t len, const char *name)
{
	struct rd r = { .p = saved, .left = len };

	while (r.left > 0 && !r.bad) {
		const char *one = rd_str(&r);
		size_t size;

		if (strcmp(one, name) == 0 && !r.bad) {
			return true;
		}
		rd_blob(&r, &size);
	}
	return false;
}

int
xattrs_restore(int fd, const void *saved, size_t len)
{
	auto_free char *list = malloc(LIST_MAX);
	struct rd in = { .p = saved, .left = len };
	char path[40];
	size_t listed = 0;
	int r;

	if (list == NULL) {
		return -ENOMEM;
	}
	name_of(fd, path);
	r = read_list(path, -1, list, &listed);
	for (size_t at = 0; r == 0 && at < listed; at += strlen(list + at) + 1) {
		if (xattrs_kept(list + at) && !is_saved(saved, len, list + at) &&
		    removexattr(path, list + at) < 0 && errno != ENODATA) {
			r = -errno;
		}
	}
	while (r == 0 && in.left > 0) {
		const char *name = rd_str(&in);
		size_t size = 0;
		const uint8_t *value = rd_blob(&in, &size);

		if (in.bad || !xattrs_kept(name)) {
			return -EBADMSG;
		}
		r = setxattr(path, name, value, size, 0) < 0 ? -errno : 0;
	}
	return r;
}
