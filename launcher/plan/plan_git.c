/* SPDX-License-Identifier: Apache-2.0 */
/*
 * git.identity -> ~/.gitconfig of the sandbox: who the caller is, and that the workspace is his.
 * Run by the front. Nothing of the caller's own file but these two values crosses.
 */
#include <errno.h>
#include <string.h>

#include "plan_build_internal.h"

/* git-config(1): a quoted value. */
static void
put_value(struct buf *b, const char *key, const char *value)
{
	buf_printf(b, "\t%s = \"", key);
	for (const char *p = value; *p != '\0'; p++) {
		switch (*p) {
		case '"':
		case '\\':
			buf_putc(b, '\\');
			buf_putc(b, *p);
			break;
		case '\n':
			buf_puts(b, "\\n");
			break;
		default:
			buf_putc(b, *p);
			break;
		}
	}
	buf_puts(b, "\"\n");
}

int
plan_add_git(struct plan_builder *b, struct err *err)
{
	const struct profile *p = b->profile;
	const char *path = arena_printf(&b->arena, "%s/.gitconfig", b->request->identity.home);
	auto_buf text = BUF_INIT;
	void *data;

	if (!p->git_identity) {
		return 0;
	}
	if (path == NULL) {
		return err_set(err, -ENOMEM, "out of memory");
	}
	/* A profile that reads the caller's own file shows that one. */
	for (size_t i = 0; i < b->plan.mount_count; i++) {
		if (strcmp(b->plan.mounts[i].target, path) == 0) {
			return 0;
		}
	}
	buf_puts(&text, "[safe]\n");
	put_value(&text, "directory", b->request->workspace);
	if (p->git_name[0] != '\0' || p->git_email[0] != '\0') {
		buf_puts(&text, "[user]\n");
	}
	if (p->git_name[0] != '\0') {
		put_value(&text, "name", p->git_name);
	}
	if (p->git_email[0] != '\0') {
		put_value(&text, "email", p->git_email);
	}
	data = buf_error(&text) < 0 ? NULL : arena_copy(&b->arena, text.data, text.len);
	if (data == NULL) {
		return err_set(err, -ENOMEM, "out of memory");
	}
	return plan_row(b, (struct plan_mount){ .kind = MOUNT_FILE,
						.mode = 0644,
						.target = path,
						.source = "",
						.data = data,
						.data_len = text.len });
}
