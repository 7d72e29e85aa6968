/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers and strings as SSH writes them (RFC 4251, 5): big endian, each string behind its length.
 * Run by airlock-credd and airlock-cli. Readers are bounded by struct rd, and set its `bad`.
 */
#ifndef AIRLOCK_CREDD_SSH_WIRE_H
#define AIRLOCK_CREDD_SSH_WIRE_H

#include "../base/buf.h"

#define SSH_U32_SIZE sizeof(uint32_t) /* of the type that sums of lengths have */

uint32_t ssh_load_u32(const uint8_t bytes[SSH_U32_SIZE]);
void ssh_store_u32(uint8_t ret_bytes[SSH_U32_SIZE], uint32_t number);

uint32_t ssh_get_u32(struct rd *r);
/* NULL, and no bytes, when bad. Borrowed. */
const uint8_t *ssh_get_string(struct rd *r, size_t *ret_len);
/* Whether the next string is this text; bad when there is none. */
bool ssh_get_text(struct rd *r, const char *text);

void ssh_put_u32(struct buf *b, uint32_t number);
void ssh_put_string(struct buf *b, const void *bytes, size_t len);
void ssh_put_text(struct buf *b, const char *text);
/* A number that is not negative, without zeroes before it. */
void ssh_put_mpint(struct buf *b, const uint8_t *magnitude, size_t len);

#endif
