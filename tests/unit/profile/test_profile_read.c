/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs as the developer or CI. Keys of a file: unknown ones, missing ones, several errors at
 * once.
 */
#include "profile_test.h"

Test(profile_read, several_errors_in_one_run)
{
	expect_report(
		"version: 1\nname: a\nlimts: { memory: 1GiB }\n"
		"limits: { memry: 1GiB, pids: no }\nmemory: 2GiB\napproval: []\n",
		"t.yaml:3:1: error: unknown key 'limts'; did you mean 'limits'?\n"
		"limts: { memory: 1GiB }\n"
		"^~~~~\n"
		"t.yaml:4:11: error: unknown key 'memry' in limits; did you mean 'memory'?\n"
		"limits: { memry: 1GiB, pids: no }\n"
		"          ^~~~~\n"
		"t.yaml:4:30: error: limits.pids: wants a whole number, such as 512, not 'no'\n"
		"limits: { memry: 1GiB, pids: no }\n"
		"                             ^~\n"
		"t.yaml:5:1: error: unknown key 'memory'; did you mean 'limits.memory'?\n"
		"memory: 2GiB\n"
		"^~~~~~\n"
		"t.yaml:6:1: error: unknown key 'approval'\n"
		"approval: []\n"
		"^~~~~~~~\n");
}

/* A key whose feature is not built yet, and that no profile needs before, is unknown. */
Test(profile_read, a_key_of_a_later_feature_is_unknown)
{
	expect_report("version: 1\nname: a\napproval: person\n",
		      "t.yaml:3:1: error: unknown key 'approval'\n"
		      "approval: person\n"
		      "^~~~~~~~\n");
}

Test(profile_read, version_and_name_are_asked_for)
{
	expect_report("mode: apply\n", "t.yaml:1:1: error: version is missing; write version: 1\n"
				       "mode: apply\n"
				       "^\n"
				       "t.yaml:1:1: error: name is missing; write name: NAME\n"
				       "mode: apply\n"
				       "^\n");
}

Test(profile_read, shapes)
{
	expect_report("- a\n", "t.yaml:1:1: error: a profile is a map of keys, such as version: 1\n"
			       "- a\n"
			       "^\n");
	expect_report("version: 1\nname: a\nlimits: 5\n",
		      "t.yaml:3:9: error: limits: wants keys below it\n"
		      "limits: 5\n"
		      "        ^\n");
	expect_report("version: 1\nname: a\nowners:\n",
		      "t.yaml:3:1: error: owners: wants keys below it\n"
		      "owners:\n"
		      "^~~~~~\n");
}

/* limits.memory is spelled as two keys; a dotted key is not the same. */
Test(profile_read, dotted_keys_are_unknown)
{
	expect_report("version: 1\nname: a\nlimits.memory: 1GiB\n",
		      "t.yaml:3:1: error: unknown key 'limits.memory'\n"
		      "limits.memory: 1GiB\n"
		      "^~~~~~~~~~~~~\n");
}
