/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs as the developer or CI: `make_log DIR COUNT` makes a log of that many entries in DIR, in
 * steps of every size, with a key of its own; other programs then say whether it is one. DIR/vkey
 * is its key, DIR/checkpoint the last note, DIR/checkpoint-old that of about a third of the
 * entries, and DIR/checkpoint-fork one of the same size and key over other entries.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../../launcher/base/fdio.h"
#include "../../launcher/base/text.h"
#include "../../launcher/evidence/note.h"
#include "../../launcher/evidence/tiles.h"

#define ORIGIN "log.example.org/airlock/test"

static int
put(int dir_fd, const char *name, const struct buf *bytes)
{
	auto_fd fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fdio_write(fd, bytes->data, bytes->len);
}

/* As a leaf of the real log: its digest is that of its number. */
static int
make_entry(uint64_t n, struct buf *out)
{
	static const char *const types[] = { "call.planned", "call.outcome", "settle" };
	uint8_t digest[SHA256_SIZE], uuid[16] = { 0 };
	char hex[HEX_DIGEST_SIZE], call[UUID_TEXT_SIZE];

	sha256_of(&n, sizeof(n), digest);
	text_hex(digest, sizeof(digest), hex);
	memcpy(uuid, digest, sizeof(uuid));
	text_uuid_print(uuid, call);
	buf_printf(out, "{\"call\":\"%s\",\"digest\":\"%s\",\"type\":\"%s\"}", call, hex,
		   types[n % 3]);
	return buf_error(out);
}

static int
append(int dir_fd, uint64_t from, uint64_t to, uint8_t ret_root[SHA256_SIZE], struct err *err)
{
	size_t count = to - from;
	struct tile_entry *entries = calloc(count, sizeof(*entries));
	struct buf *bytes = calloc(count, sizeof(*bytes));
	int r = entries == NULL || bytes == NULL ? -ENOMEM : 0;

	for (size_t i = 0; r == 0 && i < count; i++) {
		r = make_entry(from + i, &bytes[i]);
		entries[i] = (struct tile_entry){ .data = bytes[i].data, .len = bytes[i].len };
	}
	r = r < 0 ? err_sys(err, r, "making entries")
		  : tiles_append(dir_fd, from, entries, count, ret_root, err);
	for (size_t i = 0; bytes != NULL && i < count; i++) {
		buf_finish(&bytes[i]);
	}
	free(bytes);
	free(entries);
	return r;
}

static int
publish(int dir_fd, const struct note_signer *signer, const char *name, const struct checkpoint *c,
	struct err *err)
{
	auto_buf text = BUF_INIT, note = BUF_INIT;
	int r;

	checkpoint_print(c, &text);
	r = note_sign(signer, buf_text(&text), text.len, &note, err);
	if (r == 0) {
		r = put(dir_fd, name, &note);
		r = r < 0 ? err_sys(err, r, "%s", name) : 0;
	}
	return r;
}

/* What a witness is asked: that of `old` was cosigned, now the note of that name. */
static int
ask(int dir_fd, const char *name, uint64_t old, const char *note, uint64_t size, struct err *err)
{
	auto_tiles tiles = NULL;
	auto_buf out = BUF_INIT;
	struct merkle_proof proof = { .count = 0 };
	int r = tiles_open(dir_fd, size, &tiles, err);

	if (r == 0) {
		r = merkle_prove_consistency(tiles_read, tiles, old, size, &proof);
	}
	buf_printf(&out, "old %llu\n", (unsigned long long)old);
	for (size_t i = 0; r == 0 && i < proof.count; i++) {
		text_base64(&out, proof.hash[i], SHA256_SIZE);
		buf_putc(&out, '\n');
	}
	buf_putc(&out, '\n');
	r = r == 0 ? fdio_slurp_at(dir_fd, note, NOTE_MAX, &out) : r;
	r = r == 0 ? put(dir_fd, name, &out) : r;
	return r < 0 ? err_sys(err, r, "%s", name) : 0;
}

static int
make_log(int dir_fd, uint64_t count, struct err *err)
{
	auto_note_signer signer = { .seed = { 0 } };
	struct checkpoint c = { .origin = ORIGIN };
	auto_buf vkey = BUF_INIT;
	uint64_t step = 1, old = 0;
	int r = note_signer_generate(ORIGIN, NOTE_ALGORITHM_ED25519, &signer, err);

	while (r == 0 && c.size < count) {
		uint64_t to = c.size + step < count ? c.size + step : count;
		bool is_old = c.size < count / 3 && to >= count / 3;

		r = append(dir_fd, c.size, to, c.root, err);
		c.size = to;
		if (r == 0 && is_old) {
			r = publish(dir_fd, &signer, "checkpoint-old", &c, err);
			old = c.size;
			c.root[0] ^= 1;
			r = r == 0 ? publish(dir_fd, &signer, "checkpoint-fork", &c, err) : r;
		}
		/* 1, 4, 13, 40 ... around the width of a tile, and again */
		step = step > 700 ? 1 : 3 * step + 1;
	}
	if (r == 0) {
		r = publish(dir_fd, &signer, "checkpoint", &c, err);
	}
	r = r == 0 ? ask(dir_fd, "request-first", 0, "checkpoint-old", old, err) : r;
	r = r == 0 ? ask(dir_fd, "request-next", old, "checkpoint", count, err) : r;
	r = r == 0 ? ask(dir_fd, "request-again", count, "checkpoint", count, err) : r;
	r = r == 0 ? ask(dir_fd, "request-fork", old, "checkpoint-fork", old, err) : r;
	note_key_print(&signer.key, &vkey);
	buf_putc(&vkey, '\n');
	return r == 0 ? put(dir_fd, "vkey", &vkey) : r;
}

int
main(int argc, char **argv)
{
	struct err err = ERR_INIT;
	auto_fd dir_fd = -1;

	if (argc != 3) {
		fprintf(stderr, "usage: make_log DIR COUNT\n");
		return 2;
	}
	dir_fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0 || make_log(dir_fd, strtoull(argv[2], NULL, 10), &err) < 0) {
		fprintf(stderr, "make_log: %s\n", dir_fd < 0 ? strerror(errno) : err.text);
		return 1;
	}
	return 0;
}
