/* SPDX-License-Identifier: Apache-2.0 */
/* Raw calls about processes and descriptors. Runs in the front and the jail; decides nothing. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <linux/stat.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sys.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U /* Linux 6.3 */
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020 /* Linux 6.3 */
#endif
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

struct sys_open_how {
	uint64_t flags, mode, resolve;
};

/* struct clone_args of linux/sched.h, up to `cgroup` (CLONE_ARGS_SIZE_VER2). */
struct sys_clone_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
		set_tid_size, cgroup;
};

int
sys_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
	struct sys_open_how how = { .flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve };
	long fd = syscall(SYS_openat2, dirfd, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

pid_t
sys_clone3(uint64_t flags, int cgroup_fd, int *ret_pidfd)
{
	int pidfd = -1;
	struct sys_clone_args args = {
		.flags = flags | CLONE_PIDFD,
		.pidfd = (uint64_t)(uintptr_t)&pidfd,
		.exit_signal = SIGCHLD,
	};
	long pid;

	if (cgroup_fd >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cgroup_fd;
	}
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid < 0) {
		return -errno;
	}
	if (pid > 0) {
		*ret_pidfd = pidfd;
	}
	return (pid_t)pid;
}

int
sys_unshare(int flags)
{
	return unshare(flags) < 0 ? -errno : 0;
}

int
sys_become(uid_t uid, gid_t gid)
{
	uid_t u[3];
	gid_t g[3];

	if (setgroups(0, NULL) < 0 || setresgid(gid, gid, gid) < 0 ||
	    setresuid(uid, uid, uid) < 0 || getresuid(&u[0], &u[1], &u[2]) < 0 ||
	    getresgid(&g[0], &g[1], &g[2]) < 0) {
		return -errno;
	}
	for (int i = 0; i < 3; i++) {
		if (u[i] != uid || g[i] != gid) {
			return -EPERM;
		}
	}
	return uid != 0 && setuid(0) == 0 ? -EPERM : 0;
}

int
sys_close_range(unsigned int first, unsigned int last, unsigned int flags)
{
	return syscall(SYS_close_range, first, last, flags) < 0 ? -errno : 0;
}

int
sys_place_fds(int *fds, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, (int)count);
		if (fds[i] < 0) {
			return -errno;
		}
	}
	for (unsigned int i = 0; i < count; i++) {
		if (dup2(fds[i], (int)i) < 0) {
			return -errno;
		}
	}
	return sys_close_range(count, ~0u, 0);
}

int
sys_signal_default(int sig)
{
	/* struct kernel_sigaction: handler, flags, restorer, mask; all zero is SIG_DFL. */
	const unsigned long plain[4] = { 0 };

	return syscall(SYS_rt_sigaction, sig, plain, NULL, sizeof(uint64_t)) < 0 ? -errno : 0;
}

int
sys_end_with_parent(pid_t parent, int sig)
{
	if (prctl(PR_SET_PDEATHSIG, sig, 0, 0, 0) < 0) {
		return -errno;
	}
	return getppid() == parent ? 0 : -ESRCH;
}

int
sys_leave_caller(void)
{
	return (getsid(0) != getpid() && setsid() < 0) || chdir("/") < 0 ? -errno : 0;
}

int
sys_wait(pid_t pid, int *ret_status)
{
	pid_t got;

	do {
		got = waitpid(pid, ret_status, 0);
	} while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : 0;
}

int
sys_pidfd_open(pid_t pid)
{
	long fd = syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : (int)fd;
}

int
sys_pidfd_send_signal(int pidfd, int sig)
{
	return syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) < 0 ? -errno : 0;
}

int
sys_pidfd_queue_signal(int pidfd, int sig, int value)
{
	siginfo_t info = { .si_signo = sig, .si_code = SI_QUEUE };

	info.si_pid = getpid();
	info.si_uid = getuid();
	info.si_value.sival_int = value;
	return syscall(SYS_pidfd_send_signal, pidfd, sig, &info, 0) < 0 ? -errno : 0;
}

int
sys_execve(const char *path, const char *const argv[], const char *const envp[])
{
	syscall(SYS_execve, path, argv, envp);
	return -errno;
}

int
sys_execveat(int fd, const char *path, const char *const argv[], const char *const envp[],
	     int flags)
{
	syscall(SYS_execveat, fd, path, argv, envp, flags);
	return -errno;
}

int
sys_memfd_sealed(const char *name, const void *data, size_t len)
{
	auto_fd fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
	const char *p = data;

	if (fd < 0 && errno == EINVAL) {
		fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING); /* before Linux 6.3 */
	}
	if (fd < 0) {
		return -errno;
	}
	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0) {
			return -errno;
		}
		p += n;
		len -= (size_t)n;
	}
	if (fcntl(fd, F_ADD_SEALS, SEALS) < 0) {
		return -errno;
	}
	return take_fd(&fd);
}

int
sys_memfd_check_sealed(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);

	if (seals < 0) {
		return -errno;
	}
	return (seals & SEALS) == SEALS ? 0 : -EPERM;
}

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447 /* on every architecture; musl has its name from 1.2.3 on */
#endif

int
sys_memfd_secret(void)
{
	int fd = (int)syscall(SYS_memfd_secret, O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/*
 * How many descriptors may be on their way is counted for the user, and held against the sender's
 * soft RLIMIT_NOFILE. Another process of the user may have sent as many as its own limit allows,
 * which nobody receives: the hard limit is what we have beyond that.
 */
static ssize_t
send_with_hard_limit(int sock, const struct msghdr *msg)
{
	struct rlimit own, raised;
	ssize_t n = -1;
	int error;

	if (getrlimit(RLIMIT_NOFILE, &own) < 0) {
		return -1;
	}
	raised = (struct rlimit){ own.rlim_max, own.rlim_max };
	if (setrlimit(RLIMIT_NOFILE, &raised) == 0) {
		n = sendmsg(sock, msg, MSG_NOSIGNAL);
	}
	error = errno;
	ignore_err(setrlimit(RLIMIT_NOFILE, &own), "it has a higher one, as its owner may");
	errno = error;
	return n;
}

int
sys_send_message(int sock, const void *data, size_t len, const int *fds, size_t fd_count)
{
	union {
		char space[CMSG_SPACE(SYS_FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { .iov_base = (void *)(uintptr_t)data, .iov_len = len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (fd_count > SYS_FDS_MAX) {
		return -E2BIG;
	}
	if (fd_count > 0) {
		struct cmsghdr *c = &control.align; /* the first header is where the space is */

		memset(&control, 0, sizeof(control));
		msg.msg_control = control.space;
		msg.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
		memcpy(CMSG_DATA(c), fds, fd_count * sizeof(int));
	}
	do {
		n = sendmsg(sock, &msg, MSG_NOSIGNAL);
		if (n < 0 && errno == ETOOMANYREFS) {
			n = send_with_hard_limit(sock, &msg);
		}
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* What came beyond what a message of ours may hold is closed. */
static void
take_descriptors(struct cmsghdr *c, int ret_fds[SYS_FDS_MAX])
{
	size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

	for (size_t i = 0; i < count; i++) {
		int fd;

		memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
		if (i < SYS_FDS_MAX) {
			ret_fds[i] = fd;
		} else {
			close(fd);
		}
	}
}

static void
take_control(struct msghdr *msg, int ret_fds[SYS_FDS_MAX], pid_t *ret_pid)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET) {
			continue;
		}
		if (c->cmsg_type == SCM_CREDENTIALS) {
			struct ucred cred;

			memcpy(&cred, CMSG_DATA(c), sizeof(cred));
			*ret_pid = cred.pid;
		} else if (c->cmsg_type == SCM_RIGHTS) {
			take_descriptors(c, ret_fds);
		}
	}
}

ssize_t
sys_recv_message(int sock, void *data, size_t size, int ret_fds[SYS_FDS_MAX], pid_t *ret_pid)
{
	union {
		char space[CMSG_SPACE(SYS_FDS_MAX * sizeof(int)) +
			   CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { .iov_base = data, .iov_len = size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space,
			      .msg_controllen = sizeof(control.space) };
	int resets = 0;
	ssize_t n;

	for (int i = 0; i < SYS_FDS_MAX; i++) {
		ret_fds[i] = -1;
	}
	*ret_pid = -1;
	/* A peer that died with something of ours unread gives ECONNRESET once; what it had said
	 * comes after. */
	do {
		n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && (errno == EINTR || (errno == ECONNRESET && resets++ == 0)));
	if (n < 0) {
		return -errno;
	}
	take_control(&msg, ret_fds, ret_pid);
	if (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		for (int i = 0; i < SYS_FDS_MAX; i++) {
			if (ret_fds[i] >= 0) {
				close(ret_fds[i]);
				ret_fds[i] = -1;
			}
		}
		return -EMSGSIZE;
	}
	return n;
}

int
sys_statx(int dirfd, const char *path, int flags, unsigned int mask, struct statx *ret)
{
	return syscall(SYS_statx, dirfd, path, flags, mask, ret) < 0 ? -errno : 0;
}

int
sys_renameat2(int from_dirfd, const char *from, int to_dirfd, const char *to, unsigned int flags)
{
	return syscall(SYS_renameat2, from_dirfd, from, to_dirfd, to, flags) < 0 ? -errno : 0;
}

int64_t
sys_birth_ns(int fd)
{
	struct statx sx;

	if (sys_statx(fd, "", AT_EMPTY_PATH, STATX_BTIME, &sx) < 0 ||
	    (sx.stx_mask & STATX_BTIME) == 0) {
		return 0;
	}
	return (int64_t)sx.stx_btime.tv_sec * 1000000000 + sx.stx_btime.tv_nsec;
}
