/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by airlock-inspect as the tool: mounts, nodes, namespaces, processes, places to write. Files
 * are opened and not read or written. A file that is made to see whether it can be has no name
 * (O_TMPFILE), or where the file system knows none, loses it at once.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "inspect.h"
#include "parse.h"

#define DEVICE_DEPTH 4u
#define PROCESSES_MAX 4096u
#define PLACES_MAX 1024u
#define OWN_NAME ".airlock-inspect"

/* ---- cgroup ---------------------------------------------------------------------------------- */

static bool
is_cgroup(struct look *l, const struct parsed_mount *m, void *context)
{
	(void)l;
	*(bool *)context |= strcmp(m->fs, "cgroup") == 0 || strcmp(m->fs, "cgroup2") == 0;
	return true;
}

/* "id:controllers:path" */
void
see_cgroup(struct look *l)
{
	const char *at = inspect_slurp(l, "/proc/self/cgroup");
	bool mounted = false;

	inspect_each_mount(l, is_cgroup, &mounted);
	report_object(l->report, "cgroup");
	report_flag(l->report, "mounted", mounted);
	report_list(l->report, "paths");
	for (char *line = inspect_line(l, &at); line != NULL; line = inspect_line(l, &at)) {
		char *controllers = strchr(line, ':');
		char *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;

		if (path != NULL) {
			*path++ = '\0';
			controllers++;
			report_row(l->report);
			report_text(l->report, "controllers",
				    controllers[0] != '\0' ? controllers : "unified");
			report_title(l->report, "path", path);
			report_end(l->report);
		}
	}
	report_end(l->report);
	report_end(l->report);
}

/* ---- devices --------------------------------------------------------------------------------- */

struct device {
	const char *path;
	struct stat st;
};

struct device_list {
	struct device *items;
	size_t count;
};

static void
find_devices(struct look *l, const char *dir_path, unsigned int depth, struct device_list *list)
{
	auto_dir dir = NULL;

	if (fdio_list_dir(AT_FDCWD, dir_path, O_NOFOLLOW, &dir) < 0) {
		return;
	}
	for (struct dirent *e = readdir(dir); e != NULL && list->count < PLACES_MAX;
	     e = readdir(dir)) {
		struct device d = { .path = arena_printf(&l->arena, "%s/%s", dir_path, e->d_name) };

		if (e->d_name[0] == '.' || d.path == NULL || lstat(d.path, &d.st) < 0) {
			continue;
		}
		if (S_ISDIR(d.st.st_mode) && depth < DEVICE_DEPTH) {
			find_devices(l, d.path, depth + 1, list);
		} else if (S_ISCHR(d.st.st_mode) || S_ISBLK(d.st.st_mode)) {
			list->items[list->count++] = d;
		}
	}
}

static int
device_order(const void *a, const void *b)
{
	return strcmp(((const struct device *)a)->path, ((const struct device *)b)->path);
}

void
see_devices(struct look *l)
{
	struct device_list list = { .items = arena_alloc(&l->arena,
							 (PLACES_MAX + 1) * sizeof(*list.items)) };

	if (list.items != NULL) {
		find_devices(l, "/dev", 0, &list);
	}
	if (list.count > 0) {
		qsort(list.items, list.count, sizeof(*list.items), device_order);
	}
	report_list(l->report, "devices");
	for (size_t i = 0; i < list.count; i++) {
		const struct device *d = &list.items[i];

		report_row(l->report);
		report_text(l->report, "kind", S_ISCHR(d->st.st_mode) ? "character" : "block");
		report_text(l->report, "number",
			    arena_printf(&l->arena, "%u:%u", major(d->st.st_rdev),
					 minor(d->st.st_rdev)));
		report_title(l->report, "path", d->path);
		report_flag(l->report, "read", access(d->path, R_OK) == 0);
		report_flag(l->report, "write", access(d->path, W_OK) == 0);
		report_end(l->report);
	}
	report_end(l->report);
}

/* ---- files of the kernel --------------------------------------------------------------------- */

/* What a sandbox lays over a file that must not be read. */
static bool
is_null_device(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3);
}

void
see_kernel_files(struct look *l)
{
	static const struct {
		const char *path;
		int flags;
	} files[] = {
		{ "/proc/kallsyms", O_RDONLY },
		{ "/proc/kcore", O_RDONLY },
		{ "/proc/kmsg", O_RDONLY },
		{ "/proc/sys/kernel/core_pattern", O_WRONLY },
		{ "/proc/sys/kernel/hostname", O_WRONLY },
		{ "/proc/sys/kernel/modprobe", O_WRONLY },
		{ "/proc/sysrq-trigger", O_WRONLY },
		{ "/sys/fs/cgroup/cgroup.procs", O_WRONLY },
		{ "/sys/kernel/uevent_helper", O_WRONLY },
		{ "/sys/power/state", O_WRONLY },
	};

	report_list(l->report, "kernel_files");
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		auto_fd fd =
			open(files[i].path, files[i].flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
		int error = fd < 0 ? errno : 0;

		report_row(l->report);
		report_text(l->report, "access", files[i].flags == O_RDONLY ? "read" : "write");
		report_title(l->report, "path", files[i].path);
		report_text(l->report, "result",
			    fd >= 0 && is_null_device(fd) ? "masked" : inspect_result(error));
		report_end(l->report);
	}
	report_end(l->report);
}

/* ---- mounts ---------------------------------------------------------------------------------- */

static bool
say_mount(struct look *l, const struct parsed_mount *m, void *context)
{
	(void)context;
	report_row(l->report);
	report_text(l->report, "fs", m->fs);
	report_text(l->report, "options", m->options);
	report_title(l->report, "point", m->point);
	report_text(l->report, "propagation", m->propagation);
	report_text(l->report, "root", m->root);
	report_text(l->report, "source", m->source);
	report_text(l->report, "super_options", m->super_options);
	report_end(l->report);
	return true;
}

void
see_mounts(struct look *l)
{
	report_list(l->report, "mounts");
	inspect_each_mount(l, say_mount, NULL);
	report_end(l->report);
}

/* ---- namespaces ------------------------------------------------------------------------------ */

/*
 * The numbers that a kernel gives its first namespaces (linux/proc_ns.h of the kernel; network and
 * mount since 6.18 only).
 */
static const struct {
	const char *name;
	ino_t first;
	bool always;
} kinds[] = {
	{ "cgroup", 0xEFFFFFFBu, true }, { "ipc", 0xEFFFFFFFu, true },
	{ "mnt", 0xEFFFFFF8u, false },	 { "net", 0xEFFFFFF9u, false },
	{ "pid", 0xEFFFFFFCu, true },	 { "time", 0xEFFFFFFAu, true },
	{ "user", 0xEFFFFFFDu, true },	 { "uts", 0xEFFFFFFEu, true },
};

/* Whose a namespace is: our own user namespace, or one that we cannot see. */
static const char *
owner_of(int fd, ino_t user)
{
	auto_fd owner = ioctl(fd, NS_GET_USERNS);
	struct stat st;

	if (owner < 0) {
		return errno == EPERM ? "outside" : NULL;
	}
	return fstat(owner, &st) < 0 ? NULL : st.st_ino == user ? "own" : "below";
}

void
see_namespaces(struct look *l)
{
	struct stat user = { .st_ino = 0 };
	bool user_known = stat("/proc/self/ns/user", &user) == 0;

	report_list(l->report, "namespaces");
	for (size_t i = 0; user_known && i < ARRAY_LEN(kinds); i++) {
		const char *path = arena_printf(&l->arena, "/proc/self/ns/%s", kinds[i].name);
		auto_fd fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
		const char *owner = fd >= 0 ? owner_of(fd, user.st_ino) : NULL;
		struct stat st;
		bool is_first, is_known;

		if (fd < 0 || fstat(fd, &st) < 0) {
			continue;
		}
		is_first = st.st_ino == kinds[i].first;
		is_known =
			is_first || kinds[i].always ||
			(owner != NULL && strcmp(owner, "own") == 0 && user.st_ino != 0xEFFFFFFDu);
		report_row(l->report);
		report_maybe(l->report, "initial", is_known, is_first);
		report_number(l->report, "inode", st.st_ino);
		report_title(l->report, "name", kinds[i].name);
		report_text(l->report, "owner", owner);
		report_end(l->report);
	}
	report_end(l->report);
}

/* ---- processes ------------------------------------------------------------------------------- */

static void
say_process(struct look *l, int pid)
{
	const char *path = arena_printf(&l->arena, "/proc/%d/status", pid);
	const char *status = path != NULL ? inspect_slurp(l, path) : "";
	const char *name = parse_status(status, "Name");
	const char *own_name =
		name != NULL ? arena_copy(&l->arena, name, strcspn(name, "\n")) : NULL;
	uint64_t uid = 0;
	bool known = parse_status_number(status, "Uid", 10, &uid);

	report_row(l->report);
	report_title(l->report, "name", own_name != NULL ? own_name : "");
	report_number(l->report, "pid", (uint64_t)pid);
	report_known(l->report, "uid", known, uid, "not known");
	report_end(l->report);
}

void
see_processes(struct look *l)
{
	int *pids;
	size_t count = inspect_numbers(l, "/proc", PROCESSES_MAX, &pids);

	report_list(l->report, "processes");
	for (size_t i = 0; i < count; i++) {
		say_process(l, pids[i]);
	}
	report_end(l->report);
}

/* ---- places to write ------------------------------------------------------------------------- */

struct places {
	const char *path[PLACES_MAX];
	size_t count;
};

static void
add_place(struct places *p, const char *path)
{
	for (size_t i = 0; i < p->count; i++) {
		if (strcmp(p->path[i], path) == 0) {
			return;
		}
	}
	if (path[0] == '/' && p->count < PLACES_MAX) {
		p->path[p->count++] = path;
	}
}

static bool
add_mount(struct look *l, const struct parsed_mount *m, void *context)
{
	struct stat st;

	(void)l;
	if (strncmp(m->options, "rw", 2) == 0 && strcmp(m->fs, "autofs") != 0 &&
	    lstat(m->point, &st) == 0 && S_ISDIR(st.st_mode)) {
		add_place(context, m->point);
	}
	return true;
}

static bool
can_make(const char *path)
{
	auto_fd dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_fd fd =
		dir < 0 ? -1 : openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC | O_NOCTTY, 0600);
	auto_fd named = -1;

	if (dir < 0 || fd >= 0) {
		return fd >= 0;
	}
	if (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT) {
		return false;
	}
	named = openat(dir, OWN_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	return named >= 0 && unlinkat(dir, OWN_NAME, 0) == 0;
}

static int
text_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void
see_writable(struct look *l)
{
	static const char *const usual[] = { "/",     "/dev",	    "/dev/shm", "/etc",
					     "/home", "/opt",	    "/proc",	"/root",
					     "/run",  "/srv",	    "/sys",	"/tmp",
					     "/usr",  "/usr/local", "/var",	"/var/tmp" };
	struct places *p = arena_alloc(&l->arena, sizeof(*p));
	const char *home = inspect_variable(l, "HOME");
	char *cwd = getcwd(NULL, 0);

	if (p != NULL) {
		inspect_each_mount(l, add_mount, p);
		for (size_t i = 0; i < ARRAY_LEN(usual); i++) {
			add_place(p, usual[i]);
		}
		add_place(p, home != NULL ? home : "/");
		add_place(p, cwd != NULL ? cwd : "/");
		qsort(p->path, p->count, sizeof(p->path[0]), text_order);
	}
	report_list(l->report, "writable");
	for (size_t i = 0; p != NULL && i < p->count; i++) {
		struct statvfs fs;

		if (can_make(p->path[i])) {
			report_row(l->report);
			report_flag(l->report, "exec",
				    statvfs(p->path[i], &fs) == 0 && (fs.f_flag & ST_NOEXEC) == 0);
			report_title(l->report, "path", p->path[i]);
			report_end(l->report);
		}
	}
	report_end(l->report);
	free(cwd);
}
