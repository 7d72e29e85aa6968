/* SPDX-License-Identifier: Apache-2.0 */
/* quota_measure.c: what lies below a directory. Run by `make unit`. */
#include "../../../launcher/store/quota.h"
#include "store_temp.h"

Test(quota_measure, everything_below_counts_and_no_link_is_followed)
{
	auto_temp t = temp_make();
	static uint8_t data[40960];
	char path[256], at[256];
	auto_fd dir = open(t.base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t empty, full;

	cr_assert_eq(mkdir(t.state, 0700), 0);
	empty = quota_measure(dir, "state");
	memset(data, 'x', sizeof(data));
	snprintf(path, sizeof(path), "%s/below", t.state);
	cr_assert_eq(mkdir(path, 0700), 0);
	temp_write(&t, "file", data, sizeof(data));
	temp_write(&t, "below/file", data, sizeof(data));
	full = quota_measure(dir, "state");
	cr_expect_geq(full, empty + 2 * sizeof(data));
	cr_expect_lt(full, empty + 3 * sizeof(data));
	snprintf(at, sizeof(at), "%s/link", t.state);
	cr_assert_eq(symlink("..", at), 0);
	snprintf(at, sizeof(at), "%s/fifo", t.state);
	cr_assert_eq(mkfifo(at, 0600), 0);
	cr_expect_leq(quota_measure(dir, "state"), full + 8192);
	cr_expect_eq(quota_measure(dir, "none"), 0u);
	cr_expect_geq(quota_measure(dir, "state/file"), sizeof(data));
}

Test(quota_measure, a_hostile_depth_ends_somewhere)
{
	auto_temp t = temp_make();
	auto_fd dir = open(t.base, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int at = fcntl(dir, F_DUPFD_CLOEXEC, 0);

	for (unsigned int i = 0; i < 400; i++) {
		int next;

		cr_assert_eq(mkdirat(at, "d", 0700), 0);
		next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		cr_assert_geq(next, 0);
		close(at);
		at = next;
	}
	close(at);
	cr_expect_gt(quota_measure(dir, "d"), 0u);
}
