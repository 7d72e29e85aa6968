/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front as the caller (perhaps root): which directory is the workspace, and may it be
 * one. A wrong choice here would hand a tool the home directory or our own evidence, so what is
 * refused is refused before anything starts.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../supervise/around.h"
#include "../sys/sys.h"
#include "front.h"

static int
real_path(struct front *f, const char *path, const char *what, const char **ret)
{
	auto_free char *real = realpath(path, NULL);
	char *kept;

	if (real == NULL) {
		return err_sys(&f->err, -errno, "%s %s", what, path);
	}
	kept = arena_string(&f->arena, real);
	if (kept == NULL) {
		return err_set(&f->err, -ENOMEM, "out of memory");
	}
	*ret = kept;
	return 0;
}

/* The name of what was opened, not of what a name means now. */
static int
name_of(struct front *f, int fd, const char **ret)
{
	char path[PATH_MAX];
	struct stat st;
	int rc = fdio_path(fd, path);

	if (rc < 0 || fstat(fd, &st) < 0) {
		return err_sys(&f->err, rc < 0 ? rc : -errno, "read /proc/self/fd/%d", fd);
	}
	if (st.st_nlink == 0 || path[0] != '/') {
		return err_set(&f->err, -ENOENT,
			       "the workspace was deleted: go to another directory or name one "
			       "with -w");
	}
	*ret = arena_string(&f->arena, path);
	return *ret == NULL ? err_set(&f->err, -ENOMEM, "out of memory") : 0;
}

int
front_open_named(const char *path, int flags, mode_t mode)
{
	return sys_openat2(AT_FDCWD, path, (uint64_t)flags, mode,
			   SYS_RESOLVE_NO_MAGICLINKS |
				   (geteuid() == 0 ? SYS_RESOLVE_NO_SYMLINKS : 0));
}

/* Opened once, before anything is decided from it. */
static int
open_workspace(struct front *f, const char *given)
{
	struct request *r = &f->req;
	struct stat st;
	int rc;

	r->workspace_fd = front_open_named(given, O_RDONLY | O_DIRECTORY, 0);
	if (r->workspace_fd == -ELOOP && geteuid() == 0) {
		return err_set(
			&f->err, -ELOOP,
			"workspace %s: there is a link in this path, which root does not follow: "
			"name the directory itself",
			given);
	}
	if (r->workspace_fd == -ENOSYS) {
		err_set(&f->err, -ENOSYS,
			"openat2 is not there (ENOSYS): a seccomp filter around airlock hides it "
			"(systemd's RestrictSUIDSGID= is one); there is no other way");
		return around_explain(&f->err, -ENOSYS);
	}
	if (r->workspace_fd < 0 || fstat(r->workspace_fd, &st) < 0) {
		return err_sys(&f->err, r->workspace_fd < 0 ? r->workspace_fd : -errno,
			       "workspace %s", given);
	}
	rc = name_of(f, r->workspace_fd, &r->workspace);
	if (rc < 0) {
		return rc;
	}
	r->workspace_dev = st.st_dev;
	r->workspace_ino = st.st_ino;
	r->lower_dir = r->workspace;
	r->lower_dev = st.st_dev;
	r->lower_ino = st.st_ino;
	/* Birth time tells a directory from one that replaced it under the same inode number. */
	r->workspace_btime_ns = sys_birth_ns(r->workspace_fd);
	r->identity.owner_uid = st.st_uid;
	r->identity.owner_gid = st.st_gid;
	return 0;
}

static int
choose_cwd(struct front *f)
{
	struct request *r = &f->req;
	const char *given = f->opt.chdir;
	struct stat st;
	int rc;

	if (f->opt.input != NULL) {
		return front_input_cwd(f, given);
	}
	if (given == NULL) {
		/* Inside the workspace the tool starts where its caller stands. */
		char here[PATH_MAX];

		r->cwd = getcwd(here, sizeof(here)) != NULL && plan_covers(r->workspace, here)
				 ? arena_string(&f->arena, here)
				 : r->workspace;
		return r->cwd == NULL ? err_set(&f->err, -ENOMEM, "out of memory") : 0;
	}
	if (given[0] != '/') {
		given = arena_printf(&f->arena, "%s/%s", r->workspace, given);
	}
	rc = given == NULL ? -ENOMEM : real_path(f, given, "-C", &r->cwd);
	if (rc < 0) {
		return rc;
	}
	if (!plan_covers(r->workspace, r->cwd)) {
		return err_set(&f->err, -EINVAL, "-C %s: not in the workspace %s", r->cwd,
			       r->workspace);
	}
	if (stat(r->cwd, &st) < 0 || !S_ISDIR(st.st_mode)) {
		return err_set(&f->err, -ENOTDIR, "-C %s: not a directory", r->cwd);
	}
	return 0;
}

/* What git will miss inside: said once, because the tool's own message would not say why. */
static void
hint_about_git(struct front *f)
{
	struct request *r = &f->req;
	struct stat st;
	char *dir;

	if (fstatat(r->workspace_fd, ".git", &st, AT_SYMLINK_NOFOLLOW) == 0) {
		return; /* a file: front_worktree.c */
	}
	dir = arena_string(&f->arena, r->workspace);
	for (char *slash; dir != NULL && (slash = strrchr(dir, '/')) != NULL && slash != dir;) {
		*slash = '\0';
		if (stat(arena_printf(&f->arena, "%s/.git", dir), &st) == 0) {
			front_warn(
				f,
				arena_printf(
					&f->arena,
					"the workspace is a directory of the git repository %s, "
					"which is not visible: use -w %s for git",
					dir, dir));
			return;
		}
	}
}

int
front_workspace(struct front *f)
{
	int rc = open_workspace(f, f->opt.workspace != NULL ? f->opt.workspace : ".");

	if (rc == 0) {
		rc = front_input_open(f);
	}
	if (rc == 0) {
		rc = choose_cwd(f);
	}
	if (rc == 0 && f->opt.input == NULL) {
		hint_about_git(f);
	}
	return rc;
}

/* Nobody commits while we hold the lock: what stands here is left of a commit, and the workspace is
 * neither before nor after it. */
static int
refuse_half(struct front *f)
{
	struct stat st;

	if (fstatat(f->req.workspace_fd, COMMIT_STAGING, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		return errno == ENOENT ? 0 : err_sys(&f->err, -errno, "%s", COMMIT_STAGING);
	}
	return err_set(&f->err, -EUCLEAN,
		       "%s/%s is left of a commit that was cut short: uid %u, whose it is, runs "
		       "`airlock recover`",
		       f->req.workspace, COMMIT_STAGING, (unsigned int)st.st_uid);
}

int
front_lock(struct front *f)
{
	int rc;

	f->lock.workspace_fd = f->req.workspace_fd;
	f->lock.state_fd = f->store.dir_fd;
	f->lock.wake_fd = f->end_fd;
	rc = workspace_lock_shared(&f->lock, WORKSPACE_LOCK_RUN_MS, &f->err);
	if (rc == -EBUSY) {
		const struct err why = f->err;

		if (front_ended(f) < 0) {
			return f->err.code;
		}
		rc = err_set(&f->err, -EBUSY,
			     "%s (waited %u s for %s; nothing ran, try again)", why.text,
			     WORKSPACE_LOCK_RUN_MS / 1000, f->req.workspace);
	}
	return rc == 0 ? refuse_half(f) : rc;
}

/* The nearest ancestor that exists, without links, and the rest. */
const char *
front_resolved(struct front *f, const char *path)
{
	char *head = arena_string(&f->arena, path);
	size_t len = head != NULL ? strlen(head) : 0;

	while (len > 1) {
		auto_free char *real = realpath(head, NULL);

		if (real != NULL) {
			return arena_printf(&f->arena, "%s%s", real, path + len);
		}
		while (len > 1 && head[--len] != '/') {
		}
		head[len] = '\0';
	}
	return path;
}

/* A path of the host that a tool may write, and how a message names it. */
struct writable {
	const char *path, *name;
};

static int
refuse(struct front *f, const struct writable *w, const char *other, const char *what)
{
	const char *path = other != NULL ? front_resolved(f, other) : NULL;

	if (path == NULL) {
		return err_set(&f->err, -ENOMEM, "out of memory");
	}
	if (plan_covers(path, w->path) || plan_covers(w->path, path)) {
		return err_set(&f->err, -EINVAL, "%s %s: it %s %s (%s)", w->name, w->path,
			       plan_covers(path, w->path) ? "lies in" : "contains", what, path);
	}
	return 0;
}

/* A tool that can write a directory of profiles decides what the next call may do. */
static int
refuse_profile_path(struct front *f, const struct writable *w)
{
	const char *dirs = getenv("AIRLOCK_PROFILES");
	int rc = 0;

	while (rc == 0 && dirs != NULL && *dirs != '\0') {
		size_t len = strcspn(dirs, ":");
		const char *dir = arena_copy(&f->arena, dirs, len);

		if (dir == NULL) {
			return err_set(&f->err, -ENOMEM, "out of memory");
		}
		rc = dir[0] == '/' ? refuse(f, w, dir, "a directory of AIRLOCK_PROFILES") : 0;
		dirs += len + (dirs[len] == ':');
	}
	return rc;
}

/* What holds policy and evidence. */
static int
refuse_ours(struct front *f, const struct writable *w)
{
	const struct identity *id = &f->req.identity;
	const char *config = getenv("XDG_CONFIG_HOME");
	int rc = refuse(f, w, f->state_path, "the state directory");

	if (rc == 0) {
		rc = refuse_profile_path(f, w);
	}
	if (rc == 0) {
		rc = refuse(f, w, "/etc/airlock", "the system's profiles");
	}
	if (rc == 0 && config != NULL && config[0] == '/' && !id->dropped) {
		rc = refuse(f, w, arena_printf(&f->arena, "%s/airlock", config), "your profiles");
	}
	if (rc == 0) {
		rc = refuse(f, w, arena_printf(&f->arena, "%s/.config/airlock", id->home),
			    "your profiles");
	}
	return rc == 0 ? refuse(f, w, f->paths.shipped, "the shipped profiles") : rc;
}

/*
 * A tool sees as little of them through another directory; what airlock itself made for this in
 * $STATE/scratch is not theirs.
 */
static int
refuse_input(struct front *f)
{
	const struct writable input = { f->input_path, "--input" };
	const char *scratch;

	if (f->opt.input == NULL) {
		return 0;
	}
	scratch = arena_printf(&f->arena, "%s/scratch/", f->state_path);
	if (scratch == NULL) {
		return err_set(&f->err, -ENOMEM, "out of memory");
	}
	return strncmp(f->input_path, scratch, strlen(scratch)) == 0 ? 0 : refuse_ours(f, &input);
}

static int
refuse_workspace(struct front *f)
{
	const struct request *r = &f->req;
	const struct writable workspace = { r->workspace, "workspace" };
	auto_free char *home = realpath(r->identity.home, NULL);
	const char *real_home = home != NULL ? home : r->identity.home;

	if (strcmp(r->workspace, "/") == 0) {
		return err_set(&f->err, -EINVAL,
			       "workspace /: the whole file system cannot be one");
	}
	if (plan_covers(r->workspace, real_home)) {
		return err_set(&f->err, -EINVAL, "workspace %s: it %s the home directory %s",
			       r->workspace,
			       strcmp(r->workspace, real_home) == 0 ? "is" : "contains", real_home);
	}
	return front_serves_here(f) ? 0 : refuse_ours(f, &workspace);
}

int
front_refuse_overlap(struct front *f)
{
	int rc = refuse_workspace(f);

	f->no_workspace = rc < 0;
	return rc == 0 ? refuse_input(f) : rc;
}

/* Names by which a later program would run or trust what the tool leaves there. */
static int
refuse_name(struct front *f, const struct rule_path *rule)
{
	auto_free char *real = realpath(f->req.identity.home, NULL);
	const char *home = real != NULL ? real : f->req.identity.home;
	const char *below = plan_covers(home, rule->path) ? rule->path + strlen(home) : rule->path;
	const char *name = below + strspn(below, "/");
	const char *why = names_protected_by(name);

	if (why == NULL && names_is_secret(name)) {
		why = "the name of a secret";
	}
	return why == NULL ? 0
			   : err_set(&f->err, -EINVAL,
				     "%s: filesystem.write %s: a later program runs or trusts what "
				     "stands there (%s)",
				     rule->origin, rule->path, why);
}

int
front_refuse_writes(struct front *f)
{
	const struct rule_paths *write = &f->profile->write;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < write->count; i++) {
		const struct rule_path *rule = &write->items[i];
		const struct writable w = {
			rule->path,
			arena_printf(&f->arena, "%s: filesystem.write", rule->origin),
		};

		rc = w.name == NULL ? err_set(&f->err, -ENOMEM, "out of memory")
				    : refuse_name(f, rule);
		if (rc == 0) {
			rc = refuse_ours(f, &w);
		}
	}
	return rc;
}
