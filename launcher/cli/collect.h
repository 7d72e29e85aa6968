/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can go of a workflow: for `airlock forget` and `airlock gc`. airlock-cli only, as the
 * caller. What is to go is logged (collect_log) before the first of it goes, so that a crash in the
 * middle leaves something that is missing for a reason, and doing it again finishes it.
 */
#ifndef AIRLOCK_CLI_COLLECT_H
#define AIRLOCK_CLI_COLLECT_H

#include "view_state.h"

/* One call, as far as it decides what may go. */
struct collect_call {
	char id[UUID_TEXT_SIZE];
	bool is_unknown; /* no outcome, and nobody settled it */
	bool is_held;
};

struct collect_calls {
	struct collect_call *items; /* owned */
	size_t count;
	uint64_t newest_ms; /* of all their entries */
};

void collect_calls_finish(struct collect_calls *calls);
/* Those of a workflow (its whole id), in order; none of one that was forgotten. */
int collect_calls_list(struct reading *r, const char *workflow, struct collect_calls *ret,
		       struct err *err) must_check;

enum collect_kind { COLLECT_OBJECTS, COLLECT_ALL }; /* of gc; of forget */

struct collect {
	struct store *store; /* borrowed */
	enum collect_kind kind;
	char workflow[UUID_TEXT_SIZE];
	uint8_t uuid[16];
	int dir_fd;   /* wf/<workflow>, locked against who settles; -1 when it is not there */
	int calls_fd; /* its list of calls, locked against calls */
};

#define COLLECT_INIT                         \
	{                                    \
		.dir_fd = -1, .calls_fd = -1 \
	}
#define auto_collect __attribute__((cleanup(collect_finish))) struct collect

/* -EBUSY, with the reason, while a call of the workflow runs or somebody settles one. */
int collect_lock(struct store *s, const char *workflow, enum collect_kind kind, struct collect *ret,
		 struct err *err) must_check;
void collect_finish(struct collect *c);

/*
 * -EBUSY when a change set waits for a person, or a layer is kept of which the index does not say
 * that it was settled: err names it, and what to do.
 */
int collect_check_held(const struct collect *c, const struct collect_calls *calls, struct err *err)
	must_check;

/* Its name among those of workflows, where it has one: the first that goes. */
int collect_drop_name(const struct collect *c, struct err *err) must_check;

/* What collect_remove would remove: objects in packs, bytes on the disk. */
void collect_measure(const struct collect *c, uint64_t *ret_objects, uint64_t *ret_bytes);
/* Goes on after a failure; the first is returned. */
int collect_remove(const struct collect *c, struct err *err) must_check;

/* A file, or a directory with all that is in it; 0 also when it is not there. -errno. */
int collect_unlink(int dir_fd, const char *name) must_check;

/* What a gc entry says. */
struct collect_entry {
	const char *action;   /* "forget" or "gc" */
	const char *workflow; /* NULL: of none */
	const char *reason;   /* NULL: none */
	uint64_t entries, objects, bytes;
	bool by_age;
	uint64_t older_than_ms;
};

/* Durable when it returns 0. */
int collect_log(struct store *s, const struct collect_entry *e, struct err *err) must_check;
/*
 * The log covers what was logged: who verifies takes nothing for gone that no signed entry says.
 * Behind the removal, which may be what makes room for it; a later call makes up for it as well.
 */
int collect_sign(struct err *err) must_check;

/* Looks for what crashes left, and removes it unless dry; puts a line about each. */
struct collect_swept {
	struct reading *reading; /* borrowed */
	struct store *store;
	bool dry;
	uint64_t count, bytes;
	struct buf *lines; /* borrowed; NULL: none wanted */
	int failed;	   /* the first -errno of what would not go */
};

int collect_sweep(struct collect_swept *s, struct err *err) must_check;

#endif
