/* SPDX-License-Identifier: Apache-2.0 */
/* The state directory, opened for the reading verbs. airlock-cli only, as the caller. */
#ifndef AIRLOCK_CLI_VIEW_STATE_H
#define AIRLOCK_CLI_VIEW_STATE_H

#include "../base/err.h"
#include "../store/index.h"
#include "../store/store.h"

struct reading {
	struct store store;
	struct index *
		ix; /* read-only, on one snapshot, caught up; NULL when nothing was ever recorded */
	bool has_no_room;	      /* for the index: ix is a temporary one, and that was said */
	struct pack_catalog *catalog; /* of the workflow that was read last; NULL: none yet */
	uint8_t catalog_workflow[16];
};

#define READING_INIT                            \
	{                                       \
		.store = STORE_INIT, .ix = NULL \
	}
#define auto_reading __attribute__((cleanup(reading_finish))) struct reading

/* Where the caller's environment says that the state directory is; a heap string. */
int reading_path(char **ret_path, struct err *err) must_check;
/* Where there is no store: -ENOENT, with where it was looked for. */
int reading_open(struct reading *ret, struct err *err) must_check;
/* The same, and nothing is said but what went wrong: another program reads the answer. */
int reading_open_quiet(struct reading *ret, struct err *err) must_check;
/* As that, and commits that a crash cut short are left as they are. */
int reading_open_raw(struct reading *ret, struct err *err) must_check;
/* A newer snapshot of the index, with everything that is in the journal now. */
int reading_refresh(struct reading *r, struct err *err) must_check;
void reading_finish(struct reading *r);

/* Whether a front holds the call: it runs. */
bool reading_is_running(const struct reading *r, const char *id);
/* Whether one that runs is stopped where it is, and its clock. */
bool reading_is_frozen(const struct reading *r, const char *id);

/*
 * The workflow that a person means, for an index_query: the id of one that has the name now, also
 * where it had no call; else what was said. ret has room for an id; NULL stays NULL.
 */
const char *
reading_workflow(const struct reading *r, const char *said, char ret[UUID_TEXT_SIZE]) must_check;

/* The ids of calls, in the order of the list. */
struct call_ids {
	char (*items)[UUID_TEXT_SIZE]; /* owned */
	size_t count;
	char workflow[UUID_TEXT_SIZE]; /* of the last */
	bool several;		       /* they are not all of that one */
};

/* What was listed before a failure is in ret, too; the caller has it freed. */
int reading_list(struct reading *r, const struct index_query *query, struct call_ids *ret,
		 struct err *err) must_check;

/*
 * Where the layer of a call's held change set lies: "draft", where later calls of the workflow see
 * it, "aside", or "" when there is none, so that nothing can be applied.
 */
const char *
reading_layer(const struct reading *r, const char *workflow, uint64_t seq, const char *id);

#endif
