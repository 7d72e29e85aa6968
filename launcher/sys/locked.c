/* SPDX-License-Identifier: Apache-2.0 */
/* Runs where values of credentials are: airlock-cli, airlock-credd and the front, as the caller. */
#include "locked.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys.h"

/* All that fd has. Memory of memfd_secret is locked, and hidden from dumps, by what it is. */
static int
map(int fd, size_t size, bool lock, bool hide, struct locked *ret)
{
	void *data = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (data == MAP_FAILED) {
		return -errno;
	}
	if ((lock && mlock(data, size) < 0) || (hide && madvise(data, size, MADV_DONTDUMP) < 0) ||
	    madvise(data, size, MADV_DONTFORK) < 0) {
		int rc = -errno;

		munmap(data, size);
		return rc;
	}
	*ret = (struct locked){ .data = data, .size = size };
	return 0;
}

int
locked_share(struct locked *ret, size_t size, int *ret_fd)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t whole = (size + page - 1) / page * page;
	auto_fd secret = sys_memfd_secret(), plain = -1;
	int rc;

	if (secret >= 0 && ftruncate(secret, (off_t)whole) == 0 &&
	    map(secret, whole, false, false, ret) == 0) {
		*ret_fd = take_fd(&secret);
		return 0;
	}
	plain = memfd_create("values", MFD_CLOEXEC);
	rc = plain < 0 || ftruncate(plain, (off_t)whole) < 0 ? -errno
							     : map(plain, whole, true, true, ret);
	if (rc == 0) {
		*ret_fd = take_fd(&plain);
	}
	return rc;
}

int
locked_init(struct locked *ret, size_t size)
{
	auto_fd fd = -1; /* nothing but the mapping keeps it */

	return locked_share(ret, size, &fd);
}

int
locked_map(int fd, struct locked *ret)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || st.st_size <= 0) {
		return -EBADF;
	}
	/* who shares it has locked it */
	return map(fd, (size_t)st.st_size, false, true, ret);
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
