/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is freed all at once. Everything of one call (request, plan, record texts) lives in
 * one arena. An allocation that fails returns NULL and is remembered: check arena_failed once at
 * the end of a chain.
 */
#ifndef AIRLOCK_BASE_ARENA_H
#define AIRLOCK_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena {
	struct arena_block *newest; /* owned */
	bool failed;
};

#define ARENA_INIT { .newest = NULL, .failed = false }

/* Zeroed, aligned for any type. */
void *arena_alloc(struct arena *a, size_t size);
/* Copies len bytes and adds a NUL. */
char *arena_copy(struct arena *a, const void *data, size_t len);
char *arena_string(struct arena *a, const char *text);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool arena_failed(const struct arena *a);
void arena_finish(struct arena *a);

#endif
