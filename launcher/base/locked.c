/* SPDX-License-Identifier: Apache-2.0 */
/* Runs where values of credentials are: airlock-cli and airlock-credd, as the caller. */
#include "locked.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int
locked_init(struct locked *ret, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t whole = (size + page - 1) / page * page;
	void *data = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int rc;

	if (data == MAP_FAILED) {
		return -errno;
	}
	if (mlock(data, whole) < 0 || madvise(data, whole, MADV_DONTDUMP) < 0 ||
	    madvise(data, whole, MADV_DONTFORK) < 0) {
		rc = -errno;
		munmap(data, whole);
		return rc;
	}
	*ret = (struct locked){ .data = data, .size = whole };
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
