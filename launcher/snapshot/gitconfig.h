/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a change of a repository's configuration is harmless: git runs commands and follows
 * addresses that stand there. Pure: bytes in, an answer out. Run by the front as the workspace's
 * owner; the bytes are a tool's. What is not understood is not harmless.
 */
#ifndef AIRLOCK_SNAPSHOT_GITCONFIG_H
#define AIRLOCK_SNAPSHOT_GITCONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "../base/buf.h"
#include "../base/cleanup.h"

#define GITCONFIG_BYTES_MAX (1u << 20)
#define GITCONFIG_ENTRIES_MAX 16384u

/* One "key = value", as git sees it: section and key in lower case, the subsection as written. */
struct gitconfig_entry {
	const char *section;
	const char *subsection; /* NULL: none */
	const char *key;
	const char *value; /* NULL: a key without "=" */
};

struct gitconfig {
	struct gitconfig_entry *items;
	size_t count, cap;
	char *bytes;	    /* what the items point into */
	size_t broken_line; /* where git, or we, would stop; 0: nowhere */
};

/*
 * Reads by git's own grammar. What git refuses, and beyond it NUL bytes, more than
 * GITCONFIG_ENTRIES_MAX entries and keys outside a section, sets broken_line. -ENOMEM. ret is
 * finished by gitconfig_finish, also on failure.
 */
int gitconfig_parse(const char *bytes, size_t len, struct gitconfig *ret) must_check;
void gitconfig_finish(struct gitconfig *g);

/*
 * Compares by gitconfig.def. *ret_why stays empty when every difference is harmless; else it says
 * which key is not, and why: "core.fsmonitor: git runs it". A file that was not there is an empty
 * one.
 */
int gitconfig_judge(const struct gitconfig *before, const struct gitconfig *after,
		    struct buf *ret_why) must_check;

#endif
