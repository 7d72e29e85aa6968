/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front: limits that the kernel does not enforce for us, looked at every WATCH_MS, and
 * the sums at the end. Without a cgroup memory is advisory: processes are added up through the
 * sandbox's own /proc.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/fdio.h"
#include "../base/limits.h"
#include "supervise_internal.h"

#define WATCH_MS 100u
#define LIMITS_TRIES 50u /* who holds them for so many looks has died or is stopped */
#define WATCH_DEPTH 64
#define WALK_REST 20u /* a walk over the upper takes a twentieth of the supervisor's time at most */
#define PAGE 4096u

static const char disk_full[] = "the call wrote more than limits.disk";
static const char cpu_time_used[] = "the call used more than limits.cpu_time";
static const char memory_full[] = "the call reached limits.memory";

/* Without what was made in it before the tool started, for which the plan has room. */
static uint64_t
scratch_used(const struct run *r, bool *ret_full, bool *ret_no_inodes)
{
	const uint64_t own = r->req->plan->scratch_bytes - r->req->limits->disk_bytes;
	struct statfs fs;
	uint64_t used;

	*ret_full = *ret_no_inodes = false;
	if (r->out->scratch_fd < 0 || fstatfs(r->out->scratch_fd, &fs) < 0) {
		return 0;
	}
	*ret_full = fs.f_bfree == 0;
	*ret_no_inodes = fs.f_ffree == 0;
	used = (uint64_t)(fs.f_blocks - fs.f_bfree) * (uint64_t)fs.f_bsize;
	return used > own ? used - own : 0;
}

struct sums {
	uint64_t resident_bytes; /* what is shared counts as often as it is mapped */
	uint64_t cpu_ms;	 /* of living processes and those that they waited for */
};

/*
 * proc_pid_stat(5): fields 14 to 17 are the times, 24 the resident pages; the name may hold
 * anything, its end is the last ')'.
 */
static void
add_process(const char *stat, struct sums *sums)
{
	const char *p = strrchr(stat, ')');
	long ticks = sysconf(_SC_CLK_TCK);

	for (int field = 3; p != NULL && field <= 24; field++) {
		p = strchr(p + 1, ' ');
		if (p != NULL && field >= 14 && field <= 17) {
			sums->cpu_ms += strtoull(p, NULL, 10) * 1000u / (uint64_t)ticks;
		} else if (p != NULL && field == 24) {
			sums->resident_bytes += strtoull(p, NULL, 10) * PAGE;
		}
	}
}

static struct sums
sum_processes(const struct run *r)
{
	auto_dir dir = NULL;
	struct sums sums = { 0 };

	if (fdio_list_dir(r->proc_fd, ".", 0, &dir) < 0) {
		return sums;
	}
	for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
		auto_buf text = BUF_INIT;
		char path[300];

		if (e->d_name[0] < '0' || e->d_name[0] > '9') {
			continue;
		}
		snprintf(path, sizeof(path), "%s/stat", e->d_name);
		if (fdio_slurp_at(dirfd(dir), path, CAP_PROC_FILE, &text) == 0) {
			add_process(buf_text(&text), &sums);
		}
	}
	return sums;
}

/*
 * Blocks of a tree that the tool is writing: by fd, no links, bounded depth (deeper is the tool's
 * own trouble: the collector refuses it).
 */
static uint64_t
tree_bytes(int dir_fd, int depth)
{
	auto_dir dir = NULL;
	uint64_t sum = 0;

	if (fdio_list_dir(dir_fd, ".", 0, &dir) < 0) {
		return 0;
	}
	for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
		struct stat st;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
			continue;
		}
		sum += (uint64_t)st.st_blocks * 512u;
		if (S_ISDIR(st.st_mode) && depth < WATCH_DEPTH) {
			auto_fd sub = openat(dirfd(dir), e->d_name,
					     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			sum += sub < 0 ? 0 : tree_bytes(sub, depth + 1);
		}
	}
	return sum;
}

static uint64_t
walk_upper(struct run *r)
{
	uint64_t start = clock_monotonic_ns();
	uint64_t used = start < r->next_walk_ns ? 0 : tree_bytes(r->req->disk_watch_fd, 0);
	uint64_t end = clock_monotonic_ns();

	if (start >= r->next_walk_ns) {
		r->next_walk_ns = end + WALK_REST * (end - start);
	}
	return used;
}

/*
 * An upper on disk: what the file system lost since GO counts, because unlinked files, closed
 * directories and depth hide from any walk. Somebody else who writes that much meanwhile ends the
 * call, too: too early rather than never. Somebody else who frees as much (the removal of the call
 * before is one) hides it, so what can be seen is counted as well.
 */
static void
watch_file_system(struct run *r)
{
	const struct limits *l = r->req->limits;
	struct statfs fs;

	if (fstatfs(r->req->disk_watch_fd, &fs) < 0) {
		run_end(r, VERDICT_LIMIT,
			"disk: the file system of the upper directory cannot be looked at");
		return;
	}
	if (r->disk_free_bytes == 0) {
		r->disk_free_bytes = (uint64_t)fs.f_bfree * (uint64_t)fs.f_bsize;
		r->disk_free_inodes = (uint64_t)fs.f_ffree;
	}
	if ((uint64_t)fs.f_bfree * (uint64_t)fs.f_bsize + l->disk_bytes < r->disk_free_bytes ||
	    walk_upper(r) > l->disk_bytes) {
		run_limit(r, VERDICT_LIMIT, KEY_LIM_DISK, disk_full);
	} else if ((uint64_t)fs.f_ffree + l->files < r->disk_free_inodes) {
		run_limit(r, VERDICT_LIMIT, KEY_LIM_FILES, "the call made more than limits.files");
	}
}

/* A tool can fill its tmpfs and end between two looks: asked at the end as well. */
static uint64_t
note_full(struct run *r)
{
	bool full, no_inodes;
	uint64_t used = scratch_used(r, &full, &no_inodes);

	if (full) {
		run_note_limit(r, KEY_LIM_DISK, "the call's file system was full: ENOSPC");
	}
	if (no_inodes) {
		run_note_limit(r, KEY_LIM_FILES, "no inode was left for the call: ENOSPC");
	}
	return used;
}

/* Advisory: a memfd that nobody maps, or a process that nobody waited for, is not seen. */
static void
watch_processes(struct run *r)
{
	const struct limits *l = r->req->limits;
	struct sums sums = sum_processes(r);
	bool full, no_inodes;
	uint64_t bytes = sums.resident_bytes + scratch_used(r, &full, &no_inodes);

	if (bytes > r->watched_memory_peak) {
		r->watched_memory_peak = bytes;
	}
	if (sums.cpu_ms > r->watched_cpu_ms) {
		r->watched_cpu_ms = sums.cpu_ms;
	}
	if (bytes > l->memory_bytes + r->req->shmem_bytes) {
		run_limit(r, VERDICT_OOM, KEY_LIM_MEMORY,
			  "more than limits.memory was in use (advisory: there is no memory cgroup "
			  "here)");
	}
	if (sums.cpu_ms > l->cpu_time_ms) {
		run_limit(r, VERDICT_LIMIT, KEY_LIM_CPU_TIME, cpu_time_used);
	}
}

/* Without the time that it was frozen. */
static uint64_t
ran_ns(const struct run *r)
{
	uint64_t until = r->frozen_at_ns != 0 ? r->frozen_at_ns : clock_monotonic_ns();

	return until - r->go_ns - r->frozen_ns;
}

bool
run_end_late(struct run *r)
{
	const uint64_t now_ms = clock_realtime_ms(), lease_ms = r->req->lease_ms;
	const char *why;

	/* a lease ends also where nothing runs: a frozen call still holds what it was given */
	if (lease_ms != 0 && now_ms >= lease_ms) {
		why = "a lease of the call ended";
	} else if (r->end_ms != 0 && r->limits_due == 0 && now_ms >= r->end_ms &&
		   r->frozen_at_ns == 0) {
		why = "the deadline of its workflow came";
	} else {
		return false;
	}
	run_limit(r, VERDICT_TIMEOUT, KEY_LIM_WALL, why);
	return true;
}

void
run_ask_limits(struct run *r)
{
	r->limits_due = LIMITS_TRIES;
	r->next_watch_ns = 0;
}

/* They only shrink: what it may have at most stands in its record. */
static void
watch_limits(struct run *r)
{
	const struct supervise_control *c = &r->req->control;
	uint64_t wall_ms = 0, deadline_ns;

	if (r->limits_due == 0) {
		return;
	}
	r->limits_due--;
	if (!c->limits(c->arg, ran_ns(r) / 1000000u, &wall_ms, &r->end_ms)) {
		return;
	}
	r->limits_due = 0;
	deadline_ns = r->go_ns + r->frozen_ns + wall_ms * UINT64_C(1000000);
	if (deadline_ns < r->deadline_ns) {
		r->deadline_ns = deadline_ns;
		r->wall_text = "the budget of its workflow is less by now";
	}
}

void
run_watch(struct run *r)
{
	const struct limits *l = r->req->limits;
	uint64_t cpu_ms = 0;
	uint64_t now = clock_monotonic_ns();

	if (now < r->next_watch_ns || r->state != RUN_RUNNING) {
		return;
	}
	r->next_watch_ns = now + WATCH_MS * UINT64_C(1000000);
	watch_limits(r);
	if (run_end_late(r)) {
		return;
	}
	note_full(r);
	if (r->req->disk_watch_fd >= 0) {
		watch_file_system(r);
	}
	if (r->req->cgroup->version != CGROUP_NONE &&
	    cgroup_read_cpu(r->req->cgroup, &cpu_ms) == 0 && cpu_ms > l->cpu_time_ms) {
		run_limit(r, VERDICT_LIMIT, KEY_LIM_CPU_TIME, cpu_time_used);
	}
	if ((r->req->cgroup->missing & DEGRADE_CGROUP_MEMORY) != 0) {
		watch_processes(r);
	}
}

/* A tool can also write all of it and end between two looks, or by SIGXFSZ. */
static uint64_t
judge_disk(struct run *r)
{
	uint64_t used = tree_bytes(r->req->disk_watch_fd, 0);

	if (used > r->req->limits->disk_bytes) {
		run_judge_limit(r, KEY_LIM_DISK, disk_full);
	}
	return used;
}

/*
 * Ours came first when the verdict is decided; an OOM kill that no event told of still counts. On
 * v1 the event comes before the kill is counted.
 */
static void
judge_memory(struct run *r, const struct cgroup_usage *cg)
{
	bool mostly_files = cg->shmem_bytes > r->req->cgroup->memory_limit_bytes / 2;
	bool was_oom = r->decided && r->out->verdict == VERDICT_OOM;

	if (cg->oom_kills > 0 && mostly_files && (!r->decided || was_oom)) {
		r->decided = false;
		run_judge_limit(r, KEY_LIM_DISK, "files in the call's tmpfs filled its memory");
	} else if (was_oom || (cg->oom_kills > 0 && !r->decided)) {
		r->decided = false;
		run_judge_limit(r, KEY_LIM_MEMORY, memory_full);
		r->out->verdict = VERDICT_OOM;
	}
}

static void
collect_cgroup(struct run *r)
{
	struct usage *u = &r->out->usage;
	struct cgroup_usage cg = { 0 };
	char text[96];

	if (r->req->cgroup->version == CGROUP_NONE || cgroup_read_usage(r->req->cgroup, &cg) < 0) {
		return;
	}
	u->cpu_ms = cg.cpu_ms > u->cpu_ms ? cg.cpu_ms : u->cpu_ms;
	u->memory_peak_bytes = cg.memory_peak_bytes;
	u->pids_peak = cg.pids_peak;
	u->oom_kills = cg.oom_kills;
	u->pids_max_events = cg.pids_max_events;
	if (cg.pids_max_events > 0) {
		snprintf(text, sizeof(text), "fork or thread creation gave EAGAIN, %llu time%s",
			 (unsigned long long)cg.pids_max_events,
			 cg.pids_max_events == 1 ? "" : "s");
		run_note_limit(r, KEY_LIM_PIDS, text);
	}
	judge_memory(r, &cg);
}

/* After everything is dead, before the group and the tmpfs go. */
void
run_collect_usage(struct run *r)
{
	struct usage *u = &r->out->usage;
	struct rusage rusage = { 0 };
	int status;

	if (r->go_ns != 0) {
		u->wall_ms = ran_ns(r) / 1000000u;
	}
	if (!r->out->undead && wait4(r->req->jail->pid, &status, 0, &rusage) > 0) {
		u->cpu_ms = (uint64_t)(rusage.ru_utime.tv_sec + rusage.ru_stime.tv_sec) * 1000u +
			    (uint64_t)(rusage.ru_utime.tv_usec + rusage.ru_stime.tv_usec) / 1000u;
		u->memory_peak_bytes = (uint64_t)rusage.ru_maxrss * 1024u;
	}
	u->cpu_ms = r->watched_cpu_ms > u->cpu_ms ? r->watched_cpu_ms : u->cpu_ms;
	if (r->watched_memory_peak > u->memory_peak_bytes) {
		u->memory_peak_bytes = r->watched_memory_peak;
	}
	u->disk_bytes = note_full(r);
	if (r->req->disk_watch_fd >= 0) {
		u->disk_bytes += judge_disk(r);
	}
	collect_cgroup(r);
}
