/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two hidden verbs behind a call's cgroup: `cgroup-site --out FILE` discovers where groups go
 * and writes it for the front's cache, `cgroup-scope --pid N [--system]` puts the front into a
 * scope of systemd's. Exec'd by the front, as the caller or as root; argv is the front's, so what
 * is not exactly that is refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../supervise/cgroup.h"
#include "commands.h"

/* Beside the file, then renamed over it: a reader sees the old bytes or the new ones. */
static int
write_file(const char *path, const struct buf *bytes, struct err *err)
{
	auto_free char *temporary = NULL;
	auto_fd fd = -1;
	int r;

	if (asprintf(&temporary, "%s.%d", path, getpid()) < 0) {
		return err_set(err, -ENOMEM, "out of memory");
	}
	fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0) {
		return err_sys(err, -errno, "cannot write %s", temporary);
	}
	r = fdio_write(fd, bytes->data, bytes->len);
	if (r == 0 && rename(temporary, path) < 0) {
		r = -errno;
	}
	if (r < 0) {
		ignore_err(unlink(temporary), "the first failure is what counts");
		return err_sys(err, r, "cannot write %s", path);
	}
	return 0;
}

int
cmd_cgroup_site(int argc, char **argv)
{
	struct err err = ERR_INIT;
	auto_buf bytes = BUF_INIT;
	struct cgroup_site site;
	int r;

	if (argc != 3 || strcmp(argv[1], "--out") != 0) {
		err_set(&err, -EINVAL, "usage: airlock cgroup-site --out FILE");
		return commands_fail(EXIT_AIRLOCK, &err);
	}
	r = cgroup_discover(&site, &err);
	if (r < 0) {
		return commands_fail(EXIT_AIRLOCK, &err);
	}
	cgroup_site_encode(&site, &bytes);
	cgroup_site_finish(&site);
	r = buf_error(&bytes);
	if (r < 0) {
		err_set(&err, r, "out of memory");
	} else {
		r = write_file(argv[2], &bytes, &err);
	}
	return r < 0 ? commands_fail(EXIT_AIRLOCK, &err) : 0;
}

/* A process id and nothing else; 0 when it is not. */
static pid_t
parse_pid(const char *text)
{
	char *end;
	long pid;

	if (text[0] < '1' || text[0] > '9') {
		return 0;
	}
	errno = 0;
	pid = strtol(text, &end, 10);
	return errno == 0 && *end == '\0' && pid <= INT32_MAX ? (pid_t)pid : 0;
}

int
cmd_cgroup_scope(int argc, char **argv)
{
	struct err err = ERR_INIT;
	bool system = argc == 4 && strcmp(argv[3], "--system") == 0;
	pid_t pid = argc >= 3 && strcmp(argv[1], "--pid") == 0 ? parse_pid(argv[2]) : 0;

	if (pid == 0 || (argc != 3 && !system)) {
		err_set(&err, -EINVAL, "usage: airlock cgroup-scope --pid PID [--system]");
		return commands_fail(EXIT_AIRLOCK, &err);
	}
	return cgroup_scope_start(pid, system, &err) < 0 ? commands_fail(EXIT_AIRLOCK, &err) : 0;
}
