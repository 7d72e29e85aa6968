/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs as the developer or CI. A thread plays the user's bus and its systemd: the bytes that a
 * manager would see, and each way it may answer. The real one is met in the guest of tests/vm.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include "../../../launcher/base/cleanup.h"
#include "../../../launcher/supervise/cgroup.h"

struct manager {
	char dir[64], path[128];
	int listen_fd;
	const char *result; /* of the job; NULL: StartTransientUnit is refused */
	/* what it was asked for */
	char unit[128], mode[32], collect[32];
	int delegate;
	uint32_t pid;
	unsigned int calls;
	bool closed;
};

static int
read_property(sd_bus_message *m, struct manager *manager)
{
	const char *name, *type, *text;
	int r = sd_bus_message_enter_container(m, 'r', "sv");

	if (r <= 0) {
		return r;
	}
	sd_bus_message_read(m, "s", &name);
	sd_bus_message_peek_type(m, NULL, &type);
	sd_bus_message_enter_container(m, 'v', type);
	if (strcmp(name, "Delegate") == 0) {
		sd_bus_message_read(m, "b", &manager->delegate);
	} else if (strcmp(name, "CollectMode") == 0 && sd_bus_message_read(m, "s", &text) > 0) {
		snprintf(manager->collect, sizeof(manager->collect), "%s", text);
	} else if (strcmp(name, "PIDs") == 0) {
		sd_bus_message_enter_container(m, 'a', "u");
		sd_bus_message_read(m, "u", &manager->pid);
		sd_bus_message_exit_container(m);
	} else {
		sd_bus_message_skip(m, type);
	}
	sd_bus_message_exit_container(m);
	sd_bus_message_exit_container(m);
	return 1;
}

static void
start_transient_unit(sd_bus *bus, sd_bus_message *m, struct manager *manager)
{
	const char *unit, *mode;

	sd_bus_message_read(m, "ss", &unit, &mode);
	snprintf(manager->unit, sizeof(manager->unit), "%s", unit);
	snprintf(manager->mode, sizeof(manager->mode), "%s", mode);
	sd_bus_message_enter_container(m, 'a', "(sv)");
	while (read_property(m, manager) > 0) {
	}
	manager->calls++;
	if (manager->result == NULL) {
		sd_bus_reply_method_errorf(m, SD_BUS_ERROR_ACCESS_DENIED, "no scopes today");
		return;
	}
	/* Another job's end first: it must not count. */
	sd_bus_emit_signal(bus, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
			   "JobRemoved", "uoss", 6, "/job/6", "other.service", "failed");
	sd_bus_reply_method_return(m, "o", "/job/7");
	sd_bus_emit_signal(bus, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager",
			   "JobRemoved", "uoss", 7, "/job/7", unit, manager->result);
}

static int
on_message(sd_bus_message *m, void *arg, sd_bus_error *ret_error)
{
	struct manager *manager = arg;

	ignore_err(ret_error, "answers are made by hand");
	if (sd_bus_message_is_method_call(m, "org.freedesktop.DBus", "Hello") > 0) {
		sd_bus_reply_method_return(m, "s", ":1.1");
		return 1;
	}
	if (sd_bus_message_is_method_call(m, "org.freedesktop.systemd1.Manager",
					  "StartTransientUnit") > 0) {
		start_transient_unit(sd_bus_message_get_bus(m), m, manager);
		return 1;
	}
	if (sd_bus_message_is_method_call(m, NULL, NULL) > 0) {
		sd_bus_reply_method_return(m, NULL);
		return 1;
	}
	if (sd_bus_message_is_signal(m, "org.freedesktop.DBus.Local", "Disconnected") > 0) {
		manager->closed = true;
	}
	return 0;
}

static void *
serve(void *arg)
{
	struct manager *manager = arg;
	int fd = accept4(manager->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	sd_id128_t id = { .bytes = { 1 } };
	sd_bus *bus = NULL;

	sd_bus_new(&bus);
	sd_bus_set_fd(bus, fd, fd);
	sd_bus_set_server(bus, 1, id);
	sd_bus_set_anonymous(bus, 1);
	sd_bus_set_trusted(bus, 1);
	sd_bus_add_filter(bus, NULL, on_message, manager);
	sd_bus_start(bus);
	while (!manager->closed) {
		int r = sd_bus_process(bus, NULL);

		if (r < 0) {
			break;
		}
		if (r == 0 && sd_bus_wait(bus, 5000000) <= 0) {
			break;
		}
	}
	sd_bus_close_unref(bus);
	return NULL;
}

/* cgroup_scope_start against a manager that answers like this. */
static int
start_against(struct manager *manager, pid_t pid, struct err *err)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char address[160];
	pthread_t thread;
	int r;

	snprintf(manager->dir, sizeof(manager->dir), "/tmp/airlock-test-XXXXXX");
	cr_assert_not_null(mkdtemp(manager->dir));
	snprintf(manager->path, sizeof(manager->path), "%s/bus", manager->dir);
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%.100s", manager->path);
	manager->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(manager->listen_fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	cr_assert_eq(listen(manager->listen_fd, 1), 0);
	snprintf(address, sizeof(address), "unix:path=%s", manager->path);
	cr_assert_eq(setenv("DBUS_SESSION_BUS_ADDRESS", address, 1), 0);
	cr_assert_eq(pthread_create(&thread, NULL, serve, manager), 0);
	r = cgroup_scope_start(pid, false, err);
	cr_assert_eq(pthread_join(thread, NULL), 0);
	close(manager->listen_fd);
	cr_expect_eq(unlink(manager->path), 0);
	cr_expect_eq(rmdir(manager->dir), 0);
	return r;
}

Test(cgroup_scope, asks_for_a_delegated_scope, .timeout = 30)
{
	struct manager manager = { .result = "done" };
	struct err err = ERR_INIT;
	char want[64];

	cr_expect_eq(start_against(&manager, 4711, &err), 0, "%s", err.text);
	cr_expect_eq(manager.calls, 1);
	cr_expect_eq(manager.pid, 4711);
	cr_expect_eq(manager.delegate, 1);
	cr_expect_str_eq(manager.mode, "fail");
	cr_expect_str_eq(manager.collect, "inactive-or-failed");
	snprintf(want, sizeof(want), "airlock-4711-");
	cr_expect_eq(strncmp(manager.unit, want, strlen(want)), 0, "%s", manager.unit);
	cr_assert_geq(strlen(manager.unit), 6);
	cr_expect_str_eq(manager.unit + strlen(manager.unit) - 6, ".scope");
}

Test(cgroup_scope, a_failed_job_is_a_refusal, .timeout = 30)
{
	struct manager manager = { .result = "failed" };
	struct err err = ERR_INIT;

	cr_expect_eq(start_against(&manager, 4711, &err), -EOPNOTSUPP);
	cr_expect_str_eq(err.text, "cgroup: systemd's scope ended as 'failed'");
}

Test(cgroup_scope, a_refusal_is_told, .timeout = 30)
{
	struct manager manager = { .result = NULL };
	struct err err = ERR_INIT;

	cr_expect_eq(start_against(&manager, 4711, &err), -EOPNOTSUPP);
	cr_expect_str_eq(err.text, "cgroup: systemd gives no delegated scope: no scopes today");
}

Test(cgroup_scope, nobody_there)
{
	struct err err = ERR_INIT;
	char want[128];

	snprintf(want, sizeof(want), "/run/user/%u/systemd/private", geteuid());
	if (access(want, F_OK) == 0) {
		cr_skip_test("this user has a manager: %s", want);
	}
	cr_assert_eq(setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1), 0);
	cr_expect_eq(cgroup_scope_start(4711, false, &err), -EOPNOTSUPP);
	snprintf(want, sizeof(want), "cgroup: there is no systemd user manager for uid %u (",
		 geteuid());
	cr_expect_eq(strncmp(err.text, want, strlen(want)), 0, "%s", err.text);
}

Test(cgroup_scope, not_a_process)
{
	struct err err = ERR_INIT;

	cr_expect_eq(cgroup_scope_start(0, false, &err), -EINVAL);
	cr_expect_str_eq(err.text, "cgroup: 0 is not a process");
}
