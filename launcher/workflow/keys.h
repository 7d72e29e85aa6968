/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Idempotency keys of a workflow: wf/<id>/key-<SHA-256 of the key>, one line "CALL DIGEST ATTEMPT
 * PARTS".
 * Read and written under the workflow's ledger. They follow the journal: `airlock recover` makes
 * them again where the ledger is of another boot.
 */
#ifndef AIRLOCK_WORKFLOW_KEYS_H
#define AIRLOCK_WORKFLOW_KEYS_H

#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/sha256.h"
#include "../base/text.h"

enum request_part {
#define PART(id, word) REQUEST_##id,
#include "request_parts.def"
#undef PART
	REQUEST_PART__COUNT
};

#define REQUEST_PART_BYTES 4u /* of the part's SHA-256: it only names what differs */
#define REQUEST_PARTS_TEXT (REQUEST_PART__COUNT * REQUEST_PART_BYTES * 2 + 1)

extern const char *const request_part_words[REQUEST_PART__COUNT];

struct key_entry {
	char call[UUID_TEXT_SIZE];
	uint8_t request[SHA256_SIZE];
	uint32_t attempt;		/* from 1 */
	char parts[REQUEST_PARTS_TEXT]; /* hex, as the record's request_parts */
};

/* The words of the parts that differ, with commas: "command, limits". */
void keys_put_difference(struct buf *b, const char *parts_a, const char *parts_b);

/* -ENOENT when the key is free: no file, or one whose writer died before the line was whole. */
int keys_read(int workflow_fd, const char *key, struct key_entry *ret) must_check;
int keys_write(int workflow_fd, const char *key, const struct key_entry *e) must_check;
/* Where nothing came of it. */
void keys_remove(int workflow_fd, const char *key);

#endif
