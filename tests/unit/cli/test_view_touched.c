/* SPDX-License-Identifier: Apache-2.0 */
/* view_touched.c: changes, denials, limits. Run by `make unit`. */
#include "view_fixture.h"

/* clang-format off */
#define ITEM(path, kind, hold, before, after, size)                                                \
	"{\"path\":\"" path "\",\"kind\":\"" kind "\",\"hold\":" hold ",\"mode_before\":" before           \
	",\"mode_after\":" after ",\"size_after\":" size ",\"before\":null,\"after\":\"abcdef0123456789\"}"
#define LIMITS                                                                                     \
	"{\"limits\":{\"cpu_time\":3600000,\"disk\":1024,\"memory\":4096,\"output\":2048,\"pids\":8,"      \
	"\"wall\":1000}}"
#define STREAMS "\"stdout\":{\"bytes\":0},\"stderr\":{\"bytes\":0}"
#define QUIET                                                                                      \
	"\"usage\":{\"memory_peak\":1024,\"disk_bytes\":0,\"wall_ms\":5,\"cpu_ms\":4,\"pids_peak\":2}," STREAMS
#define END                                                                                        \
	"  stdout      empty\n"                                                                      \
	"  stderr      empty\n"                                                                      \
	"  used        memory 1 KiB of 4 KiB, disk 0 B of 1 KiB, output 0 B of 2 KiB,\n"             \
	"              wall 5ms of 1.0s, cpu time 4ms of 1h00m, pids 2 of 8\n"
#define NOTHING_DENIED                                                                             \
	"  denied      nothing that leaves an event\n"                                               \
	"  no event    a path or an address that the sandbox does not have: a try to open\n"          \
	"              or reach it fails, and is not recorded\n"

/* clang-format on */

static void
expect_touched(const char *outcome, bool verbose, const char *expected)
{
	auto_record rec = make_record(LIMITS, outcome);
	auto_page p = make_page();

	p.verbose = verbose;
	show_touched(&p, NULL, &rec);
	expect_page(&p, expected);
}

Test(view_touched, nothing)
{
	expect_touched("{\"changes\":{\"items\":[]},\"denials\":[]," QUIET "}", false,
		       "\nTOUCHED  what came out\n"
		       "  changes     none\n" NOTHING_DENIED END);
	expect_touched(NULL, false,
		       "\nTOUCHED  what came out\n"
		       "              not recorded: there is no outcome\n");
}

/* clang-format off */
#define ITEMS                                                                                      \
	ITEM("a\\\\033x", "create", "null", "0", "33188", "12")                                       \
	"," ITEM("gone", "delete", "null", "16877", "0", "0") ","                                       \
	ITEM("gone-not", "modify", "null", "33188", "33188", "2048") ","                                \
	ITEM("gone/f", "delete", "null", "33188", "0", "0") ","                                         \
	ITEM("gone/g", "delete", "null", "33188", "0", "0") ","                                         \
	ITEM("hook", "create", "\"built-in: h\\\\033\"", "0", "33261", "21") ","                         \
	ITEM("l", "replace", "null", "33188", "41471", "3") ","                                         \
	ITEM("m", "mode", "null", "33188", "33261", "9") ","                                            \
	ITEM("new", "create", "null", "0", "16877", "0") ","                                            \
	ITEM("new/empty", "create", "null", "0", "16877", "0") ","                                      \
	"{\"path\":\"z/agents.md\",\"kind\":\"modify\",\"hold\":null,\"mode_before\":33188,"            \
	"\"mode_after\":33188,\"size_after\":5,\"watched\":\"built-in: agents.md: instructions\"}"
#define CHANGES(more)                                                                              \
	"{\"changes\":{\"bytes\":33,\"created\":4,\"modified\":4,\"deleted\":" more                          \
	",\"held\":1,\"links_broken\":1,\"digest\":\"9999999999999999\",\"object\":\"8888888888888888\","  \
	"\"items\":[" ITEMS "]},\"denials\":[]," QUIET "}"
#define HEAD(deleted)                                                                              \
	"\nTOUCHED  what came out\n"                                                                  \
	"  changes     4 created, 4 modified, " deleted " deleted, 33 B; set 999999999999\n"
#define LIST                                                                                       \
	"              +      21 B  hook\n"                                                           \
	"                           HELD for a person: built-in: h\\033\n"                             \
	"              ~       5 B  z/agents.md\n"                                                     \
	"                           watched: built-in: agents.md: instructions\n"                      \
	"              +      12 B  a\\033x\n"                                                         \
	"              -            gone/ and 2 entries below\n"                                      \
	"              ~     2 KiB  gone-not\n"                                                       \
	"              ~      link  l\n"                                                              \
	"              %       9 B  m (mode 644 to 755)\n"                                            \
	"              +       dir  new/empty\n"
#define LINKS "              1 hard link was broken: one name of several was written\n"

/* clang-format on */

Test(view_touched, held_first_and_what_is_implied_left_out)
{
	expect_touched(CHANGES("3"), false, HEAD("3") LIST LINKS NOTHING_DENIED END);
	expect_touched(
		CHANGES("7"), false,
		HEAD("7") LIST
		"              … and 4 more (airlock show -v 0198c2a4-7f3e)\n" LINKS NOTHING_DENIED
			END);
}

Test(view_touched, what_waits_names_the_verb_that_shows_it)
{
	expect_touched("{\"settled\":\"held\",\"changes\":{\"created\":1,\"items\":[]},"
		       "\"denials\":[]," QUIET "}",
		       false,
		       "\nTOUCHED  what came out\n"
		       "  changes     1 created, 0 modified, 0 deleted, 0 B; set -\n"
		       "              … and 1 more (airlock show -v 0198c2a4-7f3e)\n"
		       "              airlock diff 0198c2a4-7f3e shows every line; apply commits "
		       "it,\n              discard drops it\n" NOTHING_DENIED
			       END);
}

Test(view_touched, twenty_lines_unless_verbose)
{
	auto_buf items = BUF_INIT, outcome = BUF_INIT;
	auto_page brief = make_page(), whole = make_page();
	auto_record rec = RECORD_INIT;

	for (unsigned int i = 0; i < 30; i++) {
		buf_printf(&items, "%s{\"path\":\"f%02u\",\"kind\":\"create\",\"hold\":null,",
			   i > 0 ? "," : "", i);
		buf_puts(&items, "\"mode_after\":33188,\"size_after\":1}");
	}
	buf_printf(&outcome,
		   "{\"changes\":{\"created\":31,\"object\":\"8888888888888888\",\"items\":[%s]},"
		   "\"denials\":[]," QUIET "}",
		   buf_text(&items));
	rec = make_record(LIMITS, buf_text(&outcome));
	show_touched(&brief, NULL, &rec);
	cr_expect_not_null(
		strstr(buf_text(&brief.out),
		       "f19\n              … and 11 more (airlock show -v 0198c2a4-7f3e)\n"));
	whole.verbose = true;
	show_touched(&whole, NULL, &rec);
	cr_expect_not_null(
		strstr(buf_text(&whole.out),
		       "              … and 1 more: the record lists no more; the whole list is "
		       "the object 8888888888888888\n"));
}

/* clang-format off */
#define DENIAL(count, hint, kind, rule, what, why)                                                 \
	"{\"count\":" count ",\"hint\":\"" hint "\",\"kind\":\"" kind "\",\"rule\":\"" rule "\",\"what\":\"" what "\",\"why\":\"" why "\"}"
/* clang-format on */

Test(view_touched, denials_say_what_can_be_done)
{
	expect_touched(
		"{\"changes\":{},\"denials\":["
		DENIAL("1", "do without", "syscall", "built-in", "mount", "mounting") ","
		DENIAL("3", "add @debug", "syscall", "p.yaml:4", "ptrace", "controls others") ","
		DENIAL("1", "raise it", "limit", "p.yaml:9", "pids", "EAGAIN") ","
		DENIAL("1", "airlock doctor", "launch", "built-in", "mounts", "") "],"
		"\"denials_dropped\":7," QUIET "}",
		false,
		"\nTOUCHED  what came out\n"
		"  changes     none\n"
		"  denied      system call mount, once, built in: mounting\n"
		"              do without\n"
		"              system call ptrace, 3 times, by p.yaml:4: controls others\n"
		"              add @debug\n"
		"              limit pids, once, by p.yaml:9: EAGAIN\n"
		"              raise it\n"
		"              launch mounts, once, built in\n"
		"              airlock doctor\n"
		"              and 7 more of other kinds\n"
		"  no event    a path or an address that the sandbox does not have: a try to "
		"open\n"
		"              or reach it fails, and is not recorded\n" END);
}

Test(view_touched, limits_that_were_reached_stand_apart)
{
	expect_touched(
		"{\"changes\":{},\"denials\":[],\"cgroup_events\":{\"oom_kills\":2,\"pids_max\":3},"
		"\"warnings\":[\"a "
		"\\u001b[2J\",\"b\"],\"usage\":{\"memory_peak\":4096,\"disk_bytes\":0,"
		"\"wall_ms\":5,\"cpu_ms\":4,\"pids_peak\":8}," STREAMS "}",
		false,
		"\nTOUCHED  what came out\n"
		"  changes     none\n" NOTHING_DENIED "  stdout      empty\n"
		"  stderr      empty\n"
		"  reached     memory 4 KiB of 4 KiB, pids 8 of 8\n"
		"  used        disk 0 B of 1 KiB, output 0 B of 2 KiB, wall 5ms of 1.0s, cpu time\n"
		"              4ms of 1h00m\n"
		"  events      killed for want of memory: 2 processes\n"
		"  events      new processes refused: 3 times\n"
		"  warnings    a \\033[2J\n"
		"              b\n");
}
