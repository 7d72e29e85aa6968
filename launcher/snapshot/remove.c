/* SPDX-License-Identifier: Apache-2.0 */
/* Run by the front after the answer; trusts nothing of what it removes. */
#include "remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "fsat.h"

/*
 * Overlayfs leaves directories of mode 000, tools some of 555. Chmod what was opened, not what the
 * name says now.
 */
static int
open_dir(int parent, const char *name)
{
	auto_fd plain = fsat_open(parent, name, O_PATH | O_DIRECTORY);
	struct fs_stat st;
	int rc = plain < 0 ? plain : fsat_stat(plain, "", &st);

	if (rc == 0 && (st.mode & 0700) != 0700) {
		rc = fsat_chmod(plain, 0700);
	}
	return rc < 0 ? rc : fsat_open(parent, name, O_RDONLY | O_DIRECTORY);
}

/*
 * Up into root, under a name that no earlier, interrupted removal left there. A directory must be
 * ours to write for that: its ".." changes.
 */
static int
move_up(int parent, const char *name, int root, unsigned long *serial)
{
	auto_fd usable = open_dir(parent, name);
	char moved[64];

	if (usable < 0) {
		return usable;
	}
	do {
		snprintf(moved, sizeof(moved), ".airlock-remove-%lu", (*serial)++);
		if (renameat(parent, name, root, moved) == 0) {
			return 0;
		}
	} while (errno == ENOTEMPTY || errno == EEXIST);
	return -errno;
}

/*
 * One descriptor at a time: a subdirectory is emptied by moving its own subdirectories up into
 * `root` first, so neither the stack nor the descriptors grow with the depth of a hostile tree.
 */
static int
empty_dir(int root, int dir_fd, unsigned long *serial)
{
	DIR *dir = fdopendir(dir_fd);
	int first = 0;

	if (dir == NULL) {
		close(dir_fd);
		return -errno;
	}
	for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
		int rc;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    unlinkat(dirfd(dir), e->d_name, 0) == 0 ||
		    unlinkat(dirfd(dir), e->d_name, AT_REMOVEDIR) == 0) {
			continue;
		}
		rc = move_up(dirfd(dir), e->d_name, root, serial);
		if (rc < 0 && first == 0) {
			first = rc;
		}
	}
	closedir(dir);
	return first;
}

/*
 * One pass over root: empties each subdirectory by one level and removes it. Returns how many are
 * left to do.
 */
static int
sweep_once(int root, unsigned long *serial, int *first)
{
	int again = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = again < 0 ? NULL : fdopendir(again);
	int left = 0;

	if (dir == NULL) {
		return 0;
	}
	for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
		int sub, rc;

		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
		    unlinkat(root, e->d_name, 0) == 0 ||
		    unlinkat(root, e->d_name, AT_REMOVEDIR) == 0) {
			continue;
		}
		sub = open_dir(root, e->d_name);
		rc = sub < 0 ? sub : empty_dir(root, sub, serial);
		if (rc == 0 && unlinkat(root, e->d_name, AT_REMOVEDIR) < 0) {
			rc = -errno;
		}
		if (rc < 0 && *first == 0) {
			*first = rc;
		}
		left++;
	}
	closedir(dir);
	return left;
}

int
remove_content(int dir_fd)
{
	unsigned long serial = 0;
	int first = 0;

	while (first == 0 && sweep_once(dir_fd, &serial, &first) > 0) {
	}
	return first;
}

int
remove_tree(int parent_fd, const char *name)
{
	auto_fd root = open_dir(parent_fd, name);
	int first;

	if (root < 0) {
		return root == -ENOENT ? 0 : root;
	}
	first = remove_content(root);
	if (unlinkat(parent_fd, name, AT_REMOVEDIR) < 0 && first == 0) {
		first = -errno;
	}
	return first;
}
