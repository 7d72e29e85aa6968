/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the relay share. One thread plays all parts: the test's own 0, 1, 2 become the
 * caller's ends, and it moves one step at a time, so nothing waits and nothing is raced.
 */
#ifndef AIRLOCK_TESTS_RELAY_WORLD_H
#define AIRLOCK_TESTS_RELAY_WORLD_H

#include "../../../launcher/supervise/relay.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>

#include "../../../launcher/base/fdio.h"
#include "../scratch.h"

#define NO_LIMIT UINT64_MAX

enum kind { CLOSED, PIPE, SOCKET, NULL_DEVICE };

static char dir_path[] = "/tmp/airlock-relay-XXXXXX";
static int dir_fd = -1;
static struct relay relay;
static int tool[RELAY__COUNT] = { -1, -1, -1 }; /* the tool's ends */
static int far[RELAY__COUNT] = { -1, -1, -1 };	/* what the caller holds of its 0, 1, 2 */
static const struct scanner *world_scanner;	/* of the next one that is made */
static enum on_leak world_on_leak;

static inline void
set_up(void)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_not_null(mkdtemp(dir_path));
	dir_fd = open(dir_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(dir_fd, 3);
}

static inline void
tear_down(void)
{
	close(dir_fd);
	cr_assert_eq(rmdir(dir_path), 0, "a capture left a name behind");
}

/* Makes fd the caller's descriptor s. */
static inline void
give(int s, int fd)
{
	cr_assert_eq(dup2(fd, s), s);
	close(fd);
}

static inline void
make_caller_fd(int s, enum kind kind)
{
	int ends[2];

	switch (kind) {
	case CLOSED:
		close(s);
		return;
	case NULL_DEVICE:
		give(s, open("/dev/null", O_RDWR | O_CLOEXEC));
		return;
	case PIPE:
		cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
		far[s] = ends[s == 0 ? 1 : 0];
		give(s, ends[s == 0 ? 0 : 1]);
		break;
	case SOCKET:
		cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
		far[s] = ends[1];
		give(s, ends[0]);
		break;
	}
	cr_assert_eq(fcntl(far[s], F_SETFL, O_NONBLOCK), 0);
}

/* A terminal that passes all bytes as they are: the caller holds its master; its other end. */
static inline int
raw_terminal(int s)
{
	struct termios mode;
	int end;

	cr_assert_eq(openpty(&far[s], &end, NULL, NULL, NULL), 0);
	cr_assert_eq(tcgetattr(end, &mode), 0);
	cfmakeraw(&mode);
	cr_assert_eq(tcsetattr(end, TCSANOW, &mode), 0);
	cr_assert_eq(fcntl(far[s], F_SETFL, O_NONBLOCK), 0);
	return end;
}

static inline void
start_with(uint64_t limit, bool no_stdin, bool raw)
{
	struct err err = ERR_INIT;
	const struct relay_options options = { .scanner = world_scanner,
					       .on_leak = world_on_leak,
					       .output_limit = limit,
					       .keep = { NO_LIMIT, NO_LIMIT, NO_LIMIT },
					       .no_stdin = no_stdin,
					       .raw = raw };

	cr_assert_eq(relay_init(&relay, dir_fd, &options, tool, &err), 0, "%s", err.text);
	for (int s = 0; s < RELAY__COUNT; s++) {
		cr_assert_geq(tool[s], 3);
		cr_assert_eq(fcntl(tool[s], F_GETFD), FD_CLOEXEC);
		cr_assert_eq(fcntl(tool[s], F_GETFL) & O_NONBLOCK, 0);
	}
}

static inline void
start(enum kind in, enum kind out, enum kind error, uint64_t limit)
{
	make_caller_fd(0, in);
	make_caller_fd(1, out);
	make_caller_fd(2, error);
	start_with(limit, false, false);
	for (int s = 0; s < RELAY__COUNT; s++) {
		/* the tool's part is played by this thread: it must not sleep */
		cr_assert_eq(fcntl(tool[s], F_SETFL, O_NONBLOCK), 0);
	}
}

static inline void
drop(int *fd)
{
	cr_assert_eq(close(*fd), 0);
	*fd = -1;
}

static inline void
finish(void)
{
	relay_finish(&relay);
	for (int s = 0; s < RELAY__COUNT; s++) {
		if (tool[s] >= 0) {
			drop(&tool[s]);
		}
		if (far[s] >= 0) {
			drop(&far[s]);
		}
	}
}

/* Steps until nothing is ready; the number of steps. */
static inline int
run(void)
{
	struct pollfd pfds[RELAY_POLL_MAX];
	struct err err = ERR_INIT;

	for (int steps = 0; steps < 100000; steps++) {
		unsigned int count = relay_poll_set(&relay, pfds);

		cr_assert_leq(count, (unsigned int)RELAY_POLL_MAX);
		if (count == 0 || poll(pfds, count, 0) == 0) {
			return steps;
		}
		cr_assert_eq(relay_poll_done(&relay, pfds, count, &err), 0, "%s", err.text);
		for (int s = 0; s < RELAY__COUNT; s++) {
			cr_assert(relay.scanner != NULL || relay.filtered[s] ||
				  relay.pending[s].len <= RELAY_PENDING_MAX);
		}
	}
	cr_assert_fail("never idle: a busy loop");
	return -1;
}

static inline uint8_t *
random_bytes(size_t len, uint32_t seed)
{
	uint8_t *data = malloc(len);

	cr_assert_not_null(data);
	for (size_t i = 0; i < len; i++) {
		seed = seed * 1664525u + 1013904223u;
		data[i] = (uint8_t)(seed >> 24);
	}
	return data;
}

/* Writes what fits of data + *at, at most len - *at and at most chunk. */
static inline void
push(int fd, const uint8_t *data, size_t len, size_t chunk, size_t *at)
{
	size_t want = len - *at < chunk ? len - *at : chunk;
	ssize_t n = want > 0 ? write(fd, data + *at, want) : 0;

	if (n < 0) {
		cr_assert_eq(errno, EAGAIN, "write: %s", strerror(errno));
		return;
	}
	*at += (size_t)n;
}

static inline void
pull(int fd, struct buf *into, size_t chunk)
{
	uint8_t data[1 << 17];
	ssize_t n = read(fd, data, chunk);

	if (n < 0) {
		cr_assert_eq(errno, EAGAIN, "read: %s", strerror(errno));
		return;
	}
	buf_put(into, data, (size_t)n);
}

static inline void
pull_all(int fd, struct buf *into)
{
	size_t before;

	do {
		before = into->len;
		pull(fd, into, 1 << 16);
	} while (into->len > before);
}

static inline void
expect_eof(int fd)
{
	char c;

	cr_assert_eq(read(fd, &c, 1), 0);
}

static inline void
expect_nothing_yet(int fd)
{
	char c;

	cr_assert_eq(read(fd, &c, 1), -1);
	cr_assert_eq(errno, EAGAIN);
}

static inline void
expect_text(int fd, const char *want)
{
	auto_buf got = BUF_INIT;

	pull_all(fd, &got);
	cr_assert_str_eq(buf_text(&got), want);
}

static inline void
send_text(int fd, const char *text)
{
	cr_assert_eq(fdio_write(fd, text, strlen(text)), 0);
}

static inline void
expect_captured(int s, const void *data, size_t len)
{
	const struct spool *spool = &relay.spool[s];
	auto_free uint8_t *back = malloc(len + 1);
	uint8_t want[SHA256_SIZE], got[SHA256_SIZE];

	cr_assert_eq(spool->total_bytes, (uint64_t)len);
	cr_assert_eq(spool->kept_bytes, (uint64_t)len);
	if (spool->fd >= 0) {
		cr_assert_eq(fdio_pread(spool->fd, back, len, 0), 0);
		cr_assert_eq(memcmp(back, data, len), 0);
	} else if (len > 0) {
		cr_assert_eq(memcmp(spool->memory.data, data, len), 0);
	}
	sha256_of(data, len, want);
	spool_digest(spool, got);
	cr_assert_eq(memcmp(want, got, sizeof(want)), 0);
}

static inline void
expect_captured_text(int s, const char *text)
{
	expect_captured(s, text, strlen(text));
}

/* The tool writes until no more can be kept. */
static inline void
expect_end_at_full_disk(void)
{
	const struct rlimit limit = { 100000, RLIM_INFINITY };
	auto_free uint8_t *data = random_bytes(200000, 9);
	struct pollfd pfds[RELAY_POLL_MAX];
	struct err err = ERR_INIT;
	size_t at = 0;
	int code = 0;

	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	while (at < 200000 && code == 0) {
		unsigned int count;

		push(tool[1], data, 200000, 50000, &at);
		count = relay_poll_set(&relay, pfds);
		cr_assert_geq(poll(pfds, count, 0), 1);
		code = relay_poll_done(&relay, pfds, count, &err);
	}
	cr_assert_eq(code, -EFBIG);
	cr_assert_eq(relay.capture_error, -EFBIG);
	cr_assert_str_eq(err.text, "cannot keep the tool's stdout: File too large");
	cr_assert_leq(relay.spool[RELAY_STDOUT].kept_bytes, 100000u);
	/* nothing is read any more: no hole in what is kept, and nothing passes unrecorded */
	cr_assert_eq(relay_poll_set(&relay, pfds), 0u);
	cr_assert_eq(relay_drain(&relay, 100, &err), -EFBIG);
}

static inline void
tool_dies(void)
{
	for (int s = 0; s < RELAY__COUNT; s++) {
		drop(&tool[s]);
	}
}

#endif
