/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resolvers: programs that are asked for the value of a credential (docs/formats.md, "Resolvers").
 * Each runs as a call of its own, `airlock run --serves`. airlock-cli only, as the caller; nothing
 * here reads what one says but its word that a lease has ended.
 */
#ifndef AIRLOCK_CLI_CMD_RESOLVER_H
#define AIRLOCK_CLI_CMD_RESOLVER_H

#include <sys/types.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../credd/owed.h"
#include "../store/store.h"

struct resolver {
	pid_t pid;     /* our child; ends when we do */
	int out_fd;    /* owned: what it says */
	int result_fd; /* owned: its result JSON */
};

#define RESOLVER_INIT                                   \
	{                                               \
		.pid = 0, .out_fd = -1, .result_fd = -1 \
	}

/*
 * Asks it: o says which and for whom. lock_fd, or -1: stays open in it as long as its call may do
 * something.
 */
int resolver_start(const struct store *s, const struct owed *o, const struct buf *request,
		   int lock_fd, struct resolver *ret, struct err *err) must_check;

/* ---- what is owed to them (cmd_resolver_owed.c) ---------------------------------------------- */

/* A new file with what is owed, durable, locked by this process's descriptor. */
int
resolver_owe(const struct store *s, const struct owed *o, int *ret_fd, struct err *err) must_check;

enum resolver_paid {
	RESOLVER_REVOKED, /* the resolver says so; the file is gone */
	RESOLVER_NONE,	  /* it has given nothing; the same */
	RESOLVER_PENDING, /* it does not; the file says when it was asked */
	RESOLVER_BUSY,	  /* somebody holds it: the call, or who revokes it */
	RESOLVER_NOT_DUE, /* it was asked lately */
	RESOLVER_PAID__COUNT
};

/* What a walk does, and whom it tells. */
struct resolver_walk {
	const char *call; /* only what it was leased; NULL: all */
	int wait_ms;	  /* for who holds a file */
	bool is_due_only;
	/* err: why it is pending */
	void (*tell)(void *arg, enum resolver_paid paid, const struct owed *o,
		     const struct err *err);
	void *arg;
};

/* Asks the resolvers to end what they gave and what nobody uses any more. 0 or -errno. */
int resolver_revoke(const struct store *s, const struct resolver_walk *walk, struct err *err)
	must_check;

#endif
