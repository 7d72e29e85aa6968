/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another key for the same log. An entry `key.rotate`, signed by the old key and by the new one,
 * says so in the log itself; checkpoints over it are signed by the new one. airlock-cli and
 * airlock-log, as the caller, under index.lock.
 */
#ifndef AIRLOCK_LOG_ROTATE_H
#define AIRLOCK_LOG_ROTATE_H

#include "../store/index.h"
#include "log_state.h"
#include "../evidence/note.h"

/*
 * ix is open for writing, the log extended (log_extend). next_path NULL: a new key is made and
 * takes the place of $STATE/log.key. Else the key in that file, which the caller delivers
 * afterwards in the place where the old one comes from (a credential). *ret: the new public key.
 */
int log_rotate(struct index *ix, struct store *s, const char *credentials, const char *next_path,
	       struct note_key *ret, struct err *err) must_check;
/*
 * A rotation that a crash cut short: finished when its entry is in the journal, else undone. Does
 * nothing when there is none. Only what the key that signs now has signed leads to another one:
 * entries of the journal are not yet signed here, and anybody's who could write there.
 */
int log_rotate_recover(struct index *ix, const struct store *s, struct log_state *state,
		       struct err *err) must_check;

/*
 * The record of a key.rotate entry, from anybody. -EBADMSG when it is none, when the names differ,
 * or when not both of its keys signed it.
 */
int log_rotate_read(const char *record, size_t len, struct note_key *ret_old,
		    struct note_key *ret_next) must_check;

#endif
