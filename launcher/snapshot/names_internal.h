/* SPDX-License-Identifier: Apache-2.0 */
/* What the collector and the commit ask about a name beyond snapshot.h. Pure. */
#ifndef AIRLOCK_SNAPSHOT_NAMES_INTERNAL_H
#define AIRLOCK_SNAPSHOT_NAMES_INTERNAL_H

#include <limits.h>
#include <sys/types.h>

#include "snapshot.h"

/* Classes of names.def, the strongest first. */
enum name_class {
	NAME_NEVER, /* never committed, whoever says so */
	NAME_HELD,  /* held for a person */
	/* held, but for a configuration of git whose changes are all harmless (gitconfig.h) */
	NAME_CHECKED,
	NAME_WATCHED, /* committed, and told */
	NAME__NONE
};

/*
 * The strongest class of names.def for an entry of that type (mode: whole st_mode; 0: any type),
 * and the rule as people see it, "built-in: .git/hooks: git runs these" (static; NULL with
 * NAME__NONE). A symlink in the place of a directory that leads to such a name (".github") has its
 * class: it brings its own workflows.
 */
enum name_class names_class(const char *path, mode_t mode, const char **ret_says);

/* The profile's own entry (filesystem.protect) that is this path, or above it; NULL: none. */
const char *names_profile_entry(const char *path, mode_t mode, const struct strings *extra);

/* The entry of filesystem.hide that is this path, or above it; NULL when there is none. */
const char *names_hidden_entry(const char *path, mode_t mode, const struct rule_paths *hide);

/*
 * Whether a symlink at this workspace-relative path with this target leaves the workspace.
 * workspace: its absolute path; a target below that, by its text, stays inside. NULL: every
 * absolute one leaves.
 */
bool names_link_escapes(const char *path, const char *target, const char *workspace);

/*
 * The component at *p, which moves behind it and its separators; its length, cut to NAME_MAX. fold:
 * in lower case, without what a case-insensitive file system ignores or Windows takes off the end,
 * and with every character that looks like a separator, or becomes one, taken for one.
 */
size_t names_take(const char **p, bool fold, char name[NAME_MAX + 1]);

#endif
