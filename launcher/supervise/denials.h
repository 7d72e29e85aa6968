/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a call was denied: deduplicated, counted, bounded (CAP_DENIAL_EVENTS different ones; what
 * came after is counted in `dropped`). Filled by the supervisor, written into record and result.
 * Each event says what was denied, why, which rule decided and what can be done about it.
 */
#ifndef AIRLOCK_SUPERVISE_DENIALS_H
#define AIRLOCK_SUPERVISE_DENIALS_H

#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/json.h"
#include "../base/limits.h"
#include "../profile/profile.h"

struct denial {
	char kind[16];  /* syscall, limit, launch, layer */
	char what[64];
	char why[512];  /* what happened, or why it is so */
	char rule[288]; /* "python.yaml:14", "--limit pids=40", "built-in" */
	char hint[768]; /* the remedy */
	uint64_t count;
};

struct denials {
	struct denial *items; /* owned; denials_finish */
	size_t count, room;
	uint64_t dropped;
};

void denials_finish(struct denials *d);
/* Counted when there is one of that kind and name; the first one's texts stay. Cut to their room.
 */
void denials_add(struct denials *d, const struct denial *item);

/* The next four make the texts (denials_rules.c). A limit: `why` says what came of it. */
void denials_limit(struct denials *d, const struct profile *p, const struct limits *now,
		   enum profile_key_id key, const char *why);
/* A system call that the filter asked about; the errno that it gets. */
int denials_syscall(struct denials *d, const struct profile *p, const struct seccomp_data *call);
/* `what` is a stage of the jail, or "attestation"; code: the errno of a stage, 0 else. */
void denials_launch(struct denials *d, const char *what, int code, const char *why);
/* A layer that this host lacks; tolerated or not, allow_degraded decides. */
void denials_layer(struct denials *d, const struct profile *p, const char *layer, const char *why);

/* A JSON array, as the record wants it. */
void denials_write(const struct denials *d, struct json *j);
/* All counts together. */
uint64_t denials_total(const struct denials *d);

#endif
