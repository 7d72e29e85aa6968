/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in the jail, in its own network namespace, with capabilities over that one only. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "sys.h"

int
sys_loopback_up(void)
{
	struct ifreq req = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	auto_fd sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sock < 0) {
		return -errno;
	}
	return ioctl(sock, SIOCSIFFLAGS, &req) < 0 ? -errno : 0;
}

/* bind(2) has no descriptor of a directory: it takes the working one. */
static int
bind_at(int sock, int dir_fd, const struct sockaddr_un *at)
{
	auto_fd back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	mode_t mask;
	int rc;

	if (back < 0 || fchdir(dir_fd) < 0) {
		return -errno;
	}
	mask = umask(0177);
	rc = bind(sock, (const struct sockaddr *)at, sizeof(*at)) < 0 ? -errno : 0;
	umask(mask);
	return fchdir(back) < 0 ? -errno : rc;
}

int
sys_listen_at(int dir_fd, const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	auto_fd sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t len = strlen(name);
	int rc;

	if (sock < 0) {
		return -errno;
	}
	if (len == 0 || len >= sizeof(at.sun_path) || strchr(name, '/') != NULL) {
		return -EINVAL;
	}
	memcpy(at.sun_path, name, len);
	rc = bind_at(sock, dir_fd, &at);
	if (rc == 0 && listen(sock, SOMAXCONN) < 0) {
		rc = -errno;
	}
	return rc < 0 ? rc : take_fd(&sock);
}
