/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All packs of one call, for whoever verifies. Runs in airlock-cli, as the caller. Trusts nothing
 * in them.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/fdio.h"
#include "pack_read_internal.h"

struct check {
	pack_wrong_fn fn;
	void *arg;
	struct sha256 chain;
	struct pack_sum sum;
};

/* One object at `at`; *ret_next is behind it, or `at` when there is none. */
static int
check_object(struct check *c, int fd, const char *name, uint64_t at, uint64_t size,
	     uint64_t *ret_next)
{
	struct pack_place place = { .payload = at + PACK_HEADER };
	uint8_t header[PACK_HEADER], padding[PACK_ALIGN];
	uint64_t left = size - at;
	unsigned int pad;
	auto_buf plain = BUF_INIT;
	int r;

	*ret_next = at;
	if (left < PACK_HEADER) {
		return c->fn(c->arg, name, at, "the end of an object is missing");
	}
	r = fdio_pread(fd, header, sizeof(header), (off_t)at);
	if (r < 0) {
		return r;
	}
	if (pack_header_decode(header, &place.h) < 0) {
		return c->fn(c->arg, name, at, "no header of an object");
	}
	pad = pack_padding(place.h.stored);
	if (place.h.stored > left - PACK_HEADER || pad > left - PACK_HEADER - place.h.stored) {
		return c->fn(c->arg, name, at, "the end of an object is missing");
	}
	*ret_next = place.payload + place.h.stored + pad;
	sha256_update(&c->chain, place.h.digest, SHA256_SIZE);
	c->sum.objects++;
	c->sum.bytes += place.h.stored;
	r = pack_read_record(fd, &place, &plain);
	if (r == -EBADMSG || r == -EOPNOTSUPP) {
		return c->fn(c->arg, name, at,
			     r == -EBADMSG ? "the object has another digest than its name"
					   : "the object is in a codec that is not known");
	}
	if (r == 0 && pad > 0) {
		static const uint8_t zeros[PACK_ALIGN];

		r = fdio_pread(fd, padding, pad, (off_t)(*ret_next - pad));
		if (r == 0 && memcmp(padding, zeros, pad) != 0) {
			return c->fn(c->arg, name, at, "bytes behind the object are not zero");
		}
	}
	return r;
}

static int
check_file(struct check *c, int fd, const char *name)
{
	uint64_t at = 0, next = 0;
	struct stat st;
	int r = fstat(fd, &st) < 0 ? -errno : 0;

	while (r == 0 && at < (uint64_t)st.st_size) {
		r = check_object(c, fd, name, at, (uint64_t)st.st_size, &next);
		if (next == at) {
			break; /* what is behind cannot be read */
		}
		at = next;
	}
	return r;
}

int
pack_check(struct store *s, const uint8_t workflow[16], const uint8_t call[16], pack_wrong_fn fn,
	   void *arg, struct pack_sum *ret, struct err *err)
{
	struct check c = { .fn = fn, .arg = arg };
	char name[PACK_NAME_SIZE] = "";
	int r = 0;

	sha256_init(&c.chain);
	for (unsigned int number = 1; r == 0; number++) {
		auto_fd fd = -1;

		pack_file_name(workflow, call, number, name);
		fd = openat(s->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0) {
			r = errno == ENOENT ? 0 : -errno;
			break;
		}
		c.sum.files++;
		r = check_file(&c, fd, name);
	}
	sha256_final(&c.chain, c.sum.digest);
	*ret = c.sum;
	return r < 0 ? err_sys(err, r, "read %s/%s", s->path, name) : r;
}

/* ---- what a workflow is said to have --------------------------------------------------------- */

static int
check_have(const struct pack_catalog *c, int fd, const char *name, pack_wrong_fn fn, void *arg)
{
	static const uint8_t nobody[SHA256_SIZE];
	uint8_t digests[128][SHA256_SIZE];
	uint64_t at = 0;

	for (;;) {
		ssize_t n = pread(fd, digests, sizeof(digests), (off_t)at);

		if (n < SHA256_SIZE) { /* a torn last digest counts for nothing */
			return n < 0 ? -errno : 0;
		}
		for (size_t i = 0; i < (size_t)n / SHA256_SIZE; i++, at += SHA256_SIZE) {
			size_t count = 0;
			int r;

			if (memcmp(digests[i], nobody, SHA256_SIZE) == 0 ||
			    pack_catalog_find(c, digests[i], &count) != NULL) {
				continue;
			}
			r = fn(arg, name, at, "names an object that no pack has");
			if (r != 0) {
				return r;
			}
		}
	}
}

int
pack_check_have(struct store *s, const uint8_t workflow[16], pack_wrong_fn fn, void *arg,
		struct err *err)
{
	struct pack_catalog *c = NULL;
	char name[PACK_NAME_SIZE];
	auto_fd fd = -1;
	int r;

	pack_have_name(workflow, name);
	fd = openat(s->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		return errno == ENOENT ? 0 : err_sys(err, -errno, "read %s/%s", s->path, name);
	}
	r = pack_catalog_create(s, workflow, &c, err);
	if (r < 0) {
		return r;
	}
	r = check_have(c, fd, name, fn, arg);
	pack_catalog_destroy(c);
	return r < 0 ? err_sys(err, r, "read %s/%s", s->path, name) : r;
}
