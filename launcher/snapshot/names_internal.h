/* SPDX-License-Identifier: Apache-2.0 */
/* What the collector asks about a name beyond snapshot.h. Pure. */
#ifndef AIRLOCK_SNAPSHOT_NAMES_INTERNAL_H
#define AIRLOCK_SNAPSHOT_NAMES_INTERNAL_H

#include <sys/types.h>

#include "snapshot.h"

/*
 * names_protected_by for an entry whose type is known (mode: whole st_mode). A symlink in the place
 * of a directory that leads to a protected name (".git") is protected too: it brings its own hooks.
 */
const char *names_protected_entry(const char *path, mode_t mode, const struct strings *extra);

/* The entry of filesystem.hide that is this path, or above it; NULL when there is none. */
const char *names_hidden_entry(const char *path, mode_t mode, const struct rule_paths *hide);

/* Whether a symlink at this workspace-relative path with this target leaves the workspace. */
bool names_link_escapes(const char *path, const char *target);

#endif
