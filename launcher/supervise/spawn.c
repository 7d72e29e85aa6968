/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front, as the caller or the workspace's owner. The child between clone3 and exec
 * trusts only what is here.
 */
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/sha256.h"
#include "../jail/jail_protocol.h"
#include "../sys/sys.h"
#include "around.h"
#include "idmap.h"

/*
 * A pid namespace begins with a child. The others the child makes itself, so that their cost (a
 * network namespace is most of it) runs beside the planned part's fdatasync. The cgroup namespace
 * comes last: its root is the call's group.
 */
#define AT_CLONE (CLONE_NEWUSER | CLONE_NEWPID)
#define IN_CHILD (CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)

#define REAP_MS 2000

struct child_fds {
	int source[JAIL_FD_TOOL + 1]; /* what becomes fd 0, 1, … */
	int count;
	int exe;
	int status; /* the jail's end, to complain on */
};

/* The child speaks the jail's protocol from its first moment on; nobody waits for its exec. */
static void __attribute__((noreturn))
child_fail(const struct child_fds *fds, const char *step, int code)
{
	uint8_t message[256] = { JAIL_FAILED, STAGE_hygiene };
	char text[200];
	size_t len;

	snprintf(text, sizeof(text), "%s: %s", step, strerror(-code));
	len = strlen(text);
	for (int i = 0; i < 4; i++) {
		message[2 + i] = (uint8_t)((uint32_t)-code >> (8 * i));
		message[6 + i] = (uint8_t)((uint32_t)len >> (8 * i));
	}
	memcpy(message + 10, text, len + 1);
	ignore_err(sys_send_message(fds->status, message, 11 + len, NULL, 0),
		   "the supervisor sees our death all the same");
	_exit(125);
}

/*
 * Every source is first moved above the targets, so that no dup2 closes one that is still needed.
 * The last two steps before exec need nothing from memory that exec would lose.
 */
static void
place_fds(struct child_fds *fds)
{
	const int above = JAIL_FD_TOOL + 4;

	fds->status = fcntl(fds->status, F_DUPFD_CLOEXEC, above);
	fds->exe = fcntl(fds->exe, F_DUPFD_CLOEXEC, above);
	if (fds->status < 0 || fds->exe < 0) {
		_exit(125);
	}
	for (int i = 0; i < fds->count; i++) {
		fds->source[i] = fcntl(fds->source[i], F_DUPFD_CLOEXEC, above);
		if (fds->source[i] < 0) {
			child_fail(fds, "duplicate descriptors", -errno);
		}
	}
	for (int i = 0; i < fds->count; i++) {
		if (dup2(fds->source[i], i) < 0) {
			child_fail(fds, "place descriptors", -errno);
		}
	}
}

/*
 * A new process starts on its parent's CPU, and for half a millisecond the scheduler holds it to be
 * too warm there to move: parent and child take turns while another CPU idles. Asked to leave, it
 * goes at once; where it may run stays as it was.
 */
static void
move_aside(void)
{
	cpu_set_t all, others;
	int here = sched_getcpu();

	if (here < 0 || sched_getaffinity(0, sizeof(all), &all) < 0) {
		return;
	}
	others = all;
	CPU_CLR((size_t)here, &others);
	if (CPU_COUNT(&others) > 0 && sched_setaffinity(0, sizeof(others), &others) == 0 &&
	    sched_setaffinity(0, sizeof(all), &all) < 0) {
		_exit(125); /* fewer CPUs than the caller gave would be a limit nobody planned */
	}
}

static void __attribute__((noreturn)) child_main(struct child_fds *fds, const struct cgroup *cgroup)
{
	static const char *const argv[] = { "airlock-jail", NULL };
	static const char *const envp[] = { NULL };
	int rc;

	move_aside();
	/*
	 * Once this is another program, who shares our uid may take it over; where root called
	 * that is the workspace's owner, whom root's terminal and directory are kept from.
	 */
	rc = sys_leave_caller();
	if (rc < 0) {
		child_fail(fds, "a session of its own", rc);
	}
	rc = cgroup_enter_self(cgroup);
	if (rc < 0) {
		child_fail(fds, "enter the call's cgroup", rc);
	}
	rc = sys_unshare(IN_CHILD | CLONE_NEWCGROUP);
	if (rc < 0) {
		child_fail(fds, "fresh namespaces", rc);
	}
	place_fds(fds);
	/*
	 * The jail closes what is not its own only once it has a plan; until then who shares our
	 * uid could take it.
	 */
	rc = sys_close_range((unsigned int)fds->count, ~0u, CLOSE_RANGE_CLOEXEC);
	if (rc < 0) {
		child_fail(fds, "close_range", rc);
	}
	/* Without an id of its own yet the jail would lose its capabilities at exec. */
	rc = sys_caps_raise_ambient();
	if (rc < 0) {
		child_fail(fds, "keep capabilities over exec", rc);
	}
	rc = sys_execveat(fds->exe, "", argv, envp, 0x1000); /* AT_EMPTY_PATH */
	child_fail(fds, "exec airlock-jail", rc);
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
		err_set(err, code,
			"user namespaces are forbidden here (EPERM): see "
			"kernel.apparmor_restrict_unprivileged_userns, "
			"kernel.unprivileged_userns_clone, or the seccomp filter of the container "
			"around; 'airlock doctor' names the fix");
		return around_explain(err, code);
	case ENOSPC:
	case EUSERS:
		return err_set(err, code,
			       "no further user namespace is allowed here: raise "
			       "user.max_user_namespaces (sysctl)");
	default:
		err_sys(err, code, "clone3 into fresh namespaces");
		return around_explain(err, code);
	}
}

static int
write_map(pid_t pid, const char *name, uint32_t inside, uint32_t outside, struct err *err)
{
	int rc = idmap_write(pid, name, inside, outside);

	return rc < 0 ? err_sys(err, rc, "write %s", name) : 0;
}

/* user_namespaces(7): what PLAN_MAP_SELF cannot do itself. As root only. */
static int
write_maps(const struct jail_handle *jail, const struct identity *id, struct err *err)
{
	int rc = 0;

	if (id->kind == IDENTITY_RANGE) {
		rc = write_map(jail->pid, "uid_map", id->uid_inside, id->uid_outside, err);
	}
	if (rc == 0 && id->kind == IDENTITY_RANGE) {
		rc = write_map(jail->pid, "gid_map", id->gid_inside, id->gid_outside, err);
	}
	return rc;
}

static int
clone_jail(const struct spawn_request *req, struct child_fds *fds, struct jail_handle *jail,
	   struct err *err)
{
	jail->pid = sys_clone3(AT_CLONE, cgroup_clone_fd(req->cgroup), &jail->pidfd);
	if (jail->pid == 0) {
		child_main(fds, req->cgroup);
	}
	return jail->pid < 0 ? explain_clone(jail->pid, err) : write_maps(jail, req->identity, err);
}

int
spawn_jail(const struct spawn_request *req, struct jail_handle *ret, struct err *err)
{
	struct jail_handle jail = JAIL_HANDLE_INIT;
	struct child_fds fds = { .exe = req->jail_exe_fd };
	int status[2] = { -1, -1 }, tool[2] = { -1, -1 };
	int rc = make_pair(status, err);

	if (rc == 0) {
		rc = make_pair(tool, err);
	}
	jail.status_fd = status[0];
	jail.tool_fd = tool[0];
	if (rc == 0) {
		memcpy(fds.source, req->stdio, 3 * sizeof(int));
		fds.source[JAIL_FD_STATUS] = status[1];
		fds.source[JAIL_FD_TOOL] = tool[1];
		fds.count = JAIL_FD_TOOL + 1;
		fds.status = status[1];
		rc = clone_jail(req, &fds, &jail, err);
	}
	cleanup_fd(&status[1]);
	cleanup_fd(&tool[1]);
	if (rc < 0) {
		jail_handle_finish(&jail);
		return rc;
	}
	*ret = jail;
	return 0;
}

int
spawn_send_plan(struct jail_handle *jail, const struct plan *plan, const int *fds, size_t count,
		struct err *err)
{
	const uint8_t message = JAIL_PLAN;
	auto_fd fd = seal_plan(plan, jail->plan_digest, err);
	int sent[1 + SPAWN_FDS_MAX] = { fd };
	size_t sent_count = 1;
	int rc;

	for (size_t i = 0; i < count; i++) {
		if (fds[i] >= 0) {
			sent[sent_count++] = fds[i];
		}
	}
	rc = fd < 0 ? fd : sys_send_message(jail->status_fd, &message, 1, sent, sent_count);
	/*
	 * A jail that died on its way to exec has left its reason on the socket: the supervisor
	 * reads it.
	 */
	return rc == -EPIPE || rc == -ECONNRESET ? 0 : rc;
}

void
jail_handle_finish(struct jail_handle *jail)
{
	if (jail->pidfd >= 0) {
		struct pollfd end = { .fd = jail->pidfd, .events = POLLIN };
		siginfo_t info;

		ignore_err(sys_pidfd_send_signal(jail->pidfd, SIGKILL), "it may be dead already");
		/* What cannot die now (frozen, in the kernel) is not waited for. */
		if (poll(&end, 1, REAP_MS) > 0) {
			ignore_err(waitid(P_PID, (id_t)jail->pid, &info, WEXITED | WNOHANG),
				   "it may be reaped already");
		}
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
