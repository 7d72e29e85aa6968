/* SPDX-License-Identifier: Apache-2.0 */
/* A record as jansson reads it: in airlock-log and airlock-cli. Its text is anybody's. */
#ifndef AIRLOCK_STORE_RECORD_H
#define AIRLOCK_STORE_RECORD_H

#include <jansson.h>
#include <stddef.h>

/*
 * The caller's; NULL when it is no JSON. Inode numbers and the like may need all 64 bits, which
 * jansson's integers have not: then the numbers of the whole record are reals. A gateway's context
 * may name a key twice, and hold a zero: no reason to hide the call.
 */
static inline json_t *
record_parse(const void *text, size_t len)
{
	json_t *record = json_loadb(text, len, JSON_ALLOW_NUL, NULL);

	return record != NULL
		     ? record
		     : json_loadb(text, len, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, NULL);
}

#endif
