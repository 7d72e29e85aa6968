/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Putting a change set into the workspace, entirely or not at all. Run by the front (a call's own
 * commit) and by airlock-cli (apply, undo, recover), as the workspace's owner or as root for a
 * workspace of root's, under the exclusive workspace lock (lock.h). The workspace is live: others'
 * programs may change it at the same moment, so what was checked is checked again by the inode that
 * a rename displaced. Nothing is resolved through a link.
 *
 * Order, and what a crash (SIGKILL, power) leaves of it for commit_recover:
 *   journal header   $STATE/commits/<call>, durable: where the staging directory will be
 *   check            nothing is written
 *   stage            .airlock-commit in the workspace's root: all new content, durable. Until here
 *                    recovery removes it, and the workspace is as before
 *   journal rows     durable: which inode goes where. From here recovery finishes; where somebody
 *                    else changed one of the entries meanwhile, it takes everything back
 *   delete, put, modes, sync
 *   journal done     durable: the workspace is as after
 *   (the caller appends its record to the store's journal; recovery does it from the rows)
 *   close            what was displaced, the staging directory and the journal go away
 */
#ifndef AIRLOCK_SNAPSHOT_COMMIT_H
#define AIRLOCK_SNAPSHOT_COMMIT_H

#include "snapshot.h"

#define COMMIT_STAGING ".airlock-commit" /* names.def: no call can bring one */

/* A whole payload for the store's journal; len 0: none. Borrowed. */
struct commit_entry {
	const void *data;
	size_t len;
};

/*
 * Every touched path's entry must be the one that was collected, and it and its parent directory
 * must not have been touched since start_ns (ctime); INT64_MAX: the set was collected under the
 * lock that is held now, and identity alone counts. owner: new entries get these ids where the
 * caller may chown. user.* xattrs are kept, user.overlay.* never; set-id bits of files are taken
 * off, a new socket, fifo or device is left out, one in the place of something else is -EPERM. What
 * is written must hash to the change's digest. mtimes of files are the upper's. The held changes of
 * the set are committed too: whether to is the caller's decision.
 */
struct commit_request {
	int upper_fd, workspace_fd;
	const char *workspace; /* its absolute path, by which recovery finds it */
	const struct change_set *changes;
	int64_t start_ns;
	uid_t owner_uid;
	gid_t owner_gid;
	uint8_t call[16];
	int commits_fd; /* of $STATE/commits (commit_open_dir) */
	/* while content is staged, and no longer: -EINTR, -ETIME; NULL: to its end */
	const struct until *until;
	/*
	 * what recovery appends when it finished, or took back; nothing of it is older than since
	 */
	struct commit_entry done, undone;
	struct journal_pos since;
};

struct commit;

/* $STATE/commits, made when absent. fd or -errno. */
int commit_open_dir(const struct store *s, struct err *err) must_check;

/*
 * 0: the workspace is durably as after, *ret_commit is to be closed once the caller's record is
 * durable; *ret_commit is NULL for an empty set. -ESTALE (a conflict; err names the path), -EPERM,
 * or what the system said: the workspace is as before and nothing is left. -EIO: it could be
 * neither finished nor taken back; the staging directory and the journal stay for recovery.
 */
int commit_run(const struct commit_request *req, struct commit **ret_commit, struct err *err)
	must_check;
/* Removes what was displaced. What it cannot remove the next recovery does. NULL is fine. */
void commit_close(struct commit *cm);
/* Lets go of it as it is: recovery does the rest. NULL is fine. */
void commit_leave(struct commit *cm);

/* A commit that was cut short. */
struct commit_left {
	struct buf bytes; /* of its journal file; the rest points into it */
	char name[64];	  /* in $STATE/commits: the call's id */
	int fd;		  /* of that file, locked: nobody else works on it */
	int unreadable;	  /* -errno: nothing but the name is known, and nothing can be done */
	uint8_t call[16];
	const char *workspace; /* path, "" when the header is not whole: then nothing was begun */
	uint64_t workspace_dev, workspace_ino;
};

enum commit_recovered {
	COMMIT_NOTHING,	 /* it had not begun: the workspace is as before */
	COMMIT_FINISHED, /* entirely after */
	COMMIT_UNDONE,	 /* entirely before, but for what somebody else changed since */
	COMMIT_RECOVERED__COUNT
};

/*
 * Calls fn for each commit in $STATE/commits whose committer is gone, and for what cannot be read
 * there: one such does not keep the others from recovery. 0, or fn's first failure.
 * -ENOENT when there is no such directory is 0 too.
 */
int commit_each_left(const struct store *s, int (*fn)(void *arg, struct commit_left *left),
		     void *arg) must_check;
/* Whether there is any: 1, 0 or -errno. One openat where there never was a commit. */
int commit_is_left(const struct store *s) must_check;
/*
 * Finishes it or takes it back, appends the record that it had prepared (unless the store's journal
 * has it), removes staging directory and journal file. workspace_fd: opened by the caller, compared
 * here (-ESTALE: another directory stands there now), locked exclusively by the caller; -1 when
 * left->workspace is "". On failure everything stays for another try.
 */
int commit_recover(struct store *s, struct commit_left *left, int workspace_fd,
		   enum commit_recovered *ret, struct err *err) must_check;

#endif
