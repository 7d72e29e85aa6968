/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by cmd_doctor.c (verb, verdict, output), cmd_doctor_try.c (children), cmd_doctor_host.c
 * (this process and its files) and cmd_doctor_layers.c (what a sandbox is made of). airlock-cli
 * only, as the caller.
 */
#ifndef AIRLOCK_CLI_CMD_DOCTOR_INTERNAL_H
#define AIRLOCK_CLI_CMD_DOCTOR_INTERNAL_H

#include <stdbool.h>
#include <sys/types.h>

#include "../base/buf.h"
#include "../supervise/around.h"
#include "../supervise/cgroup.h"
#include "cmd_profile.h"

enum doctor_status { DOCTOR_OK, DOCTOR_DEGRADED, DOCTOR_MISSING, DOCTOR_INFO, DOCTOR__COUNT };

struct finding {
	/* a probe says OK, MISSING or INFO; the verb turns MISSING into DEGRADED */
	enum doctor_status status;
	struct buf detail;         /* one line */
	struct buf fix;            /* lines; one that begins with two spaces is a command */
};

/* The question, and what the probes learned on their way. */
struct doctor {
	const char *profile;
	struct places places;
	bool is_root;              /* root over more than one id */
	bool is_host_root;         /* uid 0, and uid 0 outside as well */
	/* root, and the current directory is somebody else's: calls run as that owner */
	bool becomes;
	uid_t uid;                 /* as whom calls are started */
	gid_t gid;
	struct around around;
	bool profile_known;
	uint32_t allow_degraded;
	bool site_known;
	int site_code;
	struct cgroup_site site;
};

/* ---- trying, in a child ---------------------------------------------------------------------- */

#define TRY_AS_OWNER (1u << 0) /* with the ids of doctor.uid and .gid, as a call would be started */
#define TRY_NAMESPACES (1u << 1) /* as PID 1 of fresh namespaces, with an id of its own there */

/*
 * Runs act in a child that is killed after ten seconds and is always reaped. What act returns (0 or
 * -errno) and the text it put come back; ret_text holds a step's name when it failed. -ETIMEDOUT,
 * or -ECHILD when the child died.
 */
int doctor_try(const struct doctor *d, unsigned int how,
	       int (*act)(const struct doctor *d, struct buf *ret_text), struct buf *ret_text)
	must_check;

/* ---- what to do ------------------------------------------------------------------------------ */

/* First line of a kernel file, without its newline; "" when there is none. */
void doctor_sysctl(const char *path, char *ret_text, size_t size);
/* A system call that gives ENOSYS or EPERM because of somebody else's filter: who that can be. */
void doctor_fix_filter(const struct doctor *d, struct finding *ret, const char *call);
/* How to start the container around, if there is one. */
void doctor_fix_container(const struct doctor *d, struct finding *ret);

#define LAYER(name, probe, needs, degrade, what) void probe(struct doctor *d, struct finding *ret);
#include "doctor.def"
#undef LAYER

#endif
