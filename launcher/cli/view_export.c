/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-cli as the caller. Names, modes and targets come from the workspace and the tool:
 * each file is made new (O_EXCL) in a directory that is held by descriptor and was made new itself;
 * no link is ever followed, no bit above rwxrwxrwx is kept, no special file is made.
 */
#include "view_export.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/fdio.h"
#include "../base/limits.h"
#include "../snapshot/dirobj.h"

static int
fail(struct err *err, int code, const char *shown)
{
	auto_buf path = BUF_INIT;

	text_safe(&path, shown, strlen(shown), false);
	return err_sys(err, code, "export %s", buf_text(&path));
}

static int
is_empty(int fd, bool *ret)
{
	auto_fd copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *entry;
	bool empty = true;

	if (dir == NULL) {
		return -errno;
	}
	ignore_err(take_fd(&copy), "closedir closes it");
	while ((entry = readdir(dir)) != NULL) {
		empty = empty &&
			(strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0);
	}
	closedir(dir);
	*ret = empty;
	return 0;
}

int
export_open(struct export *x, const char *path, struct err *err)
{
	bool empty = false;
	int rc;

	if (mkdir(path, 0700) != 0 && errno != EEXIST) {
		return fail(err, -errno, path);
	}
	x->root_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (x->root_fd < 0) {
		return fail(err, -errno, path);
	}
	rc = is_empty(x->root_fd, &empty);
	if (rc != 0 || !empty) {
		return fail(err, rc != 0 ? rc : -ENOTEMPTY, path);
	}
	return 0;
}

/* As sha256sum spells a name: a backslash in front of the line when the name had to be escaped. */
static void
put_manifest_line(struct export *x, const uint8_t digest[SHA256_SIZE], const char *shown)
{
	char hex[HEX_DIGEST_SIZE];

	text_hex(digest, SHA256_SIZE, hex);
	buf_printf(&x->manifest, "%s%s  ", strpbrk(shown, "\\\n\r") != NULL ? "\\" : "", hex);
	for (const char *p = shown; *p != '\0'; p++) {
		if (*p == '\\') {
			buf_puts(&x->manifest, "\\\\");
		} else if (*p == '\n') {
			buf_puts(&x->manifest, "\\n");
		} else if (*p == '\r') {
			buf_puts(&x->manifest, "\\r");
		} else {
			buf_putc(&x->manifest, *p);
		}
	}
	buf_putc(&x->manifest, '\n');
	x->files++;
}

int
export_bytes(struct export *x, int dir_fd, const char *name, const char *shown, mode_t mode,
	     const struct buf *content, struct err *err)
{
	auto_fd fd =
		openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	uint8_t digest[SHA256_SIZE];
	int rc = fd < 0 ? -errno : fdio_write(fd, content->data, content->len);

	if (rc == 0 && fchmod(fd, (mode & 0777) | S_IRUSR) != 0) {
		rc = -errno;
	}
	if (rc != 0) {
		return fail(err, rc, shown);
	}
	sha256_of(content->data, content->len, digest);
	put_manifest_line(x, digest, shown);
	return 0;
}

void
export_note(struct export *x, const char *why, const char *shown, const char *detail)
{
	buf_printf(&x->notes_text, "# %s: ", why);
	text_vis(&x->notes_text, shown, strlen(shown));
	if (detail[0] != '\0') {
		buf_putc(&x->notes_text, ' ');
		text_vis(&x->notes_text, detail, strlen(detail));
	}
	buf_putc(&x->notes_text, '\n');
	x->notes++;
}

int
export_close(struct export *x, struct err *err)
{
	auto_fd fd = openat(x->root_fd, "MANIFEST",
			    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int rc = fd < 0 ? -errno : buf_error(&x->manifest);

	rc = rc == 0 ? buf_error(&x->notes_text) : rc;
	rc = rc == 0 ? fdio_write(fd, x->manifest.data, x->manifest.len) : rc;
	rc = rc == 0 ? fdio_write(fd, x->notes_text.data, x->notes_text.len) : rc;
	return rc == 0 ? 0 : fail(err, rc, "MANIFEST");
}

void
export_finish(struct export *x)
{
	cleanup_fd(&x->root_fd);
	buf_finish(&x->manifest);
	buf_finish(&x->notes_text);
}

/* ---- directories -------------------------------------------------------------------------- */

/* A name that stays in its directory. */
static bool
is_one_name(const char *name)
{
	return name[0] != '\0' && strchr(name, '/') == NULL && strcmp(name, ".") != 0 &&
	       strcmp(name, "..") != 0;
}

/* A new directory; fd or -errno. */
static int
make_dir(int dir_fd, const char *name)
{
	return mkdirat(dir_fd, name, 0700) != 0 ? -errno : fdio_open_dir(dir_fd, name);
}

int
export_directory(struct export *x, const char *name, struct err *err)
{
	int fd = make_dir(x->root_fd, name);

	return fd >= 0 ? fd : fail(err, fd, name);
}

/* ---- in/ ---------------------------------------------------------------------------------- */

struct walk {
	struct export *x;
	struct reading *r;
	const struct record *rec;
	struct buf shown; /* raw path from the export's root */
	unsigned int depth;
	struct err *err;
};

static int export_in_directory(struct walk *w, int dir_fd, const uint8_t digest[SHA256_SIZE]);

static int
export_link(struct walk *w, int dir_fd, const char *name, const char *target)
{
	if (symlinkat(target, dir_fd, name) != 0) {
		return fail(w->err, -errno, buf_text(&w->shown));
	}
	export_note(w->x, "link", buf_text(&w->shown), target);
	return 0;
}

static int
export_subdirectory(struct walk *w, int dir_fd, const struct dirobj_item *item)
{
	auto_fd fd = -1;
	int rc;

	if (!item->has_digest) {
		export_note(w->x, "not read", buf_text(&w->shown), "");
		return 0;
	}
	if (w->depth >= CAP_TREE_DEPTH) {
		return fail(w->err, -ELOOP, buf_text(&w->shown));
	}
	fd = make_dir(dir_fd, buf_text(&item->name));
	if (fd < 0) {
		return fail(w->err, fd, buf_text(&w->shown));
	}
	w->depth++;
	rc = export_in_directory(w, fd, item->digest);
	w->depth--;
	/* last, for a directory may have forbidden its owner to write */
	if (rc == 0 && fchmod(fd, (item->mode & 0777) | S_IRWXU) != 0) {
		rc = fail(w->err, -errno, buf_text(&w->shown));
	}
	return rc;
}

static int
export_file(struct walk *w, int dir_fd, const struct dirobj_item *item)
{
	auto_buf content = BUF_INIT;
	char hex[HEX_DIGEST_SIZE] = "";
	int rc = -ENODATA;

	if (item->has_digest) {
		text_hex(item->digest, SHA256_SIZE, hex);
		rc = object_content(w->r, w->rec, item->digest, &content, w->err);
	}
	if (rc == -ENODATA) {
		export_note(w->x, "not captured", buf_text(&w->shown), hex);
		return 0;
	}
	if (rc != 0) {
		return rc;
	}
	return export_bytes(w->x, dir_fd, buf_text(&item->name), buf_text(&w->shown), item->mode,
			    &content, w->err);
}

static int
export_item(struct walk *w, int dir_fd, const struct dirobj_item *item)
{
	if (!is_one_name(buf_text(&item->name))) {
		export_note(w->x, "refused name", buf_text(&w->shown), "");
		return 0;
	}
	switch (item->kind) {
	case 'd':
		return export_subdirectory(w, dir_fd, item);
	case 'f':
		return export_file(w, dir_fd, item);
	case 'l':
		return export_link(w, dir_fd, buf_text(&item->name), buf_text(&item->target));
	default:
		export_note(w->x, "special file", buf_text(&w->shown), "");
		return 0;
	}
}

static int
export_in_directory(struct walk *w, int dir_fd, const uint8_t digest[SHA256_SIZE])
{
	auto_buf object = BUF_INIT;
	auto_dirobj_reader reader = { .p = NULL };
	auto_dirobj_item item = DIROBJ_ITEM_INIT;
	size_t len = w->shown.len;
	int rc = object_content(w->r, w->rec, digest, &object, w->err);

	if (rc == -ENODATA) {
		export_note(w->x, "directory not captured", buf_text(&w->shown), "");
		return 0;
	}
	if (rc != 0) {
		return rc;
	}
	rc = dirobj_open(&reader, buf_text(&object), object.len);
	if (rc != 0) {
		return fail(w->err, rc, buf_text(&w->shown));
	}
	while ((rc = dirobj_next(&reader, &item)) > 0) {
		buf_putc(&w->shown, '/');
		buf_put(&w->shown, item.name.data, item.name.len);
		rc = buf_error(&w->shown) != 0 ? fail(w->err, -ENOMEM, "in/")
					       : export_item(w, dir_fd, &item);
		if (rc != 0) {
			return rc;
		}
		w->shown.len = len;
		w->shown.data[len] = '\0';
	}
	return rc == 0 ? 0 : fail(w->err, rc, buf_text(&w->shown));
}

static int
export_in(struct walk *w)
{
	uint8_t digest[SHA256_SIZE];
	auto_fd fd = -1;

	if (text_unhex(record_text(w->rec->outcome, "in_tree.digest"), digest, sizeof(digest)) !=
	    0) {
		return 0;
	}
	fd = make_dir(w->x->root_fd, "in");
	if (fd < 0) {
		return fail(w->err, fd, "in");
	}
	buf_reset(&w->shown);
	buf_puts(&w->shown, "in");
	return export_in_directory(w, fd, digest);
}

/* ---- out/ --------------------------------------------------------------------------------- */

/*
 * Makes and opens the directories above path's last component; *ret_name is that component. fd
 * or -errno.
 */
static int
open_above(int root_fd, const char *path, struct buf *name, const char **ret_name)
{
	auto_fd fd = fdio_open_dir(root_fd, ".");

	while (fd >= 0 && strchr(path, '/') != NULL) {
		size_t len = strcspn(path, "/");
		int next;

		buf_reset(name);
		buf_put(name, path, len);
		if (!is_one_name(buf_text(name))) {
			return -EINVAL;
		}
		next = fdio_make_dir(fd, buf_text(name));
		close(fd);
		fd = next;
		path += len + 1;
	}
	if (fd >= 0 && !is_one_name(path)) {
		return -EINVAL;
	}
	*ret_name = path;
	return take_fd(&fd);
}

int
export_at(struct export *x, const char *path, mode_t mode, const struct buf *content,
	  struct err *err)
{
	auto_buf part = BUF_INIT;
	const char *name = "";
	auto_fd fd = open_above(x->root_fd, path, &part, &name);

	return fd < 0 ? fail(err, fd, path) : export_bytes(x, fd, name, path, mode, content, err);
}

/* What a change left in its place. Not captured: that is noted. */
static int
content_after(struct walk *w, const char *hex, struct buf *ret, bool *ret_captured)
{
	uint8_t digest[SHA256_SIZE];
	int rc = text_unhex(hex, digest, sizeof(digest)) != 0
		       ? -ENODATA
		       : object_content(w->r, w->rec, digest, ret, w->err);

	*ret_captured = rc == 0;
	if (rc == -ENODATA) {
		export_note(w->x, "not captured", buf_text(&w->shown), hex);
		return 0;
	}
	return rc;
}

/*
 * What is held runs without being asked for where its name is: a hook, by the git of a prompt, as
 * soon as somebody looks into out/. It is kept by its digest, and MANIFEST says for what name.
 */
static int
export_held(struct walk *w, mode_t mode, const char *hex)
{
	auto_buf name = BUF_INIT, content = BUF_INIT;
	auto_fd fd = -1;
	struct stat st;
	bool captured;
	int rc;

	if (!S_ISREG(mode)) {
		export_note(w->x, "held", buf_text(&w->shown), hex);
		return 0;
	}
	rc = content_after(w, hex, &content, &captured);
	if (rc != 0 || !captured) {
		return rc;
	}
	buf_printf(&name, "held/%s", hex);
	export_note(w->x, "held", buf_text(&w->shown), buf_text(&name));
	fd = fdio_make_dir(w->x->root_fd, "held");
	if (fd < 0 || buf_error(&name) != 0) {
		return fail(w->err, fd < 0 ? fd : -ENOMEM, "held");
	}
	return fstatat(fd, hex, &st, AT_SYMLINK_NOFOLLOW) == 0
		     ? 0 /* another one's content is the same */
		     : export_bytes(w->x, fd, hex, buf_text(&name), 0600, &content, w->err);
}

static int
export_change(struct walk *w, int out_fd, const json_t *item)
{
	auto_buf path = BUF_INIT, name_part = BUF_INIT, content = BUF_INIT;
	auto_fd dir = -1;
	const char *name = "", *after = record_text(item, "after");
	mode_t mode = (mode_t)record_number(item, "mode_after");
	bool captured;
	int rc;

	if (text_unvis(record_text(item, "path"), &path) != 0 ||
	    memchr(path.data, '\0', path.len) != NULL) {
		return err_set(w->err, -EBADMSG, "export: a path in the record is damaged");
	}
	buf_reset(&w->shown);
	buf_puts(&w->shown, "out/");
	buf_put(&w->shown, path.data, path.len);
	if (strcmp(record_text(item, "kind"), "delete") == 0) {
		export_note(w->x, "deleted", buf_text(&w->shown), record_text(item, "before"));
		return 0;
	}
	if (record_text(item, "hold")[0] != '\0') {
		return export_held(w, mode, after);
	}
	dir = open_above(out_fd, buf_text(&path), &name_part, &name);
	if (dir < 0) {
		export_note(w->x, "refused name", buf_text(&w->shown), "");
		return 0;
	}
	if (S_ISDIR(mode)) {
		rc = mkdirat(dir, name, 0700) != 0 && errno != EEXIST ? -errno : 0;
		return rc == 0 ? 0 : fail(w->err, rc, buf_text(&w->shown));
	}
	if (mode != 0 && !S_ISREG(mode) && !S_ISLNK(mode)) {
		export_note(w->x, "special file", buf_text(&w->shown), "");
		return 0;
	}
	rc = content_after(w, after, &content, &captured);
	if (rc != 0 || !captured) {
		return rc;
	}
	return S_ISLNK(mode)
		     ? export_link(w, dir, name, buf_text(&content))
		     : export_bytes(w->x, dir, name, buf_text(&w->shown), mode, &content, w->err);
}

static int
export_out(struct walk *w)
{
	const json_t *items = record_get(w->rec->outcome, "changes.items");
	auto_fd fd = -1;
	int rc = 0;

	if (json_array_size(items) == 0) {
		return 0;
	}
	fd = make_dir(w->x->root_fd, "out");
	if (fd < 0) {
		return fail(w->err, fd, "out");
	}
	for (size_t i = 0; i < json_array_size(items) && rc == 0; i++) {
		rc = export_change(w, fd, json_array_get(items, i));
	}
	if (rc == 0 && json_is_true(record_get(w->rec->outcome, "changes.truncated"))) {
		export_note(w->x, "the record lists the first changes only", "out",
			    record_text(w->rec->outcome, "changes.object"));
	}
	return rc;
}

int
export_trees(struct export *x, struct reading *r, const struct record *rec, struct err *err)
{
	struct walk w = { .x = x, .r = r, .rec = rec, .shown = BUF_INIT, .err = err };
	int rc = 0;

	if (rec->outcome != NULL) {
		rc = export_in(&w);
		rc = rc == 0 ? export_out(&w) : rc;
	}
	buf_finish(&w.shown);
	return rc;
}
