/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for the readers of packs, which anybody may have changed: one pack of any
 * bytes, walked, checked and read. Run by a developer or CI; the pack is in a directory of
 * $TMPDIR. A header that is taken has one spelling; an object that is given has the digest that
 * it was asked by; what the check finds nothing wrong with can be read.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../launcher/base/crc32.h"
#include "../../launcher/base/fdio.h"
#include "../../launcher/base/text.h"
#include "../../launcher/store/pack_read_internal.h"
#include "fuzz.h"

static const uint8_t workflow[16] = { 1 }, call[16] = { 2 };

/* $TMPDIR/pack-XXXXXX/wf/<workflow>, once; the pack's file in it each time. */
static int
open_dir(char name[PACK_NAME_SIZE])
{
	static int dir = -1;
	const char *parent = getenv("TMPDIR");
	char path[4096];

	pack_file_name(workflow, call, 1, name);
	if (dir < 0) {
		char below[PACK_NAME_SIZE];

		snprintf(path, sizeof(path), "%s/pack-XXXXXX", parent != NULL ? parent : "/tmp");
		require(mkdtemp(path) != NULL, "no directory");
		dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		pack_workflow_name(workflow, below);
		require(dir >= 0 && mkdirat(dir, "wf", 0700) == 0 && mkdirat(dir, below, 0700) == 0,
			"no directory");
	}
	return dir;
}

static void
write_pack(int dir, const char *name, const uint8_t *data, size_t size)
{
	auto_fd fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	require(fd >= 0 && fdio_write(fd, data, size) == 0, "no file");
}

struct wrong {
	unsigned int count;
	size_t size;
};

static int
wrong(void *arg, const char *file, uint64_t offset, const char *what)
{
	struct wrong *w = arg;

	require(file[0] != '\0' && what[0] != '\0', "without words");
	require(offset <= w->size, "behind the end");
	w->count++;
	return 0;
}

static void
try_header(const uint8_t *data, size_t size)
{
	uint8_t again[PACK_HEADER];
	struct pack_header h;

	if (size >= PACK_HEADER && pack_header_decode(data, &h) == 0) {
		pack_header_encode(&h, again);
		require(memcmp(again, data, PACK_HEADER) == 0, "another spelling");
	}
}

static void
try_object(struct pack_catalog *c, const struct pack_place *place, bool all_right)
{
	enum object_type type = OBJECT_BLOB;
	uint8_t digest[SHA256_SIZE];
	struct err err = ERR_INIT;
	auto_buf out = BUF_INIT;
	int rc;

	buf_puts(&out, "before");
	rc = pack_catalog_get(c, place->h.digest, &out, &type, &err);
	if (rc < 0) {
		require(err.text[0] != '\0' && out.len == strlen("before"), "not as it was");
		/* The parts of a list may be nowhere, and a list may list itself. */
		require(!all_right || place->h.type == OBJECT_PARTS, "right, and cannot be read");
		return;
	}
	sha256_of(out.data + strlen("before"), out.len - strlen("before"), digest);
	require(memcmp(digest, place->h.digest, SHA256_SIZE) == 0, "another object");
	require(type != OBJECT_PARTS, "parts");
}

/*
 * A header per object with its length, digest and sum put right, so that the fuzzer has to find the
 * rest alone: for each, the type, the codec, how the digest is wrong, a length, its bytes.
 */
static void
frame(const uint8_t *data, size_t size, struct buf *ret)
{
	static const uint8_t zeros[PACK_ALIGN];

	while (size >= 4) {
		struct pack_header h = { .type = (enum object_type)(1 + data[0] % 4),
					 .codec = (enum pack_codec)(data[1] % 3) };
		size_t len = data[3] < size - 4 ? data[3] : size - 4;
		uint8_t header[PACK_HEADER];

		h.plain = h.stored = len;
		if (h.codec != CODEC_RAW) {
			h.plain = data[2];
		}
		sha256_of(data + 4, len, h.digest);
		if (data[2] == 255) {
			h.digest[0] ^= 1;
		}
		pack_header_encode(&h, header);
		buf_put(ret, header, sizeof(header));
		buf_put(ret, data + 4, len);
		buf_put(ret, zeros, pack_padding(len));
		data += 4 + len;
		size -= 4 + len;
	}
}

static void
try_pack(const uint8_t *data, size_t size)
{
	char name[PACK_NAME_SIZE];
	int dir = open_dir(name);
	struct store s = STORE_INIT;
	struct pack_catalog *c = NULL;
	struct wrong found = { .size = size };
	struct err err = ERR_INIT;
	struct pack_sum sum;

	s.dir_fd = dir;
	s.path = (char *)(uintptr_t) "state";
	write_pack(dir, name, data, size);
	require(pack_check(&s, workflow, call, wrong, &found, &sum, &err) == 0, err.text);
	require(pack_catalog_create(&s, workflow, &c, &err) == 0, err.text);
	require(found.count > 0 || sum.objects >= pack_catalog_count(c), "more than there is");
	for (size_t i = 0; i < c->place_count; i++) {
		try_object(c, &c->places[i], found.count == 0);
	}
	pack_catalog_destroy(c);
}

/* The first byte: a pack as it is, or objects in right headers, the end cut off. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	auto_buf pack = BUF_INIT;

	if (size == 0) {
		return 0;
	}
	if (data[0] == 0) {
		try_header(data + 1, size - 1);
		try_pack(data + 1, size - 1);
		return 0;
	}
	frame(data + 1, size - 1, &pack);
	pack.len -= pack.len > data[0] - 1u ? data[0] - 1u : 0;
	try_pack(pack.len > 0 ? pack.data : (const uint8_t *)"", pack.len);
	return 0;
}
