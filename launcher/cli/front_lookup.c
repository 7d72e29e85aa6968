/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front: COMMAND -> the path that is exec'd inside. Looked up in what the sandbox will
 * show, so that "not found" can say where the host has it and what would make it visible. What the
 * file needs to start is front_program.c's.
 */
#include "front_lookup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/text.h"

#define DEFAULT_SHELL "/bin/sh"

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

bool
front_is_program(mode_t mode)
{
	return S_ISREG(mode) && (mode & 0111) != 0;
}

static bool
host_runs(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && front_is_program(st.st_mode);
}

/* ---- refusals -------------------------------------------------------------------------------- */

/* One line for a person, and its parts for --explain-denials. */
static int
refuse(struct front *f, int code, const char *why, const char *hint)
{
	struct denial *r = &f->refusal;
	const char *command = f->req.argv[0];

	*r = (struct denial){ .kind = "launch", .count = 1 };
	snprintf(r->what, sizeof(r->what), "%s", command);
	snprintf(r->why, sizeof(r->why), "%s", why);
	snprintf(r->hint, sizeof(r->hint), "%s", hint);
	snprintf(r->rule, sizeof(r->rule), "%s", f->profile->rules[KEY_FS_READ].place);
	f->exit_status = code == -EACCES || code == -ELOOP ? EXIT_NOT_EXECUTABLE : EXIT_NOT_FOUND;
	return err_set(&f->err, code, "%s: %s%s%s", command, why, hint[0] != '\0' ? ": " : "",
		       hint);
}

int
front_refuse_program(struct front *f, int code, const char *why)
{
	return refuse(f, code, why, "");
}

static void
hint_to_show(const struct front *f, const char *path, struct buf *hint)
{
	const struct profile *p = f->profile;
	const char *toolchain = front_toolchain_of(f, path);

	if (toolchain != NULL) {
		profile_remedy_entry(hint, p, KEY_TOOLCHAINS, toolchain);
		return;
	}
	if (plan_covers("/proc", path) || plan_covers("/dev", path)) {
		buf_puts(hint, "a sandbox has its own /proc and /dev, and no profile can show it");
		return;
	}
	profile_remedy_entry(hint, p, KEY_FS_READ, path);
	buf_printf(hint, "; see `airlock profile explain %s --path ", p->name);
	text_shell(hint, path);
	buf_putc(hint, '`');
}

int
front_not_visible(struct front *f, const char *role, const char *name, const char *path)
{
	auto_buf why = BUF_INIT, hint = BUF_INIT;
	struct stat st;

	if (lstat(path, &st) < 0) {
		/* As it was written, unless that is a link to nowhere. */
		buf_printf(&why, "%s is %s, which this host does not have",
			   role[0] != '\0' ? role : "it", lstat(name, &st) < 0 ? name : path);
		buf_puts(&hint, "install it on the host, or correct the name");
		return refuse(f, -ENOENT, buf_text(&why), buf_text(&hint));
	}
	if (role[0] != '\0') {
		buf_printf(&why, "%s is %s: the host has it, but profile %s does not show it", role,
			   path, f->profile->name);
	} else {
		buf_printf(&why, "the host has it at %s, but profile %s does not show it", path,
			   f->profile->name);
	}
	hint_to_show(f, path, &hint);
	return refuse(f, -ENOENT, buf_text(&why), buf_text(&hint));
}

/* In the workspace, and hidden there on purpose. */
int
front_refuse_hidden(struct front *f, const char *what, const struct plan_look *look)
{
	auto_buf why = BUF_INIT;
	int rc;

	buf_printf(&why, "%s%sprofile %s hides it (filesystem.hide, %s)", what,
		   what[0] != '\0' ? ": " : "", f->profile->name, look->hide->origin);
	rc = refuse(f, -EACCES, buf_text(&why), "");
	snprintf(f->refusal.rule, sizeof(f->refusal.rule), "%s", look->hide->origin);
	return rc;
}

/* The call could run it and does not look there. */
static int
not_in_path(struct front *f, const char *path)
{
	const char *slash = strrchr(path, '/');
	int dir_len = slash != NULL ? (int)(slash - path) : 0;
	auto_buf why = BUF_INIT, hint = BUF_INIT, entry = BUF_INIT;

	buf_printf(&why, "it is at %s, but PATH of the call is %s", path, path_of(f));
	buf_printf(&entry, "environment: { set: { PATH: ");
	profile_put_quoted(&entry,
			   arena_printf(&f->arena, "%s:%.*s", path_of(f), dir_len, path));
	buf_puts(&entry, " } }");
	buf_puts(&hint, "give that path, or ");
	profile_remedy(&hint, f->profile, KEY_ENV_SET, "set PATH", buf_text(&entry));
	return refuse(f, -ENOENT, buf_text(&why), buf_text(&hint));
}

/* ---- look-ups -------------------------------------------------------------------------------- */

int
front_look(struct front *f, const char *path, struct plan_look *ret)
{
	int rc = plan_look(f->builder, path, ret);

	return rc < 0 ? err_sys(&f->err, rc, "%s", path) : 0;
}

char *
front_from_cwd(struct front *f, const char *path)
{
	return path[0] == '/' ? arena_string(&f->arena, path)
			      : arena_printf(&f->arena, "%s/%s", f->req.cwd, path);
}

/* Where the caller's own PATH has it, for the message. */
static char *
host_has(struct front *f, const char *name)
{
	for (const char *p = getenv("PATH"); p != NULL && *p != '\0';) {
		size_t len = strcspn(p, ":");
		char *candidate = arena_printf(&f->arena, "%.*s/%s", (int)len, p, name);

		if (candidate != NULL && candidate[0] == '/' && host_runs(candidate)) {
			return candidate;
		}
		p += len + (p[len] == ':');
	}
	return NULL;
}

static int
not_found(struct front *f, const char *role, const char *name, const char *hidden)
{
	const char *path = hidden != NULL ? hidden : host_has(f, name);
	struct plan_look look = { .error = ENOENT, .wanted = "", .real = "" };
	auto_buf why = BUF_INIT;
	int rc = path != NULL ? front_look(f, path, &look) : 0;

	if (rc < 0) {
		return rc;
	}
	if (path != NULL) {
		return look.error == 0 ? not_in_path(f, path)
				       : front_not_visible(f, role, path, look.wanted);
	}
	if (role[0] == '\0') {
		return refuse(f, -ENOENT, "command not found", "");
	}
	buf_printf(&why, "%s is %s, which is in no directory of PATH (%s)", role, name, path_of(f));
	return refuse(f, -ENOENT, buf_text(&why), "install it on the host, or correct the name");
}

/*
 * `tool.run` names what may be the entry command; both sides are compared after links. 1, 0 or
 * -errno.
 */
static int
is_allowed(struct front *f, const struct plan_look *found)
{
	const struct strings *run = &f->profile->tool_run;

	for (size_t i = 0; i < run->count; i++) {
		struct plan_look allowed = { .error = ENOENT, .real = "" };
		int rc = front_look(f, run->items[i], &allowed);

		if (rc < 0) {
			return rc;
		}
		if (allowed.error == 0 && strcmp(allowed.real, found->real) == 0) {
			return 1;
		}
	}
	return run->count == 0;
}

int
front_lookup_name(struct front *f, const char *role, const char *name, const char **ret_path,
		  struct plan_look *ret_look)
{
	const char *hidden = NULL;
	bool forbidden = false;

	for (const char *p = path_of(f); *p != '\0';) {
		size_t len = strcspn(p, ":");
		char *candidate = arena_printf(&f->arena, "%.*s/%s", (int)len, p, name);
		struct plan_look look = { .error = ENOENT, .wanted = "", .real = "" };
		int rc;

		p += len + (p[len] == ':');
		if (candidate == NULL || candidate[0] != '/') {
			continue;
		}
		rc = front_look(f, candidate, &look);
		if (rc < 0) {
			return rc;
		}
		if (look.error != 0 || !front_is_program(look.mode)) {
			if (hidden == NULL && host_runs(candidate)) {
				hidden = candidate;
			}
			continue;
		}
		rc = role[0] == '\0' ? is_allowed(f, &look) : 1;
		if (rc > 0 || !forbidden) {
			*ret_path = candidate;
			*ret_look = look;
		}
		if (rc != 0) {
			return rc < 0 ? rc : 0;
		}
		forbidden = true;
	}
	/* Refused by its name, with the reason, when none behind it may be the command. */
	return forbidden ? 0 : not_found(f, role, name, hidden);
}

/* A path, absolute or relative to the working directory, as execve would take it. */
static int
lookup_path(struct front *f, const char *name, const char **ret_path, struct plan_look *ret_look)
{
	const char *path = front_from_cwd(f, name);
	struct plan_look look = { .error = ENOENT, .wanted = "", .real = "" };
	struct stat st;
	int rc;

	if (path == NULL) {
		return err_set(&f->err, -ENOMEM, "out of memory");
	}
	rc = front_look(f, path, &look);
	if (rc < 0) {
		return rc;
	}
	if (look.error == EPERM) {
		return front_refuse_hidden(f, "", &look);
	}
	if (look.error == ELOOP || look.error == EACCES) {
		return err_sys(&f->err, -look.error, "%s", name);
	}
	if (look.error != 0) {
		return lstat(look.wanted, &st) < 0 ? not_found(f, "", name, NULL)
						   : front_not_visible(f, "", path, look.wanted);
	}
	if (!front_is_program(look.mode)) {
		return front_refuse_program(
			f, -EACCES, S_ISDIR(look.mode) ? "is a directory" : "not executable");
	}
	*ret_path = path;
	*ret_look = look;
	return 0;
}

static int
check_allowed(struct front *f, const struct plan_look *found)
{
	int rc = is_allowed(f, found);

	if (rc > 0 && f->profile->tool_run.count > 0) {
		/* What was judged is what is exec'd, whatever a link says by then. */
		f->req.exe = found->real;
	}
	if (rc == 0) {
		return err_set(&f->err, -EPERM,
			       "%s: profile %s runs only what tool.run names (%s)", f->req.exe,
			       f->profile->name, f->profile->rules[KEY_TOOL_RUN].place);
	}
	return rc < 0 ? rc : 0;
}

/* Accounts that nobody is to log in to have one of these. */
static bool
is_shell(const char *path)
{
	const char *name = strrchr(path, '/');

	return name != NULL && strcmp(name, "/nologin") != 0 && strcmp(name, "/false") != 0;
}

static int
set_command(struct front *f, const char *path)
{
	const char **argv = arena_alloc(&f->arena, 2 * sizeof(*argv));

	if (argv == NULL) {
		return err_set(&f->err, -ENOMEM, "out of memory");
	}
	argv[0] = path;
	argv[1] = NULL;
	f->req.argv = argv;
	f->req.argc = 1;
	return 0;
}

int
front_choose_shell(struct front *f)
{
	const char *shell = f->req.identity.shell;

	return f->req.argc > 0 ? 0 : set_command(f, is_shell(shell) ? shell : DEFAULT_SHELL);
}

/* A shell of the caller's that the profile does not show is replaced by the one that it does. */
static int
lookup_shell(struct front *f, struct plan_look *ret)
{
	int rc = lookup_path(f, f->req.argv[0], &f->req.exe, ret);

	if (rc == 0 || strcmp(f->req.argv[0], DEFAULT_SHELL) == 0) {
		return rc;
	}
	f->err = (struct err)ERR_INIT;
	f->exit_status = 0;
	rc = set_command(f, DEFAULT_SHELL);
	return rc == 0 ? lookup_path(f, DEFAULT_SHELL, &f->req.exe, ret) : rc;
}

/*
 * By its name alone it is the one of this airlock, wherever that was installed: what PATH or a
 * workspace has of that name may be anything.
 */
int
front_inspector(struct front *f)
{
	bool is_meant = f->opt.argc > 0 && strcmp(f->req.argv[0], INSPECTOR) == 0;

	f->req.inspector = is_meant && host_runs(f->paths.inspector) ? f->paths.inspector : NULL;
	return 0;
}

int
front_lookup(struct front *f)
{
	const char *name = f->req.argv[0];
	struct plan_look look = { .error = ENOENT, .wanted = "", .real = "" };
	int rc;

	if (f->opt.argc == 0) {
		rc = lookup_shell(f, &look);
	} else if (f->req.inspector != NULL) {
		rc = lookup_path(f, INSPECTOR_INSIDE, &f->req.exe, &look);
	} else if (strchr(name, '/') != NULL) {
		rc = lookup_path(f, name, &f->req.exe, &look);
	} else {
		rc = front_lookup_name(f, "", name, &f->req.exe, &look);
	}
	if (rc == 0) {
		rc = check_allowed(f, &look);
	}
	return rc == 0 ? front_check_program(f, &look) : rc;
}
