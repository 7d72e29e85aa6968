/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by plan_build.c, plan_read.c (read paths), plan_confine.c (Landlock, rlimits, synthetic
 * files).
 */
#ifndef AIRLOCK_PLAN_PLAN_BUILD_INTERNAL_H
#define AIRLOCK_PLAN_PLAN_BUILD_INTERNAL_H

#include "../base/arena.h"
#include "plan_build.h"
#include "toolchains.h"
#include "worktree.h"

struct plan_builder {
	struct arena arena;
	const struct profile *profile;
	const struct request *request;
	struct mount_table mounts;
	struct plan plan;
	size_t mount_room;
	struct read_entry *reads; /* sorted by path once plan_add_reads is done */
	size_t read_count, read_room;
	const struct rule_path *rule; /* the one whose path is being resolved */
	/* known to be a directory reached without a link; spares most lstats */
	const char *plain_dir;
	const char **hidden;       /* mount points inside the workspace */
	size_t hidden_count;
	struct rule_path *masked;  /* filesystem.hide that is there: absolute paths */
	size_t masked_count;
	bool worktree_shown;           /* request->worktree made its rows */
	const char *worktree_conflict; /* why it made none, or NULL */
};

/* Appends a row; the strings are borrowed. -ENOMEM. */
int plan_row(struct plan_builder *b, struct plan_mount row) must_check;
/* Parents before children: '/' sorts before every other byte. */
int plan_path_order(const char *a, const char *b);
int plan_add_reads(struct plan_builder *b, struct err *err) must_check;
/*
 * What airlock makes up for every sandbox (/etc/passwd, /var/tmp …): a read path never shows the
 * host's.
 */
bool plan_made_up(const char *path);
bool plan_made_up_below(const char *dir);
struct stat;
/*
 * The entry behind a path without slash at its start, O_PATH, no link followed: -ELOOP where one is
 * on the way, *ret_link is the length of the path up to it.
 */
int plan_open_plain(int dirfd, const char *path, struct stat *ret_st, size_t *ret_link) must_check;
int plan_add_writes(struct plan_builder *b, struct err *err) must_check;
int plan_add_caches(struct plan_builder *b, struct err *err) must_check;
int plan_add_git(struct plan_builder *b, struct err *err) must_check;
int plan_add_worktree(struct plan_builder *b, struct err *err) must_check;
int plan_add_hidden(struct plan_builder *b, struct err *err) must_check;
/* The row of b->masked that is this path or above it, or NULL; there is one at most. */
const struct rule_path *plan_masked_by(const struct plan_builder *b, const char *path);
int plan_add_synthetic(struct plan_builder *b, struct err *err) must_check;
int plan_add_landlock(struct plan_builder *b, struct err *err) must_check;
int plan_add_rlimits(struct plan_builder *b, struct err *err) must_check;

#endif
