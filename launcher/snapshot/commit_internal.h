/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One commit under way, or one that is picked up again. Run as commit.h says, over a workspace that
 * others may change at the same moment.
 */
#ifndef AIRLOCK_SNAPSHOT_COMMIT_INTERNAL_H
#define AIRLOCK_SNAPSHOT_COMMIT_INTERNAL_H

#include "changes_internal.h"
#include "commit.h"

/* Up to here each touched file and directory is synced by itself, beyond it the file system once.
 */
#define COMMIT_SYNC_EACH 64
#define COMMIT_ENTRY_MAX 24 /* name of an entry of the staging directory */

/* An entry as it was seen: enough to know it again. */
struct commit_ident {
	uint64_t dev, ino, size;
	int64_t mtime_ns;
};

/* One change as it is carried out; in the order of the change set. */
struct commit_row {
	enum change_kind kind;
	const char *path;	 /* borrowed */
	mode_t before, after;	 /* whole st_mode; set-id bits of files taken off `after` */
	struct commit_ident old; /* what stands at path; not for CREATE */
	struct commit_ident new; /* what was staged for it; CREATE, MODIFY, REPLACE */
	/* MODE: kept attributes as xattrs_save has them, in commit.attributes */
	bool sets_xattrs;
	struct commit_span {
		size_t at, len;
	} xattrs_before, xattrs_after;
};

/* The directory that holds the entry in hand: opened once for neighbours in the list. */
struct commit_dir {
	int root_fd; /* borrowed */
	int fd;	     /* O_PATH; -1 when none is open */
	struct buf path;
	bool is_workspace; /* what is loosened there is written down first */
	bool write;	   /* the entry is going to be replaced: writing rights too */
};

/* A directory that got rights for our work. */
struct commit_loosened {
	int root_fd; /* borrowed */
	char *path;  /* owned */
	mode_t mode; /* as it was */
};

struct commit {
	const struct commit_request *req; /* NULL in a recovery, and once commit_run returned */
	struct err *err;
	struct err closing;	/* whom nobody asks any more */
	int workspace_fd;	/* borrowed */
	int commits_fd;		/* borrowed */
	uint64_t workspace_dev; /* now; in a recovery only */
	int staging_fd;		/* O_RDONLY; -1 before it was made */
	int journal_fd;		/* locked while the commit lives; -1 before it was made */
	char name[64];		/* of the journal in commits_fd */
	struct commit_dir workspace, upper;
	struct commit_loosened *loosened;
	size_t loosened_count, loosened_cap;
	mode_t root_mode; /* the root's own, 0: it needs no rights back; last of all */
	struct commit_row *rows;
	size_t count;
	struct buf attributes; /* what the rows' spans are of */
	bool checking;	       /* nothing may be newer than the call's start yet */
	bool resumed;	       /* some rows may have been carried out already */
};

/* -ESTALE with the path and why. */
int commit_conflict(struct commit *cm, const char *path, const char *why) must_check;
/* -EPERM with the path and why. */
int
commit_refuse(struct commit *cm, const char *path, const char *what, const char *why) must_check;
/* err_sys with the path. */
int commit_fail(struct commit *cm, int code, const char *path, const char *what) must_check;
void commit_free(struct commit *cm); /* what it holds; nothing on disk changes */

/* Opens the directory of path in d (borrowed until the next call); *ret_name is the last component.
 */
int commit_dir_open(struct commit *cm, struct commit_dir *d, const char *path,
		    const char **ret_name, bool *ret_fresh) must_check;
void commit_dir_close(struct commit_dir *d);
/* Adds owner rights to a directory (fd may be O_PATH) and remembers its mode. */
int commit_loosen(struct commit *cm, const struct commit_dir *d, const char *path, size_t path_len,
		  int fd, const struct fs_stat *st) must_check;
/* Remembers it only. */
int commit_note_loosened(struct commit *cm, int root_fd, const char *path, size_t path_len,
			 mode_t mode) must_check;
/* Puts the modes back; what the rows say about an entry counts more. */
void commit_tighten(struct commit *cm, bool finished);

/* Name in the staging directory: of row i's new content or what it displaced, or of what it
 * deleted. */
void commit_entry_name(size_t i, bool deleted, char ret_name[COMMIT_ENTRY_MAX]);
/* New sockets, fifos and devices are left out. */
bool commit_skips(const struct change *c);
bool commit_stages(const struct commit_row *row);

/* The steps before anything is touched. */
int commit_room(struct commit *cm) must_check;
int commit_check(struct commit *cm) must_check;
int commit_stage(struct commit *cm) must_check; /* fills rows[].new and the attributes */

/* The steps that change the workspace, in this order. Each row that was carried out is left alone.
 */
int commit_delete(struct commit *cm) must_check;
int commit_put(struct commit *cm) must_check;
int commit_modes(struct commit *cm) must_check;
int commit_sync(struct commit *cm) must_check;
/* The same backwards. What somebody else put in the place of ours stays. */
int commit_take_back(struct commit *cm) must_check;

/* Removes the staging directory with all in it. */
int commit_clean(struct commit *cm) must_check;

/* ---- its journal ----------------------------------------------------------------------------- */

int commit_journal_begin(struct commit *cm) must_check;
int commit_journal_loosened(struct commit *cm, const char *path, size_t path_len, mode_t mode)
	must_check;
int commit_journal_rows(struct commit *cm) must_check;
int commit_journal_done(struct commit *cm, bool finished) must_check;
int commit_journal_remove(struct commit *cm) must_check;

/* What a journal file says, as far as it is whole. */
struct commit_told {
	bool has_rows, is_done, finished;
	size_t whole; /* bytes of whole sections: what is behind was not begun */
	struct commit_entry done, undone;
	struct journal_pos since;
	uint64_t staging_ino;
};

/* Reads the header into left (whose bytes are there). -EBADMSG only for what no crash leaves. */
int commit_journal_header(struct commit_left *left) must_check;
/* Reads the rest: rows and loosened directories into cm. */
int commit_journal_read(const struct commit_left *left, struct commit *cm, struct commit_told *ret)
	must_check;

#endif
