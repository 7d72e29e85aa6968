/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A case folder: the calls of a workflow with everything that proves and explains them, to be read
 * and checked without airlock, offline. docs/formats.md, "Case folder". airlock-cli only, as the
 * caller.
 */
#ifndef AIRLOCK_CLI_VIEW_CASE_H
#define AIRLOCK_CLI_VIEW_CASE_H

#include "view_export.h"
#include "view_page.h"

struct digest_set;

struct case_folder {
	struct export x;   /* its directory and MANIFEST */
	struct reading *r; /* borrowed */
	int records_fd, objects_fd;
	struct buf entries, index;  /* entries.tsv and objects.tsv as they become */
	struct digest_set *objects; /* written to objects/ */
	struct digest_set *seen;    /* looked for already, directories of input trees */
	json_t *profiles;      /* an object whose keys are the digests of the calls' profiles */
	json_t *workflows;     /* the same of workflows, each with its name */
	struct buf checkpoint; /* the signed note */
	struct buf numbers;    /* of the entries, u64 each */
	uint64_t calls, leaves, forgotten, lost;
	uint64_t t0_ms, t1_ms;			 /* from the first start to the last end */
	struct page timeline, notable, sections; /* parts of index.html */
};

/* Writes the folder into a new or empty directory. -ENOENT when no call matches. */
int
case_export(struct reading *r, const char *workflow, const char *to, struct err *err) must_check;

/* ---- its parts (view_case_objects.c, …_proofs.c, …_page.c, …_script.c) ------------ */

/* Everything that the call's records name and the packs have; and the index of it. */
int case_objects(struct case_folder *c, const struct record *rec, struct err *err) must_check;
/* Signs the log up to now, and writes checkpoint, vkey, tiles and a receipt for each entry. */
int case_proofs(struct case_folder *c, struct err *err) must_check;
/* The call on the page. */
void case_page_call(struct case_folder *c, const struct record *rec);
/* A call of which nothing is left but its entries. */
void case_page_forgotten(struct case_folder *c, const char *call, const struct index_forgotten *f);
/* The whole page. */
int case_page(struct case_folder *c, struct buf *out) must_check;
/* verify.sh, as it is in launcher/cli/case_verify.sh. */
void case_script(struct buf *out);

#endif
