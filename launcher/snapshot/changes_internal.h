/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the change set share. Run by the front as the workspace's owner. */
#ifndef AIRLOCK_SNAPSHOT_CHANGES_INTERNAL_H
#define AIRLOCK_SNAPSHOT_CHANGES_INTERNAL_H

#include "../base/buf.h"
#include "fsat.h"
#include "snapshot.h"

/* "create" …; the word in the canonical list. */
const char *changes_kind_word(enum change_kind kind);

#define CHANGES_LIST_TITLE "airlock-changes v1"

/* The canonical bytes of a sorted set (docs/formats.md, "Change set"). */
int changes_list_write(const struct change_set *cs, const uint8_t call[16], uint64_t workspace_dev,
		       uint64_t workspace_ino, struct buf *out) must_check;

/* Sets hold and hold_rule. capability: the entry carries a file capability. */
int changes_judge(struct change *ch, bool capability, const struct strings *protect,
		  const struct rule_paths *hide) must_check;

/* Takes over what item owns; frees it on failure. -E2BIG past CHANGES_MAX or CHANGES_PATH_BYTES. */
int changes_append(struct change_set *cs, struct change *item) must_check;
void changes_drop(struct change *item); /* frees what item owns */
/* Sorts by raw path bytes and counts. */
void changes_sort(struct change_set *cs);
/* The change of that path, NULL when there is none; the set must be sorted. */
const struct change *changes_find(const struct change_set *cs, const char *path);

#endif
