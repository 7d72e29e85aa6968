/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The value of a credential, from where a person says: never from the command line. Runs in
 * airlock-cli as the caller. Read by read(2) into locked memory, so that no copy stays behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/text.h"
#include "../base/units.h"
#include "../credd/ssh_key.h"
#include "cmd_creds.h"

bool
creds_from_option(struct creds_from *from, const char *name, const char *argument)
{
	if (strcmp(name, "file") == 0) {
		from->file = argument;
		return true;
	}
	if (strcmp(name, "fd") == 0) {
		from->fd = argument;
		return true;
	}
	return false;
}

int
creds_value_read_all(int fd, const char *path, const struct locked *room, size_t *ret_len,
		     struct err *err)
{
	size_t len = 0;

	while (len <= CAP_VALUE) {
		ssize_t n = read(fd, room->data + len, CAP_VALUE + 1u - len);

		if (n == 0) {
			break;
		}
		if (n < 0 && errno != EINTR) {
			return err_sys(err, -errno, "%s", path);
		}
		len += n > 0 ? (size_t)n : 0;
	}
	*ret_len = len;
	return 0;
}

static int
read_file(const char *path, struct locked *room, size_t *ret_len, struct err *err)
{
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? err_sys(err, -errno, "%s", path)
		      : creds_value_read_all(fd, path, room, ret_len, err);
}

static int
read_fd(const char *text, struct locked *room, size_t *ret_len, struct err *err)
{
	auto_buf safe = BUF_INIT;
	uint64_t fd;

	text_safe(&safe, text, strlen(text), false);
	if (units_count(text, &fd) < 0 || fd > INT32_MAX) {
		return err_set(err, -EINVAL, "--fd %s: no number of a descriptor", buf_text(&safe));
	}
	buf_reset(&safe);
	buf_printf(&safe, "descriptor %u", (unsigned int)fd);
	return creds_value_read_all((int)fd, buf_text(&safe), room, ret_len, err);
}

/* Of a file the bytes are the value; who wrote it with an editor may not have meant the newline. */
static void
note_newline(const struct creds_from *from, const struct locked *room, size_t len)
{
	const uint8_t *newline = memchr(room->data, '\n', len);

	if ((from->file != NULL || from->fd != NULL) && newline != NULL &&
	    newline == room->data + len - 1) {
		fputs("airlock: note: the value ends with a newline, which is kept as part of it\n",
		      stderr);
	}
}

int
creds_value_read(const struct creds_from *from, const char *what, struct locked *ret,
		 size_t *ret_len, struct err *err)
{
	auto_locked room = LOCKED_INIT;
	size_t len = 0;
	int rc;

	if (from->file != NULL && from->fd != NULL) {
		return err_set(err, -EINVAL, "--file and --fd: one of them has the value");
	}
	rc = creds_lock(&room, CAP_VALUE + 2u, err);
	if (rc < 0) {
		return rc;
	}
	rc = from->file != NULL ? read_file(from->file, &room, &len, err)
	   : from->fd != NULL	? read_fd(from->fd, &room, &len, err)
				: creds_prompt(what, room.data, CAP_VALUE, &len, err);
	if (rc < 0) {
		return rc;
	}
	if (len == 0 || len > CAP_VALUE) {
		return err_set(err, -EINVAL, "a value has from 1 to %u bytes, and this has %s",
			       CAP_VALUE, len == 0 ? "none" : "more");
	}
	room.data[len] = '\0';
	note_newline(from, &room, len);
	*ret = room;
	room.data = NULL;
	*ret_len = len;
	return 0;
}

int
creds_value_check(enum bundle_delivery deliver, const uint8_t *value, size_t len, struct err *err)
{
	return deliver == BUNDLE_DELIVER_SSH_AGENT ? ssh_key_check(value, len, err) : 0;
}
