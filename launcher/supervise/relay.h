/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stdin, stdout, stderr between the caller and the tool. The tool holds our pipes, never the
 * caller's descriptors. Byte-exact unless the caller's own stdout or stderr is a terminal (then
 * sequences that act on it are escaped, see term_filter), and unless a scanner is given: then what
 * it finds in stdout and stderr is replaced, or ends the call. What passes is hashed and captured
 * before it does.
 *
 * The caller's descriptors may be shared with a shell, a gateway, other calls: O_NONBLOCK is never
 * set on them, nor is its absence assumed. So that nobody who shares one can make us sleep (our
 * deadlines are kept by the same thread), pipes and terminals are opened anew for our own use where
 * that is permitted, sockets are used with MSG_DONTWAIT, and what is left is polled first and
 * written in pieces of at most PIPE_BUF.
 *
 * Single-threaded, run from the supervisor's one poll loop. The process must ignore SIGPIPE (and
 * SIGXFSZ, or the caller's RLIMIT_FSIZE ends it).
 */
#ifndef AIRLOCK_SUPERVISE_RELAY_H
#define AIRLOCK_SUPERVISE_RELAY_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/json.h"
#include "../profile/profile.h"
#include "../scan/scan_stream.h"
#include "spool.h"
#include "term_filter.h"
#include "term_screen.h"

/*
 * Read from one side and not yet written to the other, at most (per stream; escaping can make it 4
 * times, a mark can be longer than what it stands for, and what the scanner held comes to it).
 */
#define RELAY_PENDING_MAX (64u << 10)

enum relay_stream { RELAY_STDIN, RELAY_STDOUT, RELAY_STDERR, RELAY__COUNT };

/* How a descriptor of the caller is used. */
enum relay_via {
	RELAY_VIA_NOTHING, /* closed, or not wanted */
	RELAY_VIA_FILE,    /* regular files and block devices: always ready, plain calls */
	RELAY_VIA_SOCKET,  /* MSG_DONTWAIT */
	RELAY_VIA_OWN,     /* a pipe or terminal that we opened anew, non-blocking */
	RELAY_VIA_SHARED,  /* the caller's own open description: polled, small pieces */
	RELAY_VIA__COUNT
};

/* What was found: one for each item, form and stream, in the order of the first time. */
struct relay_leak {
	unsigned int item; /* of the scanner */
	enum scan_form form;
	enum relay_stream stream;
	uint64_t count;
	uint64_t offset;   /* of the first one, in the stream as the tool wrote it */
};

struct relay_options {
	const struct scanner *scanner; /* borrowed until relay_finish; NULL: no value is leased */
	enum on_leak on_leak;
	uint64_t output_limit; /* stdout + stderr together, as the tool writes them */
	uint64_t keep[RELAY__COUNT]; /* bytes of each stream that are kept, from its start */
	bool no_stdin;         /* the caller's stdin is left alone */
	bool given_stdout;     /* the tool gets the caller's stdout itself, and it is not read */
	bool raw;              /* nothing is escaped on a terminal */
	bool terminal;         /* the tool gets a terminal: one stream each way, see below */
};

struct relay {
	int caller_fd[RELAY__COUNT];  /* borrowed: 0, 1, 2 or -1 (closed by the caller, or -n) */
	int io_fd[RELAY__COUNT];      /* bytes move here: ours when RELAY_VIA_OWN, else caller_fd */
	enum relay_via via[RELAY__COUNT];
	int tool_fd[RELAY__COUNT];    /* ours: the supervisor's end of each pipe; -1 when done */
	struct spool spool[RELAY__COUNT];
	struct buf pending[RELAY__COUNT]; /* read but not written on yet; bounded */
	struct term_filter filter[RELAY__COUNT]; /* of stdout and stderr when that is a terminal */
	bool filtered[RELAY__COUNT];
	struct term_cut cut[RELAY__COUNT]; /* of each that is filtered */
	bool one_terminal; /* stdout and stderr are filtered, and get to the same one */
	bool given[RELAY__COUNT]; /* the tool has the caller's own, and nothing passes here */
	struct term_screen screen; /* instead of it, of a tool that has a terminal */
	bool screen_suspended;
	/*
	 * The caller's side failed (EPIPE, EIO, ENOSPC, …) or did not read in time: stdin has ended
	 * for the tool, stdout and stderr are drained and captured on, but written no more.
	 */
	bool caller_gone[RELAY__COUNT];
	/*
	 * The tool's three are one terminal, made by the jail; stdin and stdout are its master
	 * here, and stderr is unused.
	 */
	bool terminal;
	int terminal_fd; /* its other end: there also when the tool has closed all of its own */
	bool stdin_is_terminal;
	bool stdin_ended;             /* the tool was told of the end of the caller's stdin */
	bool stdin_paused;            /* the caller's stdin is not read for now */
	bool stdin_over;              /* a terminal does not end with it: it is told */
	uint64_t end_said_ns; /* CLOCK_MONOTONIC; 0: not yet */
	bool end_said_as_key; /* in a mode without lines */
	bool mid_line;                /* what was last read of it was no end of a line */
	/*
	 * The reader is gone for good (EPIPE): the tool's pipe is closed, so that it gets SIGPIPE.
	 */
	bool hang_up[RELAY__COUNT];
	uint64_t output_limit;        /* stdout + stderr together */
	uint64_t output_bytes;        /* read of both */
	bool over_limit;              /* set once; the supervisor ends the call */
	const struct scanner *scanner;
	enum on_leak on_leak;
	struct scan_stream scan[RELAY__COUNT]; /* of stdout and stderr, with a scanner */
	struct relay_leak *leaks;     /* owned */
	size_t leak_count, leak_cap;
	/* Set once, by LEAK_STOP: nothing is read any more, the supervisor ends the call. */
	bool leaked;
	int capture_error;            /* -errno; from then on nothing is read any more */
};

/* A relay that was not made yet: relay_finish does nothing. */
#define RELAY_INIT                                                                                 \
	{ .tool_fd = { -1, -1, -1 },                                                               \
	  .terminal_fd = -1,                                                                       \
	  .spool = { { .fd = -1 }, { .fd = -1 }, { .fd = -1 } } }

/*
 * Makes the pipes. ret_child_fds[0..2] are the tool's ends, to be given to the jail as 0, 1, 2 and
 * closed here; all descriptors made are above 2. A process that runs the tool with another uid than
 * its own must fchown those ends to it, else the tool cannot open /dev/stdout. A descriptor 0, 1, 2
 * that is closed, or has FD_CLOEXEC (then this process opened it, not its caller), is -1: output is
 * only captured. Without a stdin, or when it is /dev/null or a terminal on which we are in the
 * background, the tool gets a /dev/null of ours, which tools tell from an empty pipe (rg searches a
 * pipe instead of the directory). With a terminal the jail is born with /dev/null three times, and
 * nothing moves until relay_take_terminal.
 */
int relay_init(struct relay *r, int state_dir_fd, const struct relay_options *options,
	       int ret_child_fds[RELAY__COUNT], struct err *err) must_check;
/*
 * The master of the tool's terminal, which is ours from here on. What the caller's stdin ends with
 * is the terminal's end-of-file character. stdin stays paused until the supervisor says otherwise.
 */
int relay_take_terminal(struct relay *r, int master_fd, struct err *err) must_check;
/* Around the time in which the caller's shell has the terminal; the second does nothing alone. */
void relay_suspend_screen(struct relay *r);
void relay_resume_screen(struct relay *r);
/*
 * Fills pfds (at least RELAY_POLL_MAX) with what to wait for now; returns the count, 0 when all is
 * done.
 */
#define RELAY_POLL_MAX 6
unsigned int relay_poll_set(struct relay *r, struct pollfd *pfds);
/*
 * Moves bytes for what poll reported (same array, same count). 0, or -errno when capture failed
 * (disk full: the supervisor must end the call).
 */
int relay_poll_done(struct relay *r, const struct pollfd *pfds, unsigned int count,
		    struct err *err) must_check;
/*
 * After the tool is dead: drains what is left in its pipes and writes everything pending. grace_ms
 * bounds how long a caller that does not read may hold us; what it did not take by then is captured
 * all the same. A terminal's screen is put back, in as much time again. -errno when capture failed,
 * now or before.
 */
int relay_drain(struct relay *r, int grace_ms, struct err *err) must_check;
/* From here on it hangs up once the tool's processes are gone. */
void relay_leave_terminal(struct relay *r);
/* What is said of a call that ended by it: item, form, stream; never the value. */
void relay_leak_text(const struct relay *r, char *ret_text, size_t size);
/* One row of what the record says of leaks; form NULL: none, offset -1: not known. */
void relay_leak_write(struct json *j, const char *item, const char *stream, const char *form,
		      int64_t offset, uint64_t count);
/* All leaks, as the record wants them, into the array that is open. */
void relay_leaks_write(const struct relay *r, struct json *j);
void relay_finish(struct relay *r);

#endif
