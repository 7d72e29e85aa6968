/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock rerun`: a recorded call again, on what it had as input, and what is the same.
 * airlock-cli only, as the caller. Paths, names and contents are the tools'; the second call is an
 * `airlock run` like any other, whose record is compared.
 */
#ifndef AIRLOCK_CLI_RERUN_H
#define AIRLOCK_CLI_RERUN_H

#include "../base/err.h"
#include "../profile/profile_load.h"
#include "view_page.h"
#include "view_record.h"

/* What is not as it was to begin with; sentences, safe to print. */
struct rerun_notes {
	char **items; /* owned */
	size_t count;
};

void
rerun_note(struct rerun_notes *notes, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void rerun_notes_finish(struct rerun_notes *notes);

/* ---- its input (rerun_tree.c) ---------------------------------------------------------------- */

/*
 * A directory in $STATE/scratch; its lock says that somebody uses it, and the sweep goes by that.
 */
struct rerun_scratch {
	int parent_fd, fd, tree_fd;
	char name[64];
	char *path; /* of the tree; owned */
};

#define RERUN_SCRATCH_INIT                               \
	{                                                \
		.parent_fd = -1, .fd = -1, .tree_fd = -1 \
	}
#define auto_rerun_scratch __attribute__((cleanup(rerun_scratch_finish))) struct rerun_scratch

/*
 * The input tree, with the change sets that the call ran over. -ENODATA when a content is not in
 * the store and could be, with what to set; what is never stored is as many zeros, which is noted.
 */
int rerun_tree_make(struct reading *r, const struct record *rec, struct rerun_scratch *ret,
		    struct rerun_notes *notes, struct err *err) must_check;
/* Removes it. */
void rerun_scratch_finish(struct rerun_scratch *s);

/* ---- the second call (rerun_start.c) --------------------------------------------------------- */

/*
 * Runs it; ret_id is the new call's. -EINVAL for what cannot be run again (a terminal, stdin that
 * was not kept), -ECHILD when airlock would not run it, with what it said.
 */
int rerun_start(struct reading *r, const struct record *rec, const struct rerun_scratch *scratch,
		struct rerun_notes *notes, char ret_id[UUID_TEXT_SIZE], struct err *err) must_check;

/* ---- what is the same (rerun_compare.c) ------------------------------------------------------ */

enum rerun_answer { RERUN_SAME, RERUN_DIFFERENT, RERUN_UNKNOWN, RERUN_ANSWER__COUNT };

enum rerun_what {
	RERUN_VERDICT,
	RERUN_EXIT,
	RERUN_STDOUT,
	RERUN_STDERR,
	RERUN_CHANGES,
	RERUN_WHAT__COUNT
};

/* Texts are safe to print. */
struct rerun_row {
	enum rerun_answer answer;
	struct buf then, now; /* what it was and is, in short */
	struct buf first;     /* where they differ first; empty: nobody can say */
};

struct rerun_comparison {
	struct rerun_row rows[RERUN_WHAT__COUNT];
};

#define auto_rerun_comparison \
	__attribute__((cleanup(rerun_comparison_finish))) struct rerun_comparison

extern const char *const rerun_whats[RERUN_WHAT__COUNT];
extern const char *const rerun_answers[RERUN_ANSWER__COUNT];

int
rerun_compare(struct reading *r, const struct record *then, const struct record *now,
	      struct rerun_comparison *ret, struct rerun_notes *notes, struct err *err) must_check;
bool rerun_is_same(const struct rerun_comparison *c);
/* Where two texts differ first: the number of the line, and both lines, safe. */
void rerun_first_line(const struct buf *then, const struct buf *now, struct buf *out);
void rerun_comparison_finish(struct rerun_comparison *c);

#endif
