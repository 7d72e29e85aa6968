/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call's workspace as a flat list: as the tool found it, or as it left it. Made of the directory
 * objects and change sets in the packs, so nothing of the workspace itself is read. airlock-cli
 * only, as the caller; names and targets are the tool's.
 */
#ifndef AIRLOCK_CLI_VIEW_TREE_H
#define AIRLOCK_CLI_VIEW_TREE_H

#include <stdbool.h>

#include "view_record.h"

struct change_set;

struct tree_entry {
	char *path;	   /* raw, from the workspace down; owned */
	char kind;	   /* as dirobj_kind */
	unsigned int mode; /* the four octal digits */
	uint64_t size;	   /* of regular files */
	bool has_digest;   /* a regular file's bytes; false: they could not be read */
	bool is_entered;   /* of a directory: what is below is in the list */
	uint8_t digest[SHA256_SIZE];
	char *target; /* of links; owned, else NULL */
};

/* Parents before what is below them: by path, with '/' before every other byte. */
struct tree_list {
	struct tree_entry *entries;
	size_t count, cap;
};

#define TREE_LIST_INIT                                \
	{                                             \
		.entries = NULL, .count = 0, .cap = 0 \
	}
#define auto_tree_list __attribute__((cleanup(tree_list_finish))) struct tree_list

enum tree_side { TREE_IN, TREE_OUT };

/*
 * The tree of that side: the input tree with the change sets that the call ran over and, for
 * TREE_OUT, its own, whether or not they were committed. It is whole, or this fails: -ENODATA with
 * the reason when something was not recorded or is not in the packs.
 */
int tree_list_read(struct reading *r, const struct record *rec, enum tree_side side,
		   struct tree_list *ret, struct err *err) must_check;
/* The list as it is behind the changes. -ENOMEM; then the list is not to be used. */
int tree_list_apply(struct tree_list *list, const struct change_set *set) must_check;
/* The order of the list. */
int tree_path_compare(const char *a, const char *b);
void tree_list_finish(struct tree_list *list);

/* mtree(5), flat: docs/formats.md, "Export". */
void tree_print_mtree(const struct tree_list *list, struct buf *out);

#endif
