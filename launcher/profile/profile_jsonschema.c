/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The JSON Schema of profiles, from the tables of keys, types, groups, layers and toolchains. For
 * editors and for checks where airlock is not; airlock itself reads by the tables. A scalar is
 * typed by its key, so a number or a word of YAML's own (true) may stand where its text would. Runs
 * in airlock-cli. Pure.
 */
#include <string.h>

#include "../base/json.h"
#include "profile_internal.h"

/* ---- words ----------------------------------------------------------------------------------- */

static void
put_bits(struct json *j, enum profile_type type)
{
	size_t count;
	const struct profile_bits *rows = type == TYPE_LAYERS ? profile_layers(&count)
							      : profile_toolchains(&count);

	for (size_t i = 0; i < count; i++) {
		json_str(j, rows[i].name);
	}
}

static void
put_groups(struct json *j)
{
	size_t count;
	const struct profile_group *groups = profile_groups(&count);

	for (size_t i = 0; i < count; i++) {
		if (profile_group_is_open(&groups[i])) {
			json_str(j, groups[i].name);
		}
	}
}

static void
put_openable(struct json *j)
{
	for (unsigned int i = 0; i < KEY__COUNT; i++) {
		const struct profile_key *key = profile_key((enum profile_key_id)i);

		if (profile_narrow_opens(key->narrow)) {
			json_str(j, key->name);
		}
	}
}

static void
put_words(struct json *j, enum profile_type type)
{
	size_t count;
	const char *const *words = profile_type_words(type, &count);

	for (size_t i = 0; i < count; i++) {
		json_str(j, words[i]);
	}
	if (type == TYPE_BOOL) {
		json_bool(j, false);
		json_bool(j, true);
	} else if (type == TYPE_LAYERS || type == TYPE_TOOLCHAINS) {
		put_bits(j, type);
	} else if (type == TYPE_GROUPS) {
		put_groups(j);
	} else if (type == TYPE_KEYS) {
		put_openable(j);
	}
}

/* ---- one key --------------------------------------------------------------------------------- */

static void
put_names(struct json *j, const char *key, const char *const *names, size_t count)
{
	json_key(j, key);
	json_begin_array(j);
	for (size_t i = 0; i < count; i++) {
		json_str(j, names[i]);
	}
	json_end(j);
}

/* Members that say what a scalar, or an entry of a list, may be; sorted, with the sentence. */
static void
put_scalar(struct json *j, const struct profile_key *key, const char *sentence)
{
	static const char *const number[] = { "integer", "string" };
	static const char *const text[] = { "string", "number", "boolean" };
	const char *pattern = profile_type_pattern(key->type);
	bool exits = key->type == TYPE_EXITS;

	if (sentence != NULL) {
		json_kv_str(j, "description", sentence);
	}
	if (pattern == NULL) {
		json_key(j, "enum");
		json_begin_array(j);
		put_words(j, key->type);
		json_end(j);
		return;
	}
	if (key->type == TYPE_COUNT || key->type == TYPE_VERSION || exits) {
		json_kv_uint(j, "maximum", exits ? 255 : key->most);
		json_kv_uint(j, "minimum", exits ? 0 : key->least);
		json_kv_str(j, "pattern", pattern);
		put_names(j, "type", number, ARRAY_LEN(number));
		return;
	}
	if (profile_type_is_text(key->type)) {
		json_kv_uint(j, "maxLength", key->most);
	}
	json_kv_str(j, "pattern", pattern);
	put_names(j, "type", text, key->type == TYPE_TEXT ? ARRAY_LEN(text) : 1);
}

static void
put_or_parent(struct json *j, const struct profile_key *key)
{
	json_key(j, "anyOf");
	json_begin_array(j);
	json_begin_object(j);
	put_scalar(j, key, NULL);
	json_end(j);
	json_begin_object(j);
	json_kv_str(j, "const", PROFILE_PARENT);
	json_end(j);
	json_end(j);
}

static void
put_bounded(struct json *j, const char *key, const struct profile_key *like)
{
	json_key(j, key);
	json_begin_object(j);
	put_scalar(j, like, NULL);
	json_end(j);
}

/* An entry of done_when: its members, sorted. */
static void
put_check(struct json *j)
{
	static const char *const required[] = { "name", "run" };
	static const char *const word[] = { "string", "number", "boolean" };

	json_kv_bool(j, "additionalProperties", false);
	json_key(j, "properties");
	json_begin_object(j);
	json_key(j, "expect");
	json_begin_object(j);
	json_kv_bool(j, "additionalProperties", false);
	json_kv_uint(j, "minProperties", 1);
	json_key(j, "properties");
	json_begin_object(j);
	put_bounded(j, "exit", profile_key(KEY_SUCCESS));
	json_end(j);
	json_kv_str(j, "type", "object");
	json_end(j);
	put_bounded(j, "name", profile_key(KEY_NAME));
	put_bounded(j, "profile", profile_key(KEY_EXTENDS));
	json_key(j, "run");
	json_begin_object(j);
	json_key(j, "items");
	json_begin_object(j);
	put_names(j, "type", word, ARRAY_LEN(word));
	json_end(j);
	json_kv_uint(j, "maxItems", PROFILE_WORDS_MAX);
	json_kv_uint(j, "minItems", 1);
	json_kv_str(j, "type", "array");
	json_end(j);
	put_bounded(j, "wall", profile_key(KEY_LIM_WALL));
	json_end(j);
	put_names(j, "required", required, ARRAY_LEN(required));
	json_kv_str(j, "type", "object");
}

static void
put_list(struct json *j, const struct profile_key *key)
{
	json_kv_str(j, "description", key->sentence);
	if (key->type != TYPE_LATER) {
		json_key(j, "items");
		json_begin_object(j);
		if (key->type == TYPE_CHECKS) {
			put_check(j);
		} else if (profile_narrow_replaces(key->narrow)) {
			put_or_parent(j, key);
		} else {
			put_scalar(j, key, NULL);
		}
		json_end(j);
	}
	json_kv_uint(j, "maxItems", key->type == TYPE_LATER ? 0 : key->most);
	json_kv_str(j, "type", "array");
	json_kv_bool(j, "uniqueItems", true);
}

/* What is below the name of a cache. */
static void
put_cache(struct json *j)
{
	static const char *const required[] = { "path" };

	json_begin_object(j);
	json_kv_bool(j, "additionalProperties", false);
	json_key(j, "properties");
	json_begin_object(j);
	json_key(j, "exec");
	json_begin_object(j);
	json_key(j, "enum");
	json_begin_array(j);
	put_words(j, TYPE_BOOL);
	json_end(j);
	json_end(j);
	json_key(j, "path");
	json_begin_object(j);
	json_kv_str(j, "pattern", profile_type_pattern(TYPE_WRITES));
	json_kv_str(j, "type", "string");
	json_end(j);
	json_key(j, "scope");
	json_begin_object(j);
	json_key(j, "enum");
	json_begin_array(j);
	json_str(j, profile_cache_scope(0));
	json_str(j, profile_cache_scope(CACHE_USER));
	json_end(j);
	json_end(j);
	json_end(j);
	put_names(j, "required", required, ARRAY_LEN(required));
	json_kv_str(j, "type", "object");
	json_end(j);
}

static void
put_map(struct json *j, const struct profile_key *key)
{
	static const char *const text[] = { "string", "number", "boolean" };

	json_key(j, "additionalProperties");
	if (key->type == TYPE_CACHES) {
		put_cache(j);
	} else {
		json_begin_object(j);
		put_names(j, "type", text, ARRAY_LEN(text));
		json_end(j);
	}
	json_kv_str(j, "description", key->sentence);
	json_kv_uint(j, "maxProperties", key->most);
	json_key(j, "propertyNames");
	json_begin_object(j);
	json_kv_str(j, "pattern", profile_type_pattern(key->type));
	json_end(j);
	json_kv_str(j, "type", "object");
}

static void
put_key(struct json *j, const struct profile_key *key)
{
	json_begin_object(j);
	switch (profile_type_shape(key->type)) {
	case SHAPE_SCALAR:
		put_scalar(j, key, key->sentence);
		break;
	case SHAPE_LIST:
		put_list(j, key);
		break;
	case SHAPE_MAP:
		put_map(j, key);
		break;
	case SHAPE__COUNT:
		break;
	}
	json_end(j);
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* The keys of one section from *at on; *at is then behind the last of them. */
static void
put_section(struct json *j, const struct profile_key *const keys[KEY__COUNT], unsigned int *at)
{
	const struct profile_key *first = keys[*at];
	size_t len = profile_key_section(first->name);

	json_begin_object(j);
	json_kv_bool(j, "additionalProperties", false);
	json_key(j, "properties");
	json_begin_object(j);
	for (; *at < KEY__COUNT && profile_key_is_beside(first, keys[*at]); (*at)++) {
		json_key(j, keys[*at]->name + len + 1);
		put_key(j, keys[*at]);
	}
	json_end(j);
	json_kv_str(j, "type", "object");
	json_end(j);
}

static void
put_properties(struct json *j)
{
	const struct profile_key *keys[KEY__COUNT];

	profile_keys_sorted(keys);
	json_begin_object(j);
	for (unsigned int i = 0; i < KEY__COUNT;) {
		size_t len = profile_key_section(keys[i]->name);
		auto_buf section = BUF_INIT;

		if (len == 0) {
			json_key(j, keys[i]->name);
			put_key(j, keys[i]);
			i++;
			continue;
		}
		buf_put(&section, keys[i]->name, len);
		json_key(j, buf_text(&section));
		put_section(j, keys, &i);
	}
	json_end(j);
}

int
profile_print_schema(struct buf *out)
{
	static const char *const required[] = { "name", "version" };
	struct json j;

	json_init(&j, out);
	json_begin_object(&j);
	json_kv_str(&j, "$schema", "https://json-schema.org/draft/2020-12/schema");
	json_kv_bool(&j, "additionalProperties", false);
	json_kv_str(&j, "description",
		    "What one tool may see, do and cost; see airlock-profile(5).");
	json_key(&j, "properties");
	put_properties(&j);
	put_names(&j, "required", required, ARRAY_LEN(required));
	json_kv_str(&j, "title", "airlock profile");
	json_kv_str(&j, "type", "object");
	json_end(&j);
	return json_error(&j);
}
