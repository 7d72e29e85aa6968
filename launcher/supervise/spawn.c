/* SPDX-License-Identifier: Apache-2.0 */
/* Run by the front, as the caller or the workspace's owner. The child between clone3 and exec trusts only what is here. */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/sha256.h"
#include "../jail/jail_protocol.h"
#include "../sys/sys.h"

#define NAMESPACES                                                                                 \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)

struct child_fds {
	int source[JAIL_FD_WORKSPACE + 1]; /* what becomes fd 0, 1, …; -1: none */
	int count;
	int exe;
	int error; /* write end of a CLOEXEC pipe: a struct child_error when the child fails */
};

struct child_error {
	int code;
	char step[32];
};

static void __attribute__((noreturn))
child_fail(int fd, const char *step, int code)
{
	struct child_error e = { .code = code };

	strncpy(e.step, step, sizeof(e.step) - 1);
	ignore_err(write(fd, &e, sizeof(e)), "the parent sees our death all the same");
	_exit(125);
}

/*
 * Every source is first moved above the targets, so that no dup2 closes one that is still needed. The last two
 * steps before exec need nothing from memory that exec would lose.
 */
static void
place_fds(struct child_fds *fds)
{
	const int above = JAIL_FD_WORKSPACE + 4;

	fds->error = fcntl(fds->error, F_DUPFD_CLOEXEC, above);
	fds->exe = fcntl(fds->exe, F_DUPFD_CLOEXEC, above);
	if (fds->error < 0 || fds->exe < 0) {
		_exit(125);
	}
	for (int i = 0; i < fds->count; i++) {
		fds->source[i] = fcntl(fds->source[i], F_DUPFD_CLOEXEC, above);
		if (fds->source[i] < 0) {
			child_fail(fds->error, "duplicate descriptors", -errno);
		}
	}
	for (int i = 0; i < fds->count; i++) {
		if (dup2(fds->source[i], i) < 0) {
			child_fail(fds->error, "place descriptors", -errno);
		}
	}
}

static void __attribute__((noreturn))
child_main(struct child_fds *fds, const struct cgroup *cgroup)
{
	static const char *const argv[] = { "airlock-jail", NULL };
	static const char *const envp[] = { NULL };
	int rc = cgroup_enter_self(cgroup);

	if (rc < 0) {
		child_fail(fds->error, "enter the call's cgroup", rc);
	}
	rc = sys_unshare(CLONE_NEWCGROUP); /* after the move: its root is the call's group */
	if (rc < 0) {
		child_fail(fds->error, "cgroup namespace", rc);
	}
	place_fds(fds);
	/* Without an id of its own yet the jail would lose its capabilities at exec. */
	rc = sys_caps_raise_ambient();
	if (rc < 0) {
		child_fail(fds->error, "keep capabilities over exec", rc);
	}
	rc = sys_execveat(fds->exe, "", argv, envp, 0x1000); /* AT_EMPTY_PATH */
	child_fail(fds->error, "exec airlock-jail", rc);
}

static int
make_pair(int ret_pair[2], struct err *err)
{
	const int on = 1;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_pair) < 0) {
		return err_sys(err, -errno, "socket to the jail");
	}
	/* The sender's pid, as the kernel translates it, is how PID 2 is found on the host. */
	if (setsockopt(ret_pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0) {
		return err_sys(err, -errno, "SO_PASSCRED");
	}
	return 0;
}

static int
seal_plan(const struct plan *plan, uint8_t ret_digest[32], struct err *err)
{
	auto_buf bytes = BUF_INIT;
	int rc;

	plan_encode(plan, &bytes);
	rc = buf_error(&bytes);
	if (rc == 0) {
		sha256_of(bytes.data, bytes.len, ret_digest);
		rc = sys_memfd_sealed("airlock-plan", bytes.data, bytes.len);
	}
	return rc < 0 ? err_sys(err, rc, "seal the plan") : rc;
}

static int
explain_clone(int code, struct err *err)
{
	switch (-code) {
	case EPERM:
		return err_set(err, code, "user namespaces are forbidden here (EPERM): see "
					  "kernel.apparmor_restrict_unprivileged_userns, "
					  "kernel.unprivileged_userns_clone, or the seccomp filter of the container "
					  "around; 'airlock doctor' names the fix");
	case ENOSPC:
	case EUSERS:
		return err_set(err, code, "no further user namespace is allowed here: raise "
					  "user.max_user_namespaces (sysctl)");
	default:
		return err_sys(err, code, "clone3 into fresh namespaces");
	}
}

/* Waits for the child's exec (EOF) or its complaint. */
static int
await_exec(int error_fd, struct err *err)
{
	struct child_error e;
	int rc = fdio_read(error_fd, &e, sizeof(e));

	if (rc == -ENODATA) {
		return 0;
	}
	if (rc < 0) {
		return err_sys(err, rc, "wait for the jail");
	}
	e.step[sizeof(e.step) - 1] = '\0';
	return err_sys(err, e.code, "%s", e.step);
}

int
spawn_jail(const struct spawn_request *req, struct jail_handle *ret, struct err *err)
{
	struct jail_handle jail = JAIL_HANDLE_INIT;
	struct child_fds fds = { .exe = req->jail_exe_fd };
	int status[2] = { -1, -1 }, tool[2] = { -1, -1 }, error[2] = { -1, -1 };
	auto_fd plan_fd = seal_plan(req->plan, jail.plan_digest, err);
	int rc = plan_fd < 0 ? plan_fd : make_pair(status, err);

	if (rc == 0) {
		rc = make_pair(tool, err);
	}
	if (rc == 0 && pipe2(error, O_CLOEXEC) < 0) {
		rc = err_sys(err, -errno, "pipe");
	}
	if (rc == 0) {
		memcpy(fds.source, req->stdio, 3 * sizeof(int));
		fds.source[JAIL_FD_PLAN] = plan_fd;
		fds.source[JAIL_FD_STATUS] = status[1];
		fds.source[JAIL_FD_TOOL] = tool[1];
		fds.source[JAIL_FD_WORKSPACE] = req->workspace_clone;
		fds.count = JAIL_FD_WORKSPACE + (req->workspace_clone >= 0);
		fds.error = error[1];
		jail.pid = sys_clone3(NAMESPACES, cgroup_clone_fd(req->cgroup), &jail.pidfd);
		if (jail.pid == 0) {
			child_main(&fds, req->cgroup);
		}
		rc = jail.pid < 0 ? explain_clone(jail.pid, err) : 0;
	}
	jail.status_fd = status[0];
	jail.tool_fd = tool[0];
	const int ours[] = { status[1], tool[1], error[1] };

	for (size_t i = 0; i < ARRAY_LEN(ours); i++) {
		if (ours[i] >= 0) {
			close(ours[i]);
		}
	}
	if (rc == 0) {
		rc = await_exec(error[0], err);
	}
	if (error[0] >= 0) {
		close(error[0]);
	}
	if (rc < 0) {
		jail_handle_finish(&jail);
		return rc;
	}
	*ret = jail;
	return 0;
}

static int
write_map(pid_t pid, const char *name, unsigned int inside, unsigned int outside, struct err *err)
{
	char path[64], line[64];
	auto_fd fd = -1;
	int rc;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	snprintf(line, sizeof(line), "%u %u 1", inside, outside);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	rc = fd < 0 ? -errno : fdio_write(fd, line, strlen(line));
	return rc < 0 ? err_sys(err, rc, "write %s", name) : 0;
}

int
spawn_write_maps(const struct jail_handle *jail, const struct plan *plan, struct err *err)
{
	const uint8_t done = JAIL_MAPS_WRITTEN;
	int rc = write_map(jail->pid, "uid_map", plan->uid_inside, plan->uid_outside, err);

	if (rc == 0) {
		rc = write_map(jail->pid, "gid_map", plan->gid_inside, plan->gid_outside, err);
	}
	if (rc == 0) {
		rc = sys_send_message(jail->status_fd, &done, 1, NULL, 0);
	}
	return rc;
}

void
jail_handle_finish(struct jail_handle *jail)
{
	if (jail->pidfd >= 0) {
		siginfo_t info;

		ignore_err(sys_pidfd_send_signal(jail->pidfd, SIGKILL), "it may be dead already");
		ignore_err(waitid(P_PID, (id_t)jail->pid, &info, WEXITED), "it may be reaped already");
		close(jail->pidfd);
	}
	if (jail->status_fd >= 0) {
		close(jail->status_fd);
	}
	if (jail->tool_fd >= 0) {
		close(jail->tool_fd);
	}
	*jail = (struct jail_handle)JAIL_HANDLE_INIT;
}
