/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sealed files: age files (age-encryption.org/v1) whose payload says for which place it was made
 * (docs/formats.md, "Sealed files"). Encryption and decryption are the age program's, a child with
 * descriptors, no environment and bounds. The plaintext is in memory that the caller locked and
 * wipes, and in a socket or pipe to the child, and nowhere else; no error text has any of it.
 * airlock-cli and airlock-credd call this, with the authority of the caller.
 */
#ifndef AIRLOCK_BUNDLE_SEALED_H
#define AIRLOCK_BUNDLE_SEALED_H

#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/limits.h"
#include "../sys/locked.h"

#define SEALED_AGE "/usr/bin/age"
#define SEALED_KEYGEN "/usr/bin/age-keygen"
/* Locked memory that the functions here need: the payload, and twice what is read from it. */
#define SEALED_ROOM ((size_t)3 * (CAP_SEALED_PAYLOAD + 1u))

/* Where a file is; the payload must say the same. Borrowed. */
struct sealed_place {
	const char *bundle, *item;
	uint64_t version;
};

struct sealed_value {
	const uint8_t *data; /* with a NUL behind it; from 1 to CAP_VALUE bytes, of any kind */
	size_t len;
	uint64_t not_after_ms; /* since 1970; 0: no end */
};

/*
 * Decrypts file_fd (from where it stands) with the identity file identity_fd, and checks the
 * payload against the place. ret->data points into the room. -EKEYREJECTED where the identity is
 * none of its recipients', -EBADMSG damaged or made for another place, -ENOENT no age program,
 * -ETIMEDOUT.
 */
int sealed_open(int file_fd, int identity_fd, const struct sealed_place *place, struct locked *room,
		struct sealed_value *ret, struct err *err) must_check;
/*
 * The check alone, of len bytes of payload at the start of the room, which has SEALED_ROOM bytes.
 * Pure.
 */
int sealed_check(const struct sealed_place *place, struct locked *room, size_t len,
		 struct sealed_value *ret, struct err *err) must_check;
/*
 * Appends an age file for the recipients. The value lies outside of the room. -EINVAL where age
 * takes a recipient for none.
 */
int sealed_make(const char *const *recipients, size_t count, const struct sealed_place *place,
		const struct sealed_value *value, struct locked *room, struct buf *ret_file,
		struct err *err) must_check;

#endif
