/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds out where groups of calls can stand on this host and makes their parents. Runs in
 * airlock-cli (libcgroup), as the caller or as root, once per boot and own path; the front caches
 * the answer. Trusts libcgroup for what is mounted where and for the own path per controller, and
 * then tries: a controller counts when a group with its limit could be made and removed again.
 */
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* The library's name for its handle is our name for a call's group. */
#define cgroup libcgroup_group
#include <libcgroup.h>
#undef cgroup

#include "../base/fdio.h"
#include "../base/limits.h"
#include "cgroup_internal.h"

/* clang-format off */
/* One row per controller that a call uses, in the order of enum cgroup_ctl. The probe is a limit
 * that any host takes. */
static const struct ctl_row {
	enum cgroup_ctl ctl;
	const char *name;
	uint32_t bit; /* 0: nice to have */
	const char *probe_file, *probe_value;
} ctl_rows[] = {
	{ CTL_MEMORY,  "memory",  DEGRADE_CGROUP_MEMORY, "memory.limit_in_bytes", "16777216" },
	{ CTL_PIDS,    "pids",    DEGRADE_CGROUP_PIDS,   "pids.max",              "2" },
	{ CTL_CPU,     "cpu",     DEGRADE_CGROUP_CPU,    "cpu.cfs_quota_us",      "1000" },
	{ CTL_CPUACCT, "cpuacct", 0,                     NULL,                    NULL },
};
/* clang-format on */

/* What libcgroup says about one controller. */
struct ctl_place {
	bool is_v2;  /* by the magic of its mount: libcgroup does not publish it */
	char *mount; /* owned; NULL when it is not mounted */
	char *path;  /* owned: the own group, from the root of the hierarchy */
	char *dir;   /* owned: the own group's directory; NULL when it cannot be seen from here */
	char *below; /* owned: `path` from the root of the mount, as libcgroup wants it */
};

static void
place_finish(struct ctl_place *place)
{
	free(place->mount);
	free(place->path);
	free(place->dir);
	free(place->below);
}

/* The own path. libcgroup 2.0.2 finds none on v2: there is one line for all controllers then. */
static int
find_path(const struct ctl_row *row, struct ctl_place *place)
{
	auto_buf own = BUF_INIT;
	int r;

	if (!place->is_v2) {
		return cgroup_get_current_controller_path(getpid(), row->name, &place->path) == 0
			       ? 0
			       : -ENOENT;
	}
	r = fdio_slurp_at(AT_FDCWD, "/proc/self/cgroup", CAP_PROC_FILE, &own);
	return r < 0 ? r : cgroup_own_v2(buf_text(&own), &place->path);
}

/* 0 also when the controller is not to be had: then place->dir stays NULL. */
static int
find_place(const struct ctl_row *row, const char *mounts, struct ctl_place *place)
{
	auto_free char *point = NULL;
	auto_free char *root = NULL;
	struct statfs fs;
	int r;

	if (cgroup_get_subsys_mount_point(row->name, &place->mount) != 0 ||
	    statfs(place->mount, &fs) < 0) {
		return 0;
	}
	place->is_v2 = fs.f_type == CGROUP2_SUPER_MAGIC;
	r = find_path(row, place);
	if (r == 0) {
		r = cgroup_mount_find(mounts, place->mount, &point, &root);
	}
	if (r == 0) {
		r = cgroup_path_join("", root, place->path, &place->below);
	}
	if (r == 0) {
		r = cgroup_path_join(point, root, place->path, &place->dir);
	}
	return r == -ENOENT ? 0 : r;
}

/* ---- v1 ----------------------------------------------------------------------------------- */

/* The parent, by libcgroup; -errno. One that exists may have been handed over to us: as good. */
static int
make_parent_v1(const struct ctl_row *row, const struct ctl_place *place, const char *parent)
{
	auto_free char *below = NULL;
	struct libcgroup_group *group;
	int r = 0;

	if (access(parent, F_OK) == 0) {
		return 0;
	}
	if (asprintf(&below, "%s/" CGROUP_PARENT,
		     strcmp(place->below, "/") == 0 ? "" : place->below) < 0) {
		return -ENOMEM;
	}
	group = cgroup_new_cgroup(below[0] == '/' ? below + 1 : below);
	if (group == NULL || cgroup_add_controller(group, row->name) == NULL) {
		r = -ENOMEM;
	} else if (cgroup_create_cgroup(group, 1) != 0) {
		r = cgroup_get_last_errno() != 0 ? -cgroup_get_last_errno() : -EACCES;
	}
	cgroup_free(&group);
	if (r < 0 && access(parent, F_OK) == 0) {
		return 0; /* another airlock was faster */
	}
	return r;
}

/* Makes a group with the row's limit below parent and removes it. */
static int
try_parent_v1(const struct ctl_row *row, const char *parent)
{
	auto_fd parent_fd = cgroup_dir_open(AT_FDCWD, parent);
	auto_fd probe_fd = -1;
	char name[32];
	int r;

	if (parent_fd < 0) {
		return parent_fd;
	}
	snprintf(name, sizeof(name), "probe-%d", getpid());
	if (mkdirat(parent_fd, name, 0755) < 0 && errno != EEXIST) {
		return -errno;
	}
	probe_fd = cgroup_dir_open(parent_fd, name);
	r = probe_fd < 0 ? probe_fd : 0;
	if (r == 0 && faccessat(probe_fd, "tasks", W_OK, AT_EACCESS) < 0) {
		r = -errno;
	}
	if (r == 0 && row->probe_file != NULL) {
		r = cgroup_file_write(probe_fd, row->probe_file, row->probe_value);
	}
	if (unlinkat(parent_fd, name, AT_REMOVEDIR) < 0 && r == 0) {
		r = -errno;
	}
	return r;
}

static int
because_v1(const struct ctl_row *row, const struct ctl_place *place, int code,
	   struct cgroup_site *site)
{
	if (row->bit == 0) {
		return 0;
	}
	if (place->mount == NULL) {
		return cgroup_site_because(
			site,
			"no cgroup hierarchy with the %s controller is mounted: mount "
			"cgroup2 at /sys/fs/cgroup; or list cgroup.%s in allow_degraded",
			row->name, row->name);
	}
	if (place->dir == NULL) {
		return cgroup_site_because(
			site,
			"the own %s group (%s) is not visible below %s: mount the "
			"cgroup file system of this namespace; or list cgroup.%s in "
			"allow_degraded",
			row->name, place->path != NULL ? place->path : "unknown", place->mount,
			row->name);
	}
	return cgroup_site_because(
		site,
		"no cgroup here is writable for uid %d (cgroup v1, %s: %s): an administrator can "
		"make %s/" CGROUP_PARENT " in each of memory, pids and cpu and give it to this "
		"user; or list cgroup in allow_degraded",
		(int)geteuid(), place->dir, strerror(-code), place->dir);
}

static int
discover_v1(const struct ctl_row *row, const struct ctl_place *place, struct cgroup_site *site)
{
	auto_free char *parent = NULL;
	int r = -ENOENT;

	if (place->dir != NULL && !place->is_v2) {
		if (asprintf(&parent, "%s/" CGROUP_PARENT, place->dir) < 0) {
			return -ENOMEM;
		}
		r = make_parent_v1(row, place, parent);
		if (r == 0) {
			r = try_parent_v1(row, parent);
		}
		if (r == -ENOMEM) {
			return r;
		}
	}
	if (r < 0) {
		return because_v1(row, place, r, site);
	}
	free(site->parent[row->ctl]);
	site->parent[row->ctl] = take_ptr(parent);
	site->missing &= ~row->bit;
	site->version = CGROUP_V1;
	return 0;
}

/* ---- v2 ----------------------------------------------------------------------------------- */

/*
 * Below the real root groups may stand beside processes. Everywhere else this process is in the own
 * group itself, and so is the front that waits for it: only the front can make room
 * (cgroup_scope_enter).
 */
static int
discover_v2(const struct ctl_place *place, struct cgroup_site *site)
{
	auto_fd dir_fd = -1;

	site->version = CGROUP_V2;
	if (place->dir == NULL) {
		return cgroup_site_because(
			site,
			"the own group (%s) is not visible below %s: mount the cgroup2 "
			"file system of this namespace; or list cgroup in "
			"allow_degraded",
			place->path != NULL ? place->path : "unknown", place->mount);
	}
	dir_fd = cgroup_dir_open(AT_FDCWD, place->dir);
	if (dir_fd < 0) {
		return cgroup_site_because(site, "%s: %s; list cgroup in allow_degraded",
					   place->dir, strerror(-dir_fd));
	}
	if (faccessat(dir_fd, "cgroup.events", F_OK, 0) < 0 && errno == ENOENT) {
		return cgroup_v2_prepare(dir_fd, place->dir, site);
	}
	return cgroup_site_because(
		site,
		"the own group %s holds processes, so no limited group can stand in it: log in "
		"through systemd (a user session; 'loginctl enable-linger' keeps one), or start "
		"airlock alone in a service with Delegate=yes; or list cgroup in allow_degraded",
		place->dir);
}

/* ---- all ---------------------------------------------------------------------------------- */

static bool
all_on_v2(const struct ctl_place places[ARRAY_LEN(ctl_rows)])
{
	for (unsigned int c = 0; c < ARRAY_LEN(ctl_rows); c++) {
		if (ctl_rows[c].bit != 0 && !places[c].is_v2) {
			return false;
		}
	}
	return true;
}

static int
discover(struct ctl_place places[ARRAY_LEN(ctl_rows)], struct cgroup_site *site, struct err *err)
{
	auto_buf mounts = BUF_INIT;
	int r = fdio_slurp_at(AT_FDCWD, "/proc/self/mountinfo", CAP_PROC_FILE, &mounts);

	if (r < 0) {
		return err_sys(err, r, "cgroup: /proc/self/mountinfo");
	}
	/* Fails where nothing is mounted: then nothing below finds a place, and says so. */
	ignore_err(cgroup_init(), "see above");
	for (unsigned int c = 0; c < ARRAY_LEN(ctl_rows) && r == 0; c++) {
		r = find_place(&ctl_rows[c], buf_text(&mounts), &places[c]);
	}
	if (r == 0 && all_on_v2(places)) {
		r = discover_v2(&places[CTL_MEMORY], site);
	} else {
		for (unsigned int c = 0; c < ARRAY_LEN(ctl_rows) && r == 0; c++) {
			r = discover_v1(&ctl_rows[c], &places[c], site);
		}
	}
	return r < 0 ? err_sys(err, r, "cgroup: discover") : 0;
}

int
cgroup_discover(struct cgroup_site *ret, struct err *err)
{
	struct ctl_place places[ARRAY_LEN(ctl_rows)] = { 0 };
	struct cgroup_site site;
	int r = cgroup_site_init(&site);

	if (r < 0) {
		return err_sys(err, r, "cgroup: discover");
	}
	r = discover(places, &site, err);
	for (unsigned int c = 0; c < ARRAY_LEN(ctl_rows); c++) {
		place_finish(&places[c]);
	}
	if (r < 0) {
		cgroup_site_finish(&site);
		return r;
	}
	if (site.version == CGROUP_V1 && site.missing == DEGRADE_CGROUP) {
		site.version = CGROUP_NONE;
	}
	*ret = site;
	return 0;
}
