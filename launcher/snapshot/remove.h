/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removes a tree that a tool wrote, by descriptor: follows no link, crosses no mount, opens
 * directories of mode 000 after a chmod by fd. Run by the front with the authority of the tree's
 * owner, or root.
 */
#ifndef AIRLOCK_SNAPSHOT_REMOVE_H
#define AIRLOCK_SNAPSHOT_REMOVE_H

#include "../base/cleanup.h"

/*
 * 0 also when name does not exist. -errno of the first entry that would not go; the rest is still
 * removed.
 */
int remove_tree(int parent_fd, const char *name) must_check;
/* All that is in it; it is the caller's to read and write. */
int remove_content(int dir_fd) must_check;

#endif
