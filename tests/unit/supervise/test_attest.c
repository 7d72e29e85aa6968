/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs as the developer or CI. The jail's report as bytes, and every difference between it and the
 * plan. What is read from /proc of two sandbox processes is tried by tests/e2e; here the processes
 * are this one, which is no sandbox: a report that is all as planned must fail at the first look
 * outside.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/securebits.h>
#include <string.h>
#include <unistd.h>

#include "../../../launcher/supervise/attest.h"

#define SECUREBITS                                                                                 \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |                           \
	 SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |   \
	 SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

/* The order of jail/stage_confine.c, written down a second time on purpose. */
static void
encode(const struct report *r, struct buf *out)
{
	for (size_t i = 0; i < 5; i++) {
		buf_u64(out, r->caps[i]);
	}
	buf_u32(out, r->no_new_privs);
	buf_u32(out, r->securebits);
	buf_u32(out, r->landlock_abi);
	for (size_t i = 0; i < 3; i++) {
		buf_u32(out, r->uid[i]);
		buf_u32(out, r->gid[i]);
	}
	buf_u32(out, r->group_count);
	for (size_t i = 0; i < r->group_count && i < REPORT_GROUPS_MAX; i++) {
		buf_u32(out, r->groups[i]);
	}
	buf_u32(out, r->rlimit_count);
	for (size_t i = 0; i < r->rlimit_count && i < REPORT_RLIMITS_MAX; i++) {
		buf_u64(out, r->soft[i]);
		buf_u64(out, r->hard[i]);
	}
	cr_assert_eq(buf_error(out), 0);
}

static void
fill(struct report *r)
{
	*r = (struct report){
		.caps = { 1, UINT64_C(2) << 40, 3, 4, UINT64_MAX },
		.no_new_privs = 1,
		.securebits = 0xaf,
		.landlock_abi = 7,
		.uid = { 10, 11, 12 },
		.gid = { 20, 21, 22 },
		.group_count = 2,
		.groups = { 5, 65534 },
		.rlimit_count = 2,
		.soft = { 100, 200 },
		.hard = { 101, UINT64_MAX },
	};
}

Test(attest_report, comes_back)
{
	struct report want, r;
	auto_buf bytes = BUF_INIT;

	fill(&want);
	encode(&want, &bytes);
	cr_assert_eq(attest_read_report(bytes.data, bytes.len, &r), 0);
	for (size_t i = 0; i < 5; i++) {
		cr_expect_eq(r.caps[i], want.caps[i], "set %zu", i);
	}
	cr_expect_eq(r.no_new_privs, 1u);
	cr_expect_eq(r.securebits, 0xafu);
	cr_expect_eq(r.landlock_abi, 7u);
	for (size_t i = 0; i < 3; i++) {
		cr_expect_eq(r.uid[i], 10 + i);
		cr_expect_eq(r.gid[i], 20 + i);
	}
	cr_assert_eq(r.group_count, 2u);
	cr_expect_eq(r.groups[0], 5u);
	cr_expect_eq(r.groups[1], 65534u);
	cr_expect_eq(r.groups[2], 0u);
	cr_assert_eq(r.rlimit_count, 2u);
	cr_expect_eq(r.soft[0], 100u);
	cr_expect_eq(r.hard[0], 101u);
	cr_expect_eq(r.soft[1], 200u);
	cr_expect_eq(r.hard[1], UINT64_MAX);
}

Test(attest_report, cut_at_every_byte_leaves_the_output_alone)
{
	struct report full;
	auto_buf bytes = BUF_INIT;

	fill(&full);
	encode(&full, &bytes);
	for (size_t len = 0; len < bytes.len; len++) {
		struct report r = { .landlock_abi = 77 };
		uint8_t *copy = malloc(len > 0 ? len : 1);

		cr_assert_not_null(copy);
		memcpy(copy, bytes.data, len);
		cr_assert_eq(attest_read_report(copy, len, &r), -EBADMSG, "cut at %zu", len);
		cr_assert_eq(r.landlock_abi, 77u, "cut at %zu", len);
		free(copy);
	}
	buf_u8(&bytes, 0);
	cr_expect_eq(attest_read_report(bytes.data, bytes.len, &full), -EBADMSG, "one byte more");
}

Test(attest_report, counts_at_and_above_their_caps)
{
	static const struct {
		uint32_t groups, rlimits;
		int rc;
	} rows[] = {
		{ 0, 0, 0 },
		{ REPORT_GROUPS_MAX, REPORT_RLIMITS_MAX, 0 },
		{ REPORT_GROUPS_MAX + 1, 0, -EBADMSG },
		{ 0, REPORT_RLIMITS_MAX + 1, -EBADMSG },
		{ UINT32_MAX, 0, -EBADMSG },
		{ 0, UINT32_MAX, -EBADMSG },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct report sent = { .group_count = rows[i].groups,
				       .rlimit_count = rows[i].rlimits },
			      r;
		auto_buf bytes = BUF_INIT;

		encode(&sent, &bytes);
		cr_expect_eq(attest_read_report(bytes.data, bytes.len, &r), rows[i].rc, "row %zu",
			     i);
	}
}

/* ---- comparing ------------------------------------------------------------------------------- */

struct world {
	uint32_t groups[2];
	struct plan_rlimit rlimits[2];
	struct plan plan;
	struct report report;
	struct cgroup cgroup;
	struct limits limits;
	uint8_t digest[32];
};

static void
make_world(struct world *w)
{
	*w = (struct world){
		.groups = { 5, 65534 },
		.rlimits = { { 7, 100, 101 }, { 0, 1, 2 } },
		.report = {
			.no_new_privs = 1, .securebits = SECUREBITS, .landlock_abi = 6,
			.uid = { 8, 8, 8 }, .gid = { 9, 9, 9 },
			.group_count = 2, .groups = { 65534, 5 },
			.rlimit_count = 2, .soft = { 100, 1 }, .hard = { 101, 2 },
		},
		.cgroup = CGROUP_INIT,
	};
	w->plan = (struct plan){ .uid_inside = 8,
				 .gid_inside = 9,
				 .landlock_abi = 6,
				 .groups = w->groups,
				 .group_count = 2,
				 .rlimits = w->rlimits,
				 .rlimit_count = 2,
				 .uid_outside = geteuid() + 1,
				 .gid_outside = getegid() };
}

static int
attest_world(const struct world *w, struct buf *json, struct err *err)
{
	struct attest_request req = {
		.plan = &w->plan, .report = &w->report, .init_pid = getpid(), .tool_pid = getpid(),
		.cgroup = &w->cgroup, .limits = &w->limits, .filter_digest = w->digest,
	};

	int rc = attest(&req, err);

	return rc < 0 ? rc : attest_json(&req, json);
}

/*
 * The report is as planned, its groups in another order: the first thing that differs is this
 * process itself.
 */
Test(attest, a_good_report_of_a_process_that_is_no_sandbox)
{
	struct world w;
	struct err err = ERR_INIT;
	auto_buf json = BUF_INIT;

	make_world(&w);
	cr_expect_eq(attest_world(&w, &json, &err), -EPERM);
	cr_expect_eq(strncmp(err.text, "attestation: Uid: planned ", 26), 0, "%s", err.text);
	cr_expect_eq(json.len, 0u);
	w.plan.uid_outside = geteuid();
	err = (struct err)ERR_INIT;
	cr_expect_eq(attest_world(&w, &json, &err), -EPERM);
	/* root has capabilities, a plain user lacks no_new_privs (CapBnd is full for both) */
	cr_expect_neq(strncmp(err.text, "attestation: Uid", 16), 0, "%s", err.text);
	cr_expect_eq(strncmp(err.text, "attestation: ", 13), 0, "%s", err.text);
}

/* One field of the report is moved; the text names it. */
Test(attest, every_difference_of_the_report)
{
#define AT(field) offsetof(struct report, field)
	static const struct {
		size_t offset;
		bool is_wide;
		uint64_t value;
		const char *text;
	} rows[] = {
		{ AT(caps[0]), true, 1, "attestation: effective capabilities are not empty: 1" },
		{ AT(caps[1]), true, 2, "attestation: permitted capabilities are not empty: 2" },
		{ AT(caps[2]), true, 0x10,
		  "attestation: inheritable capabilities are not empty: 10" },
		{ AT(caps[3]), true, UINT64_C(1) << 40,
		  "attestation: ambient capabilities are not empty: 10000000000" },
		{ AT(caps[4]), true, 1, "attestation: bounding capabilities are not empty: 1" },
		{ AT(uid[0]), false, 0, "attestation: uid: planned 8, found 0" },
		{ AT(uid[1]), false, 0, "attestation: uid: planned 8, found 0" },
		{ AT(uid[2]), false, 7, "attestation: uid: planned 8, found 7" },
		{ AT(gid[0]), false, 0, "attestation: gid: planned 9, found 0" },
		{ AT(gid[1]), false, 0, "attestation: gid: planned 9, found 0" },
		{ AT(gid[2]), false, 0, "attestation: gid: planned 9, found 0" },
		{ AT(no_new_privs), false, 0, "attestation: no_new_privs: planned 1, found 0" },
		{ AT(landlock_abi), false, 5, "attestation: Landlock ABI: planned 6, found 5" },
		{ AT(group_count), false, 1, "attestation: number of groups: planned 2, found 1" },
		{ AT(groups[0]), false, 0, "attestation: supplementary group: planned 5, found 0" },
		{ AT(groups[1]), false, 6, "attestation: supplementary group: planned 5, found 6" },
		{ AT(rlimit_count), false, 1,
		  "attestation: number of rlimits: planned 2, found 1" },
		{ AT(soft[0]), true, 99, "attestation: soft rlimit: planned 100, found 99" },
		{ AT(hard[1]), true, UINT64_MAX,
		  "attestation: hard rlimit: planned 2, found 18446744073709551615" },
	};
#undef AT

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct world w;
		struct err err = ERR_INIT;
		auto_buf json = BUF_INIT;
		uint32_t narrow = (uint32_t)rows[i].value;

		make_world(&w);
		memcpy((char *)&w.report + rows[i].offset,
		       rows[i].is_wide ? (const void *)&rows[i].value : &narrow,
		       rows[i].is_wide ? 8 : 4);
		cr_expect_eq(attest_world(&w, &json, &err), -EPERM, "row %zu", i);
		cr_expect_str_eq(err.text, rows[i].text, "row %zu: %s", i, err.text);
		cr_expect_eq(json.len, 0u, "row %zu", i);
	}
}

/* Each bit of securebits counts, a missing one and one too many. */
Test(attest, securebits)
{
	for (unsigned int bit = 0; bit < 8; bit++) {
		struct world w;
		struct err err = ERR_INIT;
		auto_buf json = BUF_INIT;

		make_world(&w);
		w.report.securebits ^= 1u << bit;
		cr_expect_eq(attest_world(&w, &json, &err), -EPERM, "bit %u", bit);
		cr_expect_not_null(strstr(err.text, "securebits: planned "), "bit %u: %s", bit,
				   err.text);
	}
}
