/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a group used, how it ends, and the removal of it and of groups whose owners died. Runs in
 * the front, as the caller or, after the drop, as the workspace's owner. Trusts the kernel's files;
 * the names below a parent are ours, but anything else found there is left alone.
 */
#include "cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/fdio.h"
#include "../sys/sys.h"
#include "cgroup_internal.h"

#define KILL_BATCH 64	 /* processes signalled per round */
#define KILL_WAIT_MS 500 /* for all rounds together */
#define SWEEP_MAX 64	 /* groups removed in one sweep; the next takes the rest */

/* ---- usage -------------------------------------------------------------------------------- */

/* clang-format off */
enum usage_kind {
	USAGE_NUMBER, /* the file is the number */
	USAGE_KEY,    /* the number behind a key */
	USAGE__COUNT,
};

struct usage_row {
	enum cgroup_version version;
	enum cgroup_ctl ctl;
	enum usage_kind kind;
	const char *file, *key;
	size_t field;     /* offset in struct cgroup_usage */
	uint64_t divisor; /* to the field's unit */
};

#define AT(name) offsetof(struct cgroup_usage, name)
static const struct usage_row usage_rows[] = {
	{ CGROUP_V1, CTL_MEMORY,  USAGE_NUMBER,
	  "memory.max_usage_in_bytes",  NULL,          AT(memory_peak_bytes), 1 },
	{ CGROUP_V1, CTL_MEMORY,  USAGE_NUMBER,
	  "memory.usage_in_bytes",      NULL,          AT(memory_now_bytes), 1 },
	{ CGROUP_V1, CTL_MEMORY,  USAGE_KEY,
	  "memory.stat",                "total_shmem", AT(shmem_bytes), 1 },
	{ CGROUP_V1, CTL_MEMORY,  USAGE_KEY,
	  "memory.oom_control",         "oom_kill",    AT(oom_kills), 1 },
	{ CGROUP_V1, CTL_PIDS,    USAGE_NUMBER,
	  "pids.peak",                  NULL,          AT(pids_peak), 1 },
	{ CGROUP_V1, CTL_PIDS,    USAGE_KEY,
	  "pids.events",                "max",         AT(pids_max_events), 1 },
	{ CGROUP_V1, CTL_CPUACCT, USAGE_NUMBER,
	  "cpuacct.usage",              NULL,          AT(cpu_ms), 1000000 },
	{ CGROUP_V2, CTL_MEMORY,  USAGE_NUMBER,
	  "memory.peak",                NULL,          AT(memory_peak_bytes), 1 },
	{ CGROUP_V2, CTL_MEMORY,  USAGE_NUMBER,
	  "memory.current",             NULL,          AT(memory_now_bytes), 1 },
	{ CGROUP_V2, CTL_MEMORY,  USAGE_KEY,
	  "memory.stat",                "shmem",       AT(shmem_bytes), 1 },
	{ CGROUP_V2, CTL_MEMORY,  USAGE_KEY,
	  "memory.events",              "oom_kill",    AT(oom_kills), 1 },
	{ CGROUP_V2, CTL_PIDS,    USAGE_NUMBER,
	  "pids.peak",                  NULL,          AT(pids_peak), 1 },
	{ CGROUP_V2, CTL_PIDS,    USAGE_KEY,
	  "pids.events",                "max",         AT(pids_max_events), 1 },
	{ CGROUP_V2, CTL_CPU,     USAGE_KEY,
	  "cpu.stat",                   "usage_usec",  AT(cpu_ms), 1000 },
};
#undef AT
/* clang-format on */

/* The directory that has ctl's files, -1 when there is none. */
static int
ctl_dir(const struct cgroup *cg, enum cgroup_ctl ctl)
{
	switch (cg->version) {
	case CGROUP_V1:
		return cg->dir_fd[ctl];
	case CGROUP_V2:
		return cg->dir_fd[CTL_MEMORY];
	case CGROUP_NONE:
	case CGROUP_VERSION__COUNT:
		break;
	}
	return -1;
}

/* One row; a file or key that is absent is 0. */
static int
read_row(const struct cgroup *cg, const struct usage_row *row, uint64_t *ret)
{
	char text[CGROUP_TEXT_MAX];
	int dir_fd = ctl_dir(cg, row->ctl);
	uint64_t value = 0;
	int r = 0;

	if (dir_fd < 0) {
		*ret = 0;
		return 0;
	}
	switch (row->kind) {
	case USAGE_NUMBER:
		r = cgroup_file_u64(dir_fd, row->file, &value);
		break;
	case USAGE_KEY:
		r = cgroup_file_read(dir_fd, row->file, text, sizeof(text));
		if (r >= 0 && !cgroup_text_u64(text, row->key, &value)) {
			value = 0;
		}
		break;
	case USAGE__COUNT:
		break;
	}
	if (r < 0 && r != -ENOENT) {
		return r;
	}
	*ret = value / row->divisor;
	return 0;
}

int
cgroup_read_usage(const struct cgroup *cg, struct cgroup_usage *ret)
{
	struct cgroup_usage usage = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(usage_rows); i++) {
		const struct usage_row *row = &usage_rows[i];
		uint64_t value;
		int r;

		if (row->version != cg->version) {
			continue;
		}
		r = read_row(cg, row, &value);
		if (r < 0) {
			return r;
		}
		memcpy((char *)&usage + row->field, &value, sizeof(value));
	}
	*ret = usage;
	return 0;
}

int
cgroup_read_cpu(const struct cgroup *cg, uint64_t *ret_cpu_ms)
{
	for (size_t i = 0; i < ARRAY_LEN(usage_rows); i++) {
		if (usage_rows[i].version == cg->version &&
		    usage_rows[i].field == offsetof(struct cgroup_usage, cpu_ms) &&
		    ctl_dir(cg, usage_rows[i].ctl) >= 0) {
			return read_row(cg, &usage_rows[i], ret_cpu_ms);
		}
	}
	return -ENODATA;
}

/* ---- OOM ---------------------------------------------------------------------------------- */

static int
oom_fd_v1(int dir_fd)
{
	auto_fd control_fd = openat(dir_fd, "memory.oom_control", O_RDONLY | O_CLOEXEC);
	auto_fd event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	char line[64];

	if (control_fd < 0 || event_fd < 0) {
		return -1;
	}
	snprintf(line, sizeof(line), "%d %d", event_fd, control_fd);
	/* The kernel keeps both; the event goes with the last copy of event_fd. */
	if (cgroup_file_write(dir_fd, "cgroup.event_control", line) < 0) {
		return -1;
	}
	return take_fd(&event_fd);
}

static int
oom_fd_v2(int dir_fd)
{
	auto_fd fd = openat(dir_fd, "memory.events", O_RDONLY | O_CLOEXEC);
	char text[512];

	/* A kernfs file that was never read polls as changed. */
	if (fd < 0 || read(fd, text, sizeof(text)) < 0) {
		return -1;
	}
	return take_fd(&fd);
}

int
cgroup_oom_fd(const struct cgroup *cg, short *ret_events)
{
	int dir_fd = ctl_dir(cg, CTL_MEMORY);
	int fd;

	if (dir_fd < 0 || (cg->missing & DEGRADE_CGROUP_MEMORY) != 0) {
		return -1;
	}
	fd = cg->version == CGROUP_V2 ? oom_fd_v2(dir_fd) : oom_fd_v1(dir_fd);
	if (fd >= 0) {
		*ret_events = cg->version == CGROUP_V2 ? POLLPRI : POLLIN;
	}
	return fd;
}

bool
cgroup_oom_fired(const struct cgroup *cg, int oom_fd)
{
	char text[512];
	uint64_t count = 0;
	ssize_t n;

	if (cg->version == CGROUP_V1) {
		return read(oom_fd, &count, sizeof(count)) == (ssize_t)sizeof(count) && count > 0;
	}
	n = pread(oom_fd, text, sizeof(text) - 1, 0);
	if (n < 0) {
		return false;
	}
	text[n] = '\0';
	return cgroup_text_u64(text, "oom_kill", &count) && count > 0;
}

/* ---- the end ------------------------------------------------------------------------------ */

bool
cgroup_dir_empty(int dirfd, enum cgroup_version version)
{
	char text[64];
	uint64_t populated;
	int len;

	if (version == CGROUP_V2) {
		len = cgroup_file_read(dirfd, "cgroup.events", text, sizeof(text));
		return len >= 0 && cgroup_text_u64(text, "populated", &populated) && populated == 0;
	}
	len = cgroup_file_read(dirfd, "tasks", text, sizeof(text));
	return len == 0;
}

/* Up to KILL_BATCH pids of a v1 group; the count or -errno. Long lists come in rounds. */
static int
list_processes(int dirfd, pid_t pids[KILL_BATCH])
{
	auto_fd fd = openat(dirfd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	char text[KILL_BATCH * 12 + 1];
	char *save = NULL;
	int count = 0;
	ssize_t n;

	if (fd < 0) {
		return -errno;
	}
	n = read(fd, text, sizeof(text) - 1);
	if (n < 0) {
		return -errno;
	}
	text[n] = '\0';
	for (char *line = strtok_r(text, "\n", &save); line != NULL && count < KILL_BATCH;
	     line = strtok_r(NULL, "\n", &save)) {
		pid_t pid = (pid_t)strtol(line, NULL, 10);

		/* A last line that was cut short is a wrong pid: it is not in the second list. */
		if (pid > 0) {
			pids[count++] = pid;
		}
	}
	return count;
}

static bool
is_listed(pid_t pid, const pid_t *pids, int count)
{
	for (int i = 0; i < count; i++) {
		if (pids[i] == pid) {
			return true;
		}
	}
	return false;
}

/*
 * One round: a pidfd for each process, then the list again. Who is still in it is the process that
 * the pidfd holds, not another one that took over the number. Then waits for their ends. Returns
 * how many were listed.
 */
static int
kill_round_v1(int dirfd, int wait_ms)
{
	struct pollfd polls[KILL_BATCH];
	pid_t pids[KILL_BATCH], again[KILL_BATCH];
	int count = list_processes(dirfd, pids);
	uint64_t end_ns = clock_monotonic_ns() + (uint64_t)wait_ms * 1000000u;
	int again_count;

	if (count <= 0) {
		return count;
	}
	for (int i = 0; i < count; i++) {
		polls[i] = (struct pollfd){ .fd = sys_pidfd_open(pids[i]), .events = POLLIN };
	}
	again_count = list_processes(dirfd, again);
	for (int i = 0; i < count; i++) {
		if (polls[i].fd >= 0 && is_listed(pids[i], again, again_count)) {
			ignore_err(sys_pidfd_send_signal(polls[i].fd, SIGKILL), "dead is as good");
		}
	}
	for (int i = 0; i < count; i++) {
		uint64_t now_ns = clock_monotonic_ns();
		int left_ms = now_ns < end_ns ? (int)((end_ns - now_ns) / 1000000u) : 0;

		if (polls[i].fd >= 0) {
			ignore_err(poll(&polls[i], 1, left_ms), "the next round looks again");
			close(polls[i].fd);
		}
	}
	return count;
}

static int
kill_v1(int dirfd)
{
	uint64_t end_ns = clock_monotonic_ns() + (uint64_t)KILL_WAIT_MS * 1000000u;

	for (;;) {
		uint64_t now_ns = clock_monotonic_ns();
		int left_ms = now_ns < end_ns ? (int)((end_ns - now_ns) / 1000000u) : 0;
		int r = kill_round_v1(dirfd, left_ms);

		if (r <= 0) {
			return r;
		}
		if (now_ns >= end_ns) {
			return -EAGAIN;
		}
	}
}

int
cgroup_dir_kill(int dirfd, enum cgroup_version version)
{
	switch (version) {
	case CGROUP_V1:
		return kill_v1(dirfd);
	case CGROUP_V2:
		return cgroup_file_write(dirfd, "cgroup.kill", "1");
	case CGROUP_NONE:
	case CGROUP_VERSION__COUNT:
		break;
	}
	return 0;
}

int
cgroup_kill(const struct cgroup *cg)
{
	int result = 0;

	if (cg->version == CGROUP_V2) {
		return fdio_write(cg->kill_fd, "1", 1);
	}
	/* A child that died half way through enter_self is in some of them only. */
	for (unsigned int c = 0; c < CTL__COUNT; c++) {
		if (cg->tasks_fd[c] >= 0) {
			int r = cgroup_dir_kill(cg->dir_fd[c], CGROUP_V1);

			result = result == 0 ? r : result;
		}
	}
	return result;
}

int
cgroup_freeze(const struct cgroup *cg, bool freeze)
{
	auto_fd fd = -1;

	if (cg->version != CGROUP_V2) {
		return -EOPNOTSUPP;
	}
	fd = openat(cg->dir_fd[CTL_MEMORY], "cgroup.freeze", O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fdio_write(fd, freeze ? "1" : "0", 1);
}

bool
cgroup_empty(const struct cgroup *cg)
{
	if (cg->version == CGROUP_V2) {
		return cgroup_dir_empty(cg->dir_fd[CTL_MEMORY], CGROUP_V2);
	}
	for (unsigned int c = 0; c < CTL__COUNT; c++) {
		if (cg->tasks_fd[c] >= 0 && !cgroup_dir_empty(cg->dir_fd[c], CGROUP_V1)) {
			return false;
		}
	}
	return true;
}

/* ---- removal ------------------------------------------------------------------------------ */

/*
 * The parent where a sweep looks: the first that there is. It is made first and removed last, and
 * only when the others are gone, so a leftover in any hierarchy can be found there.
 */
static int
first_parent(const struct cgroup_site *site)
{
	for (unsigned int c = 0; c < CTL__COUNT; c++) {
		/* NULL: the call ended before anybody looked for cgroups */
		if (site->parent[c] != NULL && site->parent[c][0] != '\0') {
			return (int)c;
		}
	}
	return -1;
}

static bool
remove_group(const char *parent, const char *name)
{
	auto_fd parent_fd = cgroup_dir_open(AT_FDCWD, parent);

	if (parent_fd < 0) {
		return parent_fd == -ENOENT;
	}
	return unlinkat(parent_fd, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

/* Removes name below every parent, the first parent last. */
static void
remove_everywhere(const struct cgroup_site *site, const char *name)
{
	int first = first_parent(site);
	bool gone = true;

	for (int c = CTL__COUNT - 1; c > first && first >= 0; c--) {
		if (site->parent[c][0] != '\0' &&
		    strcmp(site->parent[c], site->parent[first]) != 0) {
			gone = remove_group(site->parent[c], name) && gone;
		}
	}
	if (gone && first >= 0) {
		ignore_err(remove_group(site->parent[first], name), "the next sweep finds it");
	}
}

void
cgroup_destroy(struct cgroup *cg, const struct cgroup_site *site)
{
	for (unsigned int c = 0; c < CTL__COUNT; c++) {
		if (cg->dir_fd[c] >= 0) {
			close(cg->dir_fd[c]);
		}
		if (cg->tasks_fd[c] >= 0) {
			close(cg->tasks_fd[c]);
		}
	}
	if (cg->kill_fd >= 0) {
		close(cg->kill_fd);
	}
	if (cg->version != CGROUP_NONE) {
		remove_everywhere(site, cg->name);
	}
	*cg = (struct cgroup)CGROUP_INIT;
}

/* ---- sweep -------------------------------------------------------------------------------- */

/* One field of a name, up to sep; moves *p behind it. */
static bool
name_field(const char **p, int base, char sep, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(*p, &end, base);
	if (errno != 0 || end == *p || *end != sep) {
		return false;
	}
	*p = sep != '\0' ? end + 1 : end;
	return true;
}

/* A name of make_name, exactly; anything else is not ours to touch. */
static bool
parse_name(const char *name, struct cgroup_owner *ret)
{
	uint64_t boot, pidns, pid, start, call;
	const char *p = name;
	char again[80];

	if (*p++ != 'c' || *p++ != '-' || !name_field(&p, 16, '-', &boot) ||
	    !name_field(&p, 16, '-', &pidns) || !name_field(&p, 10, '-', &pid) ||
	    !name_field(&p, 10, '-', &start) || !name_field(&p, 16, '\0', &call) ||
	    boot > UINT32_MAX || call > UINT32_MAX || pid == 0 || pid > INT32_MAX) {
		return false;
	}
	snprintf(again, sizeof(again),
		 "c-%08" PRIx64 "-%" PRIx64 "-%" PRIu64 "-%" PRIu64 "-%08" PRIx64, boot, pidns, pid,
		 start, call);
	if (strcmp(again, name) != 0) {
		return false;
	}
	*ret = (struct cgroup_owner){ (uint32_t)boot, pidns, (pid_t)pid, start };
	return true;
}

/* Is the owner of this name surely gone? Every doubt means no. */
static bool
is_stale(const char *name, const struct cgroup_owner *self)
{
	struct cgroup_owner owner, now;
	int r;

	if (!parse_name(name, &owner)) {
		return false;
	}
	if (owner.boot != self->boot) {
		return true;
	}
	if (owner.pidns != self->pidns) {
		return false;
	}
	r = cgroup_owner_of(owner.pid, &now);
	if (r == -ESRCH) {
		/* A /proc with hidepid shows nobody else's processes; kill still tells. */
		return kill(owner.pid, 0) < 0 && errno == ESRCH;
	}
	return r == 0 && now.start != owner.start;
}

static void
kill_everywhere(const struct cgroup_site *site, const char *name)
{
	for (unsigned int c = 0; c < CTL__COUNT; c++) {
		auto_fd parent_fd = -1;
		auto_fd dir_fd = -1;

		if (site->parent[c][0] == '\0') {
			continue;
		}
		parent_fd = cgroup_dir_open(AT_FDCWD, site->parent[c]);
		dir_fd = parent_fd < 0 ? -1 : cgroup_dir_open(parent_fd, name);
		if (dir_fd >= 0 && !cgroup_dir_empty(dir_fd, site->version)) {
			ignore_err(cgroup_dir_kill(dir_fd, site->version), "rmdir says EBUSY then");
		}
	}
}

void
cgroup_sweep(const struct cgroup_site *site)
{
	int first = first_parent(site);
	auto_fd fd = first < 0 ? -1 : cgroup_dir_open(AT_FDCWD, site->parent[first]);
	struct cgroup_owner self;
	struct dirent *entry;
	struct stat st;
	int budget = SWEEP_MAX;
	DIR *dir;

	/* On a cgroup file system the links of a directory are its children and two. */
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_nlink <= 2 ||
	    cgroup_owner_of(getpid(), &self) < 0) {
		return;
	}
	dir = fdopendir(fd);
	if (dir == NULL) {
		return;
	}
	ignore_err(take_fd(&fd), "dir owns it now");
	while (budget > 0 && (entry = readdir(dir)) != NULL) {
		if (entry->d_type == DT_DIR && is_stale(entry->d_name, &self)) {
			kill_everywhere(site, entry->d_name);
			remove_everywhere(site, entry->d_name);
			budget--;
		}
	}
	closedir(dir);
}
