/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in the front (encode) and in airlock-cli and airlock-log (decode), as the caller. */
#include "pack_format.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/crc32.h"
#include "../base/text.h"
#include "store_internal.h"

static const uint8_t magic[4] = { 'A', 'L', 'P', '1' };
#define AT_TYPE 4
#define AT_CODEC 5
#define AT_PLAIN 8
#define AT_STORED 16
#define AT_DIGEST 24
#define AT_CRC 56

static void
put_le(uint8_t *p, uint64_t v, unsigned int bytes)
{
	for (unsigned int i = 0; i < bytes; i++) {
		p[i] = (uint8_t)(v >> 8 * i);
	}
}

static uint64_t
get_le(const uint8_t *p, unsigned int bytes)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < bytes; i++) {
		v |= (uint64_t)p[i] << 8 * i;
	}
	return v;
}

void
pack_header_encode(const struct pack_header *h, uint8_t ret_bytes[PACK_HEADER])
{
	memset(ret_bytes, 0, PACK_HEADER);
	memcpy(ret_bytes, magic, sizeof(magic));
	ret_bytes[AT_TYPE] = (uint8_t)h->type;
	ret_bytes[AT_CODEC] = (uint8_t)h->codec;
	put_le(ret_bytes + AT_PLAIN, h->plain, 8);
	put_le(ret_bytes + AT_STORED, h->stored, 8);
	memcpy(ret_bytes + AT_DIGEST, h->digest, SHA256_SIZE);
	put_le(ret_bytes + AT_CRC, crc32_update(0, ret_bytes, AT_CRC), 4);
}

int
pack_header_decode(const uint8_t bytes[PACK_HEADER], struct pack_header *ret_header)
{
	struct pack_header h = {
		.type = bytes[AT_TYPE],
		.codec = bytes[AT_CODEC],
		.plain = get_le(bytes + AT_PLAIN, 8),
		.stored = get_le(bytes + AT_STORED, 8),
	};
	uint8_t again[PACK_HEADER];

	memcpy(h.digest, bytes + AT_DIGEST, SHA256_SIZE);
	pack_header_encode(&h, again); /* magic, crc and every zero byte at once */
	if (memcmp(again, bytes, PACK_HEADER) != 0 || bytes[AT_TYPE] < OBJECT_BLOB ||
	    bytes[AT_TYPE] > OBJECT_PARTS || bytes[AT_CODEC] >= CODEC__COUNT) {
		return -EBADMSG;
	}
	*ret_header = h;
	return 0;
}

unsigned int
pack_padding(uint64_t stored)
{
	return (unsigned int)(-stored & (PACK_ALIGN - 1));
}

void
pack_workflow_name(const uint8_t workflow[16], char ret_name[PACK_NAME_SIZE])
{
	char uuid[UUID_TEXT_SIZE];

	text_uuid_print(workflow, uuid);
	snprintf(ret_name, PACK_NAME_SIZE, WORKFLOW_DIR "/%s", uuid);
}

void
pack_have_name(const uint8_t workflow[16], char ret_name[PACK_NAME_SIZE])
{
	char uuid[UUID_TEXT_SIZE];

	text_uuid_print(workflow, uuid);
	snprintf(ret_name, PACK_NAME_SIZE, WORKFLOW_DIR "/%s/have", uuid);
}

void
pack_file_name(const uint8_t workflow[16], const uint8_t call[16], unsigned int number,
	       char ret_name[PACK_NAME_SIZE])
{
	char uuid[UUID_TEXT_SIZE], call_uuid[UUID_TEXT_SIZE];

	text_uuid_print(workflow, uuid);
	text_uuid_print(call, call_uuid);
	snprintf(ret_name, PACK_NAME_SIZE, WORKFLOW_DIR "/%s/pack-%s-%02u.alp", uuid, call_uuid,
		 number);
}

bool
pack_is_name(const char *name)
{
	size_t len = strlen(name);

	return strncmp(name, "pack-", 5) == 0 && len > 4 && strcmp(name + len - 4, ".alp") == 0;
}

bool
pack_name_parse(const char *name, uint8_t ret_call[16], unsigned int *ret_number)
{
	static const uint8_t any[16];
	char id[UUID_TEXT_SIZE], again[PACK_NAME_SIZE];
	uint8_t call[16];
	unsigned int number;

	if (!pack_is_name(name) || strlen(name) < 5 + UUID_TEXT_SIZE + 4) {
		return false;
	}
	snprintf(id, sizeof(id), "%s", name + 5);
	number = (unsigned int)strtoul(name + 5 + UUID_TEXT_SIZE, NULL, 10);
	if (text_uuid_parse(id, call) != 0) {
		return false;
	}
	pack_file_name(any, call, number, again);
	if (strcmp(strrchr(again, '/') + 1, name) != 0) {
		return false;
	}
	memcpy(ret_call, call, sizeof(call));
	*ret_number = number;
	return true;
}
