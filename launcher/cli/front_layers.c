/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front: what this host has of the layers. A layer that is missing ends the launch
 * unless the profile lists it under allow_degraded; then its fallback applies and the record says
 * so. What only root can do has a function of its own, front_root_only, which runs before any drop
 * of ids.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/fdio.h"
#include "../base/limits.h"
#include "../base/text.h"
#include "../plan/plan.h"
#include "../supervise/cgroup_delegate.h"
#include "../supervise/idmap.h"
#include "../sys/sys.h"
#include "front.h"

#define LANDLOCK_NEEDED 2
#define LANDLOCK_KNOWN 7 /* newer ABIs bring rights that the plan's rules do not speak of */
#define MISSING_FOR_S 60
#define ROOT_CACHE "/run/airlock"

/*
 * Boot and own groups decide where groups go; a reboot or another session must not meet a stale
 * answer.
 */
static char *
site_cache(struct front *f, const char *dir)
{
	auto_buf text = BUF_INIT;
	uint8_t digest[32];
	char hex[HEX_DIGEST_SIZE];

	if (fdio_slurp_at(AT_FDCWD, "/proc/sys/kernel/random/boot_id", CAP_PROC_FILE, &text) < 0 ||
	    fdio_slurp_at(AT_FDCWD, "/proc/self/cgroup", CAP_PROC_FILE, &text) < 0) {
		return NULL;
	}
	sha256_of(text.data, text.len, digest);
	text_hex(digest, 32, hex);
	return arena_printf(&f->arena, "%s/cgroup-%.32s", dir, hex);
}

static int
load_site(struct front *f, const char *path)
{
	auto_buf bytes = BUF_INIT;
	struct stat st;
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int rc;

	if (fd < 0 || fstat(fd, &st) < 0) {
		return -errno;
	}
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022) != 0) {
		return -ESTALE;
	}
	rc = fdio_slurp(fd, CAP_PROC_FILE, &bytes);
	if (rc == 0) {
		rc = cgroup_site_decode(bytes.data, bytes.len, &f->site);
	}
	/*
	 * Where something is missing an administrator may mend it, so that answer ages. On v2 it is
	 * a scope that is asked for, every time.
	 */
	if (rc == 0 && f->site.missing != 0 && f->site.version != CGROUP_V2 &&
	    st.st_mtim.tv_sec + MISSING_FOR_S < (time_t)(clock_realtime_ms() / 1000)) {
		cgroup_site_finish(&f->site);
		return -ESTALE;
	}
	return rc;
}

static int
discover_site(struct front *f, const char *path)
{
	const char *argv[] = { "airlock", "cgroup-site", "--out", path, NULL };
	int rc = front_run_cli(f, argv);

	if (rc != 0) {
		return rc < 0 ? rc : err_set(&f->err, -EIO, "cgroups could not be looked at");
	}
	rc = load_site(f, path);
	return rc < 0 ? err_sys(&f->err, rc, "%s", path) : 0;
}

/*
 * False when there is none to be had. Why not is nobody's to read where the profile does without a
 * group, so it goes into the site's reason instead of to stderr.
 */
static bool
ask_for_scope(struct front *f)
{
	static const char prefix[] = "airlock: cgroup: ";
	char pid[16], said[ERR_TEXT_MAX] = "";
	const char *argv[] = {
		"airlock", "cgroup-scope", "--pid", pid, f->is_root ? "--system" : NULL, NULL
	};
	const char *why = said;
	char *text;

	if (access("/run/systemd/system", F_OK) < 0) {
		return false;
	}
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	if (front_ask_cli(f, argv, said, sizeof(said)) == 0) {
		return true;
	}
	if (strncmp(why, prefix, sizeof(prefix) - 1) == 0) {
		why += sizeof(prefix) - 1;
	}
	if (why[0] != '\0' &&
	    asprintf(&text,
		     "%s; or start airlock alone in a service with Delegate=yes; or list "
		     "cgroup in allow_degraded",
		     why) >= 0) {
		free(f->site.why);
		f->site.why = text;
	}
	return false;
}

/* On v2 without a group of our own: a delegated scope, from systemd, around this process. */
static int
enter_scope(struct front *f)
{
	struct cgroup_site scoped;
	struct err err = ERR_INIT;

	if (!cgroup_scope_ready() && !ask_for_scope(f)) {
		return 0;
	}
	if (cgroup_scope_enter(&scoped, &err) == 0) {
		cgroup_site_finish(&f->site);
		f->site = scoped;
	}
	return 0;
}

int
front_cgroup_site(struct front *f, const char *cache_dir)
{
	const char *path;
	int rc = cache_dir == NULL ? -ENOMEM : fdio_mkdirs(cache_dir, 0755);

	if (rc < 0) {
		return err_sys(&f->err, rc, "make %s", cache_dir != NULL ? cache_dir : "the cache");
	}
	path = site_cache(f, cache_dir);
	if (path == NULL) {
		return err_set(&f->err, -EIO, "read /proc/self/cgroup");
	}
	f->site_cache = path;
	rc = load_site(f, path);
	if (rc < 0) {
		rc = discover_site(f, path);
	}
	if (rc == 0 && f->site.missing != 0 && f->site.version == CGROUP_V2) {
		rc = enter_scope(f);
	}
	return rc;
}

int
front_cgroup_again(struct front *f)
{
	uint32_t missing = f->site.missing;

	/* After the drop to an owner it is root's: the next call as root makes it anew. */
	if (unlink(f->site_cache) < 0 && errno != ENOENT) {
		return -errno;
	}
	cgroup_site_finish(&f->site);
	if (discover_site(f, f->site_cache) < 0) {
		return -ESTALE;
	}
	return f->site.missing == missing ? 0 : -ESTALE;
}

/*
 * The parent for an owner's groups; where it was removed meanwhile, once more from the beginning.
 */
static int
delegate(struct front *f)
{
	const struct identity *id = &f->req.identity;
	int rc = cgroup_delegate(&f->site, id->owner_uid, id->owner_gid, &f->err);

	if (rc == -ENOENT) {
		cgroup_site_finish(&f->site);
		rc = discover_site(f, f->site_cache);
		if (rc == 0) {
			rc = cgroup_delegate(&f->site, id->owner_uid, id->owner_gid, &f->err);
		}
	}
	return rc;
}

static int
clone_workspace(struct front *f)
{
	const struct identity *id = &f->req.identity;

	f->workspace_clone =
		idmap_clone(f->req.workspace_fd, f->req.lower_dir, id->kind == IDENTITY_RANGE,
			    id->uid_outside, id->gid_outside, &f->err);
	f->req.workspace_clone = f->workspace_clone >= 0;
	return f->workspace_clone < 0 ? f->workspace_clone : 0;
}

int
front_root_only(struct front *f)
{
	const struct identity *id = &f->req.identity;
	int rc;

	if (!f->is_root) {
		return 0;
	}
	rc = front_cgroup_site(f, ROOT_CACHE);
	if (rc == 0 && id->dropped && f->site.missing == 0) {
		rc = delegate(f);
	}
	return rc == 0 && id->dropped ? clone_workspace(f) : rc;
}

/* After a drop it is there already, or there is none: the clone is root's to make. */
int
front_clone_workspace(struct front *f)
{
	return f->is_root && !f->req.identity.dropped ? clone_workspace(f) : 0;
}

static int
missing_layer(struct front *f, uint32_t bits, const char *name, const char *why)
{
	uint32_t refused = bits & ~f->profile->allow_degraded;

	if (refused != 0) {
		return err_set(&f->err, -EOPNOTSUPP,
			       "layer %s is missing here and profile %s (%s) does not allow to do "
			       "without it: %s; `airlock doctor` prints the fix",
			       name, f->profile->name, f->profile->rules[KEY_ALLOW_DEGRADED].place,
			       why);
	}
	f->req.degraded |= bits;
	denials_layer(&f->layers, f->profile, name, why);
	return 0;
}

static int
check_cgroup(struct front *f)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} layers[] = {
		{ DEGRADE_CGROUP_MEMORY, "cgroup.memory" },
		{ DEGRADE_CGROUP_PIDS, "cgroup.pids" },
		{ DEGRADE_CGROUP_CPU, "cgroup.cpu" },
	};
	int rc = 0;

	if (!f->is_root) {
		rc = front_cgroup_site(f, arena_printf(&f->arena, "%s/cache", f->store.path));
	}
	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(layers); i++) {
		if ((f->site.missing & layers[i].bit) != 0) {
			rc = missing_layer(f, layers[i].bit, layers[i].name,
					   f->site.why != NULL ? f->site.why : "");
		}
	}
	f->cgroup.missing = f->site.missing; /* the watch asks, also where no group is ever made */
	return rc;
}

static int
check_landlock(struct front *f)
{
	int abi = sys_landlock_abi();

	if (abi < LANDLOCK_NEEDED) {
		return missing_layer(
			f, DEGRADE_LANDLOCK, "landlock",
			abi < 0 ? "the kernel has no Landlock: boot with lsm=landlock,… or list "
				  "landlock in allow_degraded"
				: "Landlock ABI 2 is needed (Linux 5.19)");
	}
	f->req.landlock_abi = abi < LANDLOCK_KNOWN ? abi : LANDLOCK_KNOWN;
	return 0;
}

/*
 * A filter around us may hold the one listener that a task can have; only the kernel knows, at load
 * time.
 */
static int
check_notify(struct front *f)
{
	auto_buf status = BUF_INIT;

	if ((f->profile->allow_degraded & DEGRADE_NOTIFY) == 0) {
		return 0;
	}
	if (fdio_slurp_at(AT_FDCWD, "/proc/self/status", CAP_PROC_FILE, &status) == 0 &&
	    strstr(buf_text(&status), "\nSeccomp:\t0") == NULL) {
		return missing_layer(f, DEGRADE_NOTIFY, "notify",
				     "a filter around airlock may hold the one listener that a "
				     "process can have: denied system calls leave no event");
	}
	return 0;
}

int
front_layers(struct front *f)
{
	int rc = check_cgroup(f);

	if (rc == 0) {
		rc = check_landlock(f);
	}
	return rc == 0 ? check_notify(f) : rc;
}
