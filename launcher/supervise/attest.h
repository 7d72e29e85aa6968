/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares what holds in a sandbox with its plan while PID 2 waits before exec: the jail's own
 * report, and what the kernel says from outside (status, namespaces, mountinfo, cgroup values). Any
 * difference is an error. Run by the supervisor; trusts the kernel, not the report (which is
 * checked against /proc where it can be).
 */
#ifndef AIRLOCK_SUPERVISE_ATTEST_H
#define AIRLOCK_SUPERVISE_ATTEST_H

#include <sys/types.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../jail/jail_protocol.h"
#include "../plan/plan.h"
#include "cgroup.h"

#define ATTEST_NAMESPACES 7

/* What is read before PID 2 is ready, so that nobody waits for it. */
struct attested_early {
	uint64_t mounts;
	uint8_t mounts_digest[32];
	uint64_t pts_device; /* st_dev of the sandbox's own devpts */
	uint64_t filters; /* seccomp filters on the supervisor itself */
	uint64_t ours[ATTEST_NAMESPACES], init[ATTEST_NAMESPACES];
	struct cgroup_values cgroup;
};

struct attest_request {
	const struct plan *plan;
	const struct report *report;
	pid_t init_pid, tool_pid; /* PID 1 and PID 2 as the host sees them */
	const struct cgroup *cgroup;
	const struct limits *limits;
	uint64_t shmem_bytes;     /* what cgroup_create was given */
	const uint8_t *filter_digest;
	int terminal_fd; /* PLAN_TERMINAL: the master that PID 2 handed over; else -1 */
	struct attested_early early;      /* filled by attest_early */
	uint64_t tool[ATTEST_NAMESPACES]; /* filled by attest */
};

/*
 * The first half, when PID 1 says that no mount changes any more, while PID 2 gives up its powers:
 * compares the mount table with the plan's rows and the group's values with the limits. PID 2 is
 * later shown to be in the same namespaces, without a capability. Needs all of req but report,
 * tool_pid.
 */
int attest_early(struct attest_request *req, struct err *err) must_check;

/* Decodes the payload of JAIL_READY (behind its first byte). -EBADMSG. */
int attest_read_report(const void *data, size_t len, struct report *ret) must_check;
/* PID 1 once it has given up its powers; after attest_early. -EPERM with the first difference. */
int attest_init(const struct attest_request *req, struct err *err) must_check;
/* PID 2, waiting before exec; after both. -EPERM with the first difference. */
int attest(struct attest_request *req, struct err *err) must_check;
/*
 * The half of it about the tool's terminal: the descriptor is a master of the sandbox's own devpts,
 * and its other end the controlling terminal of PID 2, which leads a session. Without PLAN_TERMINAL
 * there is nothing to look at.
 */
int attest_terminal(const struct attest_request *req, struct err *err) must_check;
struct json;
/* The record's `terminal`: null where there is none. */
void attest_terminal_json(const struct attest_request *req, struct json *j);
/* What held, as the record's attestation object (sorted, compact). */
int attest_json(const struct attest_request *req, struct buf *ret_json) must_check;

#endif
