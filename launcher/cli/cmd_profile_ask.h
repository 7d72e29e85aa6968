/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions to one profile, with the reason, the rule and the remedy of each answer, for
 * `profile explain` and `profile test`. Nothing is run. airlock-cli only, as the caller.
 */
#ifndef AIRLOCK_CLI_CMD_PROFILE_ASK_H
#define AIRLOCK_CLI_CMD_PROFILE_ASK_H

#include "../base/arena.h"
#include "../plan/judge.h"
#include "../plan/toolchains.h"
#include "../plan/worktree.h"
#include "../profile/vectors.h"
#include "cmd_profile.h"

/* A profile, and the plan of a call that nobody makes. */
struct ask {
	struct places places;
	struct profile_loaded loaded;
	struct request request;
	struct judge *judge;
	struct arena arena;
	struct toolchain_query query;
	struct toolchains toolchains;
	struct worktree worktree;
	const char *path;		       /* the PATH of the tool */
	char *workspace, *home, *user, *state; /* owned */
	char *scratch; /* owned: the workspace was made here; NULL when it was not */
};

struct ask_answer {
	bool allowed;
	bool absent; /* the host has nothing of that name, whatever the profile says */
	bool masked; /* something covers the path */
	int error;   /* what the tool gets, where that is known */
	struct buf why;
	enum profile_key_id key; /* the rule's; KEY__COUNT when no key decides */
	struct buf place;	 /* FILE:LINE of the rule */
	struct buf remedy;	 /* of what is denied: lines; empty when nothing would allow it */
};

#define auto_ask __attribute__((cleanup(ask_finish))) struct ask
#define auto_answer __attribute__((cleanup(ask_answer_finish))) struct ask_answer
#define ASK_ANSWER_INIT                                                                   \
	{                                                                                 \
		.key = KEY__COUNT, .why = BUF_INIT, .place = BUF_INIT, .remedy = BUF_INIT \
	}

/*
 * profile: a name, or a path with a slash; dir: the workspace, whose owner's home is meant when
 * root asks, or NULL for one that is made. Errors in the profile's file go to report. ask_workspace
 * comes next, once, before any question.
 */
int ask_profile(struct ask *a, const char *profile, const char *dir, struct buf *report,
		struct err *err) must_check;
/* A new, empty directory for a workspace, which ask_finish removes. */
int ask_scratch(struct ask *a, struct err *err) must_check;
/* dir: the workspace, as above. */
int ask_workspace(struct ask *a, const char *dir, struct err *err) must_check;
void ask_finish(struct ask *a);

int ask_vector(struct ask *a, const struct vector *v, struct ask_answer *ret, struct err *err)
	must_check;
/* The same for a question as its author wrote it, which was read already. */
int ask_question(struct ask *a, const struct profile_question *q, struct vector *ret_vector,
		 struct ask_answer *ret, struct err *err) must_check;
void ask_answer_finish(struct ask_answer *answer);
/* The path of a question as a call would see it: "~/" and names in the workspace. Heap, or NULL. */
char *ask_path(const struct ask *a, const char *subject);

#endif
