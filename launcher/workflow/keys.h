/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Idempotency keys of a workflow: wf/<id>/key-<SHA-256 of the key>, one line "CALL DIGEST ATTEMPT".
 * Read and written under the workflow's ledger. They follow the journal: `airlock recover` makes
 * them again where the ledger is of another boot.
 */
#ifndef AIRLOCK_WORKFLOW_KEYS_H
#define AIRLOCK_WORKFLOW_KEYS_H

#include <stdint.h>

#include "../base/err.h"
#include "../base/sha256.h"
#include "../base/text.h"

struct key_entry {
	char call[UUID_TEXT_SIZE];
	uint8_t request[SHA256_SIZE];
	uint32_t attempt; /* from 1 */
};

/* -ENOENT when the key is free: no file, or one whose writer died before the line was whole. */
int keys_read(int workflow_fd, const char *key, struct key_entry *ret) must_check;
int keys_write(int workflow_fd, const char *key, const struct key_entry *e) must_check;
/* Where nothing came of it. */
void keys_remove(int workflow_fd, const char *key);

#endif
