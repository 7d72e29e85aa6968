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
		"limits: { memry: 1GiB, pids: no }\nmemory: 2GiB\nlabels: []\n",
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
		"t.yaml:6:1: error: unknown key 'labels'\n"
		"labels: []\n"
		"^~~~~~\n");
}

/* Keys whose feature is not built yet are unknown. */
Test(profile_read, keys_of_later_features_are_unknown)
{
	static const char *const keys[] = { "labels", "credentials", "retry", "done_when",
					    "workspace" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		auto_buf yaml = BUF_INIT, start = BUF_INIT;
		auto_free char *report = NULL;

		buf_printf(&yaml, "version: 1\nname: a\n%s: x\n", keys[i]);
		buf_printf(&start, "t.yaml:3:1: error: unknown key '%s'\n", keys[i]);
		report = report_of(buf_text(&yaml));
		cr_expect_eq(strncmp(report, buf_text(&start), start.len), 0, "%s", report);
	}
	expect_report("version: 1\nname: a\nnetwork: { egress: [] }\n",
		      "t.yaml:3:12: error: unknown key 'egress' in network\n"
		      "network: { egress: [] }\n"
		      "           ^~~~~~\n");
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
