/* SPDX-License-Identifier: Apache-2.0 */
/* Run by `make unit`: attributes on a file of a temporary directory. */
#include <criterion/criterion.h>

#include "../../../launcher/snapshot/xattrs.h"
#include "snapshot_world.h"

#define HELLO "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

Test(xattrs, what_counts)
{
	struct xattrs x = XATTRS_INIT;
	struct world w;
	int fd;

	world_init(&w);
	world_file(w.ws_fd, "f", "", 0644);
	fd = openat(w.ws_fd, "f", O_RDONLY | O_CLOEXEC);
	cr_assert_eq(xattrs_read(fd, XATTRS_TREE, NULL, &x), 0);
	cr_expect_eq(x.text.len, 0u);
	xattrs_finish(&x);
	world_xattr(w.ws_fd, "f", "user.b c", "hello");
	world_xattr(w.ws_fd, "f", "user.a", "hello");
	world_xattr(w.ws_fd, "f", "user.overlay.origin", "hello");
	world_xattr(w.ws_fd, "f", "user.overlay.opaque", "y");
	cr_assert_eq(xattrs_read(fd, XATTRS_CHANGE, "user.overlay.opaque", &x), 0);
	cr_expect_str_eq(buf_text(&x.text), " xattr:user.a=" HELLO " xattr:user.b\\040c=" HELLO);
	cr_expect_eq(x.opaque, true);
	cr_expect_eq(x.redirect, false);
	cr_expect_eq(x.whiteout, false);
	xattrs_finish(&x);
	close(fd);
	world_finish(&w);
}

Test(xattrs, saved_and_restored)
{
	struct xattrs x = XATTRS_INIT;
	auto_buf saved = BUF_INIT;
	struct world w;
	int from, to;

	world_init(&w);
	world_file(w.ws_fd, "from", "", 0644);
	world_file(w.ws_fd, "to", "", 0644);
	world_xattr(w.ws_fd, "from", "user.a", "hello");
	world_xattr(w.ws_fd, "from", "user.overlay.origin", "x");
	world_xattr(w.ws_fd, "to", "user.a", "other");
	world_xattr(w.ws_fd, "to", "user.z", "other");
	from = openat(w.ws_fd, "from", O_RDONLY | O_CLOEXEC);
	to = openat(w.ws_fd, "to", O_PATH | O_CLOEXEC);
	cr_assert_eq(xattrs_save(from, &saved), 0);
	cr_assert_eq(saved.len, 4u + 6 + 1 + 4 + 5 + 1);
	cr_expect_eq(xattrs_restore(to, saved.data, saved.len - 1), -EBADMSG);
	cr_assert_eq(xattrs_restore(to, saved.data, saved.len), 0);
	close(to);
	to = openat(w.ws_fd, "to", O_RDONLY | O_CLOEXEC);
	cr_assert_eq(xattrs_read(to, XATTRS_CHANGE, NULL, &x), 0);
	cr_expect_str_eq(buf_text(&x.text), " xattr:user.a=" HELLO);
	cr_expect_eq(fgetxattr(to, "user.overlay.origin", NULL, 0), -1);
	xattrs_finish(&x);
	close(from);
	close(to);
	world_finish(&w);
}
