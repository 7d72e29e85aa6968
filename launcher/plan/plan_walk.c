/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A path as it will be inside, against a plan's rows. Run by the front (COMMAND and what it needs)
 * and by airlock-cli (questions to a profile), as the caller; changes nothing. The walk is the
 * kernel's, made by hand: component by component, through links as they lead inside, over the mount
 * that a place stands on, into the host's files where that mount shows them. Trusts nothing in the
 * path.
 */
#include "plan_walk.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define LINKS_MAX 40

/* ---- rows ------------------------------------------------------------------------------------ */

static bool
makes_ground(const struct plan_mount *row)
{
	return row->kind != MOUNT_SYMLINK && row->kind != MOUNT_LAYER;
}

/* The row that is exactly there: the last one counts, as the last mount does. */
static const struct plan_mount *
row_at(const struct plan *p, const char *path)
{
	const struct plan_mount *found = NULL;

	for (size_t i = 0; i < p->mount_count; i++) {
		if (p->mounts[i].kind != MOUNT_LAYER && strcmp(p->mounts[i].target, path) == 0) {
			found = &p->mounts[i];
		}
	}
	return found;
}

const struct plan_mount *
plan_row_below(const struct plan *p, const char *path)
{
	const struct plan_mount *found = NULL;
	size_t best = 0;

	for (size_t i = 0; i < p->mount_count; i++) {
		const struct plan_mount *row = &p->mounts[i];

		if (makes_ground(row) && plan_covers(row->target, path) &&
		    strlen(row->target) >= best) {
			found = row;
			best = strlen(row->target);
		}
	}
	return found;
}

/* Something is mounted below, so the directory is there, whatever it is made of. */
static bool
is_way(const struct plan *p, const char *path)
{
	for (size_t i = 0; i < p->mount_count; i++) {
		if (p->mounts[i].kind != MOUNT_LAYER && plan_covers(path, p->mounts[i].target)) {
			return true;
		}
	}
	return false;
}

/* The host's path of what a row shows at `path`; NULL with error 0: the host has no part in it. */
static char *
host_path(const struct plan_walk *w, const struct plan_mount *row, const char *path)
{
	struct arena *arena = &w->b->arena;
	const char *rest = row != NULL ? path + strlen(row->target) : "";
	const char *layer = "";

	if (row == NULL) {
		return NULL;
	}
	switch ((enum mount_kind)row->kind) {
	case MOUNT_TREE:
	case MOUNT_COPY:
	case MOUNT_BIND:
		return arena_printf(arena, "%s%s", row->source, rest);
	case MOUNT_CACHE:
		return row->source[0] != '\0' ? arena_printf(arena, "%s%s", row->source, rest)
					      : NULL;
	case MOUNT_WORKSPACE:
		/* what is shown of it; who only asks has no lower */
		return arena_printf(arena, "%s%s",
				    w->b->request->lower_dir != NULL ? w->b->request->lower_dir
								     : w->b->request->workspace,
				    rest);
	case MOUNT_PART:
		for (const struct plan_mount *m = w->b->plan.mounts; m < row; m++) {
			layer = m->kind == MOUNT_LAYER ? m->source : layer;
		}
		return arena_printf(arena, "%s/%s%s", layer, row->source, rest);
	case MOUNT_PROC:
	case MOUNT_READONLY:
	case MOUNT_NODE:
		return arena_printf(arena, "%s", path);
	case MOUNT_DIR:
	case MOUNT_SYMLINK:
	case MOUNT_FILE:
	case MOUNT_LAYER:
	case MOUNT_SCRATCH:
	case MOUNT_PTS:
	case MOUNT_MASK_FILE:
	case MOUNT_MASK_DIR:
	case MOUNT_HIDDEN:
	case MOUNT_CREDENTIALS:
	case MOUNT__COUNT:
		break;
	}
	return NULL;
}

bool
plan_walk_allows(const struct plan_walk *w, unsigned int want)
{
	const struct identity *id = &w->b->request->identity;
	bool mine = w->st.st_uid == id->uid_outside, of_group = w->st.st_gid == id->gid_outside;

	if (w->on != NULL && w->on->kind == MOUNT_WORKSPACE) {
		mine |= w->st.st_uid == id->owner_uid;
		of_group |= w->st.st_gid == id->owner_gid;
	}
	for (int i = 0; i < w->group_count && !of_group; i++) {
		of_group = w->groups[i] == w->st.st_gid;
	}
	return ((w->st.st_mode >> (mine ? 6 : of_group ? 3 : 0)) & want) == want;
}

/* ---- the walk -------------------------------------------------------------------------------- */

/* What is the sandbox's own: it may be walked through and listed. */
static mode_t
own_mode(const struct plan_mount *row, bool is_target)
{
	if (row == NULL || !is_target) {
		return S_IFDIR | 0755;
	}
	if (row->kind == MOUNT_FILE || row->kind == MOUNT_COPY) {
		return S_IFREG | (mode_t)row->mode;
	}
	return row->kind == MOUNT_MASK_FILE || row->kind == MOUNT_HIDDEN ? S_IFREG
									 : S_IFDIR | 0755;
}

static void
stand_on(struct plan_walk *w, char *path)
{
	const struct plan *p = &w->b->plan;
	bool is_target;
	int rc = 0;

	w->at = path;
	w->on = plan_row_below(p, path);
	w->host = host_path(w, w->on, path);
	is_target = w->on != NULL && strcmp(w->on->target, path) == 0;
	w->st = (struct stat){ .st_mode = own_mode(w->on, is_target),
			       .st_uid = w->b->request->identity.uid_outside };
	if (w->on != NULL && w->on->kind == MOUNT_COPY) {
		return;
	}
	if (w->host != NULL && w->on != NULL) {
		/* Links of /proc are this process's here, and the tool's there. */
		rc = w->on->kind == MOUNT_PROC ? stat(w->host, &w->st) : lstat(w->host, &w->st);
	}
	w->absent = rc < 0 ? errno == ENOENT || errno == ENOTDIR
			   : w->host == NULL && row_at(p, path) == NULL && !is_way(p, path);
	w->error = rc < 0 ? errno : w->absent ? ENOENT : 0;
}

/* One component on; a link leaves its target in *ret_link and the walk where it was. */
static int
step(struct plan_walk *w, const char *name, size_t len, char **ret_link)
{
	struct arena *arena = &w->b->arena;
	const struct plan_walk before = *w;
	char *path = arena_printf(arena, "%s/%.*s", w->at, (int)len, name);
	const struct plan_mount *row = path != NULL ? row_at(&w->b->plan, path) : NULL;
	char *target;
	ssize_t n;

	if (path == NULL) {
		return -ENOMEM;
	}
	if (!S_ISDIR(w->st.st_mode)) {
		w->error = ENOTDIR;
		return 0;
	}
	if (w->by_mode && !plan_walk_allows(w, 1)) {
		w->error = EACCES;
		return 0;
	}
	if (row != NULL && row->kind == MOUNT_SYMLINK) {
		*ret_link = arena_string(arena, row->source);
		return *ret_link == NULL ? -ENOMEM : 0;
	}
	stand_on(w, path);
	if (w->error != 0 || !S_ISLNK(w->st.st_mode)) {
		return 0;
	}
	target = arena_alloc(arena, PATH_MAX);
	n = target != NULL ? readlink(w->host, target, PATH_MAX - 1) : -1;
	if (n < 0) {
		return target == NULL ? -ENOMEM : -errno;
	}
	*w = before;
	*ret_link = target;
	return 0;
}

static int
walk_up(struct plan_walk *w)
{
	const char *slash = strrchr(w->at, '/');
	char *up = arena_copy(&w->b->arena, w->at,
			      slash != NULL ? (size_t)(slash - w->at) : 0);

	if (up == NULL) {
		return -ENOMEM;
	}
	stand_on(w, up);
	return 0;
}

static int
follow(struct plan_walk *w, const char *link, const char **rest)
{
	struct arena *arena = &w->b->arena;

	if (++w->links > LINKS_MAX) {
		w->error = ELOOP;
		return 0;
	}
	*rest = arena_printf(arena, "%s%s", link, *rest);
	if (link[0] == '/') {
		stand_on(w, arena_string(arena, ""));
	}
	return *rest == NULL ? -ENOMEM : 0;
}

int
plan_walk(struct plan_walk *w, const char *path, bool *ret_more)
{
	struct arena *arena = &w->b->arena;
	const char *p = path + strspn(path, "/");
	int rc = 0;

	if (strlen(path) >= PATH_MAX) {
		return -ENAMETOOLONG;
	}
	stand_on(w, arena_string(arena, ""));
	while (*p != '\0' && rc == 0 && w->error == 0) {
		size_t len = strcspn(p, "/");
		const char *name = p, *before = w->at;
		char *link = NULL;

		p += len;
		*ret_more = p[strspn(p, "/")] != '\0';
		if (len == 2 && name[0] == '.' && name[1] == '.') {
			rc = walk_up(w);
		} else if (len != 1 || name[0] != '.') {
			rc = step(w, name, len, &link);
		}
		if (rc == 0 && link != NULL) {
			rc = follow(w, link, &p);
		}
		if (rc == 0 && w->error != 0) {
			/* It stands on what is missing, or before what it may not enter. */
			w->wanted = w->at == before ? arena_printf(arena, "%s/%s", w->at, name)
						    : arena_printf(arena, "%s%s", w->at, p);
		}
		if (rc == 0) {
			p += strspn(p, "/");
		}
	}
	return rc == 0 && arena_failed(arena) ? -ENOMEM : rc;
}

int
plan_look(struct plan_builder *b, const char *path, struct plan_look *ret)
{
	struct plan_walk w = { .b = b };
	const struct rule_path *hide;
	bool more = false;
	int rc = plan_walk(&w, path, &more);

	if (rc < 0) {
		return rc;
	}
	/* Links of /proc are the caller's here: what they lead to inside is nobody's to say. */
	if (w.error == 0 && w.on != NULL && w.on->kind == MOUNT_PROC) {
		w.error = ENOENT;
		w.wanted = w.at;
	}
	hide = plan_masked_by(b, w.at);
	if (hide != NULL) {
		w.error = EPERM;
		w.wanted = w.at;
	}
	*ret = (struct plan_look){ .error = w.error, .hide = hide, .mode = w.st.st_mode,
				   .real = w.at, .host = w.host, .wanted = w.wanted };
	return 0;
}
