/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. Where the store is, and when it is refused. */
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store_temp.h"

#include "../../../launcher/base/limits.h"

Test(store, path_rows)
{
	/* clang-format off */
	static const struct { const char *state, *xdg, *home, *path; int result; } rows[] = {
		{ "/s", "/x", "/h", "/s", 0 },
		{ "/s/", "/x", "/h", "/s", 0 },
		{ "/", "/x", "/h", "/", 0 },
		{ NULL, "/x", "/h", "/x/airlock", 0 },
		{ "", "/x//", "/h", "/x/airlock", 0 },
		{ NULL, NULL, "/h", "/h/.local/state/airlock", 0 },
		{ "", "", "/h/", "/h/.local/state/airlock", 0 },
		{ NULL, NULL, "/", "/.local/state/airlock", 0 },
		{ NULL, NULL, NULL, NULL, -EINVAL },
		{ "", "", "", NULL, -EINVAL },
		{ "s", "/x", "/h", NULL, -EINVAL },
		{ "./s", "/x", "/h", NULL, -EINVAL },
		{ NULL, "x", "/h", NULL, -EINVAL },
		{ NULL, NULL, "h", NULL, -EINVAL },
	};
	/* clang-format on */
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *path = NULL;
		struct err err = ERR_INIT;

		cr_expect_eq(store_path(rows[i].state, rows[i].xdg, rows[i].home, &path, &err),
			     rows[i].result, "row %zu", i);
		cr_expect_eq(err.code, rows[i].result, "row %zu", i);
		if (rows[i].path == NULL) {
			cr_expect_null(path);
		} else {
			cr_expect_str_eq(path, rows[i].path, "row %zu", i);
		}
	}
}

static mode_t
mode_of(const struct temp *t, const char *name)
{
	struct stat st;
	char path[256];

	temp_path(t, name, path);
	cr_assert_eq(stat(path, &st), 0, "%s", path);
	return st.st_mode;
}

Test(store, open_write_makes_the_layout)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct err err = ERR_INIT;
	struct stat st;

	umask(0);
	cr_assert_eq(store_open_write(t.state, &s, &err), 0, "%s", err.text);
	cr_expect_str_eq(s.path, t.state);
	cr_expect_eq(s.journal_number, 1u);
	cr_expect_eq(mode_of(&t, ""), (mode_t)(S_IFDIR | 0700));
	cr_expect_eq(mode_of(&t, "journal"), (mode_t)(S_IFDIR | 0700));
	cr_expect_eq(mode_of(&t, "wf"), (mode_t)(S_IFDIR | 0700));
	cr_expect_eq(mode_of(&t, "journal/0001.log"), (mode_t)(S_IFREG | 0600));
	cr_assert_eq(fstat(s.journal_fd, &st), 0);
	cr_expect_eq(st.st_size, 0);
	cr_expect_geq((uint64_t)st.st_blocks * 512, CAP_JOURNAL_ENTRY + 8);
}

Test(store, open_write_again_takes_the_newest_file)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct err err = ERR_INIT;

	cr_assert_eq(store_open_write(t.state, &s, &err), 0, "%s", err.text);
	store_finish(&s);
	temp_write(&t, "journal/0002.log", "", 0);
	temp_write(&t, "journal/0010.log", "", 0);
	temp_write(&t, "journal/11.log", "", 0);
	temp_write(&t, "journal/00012.log", "", 0);
	temp_write(&t, "journal/0013.log.old", "", 0);
	temp_write(&t, "journal/.new-1", "", 0);
	cr_assert_eq(store_open_write(t.state, &s, &err), 0, "%s", err.text);
	cr_expect_eq(s.journal_number, 10u);
}

Test(store, made_in_a_directory_that_others_made)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct err err = ERR_INIT;

	cr_assert_eq(mkdir(t.state, 0755), 0);
	cr_assert_eq(store_open_write(t.state, &s, &err), 0, "%s", err.text);
	cr_expect_eq(mode_of(&t, ""), (mode_t)(S_IFDIR | 0755));
	cr_expect_eq(mode_of(&t, "journal"), (mode_t)(S_IFDIR | 0700));
}

Test(store, writable_by_others_is_refused)
{
	static const mode_t modes[] = { 0770, 0702, 0777, 01777 };
	auto_temp t = temp_make();

	cr_assert_eq(mkdir(t.state, 0700), 0);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		auto_store s = STORE_INIT;
		struct err err = ERR_INIT;

		cr_assert_eq(chmod(t.state, modes[i]), 0);
		cr_expect_eq(store_open_write(t.state, &s, &err), -EPERM, "mode %04o", modes[i]);
		cr_expect_not_null(strstr(err.text, "can be written by others"), "%s", err.text);
		cr_expect_eq(s.dir_fd, -1);
		cr_expect_eq(temp_exists(&t, "journal"), false);
	}
}

/* Before temp_make: a skipped test cleans nothing up. */
static void
needs_root(void)
{
	if (geteuid() != 0) {
		cr_skip_test("needs root, to mount or to give a directory away");
	}
}

Test(store, anothers_directory_is_refused)
{
	needs_root();

	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct err err = ERR_INIT;

	cr_assert_eq(mkdir(t.state, 0700), 0);
	cr_assert_eq(chown(t.state, 65534, 65534), 0);
	cr_expect_eq(store_open_write(t.state, &s, &err), -EPERM);
	cr_expect_not_null(strstr(err.text, "belongs to uid 65534"), "%s", err.text);
	cr_expect_eq(temp_exists(&t, "journal"), false);
}

Test(store, a_file_in_the_place_is_refused)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct err err = ERR_INIT;
	auto_fd fd = open(t.state, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0);
	close(take_fd(&fd));
	cr_expect_eq(store_open_write(t.state, &s, &err), -ENOTDIR);
	cr_expect_eq(store_open_read(t.state, &s, &err), -ENOTDIR);
}

/* A file system of its own, in a mount namespace that ends with the test's process. */
static void
mount_on_state(const struct temp *t, const char *type, const char *options)
{
	cr_assert_eq(unshare(CLONE_NEWNS), 0);
	cr_assert_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	cr_assert_eq(mkdir(t->state, 0700), 0);
	cr_assert_eq(mount("none", t->state, type, 0, options), 0);
}

Test(store, no_room_is_refused_and_leaves_only_directories)
{
	needs_root();

	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct err err = ERR_INIT;
	struct stat st;
	char path[256];

	mount_on_state(&t, "tmpfs", "size=1024k,mode=700");
	cr_expect_eq(store_open_write(t.state, &s, &err), -ENOSPC);
	cr_expect_not_null(strstr(err.text, "no room for the record"), "%s", err.text);
	cr_expect_eq(temp_exists(&t, "journal/0001.log"), false);
	temp_path(&t, "journal", path);
	cr_expect_eq(rmdir(path), 0, "empty");
	cr_assert_eq(mount(NULL, t.state, NULL, MS_REMOUNT, "size=1200k,mode=700"), 0);
	cr_expect_eq(store_open_write(t.state, &s, &err), 0, "%s", err.text);
	cr_assert_eq(fstat(s.journal_fd, &st), 0);
	cr_expect_geq((uint64_t)st.st_blocks * 512, CAP_JOURNAL_ENTRY + 8);
	store_finish(&s);
	cr_expect_eq(umount2(t.state, MNT_DETACH), 0);
}

Test(store, reserved_room_is_there_when_the_disk_is_full)
{
	needs_root();

	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct err err = ERR_INIT;
	struct journal_pos pos;
	auto_free char *json = malloc(CAP_JOURNAL_ENTRY);
	char path[256];
	int fd;

	cr_assert_not_null(json);
	memset(json, 'x', CAP_JOURNAL_ENTRY);
	mount_on_state(&t, "tmpfs", "size=3m,mode=700");
	cr_assert_eq(store_open_write(t.state, &s, &err), 0, "%s", err.text);
	temp_path(&t, "filler", path);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	cr_assert_geq(fd, 0);
	while (write(fd, json, 4096) == 4096) {
	}
	cr_expect_eq(errno, ENOSPC);
	close(fd);
	cr_expect_eq(journal_append(&s, json, CAP_JOURNAL_ENTRY, &pos, &err), 0, "%s", err.text);
	store_finish(&s);
	cr_expect_eq(store_open_write(t.state, &s, &err), -ENOSPC);
	cr_expect_eq(umount2(t.state, MNT_DETACH), 0);
}

Test(store, read_only_is_refused)
{
	needs_root();

	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct err err = ERR_INIT;

	mount_on_state(&t, "tmpfs", "mode=700");
	cr_assert_eq(mount(NULL, t.state, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	cr_expect_eq(store_open_write(t.state, &s, &err), -EROFS);
	cr_expect_not_null(strstr(err.text, "read-only file system"), "%s", err.text);
	cr_assert_eq(mount(NULL, t.state, NULL, MS_REMOUNT, NULL), 0);
	cr_expect_eq(store_open_write(t.state, &s, &err), 0, "%s", err.text);
	store_finish(&s);
	cr_assert_eq(mount(NULL, t.state, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
	cr_expect_eq(store_open_write(t.state, &s, &err), -EROFS);
	cr_expect_not_null(strstr(err.text, "read-only file system"), "%s", err.text);
	cr_expect_eq(store_open_read(t.state, &s, &err), 0, "%s", err.text);
	store_finish(&s);
	cr_expect_eq(umount2(t.state, MNT_DETACH), 0);
}

/* ramfs knows no fallocate: room is tried by writing, and nothing stays of that. */
Test(store, without_fallocate_room_is_tried)
{
	needs_root();

	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct err err = ERR_INIT;
	struct journal_pos pos;
	char path[256];

	mount_on_state(&t, "ramfs", "mode=700");
	cr_assert_eq(store_open_write(t.state, &s, &err), 0, "%s", err.text);
	cr_expect_eq(journal_append(&s, "{}", 2, &pos, &err), 0, "%s", err.text);
	store_finish(&s);
	temp_path(&t, "journal/0001.log", path);
	cr_expect_eq(unlink(path), 0);
	temp_path(&t, "journal", path);
	cr_expect_eq(rmdir(path), 0, "empty");
	cr_expect_eq(umount2(t.state, MNT_DETACH), 0);
}

Test(store, open_read_needs_a_store)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	auto_store w = STORE_INIT;
	struct err err = ERR_INIT;
	struct journal_pos pos;

	cr_expect_eq(store_open_read(t.state, &s, &err), -ENOENT);
	cr_assert_eq(mkdir(t.state, 0700), 0);
	cr_expect_eq(store_open_read(t.state, &s, &err), -ENOENT);
	cr_expect_not_null(strstr(err.text, "nothing is recorded yet"), "%s", err.text);
	cr_assert_eq(store_open_write(t.state, &w, &err), 0, "%s", err.text);
	cr_expect_eq(store_open_read(t.state, &s, &err), 0, "%s", err.text);
	cr_expect_eq(journal_append(&s, "{}", 2, &pos, &err), -EBADF);
}

/* Removes whatever in scratch nobody holds, until it is killed or nobody is there who would. */
static void __attribute__((noreturn))
sweep(int scratch)
{
	cr_assert_eq(prctl(PR_SET_PDEATHSIG, SIGKILL), 0);
	for (;;) {
		auto_fd fd = openat(scratch, "raced", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd >= 0 && store_scratch_take(scratch, "raced", fd)) {
			ignore_err(unlinkat(scratch, "raced", AT_REMOVEDIR), "it is swept anew");
		}
	}
}

Test(store, a_scratch_directory_is_made_beside_sweeps, .timeout = 60)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct err err = ERR_INIT;
	auto_fd scratch = -1;
	pid_t pids[2];

	cr_assert_eq(store_open_write(t.state, &s, &err), 0, "%s", err.text);
	scratch = store_scratch_open(&s, &err);
	cr_assert_geq(scratch, 0, "%s", err.text);
	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			sweep(scratch);
		}
		cr_assert_gt(pids[i], 0);
	}
	for (int i = 0; i < 5000; i++) {
		auto_fd made = store_scratch_make(&s, scratch, "raced", &err);
		struct stat ours, named;

		cr_assert_geq(made, 0, "%d: %s", i, err.text);
		cr_assert_eq(fstat(made, &ours), 0);
		cr_assert_eq(fstatat(scratch, "raced", &named, 0), 0, "%d", i);
		cr_assert_eq(ours.st_ino, named.st_ino);
		cr_assert_eq(unlinkat(scratch, "raced", AT_REMOVEDIR), 0, "%d", i);
	}
	for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
		kill(pids[i], SIGKILL);
		waitpid(pids[i], NULL, 0);
	}
}

Test(store, a_scratch_directory_is_new_and_locked)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct err err = ERR_INIT;
	auto_fd scratch = -1, made = -1, again = -1;

	cr_assert_eq(store_open_write(t.state, &s, &err), 0, "%s", err.text);
	scratch = store_scratch_open(&s, &err);
	cr_assert_geq(scratch, 0, "%s", err.text);
	made = store_scratch_make(&s, scratch, "d", &err);
	cr_assert_geq(made, 0, "%s", err.text);
	cr_expect_eq(mode_of(&t, "scratch") & 07777, 0700);
	cr_expect_eq(mode_of(&t, "scratch/d") & 07777, 0700);
	again = openat(scratch, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(again, 0);
	cr_expect_eq(store_lock(again, LOCK_SH | LOCK_NB), -EWOULDBLOCK);
	cr_expect_eq(store_scratch_make(&s, scratch, "d", &err), -EEXIST);
	cr_expect_not_null(strstr(err.text, "/scratch/d"), "%s", err.text);
	cleanup_fd(&made);
	made = -1;
	cr_expect_eq(store_lock(again, LOCK_SH | LOCK_NB), 0);
	cleanup_fd(&scratch);
	scratch = store_scratch_open(&s, &err);
	cr_expect_geq(scratch, 0, "%s", err.text);
}
