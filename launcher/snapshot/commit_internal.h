/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One commit under way. Run by the front as the workspace's owner, over a workspace that the user
 * and his programs may change at the same moment.
 */
#ifndef AIRLOCK_SNAPSHOT_COMMIT_INTERNAL_H
#define AIRLOCK_SNAPSHOT_COMMIT_INTERNAL_H

#include "changes_internal.h"

/* Up to here each touched file and directory is synced by itself, beyond it the file system once.
 */
#define COMMIT_SYNC_EACH 64
#define COMMIT_PREFIX ".airlock-commit-"
#define COMMIT_ENTRY_MAX 24 /* name of an entry of the staging directory */

/* The directory that holds the entry in hand: opened once for neighbours in the list. */
struct commit_dir {
	int root_fd; /* borrowed */
	int fd;	     /* O_PATH; -1 when none is open */
	struct buf path;
	bool loosen; /* may add owner rights that are missing (put back at the end) */
	bool write;  /* the entry is going to be replaced: writing rights too */
};

/* A directory that got rights for our work. */
struct commit_loosened {
	int root_fd; /* borrowed */
	char *path;  /* owned */
	mode_t mode; /* as it was */
};

struct commit {
	const struct commit_request *req;
	struct err *err;
	char staging[sizeof(COMMIT_PREFIX) + 8];
	int staging_fd; /* O_RDONLY; -1 before it was made */
	struct commit_dir workspace, upper;
	struct commit_loosened *loosened;
	size_t loosened_count, loosened_cap;
	uint64_t applied;
	bool dirty; /* the workspace differs from before, even when nothing counts as applied */
};

/* -ESTALE with the path and why. */
int commit_conflict(struct commit *cm, const char *path, const char *why) must_check;
/* err_sys with the path. */
int commit_fail(struct commit *cm, int code, const char *path, const char *what) must_check;

/* Opens the directory of path in d (borrowed until the next call); *ret_name is the last component.
 */
int commit_dir_open(struct commit *cm, struct commit_dir *d, const char *path,
		    const char **ret_name, bool *ret_fresh) must_check;
void commit_dir_close(struct commit_dir *d);
/* Adds owner rights to a directory (fd may be O_PATH) and remembers its mode. */
int commit_loosen(struct commit *cm, const struct commit_dir *d, const char *path, size_t path_len,
		  int fd, const struct fs_stat *st) must_check;

/* Name in the staging directory: of change i's new content or what it displaced, or of what it
 * deleted. */
void commit_entry_name(size_t i, bool deleted, char ret_name[COMMIT_ENTRY_MAX]);
/* New sockets, fifos and devices are left out. */
bool commit_skips(const struct change *c);
bool commit_stages(const struct change *c);
/* The mode to set: set-id bits of files are never kept. */
mode_t commit_mode(mode_t mode_after);

/* The steps that change the workspace, in this order. */
int commit_delete(struct commit *cm) must_check;
int commit_put(struct commit *cm) must_check;
int commit_modes(struct commit *cm) must_check;
int commit_sync(struct commit *cm) must_check;

#endif
