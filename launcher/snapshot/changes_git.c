/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where git looks in the workspace as it was before the call, beyond the names that it always has:
 * directories that are git directories whatever they are called, and what core.hooksPath names.
 * Run by the front as the workspace's owner; what is read may be what an earlier tool committed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/fdio.h"
#include "../base/grow.h"
#include "changes_internal.h"
#include "gitconfig.h"

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

/* Takes over path, also on failure. */
static int
keep(struct git_places *g, char *path, bool hooks)
{
	struct git_place *grown =
		path == NULL ? NULL : grow_array(g->items, g->count, &g->cap, sizeof(*grown));

	if (grown == NULL) {
		free(path);
		return -ENOMEM;
	}
	g->items = grown;
	g->items[g->count++] = (struct git_place){ .path = path, .hooks = hooks };
	return 0;
}

/* Appends value's components to base; false when that leaves the workspace. */
static bool
join(struct buf *base, const char *value, const char *workspace)
{
	size_t len = workspace != NULL ? strlen(workspace) : 0;

	if (value[0] == '/') {
		if (len < 2 || strncmp(value, workspace, len) != 0 ||
		    (value[len] != '/' && value[len] != '\0')) {
			return false;
		}
		value += len;
		fsat_path_cut(base, 0);
	}
	while (*value != '\0') {
		auto_free char *name = NULL;
		const char *slash;

		len = strcspn(value, "/");
		name = strndup(value, len);
		if (name == NULL) {
			return false;
		}
		value += len + (value[len] == '/');
		if (strcmp(name, "..") == 0) {
			if (base->len == 0) {
				return false;
			}
			slash = strrchr(buf_text(base), '/');
			fsat_path_cut(base, slash != NULL ? (size_t)(slash - buf_text(base)) : 0);
		} else if (len > 0 && strcmp(name, ".") != 0) {
			fsat_path_push(base, name);
		}
	}
	return true;
}

static int
keep_hooks(struct git_places *g, const char *path, const char *value,
	   const struct collect_request *req)
{
	auto_buf at = BUF_INIT, whole = BUF_INIT;

	buf_puts(&at, path);
	if (value[0] == '~' && (value[1] == '/' || value[1] == '\0') && req->home != NULL) {
		buf_printf(&whole, "%s%s", req->home, value + 1);
		value = buf_text(&whole);
	}
	if (buf_error(&whole) < 0) {
		return -ENOMEM;
	}
	if (!join(&at, value, req->workspace)) {
		return 0;
	}
	return buf_error(&at) < 0 ? -ENOMEM : keep(g, strdup(buf_text(&at)), true);
}

/* A configuration that cannot be read, or not to its end, names what was understood. */
static int
read_hooks(struct git_places *g, int dir_fd, const char *config, const char *path,
	   const struct collect_request *req)
{
	struct gitconfig parsed = { .items = NULL };
	auto_fd fd = fsat_open_path(dir_fd, config, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	auto_buf bytes = BUF_INIT;
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
		    strcmp(e->key, "hookspath") == 0 && e->value != NULL) {
			r = keep_hooks(g, path, e->value, req);
		}
	}
	gitconfig_finish(&parsed);
	return r;
}

int
git_places_look(struct git_places *g, int dir_fd, const char *path,
		const struct collect_request *req)
{
	int r = 0;

	if (dir_fd < 0) {
		return 0;
	}
	if (!ends_in_git(path) && is_git_dir(dir_fd)) {
		r = keep(g, strdup(path), false);
	}
	if (r == 0 && has(dir_fd, ".git")) {
		r = read_hooks(g, dir_fd, ".git/config", path, req);
		r = r < 0 ? r : read_hooks(g, dir_fd, ".git/config.worktree", path, req);
	}
	return r;
}

void
git_places_finish(struct git_places *g)
{
	for (size_t i = 0; i < g->count; i++) {
		free(g->items[i].path);
	}
	free(g->items);
	*g = (struct git_places){ .items = NULL };
}
