/* SPDX-License-Identifier: Apache-2.0 */
/* Run by `make unit`: uppers made by hand; whiteouts and devices need root. */
#include <criterion/criterion.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../../../launcher/base/text.h"
#include "../../../launcher/snapshot/changes_internal.h"
#include "snapshot_world.h"

static int
collect(const struct world *w, struct change_set *set, uint64_t max_files, struct err *err)
{
	struct collect_request req = {
		.upper_fd = w->up_fd,
		.lower_fd = w->ws_fd,
		.opaque_xattr = "user.overlay.opaque",
		.capture = CAPTURE_DIGESTS,
		.max_files = max_files,
		.call = { 1, 2, 3 },
		.workspace_dev = 5,
		.workspace_ino = 7,
	};

	return changes_collect(&req, set, err);
}

static int
collect_until(const struct world *w, const struct until *until, struct change_set *set,
	      struct err *err)
{
	struct collect_request req = {
		.upper_fd = w->up_fd,
		.lower_fd = w->ws_fd,
		.opaque_xattr = "user.overlay.opaque",
		.capture = CAPTURE_DIGESTS,
		.max_files = 100,
		.until = until,
	};

	return changes_collect(&req, set, err);
}

/* One line per change: kind, path, hold rule. */
static void
expect_set(const struct world *w, const char *want)
{
	struct change_set set = { .items = NULL };
	struct err err = ERR_INIT;
	struct buf got = BUF_INIT;

	cr_assert_eq(collect(w, &set, 1000, &err), 0, "%s", err.text);
	for (size_t i = 0; i < set.count; i++) {
		const struct change *c = &set.items[i];

		buf_printf(&got, "%s ", changes_kind_word(c->kind));
		text_vis(&got, c->path, strlen(c->path));
		if (c->hold_rule != NULL) {
			buf_printf(&got, " [%s]", c->hold_rule);
		}
		buf_putc(&got, '\n');
	}
	cr_expect_str_eq(buf_text(&got), want);
	buf_finish(&got);
	changes_finish(&set);
}

Test(collect, nothing)
{
	struct world w;

	world_init(&w);
	world_file(w.ws_fd, "a", "x", 0644);
	expect_set(&w, "");
	world_finish(&w);
}

Test(collect, every_kind)
{
	struct world w;

	world_init(&w);
	world_file(w.ws_fd, "same", "x", 0644);
	world_file(w.up_fd, "same", "x", 0644);
	world_file(w.ws_fd, "text", "old", 0644);
	world_file(w.up_fd, "text", "new", 0644);
	world_file(w.ws_fd, "longer", "old", 0644);
	world_file(w.up_fd, "longer", "old and new", 0644);
	world_file(w.ws_fd, "mode", "x", 0644);
	world_file(w.up_fd, "mode", "x", 0755);
	world_file(w.up_fd, "new", "x", 0644);
	world_link(w.ws_fd, "link", "a");
	world_link(w.up_fd, "link", "b");
	world_link(w.ws_fd, "samelink", "a");
	world_link(w.up_fd, "samelink", "a");
	world_dir(w.ws_fd, "d", 0755);
	world_dir(w.up_fd, "d", 0755);
	world_file(w.up_fd, "d/f", "x", 0644);
	world_dir(w.ws_fd, "dm", 0755);
	world_dir(w.up_fd, "dm", 0700);
	world_file(w.ws_fd, "f2l", "x", 0644);
	world_link(w.up_fd, "f2l", "a");
	world_file(w.ws_fd, "f2d", "x", 0644);
	world_dir(w.up_fd, "f2d", 0755);
	world_file(w.up_fd, "f2d/x", "x", 0644);
	world_dir(w.ws_fd, "d2f", 0755);
	world_dir(w.ws_fd, "d2f/sub", 0755);
	world_file(w.ws_fd, "d2f/sub/a", "x", 0644);
	world_file(w.up_fd, "d2f", "x", 0644);
	world_file(w.up_fd, "\n\xff", "x", 0644);
	expect_set(&w,
		   "create \\012\\377\ncreate d/f\nreplace d2f\ndelete d2f/sub\ndelete d2f/sub/a\n"
		   "mode dm\nreplace f2d\ncreate f2d/x\nreplace f2l\nmodify link\nmodify longer\n"
		   "mode mode\ncreate new\nmodify text\n");
	world_finish(&w);
}

Test(collect, whiteouts_of_both_kinds)
{
	struct world w;

	world_init(&w);
	world_file(w.ws_fd, "x", "1", 0644);
	world_file(w.up_fd, "x", "", 0644);
	world_xattr(w.up_fd, "x", "user.overlay.whiteout", "");
	world_file(w.up_fd, "never", "", 0644);
	world_xattr(w.up_fd, "never", "user.overlay.whiteout", "");
	world_dir(w.ws_fd, "t", 0755);
	world_dir(w.ws_fd, "t/u", 0755);
	world_file(w.ws_fd, "t/u/v", "1", 0644);
	world_file(w.ws_fd, "t/w", "1", 0644);
	world_file(w.up_fd, "empty", "", 0644);
	if (world_whiteout(w.up_fd, "t") && world_whiteout(w.up_fd, "gone-before")) {
		expect_set(
			&w,
			"create empty\ndelete t\ndelete t/u\ndelete t/u/v\ndelete t/w\ndelete x\n");
	}
	world_finish(&w);
}

Test(collect, opaque_directory)
{
	struct world w;

	world_init(&w);
	world_dir(w.ws_fd, "d", 0755);
	world_file(w.ws_fd, "d/a", "1", 0644);
	world_file(w.ws_fd, "d/b", "1", 0644);
	world_dir(w.ws_fd, "d/s", 0755);
	world_file(w.ws_fd, "d/s/c", "1", 0644);
	world_dir(w.up_fd, "d", 0755);
	world_file(w.up_fd, "d/a", "2", 0644);
	world_file(w.up_fd, "d/n", "2", 0644);
	expect_set(&w, "modify d/a\ncreate d/n\n"); /* not opaque: b and s stay */
	world_xattr(w.up_fd, "d", "user.overlay.opaque", "x");
	expect_set(&w, "modify d/a\ncreate d/n\n"); /* another mark */
	world_xattr(w.up_fd, "d", "user.overlay.opaque", "y");
	expect_set(&w, "modify d/a\ndelete d/b\ncreate d/n\ndelete d/s\ndelete d/s/c\n");
	world_finish(&w);
}

Test(collect, redirects_are_refused)
{
	static const char *const names[] = { "user.overlay.redirect", "user.overlay.metacopy" };

	for (size_t i = 0; i < 2; i++) {
		struct change_set set = { .items = NULL };
		struct err err = ERR_INIT;
		struct world w;

		world_init(&w);
		world_file(w.up_fd, "f", "x", 0644);
		world_xattr(w.up_fd, "f", names[i], "a");
		cr_expect_eq(collect(&w, &set, 10, &err), -EUCLEAN);
		cr_expect_str_eq(err.text, "change set: f: an overlay redirect that we never make");
		cr_expect_null(set.items);
		world_finish(&w);
	}
}

Test(collect, held)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct world w;
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	world_init(&w);
	world_dir(w.up_fd, ".git", 0755);
	world_dir(w.up_fd, ".git/hooks", 0755);
	world_file(w.up_fd, ".git/hooks/pre-commit", "#!/bin/sh\n", 0755);
	world_file(w.up_fd, ".git/index", "x", 0644);
	world_link(w.up_fd, "abs", "/etc/passwd");
	world_link(w.up_fd, "up", "../x");
	world_link(w.up_fd, "in", "suid");
	world_file(w.up_fd, "sgid", "x", 02755);
	world_file(w.up_fd, "suid", "x", 04755);
	world_dir(w.up_fd, "group", 02755);
	cr_assert_eq(mkfifoat(w.up_fd, "pipe", 0644), 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/up/sock", w.path);
	cr_assert_eq(bind(sock, (struct sockaddr *)&address, sizeof(address)), 0);
	close(sock);
	cr_assert_eq(mkdirat(w.ws_fd, ".vscode", 0755), 0);
	world_file(w.ws_fd, ".vscode/tasks.json", "{}", 0644);
	world_dir(w.up_fd, ".vscode", 0755);
	world_xattr(w.up_fd, ".vscode", "user.overlay.opaque", "y");
	expect_set(&w, "create .git\ncreate .git/hooks\n"
		       "create .git/hooks/pre-commit [built-in: .git/hooks: git runs these]\n"
		       "create .git/index\n"
		       "delete .vscode/tasks.json [built-in: .vscode: tasks and settings of "
		       "an editor]\n"
		       "create abs [link out of the workspace]\ncreate group\ncreate in\n"
		       "create pipe [fifo]\ncreate sgid [setgid bit]\ncreate sock [socket]\n"
		       "create suid [setuid bit]\ncreate up [link out of the workspace]\n");
	if (mknodat(w.up_fd, "dev", S_IFCHR | 0600, makedev(1, 3)) == 0) {
		struct change_set set = { .items = NULL };

		cr_assert_eq(collect(&w, &set, 1000, NULL), 0);
		cr_expect_eq(changes_find(&set, "dev")->hold, HOLD_SPECIAL);
		cr_expect_str_eq(changes_find(&set, "dev")->hold_rule, "device");
		cr_expect_eq(set.held, 9u);
		changes_finish(&set);
	}
	world_finish(&w);
}

Test(collect, mode_000_is_read_and_put_back)
{
	struct change_set set = { .items = NULL };
	struct err err = ERR_INIT;
	struct world w;
	uint8_t want[32];

	world_init(&w);
	cr_assert_eq(fchmod(w.dir_fd, 0755), 0);
	if (geteuid() == 0) {
		cr_assert_eq(fchown(w.up_fd, 65534, 65534), 0);
		cr_assert_eq(seteuid(65534), 0);
	}
	world_dir(w.up_fd, "d", 0755);
	world_file(w.up_fd, "d/f", "secret", 0000);
	cr_assert_eq(fchmodat(w.up_fd, "d", 0000, 0), 0);
	cr_assert_eq(collect(&w, &set, 10, &err), 0, "%s", err.text);
	cr_assert_eq(set.count, 2u);
	sha256_of("secret", 6, want);
	cr_expect_arr_eq(set.items[1].after, want, 32);
	cr_expect_eq(set.items[0].mode_after, (mode_t)(S_IFDIR | 0000));
	cr_expect_eq(set.items[1].mode_after, (mode_t)(S_IFREG | 0000));
	cr_expect_eq(world_mode(w.up_fd, "d"), (mode_t)(S_IFDIR | 0000));
	cr_assert_eq(fchmodat(w.up_fd, "d", 0700, 0), 0);
	cr_expect_eq(world_mode(w.up_fd, "d/f"), (mode_t)(S_IFREG | 0000));
	changes_finish(&set);
	cr_assert_eq(seteuid(getuid()), 0);
	world_finish(&w);
}

Test(collect, limits)
{
	struct change_set set = { .items = NULL };
	struct err err = ERR_INIT;
	struct world w;

	world_init(&w);
	world_file(w.up_fd, "1", "", 0644);
	world_file(w.up_fd, "2", "", 0644);
	cr_expect_eq(collect(&w, &set, 1, &err), -E2BIG);
	cr_expect_eq(err.code, -E2BIG);
	cr_expect_eq(collect(&w, &set, 2, &err), 0);
	cr_expect_eq(set.created, 2u);
	changes_finish(&set);
	/* a sparse file of an exabyte costs its maker nothing */
	world_file(w.up_fd, "3", "", 0644);
	cr_assert_eq(truncate((snprintf(err.text, sizeof(err.text), "%s/up/3", w.path), err.text),
			      (off_t)1 << 40),
		     0);
	cr_expect_eq(collect(&w, &set, 10, &err), -EFBIG);
	world_finish(&w);
}

/* Deeper than a path can be named: by descriptors, there and back. */
static void
dig(int top_fd, size_t levels, const char *name)
{
	int at = dup(top_fd);

	for (size_t i = 0; i < levels; i++) {
		int next;

		cr_assert_eq(mkdirat(at, name, 0755), 0);
		next = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = next;
	}
	world_file(at, "end", "x", 0644);
	close(at);
}

static void
fill_in(int top_fd, size_t levels, const char *name)
{
	for (; levels > 0; levels--) {
		int at = dup(top_fd);

		for (size_t i = 1; i < levels; i++) {
			int next = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

			close(at);
			at = next;
		}
		{
			int last = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

			unlinkat(last, "end", 0);
			close(last);
		}
		cr_assert_eq(unlinkat(at, name, AT_REMOVEDIR), 0);
		close(at);
	}
}

Test(collect, deep)
{
	struct change_set set = { .items = NULL };
	struct err err = ERR_INIT;
	char name[201];
	struct world w;

	memset(name, 'n', 200);
	name[200] = '\0';
	world_init(&w);
	dig(w.up_fd, 300, name);
	dig(w.ws_fd, 300, name);
	cr_expect_eq(collect(&w, &set, 10000, &err), 0, "%s", err.text);
	cr_expect_eq(set.count, 0u);
	changes_finish(&set);
	fill_in(w.ws_fd, 300, name);
	cr_expect_eq(collect(&w, &set, 10000, &err), 0, "%s", err.text);
	cr_assert_eq(set.count, 301u);
	cr_expect_eq(strlen(set.items[300].path), 300u * 201 + 3);
	changes_finish(&set);
	fill_in(w.up_fd, 300, name);
	dig(w.up_fd, 1100, "d");
	cr_expect_eq(collect(&w, &set, 10000, &err), -E2BIG);
	fill_in(w.up_fd, 1100, "d");
	world_finish(&w);
}

/* Only its commit gives it the time that it has, and its undo the time that it had. */
Test(collect, the_same_bytes_written_again_are_no_change_of_mode_alone)
{
	const struct timespec later[2] = { { .tv_sec = 2000000000 }, { .tv_sec = 2000000000 } };
	struct change_set set = { .items = NULL };
	struct world w;

	world_init(&w);
	world_file(w.ws_fd, "f", "same", 0644);
	world_file(w.up_fd, "f", "same", 0755);
	cr_assert_eq(utimensat(w.up_fd, "f", later, 0), 0);
	cr_assert_eq(collect(&w, &set, 10, NULL), 0);
	cr_assert_eq(set.count, 1u);
	cr_expect_eq(set.items[0].kind, CHANGE_MODIFY);
	changes_finish(&set);
	world_finish(&w);
}

/*
 * The mode belongs to the inode: set in place it would reach the other name, which may lie outside.
 */
Test(collect, mode_of_a_hard_link_is_a_new_file)
{
	struct change_set set = { .items = NULL };
	struct world w;

	world_init(&w);
	world_file(w.ws_fd, "one", "same", 0644);
	world_file(w.up_fd, "one", "same", 0755);
	world_file(w.ws_fd, "two", "same", 0644);
	cr_assert_eq(linkat(w.ws_fd, "two", w.ws_fd, "two-too", 0), 0);
	world_file(w.up_fd, "two", "same", 0755);
	cr_assert_eq(collect(&w, &set, 10, NULL), 0);
	cr_assert_eq(set.count, 2u);
	cr_expect_str_eq(set.items[0].path, "one");
	cr_expect_eq(set.items[0].kind, CHANGE_MODE);
	cr_expect_str_eq(set.items[1].path, "two");
	cr_expect_eq(set.items[1].kind, CHANGE_MODIFY);
	cr_expect_eq(set.items[1].mode_after, S_IFREG | 0755);
	cr_expect_eq(set.links_broken, 1u);
	changes_finish(&set);
	world_finish(&w);
}

Test(collect, hard_links_and_attributes)
{
	struct change_set set = { .items = NULL };
	struct world w;

	world_init(&w);
	world_file(w.ws_fd, "a", "old", 0644);
	cr_assert_eq(linkat(w.ws_fd, "a", w.ws_fd, "b", 0), 0);
	world_file(w.up_fd, "a", "new", 0644);
	world_file(w.ws_fd, "x", "x", 0644);
	world_file(w.up_fd, "x", "x", 0644);
	world_xattr(w.up_fd, "x", "user.note", "hello");
	world_xattr(w.up_fd, "x", "user.overlay.origin", "bookkeeping");
	cr_assert_eq(collect(&w, &set, 10, NULL), 0);
	cr_assert_eq(set.count, 2u);
	cr_expect_eq(set.links_broken, 1u);
	cr_expect_eq(set.items[1].kind, CHANGE_MODE);
	cr_expect_str_eq(set.items[1].xattrs_after,
			 " xattr:user.note="
			 "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824");
	changes_finish(&set);
	world_finish(&w);
}

Test(collect, no_descriptor_is_left)
{
	struct change_set set = { .items = NULL };
	struct world w;
	int before, after;

	world_init(&w);
	dig(w.up_fd, 100, "d");
	before = dup(0);
	close(before);
	cr_expect_eq(collect(&w, &set, 1000, NULL), 0);
	changes_finish(&set);
	cr_expect_eq(collect(&w, &set, 50, NULL), -E2BIG);
	after = dup(0);
	close(after);
	cr_expect_eq(after, before);
	world_finish(&w);
}

/* New contents and pre-images are stored, secrets never, and nothing with capture: digests. */
Test(collect, what_is_stored)
{
	static const enum capture_inputs captures[] = { CAPTURE_TOUCHED, CAPTURE_DIGESTS };

	for (size_t i = 0; i < 2; i++) {
		struct change_set set = { .items = NULL };
		struct store store = STORE_INIT;
		struct err err = ERR_INIT;
		struct pack pack;
		struct world w;
		char state[128];
		uint8_t id[16] = { 1 }, digest[32];

		world_init(&w);
		snprintf(state, sizeof(state), "%s/state", w.path);
		cr_assert_eq(store_open_write(state, &store, &err), 0, "%s", err.text);
		cr_assert_eq(pack_init(&pack, &store, id, id, &err), 0, "%s", err.text);
		world_file(w.ws_fd, "f", "before", 0644);
		world_file(w.up_fd, "f", "after!", 0644);
		world_link(w.ws_fd, "l", "old-target");
		world_link(w.up_fd, "l", "new-target");
		world_file(w.ws_fd, ".env", "KEY=1", 0644);
		world_file(w.up_fd, ".env", "KEY=2", 0644);
		{
			struct collect_request req = {
				.upper_fd = w.up_fd,
				.lower_fd = w.ws_fd,
				.capture = captures[i],
				.max_files = 10,
				.pack = &pack,
			};

			cr_assert_eq(changes_collect(&req, &set, &err), 0, "%s", err.text);
		}
		cr_assert_eq(set.count, 3u);
		cr_expect_eq(pack_has(&pack, set.object), true);
		cr_expect_arr_eq(set.object, set.digest, 32);
		sha256_of("after!", 6, digest);
		cr_expect_arr_eq(set.items[1].after, digest, 32);
		cr_expect_eq(pack_has(&pack, digest), i == 0);
		sha256_of("before", 6, digest);
		cr_expect_arr_eq(set.items[1].before, digest, 32);
		cr_expect_eq(pack_has(&pack, digest), i == 0);
		sha256_of("old-target", 10, digest);
		cr_expect_eq(pack_has(&pack, digest), i == 0);
		sha256_of("KEY=1", 5, digest);
		cr_expect_arr_eq(set.items[0].before, digest, 32);
		cr_expect_eq(pack_has(&pack, digest), false);
		sha256_of("KEY=2", 5, digest);
		cr_expect_eq(pack_has(&pack, digest), false);
		changes_finish(&set);
		pack_finish(&pack);
		store_finish(&store);
		world_finish(&w);
	}
}

/* ---- what nobody waits for ------------------------------------------------------------------- */

static void
sparse(int dir_fd, const char *name, off_t size)
{
	auto_fd fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	cr_assert_geq(fd, 0);
	cr_assert_eq(ftruncate(fd, size), 0);
}

Test(collect, is_stopped_while_it_reads, .timeout = 20)
{
	struct change_set set = { .items = NULL };
	struct err err = ERR_INIT;
	struct until until = { .stop_fd = -1 };
	struct world w;

	world_init(&w);
	sparse(w.up_fd, "new", (off_t)60 << 30);
	until.deadline_ns = clock_monotonic_ns() + 50000000u;
	cr_assert_eq(collect_until(&w, &until, &set, &err), -ETIME);
	cr_expect_str_eq(err.text, "change set: new: it took too long to be read");

	/* the same of what stood there before */
	cr_assert_eq(unlinkat(w.up_fd, "new", 0), 0);
	sparse(w.ws_fd, "old", (off_t)60 << 30);
	world_link(w.up_fd, "old", "elsewhere");
	err = (struct err)ERR_INIT;
	until.deadline_ns = clock_monotonic_ns() + 50000000u;
	cr_assert_eq(collect_until(&w, &until, &set, &err), -ETIME);
	cr_expect_str_eq(err.text, "change set: old: it took too long to be read");
	cr_expect_null(set.items);
	world_finish(&w);
}

Test(collect, is_stopped_by_a_descriptor)
{
	struct change_set set = { .items = NULL };
	struct err err = ERR_INIT;
	int fds[2];
	struct world w;

	world_init(&w);
	cr_assert_eq(pipe(fds), 0);
	world_file(w.up_fd, "new", "x", 0644);
	cr_assert_eq(collect_until(&w, &(struct until){ .stop_fd = fds[0] }, &set, &err), 0);
	changes_finish(&set);
	set = (struct change_set){ .items = NULL };
	cr_assert_eq(write(fds[1], "x", 1), 1);
	cr_assert_eq(collect_until(&w, &(struct until){ .stop_fd = fds[0] }, &set, &err), -EINTR);
	cr_expect_str_eq(err.text, "change set: .: airlock was told to end");
	close(fds[0]);
	close(fds[1]);
	world_finish(&w);
}

/* Terabytes of holes cost whoever removes them nothing. */
Test(collect, what_was_too_large_is_unknown, .timeout = 20)
{
	struct change_set set = { .items = NULL };
	struct err err = ERR_INIT;
	struct world w;

	world_init(&w);
	sparse(w.ws_fd, "old", (off_t)8 << 40);
	world_link(w.up_fd, "old", "elsewhere");
	cr_assert_eq(collect_until(&w, NULL, &set, &err), 0, "%s", err.text);
	cr_assert_eq(set.count, 1u);
	cr_expect_eq(set.items[0].kind, CHANGE_REPLACE);
	cr_expect_eq(set.items[0].size_before, (uint64_t)8 << 40);
	cr_expect_not(set.items[0].before_known);
	changes_finish(&set);
	world_finish(&w);
}
