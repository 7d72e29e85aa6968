/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call: its two records, how it was settled since, and the bytes that they name. airlock-cli
 * only, as the caller. Strings in a record are the callers' and the tools'. Not to be included
 * beside base/json.h: jansson has the same names.
 */
#ifndef AIRLOCK_CLI_VIEW_RECORD_H
#define AIRLOCK_CLI_VIEW_RECORD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/sha256.h"
#include "../base/text.h"
#include "view_state.h"

/* Where one of its records stands in the log, and what its leaf says. */
struct record_leaf {
	bool is_there;
	uint64_t n;
	uint8_t digest[SHA256_SIZE]; /* SHA-256(salt, record) */
};

struct record {
	char id[UUID_TEXT_SIZE];
	uint8_t workflow[16];
	struct buf planned_text, outcome_text; /* as stored; outcome empty when there is none */
	json_t *planned, *outcome;	       /* outcome NULL when there is none */
	struct buf settles_text;  /* settle records as stored, a comma between; empty: none */
	json_t *settles;	  /* of them, in order; NULL or empty: none */
	struct buf resolves_text; /* resolve records, in the same way */
	json_t *resolves;
	struct buf lost_text; /* the first lost record as stored; empty: none */
	json_t *lost;
	bool is_running;			       /* it has no outcome, and a front holds it */
	bool is_frozen;				       /* it runs, and is stopped where it is */
	struct record_leaf planned_leaf, outcome_leaf; /* of record_leaves */
};

#define RECORD_INIT                                                                           \
	{                                                                                     \
		.planned_text = BUF_INIT, .outcome_text = BUF_INIT, .settles_text = BUF_INIT, \
		.resolves_text = BUF_INIT, .lost_text = BUF_INIT                              \
	}
#define auto_record __attribute__((cleanup(record_finish))) struct record

/* Finds the call by what a person typed and reads its records. */
int
record_load(struct reading *r, const char *name, struct record *ret, struct err *err) must_check;
void record_finish(struct record *rec);
/* Finds the leaves of its two records. */
int record_leaves(struct reading *r, struct record *rec, struct err *err) must_check;
/* How it ended: "ok", …; "unknown" without an outcome. */
const char *record_verdict(const struct record *rec);
/* What a person said became of it: "done", "not-done", "rerun"; "" while nobody has. */
const char *record_answer(const struct record *rec);
/* How it is settled now: "held", …; "" while nothing says so. */
const char *record_settled(const struct record *rec);
/* Members by "a.b"; absent or of another type: "" and 0. */
const json_t *record_get(const json_t *object, const char *path);
const char *record_text(const json_t *object, const char *path);
/* For whom a call was, as its planned part's context says; "": it does not. */
const char *record_principal(const json_t *planned);
uint64_t record_value(const json_t *number); /* also one that needs 64 bits */
uint64_t record_number(const json_t *object, const char *path);

/* ---- bytes that a record names (view_object.c) -------------------------------------------- */

/* name is stdin, stdout or stderr. -ENODATA when nothing of it was kept. */
int object_stream(struct reading *r, const struct record *rec, const char *name, struct buf *out,
		  struct err *err) must_check;

/* Where gc removed the workflow's objects since the call: "; gc removed …", who and when. */
void object_put_collected(struct reading *r, const struct record *rec, struct buf *out);

/* The object with that digest; -ENODATA, and err empty, when it was not captured. */
int object_content(struct reading *r, const struct record *rec, const uint8_t digest[SHA256_SIZE],
		   struct buf *out, struct err *err) must_check;

/*
 * Why the content of a change at that raw path, before it or after it, was not kept; static. NULL:
 * it should be in the packs.
 */
const char *
object_not_kept(const struct record *rec, const char *path, uint64_t size, bool is_before);

/*
 * The call's change set from its list in the packs, and hold_rule of its items as the record spells
 * it (the record says so of its first 1000). A call that changed nothing has an empty one.
 * -ENODATA when there is none to be had, with the reason. The caller has it finished:
 * changes_finish of ret->set.
 */
struct change_list;
int object_changes(struct reading *r, const struct record *rec, struct change_list *ret,
		   struct err *err) must_check;

/*
 * What a path of the command line names in the workspace: relative, without "." and empty
 * components; an absolute one must lie below the workspace. -EINVAL for "..".
 */
int object_path(const struct record *rec, const char *given, struct buf *ret_path, struct err *err)
	must_check;

/* The file before the call, and after it. A directory gives its directory object. */
int object_in(struct reading *r, const struct record *rec, const char *path, struct buf *out,
	      struct err *err) must_check;
int object_out(struct reading *r, const struct record *rec, const char *path, struct buf *out,
	       struct err *err) must_check;

/* argv as one would type it in bash, safe to print. */
void record_command(struct buf *b, const struct record *rec);
/* The last component of its program's path; of the record. */
const char *record_program(const struct record *rec);

/*
 * Compact JSON with sorted keys, appended. The value is taken over; NULL, which jansson gives for
 * want of memory, is -ENOMEM.
 */
int record_put_json(json_t *value, struct buf *out) must_check;

#endif
