/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The envelope of a journal entry, and the leaf of the log that it becomes (docs/formats.md,
 * "Record"). Pure but for the salt. The front writes envelopes, airlock-log and airlock-cli cut
 * them open; what is in one is the tool's and the caller's.
 */
#ifndef AIRLOCK_STORE_ENTRY_H
#define AIRLOCK_STORE_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/sha256.h"
#include "../base/text.h"

#define ENTRY_SALT_SIZE 16
/* The call of an entry that is of none. */
#define ENTRY_NO_CALL "00000000-0000-0000-0000-000000000000"

enum entry_type {
#define ENTRY_TYPE(id, word, of_call) ENTRY_##id,
#include "entry_types.def"
#undef ENTRY_TYPE
	ENTRY__COUNT
};

struct entry {
	enum entry_type type;
	char call[UUID_TEXT_SIZE];
	uint8_t digest[SHA256_SIZE]; /* SHA-256(salt, record) */
	/* Where the record was forgotten: with which workflow. Else "". */
	char forgotten[UUID_TEXT_SIZE];
	/* The rest is absent (NULL) where the record was forgotten. Borrowed from the payload. */
	const uint8_t *record;
	size_t record_len;
	uint8_t salt[ENTRY_SALT_SIZE];
};

const char *entry_type_word(enum entry_type type);
bool entry_type_is_of_call(enum entry_type type);
/* False when no type has that word; *ret_type is untouched then. */
bool entry_type_find(const char *word, enum entry_type *ret_type);

/* False when the payload has not exactly the shape of an entry; *ret is untouched then. */
bool entry_slice(const uint8_t *json, size_t len, struct entry *ret);
/*
 * Appends the payload of a new entry: record is compact JSON with sorted keys; the salt is fresh
 * from getrandom(2). call is ENTRY_NO_CALL for a type that is of no call. 0 or -errno.
 */
int entry_print(enum entry_type type, const char *call, const void *record, size_t record_len,
		struct buf *out) must_check;
/*
 * Appends what takes the place of a payload of len bytes when it is forgotten together with its
 * workflow: of the same length, so that no position changes. -ENOSPC when len is too short for it
 * (no payload with a record of ours is), -EINVAL for an entry of no call.
 */
int entry_print_forgotten(const struct entry *e, const char *workflow, size_t len, struct buf *out)
	must_check;
/* Appends {"call":"...","digest":"...","type":"..."}: the entry of the log. */
void entry_leaf(enum entry_type type, const char *call, const uint8_t digest[SHA256_SIZE],
		struct buf *out);

#endif
