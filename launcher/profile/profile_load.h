/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a name to a finished profile: search, ownership, reading, extends. Only airlock-cli calls
 * this, as the caller and never with more authority. Trusts a file only when it and its directory
 * belong to root or the caller and nobody else may write them.
 */
#ifndef AIRLOCK_PROFILE_PROFILE_LOAD_H
#define AIRLOCK_PROFILE_PROFILE_LOAD_H

#include <sys/types.h>

#include "profile.h"

/* All borrowed. */
struct profile_request {
	const char *name;	 /* a NAME, or a path with a slash in it */
	const char *search;	 /* $AIRLOCK_PROFILES, a colon list; NULL or "": none */
	const char *config_home; /* $XDG_CONFIG_HOME; NULL or "": home/.config */
	const char *system_dir;	 /* /etc/airlock/profiles */
	const char *shipped_dir; /* the profiles that came with this airlock */
	const char *home;	 /* the caller's home, absolute */
	uid_t caller;		 /* who besides root may own a profile */
	/* trusted_unmapped_uid(): root's files in system_dir and shipped_dir may show so */
	uid_t unmapped;
};

struct profile_doc; /* profile_internal.h: the effective values and where each stands */

struct profile_file {
	const char *path;
	const void *bytes;
	size_t len;
	bool is_dropin; /* of the last file before it that is none */
};

struct profile_loaded {
	/* owned; filters are not compiled yet, profile->files is in the arena below */
	struct profile *profile;
	struct profile_dep *deps; /* owned, with their paths: every file looked at, in that order */
	size_t dep_count;
	const struct profile_doc *doc;    /* in the arena */
	/* in the arena: the profile, its drop-ins, its parent, … */
	const struct profile_file *files;
	size_t file_count;
	void *arena;		       /* owned: the files' bytes and what was read from them */
};

void profile_loaded_finish(struct profile_loaded *l);

/*
 * git_name and git_email of l->profile, where git.identity asks for them: from the caller's own
 * files, which become dependencies. -ENOMEM.
 */
int profile_git_identity(struct profile_loaded *l, const struct profile_request *req) must_check;

/*
 * 0; -ENOENT not found; -EPERM ownership; -EINVAL errors in a file. Errors with a place in a file
 * go to `report` as text, several lines each, and err gets the first line; where report stays empty
 * the text is in err only.
 */
int profile_load(const struct profile_request *req, struct profile_loaded *ret, struct buf *report,
		 struct err *err) must_check;
/* Stats path and appends it. */
int profile_loaded_add(struct profile_loaded *l, const char *path) must_check;

/* ---- what there is --------------------------------------------------------------------------- */

/* Kinds of directories, in the order of the search. */
enum profile_where {
	PROFILE_GIVEN, /* by $AIRLOCK_PROFILES */
	PROFILE_OWN,   /* the caller's */
	PROFILE_SYSTEM,
	PROFILE_SHIPPED,
	PROFILE_WHERE__COUNT
};

const char *profile_where_text(enum profile_where where);

struct profile_found {
	const char *name, *path;
	const char *hidden_by; /* the path of the file that a search finds before, or NULL */
	enum profile_where where;
};

struct profile_listing {
	struct profile_found *rows; /* sorted by name, then in the order of the search */
	size_t count;
	void *arena; /* owned: all of the above */
};

/* Every profile of the request's directories, whatever is in the files; the name is not used. */
int profile_list(const struct profile_request *req, struct profile_listing *ret, struct err *err)
	must_check;
void profile_listing_finish(struct profile_listing *l);
/* Small letters, digits, '.', '_' and '-', at most 64. */
bool profile_name_is_right(const char *name);
/* Appends the directory of the caller's own profiles, which may not be there. */
void profile_own_dir(const struct profile_request *req, struct buf *ret);

#endif
