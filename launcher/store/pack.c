/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in the front, as the caller, in a state directory that store_open_write accepted. The bytes
 * come from a tool or a workspace; a file may shrink or grow while it is read.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/fdio.h"
#include "../base/limits.h"
#include "../base/text.h"
#include "../base/until.h"
#include "digest_set.h"
#include "pack_format.h"
#include "store_internal.h"

/* Of a longer `have` the newest part is loaded: half a million digests. */
#define HAVE_MAX (16u << 20)
/* Records up to this are gathered, and written when so many are. */
#define GATHER_RECORD (32u << 10)
#define GATHER_MAX (256u << 10)

#ifndef XFS_SUPER_MAGIC
#define XFS_SUPER_MAGIC 0x58465342
#endif

/* ---- what the workflow has ------------------------------------------------------------------- */

static int
load_have(const struct pack *p, struct digest_set **ret_set)
{
	char name[PACK_NAME_SIZE];
	auto_fd fd = -1;
	auto_free uint8_t *data = NULL;
	struct digest_set *set;
	size_t size = 0, from = 0;
	struct stat st;

	pack_have_name(p->workflow, name);
	fd = openat(p->store->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT) {
		return -errno;
	}
	if (fd >= 0) {
		int r;

		if (fstat(fd, &st) < 0) {
			return -errno;
		}
		/* A torn last digest is left out. */
		size = (size_t)st.st_size / SHA256_SIZE * SHA256_SIZE;
		from = size > HAVE_MAX ? size - HAVE_MAX : 0;
		size -= from;
		data = malloc(size + (size == 0));
		if (data == NULL) {
			return -ENOMEM;
		}
		r = fdio_pread(fd, data, size, (off_t)from);
		if (r < 0) {
			return r;
		}
	}
	set = digest_set_create(size / SHA256_SIZE);
	if (set == NULL) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < size; i += SHA256_SIZE) {
		/* What a crash left is zeros at worst; it only costs dedupe. */
		ignore_err(digest_set_add(set, data + i),
			   "zeros are nobody's digest, and there is room");
	}
	*ret_set = set;
	return 0;
}

int
pack_init(struct pack *p, struct store *s, const uint8_t workflow[16], const uint8_t call[16],
	  struct err *err)
{
	struct pack made = PACK_INIT;
	int r;

	made.store = s;
	memcpy(made.workflow, workflow, sizeof(made.workflow));
	memcpy(made.call, call, sizeof(made.call));
	r = load_have(&made, &made.have);
	if (r < 0) {
		return err_sys(err, r, "read what the workflow has in %s", s->path);
	}
	*p = made;
	return 0;
}

bool
pack_has(const struct pack *p, const uint8_t digest[SHA256_SIZE])
{
	return digest_set_has(p->have, digest);
}

/* ---- writing --------------------------------------------------------------------------------- */

/* From here on the pack lacks something that its user believes in. */
static int
fail(struct pack *p, int code, struct err *err)
{
	p->failed = code;
	return err_sys(err, code, "store an object in %s", p->store->path);
}

static int
flush(struct pack *p)
{
	int r = 0;

	if (p->pending.len > 0) {
		r = fdio_pwrite(p->fd, p->pending.data, p->pending.len,
				(off_t)(p->offset - p->pending.len));
		buf_reset(&p->pending);
	}
	return r;
}

static int
sync_dir(int dir_fd, const char *name)
{
	auto_fd fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/*
 * fdatasync of the file. fsync(2) wants the directory synced for the file's name; on file systems
 * with one ordered log the name is in it before what the fdatasync waits for, and a flush is saved.
 */
static int
sync_file(struct pack *p)
{
	char name[PACK_NAME_SIZE];
	struct statfs fs;
	int r;

	if (fdatasync(p->fd) < 0 || fstatfs(p->fd, &fs) < 0) {
		return -errno;
	}
	if (fs.f_type == EXT4_SUPER_MAGIC || fs.f_type == XFS_SUPER_MAGIC ||
	    fs.f_type == BTRFS_SUPER_MAGIC) {
		return 0;
	}
	pack_workflow_name(p->workflow, name);
	r = sync_dir(p->store->dir_fd, name);
	return r < 0 ? r : sync_dir(p->store->dir_fd, WORKFLOW_DIR);
}

static int
make_workflow(const struct pack *p)
{
	char name[PACK_NAME_SIZE];

	pack_workflow_name(p->workflow, name);
	if ((mkdirat(p->store->dir_fd, WORKFLOW_DIR, 0700) < 0 && errno != EEXIST) ||
	    (mkdirat(p->store->dir_fd, name, 0700) < 0 && errno != EEXIST)) {
		return -errno;
	}
	return 0;
}

/* The lock of the call's first pack stays until pack_finish: it says that all its packs are in use.
 */
static int
open_next(struct pack *p)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	char name[PACK_NAME_SIZE];
	auto_fd fd = -1;
	int r;

	pack_file_name(p->workflow, p->call, p->number + 1, name);
	fd = openat(p->store->dir_fd, name, flags, 0600);
	if (fd < 0 && errno == ENOENT) {
		r = make_workflow(p);
		if (r < 0) {
			return r;
		}
		fd = openat(p->store->dir_fd, name, flags, 0600);
	}
	if (fd < 0) {
		return -errno;
	}
	r = store_lock(fd, LOCK_EX);
	if (r < 0) {
		return r;
	}
	if (p->fd >= 0 && p->fd != p->lock_fd) {
		close(p->fd);
	}
	p->fd = take_fd(&fd);
	p->lock_fd = p->lock_fd >= 0 ? p->lock_fd : p->fd;
	p->number++;
	p->offset = 0;
	return 0;
}

static int
make_room(struct pack *p, uint64_t record)
{
	int r;

	if (p->fd >= 0 && (p->offset == 0 || p->offset + record <= CAP_PACK_FILE)) {
		return 0;
	}
	if (p->fd >= 0) {
		r = flush(p);
		if (r == 0) {
			r = sync_file(p);
		}
		if (r < 0) {
			return r;
		}
	}
	return open_next(p);
}

static int
write_record(struct pack *p, const uint8_t header[PACK_HEADER], const void *data, size_t len)
{
	static const uint8_t zeros[PACK_ALIGN];
	const unsigned int padding = pack_padding(len);
	uint64_t at = p->offset;
	int r;

	if (len <= GATHER_RECORD) {
		buf_put(&p->pending, header, PACK_HEADER);
		buf_put(&p->pending, data, len);
		buf_put(&p->pending, zeros, padding);
		r = buf_error(&p->pending);
		if (r < 0) {
			return r;
		}
		p->offset += PACK_HEADER + len + padding;
		return p->pending.len >= GATHER_MAX ? flush(p) : 0;
	}
	r = flush(p);
	if (r == 0) {
		r = fdio_pwrite(p->fd, header, PACK_HEADER, (off_t)at);
	}
	if (r == 0) {
		r = fdio_pwrite(p->fd, data, len, (off_t)(at + PACK_HEADER));
	}
	if (r == 0) {
		r = fdio_pwrite(p->fd, zeros, padding, (off_t)(at + PACK_HEADER + len));
	}
	p->offset += PACK_HEADER + len + padding;
	return r;
}

/* One object, which the workflow does not have yet. */
static int
add(struct pack *p, enum object_type type, const uint8_t digest[SHA256_SIZE], const void *data,
    size_t len, struct err *err)
{
	struct pack_header h = { .type = type, .codec = CODEC_RAW, .plain = len, .stored = len };
	uint8_t header[PACK_HEADER];
	int r;

	memcpy(h.digest, digest, SHA256_SIZE);
	pack_header_encode(&h, header);
	p->is_synced = false;
	r = make_room(p, PACK_HEADER + len + pack_padding(len));
	if (r == 0) {
		r = write_record(p, header, data, len);
	}
	if (r == 0) {
		buf_put(&p->added, digest, SHA256_SIZE);
		r = buf_error(&p->added);
	}
	if (r == 0) {
		r = digest_set_add(p->have, digest);
	}
	if (r < 0) {
		return fail(p, r, err);
	}
	p->stored_bytes += len;
	return 0;
}

/* ---- objects --------------------------------------------------------------------------------- */

/* Where an object's bytes are: in memory, or in a file. */
struct source {
	const uint8_t *data; /* NULL: the file */
	int fd;
	uint64_t size;
	uint8_t *piece; /* room for CAP_PART bytes of the file */
};

static int
stale(struct err *err)
{
	return err_set(err, -ESTALE, "the file changed while it was read");
}

static int
source_piece(const struct pack *p, const struct source *src, uint64_t at, size_t len,
	     const uint8_t **ret_piece, struct err *err)
{
	int r;

	if (src->data != NULL) {
		*ret_piece = src->data + at;
		return 0;
	}
	r = until_check(p->until);
	if (r < 0) {
		return err_set(err, r, "a file was not read to its end: %s",
			       r == -EINTR ? "airlock was told to end" : "it took too long");
	}
	r = fdio_pread(src->fd, src->piece, len, (off_t)at);
	if (r < 0) {
		return r == -ENODATA ? stale(err) : err_sys(err, r, "read a file to store");
	}
	*ret_piece = src->piece;
	return 0;
}

/* -ESTALE when the file goes on after what was read. */
static int
check_end(int fd, uint64_t size, struct err *err)
{
	char more;
	int r = fdio_pread(fd, &more, 1, (off_t)size);

	if (r == -ENODATA) {
		return 0;
	}
	return r == 0 ? stale(err) : err_sys(err, r, "read a file to store");
}

/* Of a pack that has not failed: stores what is not there yet. */
static int
put_hashed(struct pack *p, enum object_type type, const void *data, size_t len,
	   const uint8_t digest[SHA256_SIZE], struct err *err)
{
	return pack_has(p, digest) ? 0 : add(p, type, digest, data, len, err);
}

static int
put_parts(struct pack *p, const struct source *src, const uint8_t *digest_known,
	  uint8_t ret_digest[SHA256_SIZE], struct err *err)
{
	auto_buf list = BUF_INIT;
	struct sha256 whole, part;
	uint8_t digest[SHA256_SIZE];
	int r = 0;

	sha256_init(&whole);
	buf_puts(&list, PACK_PARTS_LINE);
	for (uint64_t at = 0; at < src->size; at += CAP_PART) {
		size_t len = src->size - at < CAP_PART ? (size_t)(src->size - at) : CAP_PART;
		const uint8_t *piece = NULL;
		char hex[HEX_DIGEST_SIZE];

		r = source_piece(p, src, at, len, &piece, err);
		if (r < 0) {
			return r;
		}
		sha256_init(&part);
		sha256_update_two(&whole, &part, piece, len);
		sha256_final(&part, digest);
		r = put_hashed(p, OBJECT_BLOB, piece, len, digest, err);
		if (r < 0) {
			return r;
		}
		text_hex(digest, SHA256_SIZE, hex);
		buf_printf(&list, "%zu %s\n", len, hex);
	}
	if (src->data == NULL) {
		r = check_end(src->fd, src->size, err);
		if (r < 0) {
			return r;
		}
	}
	sha256_final(&whole, digest);
	if (digest_known != NULL && memcmp(digest, digest_known, SHA256_SIZE) != 0) {
		return stale(err);
	}
	r = buf_error(&list);
	if (r < 0) {
		return fail(p, r, err);
	}
	r = put_hashed(p, OBJECT_PARTS, list.data, list.len, digest, err);
	if (r < 0) {
		return r;
	}
	memcpy(ret_digest, digest, SHA256_SIZE);
	return 0;
}

int
pack_put(struct pack *p, enum object_type type, const void *data, size_t len,
	 uint8_t ret_digest[SHA256_SIZE], struct err *err)
{
	uint8_t digest[SHA256_SIZE];
	int r;

	if (p->failed < 0) {
		return fail(p, p->failed, err);
	}
	if (len > PACK_OBJECT_MAX || type == OBJECT_PARTS) {
		return err_set(err, -EINVAL, "an object of %zu bytes and type %d cannot be stored",
			       len, type);
	}
	if (type == OBJECT_BLOB && len > CAP_PARTS_FROM) {
		const struct source src = { .data = data, .fd = -1, .size = len };

		return put_parts(p, &src, NULL, ret_digest, err);
	}
	sha256_of(data, len, digest);
	r = put_hashed(p, type, data, len, digest, err);
	if (r < 0) {
		return r;
	}
	memcpy(ret_digest, digest, SHA256_SIZE);
	return 0;
}

int
pack_put_file(struct pack *p, int fd, uint64_t size, const uint8_t *digest_known,
	      uint8_t ret_digest[SHA256_SIZE], struct err *err)
{
	const size_t room = size > CAP_PARTS_FROM ? CAP_PART : (size_t)size;
	auto_free uint8_t *data = NULL;
	uint8_t digest[SHA256_SIZE];
	int r;

	if (p->failed < 0) {
		return fail(p, p->failed, err);
	}
	if (digest_known != NULL && pack_has(p, digest_known)) {
		memcpy(ret_digest, digest_known, SHA256_SIZE);
		return 0;
	}
	data = malloc(room + (room == 0));
	if (data == NULL) {
		return fail(p, -ENOMEM, err);
	}
	if (size > CAP_PARTS_FROM) {
		const struct source src = { .data = NULL, .fd = fd, .size = size, .piece = data };

		return put_parts(p, &src, digest_known, ret_digest, err);
	}
	r = fdio_pread(fd, data, room, 0);
	if (r < 0) {
		return r == -ENODATA ? stale(err) : err_sys(err, r, "read a file to store");
	}
	r = check_end(fd, size, err);
	if (r < 0) {
		return r;
	}
	sha256_of(data, room, digest);
	if (digest_known != NULL && memcmp(digest, digest_known, SHA256_SIZE) != 0) {
		return stale(err);
	}
	r = put_hashed(p, OBJECT_BLOB, data, room, digest, err);
	if (r < 0) {
		return r;
	}
	memcpy(ret_digest, digest, SHA256_SIZE);
	return 0;
}

/* ---- the end --------------------------------------------------------------------------------- */

int
pack_sync(struct pack *p, struct err *err)
{
	int r = p->failed;

	if (r == 0 && p->fd >= 0 && !p->is_synced) {
		r = flush(p);
		if (r == 0) {
			r = sync_file(p);
		}
	}
	if (r < 0) {
		return fail(p, r, err);
	}
	p->is_synced = true;
	return 0;
}

int
pack_publish(struct pack *p)
{
	char name[PACK_NAME_SIZE];
	auto_fd fd = -1;
	struct stat st;
	off_t whole;
	int r;

	if (p->failed < 0 || !p->is_synced) {
		return -EINVAL;
	}
	if (p->added.len == 0) {
		return 0;
	}
	pack_have_name(p->workflow, name);
	fd = openat(p->store->dir_fd, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		return -errno;
	}
	r = store_lock(fd, LOCK_EX);
	if (r < 0) {
		return r;
	}
	if (fstat(fd, &st) < 0) {
		return -errno;
	}
	/* A digest that a crash cut is overwritten, so that those behind it can be read. */
	whole = st.st_size / SHA256_SIZE * SHA256_SIZE;
	r = fdio_pwrite(fd, p->added.data, p->added.len, whole);
	if (r < 0) {
		ignore_err(ftruncate(fd, whole), "the failure of the write is reported");
		return r;
	}
	buf_reset(&p->added);
	return 0;
}

void
pack_finish(struct pack *p)
{
	if (p->fd != p->lock_fd) {
		cleanup_fd(&p->fd);
	}
	cleanup_fd(&p->lock_fd);
	digest_set_destroy(p->have);
	buf_finish(&p->added);
	buf_finish(&p->pending);
	*p = (struct pack)PACK_INIT;
}
