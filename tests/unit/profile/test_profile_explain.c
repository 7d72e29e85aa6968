/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. A profile in sentences, and that no key is left out. */
#include "profile_place.h"

#include "../../../launcher/profile/explain.h"

/* A new key must be explained: a row of explain.def, and for words one row per word. */
Test(profile_explain, every_key_has_its_sentence)
{
	static const struct {
		enum profile_key_id key;
		int word;
	} rows[] = {
#define SAY(key, topic, text, none) { KEY_##key, -1 },
#define SAY_LIST(key, topic, text, none) { KEY_##key, -1 },
#define SAY_WORD(key, value, topic, text) { KEY_##key, (value) },
#include "../../../launcher/profile/explain.def"
	};

	for (unsigned int i = 0; i < KEY__COUNT; i++) {
		const struct profile_key *key = profile_key((enum profile_key_id)i);
		bool words = key->type == TYPE_BOOL;
		size_t wanted = 0, found = 0;

		if (profile_type_shape(key->type) == SHAPE_SCALAR) {
			words |= profile_type_words(key->type, &wanted) != NULL;
		}
		wanted = words ? (wanted > 0 ? wanted : 2) : 1;
		for (size_t r = 0; r < ARRAY_LEN(rows); r++) {
			found += (unsigned int)rows[r].key == i;
			cr_expect((unsigned int)rows[r].key != i || (rows[r].word >= 0) == words,
				  "%s", key->name);
		}
		cr_expect_eq(found, wanted, "explain.def has %zu of %zu rows for %s", found, wanted,
			     key->name);
	}
}

static const struct explain_row *
row_of(const struct explain_page *page, const char *key, size_t n)
{
	for (size_t i = 0; i < page->count; i++) {
		if (strcmp(page->rows[i].key, key) == 0 && n-- == 0) {
			return &page->rows[i];
		}
	}
	cr_assert_fail("nothing is said of %s", key);
	return NULL;
}

Test(profile_explain, values_and_where_they_stand)
{
	auto_place p;
	struct explain_page page;
	auto_buf place = BUF_INIT;

	place_init(&p);
	put(p.first, "b.yaml",
	    "version: 1\nname: b\n" LIMITS "mode: apply\nfilesystem:\n  read:\n  - /usr\n  - /opt\n"
	    "environment: { set: { A: b } }\n");
	put(p.first, "a.yaml",
	    "version: 1\nname: a\nextends: b\nlimits: { wall: 30s }\nallow_degraded: []\n");
	cr_assert_eq(load(&p, "a"), 0, "%s", p.err.text);
	cr_assert_eq(explain_page(&p.loaded, &page), 0);
	cr_expect_str_eq(row_of(&page, "limits.wall", 0)->text, "After 30s it ends as timeout.");
	cr_expect_str_eq(row_of(&page, "limits.wall", 0)->at, "a.yaml:4");
	cr_expect_str_eq(row_of(&page, "limits.cpu", 0)->text,
			 "400% of CPU; 100% is one processor.");
	cr_expect_str_eq(row_of(&page, "limits.cpu", 0)->at, "b.yaml:3");
	cr_expect_str_eq(row_of(&page, "mode", 0)->at, "b.yaml:4");
	cr_expect_eq(row_of(&page, "mode", 0)->topic, EXPLAIN_WRITE);
	cr_expect_not_null(strstr(row_of(&page, "mode", 0)->text, "kept when the tool succeeded"));
	cr_expect_not(row_of(&page, "filesystem.read", 0)->entry);
	cr_expect_str_eq(row_of(&page, "filesystem.read", 1)->text, "/usr");
	cr_expect(row_of(&page, "filesystem.read", 1)->entry);
	cr_expect_str_eq(row_of(&page, "filesystem.read", 2)->at, "b.yaml:8");
	cr_expect_str_eq(row_of(&page, "environment.set", 1)->text, "A=b");
	cr_expect_str_eq(row_of(&page, "allow_degraded", 0)->text,
			 "No layer may be missing: such a host does not run it.");
	cr_expect_str_eq(row_of(&page, "network.loopback", 0)->at, "built-in");
	explain_page_finish(&page);
	explain_place(&p.loaded, KEY_FS_READ, "/opt", &place);
	cr_expect_str_eq(buf_text(&place), "b.yaml:8");
}

Test(profile_explain, paths_that_no_profile_may_read)
{
	cr_expect_not_null(explain_unreadable("/"));
	cr_expect_not_null(explain_unreadable("/proc/1"));
	cr_expect_not_null(explain_unreadable("/tmp"));
	cr_expect_null(explain_unreadable("/tmp/x"));
	cr_expect_null(explain_unreadable("/process"));
	cr_expect_null(explain_unreadable("/usr"));
}
