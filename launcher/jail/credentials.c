/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in PID 1 and PID 2: what the call has a lease for. Each value waits in a pipe, whose writer
 * has ended; nothing here decides who gets it. Files are moved by the kernel alone, a variable is
 * read by the process that becomes the tool, a descriptor is handed on unread. Of an agent's key
 * there is no value here: a socket is made for it, and handed to airlock-credd.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../sys/sys.h"
#include "jail.h"

static int
pipe_of(const struct plan *p, size_t i)
{
	return (int)(p->fd_first_free - p->credential_count + i);
}

static int
move_value(int dir, const char *name, int from)
{
	auto_fd file =
		openat(dir, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0400);
	size_t len = 0;
	ssize_t n;

	if (file < 0) {
		return -errno;
	}
	do {
		n = splice(from, NULL, file, NULL, PLAN_CREDENTIAL_SIZE_MAX, 0);
		len += n > 0 ? (size_t)n : 0;
	} while (n > 0 && len <= PLAN_CREDENTIAL_SIZE_MAX);
	return n < 0 ? -errno : len > PLAN_CREDENTIAL_SIZE_MAX ? -EFBIG : 0;
}

/* An agent's: whoever will serve it gets the socket, and nobody here keeps one. */
static int
make_socket(int dir, const char *name, int to)
{
	auto_fd listener = sys_listen_at(dir, name);
	const uint8_t byte = 0;

	return listener < 0 ? listener : sys_send_message(to, &byte, sizeof(byte), &listener, 1);
}

/* Written to before it is attached; from then on it is read-only. */
int
mount_credentials(struct jail *j, const struct plan_mount *m)
{
	auto_fd fs = sys_fsopen("ramfs");
	auto_fd mount = -1;
	int rc = fs < 0 ? fs : sys_fsconfig_string(fs, "mode", "0500");

	rc = rc < 0 ? rc : sys_fsconfig_create(fs);
	if (rc < 0) {
		return jail_context_error(j, fs, rc, "ramfs");
	}
	mount = sys_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	rc = mount < 0 ? mount : 0;
	for (size_t i = 0; rc == 0 && i < j->plan->credential_count; i++) {
		const struct plan_credential *c = &j->plan->credentials[i];

		if (c->delivery == DELIVERY_FILE) {
			rc = move_value(mount, c->name, pipe_of(j->plan, i));
		} else if (c->delivery == DELIVERY_SSH_AGENT) {
			rc = make_socket(mount, c->name, pipe_of(j->plan, i));
		}
	}
	rc = rc < 0 ? rc : sys_mount_setattr(mount, 0, jail_mount_attrs(m), 0, 0, -1);
	return rc < 0 ? rc : jail_attach(j, mount, m->target, 0555, 1);
}

/* NAME=value; NULL: errno has why. */
static char *
read_variable(const char *name, int from)
{
	size_t len = strlen(name), size = len + PLAN_CREDENTIAL_SIZE_MAX + 2;
	char *text = malloc(size + 1);
	ssize_t n = 1;

	if (text == NULL) {
		return NULL;
	}
	memcpy(text, name, len);
	text[len++] = '=';
	while (n > 0 && len < size) {
		n = read(from, text + len, size - len);
		len += n > 0 ? (size_t)n : 0;
	}
	text[len] = '\0';
	if (n < 0 || len == size || strlen(text) != len) {
		errno = n < 0 ? errno : len == size ? EFBIG : EINVAL;
		explicit_bzero(text, size);
		free(text);
		return NULL;
	}
	return text;
}

static char *
number_variable(const char *name, int fd)
{
	char *text;

	return asprintf(&text, "%s=%d", name, fd) < 0 ? NULL : text;
}

/* Where make_socket has made it. */
static char *
path_variable(const char *name)
{
	char *text;

	return asprintf(&text, "%s=" CREDENTIALS_INSIDE "/%s", name, name) < 0 ? NULL : text;
}

/* NULL: errno has why. */
static char *
variable(const struct plan_credential *c, int fd)
{
	return c->delivery == DELIVERY_ENV ? read_variable(c->name, fd)
	     : c->delivery == DELIVERY_FD  ? number_variable(c->name, fd)
					   : path_variable(c->name);
}

int
stage_credentials(struct jail *j)
{
	const struct plan *p = j->plan;
	size_t count = p->envc;

	j->envp = calloc(count + p->credential_count + 1, sizeof(*j->envp));
	if (j->envp == NULL) {
		return -ENOMEM;
	}
	memcpy(j->envp, p->envp, count * sizeof(*j->envp));
	for (size_t i = 0; i < p->credential_count; i++) {
		const struct plan_credential *c = &p->credentials[i];
		int fd = pipe_of(p, i);

		if (c->delivery == DELIVERY_FILE) {
			continue;
		}
		j->envp[count] = variable(c, fd);
		if (j->envp[count++] == NULL) {
			return err_sys(&j->err, -errno, "the credential in %s", c->name);
		}
		if (c->delivery == DELIVERY_FD && fcntl(fd, F_SETFD, 0) < 0) {
			return err_sys(&j->err, -errno, "hand on descriptor %d", fd);
		}
	}
	return 0;
}

void
credentials_leave(const struct plan *p)
{
	for (size_t i = 0; i < p->credential_count; i++) {
		close(pipe_of(p, i));
	}
}
