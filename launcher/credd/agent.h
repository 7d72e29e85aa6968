/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a key answers to one request of the agent protocol (RFC 9987, draft-miller-ssh-agent). Run
 * by airlock-credd; the requests are the tool's, who may send anything.
 */
#ifndef AIRLOCK_CREDD_AGENT_H
#define AIRLOCK_CREDD_AGENT_H

#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "ssh_key.h"
#include "uses.h"

#define AGENT_REQUEST_MAX 16384u   /* bytes of one, behind its length */
#define AGENT_SIGNATURES_MAX 1000u /* of one key in one call: the work is not the tool's own */

/* An item of the lease, which signs and is not handed out. */
struct agent {
	struct ssh_key key;
	const char *comment; /* borrowed: what the tool is told that the key is called */
	struct uses uses;
};

/* Appends the answer, with its length. A request that is refused has one too. */
void agent_answer(struct agent *a, const uint8_t *request, size_t len, struct buf *out);

#endif
