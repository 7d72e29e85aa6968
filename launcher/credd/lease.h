/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A lease: the right of one call to use some items of one bundle, until the call ends. Decided by
 * `airlock-cli lease` (bundle/, cli/cmd_lease.c), opened by airlock-credd, recorded by the front.
 * No value is in it. As bytes it is what one tells the other; lease_decode trusts nothing.
 */
#ifndef AIRLOCK_CREDD_LEASE_H
#define AIRLOCK_CREDD_LEASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../plan/plan.h"

#define LEASE_ITEMS_MAX PLAN_CREDENTIALS_MAX
#define LEASE_FINGERPRINT_SIZE 8

struct lease_item {
	const char *item, *source, *access; /* words of the manifest */
	const char *name;		    /* of the file or the variable inside */
	enum plan_delivery delivery;
	bool is_sealed;	     /* an age file of this version; else the value itself */
	uint32_t version;    /* of a sealed item; 0: it has none */
	uint64_t expires_ms; /* CLOCK_REALTIME; 0: with the call */
	const char *ask;     /* what its resolver is asked for; "": it comes from none */
	bool is_revocable;   /* the resolver can end it */
	uint32_t pid;	     /* of the resolver, a child of the process that has the lease */
};

struct lease {
	const char *bundle;
	const uint8_t *bundle_digest;	/* SHA256_SIZE bytes, of the manifest */
	const uint8_t *fingerprint_key; /* SHA256_SIZE bytes; zeroes where it is not told */
	uint32_t uid; /* that airlock-credd becomes, and its group; 0: it stays who it is */
	struct lease_item items[LEASE_ITEMS_MAX];
	size_t count;			       /* 0: nothing is leased */
	const char *left_out[LEASE_ITEMS_MAX]; /* why an item of the profile's is not in it */
	size_t left_out_count;
};

void lease_encode(const struct lease *l, struct buf *out);
/* -EBADMSG. Texts and digests are borrowed from bytes. */
int lease_decode(const void *bytes, size_t len, struct lease *ret) must_check;

#endif
