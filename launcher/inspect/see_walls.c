/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by airlock-inspect as the tool: what the filter and Landlock let. Each try is one whose
 * success changes nothing: wrong arguments, a child that ends at once, a signal that is none.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../probe/try.h"
#include "../sys/sys.h"
#include "inspect.h"

#define CONNECT_MS 500
#define LAYERS_MAX 16 /* that a process can have: landlock(7) */

/* ---- system calls ---------------------------------------------------------------------------- */

struct call {
	const char *name;
	long number, args[6];
};

static void
act_call(const void *what, int fd)
{
	const struct call *c = what;
	long rc = syscall(c->number, c->args[0], c->args[1], c->args[2], c->args[3], c->args[4],
			  c->args[5]);

	try_say(fd, rc == -1 ? errno : 0);
}

void
see_calls(struct look *l)
{
	static const struct call calls[] = {
#define CALL(name, ...) { #name, SYS_##name, { __VA_ARGS__ } },
#include "calls.def"
#undef CALL
	};

	report_list(l->report, "calls");
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		report_row(l->report);
		report_title(l->report, "name", calls[i].name);
		report_text(l->report, "result",
			    inspect_result(try_in_child(act_call, &calls[i], TRY_NO_ANSWER)));
		report_end(l->report);
	}
	report_end(l->report);
}

/* ---- Landlock -------------------------------------------------------------------------------- */

/*
 * No file says how many rulesets a process has. A child adds empty ones until the kernel takes no
 * more: what was missing to the most is what it had.
 */
static void
act_layers(const void *what, int fd)
{
	int ruleset = sys_landlock_create(LANDLOCK_ACCESS_FS_MAKE_SOCK, 0, 0, *(const int *)what);
	int rc = ruleset < 0 ? ruleset : sys_no_new_privs();
	int added = 0;

	while (rc == 0 && added <= LAYERS_MAX) {
		rc = sys_landlock_restrict(ruleset);
		added += rc == 0;
	}
	try_say(fd, rc == -E2BIG ? LAYERS_MAX - added : TRY_NO_ANSWER);
}

static int
wait_connected(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLOUT };
	int error = ETIMEDOUT;
	socklen_t size = sizeof(error);

	if (poll(&wait, 1, CONNECT_MS) == 1 &&
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0) {
		error = errno;
	}
	return error;
}

static int
try_tcp(bool is_bind)
{
	const struct sockaddr_in to = { .sin_family = AF_INET,
					.sin_port = htons(is_bind ? 0 : 1),
					.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	auto_fd fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc;

	if (fd < 0) {
		return errno;
	}
	rc = is_bind ? bind(fd, (const struct sockaddr *)&to, sizeof(to))
		     : connect(fd, (const struct sockaddr *)&to, sizeof(to));
	return rc == 0 ? 0 : errno != EINPROGRESS ? errno : wait_connected(fd);
}

static int
try_list_root(void)
{
	auto_fd fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? errno : 0;
}

static void
say_act(struct report *r, const char *act, int error)
{
	report_row(r);
	report_title(r, "act", act);
	report_text(r, "result", inspect_result(error));
	report_end(r);
}

void
see_landlock(struct look *l)
{
	struct report *r = l->report;
	int abi = sys_landlock_abi();
	int layers = abi > 0 ? try_in_child(act_layers, &abi, TRY_NO_ANSWER) : TRY_NO_ANSWER;

	report_object(r, "landlock");
	report_known(r, "abi", abi > 0, (uint64_t)abi, "none");
	report_list(r, "acts");
	say_act(r, "bind TCP 127.0.0.1", try_tcp(true));
	say_act(r, "connect TCP 127.0.0.1:1", try_tcp(false));
	say_act(r, "list /", try_list_root());
	say_act(r, "signal 0 to process 1", kill(1, 0) < 0 ? errno : 0);
	report_end(r);
	report_known(r, "layers", layers >= 0, (uint64_t)layers, "not known");
	report_end(r);
}
