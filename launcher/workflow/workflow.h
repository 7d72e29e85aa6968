/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workflows of a state directory: names, ids, definitions (docs/formats.md, "Workflows"). A
 * workflow is made by `airlock workflow new`; `local` needs none of it: it is one per workspace and
 * UTC day. The front reads, airlock-cli makes, both as the caller.
 */
#ifndef AIRLOCK_WORKFLOW_WORKFLOW_H
#define AIRLOCK_WORKFLOW_WORKFLOW_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/text.h"
#include "../store/store.h"

#define WORKFLOW_NAME_MAX 64u
#define WORKFLOW_STEPS_MAX 64u
#define WORKFLOW_NAMES "names" /* in $STATE: a file for each name, which holds the id */

/* 1 to WORKFLOW_NAME_MAX of [A-Za-z0-9._-], no leading dot or dash, no id, and not "local". */
bool workflow_name_is_good(const char *name);

/*
 * The id of a workflow by its name, or by its id (36 characters) where such a one exists. -ENOENT
 * with what to do (`airlock workflow new`).
 */
int workflow_find(const struct store *s, const char *name, uint8_t ret_id[16], struct err *err)
	must_check;

/* The directory of a workflow, wf/<id>; made (0700) where `make` says so. fd or -errno. */
int
workflow_dir(const struct store *s, const uint8_t id[16], bool make, struct err *err) must_check;

#endif
