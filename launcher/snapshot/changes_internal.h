/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the change set share. Run by the front as the workspace's owner. */
#ifndef AIRLOCK_SNAPSHOT_CHANGES_INTERNAL_H
#define AIRLOCK_SNAPSHOT_CHANGES_INTERNAL_H

#include "../base/buf.h"
#include "../base/sha256.h"
#include "../scan/scan_stream.h"
#include "fsat.h"
#include "snapshot.h"
#include "xattrs.h"

_Static_assert(SCAN_VALUES_MAX <= 64, "a bit for each item");

/* ---- one file of either layer ---------------------------------------------------------------- */

/* Items of the scanner in kept attributes: bit i. */
struct attribute_leaks {
	uint64_t names, values;
};

struct content {
	int fd; /* -1: cannot be read */
	const struct until *until;
	bool known;
	uint64_t leaked;		   /* what content_keep_scanned found */
	struct attribute_leaks attributes; /* what content_open_upper found */
	uint8_t digest[SHA256_SIZE];
	struct xattrs xattrs;
};

#define CONTENT_INIT                                            \
	{                                                       \
		.fd = -1, .known = false, .xattrs = XATTRS_INIT \
	}

/* st: of the entry. What its owner may not read is opened after a chmod that is put back. s: looks
 * through its attributes; or NULL. */
int
content_open_upper(int dir_fd, const char *name, const struct fs_stat *st, const char *opaque_xattr,
		   const struct scanner *s, struct content *ret) must_check;
/* A file of the workspace that its owner cannot read is unknown, and so never equal. */
int content_open_lower(int dir_fd, const char *name, struct content *ret) must_check;
/* known is false when it has not size bytes, or cannot be read. */
int content_hash(struct content *k, uint64_t size) must_check;
/* Which items are in the kept attributes of an entry, and nothing where s is NULL. x: what
 * xattrs_read says of it; fd as for that. */
int content_scan_xattrs(int fd, const struct xattrs *x, const struct scanner *s,
			struct attribute_leaks *ret) must_check;
/* Which of the scanner's items are in a name, or a link's target: bit i. Either may be NULL. */
uint64_t content_scan_text(const struct buf *text, const struct scanner *s);
/* Saves those of before in ch, but for what has an item in it. */
int content_save_xattrs(int fd, const struct scanner *s, struct change *ch) must_check;
/* err says of which path the change set cannot be read, and why. The code. */
int content_fail(const struct collect_request *req, const struct buf *path, int code,
		 struct err *err);
/* What the list would say of a change, and so the record: -EKEYREJECTED with an item in it. target
 * and attributes may be NULL. */
int content_check_names(const struct collect_request *req, const struct buf *path,
			const struct buf *target, const struct attribute_leaks *attributes,
			struct err *err) must_check;
/* Into the pack, or only the digest (pack NULL). -ESTALE: it did not hold still. */
int content_keep(struct pack *pack, struct content *k, uint64_t size, struct err *err) must_check;
/* Looked through before, and not stored when an item is in it. s NULL: content_keep. */
int content_keep_scanned(struct pack *pack, struct content *k, uint64_t size,
			 const struct scanner *s, struct err *err) must_check;
/* All its bytes, for files of a known small size; -ESTALE when they are not what was digested. */
int content_read(const struct content *k, uint64_t size, struct buf *ret_bytes) must_check;
void content_finish(struct content *k);

/* ---- the set --------------------------------------------------------------------------------- */

#define CHANGES_LIST_TITLE "airlock-changes v1"

/* The canonical bytes of a sorted set (docs/formats.md, "Change set"). */
int changes_list_write(const struct change_set *cs, const uint8_t call[16], uint64_t workspace_dev,
		       uint64_t workspace_ino, struct buf *out) must_check;

#define GIT_DIRS_MAX 32u   /* in each other: whatever is changed below more of them is held */
#define GIT_HOOKS_MAX 256u /* of all repositories: with more of them every change is held */

/* Where git looks in the lower besides names.def: changes_git.c. */
struct git_places {
	/*
	 * Git directories of another name that the walk is in: the lengths of their paths, each
	 * below the one before. The last place says below what there are too many.
	 */
	size_t dirs[GIT_DIRS_MAX + 1], dir_count;
	char *hooks[GIT_HOOKS_MAX]; /* what core.hooksPath names: workspace-relative; "" the root */
	size_t hook_count;
	bool too_many_hooks;
	bool here_has_git; /* the directory that was looked at last has a .git */
};

/* Keeps what one directory of the lower says, as the walk comes into it; path: its own. */
int git_places_look(struct git_places *g, int dir_fd, const char *path,
		    const struct collect_request *req) must_check;
/* The walk leaves a directory, looked at or not; path_len: of its path. */
void git_places_leave(struct git_places *g, size_t path_len);
void git_places_finish(struct git_places *g);

/* What decides besides the change itself. */
struct judging {
	bool capability; /* the entry carries a file capability */
	mode_t root_mode; /* of the workspace */
	const struct strings *protect;
	const struct rule_paths *hide;
	const struct git_places *git;  /* or NULL */
	const char *workspace;	       /* absolute path, or NULL */
	const struct scanner *scanner; /* what it found is held; NULL: it is not */
	/* of regular files; NULL where there is none */
	const struct content *before, *after;
};

/* Of the same set: docs/formats.md, "Change set". */
int changes_meta_write(const struct change_set *cs, struct buf *out) must_check;

/* Sets hold, hold_rule and watched. */
int changes_judge(struct change *ch, const struct judging *j) must_check;

/*
 * Counts what of the upper's attributes a commit leaves behind. lower: of the entry that stays in
 * its place; NULL where a new one takes it.
 */
int changes_note_lost(struct change_set *cs, const char *path, const struct xattrs *upper,
		      const struct xattrs *lower) must_check;
/* Takes over what item owns; frees it on failure. -E2BIG past CHANGES_MAX or CHANGES_PATH_BYTES. */
int changes_append(struct change_set *cs, struct change *item) must_check;
void changes_drop(struct change *item); /* frees what item owns */
/* Sorts by raw path bytes and counts. */
void changes_sort(struct change_set *cs);
/* Whether c creates an entry of a directory that the same set makes. */
bool changes_comes_with_parent(const struct change_set *cs, const struct change *c);

#endif
