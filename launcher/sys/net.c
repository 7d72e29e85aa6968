/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in the jail, in its own network namespace, with capabilities over that one only. */
#include <errno.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

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
