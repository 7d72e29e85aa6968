/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a resolver is asked and what it answers (docs/formats.md, "Resolvers"). Answers are
 * anybody's: read strictly and with bounds, in the memory of the caller. Pure. airlock-credd reads
 * those that have a value, airlock-cli those to a revocation.
 */
#ifndef AIRLOCK_CREDD_ANSWER_H
#define AIRLOCK_CREDD_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/limits.h"

/* Memory for one answer: its bytes, and as many again for what is read from it. */
#define ANSWER_ROOM ((size_t)2 * (CAP_ANSWER + 1u))
#define ANSWER_HANDLE_SIZE 1025u

struct answer {
	const uint8_t *value; /* in the room; from 1 to CAP_VALUE bytes; NULL: there is none */
	size_t len;
	uint64_t expires_ms;		 /* since 1970; 0: it does not say */
	char handle[ANSWER_HANDLE_SIZE]; /* "": none */
	bool is_refused;		 /* it says that it has given nothing */
};

/*
 * The answer in the len first bytes of the room, which has ANSWER_ROOM bytes, for that id. -EACCES
 * with is_refused where it is an error of the resolver's; -EBADMSG. No text has any of the value.
 */
int answer_read(uint8_t *room, size_t len, const char *id, struct answer *ret, struct err *err)
	must_check;
/* The same of the answer to a revocation: 0, it is done. */
int answer_revoked(uint8_t *room, size_t len, const char *id, struct err *err) must_check;

/* Appends what a resolver is asked. lease: its name, where it can be revoked, or NULL. */
void answer_ask(const char *provider, const char *id, const char *lease, struct buf *ret);
/* The same to end that lease; handle: of the answer, or "". */
void answer_ask_revoke(const char *provider, const char *id, const char *lease, const char *handle,
		       struct buf *ret);

#endif
