/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. What discovery says must be true of this very host. */
#include "cgroup_fixture.h"

/* Removes a parent that was not there before; a busy or older one stays. */
static void
remove_parents(const struct cgroup_site *site, const bool was_there[CTL__COUNT])
{
	for (unsigned int c = 0; c < CTL__COUNT; c++) {
		if (site->parent[c][0] != '\0' && !was_there[c]) {
			cr_expect_eq(rmdir(site->parent[c]), 0, "%s", site->parent[c]);
		}
	}
}

Test(cgroup_discover, v1_parents_stand_below_the_own_groups)
{
	bool was_there[CTL__COUNT] = { false };
	char want[CTL__COUNT][1024] = { "" };
	struct cgroup_site site;
	struct err err = ERR_INIT;
	char own[512];

	for (unsigned int c = 0; c < ARRAY_LEN(fixture_controllers); c++) {
		char dir[800];

		if (!fixture_own(fixture_controllers[c], own)) {
			cr_skip_test("no cgroup v1 hierarchy with %s", fixture_controllers[c]);
		}
		snprintf(dir, sizeof(dir), "/sys/fs/cgroup/%s%s", fixture_controllers[c], own);
		if (access(dir, W_OK) < 0) {
			cr_skip_test("%s: %s", dir, strerror(errno));
		}
		snprintf(want[c], sizeof(want[c]), "%s/airlock", dir);
		was_there[c] = access(want[c], F_OK) == 0;
	}
	cr_assert_eq(cgroup_discover(&site, &err), 0, "%s", err.text);
	cr_expect_eq(site.version, CGROUP_V1);
	cr_expect_eq(site.missing, 0);
	cr_expect_str_eq(site.why, "");
	for (unsigned int c = 0; c < CTL__COUNT; c++) {
		cr_expect_str_eq(site.parent[c], want[c]);
		if (want[c][0] != '\0') {
			struct stat st;

			cr_assert_eq(stat(site.parent[c], &st), 0);
			cr_expect_eq(st.st_mode & 07777, 0755);
		}
	}
	remove_parents(&site, was_there);
	cgroup_site_finish(&site);
}

/* On any host: a reason exactly when something is missing, and a parent for what is not. */
Test(cgroup_discover, reason_and_parents_agree)
{
	static const uint32_t bits[] = { DEGRADE_CGROUP_MEMORY, DEGRADE_CGROUP_PIDS,
					 DEGRADE_CGROUP_CPU };
	unsigned int fds = scratch_count_fds();
	struct cgroup_site site;
	struct err err = ERR_INIT;

	cr_assert_eq(cgroup_discover(&site, &err), 0, "%s", err.text);
	cr_expect_eq(scratch_count_fds(), fds);
	cr_expect_eq(site.why[0] != '\0', site.missing != 0, "%x: %s", site.missing, site.why);
	cr_expect_eq(site.missing & ~DEGRADE_CGROUP, 0);
	for (unsigned int c = 0; c < ARRAY_LEN(bits); c++) {
		bool has = site.parent[site.version == CGROUP_V2 ? CTL_MEMORY : c][0] != '\0';

		if ((site.missing & bits[c]) == 0 || site.version == CGROUP_NONE) {
			cr_expect_eq(has, site.version != CGROUP_NONE, "controller %u", c);
		}
	}
	for (unsigned int c = 0; c < CTL__COUNT; c++) {
		/* empty ones are made again at need; one with a call in it refuses */
		if (site.parent[c][0] != '\0') {
			ignore_err(rmdir(site.parent[c]), "somebody uses it");
		}
	}
	cgroup_site_finish(&site);
}
