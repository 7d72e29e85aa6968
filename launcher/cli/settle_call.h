/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call whose change set is to be settled: its record, its list of changes, the layer that keeps
 * it, its workspace under the exclusive lock. airlock-cli only, as the workspace's owner. Not to be
 * included beside base/json.h (view_record.h).
 */
#ifndef AIRLOCK_CLI_SETTLE_CALL_H
#define AIRLOCK_CLI_SETTLE_CALL_H

#include "../snapshot/layer.h"
#include "../snapshot/lock.h"
#include "settle_entry.h"
#include "view_record.h"

struct settling {
	struct reading reading;
	struct store store; /* for writing */
	struct record rec;
	uint8_t call[16];
	uint8_t digest[SHA256_SIZE]; /* of the change set, as recorded */
	bool has_digest;
	struct change_list list; /* with what an undo needs, where the record names it */
	enum layer_place place;
	char layer[LAYER_NAME_SIZE];
	int place_fd;
	int workflow_fd; /* its directory, locked */
	char *workspace; /* absolute path; owned */
	int workspace_fd;
	uid_t owner_uid;
	gid_t owner_gid;
	struct workspace_lock lock;
};

#define SETTLING_INIT                                                                             \
	{                                                                                         \
		.reading = READING_INIT, .store = STORE_INIT, .rec = RECORD_INIT, .place_fd = -1, \
		.workflow_fd = -1, .workspace_fd = -1, .lock = WORKSPACE_LOCK_INIT                \
	}
#define auto_settling __attribute__((cleanup(settling_finish))) struct settling

/*
 * By what a person typed. Finds the record and the list of changes; the call must have both. -EBUSY
 * while another settles something of the same workflow: nobody settles a call twice.
 */
int settling_open(const char *name, struct settling *ret, struct err *err) must_check;
/* The same of a call that may have neither: what it left can only go. */
int settling_open_to_discard(const char *name, struct settling *ret, struct err *err) must_check;
/*
 * Reads the record anew, with all that is in the journal now. -EBUSY while a commit of the call is
 * still to be recovered: of one that did not run when it was opened, no outcome comes after this.
 */
int settling_refresh(struct settling *s, struct err *err) must_check;
void settling_finish(struct settling *s);

/* The layer of a held change set. */
int settling_open_layer(struct settling *s, struct err *err) must_check;
/* The workspace must be the directory that the call ran in; locked exclusively. */
int settling_lock_workspace(struct settling *s, struct err *err) must_check;

/* What upper_fd, laid over the workspace as it is now, would change there. */
int settling_collect(const struct settling *s, int upper_fd, struct change_set *ret,
		     struct err *err) must_check;

/*
 * The directory that a call ran in, for a lock: fd, and its path (*ret_path is the caller's to free
 * either way). -ESTALE where another one stands there now.
 */
int settling_open_workspace(const struct record *rec, char **ret_path, struct err *err) must_check;

#define SETTLING_NAMED 20u /* paths of a conflict that are told */

/*
 * Appends to out, a path a line and safe to print, where two sets differ; more than max are counted
 * in a last line. Both sorted by path.
 */
void settling_differences(const struct change_set *wanted, const struct change_set *found,
			  size_t max, struct buf *out);

#endif
