/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the front and its lease process: a SOCK_SEQPACKET pair, the process's end at descriptor
 * 0. First `airlock-cli lease` speaks, then, by exec in the same process, airlock-credd. Each
 * message is one byte and what follows it here; there are no others, and each comes once. The end
 * of either side ends the lease.
 */
#ifndef AIRLOCK_CREDD_CREDD_PROTOCOL_H
#define AIRLOCK_CREDD_CREDD_PROTOCOL_H

#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/err.h"
#include "lease.h"

enum credd_message {
	CREDD_LEASED = 1, /* to the front: the lease's bytes, without the fingerprint key */
	CREDD_REFUSED,	  /* to the front: str, why the call gets none */
	/*
	 * to the front: for each item a fingerprint (LEASE_FINGERPRINT_SIZE), u64 when it ends
	 * (lease.h) and str the call of its resolver, "" for none; behind them, for each that an
	 * agent has, the SHA-256 of its public key; with it, for each item the reading end of a
	 * pipe that holds its value, or an agent's socket, which takes the listening one from the
	 * jail; and behind them the values once more, for the output scan: memory of locked_share,
	 * for each item u32 and as many bytes
	 */
	CREDD_VALUES,
	CREDD_FAILED,  /* to the front: str, why a value is not to be had */
	CREDD_REVOKE,  /* to airlock-credd: the call has ended */
	/*
	 * to the front: no value is here any more; for each item that an agent had, what its key
	 * was used for (uses.h)
	 */
	CREDD_REVOKED,
};

#define CREDD_MESSAGE_MAX 16384

/* Descriptors that airlock-credd is started with. */
#define CREDD_FD_SOCKET 0
#define CREDD_FD_LEASE 3    /* a sealed memfd: the lease's bytes */
#define CREDD_FD_IDENTITY 4 /* age's; /dev/null where nothing is sealed */
#define CREDD_FD_SOURCE \
	5 /* the first item's file, or what its resolver says, then the next one's */
/* Of an item's resolver: its result JSON, and, where it can end the lease, what is owed to it. */
#define CREDD_FD_RESULT (CREDD_FD_SOURCE + LEASE_ITEMS_MAX)
#define CREDD_FD_OWED (CREDD_FD_RESULT + LEASE_ITEMS_MAX)
#define CREDD_FD__END (CREDD_FD_OWED + LEASE_ITEMS_MAX)

/*
 * Of the front: a message of len bytes, 0 of them when the other end is closed. Behind its first
 * byte is what `want` has. -EACCES with the reason that a refusal gives; -EPROTO when it is
 * another message.
 */
int credd_hear(const uint8_t *message, size_t len, enum credd_message want,
	       struct err *err) must_check;
/* What CREDD_VALUES says of each item, in their order, pointers into what r reads, which goes on
 * behind them. -EPROTO. */
struct credd_fact {
	const uint8_t *fingerprint; /* LEASE_FINGERPRINT_SIZE */
	uint64_t expires_ms;
	const char *call; /* of the resolver, fewer than UUID_TEXT_SIZE bytes */
};
int credd_hear_facts(struct rd *r, size_t count, struct credd_fact ret[]) must_check;
/* The value of each item, in their order, pointers into memory. -EPROTO. */
struct credd_value {
	const uint8_t *bytes;
	uint32_t len;
};
int credd_hear_values(const void *memory, size_t size, size_t count, struct credd_value ret[])
	must_check;

/* Of the process at the socket: says that, with a text or NULL. */
void credd_say(enum credd_message what, const char *text);

#endif
