/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What proves the entries of a case folder. Runs in airlock-cli as the caller, holding index.lock
 * while it reads, so that checkpoint and tiles are of one size. Proofs are computed from the tiles
 * alone: what they say is what a verifier sees.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../base/fdio.h"
#include "../evidence/proof.h"
#include "../evidence/tiles.h"
#include "../log/log_key.h"
#include "../log/log_write.h"
#include "view_case.h"
#include "view_evidence.h"

#define TILE_BYTES_MAX (32u << 20)

struct prover {
	struct case_folder *c;
	struct signing signing;
	int log_fd;
	struct tiles *tiles;
	struct err *err;
};

static void
prover_finish(struct prover *p)
{
	tiles_close_slot(&p->tiles);
	cleanup_fd(&p->log_fd);
	signing_finish(&p->signing);
}

static int
put_state_file(struct prover *p, const char *path, const char *name, struct buf *content)
{
	int rc = fdio_slurp_file_at(p->signing.store.dir_fd, path, NOTE_MAX, content);

	return rc != 0 ? err_sys(p->err, rc, "read %s/%s", p->signing.store.path, path)
		       : export_at(&p->c->x, name, 0600, content, p->err);
}

/* ---- tiles -------------------------------------------------------------------------------- */

/* Copies a tile as it is at the checkpoint's size, once. */
static int
put_tile(struct prover *p, int level, uint64_t n)
{
	unsigned int shift = level > 0 ? 8 * (unsigned int)level : 0;
	uint64_t hashes = p->signing.size >> shift, left = hashes - n * TILE_WIDTH;
	char path[TILE_PATH_SIZE];
	auto_buf content = BUF_INIT;
	int rc;

	tile_path(level, n, left < TILE_WIDTH ? (unsigned int)left : TILE_WIDTH, path);
	if (faccessat(p->c->x.root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
		return 0;
	}
	rc = fdio_slurp_file_at(p->log_fd, path, TILE_BYTES_MAX, &content);
	return rc != 0 ? err_sys(p->err, rc, "read %s/" LOG_DIR "/%s", p->signing.store.path, path)
		       : export_at(&p->c->x, path, 0600, &content, p->err);
}

/*
 * The tiles that lead from an entry to the root: on its way up, and the last one of each level,
 * which the root of a tree that is not complete is made of.
 */
static int
put_tiles(struct prover *p, uint64_t n)
{
	int rc = put_tile(p, TILE_LEVEL_ENTRIES, n / TILE_WIDTH);

	for (int level = 0; rc == 0 && level < 8; level++) {
		uint64_t hashes = p->signing.size >> (8 * (unsigned int)level);
		uint64_t at = n >> (8 * (unsigned int)level);

		if (hashes == 0) {
			break;
		}
		rc = at < hashes ? put_tile(p, level, at / TILE_WIDTH) : 0;
		rc = rc == 0 ? put_tile(p, level, (hashes - 1) / TILE_WIDTH) : rc;
	}
	return rc;
}

/* ---- receipts ----------------------------------------------------------------------------- */

static int
put_receipt(struct prover *p, uint64_t n)
{
	auto_tlog_proof proof = TLOG_PROOF_INIT;
	auto_buf text = BUF_INIT;
	char path[48];
	const uint8_t *entry;
	size_t len;
	int rc = tiles_entry(p->tiles, n, &entry, &len, p->err);

	if (rc != 0) {
		return rc;
	}
	buf_put(&proof.extra, entry, len);
	proof.index = n;
	rc = merkle_prove_inclusion(tiles_read, p->tiles, n, p->signing.size, &proof.inclusion);
	if (rc != 0) {
		return p->err->code != 0
			     ? rc
			     : err_sys(p->err, rc, "prove entry %llu", (unsigned long long)n);
	}
	buf_put(&proof.checkpoint, p->c->checkpoint.data, p->c->checkpoint.len);
	tlog_proof_print(&proof, &text);
	snprintf(path, sizeof(path), "proofs/%llu.tlog-proof", (unsigned long long)n);
	return buf_error(&text) != 0 ? err_sys(p->err, -ENOMEM, "write %s", path)
				     : export_at(&p->c->x, path, 0600, &text, p->err);
}

static int
put_all(struct prover *p)
{
	struct rd numbers = { .p = p->c->numbers.data, .left = p->c->numbers.len };
	int rc = 0;

	while (rc == 0 && numbers.left > 0) {
		uint64_t n = rd_u64(&numbers);

		rc = put_receipt(p, n);
		rc = rc == 0 ? put_tiles(p, n) : rc;
	}
	return rc;
}

int
case_proofs(struct case_folder *c, struct err *err)
{
	__attribute__((cleanup(prover_finish))) struct prover p = {
		.c = c, .signing = SIGNING_INIT, .log_fd = -1, .err = err
	};
	auto_buf vkey = BUF_INIT;
	int rc = signing_open(&p.signing, err);

	rc = rc == 0 ? log_dir_open(&p.signing.store, &p.log_fd, err) : rc;
	rc = rc == 0 ? tiles_open(p.log_fd, p.signing.size, &p.tiles, err) : rc;
	rc = rc == 0 ? put_state_file(&p, LOG_CHECKPOINT_FILE, "checkpoint", &c->checkpoint) : rc;
	rc = rc == 0 ? put_state_file(&p, LOG_VKEY_FILE, "vkey", &vkey) : rc;
	return rc == 0 ? put_all(&p) : rc;
}
