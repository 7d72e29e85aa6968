/* SPDX-License-Identifier: Apache-2.0 */
/*
 * $STATE/log.db: what the log signed last. It is not part of index.db, which may be dropped at any
 * time: this may not. A checkpoint is put here, by compare-and-swap and synced, before anybody can
 * see it, so that one key never signs two histories. Opened by whoever holds index.lock
 * (airlock-log, airlock-cli), and for reading by verify.
 */
#ifndef AIRLOCK_LOG_STATE_H
#define AIRLOCK_LOG_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../store/store.h"
#include "../evidence/note.h"

#define LOG_STATE_FILE "log.db"

/* What is signed. size 0: the key is chosen, nothing is signed yet. */
struct log_latest {
	struct note_key key; /* who signs from here on */
	uint64_t size;
	uint8_t root[SHA256_SIZE];
	struct buf note; /* owned; the signed checkpoint, empty for size 0 */
};

#define LOG_LATEST_INIT                     \
	{                                   \
		.size = 0, .note = BUF_INIT \
	}
#define auto_log_latest __attribute__((cleanup(log_latest_finish))) struct log_latest
void log_latest_finish(struct log_latest *l);

struct log_state;
#define auto_log_state __attribute__((cleanup(log_state_close))) struct log_state *

/*
 * -ENOENT when there is none and make is false. Only read when `make` is false; then -EROFS where a
 * crash left it in the middle of a write, which is to be taken back.
 */
int log_state_open(const struct store *s, bool make, struct log_state **ret, struct err *err)
	must_check;
void log_state_close(struct log_state **slot);
/* -ENODATA when nothing was put there yet. */
int log_state_latest(struct log_state *st, struct log_latest *ret, struct err *err) must_check;
/* The first: -EEXIST when there is one. */
int log_state_begin(struct log_state *st, const struct note_key *key, struct err *err) must_check;
/* -ESTALE when `old` (its key and size and root) is not what is there. Durable on return. */
int log_state_swap(struct log_state *st, const struct log_latest *old,
		   const struct log_latest *next, struct err *err) must_check;

/*
 * ---- cosignatures: what witnesses said of a checkpoint ----------------------------------------
 */

/*
 * A line as note_cosign writes it, over the checkpoint of that size, at time (seconds). witness:
 * its public key as note_key_print has it, here and below.
 */
int log_state_put_cosignature(struct log_state *st, uint64_t size, const char *witness,
			      uint64_t time, const char *line, struct err *err) must_check;
/* Appends the lines for the checkpoint of that size, one per witness, the newest of each. */
int log_state_cosignatures(struct log_state *st, uint64_t size, struct buf *out, struct err *err)
	must_check;
/* The newest size that the witness cosigned; 0 when none. */
int log_state_cosigned(struct log_state *st, const char *witness, uint64_t *ret_size,
		       uint64_t *ret_time, struct err *err) must_check;

#endif
