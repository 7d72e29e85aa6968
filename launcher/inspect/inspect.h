/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What airlock-inspect says: one function per section, in sections.def. Each looks and says in one
 * go. What cannot be looked at is null or absent, never an end of the rest. Nothing that is there
 * is changed; a file is made only to see whether it can be, and has no name or loses it at once.
 */
#ifndef AIRLOCK_INSPECT_INSPECT_H
#define AIRLOCK_INSPECT_INSPECT_H

#include "../base/arena.h"
#include "../base/buf.h"
#include "report.h"

/* What several sections look at, read once. */
struct look {
	struct report *report;
	struct arena arena;
	struct buf status, mounts;	/* /proc/self/status, mountinfo; "" where there is none */
	const char *const *environment; /* NAME=VALUE; the values are nobody's business */
};

#define SECTION(name, function, sentence) void function(struct look *l);
#include "sections.def"
#undef SECTION

/* "ok" for 0, else the name of an errno; TRY_NO_ANSWER: "killed". */
const char *inspect_result(int error);
/* A whole file of /proc in memory of l, "" when it cannot be read. */
const char *inspect_slurp(struct look *l, const char *path);
/* A copy of each mount line, cut up: calls back until it gives false. */
struct parsed_mount;
void inspect_each_mount(struct look *l,
			bool (*one)(struct look *l, const struct parsed_mount *m, void *context),
			void *context);
/* The value of a variable, for those that name a directory; NULL. */
const char *inspect_variable(const struct look *l, const char *name);
/* The names in dir that are numbers, ascending, at most max of them, in memory of l. */
size_t inspect_numbers(struct look *l, const char *dir, size_t max, int **ret);
/* The next line of *at, in memory of l and without its newline; NULL at the end. */
char *inspect_line(struct look *l, const char **at);

#endif
