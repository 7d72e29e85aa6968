/* SPDX-License-Identifier: Apache-2.0 */
/* zlib's crc32 (IEEE 802.3, reflected), for the front that links no library. Unit-tested against
 * zlib. */
#ifndef AIRLOCK_BASE_CRC32_H
#define AIRLOCK_BASE_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* crc is 0 at the start, or the result so far. */
uint32_t crc32_update(uint32_t crc, const void *data, size_t len);

#endif
