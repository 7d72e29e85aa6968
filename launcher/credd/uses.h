/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the key of an agent was used for: counted by airlock-credd, told to the front, which records
 * it. uses_decode trusts nothing.
 */
#ifndef AIRLOCK_CREDD_USES_H
#define AIRLOCK_CREDD_USES_H

#include <stdbool.h>

#include "../base/buf.h"
#include "../base/sha256.h"

#define USES_MAX 8u	 /* different ones of one key; all that it signs is one of them */
#define USE_WHAT_SIZE 65 /* with its NUL; what has a longer text is not signed */

enum use_kind {
	USE_LOGIN, /* ssh: what is the user, host the key of the server, where it was signed with */
	USE_FILE,  /* ssh-keygen -Y sign, git: what is the namespace */
	USE_OTHER, /* anything else; what is "" */
	USE__COUNT
};

struct use {
	enum use_kind kind;
	char what[USE_WHAT_SIZE]; /* of the tool's choice */
	bool has_host;
	uint8_t host[SHA256_SIZE]; /* of its public key */
	uint64_t count;
};

struct uses {
	uint64_t signatures;
	uint64_t refusals; /* what else was asked; extensions are not counted */
	struct use rows[USES_MAX];
	size_t count;
};

/* Whether it is one of those that are counted, or there is room for one more. */
bool uses_have_room(const struct uses *u, const struct use *use);
/* Counts one for which there is room, and a signature. Its count does not matter. */
void uses_add(struct uses *u, const struct use *use);
void uses_encode(const struct uses *u, struct buf *out);
/* The next one in r: 0 or -EBADMSG. */
int uses_decode(struct rd *r, struct uses *ret) must_check;

#endif
