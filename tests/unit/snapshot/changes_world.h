/* SPDX-License-Identifier: Apache-2.0 */
/* Test helper: what an upper made by hand changes in a world. */
#ifndef AIRLOCK_TESTS_CHANGES_WORLD_H
#define AIRLOCK_TESTS_CHANGES_WORLD_H

#include "../../../launcher/snapshot/snapshot.h"
#include "snapshot_world.h"

static inline void
world_collect(int upper_fd, int lower_fd, struct change_set *set)
{
	const struct collect_request req = {
		.upper_fd = upper_fd,
		.lower_fd = lower_fd,
		.opaque_xattr = "user.overlay.opaque",
		.capture = CAPTURE_DIGESTS,
		.max_files = 10000,
	};
	struct err err = ERR_INIT;

	cr_assert_eq(changes_collect(&req, set, &err), 0, "%s", err.text);
}

#endif
