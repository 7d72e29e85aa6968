/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One path against a plan's rows. Runs in airlock-cli, as the caller; changes nothing. What the
 * tool may do where the walk (plan_walk.c) ends is decided by mode bits (for its ids; access lists
 * are not looked at), the mount's flags and the Landlock rows. Trusts nothing in the path.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "judge_internal.h"
#include "plan_walk.h"

#define GROUPS_MAX 256

struct judge {
	struct plan_builder *builder; /* owned */
	const struct plan *plan;
	struct request own; /* the caller's, with a descriptor of the workspace of ours */
	const struct request *request;
	gid_t groups[GROUPS_MAX]; /* the caller's, where the tool runs as the caller */
	int group_count;
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

/* ---- what the tool may ----------------------------------------------------------------------- */

static bool
landlock_allows(const struct plan_walk *w, uint64_t right)
{
	const struct plan *p = &w->b->plan;
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

/* ---- the answer ------------------------------------------------------------------------------ */

static enum judge_ground
ground_of(const struct plan_walk *w)
{
	if (w->on == NULL) {
		return w->absent ? JUDGE_NOTHING : JUDGE_SKELETON;
	}
	switch ((enum mount_kind)w->on->kind) {
	case MOUNT_TREE:
	case MOUNT_COPY:
	case MOUNT_PART:
		return JUDGE_HOST;
	case MOUNT_BIND:
		return JUDGE_EXTERNAL;
	case MOUNT_CACHE:
		return JUDGE_CACHE;
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
	case MOUNT_CREDENTIALS:
	case MOUNT__COUNT:
		break;
	}
	return JUDGE_SKELETON;
}

static const struct rule_path *
read_rule(const struct plan_walk *w)
{
	for (size_t i = 0; i < w->b->read_count; i++) {
		const struct read_entry *e = &w->b->reads[i];

		if (e->type == S_IFDIR ? plan_covers(e->path, w->at)
				       : strcmp(e->path, w->at) == 0) {
			return e->rule;
		}
	}
	return NULL;
}

static const struct rule_path *
write_rule(const struct plan_walk *w)
{
	const struct rule_paths *write = &w->b->profile->write;

	for (size_t i = 0; i < write->count; i++) {
		if (plan_covers(write->items[i].path, w->at)) {
			return &write->items[i];
		}
	}
	return NULL;
}

static const struct rule_path *
cache_rule(const struct plan_walk *w)
{
	const struct profile *p = w->b->profile;

	for (size_t i = 0; i < p->cache_count; i++) {
		if (plan_covers(p->caches[i].at.path, w->at)) {
			return &p->caches[i].at;
		}
	}
	return NULL;
}

static const struct rule_path *
rule_of(const struct plan_walk *w, enum judge_ground ground)
{
	switch (ground) {
	case JUDGE_HOST:
		return read_rule(w);
	case JUDGE_EXTERNAL:
		return write_rule(w);
	case JUDGE_CACHE:
		return cache_rule(w);
	case JUDGE_MASKED:
		return plan_masked_by(w->b, w->at);
	case JUDGE_NOTHING:
	case JUDGE_SKELETON:
	case JUDGE_WORKSPACE:
	case JUDGE_SCRATCH:
	case JUDGE_DEVICE:
	case JUDGE_PROC:
	case JUDGE_GROUND__COUNT:
		break;
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
is_writable(const struct plan_walk *w)
{
	return w->on != NULL && (w->on->flags & MOUNT_WRITABLE) != 0;
}

static void
judge_write(const struct plan_walk *w, struct judge_path *answer)
{
	const bool dir = S_ISDIR(w->st.st_mode) || answer->creatable;

	if (w->on != NULL && (w->on->kind == MOUNT_NODE || w->on->kind == MOUNT_PTS)) {
		answer->why = "devices of the sandbox can be written";
	} else if (!is_writable(w)) {
		refuse(answer, EROFS, "it is mounted read-only");
	} else if (!answer->creatable && !plan_walk_allows(w, 2)) {
		refuse(answer, EACCES, "its mode does not let the tool's user write it");
	} else if (!landlock_allows(w, dir ? LANDLOCK_ACCESS_FS_MAKE_REG
					   : LANDLOCK_ACCESS_FS_WRITE_FILE)) {
		refuse(answer, EACCES, "Landlock does not allow it");
	}
}

static void
judge_execute(const struct plan_walk *w, struct judge_path *answer)
{
	if (!S_ISREG(w->st.st_mode)) {
		refuse(answer, EACCES, "it is no regular file");
	} else if (w->on != NULL && (w->on->flags & MOUNT_NOEXEC) != 0) {
		refuse(answer, EACCES, "nothing can be executed there");
	} else if (!plan_walk_allows(w, 1)) {
		refuse(answer, EACCES, "its mode does not let the tool's user execute it");
	} else if (!landlock_allows(w, LANDLOCK_ACCESS_FS_EXECUTE)) {
		refuse(answer, EACCES, "Landlock does not allow to execute there");
	}
}

static void
judge_read(const struct plan_walk *w, struct judge_path *answer)
{
	const bool dir = S_ISDIR(w->st.st_mode);

	if (answer->ground == JUDGE_DEVICE || answer->ground == JUDGE_PROC) {
		return;
	}
	if (!plan_walk_allows(w, 4)) {
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
	[JUDGE_EXTERNAL] = "filesystem.write gives it, directly on the host",
	[JUDGE_CACHE] = "filesystem.cache gives it, kept between calls",
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
judge_absent(struct plan_walk *w, enum judge_access access, bool more, struct judge_path *answer)
{
	if (access == JUDGE_WRITE && !more && !is_writable(w)) {
		refuse(answer, EROFS, "it is mounted read-only");
		return;
	}
	if (more || !is_writable(w) || answer->ground == JUDGE_PROC) {
		refuse(answer, ENOENT,
		       answer->ground == JUDGE_NOTHING || answer->ground == JUDGE_CACHE
			       ? ground_texts[answer->ground]
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
	struct plan_walk w = { .b = j->builder, .by_mode = true, .groups = j->groups,
			       .group_count = j->group_count };
	struct judge_path answer = { .error = 0 };
	bool more = false;
	int rc;

	rc = plan_walk(&w, path, &more);
	if (rc < 0) {
		return rc;
	}
	answer.absent = w.absent;
	answer.ground = ground_of(&w);
	answer.real = w.at[0] != '\0' ? w.at : "/";
	answer.rule = rule_of(&w, answer.ground);
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
