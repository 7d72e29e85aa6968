/* SPDX-License-Identifier: Apache-2.0 */
/* Run by the front and airlock-cli, as the caller. */
#include "workflow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/fdio.h"

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
#define PATH_SIZE (WORKFLOW_NAME_MAX + sizeof(WORKFLOW_NAMES "/"))

bool
workflow_name_is_good(const char *name)
{
	size_t len = strlen(name);
	uint8_t id[16];

	return len > 0 && len <= WORKFLOW_NAME_MAX && strspn(name, NAME_CHARACTERS) == len &&
	       name[0] != '.' && name[0] != '-' && strcmp(name, "local") != 0 &&
	       text_uuid_parse(name, id) != 0;
}

int
workflow_dir(const struct store *s, const uint8_t id[16], bool make, struct err *err)
{
	char text[UUID_TEXT_SIZE], path[sizeof("wf/") + UUID_TEXT_SIZE];
	int fd;

	text_uuid_print(id, text);
	snprintf(path, sizeof(path), "wf/%s", text);
	fd = make ? fdio_make_dir(s->dir_fd, path) : fdio_open_dir(s->dir_fd, path);
	return fd < 0 ? err_sys(err, fd, "%s %s/%s", make ? "make" : "open", s->path, path) : fd;
}

static int
unknown_name(const char *name, struct err *err)
{
	return err_set(err, -ENOENT,
		       "there is no workflow %s: `airlock workflow new %s` makes it, `airlock "
		       "workflow list` shows those that there are",
		       name, name);
}

static int
unknown_id(const char *id, struct err *err)
{
	return err_set(err, -ENOENT,
		       "there is no workflow %s that was made by `airlock workflow new`: `airlock "
		       "workflow list` shows those that there are",
		       id);
}

/* One made by name: `local` ones have a ledger as well, but nobody calls them by their id. */
static int
find_id(const struct store *s, const uint8_t id[16], const char *name, struct err *err)
{
	auto_fd dir = workflow_dir(s, id, false, err);

	if (dir == -ENOENT) {
		return unknown_id(name, err);
	}
	if (dir < 0) {
		return dir;
	}
	if (faccessat(dir, WORKFLOW_DEFINITION, F_OK, AT_SYMLINK_NOFOLLOW) < 0) {
		return errno == ENOENT ? unknown_id(name, err)
				       : err_sys(err, -errno, "look for workflow %s", name);
	}
	return 0;
}

int
workflow_find(const struct store *s, const char *name, uint8_t ret_id[16], struct err *err)
{
	char path[PATH_SIZE], text[UUID_TEXT_SIZE] = "";
	auto_fd fd = -1;

	if (text_uuid_parse(name, ret_id) == 0) {
		return find_id(s, ret_id, name, err);
	}
	if (!workflow_name_is_good(name)) {
		return err_set(err, -EINVAL,
			       "no name of a workflow: 1 to %u letters, digits, '.', '_' and '-', "
			       "the first no '.' and no '-', and not local",
			       WORKFLOW_NAME_MAX);
	}
	snprintf(path, sizeof(path), WORKFLOW_NAMES "/%s", name);
	fd = openat(s->dir_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		return unknown_name(name, err);
	}
	if (fd < 0 || pread(fd, text, sizeof(text) - 1, 0) != (ssize_t)sizeof(text) - 1 ||
	    text_uuid_parse(text, ret_id) != 0) {
		return err_set(err, -EBADMSG, "%s/%s is damaged: `airlock recover` makes it again",
			       s->path, path);
	}
	return 0;
}
