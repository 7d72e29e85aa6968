/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front, as root, before the drop; paths come from our own site, never from the owner.
 */
#include "cgroup_delegate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"

/*
 * cgroups(7), "Cgroups delegation": the directory and these files of v2, and no limit file. On v1
 * the directory alone: its `tasks` would let the owner move any process of his into it.
 */
static const char *const given_away[] = { "", "cgroup.procs", "cgroup.threads",
					  "cgroup.subtree_control" };

static int
give(const char *dir, bool is_v2, uid_t uid, gid_t gid, struct err *err)
{
	size_t files = is_v2 ? ARRAY_LEN(given_away) : 1;
	auto_fd fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0) {
		return err_sys(err, -errno, "%s", dir);
	}
	for (size_t i = 0; i < files; i++) {
		const char *name = given_away[i];
		int flags = AT_SYMLINK_NOFOLLOW | (name[0] == '\0' ? AT_EMPTY_PATH : 0);

		if (fchownat(fd, name, uid, gid, flags) < 0) {
			return err_sys(err, -errno, "hand %s/%s to uid %u", dir, name, uid);
		}
	}
	return 0;
}

static int
make_child(char **parent, bool is_v2, uid_t uid, gid_t gid, struct err *err)
{
	size_t size = strlen(*parent) + 16;
	auto_free char *child = malloc(size);
	int rc;

	if (child == NULL) {
		return err_set(err, -ENOMEM, "out of memory");
	}
	snprintf(child, size, "%s/u%u", *parent, uid);
	if (mkdir(child, 0755) < 0 && errno != EEXIST) {
		return err_sys(err, -errno, "make %s", child);
	}
	rc = give(child, is_v2, uid, gid, err);
	if (rc == 0) {
		free(*parent);
		*parent = take_ptr(child);
	}
	return rc;
}

/* For every front that acts for this owner: a leaf may hold many. */
static int
enter_leaf(const char *parent, uid_t uid, gid_t gid, struct err *err)
{
	char leaf[4096], procs[4096 + 16];
	auto_fd fd = -1;
	int rc;

	snprintf(leaf, sizeof(leaf), "%s/supervisor", parent);
	if (mkdir(leaf, 0755) < 0 && errno != EEXIST) {
		return err_sys(err, -errno, "make %s", leaf);
	}
	rc = give(leaf, true, uid, gid, err);
	if (rc < 0) {
		return rc;
	}
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", leaf);
	fd = open(procs, O_WRONLY | O_CLOEXEC);
	rc = fd < 0 ? -errno : fdio_write(fd, "0", 1);
	return rc < 0 ? err_sys(err, rc, "move into %s", leaf) : 0;
}

/*
 * v2: a process may be put into a group only by who may write the groups' common ancestor. Above
 * the new parent that stays root's: who may write the cgroup.procs of a group may take, freeze and
 * kill what runs below it. So this process moves below the new parent, too, which also has to pass
 * the controllers on.
 */
static int
open_v2(const struct cgroup_site *site, uid_t uid, gid_t gid, struct err *err)
{
	const char *parent = site->parent[CTL_MEMORY];
	char control[4096];
	auto_fd fd = -1;
	int rc;

	snprintf(control, sizeof(control), "%s/cgroup.subtree_control", parent);
	fd = open(control, O_WRONLY | O_CLOEXEC);
	/* Only a site that misses nothing is handed on, so all three are there. */
	rc = fd < 0 ? -errno : fdio_write(fd, "+memory +pids +cpu", 18);
	return rc < 0 ? err_sys(err, rc, "%s", control) : enter_leaf(parent, uid, gid, err);
}

int
cgroup_delegate(struct cgroup_site *site, uid_t uid, gid_t gid, struct err *err)
{
	int rc = 0;

	for (int ctl = 0; rc == 0 && ctl < CTL__COUNT; ctl++) {
		if (site->parent[ctl] == NULL || site->parent[ctl][0] == '\0') {
			continue;
		}
		rc = make_child(&site->parent[ctl], site->version == CGROUP_V2, uid, gid, err);
		if (rc == 0 && site->version == CGROUP_V2) {
			return open_v2(site, uid, gid, err);
		}
	}
	return rc;
}
