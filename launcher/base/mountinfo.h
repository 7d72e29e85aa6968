/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proc_pid_mountinfo(5), parsed. Used on our own namespace to find mounts below a path, and on a
 * sandbox's to compare what stands with what was planned. The kernel's octal escapes are undone.
 */
#ifndef AIRLOCK_BASE_MOUNTINFO_H
#define AIRLOCK_BASE_MOUNTINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cleanup.h"

struct mount_entry {
	uint64_t id;		/* what statx(2) calls stx_mnt_id */
	const char *point, *fs; /* point: absolute, unescaped */
	const char *root;	/* the directory of its file system that it shows, unescaped */
	uint64_t device;	/* st_dev of what is mounted */
	bool ro, nosuid, nodev, noexec; /* of the mount, not of the file system below it */
};

struct mount_table {
	struct mount_entry *items; /* in the file's order */
	size_t count;
	char *text; /* owns the strings */
};

#define MOUNT_TABLE_INIT { .items = NULL, .count = 0, .text = NULL }
#define auto_mount_table __attribute__((cleanup(mount_table_finish))) struct mount_table

/*
 * path: "/proc/self/mountinfo" or another process's. -EBADMSG for a line that is not as documented.
 */
int mount_table_read(const char *path, struct mount_table *ret) must_check;
/* The kernel's octal escapes of a field of such a line, undone in place. */
void mount_unescape(char *text);
void mount_table_finish(struct mount_table *t);
/* Is there a mount strictly below path? Returns its point, or NULL. */
const char *mount_table_below(const struct mount_table *t, const char *path);

#endif
