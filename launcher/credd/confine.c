/* SPDX-License-Identifier: Apache-2.0 */
/* Run by airlock-credd. */
#include "confine.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "../sys/filter_list.h"
#include "../sys/sys.h"
#include "credd_protocol.h"

static const struct sock_filter credd_filter[] = {
	FILTER_LIST_HEAD,
#define CALL(name, what) FILTER_LIST_CALL(SYS_##name, SECCOMP_RET_ALLOW),
#include "syscalls.def"
#undef CALL
	BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
};

int
confine_birth(struct err *err)
{
	const struct rlimit none = { 0, 0 };
	struct pollfd front = { .fd = CREDD_FD_SOCKET, .events = POLLIN };

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || setrlimit(RLIMIT_CORE, &none) < 0 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) {
		return err_sys(err, -errno, "become non-dumpable");
	}
	/* it may have died before it was asked for */
	return poll(&front, 1, 0) > 0 && (front.revents & POLLHUP) != 0
		     ? err_set(err, -EPIPE, "the front is gone")
		     : 0;
}

int
confine_identity(uint32_t uid, struct err *err)
{
	int rc = uid != 0 ? sys_become(uid, uid) : 0;

	if (rc < 0) {
		return err_sys(err, rc, "become uid %u", uid);
	}
	/* who becomes another can be dumped, if the host says so, and outlives its parent */
	return uid != 0 ? confine_birth(err) : 0;
}

int
confine_credd(struct err *err)
{
	const struct rlimit none = { 0, 0 };
	int rc = sys_no_new_privs();

	/* from here on pipes and sockets are written: a file that is still open gets nothing */
	rc = rc < 0 ? rc : setrlimit(RLIMIT_FSIZE, &none) < 0 ? -errno : 0;
	rc = rc < 0 ? rc : sys_landlock_forbid(~UINT64_C(0));
	rc = rc < 0 ? rc : sys_seccomp_load(credd_filter, ARRAY_LEN(credd_filter), 0);
	return rc < 0 ? err_sys(err, rc, "confine airlock-credd") : 0;
}
