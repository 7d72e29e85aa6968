/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front. Reads /proc of two processes that cannot end or change meanwhile: both wait for
 * us.
 */
#include "attest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/securebits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/json.h"
#include "../base/limits.h"
#include "../base/mountinfo.h"
#include "../base/sha256.h"

#define WANT_SECUREBITS                                                                            \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |                           \
	 SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |   \
	 SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

/* In the order of the record's keys. */
static const char *const namespaces[] = { "cgroup", "ipc", "mnt", "net", "pid", "user", "uts" };

_Static_assert(ARRAY_LEN(namespaces) == ATTEST_NAMESPACES, "as many as the header says");

static int
differs(struct err *err, const char *what, uint64_t planned, uint64_t found)
{
	return planned == found ? 0
				: err_set(err, -EPERM, "%s: planned %llu, found %llu", what,
					  (unsigned long long)planned, (unsigned long long)found);
}

int
attest_read_report(const void *data, size_t len, struct report *ret)
{
	struct rd r = { .p = data, .left = len };
	struct report p = { 0 };

	for (int i = 0; i < 5; i++) {
		p.caps[i] = rd_u64(&r);
	}
	p.no_new_privs = rd_u32(&r);
	p.securebits = rd_u32(&r);
	p.landlock_abi = rd_u32(&r);
	for (int i = 0; i < 3; i++) {
		p.uid[i] = rd_u32(&r);
		p.gid[i] = rd_u32(&r);
	}
	p.group_count = rd_u32(&r);
	if (p.group_count > REPORT_GROUPS_MAX) {
		return -EBADMSG;
	}
	for (uint32_t i = 0; i < p.group_count; i++) {
		p.groups[i] = rd_u32(&r);
	}
	p.rlimit_count = rd_u32(&r);
	if (p.rlimit_count > REPORT_RLIMITS_MAX) {
		return -EBADMSG;
	}
	for (uint32_t i = 0; i < p.rlimit_count; i++) {
		p.soft[i] = rd_u64(&r);
		p.hard[i] = rd_u64(&r);
	}
	if (r.bad || r.left != 0) {
		return -EBADMSG;
	}
	*ret = p;
	return 0;
}

static int
u32_order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int
check_report(const struct plan *plan, const struct report *r, struct err *err)
{
	static const char *const sets[] = { "effective", "permitted", "inheritable", "ambient",
					    "bounding" };
	uint32_t groups[REPORT_GROUPS_MAX];
	int rc = 0;

	for (int i = 0; rc == 0 && i < 5; i++) {
		rc = r->caps[i] == 0 ? 0
				     : err_set(err, -EPERM, "%s capabilities are not empty: %llx",
					       sets[i], (unsigned long long)r->caps[i]);
	}
	for (int i = 0; rc == 0 && i < 3; i++) {
		rc = differs(err, "uid", plan->uid_inside, r->uid[i]);
		if (rc == 0) {
			rc = differs(err, "gid", plan->gid_inside, r->gid[i]);
		}
	}
	if (rc == 0) {
		rc = differs(err, "no_new_privs", 1, r->no_new_privs);
	}
	if (rc == 0) {
		rc = differs(err, "securebits", WANT_SECUREBITS, r->securebits);
	}
	if (rc == 0) {
		rc = differs(err, "Landlock ABI", plan->landlock_abi, r->landlock_abi);
	}
	if (rc == 0) {
		rc = differs(err, "number of groups", plan->group_count, r->group_count);
	}
	memcpy(groups, r->groups, sizeof(groups));
	qsort(groups, r->group_count, sizeof(groups[0]), u32_order);
	for (size_t i = 0; rc == 0 && i < plan->group_count; i++) {
		rc = differs(err, "supplementary group", plan->groups[i], groups[i]);
	}
	if (rc == 0) {
		rc = differs(err, "number of rlimits", plan->rlimit_count, r->rlimit_count);
	}
	for (size_t i = 0; rc == 0 && i < plan->rlimit_count; i++) {
		rc = differs(err, "soft rlimit", plan->rlimits[i].soft, r->soft[i]);
		if (rc == 0) {
			rc = differs(err, "hard rlimit", plan->rlimits[i].hard, r->hard[i]);
		}
	}
	return rc;
}

/* The number behind "Name:\t" in a status file; base 16 for the capability lines. */
static int
status_number(const char *status, const char *name, int base, uint64_t *ret)
{
	size_t len = strlen(name);

	for (const char *line = status; line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, len) == 0 && line[len] == ':') {
			*ret = strtoull(line + len + 1, NULL, base);
			return 0;
		}
	}
	return -ENODATA;
}

static int
read_proc(pid_t pid, const char *name, struct buf *ret, struct err *err)
{
	char path[64];
	int rc;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	rc = fdio_slurp_at(AT_FDCWD, path, CAP_PROC_FILE, ret);
	return rc < 0 ? err_sys(err, rc, "read %s", path) : 0;
}

static int
own_filters(uint64_t *ret, struct err *err)
{
	auto_buf status = BUF_INIT;
	int rc = fdio_slurp_at(AT_FDCWD, "/proc/self/status", CAP_PROC_FILE, &status);

	if (rc == 0) {
		rc = status_number(buf_text(&status), "Seccomp_filters", 10, ret);
	}
	return rc < 0 ? err_sys(err, rc, "read /proc/self/status") : 0;
}

static int
check_status(pid_t pid, const struct plan *plan, uint64_t want_filters, struct err *err)
{
	const struct {
		const char *name;
		int base;
		uint64_t want;
	} rows[] = {
		{ "Uid", 10, plan->uid_outside },
		{ "Gid", 10, plan->gid_outside },
		{ "CapInh", 16, 0 },
		{ "CapPrm", 16, 0 },
		{ "CapEff", 16, 0 },
		{ "CapBnd", 16, 0 },
		{ "CapAmb", 16, 0 },
		{ "NoNewPrivs", 10, 1 },
		{ "Seccomp", 10, 2 },
		{ "Seccomp_filters", 10, want_filters },
	};
	auto_buf status = BUF_INIT;
	int rc = read_proc(pid, "status", &status, err);

	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(rows); i++) {
		uint64_t found = 0;

		rc = status_number(buf_text(&status), rows[i].name, rows[i].base, &found);
		if (rc < 0) {
			return err_sys(err, rc, "no %s in the status file", rows[i].name);
		}
		rc = differs(err, rows[i].name, rows[i].want, found);
	}
	return rc;
}

static int
namespace_of(const char *who, const char *name, uint64_t *ret, struct err *err)
{
	char path[64], link[64];
	const char *open_bracket;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%s/ns/%s", who, name);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0) {
		return err_sys(err, -errno, "read %s", path);
	}
	link[n] = '\0';
	open_bracket = strchr(link, '[');
	*ret = open_bracket != NULL ? strtoull(open_bracket + 1, NULL, 10) : 0;
	return 0;
}

static int
read_namespaces(const char *who, uint64_t ret[ATTEST_NAMESPACES], struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ATTEST_NAMESPACES; i++) {
		rc = namespace_of(who, namespaces[i], &ret[i], err);
	}
	return rc;
}

static int
check_namespaces(const struct attest_request *req, uint64_t tool[ATTEST_NAMESPACES],
		 struct err *err)
{
	const struct attested_early *e = &req->early;
	char pid[16];
	int rc;

	snprintf(pid, sizeof(pid), "%d", (int)req->tool_pid);
	rc = read_namespaces(pid, tool, err);
	for (size_t i = 0; rc == 0 && i < ATTEST_NAMESPACES; i++) {
		if (tool[i] == e->ours[i] || tool[i] == 0) {
			return err_set(err, -EPERM, "the %s namespace is not a fresh one",
				       namespaces[i]);
		}
		rc = differs(err, namespaces[i], e->init[i], tool[i]);
	}
	return rc;
}

/*
 * The file system and flags that the n-th row of the plan makes; false when it makes no mount that
 * stays.
 */
static bool
expected_mount(const struct plan_mount *m, struct mount_entry *ret)
{
	const char *fs = plan_mount_fs(m->kind);
	bool device = m->kind == MOUNT_NODE || m->kind == MOUNT_MASK_FILE;

	if (fs[0] == '\0') {
		return false;
	}
	*ret = (struct mount_entry){
		.point = m->target,
		.fs = fs,
		.ro = m->kind != MOUNT_PTS && (m->flags & MOUNT_WRITABLE) == 0,
		.nosuid = true,
		.nodev = !device && m->kind != MOUNT_PTS,
		.noexec = device || m->kind == MOUNT_PTS || (m->flags & MOUNT_NOEXEC) != 0,
	};
	return true;
}

static int
compare_mount(const struct mount_entry *want, const struct mount_entry *found, struct err *err)
{
	bool fs_same = strcmp(want->fs, "*") == 0 || strcmp(want->fs, found->fs) == 0;
	/* A device's node may stand on a mount that the host made stricter: more is never less. */
	bool loose = strcmp(want->fs, "*") == 0 && !want->nodev;

	if (!fs_same || strcmp(want->point, found->point) != 0) {
		return err_set(err, -EPERM, "mount table: planned %s on %s, found %s on %s",
			       want->fs, want->point, found->fs, found->point);
	}
	if (want->nosuid != found->nosuid || want->noexec != found->noexec ||
	    want->ro != found->ro || (!loose && want->nodev != found->nodev)) {
		return err_set(err, -EPERM, "mount %s: planned %s%s%s%s, found %s%s%s%s",
			       want->point, want->ro ? "ro" : "rw", want->nosuid ? ",nosuid" : "",
			       want->nodev ? ",nodev" : "", want->noexec ? ",noexec" : "",
			       found->ro ? "ro" : "rw", found->nosuid ? ",nosuid" : "",
			       found->nodev ? ",nodev" : "", found->noexec ? ",noexec" : "");
	}
	return 0;
}

static int
check_mounts(struct attest_request *req, struct err *err)
{
	static const struct mount_entry root = { .point = "/", .fs = "tmpfs", .ro = true,
						 .nosuid = true, .nodev = true };
	auto_mount_table table = MOUNT_TABLE_INIT;
	struct sha256 digest;
	struct mount_entry want;
	size_t at = 1;
	char path[64];
	int rc;

	snprintf(path, sizeof(path), "/proc/%d/mountinfo", (int)req->init_pid);
	rc = mount_table_read(path, &table);
	if (rc < 0 || table.count == 0) {
		return err_sys(err, rc < 0 ? rc : -ENODATA, "read %s", path);
	}
	rc = compare_mount(&root, &table.items[0], err);
	sha256_init(&digest);
	for (size_t i = 0; rc == 0 && i < req->plan->mount_count; i++) {
		if (!expected_mount(&req->plan->mounts[i], &want)) {
			continue;
		}
		if (at == table.count) {
			return err_set(err, -EPERM, "mount table: %s is missing", want.point);
		}
		rc = compare_mount(&want, &table.items[at], err);
		if (req->plan->mounts[i].kind == MOUNT_PTS) {
			req->early.pts_device = table.items[at].device;
		}
		sha256_update(&digest, want.point, strlen(want.point) + 1);
		sha256_update(&digest, table.items[at].fs, strlen(table.items[at].fs) + 1);
		at++;
	}
	if (rc == 0 && at != table.count) {
		rc = err_set(err, -EPERM, "mount table: %s was not planned", table.items[at].point);
	}
	req->early.mounts = table.count;
	sha256_final(&digest, req->early.mounts_digest);
	return rc;
}

static int
check_cgroup(struct attest_request *req, struct err *err)
{
	struct cgroup_values *found = &req->early.cgroup;
	struct cgroup_values want;
	int rc;

	if (req->cgroup->version == CGROUP_NONE) {
		return 0;
	}
	rc = cgroup_read_values(req->cgroup, found, err);
	if (rc < 0) {
		return rc;
	}
	cgroup_expect_values(req->cgroup, req->limits, req->shmem_bytes, &want);
	rc = differs(err, "cgroup memory", want.memory_max, found->memory_max);
	if (rc == 0) {
		rc = differs(err, "cgroup swap", want.swap_max, found->swap_max);
	}
	if (rc == 0) {
		rc = differs(err, "cgroup pids", want.pids_max, found->pids_max);
	}
	if (rc == 0) {
		rc = differs(err, "cgroup cpu quota", want.cpu_quota_us, found->cpu_quota_us);
	}
	return rc == 0 ? differs(err, "cgroup cpu period", want.cpu_period_us,
				 found->cpu_period_us)
		       : rc;
}

static void
write_json(const struct attest_request *req, const uint64_t ns[ATTEST_NAMESPACES], struct buf *out)
{
	const struct attested_early *e = &req->early;
	const struct report *r = req->report;
	struct json j;

	json_init(&j, out);
	json_begin_object(&j);
	json_key(&j, "capabilities");
	json_begin_array(&j);
	json_end(&j);
	json_key(&j, "cgroup");
	if (req->cgroup->version == CGROUP_NONE) {
		json_put_null(&j);
	} else {
		json_begin_object(&j);
		json_kv_uint(&j, "cpu_period_us", e->cgroup.cpu_period_us);
		json_kv_uint(&j, "cpu_quota_us", e->cgroup.cpu_quota_us);
		json_kv_uint(&j, "memory_max", e->cgroup.memory_max);
		json_kv_uint(&j, "pids_max", e->cgroup.pids_max);
		json_kv_uint(&j, "swap_max", e->cgroup.swap_max);
		json_kv_uint(&j, "version", req->cgroup->version == CGROUP_V2 ? 2 : 1);
		json_end(&j);
	}
	json_kv_uint(&j, "gid", r->gid[0]);
	json_key(&j, "groups");
	json_begin_array(&j);
	for (uint32_t i = 0; i < r->group_count; i++) {
		json_uint(&j, r->groups[i]);
	}
	json_end(&j);
	json_kv_uint(&j, "landlock_abi", r->landlock_abi);
	json_kv_uint(&j, "mounts", e->mounts);
	json_kv_hex(&j, "mounts_digest", e->mounts_digest, 32);
	json_key(&j, "namespaces");
	json_begin_object(&j);
	for (size_t i = 0; i < ARRAY_LEN(namespaces); i++) {
		json_kv_uint(&j, namespaces[i], ns[i]);
	}
	json_end(&j);
	json_kv_bool(&j, "no_new_privs", true);
	json_key(&j, "rlimits");
	json_begin_array(&j);
	for (size_t i = 0; i < req->plan->rlimit_count; i++) {
		json_begin_object(&j);
		json_kv_uint(&j, "hard", r->hard[i]);
		json_kv_uint(&j, "resource", req->plan->rlimits[i].resource);
		json_kv_uint(&j, "soft", r->soft[i]);
		json_end(&j);
	}
	json_end(&j);
	json_kv_hex(&j, "seccomp_digest", req->filter_digest, 32);
	json_kv_uint(&j, "seccomp_filters", e->filters + 1);
	json_key(&j, "terminal");
	attest_terminal_json(req, &j);
	json_kv_uint(&j, "uid", r->uid[0]);
	json_kv_uint(&j, "uid_outside", req->plan->uid_outside);
	json_end(&j);
}

int
attest_early(struct attest_request *req, struct err *err)
{
	char pid[16];
	int rc = check_mounts(req, err);

	if (rc == 0) {
		rc = check_cgroup(req, err);
	}
	if (rc == 0) {
		rc = own_filters(&req->early.filters, err);
	}
	if (rc == 0) {
		rc = read_namespaces("self", req->early.ours, err);
	}
	if (rc == 0) {
		snprintf(pid, sizeof(pid), "%d", (int)req->init_pid);
		rc = read_namespaces(pid, req->early.init, err);
	}
	if (rc < 0) {
		err_prefix(err, "attestation");
	}
	return rc;
}

int
attest_init(const struct attest_request *req, struct err *err)
{
	int rc = check_status(req->init_pid, req->plan, req->early.filters + 1, err);

	if (rc < 0) {
		err_prefix(err, "attestation: PID 1");
	}
	return rc;
}

int
attest(struct attest_request *req, struct err *err)
{
	int rc = check_report(req->plan, req->report, err);

	if (rc == 0) {
		rc = check_status(req->tool_pid, req->plan, req->early.filters + 1, err);
	}
	if (rc == 0) {
		rc = check_namespaces(req, req->tool, err);
	}
	if (rc == 0) {
		rc = attest_terminal(req, err);
	}
	if (rc < 0) {
		err_prefix(err, "attestation");
	}
	return rc;
}

int
attest_json(const struct attest_request *req, struct buf *ret_json)
{
	write_json(req, req->tool, ret_json);
	return buf_error(ret_json);
}
