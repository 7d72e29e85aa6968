/* SPDX-License-Identifier: Apache-2.0 */
/* Run by airlock-credd and airlock-cli. Pure. */
#include "ssh_wire.h"

#include <string.h>

uint32_t
ssh_load_u32(const uint8_t bytes[SSH_U32_SIZE])
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 |
	       bytes[3];
}

void
ssh_store_u32(uint8_t ret_bytes[SSH_U32_SIZE], uint32_t number)
{
	ret_bytes[0] = (uint8_t)(number >> 24);
	ret_bytes[1] = (uint8_t)(number >> 16);
	ret_bytes[2] = (uint8_t)(number >> 8);
	ret_bytes[3] = (uint8_t)number;
}

uint32_t
ssh_get_u32(struct rd *r)
{
	const uint8_t *bytes = rd_bytes(r, SSH_U32_SIZE);

	return bytes != NULL ? ssh_load_u32(bytes) : 0;
}

const uint8_t *
ssh_get_string(struct rd *r, size_t *ret_len)
{
	size_t len = ssh_get_u32(r);
	const uint8_t *bytes = rd_bytes(r, len);

	*ret_len = bytes != NULL ? len : 0;
	return bytes;
}

bool
ssh_get_text(struct rd *r, const char *text)
{
	size_t len;
	const uint8_t *bytes = ssh_get_string(r, &len);

	return bytes != NULL && len == strlen(text) && memcmp(bytes, text, len) == 0;
}

void
ssh_put_u32(struct buf *b, uint32_t number)
{
	uint8_t bytes[SSH_U32_SIZE];

	ssh_store_u32(bytes, number);
	buf_put(b, bytes, sizeof(bytes));
}

void
ssh_put_string(struct buf *b, const void *bytes, size_t len)
{
	ssh_put_u32(b, (uint32_t)len);
	buf_put(b, bytes, len);
}

void
ssh_put_text(struct buf *b, const char *text)
{
	ssh_put_string(b, text, strlen(text));
}

void
ssh_put_mpint(struct buf *b, const uint8_t *magnitude, size_t len)
{
	bool is_signed = len > 0 && (magnitude[0] & 0x80u) != 0;

	ssh_put_u32(b, (uint32_t)(len + is_signed));
	if (is_signed) {
		buf_u8(b, 0);
	}
	buf_put(b, magnitude, len);
}
