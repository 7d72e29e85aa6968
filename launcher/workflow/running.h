/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that are under way: $STATE/running/<call>, a small text file that its front holds locked
 * (flock, exclusive) from before the call is admitted until its outcome is durable and counted, and
 * then removes. One that nobody holds is of a front that died. docs/formats.md, "Running calls".
 */
#ifndef AIRLOCK_WORKFLOW_RUNNING_H
#define AIRLOCK_WORKFLOW_RUNNING_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/text.h"
#include "ledger.h"

#define RUNNING_DIR "running"
#define RUNNING_LEASE_SIZE 1105 /* a bundle and 16 items: names of 64 bytes */

/*
 * How a front is told by another process of the same user; the values are the kernel's, because
 * libraries differ in how many of them they keep for themselves. Blocked, and read by signalfd(2),
 * before the file is there. What stands behind the signal is its sigqueue(3) value, enum
 * running_by.
 */
#define RUNNING_SIGNAL_KILL 40	 /* end the call now: SIGKILL, without a grace */
#define RUNNING_SIGNAL_FREEZE 41 /* stop its processes where they are; its clock stops, too */
/*
 * Sent as FREEZE, with this in its value: signals of one number come in the order in which they
 * were sent, those of two by their numbers.
 */
#define RUNNING_THAW_FLAG 0x100
#define RUNNING_SIGNAL_THAW (RUNNING_SIGNAL_FREEZE | RUNNING_THAW_FLAG)
/* In the same way: the workflow's budget or deadline is another one. */
#define RUNNING_LIMITS_FLAG 0x200
#define RUNNING_SIGNAL_LIMITS (RUNNING_SIGNAL_FREEZE | RUNNING_LIMITS_FLAG)
#define RUNNING_FLAGS (RUNNING_THAW_FLAG | RUNNING_LIMITS_FLAG)

/* Who ends, freezes or thaws a call; a value that is none of them is RUNNING_BY_NOBODY's. */
enum running_by {
#define RUNNING_BY(id, words) RUNNING_BY_##id,
#include "running_by.def"
#undef RUNNING_BY
	RUNNING_BY__COUNT
};

/* For "ended by ...". Any value that came with a signal; 0 where none did. */
const char *running_by_words(int value);

struct running_call {
	uint8_t call[16], workflow[16];
	char call_text[UUID_TEXT_SIZE];
	pid_t pid;	    /* of the front */
	uint64_t pid_start; /* its start time, proc_pid_stat(5) field 22: with pid one process */
	uint64_t t0_ms;
	uint64_t reserved[BUDGET__COUNT];
	char profile[65];    /* its name, cut */
	char cgroup[256];    /* path of the call's group below the hierarchy's root; "": none yet */
	char principal[129]; /* of the context, cut; "": none */
	uint8_t principal_digest[SHA256_SIZE]; /* of all of it; 0 where there is none */
	/*
	 * What it holds, or may be given, of credentials: the bundle and items of it, with a space
	 * between; "": none.
	 */
	char lease[RUNNING_LEASE_SIZE];
	/* the call whose lease it asks for, or has its resolver end: what is owed; "": none */
	char serves[UUID_TEXT_SIZE];
	bool is_frozen;	     /* its processes are stopped, and its clock */
	bool is_whole;	     /* set by who reads it: all that its front has written is here */
	bool is_alive;	     /* set by who reads it: its front holds it */
};

/* NULL or "": none. */
void running_set_principal(struct running_call *c, const char *name);
/* Whether it is that one's; all of the name counts, also of what is cut. */
bool running_is_principal(const struct running_call *c, const char *name) must_check;

/* -E2BIG, and then nothing is said, where they have no room; count 0: it has none. */
int running_set_lease(struct running_call *c, const char *bundle, const char *const items[],
		      size_t count) must_check;
/* Whether it has that item, or may have it: also one whose file is not whole. */
bool running_may_hold(const struct running_call *c, const char *bundle, const char *item)
	must_check;

/* pid and pid_start of the process that runs this. */
int running_self(struct running_call *c) must_check;

/*
 * Makes, locks and writes the file; the name appears when it is whole and locked. ret_fd holds it.
 */
int running_enter(const struct store *s, const struct running_call *c, int *ret_fd, struct err *err)
	must_check;
/* Writes it again, whole, when more is known. */
int running_update(int fd, const struct running_call *c) must_check;
/* Removes the file and closes *fd; nothing where *fd is -1. */
void running_leave(const struct store *s, const char *call_text, int *fd);

/*
 * Calls fn for every file, in no order, until it returns other than 0, which is returned. A file
 * that cannot be read is passed with what is known (call), never left out. 0 where there is none.
 * Files that never got their name, of fronts that died, are removed.
 */
int running_each(const struct store *s, int (*fn)(void *arg, const struct running_call *c),
		 void *arg, struct err *err) must_check;
/* Whether its front holds it: 1, 0 (also where there is none), or -errno: it may. */
int running_is_alive(const struct store *s, const char *call_text) must_check;
/*
 * The same of one call. -ENOENT where it is not under way, or has ended meanwhile; where the file
 * cannot be opened, -errno, and what is known.
 */
int running_look(const struct store *s, const char *call_text, struct running_call *ret) must_check;
/* Whether there is one that nobody holds: a front died, `airlock recover` has to look. */
bool running_has_dead(const struct store *s);
/*
 * Waits until nobody holds it, for timeout_ms (0: for ever), or until wake_fd (-1: none) is
 * readable. 0, -ENOENT, -ETIMEDOUT, -EINTR, -errno.
 */
int running_wait(const struct store *s, const char *call_text, uint64_t timeout_ms, int wake_fd)
	must_check;
/*
 * Signals the front of a living call, and nobody else, whatever the file says; one that is stopped
 * (a suspended job) goes on to take a kill. -ESRCH when it has ended, or cannot be seen from here
 * (another pid namespace).
 */
int running_signal(const struct store *s, const struct running_call *c, int signal,
		   enum running_by by) must_check;

#endif
