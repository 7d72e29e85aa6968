/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays that grow at their end: the one place that says by how much. Anybody may call. */
#ifndef AIRLOCK_BASE_GROW_H
#define AIRLOCK_BASE_GROW_H

#include <stddef.h>
#include <stdlib.h>

#include "cleanup.h"

/*
 * The array with room for one more behind count: itself, or moved, with *cap raised. NULL when
 * there is no memory: then it stays as it was, the caller's.
 */
static inline void *must_check
grow_array(void *items, size_t count, size_t *cap, size_t item_size)
{
	size_t more = *cap == 0 ? 16 : *cap * 2;
	void *grown = items;

	if (count == *cap) {
		grown = reallocarray(items, more, item_size);
		*cap = grown != NULL ? more : *cap;
	}
	return grown;
}

#endif
