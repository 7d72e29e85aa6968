/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by supervise.c (the loop), supervise_jail.c (messages), supervise_watch.c (limits that
 * need a look).
 */
#ifndef AIRLOCK_SUPERVISE_INTERNAL_H
#define AIRLOCK_SUPERVISE_INTERNAL_H

#include <sys/types.h>

#include "attest.h"
#include "supervise.h"

/*
 * Legal moves: STARTING -> WAITING_EXEC (GO was said) -> RUNNING (exec worked) -> ENDING (killed,
 * or the tool ended) -> DEAD. Each state may also go to ENDING directly.
 */
enum run_state { RUN_STARTING, RUN_WAITING_EXEC, RUN_RUNNING, RUN_ENDING, RUN_DEAD, RUN__COUNT };

struct run {
	const struct supervise_request *req;
	struct outcome *out;
	enum run_state state;
	int listener_fd, proc_fd, oom_fd;
	struct attest_request attest; /* filled as its parts come in */
	struct report report;
	bool mounts_attested, init_ready, tool_ready; /* GO needs all three */
	bool has_terminal;   /* JAIL_TERMINAL came */
	short oom_events;
	pid_t tool_pid;
	bool ended;          /* JAIL_ENDED came */
	int wait_status;
	bool decided;        /* the verdict is ours, not the tool's */
	uint64_t go_ns, deadline_ns, next_watch_ns;
	uint64_t end_ms;	 /* as in the request, or what was said since */
	unsigned int limits_due; /* how often limits is still asked; 0: nothing is new */
	const char *wall_text;	 /* why deadline_ns ends it */
	uint64_t frozen_at_ns; /* 0: it is not frozen; never so from RUN_ENDING on */
	uint64_t frozen_ns;    /* since GO, without what began at frozen_at_ns */
	uint64_t watched_memory_peak, watched_cpu_ms;
	/* of the on-disk upper's file system at GO; 0: not looked yet */
	uint64_t disk_free_bytes, disk_free_inodes, next_walk_ns;
};

/* Ends the call with our verdict; the first reason stays. */
void run_end(struct run *r, enum verdict verdict, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A launch that cannot go on: the verdict and its event. code: an errno, 0 for none. */
void run_refuse(struct run *r, const char *what, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Ends the call at a limit: the verdict, its reason "name: text" and one event. */
void run_limit(struct run *r, enum verdict verdict, enum profile_key_id key, const char *text);
/* The same for a call that has ended, where nothing decided before. */
void run_judge_limit(struct run *r, enum profile_key_id key, const char *text);
/* The event alone: the call goes on. */
void run_note_limit(struct run *r, enum profile_key_id key, const char *text);
/* What waits for GO may have it now. */
void run_say_go(struct run *r);
/* One message of PID 1's or PID 2's socket; -errno when the socket is at its end. */
int run_read_status(struct run *r);
int run_read_tool(struct run *r);
/* Answers one seccomp notification. */
void run_answer_notification(struct run *r);
/* Ends a call whose lease's end or, unless it is frozen, workflow's deadline has come; whether. */
bool run_end_late(struct run *r);
/* Other limits were set: run_watch asks for them. */
void run_ask_limits(struct run *r);
/* Looks at what no event tells: cpu time, disk, memory without a cgroup. */
void run_watch(struct run *r);
void run_collect_usage(struct run *r);

#endif
