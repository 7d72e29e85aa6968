/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filesystem.write -> bind rows. Run by the front. The one place where a tool writes to the host
 * and nobody looks at it before it counts, so what such a directory may be is narrow, and the jail
 * compares the inode that was judged here with the one that it mounts.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "plan_build_internal.h"

static int
refuse(const struct rule_path *rule, struct err *err, int code, const char *why)
{
	return err_set(err, code, "%s: filesystem.write %s: %s", rule->origin, rule->path, why);
}

static int
check_place(const struct plan_builder *b, const struct rule_path *rule, struct err *err)
{
	const struct request *r = b->request;
	const char *path = rule->path;
	auto_free char *home = realpath(r->identity.home, NULL);

	if (plan_covers(r->workspace, path) || plan_covers(path, r->workspace)) {
		return refuse(rule, err, -EINVAL,
			      "it lies in the workspace or contains it, where changes are checked "
			      "before they count");
	}
	if (plan_covers(path, home != NULL ? home : r->identity.home)) {
		return refuse(rule, err, -EINVAL,
			      "it is the home directory or contains it, with its credentials");
	}
	if (mount_table_below(&b->mounts, path) != NULL) {
		return refuse(rule, err, -EBUSY, "something is mounted in it; unmount that");
	}
	return 0;
}

static int
check_inode(const struct plan_builder *b, const struct rule_path *rule, const struct stat *st,
	    struct err *err)
{
	if (!S_ISDIR(st->st_mode)) {
		return refuse(rule, err, -ENOTDIR, "not a directory");
	}
	if (st->st_uid != b->request->identity.uid_outside) {
		return refuse(rule, err, -EPERM,
			      "it does not belong to the user that the tool runs as");
	}
	if ((st->st_mode & S_IWOTH) != 0) {
		return refuse(rule, err, -EPERM,
			      "others can write it; run: chmod o-w on it, or choose another");
	}
	return 0;
}

static int
add_one(struct plan_builder *b, const struct rule_path *rule, struct err *err)
{
	/* what is written there cannot be held: propose is not enough for it */
	struct plan_mount row = { .kind = MOUNT_BIND,
				  .flags = MOUNT_NOEXEC |
					   (b->request->mode == MODE_APPLY ? MOUNT_WRITABLE : 0),
				  .target = rule->path,
				  .source = rule->path };
	auto_fd root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_fd fd = -1;
	struct stat st;
	size_t link = 0;
	int rc = check_place(b, rule, err);

	if (rc < 0) {
		return rc;
	}
	fd = plan_open_plain(root, rule->path + 1, &st, &link);
	if (fd == -ELOOP) {
		return err_set(err, fd,
			       "%s: filesystem.write %s: /%.*s is a link; name the directory "
			       "itself",
			       rule->origin, rule->path, (int)link, rule->path + 1);
	}
	if (fd < 0) {
		return err_sys(err, fd, "%s: filesystem.write %s", rule->origin, rule->path);
	}
	rc = check_inode(b, rule, &st, err);
	if (rc < 0) {
		return rc;
	}
	row.device = st.st_dev;
	row.inode = st.st_ino;
	return plan_row(b, row);
}

int
plan_add_writes(struct plan_builder *b, struct err *err)
{
	const struct rule_paths *write = &b->profile->write;
	int rc = 0;

	/*
	 * Through an id map the tool's files would be root's on the host, set-id bits and all, and
	 * nothing checks them there.
	 */
	if (write->count > 0 && b->request->identity.kind == IDENTITY_RANGE) {
		return refuse(&write->items[0], err, -EPERM,
			      "what the tool leaves there would belong to root; start airlock as a "
			      "user, or with a user's workspace");
	}
	for (size_t i = 0; rc == 0 && i < write->count; i++) {
		rc = add_one(b, &write->items[i], err);
	}
	return rc < 0 && err->code == 0 ? err_sys(err, rc, "filesystem.write") : rc;
}
