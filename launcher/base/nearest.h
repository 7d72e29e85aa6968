/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody meant who misspelt a name. Anybody may call; the word may be any text. */
#ifndef AIRLOCK_BASE_NEAREST_H
#define AIRLOCK_BASE_NEAREST_H

#include <stddef.h>

/*
 * The nearest of the names, or NULL when none is near: Damerau-Levenshtein, at most a third
 * differs.
 */
const char *nearest_name(const char *word, const char *const *names, size_t count);

#endif
