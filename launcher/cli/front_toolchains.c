/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front, after any drop of ids: the caller's toolchains, as far as the profile gives
 * them.
 */
#include <errno.h>
#include <stdlib.h>

#include "front.h"

static struct toolchain_query
query(const struct front *f)
{
	return (struct toolchain_query){ .wanted = f->profile->toolchains,
					 .identity = &f->req.identity,
					 .workspace = f->req.workspace,
					 .state = f->state_path,
					 .variable = getenv };
}

int
front_toolchains(struct front *f)
{
	const struct toolchain_query q = query(f);
	int rc = toolchains_find(&f->arena, &q, &f->toolchains);

	f->req.toolchains = &f->toolchains;
	f->venv = toolchain_venv(&f->arena, &q, f->req.cwd, f->req.argv[0]);
	return rc < 0 ? err_set(&f->err, rc, "out of memory") : 0;
}

const char *
front_toolchain_of(const struct front *f, const char *path)
{
	const struct toolchain_query q = query(f);

	return toolchain_of(&q, path);
}
