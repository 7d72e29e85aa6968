/* SPDX-License-Identifier: Apache-2.0 */
/* view_decided.c: profile, policy, the attestation in words. Run by `make unit`. */
#include "view_fixture.h"

/* clang-format off */
#define D1 "1111111111111111"
#define PLANNED(policy)                                                                            \
	"{\"limits\":{\"memory\":2147483648,\"disk\":1073741824},\"mode\":\"apply\",\"plan_digest\":"       \
	"\"2222222222222222\",\"policy\":" policy                                                           \
	",\"profile\":{\"digest\":\"" D1 "\",\"name\":\"default\","                                        \
	"\"source\":\"/p/default.yaml\"},\"request_digest\":\"3333333333333333\"}"
#define NO_POLICY "{\"decision\":\"allow\",\"digest\":null,\"rules\":[]}"
#define ATTESTED(cgroup, groups, abi)                                                              \
	"{\"attestation\":{\"capabilities\":[],\"cgroup\":" cgroup                                          \
	",\"gid\":1000,\"groups\":" groups ",\"landlock_abi\":" abi                                        \
	",\"mounts\":37,\"mounts_digest\":\"" D1 "\",\"namespaces\":{\"a\":1,\"b\":2},"                   \
	"\"no_new_privs\":true,\"rlimits\":[{\"hard\":9,\"resource\":7,\"soft\":1024},"                     \
	"{\"hard\":9,\"resource\":0,\"soft\":3600},{\"hard\":1,\"resource\":4,\"soft\":1},"                 \
	"{\"hard\":0,\"resource\":14,\"soft\":0},{\"hard\":8,\"resource\":8,\"soft\":8388608},"             \
	"{\"hard\":9,\"resource\":99,\"soft\":5}],\"seccomp_digest\":\"" D1 "\",\"seccomp_filters\":1,"     \
	"\"uid\":1000,\"uid_outside\":2147000000},\"degraded\":[]}"

/* clang-format on */

Test(view_decided, everything_held)
{
	auto_record rec =
		make_record(PLANNED(NO_POLICY),
			    ATTESTED("{\"cpu_period_us\":100000,\"cpu_quota_us\":400000,"
				     "\"memory_max\":3221225472,\"pids_max\":512,\"swap_max\":0,"
				     "\"version\":1}",
				     "[]", "7"));
	auto_page p = make_page();

	show_decided(&p, &rec);
	expect_page(
		&p,
		"\nDECIDED  what was allowed, and what held before the tool started\n"
		"  profile     default 111111111111, from /p/default.yaml\n"
		"  mode        apply: committed on success, unless protected or in conflict\n"
		"  retry       ask: a person decides when airlock died in it\n"
		"  policy      allow: there is no policy, the profile alone decided\n"
		"  isolation   2 fresh namespaces, no capability, no_new_privs, seccomp (1 filter\n"
		"              111111111111), Landlock ABI 7\n"
		"  ran as      uid 1000 inside, 2147000000 outside; gid 1000\n"
		"  mounts      37, as planned; table 111111111111\n"
		"  limits held by cgroup v1: memory 3 GiB (2 GiB + 1 GiB disk), no swap, pids\n"
		"              512, cpu 400%\n"
		"  per process open files 1024, cpu time 1h00m, no core dump, no real-time\n"
		"              priority, locked memory 8 MiB, resource 99 5\n"
		"  degraded    nothing\n"
		"  digests     plan 222222222222, request 333333333333\n");
}

static void
expect_line(const char *planned, const char *outcome, const char *line)
{
	auto_record rec = make_record(planned, outcome);
	auto_page p = make_page();

	show_decided(&p, &rec);
	cr_expect_not_null(strstr(buf_text(&p.out), line), "%s in %s", line, buf_text(&p.out));
}

Test(view_decided, what_did_not_hold_is_said)
{
	expect_line(
		PLANNED(NO_POLICY), ATTESTED("null", "[4,24]", "0"),
		"  limits held by no cgroup: memory was advisory (RLIMIT_DATA and a look every\n"
		"              100 ms), the share of CPU was not limited\n");
	expect_line(PLANNED(NO_POLICY), ATTESTED("null", "[4,24]", "0"),
		    "gid 1000, kept groups 4 24\n");
	expect_line(PLANNED(NO_POLICY), ATTESTED("null", "[]", "0"),
		    "111111111111), no Landlock\n");
	expect_line(
		PLANNED(NO_POLICY),
		"{\"attestation\":null,\"degraded\":[\"cgroup.cpu\",\"landlock\"],"
		"\"missing_layers\":[{"
		"\"count\":1,\"hint\":\"mend it\",\"kind\":\"layer\",\"rule\":\"p.yaml:3\","
		"\"what\":\"landlock\",\"why\":\"there is none\"},{"
		"\"count\":1,\"hint\":\"mend it\",\"kind\":\"layer\",\"rule\":\"p.yaml:3\","
		"\"what\":\"notify\",\"why\":\"there is none\"},{"
		"\"count\":1,\"hint\":\"mend it\",\"kind\":\"layer\",\"rule\":\"p.yaml:3\","
		"\"what\":\"cgroup.cpu\",\"why\":\"not ours\"}]}",
		"  isolation   nothing was attested: the sandbox was not complete, the tool did\n"
		"              not run\n"
		"  degraded    cgroup.cpu, landlock: not enforced on this host, as the profile\n"
		"              allows\n"
		"              landlock, notify (p.yaml:3): there is none; mend it\n"
		"              cgroup.cpu (p.yaml:3): not ours; mend it\n");
	expect_line(PLANNED(NO_POLICY),
		    ATTESTED("{\"cpu_period_us\":100000,\"cpu_quota_us\":18446744073709551615.0,"
			     "\"memory_max\":9223372036854771712,\"pids_max\":64,\"swap_max\":1,"
			     "\"version\":2}",
			     "[]", "3"),
		    "  limits held by cgroup v2: memory not limited, pids 64\n");
}

Test(view_decided, rules_of_a_policy)
{
	expect_line(PLANNED("{\"decision\":\"allow\",\"digest\":\"4444444444444444\","
			    "\"rules\":[\"r1\",\"r2\"]}"),
		    NULL, "  policy      allow by r1 r2, policy 444444444444\n");
}

Test(view_decided, verbose_has_the_attestation_whole)
{
	auto_record rec = make_record(PLANNED(NO_POLICY), ATTESTED("null", "[]", "7"));
	auto_page p = make_page();

	p.verbose = true;
	show_decided(&p, &rec);
	cr_expect_not_null(
		strstr(buf_text(&p.out), "              namespaces: {\"a\":1,\"b\":2}\n"));
	cr_expect_not_null(strstr(buf_text(&p.out), "  profile     default " D1 ", from"));
}

/* Only where the record says so: older ones do not. */
Test(view_decided, network_and_mode_name_their_rules)
{
	expect_line("{\"loopback\":false,\"mode\":\"propose\",\"rules\":{\"mode\":\"--mode\","
		    "\"network.loopback\":\"p.yaml:7\"}}",
		    NULL,
		    "  mode        propose (--mode)\n"
		    "  network     none: no address could be reached, not even 127.0.0.1 "
		    "(p.yaml:7)\n");
	expect_line("{\"loopback\":true}", NULL,
		    "  network     127.0.0.1 and ::1 among its own programs, nothing else\n");
}
