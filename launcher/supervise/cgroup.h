/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The group of one call. Discovery (which hierarchy, which path, may we?) costs milliseconds with
 * libcgroup, so airlock-cli does it once per boot and own path and caches a struct cgroup_site; the
 * front uses raw descriptors from then on. Never climbs above the caller's own group; never moves
 * anybody by pid. v2 is used where memory, pids and cpu are all on it, else v1 alone.
 *
 * How the front comes to a site: the cached one. If that is v2 with something missing, then, as v2
 * allows no processes beside groups with controllers: unless cgroup_scope_ready(), exec
 * `airlock-cli cgroup-scope --pid <self>` (as root with --system) and wait for it; then
 * cgroup_scope_enter(). If either fails, the cached site stands and the failure's text belongs
 * behind its `why`.
 */
#ifndef AIRLOCK_SUPERVISE_CGROUP_H
#define AIRLOCK_SUPERVISE_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../profile/profile.h"

enum cgroup_version { CGROUP_NONE, CGROUP_V1, CGROUP_V2, CGROUP_VERSION__COUNT };
enum cgroup_ctl { CTL_MEMORY, CTL_PIDS, CTL_CPU, CTL_CPUACCT, CTL_FREEZER, CTL__COUNT };

/* Where calls' groups go: per controller (v1; equal where controllers share a mount) or once, in
 * CTL_MEMORY (v2), an absolute directory path that ends in "/airlock"; "" where the controller
 * cannot be used here, with why. CTL_FREEZER is not used: PID 1 of the sandbox freezes a v1 call.
 * V2 with all three missing means that there is v2, but not for this group (a scope may help). */
struct cgroup_site {
	enum cgroup_version version;
	char *parent[CTL__COUNT]; /* owned */
	char *why;	  /* when a controller is missing: one sentence with the fix; "" else */
	uint32_t missing; /* DEGRADE_CGROUP_* that cannot be enforced */
};

void cgroup_site_finish(struct cgroup_site *site);
void cgroup_site_encode(const struct cgroup_site *site, struct buf *out);
/* -EBADMSG when the bytes are anything but what encode wrote; ret is the caller's to finish after
 * 0. */
int cgroup_site_decode(const void *bytes, size_t len, struct cgroup_site *ret) must_check;

/* airlock-cli only (libcgroup): discovers, makes the parents, tries them. Never fails for lack of
 * rights: that is `missing` and `why`. */
int cgroup_discover(struct cgroup_site *ret, struct err *err) must_check;

/*
 * airlock-cli only (sd-bus): asks systemd, on cgroup v2, for a delegated scope (StartTransientUnit,
 * Delegate=yes) that holds process pid, and waits until it stands. The user manager for a plain
 * user, the system manager when `system` (root only). -EOPNOTSUPP with the reason where no such
 * manager can be reached.
 */
int cgroup_scope_start(pid_t pid, bool system, struct err *err) must_check;

/*
 * For the front, on v2, when the site it has says `missing`: its own group may be turned into inner
 * node and leaves without a scope, because it holds this process alone and systemd (where there is
 * one) has delegated it. Otherwise cgroup_scope_start comes first.
 */
bool cgroup_scope_ready(void);
/*
 * For the front, single-threaded and without children, after either: moves itself into the leaf
 * `supervisor` below its own group, enables the controllers and gives back <own group>/airlock as
 * the parent. That site belongs to this process: not to be cached. -EBUSY when others are in the
 * group, -EOPNOTSUPP when there is no v2 or no controller; the own group is not left on any failure
 * but a late one of the kernel.
 */
int cgroup_scope_enter(struct cgroup_site *ret, struct err *err) must_check;

struct cgroup {
	enum cgroup_version version;
	int dir_fd[CTL__COUNT];	  /* v2: all in CTL_MEMORY; -1 where absent */
	int tasks_fd[CTL__COUNT]; /* v1: open `tasks`, into which the child writes "0" itself */
	int kill_fd; /* v2: open cgroup.kill, so that it works after an id drop; else -1 */
	/* c-<boot id 8 hex>-<pid namespace, hex>-<pid>-<starttime>-<last 8 hex of the call>:
	 * sweepable */
	char name[80];
	uint64_t memory_limit_bytes;
	uint32_t missing;
};

#define CGROUP_INIT                                                                                \
	{ .version = CGROUP_NONE, .dir_fd = { -1, -1, -1, -1, -1 },                                \
	  .tasks_fd = { -1, -1, -1, -1, -1 }, .kill_fd = -1 }

/*
 * Makes the group with its limits set and read back: memory = limits.memory + shmem_bytes (the
 * tmpfs of the call), swap 0, oom.group, pids, cpu quota. What was made is removed again on
 * failure. -ERANGE when limits.memory is above what the host has (the text says both numbers);
 * -ESTALE when a parent is gone: discover again. What the site cannot enforce is left out and
 * stands in ret->missing; with nothing left ret->version is CGROUP_NONE.
 */
int cgroup_create(const struct cgroup_site *site, const struct limits *limits, uint64_t shmem_bytes,
		  const uint8_t call[16], struct cgroup *ret, struct err *err) must_check;
/* In the single-threaded child, before it unshares the cgroup namespace: v1 writes "0" to each
 * tasks file (async-signal-safe). v2: nothing (clone3 put it there). */
int cgroup_enter_self(const struct cgroup *cg) must_check;
/* The directory fd for CLONE_INTO_CGROUP, -1 when not v2. */
int cgroup_clone_fd(const struct cgroup *cg);

/* Reads the values back as the kernel holds them now, for attestation. UINT64_MAX: no limit, or no
 * such controller here (then cgroup_expect_values says the same). */
struct cgroup_values {
	uint64_t memory_max, swap_max, pids_max, cpu_quota_us, cpu_period_us;
};
int cgroup_read_values(const struct cgroup *cg, struct cgroup_values *ret,
		       struct err *err) must_check;
/* The same values as the limits demand them. */
void cgroup_expect_values(const struct cgroup *cg, const struct limits *limits,
			  uint64_t shmem_bytes, struct cgroup_values *ret);

struct cgroup_usage {
	uint64_t memory_peak_bytes, memory_now_bytes, shmem_bytes, pids_peak, cpu_ms;
	uint64_t oom_kills, pids_max_events;
};
/* A value that this kernel does not have is 0. */
int cgroup_read_usage(const struct cgroup *cg, struct cgroup_usage *ret) must_check;
/* cpu_ms alone, for the supervisor's clock: one file. -ENODATA where nothing counts it. */
int cgroup_read_cpu(const struct cgroup *cg, uint64_t *ret_cpu_ms) must_check;
/* An fd to poll for an OOM kill and the events to ask for (v2: memory.events with POLLPRI; v1: an
 * eventfd on memory.oom_control with POLLIN). -1 when there is none. Owned by the caller. */
int cgroup_oom_fd(const struct cgroup *cg, short *ret_events);
/*
 * After poll reported something on that fd: was it an OOM kill (v2 also wakes for mere pressure)?
 * Arms the fd again. On v1 the event comes before the kill is counted, so trust this and not
 * oom_kills.
 */
bool cgroup_oom_fired(const struct cgroup *cg, int oom_fd);

/*
 * v2: cgroup.kill; returns at once. v1: signals every process of the group by pidfd and waits for
 * their ends, until none is left or it gives up after half a second (-EAGAIN); never freezes.
 */
int cgroup_kill(const struct cgroup *cg) must_check;
/*
 * v2: cgroup.freeze, for all of the group, and no process sees that it was; what is killed
 * meanwhile dies. -EOPNOTSUPP elsewhere.
 */
int cgroup_freeze(const struct cgroup *cg, bool freeze) must_check;
bool cgroup_empty(const struct cgroup *cg);
/* Removes the directories; what cannot be removed (EBUSY; EACCES after an id drop) is left for the
 * next sweep. Closes all fds. */
void cgroup_destroy(struct cgroup *cg, const struct cgroup_site *site);
/*
 * Removes groups below the site's parents whose owner (pid, start time, boot id) is gone; kills
 * what lives in them first. Groups of another pid namespace are nobody's to judge and stay. One
 * fstat when there is nothing; one readdir and a read of /proc per live group otherwise: call it
 * after the answer.
 */
void cgroup_sweep(const struct cgroup_site *site);

#endif
