/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries of tests.allow and tests.deny: what a profile's author says it must allow and must deny.
 * Only the reading of one entry is here; who asks judges. airlock-cli only. Pure.
 */
#ifndef AIRLOCK_PROFILE_VECTORS_H
#define AIRLOCK_PROFILE_VECTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/cleanup.h"
#include "profile_load.h"

#define VECTOR_TEXT_MAX 4096u

enum vector_kind {
#define VECTOR(id, word, what, sentence) VECTOR_##id,
#include "vectors.def"
#undef VECTOR
	VECTOR__COUNT
};

struct vector_call {
	char name[48];
	uint64_t args[6];
	unsigned int given; /* how many arguments were written */
};

struct vector {
	enum vector_kind kind;
	char subject[VECTOR_TEXT_MAX]; /* path, program, variable, limit; the call as written */
	struct vector_call call;       /* of SYSCALL */
	enum profile_key_id limit_key; /* of LIMIT */
	uint64_t amount;	       /* of LIMIT, in the limit's base unit */
	int error;		       /* the errno after "->", 0 when there is none */
};

/*
 * "KIND WHAT" or "KIND WHAT -> ERRNO". -EINVAL with one line in why (at most why_size bytes); the
 * text may be anything.
 */
int vector_parse(const char *text, struct vector *ret, char *why, size_t why_size) must_check;
/* "socket:AF_INET,SOCK_STREAM|SOCK_CLOEXEC"; as above. */
int
vector_call_parse(const char *text, struct vector_call *ret, char *why, size_t why_size) must_check;
/* The word of a kind. */
const char *vector_word(enum vector_kind kind);

/* ---- those of a profile ---------------------------------------------------------------------- */

struct profile_question {
	const char *text; /* as written */
	const char *at;	  /* "FILE:LINE" */
	bool deny;
};

struct profile_questions {
	struct profile_question *items; /* in the files' order, allow before deny */
	size_t count;
	void *arena; /* owned: all of the above */
};

/*
 * Those that stand in the profile itself, and those of vectors/NAME.yaml beside it when there is
 * one: a file of the same form with version, name and tests alone. -EINVAL with errors in report.
 */
int profile_questions_load(const struct profile_loaded *l, struct profile_questions *ret,
			   struct buf *report, struct err *err) must_check;
void profile_questions_finish(struct profile_questions *q);

#endif
