/* SPDX-License-Identifier: Apache-2.0 */
/*
 * airlock-jail: started by the supervisor inside fresh namespaces, with its two sockets at fd 3 and
 * 4; receives a sealed plan, turns it into a sandbox, forks the process that becomes the tool,
 * stays as PID 1. The order of everything is the table in stages.def. Not for people: run without a
 * plan it says so.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/limits.h"
#include "../sys/sys.h"
#include "jail.h"

static const struct {
	const char *name;
	int process;
	int (*run)(struct jail *j);
} stages[] = {
#define X(id, pid, should, must_not) \
	[STAGE_##id] = { .name = #id, .process = (pid), .run = stage_##id },
#include "stages.def"
#undef X
};

_Static_assert(ARRAY_LEN(stages) == STAGE__COUNT, "every stage has a row");

static void __attribute__((noreturn))
fail(struct jail *j, enum jail_stage stage, int code)
{
	struct buf *message = &j->message;

	buf_reset(message);
	buf_u8(message, JAIL_FAILED);
	buf_u8(message, (uint8_t)stage);
	buf_u32(message, (uint32_t)-code);
	buf_str(message, j->err.text[0] != '\0' ? j->err.text : strerror(-code));
	ignore_err(sys_send_message(j->channel, message->data, message->len, NULL, 0),
		   "the supervisor sees our death all the same");
	_exit(125);
}

static void
run_stages(struct jail *j, int process)
{
	for (enum jail_stage s = 0; s < STAGE__COUNT; s++) {
		int rc;

		if (stages[s].process != process) {
			continue;
		}
		rc = stages[s].run(j);
		if (rc < 0) {
			fail(j, s, rc);
		}
	}
}

/* Puts what came with the plan where the plan says it is; anything else is an error. */
static int
place_descriptors(const struct plan *p, const int fds[SYS_FDS_MAX])
{
	static const uint32_t flags[] = { PLAN_WORKSPACE_FD, PLAN_UPPER_FD, PLAN_DRAFT_FD };
	int count = (int)p->credential_count;

	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		count += (p->flags & flags[i]) != 0;
	}
	for (int i = 0; i < count; i++) {
		int fd = i + 1 < SYS_FDS_MAX ? fds[1 + i] : -1, place = JAIL_FD_WORKSPACE + i;

		if (fd < 0) {
			return -EBADF;
		}
		if (fd != place) {
			if (dup3(fd, place, O_CLOEXEC) < 0) {
				return -errno;
			}
			close(fd);
		}
	}
	return count + 1 < SYS_FDS_MAX && fds[1 + count] >= 0 ? -EBADF : 0;
}

/*
 * The supervisor makes the plan, and the mounts that only root can, while the kernel makes our
 * namespaces.
 */
static int
receive_plan(struct plan *ret_plan)
{
	uint8_t message[8];
	int fds[SYS_FDS_MAX];
	struct stat st;
	void *bytes;
	pid_t pid;
	int rc;

	if (sys_recv_message(JAIL_FD_STATUS, message, sizeof(message), fds, &pid) != 1 ||
	    message[0] != JAIL_PLAN || fds[0] < 0) {
		return -EBADF;
	}
	if (sys_memfd_check_sealed(fds[0]) < 0 || fstat(fds[0], &st) < 0) {
		return -EBADF;
	}
	if (st.st_size <= 0 || (uint64_t)st.st_size > CAP_PLAN) {
		return -EBADMSG;
	}
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fds[0], 0);
	if (bytes == MAP_FAILED) {
		return -errno;
	}
	close(fds[0]);
	rc = plan_decode(bytes, (size_t)st.st_size, ret_plan);
	return rc < 0 ? rc : place_descriptors(ret_plan, fds);
}

int
main(int argc, char **argv)
{
	struct plan plan;
	struct jail jail = { .plan = &plan,
			     .channel = JAIL_FD_STATUS,
			     .host_root = -1,
			     .root = -1,
			     .scratch = -1,
			     .empty = -1,
			     .layer = -1,
			     .parent = -1,
			     .upper = -1,
			     .below = -1,
			     .proc = -1,
			     .null = -1,
			     .listener = -1,
			     .message = BUF_INIT,
			     .err = ERR_INIT };
	pid_t tool;

	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		dprintf(STDOUT_FILENO, "airlock-jail %s\n", AIRLOCK_VERSION);
		return 0;
	}
	if (receive_plan(&plan) < 0) {
		dprintf(STDERR_FILENO, "airlock-jail: no sealed plan came on descriptor %d; "
				       "this program is started by airlock, see airlock-jail(8)\n",
			JAIL_FD_STATUS);
		return 125;
	}
	for (int i = 0; i < JAIL_MESSAGE_MAX; i++) {
		buf_u8(&jail.message, 0);
	}
	if (buf_error(&jail.message) < 0) {
		return 125;
	}
	run_stages(&jail, 1);
	tool = fork();
	if (tool < 0) {
		err_sys(&jail.err, -errno, "fork of the tool's process");
		fail(&jail, STAGE_landlock, -errno);
	}
	if (tool == 0) {
		close(JAIL_FD_STATUS);
		jail.channel = JAIL_FD_TOOL;
		run_stages(&jail, 2);
	}
	close(JAIL_FD_TOOL);
	credentials_leave(&plan);
	run_stages(&jail, 3);
	init_run(&jail, tool);
}
