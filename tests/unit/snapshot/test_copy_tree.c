/* SPDX-License-Identifier: Apache-2.0 */
/* Run by `make unit`: a workspace is copied, and the copy is what it should be. */
#include <criterion/criterion.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../../../launcher/base/text.h"
#include "../../../launcher/snapshot/copy_tree.h"
#include "../../../launcher/snapshot/snapshot.h"
#include "snapshot_world.h"

/* From ws to up. */
static int
copy(const struct world *w, uint64_t max_entries, uint64_t max_bytes, struct copy_result *ret,
     struct err *err)
{
	const struct copy_request req = {
		.from_fd = w->ws_fd,
		.to_fd = w->up_fd,
		.workspace = true,
		.max_entries = max_entries,
		.max_bytes = max_bytes,
	};

	return copy_tree(&req, ret, err);
}

static void
tree_digest(int fd, char hex[65])
{
	const struct tree_request req = { .root_fd = fd, .cache_fd = -1, .start_ns = INT64_MAX };
	struct tree_result got;

	cr_assert_eq(tree_hash(&req, &got, NULL), 0);
	text_hex(got.digest, 32, hex);
}

static struct stat
facts(int dirfd, const char *path)
{
	struct stat st;

	cr_assert_eq(fstatat(dirfd, path, &st, AT_SYMLINK_NOFOLLOW), 0, "%s", path);
	return st;
}

static void
set_mtime(int dirfd, const char *path, time_t sec, long nsec)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
					   { .tv_sec = sec, .tv_nsec = nsec } };

	cr_assert_eq(utimensat(dirfd, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

/* Digests are over names, types, modes, owners, sizes, contents, targets, attributes. */
Test(copy_tree, everything_that_is_kept)
{
	struct copy_result got = { .entries = 0 };
	struct err err = ERR_INIT;
	struct world w;
	char before[65], after[65], again[65];

	world_init(&w);
	world_file(w.ws_fd, "a", "hello", 0644);
	world_file(w.ws_fd, "empty", "", 0600);
	world_file(w.ws_fd, "run", "#!/bin/sh\n", 0755);
	world_file(w.ws_fd, "ro", "r", 0444);
	world_file(w.ws_fd, "\n\xff", "odd", 0640);
	world_xattr(w.ws_fd, "a", "user.note", "v");
	world_dir(w.ws_fd, "d", 0750);
	world_dir(w.ws_fd, "d/e", 0700);
	world_file(w.ws_fd, "d/e/f", "deep", 0604);
	world_link(w.ws_fd, "up", "../out/canary");
	world_link(w.ws_fd, "dangling", "no/such");
	cr_assert_eq(fchmodat(w.ws_fd, "d/e", 0555, 0), 0);
	cr_assert_eq(fchmod(w.ws_fd, 0711), 0);
	set_mtime(w.ws_fd, "d/e/f", 1000000000, 123456789);
	set_mtime(w.ws_fd, "d/e", 1000000001, 1);
	set_mtime(w.ws_fd, "up", 1000000002, 2);
	set_mtime(w.ws_fd, ".", 1000000003, 3);
	tree_digest(w.ws_fd, before);
	cr_assert_eq(copy(&w, 1000, 1000, &got, &err), 0, "%s", err.text);
	tree_digest(w.up_fd, after);
	cr_expect_str_eq(after, before);
	tree_digest(w.ws_fd, again);
	cr_expect_str_eq(again, before);
	cr_expect_eq(facts(w.up_fd, "d/e/f").st_mtim.tv_sec, 1000000000);
	cr_expect_eq(facts(w.up_fd, "d/e/f").st_mtim.tv_nsec, 123456789);
	cr_expect_eq(facts(w.up_fd, "d/e").st_mtim.tv_sec, 1000000001);
	cr_expect_eq(facts(w.up_fd, "up").st_mtim.tv_sec, 1000000002);
	cr_expect_eq(facts(w.up_fd, ".").st_mtim.tv_sec, 1000000003);
	cr_expect_eq(facts(w.up_fd, ".").st_mode & 07777, 0711u);
	cr_expect_neq(facts(w.up_fd, "a").st_ino, facts(w.ws_fd, "a").st_ino);
	cr_expect_eq(got.entries, 10u);
	cr_expect_eq(got.bytes, 5u + 10 + 1 + 3 + 4);
	cr_expect_eq(got.closed, 0u);
	cr_expect_eq(got.left_out, 0u);
	cr_assert_eq(fchmodat(w.ws_fd, "d/e", 0755, 0), 0);
	cr_assert_eq(fchmodat(w.up_fd, "d/e", 0755, 0), 0);
	world_finish(&w);
}

/* A hole is none of the bytes, and is one in the copy. */
Test(copy_tree, holes)
{
	struct copy_result got = { .entries = 0 };
	struct err err = ERR_INIT;
	struct world w;
	struct stat st;
	int fd;

	world_init(&w);
	fd = openat(w.ws_fd, "sparse", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	cr_assert_eq(pwrite(fd, "x", 1, 64 << 20), 1);
	cr_assert_eq(ftruncate(fd, 256 << 20), 0);
	close(fd);
	cr_assert_eq(copy(&w, 10, 1 << 20, &got, &err), 0, "%s", err.text);
	st = facts(w.up_fd, "sparse");
	cr_expect_eq(st.st_size, 256 << 20);
	cr_expect_lt(st.st_blocks * 512, 1 << 20);
	fd = openat(w.up_fd, "sparse", O_RDONLY | O_CLOEXEC);
	{
		char byte = 0;

		cr_expect_eq(pread(fd, &byte, 1, 64 << 20), 1);
		cr_expect_eq(byte, 'x');
	}
	close(fd);
	world_finish(&w);
}

/* Past the levels that keep their descriptors, and back. */
Test(copy_tree, deep)
{
	struct copy_result got = { .entries = 0 };
	struct err err = ERR_INIT;
	struct world w;
	char before[65], after[65];

	world_init(&w);
	close(world_deep(w.ws_fd, ".", 200));
	tree_digest(w.ws_fd, before);
	cr_assert_eq(copy(&w, 400, 200, &got, &err), 0, "%s", err.text);
	tree_digest(w.up_fd, after);
	cr_expect_str_eq(after, before);
	cr_expect_eq(got.entries, 400u);
	world_finish(&w);
}

Test(copy_tree, it_ends_when_it_is_told_to)
{
	struct copy_result got = { .entries = 0 };
	struct err err = ERR_INIT;
	struct copy_request req = { .workspace = true, .max_entries = 9 };
	struct world w;
	int told[2];

	world_init(&w);
	req.from_fd = w.ws_fd;
	req.to_fd = w.up_fd;
	req.stop_fd = &told[0];
	world_file(w.ws_fd, "a", "12345", 0644);
	cr_assert_eq(pipe2(told, O_CLOEXEC), 0);
	cr_assert_eq(copy_tree(&req, &got, &err), 0, "%s", err.text);
	cr_assert_eq(unlinkat(w.up_fd, "a", 0), 0);
	cr_assert_eq(write(told[1], "", 1), 1);
	cr_expect_eq(copy_tree(&req, &got, &err), -EINTR);
	cr_expect_eq(faccessat(w.up_fd, "a", F_OK, 0), -1);
	close(told[0]);
	close(told[1]);
	world_finish(&w);
}

Test(copy_tree, bounds)
{
	struct copy_result got = { .entries = 77 };
	struct err err = ERR_INIT;
	struct world w;

	world_init(&w);
	world_file(w.ws_fd, "a", "12345", 0644);
	world_file(w.ws_fd, "b", "12345", 0644);
	cr_expect_eq(copy(&w, 10, 9, &got, &err), -EFBIG);
	cr_expect_str_eq(err.text, "copy: b: File too large");
	world_finish(&w);

	world_init(&w);
	world_file(w.ws_fd, "a", "12345", 0644);
	world_file(w.ws_fd, "b", "12345", 0644);
	cr_expect_eq(copy(&w, 1, 100, &got, &err), -E2BIG);
	cr_expect_str_eq(err.text, "copy: : Argument list too long");
	world_finish(&w);

	world_init(&w);
	world_file(w.ws_fd, "a", "12345", 0644);
	world_file(w.ws_fd, "b", "12345", 0644);
	cr_expect_eq(copy(&w, 2, 10, &got, &err), 0);
	world_finish(&w);
}

Test(copy_tree, what_is_closed_or_special)
{
	struct copy_result got = { .entries = 0 };
	struct err err = ERR_INIT;
	struct world w;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct stat st;
	int fd;

	world_init_plain(&w);
	world_file(w.ws_fd, "closed", "secret", 0000);
	world_dir(w.ws_fd, "shut", 0755);
	world_file(w.ws_fd, "shut/f", "", 0644);
	cr_assert_eq(fchmodat(w.ws_fd, "shut", 0000, 0), 0);
	cr_assert_eq(mkfifoat(w.ws_fd, "p", 0600), 0);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/ws/s", w.path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(fd);
	cr_assert_eq(copy(&w, 10, 100, &got, &err), 0, "%s", err.text);
	cr_expect_eq(got.closed, 2u);
	cr_expect_eq(got.left_out, 0u);
	cr_expect_eq(got.bytes, 0u);
	st = facts(w.up_fd, "closed");
	cr_expect_eq(st.st_size, 6);
	cr_expect_eq(st.st_mode, (mode_t)S_IFREG);
	cr_expect_eq(facts(w.up_fd, "shut").st_mode, (mode_t)S_IFDIR);
	cr_expect_eq(facts(w.up_fd, "p").st_mode, (mode_t)(S_IFIFO | 0600));
	cr_expect_eq(facts(w.up_fd, "s").st_mode & S_IFMT, (mode_t)S_IFSOCK);
	/* what was read is as it was */
	cr_expect_eq(facts(w.ws_fd, "closed").st_mode, (mode_t)S_IFREG);
	cr_expect_eq(facts(w.ws_fd, "shut").st_mode, (mode_t)S_IFDIR);
	cr_assert_eq(fchmodat(w.ws_fd, "shut", 0755, 0), 0);
	world_finish(&w);
}

/* One inode under two names: two files, each its own. */
Test(copy_tree, hard_links_come_apart)
{
	struct copy_result got = { .entries = 0 };
	struct err err = ERR_INIT;
	struct world w;

	world_init(&w);
	world_file(w.ws_fd, "a", "1", 0644);
	cr_assert_eq(linkat(w.ws_fd, "a", w.ws_fd, "b", 0), 0);
	cr_assert_eq(copy(&w, 10, 10, &got, &err), 0, "%s", err.text);
	cr_expect_eq(facts(w.up_fd, "a").st_nlink, 1u);
	cr_expect_neq(facts(w.up_fd, "a").st_ino, facts(w.up_fd, "b").st_ino);
	world_finish(&w);
}

/* As root: who owns what, and a set-id bit. */
Test(copy_tree, owners)
{
	struct copy_result got = { .entries = 0 };
	struct err err = ERR_INIT;
	struct world w;
	struct stat st;

	world_init(&w);
	world_file(w.ws_fd, "a", "1", 0644);
	world_link(w.ws_fd, "l", "a");
	if (fchownat(w.ws_fd, "a", 1234, 5678, 0) < 0) {
		cr_log_warn("skipped: no right to give files away");
	} else {
		cr_assert_eq(fchownat(w.ws_fd, "l", 1234, 5678, AT_SYMLINK_NOFOLLOW), 0);
		cr_assert_eq(fchmodat(w.ws_fd, "a", 04755, 0), 0);
		cr_assert_eq(copy(&w, 10, 10, &got, &err), 0, "%s", err.text);
		st = facts(w.up_fd, "a");
		cr_expect_eq(st.st_uid, 1234u);
		cr_expect_eq(st.st_gid, 5678u);
		cr_expect_eq(st.st_mode & 07777, 04755u);
		cr_expect_eq(facts(w.up_fd, "l").st_uid, 1234u);
	}
	world_finish(&w);
}

/* ---- layers: from up to out ---------------------------------------------------------------------
 */

static int
copy_layer(const struct world *w, bool layer, uint64_t max, struct buf *closed, uint64_t *left_out)
{
	const struct copy_request req = {
		.from_fd = w->up_fd,
		.to_fd = w->out_fd,
		.layer = layer,
		.owner_uid = geteuid(),
		.owner_gid = getegid(),
		.max_entries = max,
		.closed = closed,
	};
	struct err err = ERR_INIT;
	struct copy_result got = { .left_out = 0 };
	int r = copy_tree(&req, &got, &err);

	*left_out = got.left_out;
	return r;
}

static void
expect_xattr(const struct world *w, const char *path, const char *name, const char *want)
{
	char full[128], value[32] = "";

	snprintf(full, sizeof(full), "%s/out/%s", w->path, path);
	cr_expect_eq(lgetxattr(full, name, value, sizeof(value) - 1),
		     want != NULL ? (ssize_t)strlen(want) : -1, "%s", name);
	cr_expect_str_eq(value, want != NULL ? want : "");
}

Test(copy_tree, every_kind_of_a_layer)
{
	auto_buf closed = BUF_INIT;
	uint64_t left_out = 77;
	char target[16] = "";
	struct stat st;
	struct world w;

	world_init_plain(&w);
	world_file(w.up_fd, "f\n\xff", "text", 06640);
	world_xattr(w.up_fd, "f\n\xff", "user.note", "hello");
	world_xattr(w.up_fd, "f\n\xff", "user.overlay.origin", "x");
	cr_assert_eq(utimensat(w.up_fd, "f\n\xff", (struct timespec[2]){ { 5, 6 }, { 7, 8 } }, 0),
		     0);
	world_dir(w.up_fd, "d", 0755);
	world_file(w.up_fd, "d/hidden", "deep", 0000);
	world_xattr(w.up_fd, "d", "user.overlay.opaque", "y");
	cr_assert_eq(fchmodat(w.up_fd, "d", 0, 0), 0);
	world_link(w.up_fd, "l", "../out");
	cr_assert_eq(mkfifoat(w.up_fd, "p", 0600), 0);
	cr_assert_eq(copy_layer(&w, true, 100, &closed, &left_out), 0);
	cr_expect_eq(left_out, 0u);
	cr_expect_str_eq(world_read(w.out_fd, "f\n\xff"), "text");
	cr_expect_eq(world_mode(w.out_fd, "f\n\xff"), (mode_t)(S_IFREG | 06640));
	cr_expect_eq(fstatat(w.out_fd, "f\n\xff", &st, 0), 0);
	cr_expect_eq(st.st_mtim.tv_sec, 7);
	cr_expect_eq(st.st_mtim.tv_nsec, 8);
	expect_xattr(&w, "f\n\xff", "user.note", "hello");
	expect_xattr(&w, "f\n\xff", "user.overlay.origin", NULL);
	cr_expect_eq(world_mode(w.out_fd, "d"), (mode_t)(S_IFDIR | 0000));
	cr_expect_eq(world_mode(w.up_fd, "d"), (mode_t)(S_IFDIR | 0000));
	cr_expect_eq(readlinkat(w.out_fd, "l", target, sizeof(target)), 6);
	cr_expect_str_eq(target, "../out");
	cr_expect_eq(world_mode(w.out_fd, "p"), (mode_t)(S_IFIFO | 0600));
	/* u32 mode, str path, the child before its directory */
	cr_expect_eq(closed.len, (4u + 4 + 8 + 1) + (4u + 4 + 1 + 1));
	cr_expect_str_eq((const char *)closed.data + 8, "d/hidden");
	cr_expect_str_eq((const char *)closed.data + 17 + 8, "d");
	cr_assert_eq(fchmodat(w.out_fd, "d", 0700, 0), 0);
	expect_xattr(&w, "d", "user.overlay.opaque", "y");
	cr_expect_eq(world_mode(w.out_fd, "d/hidden"), (mode_t)(S_IFREG | 0000));
	cr_assert_eq(fchmodat(w.out_fd, "d/hidden", 0400, 0), 0);
	cr_expect_str_eq(world_read(w.out_fd, "d/hidden"), "deep");
	cr_assert_eq(fchmodat(w.up_fd, "d", 0700, 0), 0);
	world_finish(&w);
}

/* Without them it is an ordinary tree. */
Test(copy_tree, marks_of_a_layer)
{
	uint64_t left_out = 0;
	struct world w;

	world_init(&w);
	world_dir(w.up_fd, "d", 0755);
	world_xattr(w.up_fd, "d", "user.overlay.opaque", "y");
	if (world_whiteout(w.up_fd, "gone")) {
		cr_assert_eq(copy_layer(&w, false, 100, NULL, &left_out), 0);
		cr_expect_eq(left_out, 1u);
		expect_xattr(&w, "d", "user.overlay.opaque", NULL);
		cr_expect_eq(world_mode(w.out_fd, "gone"), 0u);
		cr_assert_eq(unlinkat(w.out_fd, "d", AT_REMOVEDIR), 0);
		cr_assert_eq(copy_layer(&w, true, 100, NULL, &left_out), 0);
		cr_expect_eq(left_out, 0u);
		expect_xattr(&w, "d", "user.overlay.opaque", "y");
		cr_expect_eq(world_mode(w.out_fd, "gone") & S_IFMT, (mode_t)S_IFCHR);
	}
	world_finish(&w);
}

Test(copy_tree, no_descriptor_is_left)
{
	uint64_t left_out = 0;
	struct world w;
	int before, after;

	world_init(&w);
	world_dir(w.up_fd, "a", 0755);
	world_file(w.up_fd, "a/b", "x", 0644);
	before = dup(0);
	close(before);
	cr_assert_eq(copy_layer(&w, true, 100, NULL, &left_out), 0);
	cr_expect_eq(copy_layer(&w, true, 100, NULL, &left_out), -EEXIST);
	after = dup(0);
	close(after);
	cr_expect_eq(after, before);
	world_finish(&w);
}
