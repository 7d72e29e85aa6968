/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by `make unit`: trees that a tool or overlayfs left, removed as their owner, who is not root.
 */
#include <criterion/criterion.h>

#include "../../../launcher/snapshot/remove.h"
#include "snapshot_world.h"

static int
gone(int dirfd, const char *name)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ? errno : 0;
}

Test(remove, nothing_there)
{
	struct world w;

	world_init(&w);
	cr_expect_eq(remove_tree(w.ws_fd, "none"), 0);
	world_finish(&w);
}

Test(remove, what_overlayfs_leaves)
{
	struct world w;

	world_init_plain(&w);
	world_dir(w.ws_fd, "call", 0700);
	world_dir(w.ws_fd, "call/work", 0700);
	world_dir(w.ws_fd, "call/work/work", 0700);
	world_dir(w.ws_fd, "call/work/work/incompat", 0700);
	world_dir(w.ws_fd, "call/work/work/incompat/volatile", 0700);
	world_file(w.ws_fd, "call/work/work/incompat/volatile/dirty", "", 0);
	cr_assert_eq(fchmodat(w.ws_fd, "call/work/work/incompat/volatile", 0, 0), 0);
	cr_assert_eq(fchmodat(w.ws_fd, "call/work/work/incompat", 0, 0), 0);
	cr_assert_eq(fchmodat(w.ws_fd, "call/work/work", 0, 0), 0);
	cr_expect_eq(gone(w.ws_fd, "call/work/work/incompat"), EACCES);
	cr_expect_eq(remove_tree(w.ws_fd, "call"), 0);
	cr_expect_eq(gone(w.ws_fd, "call"), ENOENT);
	world_finish(&w);
}

/* Go's module cache is like this. */
Test(remove, directories_that_cannot_be_written)
{
	struct world w;

	world_init_plain(&w);
	world_dir(w.ws_fd, "call", 0700);
	world_dir(w.ws_fd, "call/mod", 0700);
	world_dir(w.ws_fd, "call/mod/v1", 0700);
	world_file(w.ws_fd, "call/mod/v1/f", "x", 0444);
	cr_assert_eq(fchmodat(w.ws_fd, "call/mod/v1", 0555, 0), 0);
	cr_assert_eq(fchmodat(w.ws_fd, "call/mod", 0555, 0), 0);
	cr_assert_eq(fchmodat(w.ws_fd, "call", 0555, 0), 0);
	cr_expect_eq(unlinkat(w.ws_fd, "call/mod/v1/f", 0), -1);
	cr_expect_eq(remove_tree(w.ws_fd, "call"), 0);
	cr_expect_eq(gone(w.ws_fd, "call"), ENOENT);
	world_finish(&w);
}

Test(remove, goes_on_where_another_stopped)
{
	struct world w;

	world_init(&w);
	world_dir(w.ws_fd, "call", 0700);
	world_dir(w.ws_fd, "call/a", 0700);
	world_dir(w.ws_fd, "call/a/b", 0700);
	world_file(w.ws_fd, "call/a/b/f", "x", 0644);
	world_dir(w.ws_fd, "call/.airlock-remove-0", 0700);
	world_dir(w.ws_fd, "call/.airlock-remove-0/c", 0700);
	world_file(w.ws_fd, "call/.airlock-remove-0/c/f", "x", 0644);
	world_file(w.ws_fd, "call/.airlock-remove-0/f", "x", 0644);
	world_dir(w.ws_fd, "call/.airlock-remove-1", 0700);
	world_file(w.ws_fd, "call/.airlock-remove-1/f", "x", 0644);
	cr_expect_eq(remove_tree(w.ws_fd, "call"), 0);
	cr_expect_eq(gone(w.ws_fd, "call"), ENOENT);
	world_finish(&w);
}

Test(remove, follows_no_link)
{
	struct world w;
	char out[128];

	world_init(&w);
	world_file(w.out_fd, "canary", "alive", 0644);
	snprintf(out, sizeof(out), "%s/out", w.path);
	world_dir(w.ws_fd, "call", 0700);
	world_dir(w.ws_fd, "call/d", 0700);
	world_link(w.ws_fd, "call/abs", out);
	world_link(w.ws_fd, "call/d/rel", "../../../out");
	cr_expect_eq(remove_tree(w.ws_fd, "call"), 0);
	cr_expect_eq(gone(w.ws_fd, "call"), ENOENT);
	cr_expect_str_eq(world_read(w.out_fd, "canary"), "alive");
	world_finish(&w);
}
