/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profile + request + what the host has -> plan. Reads the host's file tree (types of the profile's
 * read paths, mounts below them) and changes nothing. Run by the front with the caller's or owner's
 * authority. In two steps, because the program is looked up in what will be visible: create,
 * plan_look, then finish.
 */
#ifndef AIRLOCK_PLAN_PLAN_BUILD_H
#define AIRLOCK_PLAN_PLAN_BUILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "../base/err.h"
#include "../base/mountinfo.h"
#include "plan.h"
#include "request.h"

/* Where COMMAND is looked for when neither the profile nor the caller says. */
#define PATH_DEFAULT "/usr/bin:/bin"

struct plan_builder;

/* Decides the mounts. profile and request stay borrowed until plan_builder_destroy. */
int plan_builder_create(const struct profile *profile, const struct request *request,
			struct plan_builder **ret, struct err *err) must_check;
/*
 * Decides the rest (request->exe is set now). All pointers of *ret_plan live as long as the
 * builder.
 */
int plan_builder_finish(struct plan_builder *b, const struct plan **ret_plan, struct err *err)
	must_check;
void plan_builder_destroy(struct plan_builder *b);

/* What a tool meets at an absolute path when it starts; texts live as long as the builder. */
struct plan_look {
	/* 0, ENOENT, ENOTDIR, EACCES, ELOOP; EPERM: filesystem.hide covers it */
	int error;
	const struct rule_path *hide; /* EPERM: that entry */
	mode_t mode;        /* 0: st_mode of what is there */
	const char *real;   /* 0: where links led, inside */
	const char *host;   /* 0: the host's path behind it; NULL where airlock makes it up */
	const char *wanted; /* an error: the path that is not there, after the links before it */
};

/*
 * Walks the plan's mounts as the tool will, links as they lead inside; rights are not looked at.
 * -ENOMEM, -ENAMETOOLONG, or what reading a link gave.
 */
int plan_look(struct plan_builder *b, const char *path, struct plan_look *ret) must_check;
/* "/a/b" covers "/a/b" and "/a/b/c". Pure. */
bool plan_covers(const char *dir, const char *path);
struct arena;
/*
 * A copy of an absolute path below PATH_MAX without "..", "." or an empty component; slashes at its
 * end go. NULL when it is none.
 */
const char *plan_plain_path(struct arena *a, const char *path);
/* Whether there is a directory of leased credentials inside. Pure. */
bool plan_has_credential_files(const struct request *request);
/* Mount points inside the workspace: what is mounted there, a call does not see. */
size_t plan_hidden_mounts(const struct plan_builder *b, const char *const **ret_points);
/*
 * Why the repository that request->worktree found is not given after all, "" where nobody wants to
 * know; NULL when it is.
 */
const char *plan_worktree_conflict(const struct plan_builder *b);

#endif
