/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. Texts of /proc, and a directory that looks like a v2 group; a real
 * one is entered in the guest of tests/vm. */
#include "cgroup_fixture.h"

static const char mountinfo[] =
	"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
	"31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
	"35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw shared:9 master:3 - cgroup cgroup "
	"rw,memory\n"
	"40 31 0:37 / /mnt/a\\040b\\134c rw - cgroup2 cgroup2 rw\n"
	"41 31 0:37 /user.slice /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
	"42 31 0:99 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
	"short line\n"
	"43 31 0:1 / /no/type rw\n";

Test(cgroup_enter, mount_find)
{
	static const struct {
		const char *mount_point;
		int want_r;
		const char *point, *root;
	} rows[] = {
		{ NULL, 0, "/mnt/a b\\c", "/" },
		{ "/sys/fs/cgroup/unified", 0, "/sys/fs/cgroup/unified", "/user.slice" },
		{ "/sys/fs/cgroup/memory", 0, "/sys/fs/cgroup/memory", "/" }, /* the later covers */
		{ "/mnt/a b\\c", 0, "/mnt/a b\\c", "/" },
		{ "/sys/fs", -ENOENT, NULL, NULL },
		{ "/no/type", -ENOENT, NULL, NULL },
	};

	for (unsigned int i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *point = NULL;
		auto_free char *root = NULL;

		cr_expect_eq(cgroup_mount_find(mountinfo, rows[i].mount_point, &point, &root),
			     rows[i].want_r, "row %u", i);
		if (rows[i].want_r != 0) {
			cr_expect_null(point);
			cr_expect_null(root);
			continue;
		}
		cr_expect_str_eq(point, rows[i].point);
		cr_expect_str_eq(root, rows[i].root);
	}
}

Test(cgroup_enter, own_v2)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "9:pids:/a\n0::/user.slice/x y.scope\n", "/user.slice/x y.scope" },
		{ "0::/", "/" },
		{ "0::/../other\n", "/../other" },
		{ "10::/x\n1:name=systemd:/\n", NULL },
		{ "", NULL },
	};

	for (unsigned int i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *path = NULL;

		cr_expect_eq(cgroup_own_v2(rows[i].text, &path),
			     rows[i].want != NULL ? 0 : -ENOENT);
		if (rows[i].want != NULL) {
			cr_expect_str_eq(path, rows[i].want);
		}
	}
}

Test(cgroup_enter, path_join)
{
	static const struct {
		const char *point, *root, *path, *want;
	} rows[] = {
		{ "/sys/fs/cgroup", "/", "/", "/sys/fs/cgroup" },
		{ "/sys/fs/cgroup", "/", "/a/b", "/sys/fs/cgroup/a/b" },
		{ "/sys/fs/cgroup", "/a", "/a/b", "/sys/fs/cgroup/b" },
		{ "/sys/fs/cgroup", "/a", "/a", "/sys/fs/cgroup" },
		{ "/sys/fs/cgroup", "/a", "/ab", NULL },
		{ "/sys/fs/cgroup", "/a", "/", NULL },
		{ "/sys/fs/cgroup", "/", "/../x", NULL },
		{ "/sys/fs/cgroup", "/..", "/../x", NULL },
	};

	for (unsigned int i = 0; i < ARRAY_LEN(rows); i++) {
		auto_free char *dir = NULL;

		cr_expect_eq(cgroup_path_join(rows[i].point, rows[i].root, rows[i].path, &dir),
			     rows[i].want != NULL ? 0 : -ENOENT, "row %u", i);
		if (rows[i].want != NULL) {
			cr_assert_not_null(dir);
			cr_expect_str_eq(dir, rows[i].want);
		}
	}
}

/* Runs prepare on a fake group with these controllers; the caller finishes the site. */
static void
prepare(const char *controllers, const char *enabled, struct cgroup_site *ret)
{
	const char *const files[][2] = { { "cgroup.controllers", controllers },
					 { "cgroup.subtree_control", enabled },
					 { NULL, NULL } };
	const char *const below[][2] = { { "cgroup.subtree_control", enabled }, { NULL, NULL } };
	char dir[] = "/tmp/airlock-test-XXXXXX", parent[64];
	int dir_fd = fixture_fake(dir, files), parent_fd, fd;

	snprintf(parent, sizeof(parent), "%s/airlock", dir);
	cr_assert_eq(mkdir(parent, 0755), 0);
	parent_fd = cgroup_dir_open(AT_FDCWD, parent);
	fd = openat(parent_fd, below[0][0], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	cr_assert_eq(write(fd, enabled, strlen(enabled)), (ssize_t)strlen(enabled));
	close(fd);
	cr_assert_eq(cgroup_site_init(ret), 0);
	cr_assert_eq(cgroup_v2_prepare(dir_fd, "/the/group", ret), 0);
	fixture_fake_finish(parent, parent_fd, below);
	fixture_fake_finish(dir, dir_fd, files);
}

Test(cgroup_enter, prepare_all)
{
	struct cgroup_site site;

	prepare("cpuset cpu io memory pids\n", "cpu memory pids\n", &site);
	cr_expect_eq(site.version, CGROUP_V2);
	cr_expect_eq(site.missing, 0);
	cr_expect_str_eq(site.why, "");
	cr_expect_str_eq(site.parent[CTL_MEMORY], "/the/group/airlock");
	cr_expect_str_eq(site.parent[CTL_PIDS], "");
	cgroup_site_finish(&site);
}

/* What systemd delegates to users by default on some hosts. */
Test(cgroup_enter, prepare_without_cpu)
{
	struct cgroup_site site;

	prepare("memory pids\n", "memory pids\n", &site);
	cr_expect_eq(site.version, CGROUP_V2);
	cr_expect_eq(site.missing, DEGRADE_CGROUP_CPU);
	cr_expect_str_eq(
		site.why,
		"the cpu controller is not delegated to /the/group: an administrator can set "
		"'Delegate=cpu memory pids' in a drop-in of user@.service (or of the "
		"service); or list cgroup.cpu in allow_degraded");
	cr_expect_str_eq(site.parent[CTL_MEMORY], "/the/group/airlock");
	cgroup_site_finish(&site);
}

/* cpuset is not cpu. */
Test(cgroup_enter, prepare_nothing)
{
	struct cgroup_site site;

	prepare("cpuset io\n", "\n", &site);
	cr_expect_eq(site.version, CGROUP_V2);
	cr_expect_eq(site.missing, DEGRADE_CGROUP);
	cr_expect_str_eq(site.parent[CTL_MEMORY], "");
	cgroup_site_finish(&site);
}

Test(cgroup_enter, prepare_readonly)
{
	struct cgroup_site site;
	int dir_fd = cgroup_dir_open(AT_FDCWD, "/proc");

	cr_assert_geq(dir_fd, 0);
	cr_assert_eq(cgroup_site_init(&site), 0);
	cr_assert_eq(cgroup_v2_prepare(dir_fd, "/proc", &site), 0);
	cr_expect_eq(site.missing, DEGRADE_CGROUP);
	cr_expect_eq(strncmp(site.why, "no cgroup here is writable for uid ", 35), 0, "%s",
		     site.why);
	close(dir_fd);
	cgroup_site_finish(&site);
}

/* A test runs beside its runner, so its group is never its alone. */
Test(cgroup_enter, others_are_never_moved)
{
	unsigned int fds = scratch_count_fds();
	struct cgroup_site site;
	struct err err = ERR_INIT;
	char own[512], now[512];
	int r;

	if (!fixture_own("", own)) {
		cr_skip_test("no cgroup v2 hierarchy");
	}
	cr_expect_eq(cgroup_scope_ready(), false);
	r = cgroup_scope_enter(&site, &err);
	cr_expect_eq(r, -EBUSY, "%d: %s", r, err.text);
	cr_assert(fixture_own("", now));
	cr_expect_str_eq(now, own);
	cr_expect_eq(scratch_count_fds(), fds);
}
