/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The change set that takes another one back, made as an overlay's upper directory, so that it is
 * collected, compared and committed like any other. Run by airlock-cli as the workspace's owner,
 * under the exclusive lock. Contents come from the store, by digest.
 */
#ifndef AIRLOCK_SNAPSHOT_INVERT_H
#define AIRLOCK_SNAPSHOT_INVERT_H

#include "snapshot.h"

struct invert_request {
	const struct change_set *changes; /* with attributes and mtimes (changes_meta_read) */
	int workspace_fd;
	int upper_fd; /* empty, ours */
	/* The bytes of a digest, into out; -ENODATA: they were not kept. */
	int (*content)(void *arg, const uint8_t digest[SHA256_SIZE], struct buf *out,
		       struct err *err);
	void *arg;
};

/*
 * Fills the upper. -ENODATA: some of what was there cannot be given back (names of secrets.def,
 * profiles that keep digests only, sockets and devices); lost gets their paths, one a line, safe to
 * print.
 */
int changes_invert(const struct invert_request *req, struct buf *lost, struct err *err) must_check;

/*
 * Whether found, collected from that upper, takes changes back and nothing else: every path stands
 * in the workspace as the call left it. Where not, differing gets the paths, at most max.
 */
bool changes_is_inverse(const struct change_set *changes, const struct change_set *found,
			size_t max, struct buf *differing);

#endif
