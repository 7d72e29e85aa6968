/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of add-checkpoint (C2SP tlog-witness): "old N", the hashes of a consistency proof, an
 * empty line, a checkpoint. From anybody who can connect.
 */
#ifndef AIRLOCK_WITNESS_REQUEST_H
#define AIRLOCK_WITNESS_REQUEST_H

#include "../evidence/note.h"
#include "../evidence/merkle.h"

#define WITNESS_REQUEST_MAX (NOTE_MAX + (8u << 10)) /* bytes of a body */

struct witness_request {
	uint64_t old_size;
	struct merkle_proof proof;
	const char *checkpoint; /* borrowed: the note, verbatim */
	size_t checkpoint_len;
};

/* Borrows body. -EBADMSG with the line that is wrong. */
int witness_request_parse(const char *body, size_t len, struct witness_request *ret,
			  struct err *err) must_check;

#endif
