/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of system call groups that a profile may list, from the one table of them. Runs in
 * airlock-cli. Pure.
 */
#include <string.h>

#include "profile_internal.h"

enum group_index {
#define GROUP(id, name, what) INDEX_##id,
#include "../../profiles/syscalls.def"
	INDEX__COUNT
};

enum group_bit {
#define GROUP(id, name, what) GR_##id = 1 << INDEX_##id,
#include "../../profiles/syscalls.def"
};
_Static_assert(INDEX__COUNT <= 31, "one bit per group");

static const struct profile_group groups[] = {
#define GROUP(id, label, purpose) { .name = (label), .bits = GR_##id, .what = (purpose) },
#include "../../profiles/syscalls.def"
#define GROUP_SET(id, label, members, purpose) \
	{ .name = (label), .bits = (members), .what = (purpose) },
#include "../../profiles/syscalls.def"
};

const struct profile_group *
profile_groups(size_t *ret_count)
{
	*ret_count = ARRAY_LEN(groups);
	return groups;
}

bool
profile_group_is_open(const struct profile_group *group)
{
	return group->bits != GR_INIT;
}
