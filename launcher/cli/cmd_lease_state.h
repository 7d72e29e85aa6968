/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the state directory keeps of leases ($AIRLOCK_STATE, docs/formats.md, "Leases"): how often
 * an item with max_uses was leased, and the key of fingerprints. Run by `airlock-cli lease`, as the
 * caller.
 */
#ifndef AIRLOCK_CLI_CMD_LEASE_STATE_H
#define AIRLOCK_CLI_CMD_LEASE_STATE_H

#include <stdint.h>

#include "../base/cleanup.h"
#include "../base/err.h"
#include "../base/sha256.h"

/* Counts one use more; -EDQUOT beyond max. max 0: nothing is counted. */
int lease_state_use(const char *bundle, const char *item, uint64_t max, struct err *err) must_check;
/* The key, made with the first lease. It lets nobody guess a value who has only the records. */
int lease_state_key(uint8_t ret[SHA256_SIZE], struct err *err) must_check;

#endif
