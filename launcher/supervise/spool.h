/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was captured of one stream: in memory up to SPOOL_MEMORY, then in an unlinked file of the
 * state directory, so that a call's output costs disk and not the supervisor's memory, and nothing
 * is left behind by a crash. The digest covers every byte, also those past the cap. Run by the
 * supervisor.
 */
#ifndef AIRLOCK_SUPERVISE_SPOOL_H
#define AIRLOCK_SUPERVISE_SPOOL_H

#include <stdint.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/sha256.h"

#define SPOOL_MEMORY (64u << 10)

struct spool {
	struct buf memory; /* all that was kept, while fd is -1; empty afterwards */
	int fd; /* ours: an unlinked file of exactly kept_bytes, -1 while in memory */
	int dir_fd; /* borrowed: where that file is made */
	uint64_t kept_bytes, total_bytes, cap_bytes; /* total counts also what was not kept */
	struct sha256 hash; /* over all bytes, kept or not */
};

void spool_init(struct spool *s, int dir_fd, uint64_t cap_bytes);
/*
 * Appends; what is past cap_bytes is hashed and counted only. On failure (-ENOSPC, -EDQUOT, -EIO,
 * -ENOMEM, -EBADF without a directory) nothing of data counts, and what was kept before stays
 * whole.
 */
int spool_add(struct spool *s, const void *data, size_t len) must_check;
/* SHA-256 of everything added so far; more may be added afterwards. */
void spool_digest(const struct spool *s, uint8_t ret_digest[SHA256_SIZE]);
void spool_finish(struct spool *s);

#endif
