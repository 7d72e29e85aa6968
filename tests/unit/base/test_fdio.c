/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. Whole reads and writes. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../launcher/base/fdio.h"
#include "../scratch.h"

static void
make_dir(char *template)
{
	cr_assert_not_null(mkdtemp(template));
}

static int
new_file(const char *dir)
{
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0);
	return fd;
}

Test(fdio, write_and_read_whole)
{
	char dir[] = "/tmp/airlock-test-XXXXXX", back[8] = "";
	auto_fd fd = -1;

	make_dir(dir);
	fd = new_file(dir);
	cr_expect_eq(fdio_write(fd, "abcdef", 6), 0);
	cr_expect_eq(fdio_pwrite(fd, "XY", 2, 2), 0);
	cr_expect_eq(fdio_pread(fd, back, 6, 0), 0);
	cr_expect_str_eq(back, "abXYef");
	cr_assert_eq(lseek(fd, 1, SEEK_SET), 1);
	memset(back, 0, sizeof(back));
	cr_expect_eq(fdio_read(fd, back, 3), 0);
	cr_expect_str_eq(back, "bXY");
	cr_expect_eq(rmdir(dir), 0);
}

Test(fdio, short_file_is_no_data)
{
	char dir[] = "/tmp/airlock-test-XXXXXX", back[8];
	auto_fd fd = -1;

	make_dir(dir);
	fd = new_file(dir);
	cr_assert_eq(fdio_write(fd, "abc", 3), 0);
	cr_expect_eq(fdio_pread(fd, back, 4, 0), -ENODATA);
	cr_expect_eq(fdio_pread(fd, back, 1, 3), -ENODATA);
	cr_expect_eq(fdio_read(fd, back, 1), -ENODATA);
	cr_expect_eq(fdio_pread(fd, back, 0, 3), 0);
	cr_expect_eq(rmdir(dir), 0);
}

Test(fdio, errors_are_named)
{
	char c = 0;
	auto_buf b = BUF_INIT;
	auto_fd fd = open("/dev/full", O_RDWR | O_CLOEXEC);

	cr_assert_geq(fd, 0);
	cr_expect_eq(fdio_write(fd, "x", 1), -ENOSPC);
	cr_expect_eq(fdio_write(-1, "x", 1), -EBADF);
	cr_expect_eq(fdio_pwrite(-1, "x", 1, 0), -EBADF);
	cr_expect_eq(fdio_read(-1, &c, 1), -EBADF);
	cr_expect_eq(fdio_pread(-1, &c, 1, 0), -EBADF);
	cr_expect_eq(fdio_slurp(-1, 1, &b), -EBADF);
	cr_expect_eq(fdio_slurp_at(AT_FDCWD, "/no/such/file", 1, &b), -ENOENT);
}

/* A pipe gives what it has: reads must be put together. */
Test(fdio, pipe_is_read_whole)
{
	int fds[2];
	char back[7] = "";
	auto_buf b = BUF_INIT;

	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	cr_assert_eq(fdio_write(fds[1], "abcdefgh", 8), 0);
	close(fds[1]);
	cr_expect_eq(fdio_read(fds[0], back, 6), 0);
	cr_expect_str_eq(back, "abcdef");
	cr_expect_eq(fdio_slurp(fds[0], 2, &b), 0);
	cr_expect_str_eq(buf_text(&b), "gh");
	close(fds[0]);
}

Test(fdio, slurp_caps_at_max_and_appends)
{
	char dir[] = "/tmp/airlock-test-XXXXXX", path[64];
	auto_free char *data = malloc(40000);
	auto_buf b = BUF_INIT;
	auto_fd dirfd = -1;
	auto_fd fd = -1;
	unsigned int fds;

	make_dir(dir);
	snprintf(path, sizeof(path), "%s/f", dir);
	cr_assert_not_null(data);
	memset(data, 'z', 40000);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	cr_assert_eq(fdio_write(fd, data, 40000), 0);
	dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fds = scratch_count_fds();
	buf_puts(&b, "before");
	cr_expect_eq(fdio_slurp_at(dirfd, "f", 40000, &b), 0);
	cr_expect_eq(b.len, 40006u);
	cr_expect_eq(memcmp(b.data + 6, data, 40000), 0);
	buf_reset(&b);
	cr_expect_eq(fdio_slurp_at(dirfd, "f", 39999, &b), -EFBIG);
	cr_expect_eq(scratch_count_fds(), fds);
	cr_expect_eq(unlink(path), 0);
	cr_expect_eq(rmdir(dir), 0);
}

Test(fdio, mkdirs_makes_what_is_absent)
{
	char dir[] = "/tmp/airlock-test-XXXXXX", path[64], file[64];
	struct stat st;

	make_dir(dir);
	umask(0);
	snprintf(path, sizeof(path), "%s/a/b", dir);
	cr_expect_eq(fdio_mkdirs(path, 0700), 0);
	cr_expect_eq(fdio_mkdirs(path, 0755), 0);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode, (mode_t)(S_IFDIR | 0700));
	snprintf(file, sizeof(file), "%s/a/b/f", dir);
	close(open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	snprintf(path, sizeof(path), "%s/a/b/f/c", dir);
	cr_expect_eq(fdio_mkdirs(path, 0700), -ENOTDIR);
	unlink(file);
	snprintf(path, sizeof(path), "%s/a/b", dir);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/a", dir);
	rmdir(path);
	cr_expect_eq(rmdir(dir), 0);
}

Test(fdio, path_has_no_links_and_is_where_the_file_is_now)
{
	char dir[] = "/tmp/airlock-test-XXXXXX", name[64], link[64], real[PATH_MAX], path[PATH_MAX];
	int fd;

	make_dir(dir);
	cr_assert_not_null(realpath(dir, real));
	snprintf(name, sizeof(name), "%s/d", dir);
	snprintf(link, sizeof(link), "%s/link", dir);
	cr_assert_eq(mkdir(name, 0700), 0);
	cr_assert_eq(symlink("d", link), 0);
	fd = open(link, O_PATH | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	cr_assert_eq(fdio_path(fd, path), 0);
	cr_expect_eq(strncmp(path, real, strlen(real)), 0);
	cr_expect_str_eq(path + strlen(real), "/d");
	cr_expect_eq(unlink(link), 0);
	cr_expect_eq(rename(name, link), 0);
	cr_assert_eq(fdio_path(fd, path), 0);
	cr_expect_str_eq(path + strlen(real), "/link");
	close(fd);
	cr_expect_eq(fdio_path(fd, path), -ENOENT);
	cr_expect_eq(rmdir(link), 0);
	cr_expect_eq(rmdir(dir), 0);
}

Test(fdio, a_file_in_memory_is_at_its_start)
{
	char bytes[4];
	int fd = fdio_memfd("name", "abc", 3);

	cr_assert_geq(fd, 0);
	cr_expect_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	cr_expect_eq(read(fd, bytes, sizeof(bytes)), 3);
	cr_expect_eq(memcmp(bytes, "abc", 3), 0);
	close(fd);
	fd = fdio_memfd("name", "", 0);
	cr_assert_geq(fd, 0);
	cr_expect_eq(read(fd, bytes, sizeof(bytes)), 0);
	close(fd);
}

Test(fdio, a_directory_is_opened_never_through_a_link_and_made_where_it_is_missing)
{
	char dir[] = "/tmp/airlock-test-XXXXXX";
	struct stat st;
	int parent, fd;

	make_dir(dir);
	parent = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(parent, 0);
	cr_expect_eq(fdio_open_dir(parent, "d"), -ENOENT);
	fd = fdio_make_dir(parent, "d");
	cr_assert_geq(fd, 0);
	cr_assert_eq(fstat(fd, &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0700);
	cr_expect_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	for (int i = 0; i < 2; i++) {
		fd = i == 0 ? fdio_open_dir(parent, "d") : fdio_make_dir(parent, "d");
		cr_expect_geq(fd, 0);
		close(fd);
	}
	cr_assert_eq(symlinkat("d", parent, "link"), 0);
	cr_expect_eq(fdio_open_dir(parent, "link"), -ENOTDIR);
	cr_expect_eq(fdio_make_dir(parent, "link"), -ENOTDIR);
	cr_expect_eq(fdio_make_dir(parent, "no/d"), -ENOENT);
	cr_expect_eq(unlinkat(parent, "link", 0), 0);
	cr_expect_eq(unlinkat(parent, "d", AT_REMOVEDIR), 0);
	close(parent);
	cr_expect_eq(rmdir(dir), 0);
}

static void
expect_content(int dir, const char *path, const char *want)
{
	auto_buf got = BUF_INIT;

	cr_assert_eq(fdio_slurp_at(dir, path, 64, &got), 0);
	cr_expect_str_eq(buf_text(&got), want);
}

Test(fdio, slurps_a_regular_file_and_waits_for_nothing_else)
{
	char dir[] = "/tmp/airlock-test-XXXXXX";
	auto_buf got = BUF_INIT;
	auto_fd fd = -1;

	make_dir(dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(fdio_replace_at(fd, "a", "one", 3, 0600), 0);
	cr_assert_eq(symlinkat("a", fd, "link"), 0);
	cr_assert_eq(mkfifoat(fd, "fifo", 0600), 0);
	cr_expect_eq(fdio_slurp_file_at(fd, "link", 3, &got), 0);
	cr_expect_str_eq(buf_text(&got), "one");
	cr_expect_eq(fdio_slurp_file_at(fd, "a", 2, &got), -EFBIG);
	cr_expect_eq(fdio_slurp_file_at(fd, "fifo", 3, &got), -EINVAL);
	cr_expect_eq(fdio_slurp_file_at(fd, ".", 3, &got), -EISDIR);
	cr_expect_eq(fdio_slurp_file_at(fd, "none", 3, &got), -ENOENT);
	cr_expect_eq(unlinkat(fd, "a", 0), 0);
	cr_expect_eq(unlinkat(fd, "link", 0), 0);
	cr_expect_eq(unlinkat(fd, "fifo", 0), 0);
	cr_expect_eq(rmdir(dir), 0);
}

Test(fdio, writes_to_a_path_and_touches_nothing_beside_it)
{
	char dir[] = "/tmp/airlock-test-XXXXXX", path[64], name[300], got[8] = "";
	auto_fd fd = -1, fifo = -1;
	struct stat st;

	make_dir(dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(fchdir(fd), 0);
	umask(0027);
	cr_assert_eq(fdio_replace_at(fd, "a.new", "mine", 4, 0600), 0);
	cr_expect_eq(fdio_write_path("a", "one", 3), 0);
	snprintf(path, sizeof(path), "%s/a", dir);
	cr_expect_eq(fdio_write_path(path, "two", 3), 0);
	expect_content(fd, "a", "two");
	expect_content(fd, "a.new", "mine");
	cr_assert_eq(stat("a", &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0640);
	/* as long as a name can be */
	memset(name, 'n', 255);
	name[255] = '\0';
	cr_expect_eq(fdio_write_path(name, "three", 5), 0);
	cr_expect_eq(unlink(name), 0);
	/* what is no file stays what it is */
	cr_assert_eq(mkfifo("fifo", 0600), 0);
	fifo = open("fifo", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	cr_expect_eq(fdio_write_path("fifo", "four", 4), 0);
	cr_expect_eq(read(fifo, got, sizeof(got)), 4);
	cr_expect_str_eq(got, "four");
	cr_assert_eq(lstat("fifo", &st), 0);
	cr_expect(S_ISFIFO(st.st_mode));
	cr_assert_eq(symlink("a", "link"), 0);
	cr_expect_eq(fdio_write_path("link", "five", 4), -ELOOP);
	expect_content(fd, "a", "two");
	cr_expect_eq(fdio_write_path(dir, "x", 1), -EISDIR);
	cr_expect_eq(fdio_write_path("none/a", "x", 1), -ENOENT);
	cr_expect_eq(fdio_write_path("", "x", 1), -ENOENT);
	/* and nothing else is left */
	cr_expect_eq(unlink("a"), 0);
	cr_expect_eq(unlink("a.new"), 0);
	cr_expect_eq(unlink("fifo"), 0);
	cr_expect_eq(unlink("link"), 0);
	cr_expect_eq(rmdir(dir), 0);
}

Test(fdio, replaces_a_file_whole_or_not_at_all)
{
	char dir[] = "/tmp/airlock-test-XXXXXX";
	auto_fd fd = -1;
	struct stat st;

	make_dir(dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(mkdirat(fd, "sub", 0700), 0);
	cr_expect_eq(fdio_replace_at(fd, "sub/a", "one", 3, 0600), 0);
	expect_content(fd, "sub/a", "one");
	umask(0077);
	cr_expect_eq(fdio_replace_at(fd, "sub/a", "two!", 4, 0644), 0);
	expect_content(fd, "sub/a", "two!");
	cr_assert_eq(fstatat(fd, "sub/a", &st, 0), 0);
	cr_expect_eq(st.st_mode & 07777, 0644);
	/* What cannot be replaced stays, and nothing else is left. */
	cr_assert_eq(mkdirat(fd, "sub/full", 0700), 0);
	cr_expect_eq(fdio_replace_at(fd, "sub/full", "x", 1, 0600), -EISDIR);
	cr_expect_eq(faccessat(fd, "sub/full.new", F_OK, 0), -1);
	cr_expect_eq(fdio_replace_at(fd, "none/a", "x", 1, 0600), -ENOENT);
	/* An unfinished one of a crash is no obstacle. */
	cr_assert_eq(symlinkat("elsewhere", fd, "b.new"), 0);
	cr_expect_eq(fdio_replace_at(fd, "b", "three", 5, 0600), 0);
	expect_content(fd, "b", "three");
	cr_expect_eq(faccessat(fd, "elsewhere", F_OK, 0), -1);
	cr_expect_eq(unlinkat(fd, "b", 0), 0);
	cr_expect_eq(unlinkat(fd, "sub/a", 0), 0);
	cr_expect_eq(unlinkat(fd, "sub/full", AT_REMOVEDIR), 0);
	cr_expect_eq(unlinkat(fd, "sub", AT_REMOVEDIR), 0);
	cr_expect_eq(rmdir(dir), 0);
}

Test(fdio, writes_what_is_there_already_not_again)
{
	char dir[] = "/tmp/airlock-test-XXXXXX";
	auto_fd fd = -1;
	struct stat st, again;

	make_dir(dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_expect_eq(fdio_update_at(fd, "a", "one", 3, 0600), 0);
	cr_assert_eq(fstatat(fd, "a", &st, 0), 0);
	cr_expect_eq(fdio_update_at(fd, "a", "one", 3, 0600), 0);
	cr_assert_eq(fstatat(fd, "a", &again, 0), 0);
	cr_expect_eq(again.st_ino, st.st_ino);
	/* Shorter, longer, other bytes. */
	cr_expect_eq(fdio_update_at(fd, "a", "on", 2, 0600), 0);
	expect_content(fd, "a", "on");
	cr_expect_eq(fdio_update_at(fd, "a", "only", 4, 0600), 0);
	expect_content(fd, "a", "only");
	cr_expect_eq(fdio_update_at(fd, "a", "orly", 4, 0600), 0);
	expect_content(fd, "a", "orly");
	cr_expect_eq(unlinkat(fd, "a", 0), 0);
	cr_expect_eq(rmdir(dir), 0);
}

Test(fdio, opens_a_directory_to_read_and_no_link_when_told_so)
{
	char dir[] = "/tmp/airlock-test-XXXXXX";
	auto_dir there = NULL;
	auto_dir linked = NULL;
	auto_dir none = NULL;
	auto_fd fd = -1;

	make_dir(dir);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(mkdirat(fd, "sub", 0700), 0);
	cr_assert_eq(symlinkat("sub", fd, "link"), 0);
	cr_expect_eq(fdio_list_dir(fd, "sub", O_NOFOLLOW, &there), 0);
	cr_expect_neq(dirfd(there), fd);
	cr_expect_eq(fdio_list_dir(fd, "link", 0, &linked), 0);
	cr_expect_eq(fdio_list_dir(fd, "link", O_NOFOLLOW, &none), -ENOTDIR);
	cr_expect_eq(fdio_list_dir(fd, "none", 0, &none), -ENOENT);
	cr_expect_null(none);
	cr_expect_eq(unlinkat(fd, "link", 0), 0);
	cr_expect_eq(unlinkat(fd, "sub", AT_REMOVEDIR), 0);
	cr_expect_eq(rmdir(dir), 0);
}
