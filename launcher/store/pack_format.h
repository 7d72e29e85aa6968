/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of a pack (docs/formats.md §2), between pack.c and pack_read.c. */
#ifndef AIRLOCK_STORE_PACK_FORMAT_H
#define AIRLOCK_STORE_PACK_FORMAT_H

#include <stdint.h>

#include "../base/cleanup.h"
#include "store.h"

#define PACK_HEADER 64u
#define PACK_ALIGN 8u
#define PACK_OBJECT_MAX (1u << 30) /* plain bytes of one record: what a reader is willing to hold  \
				    */
#define PACK_PARTS_LINE "airlock-parts v1\n"
#define PACK_NAME_SIZE 128 /* "wf/<uuid>/pack-<uuid>-4294967295.alp" and to spare */

enum pack_codec { CODEC_RAW = 0, CODEC_ZSTD = 1, CODEC_ZSTD_AEAD = 2, CODEC__COUNT };

struct pack_header {
	enum object_type type;
	enum pack_codec codec;
	uint64_t plain, stored;
	uint8_t digest[SHA256_SIZE];
};

void pack_header_encode(const struct pack_header *h, uint8_t ret_bytes[PACK_HEADER]);
/* -EBADMSG for anything that encode does not write. */
int pack_header_decode(const uint8_t bytes[PACK_HEADER], struct pack_header *ret_header) must_check;
/* How many zero bytes follow a payload. */
unsigned int pack_padding(uint64_t stored);
void pack_workflow_name(const uint8_t workflow[16], char ret_name[PACK_NAME_SIZE]);
void pack_have_name(const uint8_t workflow[16], char ret_name[PACK_NAME_SIZE]);
void pack_file_name(const uint8_t workflow[16], const uint8_t call[16], unsigned int number,
		    char ret_name[PACK_NAME_SIZE]);

#endif
