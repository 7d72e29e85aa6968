/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks for leased values in bytes that leave a call, in every form of forms.def. It finds
 * accidents: a tool that prints its token, an archive of a directory with a key in it, a debug log.
 * A tool that wants to hide a value encrypts it, and nothing here sees that.
 *
 * Values and what is made of them lie in one private mapping: locked where the limit allows, not in
 * core dumps, zeros in a child, wiped and unmapped at the end; nothing is allocated elsewhere, and
 * there is no global state. Read-only once made: several streams, and threads, may share one.
 *
 * A value that is a text file has a newline at its end; it is looked for without it. One that is
 * shorter than SCAN_VALUE_MIN then is in ordinary output by chance, in some form: it is not looked
 * for at all (scanner_covers), and whoever records what was scanned says so.
 */
#ifndef AIRLOCK_SCAN_SCANNER_H
#define AIRLOCK_SCAN_SCANNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/cleanup.h"
#include "../base/err.h"
#include "../base/limits.h"

/* 6 bytes are 8 characters of base64, of which 7 at least stand fast, and 12 of hex: 42 bits. */
#define SCAN_VALUE_MIN 6u
#define SCAN_VALUE_MAX CAP_VALUE
#define SCAN_VALUES_MAX 64u
#define SCAN_ITEM_MAX 64u /* a name's bytes */

enum scan_form {
#define FORM(name, word, what) SCAN_##name,
#include "forms.def"
	SCAN__COUNT
};

struct scan_value {
	const char *item; /* its name: [a-z0-9][a-z0-9._-]*, at most SCAN_ITEM_MAX bytes */
	const void *bytes;
	size_t len; /* at most SCAN_VALUE_MAX */
};

struct scan_match {
	unsigned int item; /* the value's place in the array that the scanner was made of */
	enum scan_form form;
	uint64_t offset, len; /* where in the bytes that were looked at */
};

struct scanner;

/*
 * The values are copied: the caller wipes its own. -E2BIG when there are too many, or one is too
 * long; -EINVAL for a name; -ENOMEM, and what mmap says. The caller's until scanner_destroy.
 */
int scanner_create(const struct scan_value *values, size_t count, struct scanner **ret,
		   struct err *err) must_check;
void scanner_destroy(struct scanner *s);
/* False: too short to be looked for. */
bool scanner_covers(const struct scanner *s, unsigned int item);
const char *scanner_item(const struct scanner *s, unsigned int item);
const char *scan_form_word(enum scan_form form);

/* True: go on. */
typedef bool scan_found(void *arg, const struct scan_match *match);

/*
 * Looks at all of it, as one piece. A match that lies in the one before it is not told. False when
 * found() did not want more.
 */
bool scanner_search(const struct scanner *s, const void *bytes, size_t len, scan_found *found,
		    void *arg);

#endif
