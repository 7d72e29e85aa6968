/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Extends the signed log by what the index has taken in: tiles, then the compare-and-swap in
 * log.db, then the checkpoint. airlock-log does it all the time; airlock-cli when a verb needs a
 * receipt that is not there yet. Whoever has the writing index (index.lock) is the only one.
 */
#ifndef AIRLOCK_LOG_WRITE_H
#define AIRLOCK_LOG_WRITE_H

#include "../store/index.h"
#include "../store/store.h"
#include "log_state.h"

#define LOG_CHECKPOINT_FILE "log/checkpoint"
#define LOG_REFUSED_FILE "log.refused"

/*
 * ix is an index that was opened for writing and has caught up. Makes key and log at first need
 * (and logs `log.open`). credentials: $CREDENTIALS_DIRECTORY or NULL. *ret_size: entries that the
 * published checkpoint covers.
 *
 * Refuses, and signs nothing: -ESTALE when the log is ahead of the journal (a restored backup),
 * -EBADMSG when tiles or journal are not what was signed, -EPERM when the key is another.
 */
int log_extend(struct index *ix, struct store *s, const char *credentials, uint64_t *ret_size,
	       struct err *err) must_check;

/*
 * Publishes what was signed last, with what witnesses said of it. Repeatable; log_extend does it.
 * Whoever has index.lock.
 */
int log_publish(const struct store *s, struct log_state *state, const struct log_latest *latest,
		struct err *err) must_check;

/*
 * Why nothing is signed at present, for whoever reads the store: -ENOENT when all is well, else 0
 * and the sentence that the last log_extend of airlock-log gave.
 */
int log_refusal(const struct store *s, struct buf *ret);
/* Notes it; NULL: all is well again. */
int log_refuse(const struct store *s, const char *why) must_check;

#endif
