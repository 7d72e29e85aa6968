/* SPDX-License-Identifier: Apache-2.0 */
/* Run by airlock-credd and airlock-cli, as the caller; what a resolver says is anybody's. */
#include "hear.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/fdio.h"
#include "../base/json.h"
#include "../base/json_find.h"
#include "../sys/sys.h"

#define STOPPING_MS 2000u
#define RESULT_MAX (4u << 20)

/* Whether there is something to read, or the end of a process, before that moment. */
static bool
ready(int fd, uint64_t until_ns)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t now;

	while ((now = clock_monotonic_ns()) < until_ns) {
		int n = poll(&p, 1, (int)((until_ns - now) / 1000000u) + 1);

		if (n > 0 || (n < 0 && errno != EINTR)) {
			return n > 0;
		}
	}
	return false;
}

static int
read_all(int fd, uint64_t until_ns, uint8_t *data, size_t size, size_t *ret_len)
{
	uint8_t more;

	for (*ret_len = 0;;) {
		bool is_full = *ret_len == size;
		ssize_t n;

		if (!ready(fd, until_ns)) {
			return -ETIMEDOUT;
		}
		n = is_full ? read(fd, &more, 1) : read(fd, data + *ret_len, size - *ret_len);
		if (n > 0 && is_full) {
			explicit_bzero(&more, 1);
			return -EFBIG;
		}
		if (n == 0) {
			return 0;
		}
		if (n < 0 && errno != EINTR) {
			return -errno;
		}
		*ret_len += n > 0 ? (size_t)n : 0;
	}
}

/*
 * Until it ends, and it is not waited for longer than that. -1, which is no status of a process:
 * nobody knows how it ended.
 */
static int
reap(pid_t pid, bool is_wanted, uint64_t until_ns)
{
	auto_fd pidfd = sys_pidfd_open(pid);
	int status;

	if (pidfd < 0 || !is_wanted || !ready(pidfd, until_ns)) {
		ignore_err(kill(pid, SIGTERM), "it is ours and was not waited for");
		if (pidfd < 0 ||
		    !ready(pidfd, clock_monotonic_ns() + STOPPING_MS * UINT64_C(1000000))) {
			ignore_err(kill(pid, SIGKILL), "the same; its sandbox dies with it");
		}
	}
	return sys_wait(pid, &status) == 0 ? status : -1;
}

/* What airlock says of the call: none of it is the resolver's. */
static int
tell(int result_fd, int status, struct heard *ret, struct err *err)
{
	auto_buf json = BUF_INIT, call = BUF_INIT, verdict = BUF_INIT, reason = BUF_INIT;
	const char *text;

	if (lseek(result_fd, 0, SEEK_SET) == 0 && fdio_slurp(result_fd, RESULT_MAX, &json) == 0 &&
	    json_check_object(buf_text(&json), json.len) == 0) {
		text = buf_text(&json);
		if (json_find_text(text, "call", &call) && call.len == UUID_TEXT_SIZE - 1) {
			memcpy(ret->call, buf_text(&call), UUID_TEXT_SIZE);
		}
		ignore_err(json_find_text(text, "verdict", &verdict), "then there is none");
		ignore_err(json_find_text(text, "reason", &reason), "the same");
		ret->has_not_run = strcmp(buf_text(&verdict), "launch_failed") == 0 ||
				   strcmp(buf_text(&verdict), "denied") == 0;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		return 0;
	}
	text = ret->call[0] != '\0' ? ret->call : "none";
	if (strcmp(buf_text(&verdict), "timeout") == 0) {
		return err_set(err, -ETIMEDOUT, "its resolver took longer than it may (call %s)",
			       text);
	}
	if (strcmp(buf_text(&verdict), "failed") == 0) {
		return err_set(err, -ECHILD, "its resolver ended with status %d (call %s)",
			       WIFEXITED(status) ? WEXITSTATUS(status) : -1, text);
	}
	return err_set(err, -ECHILD, "its resolver did not do its work%s%s (call %s)",
		       reason.len > 0 ? ": " : "", buf_text(&reason), text);
}

int
hear(int out_fd, int result_fd, pid_t pid, uint8_t *data, size_t size, struct heard *ret,
     struct err *err)
{
	uint64_t until_ns = clock_monotonic_ns() + HEAR_MS * UINT64_C(1000000);
	int rc, status, told;

	*ret = (struct heard){ .len = 0 };
	rc = read_all(out_fd, until_ns, data, size, &ret->len);
	status = reap(pid, rc == 0, until_ns);
	told = tell(result_fd, status, ret, err);
	if (rc == -EFBIG) {
		*err = (struct err)ERR_INIT;
		return err_set(err, rc, "its resolver answered with more than %zu KiB", size >> 10);
	}
	if (told < 0) {
		return told;
	}
	return rc < 0 ? err_sys(err, rc, "its resolver's answer") : 0;
}
