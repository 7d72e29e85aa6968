/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies a tree that somebody else filled into a directory of ours, by descriptor: follows no link,
 * crosses no mount. What a call left is ours, and what its owner may not read is opened after a
 * chmod that is put back; a workspace is only read. Run by the front and the verbs that settle, as
 * the workspace's owner or root.
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
	/*
	 * A workspace, for `workspace: snapshot`. All mtimes, and owners as far as we may give
	 * them, are kept. What is closed to us is there with its size and mode 000, without
	 * contents. What others change meanwhile is copied as it was at some moment, or not at
	 * all.
	 */
	bool workspace;
	uid_t owner_uid; /* root gives every entry these ids, but a workspace's */
	gid_t owner_gid;
	uint64_t max_entries; /* -E2BIG beyond */
	uint64_t max_bytes;   /* -EFBIG beyond; of those that are not shared; 0: no bound */
	const int *stop_fd;   /* -EINTR once it is readable; NULL: none */
	/* NULL, or where each entry that its owner cannot open is noted: u32 mode, str path */
	struct buf *closed;
};

struct copy_result {
	uint64_t entries, bytes;
	uint64_t left_out; /* devices, mounts */
	uint64_t closed;   /* of a workspace */
};

/*
 * Bytes (shared with the source where the file system can, else copied without its holes), whole
 * modes (a set-id bit too: what is held must stay what was recorded; the copy is below a directory
 * that is closed to others), mtimes of files, user.* attributes, symlinks, fifos and sockets. Names
 * of one inode become files of their own; a device and a mount are left out and counted. The copy
 * is not synced, and is the caller's to remove when it failed.
 */
int copy_tree(const struct copy_request *req, struct copy_result *ret, struct err *err) must_check;

#endif
