/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of keys, types and rules, and look-up in them. Runs in airlock-cli. No I/O. Pure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profile_internal.h"

static const struct profile_key keys[] = {
#define KEY(id, name, type, narrow, least, most, fallback, sentence)                               \
	{ KEY_##id, name, TYPE_##type, NARROW_##narrow, least, most, fallback, sentence },
#include "keys.def"
#undef KEY
};
_Static_assert(ARRAY_LEN(keys) == KEY__COUNT, "one row per key");

static const struct {
	enum profile_shape shape;
	const char *what, *pattern;
} types[] = {
#define TYPE(id, shape, what, pattern) { SHAPE_##shape, what, pattern },
#include "profile_types.def"
#undef TYPE
};
_Static_assert(ARRAY_LEN(types) == TYPE__COUNT, "one row per type");

static const struct {
	bool opens;
	const char *sentence;
} narrows[] = {
#define NARROW(id, opens, sentence) { opens, sentence },
#include "narrow.def"
#undef NARROW
};
_Static_assert(ARRAY_LEN(narrows) == NARROW__COUNT, "one row per rule");

static const struct profile_bits layers[] = {
#define LAYER(name, bits, sentence) { name, bits, sentence },
#include "layers.def"
#undef LAYER
};

static const struct profile_bits toolchains[] = {
	{ "all", TOOLCHAINS_ALL, "all of them" },
#define TOOLCHAIN(id, name, sentence) { name, 1u << TOOLCHAIN_##id, sentence },
#include "toolchains.def"
};
_Static_assert(ARRAY_LEN(layers) <= PROFILE_BITS_MAX && ARRAY_LEN(toolchains) <= PROFILE_BITS_MAX,
	       "their names fit where the nearest is looked for");

static const char *const bool_words[] = { "false", "true" };
static const char *const effect_words[] = { "read", "write-workspace", "write-external",
					    "irreversible" };

const struct profile_key *
profile_key(enum profile_key_id id)
{
	return &keys[id];
}

const struct profile_key *
profile_key_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (strcmp(keys[i].name, name) == 0) {
			return &keys[i];
		}
	}
	return NULL;
}

bool
profile_key_is_section(const char *name)
{
	size_t len = strlen(name);

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		if (strncmp(keys[i].name, name, len) == 0 && keys[i].name[len] == '.') {
			return true;
		}
	}
	return false;
}

bool
profile_key_nearest(const char *section, const char *word, char *ret_name, size_t size)
{
	char segments[KEY__COUNT][32];
	const char *below[KEY__COUNT], *tails[KEY__COUNT], *near;
	size_t skip = strlen(section);

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const char *name = keys[i].name;
		const char *dot = strrchr(name, '.');

		/* What may stand below the section: "memory" in limits, "limits" at the top. */
		tails[i] = dot != NULL ? dot + 1 : name;
		segments[i][0] = '\0';
		below[i] = segments[i];
		if (skip > 0 && (strncmp(name, section, skip) != 0 || name[skip] != '.')) {
			continue;
		}
		name += skip > 0 ? skip + 1 : 0;
		snprintf(segments[i], sizeof(segments[i]), "%.*s", (int)strcspn(name, "."), name);
	}
	near = profile_nearest(word, below, ARRAY_LEN(keys));
	if (near != NULL) {
		snprintf(ret_name, size, "%s", near);
		return true;
	}
	/* The right word in the wrong section. */
	near = profile_nearest(word, tails, ARRAY_LEN(keys));
	for (size_t i = 0; near != NULL && i < ARRAY_LEN(keys); i++) {
		if (tails[i] == near) {
			snprintf(ret_name, size, "%s", keys[i].name);
			return true;
		}
	}
	return false;
}

size_t
profile_key_section(const char *name)
{
	const char *dot = strchr(name, '.');

	return dot != NULL ? (size_t)(dot - name) : 0;
}

bool
profile_key_is_beside(const struct profile_key *a, const struct profile_key *b)
{
	size_t len = profile_key_section(a->name);

	return len > 0 && len == profile_key_section(b->name) &&
	       strncmp(a->name, b->name, len) == 0;
}

void
profile_keys_by_section(const struct profile_key *ret_keys[KEY__COUNT])
{
	bool done[KEY__COUNT] = { false };
	size_t count = 0;

	for (unsigned int i = 0; i < KEY__COUNT; i++) {
		const struct profile_key *first = profile_key((enum profile_key_id)i);

		for (unsigned int j = i; j < KEY__COUNT; j++) {
			const struct profile_key *key = profile_key((enum profile_key_id)j);

			if (!done[j] && (i == j || profile_key_is_beside(first, key))) {
				done[j] = true;
				ret_keys[count++] = key;
			}
		}
	}
}

static int
compare_keys(const void *a, const void *b)
{
	const struct profile_key *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

void
profile_keys_sorted(const struct profile_key *ret_keys[KEY__COUNT])
{
	for (unsigned int i = 0; i < KEY__COUNT; i++) {
		ret_keys[i] = profile_key((enum profile_key_id)i);
	}
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): the pointers are what is sorted */
	qsort(ret_keys, KEY__COUNT, sizeof(ret_keys[0]), compare_keys);
}

enum profile_shape
profile_type_shape(enum profile_type type)
{
	return types[type].shape;
}

const char *
profile_type_what(enum profile_type type)
{
	return types[type].what;
}

bool
profile_type_is_text(enum profile_type type)
{
	return type == TYPE_NAME || type == TYPE_TEXT || type == TYPE_PROFILE;
}

const char *
profile_type_pattern(enum profile_type type)
{
	return types[type].pattern;
}

bool
profile_narrow_opens(enum profile_narrow narrow)
{
	return narrows[narrow].opens;
}

bool
profile_narrow_replaces(enum profile_narrow narrow)
{
	switch (narrow) {
	case NARROW_ONCE:
	case NARROW_OPEN:
	case NARROW_SUBSET:
	case NARROW_WITHIN:
	case NARROW_PATTERN:
		return true;
	case NARROW_OWN:
	case NARROW_INHERIT:
	case NARROW_GROW:
	case NARROW_ADD:
	case NARROW_BOUND:
	case NARROW_LOWER:
	case NARROW_RAISE:
	case NARROW__COUNT:
		break;
	}
	return false;
}

const char *
profile_narrow_sentence(enum profile_narrow narrow)
{
	return narrows[narrow].sentence;
}

const struct profile_bits *
profile_layers(size_t *ret_count)
{
	*ret_count = ARRAY_LEN(layers);
	return layers;
}

const struct profile_bits *
profile_toolchains(size_t *ret_count)
{
	*ret_count = ARRAY_LEN(toolchains);
	return toolchains;
}

const char *const *
profile_type_words(enum profile_type type, size_t *ret_count)
{
#define WORDS(array) (*ret_count = ARRAY_LEN(array), (array))
	switch (type) {
	case TYPE_BOOL:
		return WORDS(bool_words);
	case TYPE_CAPTURE:
		return WORDS(profile_capture_words);
	case TYPE_EFFECTS:
		return WORDS(effect_words);
	case TYPE_MODE:
		return WORDS(profile_mode_words);
	case TYPE_OBSERVE:
		return WORDS(profile_observe_words);
	case TYPE_LEAK:
		return WORDS(profile_leak_words);
	case TYPE_ON_FAILURE:
		return WORDS(profile_on_failure_words);
	case TYPE_WORKSPACE:
		return WORDS(profile_workspace_words);
	case TYPE_RETRY:
		return WORDS(profile_retry_words);
	case TYPE_BOUNDS:
	case TYPE_CACHES:
	case TYPE_CHECKS:
	case TYPE_COMMANDS:
	case TYPE_COUNT:
	case TYPE_DURATION:
	case TYPE_ENVS:
	case TYPE_ENVSET:
	case TYPE_EXITS:
	case TYPE_GROUPS:
	case TYPE_HIDES:
	case TYPE_ITEMS:
	case TYPE_KEYS:
	case TYPE_LATER:
	case TYPE_LAYERS:
	case TYPE_NAME:
	case TYPE_PERCENT:
	case TYPE_PROFILE:
	case TYPE_PROTECTS:
	case TYPE_READS:
	case TYPE_SIZE:
	case TYPE_TEXT:
	case TYPE_TOOLCHAINS:
	case TYPE_VECTORS:
	case TYPE_VERSION:
	case TYPE_WRITES:
	case TYPE__COUNT:
		break;
	}
#undef WORDS
	*ret_count = 0;
	return NULL;
}
