/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The walk behind plan_look and judge_path: where a path leads inside. Private to this directory.
 */
#ifndef AIRLOCK_PLAN_PLAN_WALK_H
#define AIRLOCK_PLAN_PLAN_WALK_H

#include <sys/stat.h>

#include "plan_build_internal.h"

struct plan_walk {
	struct plan_builder *b;
	bool by_mode;                /* a directory that the tool's ids cannot search ends it */
	const gid_t *groups;         /* with by_mode: those the tool keeps */
	int group_count;
	char *at;		     /* absolute, no links; "" is the root */
	const struct plan_mount *on; /* the row that `at` lies on; NULL: the root tmpfs */
	char *host;		     /* the host's path behind it, NULL when there is none */
	struct stat st;
	int links;
	int error; /* of the walk, 0 so far */
	bool absent;
	const char *wanted; /* with an error: `at` and what was left to go */
};

/*
 * Walks an absolute path from the root; w->error says what stopped it, *ret_more whether there was
 * more of the path to go then. -ENOMEM, -ENAMETOOLONG, or what reading a link gave.
 */
int plan_walk(struct plan_walk *w, const char *path, bool *ret_more) must_check;
/* The row that a path without links lies on, NULL: the root tmpfs. */
const struct plan_mount *plan_row_below(const struct plan *p, const char *path);
/* want: of 4 read, 2 write, 1 execute or search. Mode bits for the tool's ids, no access lists. */
bool plan_walk_allows(const struct plan_walk *w, unsigned int want);

#endif
