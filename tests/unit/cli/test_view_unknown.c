/* SPDX-License-Identifier: Apache-2.0 */
/* view_unknown.c: what there is to decide by. Run by `make unit`. */
#include "view_fixture.h"

#include <stdlib.h>
#include <time.h>

#define RESOLVED(answer)                                                                      \
	"[{\"actor\":{\"uid\":1000},\"answer\":\"" answer "\",\"reason\":\"seen\\u001b[2J\"," \
	"\"t\":1750000060000}]"
#define PLANNED(members) \
	"{\"mode\":\"apply\",\"node\":{\"boot_id\":\"b1\"},\"t0\":1750000000000" members "}"

#define HEAD                                                                                \
	"\nUNKNOWN  airlock died in this call: what is known, and what can be done\n"       \
	"  known       it was planned 2025-06-15 15:06:40 +0000 (boot b1); when airlock\n" \
	"              died is not known, nor whether the tool had begun or ended\n"

static void
expect_facts(const char *planned, const char *resolves, const char *expected)
{
	auto_record rec = make_record(planned, NULL);
	auto_page p = make_page();
	auto_buf all = BUF_INIT;

	rec.resolves = resolves != NULL ? parse_json(resolves) : NULL;
	setenv("TZ", "UTC", 1);
	tzset();
	show_unknown(&p, NULL, &rec);
	buf_printf(&all, "%s%s", HEAD, expected);
	expect_page(&p, buf_text(&all));
}

#define NOTHING                                                                            \
	"  could do    nothing outside of its sandbox: what it changed of the workspace\n" \
	"              is not committed\n"                                                 \
	"  left        no change set is kept of it\n"
#define DECIDE "  to decide   airlock resolve 0198c2a4-7f3e done|not-done|rerun, when you know\n"
#define SEEN(answer) \
	"  resolved    " answer " 2025-06-15 15:07:40 +0000 by uid 1000: seen\\033[2J\n"

Test(view_unknown, a_call_that_asks)
{
	expect_facts(PLANNED(",\"attempt\":1,\"key\":\"k\\u001b\",\"retry\":\"ask\""), NULL,
		     NOTHING
		     "  retry       a retry under its key k\\033 is refused, as its profile "
		     "says retry:\n              ask\n" DECIDE);
	expect_facts(PLANNED(",\"key\":null,\"write\":[\"/srv/a\",\"/srv/b\"]"), NULL,
		     "  could do    it could write /srv/a /srv/b directly: what it did there "
		     "stands\n"
		     "  left        no change set is kept of it\n"
		     "  retry       it had no key, so nothing waits for its answer\n" DECIDE);
}

Test(view_unknown, a_call_that_may_run_again_or_was_resolved)
{
	expect_facts(PLANNED(",\"attempt\":2,\"key\":\"k\",\"retry\":\"safe\""), NULL,
		     NOTHING "  retry       a retry under its key k runs, as attempt 3\n" DECIDE);
	expect_facts(PLANNED(",\"key\":\"k\",\"retry\":\"ask\""), RESOLVED("rerun"),
		     NOTHING SEEN("rerun") "  retry       a retry under its key k runs, as attempt "
					   "2\n");
	expect_facts(PLANNED(",\"key\":\"k\",\"retry\":\"ask\""), RESOLVED("done"),
		     NOTHING SEEN("done") "  retry       a retry under its key k is answered as "
					  "done, and runs nothing\n");
	expect_facts(PLANNED(",\"key\":\"k\",\"retry\":\"safe\""), RESOLVED("not-done"),
		     NOTHING SEEN("not-done") "  retry       a retry under its key k is answered "
					      "as interrupted, and runs\n"
					      "              nothing\n");
}

Test(view_unknown, a_call_that_was_found_without_its_airlock)
{
	auto_record rec = make_record(PLANNED(",\"key\":null"), NULL);
	auto_page p = make_page();

	rec.lost = parse_json("{\"t\":1750000060000,\"used\":{\"calls\":1,\"cpu_ms\":240000,"
			      "\"disk_bytes\":1024,\"wall_ms\":60000}}");
	setenv("TZ", "UTC", 1);
	tzset();
	show_unknown(&p, NULL, &rec);
	expect_page(&p, HEAD
		    "  found       without its airlock 2025-06-15 15:07:40 +0000: in the "
		    "budget of\n"
		    "              its workflow it counts as 1m of wall, 4m of cpu, 1KiB of disk\n"
		    NOTHING
		    "  retry       it had no key, so nothing waits for its answer\n" DECIDE);
}

Test(view_unknown, nothing_of_a_call_that_runs_or_ended)
{
	auto_record running = make_record("{}", NULL), ended = make_record("{}", "{}");
	auto_page p = make_page();

	running.is_running = true;
	show_unknown(&p, NULL, &running);
	show_unknown(&p, NULL, &ended);
	expect_page(&p, "");
}
