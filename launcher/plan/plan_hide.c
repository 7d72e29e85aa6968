/* SPDX-License-Identifier: Apache-2.0 */
/*
 * filesystem.hide -> mask rows over the workspace. Run by the front. What an entry is, is looked at
 * without following a link; the jail attaches the mask by name, without following one either. A
 * mount point can be neither removed nor replaced, and a directory that the overlay merges cannot
 * be renamed: the mask stays where it is as long as the call lives.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "plan_build_internal.h"

/* 0 and what it is (0: nothing there); -ELOOP with the link that is on the way, or -errno. */
static int
look(int workspace_fd, const char *path, mode_t *ret_type, size_t *ret_link)
{
	struct stat st = { 0 };
	auto_fd fd = plan_open_plain(workspace_fd, path, &st, ret_link);

	*ret_type = fd < 0 ? 0 : st.st_mode & S_IFMT;
	return fd >= 0 || fd == -ENOENT || fd == -ENOTDIR ? 0 : fd;
}

static int
refuse(const struct rule_path *rule, int code, size_t link, struct err *err)
{
	if (code == -ELOOP) {
		return err_set(err, code,
			       "%s: filesystem.hide %s: %.*s is a link, which cannot be hidden: "
			       "name what it leads to",
			       rule->origin, rule->path, (int)link, rule->path);
	}
	return err_sys(err, code, "%s: filesystem.hide %s: cannot be looked at", rule->origin,
		       rule->path);
}

const struct rule_path *
plan_masked_by(const struct plan_builder *b, const char *path)
{
	for (size_t i = 0; i < b->masked_count; i++) {
		if (plan_covers(b->masked[i].path, path)) {
			return &b->masked[i];
		}
	}
	return NULL;
}

static int
mask(struct plan_builder *b, const char *path, const struct rule_path *rule, mode_t type)
{
	struct plan_mount row = { .kind = type == S_IFDIR ? MOUNT_MASK_DIR : MOUNT_HIDDEN,
				  .flags = MOUNT_NOEXEC,
				  .target = path,
				  .source = "" };

	b->masked[b->masked_count++] = (struct rule_path){ .path = path, .origin = rule->origin };
	return plan_row(b, row);
}

/* The mask would lie over what the host has mounted there, while the call sees what is beneath. */
static int
refuse_mount(const struct plan_builder *b, const char *path, const struct rule_path *rule,
	     struct err *err)
{
	for (size_t i = 0; i < b->hidden_count; i++) {
		if (plan_covers(b->hidden[i], path) && strcmp(b->hidden[i], path) != 0) {
			return err_set(err, -EBUSY,
				       "%s: filesystem.hide %s: %s is a mount inside the "
				       "workspace; unmount it",
				       rule->origin, rule->path, b->hidden[i]);
		}
	}
	return 0;
}

int
plan_add_hidden(struct plan_builder *b, struct err *err)
{
	const struct rule_paths *hide = &b->profile->hide;
	const struct request *r = b->request;
	int rc = 0;

	b->masked = arena_alloc(&b->arena, (hide->count + 1) * sizeof(*b->masked));
	if (b->masked == NULL) {
		return err_set(err, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; rc == 0 && i < hide->count; i++) {
		const struct rule_path *rule = &hide->items[i];
		const char *path = arena_printf(&b->arena, "%s/%s", r->workspace, rule->path);
		mode_t type;
		size_t link = 0;

		if (path == NULL) {
			return err_set(err, -ENOMEM, "out of memory");
		}
		/* Sorted: what is above comes first. */
		if (plan_masked_by(b, path) != NULL) {
			continue;
		}
		rc = look(r->workspace_fd, rule->path, &type, &link);
		if (rc < 0) {
			return refuse(rule, rc, link, err);
		}
		if (type == 0) {
			continue;
		}
		rc = refuse_mount(b, path, rule, err);
		if (rc == 0 && plan_covers(path, r->cwd)) {
			return err_set(err, -EACCES,
				       "the working directory %s is hidden from the call (%s: "
				       "filesystem.hide %s): choose another with -C",
				       r->cwd, rule->origin, rule->path);
		}
		if (rc == 0) {
			rc = mask(b, path, rule, type);
		}
	}
	return rc < 0 && (err->code == 0) ? err_sys(err, rc, "filesystem.hide") : rc;
}
