/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the cgroup_*.c files share: small reads and writes on cgroup directories (fixed buffers, no
 * allocation, async-signal-safe), and the facts of /proc/self/mountinfo and /proc/self/cgroup.
 * Input is the kernel's own text.
 */
#ifndef AIRLOCK_SUPERVISE_CGROUP_INTERNAL_H
#define AIRLOCK_SUPERVISE_CGROUP_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cgroup.h"

#define CGROUP_PARENT "airlock"
#define CGROUP_TEXT_MAX 8192 /* memory.stat of v1 with every total_ line has about 2 kB */
#define CGROUP_CPU_PERIOD_US 100000u

/* The whole file as text, NUL-terminated; the length or -errno (-EFBIG when it does not fit). */
int cgroup_file_read(int dirfd, const char *name, char *text, size_t size) must_check;
int cgroup_file_write(int dirfd, const char *name, const char *text) must_check;
/* A file that is one number; "max" and negative are UINT64_MAX. -EBADMSG for anything else. */
int cgroup_file_u64(int dirfd, const char *name, uint64_t *ret) must_check;
/* The number behind "key " at the start of a line; false when there is none. */
bool cgroup_text_u64(const char *text, const char *key, uint64_t *ret);
/* A directory by path, O_PATH would not do: it is read and given to clone3. */
int cgroup_dir_open(int dirfd, const char *path) must_check;

/* What a group's directory says about itself (cgroup_usage.c). */
bool cgroup_dir_empty(int dirfd, enum cgroup_version version);
int cgroup_dir_kill(int dirfd, enum cgroup_version version) must_check;

/* The identity behind a group's name: this process, this boot, this pid namespace (cgroup.c). */
struct cgroup_owner {
	uint32_t boot;
	uint64_t pidns;
	pid_t pid;
	uint64_t start;
};
/* -ESRCH when pid is not there. */
int cgroup_owner_of(pid_t pid, struct cgroup_owner *ret) must_check;

/* ---- cgroup_enter.c ----------------------------------------------------------------------- */

/*
 * In text (a mountinfo): the mount at mount_point, or, with NULL, the first one of type cgroup2.
 * Both results are heap strings, octal escapes undone. -ENOENT when there is none.
 */
int cgroup_mount_find(const char *text, const char *mount_point, char **ret_point,
		      char **ret_root) must_check;
/* The v2 line of a /proc/PID/cgroup: a heap string. -ENOENT. */
int cgroup_own_v2(const char *text, char **ret_path) must_check;
/* Directory of group `path` under a mount at `point` that shows the hierarchy from `root` on.
 * -ENOENT when the group lies outside of it. */
int cgroup_path_join(const char *point, const char *root, const char *path,
		     char **ret_dir) must_check;
/*
 * dir_fd, at path dir, is a v2 group that may have controllers enabled below it: does so, makes the
 * parent in it, fills ret. Lack of a controller is `missing` with why; -errno only when out of
 * memory.
 */
int cgroup_v2_prepare(int dir_fd, const char *dir, struct cgroup_site *ret) must_check;
/* Sets why once, the first reason wins. */
int cgroup_site_because(struct cgroup_site *site, const char *fmt, ...)
	__attribute__((format(printf, 2, 3))) must_check;
/* All strings "", nothing usable. */
int cgroup_site_init(struct cgroup_site *site) must_check;

#endif
