/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the supervisor with the caller's authority, before the tool exists. Finds out what the
 * caller's 0, 1, 2 are (of any kind, closed, non-blocking, shared) and makes the tool's pipes.
 * Trusts /proc/self/fd of the host.
 */
#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "relay_internal.h"

/*
 * A process that was started with 0, 1 or 2 closed gets that number for the next file it opens.
 * Nothing of ours may stand there: we, or something we start, would take it for the caller's. Owns
 * fd.
 */
static int
above_stdio(int fd)
{
	int moved;

	if (fd > STDERR_FILENO) {
		return fd;
	}
	moved = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (moved < 0) {
		moved = -errno;
	}
	close(fd);
	return moved;
}

static bool
is_callers(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	return flags >= 0 && (flags & FD_CLOEXEC) == 0;
}

static bool
is_dev_null(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(1, 3);
}

/*
 * Only what opens as itself: /dev/ptmx, for one, would open as another terminal. 136 to 143 are the
 * Unix98 pty slaves (Documentation/admin-guide/devices.txt).
 */
static bool
can_reopen(const struct stat *st)
{
	return S_ISFIFO(st->st_mode) ||
	       (S_ISCHR(st->st_mode) && major(st->st_rdev) >= 136 && major(st->st_rdev) <= 143);
}

/*
 * An open description of our own, for the same direction only; -1 when that is not permitted (a
 * terminal of another user, say).
 */
static int
open_own(int fd, const struct stat *st, int access_mode)
{
	int flags = fcntl(fd, F_GETFL);
	char path[32];
	struct stat own_st;
	auto_fd own = -1;

	if (flags < 0 || (flags & O_PATH) != 0 ||
	    ((flags & O_ACCMODE) != access_mode && (flags & O_ACCMODE) != O_RDWR)) {
		return -1;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	own = open(path, access_mode | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (own < 0 || fstat(own, &own_st) < 0 || own_st.st_dev != st->st_dev ||
	    own_st.st_ino != st->st_ino) {
		return -1;
	}
	return above_stdio(take_fd(&own));
}

/*
 * Reading our own terminal from the background would stop us (SIGTTIN) whenever a person types to
 * somebody else, and with us the call's deadlines.
 */
static bool
is_background_terminal(int fd)
{
	pid_t foreground = tcgetpgrp(fd);

	return foreground >= 0 && foreground != getpgrp();
}

/* With a terminal for the tool the supervisor looks whose ours is, and pauses stdin meanwhile. */
static bool
is_no_input(const struct relay *r, int fd, const struct stat *st)
{
	return is_dev_null(st) ||
	       (!r->terminal && S_ISCHR(st->st_mode) && is_background_terminal(fd));
}

static int
attach(struct relay *r, enum relay_stream s, int fd, bool raw)
{
	struct stat st;
	bool is_terminal;

	if (fstat(fd, &st) < 0) {
		return -errno;
	}
	if (s == RELAY_STDIN && is_no_input(r, fd, &st)) {
		return 0;
	}
	r->caller_fd[s] = fd;
	r->io_fd[s] = fd;
	r->via[s] = RELAY_VIA_SHARED;
	is_terminal = S_ISCHR(st.st_mode) && isatty(fd);
	r->stdin_is_terminal = s == RELAY_STDIN ? is_terminal : r->stdin_is_terminal;
	r->filtered[s] = s != RELAY_STDIN && !raw && is_terminal;
	if (S_ISSOCK(st.st_mode)) {
		r->via[s] = RELAY_VIA_SOCKET;
	} else if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)) {
		r->via[s] = RELAY_VIA_FILE;
	} else if (can_reopen(&st)) {
		int own = open_own(fd, &st, s == RELAY_STDIN ? O_RDONLY : O_WRONLY);

		if (own >= 0) {
			r->io_fd[s] = own;
			r->via[s] = RELAY_VIA_OWN;
		}
	}
	return 0;
}

/* By the device that the kernel says it is: one has several names, /dev/tty among them. */
static bool
is_one_terminal(const struct relay *r)
{
	unsigned int out, err;

	if (!r->filtered[RELAY_STDOUT] || !r->filtered[RELAY_STDERR]) {
		return false;
	}
	return ioctl(r->caller_fd[RELAY_STDOUT], TIOCGDEV, &out) < 0 ||
	       ioctl(r->caller_fd[RELAY_STDERR], TIOCGDEV, &err) < 0 || out == err;
}

/*
 * ret_ours is non-blocking, ret_tools is not: the flag belongs to each end's own open description.
 * The size stays the default: 256 KiB and 1 MiB moved bytes no faster (measured, within 3 %), and
 * pages above the user's soft limit (fs.pipe-user-pages-soft) are taken from the pipes of all his
 * other programs.
 */
static int
make_pipe(bool tool_reads, int *ret_ours, int *ret_tools)
{
	int ends[2];
	int ours, tools;

	if (pipe2(ends, O_CLOEXEC) < 0) {
		return -errno;
	}
	ours = above_stdio(ends[tool_reads ? 1 : 0]);
	tools = above_stdio(ends[tool_reads ? 0 : 1]);
	if (ours < 0 || tools < 0 || fcntl(ours, F_SETFL, O_NONBLOCK) < 0) {
		int code = ours < 0 ? ours : tools < 0 ? tools : -errno;

		if (ours >= 0) {
			close(ours);
		}
		if (tools >= 0) {
			close(tools);
		}
		return code;
	}
	*ret_ours = ours;
	*ret_tools = tools;
	return 0;
}

static int
open_dev_null(int access_mode, int *ret_fd)
{
	struct stat st;
	int fd = open("/dev/null", access_mode | O_NOCTTY | O_CLOEXEC);

	fd = fd < 0 ? -errno : above_stdio(fd);
	if (fd < 0) {
		return fd;
	}
	if (fstat(fd, &st) < 0 || !is_dev_null(&st)) {
		close(fd);
		return -ENODEV;
	}
	*ret_fd = fd;
	return 0;
}

static int
make_tool_end(struct relay *r, enum relay_stream s, int *ret_tools)
{
	if (r->terminal) {
		return open_dev_null(O_RDWR, ret_tools);
	}
	if (s == RELAY_STDIN && r->caller_fd[s] < 0) {
		return open_dev_null(O_RDONLY, ret_tools);
	}
	if (r->given[s]) {
		*ret_tools = fcntl(s, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
		return *ret_tools < 0 ? -errno : 0;
	}
	return make_pipe(s == RELAY_STDIN, &r->tool_fd[s], ret_tools);
}

int
relay_init(struct relay *r, int state_dir_fd, const struct relay_options *options,
	   int ret_child_fds[RELAY__COUNT], struct err *err)
{
	bool callers[RELAY__COUNT];
	int child[RELAY__COUNT] = { -1, -1, -1 };
	int rc;

	*r = (struct relay){ .output_limit = options->output_limit,
			     .scanner = options->scanner,
			     .on_leak = options->on_leak,
			     .terminal = options->terminal,
			     .terminal_fd = -1,
			     .stdin_paused = options->terminal };
	for (int s = 0; s < RELAY__COUNT; s++) {
		r->caller_fd[s] = r->io_fd[s] = r->tool_fd[s] = -1;
		spool_init(&r->spool[s], state_dir_fd, options->keep[s]);
		term_filter_init(&r->filter[s]);
		r->given[s] = s == RELAY_STDOUT && options->given_stdout && is_callers(s);
		callers[s] = is_callers(s) && !r->given[s] &&
			     !(s == RELAY_STDIN && options->no_stdin) &&
			     !(s == RELAY_STDERR && options->terminal);
	}
	/* only now: what attach opens could take the number of one that is closed */
	for (int s = 0; s < RELAY__COUNT; s++) {
		rc = callers[s] ? attach(r, s, s, options->raw) : 0;
		if (rc < 0) {
			relay_finish(r);
			return err_sys(err, rc, "look at descriptor %d", s);
		}
	}
	r->one_terminal = is_one_terminal(r);
	rc = r->scanner != NULL ? relay_scan_init(r) : 0;
	if (rc < 0) {
		relay_finish(r);
		return err_sys(err, rc, "memory for the output scan");
	}
	for (int s = 0; s < RELAY__COUNT; s++) {
		rc = make_tool_end(r, s, &child[s]);
		if (rc < 0) {
			while (s-- > 0) {
				close(child[s]);
			}
			relay_finish(r);
			return err_sys(err, rc, "cannot make the tool's stdio");
		}
	}
	memcpy(ret_child_fds, child, sizeof(child));
	return 0;
}

void
relay_leave_terminal(struct relay *r)
{
	if (r->terminal_fd >= 0) {
		close(r->terminal_fd);
		r->terminal_fd = -1;
	}
}

void
relay_finish(struct relay *r)
{
	for (int s = 0; s < RELAY__COUNT; s++) {
		if (r->tool_fd[s] >= 0) {
			close(r->tool_fd[s]);
		}
		if (r->via[s] == RELAY_VIA_OWN) {
			close(r->io_fd[s]);
		}
		r->tool_fd[s] = r->io_fd[s] = r->caller_fd[s] = -1;
		r->via[s] = RELAY_VIA_NOTHING;
		spool_finish(&r->spool[s]);
		buf_finish(&r->pending[s]);
	}
	relay_scan_finish(r);
	relay_leave_terminal(r);
}
