/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One running call, from the spawned jail to the moment when nothing of it is alive: judges the
 * jail's report, says GO, relays stdio, answers seccomp notifications, forwards signals, watches
 * limits and deadlines, kills. Single poll loop; the caller may run one more thread that touches
 * none of this.
 */
#ifndef AIRLOCK_SUPERVISE_SUPERVISE_H
#define AIRLOCK_SUPERVISE_SUPERVISE_H

#include <stdbool.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../plan/plan.h"
#include "cgroup.h"
#include "denials.h"
#include "relay.h"
#include "spawn.h"
#include "terminal.h"

enum verdict {
#define X(id, name, doc) VERDICT_##id,
#include "verdicts.def"
#undef X
	VERDICT__COUNT
};

const char *verdict_name(enum verdict v);

/*
 * Signals of signal_fd that are about the call and not for the tool, whatever the caller ignores.
 * 0: there is none.
 */
struct supervise_control {
	int kill;      /* ends the call at once */
	int freeze;    /* nothing of it runs until a thaw, and limits.wall does not either */
	int thaw_flag; /* in the value that freeze comes with: a thaw */
	int limits_flag; /* the same: limits is asked what holds from now on */
	/* who sent kill: the words for the value that it came with, 0 for none */
	const char *(*words)(int value);
	void (*on_frozen)(void *arg, bool is_frozen); /* each time that it changes; may be NULL */
	/*
	 * ran_ms: how long the tool ran, frozen time apart. Of that it may have ret_wall_ms, and
	 * what ends it at a time of day is in ret_end_ms (as in supervise_request). False: not to
	 * be had now.
	 */
	bool (*limits)(void *arg, uint64_t ran_ms, uint64_t *ret_wall_ms, uint64_t *ret_end_ms);
	void *arg;
};

struct supervise_request {
	const struct profile *profile; /* success codes, syscall groups, filter digest */
	const struct plan *plan;
	const struct limits *limits;
	uint64_t end_ms; /* CLOCK_REALTIME: the deadline of its workflow; 0: none */
	uint64_t lease_ms; /* the same: when the first of its leases ends; 0: none does before it */
	int lease_fd; /* whose hang-up says that its leases are revoked; -1: nothing is leased */
	struct jail_handle *jail;
	struct relay *relay;
	struct terminal *terminal; /* the caller's; NULL when the tool gets none */
	const struct cgroup *cgroup;
	uint64_t shmem_bytes;
	int workspace_fd;
	int signal_fd; /* signalfd of what is forwarded, and of control's */
	struct supervise_control control;
	/* on-disk upper's parent, watched against limits.disk; -1 for the tmpfs */
	int disk_watch_fd;
};

struct usage {
	uint64_t wall_ms, cpu_ms, memory_peak_bytes, pids_peak, disk_bytes;
	uint64_t oom_kills, pids_max_events;
};

struct outcome {
	enum verdict verdict;
	bool launched; /* the tool was exec'd */
	/* coarse clock at GO: what has a later ctime was changed during the call */
	int64_t go_realtime_ns;
	int exec_errno;		/* why not, when exec itself failed; 0 else */
	int exit_code;		/* -1 when it did not exit */
	int signal;		/* 0 when it was not ended by one */
	bool undead;		/* something would not die: nothing of the call may be read */
	char reason[512];	/* one sentence, "" when ok */
	struct buf attestation; /* JSON object, empty when it was not reached */
	struct denials denials;
	struct usage usage;
	int upper_fd; /* the change set's directory; -1 when there is none; owned */
	/* workspace and draft as one tree, read-only, where there is a draft; else -1; owned */
	int below_fd;
	int scratch_fd; /* owned */
	int mounts_fd;	/* the sandbox's mount namespace, kept until after the answer; owned */
};

void outcome_init(struct outcome *o);
void outcome_finish(struct outcome *o);

/*
 * Runs the call to its end. 0 when the outcome says how it ended (launch failures included); -errno
 * only when the supervisor itself cannot go on (the jail is dead then, too).
 */
int
supervise_run(const struct supervise_request *req, struct outcome *ret, struct err *err) must_check;

#endif
