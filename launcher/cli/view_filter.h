/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `airlock log` asks of a call that the index has no column for. airlock-cli only, as the
 * caller.
 */
#ifndef AIRLOCK_CLI_VIEW_FILTER_H
#define AIRLOCK_CLI_VIEW_FILTER_H

#include <sys/types.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../store/index.h"

#define FILTER_DIGITS_MIN 8u /* of a digest: fewer name too much */

struct reading;

/* Absent is NULL or "": anything matches. */
struct view_filter {
	struct reading *reading; /* borrowed */
	struct buf touched;	 /* an absolute path in vis octal; has_touched: it is asked for */
	bool has_touched;
	char digest[65];       /* hex digits, as many as were given */
	const char *principal; /* borrowed */
	uid_t uid;	       /* of the user that the principal names */
	bool has_uid;
	uint64_t unlisted; /* calls of whose changes not all are known, so that they may match */
	struct err err;	   /* the caller's answer when view_filter_match fails */
};

#define VIEW_FILTER_INIT                             \
	{                                            \
		.touched = BUF_INIT, .err = ERR_INIT \
	}
#define auto_view_filter __attribute__((cleanup(view_filter_finish))) struct view_filter

/*
 * A path of the command line: relative to the current directory; links in the directories that lead
 * to it are followed, the last component is taken as it is, and need not exist. -EINVAL, -ENOENT.
 */
int view_filter_touched(struct view_filter *f, const char *path, struct err *err) must_check;
/* A digest, or its first FILTER_DIGITS_MIN digits or more. -EINVAL. */
int view_filter_digest(struct view_filter *f, const char *text, struct err *err) must_check;
/* A user's name or uid, or what a context calls its principal. */
void view_filter_principal(struct view_filter *f, const char *name);
/* Whether index_list has to ask. */
bool view_filter_is_set(const struct view_filter *f);
/* An index_query's match; arg is the filter. */
int view_filter_match(void *arg, const struct index_call *call);
void view_filter_finish(struct view_filter *f);

/*
 * The absolute path of a name that need not exist, as above, in raw bytes: blame asks the same.
 */
int view_filter_absolute(const char *given, struct buf *ret_path, struct err *err) must_check;
/*
 * How a path of the host stands to a workspace, both in vis octal: 1 it lies in it, *ret_below is
 * the rest ("" when it is the workspace or above it); 0 it has nothing to do with it.
 */
int view_filter_below(const char *path, const char *workspace, const char **ret_below);

#endif
