/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front: the answer of a call that was answered before. airlock-cli reads it from the
 * store; what it says passes through here, because it gets no descriptor of the caller's (front.h,
 * front_run_cli), and because what goes to a terminal is filtered as a tool's output is.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../supervise/term_filter.h"
#include "../sys/sys.h"
#include "front.h"

#define CHUNK 65536u

struct replay {
	struct front *f;
	int ours[REPLAY__COUNT], theirs[REPLAY__COUNT]; /* pipes; -1: none, or at its end */
	struct term_filter filter[REPLAY__COUNT];
	bool filtered[REPLAY__COUNT];
	char pending[PIPE_BUF]; /* of the caller's stdin, read and not yet passed on */
	size_t pending_len;
	struct buf result; /* whole before any of it is written: it takes the place of another */
};

static int
open_pipes(struct replay *r)
{
	for (int i = 0; i < REPLAY__COUNT; i++) {
		int ends[2];

		if ((i == REPLAY_STDIN && r->f->opt.no_stdin) ||
		    (i == REPLAY_RESULT && r->f->opt.result_fd < 0)) {
			continue;
		}
		if (pipe2(ends, O_CLOEXEC) < 0) {
			return err_sys(&r->f->err, -errno, "pipe");
		}
		if (i == REPLAY_STDIN && fcntl(ends[1], F_SETFL, O_NONBLOCK) < 0) {
			return err_sys(&r->f->err, -errno, "pipe");
		}
		r->ours[i] = ends[i == REPLAY_STDIN ? 1 : 0];
		r->theirs[i] = ends[i == REPLAY_STDIN ? 0 : 1];
	}
	return 0;
}

static void __attribute__((noreturn)) become_replay(struct replay *r, const char *call)
{
	const char *argv[8] = { "airlock-cli", "replay", call };
	size_t n = 3;

	if (r->theirs[REPLAY_STDIN] >= 0) {
		argv[n++] = "--stdin";
	}
	if (sys_close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) < 0) {
		_exit(EXIT_AIRLOCK);
	}
	if (r->theirs[REPLAY_RESULT] >= 0) {
		char *number = arena_printf(&r->f->arena, "%d", r->theirs[REPLAY_RESULT]);

		if (fcntl(r->theirs[REPLAY_RESULT], F_SETFD, 0) < 0 || number == NULL) {
			_exit(EXIT_AIRLOCK);
		}
		argv[n++] = "--result-fd";
		argv[n++] = number;
	}
	front_become_cli(r->f, argv, r->theirs);
}

static void
close_ours(struct replay *r, enum replay_stream s)
{
	cleanup_fd(&r->ours[s]);
	r->ours[s] = -1;
}

/*
 * Over what says that it would block, as a caller's pipe may; and never more than a pipe takes
 * without that, so that whoever ends this call is heard.
 */
static void
write_all(const struct replay *r, int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		struct pollfd fds[] = { { .fd = fd, .events = POLLOUT },
					{ .fd = r->f->end_fd, .events = POLLIN } };
		ssize_t n = 0;

		if (poll(fds, ARRAY_LEN(fds), -1) > 0) {
			if (fds[1].revents != 0) {
				return;
			}
			n = write(fd, p, len < PIPE_BUF ? len : PIPE_BUF);
		}
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			return; /* nobody reads it */
		}
		p += n > 0 ? n : 0;
		len -= n > 0 ? (size_t)n : 0;
	}
}

/*
 * As much as airlock-cli takes, and never waiting for it: it reads what it compares, and then
 * closes its end.
 */
static void
pass_stdin(struct replay *r)
{
	char *p = r->pending;
	ssize_t n;

	if (r->pending_len == 0) {
		n = read(STDIN_FILENO, p, sizeof(r->pending));
		if (n <= 0) {
			close_ours(r, REPLAY_STDIN);
			return;
		}
		r->pending_len = (size_t)n;
	}
	n = write(r->ours[REPLAY_STDIN], p, r->pending_len);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		close_ours(r, REPLAY_STDIN);
	} else if (n > 0) {
		r->pending_len -= (size_t)n;
		memmove(p, p + n, r->pending_len);
	}
}

static void
pass_output(struct replay *r, enum replay_stream s)
{
	auto_buf safe = BUF_INIT;
	char chunk[CHUNK];
	ssize_t n = read(r->ours[s], chunk, sizeof(chunk));

	if (n < 0 && errno == EINTR) {
		return;
	}
	if (n <= 0) {
		close_ours(r, s);
	}
	if (s == REPLAY_RESULT) {
		buf_put(&r->result, chunk, n > 0 ? (size_t)n : 0);
		return;
	}
	if (!r->filtered[s]) {
		write_all(r, (int)s, chunk, n > 0 ? (size_t)n : 0);
		return;
	}
	if (n > 0) {
		term_filter_put(&r->filter[s], chunk, (size_t)n, &safe);
	} else {
		term_filter_flush(&r->filter[s], &safe);
	}
	write_all(r, (int)s, safe.data, safe.len);
}

/* Until it has said all, or somebody ends this call. */
static void
pass_all(struct replay *r)
{
	while (r->ours[REPLAY_STDOUT] >= 0 || r->ours[REPLAY_STDERR] >= 0 ||
	       r->ours[REPLAY_RESULT] >= 0) {
		bool has_pending = r->pending_len > 0;
		struct pollfd fds[REPLAY__COUNT + 2];

		for (int i = 0; i < REPLAY__COUNT; i++) {
			fds[i] = (struct pollfd){ .fd = r->ours[i], .events = POLLIN };
		}
		fds[REPLAY_STDIN].events = has_pending ? POLLOUT : 0;
		fds[REPLAY__COUNT] = (struct pollfd){
			.fd = r->ours[REPLAY_STDIN] >= 0 && !has_pending ? STDIN_FILENO : -1,
			.events = POLLIN,
		};
		fds[REPLAY__COUNT + 1] = (struct pollfd){ .fd = r->f->end_fd, .events = POLLIN };
		if (poll(fds, REPLAY__COUNT + 2, -1) < 0) {
			continue;
		}
		if (fds[REPLAY__COUNT + 1].revents != 0) {
			return;
		}
		if ((fds[REPLAY_STDIN].revents & ~POLLOUT) != 0) {
			close_ours(r, REPLAY_STDIN); /* it is read no more */
		} else if (fds[REPLAY_STDIN].revents != 0 || fds[REPLAY__COUNT].revents != 0) {
			pass_stdin(r);
		}
		for (enum replay_stream s = REPLAY_STDOUT; s < REPLAY__COUNT; s++) {
			if (fds[s].revents != 0) {
				pass_output(r, s);
			}
		}
	}
}

static void
init_filters(struct replay *r)
{
	for (int i = 0; i < REPLAY__COUNT; i++) {
		r->filtered[i] = !r->f->opt.raw && i != REPLAY_RESULT && isatty(i) == 1;
		term_filter_init(&r->filter[i]);
	}
}

void
front_pass_on(struct front *f, int held[REPLAY__COUNT])
{
	struct replay r = { .f = f, .theirs = { -1, -1, -1, -1 }, .result = BUF_INIT };

	for (int i = 0; i < REPLAY__COUNT; i++) {
		r.ours[i] = held[i];
		held[i] = -1;
		ignore_err(r.ours[i] < 0 || lseek(r.ours[i], 0, SEEK_SET) == 0 ? 0 : -errno,
			   "then there is nothing to read");
	}
	init_filters(&r);
	pass_all(&r);
	front_deliver_result(f, &r.result);
	buf_finish(&r.result);
}

int
front_replay(struct front *f, const char *call)
{
	struct replay r = {
		.f = f, .ours = { -1, -1, -1, -1 }, .theirs = { -1, -1, -1, -1 }, .result = BUF_INIT
	};
	int status = 0, rc = open_pipes(&r);
	pid_t pid = rc == 0 ? fork() : -1;

	if (pid == 0) {
		become_replay(&r, call);
	}
	rc = rc == 0 && pid < 0 ? err_sys(&f->err, -errno, "start airlock-cli") : rc;
	for (int i = 0; i < REPLAY__COUNT; i++) {
		cleanup_fd(&r.theirs[i]);
	}
	init_filters(&r);
	if (pid > 0) {
		pass_all(&r);
		rc = front_ended(f);
		if (rc < 0) {
			ignore_err(kill(pid, SIGKILL), "it has ended");
			f->answered = false;
		}
		f->exit_status = sys_wait(pid, &status) == 0 && WIFEXITED(status)
					 ? WEXITSTATUS(status)
					 : EXIT_AIRLOCK;
		if (rc == 0) {
			front_deliver_result(f, &r.result);
			front_receipt(f, call);
		}
	}
	for (int i = 0; i < REPLAY__COUNT; i++) {
		cleanup_fd(&r.ours[i]);
	}
	buf_finish(&r.result);
	return rc;
}
