/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees and change sets, by descriptor only: no path is resolved through a component that the
 * sandbox or the workspace controls (openat2 RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
 * RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV everywhere). Run by the front with the authority of the
 * workspace's owner. Trusts nothing it reads: names are any bytes but '/' and NUL, types and sizes
 * may lie until opened.
 */
#ifndef AIRLOCK_SNAPSHOT_SNAPSHOT_H
#define AIRLOCK_SNAPSHOT_SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/err.h"
#include "../profile/profile.h"
#include "../store/store.h"

/* ---- input tree ------------------------------------------------------------------------------ */

struct tree_counts {
	uint64_t files, directories, links, others, bytes; /* bytes: sum of regular file sizes */
	uint64_t hashed_files;                              /* not answered by the stat cache */
	/* directories on another file system: not entered */
	uint64_t hidden_mounts;
	uint64_t unreadable;                                /* recorded with digest "-" */
};

/*
 * Hashes the tree below root_fd (O_RDONLY|O_DIRECTORY) into directory objects (docs/formats.md §3)
 * put into pack (NULL: nothing is stored); content: also the files' bytes (never those that
 * secrets.def names). cache: an open stat-cache file (read at the start, rewritten at the end; -1
 * for none). start_ns (CLOCK_REALTIME): an entry whose ctime is not before it marks the tree
 * unstable (whatever sets an mtime sets the ctime to now; an mtime alone may lie in the future).
 * Stops early with -ECANCELED when *cancel becomes true. -E2BIG: deeper than CAP_TREE_DEPTH.
 */
struct tree_request {
	int root_fd;
	int cache_fd;
	bool content;
	uint64_t content_max; /* of a larger file the digest only; 0: no bound */
	const struct rule_paths *hide; /* never stored either; NULL: none */
	int64_t start_ns;
	struct pack *pack;
	const atomic_bool *cancel;
};

struct tree_result {
	uint8_t digest[32]; /* of the root directory object */
	struct tree_counts counts;
	bool unstable;
};

int tree_hash(const struct tree_request *req, struct tree_result *ret, struct err *err) must_check;

/*
 * What somebody changed below root_fd since start_ns, as tree_hash tells it by ctime, without
 * reading a file: for after the tool, when a change may have come later than the hash. A deleted
 * entry counts as its directory. -ECANCELED when stop_fd is readable or deadline_ns (monotonic) is
 * past.
 */
#define TREE_CHANGED_KEPT 10u

struct tree_look {
	int root_fd;
	int stop_fd; /* -1 for none */
	int64_t start_ns;
	uint64_t deadline_ns;
};

struct tree_changed {
	char *paths[TREE_CHANGED_KEPT]; /* in the order of the walk; "." is the root; owned */
	size_t kept;
	uint64_t count; /* of all */
};

int tree_look_again(const struct tree_look *req, struct tree_changed *ret,
		    struct err *err) must_check;
void tree_changed_finish(struct tree_changed *c);

/* ---- change set ------------------------------------------------------------------------------ */

enum change_kind {
	CHANGE_CREATE,
	CHANGE_MODIFY,
	CHANGE_DELETE,
	CHANGE_REPLACE,
	CHANGE_MODE,
	CHANGE__COUNT
};

enum hold_reason {
	HOLD_NONE,
	/* a name that a later tool or editor executes (names.def, profile's protect), or one that
	 * the profile hides */
	HOLD_PROTECTED,
	HOLD_SPECIAL,       /* setuid/setgid bit, device, socket, fifo, file capability */
	HOLD_ESCAPING_LINK, /* a symlink that points out of the workspace */
	HOLD_LEAK,          /* it holds what was leased to the call */
	HOLD__COUNT
};

struct change {
	/* workspace-relative, raw bytes, no leading slash; owned by the set */
	char *path;
	enum change_kind kind;
	mode_t mode_before, mode_after; /* whole st_mode; 0 where absent */
	uint64_t size_before, size_after;
	/* regular file: of bytes; symlink: of the target; else zero */
	uint8_t before[32], after[32];
	/* the digest stands: not for directories, specials, unreadable files */
	bool before_known, after_known;
	char *link_after;        /* symlink target, else NULL; owned by the set */
	/* kept attributes as " xattr:NAME=SHA256", "" when none; owned by the set */
	char *xattrs_after;
	enum hold_reason hold;
	char *hold_rule;         /* which name or reason, NULL when not held; owned by the set */
	/* bit i: item i of the scanner is in its content, or in an attribute's value; never of a
	 * deletion */
	uint64_t leaked;
	/* the rule by which the name steers agents, NULL when it does not; static */
	const char *watched;
	/* kept attributes before, as xattrs_save has them; not of secret and hidden names; owned by
	 * the set */
	uint8_t *attributes_before;
	size_t attributes_before_len;
	/* the lower entry as it was seen when collected, for the conflict check */
	uint64_t lower_dev, lower_ino;
	int64_t lower_ctime_ns, lower_mtime_ns;
};

struct change_set {
	struct change *items; /* sorted by raw path bytes */
	size_t count;
	size_t cap;
	size_t path_bytes; /* of all paths and targets: bounded, they are the tool's */
	uint64_t created, modified, deleted; /* replace and mode count as modified */
	uint64_t bytes;                      /* sum of size_after */
	uint64_t held;                       /* changes with hold != HOLD_NONE */
	uint64_t watched;                    /* changes with a watched name */
	uint64_t leaked;                     /* changes with a leased value in them */
	/* lower entries with several hard links that were written */
	uint64_t links_broken;
	/*
	 * Entries whose ACLs or file capabilities a commit leaves behind: new ones, or what the
	 * tool changed of old ones, which is no change of its own. Of the first, as people see it:
	 * "system.posix_acl_access of a/b"; owned by the set, NULL when there is none.
	 */
	uint64_t lost;
	char *lost_first;
	/* of the canonical list (docs/formats.md, "Change set") */
	uint8_t digest[32];
	uint8_t object[32];                  /* the list itself as a blob in the pack */
	uint8_t meta[32];                    /* what changes_meta_write makes, as another */
};

/*
 * Reads the overlay's upper directory (after every process of the call is dead) against the lower
 * (workspace). Understands whiteouts (char 0:0, or an empty file with the whiteout attribute) and
 * directories whose opaque_xattr is "y". A directory or file of mode 000 is opened after a chmod by
 * fd that is put back. An entry that was copied up but equals the lower (bytes, mode, kept xattrs)
 * is no change. New contents and pre-images (what is modified, replaced or deleted) go into pack as
 * capture says (secrets.def: digest only); -E2BIG when the upper holds more than max_files entries,
 * is deeper than CAP_TREE_DEPTH, or the list outgrows CHANGES_MAX or CHANGES_PATH_BYTES; -EFBIG
 * past max_bytes; -EXDEV for a change below a mount; -EUCLEAN for an overlay redirect or metacopy,
 * which our mounts never make.
 */
#define CHANGES_MAX (1u << 20)
#define CHANGES_PATH_BYTES (64u << 20)
#define CHANGES_BYTES_DEFAULT (64ull << 30)
/*
 * Of a larger file the bytes that stood there before are not read: a workspace may hold terabytes
 * of holes. Whoever collects a set again must find the same, so it is the same for all.
 */
#define CHANGES_BEFORE_MAX (64ull << 30)

struct collect_request {
	int upper_fd, lower_fd;
	const char *opaque_xattr;  /* "user.overlay.opaque" */
	const struct strings *protect;
	/* absolute path of the workspace, for links to it by that name */
	const char *workspace;
	const char *home; /* what ~ is to git, run by the caller; or NULL */
	/* what the tool could not see: its contents are not stored, a change is held; or NULL */
	const struct rule_paths *hide;
	enum capture_inputs capture;
	uint64_t content_max; /* of a larger file the digest only; 0: no bound */
	uint64_t max_files;
	/*
	 * sum of apparent sizes in the upper (a sparse file costs a tool nothing and us its whole
	 * size); 0: CHANGES_BYTES_DEFAULT
	 */
	uint64_t max_bytes;
	uint8_t call[16];
	uint64_t workspace_dev, workspace_ino;
	/* NULL: digests only, nothing stored (observe with capture: digests) */
	struct pack *pack;
	const struct until *until; /* of all that is read; NULL: to its end. -EINTR, -ETIME */
	/*
	 * Values that were leased to the call; NULL: none. What has one in it is not stored, only
	 * its digest, be it new or a pre-image; with hold_leaks a change that brings one is held.
	 * One in what the list itself says (a path, a link's target, an attribute's name) leaves no
	 * list: -EKEYREJECTED, and *ret_named (NULL: nobody asks) has the bits of the items.
	 */
	const struct scanner *scanner;
	bool hold_leaks;
	uint64_t *ret_named;
};

int changes_collect(const struct collect_request *req, struct change_set *ret, struct err *err)
	must_check;
void changes_finish(struct change_set *cs);
/* The change of that path, NULL when there is none; the set must be sorted. */
const struct change *changes_find(const struct change_set *cs, const char *path);
/*
 * The first path, in their order, of which two sets do not say the same; NULL: none, but the call
 * or the workspace may be another. It is of one of the sets.
 */
const char *changes_first_difference(const struct change_set *a, const struct change_set *b);
/* "create" …; the word in the canonical list. */
const char *changes_kind_word(enum change_kind kind);

/*
 * A change set's canonical list (docs/formats.md, "Change set"), read back: the one spelling that
 * changes_collect writes and no other. -EBADMSG with the line and what is wrong in it, -E2BIG past
 * the collector's bounds. Not in the list, so not in what is read: hold, hold_rule, lower_*,
 * links_broken. The set is the caller's, for changes_finish; nothing is returned on failure.
 */
struct change_list {
	struct change_set set;
	uint8_t call[16];
	uint64_t workspace_dev, workspace_ino;
};

/*
 * What an undo needs besides list and contents: for each change of an entry that was there, its
 * mtime and its kept attributes (docs/formats.md, "Change set"). Reads into the set that the list
 * gave. -EBADMSG.
 */
int changes_meta_read(const void *text, size_t len, struct change_set *set) must_check;

int changes_list_read(const void *text, size_t len, struct change_list *ret,
		      struct err *err) must_check;

/*
 * A change of mode or kept attributes alone is CHANGE_MODE, of a symlink's target CHANGE_MODIFY, of
 * the type CHANGE_REPLACE with a CHANGE_DELETE for each entry that was below. Every entry below a
 * created or deleted directory has a change of its own.
 */

/* Names: pure; the tables are secrets.def and names.def. */
bool names_is_secret(const char *path);
/*
 * NULL, or the rule by which a change of this workspace-relative path, of whatever type, is held or
 * never committed: "built-in: .git/hooks: git runs these" (static).
 */
const char *names_protected_by(const char *path);

#endif
