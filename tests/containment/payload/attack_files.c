/* SPDX-License-Identifier: Apache-2.0 */
/* Acts on paths. Runs inside and outside, see attack.h. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "attack.h"

#ifndef RENAME_WHITEOUT
#define RENAME_EXCHANGE 2
#define RENAME_WHITEOUT 4
#endif

static void
open_and_report(const char *line, const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0644);

	report(line, fd);
	if (fd >= 0) {
		close(fd);
	}
}

/* Reads a byte: "ok", "empty", or what open or read said. */
static void
act_read(const char *line, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char byte;
	ssize_t n = fd < 0 ? -1 : read(fd, &byte, 1);

	if (n == 0) {
		report_text(line, "empty");
	} else {
		report(line, n);
	}
	if (fd >= 0) {
		close(fd);
	}
}

static void
act_cat(const char *line, const char *path)
{
	char text[512] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n < 0) {
		report(line, n);
		return;
	}
	for (ssize_t i = 0; i < n; i++) {
		text[i] = text[i] == '\0' || text[i] == '\n' ? ' ' : text[i];
	}
	while (n > 0 && text[n - 1] == ' ') {
		n--;
	}
	text[n] = '\0';
	report_text(line, text);
	close(fd);
}

static void
act_open(const char *line, const char *path)
{
	open_and_report(line, path, O_RDONLY);
}

static void
act_write(const char *line, const char *path)
{
	open_and_report(line, path, O_WRONLY);
}

static void
act_truncate(const char *line, const char *path)
{
	open_and_report(line, path, O_WRONLY | O_TRUNC);
}

static void
act_create(const char *line, const char *path)
{
	open_and_report(line, path, O_WRONLY | O_CREAT | O_EXCL);
}

/* Writes "x" as a control file would take it: what open, else what write says. PATH,TEXT */
static void
act_put(const char *line, const char *argument)
{
	const char *text;
	const char *path = cut(argument, &text);
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	report(line, fd < 0 ? -1 : write(fd, text, strlen(text)));
	if (fd >= 0) {
		close(fd);
	}
}

/* Appends, making the file: for what the workspace should show afterwards. PATH,TEXT */
static void
act_append(const char *line, const char *argument)
{
	const char *text;
	const char *path = cut(argument, &text);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	report(line, fd < 0 ? -1 : write(fd, text, strlen(text)));
	if (fd >= 0) {
		close(fd);
	}
}

static void
act_mkdir(const char *line, const char *path)
{
	report(line, mkdir(path, 0755));
}

static void
act_unlink(const char *line, const char *path)
{
	report(line, unlink(path));
}

static void
act_rmdir(const char *line, const char *path)
{
	report(line, rmdir(path));
}

static void
act_chmod(const char *line, const char *path)
{
	report(line, chmod(path, 0755));
}

static void
act_setuid_bit(const char *line, const char *path)
{
	report(line, chmod(path, 06755));
}

static void
act_utimes(const char *line, const char *path)
{
	report(line, utimensat(AT_FDCWD, path, NULL, 0));
}

static void
act_readlink(const char *line, const char *path)
{
	char target[4096];

	report(line, readlink(path, target, sizeof(target)));
}

static void
act_symlink(const char *line, const char *argument)
{
	const char *to;
	const char *from = cut(argument, &to);

	report(line, symlink(from, to));
}

static void
act_link(const char *line, const char *argument)
{
	const char *to;
	const char *from = cut(argument, &to);

	report(line, link(from, to));
}

static void
act_rename(const char *line, const char *argument)
{
	const char *to;
	const char *from = cut(argument, &to);

	report(line, rename(from, to));
}

static void
act_exchange(const char *line, const char *argument)
{
	const char *to;
	const char *from = cut(argument, &to);

	report(line, syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, RENAME_EXCHANGE));
}

static void
act_rename_whiteout(const char *line, const char *argument)
{
	const char *to;
	const char *from = cut(argument, &to);

	report(line, syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, RENAME_WHITEOUT));
}

static void
act_mkwhiteout(const char *line, const char *path)
{
	report(line, mknod(path, S_IFCHR | 0600, makedev(0, 0)));
}

static void
act_mkdevice(const char *line, const char *path)
{
	report(line, mknod(path, S_IFBLK | 0600, makedev(8, 0)));
}

static void
act_mkfifo(const char *line, const char *path)
{
	report(line, mknod(path, S_IFIFO | 0600, 0));
}

/* PATH,NAME,VALUE */
static void
act_setxattr(const char *line, const char *argument)
{
	const char *rest, *value;
	const char *path = cut(argument, &rest);
	const char *name = cut(rest, &value);

	report(line, lsetxattr(path, name, value, strlen(value), 0));
}

/* PATH,NAME */
static void
act_getxattr(const char *line, const char *argument)
{
	const char *name;
	const char *path = cut(argument, &name);
	char value[256] = "";
	ssize_t n = lgetxattr(path, name, value, sizeof(value) - 1);

	if (n < 0) {
		report(line, n);
	} else {
		report_text(line, value);
	}
}

/* Writable shared memory of a file that was opened for reading only, then as it comes. */
static void
act_mmap(const char *line, const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *p;

	if (fd < 0) {
		report(line, -1);
		return;
	}
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	report(line, p == MAP_FAILED ? -1 : 0);
	close(fd);
}

/* SOURCE,DESTINATION: makes the second share the first's blocks. */
static void
act_clone(const char *line, const char *argument)
{
	const char *to;
	const char *from = cut(argument, &to);
	int source = open(from, O_RDONLY | O_CLOEXEC);
	int fd = source < 0 ? -1 : open(to, O_WRONLY | O_CLOEXEC);

	report(line, fd < 0 ? -1 : ioctl(fd, FICLONE, source));
	close(fd);
	close(source);
}

/* A hole in what was opened for reading only. */
static void
act_fallocate(const char *line, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	report(line, fd < 0 ? -1 : fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1));
	if (fd >= 0) {
		close(fd);
	}
}

static void
act_setflags(const char *line, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int flags = 0;
	int rc = fd < 0 ? -1 : ioctl(fd, FS_IOC_GETFLAGS, &flags);

	flags |= FS_NODUMP_FL;
	report(line, rc < 0 ? -1 : ioctl(fd, FS_IOC_SETFLAGS, &flags));
	if (fd >= 0) {
		close(fd);
	}
}

/* Entries of a directory, sorted, with blanks between: exact, so that a new one is seen. */
static void
act_list(const char *line, const char *path)
{
	struct dirent **entries = NULL;
	int n = scandir(path, &entries, NULL, alphasort);
	char text[4096] = "";
	size_t used = 0;

	if (n < 0) {
		report(line, -1);
		return;
	}
	for (int i = 0; i < n; i++) {
		const char *name = entries[i]->d_name;

		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
		    used + strlen(name) + 2 < sizeof(text)) {
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
						 used > 0 ? " " : "", name);
		}
		free(entries[i]);
	}
	free(entries);
	report_text(line, text);
}

/* TARGET: from the descriptor of an open directory upwards, as far as it goes. */
static void
act_climb(const char *line, const char *path)
{
	int fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (int i = 0; i < 64 && fd >= 0; i++) {
		int up = openat(fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		close(fd);
		fd = up;
	}
	report(line, fd < 0 ? -1 : openat(fd, path + strspn(path, "/"), O_RDONLY | O_CLOEXEC));
	close(fd);
}

/* By handle: names a file, then opens it past every path. */
static void
act_handle(const char *line, const char *path)
{
	struct {
		struct file_handle head;
		unsigned char bytes[128];
	} handle = { .head = { .handle_bytes = 128 } };
	int mount_id;
	int at = open(path, O_RDONLY | O_CLOEXEC); /* any descriptor on its mount */

	if (name_to_handle_at(AT_FDCWD, path, &handle.head, &mount_id, 0) < 0) {
		report(line, -1);
	} else {
		report(line, open_by_handle_at(at, &handle.head, O_RDONLY));
	}
	close(at);
}

/* COUNT: directories one in another. */
static void
act_deep(const char *line, const char *argument)
{
	long count = strtol(argument, NULL, 10);
	int rc = 0;

	for (long i = 0; i < count && rc == 0; i++) {
		rc = mkdir("d", 0755) < 0 ? -1 : chdir("d");
	}
	report(line, rc);
}

/* BYTES into PATH, a MiB at a time: ok or what stopped it. PATH,MIB */
static void
act_fill(const char *line, const char *argument)
{
	static char mib[1 << 20];
	const char *count;
	const char *path = cut(argument, &count);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ssize_t n = fd < 0 ? -1 : 0;

	memset(mib, 'x', sizeof(mib));
	for (long i = strtol(count, NULL, 10); i > 0 && n >= 0; i--) {
		n = write(fd, mib, sizeof(mib));
	}
	report(line, n);
}

/* DIRECTORY,COUNT: empty files. */
static void
act_inodes(const char *line, const char *argument)
{
	const char *count;
	const char *dir = cut(argument, &count);
	int fd = 0;

	for (long i = strtol(count, NULL, 10); i > 0 && fd >= 0; i--) {
		char path[512];

		snprintf(path, sizeof(path), "%.400s/i%ld", dir, i);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		if (fd > 0) {
			close(fd);
		}
	}
	report(line, fd);
}

/* A hole as large as the file system takes: PATH. */
static void
act_sparse(const char *line, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	int rc = -1;

	for (int bits = 62; bits > 30 && rc < 0; bits--) {
		rc = fd < 0 ? -1 : ftruncate(fd, (off_t)1 << bits);
	}
	report(line, rc);
}

const struct act acts_files[] = {
	/* clang-format off */
	{ "append", act_append },
	{ "cat", act_cat },
	{ "chmod", act_chmod },
	{ "climb", act_climb },
	{ "clone", act_clone },
	{ "create", act_create },
	{ "deep", act_deep },
	{ "exchange", act_exchange },
	{ "fallocate", act_fallocate },
	{ "fill", act_fill },
	{ "getxattr", act_getxattr },
	{ "handle", act_handle },
	{ "inodes", act_inodes },
	{ "link", act_link },
	{ "list", act_list },
	{ "mkdevice", act_mkdevice },
	{ "mkdir", act_mkdir },
	{ "mkfifo", act_mkfifo },
	{ "mkwhiteout", act_mkwhiteout },
	{ "mmap", act_mmap },
	{ "open", act_open },
	{ "put", act_put },
	{ "read", act_read },
	{ "readlink", act_readlink },
	{ "rename", act_rename },
	{ "rename-whiteout", act_rename_whiteout },
	{ "rmdir", act_rmdir },
	{ "setflags", act_setflags },
	{ "setuid-bit", act_setuid_bit },
	{ "setxattr", act_setxattr },
	{ "sparse", act_sparse },
	{ "symlink", act_symlink },
	{ "truncate", act_truncate },
	{ "unlink", act_unlink },
	{ "utimes", act_utimes },
	{ "write", act_write },
	{ NULL, NULL },
	/* clang-format on */
};
