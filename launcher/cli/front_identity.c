/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front, as the caller. Decides who the tool is; uid_map decides what "root" means, not
 * euid:
 *  - a plain user, or root of a namespace with one id that is not the host's root: one id, its own
 *  map;
 *  - root and a workspace of somebody else: becomes that owner, for good;
 *  - root and a workspace of root's: a powerless host id from a range, the workspace through an
 *  idmapped mount;
 *  - root where uid 0 outside is the only id: refused, there is no powerless id to give.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/limits.h"
#include "../jail/jail_protocol.h"
#include "../supervise/cgroup.h"
#include "../sys/sys.h"
#include "front.h"

#define UIDS_DEFAULT_FIRST 2147000000u
#define UIDS_DEFAULT_COUNT 256u
#define UIDS_DIR "/run/airlock/uids"
#define INSIDE_ID \
	1000u /* of a tool whose owner is 0: as uid 0 tar and installers chown, and fail */
#define OVERFLOW_ID 65534u

struct id_map {
	uint64_t ids;	       /* how many there are in all */
	uint32_t zero_outside; /* what uid 0 is outside; OVERFLOW_ID when unmapped */
};

static int
read_uid_map(struct front *f, struct id_map *ret)
{
	auto_buf text = BUF_INIT;
	struct id_map map = { .ids = 0, .zero_outside = OVERFLOW_ID };
	int rc = fdio_slurp_at(AT_FDCWD, "/proc/self/uid_map", CAP_PROC_FILE, &text);
	const char *p = buf_text(&text);
	char *end;

	if (rc < 0) {
		return err_sys(&f->err, rc, "read /proc/self/uid_map");
	}
	for (;;) {
		uint64_t inside = strtoull(p, &end, 10);
		uint64_t outside = end == p ? 0 : strtoull(end, &end, 10);
		uint64_t count = end == p ? 0 : strtoull(end, &end, 10);

		if (count == 0) {
			break;
		}
		if (inside == 0) {
			map.zero_outside = (uint32_t)outside;
		}
		map.ids += count;
		p = end;
	}
	*ret = map;
	return 0;
}

/* Absolute, not the root, no empty, "." or ".." component: it becomes a mount point by its name. */
static bool
is_plain_path(const char *path)
{
	if (path[0] != '/' || path[1] == '\0') {
		return false;
	}
	for (const char *p = path; *p != '\0';) {
		size_t len = strcspn(p + 1, "/");

		if (len == 0 || (len == 1 && p[1] == '.') ||
		    (len == 2 && p[1] == '.' && p[2] == '.')) {
			return false;
		}
		p += 1 + len;
	}
	return true;
}

/*
 * Files that are the host's root's show who it is here: our own id, whatever number that has, or
 * the overflow id. Goes by the kernel and through any depth of namespaces, where a uid_map tells of
 * one step.
 */
static bool
is_host_root(void)
{
	struct stat st;

	return stat("/proc/sys/kernel", &st) == 0 && st.st_uid == geteuid();
}

static void
set_account(struct front *f, uid_t uid, bool trust_environment)
{
	struct identity *id = &f->req.identity;
	const struct passwd *pw = getpwuid(uid);
	const char *home = trust_environment ? getenv("HOME") : NULL;
	const char *shell = trust_environment ? getenv("SHELL") : NULL;

	if (home == NULL || !is_plain_path(home)) {
		home = pw != NULL && is_plain_path(pw->pw_dir) ? pw->pw_dir
		     : uid == 0				       ? "/root"
							       : "/home/sandbox";
	}
	if (shell == NULL || shell[0] != '/') {
		shell = pw != NULL && pw->pw_shell[0] == '/' ? pw->pw_shell : "/bin/sh";
	}
	id->user = arena_string(&f->arena, pw != NULL ? pw->pw_name : "user");
	id->home = arena_string(&f->arena, home);
	id->shell = arena_string(&f->arena, shell);
}

static int
order_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/*
 * A plain user's groups cannot be dropped (user_namespaces(7)): inside all but its own show as the
 * overflow id.
 */
static int
keep_groups(struct front *f)
{
	struct identity *id = &f->req.identity;
	gid_t groups[REPORT_GROUPS_MAX];
	int n = getgroups(REPORT_GROUPS_MAX, groups);
	uint32_t *kept;

	if (n < 0) {
		return err_sys(&f->err, -errno, "more than %d supplementary groups",
			       REPORT_GROUPS_MAX);
	}
	kept = arena_alloc(&f->arena, ((size_t)n + 1) * sizeof(*kept));
	if (kept == NULL) {
		return err_set(&f->err, -ENOMEM, "out of memory");
	}
	for (int i = 0; i < n; i++) {
		kept[i] = groups[i] == id->gid_outside ? id->gid_inside : OVERFLOW_ID;
	}
	qsort(kept, (size_t)n, sizeof(*kept), order_u32);
	id->groups = kept;
	id->group_count = (size_t)n;
	return 0;
}

static int
plain_identity(struct front *f)
{
	struct identity *id = &f->req.identity;

	id->kind = IDENTITY_PLAIN;
	id->uid_outside = geteuid();
	id->gid_outside = getegid();
	id->uid_inside = id->uid_outside == 0 ? INSIDE_ID : id->uid_outside;
	id->gid_inside = id->gid_outside == 0 ? INSIDE_ID : id->gid_outside;
	return keep_groups(f);
}

static int
parse_range(struct front *f, uint32_t *ret_first, uint32_t *ret_count)
{
	const char *text = getenv("AIRLOCK_UIDS");
	char *end;
	unsigned long first, count;

	if (text == NULL || text[0] == '\0') {
		*ret_first = UIDS_DEFAULT_FIRST;
		*ret_count = UIDS_DEFAULT_COUNT;
		return 0;
	}
	first = strtoul(text, &end, 10);
	count = *end == '+' ? strtoul(end + 1, &end, 10) : 0;
	if (*end != '\0' || first < 65536 || count == 0 || count > 65536 ||
	    first + count > UINT32_MAX) {
		return err_set(&f->err, -EINVAL,
			       "AIRLOCK_UIDS=%s: wants FIRST+COUNT, FIRST at least 65536, "
			       "COUNT 1 to 65536",
			       text);
	}
	*ret_first = (uint32_t)first;
	*ret_count = (uint32_t)count;
	return 0;
}

/*
 * "name:first:count" lines (subuid(5)) or "name:x:uid:…" lines (passwd(5)): does any id fall into
 * the range?
 */
static bool
file_overlaps(const char *path, bool is_subid, uint64_t first, uint64_t count, char *ret_name,
	      size_t size)
{
	auto_buf text = BUF_INIT;
	char *save = NULL;
	int rc = fdio_slurp_at(AT_FDCWD, path, (size_t)CAP_PROC_FILE * 16, &text);

	if (rc < 0 && rc != -ENOENT) {
		snprintf(ret_name, size, "which cannot be read");
		return true;
	}
	if (rc < 0 || text.data == NULL) {
		return false;
	}
	for (char *line = strtok_r((char *)text.data, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		const char *second = strchr(line, ':');
		const char *third = second != NULL ? strchr(second + 1, ':') : NULL;
		uint64_t from, ids;

		if (third == NULL) {
			continue;
		}
		from = strtoull(is_subid ? second + 1 : third + 1, NULL, 10);
		ids = is_subid ? strtoull(third + 1, NULL, 10) : 1;
		if (from < first + count && first < from + ids) {
			snprintf(ret_name, size, "%.*s", (int)(second - line), line);
			return true;
		}
	}
	return false;
}

int
front_take_id(struct front *f, int *ret_lock_fd, uint32_t *ret_id)
{
	static const struct {
		const char *path;
		bool is_subid;
	} others[] = { { "/etc/subuid", true }, { "/etc/subgid", true }, { "/etc/passwd", false } };
	uint32_t first = 0, count = 0;
	char name[64];
	int rc = parse_range(f, &first, &count);

	if (rc < 0) {
		return rc;
	}
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		if (file_overlaps(others[i].path, others[i].is_subid, first, count, name,
				  sizeof(name))) {
			return err_set(&f->err, -EEXIST,
				       "the id range %u+%u overlaps %s (%s): set AIRLOCK_UIDS to a "
				       "free one",
				       first, count, others[i].path, name);
		}
	}
	rc = fdio_mkdirs(UIDS_DIR, 0755);
	if (rc < 0) {
		return err_sys(&f->err, rc, "make " UIDS_DIR);
	}
	for (uint32_t id = first; id < first + count; id++) {
		char path[64];
		auto_fd fd = -1;

		snprintf(path, sizeof(path), UIDS_DIR "/%u", id);
		fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0) {
			return err_sys(&f->err, -errno, "%s", path);
		}
		if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
			*ret_lock_fd = take_fd(&fd);
			*ret_id = id;
			return 0;
		}
	}
	return err_set(&f->err, -EAGAIN, "all %u ids of the range are in use by running calls",
		       count);
}

static int
range_identity(struct front *f)
{
	struct identity *id = &f->req.identity;
	uint32_t outside = 0;
	int rc = front_take_id(f, &f->uid_lock_fd, &outside);

	id->kind = IDENTITY_RANGE;
	id->uid_outside = id->gid_outside = outside;
	id->uid_inside = id->gid_inside = INSIDE_ID;
	return rc;
}

/*
 * Where root's or an owner's files are, his passwd entry says, not the environment that root was
 * called with.
 */
static void
forget_home_of_caller(void)
{
	static const char *const names[] = { "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME",
					     "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		unsetenv(names[i]);
	}
}

int
front_identity(struct front *f)
{
	struct identity *id = &f->req.identity;
	struct id_map map = { .ids = 0 };
	int rc = read_uid_map(f, &map);

	if (rc < 0) {
		return rc;
	}
	/*
	 * In a namespace of one id the host's root shows as the overflow id; in a larger one its
	 * own root is meant.
	 */
	id->root_unmapped = map.ids <= 1;
	if (is_host_root() && (geteuid() != 0 || map.ids <= 1)) {
		return err_set(
			&f->err, -EPERM,
			"this is the host's root in a user namespace that has no powerless id to "
			"run the tool as; start airlock outside of it");
	}
	if (geteuid() != 0) {
		set_account(f, geteuid(), true);
		return plain_identity(f);
	}
	f->is_root = map.ids > 1;
	if (f->is_root && id->owner_uid != 0) {
		/* Done in front_become_owner, after what only root can do. */
		set_account(f, id->owner_uid, false);
		id->dropped = true;
		return 0;
	}
	/* uid 0 here, but not the host's: dropping further would only take the workspace away. */
	if (!f->is_root || map.zero_outside != 0) {
		set_account(f, 0, true);
		return plain_identity(f);
	}
	set_account(f, 0, false);
	forget_home_of_caller();
	return range_identity(f);
}

int
front_become_owner(struct front *f)
{
	struct identity *id = &f->req.identity;
	const struct passwd *pw;
	gid_t gid;
	int rc;

	if (!id->dropped) {
		return 0;
	}
	pw = getpwuid(id->owner_uid);
	/*
	 * Without an account the directory's group is no answer: anybody may give a directory a
	 * group of power.
	 */
	gid = pw != NULL ? pw->pw_gid : (gid_t)id->owner_uid;
	rc = sys_become(id->owner_uid, gid);
	if (rc < 0) {
		return err_sys(&f->err, rc, "become the workspace's owner (uid %u)", id->owner_uid);
	}
	forget_home_of_caller();
	if (setenv("HOME", id->home, 1) < 0) {
		return err_sys(&f->err, -errno, "set HOME");
	}
	return plain_identity(f);
}
