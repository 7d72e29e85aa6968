/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is owed to a resolver: a lease that it gave, or may have given, and that it can end. One
 * file $STATE/leases/CALL.ITEM each (docs/formats.md, "Leases"), there and durable before the
 * resolver is asked, and removed when it has said that the lease has ended. Whoever may still be
 * getting or using the lease holds the file locked. No value is in it. Written by `airlock-cli
 * lease` and airlock-credd, read by airlock-cli and the front; lines that were cut short count as
 * not there.
 */
#ifndef AIRLOCK_CREDD_OWED_H
#define AIRLOCK_CREDD_OWED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/arena.h"
#include "../base/buf.h"
#include "../base/err.h"

#define OWED_DIR "leases"
#define OWED_MAX (1u << 20)	/* bytes of a file */
#define OWED_TRIES_MAX (64u << 10) /* of them, before the tries are taken away */

/* Texts are never NULL in what owed_read gives; borrowed from the arena. */
struct owed {
	const char *bundle, *item, *call; /* call: the one that it was leased to */
	const char *provider, *id, *profile;
	const char **command;
	size_t command_count;
	const char *handle;	  /* "": none */
	bool is_none;		  /* the resolver has given nothing */
	uint64_t tries, tried_ms; /* how often it was asked to end it, and when last */
	size_t said_len; /* bytes of the file up to the last line that is no try */
};

/* The name of the lease, which its resolver is told, and of its file. */
void owed_name(const char *call, const char *item, struct buf *ret);
/* The first line, durable; the file is new. */
int owed_begin(int fd, const struct owed *o) must_check;
/* What came of asking, durable. handle: "" for none. */
int owed_answered(int fd, const char *handle, bool is_none) must_check;
/* o: as it was read, under the lock. A file that has grown large has no tries then but this one,
 * which says how many there were. */
int owed_tried(int fd, const struct owed *o, uint64_t now_ms, const char *error) must_check;
/* Whether it is to be asked again in passing. */
bool owed_is_due(const struct owed *o, uint64_t now_ms) must_check;
/* -ENODATA: nothing was asked for yet. -EBADMSG. */
int owed_read(const struct buf *bytes, struct arena *arena, struct owed *ret) must_check;

#endif
