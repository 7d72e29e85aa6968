/* SPDX-License-Identifier: Apache-2.0 */
/* Run by the front: what the jail says, and what the kernel asks about a denied call. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/trace.h"
#include "../sys/sys.h"
#include "attest.h"
#include "supervise_internal.h"

#define TICK_MAX_NS 20000000 /* twice that of the slowest kernel (HZ=100) */

static const char *const stage_names[] = {
#define X(id, process, should, must_not) [STAGE_##id] = #id,
#include "../jail/stages.def"
#undef X
};

static void
close_all(int fds[SYS_FDS_MAX])
{
	for (int i = 0; i < SYS_FDS_MAX; i++) {
		if (fds[i] >= 0) {
			close(fds[i]);
		}
	}
}

static void
on_failed(struct run *r, const uint8_t *data, size_t len)
{
	struct rd rd = { .p = data, .left = len };
	uint8_t stage = rd_u8(&rd);
	int code = (int)rd_u32(&rd);
	const char *text = rd_str(&rd);

	if (rd.bad || stage >= STAGE__COUNT) {
		run_refuse(r, "jail", 0, "it sent a malformed failure");
		return;
	}
	if (stage == STAGE_exec) {
		r->out->exec_errno = code;
	}
	run_refuse(r, stage_names[stage], code, "%s", text);
}

/*
 * A jail that failed is soon gone from /proc, and then looks as if it were not what was planned:
 * what it said itself explains more.
 */
static void
hear_failure(struct run *r)
{
	struct pollfd tool = { .fd = r->req->jail->tool_fd, .events = POLLIN };

	while (r->state < RUN_ENDING && poll(&tool, 1, 0) > 0 && run_read_tool(r) == 0) {
	}
}

static void
not_as_planned(struct run *r, const struct err *err)
{
	static const char prefix[] = "attestation: ";
	bool is_prefixed = strncmp(err->text, prefix, sizeof(prefix) - 1) == 0;

	hear_failure(r);
	run_refuse(r, "attestation", 0, "%s", err->text + (is_prefixed ? sizeof(prefix) - 1 : 0));
}

static void
on_mounted(struct run *r, int fds[SYS_FDS_MAX])
{
	struct err err = ERR_INIT;

	if (fds[0] < 0 || fds[1] < 0 || r->out->scratch_fd >= 0 ||
	    (fds[2] >= 0 && (fds[3] >= 0) != (r->req->plan->layer_count > 0))) {
		run_refuse(r, "jail", 0, "it did not hand over its tmpfs");
		return;
	}
	r->out->scratch_fd = take_fd(&fds[0]);
	r->proc_fd = take_fd(&fds[1]);
	r->out->upper_fd = take_fd(&fds[2]);
	r->out->below_fd = take_fd(&fds[3]);
	r->attest = (struct attest_request){
		.plan = r->req->plan,
		.report = &r->report,
		.init_pid = r->req->jail->pid,
		.cgroup = r->req->cgroup,
		.limits = r->req->limits,
		.shmem_bytes = r->req->shmem_bytes,
		.filter_digest = r->req->profile->filter_digest,
		.terminal_fd = -1,
	};
	if (attest_early(&r->attest, &err) < 0) {
		not_as_planned(r, &err);
		return;
	}
	r->mounts_attested = true;
	trace_step("jail: mounts");
}

/* Holds the sandbox's mounts until after the answer: taking them apart is nobody's to wait for. */
static int
hold_mounts(struct run *r)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/mnt", (int)r->req->jail->pid);
	r->out->mounts_fd = open(path, O_RDONLY | O_CLOEXEC);
	return r->out->mounts_fd < 0 ? -errno : 0;
}

/*
 * What has a ctime from GO on counts as changed during the call. Times come from a clock that
 * stands still for a tick, so what was written in the tick before GO (another call's commit, most
 * likely) cannot be told from it: the root, which every commit touches, has to be older than GO.
 * Waits a tick at the most; a ctime in the future is a conflict later.
 */
static int64_t
go_time(const struct run *r)
{
	const struct timespec pause = { .tv_nsec = 500000 };
	int64_t now = (int64_t)clock_ns(CLOCK_REALTIME_COARSE);
	int64_t last = now + TICK_MAX_NS;
	struct stat st;

	while (fstat(r->req->workspace_fd, &st) == 0 && now < last &&
	       (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec >= now) {
		ignore_err(nanosleep(&pause, NULL), "a signal only shortens it");
		now = (int64_t)clock_ns(CLOCK_REALTIME_COARSE);
	}
	return now;
}

void
run_say_go(struct run *r)
{
	const uint8_t go = JAIL_GO;
	struct err err = ERR_INIT;
	int rc;

	if (r->state != RUN_STARTING || !r->mounts_attested || !r->init_ready || !r->tool_ready ||
	    r->frozen_at_ns != 0) {
		return;
	}
	r->attest.tool_pid = r->tool_pid;
	r->attest.terminal_fd =
		r->req->terminal != NULL ? r->req->relay->tool_fd[RELAY_STDOUT] : -1;
	rc = attest(&r->attest, &err);
	if (rc < 0) {
		not_as_planned(r, &err);
		return;
	}
	r->out->go_realtime_ns = go_time(r);
	rc = hold_mounts(r);
	if (rc == 0) {
		rc = sys_send_message(r->req->jail->tool_fd, &go, 1, NULL, 0);
	}
	if (rc < 0) {
		run_refuse(r, "jail", 0, "it died before exec");
		return;
	}
	r->state = RUN_WAITING_EXEC;
	trace_step("attested");
	if (attest_json(&r->attest, &r->out->attestation) < 0) {
		run_refuse(r, "jail", 0, "out of memory");
	}
}

/* PID 1 reports once its mounts stand, so what it is compared with was read. */
static void
on_init_ready(struct run *r)
{
	struct err err = ERR_INIT;

	if (!r->mounts_attested || r->init_ready) {
		run_refuse(r, "jail", 0, "it reported out of order");
	} else if (attest_init(&r->attest, &err) < 0) {
		not_as_planned(r, &err);
	} else {
		r->init_ready = true;
		run_say_go(r);
	}
}

/* What it is, is attested with the rest; until GO nothing of the tool's is behind it. */
static void
on_terminal(struct run *r, int fds[SYS_FDS_MAX])
{
	struct err err = ERR_INIT;

	if (r->state != RUN_STARTING || r->tool_ready || r->has_terminal ||
	    r->req->terminal == NULL || fds[0] < 0) {
		run_refuse(r, "jail", 0, "it reported out of order");
		return;
	}
	r->has_terminal = true;
	terminal_shape(r->req->terminal, fds[0]);
	if (relay_take_terminal(r->req->relay, take_fd(&fds[0]), &err) < 0) {
		run_refuse(r, "terminal", err.code, "%s", err.text);
	}
}

static void
on_listener(struct run *r, int fds[SYS_FDS_MAX])
{
	if (r->state != RUN_STARTING || r->tool_ready || r->listener_fd >= 0 ||
	    (r->req->plan->flags & PLAN_NOTIFY) == 0 || fds[0] < 0) {
		run_refuse(r, "jail", 0, "it reported out of order");
		return;
	}
	r->listener_fd = take_fd(&fds[0]);
}

static void
on_ready(struct run *r, const uint8_t *data, size_t len, pid_t pid)
{
	bool wants_listener = (r->req->plan->flags & PLAN_NOTIFY) != 0;

	if (r->state != RUN_STARTING || r->tool_ready || pid <= 0 ||
	    wants_listener != (r->listener_fd >= 0) ||
	    r->has_terminal != (r->req->terminal != NULL)) {
		run_refuse(r, "jail", 0, "it reported out of order");
		return;
	}
	r->tool_pid = pid;
	if (attest_read_report(data, len, &r->report) < 0) {
		run_refuse(r, "jail", 0, "its report is damaged");
		return;
	}
	r->tool_ready = true;
	trace_step("jail: confined");
	run_say_go(r);
}

static void
on_ended(struct run *r, const uint8_t *data, size_t len)
{
	struct rd rd = { .p = data, .left = len };
	uint32_t status = rd_u32(&rd);

	if (!rd.bad && !r->ended) {
		r->ended = true;
		trace_step("tool");
		r->wait_status = (int)status;
	}
}

int
run_read_status(struct run *r)
{
	uint8_t data[JAIL_MESSAGE_MAX];
	int fds[SYS_FDS_MAX];
	pid_t pid;
	ssize_t n = sys_recv_message(r->req->jail->status_fd, data, sizeof(data), fds, &pid);

	if (n <= 0) {
		return n < 0 ? (int)n : -ECONNRESET;
	}
	switch (data[0]) {
	case JAIL_FAILED:
		on_failed(r, data + 1, (size_t)n - 1);
		break;
	case JAIL_MOUNTED:
		on_mounted(r, fds);
		run_say_go(r);
		break;
	case JAIL_INIT_READY:
		on_init_ready(r);
		break;
	case JAIL_ENDED:
		on_ended(r, data + 1, (size_t)n - 1);
		break;
	default:
		run_refuse(r, "jail", 0, "it sent message %u", data[0]);
		break;
	}
	close_all(fds);
	return 0;
}

int
run_read_tool(struct run *r)
{
	uint8_t data[JAIL_MESSAGE_MAX];
	int fds[SYS_FDS_MAX];
	pid_t pid;
	ssize_t n = sys_recv_message(r->req->jail->tool_fd, data, sizeof(data), fds, &pid);

	if (n <= 0) {
		return n < 0 ? (int)n : -ECONNRESET;
	}
	if (data[0] == JAIL_FAILED) {
		on_failed(r, data + 1, (size_t)n - 1);
	} else if (data[0] == JAIL_TERMINAL) {
		on_terminal(r, fds);
	} else if (data[0] == JAIL_LISTENER) {
		on_listener(r, fds);
	} else if (data[0] == JAIL_READY) {
		on_ready(r, data + 1, (size_t)n - 1, pid);
	} else {
		run_refuse(r, "jail", 0, "the tool's process sent message %u", data[0]);
	}
	close_all(fds);
	return 0;
}

/*
 * Decides on registers alone, by the same table that made the filter; the only answer there is, is
 * an error: a notified call never goes on.
 */
void
run_answer_notification(struct run *r)
{
	struct seccomp_notif call;
	int rc = sys_seccomp_receive(r->listener_fd, &call);
	int code;

	if (rc < 0) {
		return; /* the caller died meanwhile (ENOENT), or a signal came: poll tells again */
	}
	code = denials_syscall(&r->out->denials, r->req->profile, &call.data);
	ignore_err(sys_seccomp_deny(r->listener_fd, call.id, code), "the caller died meanwhile");
}
