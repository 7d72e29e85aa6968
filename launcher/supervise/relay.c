/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the supervisor with the caller's authority. Trusts neither side: the tool chooses every
 * byte and may reopen, resize or stop reading its pipes; the caller's descriptors may be of any
 * kind, closed early, full, non-blocking, shared. Ancillary data is never received: there is no
 * control buffer, so a descriptor that is sent to us is closed by the kernel.
 */
#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "../base/clock.h"
#include "relay_internal.h"

/* A pipe holds 64 KiB by default and up to 1 MiB: more than that was written after the end. */
#define HANG_UP_READS 16
#define END_AGAIN_NS UINT64_C(500000000)

static const char *const stream_name[RELAY__COUNT] = {
	[RELAY_STDIN] = "stdin",
	[RELAY_STDOUT] = "stdout",
	[RELAY_STDERR] = "stderr",
};

/* ---- moving bytes ---------------------------------------------------------------------------- */

static bool
try_later(int code)
{
	return code == EAGAIN || code == EWOULDBLOCK;
}

static void
close_tool_fd(struct relay *r, enum relay_stream s)
{
	if (r->tool_fd[s] >= 0) {
		close(r->tool_fd[s]);
		r->tool_fd[s] = -1;
	}
}

/* What poll says of fd at this moment, without waiting. */
static short
ready_now(int fd, short events)
{
	struct pollfd pfd = { .fd = fd, .events = events };

	return (short)(poll(&pfd, 1, 0) > 0 ? pfd.revents : 0);
}

static void
drop_front(struct buf *b, size_t len)
{
	memmove(b->data, b->data + len, b->len - len + 1); /* with the NUL behind it */
	b->len -= len;
}

static int
capture(struct relay *r, enum relay_stream s, const void *data, size_t len, struct err *err)
{
	int code = spool_add(&r->spool[s], data, len);

	if (code < 0) {
		r->capture_error = code;
		return err_sys(err, code, "cannot keep the tool's %s", stream_name[s]);
	}
	return 0;
}

static int
pending_error(struct relay *r, enum relay_stream s, struct err *err)
{
	int code = buf_error(&r->pending[s]);

	if (code < 0) {
		r->capture_error = code;
		return err_sys(err, code, "cannot pass on the tool's %s", stream_name[s]);
	}
	return 0;
}

int
relay_take_terminal(struct relay *r, int master_fd, struct err *err)
{
	int flags = fcntl(master_fd, F_GETFL);

	r->tool_fd[RELAY_STDOUT] = master_fd;
	/* A terminal does not hang up because nobody has it open: its session may open it again. */
	r->terminal_fd = ioctl(master_fd, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (r->terminal_fd < 0 || flags < 0 || fcntl(master_fd, F_SETFL, flags | O_NONBLOCK) < 0) {
		return err_sys(err, -errno, "the tool's terminal");
	}
	if (r->caller_fd[RELAY_STDIN] >= 0) {
		r->tool_fd[RELAY_STDIN] = fcntl(master_fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		if (r->tool_fd[RELAY_STDIN] < 0) {
			return err_sys(err, -errno, "the tool's terminal");
		}
	}
	return 0;
}

/* The tool closed its stdin, or is dead: the caller's stdin is read no further. */
static void
stop_stdin(struct relay *r)
{
	close_tool_fd(r, RELAY_STDIN);
	buf_reset(&r->pending[RELAY_STDIN]);
}

static void
flush_stdin(struct relay *r)
{
	struct buf *pending = &r->pending[RELAY_STDIN];

	while (pending->len > 0) {
		ssize_t n = write(r->tool_fd[RELAY_STDIN], pending->data, pending->len);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0 && !try_later(errno)) {
			stop_stdin(r);
		}
		if (n <= 0) {
			return;
		}
		drop_front(pending, (size_t)n);
	}
}

/*
 * How much the tool's pipe takes at once, so that no more is taken from the caller than the tool
 * can get. A pipe counts in pages: the first and the last may be partly used. The tool may have
 * resized it.
 */
static size_t
tool_room(int fd)
{
	int size = fcntl(fd, F_GETPIPE_SZ);
	int used = 0;

	if (size < 0 || ioctl(fd, FIONREAD, &used) < 0) {
		return PIPE_BUF;
	}
	if (used > 0) {
		size -= used + 2 * PIPE_BUF;
	}
	if (size < PIPE_BUF) {
		return PIPE_BUF; /* poll said so */
	}
	return (size_t)size < RELAY_PENDING_MAX ? (size_t)size : RELAY_PENDING_MAX;
}

/*
 * On a terminal a person says with a character that there is no more, which in the middle of a line
 * first ends the line. A pipe's end stays, a character is read once, and is lost on a program that
 * changes the terminal's mode before it has read it: so it is said again to whoever has nothing to
 * read, at once in another mode and now and then in the same.
 */
static void
say_end(struct relay *r)
{
	const int fd = r->tool_fd[RELAY_STDIN];
	const uint64_t now_ns = clock_monotonic_ns();
	const bool said = r->end_said_ns != 0;
	struct termios now;
	unsigned int times;
	bool as_key;

	if (tcgetattr(fd, &now) < 0 || now.c_cc[VEOF] == _POSIX_VDISABLE) {
		return;
	}
	as_key = (now.c_lflag & ICANON) == 0;
	if (said && ((ready_now(r->terminal_fd, POLLIN) & POLLIN) != 0 ||
		     (r->end_said_as_key == as_key && now_ns - r->end_said_ns < END_AGAIN_NS))) {
		return;
	}
	times = !said && r->mid_line && !as_key ? 2 : 1;
	r->end_said_ns = now_ns;
	r->end_said_as_key = as_key;
	while (times-- > 0) {
		buf_putc(&r->pending[RELAY_STDIN], (char)now.c_cc[VEOF]);
	}
}

static void
end_stdin(struct relay *r)
{
	if (r->terminal && r->stdin_is_terminal) {
		/* In raw mode nobody can say so but a terminal that is gone. */
		r->stdin_over = r->hang_up[RELAY_STDOUT] = true;
	} else if (r->terminal) {
		r->stdin_over = true;
	} else {
		close_tool_fd(r, RELAY_STDIN);
	}
}

static int
pump_stdin(struct relay *r, struct err *err)
{
	const int fd = r->io_fd[RELAY_STDIN];
	uint8_t chunk[RELAY_PENDING_MAX];
	size_t room = tool_room(r->tool_fd[RELAY_STDIN]);
	ssize_t n;
	int code;

	do {
		n = r->via[RELAY_STDIN] == RELAY_VIA_SOCKET ? recv(fd, chunk, room, MSG_DONTWAIT)
							    : read(fd, chunk, room);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && try_later(errno)) {
		return 0;
	}
	if (n <= 0) {
		r->caller_gone[RELAY_STDIN] = n < 0;
		r->stdin_ended = n == 0;
		end_stdin(r);
		return 0;
	}
	r->mid_line = chunk[n - 1] != '\n';
	code = capture(r, RELAY_STDIN, chunk, (size_t)n, err);
	if (code < 0) {
		return code;
	}
	buf_put(&r->pending[RELAY_STDIN], chunk, (size_t)n);
	code = pending_error(r, RELAY_STDIN, err);
	if (code == 0) {
		flush_stdin(r);
	}
	return code;
}

static enum relay_stream
other_output(enum relay_stream s)
{
	return s == RELAY_STDOUT ? RELAY_STDERR : RELAY_STDOUT;
}

/* The same terminal has got a part of a sequence of the other stream: nothing may come between. */
static bool
must_wait(const struct relay *r, enum relay_stream s)
{
	return r->one_terminal && !term_cut_is_whole(&r->cut[other_output(s)]);
}

static void
caller_is_gone(struct relay *r, enum relay_stream s)
{
	const enum relay_stream other = other_output(s);

	r->caller_gone[s] = true;
	buf_reset(&r->pending[s]);
	if (must_wait(r, other) && !r->caller_gone[other]) {
		caller_is_gone(r, other); /* what it waits for will not come */
	}
}

static ssize_t
write_caller(struct relay *r, enum relay_stream s, const void *data, size_t len)
{
	switch (r->via[s]) {
	case RELAY_VIA_SOCKET:
		return send(r->io_fd[s], data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	case RELAY_VIA_SHARED:
		if (ready_now(r->io_fd[s], POLLOUT) == 0) {
			errno = EAGAIN;
			return -1;
		}
		return write(r->io_fd[s], data, len < PIPE_BUF ? len : PIPE_BUF);
	case RELAY_VIA_FILE:
	case RELAY_VIA_OWN:
		return write(r->io_fd[s], data, len);
	case RELAY_VIA_NOTHING:
	case RELAY_VIA__COUNT:
		break;
	}
	errno = EBADF;
	return -1;
}

/* How much is written at once: where the other stream waits, it is let in as soon as it may be. */
static size_t
flush_length(const struct relay *r, enum relay_stream s)
{
	const struct buf *pending = &r->pending[s];

	return must_wait(r, other_output(s)) && r->pending[other_output(s)].len > 0
		     ? term_cut_rest(&r->cut[s], pending->data, pending->len)
		     : pending->len;
}

static void
flush_output(struct relay *r, enum relay_stream s)
{
	struct buf *pending = &r->pending[s];
	const size_t end = must_wait(r, s) ? 0 : flush_length(r, s);
	size_t done = 0;

	while (done < end) {
		ssize_t n = write_caller(r, s, pending->data + done, end - done);

		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0 && try_later(errno)) {
			break;
		}
		if (n <= 0) {
			r->hang_up[s] = n < 0 && (errno == EPIPE || errno == ECONNRESET ||
						  (r->terminal && errno == EIO));
			caller_is_gone(r, s);
			return;
		}
		if (r->filtered[s] && !r->terminal) {
			term_cut_follow(&r->cut[s], pending->data + done, (size_t)n);
		}
		done += (size_t)n;
	}
	if (done > 0) {
		drop_front(pending, done);
	}
}

/* A mark can be longer than what it stands for: what passes is bounded as well. */
static uint64_t
output_left(const struct relay *r)
{
	const uint64_t passed =
		r->spool[RELAY_STDOUT].total_bytes + r->spool[RELAY_STDERR].total_bytes;
	const uint64_t used = passed > r->output_bytes ? passed : r->output_bytes;

	return used < r->output_limit ? r->output_limit - used : 0;
}

static bool
forwards(const struct relay *r, enum relay_stream s)
{
	return r->caller_fd[s] >= 0 && !r->caller_gone[s];
}

void
relay_suspend_screen(struct relay *r)
{
	if (r->filtered[RELAY_STDOUT] && forwards(r, RELAY_STDOUT) && !r->screen_suspended) {
		r->screen_suspended = true;
		term_screen_undo(&r->screen, &r->pending[RELAY_STDOUT]);
		flush_output(r, RELAY_STDOUT);
	}
}

void
relay_resume_screen(struct relay *r)
{
	if (r->screen_suspended && forwards(r, RELAY_STDOUT)) {
		r->screen_suspended = false;
		term_screen_redo(&r->screen, &r->pending[RELAY_STDOUT]);
		flush_output(r, RELAY_STDOUT);
	}
}

/* The tool closed this stream. */
static int
end_output(struct relay *r, enum relay_stream s, struct err *err)
{
	int code = r->scanner != NULL ? relay_scan_end(r, s, err) : 0;

	close_tool_fd(r, s);
	if (forwards(r, s) && r->filtered[s]) {
		if (r->terminal) {
			term_screen_flush(&r->screen, &r->pending[s]);
		} else {
			term_filter_flush(&r->filter[s], &r->pending[s]);
		}
	}
	flush_output(r, s);
	return code < 0 ? code : pending_error(r, s, err);
}

int
relay_pass(struct relay *r, enum relay_stream s, const void *data, size_t len, struct err *err)
{
	int code = capture(r, s, data, len, err);

	if (code < 0 || !forwards(r, s)) {
		return code;
	}
	if (!r->filtered[s]) {
		buf_put(&r->pending[s], data, len);
	} else if (r->terminal) {
		term_screen_put(&r->screen, data, len, &r->pending[s]);
	} else {
		term_filter_put(&r->filter[s], data, len, &r->pending[s]);
	}
	return pending_error(r, s, err);
}

/*
 * One read, so that no stream starves the other or the supervisor's deadlines. *ret_more: there may
 * be more.
 */
static int
pump_output(struct relay *r, enum relay_stream s, bool *ret_more, struct err *err)
{
	uint8_t chunk[RELAY_PENDING_MAX];
	const uint64_t left = output_left(r);
	size_t want = RELAY_PENDING_MAX - r->pending[s].len;
	size_t take;
	ssize_t n;
	int code;

	/*
	 * one byte more than is left tells a tool that wrote exactly the limit from one that goes
	 * on
	 */
	want = want > left ? (size_t)left + 1 : want;
	do {
		n = read(r->tool_fd[s], chunk, want);
	} while (n < 0 && errno == EINTR);
	*ret_more = n > 0;
	if (n < 0 && try_later(errno)) {
		return 0;
	}
	if (n <= 0) {
		return end_output(r, s, err);
	}
	take = (size_t)n < left ? (size_t)n : (size_t)left;
	r->over_limit = take < (size_t)n;
	r->output_bytes += take;
	code = r->scanner != NULL ? relay_scan_put(r, s, chunk, take, err)
				  : relay_pass(r, s, chunk, take, err);
	if (code == 0) {
		flush_output(r, s);
	}
	return code;
}

/* ---- the poll loop's side -------------------------------------------------------------------- */

static bool
reads_tool(const struct relay *r, enum relay_stream s)
{
	return r->tool_fd[s] >= 0 && !r->over_limit && !r->leaked && r->capture_error == 0 &&
	       r->pending[s].len < RELAY_PENDING_MAX;
}

static unsigned int
add(struct pollfd *pfds, unsigned int count, int fd, short events)
{
	pfds[count] = (struct pollfd){ .fd = fd, .events = events };
	return count + 1;
}

unsigned int
relay_poll_set(struct relay *r, struct pollfd *pfds)
{
	const int tool_stdin = r->tool_fd[RELAY_STDIN];
	unsigned int count = 0;

	if (tool_stdin >= 0 && r->capture_error == 0) {
		if (r->stdin_over && r->pending[RELAY_STDIN].len == 0) {
			say_end(r);
		}
		if (r->pending[RELAY_STDIN].len > 0 ||
		    (ready_now(tool_stdin, POLLOUT) & POLLOUT) == 0) {
			count = add(pfds, count, tool_stdin, POLLOUT);
		} else {
			/* no event asked for: POLLERR, the tool closed its stdin, is always told */
			count = add(pfds, count, tool_stdin, 0);
			if (!r->stdin_paused && !r->stdin_over) {
				count = add(pfds, count, r->caller_fd[RELAY_STDIN], POLLIN);
			}
		}
	}
	for (int s = RELAY_STDOUT; s < RELAY__COUNT; s++) {
		if (reads_tool(r, s)) {
			count = add(pfds, count, r->tool_fd[s], POLLIN);
		}
		if (r->pending[s].len > 0 && !must_wait(r, s)) {
			count = add(pfds, count, r->caller_fd[s], POLLOUT);
		}
	}
	return count;
}

static short
reported(const struct pollfd *pfds, unsigned int count, int fd)
{
	for (unsigned int i = 0; i < count; i++) {
		if (pfds[i].fd == fd) {
			return pfds[i].revents;
		}
	}
	return 0;
}

static int
stdin_done(struct relay *r, const struct pollfd *pfds, unsigned int count, struct err *err)
{
	short tool = reported(pfds, count, r->tool_fd[RELAY_STDIN]);

	/* POLLHUP: of a terminal that the tool has closed */
	if ((tool & (POLLERR | POLLNVAL | POLLHUP)) != 0) {
		stop_stdin(r);
		return 0;
	}
	if ((tool & POLLOUT) != 0) {
		flush_stdin(r);
	}
	if (reported(pfds, count, r->caller_fd[RELAY_STDIN]) != 0) {
		return pump_stdin(r, err);
	}
	return 0;
}

/*
 * Nobody reads any more: the tool is to know, as in any pipeline. What it has written by now is
 * captured first, as far as a pipe holds it.
 */
static int
hang_up(struct relay *r, enum relay_stream s, struct err *err)
{
	bool more = true;
	int code = 0;

	for (int i = 0; code == 0 && more && i < HANG_UP_READS && reads_tool(r, s); i++) {
		code = pump_output(r, s, &more, err);
	}
	if (code == 0 && r->scanner != NULL) {
		code = relay_scan_end(r, s, err);
	}
	close_tool_fd(r, s);
	if (r->terminal) {
		stop_stdin(r); /* the same terminal: now it is gone, and the tool gets SIGHUP */
	}
	return code;
}

int
relay_poll_done(struct relay *r, const struct pollfd *pfds, unsigned int count, struct err *err)
{
	int code = 0;

	if (r->tool_fd[RELAY_STDIN] >= 0 && r->capture_error == 0) {
		code = stdin_done(r, pfds, count, err);
	}
	for (int s = RELAY_STDOUT; s < RELAY__COUNT; s++) {
		bool more;

		/* of one terminal both are tried: this may have waited for the other just now */
		if (r->pending[s].len > 0 &&
		    (r->one_terminal || reported(pfds, count, r->caller_fd[s]) != 0)) {
			flush_output(r, s);
		}
		if (code == 0 && reads_tool(r, s) && reported(pfds, count, r->tool_fd[s]) != 0) {
			code = pump_output(r, s, &more, err);
		}
		if (code == 0 && r->hang_up[s] && r->tool_fd[s] >= 0) {
			code = hang_up(r, s, err);
		}
	}
	return code;
}

/*
 * A tool that filled a slow terminal must not leave it switched, nor inside a sequence, which
 * would go on with what is shown next. Any room will do: what was to be shown before is not shown
 * any more.
 */
static void
leave_screen(struct relay *r, enum relay_stream s, int wait_ms)
{
	const uint64_t end_ns = clock_monotonic_ns() + (uint64_t)wait_ms * 1000000u;
	struct buf *pending = &r->pending[s];
	uint64_t now_ns = 0;

	if (!r->filtered[s] || must_wait(r, s)) {
		return;
	}
	if (r->terminal) {
		buf_reset(pending);
		term_screen_give_up(&r->screen, pending);
	} else {
		pending->len = term_cut_rest(&r->cut[s], pending->data, pending->len);
		pending->data[pending->len] = '\0';
	}
	while (r->pending[s].len > 0 && now_ns < end_ns) {
		struct pollfd pfd = { .fd = r->caller_fd[s], .events = POLLOUT };

		now_ns = clock_monotonic_ns();
		if (now_ns < end_ns &&
		    poll(&pfd, 1, (int)((end_ns - now_ns + 999999u) / 1000000u)) > 0) {
			flush_output(r, s);
		}
	}
}

/* What the caller did not take in time is not written any more, but captured. */
static int
capture_rest(struct relay *r, int wait_ms, struct err *err)
{
	int code = 0;

	for (int s = RELAY_STDOUT; s < RELAY__COUNT && code == 0; s++) {
		bool more = true;

		while (code == 0 && more) {
			if (r->pending[s].len > 0) {
				leave_screen(r, s, wait_ms);
				caller_is_gone(r, s);
			}
			more = reads_tool(r, s);
			if (more) {
				code = pump_output(r, s, &more, err);
			}
		}
	}
	return code;
}

int
relay_drain(struct relay *r, int grace_ms, struct err *err)
{
	const uint64_t end_ns = clock_monotonic_ns() + (uint64_t)grace_ms * 1000000u;
	struct pollfd pfds[RELAY_POLL_MAX];
	int code = 0;

	stop_stdin(r);
	relay_leave_terminal(r);
	for (;;) {
		unsigned int count = relay_poll_set(r, pfds);
		uint64_t now_ns = clock_monotonic_ns();

		if (count == 0 || now_ns >= end_ns) {
			break;
		}
		if (poll(pfds, count, (int)((end_ns - now_ns + 999999u) / 1000000u)) > 0) {
			int failed = relay_poll_done(r, pfds, count, err);

			code = code == 0 ? failed : code;
		}
	}
	if (code == 0) {
		code = capture_rest(r, grace_ms, err);
	}
	for (int s = RELAY_STDOUT; s < RELAY__COUNT; s++) {
		int failed = r->tool_fd[s] >= 0 ? end_output(r, s, err) : 0;

		code = code == 0 ? failed : code;
	}
	return code == 0 ? r->capture_error : code;
}
