/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the group of a call and puts the child into it. Runs in the front, as the caller (as root
 * before the drop), on every call: raw descriptors, one open per value, no /proc beyond the name.
 * Trusts the site's paths (own cache) and the kernel. cgroup_enter_self runs in the cloned child:
 * system calls only.
 *
 * Nobody is ever moved by pid: that waits for an RCU grace period when calls are spaced, 5 to 15
 * ms. A single-threaded process that writes "0" to a v1 `tasks` file is spared that, and so is
 * CLONE_INTO_CGROUP on v2.
 */
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "cgroup_internal.h"

/* One value as text, the way the kernel prints it back. */
enum value { VALUE_ZERO, VALUE_ONE, VALUE_MEMORY, VALUE_PIDS, VALUE_QUOTA, VALUE_BANDWIDTH };

struct value_row {
	enum cgroup_version version;
	enum cgroup_ctl ctl; /* whose directory; for v2, whose `missing` bit */
	const char *file;
	enum value value;
	bool optional; /* may be absent in this kernel; what that means is in read_swap_* */
};

/* clang-format off */
/* In the order in which they are written: memsw may never be below the memory limit. */
static const struct value_row value_rows[] = {
	{ CGROUP_V1, CTL_MEMORY, "memory.limit_in_bytes",       VALUE_MEMORY,    false },
	{ CGROUP_V1, CTL_MEMORY, "memory.memsw.limit_in_bytes", VALUE_MEMORY,    true  },
	{ CGROUP_V1, CTL_MEMORY, "memory.swappiness",           VALUE_ZERO,      true  },
	{ CGROUP_V1, CTL_PIDS,   "pids.max",                    VALUE_PIDS,      false },
	{ CGROUP_V1, CTL_CPU,    "cpu.cfs_quota_us",            VALUE_QUOTA,     false },
	{ CGROUP_V2, CTL_MEMORY, "memory.max",                  VALUE_MEMORY,    false },
	{ CGROUP_V2, CTL_MEMORY, "memory.swap.max",             VALUE_ZERO,      true  },
	{ CGROUP_V2, CTL_MEMORY, "memory.oom.group",            VALUE_ONE,       false },
	{ CGROUP_V2, CTL_PIDS,   "pids.max",                    VALUE_PIDS,      false },
	{ CGROUP_V2, CTL_CPU,    "cpu.max",                     VALUE_BANDWIDTH, false },
};

/* Controllers whose v1 groups a call gets. Those that share a mount share one group. */
static const enum cgroup_ctl v1_made[] = { CTL_MEMORY, CTL_PIDS, CTL_CPU, CTL_CPUACCT };
/* clang-format on */

static uint32_t
missing_bit(enum cgroup_ctl ctl)
{
	switch (ctl) {
	case CTL_MEMORY:
		return DEGRADE_CGROUP_MEMORY;
	case CTL_PIDS:
		return DEGRADE_CGROUP_PIDS;
	case CTL_CPU:
		return DEGRADE_CGROUP_CPU;
	case CTL_CPUACCT:
	case CTL_FREEZER:
	case CTL__COUNT:
		break;
	}
	return 0;
}

/* ---- small reads and writes --------------------------------------------------------------- */

int
cgroup_file_read(int dirfd, const char *name, char *text, size_t size)
{
	auto_fd fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
	size_t len = 0;

	text[0] = '\0';
	if (fd < 0) {
		return -errno;
	}
	for (;;) {
		ssize_t n = read(fd, text + len, size - 1 - len);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return -errno;
		}
		len += (size_t)n;
		if (n == 0) {
			text[len] = '\0';
			return (int)len;
		}
		if (len == size - 1) {
			return -EFBIG;
		}
	}
}

int
cgroup_file_write(int dirfd, const char *name, const char *text)
{
	auto_fd fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fdio_write(fd, text, strlen(text));
}

/* Digits up to end; false when there are none, others, or too many. */
static bool
digits(const char *text, const char *end, uint64_t *ret)
{
	uint64_t sum = 0;

	if (text == end) {
		return false;
	}
	for (; text < end; text++) {
		if (*text < '0' || *text > '9' || __builtin_mul_overflow(sum, UINT64_C(10), &sum) ||
		    __builtin_add_overflow(sum, (uint64_t)(*text - '0'), &sum)) {
			return false;
		}
	}
	*ret = sum;
	return true;
}

/* One word of a file: a number, "max", or a negative number. */
static bool
word_u64(const char *text, const char *end, uint64_t *ret)
{
	uint64_t ignored;

	if ((size_t)(end - text) == strlen("max") && memcmp(text, "max", strlen("max")) == 0) {
		*ret = UINT64_MAX;
		return true;
	}
	if (text < end && *text == '-' && digits(text + 1, end, &ignored)) {
		*ret = UINT64_MAX;
		return true;
	}
	return digits(text, end, ret);
}

int
cgroup_file_u64(int dirfd, const char *name, uint64_t *ret)
{
	char text[64];
	int len = cgroup_file_read(dirfd, name, text, sizeof(text));

	if (len < 0) {
		return len;
	}
	if (len > 0 && text[len - 1] == '\n') {
		len--;
	}
	return word_u64(text, text + len, ret) ? 0 : -EBADMSG;
}

bool
cgroup_text_u64(const char *text, const char *key, uint64_t *ret)
{
	size_t key_len = strlen(key);

	for (const char *line = text; *line != '\0';) {
		const char *end = strchrnul(line, '\n');

		if ((size_t)(end - line) > key_len && memcmp(line, key, key_len) == 0 &&
		    line[key_len] == ' ') {
			return word_u64(line + key_len + 1, end, ret);
		}
		line = *end == '\n' ? end + 1 : end;
	}
	return false;
}

int
cgroup_dir_open(int dirfd, const char *path)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* ---- the name ----------------------------------------------------------------------------- */

/* Field 22 of proc_pid_stat(5). Field 2 is a name with anything in it: count from its last ')'. */
static int
start_time(pid_t pid, uint64_t *ret)
{
	char path[32], text[1024];
	const char *p;
	int len;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	len = cgroup_file_read(AT_FDCWD, path, text, sizeof(text));
	if (len < 0) {
		return len == -ENOENT ? -ESRCH : len;
	}
	p = strrchr(text, ')');
	for (unsigned int field = 2; p != NULL && field < 22; field++) {
		p = strchr(p + 1, ' ');
	}
	return p != NULL && digits(p + 1, strchrnul(p + 1, ' '), ret) ? 0 : -EBADMSG;
}

int
cgroup_owner_of(pid_t pid, struct cgroup_owner *ret)
{
	struct cgroup_owner owner = { .pid = pid };
	struct stat ns;
	char boot[64];
	int r = cgroup_file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", boot, sizeof(boot));

	if (r < 0) {
		return r;
	}
	boot[8] = '\0';
	owner.boot = (uint32_t)strtoul(boot, NULL, 16);
	if (stat("/proc/self/ns/pid", &ns) < 0) {
		return -errno;
	}
	owner.pidns = ns.st_ino;
	r = start_time(pid, &owner.start);
	if (r < 0) {
		return r;
	}
	*ret = owner;
	return 0;
}

static int
make_name(const uint8_t call[16], char name[80])
{
	struct cgroup_owner owner = { 0 };
	int r = cgroup_owner_of(getpid(), &owner);

	if (r < 0) {
		return r;
	}
	/* The first bytes of a UUIDv7 are the time; its last are random. */
	snprintf(name, 80, "c-%08" PRIx32 "-%" PRIx64 "-%d-%" PRIu64 "-%02x%02x%02x%02x",
		 owner.boot, owner.pidns, owner.pid, owner.start, call[12], call[13], call[14],
		 call[15]);
	return 0;
}

/* ---- values ------------------------------------------------------------------------------- */

/* The kernel keeps whole pages and rounds down. */
static uint64_t
page_floor(uint64_t bytes)
{
	return bytes & ~((uint64_t)sysconf(_SC_PAGESIZE) - 1);
}

static void
print_value(enum value value, const struct limits *limits, uint64_t memory, char text[64])
{
	uint64_t quota = limits->cpu_percent * (CGROUP_CPU_PERIOD_US / 100);

	switch (value) {
	case VALUE_ZERO:
		snprintf(text, 64, "0");
		break;
	case VALUE_ONE:
		snprintf(text, 64, "1");
		break;
	case VALUE_MEMORY:
		snprintf(text, 64, "%" PRIu64, page_floor(memory));
		break;
	case VALUE_PIDS:
		snprintf(text, 64, "%" PRIu64, limits->pids);
		break;
	case VALUE_QUOTA:
		snprintf(text, 64, "%" PRIu64, quota);
		break;
	case VALUE_BANDWIDTH:
		snprintf(text, 64, "%" PRIu64 " %u", quota, CGROUP_CPU_PERIOD_US);
		break;
	}
}

/* Writes one row and reads it back through the same descriptor. */
static int
set_value(const struct cgroup *cg, const struct value_row *row, const char *text, struct err *err)
{
	int dir_fd = cg->dir_fd[row->version == CGROUP_V2 ? CTL_MEMORY : row->ctl];
	auto_fd fd = openat(dir_fd, row->file, O_RDWR | O_CLOEXEC);
	char held[64];
	ssize_t n;
	int r;

	if (fd < 0) {
		return errno == ENOENT && row->optional
			       ? 0
			       : err_sys(err, -errno, "cgroup %s: %s", cg->name, row->file);
	}
	r = fdio_write(fd, text, strlen(text));
	if (r == -EINVAL && row->value == VALUE_QUOTA) {
		return err_set(
			err, r,
			"limits.cpu: the caller's own cgroup (cpu.cfs_quota_us above %s) allows "
			"less than %s us per %u us; lower limits.cpu",
			cg->name, text, CGROUP_CPU_PERIOD_US);
	}
	if (r < 0) {
		return err_sys(err, r, "cgroup %s: write %s to %s", cg->name, text, row->file);
	}
	n = pread(fd, held, sizeof(held) - 1, 0);
	if (n < 0) {
		return err_sys(err, -errno, "cgroup %s: read %s back", cg->name, row->file);
	}
	held[n > 0 && held[n - 1] == '\n' ? n - 1 : n] = '\0';
	if (strcmp(held, text) != 0) {
		return err_set(err, -EPROTO, "cgroup %s: %s was set to %s but holds %s", cg->name,
			       row->file, text, held);
	}
	return 0;
}

static int
set_values(const struct cgroup *cg, const struct limits *limits, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(value_rows); i++) {
		const struct value_row *row = &value_rows[i];
		char text[64];
		int r;

		if (row->version != cg->version || (cg->missing & missing_bit(row->ctl)) != 0) {
			continue;
		}
		print_value(row->value, limits, cg->memory_limit_bytes, text);
		r = set_value(cg, row, text, err);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

/* ---- create and enter --------------------------------------------------------------------- */

static int
check_limits(const struct limits *limits, uint64_t shmem_bytes, struct err *err)
{
	struct sysinfo info;
	uint64_t host, sum;

	if (sysinfo(&info) < 0) {
		return err_sys(err, -errno, "sysinfo");
	}
	host = (uint64_t)info.totalram * info.mem_unit;
	if (limits->memory_bytes > host) {
		return err_set(err, -ERANGE,
			       "limits.memory is %" PRIu64 " bytes but this host has %" PRIu64,
			       limits->memory_bytes, host);
	}
	if (__builtin_add_overflow(limits->memory_bytes, shmem_bytes, &sum) || sum > INT64_MAX ||
	    limits->cpu_percent > UINT64_MAX / CGROUP_CPU_PERIOD_US) {
		return err_set(err, -ERANGE, "limits.memory, disk or cpu: too large for a cgroup");
	}
	return 0;
}

/* mkdir below one parent; the group's directory comes back. */
static int
make_group(const char *parent, const char *name, struct err *err)
{
	auto_fd parent_fd = cgroup_dir_open(AT_FDCWD, parent);
	int fd, r;

	if (parent_fd < 0) {
		r = parent_fd == -ENOENT ? -ESTALE : parent_fd;
		return err_sys(err, r, "cgroup: open %s", parent);
	}
	if (mkdirat(parent_fd, name, 0755) < 0) {
		return err_sys(err, -errno, "cgroup: make %s/%s", parent, name);
	}
	fd = cgroup_dir_open(parent_fd, name);
	/* Whatever the umask: usage is read through this descriptor after root became the owner. */
	if (fd >= 0 && fchmod(fd, 0755) < 0) {
		r = -errno;
		close(fd);
		fd = r;
	}
	if (fd < 0) {
		ignore_err(unlinkat(parent_fd, name, AT_REMOVEDIR), "the sweep finds it");
		return err_sys(err, fd, "cgroup: open %s/%s", parent, name);
	}
	return fd;
}

static int
make_v2(const struct cgroup_site *site, struct cgroup *cg, struct err *err)
{
	int r = make_group(site->parent[CTL_MEMORY], cg->name, err);

	if (r < 0) {
		return r;
	}
	cg->dir_fd[CTL_MEMORY] = r;
	cg->kill_fd = openat(r, "cgroup.kill", O_WRONLY | O_CLOEXEC);
	return cg->kill_fd < 0 ? err_sys(err, -errno, "cgroup %s: cgroup.kill", cg->name) : 0;
}

/* The descriptors of a controller that shares ctl's mount, or -1. */
static int
shared_dir(const struct cgroup_site *site, const struct cgroup *cg, enum cgroup_ctl ctl)
{
	for (unsigned int c = 0; c < (unsigned int)ctl; c++) {
		if (cg->dir_fd[c] >= 0 && strcmp(site->parent[c], site->parent[ctl]) == 0) {
			return cg->dir_fd[c];
		}
	}
	return -1;
}

static int
make_v1(const struct cgroup_site *site, struct cgroup *cg, struct err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(v1_made); i++) {
		enum cgroup_ctl ctl = v1_made[i];
		int shared = shared_dir(site, cg, ctl);
		int fd;

		if (site->parent[ctl][0] == '\0' || (cg->missing & missing_bit(ctl)) != 0) {
			cg->missing |= missing_bit(ctl);
			continue;
		}
		if (shared >= 0) {
			/* One group, entered once: a second descriptor but no second tasks. */
			fd = fcntl(shared, F_DUPFD_CLOEXEC, 3);
			if (fd < 0) {
				return err_sys(err, -errno, "cgroup %s", cg->name);
			}
			cg->dir_fd[ctl] = fd;
			continue;
		}
		fd = make_group(site->parent[ctl], cg->name, err);
		if (fd < 0) {
			return fd;
		}
		cg->dir_fd[ctl] = fd;
		cg->tasks_fd[ctl] = openat(fd, "tasks", O_WRONLY | O_CLOEXEC);
		if (cg->tasks_fd[ctl] < 0) {
			return err_sys(err, -errno, "cgroup %s: tasks", cg->name);
		}
	}
	return 0;
}

int
cgroup_create(const struct cgroup_site *site, const struct limits *limits, uint64_t shmem_bytes,
	      const uint8_t call[16], struct cgroup *ret, struct err *err)
{
	struct cgroup cg = CGROUP_INIT;
	int r = check_limits(limits, shmem_bytes, err);

	if (r < 0) {
		return r;
	}
	cg.memory_limit_bytes = page_floor(limits->memory_bytes + shmem_bytes);
	cg.missing = site->missing & DEGRADE_CGROUP;
	if (site->version == CGROUP_NONE || cg.missing == DEGRADE_CGROUP) {
		cg.missing = DEGRADE_CGROUP;
		*ret = cg;
		return 0;
	}
	r = make_name(call, cg.name);
	if (r < 0) {
		return err_sys(err, r, "cgroup: who am I in /proc");
	}
	cg.version = site->version;
	r = cg.version == CGROUP_V2 ? make_v2(site, &cg, err) : make_v1(site, &cg, err);
	if (r == 0) {
		r = set_values(&cg, limits, err);
	}
	if (r < 0) {
		cgroup_destroy(&cg, site);
		return r;
	}
	*ret = cg;
	return 0;
}

int
cgroup_enter_self(const struct cgroup *cg)
{
	for (unsigned int c = 0; c < CTL__COUNT; c++) {
		if (cg->tasks_fd[c] < 0) {
			continue;
		}
		if (write(cg->tasks_fd[c], "0", 1) != 1) {
			return -errno;
		}
	}
	return 0;
}

int
cgroup_clone_fd(const struct cgroup *cg)
{
	return cg->version == CGROUP_V2 ? cg->dir_fd[CTL_MEMORY] : -1;
}

/* ---- attestation -------------------------------------------------------------------------- */

/* Swap that a group without a limit file for it may use: none where the host has none. */
static uint64_t
host_swap(void)
{
	struct sysinfo info;

	return sysinfo(&info) == 0 && info.totalswap == 0 ? 0 : UINT64_MAX;
}

static int
read_swap_v1(int dir_fd, uint64_t memory_max, uint64_t *ret)
{
	uint64_t both, swappiness;
	int r = cgroup_file_u64(dir_fd, "memory.swappiness", &swappiness);

	if (r == -ENOENT) {
		*ret = host_swap();
		return 0;
	}
	if (r < 0) {
		return r;
	}
	if (swappiness != 0) {
		*ret = UINT64_MAX;
		return 0;
	}
	r = cgroup_file_u64(dir_fd, "memory.memsw.limit_in_bytes", &both);
	if (r == -ENOENT) {
		*ret = 0;
		return 0;
	}
	if (r == 0) {
		*ret = both >= memory_max ? both - memory_max : UINT64_MAX;
	}
	return r;
}

static int
read_memory(const struct cgroup *cg, struct cgroup_values *values)
{
	int dir_fd = cg->dir_fd[CTL_MEMORY];
	bool is_v2 = cg->version == CGROUP_V2;
	int r = cgroup_file_u64(dir_fd, is_v2 ? "memory.max" : "memory.limit_in_bytes",
				&values->memory_max);

	if (r < 0) {
		return r;
	}
	if (!is_v2) {
		return read_swap_v1(dir_fd, values->memory_max, &values->swap_max);
	}
	r = cgroup_file_u64(dir_fd, "memory.swap.max", &values->swap_max);
	if (r == -ENOENT) {
		values->swap_max = host_swap();
		return 0;
	}
	return r;
}

static int
read_cpu_limit(const struct cgroup *cg, struct cgroup_values *values)
{
	char text[64];
	const char *gap;
	int len, r;

	if (cg->version == CGROUP_V1) {
		r = cgroup_file_u64(cg->dir_fd[CTL_CPU], "cpu.cfs_quota_us", &values->cpu_quota_us);
		return r < 0 ? r
			     : cgroup_file_u64(cg->dir_fd[CTL_CPU], "cpu.cfs_period_us",
					       &values->cpu_period_us);
	}
	len = cgroup_file_read(cg->dir_fd[CTL_MEMORY], "cpu.max", text, sizeof(text));
	if (len < 0) {
		return len;
	}
	gap = strchr(text, ' ');
	if (gap == NULL || !word_u64(text, gap, &values->cpu_quota_us) ||
	    !digits(gap + 1, strchrnul(gap, '\n'), &values->cpu_period_us)) {
		return -EBADMSG;
	}
	return 0;
}

int
cgroup_read_values(const struct cgroup *cg, struct cgroup_values *ret, struct err *err)
{
	struct cgroup_values values = { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
					UINT64_MAX };
	int r = 0;

	if ((cg->missing & DEGRADE_CGROUP_MEMORY) == 0) {
		r = read_memory(cg, &values);
	}
	if (r == 0 && (cg->missing & DEGRADE_CGROUP_PIDS) == 0) {
		r = cgroup_file_u64(cg->dir_fd[cg->version == CGROUP_V2 ? CTL_MEMORY : CTL_PIDS],
				    "pids.max", &values.pids_max);
	}
	if (r == 0 && (cg->missing & DEGRADE_CGROUP_CPU) == 0) {
		r = read_cpu_limit(cg, &values);
	}
	if (r < 0) {
		return err_sys(err, r, "cgroup %s: read the limits back", cg->name);
	}
	*ret = values;
	return 0;
}

void
cgroup_expect_values(const struct cgroup *cg, const struct limits *limits, uint64_t shmem_bytes,
		     struct cgroup_values *ret)
{
	struct cgroup_values values = { UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX,
					UINT64_MAX };

	if ((cg->missing & DEGRADE_CGROUP_MEMORY) == 0) {
		values.memory_max = page_floor(limits->memory_bytes + shmem_bytes);
		values.swap_max = 0;
	}
	if ((cg->missing & DEGRADE_CGROUP_PIDS) == 0) {
		values.pids_max = limits->pids;
	}
	if ((cg->missing & DEGRADE_CGROUP_CPU) == 0) {
		values.cpu_quota_us = limits->cpu_percent * (CGROUP_CPU_PERIOD_US / 100);
		values.cpu_period_us = CGROUP_CPU_PERIOD_US;
	}
	*ret = values;
}
