/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request to a witness, from bytes to the answer: C2SP tlog-witness, add-checkpoint. Requests
 * come one after the other: between the look at the stored size and its replacement there is no
 * other. airlock-witness only.
 */
#ifndef AIRLOCK_WITNESS_WITNESS_H
#define AIRLOCK_WITNESS_WITNESS_H

#include "../evidence/note.h"

#define WITNESS_LOGS_MAX 64u

struct witness {
	int dir_fd;		       /* borrowed: witness_state_open */
	const struct note_signer *key; /* borrowed: NOTE_ALGORITHM_COSIGNATURE */
	struct note_key log[WITNESS_LOGS_MAX];
	size_t logs;
};

struct witness_answer {
	unsigned int status; /* of HTTP */
	const char *type;    /* a constant: Content-Type */
	struct buf body;     /* owned */
};

/*
 * The answer to a body; now is in seconds since 1970. A cosignature is in it only when the
 * checkpoint is durable in the state. Of a failure of our own (500) *err says more than the answer
 * does.
 */
void witness_add_checkpoint(const struct witness *w, const char *body, size_t len, uint64_t now,
			    struct witness_answer *ret, struct err *err);

#endif
