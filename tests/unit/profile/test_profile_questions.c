/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. Questions in a profile and beside it. */
#include "profile_place.h"

#include "../../../launcher/profile/vectors.h"

Test(profile_questions, of_the_profile_and_of_the_file_beside_it)
{
	auto_place p;
	struct profile_questions q;
	char dir[128];

	place_init(&p);
	make_dir(dir, sizeof(dir), p.first, "vectors");
	put(p.first, "a.yaml",
	    "version: 1\nname: a\n" LIMITS
	    "tests:\n  allow: [read /usr]\n  deny: [syscall ptrace]\n");
	put(dir, "a.yaml",
	    "version: 1\nname: a\ntests:\n  deny:\n  - see /etc/shadow\n  allow: [command x]\n");
	cr_assert_eq(load(&p, "a"), 0, "%s", p.err.text);
	cr_assert_eq(profile_questions_load(&p.loaded, &q, &p.report, &p.err), 0, "%s", p.err.text);
	cr_assert_eq(q.count, 4u);
	cr_expect_str_eq(q.items[0].text, "read /usr");
	cr_expect_str_eq(q.items[0].at, "a.yaml:5");
	cr_expect_not(q.items[0].deny);
	cr_expect_str_eq(q.items[1].text, "syscall ptrace");
	cr_expect(q.items[1].deny);
	cr_expect_str_eq(q.items[2].text, "command x");
	cr_expect_str_eq(q.items[3].text, "see /etc/shadow");
	cr_expect_str_eq(q.items[3].at, "a.yaml:5");
	cr_expect(q.items[3].deny);
	profile_questions_finish(&q);
}

Test(profile_questions, none_is_right_too)
{
	auto_place p;
	struct profile_questions q;

	place_init(&p);
	put(p.first, "a.yaml", "version: 1\nname: a\n" LIMITS);
	cr_assert_eq(load(&p, "a"), 0, "%s", p.err.text);
	cr_assert_eq(profile_questions_load(&p.loaded, &q, &p.report, &p.err), 0);
	cr_expect_eq(q.count, 0u);
	profile_questions_finish(&q);
}

/* A parent's questions are about the parent. */
Test(profile_questions, are_not_inherited)
{
	auto_place p;
	struct profile_questions q;

	place_init(&p);
	put(p.first, "b.yaml", "version: 1\nname: b\n" LIMITS "tests: { allow: [read /usr] }\n");
	put(p.first, "a.yaml", "version: 1\nname: a\nextends: b\n");
	cr_assert_eq(load(&p, "a"), 0, "%s", p.err.text);
	cr_assert_eq(profile_questions_load(&p.loaded, &q, &p.report, &p.err), 0);
	cr_expect_eq(q.count, 0u);
	profile_questions_finish(&q);
}

Test(profile_questions, a_wrong_file_is_told_with_its_places)
{
	auto_place p;
	struct profile_questions q;
	char dir[128];

	place_init(&p);
	make_dir(dir, sizeof(dir), p.first, "vectors");
	put(p.first, "a.yaml", "version: 1\nname: a\n" LIMITS);
	put(dir, "a.yaml",
	    "version: 1\nname: b\nmode: apply\ntests: { allow: [syscall ptarce] }\n");
	cr_assert_eq(load(&p, "a"), 0, "%s", p.err.text);
	cr_assert_eq(profile_questions_load(&p.loaded, &q, &p.report, &p.err), -EINVAL);
	cr_expect_not_null(strstr(buf_text(&p.report), "a.yaml:4:18: error: tests.allow: unknown "
						       "system call 'ptarce'; did you mean "
						       "'ptrace'?\n"));
	cr_expect_not_null(strstr(buf_text(&p.report), "a.yaml:3:7: error: mode: a file of vectors "
						       "has version, name and tests alone\n"));
	cr_expect_not_null(strstr(buf_text(&p.report),
				  "a.yaml:2:7: error: name: 'b' is not the profile's, 'a'\n"));
}

/* What is asked is no part of what is allowed: the digest stays. */
Test(profile_questions, do_not_change_the_digest)
{
	auto_place p;
	uint8_t before[32];

	place_init(&p);
	put(p.first, "a.yaml", "version: 1\nname: a\n" LIMITS);
	cr_assert_eq(load(&p, "a"), 0, "%s", p.err.text);
	memcpy(before, p.loaded.profile->digest, sizeof(before));
	profile_loaded_finish(&p.loaded);
	put(p.first, "a.yaml", "version: 1\nname: a\n" LIMITS "tests: { allow: [read /usr] }\n");
	cr_assert_eq(load(&p, "a"), 0, "%s", p.err.text);
	cr_expect_eq(memcmp(before, p.loaded.profile->digest, sizeof(before)), 0);
}
