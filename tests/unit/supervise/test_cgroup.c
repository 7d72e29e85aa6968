/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI; as root on a host with cgroup v1 against the real hierarchy. */
#include "cgroup_fixture.h"

#include <sys/sysinfo.h>

static const uint8_t call_id[16] = { [12] = 0xca, [13] = 0xfe, [14] = 0x00, [15] = 0x02 };

static void
expect_values_eq(const struct cgroup_values *got, const struct cgroup_values *want)
{
	cr_expect_eq(got->memory_max, want->memory_max);
	cr_expect_eq(got->swap_max, want->swap_max);
	cr_expect_eq(got->pids_max, want->pids_max);
	cr_expect_eq(got->cpu_quota_us, want->cpu_quota_us);
	cr_expect_eq(got->cpu_period_us, want->cpu_period_us);
}

/* ---- against v1 --------------------------------------------------------------------------- */

Test(cgroup, v1_values_are_exact)
{
	static const struct {
		enum cgroup_ctl ctl;
		const char *file, *want;
	} rows[] = {
		/* 100,000,000 + 4,096 bytes, rounded down to pages of 4,096 */
		{ CTL_MEMORY, "memory.limit_in_bytes", "100003840" },
		{ CTL_MEMORY, "memory.swappiness", "0" },
		{ CTL_PIDS, "pids.max", "17" },
		{ CTL_CPU, "cpu.cfs_quota_us", "150000" },
		{ CTL_CPU, "cpu.cfs_period_us", "100000" },
	};
	struct limits limits = { .memory_bytes = 100000000, .pids = 17, .cpu_percent = 150 };
	struct cgroup_site site = fixture_site();
	struct cgroup_values got, want;
	struct cgroup cg = CGROUP_INIT;
	struct err err = ERR_INIT;

	cr_assert_eq(cgroup_create(&site, &limits, 4096, call_id, &cg, &err), 0, "%s", err.text);
	cr_expect_eq(cg.version, CGROUP_V1);
	cr_expect_eq(cg.missing, 0);
	cr_expect_eq(cg.memory_limit_bytes, 100003840);
	cr_expect_eq(cgroup_clone_fd(&cg), -1);
	for (unsigned int i = 0; i < ARRAY_LEN(rows); i++) {
		char text[256];

		fixture_file(&site, rows[i].ctl, cg.name, rows[i].file, text);
		cr_expect_str_eq(text, rows[i].want, "%s: %s", rows[i].file, text);
	}
	cr_assert_eq(cgroup_read_values(&cg, &got, &err), 0, "%s", err.text);
	cgroup_expect_values(&cg, &limits, 4096, &want);
	expect_values_eq(&got, &want);
	expect_values_eq(&got, &(struct cgroup_values){ 100003840, 0, 17, 150000, 100000 });
	cgroup_destroy(&cg, &site);
	fixture_finish(&site);
}

/* Somebody changes a limit behind our back: attestation must see each of them. */
Test(cgroup, v1_values_see_changes)
{
	struct limits limits = fixture_limits();
	struct cgroup_site site = fixture_site();
	struct cgroup cg = fixture_create(&site, &limits);
	struct cgroup_values got;

	cr_assert_eq(cgroup_file_write(cg.dir_fd[CTL_PIDS], "pids.max", "max"), 0);
	cr_assert_eq(cgroup_file_write(cg.dir_fd[CTL_CPU], "cpu.cfs_quota_us", "-1"), 0);
	cr_assert_eq(cgroup_file_write(cg.dir_fd[CTL_CPU], "cpu.cfs_period_us", "50000"), 0);
	cr_assert_eq(cgroup_file_write(cg.dir_fd[CTL_MEMORY], "memory.swappiness", "60"), 0);
	cr_assert_eq(cgroup_file_write(cg.dir_fd[CTL_MEMORY], "memory.limit_in_bytes", "8192000"),
		     0);
	cr_assert_eq(cgroup_read_values(&cg, &got, NULL), 0);
	expect_values_eq(&got, &(struct cgroup_values){ 8192000, UINT64_MAX, UINT64_MAX, UINT64_MAX,
							50000 });
	cgroup_destroy(&cg, &site);
	fixture_finish(&site);
}

Test(cgroup, v1_memory_and_swap_are_one_limit)
{
	struct limits limits = fixture_limits();
	struct cgroup_site site = fixture_site();
	struct cgroup cg = fixture_create(&site, &limits);
	struct cgroup_values got;
	char text[256];

	if (faccessat(cg.dir_fd[CTL_MEMORY], "memory.memsw.limit_in_bytes", F_OK, 0) < 0) {
		cgroup_destroy(&cg, &site);
		fixture_finish(&site);
		cr_skip_test("no memory.memsw in this kernel");
	}
	fixture_file(&site, CTL_MEMORY, cg.name, "memory.memsw.limit_in_bytes", text);
	cr_expect_str_eq(text, "67108864");
	cr_assert_eq(
		cgroup_file_write(cg.dir_fd[CTL_MEMORY], "memory.memsw.limit_in_bytes", "67112960"),
		0);
	cr_assert_eq(cgroup_read_values(&cg, &got, NULL), 0);
	cr_expect_eq(got.swap_max, 4096);
	cgroup_destroy(&cg, &site);
	fixture_finish(&site);
}

Test(cgroup, name_can_be_swept)
{
	struct limits limits = fixture_limits();
	struct cgroup_site site = fixture_site();
	struct cgroup cg = fixture_create(&site, &limits);
	char want[160];
	struct cgroup_owner self;

	cr_assert_eq(cgroup_owner_of(getpid(), &self), 0);
	snprintf(want, sizeof(want), "c-%08x-%lx-%d-%lu-cafe0001", self.boot, self.pidns, getpid(),
		 self.start);
	cr_expect_str_eq(cg.name, want);
	cgroup_destroy(&cg, &site);
	cr_expect_eq(cg.version, CGROUP_NONE);
	fixture_finish(&site);
}

Test(cgroup, enter_self_moves_this_thread_everywhere)
{
	struct limits limits = fixture_limits();
	struct cgroup_site site = fixture_site();
	struct cgroup cg = fixture_create(&site, &limits);
	char before[ARRAY_LEN(fixture_controllers)][512];

	for (unsigned int c = 0; c < ARRAY_LEN(fixture_controllers); c++) {
		cr_assert(fixture_own(fixture_controllers[c], before[c]));
	}
	cr_assert_eq(cgroup_enter_self(&cg), 0);
	for (unsigned int c = 0; c < ARRAY_LEN(fixture_controllers); c++) {
		char now[512], want[1024];

		snprintf(want, sizeof(want), "%s/airlock-test-%d/%s", before[c], getpid(), cg.name);
		cr_assert(fixture_own(fixture_controllers[c], now));
		cr_expect_str_eq(now, want);
		snprintf(want, sizeof(want), "/sys/fs/cgroup/%s%s/tasks", fixture_controllers[c],
			 before[c]);
		cr_assert_eq(cgroup_file_write(AT_FDCWD, want, "0"), 0);
	}
	cgroup_destroy(&cg, &site);
	fixture_finish(&site);
}

Test(cgroup, what_is_missing_is_left_out)
{
	struct limits limits = fixture_limits();
	struct cgroup_site site = fixture_site();
	struct cgroup_site less = site;
	struct cgroup_values got, want;
	struct cgroup cg = CGROUP_INIT;
	char none[] = "";

	less.parent[CTL_PIDS] = none;
	less.parent[CTL_CPUACCT] = none;
	less.missing = DEGRADE_CGROUP_PIDS;
	cr_assert_eq(cgroup_create(&less, &limits, 0, call_id, &cg, NULL), 0);
	cr_expect_eq(cg.missing, DEGRADE_CGROUP_PIDS);
	cr_expect_eq(cg.dir_fd[CTL_PIDS], -1);
	cr_expect_eq(cg.tasks_fd[CTL_CPUACCT], -1);
	cr_assert_eq(cgroup_read_values(&cg, &got, NULL), 0);
	cgroup_expect_values(&cg, &limits, 0, &want);
	expect_values_eq(&got, &want);
	expect_values_eq(&got, &(struct cgroup_values){ 64u << 20, 0, UINT64_MAX, 100000, 100000 });
	cgroup_destroy(&cg, &less);
	fixture_finish(&site);
}

/* Controllers on one mount (as cpu,cpuacct mostly are) share one group, and it is entered once. */
Test(cgroup, shared_mount_is_made_once)
{
	struct limits limits = fixture_limits();
	struct cgroup_site site = fixture_site();
	struct cgroup_site shared = site;
	struct cgroup cg = CGROUP_INIT;

	shared.parent[CTL_CPUACCT] = site.parent[CTL_CPU];
	cr_assert_eq(cgroup_create(&shared, &limits, 0, call_id, &cg, NULL), 0);
	cr_expect_geq(cg.dir_fd[CTL_CPUACCT], 0);
	cr_expect_neq(cg.dir_fd[CTL_CPUACCT], cg.dir_fd[CTL_CPU]);
	cr_expect_eq(cg.tasks_fd[CTL_CPUACCT], -1);
	cgroup_destroy(&cg, &shared);
	fixture_finish(&site);
}

Test(cgroup, nothing_is_left_of_a_failure)
{
	struct limits limits = fixture_limits();
	struct cgroup_site site = fixture_site();
	struct cgroup_site broken = site;
	unsigned int fds = scratch_count_fds();
	struct cgroup cg = CGROUP_INIT;
	struct err err = ERR_INIT;
	char gone[] = "/sys/fs/cgroup/gone/airlock";
	struct stat st;

	broken.parent[CTL_CPU] = gone;
	cr_expect_eq(cgroup_create(&broken, &limits, 0, call_id, &cg, &err), -ESTALE);
	cr_expect_str_eq(err.text, "cgroup: open /sys/fs/cgroup/gone/airlock: Stale file handle");
	cr_expect_eq(cg.version, CGROUP_NONE);
	cr_expect_eq(scratch_count_fds(), fds);
	for (unsigned int c = CTL_MEMORY; c <= CTL_PIDS; c++) {
		cr_assert_eq(stat(site.parent[c], &st), 0);
		cr_expect_eq(st.st_nlink, 2, "something is left in %s", site.parent[c]);
	}
	fixture_finish(&site);
}

/* v1 refuses more than the groups above have; the message says which key to lower. */
Test(cgroup, v1_quota_above_our_own)
{
	struct limits limits = fixture_limits();
	struct cgroup_site site = fixture_site();
	struct cgroup cg = CGROUP_INIT;
	struct err err = ERR_INIT;
	char file[600];

	snprintf(file, sizeof(file), "%s/cpu.cfs_quota_us", site.parent[CTL_CPU]);
	cr_assert_eq(cgroup_file_write(AT_FDCWD, file, "50000"), 0);
	cr_expect_eq(cgroup_create(&site, &limits, 0, call_id, &cg, &err), -EINVAL);
	cr_expect_eq(strncmp(err.text, "limits.cpu: ", 12), 0, "%s", err.text);
	limits.cpu_percent = 50;
	cr_assert_eq(cgroup_create(&site, &limits, 0, call_id, &cg, &err), 0, "%s", err.text);
	cgroup_destroy(&cg, &site);
	fixture_finish(&site);
}

Test(cgroup, no_fd_is_left)
{
	struct limits limits = fixture_limits();
	struct cgroup_site site = fixture_site();
	unsigned int fds = scratch_count_fds();
	struct cgroup cg = fixture_create(&site, &limits);

	cr_expect_eq(scratch_count_fds(), fds + 8);
	for (unsigned int c = 0; c < ARRAY_LEN(fixture_controllers); c++) {
		cr_expect_eq(fcntl(cg.dir_fd[c], F_GETFD), FD_CLOEXEC);
		cr_expect_eq(fcntl(cg.tasks_fd[c], F_GETFD), FD_CLOEXEC);
	}
	cgroup_destroy(&cg, &site);
	cr_expect_eq(scratch_count_fds(), fds);
	fixture_finish(&site);
}

/* ---- anywhere ----------------------------------------------------------------------------- */

Test(cgroup, no_site_no_group)
{
	struct limits limits = fixture_limits();
	struct cgroup cg = CGROUP_INIT;
	struct cgroup_values got, want;
	struct cgroup_site site;

	cr_assert_eq(cgroup_site_init(&site), 0);
	cr_assert_eq(cgroup_create(&site, &limits, 0, call_id, &cg, NULL), 0);
	cr_expect_eq(cg.version, CGROUP_NONE);
	cr_expect_eq(cg.missing, DEGRADE_CGROUP);
	cr_expect_eq(cgroup_enter_self(&cg), 0);
	cr_expect_eq(cgroup_clone_fd(&cg), -1);
	cr_assert_eq(cgroup_read_values(&cg, &got, NULL), 0);
	cgroup_expect_values(&cg, &limits, 0, &want);
	expect_values_eq(&got, &want);
	cr_expect_eq(got.memory_max, UINT64_MAX);
	cgroup_destroy(&cg, &site);
	cgroup_site_finish(&site);
}

Test(cgroup, memory_above_the_host)
{
	struct limits limits = fixture_limits();
	struct cgroup cg = CGROUP_INIT;
	struct err err = ERR_INIT;
	struct cgroup_site site;
	struct sysinfo info;
	char want[128];

	cr_assert_eq(sysinfo(&info), 0);
	limits.memory_bytes = info.totalram * info.mem_unit + 1;
	snprintf(want, sizeof(want), "limits.memory is %lu bytes but this host has %lu",
		 limits.memory_bytes, limits.memory_bytes - 1);
	cr_assert_eq(cgroup_site_init(&site), 0);
	cr_expect_eq(cgroup_create(&site, &limits, 0, call_id, &cg, &err), -ERANGE);
	cr_expect_str_eq(err.text, want);
	limits.memory_bytes--;
	cr_expect_eq(cgroup_create(&site, &limits, 0, call_id, &cg, &err), 0);
	cr_expect_eq(cgroup_create(&site, &limits, UINT64_MAX, call_id, &cg, &err), -ERANGE);
	cgroup_site_finish(&site);
}

Test(cgroup, v2_values)
{
	static const char *const files[][2] = { { "memory.max", "104857600\n" },
						{ "memory.swap.max", "0\n" },
						{ "pids.max", "64\n" },
						{ "cpu.max", "250000 100000\n" },
						{ NULL, NULL } };
	char dir[] = "/tmp/airlock-test-XXXXXX";
	int dir_fd = fixture_fake(dir, files);
	struct limits limits = { .memory_bytes = 100u << 20, .pids = 64, .cpu_percent = 250 };
	struct cgroup cg = CGROUP_INIT;
	struct cgroup_values got, want;

	cg.version = CGROUP_V2;
	cg.dir_fd[CTL_MEMORY] = dir_fd;
	cr_expect_eq(cgroup_clone_fd(&cg), dir_fd);
	cr_assert_eq(cgroup_read_values(&cg, &got, NULL), 0);
	cgroup_expect_values(&cg, &limits, 0, &want);
	expect_values_eq(&got, &want);
	expect_values_eq(&got, &(struct cgroup_values){ 100u << 20, 0, 64, 250000, 100000 });
	cr_assert_eq(cgroup_file_write(dir_fd, "cpu.max", "250000:100000\n"), 0);
	cr_expect_eq(cgroup_read_values(&cg, &got, NULL), -EBADMSG);
	cg.missing = DEGRADE_CGROUP_CPU;
	cr_assert_eq(cgroup_read_values(&cg, &got, NULL), 0);
	cr_expect_eq(got.cpu_quota_us, UINT64_MAX);
	fixture_fake_finish(dir, dir_fd, files);
}

Test(cgroup, file_u64)
{
	static const struct {
		const char *text;
		int want_r;
		uint64_t want;
	} rows[] = {
		{ "0\n", 0, 0 },
		{ "42", 0, 42 },
		{ "18446744073709551615\n", 0, UINT64_MAX },
		{ "max\n", 0, UINT64_MAX },
		{ "-1\n", 0, UINT64_MAX },
		{ "18446744073709551616\n", -EBADMSG, 7 },
		{ "\n", -EBADMSG, 7 },
		{ "", -EBADMSG, 7 },
		{ "-\n", -EBADMSG, 7 },
		{ "maximum\n", -EBADMSG, 7 },
		{ "12 13\n", -EBADMSG, 7 },
		{ "0123456789012345678901234567890123456789012345678901234567890123", -EFBIG, 7 },
	};

	for (unsigned int i = 0; i < ARRAY_LEN(rows); i++) {
		const char *const files[][2] = { { "f", rows[i].text }, { NULL, NULL } };
		char dir[] = "/tmp/airlock-test-XXXXXX";
		int dir_fd = fixture_fake(dir, files);
		uint64_t got = 7;

		cr_expect_eq(cgroup_file_u64(dir_fd, "f", &got), rows[i].want_r, "row %u", i);
		cr_expect_eq(got, rows[i].want, "row %u", i);
		fixture_fake_finish(dir, dir_fd, files);
	}
}

Test(cgroup, text_u64)
{
	static const char text[] = "low 1\nhigh 22\nmaximum 3\nmax 4\nlast 5";
	static const struct {
		const char *key;
		bool want_found;
		uint64_t want;
	} rows[] = {
		{ "low", true, 1 },    { "high", true, 22 }, { "max", true, 4 },
		{ "last", true, 5 },   { "hig", false, 7 },  { "igh", false, 7 },
		{ "lower", false, 7 },
	};

	for (unsigned int i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t got = 7;

		cr_expect_eq(cgroup_text_u64(text, rows[i].key, &got), rows[i].want_found, "%s",
			     rows[i].key);
		cr_expect_eq(got, rows[i].want, "%s", rows[i].key);
	}
}

Test(cgroup, owner)
{
	struct cgroup_owner self, again;

	cr_assert_eq(cgroup_owner_of(getpid(), &self), 0);
	cr_assert_eq(cgroup_owner_of(getpid(), &again), 0);
	cr_expect_eq(self.start, again.start);
	cr_expect_eq(self.pid, getpid());
	cr_expect_gt(self.start, 0);
	cr_expect_eq(cgroup_owner_of(INT32_MAX, &again), -ESRCH);
}
