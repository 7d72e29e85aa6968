/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies a tree that somebody else filled into a directory of ours, by descriptor: follows no link,
 * crosses no mount, opens what its owner may not read after a chmod that is put back. Run by the
 * front and the verbs that settle, as the workspace's owner or root.
 */
#ifndef AIRLOCK_SNAPSHOT_COPY_TREE_H
#define AIRLOCK_SNAPSHOT_COPY_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/buf.h"
#include "../base/err.h"

struct copy_request {
	int from_fd, to_fd; /* directories, open for reading; `to` is empty */
	/* what makes an overlay layer is kept too: whiteouts, opaque directories */
	bool layer;
	uid_t owner_uid; /* root gives every entry these ids */
	gid_t owner_gid;
	uint64_t max_entries; /* -E2BIG beyond */
	/* NULL, or where each entry that its owner cannot open is noted: u32 mode, str path */
	struct buf *closed;
};

/*
 * Bytes (shared with the source where the file system can, else copied without its holes), modes
 * without set-id bits, mtimes of files, user.* attributes, symlinks, fifos and sockets. Names of
 * one inode become files of their own; a device and an entry that cannot be read are left out and
 * counted. The copy is not synced.
 */
int copy_tree(const struct copy_request *req, uint64_t *ret_left_out, struct err *err) must_check;

#endif
