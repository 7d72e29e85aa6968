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
	const char *name;            /* a NAME, or a path with a slash in it */
	const char *search;          /* $AIRLOCK_PROFILES, a colon list; NULL or "": none */
	const char *config_home;     /* $XDG_CONFIG_HOME; NULL or "": home/.config */
	const char *system_dir;      /* /etc/airlock/profiles */
	const char *shipped_dir;     /* the profiles that came with this airlock */
	const char *home;            /* the caller's home, absolute */
	uid_t caller;                /* who besides root may own a profile */
	uid_t unmapped;              /* profile_unmapped_uid() */
};

struct profile_loaded {
	struct profile *profile;  /* owned; filters are not compiled yet */
	struct profile_dep *deps; /* owned, with their paths: every file looked at, in that order */
	size_t dep_count;
};

void profile_loaded_finish(struct profile_loaded *l);

/*
 * The uid under which stat shows owners that this user namespace does not map, or (uid_t)-1 when
 * that uid is a user of its own here. Inside `unshare -r` root's files look like that; they are
 * accepted for system_dir and shipped_dir only.
 */
uid_t profile_unmapped_uid(void);

/*
 * 0; -ENOENT not found; -EPERM ownership; -EINVAL errors in a file. Errors with a place in a file
 * go to `report` as text, several lines each, and err gets the first line; where report stays empty
 * the text is in err only.
 */
int profile_load(const struct profile_request *req, struct profile_loaded *ret, struct buf *report,
		 struct err *err) must_check;
/* Stats path and appends it. */
int profile_loaded_add(struct profile_loaded *l, const char *path) must_check;

#endif
