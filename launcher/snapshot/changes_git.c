/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where git looks in the workspace as it was before the call, beyond the names that it always has:
 * directories that are git directories whatever they are called, and what core.hooksPath names.
 * Run by the front as the workspace's owner; what is read may be what an earlier tool committed,
 * and a repository's author chose how much of it there is.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "changes_internal.h"
#include "gitconfig.h"

#define LINKS_MAX 40u /* that one path leads through, as in the kernel */

static bool
has(int dir_fd, const char *name)
{
	struct fs_stat st;

	return fsat_stat(dir_fd, name, &st) == 0;
}

/* As git itself decides, but for what the files say: that a tool can change. */
static bool
is_git_dir(int dir_fd)
{
	return has(dir_fd, "HEAD") &&
	       (has(dir_fd, "objects") || has(dir_fd, "refs") || has(dir_fd, "commondir"));
}

static bool
ends_in_git(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strcmp(slash != NULL ? slash + 1 : path, ".git") == 0;
}

static int
keep_hooks(struct git_places *g, const char *path)
{
	for (size_t i = 0; i < g->hook_count; i++) {
		if (strcmp(g->hooks[i], path) == 0) {
			return 0;
		}
	}
	if (g->hook_count == GIT_HOOKS_MAX) {
		g->too_many_hooks = true;
		return 0;
	}
	g->hooks[g->hook_count] = strdup(path);
	if (g->hooks[g->hook_count] == NULL) {
		return -ENOMEM;
	}
	g->hook_count++;
	return 0;
}

/* Takes the last name off the first len bytes, and all behind them. */
static void
cut_last(struct buf *path, size_t len)
{
	const char *slash;

	fsat_path_cut(path, len);
	slash = len > 0 ? strrchr(buf_text(path), '/') : NULL;
	fsat_path_cut(path, slash != NULL ? (size_t)(slash - buf_text(path)) : 0);
}

/* An absolute path without "." and "..", taken by its text; "" is the root. */
static void
normalise(const char *path, struct buf *ret)
{
	while (*path != '\0') {
		size_t len = strcspn(path, "/");

		if (len == 2 && path[0] == '.' && path[1] == '.') {
			cut_last(ret, ret->len);
		} else if (len > 0 && !(len == 1 && path[0] == '.')) {
			buf_putc(ret, '/');
			buf_put(ret, path, len);
		}
		path += len + (path[len] == '/');
	}
}

/* Where it is below the workspace. */
static int
keep_below(struct git_places *g, const char *path, const char *workspace)
{
	auto_buf whole = BUF_INIT;
	size_t len = workspace != NULL ? strlen(workspace) : 0;
	const char *text;

	normalise(path, &whole);
	if (buf_error(&whole) < 0) {
		return -ENOMEM;
	}
	text = buf_text(&whole);
	if (strncmp(text, len > 0 ? workspace : "", len) != 0 ||
	    (text[len] != '/' && text[len] != '\0')) {
		return 0;
	}
	return keep_hooks(g, text[len] == '/' ? text + len + 1 : "");
}

/*
 * The same by the links on the way, as the kernel follows them, whether or not there is something
 * at their end: whoever changes one of them, or what it leads to, changes what git runs.
 */
static int
keep_real(struct git_places *g, const char *path, const char *workspace)
{
	auto_buf at = BUF_INIT, rest = BUF_INIT;
	const char *p = path; /* what is left, in path or in rest */
	char target[PATH_MAX];
	unsigned int links = 0;

	for (;;) {
		size_t len, above = at.len;
		struct buf next = BUF_INIT;
		ssize_t n;

		p += strspn(p, "/");
		len = strcspn(p, "/");
		if (buf_error(&at) < 0 || buf_error(&rest) < 0) {
			return -ENOMEM;
		}
		if (len == 0) {
			return keep_below(g, buf_text(&at), workspace);
		}
		p += len;
		if (len == 1 && p[-1] == '.') {
			continue;
		}
		if (len == 2 && p[-1] == '.' && p[-2] == '.') {
			cut_last(&at, above);
			continue;
		}
		buf_putc(&at, '/');
		buf_put(&at, p - len, len);
		n = readlink(buf_text(&at), target, sizeof(target));
		if (n <= 0 || (size_t)n >= sizeof(target) || links == LINKS_MAX) {
			continue;
		}
		if (keep_below(g, buf_text(&at), workspace) < 0) {
			return -ENOMEM;
		}
		links++;
		fsat_path_cut(&at, target[0] == '/' ? 0 : above);
		buf_put(&next, target, (size_t)n);
		buf_puts(&next, p);
		buf_finish(&rest);
		rest = next;
		p = buf_text(&rest);
	}
}

/* Where links in .git/hooks lead to, or where it leads to itself. */
static int
look_at_links(struct git_places *g, int dir_fd, const char *path, const char *workspace)
{
	struct fs_names names = { .items = NULL };
	auto_buf whole = BUF_INIT;
	auto_fd fd = -1;
	struct fs_stat st;
	size_t len;
	int r = 0;

	if (workspace == NULL || fsat_stat(dir_fd, ".git/hooks", &st) < 0) {
		return 0;
	}
	buf_printf(&whole, "%s/%s/.git/hooks", workspace, path);
	if (S_ISLNK(st.mode)) {
		return buf_error(&whole) < 0 ? -ENOMEM : keep_real(g, buf_text(&whole), workspace);
	}
	fd = fsat_open_path(dir_fd, ".git/hooks", O_RDONLY | O_DIRECTORY);
	if (fd < 0) {
		return 0;
	}
	g->too_many_hooks = g->too_many_hooks || fsat_list(fd, GIT_HOOKS_MAX, &names) < 0;
	len = whole.len;
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		if (fsat_stat(fd, names.items[i], &st) == 0 && S_ISLNK(st.mode)) {
			fsat_path_cut(&whole, len);
			fsat_path_push(&whole, names.items[i]);
			r = buf_error(&whole) < 0 ? -ENOMEM
						  : keep_real(g, buf_text(&whole), workspace);
		}
	}
	fsat_names_finish(&names);
	return r;
}

/* value: of core.hooksPath; base: the directory of the workspace that it is relative to. */
static int
keep_value(struct git_places *g, const char *base, const char *value,
	   const struct collect_request *req)
{
	auto_buf whole = BUF_INIT;
	int r;

	if (value[0] == '~' && (value[1] == '/' || value[1] == '\0') && req->home != NULL) {
		buf_printf(&whole, "%s%s", req->home, value + 1);
	} else if (value[0] == '/') {
		buf_puts(&whole, value);
	} else {
		buf_printf(&whole, "%s/%s/%s", req->workspace != NULL ? req->workspace : "", base,
			   value);
	}
	if (buf_error(&whole) < 0) {
		return -ENOMEM;
	}
	r = keep_below(g, buf_text(&whole), req->workspace);
	return r < 0 || req->workspace == NULL ? r : keep_real(g, buf_text(&whole), req->workspace);
}

/* Of a bare repository git runs hooks from its own directory, or, with a worktree, from that. */
static int
keep_values(struct git_places *g, const char *path, bool bare, const char *value,
	    const struct collect_request *req)
{
	const char *slash = strrchr(path, '/');
	auto_buf above = BUF_INIT;
	int r = keep_value(g, path, value, req);

	if (r < 0 || !bare || path[0] == '\0') {
		return r;
	}
	buf_put(&above, path, slash != NULL ? (size_t)(slash - path) : 0);
	return buf_error(&above) < 0 ? -ENOMEM : keep_value(g, buf_text(&above), value, req);
}

/*
 * The last value is git's. A configuration that cannot be read, or not to its end, says what was
 * understood.
 */
static int
read_hooks(struct git_places *g, int dir_fd, const char *config, const char *path,
	   const struct collect_request *req)
{
	struct gitconfig parsed = { .items = NULL };
	auto_fd fd = fsat_open_path(dir_fd, config, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	auto_buf bytes = BUF_INIT;
	const char *value = NULL;
	struct fs_stat st;
	int r;

	if (fd < 0 || fsat_stat(fd, "", &st) < 0 || !S_ISREG(st.mode) ||
	    fdio_slurp(fd, GITCONFIG_BYTES_MAX, &bytes) < 0) {
		return 0;
	}
	r = gitconfig_parse((const char *)bytes.data, bytes.len, &parsed);
	for (size_t i = 0; r == 0 && i < parsed.count; i++) {
		const struct gitconfig_entry *e = &parsed.items[i];

		if (strcmp(e->section, "core") == 0 && e->subsection == NULL &&
		    strcmp(e->key, "hookspath") == 0) {
			value = e->value != NULL ? e->value : value;
		}
	}
	if (r == 0 && value != NULL) {
		r = keep_values(g, path, strchr(config, '/') == NULL, value, req);
	}
	gitconfig_finish(&parsed);
	return r;
}

int
git_places_look(struct git_places *g, int dir_fd, const char *path,
		const struct collect_request *req)
{
	int r = 0;

	g->here_has_git = dir_fd >= 0 && has(dir_fd, ".git");
	if (dir_fd < 0) {
		return 0;
	}
	if (!ends_in_git(path) && is_git_dir(dir_fd)) {
		if (g->dir_count < ARRAY_LEN(g->dirs)) {
			g->dirs[g->dir_count++] = strlen(path);
		}
		r = read_hooks(g, dir_fd, "config", path, req);
	}
	if (r == 0 && g->here_has_git) {
		r = read_hooks(g, dir_fd, ".git/config", path, req);
		r = r < 0 ? r : read_hooks(g, dir_fd, ".git/config.worktree", path, req);
		r = r < 0 ? r : look_at_links(g, dir_fd, path, req->workspace);
	}
	return r;
}

void
git_places_leave(struct git_places *g, size_t path_len)
{
	while (g->dir_count > 0 && g->dirs[g->dir_count - 1] >= path_len) {
		g->dir_count--;
	}
}

void
git_places_finish(struct git_places *g)
{
	for (size_t i = 0; i < g->hook_count; i++) {
		free(g->hooks[i]);
	}
	*g = (struct git_places){ .dir_count = 0 };
}
