/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two sockets between a jail and its supervisor: one for PID 1 (status), one for PID 2 (tool;
 * its EOF says that exec worked). SOCK_SEQPACKET, one message a datagram, the first byte says
 * which. Integers little endian (base/buf.h). The supervisor trusts no message: after exec the tool
 * cannot send any (the socket is CLOEXEC and PID 1 is non-dumpable), before exec only our code
 * runs.
 */
#ifndef AIRLOCK_JAIL_PROTOCOL_H
#define AIRLOCK_JAIL_PROTOCOL_H

#include <stdint.h>

enum jail_message {
	/* jail to supervisor */
	JAIL_FAILED = 1,  /* u8 stage, u32 errno, str text: the launch is over */
	/*
	 * fds: scratch, /proc, upper (when there is one), what is below it as one tree (when the
	 * plan has layers); no mount changes any more
	 */
	JAIL_MOUNTED,
	JAIL_INIT_READY,  /* PID 1 has given up its powers */
	JAIL_TERMINAL,    /* from PID 2, where planned; fd: the master of the tool's terminal */
	JAIL_LISTENER,    /* from PID 2, where planned; fd: the seccomp listener */
	JAIL_READY,       /* from PID 2: struct report */
	JAIL_ENDED,       /* u32 wait status of the tool */
	/* supervisor to jail */
	JAIL_PLAN,         /* the first of all; fd: the plan in a sealed memfd */
	JAIL_GO,          /* PID 2 may exec */
	JAIL_SIGNAL,      /* u8 signal for the tool's process group */
	/* u8 1: every process of the sandbox but PID 1 is stopped, and kept so; 0: they go on */
	JAIL_FREEZE,
};

#define JAIL_MESSAGE_MAX 4096

enum jail_stage {
#define X(name, process, should, must_not) STAGE_##name,
#include "stages.def"
#undef X
	STAGE__COUNT
};

#define REPORT_GROUPS_MAX 64
#define REPORT_RLIMITS_MAX 16

/* What PID 2 read back by system calls before its filter, and what PID 1 read of itself. */
struct report {
	uint64_t caps[5]; /* effective, permitted, inheritable, ambient, bounding */
	uint32_t no_new_privs, securebits, landlock_abi, uid[3], gid[3];
	uint32_t group_count, groups[REPORT_GROUPS_MAX];
	uint32_t rlimit_count;
	uint64_t soft[REPORT_RLIMITS_MAX], hard[REPORT_RLIMITS_MAX]; /* in the plan's order */
};

#endif
