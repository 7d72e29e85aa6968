/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the caller asks for, after every option was checked: the second input of the plan. Made by
 * the front (cli/front_options.c, front_workspace.c, front_identity.c), const from then on. Strings
 * are borrowed from argv, the environment or the front's arena and live as long as the call.
 */
#ifndef AIRLOCK_PLAN_REQUEST_H
#define AIRLOCK_PLAN_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../profile/profile.h"

/* Says where CREDENTIALS_INSIDE is, as in systemd.exec(5). */
#define CREDENTIALS_VARIABLE "CREDENTIALS_DIRECTORY"

/* The program that shows what a sandbox can see, and where it is when COMMAND is its name. */
#define INSPECTOR "airlock-inspect"
#define INSPECTOR_INSIDE "/.airlock/" INSPECTOR

struct plan_credential;
struct plan_layer;
struct toolchains;
struct worktree;

/* The directory behind a cache of the profile. */
struct request_cache {
	const char *source; /* absolute, no links */
	uint64_t dev, ino;
};

/* Who the tool is; decided from uid_map, euid and the workspace's owner. */
enum identity_kind {
	IDENTITY_PLAIN, /* one id of the caller's (or of the owner it became); maps itself */
	/* root with a workspace of root's: a powerless host id, maps written from outside */
	IDENTITY_RANGE,
	IDENTITY__COUNT
};

struct identity {
	enum identity_kind kind;
	bool dropped;                 /* was root and became the workspace's owner */
	uid_t uid_inside, uid_outside;
	gid_t gid_inside, gid_outside;
	uid_t owner_uid;              /* of what gets committed */
	gid_t owner_gid;
	/* this user namespace does not map the host's root: its files show as 65534 */
	bool root_unmapped;
	const char *user, *home, *shell; /* absolute home */
	/* supplementary groups that stay, ascending; as seen inside */
	const uint32_t *groups;
	size_t group_count;
};

struct request {
	uint8_t call[16];
	char call_text[37];
	const char *const *argv; /* COMMAND and its arguments */
	size_t argc;
	const char *exe;       /* absolute path of the program inside, "" until looked up */
	const char *cwd;       /* absolute, in the workspace */
	const char *workspace; /* absolute, no links */
	int workspace_fd;
	uint64_t workspace_dev, workspace_ino;
	int64_t workspace_btime_ns;
	bool snapshot;         /* workspace_fd is a copy, made for the call */
	const char *lower_dir; /* what the tool sees of it: itself, or the call's copy */
	uint64_t lower_dev, lower_ino;
	const char *const *envp; /* complete environment of the tool: NAME=VALUE */
	size_t envc;
	enum mode mode;
	struct limits limits;  /* the profile's, narrowed by --limit */
	const char *key;       /* NULL when there is none */
	const char *context;   /* checked JSON object, NULL when there is none */
	/* held change sets of the workflow, oldest first (plan.h); NULL and 0: none */
	const char *draft_dir;
	const struct plan_layer *layers;
	size_t layer_count;
	bool draft_clone;      /* a detached clone of draft_dir is handed to the jail */
	const char *upper_dir; /* on-disk upper, "" for the tmpfs */
	uint64_t upper_dev, upper_ino;
	bool upper_clone;      /* a detached clone of upper_dir is handed to the jail */
	/* DEGRADE_*: layers missing here that the profile allows to be missing */
	uint32_t degraded;
	int landlock_abi;      /* 0 when degraded */
	bool terminal;         /* the tool gets one of the sandbox's own */
	bool workspace_clone;  /* a detached clone of the workspace is handed to the jail */
	/* as the profile's caches; NULL: nothing was made, it is only asked what would be */
	const struct request_cache *caches;
	const struct toolchains *toolchains; /* what is shown of them; NULL: none */
	const struct plan_credential *credentials; /* what the call has a lease for */
	size_t credential_count;
	const char *inspector; /* airlock's own, absolute; NULL: COMMAND is something else */
	const struct worktree *worktree;     /* the workspace's repository outside; NULL: none */
	struct identity identity;
};

#endif
