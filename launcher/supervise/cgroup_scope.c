/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks systemd for a delegated scope around the front. Runs in airlock-cli (sd-bus), as the caller,
 * while the front waits. Trusts the manager behind the caller's own bus; for root that is the
 * system's. What comes back is checked again by the front, which looks at its own group in /proc.
 */
#include "cgroup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "../base/clock.h"

#define SCOPE_TIMEOUT_MS 10000

#define MANAGER "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_IFACE "org.freedesktop.systemd1.Manager"

/* The job that we wait for: JobRemoved tells when, and how it went. */
struct job {
	char *path; /* owned; NULL until the manager's answer */
	char result[32];
	bool done;
};

static int
on_job_removed(sd_bus_message *m, void *arg, sd_bus_error *ret_error)
{
	struct job *job = arg;
	const char *path, *unit, *result;
	uint32_t id;
	int r = sd_bus_message_read(m, "uoss", &id, &path, &unit, &result);

	ignore_err(ret_error, "a signal is not answered");
	if (r >= 0 && job->path != NULL && strcmp(path, job->path) == 0) {
		snprintf(job->result, sizeof(job->result), "%s", result);
		job->done = true;
	}
	return 0;
}

/* A bus, or a manager's own socket, by address. is_bus: somebody answers Hello there. */
static int
connect_to(const char *address, bool is_bus, sd_bus **ret)
{
	sd_bus *bus = NULL;
	int r = sd_bus_new(&bus);

	if (r >= 0) {
		r = sd_bus_set_address(bus, address);
	}
	if (r >= 0) {
		r = sd_bus_set_bus_client(bus, is_bus);
	}
	if (r >= 0) {
		r = sd_bus_start(bus);
	}
	if (r < 0) {
		sd_bus_unref(bus);
		return r;
	}
	*ret = bus;
	return 0;
}

/*
 * A plain user's agent may run without the variables of a login (su, cron, a gateway): the place of
 * the user's bus is fixed, so look there too.
 */
static int
connect_user(sd_bus **ret)
{
	char address[128];
	int r = sd_bus_open_user(ret);

	if (r >= 0) {
		return 0;
	}
	snprintf(address, sizeof(address), "unix:path=/run/user/%u/bus", (unsigned int)geteuid());
	if (connect_to(address, true, ret) == 0) {
		return 0;
	}
	snprintf(address, sizeof(address), "unix:path=/run/user/%u/systemd/private",
		 (unsigned int)geteuid());
	return connect_to(address, false, ret);
}

static int
connect_system(sd_bus **ret)
{
	int r = sd_bus_open_system(ret);

	return r >= 0 ? 0 : connect_to("unix:path=/run/systemd/private", false, ret);
}

static int
start_scope(sd_bus *bus, pid_t pid, struct job *job, sd_bus_error *ret_error)
{
	sd_bus_message *reply = NULL;
	const char *path;
	char name[64];
	int r;

	/* The time keeps it apart from a scope of an earlier process with this pid. */
	snprintf(name, sizeof(name), "airlock-%d-%" PRIx64 ".scope", pid, clock_monotonic_ns());
	r = sd_bus_call_method(bus, MANAGER, MANAGER_PATH, MANAGER_IFACE, "StartTransientUnit",
			       ret_error, &reply, "ssa(sv)a(sa(sv))", name, "fail", 4,
			       "Description", "s", "airlock call", "Delegate", "b", 1,
			       "CollectMode", "s", "inactive-or-failed", "PIDs", "au", 1,
			       (uint32_t)pid, 0);
	if (r >= 0) {
		r = sd_bus_message_read(reply, "o", &path);
	}
	if (r >= 0) {
		job->path = strdup(path);
		r = job->path == NULL ? -ENOMEM : 0;
	}
	sd_bus_message_unref(reply);
	return r;
}

static int
wait_for_job(sd_bus *bus, const struct job *job)
{
	uint64_t end_ns = clock_monotonic_ns() + (uint64_t)SCOPE_TIMEOUT_MS * 1000000u;

	while (!job->done) {
		uint64_t now_ns = clock_monotonic_ns();
		int r = sd_bus_process(bus, NULL);

		if (r < 0) {
			return r;
		}
		if (r > 0) {
			continue;
		}
		if (now_ns >= end_ns) {
			return -ETIMEDOUT;
		}
		r = sd_bus_wait(bus, (end_ns - now_ns) / 1000u);
		if (r < 0 && r != -EINTR) {
			return r;
		}
	}
	return 0;
}

/* Everything on an open connection. */
static int
run_job(sd_bus *bus, pid_t pid, struct job *job, struct err *err)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_slot *slot = NULL;
	int r;

	ignore_err(sd_bus_set_method_call_timeout(bus, (uint64_t)SCOPE_TIMEOUT_MS * 1000u),
		   "the default is longer, no more");
	/* Before the call: the scope may stand before its answer is read. No sender: a manager's
	 * own socket has no names. */
	r = sd_bus_match_signal(bus, &slot, NULL, MANAGER_PATH, MANAGER_IFACE, "JobRemoved",
				on_job_removed, job);
	if (r >= 0) {
		r = start_scope(bus, pid, job, &error);
	}
	if (r < 0) {
		r = err_set(err, -EOPNOTSUPP, "cgroup: systemd gives no delegated scope: %s",
			    sd_bus_error_is_set(&error) && error.message != NULL ? error.message
										 : strerror(-r));
	} else {
		r = wait_for_job(bus, job);
		if (r < 0) {
			err_sys(err, r, "cgroup: waiting for systemd's scope");
		} else if (strcmp(job->result, "done") != 0) {
			r = err_set(err, -EOPNOTSUPP, "cgroup: systemd's scope ended as '%s'",
				    job->result);
		}
	}
	sd_bus_slot_unref(slot);
	sd_bus_error_free(&error);
	return r;
}

int
cgroup_scope_start(pid_t pid, bool system, struct err *err)
{
	struct job job = { .path = NULL };
	sd_bus *bus = NULL;
	int r;

	if (pid <= 0) {
		return err_set(err, -EINVAL, "cgroup: %d is not a process", pid);
	}
	r = system ? connect_system(&bus) : connect_user(&bus);
	if (r < 0 && system) {
		return err_set(err, -EOPNOTSUPP,
			       "cgroup: systemd's system manager cannot be reached (%s)",
			       strerror(-r));
	}
	if (r < 0) {
		return err_set(err, -EOPNOTSUPP,
			       "cgroup: there is no systemd user manager for uid %u (%s): log in "
			       "through systemd, or 'loginctl enable-linger' for this user",
			       (unsigned int)geteuid(), strerror(-r));
	}
	r = run_job(bus, pid, &job, err);
	free(job.path);
	sd_bus_flush_close_unref(bus);
	return r;
}
