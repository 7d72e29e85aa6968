/* SPDX-License-Identifier: Apache-2.0 */
/* Run by `make unit`: uppers made by hand, committed into a workspace beside a canary directory. */
#include <criterion/criterion.h>

#include "../../../launcher/snapshot/commit_internal.h"
#include "changes_world.h"

static const char call_name[] = "00000000-0000-0000-0000-0000abcdef01";

/* start in the future: nothing counts as touched during the call, unless a test says when it began.
 */
static int
begin(const struct world *w, const struct change_set *set, int64_t start_ns,
      struct commit **ret_commit, struct err *err)
{
	struct commit_request req = {
		.upper_fd = w->up_fd,
		.workspace_fd = w->ws_fd,
		.workspace = "/somewhere",
		.changes = set,
		.start_ns = start_ns != 0 ? start_ns : world_now_ns() + 1000000000,
		.owner_uid = geteuid(),
		.owner_gid = getegid(),
		.call = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xab, 0xcd, 0xef, 0x01 },
		.commits_fd = w->commits_fd,
	};

	return commit_run(&req, ret_commit, err);
}

static int
commit(const struct world *w, const struct change_set *set, int64_t start_ns, struct err *err)
{
	struct commit *cm = NULL;
	int r = begin(w, set, start_ns, &cm, err);

	if (r == 0) {
		/* what was displaced is there until the record stands */
		cr_expect_eq(world_mode(w->ws_fd, ".airlock-commit"), (mode_t)(S_IFDIR | 0700));
		cr_expect_neq(world_mode(w->commits_fd, call_name), 0u);
	}
	commit_close(cm);
	if (r != -EIO) {
		cr_expect_eq(world_mode(w->commits_fd, call_name), 0u);
	}
	return r;
}

static void
commit_all(const struct world *w, uint64_t want)
{
	struct change_set set = { .items = NULL };
	struct err err = ERR_INIT;

	world_collect(w->up_fd, w->ws_fd, &set);
	cr_expect_eq(commit(w, &set, 0, &err), 0, "%s", err.text);
	cr_expect_eq(set.count, want);
	changes_finish(&set);
	/* nothing is left to do, and nothing is left over */
	cr_expect_eq(world_mode(w->ws_fd, ".airlock-commit"), 0u);
	world_collect(w->up_fd, w->ws_fd, &set);
	cr_expect_eq(set.count, 0u, "%s", set.count > 0 ? set.items[0].path : "");
	changes_finish(&set);
}

Test(commit, every_kind)
{
	struct stat st;
	char target[16] = "";
	struct world w;

	world_init(&w);
	world_file(w.ws_fd, "kept", "kept", 0644);
	world_file(w.ws_fd, "text", "old", 0644);
	world_file(w.up_fd, "text", "new", 0640);
	world_xattr(w.up_fd, "text", "user.note", "hello");
	world_xattr(w.up_fd, "text", "user.overlay.origin", "x");
	cr_assert_eq(utimensat(w.up_fd, "text", (struct timespec[2]){ { 5, 6 }, { 7, 8 } }, 0), 0);
	world_file(w.ws_fd, "mode", "x", 0644);
	world_file(w.up_fd, "mode", "x", 0755);
	world_dir(w.up_fd, "n", 0555);
	cr_assert_eq(fchmodat(w.up_fd, "n", 0755, 0), 0);
	world_file(w.up_fd, "n/new\n\xff", "x", 0400);
	cr_assert_eq(fchmodat(w.up_fd, "n", 0555, 0), 0);
	world_link(w.ws_fd, "link", "a");
	world_link(w.up_fd, "link", "b");
	world_file(w.ws_fd, "f2d", "x", 0644);
	world_dir(w.up_fd, "f2d", 0755);
	world_file(w.up_fd, "f2d/x", "1", 0644);
	world_dir(w.ws_fd, "d2f", 0755);
	world_dir(w.ws_fd, "d2f/sub", 0755);
	world_file(w.ws_fd, "d2f/sub/a", "x", 0644);
	world_file(w.up_fd, "d2f", "2", 0644);
	world_dir(w.ws_fd, "op", 0755);
	world_file(w.ws_fd, "op/gone", "x", 0644);
	world_dir(w.up_fd, "op", 0700);
	world_file(w.up_fd, "op/come", "3", 0644);
	world_xattr(w.up_fd, "op", "user.overlay.opaque", "y");
	commit_all(&w, 13);
	cr_expect_str_eq(world_read(w.ws_fd, "kept"), "kept");
	cr_expect_str_eq(world_read(w.ws_fd, "text"), "new");
	cr_expect_eq(world_mode(w.ws_fd, "text"), (mode_t)(S_IFREG | 0640));
	cr_expect_eq(fstatat(w.ws_fd, "text", &st, 0), 0);
	cr_expect_eq(st.st_mtim.tv_sec, 7);
	cr_expect_eq(st.st_mtim.tv_nsec, 8);
	cr_expect_eq(world_mode(w.ws_fd, "mode"), (mode_t)(S_IFREG | 0755));
	cr_expect_eq(world_mode(w.ws_fd, "n"), (mode_t)(S_IFDIR | 0555));
	cr_expect_eq(world_mode(w.ws_fd, "n/new\n\xff"), (mode_t)(S_IFREG | 0400));
	cr_expect_eq(readlinkat(w.ws_fd, "link", target, sizeof(target)), 1);
	cr_expect_str_eq(target, "b");
	cr_expect_str_eq(world_read(w.ws_fd, "f2d/x"), "1");
	cr_expect_str_eq(world_read(w.ws_fd, "d2f"), "2");
	cr_expect_null(world_read(w.ws_fd, "op/gone"));
	cr_expect_str_eq(world_read(w.ws_fd, "op/come"), "3");
	cr_expect_eq(world_mode(w.ws_fd, "op"), (mode_t)(S_IFDIR | 0700));
	{
		char path[128], value[16] = "";

		snprintf(path, sizeof(path), "%s/ws/text", w.path);
		cr_expect_eq(getxattr(path, "user.note", value, sizeof(value)), 5);
		cr_expect_eq(getxattr(path, "user.overlay.origin", value, sizeof(value)), -1);
		cr_expect_eq(errno, ENODATA);
	}
	fchmodat(w.ws_fd, "n", 0755, 0);
	fchmodat(w.up_fd, "n", 0755, 0);
	world_finish(&w);
}

Test(commit, set_id_bits_and_devices_never)
{
	struct change_set set = { .items = NULL };
	struct err err = ERR_INIT;
	struct world w;

	world_init(&w);
	world_file(w.up_fd, "suid", "x", 06755);
	cr_assert_eq(mkfifoat(w.up_fd, "pipe", 0644), 0);
	world_collect(w.up_fd, w.ws_fd, &set);
	cr_expect_eq(commit(&w, &set, 0, &err), 0, "%s", err.text);
	changes_finish(&set);
	cr_expect_eq(world_mode(w.ws_fd, "suid"), (mode_t)(S_IFREG | 0755));
	cr_expect_eq(world_mode(w.ws_fd, "pipe"), 0u);
	world_file(w.ws_fd, "pipe", "x", 0644);
	world_collect(w.up_fd, w.ws_fd, &set);
	cr_expect_eq(commit(&w, &set, 0, &err), -EPERM);
	cr_expect_str_eq(world_read(w.ws_fd, "pipe"), "x");
	changes_finish(&set);
	world_finish(&w);
}

/* Not even when a person says so, for whom the collector's mark is only advice. */
Test(commit, never)
{
	struct change_set set = { .items = NULL };
	struct err err = ERR_INIT;
	struct world w;

	world_init(&w);
	world_file(w.up_fd, "a", "x", 0644);
	world_dir(w.up_fd, ".Airlock-commit", 0755);
	world_collect(w.up_fd, w.ws_fd, &set);
	cr_expect_eq(commit(&w, &set, 0, &err), -EPERM);
	cr_expect_str_eq(err.text,
			 "commit: .Airlock-commit: never committed: built-in: .airlock-commit: "
			 "where a commit puts what it is about to place");
	cr_expect_eq(world_mode(w.ws_fd, "a"), 0u);
	changes_finish(&set);
	world_finish(&w);
}

enum meddling {
	TOUCH_FILE,
	TOUCH_PARENT,
	FILE_TO_LINK,
	PARENT_TO_LINK,
	VANISH,
	CREATED_TOO,
	CREATED_LINK,
	STAGING_THERE,
	PARENT_MOVED,
	MEDDLING__COUNT
};

static void
meddle(const struct world *w, enum meddling how)
{
	char out[128];

	snprintf(out, sizeof(out), "%s/out", w->path);
	switch (how) {
	case TOUCH_FILE:
		world_file(w->ws_fd, "d/f", "mine", 0644);
		break;
	case TOUCH_PARENT:
		world_file(w->ws_fd, "d/other", "mine", 0644);
		break;
	case FILE_TO_LINK:
		cr_assert_eq(unlinkat(w->ws_fd, "d/f", 0), 0);
		snprintf(out, sizeof(out), "%s/out/canary", w->path);
		world_link(w->ws_fd, "d/f", out);
		break;
	case PARENT_TO_LINK:
		cr_assert_eq(renameat(w->ws_fd, "d", w->ws_fd, "moved"), 0);
		world_link(w->ws_fd, "d", out);
		break;
	case VANISH:
		cr_assert_eq(unlinkat(w->ws_fd, "d/f", 0), 0);
		break;
	case CREATED_TOO:
		world_file(w->ws_fd, "d/new", "mine", 0644);
		break;
	case CREATED_LINK:
		snprintf(out, sizeof(out), "%s/out/canary", w->path);
		world_link(w->ws_fd, "d/new", out);
		break;
	case STAGING_THERE:
		world_link(w->ws_fd, ".airlock-commit", out);
		break;
	case PARENT_MOVED:
		cr_assert_eq(renameat(w->ws_fd, "d", w->ws_fd, "moved"), 0);
		break;
	case MEDDLING__COUNT:
		break;
	}
}

/* Killed behind its header it would be taken for the one whose directory that is. */
Test(commit, does_not_begin_beside_another)
{
	struct world w;
	struct change_set set = { .items = NULL };
	struct err err = ERR_INIT;

	world_init(&w);
	world_file(w.up_fd, "new", "new", 0644);
	world_dir(w.ws_fd, ".airlock-commit", 0700);
	world_file(w.ws_fd, ".airlock-commit/d0", "the only copy", 0600);
	world_collect(w.up_fd, w.ws_fd, &set);
	close(w.commits_fd);
	w.commits_fd = open("/dev/null", O_RDONLY | O_CLOEXEC); /* no journal can be made there */
	cr_expect_eq(commit(&w, &set, 0, &err), -EEXIST, "%s", err.text);
	cr_expect_eq(world_mode(w.ws_fd, ".airlock-commit/d0"), (mode_t)(S_IFREG | 0600));
	changes_finish(&set);
	world_finish(&w);
}

/* Somebody else who may write the workspace gives the name to a directory with such names. */
Test(commit, what_took_the_place_of_the_staging_directory_stays)
{
	struct world w;
	struct change_set set = { .items = NULL };
	struct err err = ERR_INIT;
	struct commit *cm = NULL;

	world_init(&w);
	world_file(w.up_fd, "new", "new", 0644);
	world_collect(w.up_fd, w.ws_fd, &set);
	cr_assert_eq(begin(&w, &set, 0, &cm, &err), 0, "%s", err.text);
	cr_assert_eq(renameat(w.ws_fd, ".airlock-commit", w.ws_fd, "away"), 0);
	world_dir(w.ws_fd, ".airlock-commit", 0700);
	world_file(w.ws_fd, ".airlock-commit/n0", "mine", 0600);
	commit_close(cm);
	cr_expect_eq(world_mode(w.ws_fd, ".airlock-commit/n0"), (mode_t)(S_IFREG | 0600));
	cr_expect_neq(world_mode(w.commits_fd, call_name), 0u, "recovery tells of it");
	changes_finish(&set);
	world_finish(&w);
}

Test(commit, conflicts_write_nothing)
{
	static const int want[] = {
		[TOUCH_FILE] = -ESTALE,	    [TOUCH_PARENT] = 0,	       [FILE_TO_LINK] = -ESTALE,
		[PARENT_TO_LINK] = -ESTALE, [VANISH] = -ESTALE,	       [CREATED_TOO] = -ESTALE,
		[CREATED_LINK] = -ESTALE,   [STAGING_THERE] = -EEXIST, [PARENT_MOVED] = -ESTALE,
	};

	for (enum meddling how = 0; how < MEDDLING__COUNT; how++) {
		struct change_set set = { .items = NULL };
		struct err err = ERR_INIT;
		struct world w;

		world_init(&w);
		world_file(w.out_fd, "canary", "canary", 0644);
		world_dir(w.ws_fd, "d", 0755);
		world_file(w.ws_fd, "d/f", "old", 0644);
		world_file(w.ws_fd, "first", "old", 0644);
		world_dir(w.up_fd, "d", 0755);
		world_file(w.up_fd, "d/f", "new", 0644);
		world_file(w.up_fd, "d/new", "new", 0644);
		world_file(w.up_fd, "0first", "new", 0644);
		world_collect(w.up_fd, w.ws_fd, &set);
		cr_assert_eq(set.count, 3u);
		meddle(&w, how);
		cr_expect_eq(commit(&w, &set, 0, &err), want[how], "%d: %s", (int)how, err.text);
		if (want[how] != 0) {
			cr_expect_null(world_read(w.ws_fd, "0first"), "%d", (int)how);
		}
		cr_expect_str_eq(world_read(w.out_fd, "canary"), "canary");
		cr_expect_null(world_read(w.out_fd, "f"));
		cr_expect_null(world_read(w.out_fd, "new"));
		if (how != STAGING_THERE) {
			cr_expect_eq(world_mode(w.ws_fd, ".airlock-commit"), 0u);
		}
		changes_finish(&set);
		world_finish(&w);
	}
}

/* What changed before the collection, but after the call began, shows by its ctime alone. */
Test(commit, touched_since_the_start)
{
	static const char *const touched[] = { "d/f", "d/other", "unrelated", NULL };
	static const int want[] = { -ESTALE, -ESTALE, -ESTALE, 0 };

	for (size_t i = 0; i < 4; i++) {
		struct change_set set = { .items = NULL };
		struct err err = ERR_INIT;
		struct stat st;
		struct world w;
		int64_t start;

		world_init(&w);
		world_dir(w.ws_fd, "d", 0755);
		world_file(w.ws_fd, "d/f", "old", 0644);
		world_dir(w.up_fd, "d", 0755);
		world_file(w.up_fd, "d/f", "new", 0644);
		world_file(w.up_fd, "new", "new", 0644);
		cr_assert_eq(fstatat(w.ws_fd, "d/f", &st, 0), 0);
		do { /* the file clock's next tick */
			start = world_now_ns();
		} while (start <
			 (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec + 20000000);
		if (touched[i] != NULL) {
			struct timespec wait = { .tv_nsec = 20000000 };

			nanosleep(&wait, NULL);
			world_file(w.ws_fd, touched[i], "old", 0644);
		}
		world_collect(w.up_fd, w.ws_fd, &set);
		cr_expect_eq(commit(&w, &set, start, &err), want[i], "%zu: %s", i, err.text);
		changes_finish(&set);
		world_finish(&w);
	}
}

/* Read-only directories of the owner, as package caches have them. */
Test(commit, read_only_directories_of_a_plain_user)
{
	struct change_set set = { .items = NULL };
	struct err err = ERR_INIT;
	struct world w;

	world_init_plain(&w);
	world_dir(w.ws_fd, "ro", 0755);
	world_file(w.ws_fd, "ro/f", "old", 0444);
	world_dir(w.ws_fd, "ro/sub", 0755);
	world_file(w.ws_fd, "ro/sub/g", "old", 0444);
	cr_assert_eq(fchmodat(w.ws_fd, "ro/sub", 0555, 0), 0);
	cr_assert_eq(fchmodat(w.ws_fd, "ro", 0555, 0), 0);
	world_dir(w.up_fd, "ro", 0755);
	world_file(w.up_fd, "ro/f", "new", 0000);
	world_file(w.up_fd, "ro/sub", "a file", 0644);
	cr_assert_eq(fchmodat(w.up_fd, "ro", 0555, 0), 0);
	world_dir(w.up_fd, "closed", 0755);
	world_file(w.up_fd, "closed/x", "x", 0600);
	cr_assert_eq(fchmodat(w.up_fd, "closed", 0000, 0), 0);
	world_collect(w.up_fd, w.ws_fd, &set);
	cr_expect_eq(commit(&w, &set, 0, &err), 0, "%s", err.text);
	changes_finish(&set);
	cr_expect_eq(world_mode(w.ws_fd, "ro"), (mode_t)(S_IFDIR | 0555));
	cr_expect_eq(world_mode(w.ws_fd, "ro/f"), (mode_t)(S_IFREG | 0000));
	cr_expect_str_eq(world_read(w.ws_fd, "ro/sub"), "a file");
	cr_expect_eq(world_mode(w.ws_fd, "closed"), (mode_t)(S_IFDIR | 0000));
	cr_expect_eq(world_mode(w.up_fd, "closed"), (mode_t)(S_IFDIR | 0000));
	cr_expect_eq(world_mode(w.up_fd, "ro"), (mode_t)(S_IFDIR | 0555));
	fchmodat(w.ws_fd, "closed", 0755, 0);
	cr_expect_str_eq(world_read(w.ws_fd, "closed/x"), "x");
	fchmodat(w.ws_fd, "ro", 0755, 0);
	fchmodat(w.up_fd, "ro", 0755, 0);
	fchmodat(w.up_fd, "closed", 0755, 0);
	world_finish(&w);
}

/* The upper was altered after the digest was taken: nothing is written. */
Test(commit, bytes_must_hash_to_what_was_listed)
{
	struct change_set set = { .items = NULL };
	struct err err = ERR_INIT;
	struct world w;

	world_init(&w);
	world_file(w.up_fd, "a", "one", 0644);
	world_file(w.up_fd, "b", "one", 0644);
	world_collect(w.up_fd, w.ws_fd, &set);
	world_file(w.up_fd, "b", "two", 0644);
	cr_expect_eq(commit(&w, &set, 0, &err), -ESTALE);
	cr_expect_null(world_read(w.ws_fd, "a"));
	cr_expect_eq(world_mode(w.ws_fd, ".airlock-commit"), 0u);
	changes_finish(&set);
	world_finish(&w);
}

Test(commit, sparse_and_many)
{
	struct world w;
	struct stat st;
	char name[32];
	int fd;

	world_init(&w);
	fd = openat(w.up_fd, "sparse", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	cr_assert_eq(pwrite(fd, "x", 1, 5 << 20), 1);
	cr_assert_eq(ftruncate(fd, 8 << 20), 0);
	close(fd);
	world_dir(w.up_fd, "many", 0755);
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "many/%d", i);
		world_file(w.up_fd, name, name, 0644);
	}
	commit_all(&w, 102);
	cr_expect_eq(fstatat(w.ws_fd, "sparse", &st, 0), 0);
	cr_expect_eq(st.st_size, 8 << 20);
	cr_expect_lt(st.st_blocks, 256);
	cr_expect_str_eq(world_read(w.ws_fd, "many/99"), "many/99");
	world_finish(&w);
}

Test(commit, no_descriptor_is_left)
{
	struct world w;
	int before, after;

	world_init(&w);
	world_dir(w.up_fd, "a", 0755);
	world_file(w.up_fd, "a/b", "x", 0644);
	before = dup(0);
	close(before);
	commit_all(&w, 2);
	after = dup(0);
	close(after);
	cr_expect_eq(after, before);
	world_finish(&w);
}

/* A directory that could not be looked into turns out not to be empty, after a first change was
 * applied: all is taken back. */
Test(commit, broken_off_in_the_middle)
{
	struct change_set set = { .items = NULL };
	struct err err = ERR_INIT;
	struct world w;

	world_init_plain(&w);
	world_dir(w.ws_fd, "closed", 0755);
	world_file(w.ws_fd, "closed/x", "x", 0644);
	cr_assert_eq(fchmodat(w.ws_fd, "closed", 0000, 0), 0);
	world_file(w.ws_fd, "zz", "z", 0644);
	world_file(w.up_fd, "closed", "", 0644);
	world_xattr(w.up_fd, "closed", "user.overlay.whiteout", "");
	world_file(w.up_fd, "zz", "", 0644);
	world_xattr(w.up_fd, "zz", "user.overlay.whiteout", "");
	world_file(w.up_fd, "new", "new", 0644);
	world_collect(w.up_fd, w.ws_fd, &set);
	cr_assert_eq(set.count, 3u);
	cr_expect_eq(commit(&w, &set, 0, &err), -ESTALE);
	cr_expect_str_eq(err.text, "conflict: closed: somebody put something into it");
	cr_expect_str_eq(world_read(w.ws_fd, "zz"), "z");
	cr_expect_null(world_read(w.ws_fd, "new"));
	cr_expect_eq(world_mode(w.ws_fd, "closed"), (mode_t)(S_IFDIR | 0000));
	cr_expect_eq(world_mode(w.ws_fd, ".airlock-commit"), 0u);
	fchmodat(w.ws_fd, "closed", 0755, 0);
	cr_expect_str_eq(world_read(w.ws_fd, "closed/x"), "x");
	changes_finish(&set);
	world_finish(&w);
}

/* A link far above the entry, planted after the collection: the file is never made on its other
 * side. */
Test(commit, planted_link_leads_nowhere)
{
	struct change_set set = { .items = NULL };
	struct err err = ERR_INIT;
	struct world w;

	world_init(&w);
	world_dir(w.out_fd, "e", 0755);
	world_dir(w.ws_fd, "d", 0755);
	world_dir(w.ws_fd, "d/e", 0755);
	world_dir(w.up_fd, "d", 0755);
	world_dir(w.up_fd, "d/e", 0755);
	world_file(w.up_fd, "d/e/new", "new", 0644);
	world_collect(w.up_fd, w.ws_fd, &set);
	cr_assert_eq(set.count, 1u);
	cr_assert_eq(renameat(w.ws_fd, "d", w.ws_fd, "moved"), 0);

	world_link(w.ws_fd, "d", "../out");
	cr_expect_eq(commit(&w, &set, 0, &err), -ESTALE);
	cr_expect_null(world_read(w.out_fd, "e/new"));
	cr_assert_eq(unlinkat(w.ws_fd, "d", 0), 0);
	cr_assert_eq(renameat(w.ws_fd, "moved", w.ws_fd, "d"), 0);
	cr_expect_eq(commit(&w, &set, 0, &err), 0, "%s", err.text);
	cr_expect_str_eq(world_read(w.ws_fd, "d/e/new"), "new");
	changes_finish(&set);
	world_finish(&w);
}

struct damaged {
	const struct world *w;
	int result;
	char text[ERR_TEXT_MAX];
};

static int
recover_damaged(void *arg, struct commit_left *left)
{
	struct damaged *d = arg;
	enum commit_recovered how;
	struct err err = ERR_INIT;
	struct store store = STORE_INIT;
	char path[] = "state";

	store.dir_fd = d->w->dir_fd;
	store.path = path;
	d->result = commit_recover(&store, left, d->w->ws_fd, &how, &err);
	strcpy(d->text, err.text);
	return 0;
}

/* A bit of the rows flipped: what was deleted must not be taken for what was never begun. */
Test(commit, damaged_journal_loses_nothing)
{
	struct change_set set = { .items = NULL };
	struct store store = STORE_INIT;
	struct commit *cm = NULL;
	struct err err = ERR_INIT;
	struct world w;
	struct commit_request req = { .workspace = "/somewhere",
				      .changes = &set,
				      .start_ns = INT64_MAX };
	struct damaged d = { .w = &w };
	uint8_t byte;
	int fd;

	world_init(&w);
	world_file(w.ws_fd, "gone", "precious", 0644);
	world_file(w.up_fd, "gone", "", 0644);
	world_xattr(w.up_fd, "gone", "user.overlay.whiteout", "y");
	world_collect(w.up_fd, w.ws_fd, &set);
	req.upper_fd = w.up_fd;
	req.workspace_fd = w.ws_fd;
	req.commits_fd = w.commits_fd;
	cr_assert_eq(commit_run(&req, &cm, &err), 0, "%s", err.text);
	commit_leave(cm);
	fd = openat(w.commits_fd, "00000000-0000-0000-0000-000000000000", O_RDWR | O_CLOEXEC);
	cr_assert_eq(pread(fd, &byte, 1, 100), 1);
	byte ^= 1;
	cr_assert_eq(pwrite(fd, &byte, 1, 100), 1);
	close(fd);
	store.dir_fd = w.dir_fd;
	cr_assert_eq(commit_each_left(&store, recover_damaged, &d), 0);
	cr_expect_eq(d.result, -EBADMSG);
	cr_expect_str_eq(d.text,
			 "its journal 00000000-0000-0000-0000-000000000000 is damaged: what the "
			 "commit displaced is in .airlock-commit, and `airlock show` says what "
			 "stood where");
	cr_expect_str_eq(world_read(w.ws_fd, ".airlock-commit/d0"), "precious");
	changes_finish(&set);
	world_finish(&w);
}
