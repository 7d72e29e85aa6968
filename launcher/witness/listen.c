/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in airlock-witness; the address is its own command line's. */
#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#define BACKLOG 64

/* A socket that a witness left which was killed; one that answers, or no socket, stays. */
static int
drop_stale(const struct sockaddr_un *at, struct err *err)
{
	auto_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;

	if (fd < 0) {
		return err_sys(err, -errno, "%s", at->sun_path);
	}
	if (lstat(at->sun_path, &st) < 0) {
		return errno == ENOENT ? 0 : err_sys(err, -errno, "%s", at->sun_path);
	}
	if (!S_ISSOCK(st.st_mode)) {
		return err_set(err, -EEXIST,
			       "%s: is there and no socket; give --listen another path",
			       at->sun_path);
	}
	if (connect(fd, (const struct sockaddr *)at, sizeof(*at)) == 0 || errno != ECONNREFUSED) {
		return err_set(err, -EADDRINUSE, "%s: somebody listens there already",
			       at->sun_path);
	}
	return unlink(at->sun_path) < 0 ? err_sys(err, -errno, "%s", at->sun_path) : 0;
}

static int
listen_unix(const char *path, int *ret_fd, struct buf *place, struct err *err)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	auto_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	mode_t mask;
	int r;

	if (path[0] != '/' || strlen(path) >= sizeof(at.sun_path)) {
		return err_set(err, -EINVAL, "%s: not an absolute path of less than %zu bytes",
			       path, sizeof(at.sun_path));
	}
	memcpy(at.sun_path, path, strlen(path) + 1);
	r = drop_stale(&at, err);
	if (r < 0) {
		return r;
	}
	mask = umask(0);
	r = fd < 0 || bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 ? -errno : 0;
	umask(mask);
	if (r < 0 || listen(fd, BACKLOG) < 0) {
		return err_sys(err, r < 0 ? r : -errno, "%s: listening", path);
	}
	buf_printf(place, "unix:%s", path);
	*ret_fd = take_fd(&fd);
	return 0;
}

static int
listen_loopback(uint16_t port, int *ret_fd, struct buf *place, struct err *err)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_port = htons(port),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	auto_fd fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(at);
	int on = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, BACKLOG) < 0 ||
	    getsockname(fd, (struct sockaddr *)&at, &len) < 0) {
		return err_sys(err, -errno, "127.0.0.1:%u: listening", port);
	}
	buf_printf(place, "http://127.0.0.1:%u", ntohs(at.sin_port));
	*ret_fd = take_fd(&fd);
	return 0;
}

int
witness_listen(const char *address, int *ret_fd, struct buf *place, struct err *err)
{
	static const char loopback[] = "127.0.0.1:";
	char *end = NULL;
	unsigned long port;

	if (strncmp(address, "unix:", 5) == 0) {
		return listen_unix(address + 5, ret_fd, place, err);
	}
	if (strncmp(address, loopback, strlen(loopback)) == 0) {
		const char *digits = address + strlen(loopback);

		errno = 0;
		port = strtoul(digits, &end, 10);
		if (digits[0] >= '0' && digits[0] <= '9' && *end == '\0' && errno == 0 &&
		    port <= UINT16_MAX) {
			return listen_loopback((uint16_t)port, ret_fd, place, err);
		}
	}
	return err_set(err, -EINVAL,
		       "--listen %s: takes unix:/PATH or 127.0.0.1:PORT; put a proxy before it for "
		       "anything that is farther away",
		       address);
}
