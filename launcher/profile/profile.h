/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile after all reading is done: frozen, flat, complete (every key has its effective value).
 * Made by airlock-cli from YAML (profile_load, libfyaml); the front only decodes the cached bytes
 * (profile_decode) and never sees YAML. Trusts: the bytes come from a cache file that the caller
 * owns.
 */
#ifndef AIRLOCK_PROFILE_PROFILE_H
#define AIRLOCK_PROFILE_PROFILE_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"

enum mode { MODE_OBSERVE, MODE_PROPOSE, MODE_APPLY, MODE__COUNT }; /* from narrow to wide */
enum capture_inputs { CAPTURE_DIGESTS, CAPTURE_TOUCHED, CAPTURE_CONTENT, CAPTURE__COUNT };
enum retry { RETRY_SAFE, RETRY_ASK, RETRY__COUNT };
enum on_leak {
	LEAK_REDACT, /* "[redacted:ITEM]" passes in its place */
	LEAK_STOP,   /* what was before it passes, and nothing more; the call ends */
	ON_LEAK__COUNT
};
enum on_failure { ON_FAILURE_CONTINUE, ON_FAILURE_ASK, ON_FAILURE_STOP, ON_FAILURE__COUNT };
enum workspace_kind { WORKSPACE_SHARED, WORKSPACE_SNAPSHOT, WORKSPACE__COUNT };
enum observe_writes { OBSERVE_DISCARD, OBSERVE_REFUSE, OBSERVE__COUNT };

/* One bit per row of layers.def: what `allow_degraded` may name. */
#define DEGRADE_CGROUP_MEMORY (1u << 0)
#define DEGRADE_CGROUP_PIDS (1u << 1)
#define DEGRADE_CGROUP_CPU (1u << 2)
#define DEGRADE_CGROUP (DEGRADE_CGROUP_MEMORY | DEGRADE_CGROUP_PIDS | DEGRADE_CGROUP_CPU)
#define DEGRADE_LANDLOCK (1u << 3)
#define DEGRADE_NOTIFY (1u << 4)

/* One bit per row of toolchains.def: what `toolchains` may name. */
enum toolchain {
#define TOOLCHAIN(id, name, sentence) TOOLCHAIN_##id,
#include "toolchains.def"
	TOOLCHAIN__COUNT
};
#define TOOLCHAINS_ALL ((1u << TOOLCHAIN__COUNT) - 1)

#define EFFECT_READ (1u << 0)
#define EFFECT_WRITE_WORKSPACE (1u << 1)
#define EFFECT_WRITE_EXTERNAL (1u << 2)
#define EFFECT_IRREVERSIBLE (1u << 3)

/* Values of `limits`; a limit is always set (base.yaml gives each its default). */
struct limits {
	uint64_t memory_bytes;
	uint64_t pids;
	uint64_t cpu_percent; /* 100 = one CPU */
	uint64_t cpu_time_ms;
	uint64_t wall_ms;
	uint64_t disk_bytes;
	uint64_t files; /* inodes a call may create */
	uint64_t output_bytes;
	uint64_t open_files;
};

struct strings {
	const char **items; /* count entries, then NULL */
	size_t count;
};

/* A string list entry with the place of its rule, for denials and explain: "python.yaml:14". */
struct rule_path {
	const char *path;
	const char *origin;
};

struct rule_paths {
	const struct rule_path *items;
	size_t count;
};

#define CACHE_USER (1u << 0) /* shared by all workflows of the user; else a workflow's own */
#define CACHE_EXEC (1u << 1) /* what is in it may be executed */
#define CACHE_ALL (CACHE_USER | CACHE_EXEC)

/* A directory that is kept between calls, of filesystem.cache. */
struct profile_cache {
	const char *name; /* a file name */
	struct rule_path at;
	uint32_t flags; /* CACHE_* */
};

/* A bound of filesystem.hold_above. */
struct hold_bound {
	uint64_t most;	    /* UINT64_MAX: none */
	const char *origin; /* "python.yaml:14", "" where there is none */
};

/* A postcondition of done_when: holds when the command ends with that exit. */
struct profile_check {
	const char *name;
	const char *profile; /* a name or an absolute path; NULL: the calling profile */
	struct strings run;  /* at least one word */
	uint8_t exit;
	uint64_t wall_ms;    /* 0: the profile's own limit */
};

struct env_pair {
	const char *name, *value;
};

enum profile_key_id {
#define KEY(id, name, type, narrow, least, most, fallback, sentence) KEY_##id,
#include "keys.def"
#undef KEY
	KEY__COUNT
};

/* Who could grant more of a key than the profile does. */
/* the profile's own file: it has no parent, or that one opens the key */
#define RULE_WIDEN (1u << 0)
#define RULE_OPEN (1u << 1) /* a child of the profile */
#define RULE_OWN (1u << 2)  /* the value is written in the profile's own file */
#define RULE_ALL (RULE_WIDEN | RULE_OPEN | RULE_OWN)

/* Where the effective value of a key was written. */
struct profile_rule {
	const char *place; /* "python.yaml:14", "built-in" */
	uint32_t flags;    /* RULE_* */
};

struct profile {
	void *arena; /* owns every pointer below; freed by profile_destroy */
	const char *name, *description, *source; /* source: the file's absolute path */
	const char *owner_permissions, *owner_incidents; /* "" when absent */
	bool shipped;              /* came with airlock: who wants it wider extends it */
	struct profile_rule rules[KEY__COUNT];
	struct strings files;      /* every file that was read, source first; absolute */
	uint8_t digest[32];        /* SHA-256 of the effective canonical JSON */
	struct strings tool_run;   /* absolute paths; empty: any command */
	uint32_t effects;          /* EFFECT_* */
	enum mode mode;
	uint8_t success[32];       /* bitmap of exit codes 0..255 */
	struct rule_path *read;    /* absolute, normalised, sorted, no "~" left */
	size_t read_count;
	uint32_t toolchains;       /* 1u << TOOLCHAIN_* */
	struct rule_paths write;   /* absolute, sorted, no "~" left */
	struct profile_cache *caches; /* sorted by path */
	size_t cache_count;
	struct rule_paths hide;         /* workspace-relative, sorted */
	struct strings protect;    /* workspace-relative, in addition to the built-in list */
	struct hold_bound hold_files, hold_bytes;
	enum observe_writes observe_writes;
	enum workspace_kind workspace;
	bool loopback;
	bool git_identity, git_worktree;
	const char *git_name, *git_email; /* the caller's, "" when he has none */
	struct strings credentials; /* names of items of a bundle */
	enum on_leak on_leak;	    /* of a value that a tool writes */
	struct strings env_pass, env_accept;
	struct env_pair *env_set;
	size_t env_set_count;
	struct strings syscalls;   /* group names, "@default" … */
	struct limits limits;
	uint32_t allow_degraded;   /* DEGRADE_* */
	enum retry retry;
	enum on_failure on_failure;
	uint8_t retries;     /* on_failure.retries */
	uint32_t backoff_ms; /* before the first of them */
	struct profile_check *checks; /* in the order in which they are tried */
	size_t check_count;
	enum capture_inputs capture_inputs;
	uint64_t capture_file_size;    /* bytes; contents of larger files are not kept */
	uint64_t capture_stream[3];    /* bytes kept of stdin, stdout, stderr */
	struct strings capture_env;    /* names, or patterns, of variables whose values are kept */
	/* Compiled ahead from `syscalls` (plan/filter.h). */
	const struct sock_filter *filter;
	uint16_t filter_len;
	uint8_t filter_digest[32];
	/* The jail's own PID 1 filter. */
	const struct sock_filter *init_filter;
	uint16_t init_filter_len;
};

/*
 * The cache file (docs/formats.md, "Compiled profile"): magic "ALPC", version, airlock version,
 * kernel release, the list of every file that was read or found absent on the way (path, dev, ino,
 * size, mtime, ctime), then the profile. Written by airlock-cli, read by the front.
 */
struct profile_dep {
	const char *path;
	bool present;
	uint64_t dev, ino, size;
	int64_t mtime_ns, ctime_ns;
};

/*
 * Check out with buf_error. p->filter and p->init_filter may be absent (length 0). airlock-cli
 * only.
 */
void profile_encode(const struct profile *p, const struct profile_dep *deps, size_t dep_count,
		    const char *kernel_release, struct buf *out);
/*
 * -ESTALE when the airlock version, the kernel or any dependency differs (each is stat'ed here);
 * -EBADMSG when the bytes are damaged. *ret_profile is owned by the caller.
 */
int profile_decode(const void *bytes, size_t len, const char *kernel_release,
		   struct profile **ret_profile, struct err *err) must_check;
void profile_destroy(struct profile *p);

#define PROFILE_PARENT "@parent" /* an entry of a list: all entries of the parent's */

/* Words by the values of their enums; "workflow" or "user" by CACHE_*. */
extern const char *const profile_mode_words[MODE__COUNT];
extern const char *const profile_capture_words[CAPTURE__COUNT];
extern const char *const profile_retry_words[RETRY__COUNT];
extern const char *const profile_leak_words[ON_LEAK__COUNT];
extern const char *const profile_on_failure_words[ON_FAILURE__COUNT];
extern const char *const profile_observe_words[OBSERVE__COUNT];
extern const char *const profile_workspace_words[WORKSPACE__COUNT];
const char *profile_cache_scope(uint32_t flags);

/* "limits.memory" */
const char *profile_key_name(enum profile_key_id id);
/*
 * Appends what a person can do who wants more than a key grants, as one sentence without its end:
 * `change` ("raise limits.pids (now 512)") in the file that may say so; `entry` is how the line
 * then reads ("limits: { pids: N }"). Pure; the front asks it for events and refusals.
 */
void profile_remedy(struct buf *b, const struct profile *p, enum profile_key_id id,
		    const char *change, const char *entry);
/* A text in double quotes, as YAML reads it. */
void profile_put_quoted(struct buf *b, const char *text);
/* profile_remedy for a list that lacks an entry. */
void profile_remedy_entry(struct buf *b, const struct profile *p, enum profile_key_id id,
			  const char *entry);

/*
 * Why a variable of that name never crosses into a sandbox (envnames.def), or NULL when it may.
 * Pure; the front asks it for every name of pass, accept, -e and --env-file.
 */
const char *profile_env_refused(const char *name);
/* Whether an entry of env_pass or env_accept names it; a trailing * stands for any rest. Pure. */
bool profile_env_matches(const struct strings *list, const char *name);

#endif
