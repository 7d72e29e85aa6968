/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. Group names for the reader are those of the filter compiler. */
#include "profile_test.h"

Test(profile_groups, default_holds_single_groups)
{
	size_t count;
	const struct profile_group *groups = profile_groups(&count);
	uint32_t io = 0, all = 0, debug = 0;

	for (size_t i = 0; i < count; i++) {
		cr_expect_eq(groups[i].name[0], '@', "%s", groups[i].name);
		cr_expect_neq(groups[i].bits, 0u, "%s", groups[i].name);
		cr_expect_gt(strlen(groups[i].what), 5u, "%s", groups[i].name);
		io = strcmp(groups[i].name, "@io") == 0 ? groups[i].bits : io;
		debug = strcmp(groups[i].name, "@debug") == 0 ? groups[i].bits : debug;
		all = strcmp(groups[i].name, "@default") == 0 ? groups[i].bits : all;
		cr_expect_eq(profile_group_is_open(&groups[i]),
			     strcmp(groups[i].name, "@init") != 0, "%s", groups[i].name);
	}
	cr_assert_neq(io, 0u);
	cr_assert_neq(debug, 0u);
	cr_expect_eq(all & io, io);
	cr_expect_eq(all & debug, 0u);
}
