/* SPDX-License-Identifier: Apache-2.0 */
/* Runs everywhere; no policy, no privileged call. */
#include "arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE 8192u

struct arena_block {
	struct arena_block *older;
	size_t used, size;
	max_align_t data[];
};

void *
arena_alloc(struct arena *a, size_t size)
{
	struct arena_block *b = a->newest;
	size_t rounded =
		(size + sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
	void *p;

	if (rounded < size || rounded > SIZE_MAX - sizeof(*b)) {
		a->failed = true;
		return NULL;
	}
	if (b == NULL || b->size - b->used < rounded) {
		size_t want = rounded > BLOCK_SIZE ? rounded : BLOCK_SIZE;

		b = calloc(1, sizeof(*b) + want);
		if (b == NULL) {
			a->failed = true;
			return NULL;
		}
		b->size = want;
		b->older = a->newest;
		a->newest = b;
	}
	p = (char *)b->data + b->used;
	b->used += rounded;
	return p;
}

char *
arena_copy(struct arena *a, const void *data, size_t len)
{
	char *p = NULL;

	if (len < SIZE_MAX) {
		p = arena_alloc(a, len + 1);
	} else {
		a->failed = true;
	}
	if (p != NULL && len > 0) {
		memcpy(p, data, len);
	}
	return p;
}

char *
arena_string(struct arena *a, const char *text)
{
	return arena_copy(a, text, strlen(text));
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *p;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	p = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1);
	if (p == NULL) {
		a->failed = true;
		return NULL;
	}
	va_start(ap, fmt);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return p;
}

bool
arena_failed(const struct arena *a)
{
	return a->failed;
}

void
arena_finish(struct arena *a)
{
	while (a->newest != NULL) {
		struct arena_block *older = a->newest->older;

		free(a->newest);
		a->newest = older;
	}
}
