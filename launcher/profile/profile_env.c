/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of environment variables against lists. Runs in airlock-cli over profiles and in the static
 * front over the caller's environment. Trusts nothing in the names. Pure.
 */
#include <string.h>

#include "profile.h"

static const struct {
	const char *pattern, *why;
} refused[] = {
#define ENV_REFUSED(pattern, why) { pattern, why },
#include "envnames.def"
#undef ENV_REFUSED
};

static bool
matches(const char *pattern, const char *name)
{
	size_t len = strlen(pattern);

	if (len > 0 && pattern[len - 1] == '*') {
		return strncmp(pattern, name, len - 1) == 0;
	}
	return strcmp(pattern, name) == 0;
}

const char *
profile_env_refused(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		if (matches(refused[i].pattern, name)) {
			return refused[i].why;
		}
	}
	return NULL;
}

bool
profile_env_matches(const struct strings *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++) {
		if (matches(list->items[i], name)) {
			return true;
		}
	}
	return false;
}
