/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs one probe in a child, as the caller or the owner that root would become, and there inside
 * fresh namespaces when asked. The child never execs; its answer is a code and a text on a pipe,
 * which only our own code writes.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "../base/clock.h"
#include "../base/fdio.h"
#include "../sys/sys.h"
#include "cmd_doctor_internal.h"

#define TRY_MS 10000u
#define ANSWER_MAX (64u << 10)
#define POWERLESS_INSIDE 1000u /* the tool's id where the workspace is root's */

/* The same that a jail is born into (supervise/spawn.c). */
#define NAMESPACE_FLAGS                                                                            \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS)

static void
answer(int fd, int code, const struct buf *text)
{
	auto_buf bytes = BUF_INIT;

	buf_u32(&bytes, (uint32_t)-code);
	buf_put(&bytes, text->data, text->len);
	if (buf_error(&bytes) == 0) {
		ignore_err(fdio_write(fd, bytes.data, bytes.len),
			   "the parent counts silence as death");
	}
}

/*
 * After the drop nobody but root may take this process over, and it cannot write its own id maps.
 * Before it is opened to its owner for that, it has nothing more of root's: not his session, and
 * with that his terminal, not what he had open, and not what he was started with.
 */
static int
open_to_owner(int *answer_fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int fds[] = { null, null, null, *answer_fd };
	int rc = null < 0 || setsid() < 0 ? -errno : sys_place_fds(fds, ARRAY_LEN(fds));

	if (rc < 0) {
		return rc;
	}
	*answer_fd = 3;
	for (char **e = environ; *e != NULL; e++) {
		explicit_bzero(*e, strlen(*e));
	}
	environ = NULL;
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) < 0 ? -errno : 0;
}

static int
write_text(const char *path, const char *text)
{
	auto_fd fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fdio_write(fd, text, strlen(text));
}

/* One id, as a jail that maps itself does it. */
static int
write_maps(uid_t uid, gid_t gid)
{
	char line[64];
	int rc = write_text("/proc/self/setgroups", "deny");

	if (rc == 0) {
		snprintf(line, sizeof(line), "%u %u 1", uid != 0 ? uid : POWERLESS_INSIDE, uid);
		rc = write_text("/proc/self/uid_map", line);
	}
	if (rc == 0) {
		snprintf(line, sizeof(line), "%u %u 1", gid != 0 ? gid : POWERLESS_INSIDE, gid);
		rc = write_text("/proc/self/gid_map", line);
	}
	return rc;
}

static int
act_inside(const struct doctor *d, uid_t uid, gid_t gid,
	   int (*act)(const struct doctor *d, struct buf *ret_text), int *answer_fd,
	   struct buf *text)
{
	int rc = d->becomes ? open_to_owner(answer_fd) : 0;

	rc = rc < 0 ? rc : write_maps(uid, gid);
	if (rc < 0) {
		buf_puts(text, "write the id maps");
		return rc;
	}
	return act(d, text);
}

/* The child of the child, when there are namespaces to make. */
static void
try_inside(const struct doctor *d, int fd, int (*act)(const struct doctor *d, struct buf *ret_text))
{
	auto_buf text = BUF_INIT;
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int pidfd = -1, status = 0;
	pid_t pid = sys_clone3(NAMESPACE_FLAGS, -1, &pidfd);

	if (pid < 0) {
		buf_puts(&text, "clone3 into fresh namespaces");
		answer(fd, pid, &text);
		return;
	}
	if (pid == 0) {
		int rc;

		ignore_err(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "the pipe's end ends us too");
		rc = act_inside(d, uid, gid, act, &fd, &text);
		answer(fd, rc, &text);
		_exit(0);
	}
	close(pidfd);
	if (sys_wait(pid, &status) == 0 && WIFSIGNALED(status)) {
		buf_printf(&text, "the child was killed by SIG%s", sigabbrev_np(WTERMSIG(status)));
		answer(fd, -ECHILD, &text);
	}
}

static void __attribute__((noreturn))
child_main(const struct doctor *d, unsigned int how, int fd,
	   int (*act)(const struct doctor *d, struct buf *ret_text))
{
	auto_buf text = BUF_INIT;
	int rc = (how & TRY_AS_OWNER) != 0 && d->becomes ? sys_become(d->uid, d->gid) : 0;

	ignore_err(prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0), "a probe is short");
	if (rc < 0) {
		buf_printf(&text, "become uid %u", d->uid);
	} else if ((how & TRY_NAMESPACES) != 0) {
		try_inside(d, fd, act);
		_exit(0);
	} else {
		rc = act(d, &text);
	}
	answer(fd, rc, &text);
	_exit(0);
}

/* Everything up to the pipe's end; -ETIMEDOUT. */
static int
read_answer(int fd, struct buf *ret_bytes)
{
	uint64_t deadline = clock_monotonic_ns() + TRY_MS * UINT64_C(1000000);

	for (;;) {
		char part[4096];
		struct pollfd p = { .fd = fd, .events = POLLIN };
		uint64_t now = clock_monotonic_ns();
		ssize_t n;

		if (now >= deadline) {
			return -ETIMEDOUT;
		}
		if (poll(&p, 1, (int)((deadline - now) / 1000000u) + 1) <= 0) {
			continue;
		}
		n = read(fd, part, sizeof(part));
		if (n < 0 && errno != EINTR) {
			return -errno;
		}
		if (n == 0 || ret_bytes->len > ANSWER_MAX) {
			return 0;
		}
		buf_put(ret_bytes, part, n > 0 ? (size_t)n : 0);
	}
}

int
doctor_try(const struct doctor *d, unsigned int how,
	   int (*act)(const struct doctor *d, struct buf *ret_text), struct buf *ret_text)
{
	auto_buf bytes = BUF_INIT;
	int pipe_fds[2], status = 0, rc;
	uint32_t code;
	struct rd r;
	pid_t pid;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0) {
		return -errno;
	}
	pid = fork();
	if (pid == 0) {
		close(pipe_fds[0]);
		child_main(d, how, pipe_fds[1], act);
	}
	rc = pid < 0 ? -errno : 0;
	close(pipe_fds[1]);
	if (rc == 0) {
		rc = read_answer(pipe_fds[0], &bytes);
		/*
		 * Its answer is in, or its time is up; it is ours and not reaped, so the number is
		 * still its own.
		 */
		kill(pid, SIGKILL);
		ignore_err(sys_wait(pid, &status), "then its end has no name below");
	}
	close(pipe_fds[0]);
	if (rc < 0) {
		return rc;
	}
	r = (struct rd){ .p = bytes.data, .left = bytes.len };
	code = rd_u32(&r);
	if (r.bad) {
		buf_printf(ret_text, "the child was killed by SIG%s",
			   WIFSIGNALED(status) ? sigabbrev_np(WTERMSIG(status)) : "?");
		return -ECHILD;
	}
	buf_put(ret_text, r.p, r.left);
	return -(int)code;
}
