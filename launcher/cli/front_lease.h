/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The front's hold on its call's lease (front_lease.c): a child that was `airlock-cli lease` and is
 * airlock-credd. The front passes pipes on and never reads one.
 */
#ifndef AIRLOCK_CLI_FRONT_LEASE_H
#define AIRLOCK_CLI_FRONT_LEASE_H

#include "../base/sha256.h"
#include "../credd/lease.h"
#include "../credd/uses.h"
#include "../scan/scanner.h"
#include "front.h"

/* What became of what a resolver gave. */
enum lease_upstream { UPSTREAM_NONE, UPSTREAM_REVOKED, UPSTREAM_PENDING, UPSTREAM__COUNT };

struct lease_hold {
	pid_t pid;
	int socket;	 /* -1: it has ended */
	uint32_t uid;	 /* of airlock-credd alone; 0: it is the caller's */
	int uid_lock_fd; /* keeps that ours */
	struct lease lease;
	int pipes[LEASE_ITEMS_MAX]; /* until the jail has them */
	uint8_t fingerprints[LEASE_ITEMS_MAX][LEASE_FINGERPRINT_SIZE];
	/* of items that an agent has: of the key, and what was asked of it until the end */
	uint8_t public_keys[LEASE_ITEMS_MAX][SHA256_SIZE];
	struct uses uses[LEASE_ITEMS_MAX];
	const char *named_uses[LEASE_ITEMS_MAX][USES_MAX]; /* as `what`, without leased values */
	uint64_t use_leaks[LEASE_ITEMS_MAX]; /* how often each was in one of them */
	bool has_values;
	uint64_t context_leaks[LEASE_ITEMS_MAX]; /* how often each was in the context */
	uint64_t named;		 /* bit i: item i was in a name that the change set would list */
	struct scanner *scanner; /* of the values; NULL: there are none */
	bool is_revoked;	 /* airlock-credd has said so */
	char resolvers[LEASE_ITEMS_MAX][UUID_TEXT_SIZE]; /* the calls that got them; "": none */
	enum lease_upstream upstream[LEASE_ITEMS_MAX];
	uint64_t revoked_us; /* after the last process of the call was dead */
};

#endif
