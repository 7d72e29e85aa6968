/* SPDX-License-Identifier: Apache-2.0 */
/* A state directory for one test, and a count of open descriptors. For the tests of launcher/store
 * only. */
#ifndef AIRLOCK_TESTS_STORE_TEMP_H
#define AIRLOCK_TESTS_STORE_TEMP_H

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../launcher/base/cleanup.h"
#include "../../../launcher/base/fdio.h"
#include "../../../launcher/store/store.h"
#include "../scratch.h"

struct temp {
	char base[64];  /* removed at the end */
	char state[80]; /* base/state, not made yet */
	unsigned int fds;
};

#define auto_temp __attribute__((cleanup(temp_finish))) struct temp

static inline struct temp
temp_make(void)
{
	struct temp t = { .base = "/tmp/airlock-test-XXXXXX" };

	cr_assert_not_null(mkdtemp(t.base));
	snprintf(t.state, sizeof(t.state), "%s/state", t.base);
	t.fds = scratch_count_fds();
	return t;
}

/* Everything that the test opened must be closed by now: declare auto_temp before what it must
 * outlive. */
static inline void
temp_finish(struct temp *t)
{
	cr_expect_eq(scratch_count_fds(), t->fds);
	scratch_remove(t->base);
}

static inline void
temp_path(const struct temp *t, const char *name, char ret_path[256])
{
	snprintf(ret_path, 256, "%s/%s", t->state, name);
}

static inline struct buf
temp_slurp(const struct temp *t, const char *name)
{
	struct buf b = BUF_INIT;
	char path[256];

	temp_path(t, name, path);
	cr_assert_eq(fdio_slurp_at(AT_FDCWD, path, 256u << 20, &b), 0, "%s", path);
	return b;
}

static inline void
temp_write(const struct temp *t, const char *name, const void *data, size_t len)
{
	char path[256];
	auto_fd fd = -1;

	temp_path(t, name, path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(fdio_write(fd, data, len), 0);
}

static inline bool
temp_exists(const struct temp *t, const char *name)
{
	char path[256];

	temp_path(t, name, path);
	return access(path, F_OK) == 0;
}

#endif
