/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A receipt: C2SP .tlog-proof v1. The extra data is the entry itself, whose hash the proof is of.
 * From anybody.
 */
#ifndef AIRLOCK_EVIDENCE_PROOF_H
#define AIRLOCK_EVIDENCE_PROOF_H

#include "merkle.h"
#include "note.h"

#define TLOG_PROOF_MAX (256u << 10) /* bytes of a receipt that are read */

struct tlog_proof {
	struct buf extra; /* owned; empty when there is none */
	uint64_t index;
	struct merkle_proof inclusion;
	struct buf checkpoint; /* owned: the note, verbatim */
};
#define TLOG_PROOF_INIT                                   \
	{                                                 \
		.extra = BUF_INIT, .checkpoint = BUF_INIT \
	}
#define auto_tlog_proof __attribute__((cleanup(tlog_proof_finish))) struct tlog_proof

void tlog_proof_finish(struct tlog_proof *p);
void tlog_proof_print(const struct tlog_proof *p, struct buf *out);
/* -EBADMSG with the line that is wrong. ret is TLOG_PROOF_INIT before, and stays so then. */
int
tlog_proof_parse(const char *text, size_t len, struct tlog_proof *ret, struct err *err) must_check;
/*
 * The receipt holds: key signed its checkpoint, and extra is the entry at index of that tree. *ret
 * is the checkpoint. -EBADMSG with what does not hold; -ENOENT when the key did not sign it.
 */
int tlog_proof_check(const struct tlog_proof *p, const struct note_key *key, struct checkpoint *ret,
		     struct err *err) must_check;

#endif
