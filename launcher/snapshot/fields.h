/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fields of a line of canonical text (directory objects, change lists). Pure: over bytes of any
 * origin. Each reader takes one spelling only.
 */
#ifndef AIRLOCK_SNAPSHOT_FIELDS_H
#define AIRLOCK_SNAPSHOT_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/sha256.h"

/* Borrowed from the text; not NUL-terminated. */
struct field {
	const char *p;
	size_t len;
};

/* The next field of a line, up to one space or the line's end; false when there is none. */
bool fields_next(const char **p, const char *end, struct field *ret);
bool fields_is(struct field f, const char *word);
/* Decimal without leading zeros, at most max. */
bool fields_number(struct field f, uint64_t max, uint64_t *ret);
/* Exactly `digits` octal digits. */
bool fields_octal(struct field f, size_t digits, unsigned int *ret);
bool fields_digest(struct field f, uint8_t ret[SHA256_SIZE]);
/*
 * Bytes in vis octal, put into b in place of what it held: -EBADMSG when they are spelled
 * otherwise, are none, or hold a NUL, which no name has.
 */
int fields_vis(struct field f, struct buf *b) must_check;
/* "xattr:NAME=SHA256": the name, as fields_vis. -EBADMSG for anything else. */
int fields_attribute(struct field f, struct buf *ret_name) must_check;

#endif
