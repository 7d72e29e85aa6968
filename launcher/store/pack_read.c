/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-cli and airlock-log, as the caller. Trusts the names of packs and nothing in
 * them: a header counts when its crc is right, a payload when it hashes to the object's name.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "../base/cleanup.h"
#include "../base/fdio.h"
#include "../base/limits.h"
#include "../base/text.h"
#include "pack_format.h"

struct found {
	struct pack_header h;
	uint64_t payload; /* offset of the stored bytes */
};

/* The next record that has the digest, from *at on, which is moved behind it; -ENOENT at the end,
 * or at the first record that is not whole. */
static int
scan_pack(int fd, uint64_t size, uint64_t *at, const uint8_t digest[SHA256_SIZE],
	  struct found *ret_found)
{
	while (size - *at >= PACK_HEADER) {
		uint8_t bytes[PACK_HEADER];
		struct found f;
		uint64_t left = size - *at - PACK_HEADER;
		int r = fdio_pread(fd, bytes, sizeof(bytes), (off_t)*at);

		if (r < 0) {
			return r == -ENODATA ? -ENOENT : r;
		}
		if (pack_header_decode(bytes, &f.h) < 0 || f.h.stored > left ||
		    pack_padding(f.h.stored) > left - f.h.stored) {
			return -ENOENT;
		}
		f.payload = *at + PACK_HEADER;
		*at = f.payload + f.h.stored + pack_padding(f.h.stored);
		if (memcmp(f.h.digest, digest, SHA256_SIZE) == 0) {
			*ret_found = f;
			return 0;
		}
	}
	return -ENOENT;
}

static int
unpack(const struct found *f, const uint8_t *stored, struct buf *out)
{
	auto_free uint8_t *plain = NULL;
	size_t n;

	switch (f->h.codec) {
	case CODEC_RAW:
		if (f->h.stored != f->h.plain) {
			return -EBADMSG;
		}
		buf_put(out, stored, f->h.stored);
		return buf_error(out);
	case CODEC_ZSTD:
		plain = malloc(f->h.plain + (f->h.plain == 0));
		if (plain == NULL) {
			return -ENOMEM;
		}
		n = ZSTD_decompress(plain, f->h.plain, stored, f->h.stored);
		if (ZSTD_isError(n) || n != f->h.plain) {
			return -EBADMSG;
		}
		buf_put(out, plain, n);
		return buf_error(out);
	case CODEC_ZSTD_AEAD:
	case CODEC__COUNT:
		break;
	}
	return -EOPNOTSUPP;
}

/* The record's plain bytes into out, which is empty. Parts are not hashed here: their name is the
 * file's. */
static int
read_record(int fd, const struct found *f, struct buf *out)
{
	auto_free uint8_t *stored = NULL;
	uint8_t digest[SHA256_SIZE];
	int r;

	/* zstd never needs this much more than the plain bytes. */
	if (f->h.plain > PACK_OBJECT_MAX || f->h.stored > ZSTD_compressBound(f->h.plain) + 4096) {
		return -EBADMSG;
	}
	stored = malloc(f->h.stored + (f->h.stored == 0));
	if (stored == NULL) {
		return -ENOMEM;
	}
	r = fdio_pread(fd, stored, f->h.stored, (off_t)f->payload);
	if (r == 0) {
		r = unpack(f, stored, out);
	}
	if (r == 0 && f->h.type != OBJECT_PARTS) {
		sha256_of(out->data, out->len, digest);
		r = memcmp(digest, f->h.digest, SHA256_SIZE) == 0 ? 0 : -EBADMSG;
	}
	return r == -ENODATA ? -EBADMSG : r;
}

/*
 * A good copy of the object in one pack; -ENOENT when there is none at all, -EBADMSG or -EOPNOTSUPP
 * when there are only others.
 */
static int
search_pack(int dir_fd, const char *name, const uint8_t digest[SHA256_SIZE], struct buf *out,
	    enum object_type *ret_type)
{
	auto_fd fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct found f;
	struct stat st;
	uint64_t at = 0;
	int r, worst = -ENOENT;

	if (fd < 0 || fstat(fd, &st) < 0) {
		return -errno;
	}
	while ((r = scan_pack(fd, (uint64_t)st.st_size, &at, digest, &f)) == 0) {
		buf_reset(out);
		r = read_record(fd, &f, out);
		if (r == 0) {
			*ret_type = f.h.type;
			return 0;
		}
		if (r != -EBADMSG && r != -EOPNOTSUPP) {
			return r;
		}
		worst = r;
	}
	return r == -ENOENT ? worst : r;
}

static bool
is_pack(const char *name)
{
	size_t len = strlen(name);

	return strncmp(name, "pack-", 5) == 0 && len > 4 && strcmp(name + len - 4, ".alp") == 0;
}

/* As search_pack, over all packs of the workflow. */
static int
search(struct store *s, const uint8_t workflow[16], const uint8_t digest[SHA256_SIZE],
       struct buf *out, enum object_type *ret_type)
{
	char path[PACK_NAME_SIZE];
	struct dirent *entry;
	DIR *dir;
	int fd, r = -ENOENT, worst = -ENOENT;

	pack_workflow_name(workflow, path);
	fd = openat(s->dir_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		return -errno;
	}
	dir = fdopendir(fd);
	if (dir == NULL) {
		r = -errno;
		close(fd);
		return r;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (!is_pack(entry->d_name)) {
			continue;
		}
		r = search_pack(dirfd(dir), entry->d_name, digest, out, ret_type);
		if (r == 0) {
			break;
		}
		worst = r == -ENOENT ? worst : r;
	}
	closedir(dir);
	return r == 0 ? 0 : worst;
}

/* "<size> <sha256>\n" at *p, which is moved behind it. */
static int
parse_part(const char **p, uint64_t *ret_size, uint8_t ret_digest[SHA256_SIZE])
{
	char hex[HEX_DIGEST_SIZE];
	char *end;
	unsigned long long size;

	if (**p < '1' || **p > '9') {
		return -EBADMSG;
	}
	errno = 0;
	size = strtoull(*p, &end, 10);
	if (errno != 0 || size > CAP_PACK_FILE || *end != ' ' ||
	    strlen(end) < HEX_DIGEST_SIZE + 1 || end[HEX_DIGEST_SIZE] != '\n') {
		return -EBADMSG;
	}
	memcpy(hex, end + 1, HEX_DIGEST_SIZE - 1);
	hex[HEX_DIGEST_SIZE - 1] = '\0';
	if (text_unhex(hex, ret_digest, SHA256_SIZE) < 0) {
		return -EBADMSG;
	}
	*ret_size = size;
	*p = end + HEX_DIGEST_SIZE + 1;
	return 0;
}

/* The file that the list describes, rehashed piece by piece and as a whole. */
static int
join_parts(struct store *s, const uint8_t workflow[16], const uint8_t digest[SHA256_SIZE],
	   const struct buf *list, struct buf *out)
{
	const char *p = buf_text(list);
	struct sha256 whole;
	uint8_t got[SHA256_SIZE];

	if (strlen(p) != list->len || strncmp(p, PACK_PARTS_LINE, strlen(PACK_PARTS_LINE)) != 0) {
		return -EBADMSG;
	}
	p += strlen(PACK_PARTS_LINE);
	sha256_init(&whole);
	while (*p != '\0') {
		auto_buf piece = BUF_INIT;
		uint8_t name[SHA256_SIZE];
		enum object_type type = OBJECT_BLOB;
		uint64_t size;
		int r = parse_part(&p, &size, name);

		if (r == 0) {
			r = search(s, workflow, name, &piece, &type);
		}
		if (r < 0) {
			return r;
		}
		if (type == OBJECT_PARTS || piece.len != size) {
			return -EBADMSG;
		}
		sha256_update(&whole, piece.data, piece.len);
		buf_put(out, piece.data, piece.len);
	}
	sha256_final(&whole, got);
	return memcmp(got, digest, SHA256_SIZE) == 0 ? buf_error(out) : -EBADMSG;
}

static int
explain(int r, const uint8_t workflow[16], const uint8_t digest[SHA256_SIZE], struct err *err)
{
	char uuid[UUID_TEXT_SIZE], hex[HEX_DIGEST_SIZE];

	text_uuid_print(workflow, uuid);
	text_hex(digest, SHA256_SIZE, hex);
	switch (r) {
	case -ENOENT:
		return err_set(err, r, "object %s, or a part of it, is in no pack of workflow %s",
			       hex, uuid);
	case -EBADMSG:
		return err_set(err, r, "object %s of workflow %s is damaged", hex, uuid);
	case -EOPNOTSUPP:
		return err_set(err, r, "object %s of workflow %s is encrypted", hex, uuid);
	default:
		return err_sys(err, r, "read object %s of workflow %s", hex, uuid);
	}
}

int
pack_get(struct store *s, const uint8_t workflow[16], const uint8_t digest[SHA256_SIZE],
	 struct buf *out, enum object_type *ret_type, struct err *err)
{
	auto_buf data = BUF_INIT;
	auto_buf joined = BUF_INIT;
	const struct buf *result = &data;
	enum object_type type = OBJECT_BLOB;
	int r = search(s, workflow, digest, &data, &type);

	if (r == 0 && type == OBJECT_PARTS) {
		r = join_parts(s, workflow, digest, &data, &joined);
		result = &joined;
		type = OBJECT_BLOB;
	}
	if (r < 0) {
		return explain(r, workflow, digest, err);
	}
	buf_put(out, result->data, result->len);
	if (buf_error(out) < 0) {
		return explain(-ENOMEM, workflow, digest, err);
	}
	*ret_type = type;
	return 0;
}
