/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which toolchains of profile/toolchains.def this host has, what a call is shown of them, and the
 * PATH that finds them. Run by the front with the caller's or owner's authority, before the plan.
 * Goes by files alone: no program of a toolchain is ever run to ask it. Trusts nothing in a
 * variable: a directory that one names must hold what that tool keeps there, must be root's or the
 * caller's, and only what the table lists below it is given.
 */
#ifndef AIRLOCK_PLAN_TOOLCHAINS_H
#define AIRLOCK_PLAN_TOOLCHAINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/arena.h"
#include "../base/cleanup.h"
#include "../profile/profile.h"

struct identity;

/* A host path that will be seen inside, after links were resolved. */
struct read_entry {
	const char *path;
	mode_t type;      /* S_IFDIR, S_IFREG or S_IFLNK */
	bool is_program;  /* of S_IFREG: somebody may execute it */
	uint64_t size;    /* of S_IFREG, bytes */
	const char *link; /* of S_IFLNK */
	const struct rule_path *rule; /* of filesystem.read, that led here; NULL: a toolchain's */
};

/* What must not be readable inside although it lies below an entry. */
struct read_mask {
	const char *path;
	bool is_dir;
};

/* A directory that was given, by its row. */
struct toolchain_place {
	enum toolchain id;
	const char *asked;    /* as the variable or the table names it */
	const char *root;     /* the same without links */
	const char *variable; /* NULL unless the variable named it */
	const char *programs; /* of the row */
};

struct toolchains {
	struct toolchain_place *places;
	size_t place_count;
	struct read_entry *shown;
	size_t shown_count;
	struct read_mask *masks;
	size_t mask_count;
};

struct toolchain_query {
	uint32_t wanted; /* TOOLCHAIN_* bits */
	const struct identity *identity;
	const char *workspace;
	const char *state; /* a directory of airlock's own that is never shown */
	char *(*variable)(const char *name); /* getenv(3) */
};

const char *toolchain_name(enum toolchain id);
/* Fills ret, all of it in the arena. What cannot be given safely is left out. -ENOMEM. */
int toolchains_find(struct arena *a, const struct toolchain_query *q, struct toolchains *ret)
	must_check;
/*
 * A path overlaps the state directory, or a place of secrets. home is without links; NULL: only as
 * a place in any home counts.
 */
bool toolchain_is_secret(const char *home, const char *state, const char *path);
/* The names of what was given, sorted, each once; at most TOOLCHAIN__COUNT. */
size_t toolchains_names(const struct toolchains *t, const char *ret_names[TOOLCHAIN__COUNT]);
/*
 * The toolchain, not among those wanted, that would show a host path: for messages. NULL when none
 * would.
 */
const char *toolchain_of(const struct toolchain_query *q, const char *path);
/*
 * The virtual environment in the workspace that the caller has activated, or whose program is the
 * command; NULL when there is none.
 */
const char *toolchain_venv(struct arena *a, const struct toolchain_query *q, const char *cwd,
			   const char *command);
/*
 * The profile's PATH with the directories of what was given: where the caller's own PATH has them,
 * so that a name means the same program inside as outside. first may be NULL. NULL: no memory.
 */
const char *toolchains_path(struct arena *a, const struct toolchains *t, const char *profiles,
			    const char *callers, const char *first);

#endif
