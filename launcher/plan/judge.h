/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions to a profile, answered without running anything: may a path be used, may a system call
 * be made. The answers come from what a call would get, not from rules written a second time: the
 * plan's own mount and Landlock rows over the host's files as they are now, and the table that the
 * filter is checked against. airlock-cli only, as the caller.
 */
#ifndef AIRLOCK_PLAN_JUDGE_H
#define AIRLOCK_PLAN_JUDGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "plan_build.h"

/* ---- paths ----------------------------------------------------------------------------------- */

enum judge_access { JUDGE_SEE, JUDGE_READ, JUDGE_WRITE, JUDGE_EXECUTE, JUDGE_ACCESS__COUNT };

/* What a path stands on, inside. */
enum judge_ground {
	JUDGE_NOTHING,	/* no rule shows it */
	JUDGE_SKELETON, /* what every sandbox has: directories, links, files that are made up */
	JUDGE_HOST,	/* a read path of the profile */
	JUDGE_EXTERNAL, /* a directory of filesystem.write */
	JUDGE_CACHE,	/* a directory of filesystem.cache */
	JUDGE_WORKSPACE,
	JUDGE_SCRATCH, /* /tmp, HOME, /dev/shm: the call's own, empty at its start */
	JUDGE_DEVICE,
	JUDGE_PROC,
	JUDGE_MASKED, /* covered, so that what is there cannot be seen */
	JUDGE_GROUND__COUNT
};

struct judge_path {
	int error; /* what the tool gets; 0: allowed */
	enum judge_ground ground;
	bool absent;		      /* nothing of that name is there now */
	bool creatable;		      /* … and the tool may make it */
	const char *real;	      /* where links led, inside; owned by the judge */
	const struct rule_path *rule; /* of filesystem.read, write, cache or hide; else NULL */
	const char *why;	      /* a few words, static */
};

struct judge; /* a plan for nobody's call */

/*
 * profile and request are borrowed until judge_destroy. request: identity, workspace, mode, limits,
 * landlock_abi; the rest may be empty. Fails where a call would be refused for its mounts.
 */
int judge_create(const struct profile *profile, const struct request *request, struct judge **ret,
		 struct err *err) must_check;
void judge_destroy(struct judge *j);
/* path: absolute. -ENOMEM; -ENAMETOOLONG; otherwise 0 with an answer. */
int judge_path(struct judge *j, const char *path, enum judge_access access, struct judge_path *ret)
	must_check;

/* ---- the rest of a request ------------------------------------------------------------------- */

struct judge_environment {
	bool crosses;
	/* KEY__COUNT: no key, the variable is airlock's own or refused */
	enum profile_key_id key;
	const char *entry; /* of that key; NULL as above */
	const char *why;
};

/* What a call's environment has of one name, and by which entry. Pure. */
struct judge_environment judge_environment(const struct profile *p, const char *name);

struct judge_command {
	int error;		      /* 0: may be the command of a call */
	const char *path;	      /* what is executed, links followed; NULL when not found */
	const char *entry;	      /* of tool.run, when that decided */
	const struct rule_path *rule; /* of filesystem.read, that shows it */
	const char *why;
};

/*
 * As the launcher looks a command up: a name in `path`, the PATH of the tool; a path with a slash
 * as it is (below the workspace when it is relative). -ENOMEM, -ENAMETOOLONG, or 0 with an answer.
 */
int judge_command(struct judge *j, const char *name, const char *path, struct judge_command *ret)
	must_check;

/* ---- system calls ---------------------------------------------------------------------------- */

struct judge_syscall {
	int error;	    /* what the tool gets; 0: allowed */
	const char *group;  /* that has the call; NULL: none has */
	const char *listed; /* the profile's entry that grants it, or "@jail"; NULL: none does */
	bool depends;	    /* on its arguments */
	const char *what;   /* the table's reason for the call */
	const char *why;    /* … and for this answer */
};

/* -ENOENT: the table has no such call. All texts are static or the profile's. Pure. */
int judge_syscall(const struct strings *groups, const char *name, const uint64_t args[6],
		  struct judge_syscall *ret) must_check;
struct judge_number {
	int number;   /* on this processor; -1: it has no such call */
	bool depends; /* on its arguments */
};

/* Of a call that the table has; -1 as well where it has none. Pure. */
struct judge_number judge_syscall_number(const char *name);
/* The n-th case of a call that depends on its arguments, NULL behind the last. Pure. */
const char *judge_syscall_case(const char *name, size_t index, int *ret_error);
/* The name of a call that is nearest to word; NULL when none is near. Pure. */
const char *judge_syscall_nearest(const char *word);

#endif
