/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal of one commit, $STATE/commits/<call>: docs/formats.md, "Commit journal". Written by
 * who commits, read by who recovers, as the same user. Every section is durable before what it
 * announces is done.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/crc32.h"
#include "../base/fdio.h"
#include "../base/limits.h"
#include "../base/text.h"
#include "commit_internal.h"

#define FORMAT_VERSION 1u

/* The first byte of a section's payload. */
enum section {
	SECTION_HEADER = 'H',
	SECTION_LOOSENED = 'L',
	SECTION_ROWS = 'R',
	SECTION_DONE = 'D'
};

/* One write: a section that is not whole is one that was not begun. */
static int
append(struct commit *cm, const struct buf *payload)
{
	auto_buf framed = BUF_INIT;
	int r = buf_error(payload);

	if (r == 0) {
		buf_u32(&framed, (uint32_t)payload->len);
		buf_u32(&framed, crc32_update(0, payload->data, payload->len));
		buf_put(&framed, payload->data, payload->len);
		r = buf_error(&framed);
	}
	r = r < 0 ? r : fdio_write(cm->journal_fd, framed.data, framed.len);
	if (r == 0 && fdatasync(cm->journal_fd) < 0) {
		r = -errno;
	}
	return r < 0 ? err_sys(cm->err, r, "commit: journal %s", cm->name) : 0;
}

int
commit_open_dir(const struct store *s, struct err *err)
{
	int fd = fdio_make_dir(s->dir_fd, "commits");

	return fd < 0 ? err_sys(err, fd, "make %s/commits", s->path) : fd;
}

int
commit_journal_begin(struct commit *cm)
{
	const struct commit_request *req = cm->req;
	auto_buf b = BUF_INIT;
	struct fs_stat st;
	int r = fsat_stat(cm->workspace_fd, "", &st);

	text_uuid_print(req->call, cm->name);
	cm->journal_fd =
		openat(cm->commits_fd, cm->name,
		       O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (r < 0 || cm->journal_fd < 0 || flock(cm->journal_fd, LOCK_EX | LOCK_NB) < 0) {
		return err_sys(cm->err, r < 0 ? r : -errno, "commit: journal %s", cm->name);
	}
	buf_u8(&b, SECTION_HEADER);
	buf_u16(&b, FORMAT_VERSION);
	buf_put(&b, req->call, sizeof(req->call));
	buf_str(&b, req->workspace);
	buf_u64(&b, st.dev);
	buf_u64(&b, st.ino);
	r = append(cm, &b);
	if (r == 0 && fsync(cm->commits_fd) < 0) {
		r = err_sys(cm->err, -errno, "commit: journal %s", cm->name);
	}
	return r;
}

int
commit_journal_loosened(struct commit *cm, const char *path, size_t path_len, mode_t mode)
{
	auto_buf b = BUF_INIT;

	buf_u8(&b, SECTION_LOOSENED);
	buf_u32(&b, (uint32_t)mode);
	buf_blob(&b, path, path_len);
	return append(cm, &b);
}

static void
put_ident(struct buf *b, const struct commit_ident *id)
{
	buf_u64(b, id->dev);
	buf_u64(b, id->ino);
	buf_u64(b, id->size);
	buf_u64(b, (uint64_t)id->mtime_ns);
}

static void
get_ident(struct rd *r, struct commit_ident *ret)
{
	ret->dev = rd_u64(r);
	ret->ino = rd_u64(r);
	ret->size = rd_u64(r);
	ret->mtime_ns = (int64_t)rd_u64(r);
}

static void
put_row(struct buf *b, const struct commit *cm, const struct commit_row *row)
{
	buf_u8(b, (uint8_t)row->kind);
	buf_str(b, row->path);
	buf_u32(b, (uint32_t)row->before);
	buf_u32(b, (uint32_t)row->after);
	put_ident(b, &row->old);
	put_ident(b, &row->new);
	buf_u8(b, row->sets_xattrs);
	if (row->sets_xattrs) {
		buf_blob(b, cm->attributes.data + row->xattrs_before.at, row->xattrs_before.len);
		buf_blob(b, cm->attributes.data + row->xattrs_after.at, row->xattrs_after.len);
	}
}

int
commit_journal_rows(struct commit *cm)
{
	const struct commit_request *req = cm->req;
	auto_buf b = BUF_INIT;
	struct fs_stat st;
	int r = fsat_stat(cm->staging_fd, "", &st);

	if (r < 0) {
		return commit_fail(cm, r, COMMIT_STAGING, "staging directory");
	}
	buf_u8(&b, SECTION_ROWS);
	buf_u64(&b, st.ino);
	buf_u32(&b, req->since.file);
	buf_u64(&b, req->since.offset);
	buf_blob(&b, req->done.data, req->done.len);
	buf_blob(&b, req->undone.data, req->undone.len);
	buf_u32(&b, (uint32_t)cm->count);
	for (size_t i = 0; i < cm->count; i++) {
		put_row(&b, cm, &cm->rows[i]);
	}
	return append(cm, &b);
}

int
commit_journal_done(struct commit *cm, bool finished)
{
	auto_buf b = BUF_INIT;

	buf_u8(&b, SECTION_DONE);
	buf_u8(&b, finished);
	return append(cm, &b);
}

int
commit_journal_remove(struct commit *cm)
{
	return unlinkat(cm->commits_fd, cm->name, 0) < 0
		     ? err_sys(cm->err, -errno, "commit: journal %s", cm->name)
		     : 0;
}

/* ---- reading -----------------------------------------------------------------------------------
 */

/* The next whole section's payload; false at the end, or at what a crash cut off. */
static bool
next_section(struct rd *file, struct rd *ret)
{
	uint32_t len = rd_u32(file), crc = rd_u32(file);
	const uint8_t *payload = file->bad || len == 0 ? NULL : rd_bytes(file, len);

	if (file->bad || payload == NULL || crc32_update(0, payload, len) != crc) {
		return false;
	}
	*ret = (struct rd){ .p = payload, .left = len };
	return true;
}

static int
read_header(struct commit_left *left, struct rd *in)
{
	const uint8_t *call;

	if (rd_u8(in) != SECTION_HEADER || rd_u16(in) != FORMAT_VERSION) {
		return -EBADMSG;
	}
	call = rd_bytes(in, sizeof(left->call));
	left->workspace = rd_str(in);
	left->workspace_dev = rd_u64(in);
	left->workspace_ino = rd_u64(in);
	if (call == NULL || in->bad || in->left != 0 || left->workspace[0] != '/') {
		left->workspace = "";
		return -EBADMSG;
	}
	memcpy(left->call, call, sizeof(left->call));
	return 0;
}

int
commit_journal_header(struct commit_left *left)
{
	struct rd file = { .p = left->bytes.data, .left = left->bytes.len }, section;

	left->workspace = "";
	return next_section(&file, &section) ? read_header(left, &section) : 0;
}

static bool
get_span(struct rd *in, struct buf *attributes, struct commit_span *ret)
{
	const uint8_t *data = rd_blob(in, &ret->len);

	ret->at = attributes->len;
	if (data != NULL) {
		buf_put(attributes, data, ret->len);
	}
	return data != NULL;
}

static int
get_row(struct rd *in, struct commit *cm)
{
	struct commit_row *row = &cm->rows[cm->count];
	uint8_t kind = rd_u8(in);

	row->path = rd_str(in);
	row->before = rd_u32(in);
	row->after = rd_u32(in);
	get_ident(in, &row->old);
	get_ident(in, &row->new);
	row->sets_xattrs = rd_u8(in) != 0;
	if (in->bad || kind >= CHANGE__COUNT || row->path[0] == '\0' || row->path[0] == '/') {
		return -EBADMSG;
	}
	row->kind = (enum change_kind)kind;
	if (row->sets_xattrs && (!get_span(in, &cm->attributes, &row->xattrs_before) ||
				 !get_span(in, &cm->attributes, &row->xattrs_after))) {
		return -EBADMSG;
	}
	cm->count++;
	return buf_error(&cm->attributes);
}

static int
read_rows(struct rd *in, struct commit *cm, struct commit_told *ret)
{
	uint32_t count;
	int r = 0;

	ret->staging_ino = rd_u64(in);
	ret->since.file = rd_u32(in);
	ret->since.offset = rd_u64(in);
	ret->done.data = rd_blob(in, &ret->done.len);
	ret->undone.data = rd_blob(in, &ret->undone.len);
	count = rd_u32(in);
	if (in->bad || count > CHANGES_MAX) {
		return -EBADMSG;
	}
	cm->rows = calloc((size_t)count + 1, sizeof(*cm->rows));
	if (cm->rows == NULL) {
		return -ENOMEM;
	}
	while (r == 0 && cm->count < count) {
		r = get_row(in, cm);
	}
	ret->has_rows = true;
	return r == 0 && in->left != 0 ? -EBADMSG : r;
}

int
commit_journal_read(const struct commit_left *left, struct commit *cm, struct commit_told *ret)
{
	struct rd file = { .p = left->bytes.data, .left = left->bytes.len }, in;
	int r = 0;

	while (r == 0 && next_section(&file, &in)) {
		uint8_t kind = rd_u8(&in);

		ret->whole = left->bytes.len - file.left;
		if (kind == SECTION_LOOSENED) {
			mode_t mode = rd_u32(&in);
			size_t len = 0;
			const uint8_t *path = rd_blob(&in, &len);

			r = path == NULL ? -EBADMSG
					 : commit_note_loosened(cm, cm->workspace_fd,
								(const char *)path, len, mode);
		} else if (kind == SECTION_ROWS) {
			r = ret->has_rows ? -EBADMSG : read_rows(&in, cm, ret);
		} else if (kind == SECTION_DONE) {
			ret->is_done = true;
			ret->finished = rd_u8(&in) != 0;
		} else if (kind != SECTION_HEADER) {
			r = -EBADMSG;
		}
	}
	return r;
}
