/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profile + request + what the host has -> plan. Reads the host's file tree (types of the profile's
 * read paths, mounts below them) and changes nothing. Run by the front with the caller's or owner's
 * authority. In two steps, because the program is looked up in what will be visible: create,
 * plan_visible, then finish.
 */
#ifndef AIRLOCK_PLAN_PLAN_BUILD_H
#define AIRLOCK_PLAN_PLAN_BUILD_H

#include <stdbool.h>

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

/*
 * Would this absolute host path be seen inside, after resolving links on the host? 0: yes. -ENOENT:
 * not on the host. -EACCES: on the host, but no read path and not the workspace (*ret_real, heap:
 * where it really is). -EPERM: in the workspace, and filesystem.hide covers it.
 */
int plan_visible(const struct plan_builder *b, const char *path, char **ret_real) must_check;
/* "/a/b" covers "/a/b" and "/a/b/c". Pure. */
bool plan_covers(const char *dir, const char *path);
/* Mount points inside the workspace: what is mounted there, a call does not see. */
size_t plan_hidden_mounts(const struct plan_builder *b, const char *const **ret_points);

#endif
