/* SPDX-License-Identifier: Apache-2.0 */
/* Run by the front, as the caller or the workspace's owner: the one poll loop of a call. */
#include "supervise.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/trace.h"
#include "../jail/jail_protocol.h"
#include "../sys/sys.h"
#include "around.h"
#include "supervise_internal.h"

#define MS UINT64_C(1000000)
#define LAUNCH_MS 60000u /* a jail that is not ready by then never will be */
#define GRACE_MS \
	1000u /* between a forwarded SIGTERM and the kill: callers give two seconds in all */
#define UNDEAD_MS 10000u /* between the kill and giving up */
#define DRAIN_MS 1000

static const char *const names[] = {
#define X(id, name, doc) [VERDICT_##id] = (name),
#include "verdicts.def"
#undef X
};

const char *
verdict_name(enum verdict v)
{
	return names[v];
}

void
outcome_init(struct outcome *o)
{
	memset(o, 0, sizeof(*o));
	o->exit_code = -1;
	o->upper_fd = o->below_fd = o->scratch_fd = o->mounts_fd = -1;
}

void
outcome_finish(struct outcome *o)
{
	buf_finish(&o->attestation);
	denials_finish(&o->denials);
	cleanup_fd(&o->upper_fd);
	cleanup_fd(&o->below_fd);
	cleanup_fd(&o->scratch_fd);
	cleanup_fd(&o->mounts_fd);
}

static void
kill_all(struct run *r)
{
	ignore_err(sys_pidfd_send_signal(r->req->jail->pidfd, SIGKILL), "dead already");
	if (r->req->cgroup->version != CGROUP_NONE) {
		ignore_err(cgroup_kill(r->req->cgroup),
			   "PID 1's death ends its namespace all the same");
	}
}

static void
set_deadline(struct run *r, uint64_t ms)
{
	r->deadline_ns = clock_monotonic_ns() + ms * MS;
}

/* Its processes, where there are any: before exec nothing of the tool's is behind GO. */
static void
stop_processes(struct run *r, bool stop)
{
	const uint8_t message[2] = { JAIL_FREEZE, stop };

	if (r->state == RUN_RUNNING && cgroup_freeze(r->req->cgroup, stop) < 0) {
		ignore_err(sys_send_message(r->req->jail->status_fd, message, 2, NULL, 0),
			   "ending already");
	}
}

static void
freeze(struct run *r)
{
	const struct supervise_control *c = &r->req->control;

	if (r->frozen_at_ns != 0 || r->state >= RUN_ENDING || r->decided) {
		return;
	}
	r->frozen_at_ns = clock_monotonic_ns();
	stop_processes(r, true);
	if (c->on_frozen != NULL) {
		c->on_frozen(c->arg, true);
	}
}

/* The clocks go on from where they stood; what is to end is not continued, it dies as it is. */
static void
end_freeze(struct run *r)
{
	const struct supervise_control *c = &r->req->control;
	uint64_t frozen_ns = clock_monotonic_ns() - r->frozen_at_ns;

	if (r->frozen_at_ns == 0) {
		return;
	}
	r->frozen_at_ns = 0;
	r->deadline_ns += frozen_ns;
	r->frozen_ns += r->state == RUN_RUNNING ? frozen_ns : 0;
	if (c->on_frozen != NULL) {
		c->on_frozen(c->arg, false);
	}
}

/* One whose time has come meanwhile is not continued. */
static void
thaw(struct run *r)
{
	if (r->frozen_at_ns == 0) {
		return;
	}
	end_freeze(r);
	if (r->state != RUN_RUNNING || !run_end_late(r)) {
		stop_processes(r, false);
		run_say_go(r);
	}
}

void
run_end(struct run *r, enum verdict verdict, const char *fmt, ...)
{
	va_list ap;

	if (r->state >= RUN_ENDING) {
		return;
	}
	if (!r->decided) {
		r->decided = true;
		r->out->verdict = verdict;
		va_start(ap, fmt);
		vsnprintf(r->out->reason, sizeof(r->out->reason), fmt, ap);
		va_end(ap);
	}
	end_freeze(r);
	r->state = RUN_ENDING;
	kill_all(r);
	set_deadline(r, UNDEAD_MS);
}

void
run_refuse(struct run *r, const char *what, int code, const char *fmt, ...)
{
	struct err err = ERR_INIT;
	va_list ap;

	if (r->state >= RUN_ENDING) {
		return;
	}
	va_start(ap, fmt);
	vsnprintf(err.text, sizeof(err.text), fmt, ap);
	va_end(ap);
	if (strcmp(what, "exec") != 0) {
		around_explain(&err, -code);
	}
	if (!r->decided) {
		denials_launch(&r->out->denials, what, code, err.text);
	}
	run_end(r, VERDICT_LAUNCH_FAILED, "%s: %s", what, err.text);
}

void
run_note_limit(struct run *r, enum profile_key_id key, const char *text)
{
	denials_limit(&r->out->denials, r->req->profile, r->req->limits, key, text);
}

/* "limits.wall" and a text: "wall: …". */
#define LIMIT_NAME(key) (profile_key_name(key) + sizeof("limits.") - 1)

void
run_limit(struct run *r, enum verdict verdict, enum profile_key_id key, const char *text)
{
	if (r->state < RUN_ENDING) {
		if (!r->decided) {
			run_note_limit(r, key, text);
		}
		run_end(r, verdict, "%s: %s", LIMIT_NAME(key), text);
	}
}

void
run_judge_limit(struct run *r, enum profile_key_id key, const char *text)
{
	if (!r->decided) {
		run_note_limit(r, key, text);
		r->decided = true;
		r->out->verdict = VERDICT_LIMIT;
		snprintf(r->out->reason, sizeof(r->out->reason), "%s: %s", LIMIT_NAME(key), text);
	}
}

static bool
on_terminal_signal(const struct run *r, int sig)
{
	struct relay *relay = r->req->relay;

	if (r->req->terminal == NULL) {
		return false;
	}
	if (sig == SIGTSTP) {
		relay_suspend_screen(relay);
	}
	return terminal_signal(r->req->terminal, sig, relay->tool_fd[RELAY_STDOUT]);
}

/* One that is about the call; false for any other. */
static bool
on_control(struct run *r, const struct signalfd_siginfo *info)
{
	const struct supervise_control *c = &r->req->control;
	int sig = (int)info->ssi_signo, value = info->ssi_code == SI_QUEUE ? info->ssi_int : 0;

	if (sig == c->kill) {
		run_end(r, VERDICT_INTERRUPTED, "ended by %s", c->words(value));
	} else if (sig == c->freeze && (value & c->limits_flag) != 0) {
		run_ask_limits(r);
	} else if (sig == c->freeze && (value & c->thaw_flag) != 0) {
		thaw(r);
	} else if (sig == c->freeze) {
		freeze(r);
	} else {
		return false;
	}
	return true;
}

/*
 * TERM, INT, HUP, QUIT: the tool gets it, then a grace, then the kill. A second one kills at once.
 */
static void
on_signal(struct run *r)
{
	struct signalfd_siginfo info;
	uint8_t message[2] = { JAIL_SIGNAL, 0 };
	bool ends;

	if (read(r->req->signal_fd, &info, sizeof(info)) != (ssize_t)sizeof(info)) {
		return;
	}
	if (on_control(r, &info)) {
		return;
	}
	ends = info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT || info.ssi_signo == SIGHUP ||
	       info.ssi_signo == SIGQUIT;
	if (ends && (r->state != RUN_RUNNING || r->decided)) {
		run_end(r, VERDICT_INTERRUPTED, "ended by signal %u", info.ssi_signo);
		return;
	}
	if (on_terminal_signal(r, (int)info.ssi_signo)) {
		return;
	}
	if (ends) {
		thaw(r); /* to end it the tool has to run */
	}
	if (r->state != RUN_RUNNING) {
		return; /* there is no tool that could be told */
	}
	message[1] = (uint8_t)info.ssi_signo;
	ignore_err(sys_send_message(r->req->jail->status_fd, message, 2, NULL, 0),
		   "ending already");
	if (ends) {
		r->decided = true;
		r->out->verdict = VERDICT_INTERRUPTED;
		snprintf(r->out->reason, sizeof(r->out->reason), "ended by signal %u",
			 info.ssi_signo);
		set_deadline(r, GRACE_MS);
	}
}

static void
on_deadline(struct run *r)
{
	switch (r->state) {
	case RUN_STARTING:
	case RUN_WAITING_EXEC:
		run_refuse(r, "jail", 0, "it did not get ready in %u s", LAUNCH_MS / 1000);
		break;
	case RUN_RUNNING:
		/* a wall that was lowered to the deadline ends with it */
		if (!run_end_late(r)) {
			run_limit(r, VERDICT_TIMEOUT, KEY_LIM_WALL, r->wall_text);
		}
		break;
	case RUN_ENDING:
		r->out->undead = true;
		r->out->verdict = VERDICT_INTERRUPTED;
		snprintf(r->out->reason, sizeof(r->out->reason),
			 "undead: a process of the call did not die in %u s", UNDEAD_MS / 1000);
		r->state = RUN_DEAD;
		break;
	case RUN_DEAD:
	case RUN__COUNT:
		break;
	}
}

/* The tool's socket is at its end: exec closed it, or the process died before. */
static void
on_tool_closed(struct run *r)
{
	cleanup_fd(&r->req->jail->tool_fd);
	r->req->jail->tool_fd = -1;
	if (r->state == RUN_WAITING_EXEC) {
		r->state = RUN_RUNNING;
		trace_step("exec");
		r->out->launched = true;
		r->go_ns = clock_monotonic_ns();
		r->deadline_ns = r->go_ns + r->req->limits->wall_ms * MS;
		if (r->frozen_at_ns != 0) { /* since before it could be stopped */
			r->frozen_at_ns = r->go_ns;
			stop_processes(r, true);
		}
	}
}

enum slot {
	SLOT_STATUS,
	SLOT_TOOL,
	SLOT_PIDFD,
	SLOT_LISTENER,
	SLOT_SIGNAL,
	SLOT_OOM,
	SLOT_LEASE,
	SLOT__COUNT
};

static void
handle(struct run *r, const struct pollfd *slots)
{
	if (slots[SLOT_TOOL].revents != 0 && run_read_tool(r) < 0) {
		on_tool_closed(r);
	}
	if (slots[SLOT_STATUS].revents != 0 && run_read_status(r) < 0) {
		cleanup_fd(&r->req->jail->status_fd);
		r->req->jail->status_fd = -1;
	}
	if ((slots[SLOT_LISTENER].revents & POLLIN) != 0) {
		run_answer_notification(r);
	} else if (slots[SLOT_LISTENER].revents != 0) {
		cleanup_fd(&r->listener_fd);
		r->listener_fd = -1;
	}
	if (slots[SLOT_SIGNAL].revents != 0) {
		on_signal(r);
	}
	if ((slots[SLOT_OOM].revents & r->oom_events) != 0) {
		if (cgroup_oom_fired(r->req->cgroup, r->oom_fd)) {
			run_end(r, VERDICT_OOM, "memory: the call reached limits.memory");
		}
	}
	if (slots[SLOT_LEASE].revents != 0) {
		run_end(r, VERDICT_INTERRUPTED, "airlock-credd has ended, and the leases with it");
	}
	/*
	 * PID 1 is dead, and with it its whole namespace. What both had said, that a failure has a
	 * name or that exec worked, may have come after poll looked at their sockets.
	 */
	if (slots[SLOT_PIDFD].revents != 0) {
		while (r->req->jail->tool_fd >= 0) {
			if (run_read_tool(r) < 0) {
				on_tool_closed(r);
			}
		}
		while (r->req->jail->status_fd >= 0 && run_read_status(r) == 0) {
		}
		end_freeze(r);
		r->state = RUN_DEAD;
	}
}

/* The tool wrote what it must not; it may be dead by now. */
static void
end_leak(struct run *r)
{
	if (!r->decided) {
		r->decided = true;
		r->out->verdict = VERDICT_LEAK;
		relay_leak_text(r->req->relay, r->out->reason, sizeof(r->out->reason));
	}
	run_end(r, VERDICT_LEAK, "%s", r->out->reason);
}

static const char output_full[] = "the call wrote more than limits.output";

/*
 * The caller's keys are the tool's once it runs, and as long as the terminal is ours. A job that is
 * brought to the foreground while it runs gets no signal that says so: looked at in every round.
 */
static void
take_keys(const struct run *r)
{
	struct terminal *t = r->req->terminal;

	if (t != NULL && r->state == RUN_RUNNING) {
		r->req->relay->stdin_paused = !terminal_enter(t);
		if (t->raw) {
			relay_resume_screen(r->req->relay);
		}
	}
}

static int
poll_once(struct run *r, struct err *err)
{
	struct pollfd pfds[SLOT__COUNT + RELAY_POLL_MAX];
	unsigned int relayed;
	uint64_t now = clock_monotonic_ns();
	uint64_t until = r->frozen_at_ns != 0 ? UINT64_MAX : r->deadline_ns;
	int timeout, rc;

	take_keys(r);
	relayed = relay_poll_set(r->req->relay, pfds + SLOT__COUNT);
	pfds[SLOT_STATUS] = (struct pollfd){ .fd = r->req->jail->status_fd, .events = POLLIN };
	pfds[SLOT_TOOL] = (struct pollfd){ .fd = r->req->jail->tool_fd, .events = POLLIN };
	pfds[SLOT_PIDFD] = (struct pollfd){ .fd = r->req->jail->pidfd, .events = POLLIN };
	pfds[SLOT_LISTENER] = (struct pollfd){ .fd = r->listener_fd, .events = POLLIN };
	pfds[SLOT_SIGNAL] = (struct pollfd){ .fd = r->req->signal_fd, .events = POLLIN };
	pfds[SLOT_LEASE] = (struct pollfd){ .fd = r->req->lease_fd, .events = POLLIN };
	pfds[SLOT_OOM] = (struct pollfd){ .fd = r->oom_fd, .events = r->oom_events };
	if (r->state == RUN_RUNNING && r->next_watch_ns < until) {
		until = r->next_watch_ns;
	}
	timeout = until <= now ? 0
			       : (int)((until - now) / MS > 60000 ? 60000 : (until - now) / MS + 1);
	if (poll(pfds, SLOT__COUNT + relayed, timeout) < 0) {
		return errno == EINTR ? 0 : err_sys(err, -errno, "poll");
	}
	handle(r, pfds);
	rc = relay_poll_done(r->req->relay, pfds + SLOT__COUNT, relayed, err);
	if (rc < 0) {
		run_end(r, VERDICT_INTERRUPTED, "the output could not be captured: %s", err->text);
	}
	if (r->req->relay->leaked) {
		end_leak(r);
	}
	if (r->req->relay->over_limit) {
		run_limit(r, VERDICT_LIMIT, KEY_LIM_OUTPUT, output_full);
	}
	run_watch(r);
	if (r->frozen_at_ns == 0 && clock_monotonic_ns() >= r->deadline_ns &&
	    r->state != RUN_DEAD) {
		on_deadline(r);
	}
	return 0;
}

/* What the tool's own end says, where nothing of ours decided before. */
static void
judge(struct run *r)
{
	struct outcome *o = r->out;

	if (r->ended && WIFEXITED(r->wait_status)) {
		o->exit_code = WEXITSTATUS(r->wait_status);
	} else if (r->ended && WIFSIGNALED(r->wait_status)) {
		o->signal = WTERMSIG(r->wait_status);
	}
	if (r->decided) {
		return;
	}
	if (r->req->relay->leaked) {
		end_leak(r);
	} else if (r->req->relay->over_limit) {
		run_judge_limit(r, KEY_LIM_OUTPUT, output_full);
	} else if (!o->launched) {
		o->verdict = VERDICT_LAUNCH_FAILED;
		snprintf(o->reason, sizeof(o->reason), "the jail died before the tool was started");
		denials_launch(&o->denials, "jail", 0, "it died before the tool was started");
	} else if (!r->ended) {
		o->verdict = VERDICT_INTERRUPTED;
		snprintf(o->reason, sizeof(o->reason), "the sandbox was killed from outside");
	} else if (o->signal == SIGXCPU ||
		   (o->signal == SIGKILL && o->usage.cpu_ms >= r->req->limits->cpu_time_ms)) {
		run_judge_limit(r, KEY_LIM_CPU_TIME, "the call used limits.cpu_time");
	} else if (o->signal == SIGXFSZ && r->req->disk_watch_fd >= 0) {
		run_judge_limit(r, KEY_LIM_DISK, "one file reached limits.disk");
	} else if (o->signal != 0) {
		o->verdict = VERDICT_SIGNALED;
		snprintf(o->reason, sizeof(o->reason), "ended by signal %d", o->signal);
	} else if ((r->req->profile->success[o->exit_code / 8] >> (o->exit_code % 8) & 1) != 0) {
		o->verdict = VERDICT_OK;
	} else {
		o->verdict = VERDICT_FAILED;
		snprintf(o->reason, sizeof(o->reason), "exit %d is not in the profile's success",
			 o->exit_code);
	}
}

/* What nobody can wait for is killed. Who was not told to go has not run, and that is known. */
static int
give_up(struct run *r, int rc, struct err *err)
{
	if (r->state != RUN_STARTING) {
		kill_all(r);
		return rc;
	}
	run_refuse(r, "supervisor", -rc, "%s", err->text);
	*err = (struct err)ERR_INIT;
	return 0;
}

int
supervise_run(const struct supervise_request *req, struct outcome *ret, struct err *err)
{
	struct run r = { .req = req,
			 .out = ret,
			 .end_ms = req->end_ms,
			 .wall_text = "the call ran for limits.wall",
			 .state = RUN_STARTING,
			 .listener_fd = -1,
			 .proc_fd = -1,
			 .oom_fd = -1 };
	int rc = 0;

	set_deadline(&r, LAUNCH_MS);
	r.oom_fd = cgroup_oom_fd(req->cgroup, &r.oom_events);
	while (rc == 0 && r.state != RUN_DEAD) {
		rc = poll_once(&r, err);
	}
	if (rc < 0) {
		rc = give_up(&r, rc, err);
	} else if (!ret->undead) {
		rc = relay_drain(req->relay, DRAIN_MS, err);
		run_collect_usage(&r);
		judge(&r);
		if (rc < 0) {
			r.out->verdict = VERDICT_INTERRUPTED;
			snprintf(ret->reason, sizeof(ret->reason),
				 "the output could not be captured: %.400s", err->text);
			rc = 0;
		}
	}
	if (req->terminal != NULL) {
		terminal_leave(req->terminal);
	}
	cleanup_fd(&r.listener_fd);
	cleanup_fd(&r.proc_fd);
	cleanup_fd(&r.oom_fd);
	return rc;
}
