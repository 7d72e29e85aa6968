/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside airlock-jail: what the stages share. The process starts inside its new namespaces with all
 * capabilities over its own user namespace and none over the host. It trusts its plan (sealed, from
 * the supervisor) and nothing else. The messages on the status socket are in jail_protocol.h.
 */
#ifndef AIRLOCK_JAIL_JAIL_H
#define AIRLOCK_JAIL_JAIL_H

#include <sys/types.h>

#include "../base/err.h"
#include "../plan/plan.h"
#include "jail_protocol.h"

struct jail {
	const struct plan *plan;
	int channel;   /* JAIL_FD_STATUS in PID 1, JAIL_FD_TOOL in PID 2 */
	int host_root; /* O_PATH of the host's root, until the mounts stand */
	int root;      /* O_PATH of the new root */
	int scratch;   /* the call's tmpfs, attached at STAGING "/scratch" */
	int empty;     /* in `scratch`: the second lower of read-only overlays */
	int parent;    /* the directory of the last row, `parent_path`; -1 when none is kept */
	char parent_path[256];
	unsigned int layer_attrs;
	int layer;     /* the last LAYER, attached at STAGING "/layer" */
	int upper;     /* the overlay's upper directory, -1 when the workspace is read-only */
	int below;     /* workspace and layers as one detached, read-only tree; -1 without layers */
	int proc;      /* the new /proc */
	int null;      /* O_PATH of the verified /dev/null, for masks */
	int listener;  /* seccomp notifications, -1 when there are none */
	const char **envp;    /* the plan's and, after `credentials`, the leased variables */
	struct report report; /* what was read back inside */
	/*
	 * Room for any message from the start: after the filters stand, nobody here may call
	 * malloc.
	 */
	struct buf message;
	struct err err;
};

/* Where mounts wait during set-up; it is gone before the root becomes read-only. */
#define STAGING ".airlock-setup"

#define X(name, process, should, must_not) int stage_##name(struct jail *j) must_check;
#include "stages.def"
#undef X

/*
 * Helpers of the mounts stage. All take paths below the new root, resolved with RESOLVE_IN_ROOT and
 * no links.
 */
/* the fd of the last one */
int jail_make_dirs(struct jail *j, const char *target, mode_t mode) must_check;
int jail_make_parent(struct jail *j, const char *target, const char **ret_name) must_check;
int jail_open_inside(struct jail *j, const char *target, int flags) must_check;
int jail_open_host(struct jail *j, const char *source, int flags) must_check;
/* -ESTALE unless it is the inode of the row. */
int jail_check_inode(struct jail *j, int fd, const struct plan_mount *m) must_check;
/* A detached mount of what fd is, and of nothing below it. attrs: MOUNT_ATTR_*. */
int jail_clone(int fd, uint64_t attrs) must_check;
int jail_attach(struct jail *j, int mount_fd, const char *target, mode_t mode, int is_dir)
	must_check;
/* A read-only overlay of one directory: the detached mount. */
int jail_overlay_ro(struct jail *j, int lower_fd, const struct plan_mount *m) must_check;
int jail_context_error(struct jail *j, int fs_fd, int code, const char *what);
unsigned int jail_mount_attrs(const struct plan_mount *m);

/* One function per kind of row; mounts_special.c has those that are not plain files. */
int mount_tree(struct jail *j, const struct plan_mount *m) must_check;
int mount_layer(struct jail *j, const struct plan_mount *m) must_check;
int mount_part(struct jail *j, const struct plan_mount *m) must_check;
int mount_workspace(struct jail *j, const struct plan_mount *m) must_check;
int mount_scratch(struct jail *j, const struct plan_mount *m) must_check;
int mount_proc(struct jail *j, const struct plan_mount *m) must_check;
int mount_node(struct jail *j, const struct plan_mount *m) must_check;
int mount_pts(struct jail *j, const struct plan_mount *m) must_check;
int mount_mask_file(struct jail *j, const struct plan_mount *m) must_check;
int mount_mask_dir(struct jail *j, const struct plan_mount *m) must_check;
int mount_hidden(struct jail *j, const struct plan_mount *m) must_check;
int mount_bind(struct jail *j, const struct plan_mount *m) must_check;
int mount_readonly(struct jail *j, const struct plan_mount *m) must_check;
int mount_credentials(struct jail *j, const struct plan_mount *m) must_check;
/* PID 1 keeps none of the pipes that its plan names: the tool's must end with the tool. */
void credentials_leave(const struct plan *p);

/*
 * PID 1 after the fork: drops everything, loads its own filter, forwards signals, reaps, reports.
 * No return.
 */
void init_run(struct jail *j, pid_t tool) __attribute__((noreturn));

#endif
