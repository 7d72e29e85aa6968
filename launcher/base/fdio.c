/* SPDX-License-Identifier: Apache-2.0 */
/* Runs everywhere; no policy, no privileged call. */
#include "fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

int
fdio_write(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return -errno;
		}
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int
fdio_pwrite(int fd, const void *data, size_t len, off_t at)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = pwrite(fd, p, len, at);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return -errno;
		}
		p += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int
fdio_rewrite(int fd, const void *data, size_t len)
{
	struct stat st;
	int rc = fdio_pwrite(fd, data, len, 0);

	if (rc == 0 && (fstat(fd, &st) < 0 ||
			(st.st_size != (off_t)len && ftruncate(fd, (off_t)len) < 0))) {
		rc = -errno;
	}
	return rc;
}

int
fdio_read(int fd, void *data, size_t len)
{
	char *p = data;

	while (len > 0) {
		ssize_t n = read(fd, p, len);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return n < 0 ? -errno : -ENODATA;
		}
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int
fdio_pread(int fd, void *data, size_t len, off_t at)
{
	char *p = data;

	while (len > 0) {
		ssize_t n = pread(fd, p, len, at);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n <= 0) {
			return n < 0 ? -errno : -ENODATA;
		}
		p += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int
fdio_slurp(int fd, size_t max, struct buf *b)
{
	size_t before = b->len;
	char chunk[16384];

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return -errno;
		}
		if (n == 0) {
			return buf_error(b);
		}
		if ((size_t)n > max - (b->len - before)) {
			return -EFBIG;
		}
		buf_put(b, chunk, (size_t)n);
		if (b->failed) {
			return -ENOMEM;
		}
	}
}

int
fdio_slurp_at(int dirfd, const char *path, size_t max, struct buf *b)
{
	auto_fd fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : fdio_slurp(fd, max, b);
}

void
fdio_closedir(DIR **slot)
{
	if (*slot != NULL) {
		closedir(*slot);
	}
}

int
fdio_list_dir(int dirfd, const char *path, int flags, DIR **ret)
{
	auto_fd fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (dir == NULL) {
		return -errno;
	}
	ignore_err(take_fd(&fd), "dir owns it now");
	*ret = dir;
	return 0;
}

int
fdio_slurp_file_at(int dirfd, const char *path, size_t max, struct buf *b)
{
	auto_fd fd = openat(dirfd, path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		return -errno;
	}
	return S_ISREG(st.st_mode) ? fdio_slurp(fd, max, b)
	     : S_ISDIR(st.st_mode) ? -EISDIR
				   : -EINVAL;
}

int
fdio_path(int fd, char ret_path[PATH_MAX])
{
	char link[32];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, ret_path, PATH_MAX);
	if (n < 0 || n == PATH_MAX) {
		return n < 0 ? -errno : -ENAMETOOLONG;
	}
	ret_path[n] = '\0';
	return 0;
}

int
fdio_plug_standard(int input_flags, int output_flags)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		int flags = fd == STDIN_FILENO ? input_flags : output_flags;

		if (fcntl(fd, F_GETFD) < 0 && errno == EBADF) {
			int plug = open("/dev/null", flags | O_CLOEXEC);

			if (plug != fd) {
				return plug < 0 ? -errno : -EBADF;
			}
		}
	}
	return 0;
}

int
fdio_memfd(const char *name, const void *data, size_t len)
{
	auto_fd fd = memfd_create(name, MFD_CLOEXEC);
	int rc = fd < 0 ? -errno : fdio_write(fd, data, len);

	if (rc == 0 && lseek(fd, 0, SEEK_SET) < 0) {
		rc = -errno;
	}
	return rc == 0 ? take_fd(&fd) : rc;
}

int
fdio_open_dir(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int
fdio_make_dir(int dirfd, const char *name)
{
	if (mkdirat(dirfd, name, 0700) < 0 && errno != EEXIST) {
		return -errno;
	}
	return fdio_open_dir(dirfd, name);
}

int
fdio_mkdirs(const char *path, mode_t mode)
{
	auto_free char *copy = strdup(path);

	if (copy == NULL) {
		return -ENOMEM;
	}
	for (char *p = copy + 1;; p++) {
		char kept = *p;

		if (kept != '/' && kept != '\0') {
			continue;
		}
		*p = '\0';
		if (mkdir(copy, mode) < 0 && errno != EEXIST) {
			return -errno;
		}
		if (kept == '\0') {
			return 0;
		}
		*p = kept;
	}
}

/* The directory that path is in, below dirfd. */
static int
open_parent(int dirfd, const char *path)
{
	const char *slash = strrchr(path, '/');
	auto_free char *parent =
		slash != NULL ? strndup(path, (size_t)(slash - path)) : strdup(".");
	int fd;

	if (parent == NULL) {
		return -ENOMEM;
	}
	fd = openat(dirfd, parent[0] != '\0' ? parent : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int
fdio_replace_at(int dirfd, const char *path, const void *data, size_t len, mode_t mode)
{
	const char *slash = strrchr(path, '/'), *name = slash != NULL ? slash + 1 : path;
	auto_fd parent = open_parent(dirfd, path);
	auto_buf unfinished = BUF_INIT;
	auto_fd fd = -1;
	int r;

	if (parent < 0) {
		return parent;
	}
	buf_printf(&unfinished, "%s.new", name);
	if (buf_error(&unfinished) != 0) {
		return -ENOMEM;
	}
	/* A crash may have left one, of any mode. */
	if (unlinkat(parent, buf_text(&unfinished), 0) < 0 && errno != ENOENT) {
		return -errno;
	}
	fd = openat(parent, buf_text(&unfinished), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	r = fd < 0 ? -errno : fdio_write(fd, data, len);
	if (r == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0 ||
		       renameat(parent, buf_text(&unfinished), parent, name) < 0)) {
		r = -errno;
	}
	if (r < 0) {
		if (fd >= 0) {
			ignore_err(unlinkat(parent, buf_text(&unfinished), 0),
				   "the first failure is returned");
		}
		return r;
	}
	return fsync(parent) < 0 ? -errno : 0;
}

int
fdio_update_at(int dirfd, const char *path, const void *data, size_t len, mode_t mode)
{
	auto_buf there = BUF_INIT;

	if (fdio_slurp_file_at(dirfd, path, len, &there) == 0 && there.len == len &&
	    memcmp(buf_text(&there), data, len) == 0) {
		return 0;
	}
	return fdio_replace_at(dirfd, path, data, len, mode);
}

/* The file of these bytes in the place of name; what stops in the middle leaves no other name. */
static int
replace_beside(int parent, const char *name, const void *data, size_t len)
{
	char unfinished[32], hex[17];
	uint8_t random[8];
	auto_fd fd = -1;
	int r;

	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
		return -EIO;
	}
	text_hex(random, sizeof(random), hex);
	snprintf(unfinished, sizeof(unfinished), ".airlock-%s", hex);
	fd = openat(parent, unfinished, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0) {
		return -errno;
	}
	r = fdio_write(fd, data, len);
	if (r == 0 && (fsync(fd) < 0 || renameat(parent, unfinished, parent, name) < 0)) {
		r = -errno;
	}
	if (r < 0) {
		ignore_err(unlinkat(parent, unfinished, 0), "the first failure is returned");
		return r;
	}
	return fsync(parent) < 0 ? -errno : 0;
}

int
fdio_write_path(const char *path, const void *data, size_t len)
{
	const char *slash = strrchr(path, '/');
	auto_fd fd = -1;
	struct stat st;

	if (lstat(path, &st) < 0) {
		st.st_mode = S_IFREG; /* what stands against it says opening its directory */
	}
	if (S_ISLNK(st.st_mode)) {
		return -ELOOP;
	}
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
		fd = open_parent(AT_FDCWD, path);
		return fd < 0 ? fd
			      : replace_beside(fd, slash != NULL ? slash + 1 : path, data, len);
	}
	fd = open(path, O_WRONLY | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? -errno : fdio_write(fd, data, len);
}
