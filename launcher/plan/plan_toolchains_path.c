/* SPDX-License-Identifier: Apache-2.0 */
/* Run by the front: PATH inside where toolchains are given, and the workspace's environment. */
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/buf.h"
#include "plan_build.h"
#include "toolchains.h"

/* ---- PATH ---------------------------------------------------------------------------- */

static bool
has_entry(const char *path, const char *entry, size_t len)
{
	for (const char *p = path; *p != '\0';) {
		size_t own = strcspn(p, ":");

		if (own == len && strncmp(p, entry, len) == 0) {
			return true;
		}
		p += own + (p[own] == ':');
	}
	return false;
}

static void
put_entry(struct buf *out, const char *entry, size_t len)
{
	if (len > 0 && !has_entry(buf_text(out), entry, len)) {
		buf_puts(out, out->len > 0 ? ":" : "");
		buf_put(out, entry, len);
	}
}

/* Whether one of the row's directories of programs is `dir` below `root`. */
static bool
is_programs(const struct toolchain_place *p, const char *root, const char *dir)
{
	const char *rest = dir + strlen(root);
	bool match = false;

	if (!plan_covers(root, dir)) {
		return false;
	}
	rest = *rest == '/' ? rest + 1 : ".";
	for (const char *list = p->programs; !match && *list != '\0';) {
		size_t len = strcspn(list, ":");
		auto_free char *pattern = strndup(list, len);

		match = pattern != NULL && fnmatch(pattern, rest, FNM_PATHNAME | FNM_PERIOD) == 0;
		list += len + (list[len] == ':');
	}
	return match;
}

/* The directory inside that an entry of the caller's PATH means, or NULL when it is not given. */
static const char *
given_entry(struct arena *a, const struct toolchains *t, const char *entry)
{
	char real[PATH_MAX];

	for (size_t i = 0; i < t->place_count; i++) {
		const struct toolchain_place *p = &t->places[i];

		if (is_programs(p, p->asked, entry) || is_programs(p, p->root, entry)) {
			return entry;
		}
	}
	/* A link of a session (fnm) or of a user's profile (nix) into what is given. */
	if (t->place_count == 0 || realpath(entry, real) == NULL) {
		return NULL;
	}
	for (size_t i = 0; i < t->place_count; i++) {
		if (is_programs(&t->places[i], t->places[i].root, real)) {
			return arena_string(a, real);
		}
	}
	return NULL;
}

/* Entries of the profile's PATH from *at on, up to and with `entry`, when it is one of them. */
static bool
put_up_to(struct buf *out, const char **at, const char *entry, size_t len)
{
	if (!has_entry(*at, entry, len)) {
		return false;
	}
	for (bool there = false; !there;) {
		size_t own = strcspn(*at, ":");

		there = own == len && strncmp(*at, entry, len) == 0;
		put_entry(out, *at, own);
		*at += own + ((*at)[own] == ':');
	}
	return true;
}

static void
put_below(struct buf *b, const char *root, const char *name, size_t len)
{
	buf_puts(b, root);
	if (len != 1 || name[0] != '.') {
		buf_putc(b, '/');
		buf_put(b, name, len);
	}
}

static bool
is_directory(const struct toolchains *t, const char *path)
{
	struct stat st;

	for (size_t i = 0; i < t->shown_count; i++) {
		if (t->shown[i].type == S_IFDIR && strcmp(t->shown[i].path, path) == 0) {
			return true;
		}
	}
	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Those without a pattern in their names, where they are. */
static void
put_own(struct buf *out, const struct toolchains *t, const struct toolchain_place *p)
{
	for (const char *list = p->programs; *list != '\0';) {
		size_t len = strcspn(list, ":");
		auto_buf dir = BUF_INIT, real = BUF_INIT;

		put_below(&dir, p->asked, list, len);
		put_below(&real, p->root, list, len);
		if (memchr(list, '*', len) == NULL && is_directory(t, buf_text(&real))) {
			put_entry(out, buf_text(&dir), dir.len);
		}
		list += len + (list[len] == ':');
	}
}

const char *
toolchains_path(struct arena *a, const struct toolchains *t, const char *profiles,
		const char *callers, const char *first)
{
	auto_buf out = BUF_INIT;

	if (first != NULL) {
		put_entry(&out, first, strlen(first));
	}
	while (callers != NULL && *callers != '\0') {
		size_t len = strcspn(callers, ":");
		size_t bare = len;
		char *entry;
		const char *given;

		while (bare > 1 && callers[bare - 1] == '/') {
			bare--;
		}
		entry = arena_copy(a, callers, bare);
		callers += len + (callers[len] == ':');
		if (entry == NULL) {
			return NULL;
		}
		if (entry[0] != '/' || put_up_to(&out, &profiles, entry, bare)) {
			continue;
		}
		given = given_entry(a, t, entry);
		if (given != NULL && strchr(given, ':') == NULL) {
			put_entry(&out, given, strlen(given));
		}
	}
	while (*profiles != '\0') {
		size_t len = strcspn(profiles, ":");

		put_entry(&out, profiles, len);
		profiles += len + (profiles[len] == ':');
	}
	for (size_t i = 0; i < t->place_count; i++) {
		put_own(&out, t, &t->places[i]);
	}
	return buf_error(&out) < 0 ? NULL : arena_string(a, buf_text(&out));
}

/* ---- the workspace's own environment ------------------------------------------------- */

/* `dir`, when it is a virtual environment in the workspace, as it is named without links. */
static const char *
venv_at(struct arena *a, const char *workspace, const char *dir)
{
	char *real = arena_alloc(a, PATH_MAX);
	char *marker;
	struct stat st;

	if (real == NULL || realpath(dir, real) == NULL || !plan_covers(workspace, real) ||
	    strchr(real, ':') != NULL) {
		return NULL;
	}
	marker = arena_printf(a, "%s/pyvenv.cfg", real);
	return marker != NULL && lstat(marker, &st) == 0 && S_ISREG(st.st_mode) ? real : NULL;
}

const char *
toolchain_venv(struct arena *a, const struct toolchain_query *q, const char *cwd,
	       const char *command)
{
	const char *variable = q->variable("VIRTUAL_ENV");
	const char *slash = strrchr(command, '/');
	const char *dir;

	if ((q->wanted & 1u << TOOLCHAIN_VENV) == 0) {
		return NULL;
	}
	/* DIR/bin/python: the environment is DIR, whatever python itself links to. */
	if (slash != NULL) {
		dir = arena_printf(a, "%s%s%.*s/..", command[0] == '/' ? "" : cwd,
				   command[0] == '/' ? "" : "/", (int)(slash - command), command);
		dir = dir != NULL ? venv_at(a, q->workspace, dir) : NULL;
		if (dir != NULL) {
			return dir;
		}
	}
	return variable != NULL && variable[0] == '/' ? venv_at(a, q->workspace, variable) : NULL;
}
