/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs as the developer or CI. What can be tried of the raw calls without a namespace: sealed
 * memfds, messages with descriptors, openat2's resolve flags, close_range. Namespaces are tried by
 * tests/e2e.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../launcher/sys/sys.h"
#include "../scratch.h"

static int
flags_of(int fd)
{
	return fcntl(fd, F_GETFD);
}

/* ---- memfd ----------------------------------------------------------------------------------- */

Test(sys_memfd, holds_the_bytes_and_is_sealed_against_every_change)
{
	auto_fd fd = sys_memfd_sealed("test", "abc\0def", 7);
	char back[16] = "";
	struct stat st;

	cr_assert_geq(fd, 0);
	cr_assert_eq(fstat(fd, &st), 0);
	cr_expect_eq(st.st_size, 7);
	cr_expect_eq(pread(fd, back, sizeof(back), 0), 7);
	cr_expect_eq(memcmp(back, "abc\0def", 7), 0);
	cr_expect_eq(flags_of(fd), FD_CLOEXEC);
	cr_expect_eq(sys_memfd_check_sealed(fd), 0);
	errno = 0;
	cr_expect_eq(pwrite(fd, "X", 1, 0), -1);
	cr_expect_eq(errno, EPERM);
	errno = 0;
	cr_expect_eq(ftruncate(fd, 3), -1);
	cr_expect_eq(errno, EPERM);
	errno = 0;
	cr_expect_eq(ftruncate(fd, 30), -1);
	cr_expect_eq(errno, EPERM);
	errno = 0;
	cr_expect_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), -1);
	cr_expect_eq(errno, EPERM);
	errno = 0;
	cr_expect_eq(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	cr_expect_eq(errno, EPERM);
}

Test(sys_memfd, empty)
{
	auto_fd fd = sys_memfd_sealed("empty", "", 0);

	cr_assert_geq(fd, 0);
	cr_expect_eq(sys_memfd_check_sealed(fd), 0);
}

Test(sys_memfd, a_large_one_is_whole)
{
	size_t len = 3u << 20;
	uint8_t *data = malloc(len);
	auto_fd fd = -1;
	uint8_t end[2];

	cr_assert_not_null(data);
	memset(data, 7, len);
	data[len - 1] = 9;
	fd = sys_memfd_sealed("large", data, len);
	free(data);
	cr_assert_geq(fd, 0);
	cr_expect_eq(pread(fd, end, 2, (off_t)len - 2), 2);
	cr_expect_eq(end[0], 7);
	cr_expect_eq(end[1], 9);
}

/* One seal less is not sealed. */
Test(sys_memfd, what_is_not_wholly_sealed_is_found)
{
	static const int seals[] = { F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE };

	for (size_t missing = 0; missing < ARRAY_LEN(seals); missing++) {
		auto_fd fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		int some = 0;

		cr_assert_geq(fd, 0);
		for (size_t i = 0; i < ARRAY_LEN(seals); i++) {
			some |= i == missing ? 0 : seals[i];
		}
		cr_assert_eq(fcntl(fd, F_ADD_SEALS, some), 0);
		cr_expect_eq(sys_memfd_check_sealed(fd), -EPERM, "without seal %x", seals[missing]);
	}
}

Test(sys_memfd, other_files_are_not_sealed)
{
	auto_fd file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	auto_fd null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	cr_expect_eq(sys_memfd_check_sealed(file), -EINVAL);
	cr_expect_eq(sys_memfd_check_sealed(null), -EINVAL);
	cr_expect_eq(sys_memfd_check_sealed(-1), -EBADF);
}

/* ---- messages -------------------------------------------------------------------------------- */

static void
make_pair(int pair[2])
{
	const int on = 1;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	cr_assert_eq(setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
}

static void
close_pair(int pair[2])
{
	close(pair[0]);
	close(pair[1]);
}

Test(sys_message, bytes_descriptors_and_the_senders_pid)
{
	int pair[2], fds[SYS_FDS_MAX];
	unsigned int before;
	pid_t pid = 0;
	char data[16] = "";
	struct stat sent, got;

	make_pair(pair);
	auto_fd a = open("/dev/null", O_RDONLY | O_CLOEXEC);
	auto_fd b = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	const int out[] = { a, b };

	before = scratch_count_fds();
	cr_assert_eq(sys_send_message(pair[1], "hello", 5, out, 2), 0);
	cr_assert_eq(sys_recv_message(pair[0], data, sizeof(data), fds, &pid), 5);
	cr_expect_str_eq(data, "hello");
	cr_expect_eq(pid, getpid());
	cr_assert_geq(fds[0], 0);
	cr_assert_geq(fds[1], 0);
	cr_expect_eq(fds[2], -1);
	cr_expect_eq(fds[3], -1);
	for (size_t i = 0; i < 2; i++) {
		cr_expect_eq(flags_of(fds[i]), FD_CLOEXEC);
		cr_assert_eq(fstat(out[i], &sent), 0);
		cr_assert_eq(fstat(fds[i], &got), 0);
		cr_expect_eq(sent.st_rdev, got.st_rdev);
		close(fds[i]);
	}
	cr_expect_eq(scratch_count_fds(), before);
	close_pair(pair);
}

Test(sys_message, none_is_minus_one)
{
	int pair[2], fds[SYS_FDS_MAX] = { 0, 0, 0, 0 };
	pid_t pid = 0;
	char data[4];

	make_pair(pair);
	cr_assert_eq(sys_send_message(pair[1], "x", 1, NULL, 0), 0);
	cr_assert_eq(sys_recv_message(pair[0], data, sizeof(data), fds, &pid), 1);
	for (size_t i = 0; i < SYS_FDS_MAX; i++) {
		cr_expect_eq(fds[i], -1, "slot %zu", i);
	}
	cr_expect_eq(pid, getpid());
	close_pair(pair);
}

Test(sys_message, as_many_as_there_may_be)
{
	int pair[2], fds[SYS_FDS_MAX], out[SYS_FDS_MAX + 1];
	pid_t pid;
	char data[4];

	make_pair(pair);
	for (size_t i = 0; i <= SYS_FDS_MAX; i++) {
		out[i] = STDERR_FILENO;
	}
	cr_expect_eq(sys_send_message(pair[1], "x", 1, out, SYS_FDS_MAX + 1), -E2BIG);
	cr_assert_eq(sys_send_message(pair[1], "x", 1, out, SYS_FDS_MAX), 0);
	cr_assert_eq(sys_recv_message(pair[0], data, sizeof(data), fds, &pid), 1);
	for (size_t i = 0; i < SYS_FDS_MAX; i++) {
		cr_assert_geq(fds[i], 0, "slot %zu", i);
		close(fds[i]);
	}
	close_pair(pair);
}

/*
 * More descriptors than agreed, by a sender that is not sys_send_message: refused, and none stays
 * open.
 */
Test(sys_message, too_many_descriptors_do_not_leak)
{
	enum { MANY = 2 * SYS_FDS_MAX + 1 };
	union {
		char space[CMSG_SPACE(MANY * sizeof(int))];
		struct cmsghdr align;
	} control = { .space = "" };
	struct iovec iov = { .iov_base = "x", .iov_len = 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space,
			      .msg_controllen = sizeof(control.space) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	int pair[2], fds[SYS_FDS_MAX], out[MANY];
	unsigned int before;
	pid_t pid;
	char data[4];

	make_pair(pair);
	for (size_t i = 0; i < MANY; i++) {
		out[i] = STDERR_FILENO;
	}
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(out));
	memcpy(CMSG_DATA(c), out, sizeof(out));
	before = scratch_count_fds();
	cr_assert_eq(sendmsg(pair[1], &msg, 0), 1);
	cr_expect_eq(sys_recv_message(pair[0], data, sizeof(data), fds, &pid), -EMSGSIZE);
	cr_expect_eq(scratch_count_fds(), before);
	close_pair(pair);
}

Test(sys_message, a_cut_message_is_refused_and_its_descriptors_closed)
{
	int pair[2], fds[SYS_FDS_MAX];
	unsigned int before;
	const int out[] = { STDERR_FILENO };
	pid_t pid;
	char data[4];

	make_pair(pair);
	before = scratch_count_fds();
	cr_assert_eq(sys_send_message(pair[1], "longer than four", 16, out, 1), 0);
	cr_expect_eq(sys_recv_message(pair[0], data, sizeof(data), fds, &pid), -EMSGSIZE);
	cr_expect_eq(fds[0], -1);
	cr_expect_eq(scratch_count_fds(), before);
	close_pair(pair);
}

Test(sys_message, the_other_end_is_gone)
{
	int pair[2], fds[SYS_FDS_MAX];
	pid_t pid;
	char data[4];

	make_pair(pair);
	close(pair[1]);
	cr_expect_eq(sys_recv_message(pair[0], data, sizeof(data), fds, &pid), 0);
	cr_expect_eq(sys_send_message(pair[0], "x", 1, NULL, 0), -EPIPE); /* and no SIGPIPE */
	close(pair[0]);
}

/* ---- openat2 --------------------------------------------------------------------------------- */

static char dir[64];
static int dir_fd = -1;

static void
make_tree(void)
{
	strcpy(dir, "/tmp/airlock-sys-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(dir_fd, 0);
	cr_assert_eq(mkdirat(dir_fd, "sub", 0755), 0);
	cr_assert_eq(symlinkat("sub", dir_fd, "inner"), 0);
	cr_assert_eq(symlinkat("/etc", dir_fd, "absolute"), 0);
	cr_assert_eq(symlinkat("../../../../etc", dir_fd, "up"), 0);
	cr_assert_eq(symlinkat("/proc/self/root/etc", dir_fd, "magic"), 0);
}

static void
remove_tree(void)
{
	static const char *const links[] = { "inner", "absolute", "up", "magic" };

	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		cr_expect_eq(unlinkat(dir_fd, links[i], 0), 0);
	}
	cr_expect_eq(unlinkat(dir_fd, "sub", AT_REMOVEDIR), 0);
	close(dir_fd);
	cr_expect_eq(rmdir(dir), 0);
}

TestSuite(sys_openat2, .init = make_tree, .fini = remove_tree);

Test(sys_openat2, resolve_flags)
{
	static const struct {
		const char *path;
		uint64_t resolve;
		int rc; /* 0: opens */
	} rows[] = {
		/* the positive control: without a flag every one of them opens */
		{ "sub", 0, 0 },
		{ "inner", 0, 0 },
		{ "absolute", 0, 0 },
		{ "up", 0, 0 },
		{ "magic", 0, 0 },
		{ "../..", 0, 0 },
		{ "sub", SYS_RESOLVE_NO_SYMLINKS, 0 },
		{ "inner", SYS_RESOLVE_NO_SYMLINKS, -ELOOP },
		{ "absolute", SYS_RESOLVE_NO_SYMLINKS, -ELOOP },
		{ "inner", SYS_RESOLVE_BENEATH, 0 },
		{ "absolute", SYS_RESOLVE_BENEATH, -EXDEV },
		{ "up", SYS_RESOLVE_BENEATH, -EXDEV },
		{ "..", SYS_RESOLVE_BENEATH, -EXDEV },
		{ "sub/..", SYS_RESOLVE_BENEATH, 0 },
		/* in a root of its own "/etc" is not there, however it is asked for */
		{ "absolute", SYS_RESOLVE_IN_ROOT, -ENOENT },
		{ "up", SYS_RESOLVE_IN_ROOT, -ENOENT },
		{ "/sub", SYS_RESOLVE_IN_ROOT, 0 },
		{ "../../sub", SYS_RESOLVE_IN_ROOT, 0 },
		{ "magic", SYS_RESOLVE_NO_MAGICLINKS, -ELOOP },
		{ "absolute", SYS_RESOLVE_NO_MAGICLINKS, 0 },
		{ "sub", SYS_RESOLVE_NO_XDEV, 0 },
		{ "sub", UINT64_C(1) << 40, -EINVAL }, /* an unknown flag is never ignored */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_fd fd = sys_openat2(dir_fd, rows[i].path, O_PATH, 0, rows[i].resolve);

		cr_expect_eq(fd < 0 ? fd : 0, rows[i].rc, "%s, resolve %llx: %d", rows[i].path,
			     (unsigned long long)rows[i].resolve, fd);
		if (fd >= 0) {
			cr_expect_eq(flags_of(fd), FD_CLOEXEC, "%s", rows[i].path);
		}
	}
}

Test(sys_openat2, another_mount_is_refused_when_asked)
{
	auto_fd with = sys_openat2(AT_FDCWD, "/proc/self", O_PATH, 0, SYS_RESOLVE_NO_XDEV);
	auto_fd without = sys_openat2(AT_FDCWD, "/proc/self", O_PATH, 0, 0);

	cr_expect_eq(with, -EXDEV);
	cr_expect_geq(without, 0);
}

Test(sys_openat2, mode_is_for_creation_only)
{
	cr_expect_eq(sys_openat2(dir_fd, "sub", O_RDONLY, 0644, 0), -EINVAL);
	auto_fd fd = sys_openat2(dir_fd, "sub/new", O_WRONLY | O_CREAT | O_EXCL, 0600,
				 SYS_RESOLVE_BENEATH);
	struct stat st;

	cr_assert_geq(fd, 0);
	cr_assert_eq(fstat(fd, &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0600u);
	cr_expect_eq(unlinkat(dir_fd, "sub/new", 0), 0);
}

/* ---- close_range ----------------------------------------------------------------------------- */

Test(sys_close_range, closes_the_range_and_nothing_else)
{
	int low = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 300);
	int first = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 400);
	int last = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 450);
	int high = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 500);

	cr_assert_eq(low, 300);
	cr_assert_eq(high, 500);
	cr_assert_eq(sys_close_range((unsigned int)first, (unsigned int)last, 0), 0);
	errno = 0;
	cr_expect_eq(flags_of(first), -1);
	cr_expect_eq(errno, EBADF);
	cr_expect_eq(flags_of(last), -1);
	cr_expect_eq(flags_of(low), FD_CLOEXEC);
	cr_expect_eq(flags_of(high), FD_CLOEXEC);
	close(low);
	close(high);
}

Test(sys_close_range, marks_instead_of_closing)
{
	int fd = fcntl(STDERR_FILENO, F_DUPFD, 400);

	cr_assert_eq(flags_of(fd), 0);
	cr_assert_eq(sys_close_range(400, 400, 1u << 2), 0); /* CLOSE_RANGE_CLOEXEC */
	cr_expect_eq(flags_of(fd), FD_CLOEXEC);
	close(fd);
}

Test(sys_close_range, a_range_that_runs_backwards)
{
	cr_expect_eq(sys_close_range(9, 8, 0), -EINVAL);
}

/* Two that change places, one of them twice; in a child, which has nothing else then. */
static bool
are_placed(void)
{
	int fds[] = { STDOUT_FILENO, STDIN_FILENO, STDOUT_FILENO };
	struct stat in, out, now[3];

	if (dup2(sys_memfd_sealed("in", "", 0), STDIN_FILENO) != STDIN_FILENO ||
	    dup2(sys_memfd_sealed("out", "", 0), STDOUT_FILENO) != STDOUT_FILENO ||
	    fstat(STDIN_FILENO, &in) < 0 || fstat(STDOUT_FILENO, &out) < 0 ||
	    sys_place_fds(fds, 3) < 0) {
		return false;
	}
	for (int i = 0; i < 3; i++) {
		if (fstat(i, &now[i]) < 0 || flags_of(i) != 0) {
			return false;
		}
	}
	return now[0].st_ino == out.st_ino && now[1].st_ino == in.st_ino &&
	       now[2].st_ino == out.st_ino && flags_of(3) == -1;
}

Test(sys_place_fds, any_numbers_and_nothing_else)
{
	int status = -1;
	pid_t child = fork();

	if (child == 0) {
		_exit(are_placed() ? 0 : 1);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect_eq(status, 0);
}

/* ---- the rest that needs no namespace -------------------------------------------------------- */

/* What the child that runs act exits with. */
static int
exit_of(int (*act)(pid_t parent))
{
	pid_t parent = getpid(), pid = fork();
	int status = 0;

	if (pid == 0) {
		_exit(act(parent));
	}
	cr_assert_eq(sys_wait(pid, &status), 0);
	cr_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int
end_with(pid_t parent)
{
	int sig = 0, rc = sys_end_with_parent(parent, SIGUSR2);

	return rc == 0 && prctl(PR_GET_PDEATHSIG, &sig) == 0 ? sig : -rc;
}

static int
end_with_another(pid_t parent)
{
	return end_with(parent + 1);
}

Test(sys_process, end_with_the_parent_and_with_nobody_else)
{
	cr_expect_eq(exit_of(end_with), SIGUSR2);
	cr_expect_eq(exit_of(end_with_another), ESRCH);
}

static int
leave_twice(pid_t parent)
{
	char path[8] = "";

	(void)parent;
	return sys_leave_caller() == 0 && getsid(0) == getpid() && sys_leave_caller() == 0 &&
	       getcwd(path, sizeof(path)) != NULL && strcmp(path, "/") == 0;
}

Test(sys_process, leaves_the_callers_session_and_directory)
{
	cr_expect_eq(exit_of(leave_twice), 1);
}

Test(sys_process, pidfd_of_oneself_and_of_nobody)
{
	auto_fd fd = sys_pidfd_open(getpid());

	cr_assert_geq(fd, 0);
	cr_expect_eq(flags_of(fd), FD_CLOEXEC);
	cr_expect_eq(sys_pidfd_send_signal(fd, 0), 0);
	cr_expect_eq(sys_pidfd_open(-1), -EINVAL);
	cr_expect_eq(sys_pidfd_send_signal(-1, 0), -EBADF);
}

Test(sys_process, capability_sets_are_those_of_the_status_file)
{
	struct sys_caps caps = { 0 };
	FILE *status = fopen("/proc/self/status", "re");
	unsigned long long value;
	char line[256];
	size_t seen = 0;

	cr_assert_not_null(status);
	cr_assert_eq(sys_caps_get(&caps), 0);
	while (fgets(line, sizeof(line), status) != NULL) {
		const struct {
			const char *format;
			uint64_t set;
		} rows[] = {
			{ "CapInh: %llx", caps.inheritable }, { "CapPrm: %llx", caps.permitted },
			{ "CapEff: %llx", caps.effective }, { "CapBnd: %llx", caps.bounding },
			{ "CapAmb: %llx", caps.ambient },
		};

		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			if (strncmp(line, rows[i].format, 6) == 0) {
				cr_assert_eq(sscanf(line + 7, "%llx", &value), 1);
				cr_expect_eq(rows[i].set, value, "%s", line);
				seen++;
			}
		}
	}
	fclose(status);
	cr_expect_eq(seen, 5u);
}

Test(sys_process, exec_of_nothing_says_why)
{
	static const char *const none[] = { NULL };

	cr_expect_eq(sys_execveat(AT_FDCWD, "/nonexistent/x", none, none, 0), -ENOENT);
	cr_expect_eq(sys_execveat(AT_FDCWD, "/proc/version", none, none, 0), -EACCES);
}

Test(sys_process, birth_of_a_file_lies_in_the_past)
{
	auto_fd proc = open("/proc/version", O_RDONLY | O_CLOEXEC);
	auto_fd exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat st;

	cr_expect_eq(sys_birth_ns(proc), 0); /* procfs keeps none */
	cr_expect_eq(sys_birth_ns(-1), 0);
	cr_assert_eq(fstat(exe, &st), 0);
	cr_expect_leq(sys_birth_ns(exe),
		      (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec);
}

Test(sys_process, stat_and_rename)
{
	char path[] = "/tmp/airlock-sys-XXXXXX";
	auto_fd d = -1;
	struct statx sx;

	cr_assert_not_null(mkdtemp(path));
	d = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(d, 0);
	cr_assert_eq(mkdirat(d, "a", 0700), 0);
	close(openat(d, "b", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	cr_expect_eq(sys_statx(d, "a", AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS, &sx), 0);
	cr_expect_eq(sx.stx_mode & S_IFMT, S_IFDIR);
	cr_expect_eq(sys_statx(d, "none", 0, STATX_BASIC_STATS, &sx), -ENOENT);
	cr_expect_eq(sys_renameat2(d, "a", d, "b", RENAME_NOREPLACE), -EEXIST);
	cr_expect_eq(sys_renameat2(d, "a", d, "b", RENAME_EXCHANGE), 0);
	cr_expect_eq(sys_statx(d, "a", 0, STATX_BASIC_STATS, &sx), 0);
	cr_expect_eq(sx.stx_mode & S_IFMT, S_IFREG);
	cr_expect_eq(unlinkat(d, "a", 0), 0);
	cr_expect_eq(unlinkat(d, "b", AT_REMOVEDIR), 0);
	cr_expect_eq(rmdir(path), 0);
}

Test(sys_mount, unknown_things_are_refused)
{
	cr_expect_lt(sys_fsopen("nosuchfs"), 0);
	cr_expect_eq(sys_mount_setattr(-1, 0, 1, 0, 0, -1), -EBADF); /* MOUNT_ATTR_RDONLY */
	cr_expect_eq(sys_open_tree(AT_FDCWD, "/nonexistent", 0), -ENOENT);
}

Test(sys_net, a_socket_is_made_in_a_directory)
{
	char path[] = "/tmp/airlock-sys-XXXXXX", before[256], after[256];
	const mode_t mask = umask(0);
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	auto_fd d = -1, listener = -1, client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;

	cr_assert_not_null(mkdtemp(path));
	d = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	cr_assert_not_null(getcwd(before, sizeof(before)));
	listener = sys_listen_at(d, "sock");
	cr_assert_geq(listener, 0);
	cr_expect_eq(flags_of(listener), FD_CLOEXEC);
	cr_assert_not_null(getcwd(after, sizeof(after)));
	cr_expect_str_eq(after, before);
	cr_expect_eq(umask(mask), 0u);
	cr_assert_eq(fstatat(d, "sock", &st, 0), 0);
	cr_expect_eq(st.st_mode, (mode_t)(S_IFSOCK | 0600));
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/sock", path);
	cr_expect_eq(connect(client, (const struct sockaddr *)&at, sizeof(at)), 0);
	cr_expect_eq(sys_listen_at(d, "sock"), -EADDRINUSE);
	cr_expect_eq(sys_listen_at(d, "a/b"), -EINVAL);
	cr_expect_eq(sys_listen_at(d, ""), -EINVAL);
	cr_expect_eq(sys_listen_at(-1, "other"), -EBADF);
	cr_expect_eq(unlinkat(d, "sock", 0), 0);
	cr_expect_eq(rmdir(path), 0);
}
