/* SPDX-License-Identifier: Apache-2.0 */
/* view_findings.c: what is looked for first, and nothing where there is nothing. `make unit`. */
#include "view_fixture.h"

/* clang-format off */
#define ITEM(path, hold, watched) \
	"{\"path\":\"" path "\",\"hold\":" hold ",\"watched\":" watched "}"
/* clang-format on */
#define PLAIN(path) ITEM(path, "null", "null")
#define HELD(path, rule) ITEM(path, "\"" rule "\"", "null")
#define WATCHED(path, rule) ITEM(path, "null", "\"" rule "\"")

static void
expect_findings(const char *outcome, const char *expected)
{
	auto_record rec = make_record("{\"limits\":{\"pids\":40,\"memory\":9,\"disk\":9,"
				      "\"output\":9,\"wall\":9,\"cpu_time\":9}}",
				      outcome);
	auto_page p = make_page();

	show_findings(&p, &rec);
	expect_page(&p, expected);
}

/* clang-format off */

Test(view_findings, nothing_is_not_a_part)
{
	expect_findings(NULL, "");
	expect_findings("{}", "");
	expect_findings("{\"changes\":{\"items\":[" PLAIN("a") "]},\"degraded\":[],\"denials\":[]}",
			"");
}

Test(view_findings, each_kind_has_its_label)
{
	expect_findings(
		"{\"changes\":{\"items\":["
		HELD("a\\\\040b", "rule x") "," HELD("c", "rule y") "," WATCHED("AGENTS.md", "w")
		"]},\"degraded\":[\"landlock\",\"seccomp\"],"
		"\"denials\":[{\"kind\":\"syscall\",\"what\":\"mount\",\"count\":2,"
		"\"rule\":\"p.yaml:4\",\"why\":\"\"}],\"usage\":{\"pids_peak\":40}}",
		"\nLOOK FIRST  what was held, denied, exhausted or not enforced\n"
		"  held        a b, rule x\n"
		"              c, rule y\n"
		"  watched     AGENTS.md, w\n"
		"  denied      system call mount, 2 times, by p.yaml:4\n"
		"  reached     pids 40 of 40\n"
		"  degraded    landlock, seccomp\n");
}

Test(view_findings, what_the_list_has_no_room_for_is_counted)
{
	expect_findings(
		"{\"changes\":{\"held\":3,\"watched\":1,\"items\":[" HELD("1", "r") "]}}",
		"\nLOOK FIRST  what was held, denied, exhausted or not enforced\n"
		"  held        1, r\n"
		"  held        2 that the record does not name\n"
		"  watched     1 that the record does not name\n");
}

Test(view_findings, many_of_a_kind_are_counted)
{
	expect_findings(
		"{\"changes\":{\"items\":["
		HELD("1", "r") "," HELD("2", "r") "," HELD("3", "r") ","
		HELD("4", "r") "," HELD("5", "r") "," HELD("6", "r")
		"]}}",
		"\nLOOK FIRST  what was held, denied, exhausted or not enforced\n"
		"  held        1, r\n"
		"              2, r\n"
		"              3, r\n"
		"              4, r\n"
		"              and 2 more, below\n");
}
