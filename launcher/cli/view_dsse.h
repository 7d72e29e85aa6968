/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call as an in-toto Statement v1 in a DSSE envelope, docs/formats.md, "Statement". airlock-cli
 * only, as the caller.
 */
#ifndef AIRLOCK_CLI_VIEW_DSSE_H
#define AIRLOCK_CLI_VIEW_DSSE_H

#include "../evidence/note.h"
#include "view_record.h"

#define DSSE_PAYLOAD_TYPE "application/vnd.in-toto+json"
#define DSSE_PREDICATE_TYPE "urn:airlock:call:v1"

struct change_set;

/*
 * The statement, compact JSON with sorted keys, appended to out. set: the call's changes, whole;
 * origin: the log that its entries are in. rec has an outcome and its leaves.
 */
int dsse_statement(const struct record *rec, const struct change_set *set, const char *origin,
		   struct buf *out) must_check;
/* What is signed: DSSE's pre-authentication encoding. */
void dsse_pae(const char *type, const void *body, size_t len, struct buf *out);
/* The envelope with one signature, and a newline. */
int dsse_envelope(const struct buf *statement, const struct note_signer *signer, struct buf *out,
		  struct err *err) must_check;

#endif
