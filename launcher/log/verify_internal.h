/* SPDX-License-Identifier: Apache-2.0 */
/* What the verify*.c files share; nobody else includes it. */
#ifndef AIRLOCK_LOG_VERIFY_INTERNAL_H
#define AIRLOCK_LOG_VERIFY_INTERNAL_H

#include "../store/index_compare.h"
#include "log_state.h"
#include "../evidence/tiles.h"
#include "verify.h"

/* One call, as its records say. */
struct verify_call {
	uint8_t id[16], workflow[16];
	bool has_workflow; /* its planned record, or what is left of it, says which */
	bool has_outcome;
	bool has_objects;     /* the outcome says what was stored */
	uint64_t n;	      /* of the planned entry, or of the outcome once it is there */
	uint64_t forgotten;   /* entries without their record */
	uint64_t forgotten_n; /* the last one of those */
	uint64_t count;
	uint8_t digest[SHA256_SIZE];
	uint64_t files; /* packs that were read */
};

/* A gc entry: objects of a workflow that went, or entries and objects. */
struct verify_gc {
	uint8_t workflow[16];
	uint64_t n, entries;
	bool is_forget;
};

/* A key.rotate entry that holds. */
struct verify_rotation {
	struct note_key old, next; /* signed by both */
	uint64_t n;
};

struct verify {
	struct store *store;
	const struct note_key *key;
	const struct trust *trust; /* NULL: none */
	verify_tell_fn tell;
	void *arg;
	struct verify_result result;
	int log_fd;
	struct checkpoint checkpoint; /* the last that was signed */
	struct buf note;	      /* the same, signed */
	struct checkpoint older;      /* that is published instead */
	struct buf older_note;	      /* empty when there is none */
	/* What the log said when the checkpoint was read; it may go on meanwhile. */
	struct log_latest latest;
	struct journal_pos at;
	int latest_rc, at_rc; /* 0 when they could be read */
	struct err latest_err;
	struct note_key next_signer; /* that a rotation behind the checkpoint leads to */
	struct tiles *tiles;
	struct index *fresh; /* the journal once more */
	struct verify_call *call;
	size_t calls, call_cap;
	struct verify_gc *gc;
	size_t gcs, gc_cap;
	struct verify_rotation *rotation;
	size_t rotations, rotation_cap;
	bool is_closed; /* the last log.open or log.close was the latter */
};

void verify_wrong(struct verify *v, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void verify_note(struct verify *v, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The steps; each tells what it finds, and fails only when it cannot look. */
int verify_journal(struct verify *v, struct err *err) must_check;
int verify_signature(struct verify *v, struct err *err) must_check;
int verify_witnesses(struct verify *v, struct err *err) must_check;
int verify_tiles(struct verify *v, struct err *err) must_check;
int verify_index(struct verify *v, struct err *err) must_check;
int verify_objects(struct verify *v, struct err *err) must_check;

#endif
