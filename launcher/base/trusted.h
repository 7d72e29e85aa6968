/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a file is what its owner made it: the two questions that are asked of an open file before
 * what is in it is believed or kept. Anybody may call; err's text says what to do.
 */
#ifndef AIRLOCK_BASE_TRUSTED_H
#define AIRLOCK_BASE_TRUSTED_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "cleanup.h"
#include "err.h"

/* Whose files are believed besides root's. */
struct trust {
	uid_t caller;
	uid_t unmapped; /* trusted_unmapped_uid() */
	bool is_system; /* of a directory of the system: root's files may show as unmapped */
};

/*
 * The uid under which stat shows owners that this user namespace does not map, or (uid_t)-1 when
 * that uid is a user of its own here. Inside `unshare -r` root's files look like that.
 */
uid_t trusted_unmapped_uid(void);

/*
 * Nobody but root and the caller could have written it: -EPERM where it belongs to another or is
 * writable by group or others. path is for the text.
 */
int trusted_owner(const struct trust *trust, const char *path, const struct stat *st,
		  struct err *err) must_check;

/*
 * Nobody else could have read it, either: a regular file of the caller's (the effective uid), or
 * root's as credentials of systemd are. -EPERM.
 */
int trusted_private(int fd, const char *path, struct err *err) must_check;

#endif
