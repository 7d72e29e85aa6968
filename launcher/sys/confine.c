/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Capabilities, no_new_privs, Landlock, seccomp: raw. Runs in the jail; the front answers
 * notifications.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/securebits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sys.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5) /* Linux 5.19 */
#endif

#define SECUREBITS_LOCKED                                                                          \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |                           \
	 SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |                                 \
	 SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

/* struct landlock_ruleset_attr as of ABI 6; older kernels take its beginning. */
struct sys_landlock_attr {
	uint64_t fs, net, scoped;
};

static int
capget_raw(struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3, .pid = 0 };

	return syscall(SYS_capget, &head, data) < 0 ? -errno : 0;
}

static int
capset_raw(const struct __user_cap_data_struct data[2])
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3, .pid = 0 };

	return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

int
sys_caps_get(struct sys_caps *ret)
{
	struct __user_cap_data_struct data[2];
	struct sys_caps caps = { 0 };
	int rc = capget_raw(data);

	if (rc < 0) {
		return rc;
	}
	caps.effective = data[0].effective | (uint64_t)data[1].effective << 32;
	caps.permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
	caps.inheritable = data[0].inheritable | (uint64_t)data[1].inheritable << 32;
	for (int cap = 0; cap < 64; cap++) {
		int in_bounding = prctl(PR_CAPBSET_READ, cap, 0, 0, 0), in_ambient = -1;

		if (in_bounding >= 0) {
			in_ambient = prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, cap, 0, 0);
		}
		/* EINVAL: the kernel has no capability of that number, and none above it. */
		if (in_ambient < 0 && errno == EINVAL) {
			break;
		}
		if (in_ambient < 0) {
			return -errno;
		}
		caps.bounding |= (uint64_t)in_bounding << cap;
		caps.ambient |= (uint64_t)in_ambient << cap;
	}
	*ret = caps;
	return 0;
}

int
sys_caps_raise_ambient(void)
{
	struct __user_cap_data_struct data[2];
	int rc = capget_raw(data);

	if (rc < 0) {
		return rc;
	}
	data[0].inheritable = data[0].permitted;
	data[1].inheritable = data[1].permitted;
	rc = capset_raw(data);
	if (rc < 0) {
		return rc;
	}
	for (int cap = 0; cap < 64; cap++) {
		uint64_t permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;

		if ((permitted >> cap & 1) != 0 &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0) {
			return -errno;
		}
	}
	return 0;
}

int
sys_caps_clear(void)
{
	const struct __user_cap_data_struct none[2] = { { 0 }, { 0 } };

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) {
		return -errno;
	}
	for (int cap = 0; cap < 64; cap++) {
		/* EINVAL: the kernel has no capability of that number, and none above it. */
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) {
			if (errno == EINVAL) {
				break;
			}
			return -errno;
		}
	}
	if (prctl(PR_SET_SECUREBITS, SECUREBITS_LOCKED, 0, 0, 0) < 0) {
		return -errno;
	}
	return capset_raw(none);
}

int
sys_no_new_privs(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int
sys_landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return abi < 0 ? -errno : (int)abi;
}

int
sys_landlock_create(uint64_t fs, uint64_t net, uint64_t scoped, int abi)
{
	struct sys_landlock_attr attr = { .fs = fs, .net = net, .scoped = scoped };
	size_t size = abi >= 6 ? sizeof(attr) : abi >= 4 ? 16 : 8;
	long fd = syscall(SYS_landlock_create_ruleset, &attr, size, 0);

	return fd < 0 ? -errno : (int)fd;
}

int
sys_landlock_add_path(int ruleset_fd, int path_fd, uint64_t access)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = access, .parent_fd = path_fd };
	long rc = syscall(SYS_landlock_add_rule, ruleset_fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);

	return rc < 0 ? -errno : 0;
}

int
sys_landlock_restrict(int ruleset_fd)
{
	return syscall(SYS_landlock_restrict_self, ruleset_fd, 0) < 0 ? -errno : 0;
}

int
sys_landlock_forbid(uint64_t fs)
{
	static const unsigned int rights[] = { 0, 13, 14, 15, 15, 16 }; /* by ABI */
	int abi = sys_landlock_abi();
	auto_fd rules = -1;

	if (abi < 0) {
		return abi == -EOPNOTSUPP || abi == -ENOSYS ? 0 : abi;
	}
	fs &= (UINT64_C(1) << rights[abi < 5 ? abi : 5]) - 1;
	rules = sys_landlock_create(fs, 0, 0, abi);
	return rules < 0 ? rules : sys_landlock_restrict(rules);
}

int
sys_seccomp_load(const struct sock_filter *insns, uint16_t len, int notify)
{
	struct sock_fprog prog = { .len = len,
				   .filter = (struct sock_filter *)(uintptr_t)insns };
	unsigned long flags = notify ? SECCOMP_FILTER_FLAG_NEW_LISTENER |
					       SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
				     : 0;
	long rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);

	return rc < 0 ? -errno : (int)rc;
}

int
sys_seccomp_receive(int listener_fd, struct seccomp_notif *ret)
{
	memset(ret, 0, sizeof(*ret)); /* the kernel refuses anything but zeros */
	return ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_RECV, ret) < 0 ? -errno : 0;
}

int
sys_seccomp_deny(int listener_fd, uint64_t id, int error)
{
	struct seccomp_notif_resp answer = { .id = id, .val = 0, .error = -error, .flags = 0 };

	return ioctl(listener_fd, SECCOMP_IOCTL_NOTIF_SEND, &answer) < 0 ? -errno : 0;
}
