/* SPDX-License-Identifier: Apache-2.0 */
/* Runs where values of credentials are: airlock-cli and airlock-credd, as the caller. */
#include "locked.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys.h"

/* Of a descriptor that nothing but the mapping keeps. It is locked by what it is. */
static void *
map_secret(size_t size)
{
	auto_fd fd = sys_memfd_secret();

	if (fd < 0 || ftruncate(fd, (off_t)size) < 0) {
		return MAP_FAILED;
	}
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
}

int
locked_init(struct locked *ret, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t whole = (size + page - 1) / page * page;
	void *data = map_secret(whole);
	bool is_secret = data != MAP_FAILED;
	int rc;

	if (!is_secret) {
		data = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			    0);
	}
	if (data == MAP_FAILED) {
		return -errno;
	}
	if ((!is_secret && (mlock(data, whole) < 0 || madvise(data, whole, MADV_DONTDUMP) < 0)) ||
	    madvise(data, whole, MADV_DONTFORK) < 0) {
		rc = -errno;
		munmap(data, whole);
		return rc;
	}
	*ret = (struct locked){ .data = data, .size = whole };
	return 0;
}

int
locked_share(struct locked *ret, size_t size, int *ret_fd)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t whole = (size + page - 1) / page * page;
	auto_fd fd = sys_memfd_secret();
	bool is_secret = fd >= 0;
	void *data;

	fd = is_secret ? fd : memfd_create("values", MFD_CLOEXEC);
	if (fd < 0 || ftruncate(fd, (off_t)whole) < 0) {
		return -errno;
	}
	data = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED) {
		return -errno;
	}
	if ((!is_secret && mlock(data, whole) < 0) || madvise(data, whole, MADV_DONTFORK) < 0) {
		int rc = -errno;

		munmap(data, whole);
		return rc;
	}
	*ret = (struct locked){ .data = data, .size = whole };
	*ret_fd = take_fd(&fd);
	return 0;
}

int
locked_map(int fd, struct locked *ret)
{
	struct stat st;
	void *data;

	if (fstat(fd, &st) < 0 || st.st_size <= 0) {
		return -EBADF;
	}
	data = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (data == MAP_FAILED) {
		return -errno;
	}
	*ret = (struct locked){ .data = data, .size = (size_t)st.st_size };
	return 0;
}

void
locked_finish(struct locked *l)
{
	if (l->data != NULL) {
		explicit_bzero(l->data, l->size);
		munmap(l->data, l->size);
	}
	*l = (struct locked)LOCKED_INIT;
}
