/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filesystem.cache -> cache rows. Run by the front, and by airlock-cli to answer questions. What is
 * behind a cache is chosen by the front (cli/front_caches.c) and not by the profile, so here it is
 * only about where it stands inside: not over what the profile or the host shows there.
 */
#include <errno.h>
#include <string.h>

#include "plan_walk.h"

/* Where the sandbox has directories of its own, so that one more can be made. */
static bool
is_own_ground(const struct plan_mount *row)
{
	return row == NULL || row->kind == MOUNT_SCRATCH || row->kind == MOUNT_DIR;
}

static bool
is_host_ground(const struct plan_mount *row)
{
	return row != NULL && (row->kind == MOUNT_TREE || row->kind == MOUNT_PART);
}

static int
check_place(struct plan_builder *b, const struct rule_path *at, struct err *err)
{
	const struct plan_mount *ground = plan_row_below(&b->plan, at->path);
	struct plan_look look;
	int rc;

	for (size_t i = 0; i < b->plan.mount_count; i++) {
		if (plan_covers(at->path, b->plan.mounts[i].target)) {
			return err_set(err, -EINVAL, "%s: filesystem.cache %s: %s is there already",
				       at->origin, at->path, b->plan.mounts[i].target);
		}
	}
	rc = plan_look(b, at->path, &look);
	if (rc < 0) {
		return err_sys(err, rc, "%s: filesystem.cache %s", at->origin, at->path);
	}
	if (is_host_ground(ground) && look.error == 0 && S_ISDIR(look.mode) &&
	    strcmp(look.real, at->path) == 0) {
		return 0;
	}
	if (is_own_ground(ground) && look.error == ENOENT && strcmp(look.wanted, at->path) == 0) {
		return 0;
	}
	return err_set(err, -EINVAL,
		       "%s: filesystem.cache %s: it must be in the call's own directories, such as "
		       "HOME, or a directory that filesystem.read shows, and no link on the way",
		       at->origin, at->path);
}

static int
add_one(struct plan_builder *b, size_t i, struct err *err)
{
	const struct profile_cache *c = &b->profile->caches[i];
	struct plan_mount row = { .kind = MOUNT_CACHE,
				  .flags = ((c->flags & CACHE_EXEC) != 0 ? 0 : MOUNT_NOEXEC) |
					   (b->request->mode == MODE_OBSERVE ? 0 : MOUNT_WRITABLE),
				  .target = c->at.path,
				  .source = "" };
	int rc = check_place(b, &c->at, err);

	if (rc < 0) {
		return rc;
	}
	if (b->request->caches != NULL) {
		row.source = b->request->caches[i].source;
		row.device = b->request->caches[i].dev;
		row.inode = b->request->caches[i].ino;
	}
	return plan_row(b, row);
}

int
plan_add_caches(struct plan_builder *b, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < b->profile->cache_count; i++) {
		rc = add_one(b, i, err);
	}
	return rc < 0 && err->code == 0 ? err_sys(err, rc, "filesystem.cache") : rc;
}
