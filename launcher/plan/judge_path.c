/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One path against a plan's rows. Runs in airlock-cli, as the caller; changes nothing. The walk is
 * the kernel's, made by hand: component by component, through links as they lead inside, over the
 * mount that a place stands on, into the host's files where that mount shows them. What the tool
 * may do there is decided by mode bits (for its ids; access lists are not looked at), the mount's
 * flags and the Landlock rows. Trusts nothing in the path.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "judge_internal.h"
#include "plan_build_internal.h"

#define LINKS_MAX 40
#define GROUPS_MAX 256

struct judge {
	struct plan_builder *builder; /* owned */
	const struct plan *plan;
	struct request own; /* the caller's, with a descriptor of the workspace of ours */
	const struct request *request;
	gid_t groups[GROUPS_MAX]; /* the caller's, where the tool runs as the caller */
	int group_count;
};

/* Where a walk stands. */
struct walk {
	struct judge *j;
	char *at;		     /* absolute, no links; "" is the root */
	const struct plan_mount *on; /* the row that `at` lies on; NULL: the root tmpfs */
	char *host;		     /* the host's path behind it, NULL when there is none */
	struct stat st;
	int links;
	int error; /* of the walk, 0 so far */
	bool absent;
};

int
judge_create(const struct profile *profile, const struct request *request, struct judge **ret,
	     struct err *err)
{
	struct judge *j = calloc(1, sizeof(*j));
	int rc;

	if (j == NULL) {
		return err_set(err, -ENOMEM, "out of memory");
	}
	j->own = *request;
	j->own.workspace_fd = open(request->workspace, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	j->request = &j->own;
	rc = j->own.workspace_fd < 0 ? err_sys(err, -errno, "%s", request->workspace)
				     : plan_builder_create(profile, &j->own, &j->builder, err);
	if (rc == 0) {
		rc = plan_builder_finish(j->builder, &j->plan, err);
	}
	if (rc == 0 && request->identity.uid_outside == geteuid()) {
		j->group_count = getgroups(GROUPS_MAX, j->groups);
	}
	if (rc < 0) {
		judge_destroy(j);
		return rc;
	}
	*ret = j;
	return 0;
}

void
judge_destroy(struct judge *j)
{
	if (j != NULL) {
		plan_builder_destroy(j->builder);
		cleanup_fd(&j->own.workspace_fd);
		free(j);
	}
}

const struct profile *
judge_profile(const struct judge *j)
{
	return j->builder->profile;
}

const char *
judge_workspace(const struct judge *j)
{
	return j->request->workspace;
}

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

static const struct plan_mount *
row_below(const struct plan *p, const char *path)
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
host_path(const struct judge *j, const struct plan_mount *row, const char *path)
{
	struct arena *arena = &j->builder->arena;
	const char *rest = row != NULL ? path + strlen(row->target) : "";
	const char *layer = "";

	if (row == NULL) {
		return NULL;
	}
	switch ((enum mount_kind)row->kind) {
	case MOUNT_TREE:
	case MOUNT_COPY:
		return arena_printf(arena, "%s%s", row->source, rest);
	case MOUNT_WORKSPACE:
		return arena_printf(arena, "%s%s", j->request->workspace, rest);
	case MOUNT_PART:
		for (const struct plan_mount *m = j->plan->mounts; m < row; m++) {
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
	case MOUNT__COUNT:
		break;
	}
	return NULL;
}

/* ---- what the tool may ----------------------------------------------------------------------- */

/* want: of 4 read, 2 write, 1 execute or search. */
static bool
mode_allows(const struct walk *w, unsigned int want)
{
	const struct identity *id = &w->j->request->identity;
	bool mine = w->st.st_uid == id->uid_outside, of_group = w->st.st_gid == id->gid_outside;

	if (w->on != NULL && w->on->kind == MOUNT_WORKSPACE) {
		mine |= w->st.st_uid == id->owner_uid;
		of_group |= w->st.st_gid == id->owner_gid;
	}
	for (int i = 0; i < w->j->group_count && !of_group; i++) {
		of_group = w->j->groups[i] == w->st.st_gid;
	}
	return ((w->st.st_mode >> (mine ? 6 : of_group ? 3 : 0)) & want) == want;
}

static bool
landlock_allows(const struct walk *w, uint64_t right)
{
	const struct plan *p = w->j->plan;
	const char *at = w->at[0] != '\0' ? w->at : "/";

	if ((p->landlock_fs & right) == 0) {
		return true;
	}
	for (size_t i = 0; i < p->rule_count; i++) {
		if ((p->rules[i].access & right) != 0 && plan_covers(p->rules[i].path, at)) {
			return true;
		}
	}
	return false;
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
		return S_IFREG | 0444;
	}
	return row->kind == MOUNT_MASK_FILE || row->kind == MOUNT_HIDDEN ? S_IFREG
									 : S_IFDIR | 0755;
}

static void
stand_on(struct walk *w, char *path)
{
	const struct plan *p = w->j->plan;
	bool is_target;
	int rc = 0;

	w->at = path;
	w->on = row_below(p, path);
	w->host = host_path(w->j, w->on, path);
	is_target = w->on != NULL && strcmp(w->on->target, path) == 0;
	w->st = (struct stat){ .st_mode = own_mode(w->on, is_target),
			       .st_uid = w->j->request->identity.uid_outside };
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
step(struct walk *w, const char *name, size_t len, char **ret_link)
{
	struct arena *arena = &w->j->builder->arena;
	const struct walk before = *w;
	char *path = arena_printf(arena, "%s/%.*s", w->at, (int)len, name);
	const struct plan_mount *row = path != NULL ? row_at(w->j->plan, path) : NULL;
	char *target;
	ssize_t n;

	if (path == NULL) {
		return -ENOMEM;
	}
	if (!S_ISDIR(w->st.st_mode)) {
		w->error = ENOTDIR;
		return 0;
	}
	if (!mode_allows(w, 1)) {
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
walk_up(struct walk *w)
{
	const char *slash = strrchr(w->at, '/');
	char *up = arena_copy(&w->j->builder->arena, w->at,
			      slash != NULL ? (size_t)(slash - w->at) : 0);

	if (up == NULL) {
		return -ENOMEM;
	}
	stand_on(w, up);
	return 0;
}

static int
follow(struct walk *w, const char *link, const char **rest)
{
	struct arena *arena = &w->j->builder->arena;

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

/* w stands at the root. *ret_more: where it ended there was more of the path to go. */
static int
walk(struct walk *w, const char *path, bool *ret_more)
{
	int rc = 0;

	for (const char *p = path + strspn(path, "/"); *p != '\0' && rc == 0 && w->error == 0;
	     p += strspn(p, "/")) {
		size_t len = strcspn(p, "/");
		const char *name = p;
		char *link = NULL;

		p += len;
		*ret_more = p[strspn(p, "/")] != '\0';
		if (len == 1 && name[0] == '.') {
			continue;
		}
		rc = len == 2 && name[0] == '.' && name[1] == '.' ? walk_up(w)
								  : step(w, name, len, &link);
		if (rc == 0 && link != NULL) {
			rc = follow(w, link, &p);
		}
	}
	return rc;
}

/* ---- the answer ------------------------------------------------------------------------------ */

static enum judge_ground
ground_of(const struct walk *w)
{
	if (w->on == NULL) {
		return w->absent ? JUDGE_NOTHING : JUDGE_SKELETON;
	}
	switch ((enum mount_kind)w->on->kind) {
	case MOUNT_TREE:
	case MOUNT_COPY:
	case MOUNT_PART:
		return JUDGE_HOST;
	case MOUNT_WORKSPACE:
		return JUDGE_WORKSPACE;
	case MOUNT_SCRATCH:
		return JUDGE_SCRATCH;
	case MOUNT_PROC:
	case MOUNT_READONLY:
		return JUDGE_PROC;
	case MOUNT_NODE:
	case MOUNT_PTS:
		return JUDGE_DEVICE;
	case MOUNT_MASK_FILE:
	case MOUNT_MASK_DIR:
	case MOUNT_HIDDEN:
		return JUDGE_MASKED;
	case MOUNT_DIR:
		return w->absent ? JUDGE_NOTHING : JUDGE_SKELETON;
	case MOUNT_FILE:
	case MOUNT_SYMLINK:
	case MOUNT_LAYER:
	case MOUNT__COUNT:
		break;
	}
	return JUDGE_SKELETON;
}

static const struct rule_path *
rule_of(const struct walk *w)
{
	for (size_t i = 0; i < w->j->builder->masked_count; i++) {
		if (plan_covers(w->j->builder->masked[i].path, w->at)) {
			return &w->j->builder->masked[i];
		}
	}
	for (size_t i = 0; i < w->j->builder->read_count; i++) {
		const struct read_entry *e = &w->j->builder->reads[i];

		if (e->type == S_IFDIR ? plan_covers(e->path, w->at)
				       : strcmp(e->path, w->at) == 0) {
			return e->rule;
		}
	}
	return NULL;
}

static int
refuse(struct judge_path *answer, int error, const char *why)
{
	answer->error = error;
	answer->why = why;
	return error;
}

static bool
is_writable(const struct walk *w)
{
	return w->on != NULL && (w->on->flags & MOUNT_WRITABLE) != 0;
}

static void
judge_write(const struct walk *w, struct judge_path *answer)
{
	const bool dir = S_ISDIR(w->st.st_mode) || answer->creatable;

	if (w->on != NULL && (w->on->kind == MOUNT_NODE || w->on->kind == MOUNT_PTS)) {
		answer->why = "devices of the sandbox can be written";
	} else if (!is_writable(w)) {
		refuse(answer, EROFS, "it is mounted read-only");
	} else if (!answer->creatable && !mode_allows(w, 2)) {
		refuse(answer, EACCES, "its mode does not let the tool's user write it");
	} else if (!landlock_allows(w, dir ? LANDLOCK_ACCESS_FS_MAKE_REG
					   : LANDLOCK_ACCESS_FS_WRITE_FILE)) {
		refuse(answer, EACCES, "Landlock does not allow it");
	}
}

static void
judge_execute(const struct walk *w, struct judge_path *answer)
{
	if (!S_ISREG(w->st.st_mode)) {
		refuse(answer, EACCES, "it is no regular file");
	} else if (w->on != NULL && (w->on->flags & MOUNT_NOEXEC) != 0) {
		refuse(answer, EACCES, "nothing can be executed there");
	} else if (!mode_allows(w, 1)) {
		refuse(answer, EACCES, "its mode does not let the tool's user execute it");
	} else if (!landlock_allows(w, LANDLOCK_ACCESS_FS_EXECUTE)) {
		refuse(answer, EACCES, "Landlock does not allow to execute there");
	}
}

static void
judge_read(const struct walk *w, struct judge_path *answer)
{
	const bool dir = S_ISDIR(w->st.st_mode);

	if (answer->ground == JUDGE_DEVICE || answer->ground == JUDGE_PROC) {
		return;
	}
	if (!mode_allows(w, 4)) {
		refuse(answer, EACCES, "its mode does not let the tool's user read it");
	} else if (!landlock_allows(w, dir ? LANDLOCK_ACCESS_FS_READ_DIR
					   : LANDLOCK_ACCESS_FS_READ_FILE)) {
		refuse(answer, EACCES, "Landlock does not allow it");
	}
}

static const char *const ground_texts[JUDGE_GROUND__COUNT] = {
	[JUDGE_NOTHING] = "no rule of the profile shows it",
	[JUDGE_SKELETON] = "every sandbox has it",
	[JUDGE_HOST] = "filesystem.read shows it, read-only",
	[JUDGE_WORKSPACE] = "it is in the workspace",
	[JUDGE_SCRATCH] = "the call has an empty directory of its own there",
	[JUDGE_DEVICE] = "every sandbox has the device",
	[JUDGE_PROC] = "every sandbox has its own /proc",
	[JUDGE_MASKED] = "it is covered",
};

/*
 * The tool may make a name that is not there: in the workspace, and in a directory of the call's
 * own.
 */
static void
judge_absent(struct walk *w, enum judge_access access, bool more, struct judge_path *answer)
{
	if (access == JUDGE_WRITE && !more && !is_writable(w)) {
		refuse(answer, EROFS, "it is mounted read-only");
		return;
	}
	if (more || !is_writable(w) || answer->ground == JUDGE_PROC) {
		refuse(answer, ENOENT,
		       answer->ground == JUDGE_NOTHING ? ground_texts[JUDGE_NOTHING]
						       : "the host has nothing of that name");
		return;
	}
	answer->creatable = true;
	if (access == JUDGE_WRITE) {
		judge_write(w, answer);
	} else {
		refuse(answer, ENOENT, "nothing of that name is there; the tool may make it");
	}
}

int
judge_path(struct judge *j, const char *path, enum judge_access access, struct judge_path *ret)
{
	struct walk w = { .j = j };
	struct judge_path answer = { .error = 0 };
	bool more = false;
	int rc;

	if (strlen(path) >= PATH_MAX) {
		return -ENAMETOOLONG;
	}
	stand_on(&w, arena_string(&j->builder->arena, ""));
	rc = walk(&w, path, &more);
	if (rc < 0 || arena_failed(&j->builder->arena)) {
		return rc < 0 ? rc : -ENOMEM;
	}
	answer.absent = w.absent;
	answer.ground = ground_of(&w);
	answer.real = w.at[0] != '\0' ? w.at : "/";
	answer.rule = answer.ground == JUDGE_HOST || answer.ground == JUDGE_MASKED ? rule_of(&w)
										  : NULL;
	answer.why = ground_texts[answer.ground];
	if (w.absent) {
		judge_absent(&w, access, more, &answer);
	} else if (w.error != 0) {
		refuse(&answer, w.error,
		       w.error == EACCES
			       ? "a directory above it does not let the tool's user through"
		       : w.error == ELOOP ? "links lead in a circle"
					  : "a part of the path is no directory");
	} else if (answer.ground == JUDGE_MASKED) {
		const bool there = w.on->kind == MOUNT_HIDDEN && access != JUDGE_SEE;

		refuse(&answer, there || access == JUDGE_WRITE ? EACCES : ENOENT,
		       ground_texts[JUDGE_MASKED]);
	} else if (access == JUDGE_READ) {
		judge_read(&w, &answer);
	} else if (access == JUDGE_WRITE) {
		judge_write(&w, &answer);
	} else if (access == JUDGE_EXECUTE) {
		judge_execute(&w, &answer);
	}
	*ret = answer;
	return 0;
}
