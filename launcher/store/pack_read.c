/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-cli and airlock-log, as the caller. Trusts the names of packs and nothing in
 * them: a header counts when its crc is right, a payload when it hashes to the object's name.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "../base/cleanup.h"
#include "../base/fdio.h"
#include "../base/limits.h"
#include "../base/text.h"
#include "pack_read_internal.h"

static int
unpack(const struct pack_place *f, const uint8_t *stored, struct buf *out)
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

int
pack_read_record(int fd, const struct pack_place *f, struct buf *out)
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

static int search(struct pack_catalog *c, const uint8_t digest[SHA256_SIZE], bool is_part,
		  struct buf *out, enum object_type *ret_type);

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
join_parts(struct pack_catalog *c, const uint8_t digest[SHA256_SIZE], const struct buf *list,
	   struct buf *out)
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
			r = search(c, name, true, &piece, &type);
		}
		if (r < 0) {
			return r;
		}
		if (piece.len != size) {
			return -EBADMSG;
		}
		sha256_update(&whole, piece.data, piece.len);
		buf_put(out, piece.data, piece.len);
	}
	sha256_final(&whole, got);
	return memcmp(got, digest, SHA256_SIZE) == 0 ? buf_error(out) : -EBADMSG;
}

/* A part is no list itself. */
static int
read_copy(struct pack_catalog *c, const struct pack_place *place, bool is_part, struct buf *out,
	  enum object_type *ret_type)
{
	bool is_list = place->h.type == OBJECT_PARTS;
	auto_buf list = BUF_INIT;
	int fd = pack_catalog_fd(c, place->pack);
	int r = fd < 0 ? fd : pack_read_record(fd, place, is_list ? &list : out);

	if (r == 0 && is_list) {
		r = is_part ? -EBADMSG : join_parts(c, place->h.digest, &list, out);
	}
	if (r == 0) {
		*ret_type = is_list ? OBJECT_BLOB : place->h.type;
	}
	return r;
}

/*
 * A good copy of the object in any pack, into out, which is empty. -ENOENT when there is none at
 * all, or a part is missing; -EBADMSG, -EOPNOTSUPP, or why a pack could not be read, when there are
 * only others.
 */
static int
search(struct pack_catalog *c, const uint8_t digest[SHA256_SIZE], bool is_part, struct buf *out,
       enum object_type *ret_type)
{
	size_t count = 0;
	const struct pack_place *place = pack_catalog_find(c, digest, &count);
	int worst = c->worst < 0 ? c->worst : -ENOENT;

	for (size_t i = 0; i < count; i++) {
		int r = read_copy(c, &place[i], is_part, out, ret_type);

		if (r == 0) {
			return 0;
		}
		buf_reset(out);
		worst = r == -ENOENT ? worst : r;
	}
	return worst;
}

static int
explain(const struct pack_catalog *c, int r, const uint8_t digest[SHA256_SIZE], struct err *err)
{
	char uuid[UUID_TEXT_SIZE], hex[HEX_DIGEST_SIZE];

	text_uuid_print(c->workflow, uuid);
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
pack_catalog_get(struct pack_catalog *c, const uint8_t digest[SHA256_SIZE], struct buf *out,
		 enum object_type *ret_type, struct err *err)
{
	auto_buf data = BUF_INIT;
	enum object_type type = OBJECT_BLOB;
	int r = search(c, digest, false, &data, &type);

	if (r < 0) {
		return explain(c, r, digest, err);
	}
	buf_put(out, data.data, data.len);
	if (buf_error(out) < 0) {
		return explain(c, -ENOMEM, digest, err);
	}
	*ret_type = type;
	return 0;
}
