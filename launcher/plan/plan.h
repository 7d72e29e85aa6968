/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan: the complete, flat, frozen description of one sandbox. Made by the front from a profile
 * and a request (plan_build.h), handed to the jail as bytes in a sealed memfd, and used by the
 * supervisor to judge what the jail reports. Nothing is decided after it. No pointer crosses:
 * fields are written one by one. plan_decode trusts nothing: lengths are checked, counts are
 * capped, an unknown version is refused.
 */
#ifndef AIRLOCK_PLAN_PLAN_H
#define AIRLOCK_PLAN_PLAN_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/limits.h"

#define PLAN_MAGIC 0x4e4c5041u /* "APLN" */
#define PLAN_VERSION 3u

#define PLAN_MAP_SELF (1u << 0)      /* the jail writes its own id maps (a plain user, one id) */
#define PLAN_DROP_GROUPS (1u << 1)   /* supplementary groups can and must be cleared */
#define PLAN_LOOPBACK (1u << 2)      /* bring `lo` up */
#define PLAN_NOTIFY (1u << 3)        /* the filter has user notifications: pass the listener out */
#define PLAN_WORKSPACE_RO \
	(1u << 4) /* the workspace overlay is read-only (observe_writes: refuse) */
#define PLAN_WORKSPACE_FD (1u << 5)  /* JAIL_FD_WORKSPACE is a detached clone of the workspace */
#define PLAN_UPPER_FD (1u << 6)      /* JAIL_FD_UPPER is a detached clone of upper_dir */
#define PLAN_TERMINAL (1u << 7)      /* the tool gets a terminal of the sandbox's own */
#define PLAN_DRAFT_FD (1u << 8)      /* JAIL_FD_DRAFT is a detached clone of draft_dir */

/*
 * The jail is born with its stdio and two sockets. The plan comes as a message on the first of
 * them, and with it what only root could mount, which takes the numbers below.
 */
#define JAIL_FD_STATUS 3    /* PID 1 and the supervisor */
#define JAIL_FD_TOOL 4      /* PID 2 and the supervisor, until exec closes it */
#define JAIL_FD_WORKSPACE 5 /* with PLAN_WORKSPACE_FD only */
#define JAIL_FD_UPPER 6     /* with PLAN_UPPER_FD only, which comes with PLAN_WORKSPACE_FD */
/* with PLAN_DRAFT_FD only, which comes with PLAN_WORKSPACE_FD too: the next one */
#define JAIL_FD_DRAFT(flags) (JAIL_FD_UPPER + (((flags) & PLAN_UPPER_FD) != 0))
/* the values of plan.credentials, in their order, are the last ones before fd_first_free */
#define PLAN_CREDENTIALS_MAX 16

enum mount_kind {
#define X(id, name, fs) MOUNT_##id,
#include "mount_kinds.def"
#undef X
	MOUNT__COUNT
};

/*
 * Flags of a mount row. nosuid and nodev are not flags: they are everywhere (nodev but on NODE and
 * PTS).
 */
#define MOUNT_NOEXEC (1u << 0)
#define MOUNT_WRITABLE (1u << 1)

struct plan_mount {
	uint32_t kind, flags, mode;
	uint64_t device;    /* NODE: expected st_rdev; BIND, CACHE and TREE: st_dev */
	uint64_t inode;     /* BIND, CACHE: expected st_ino; TREE: the same, 0: any will do */
	const char *target; /* absolute, normalised, inside */
	const char *source; /* as the kind says */
	const uint8_t *data;
	size_t data_len;
};

/* One Landlock rule: what is allowed below path. */
struct plan_rule {
	const char *path;
	uint64_t access;
};

struct plan_rlimit {
	uint32_t resource;
	uint64_t soft, hard;
};

/*
 * A held change set that lies over the workspace: draft_dir/NAME/upper, NAME being PLACE/LAYER
 * (snapshot/layer.h).
 */
struct plan_layer {
	const char *name;
	uint64_t dev, ino; /* of `upper`, compared after opening */
};

/* How the value of a leased credential reaches the tool. */
enum plan_delivery {
	DELIVERY_FILE, /* a file of the CREDENTIALS row */
	DELIVERY_ENV,  /* a variable */
	DELIVERY_FD,   /* a descriptor to read it from once; the variable is its number */
	/*
	 * A socket in the CREDENTIALS row whose other side signs; the variable, which is also its
	 * name there, is its path. What comes is no pipe: it takes the listening socket.
	 */
	DELIVERY_SSH_AGENT,
	DELIVERY__COUNT
};

/*
 * One of them. The value is no part of the plan: it comes down a pipe that holds all of it, at most
 * this long.
 */
#define PLAN_CREDENTIAL_SIZE_MAX CAP_VALUE
struct plan_credential {
	uint32_t delivery;
	const char *name; /* of the file or the variable */
};

#define CREDENTIALS_INSIDE "/run/credentials" /* where the CREDENTIALS row is */

struct plan {
#define STR(name, doc) const char *name;
#define U32(name, doc) uint32_t name;
#define U64(name, doc) uint64_t name;
#include "plan_fields.def"
#undef STR
#undef U32
#undef U64
	const char **argv, **envp; /* counted, then NULL */
	size_t argc, envc;
	uint32_t *groups; /* supplementary groups that stay, ascending */
	size_t group_count;
	struct plan_layer *layers; /* oldest first: each lies over the ones before */
	size_t layer_count;
	struct plan_mount *mounts;
	size_t mount_count;
	struct plan_rule *rules;
	size_t rule_count;
	struct plan_rlimit *rlimits;
	size_t rlimit_count;
	struct plan_credential *credentials;
	size_t credential_count;
	const struct sock_filter *filter, *init_filter;
	uint16_t filter_len, init_filter_len;
};

void plan_encode(const struct plan *p, struct buf *out);
/*
 * Decodes bytes that must stay mapped as long as the plan is used. -EBADMSG when they are not
 * exactly one plan of this version, -ENOMEM. Free with plan_release.
 */
int plan_decode(const void *bytes, size_t len, struct plan *ret) must_check;
void plan_release(struct plan *p); /* the arrays that plan_decode made */
const char *plan_mount_kind_name(enum mount_kind kind);
const char *plan_mount_fs(enum mount_kind kind);

#endif
