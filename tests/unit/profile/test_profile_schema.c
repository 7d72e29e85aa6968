/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. The tables, row by row. */
#include "profile_test.h"

Test(profile_schema, every_key_is_whole)
{
	for (unsigned int i = 0; i < KEY__COUNT; i++) {
		const struct profile_key *k = profile_key((enum profile_key_id)i);
		size_t len = strlen(k->sentence);

		cr_expect_eq((unsigned int)k->id, i, "%s", k->name);
		cr_expect_eq(profile_key_find(k->name), k, "%s", k->name);
		cr_assert_gt(len, 10u, "%s", k->name);
		cr_expect_eq(k->sentence[len - 1], '.', "%s: a sentence ends with a full stop",
			     k->name);
		cr_expect_geq(k->most, k->least, "%s", k->name);
		cr_expect_lt((unsigned int)k->type, (unsigned int)TYPE__COUNT, "%s", k->name);
		cr_expect_gt(strlen(profile_type_what(k->type)), 3u, "%s", k->name);
		cr_expect_gt(strlen(profile_narrow_sentence(k->narrow)), 10u, "%s", k->name);
	}
	cr_expect_null(profile_key_find("limits"));
	cr_expect_null(profile_key_find(""));
}

Test(profile_schema, names_are_unique_and_two_deep)
{
	for (unsigned int i = 0; i < KEY__COUNT; i++) {
		const char *name = profile_key((enum profile_key_id)i)->name;
		const char *dot = strchr(name, '.');

		cr_expect_null(dot != NULL ? strchr(dot + 1, '.') : NULL, "%s", name);
		for (unsigned int j = 0; j < i; j++) {
			cr_expect_str_neq(profile_key((enum profile_key_id)j)->name, name);
		}
	}
}

/* Only what has no sensible default, or must be decided, is without one. */
Test(profile_schema, defaults_parse)
{
	struct profile_arena a = { .chunks = NULL, .failed = false };

	for (unsigned int i = 0; i < KEY__COUNT; i++) {
		const struct profile_key *k = profile_key((enum profile_key_id)i);
		bool required =
			strncmp(k->name, "limits.", 7) == 0 || i == KEY_VERSION || i == KEY_NAME;
		struct profile_value v;

		cr_expect_eq(k->fallback == NULL, required, "%s", k->name);
		if (k->fallback == NULL) {
			continue;
		}
		profile_value_fallback(&a, k, &v);
		cr_expect_eq(v.set, true, "%s", k->name);
		if (profile_type_shape(k->type) == SHAPE_LIST) {
			cr_expect_eq(v.count, k->fallback[0] != '\0' ? 1u : 0u, "%s", k->name);
		}
	}
	profile_arena_finish(&a);
}

Test(profile_schema, sections)
{
	cr_expect_eq(profile_key_is_section("limits"), true);
	cr_expect_eq(profile_key_is_section("owners"), true);
	cr_expect_eq(profile_key_is_section("limit"), false);
	cr_expect_eq(profile_key_is_section("mode"), false);
	cr_expect_eq(profile_key_is_section("limits.memory"), false);
}

Test(profile_schema, nearest_key)
{
	static const struct {
		const char *section, *word, *near;
	} rows[] = {
		{ "", "limts", "limits" },	     { "", "mdoe", "mode" },
		{ "limits", "memry", "memory" },     { "", "memory", "limits.memory" },
		{ "limits", "loopback", "network.loopback" }, { "environment", "acept", "accept" },
		{ "", "zzz", NULL },		     { "limits", "zzz", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char near[64] = "";
		bool found = profile_key_nearest(rows[i].section, rows[i].word, near, sizeof(near));

		cr_expect_eq(found, rows[i].near != NULL, "%s", rows[i].word);
		cr_expect_str_eq(near, rows[i].near != NULL ? rows[i].near : "", "%s",
				 rows[i].word);
	}
}

Test(profile_schema, every_value_has_its_word)
{
	for (unsigned int type = 0; type < TYPE__COUNT; type++) {
		size_t count;
		const char *const *words = profile_type_words((enum profile_type)type, &count);

		for (size_t i = 0; i < count; i++) {
			cr_expect_not_null(words[i], "type %u, value %zu", type, i);
		}
	}
}

Test(profile_schema, words_follow_the_enums)
{
	size_t count;
	const char *const *words = profile_type_words(TYPE_MODE, &count);

	cr_assert_eq(count, (size_t)MODE__COUNT);
	cr_expect_str_eq(words[MODE_OBSERVE], "observe");
	cr_expect_str_eq(words[MODE_PROPOSE], "propose");
	cr_expect_str_eq(words[MODE_APPLY], "apply");
	words = profile_type_words(TYPE_CAPTURE, &count);
	cr_assert_eq(count, (size_t)CAPTURE__COUNT);
	cr_expect_str_eq(words[CAPTURE_DIGESTS], "digests");
	cr_expect_str_eq(words[CAPTURE_TOUCHED], "touched");
	cr_expect_str_eq(words[CAPTURE_CONTENT], "content");
	words = profile_type_words(TYPE_OBSERVE, &count);
	cr_assert_eq(count, (size_t)OBSERVE__COUNT);
	cr_expect_str_eq(words[OBSERVE_DISCARD], "discard");
	cr_expect_str_eq(words[OBSERVE_REFUSE], "refuse");
	words = profile_type_words(TYPE_ON_FAILURE, &count);
	cr_assert_eq(count, (size_t)ON_FAILURE__COUNT);
	cr_expect_str_eq(words[ON_FAILURE_CONTINUE], "continue");
	cr_expect_str_eq(words[ON_FAILURE_ASK], "ask");
	cr_expect_str_eq(words[ON_FAILURE_STOP], "stop");
	words = profile_type_words(TYPE_RETRY, &count);
	cr_assert_eq(count, (size_t)RETRY__COUNT);
	cr_expect_str_eq(words[RETRY_SAFE], "safe");
	cr_expect_str_eq(words[RETRY_ASK], "ask");
	words = profile_type_words(TYPE_EFFECTS, &count);
	cr_assert_eq(count, 4u);
	cr_expect_str_eq(words[0], "read");
	cr_expect_str_eq(words[1], "write-workspace");
	cr_expect_str_eq(words[2], "write-external");
	cr_expect_str_eq(words[3], "irreversible");
	cr_expect_null(profile_type_words(TYPE_SIZE, &count));
	cr_expect_eq(count, 0u);
}

Test(profile_schema, toolchains_are_sorted_and_one_bit_each)
{
	size_t count;
	const struct profile_bits *rows = profile_toolchains(&count);

	cr_assert_eq(count, (size_t)TOOLCHAIN__COUNT + 1);
	cr_expect_str_eq(rows[0].name, "all");
	cr_expect_eq(rows[0].bits, TOOLCHAINS_ALL);
	for (size_t i = 1; i < count; i++) {
		cr_expect_gt(strlen(rows[i].sentence), 10u, "%s", rows[i].name);
		cr_expect_lt(strcmp(rows[i - 1].name, rows[i].name), 0, "%s", rows[i].name);
		cr_expect_eq(rows[i].bits, 1u << (i - 1), "%s", rows[i].name);
	}
}

Test(profile_schema, layers_cover_each_bit)
{
	size_t count;
	const struct profile_bits *layers = profile_layers(&count);
	uint32_t single = 0;

	cr_assert_eq(count, 6u);
	for (size_t i = 0; i < count; i++) {
		cr_expect_gt(strlen(layers[i].sentence), 10u, "%s", layers[i].name);
		cr_expect_eq(i > 0 && strcmp(layers[i - 1].name, layers[i].name) >= 0, false, "%s",
			     layers[i].name);
		if ((layers[i].bits & (layers[i].bits - 1)) == 0) {
			cr_expect_eq(single & layers[i].bits, 0u, "%s", layers[i].name);
			single |= layers[i].bits;
		}
	}
	cr_expect_eq(single, DEGRADE_CGROUP | DEGRADE_LANDLOCK | DEGRADE_NOTIFY);
}
