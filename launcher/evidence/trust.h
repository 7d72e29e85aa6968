/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which log and which witnesses somebody trusts: a C2SP tlog-policy file. Lines `log <vkey> [url]`,
 * `witness <name> <vkey> [url]`, `group <name> <number|any|all> <member>...`, one `quorum <name>`
 * or `quorum none`; empty lines and `#` comments. A file of the person's own; its errors name
 * file:line.
 */
#ifndef AIRLOCK_EVIDENCE_TRUST_H
#define AIRLOCK_EVIDENCE_TRUST_H

#include "note.h"

#define TRUST_MAX 64u /* witnesses and groups together; logs too */
#define TRUST_URL_MAX 256u

struct trust_key {
	char name[NOTE_KEY_NAME_MAX + 1]; /* of a witness: the file's word for it */
	struct note_key key;
	char url[TRUST_URL_MAX]; /* "" when none: http://127.0.0.1:N/..., or unix:/path */
};

struct trust_group {
	char name[NOTE_KEY_NAME_MAX + 1];
	unsigned int needed;
	unsigned int count;
	unsigned int member[TRUST_MAX]; /* below TRUST_MAX a witness, else TRUST_MAX + group */
};

struct trust {
	struct trust_key log[TRUST_MAX];
	size_t logs;
	struct trust_key witness[TRUST_MAX];
	size_t witnesses;
	struct trust_group group[TRUST_MAX];
	size_t groups;
	int quorum; /* -1: none; as a group's member */
};

/* `name` is for messages. -EINVAL with file:line, why, and what to do. */
int trust_parse(const char *name, const char *text, size_t len, struct trust *ret, struct err *err)
	must_check;
/* Whether it is the key of a log of the file's; of any where the file names none. */
bool trust_has_log(const struct trust *t, const struct note_key *key);
/* signed_by[i]: witness i cosigned. Whether the quorum is met ("none" always is). */
bool trust_is_met(const struct trust *t, const bool signed_by[TRUST_MAX]);

#endif
