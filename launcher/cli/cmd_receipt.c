/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock receipt`: proof, for whoever has the log's public key, that the log holds a call's
 * outcome. Runs in airlock-cli as the caller. Made from the tiles alone, so that it shows what a
 * verifier would see.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../base/fdio.h"
#include "../log/log_key.h"
#include "../evidence/proof.h"
#include "../evidence/tiles.h"
#include "commands.h"
#include "view_evidence.h"

static int
prove(struct reading *r, uint64_t index, struct tlog_proof *ret, struct err *err)
{
	auto_fd log_fd = -1;
	auto_tiles tiles = NULL;
	struct checkpoint c;
	const uint8_t *entry;
	size_t len;
	int rc = signed_checkpoint(r, index, &ret->checkpoint, &c, err);

	if (rc == 0) {
		rc = log_dir_open(&r->store, &log_fd, err);
	}
	if (rc == 0) {
		rc = tiles_open(log_fd, c.size, &tiles, err);
	}
	if (rc == 0) {
		rc = tiles_entry(tiles, index, &entry, &len, err);
	}
	if (rc == 0) {
		buf_put(&ret->extra, entry, len);
		ret->index = index;
		rc = merkle_prove_inclusion(tiles_read, tiles, index, c.size, &ret->inclusion);
	}
	return rc;
}

struct wanted {
	uint64_t n;
	bool found;
};

static int
look_for_outcome(void *arg, const struct index_entry *entry)
{
	struct wanted *w = arg;

	if (entry->type == ENTRY_OUTCOME) {
		*w = (struct wanted){ .n = entry->n, .found = true };
	}
	return 0;
}

static int
find_outcome(struct reading *r, const char *name, uint64_t *ret, struct err *err)
{
	struct wanted wanted = { .found = false };
	char id[UUID_TEXT_SIZE];
	int rc = index_find(r->ix, name, id, err);

	if (rc == 0) {
		rc = index_entries(r->ix, id, look_for_outcome, &wanted, err);
	}
	if (rc == 0 && !wanted.found) {
		rc = err_set(err, -ENOENT,
			     "call %s has no outcome: it still runs, or was cut short", id);
	}
	*ret = wanted.n;
	return rc;
}

static int
write_out(const char *to, const struct buf *text, struct err *err)
{
	int rc;

	if (to == NULL) {
		rc = fdio_write(STDOUT_FILENO, text->data, text->len);
		return rc != 0 ? err_sys(err, rc, "write the receipt") : 0;
	}
	rc = fdio_write_path(to, text->data, text->len);
	return rc != 0 ? err_sys(err, rc, "write %s", to) : 0;
}

int
cmd_receipt(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	auto_tlog_proof proof = TLOG_PROOF_INIT;
	auto_reading r = READING_INIT;
	const char *name, *to = NULL;
	auto_buf text = BUF_INIT;
	struct err err = ERR_INIT;
	uint64_t index;
	int rc;

	while ((rc = command_line_next(&cl, &name, &to)) > 0) {
		/* the only option there is */
	}
	rc = command_line_end(&cl, rc, 1, 1);
	if (rc >= 0) {
		return rc;
	}
	rc = reading_open(&r, &err);
	rc = rc == 0 ? find_outcome(&r, cl.operand[0], &index, &err) : rc;
	rc = rc == 0 ? prove(&r, index, &proof, &err) : rc;
	if (rc == 0) {
		tlog_proof_print(&proof, &text);
		rc = buf_error(&text) != 0 ? err_sys(&err, -ENOMEM, "write the receipt")
					   : write_out(to, &text, &err);
	}
	return rc != 0 ? commands_fail(1, &err) : 0;
}
