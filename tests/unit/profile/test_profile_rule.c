/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. What a person is told to write who wants more. */
#include <criterion/criterion.h>

#include "../../../launcher/profile/profile.h"

static struct profile p;

static void
start(void)
{
	p = (struct profile){ .name = "jq", .source = "/p/jq.yaml" };
	p.rules[KEY_FS_READ].place = "jq.yaml:7";
}

TestSuite(profile_rule, .init = start);

static void
expect_remedy(const char *entry, const char *want)
{
	auto_buf text = BUF_INIT;

	profile_remedy_entry(&text, &p, KEY_FS_READ, entry);
	cr_expect_str_eq(buf_text(&text), want);
}

Test(profile_rule, a_list_of_ones_own)
{
	p.rules[KEY_FS_READ].flags = RULE_OWN | RULE_WIDEN;
	expect_remedy("/a", "add \"/a\" to filesystem.read in /p/jq.yaml: "
			    "`filesystem: { read: [..., \"/a\"] }`");
	p.rules[KEY_FS_READ].flags = RULE_OWN;
	expect_remedy("/a", "add \"/a\" to filesystem.read in /p/jq.yaml, as far as its parent "
			    "allows: `filesystem: { read: [..., \"/a\"] }`");
}

Test(profile_rule, a_list_of_a_parents)
{
	p.rules[KEY_FS_READ].flags = RULE_WIDEN;
	expect_remedy("/a", "add \"/a\" to filesystem.read in /p/jq.yaml: "
			    "`filesystem: { read: [\"@parent\", \"/a\"] }`");
	p.rules[KEY_FS_READ].flags = 0;
	expect_remedy("/a", "add \"/a\" to filesystem.read in the parent of /p/jq.yaml (jq.yaml:7 "
			    "has the rule), or have that parent say `open: [filesystem.read]`: "
			    "`filesystem: { read: [\"@parent\", \"/a\"] }`");
}

/* What does not open the key cannot be extended; base has none of its entries. */
Test(profile_rule, a_shipped_profile)
{
	p.shipped = true;
	p.rules[KEY_FS_READ].flags = RULE_OPEN | RULE_OWN;
	expect_remedy("/a", "add \"/a\" to filesystem.read in a profile of your own: `extends: jq` "
			    "and `filesystem: { read: [\"@parent\", \"/a\"] }`");
	p.rules[KEY_FS_READ].flags = RULE_OWN;
	expect_remedy("/a", "add \"/a\" to filesystem.read in a profile of your own: `extends: "
			    "base` and `filesystem: { read: [..., \"/a\"] }`, where ... are the "
			    "entries of jq");
}

Test(profile_rule, an_entry_is_quoted_as_yaml_reads_it)
{
	p.rules[KEY_FS_READ].flags = RULE_WIDEN;
	expect_remedy("/a\"\\\n\x7f", "add \"/a\\\"\\\\\\u000a\\u007f\" to filesystem.read in "
				      "/p/jq.yaml: `filesystem: { read: [\"@parent\", "
				      "\"/a\\\"\\\\\\u000a\\u007f\"] }`");
}

Test(profile_rule, keys_have_their_names)
{
	cr_expect_str_eq(profile_key_name(KEY_FS_READ), "filesystem.read");
	cr_expect_str_eq(profile_key_name(KEY_LIM_WALL), "limits.wall");
}
