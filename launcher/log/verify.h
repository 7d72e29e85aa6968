/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether everything in a state directory is what was signed: checkpoint, tiles, journal, index,
 * objects. airlock-cli, as whoever can read the directory; nothing is written. What a verifier must
 * bring is the public key, and a trust file when witnesses are to count.
 */
#ifndef AIRLOCK_LOG_VERIFY_H
#define AIRLOCK_LOG_VERIFY_H

#include "../store/store.h"
#include "../evidence/note.h"
#include "../evidence/trust.h"

enum verify_kind {
	VERIFY_WRONG, /* not what was signed, or what must be there */
	VERIFY_NOTE,  /* as it may be, and worth knowing */
};

/* where: a file below $STATE, with an offset or an entry's number; what: a sentence. Both may hold
 * bytes of a damaged store: escape them. */
typedef void (*verify_tell_fn)(void *arg, enum verify_kind kind, const char *where,
			       const char *what);

struct verify_result {
	uint64_t wrong;
	uint64_t entries;   /* of the log that the checkpoint covers */
	uint64_t unsigned_; /* of the journal, behind those */
	uint64_t calls, objects, forgotten;
	uint64_t witnessed; /* the log is what the quorum saw up to here; 0: no quorum, or none */
	uint64_t witnessed_at; /* seconds since 1970: the latest cosignature over that */
	struct note_key signer;
};

/*
 * key: whom the caller trusts; a later key of the same log counts when the log says that it was
 * rotated to. trust: NULL for none. -ENOENT when there is no log; 0 also when something is wrong.
 */
int
verify_store(struct store *s, const struct note_key *key, const struct trust *trust,
	     verify_tell_fn tell, void *arg, struct verify_result *ret, struct err *err) must_check;

#endif
