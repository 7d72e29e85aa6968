/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only callers of raw system calls. Each returns what the call returns, or -errno; never logs,
 * never decides. Descriptors that come back are CLOEXEC. Used by the front (as the caller or the
 * workspace's owner) and by the jail (with capabilities of its own user namespace only).
 * Sources: the man pages named; structs from the kernel's headers (minimum kernel 6.1).
 */
#ifndef AIRLOCK_SYS_SYS_H
#define AIRLOCK_SYS_SYS_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/cleanup.h"

/* openat2(2). resolve: SYS_RESOLVE_*; O_CLOEXEC is added. */
#define SYS_RESOLVE_NO_XDEV 0x01
#define SYS_RESOLVE_NO_MAGICLINKS 0x02
#define SYS_RESOLVE_NO_SYMLINKS 0x04
#define SYS_RESOLVE_BENEATH 0x08
#define SYS_RESOLVE_IN_ROOT 0x10
int sys_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode,
		uint64_t resolve) must_check;

/*
 * clone3(2) with CLONE_PIDFD: 0 in the child, the pid in the parent. cgroup_fd: -1, or a cgroup v2
 * directory for CLONE_INTO_CGROUP. The child is a copy that must exec soon.
 */
pid_t sys_clone3(uint64_t flags, int cgroup_fd, int *ret_pidfd) must_check;
int sys_unshare(int flags) must_check;
/*
 * Root becomes another user, for good and without supplementary groups: setgroups(2), setresgid(2),
 * setresuid(2), and what is then read back. -EPERM where that is not what it should be.
 */
int sys_become(uid_t uid, gid_t gid) must_check;
int sys_close_range(unsigned int first, unsigned int last, unsigned int flags) must_check;
/*
 * Between fork and exec: descriptor i is fds[i], for the program as well, and from count on none is
 * open. They may be any numbers, also each other's; fds is used up. 0 or -errno.
 */
int sys_place_fds(int *fds, unsigned int count) must_check;
/* rt_sigaction(2) to SIG_DFL, also for the signals that a C library keeps to itself. */
int sys_signal_default(int sig) must_check;
/*
 * In a child, first of all: the signal comes when parent, which forked it, ends (PR_SET_PDEATHSIG).
 * -ESRCH where it has ended already. The child's next change of its ids clears it.
 */
int sys_end_with_parent(pid_t parent, int sig) must_check;
/*
 * In a child: out of the caller's session, and with it of its terminal, and of its directory, into
 * "/". Who leads a session of its own already stays in that.
 */
int sys_leave_caller(void) must_check;
/*
 * waitpid(2) for a child of ours, whatever signals come. ret_status: may be NULL, untouched on
 * failure. -ECHILD: nobody knows how it ended, since whoever started us ignores SIGCHLD.
 */
int sys_wait(pid_t pid, int *ret_status) must_check;
int sys_pidfd_open(pid_t pid) must_check;
int sys_pidfd_send_signal(int pidfd, int sig) must_check;
/* The same with a value, as sigqueue(3). -EAGAIN beyond RLIMIT_SIGPENDING. */
int sys_pidfd_queue_signal(int pidfd, int sig, int value) must_check;
int sys_execve(const char *path, const char *const argv[], const char *const envp[]) must_check;
int sys_execveat(int fd, const char *path, const char *const argv[], const char *const envp[],
		 int flags) must_check;

/*
 * The mount API: open_tree(2), move_mount(2), fsopen(2), fsconfig(2), fsmount(2), mount_setattr(2).
 */
int sys_open_tree(int dirfd, const char *path, unsigned int flags) must_check;
int sys_move_mount(int from_fd, int to_dirfd, const char *to_path) must_check;
int sys_fsopen(const char *fs) must_check;
int sys_fsconfig_string(int fs_fd, const char *key, const char *value) must_check;
int sys_fsconfig_flag(int fs_fd, const char *key) must_check;
int sys_fsconfig_create(int fs_fd) must_check;
int sys_fsmount(int fs_fd, unsigned int mount_attrs) must_check;
/* The kernel's own words for the last fsconfig failure, "" when there are none. */
void sys_fscontext_message(int fs_fd, char *ret_text, size_t size);
int sys_mount_setattr(int fd, int recursive, uint64_t set, uint64_t clear, uint64_t propagation,
		      int userns_fd) must_check;
int sys_pivot_root_here(void) must_check; /* pivot_root(".", ".") */
int sys_umount_detach(const char *path) must_check;

/* capabilities(7), by capget(2), capset(2), prctl(2). Bit n is capability n. */
struct sys_caps {
	uint64_t effective, permitted, inheritable, ambient, bounding;
};
int sys_caps_get(struct sys_caps *ret) must_check;
int sys_caps_raise_ambient(void) must_check; /* all of permitted become inheritable and ambient */
int sys_caps_clear(void) must_check;         /* all five sets empty, securebits locked */
int sys_no_new_privs(void) must_check;

/* landlock(7). -EOPNOTSUPP or -ENOSYS where there is none. */
int sys_landlock_abi(void) must_check;
int sys_landlock_create(uint64_t fs, uint64_t net, uint64_t scoped, int abi) must_check;
int sys_landlock_add_path(int ruleset_fd, int path_fd, uint64_t access) must_check;
int sys_landlock_restrict(int ruleset_fd) must_check;
/*
 * Gives up these file system rights (LANDLOCK_ACCESS_FS_*) everywhere, as far as the ABI knows
 * them. 0 also where there is no Landlock: for a process that a filter of its own confines as well.
 */
int sys_landlock_forbid(uint64_t fs) must_check;

/* seccomp(2): loads the filter for this thread. notify: returns the listener fd, else 0. */
int sys_seccomp_load(const struct sock_filter *insns, uint16_t len, int notify) must_check;
int sys_seccomp_receive(int listener_fd, struct seccomp_notif *ret) must_check;
/* error: positive errno */
int sys_seccomp_deny(int listener_fd, uint64_t id, int error) must_check;

/*
 * A memfd with these bytes, sealed against every change; MFD_NOEXEC_SEAL where the kernel has it.
 */
int sys_memfd_sealed(const char *name, const void *data, size_t len) must_check;
/* 0 when all seals of sys_memfd_sealed stand, -EPERM otherwise. */
int sys_memfd_check_sealed(int fd) must_check;
/* memfd_secret(2): memory that the kernel itself does not map. -ENOSYS where it is off. */
int sys_memfd_secret(void) must_check;

/* Status socket (SOCK_SEQPACKET): one datagram with up to SYS_FDS_MAX descriptors and, in
 * sys_recv_message, the sender's pid as this process sees it (SO_PASSCRED must be set). */
#define SYS_FDS_MAX 20
int sys_send_message(int sock, const void *data, size_t len, const int *fds, size_t fd_count)
	must_check;
ssize_t sys_recv_message(int sock, void *data, size_t size, int ret_fds[SYS_FDS_MAX],
			 pid_t *ret_pid) must_check;

/*
 * statx(2), of the kernel itself: musl has none before 1.2.4, and it alone tells mount points
 * without opening them. mask: STATX_*; what the file system has not is absent from the result's
 * stx_mask.
 */
struct statx;
int sys_statx(int dirfd, const char *path, int flags, unsigned int mask,
	      struct statx *ret) must_check;
/* renameat2(2), where musl has none. flags: RENAME_*. */
int sys_renameat2(int from_dirfd, const char *from, int to_dirfd, const char *to,
		  unsigned int flags) must_check;

/*
 * Birth time of what fd refers to, in ns since the epoch; 0 where the file system keeps none.
 * statx(2).
 */
int64_t sys_birth_ns(int fd);

/*
 * A listening UNIX socket (SOCK_STREAM) of that name in a directory, for its owner alone; the name
 * needs no path that leads there. The working directory is as it was, and so is the umask. unix(7).
 */
int sys_listen_at(int dir_fd, const char *name) must_check;

/* Brings the loopback interface of this network namespace up: netdevice(7). */
int sys_loopback_up(void) must_check;

#endif
