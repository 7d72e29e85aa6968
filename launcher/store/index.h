/* SPDX-License-Identifier: Apache-2.0 */
/*
 * $STATE/index.db: the journal as SQLite rows, so that calls can be found. It follows the journal
 * and holds no truth of its own: it can be dropped and made again at any time, with the same rows.
 * airlock-log and airlock-cli link it, as the caller; the front never does. Trusts: the state
 * directory is the caller's own (store_open_*); what stands in an entry is checked before it
 * becomes a row.
 *
 * At most one read-write connection exists at a time: whoever holds a flock on $STATE/index.lock
 * (SQLite before 3.51.3 can corrupt a WAL that two connections write or checkpoint at once). No
 * mmap.
 */
#ifndef AIRLOCK_STORE_INDEX_H
#define AIRLOCK_STORE_INDEX_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/text.h"
#include "store.h"

struct index;

#define auto_index __attribute__((cleanup(index_close_slot))) struct index *

/*
 * Takes the lock and opens the one read-write connection; makes, or makes again, a file that is
 * absent, of another schema version, damaged, or ahead of the journal. -EWOULDBLOCK when another
 * holds the lock and wait is false. *ret_index is owned by the caller.
 */
int
index_open_write(struct store *s, bool wait, struct index **ret_index, struct err *err) must_check;
/* Drops the file under the lock, then as above. */
int index_rebuild(struct store *s, bool wait, struct index **ret_index, struct err *err) must_check;
/* A read-only connection on one snapshot. -ENOENT when there is no index yet. */
int index_open_read(const struct store *s, struct index **ret_index, struct err *err) must_check;
void index_close(struct index *ix);
void index_close_slot(struct index **slot);

/*
 * Takes in every whole journal entry behind the stored position; each batch and the position after
 * it are one transaction. An entry that is not what docs/formats.md says becomes a row of
 * `damaged`. *ret_entries counts what was taken in (damaged ones too).
 */
int
index_ingest(struct index *ix, struct store *s, uint64_t *ret_entries, struct err *err) must_check;

/*
 * When it returns 0, everything that was in the journal at the time of the call is in the index: by
 * this process under the lock, or by the process that holds it.
 */
int index_catch_up(struct store *s, struct err *err) must_check;

/*
 * A workflow by its id, a start of that (at least INDEX_PREFIX_MIN characters), or its name; also
 * one that was forgotten. -ENOENT; -ENOTUNIQ, with the candidates in err.
 */
int index_workflow(struct index *ix, const char *name, char ret_id[UUID_TEXT_SIZE], struct err *err)
	must_check;
/* When the newest entry of its calls was made; 0 when there is none. */
int index_workflow_newest(struct index *ix, const char *workflow, uint64_t *ret_ms, struct err *err)
	must_check;
/* How many entries of the workflow's calls still have a record. */
int index_forgettable(struct index *ix, const char *workflow, uint64_t *ret_entries,
		      struct err *err) must_check;
/*
 * Takes the records of all calls of a workflow out of the journal and makes the index again. The
 * store is open for writing; the gc entry that says so is in the journal already, no call of the
 * workflow runs and nobody settles one: the caller has its locks. A crash leaves some records, and
 * doing it again takes them.
 */
int index_forget(struct store *s, const char *workflow, struct err *err) must_check;

/* ---- reading -------------------------------------------------------------------------------- */

/* Of what a workflow's budget bounds. */
struct index_use {
	uint64_t calls, wall_ms, cpu_ms, disk_bytes;
};

/* One row of `call`. Strings are borrowed until the callback returns; "" where absent. */
struct index_call {
	const char *id, *workflow, *workflow_name, *key, *profile, *mode, *tool, *command;
	const char *verdict; /* "unknown" while there is no outcome */
	/*
	 * how it is settled now: by its last settle entry, else by its outcome; "" while there is
	 * neither
	 */
	const char *settled;
	const char *workspace;	    /* in vis octal */
	const char *reason;	    /* of the last settle entry that has one, else of the outcome */
	const char *changes_digest; /* of the change set */
	uint64_t seq, uid;
	uint64_t t0_ms, t1_ms; /* t1 0 while there is no outcome */
	int exit;	       /* -1 when the tool did not exit */
	int signal;	       /* 0 when none */
	uint64_t created, modified, deleted, held, denials, degraded;
	const char *request_digest, *request_parts;
	const char *retry;  /* "safe" or "ask"; "" in records that do not say */
	const char *answer; /* of the last resolve entry: "done", "not-done", "rerun" */
	uint32_t attempt;   /* of its key, from 1 */
	const char *retry_of, *step;
	/* used: 0 but calls, 1, while there is no outcome; reserved: lowered by its lost entry */
	struct index_use used, reserved;
	uint64_t lost_ms; /* when it was found without its front; 0: it was not */
};

typedef int (*index_call_fn)(void *arg, const struct index_call *call);

/* NULL or 0: any. workflow: its id, a prefix of that, or its name. */
struct index_query {
	const char *workflow, *profile, *verdict;
	const char *settled;	     /* "held": what waits for a person */
	uint64_t since_ms, until_ms; /* when it started: from the first on, before the second */
	uint64_t last;		     /* the newest so many */
	/*
	 * Asked of each call that the rest lets through, newest first, until there are enough: 1
	 * takes it, 0 does not, else -errno. May ask the index other questions.
	 */
	index_call_fn match;
	void *match_arg;
	bool by_seq; /* in the order of their numbers in the workflow; match NULL */
};

/* Oldest first. fn's non-zero result ends the walk and is returned. */
int index_list(struct index *ix, const struct index_query *query, index_call_fn fn, void *arg,
	       struct err *err) must_check;

/*
 * The calls of a workflow (its whole id), oldest first; forgotten ones are none. fn's non-zero
 * result ends the walk and is returned.
 */
int index_workflow_calls(struct index *ix, const char *workflow, index_call_fn fn, void *arg,
			 struct err *err) must_check;

/*
 * A call by its id, a unique prefix (dashes may be left out, at least INDEX_PREFIX_MIN digits) or
 * "@last", which is none that served another one. -EINVAL when it is none of these; -ENOENT;
 * -ENOTUNIQ, with the candidates in err. A forgotten call is found as well.
 */
#define INDEX_PREFIX_MIN 4
int index_find(struct index *ix, const char *name, char ret_id[UUID_TEXT_SIZE], struct err *err)
	must_check;
/* How many characters of each id of a list are needed so that it names one call (at least min). */
int index_prefix_len(struct index *ix, const char *id, size_t min, size_t *ret_len, struct err *err)
	must_check;

/*
 * The records' bytes as the journal has them; an absent outcome leaves its buf empty. -ENODATA when
 * they were forgotten; err says by whom and when.
 */
int index_records(struct index *ix, const char *id, struct buf *planned, struct buf *outcome,
		  struct err *err) must_check;

/*
 * What the record lists of a call's changes: how many, and how many of them are at the path or
 * below it. path is in vis octal, from the workspace down; "": all are.
 */
int index_changed(struct index *ix, const char *id, const char *path, uint64_t *ret_listed,
		  uint64_t *ret_there, struct err *err) must_check;

/* The names of the profiles that calls ran under, sorted; each ended by a NUL. */
int index_profiles(struct index *ix, struct buf *ret_names, struct err *err) must_check;
/* Whether the digest of one of a call's entries, as a leaf of the log has it, begins so: in hex. */
int index_has_entry(struct index *ix, const char *id, const char *prefix, bool *ret,
		    struct err *err) must_check;
/* How many calls are forgotten: nobody knows what they did. */
int index_forgotten_count(struct index *ix, uint64_t *ret_count, struct err *err) must_check;

/*
 * An entry that says how a call is settled: its outcome (settled "", which the record says) or a
 * settle entry. Strings are borrowed until the callback returns.
 */
struct index_step {
	uint64_t n;
	const char *call, *settled;
	uint64_t t_ms; /* of the outcome: when the call ended */
	int64_t uid;   /* who settled; of an outcome -1 */
};

typedef int (*index_step_fn)(void *arg, const struct index_step *step);

/*
 * In the order of the journal, those of calls of a workspace that changed the path, or may have:
 * not all that they changed stands in the record. Both paths are in vis octal. fn's non-zero result
 * ends the walk and is returned.
 */
int index_steps(struct index *ix, const char *workspace, const char *path, index_step_fn fn,
		void *arg, struct err *err) must_check;

/*
 * How many entries behind the first one of a call say that its workspace was changed: a call that
 * was committed there, one whose change set was, or one that was undone.
 */
int index_changed_behind(struct index *ix, const char *call, uint64_t *ret_count, struct err *err)
	must_check;

/* One settle entry. Strings are borrowed until the callback returns; "" where absent. */
struct index_settle {
	const char *action, *settled, *reason, *changes;
	uint64_t t_ms, uid;
	const char *record; /* the exact bytes; not NUL-terminated */
	size_t record_len;
};

typedef int (*index_settle_fn)(void *arg, const struct index_settle *settle);

/* Those of a call in order. fn's non-zero result ends the walk and is returned. */
int index_settles(struct index *ix, const char *id, index_settle_fn fn, void *arg, struct err *err)
	must_check;

/* One resolve entry: what a person said became of a call that nobody knows the end of. */
struct index_resolve {
	const char *answer, *reason; /* borrowed until the callback returns; reason "": none */
	uint64_t t_ms, uid;
	const char *record; /* the exact bytes; not NUL-terminated */
	size_t record_len;
};

typedef int (*index_resolve_fn)(void *arg, const struct index_resolve *resolve);

/* Those of a call in order: the last counts. fn's non-zero result ends the walk and is returned. */
int index_resolves(struct index *ix, const char *id, index_resolve_fn fn, void *arg,
		   struct err *err) must_check;

/* ---- the log, and entries of no call -------------------------------------------------------- */

/* How many leaves the log has when everything that was taken in is in it: n goes from 0 to this. */
int index_size(struct index *ix, uint64_t *ret_size, struct err *err) must_check;

/* The journal position up to which it was taken in. */
int index_position(struct index *ix, struct journal_pos *ret, struct err *err) must_check;

/* What a leaf is made of (entry_leaf). Borrowed until the callback returns. */
struct index_leaf {
	uint64_t n;
	enum entry_type type;
	const char *call;      /* ENTRY_NO_CALL where it is of none */
	const uint8_t *digest; /* SHA256_SIZE bytes */
};

typedef int (*index_leaf_fn)(void *arg, const struct index_leaf *leaf);

/* From n = from on, in order, without a gap. fn's non-zero result ends the walk and is returned. */
int index_leaves(struct index *ix, uint64_t from, index_leaf_fn fn, void *arg, struct err *err)
	must_check;

/* One entry of a call. Borrowed until the callback returns. */
struct index_entry {
	uint64_t n; /* its place in the log */
	enum entry_type type;
	const uint8_t *digest; /* SHA256_SIZE bytes: SHA-256(salt, record) */
	const uint8_t *salt;   /* ENTRY_SALT_SIZE bytes; NULL where it was forgotten */
	const uint8_t *record; /* the exact bytes; NULL where it was forgotten */
	size_t record_len;
};

typedef int (*index_entry_fn)(void *arg, const struct index_entry *entry);

/*
 * Those of a call (a whole id), or of no call for ENTRY_NO_CALL, in the log's order; forgotten ones
 * too. fn's non-zero result ends the walk and is returned.
 */
int index_entries(struct index *ix, const char *call, index_entry_fn fn, void *arg, struct err *err)
	must_check;

/* One entry of no call. Strings are borrowed until the callback returns; "" where absent. */
struct index_event {
	uint64_t n, t_ms;
	enum entry_type type;
	const char *action, *workflow, *name, *digest, *reason;
	int64_t uid;	    /* -1 where nobody did it */
	const char *record; /* the exact bytes; not NUL-terminated */
	size_t record_len;
	struct journal_pos pos;
};

typedef int (*index_event_fn)(void *arg, const struct index_event *event);

/*
 * Oldest first, of one type (its word) or of all (NULL). fn's non-zero result ends the walk and is
 * returned.
 */
int index_events(struct index *ix, const char *type, index_event_fn fn, void *arg, struct err *err)
	must_check;

/*
 * The `workflow` entries of one workflow (its whole id), oldest first; the first that says "new"
 * has its definition.
 */
int index_workflow_events(struct index *ix, const char *workflow, index_event_fn fn, void *arg,
			  struct err *err) must_check;

/* Whether the log is closed: of its log.open and log.close the latter is the last. */
int index_is_closed(struct index *ix, bool *ret, struct err *err) must_check;

/* Who had a call's records forgotten, or the objects of its workflow removed. */
struct index_forgotten {
	char workflow[UUID_TEXT_SIZE];
	bool is_logged; /* a gc entry says so; else somebody did it by hand */
	bool is_all;	/* records too: forgotten, and not only collected */
	uint64_t n;	/* of that entry, the last one of the workflow */
	uint64_t t_ms;
	int64_t uid;
	char reason[256]; /* "" when none was given; cut to fit */
};

typedef int (*index_forgotten_fn)(void *arg, const char *call, const char *workflow);

/*
 * The calls of a workflow (its id, or a start of it) whose records were forgotten, oldest first.
 * fn's non-zero result ends the walk and is returned.
 */
int index_forgotten_calls(struct index *ix, const char *workflow, index_forgotten_fn fn, void *arg,
			  struct err *err) must_check;
/* -ENOENT when the call (a whole id) is not forgotten. */
int index_forgotten(struct index *ix, const char *id, struct index_forgotten *ret, struct err *err)
	must_check;

/*
 * Whether gc, or forget, removed objects of a workflow (its whole id) at since_ms or later: the
 * last time. -ENOENT.
 */
int index_collected(struct index *ix, const char *workflow, uint64_t since_ms,
		    struct index_forgotten *ret, struct err *err) must_check;
/* "by uid 1000 at 2026-01-31 12:00:00Z (reason)", safe to print. */
void index_put_remover(struct buf *out, const struct index_forgotten *f);

/* One argv item of a record as a person would type it in bash, safe for a page. */
void index_spell_argument(struct buf *out, const char *spelled);
int index_damaged_count(struct index *ix, uint64_t *ret_count, struct err *err) must_check;

#endif
