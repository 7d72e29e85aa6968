/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front: COMMAND -> the path that is exec'd inside. Looked up on the host in what the
 * sandbox will show, so that "not found" can say where the host has it and what would make it
 * visible.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "front.h"

static const char *
path_of(const struct front *f)
{
	for (size_t i = 0; i < f->req.envc; i++) {
		if (strncmp(f->req.envp[i], "PATH=", 5) == 0) {
			return f->req.envp[i] + 5;
		}
	}
	return PATH_DEFAULT;
}

static bool
is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111) != 0;
}

static int
not_found(struct front *f, const char *name, const char *host_path)
{
	const char *toolchain;

	f->exit_status = EXIT_NOT_FOUND;
	if (host_path == NULL) {
		return err_set(&f->err, -ENOENT, "%s: command not found", name);
	}
	toolchain = front_toolchain_of(f, host_path);
	if (toolchain != NULL) {
		return err_set(&f->err, -ENOENT,
			       "%s: the host has it at %s, but profile %s does not give that: add "
			       "%s to toolchains",
			       name, host_path, f->profile->name, toolchain);
	}
	return err_set(&f->err, -ENOENT,
		       "%s: the host has it at %s, but profile %s does not read that: add it to "
		       "filesystem.read",
		       name, host_path, f->profile->name);
}

/* A path, absolute or relative to the working directory, as execve would take it. */
static int
lookup_path(struct front *f, const char *name)
{
	const char *path =
		name[0] == '/' ? name : arena_printf(&f->arena, "%s/%s", f->req.cwd, name);
	auto_free char *real = NULL;
	struct stat st;
	int rc;

	if (path == NULL) {
		return err_set(&f->err, -ENOMEM, "out of memory");
	}
	/*
	 * What a scratch directory will hold does not exist yet: only what is there can be looked
	 * at.
	 */
	rc = plan_visible(f->builder, path, &real);
	if (rc == -ENOENT || rc == -ENOTDIR) {
		return not_found(f, name, NULL);
	}
	if (rc == -EPERM) {
		f->exit_status = EXIT_NOT_EXECUTABLE;
		return err_set(&f->err, rc, "%s: profile %s hides it (filesystem.hide)", name,
			       f->profile->name);
	}
	if (rc == -EACCES) {
		return not_found(f, name, real != NULL ? real : path);
	}
	if (rc < 0) {
		return err_sys(&f->err, rc, "%s", name);
	}
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || (st.st_mode & 0111) == 0) {
		f->exit_status = EXIT_NOT_EXECUTABLE;
		return err_set(&f->err, -EACCES, "%s: %s", name,
			       S_ISDIR(st.st_mode) ? "is a directory" : "not executable");
	}
	f->req.exe = path;
	return 0;
}

/* Where the caller's own PATH has it, for the message. */
static char *
host_has(struct front *f, const char *name)
{
	const char *dirs = getenv("PATH");

	for (const char *p = dirs; p != NULL && *p != '\0';) {
		size_t len = strcspn(p, ":");
		char *candidate = arena_printf(&f->arena, "%.*s/%s", (int)len, p, name);

		if (candidate != NULL && candidate[0] == '/' && is_program(candidate)) {
			return candidate;
		}
		p += len + (p[len] == ':');
	}
	return NULL;
}

static int
lookup_name(struct front *f, const char *name)
{
	char *hidden = NULL;

	for (const char *p = path_of(f); *p != '\0';) {
		size_t len = strcspn(p, ":");
		char *candidate = arena_printf(&f->arena, "%.*s/%s", (int)len, p, name);
		auto_free char *real = NULL;

		p += len + (p[len] == ':');
		if (candidate == NULL || candidate[0] != '/' || !is_program(candidate)) {
			continue;
		}
		if (plan_visible(f->builder, candidate, &real) == 0) {
			f->req.exe = candidate;
			return 0;
		}
		hidden = candidate;
	}
	return not_found(f, name, hidden != NULL ? hidden : host_has(f, name));
}

/* `tool.run` names what may be the entry command; both sides are compared after links. */
static int
check_allowed(struct front *f)
{
	const struct strings *run = &f->profile->tool_run;
	auto_free char *real = run->count > 0 ? realpath(f->req.exe, NULL) : NULL;

	for (size_t i = 0; i < run->count; i++) {
		auto_free char *allowed = realpath(run->items[i], NULL);

		if (real != NULL && allowed != NULL && strcmp(real, allowed) == 0) {
			/* What was judged is what is exec'd, whatever a link says by then. */
			f->req.exe = arena_string(&f->arena, real);
			return f->req.exe == NULL ? err_set(&f->err, -ENOMEM, "out of memory") : 0;
		}
	}
	f->exit_status = EXIT_AIRLOCK;
	return run->count == 0
		     ? 0
		     : err_set(&f->err, -EPERM, "%s: profile %s runs only what tool.run names",
			       f->req.exe, f->profile->name);
}

int
front_lookup(struct front *f)
{
	const char *name = f->req.argv[0];
	int rc = strchr(name, '/') != NULL ? lookup_path(f, name) : lookup_name(f, name);

	return rc == 0 ? check_allowed(f) : rc;
}
