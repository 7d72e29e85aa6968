/* SPDX-License-Identifier: Apache-2.0 */
/* A HOME of its own for the tests of toolchains. Runs as the developer or CI. */
#ifndef AIRLOCK_TESTS_UNIT_TOOLCHAIN_WORLD_H
#define AIRLOCK_TESTS_UNIT_TOOLCHAIN_WORLD_H

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../launcher/base/fdio.h"
#include "../../../launcher/plan/plan_build.h"
#include "../../../launcher/plan/toolchains.h"
#include "../../../launcher/snapshot/remove.h"

static struct arena world_arena; /* the process is the test's own */
static const char *home;
static const char *variable_name;
static char *variable_value;

static inline char *
one_variable(const char *name)
{
	return variable_name != NULL && strcmp(name, variable_name) == 0 ? variable_value : NULL;
}

static inline void
set_variable(const char *name, const char *value)
{
	variable_name = name;
	variable_value = arena_string(&world_arena, value);
}

static inline const char *
in_home(const char *path)
{
	return arena_printf(&world_arena, "%s/%s", home, path);
}

static inline void
make_dir(const char *path)
{
	cr_assert_eq(fdio_mkdirs(in_home(path), 0755), 0, "%s", path);
}

static inline void
make_file(const char *path)
{
	const char *full = in_home(path);
	const char *slash = strrchr(full, '/');
	int fd;

	cr_assert_eq(fdio_mkdirs(arena_copy(&world_arena, full, (size_t)(slash - full)), 0755), 0,
		     "%s", full);
	fd = open(full, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	cr_assert_geq(fd, 0, "%s", full);
	close(fd);
}

static inline void
world_setup(void)
{
	char name[] = "/tmp/airlock-toolchains-XXXXXX";
	auto_free char *real = NULL;

	umask(022);
	cr_assert_not_null(mkdtemp(name));
	real = realpath(name, NULL);
	cr_assert_not_null(real);
	home = arena_string(&world_arena, real);
	cr_assert_eq(chmod(home, 0755), 0);
	make_dir("ws");
	make_dir("state");
}

/* Nothing in it is kept, whatever a test did to it. */
static inline void
world_finish(void)
{
	auto_fd parent = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	cr_expect_eq(remove_tree(parent, strrchr(home, '/') + 1), 0);
}

static struct identity world_identity;

static inline struct toolchain_query
world_query(uint32_t wanted)
{
	struct toolchain_query q = { .wanted = wanted, .variable = one_variable };

	world_identity.home = home;
	q.identity = &world_identity;
	q.workspace = in_home("ws");
	q.state = in_home("state");
	return q;
}

/* What is shown, one path a line below HOME's, links with their target; then what is masked. */
static inline char *
seen(uint32_t wanted)
{
	struct toolchain_query q = world_query(wanted);
	struct toolchains t;
	auto_buf out = BUF_INIT;
	size_t len = strlen(home) + 1;

	cr_assert_eq(toolchains_find(&world_arena, &q, &t), 0);
	for (size_t i = 0; i < t.shown_count; i++) {
		buf_printf(&out, "%s%s%s ", t.shown[i].path + len,
			   t.shown[i].link != NULL ? "->" : "",
			   t.shown[i].link != NULL ? t.shown[i].link : "");
	}
	for (size_t i = 0; i < t.mask_count; i++) {
		buf_printf(&out, "!%s%s ", t.masks[i].path + len, t.masks[i].is_dir ? "/" : "");
	}
	return arena_string(&world_arena, buf_text(&out));
}

#define NVM (1u << TOOLCHAIN_NVM)

#endif
