/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in PID 2: landlock, ids, rlimits, seccomp, attest, exec. Each gives something up for good;
 * the order is stages.def's. After stage_seccomp only what the filter group @jail allows may be
 * called.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../sys/sys.h"
#include "jail.h"

int
stage_landlock(struct jail *j)
{
	const struct plan *p = j->plan;
	auto_fd ruleset = -1;
	int rc;

	if (p->landlock_abi == 0) {
		return 0; /* the plan says: degraded, and the record will */
	}
	rc = sys_landlock_abi();
	if (rc < (int)p->landlock_abi) {
		return err_set(&j->err, -EOPNOTSUPP,
			       "Landlock ABI %u was planned, the kernel says %d", p->landlock_abi,
			       rc);
	}
	ruleset = sys_landlock_create(p->landlock_fs, p->landlock_net, p->landlock_scoped,
				      (int)p->landlock_abi);
	if (ruleset < 0) {
		return err_sys(&j->err, ruleset, "make the ruleset");
	}
	for (size_t i = 0; i < p->rule_count; i++) {
		auto_fd path = sys_openat2(AT_FDCWD, p->rules[i].path, O_PATH, 0,
					   SYS_RESOLVE_NO_MAGICLINKS | SYS_RESOLVE_NO_SYMLINKS);

		rc = path < 0 ? path : sys_landlock_add_path(ruleset, path, p->rules[i].access);
		if (rc < 0) {
			return err_sys(&j->err, rc, "rule for %s", p->rules[i].path);
		}
	}
	/* restrict_self wants no_new_privs or CAP_SYS_ADMIN; the first is what stays. */
	rc = sys_no_new_privs();
	if (rc == 0) {
		rc = sys_landlock_restrict(ruleset);
	}
	if (rc < 0) {
		return err_sys(&j->err, rc, "restrict");
	}
	j->report.landlock_abi = p->landlock_abi;
	return 0;
}

int
stage_ids(struct jail *j)
{
	int rc;

	/*
	 * The tool leads a session (with a terminal it does already) and with that a process group,
	 * so that a signal for it reaches what it started. In PID 1's session it could join PID 1's
	 * group and set the weight of its autogroup (sched(7)): who is to end the call has to get
	 * its turn.
	 */
	if ((j->plan->flags & PLAN_TERMINAL) == 0 && setsid() < 0) {
		return err_sys(&j->err, -errno, "setsid");
	}
	rc = sys_caps_clear();
	if (rc < 0) {
		return err_sys(&j->err, rc, "empty the capability sets");
	}
	rc = sys_no_new_privs();
	return rc < 0 ? err_sys(&j->err, rc, "no_new_privs") : 0;
}

static bool
is_wanted(const struct plan_rlimit *l, bool nofile)
{
	return (l->resource == RLIMIT_NOFILE) == nofile;
}

/* RLIMIT_NOFILE of the plan, or all others: that one waits until the listener is sent. */
static int
set_rlimits(struct jail *j, bool nofile)
{
	for (size_t i = 0; i < j->plan->rlimit_count; i++) {
		const struct plan_rlimit *l = &j->plan->rlimits[i];
		const struct rlimit want = { .rlim_cur = l->soft, .rlim_max = l->hard };

		if (is_wanted(l, nofile) && setrlimit((int)l->resource, &want) < 0) {
			return err_sys(&j->err, -errno, "rlimit %u", l->resource);
		}
	}
	return 0;
}

static int
read_back_rlimits(struct jail *j, bool nofile)
{
	struct report *r = &j->report;

	for (size_t i = 0; i < j->plan->rlimit_count; i++) {
		const struct plan_rlimit *l = &j->plan->rlimits[i];
		struct rlimit now;

		if (!is_wanted(l, nofile)) {
			continue;
		}
		if (getrlimit((int)l->resource, &now) < 0) {
			return err_sys(&j->err, -errno, "read back rlimit");
		}
		r->soft[i] = now.rlim_cur;
		r->hard[i] = now.rlim_max;
	}
	return 0;
}

int
stage_rlimits(struct jail *j)
{
	return set_rlimits(j, false);
}

static int
read_back(struct jail *j)
{
	struct report *r = &j->report;
	struct sys_caps caps;
	uid_t uid[3];
	gid_t gid[3], groups[REPORT_GROUPS_MAX];
	int rc = sys_caps_get(&caps);
	int n;

	if (rc < 0 || getresuid(&uid[0], &uid[1], &uid[2]) < 0 ||
	    getresgid(&gid[0], &gid[1], &gid[2]) < 0) {
		return err_sys(&j->err, rc < 0 ? rc : -errno, "read back ids and capabilities");
	}
	n = getgroups(REPORT_GROUPS_MAX, groups);
	if (n < 0 || j->plan->rlimit_count > REPORT_RLIMITS_MAX) {
		return err_sys(&j->err, n < 0 ? -errno : -E2BIG, "read back groups and limits");
	}
	memcpy(r->caps,
	       (uint64_t[]){ caps.effective, caps.permitted, caps.inheritable, caps.ambient,
			     caps.bounding },
	       sizeof(r->caps));
	r->no_new_privs = (uint32_t)prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	r->securebits = (uint32_t)prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);
	r->group_count = (uint32_t)n;
	for (int i = 0; i < 3; i++) {
		r->uid[i] = uid[i];
		r->gid[i] = gid[i];
	}
	for (int i = 0; i < n; i++) {
		r->groups[i] = groups[i];
	}
	r->rlimit_count = (uint32_t)j->plan->rlimit_count;
	return read_back_rlimits(j, false);
}

int
stage_seccomp(struct jail *j)
{
	const struct plan *p = j->plan;
	int notify = (p->flags & PLAN_NOTIFY) != 0;
	int rc = read_back(j);

	if (rc < 0) {
		return rc;
	}
	rc = sys_seccomp_load(p->filter, p->filter_len, notify);
	if (rc == -EBUSY) {
		return err_set(&j->err, rc,
			       "a supervisor outside holds the one seccomp listener that a "
			       "task may have; list notify in allow_degraded");
	}
	if (rc < 0) {
		return err_sys(&j->err, rc, "load the filter");
	}
	j->listener = notify ? rc : -1;
	return 0;
}

static void
put_report(struct buf *b, const struct report *r)
{
	for (int i = 0; i < 5; i++) {
		buf_u64(b, r->caps[i]);
	}
	buf_u32(b, r->no_new_privs);
	buf_u32(b, r->securebits);
	buf_u32(b, r->landlock_abi);
	for (int i = 0; i < 3; i++) {
		buf_u32(b, r->uid[i]);
		buf_u32(b, r->gid[i]);
	}
	buf_u32(b, r->group_count);
	for (uint32_t i = 0; i < r->group_count; i++) {
		buf_u32(b, r->groups[i]);
	}
	buf_u32(b, r->rlimit_count);
	for (uint32_t i = 0; i < r->rlimit_count; i++) {
		buf_u64(b, r->soft[i]);
		buf_u64(b, r->hard[i]);
	}
}

/*
 * The kernel counts, for the user, what is on its way in sockets, and lets it reach the sender's
 * RLIMIT_NOFILE. Another call of the user may have as much on its way as its own limit allows: with
 * the tool's limit nothing could be sent any more, so it is set when the last was.
 */
static int
send_listener(struct jail *j)
{
	const uint8_t message = JAIL_LISTENER;
	int rc = j->listener >= 0 ? sys_send_message(j->channel, &message, 1, &j->listener, 1) : 0;

	if (rc < 0) {
		return err_sys(&j->err, rc, "send the listener");
	}
	rc = set_rlimits(j, true);
	return rc < 0 ? rc : read_back_rlimits(j, true);
}

int
stage_attest(struct jail *j)
{
	struct buf *message = &j->message;
	uint8_t answer[8];
	int fds[SYS_FDS_MAX];
	pid_t pid;
	int rc = send_listener(j);

	if (rc < 0) {
		return rc;
	}
	buf_reset(message);
	buf_u8(message, JAIL_READY);
	put_report(message, &j->report);
	rc = sys_send_message(j->channel, message->data, message->len, NULL, 0);
	if (rc < 0) {
		return err_sys(&j->err, rc, "send the attestation");
	}
	rc = (int)sys_recv_message(j->channel, answer, sizeof(answer), fds, &pid);
	if (rc < 0) {
		return err_sys(&j->err, rc, "hear that it may go");
	}
	if (rc != 1 || answer[0] != JAIL_GO) {
		_exit(125); /* the supervisor has said why to whom it concerns */
	}
	return 0;
}

int
stage_exec(struct jail *j)
{
	const struct plan *p = j->plan;
	/*
	 * Every descriptor above 2 is close-on-exec since it was made, the inherited ones since
	 * stage_hygiene.
	 */
	int rc = sys_execve(p->exe, p->argv, j->envp);

	return err_sys(&j->err, rc, "%s", p->exe);
}
