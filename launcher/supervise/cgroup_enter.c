/* SPDX-License-Identifier: Apache-2.0 */
/*
 * On cgroup v2, makes the caller's own group an inner node: this process in a leaf, calls' groups
 * below `airlock`, controllers on. Runs in the front, single-threaded and before any child, as the
 * caller or as root before the drop; cgroup_v2_prepare also in airlock-cli. Trusts /proc and the
 * kernel's files. Never above the own group, and nobody else is moved.
 */
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/limits.h"
#include "cgroup_internal.h"

#define SUPERVISOR_LEAF "supervisor"

/* ---- where we are ------------------------------------------------------------------------- */

/* The next word of a mountinfo line with \ooo undone, in place; NULL at the line's end. */
static char *
next_word(char **save)
{
	char *word = strtok_r(NULL, " ", save);
	char *to = word;

	if (word == NULL) {
		return NULL;
	}
	for (const char *from = word; *from != '\0'; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
		    from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
			*to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
	return word;
}

/* proc_pid_mountinfo(5): id parent dev ROOT POINT options [tags…] - TYPE source options */
static bool
parse_mount(char *line, char **ret_root, char **ret_point, char **ret_type)
{
	char *save = NULL;
	char *word = strtok_r(line, " ", &save);

	for (unsigned int i = 0; word != NULL && i < 3; i++) {
		word = next_word(&save);
		*ret_root = word;
	}
	*ret_point = next_word(&save);
	do {
		word = next_word(&save);
	} while (word != NULL && strcmp(word, "-") != 0);
	*ret_type = next_word(&save);
	return *ret_root != NULL && *ret_point != NULL && *ret_type != NULL;
}

int
cgroup_mount_find(const char *text, const char *mount_point, char **ret_point, char **ret_root)
{
	auto_free char *copy = strdup(text);
	const char *found_point = NULL;
	const char *found_root = NULL;
	auto_free char *point_copy = NULL;
	auto_free char *root_copy = NULL;
	char *save = NULL;

	if (copy == NULL) {
		return -ENOMEM;
	}
	for (char *line = strtok_r(copy, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		char *root = NULL, *point = NULL, *type = NULL;

		if (!parse_mount(line, &root, &point, &type)) {
			continue;
		}
		/* Of several mounts on one point the last covers the others. */
		if (mount_point != NULL ? strcmp(point, mount_point) == 0
					: found_point == NULL && strcmp(type, "cgroup2") == 0) {
			found_point = point;
			found_root = root;
		}
	}
	if (found_point == NULL) {
		return -ENOENT;
	}
	point_copy = strdup(found_point);
	root_copy = strdup(found_root);
	if (point_copy == NULL || root_copy == NULL) {
		return -ENOMEM;
	}
	*ret_point = take_ptr(point_copy);
	*ret_root = take_ptr(root_copy);
	return 0;
}

int
cgroup_own_v2(const char *text, char **ret_path)
{
	for (const char *line = text; *line != '\0';) {
		const char *end = strchrnul(line, '\n');

		if (strncmp(line, "0::/", 4) == 0) {
			char *path = strndup(line + 3, (size_t)(end - line) - 3);

			if (path == NULL) {
				return -ENOMEM;
			}
			*ret_path = path;
			return 0;
		}
		line = *end == '\n' ? end + 1 : end;
	}
	return -ENOENT;
}

int
cgroup_path_join(const char *point, const char *root, const char *path, char **ret_dir)
{
	size_t root_len = strcmp(root, "/") == 0 ? 0 : strlen(root);
	struct buf dir = BUF_INIT;

	/* "/../x": the group is outside of this process' cgroup namespace. */
	if (strncmp(path, root, root_len) != 0 ||
	    (path[root_len] != '/' && path[root_len] != '\0') || strncmp(path, "/..", 3) == 0 ||
	    strncmp(root, "/..", 3) == 0) {
		return -ENOENT;
	}
	buf_puts(&dir, point);
	if (strcmp(path + root_len, "/") != 0) {
		buf_puts(&dir, path + root_len);
	}
	if (dir.failed) {
		buf_finish(&dir);
		return -ENOMEM;
	}
	*ret_dir = (char *)dir.data;
	return 0;
}

/* The directory of this process' own v2 group. */
static int
own_dir(char **ret_dir)
{
	auto_buf mounts = BUF_INIT;
	auto_buf own = BUF_INIT;
	auto_free char *point = NULL;
	auto_free char *root = NULL;
	auto_free char *path = NULL;
	int r = fdio_slurp_at(AT_FDCWD, "/proc/self/mountinfo", CAP_PROC_FILE, &mounts);

	if (r == 0) {
		r = fdio_slurp_at(AT_FDCWD, "/proc/self/cgroup", CAP_PROC_FILE, &own);
	}
	if (r == 0) {
		r = cgroup_mount_find(buf_text(&mounts), NULL, &point, &root);
	}
	if (r == 0) {
		r = cgroup_own_v2(buf_text(&own), &path);
	}
	return r != 0 ? r : cgroup_path_join(point, root, path, ret_dir);
}

/* ---- controllers -------------------------------------------------------------------------- */

/* clang-format off */
static const struct {
	const char *name;
	uint32_t bit;
} v2_controllers[] = {
	{ "memory", DEGRADE_CGROUP_MEMORY },
	{ "pids",   DEGRADE_CGROUP_PIDS },
	{ "cpu",    DEGRADE_CGROUP_CPU },
};
/* clang-format on */

/* Is word one of the space-separated words of text? */
static bool
has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *p = strstr(text, word); p != NULL; p = strstr(p + 1, word)) {
		if ((p == text || p[-1] == ' ') && strchr(" \n", p[len]) != NULL) {
			return true;
		}
	}
	return false;
}

/* Switches one controller on for the children of dir_fd; nothing is written when it is on. */
static int
enable(int dir_fd, const char *controller)
{
	char held[512], line[32];
	int r = cgroup_file_read(dir_fd, "cgroup.subtree_control", held, sizeof(held));

	if (r < 0) {
		return r;
	}
	if (has_word(held, controller)) {
		return 0;
	}
	snprintf(line, sizeof(line), "+%s", controller);
	return cgroup_file_write(dir_fd, "cgroup.subtree_control", line);
}

static int
prepare_controllers(int dir_fd, int parent_fd, const char *dir, struct cgroup_site *site)
{
	char there[512];
	int r = cgroup_file_read(dir_fd, "cgroup.controllers", there, sizeof(there));

	if (r < 0) {
		return cgroup_site_because(site, "%s/cgroup.controllers: %s", dir, strerror(-r));
	}
	for (size_t i = 0; i < ARRAY_LEN(v2_controllers); i++) {
		const char *name = v2_controllers[i].name;

		if (!has_word(there, name)) {
			r = cgroup_site_because(
				site,
				"the %s controller is not delegated to %s: an administrator can "
				"set 'Delegate=cpu memory pids' in a drop-in of user@.service (or "
				"of the service); or list cgroup.%s in allow_degraded",
				name, dir, name);
		} else {
			r = enable(dir_fd, name);
			if (r == 0) {
				r = enable(parent_fd, name);
			}
			if (r == 0) {
				site->missing &= ~v2_controllers[i].bit;
				continue;
			}
			r = cgroup_site_because(
				site,
				"the %s controller cannot be enabled below %s (%s): let airlock be "
				"the only process of a delegated group; or list cgroup.%s in "
				"allow_degraded",
				name, dir, strerror(-r), name);
		}
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

int
cgroup_v2_prepare(int dir_fd, const char *dir, struct cgroup_site *ret)
{
	struct buf parent = BUF_INIT;
	auto_fd parent_fd = -1;
	int r;

	ret->version = CGROUP_V2;
	if (mkdirat(dir_fd, CGROUP_PARENT, 0755) < 0 && errno != EEXIST) {
		return cgroup_site_because(
			ret,
			"no cgroup here is writable for uid %d (%s: %s): log in "
			"through systemd (a user session; 'loginctl enable-linger' "
			"keeps one), or run airlock in a service with "
			"Delegate=yes; or list cgroup in allow_degraded",
			(int)geteuid(), dir, strerror(errno));
	}
	parent_fd = cgroup_dir_open(dir_fd, CGROUP_PARENT);
	if (parent_fd < 0 || faccessat(parent_fd, ".", W_OK, AT_EACCESS) < 0) {
		return cgroup_site_because(ret, "%s/" CGROUP_PARENT " is not ours to write", dir);
	}
	r = prepare_controllers(dir_fd, parent_fd, dir, ret);
	if (r < 0 || ret->missing == DEGRADE_CGROUP) {
		return r;
	}
	buf_printf(&parent, "%s/" CGROUP_PARENT, strcmp(dir, "/") == 0 ? "" : dir);
	if (parent.failed) {
		buf_finish(&parent);
		return -ENOMEM;
	}
	free(ret->parent[CTL_MEMORY]);
	ret->parent[CTL_MEMORY] = (char *)parent.data;
	return 0;
}

/* ---- entering ----------------------------------------------------------------------------- */

/* -EBUSY when a process other than this one is in the group. */
static int
check_alone(int dir_fd)
{
	char text[64], mine[32];
	int len = cgroup_file_read(dir_fd, "cgroup.procs", text, sizeof(text));

	snprintf(mine, sizeof(mine), "%d\n", getpid());
	if (len < 0) {
		return len == -EFBIG ? -EBUSY : len;
	}
	return strcmp(text, mine) == 0 ? 0 : -EBUSY;
}

/*
 * The system manager marks what it delegates; the mark for everybody is younger (v251) than the one
 * for root. Without the mark a group may be writable and yet its controllers are systemd's to
 * change. A user manager (252) marks nothing: its groups count as not delegated, and a scope of our
 * own is right there too.
 */
static bool
is_delegated(int dir_fd)
{
	char value[2] = "";

	if (access("/run/systemd/system", F_OK) < 0) {
		return true;
	}
	return (fgetxattr(dir_fd, "user.delegate", value, sizeof(value)) == 1 && value[0] == '1') ||
	       (fgetxattr(dir_fd, "trusted.delegate", value, sizeof(value)) == 1 &&
		value[0] == '1');
}

bool
cgroup_scope_ready(void)
{
	auto_free char *dir = NULL;
	auto_fd dir_fd = own_dir(&dir) < 0 ? -1 : cgroup_dir_open(AT_FDCWD, dir);

	return dir_fd >= 0 && check_alone(dir_fd) == 0 && is_delegated(dir_fd) &&
	       faccessat(dir_fd, ".", W_OK, AT_EACCESS) == 0 &&
	       faccessat(dir_fd, "cgroup.procs", W_OK, AT_EACCESS) == 0 &&
	       faccessat(dir_fd, "cgroup.subtree_control", W_OK, AT_EACCESS) == 0;
}

static int
move_to_leaf(int dir_fd, const char *dir, struct err *err)
{
	auto_fd leaf_fd = -1;
	int r;

	if (mkdirat(dir_fd, SUPERVISOR_LEAF, 0755) < 0 && errno != EEXIST) {
		return err_sys(err, -errno, "cgroup: make %s/" SUPERVISOR_LEAF, dir);
	}
	leaf_fd = cgroup_dir_open(dir_fd, SUPERVISOR_LEAF);
	if (leaf_fd < 0) {
		return err_sys(err, leaf_fd, "cgroup: open %s/" SUPERVISOR_LEAF, dir);
	}
	r = cgroup_file_write(leaf_fd, "cgroup.procs", "0");
	return r < 0 ? err_sys(err, r, "cgroup: move into %s/" SUPERVISOR_LEAF, dir) : 0;
}

int
cgroup_scope_enter(struct cgroup_site *ret, struct err *err)
{
	struct cgroup_site site;
	auto_free char *dir = NULL;
	auto_fd dir_fd = -1;
	int r = own_dir(&dir);

	if (r != 0) {
		return err_set(err, r == -ENOENT ? -EOPNOTSUPP : r,
			       "cgroup: this process has no group on a cgroup v2 mount");
	}
	dir_fd = cgroup_dir_open(AT_FDCWD, dir);
	if (dir_fd < 0) {
		return err_sys(err, dir_fd, "cgroup: open %s", dir);
	}
	r = check_alone(dir_fd);
	if (r < 0) {
		return err_set(err, r, "cgroup: %s holds other processes than airlock", dir);
	}
	r = move_to_leaf(dir_fd, dir, err);
	if (r < 0) {
		return r;
	}
	r = cgroup_site_init(&site);
	if (r == 0) {
		r = cgroup_v2_prepare(dir_fd, dir, &site);
	}
	if (r < 0) {
		cgroup_site_finish(&site);
		return err_sys(err, r, "cgroup: %s", dir);
	}
	if (site.missing == DEGRADE_CGROUP) {
		r = err_set(err, -EOPNOTSUPP, "%s", site.why);
		cgroup_site_finish(&site);
		return r;
	}
	*ret = site;
	return 0;
}
