/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI; as root on a host with cgroup v1 the limits are hit for real. */
#include "cgroup_fixture.h"

#include <poll.h>
#include <signal.h>

#include "../../../launcher/base/fdio.h"

#define SLEEPERS "sleep 99 & sleep 99 & echo ready >&3; exec sleep 99"

/* ---- limits, hit for real ----------------------------------------------------------------- */

Test(cgroup_usage, v1_oom_is_killed_counted_and_signalled)
{
	struct limits limits = fixture_limits();
	struct cgroup_site site = fixture_site();
	unsigned int fds = scratch_count_fds();
	struct cgroup cg = fixture_create(&site, &limits);
	struct cgroup_usage usage;
	struct pollfd oom = { .fd = -1 };
	int status;

	oom.fd = cgroup_oom_fd(&cg, &oom.events);
	cr_assert_geq(oom.fd, 0);
	cr_expect_eq(oom.events, POLLIN);
	cr_expect_eq(fcntl(oom.fd, F_GETFD), FD_CLOEXEC);
	cr_expect_eq(poll(&oom, 1, 0), 0);
	cr_expect_eq(cgroup_oom_fired(&cg, oom.fd), false);
	status = fixture_wait(fixture_spawn(&site, cg.name, "exec tail /dev/zero", false));
	cr_assert_eq(WIFSIGNALED(status), 1, "status %x", status);
	cr_expect_eq(WTERMSIG(status), SIGKILL);
	cr_expect_eq(poll(&oom, 1, 1000), 1);
	cr_expect_eq(cgroup_oom_fired(&cg, oom.fd), true);
	cr_expect_eq(cgroup_oom_fired(&cg, oom.fd), false, "an event is taken once");
	cr_assert_eq(cgroup_read_usage(&cg, &usage), 0);
	cr_expect_eq(usage.oom_kills, 1);
	cr_expect_eq(usage.memory_peak_bytes, limits.memory_bytes);
	cr_expect_eq(usage.pids_max_events, 0);
	close(oom.fd);
	cgroup_destroy(&cg, &site);
	cr_expect_eq(scratch_count_fds(), fds);
	fixture_finish(&site);
}

/* The same program with room enough is not killed: the limit did it. */
Test(cgroup_usage, v1_below_the_limit_nothing_happens)
{
	struct limits limits = fixture_limits();
	struct cgroup_site site = fixture_site();
	struct cgroup cg = fixture_create(&site, &limits);
	struct cgroup_usage usage;
	int status = fixture_wait(
		fixture_spawn(&site, cg.name, "head -c 8388608 /dev/zero | tail", false));

	cr_expect_eq(status, 0);
	cr_assert_eq(cgroup_read_usage(&cg, &usage), 0);
	cr_expect_eq(usage.oom_kills, 0);
	cr_expect_geq(usage.memory_peak_bytes, 8388608);
	cr_expect_lt(usage.memory_peak_bytes, limits.memory_bytes);
	cgroup_destroy(&cg, &site);
	fixture_finish(&site);
}

/* An OOM by files in a tmpfs: seen as shmem, which is how it becomes `limit: disk`. */
Test(cgroup_usage, v1_shmem_is_told_apart)
{
	struct limits limits = fixture_limits();
	struct cgroup_site site = fixture_site();
	struct cgroup cg = fixture_create(&site, &limits);
	struct cgroup_usage usage;
	char file[] = "/dev/shm/airlock-test-XXXXXX", script[128];
	int fd = mkstemp(file);

	cr_assert_geq(fd, 0);
	snprintf(script, sizeof(script), "exec dd if=/dev/zero of=%s bs=65536 count=128", file);
	cr_expect_eq(fixture_wait(fixture_spawn(&site, cg.name, script, false)), 0);
	cr_assert_eq(cgroup_read_usage(&cg, &usage), 0);
	cr_expect_eq(usage.shmem_bytes, 8388608);
	cr_expect_geq(usage.memory_now_bytes, 8388608);
	cr_expect_eq(unlink(file), 0);
	close(fd);
	cgroup_destroy(&cg, &site);
	fixture_finish(&site);
}

Test(cgroup_usage, v1_pids)
{
	struct limits limits = fixture_limits();
	struct cgroup_site site = fixture_site();
	struct cgroup_usage usage;
	struct cgroup cg;
	int status;

	limits.pids = 1;
	cg = fixture_create(&site, &limits);
	/* dash says "Cannot fork" and exits 2 */
	status = fixture_wait(fixture_spawn(&site, cg.name, "true & true", false));
	cr_assert_eq(WIFEXITED(status), 1);
	cr_expect_eq(WEXITSTATUS(status), 2);
	cr_assert_eq(cgroup_read_usage(&cg, &usage), 0);
	cr_expect_eq(usage.pids_max_events, 1);
	cr_expect_eq(usage.oom_kills, 0);
	cgroup_destroy(&cg, &site);
	fixture_finish(&site);
}

Test(cgroup_usage, v1_pids_within)
{
	struct limits limits = fixture_limits();
	struct cgroup_site site = fixture_site();
	struct cgroup_usage usage;
	struct cgroup cg;

	limits.pids = 2;
	cg = fixture_create(&site, &limits);
	cr_expect_eq(fixture_wait(fixture_spawn(&site, cg.name, "true & wait; exit 0", false)), 0);
	cr_assert_eq(cgroup_read_usage(&cg, &usage), 0);
	cr_expect_eq(usage.pids_max_events, 0);
	cgroup_destroy(&cg, &site);
	fixture_finish(&site);
}

Test(cgroup_usage, v1_cpu_time)
{
	struct limits limits = fixture_limits();
	struct cgroup_site site = fixture_site();
	struct cgroup cg = fixture_create(&site, &limits);
	struct cgroup_usage usage;
	uint64_t cpu_ms = 99, before_ms = 99;

	cr_assert_eq(cgroup_read_cpu(&cg, &before_ms), 0);
	cr_expect_eq(before_ms, 0);
	cr_expect_eq(fixture_wait(fixture_spawn(
			     &site, cg.name, "i=0; while [ $i -lt 50000 ]; do i=$((i + 1)); done",
			     false)),
		     0);
	cr_assert_eq(cgroup_read_cpu(&cg, &cpu_ms), 0);
	cr_expect_geq(cpu_ms, 5);
	cr_assert_eq(cgroup_read_usage(&cg, &usage), 0);
	cr_expect_eq(usage.cpu_ms, cpu_ms);
	cgroup_destroy(&cg, &site);
	fixture_finish(&site);
}

/* ---- the end ------------------------------------------------------------------------------ */

Test(cgroup_usage, v1_kill)
{
	struct limits limits = fixture_limits();
	struct cgroup_site site = fixture_site();
	struct cgroup cg = fixture_create(&site, &limits);
	int status;
	pid_t pid;

	cr_expect_eq(cgroup_empty(&cg), true);
	cr_expect_eq(cgroup_kill(&cg), 0);
	pid = fixture_spawn(&site, cg.name, SLEEPERS, true);
	cr_expect_eq(cgroup_empty(&cg), false);
	cr_expect_eq(cgroup_kill(&cg), 0);
	cr_expect_eq(cgroup_empty(&cg), true);
	status = fixture_wait(pid);
	cr_assert_eq(WIFSIGNALED(status), 1);
	cr_expect_eq(WTERMSIG(status), SIGKILL);
	cgroup_destroy(&cg, &site);
	fixture_finish(&site);
}

/* More than one round holds. */
Test(cgroup_usage, v1_kill_many)
{
	struct limits limits = fixture_limits();
	struct cgroup_site site = fixture_site();
	struct cgroup cg;
	pid_t pid;

	limits.pids = 200;
	cg = fixture_create(&site, &limits);
	pid = fixture_spawn(&site, cg.name,
			    "i=0; while [ $i -lt 150 ]; do sleep 99 & i=$((i + 1)); done; "
			    "echo ready >&3; exec sleep 99",
			    true);
	cr_expect_eq(cgroup_empty(&cg), false);
	cr_expect_eq(cgroup_kill(&cg), 0);
	cr_expect_eq(cgroup_empty(&cg), true);
	cr_expect_eq(WTERMSIG(fixture_wait(pid)), SIGKILL);
	cgroup_destroy(&cg, &site);
	fixture_finish(&site);
}

Test(cgroup_usage, v1_half_entered_is_not_empty)
{
	struct limits limits = fixture_limits();
	struct cgroup_site site = fixture_site();
	struct cgroup cg = fixture_create(&site, &limits);
	char out[600], in[600];

	snprintf(in, sizeof(in), "%s/%s/tasks", site.parent[CTL_PIDS], cg.name);
	snprintf(out, sizeof(out), "%s/../tasks", site.parent[CTL_PIDS]);
	cr_assert_eq(cgroup_file_write(AT_FDCWD, in, "0"), 0);
	cr_expect_eq(cgroup_empty(&cg), false);
	cr_assert_eq(cgroup_file_write(AT_FDCWD, out, "0"), 0);
	cr_expect_eq(cgroup_empty(&cg), true);
	cgroup_destroy(&cg, &site);
	fixture_finish(&site);
}

/* Whether the kernel says so within five seconds: stopping takes as long as the slowest of them. */
static bool
becomes(const struct cgroup *cg, const char *line)
{
	for (int i = 0; i < 5000; i++) {
		auto_buf events = BUF_INIT;

		cr_assert_eq(fdio_slurp_at(cg->dir_fd[CTL_MEMORY], "cgroup.events", 4096, &events),
			     0);
		if (strstr(buf_text(&events), line) != NULL) {
			return true;
		}
		poll(NULL, 0, 1);
	}
	return false;
}

/* On the v2 half of a hybrid: no controllers there, but kill, freeze and events are. */
Test(cgroup_usage, v2_kill)
{
	char dir[] = "/sys/fs/cgroup/unified/airlock-test-0000000";
	struct cgroup cg = CGROUP_INIT;
	struct pollfd gone = { .events = POLLIN };
	char script[256], byte;
	char *argv[] = { (char *)"sh", (char *)"-c", script, NULL };
	posix_spawn_file_actions_t actions;
	int pipe_fds[2];
	pid_t pid;

	snprintf(dir, sizeof(dir), "/sys/fs/cgroup/unified/airlock-test-%d", getpid());
	if (mkdir(dir, 0755) < 0) {
		cr_skip_test("%s: %s", dir, strerror(errno));
	}
	cg.version = CGROUP_V2;
	cg.missing = DEGRADE_CGROUP;
	cg.dir_fd[CTL_MEMORY] = cgroup_dir_open(AT_FDCWD, dir);
	cg.kill_fd = openat(cg.dir_fd[CTL_MEMORY], "cgroup.kill", O_WRONLY | O_CLOEXEC);
	cr_assert_geq(cg.kill_fd, 0);
	cr_expect_eq(cgroup_empty(&cg), true);
	snprintf(script, sizeof(script), "echo 0 >%s/cgroup.procs; " SLEEPERS, dir);
	cr_assert_eq(pipe2(pipe_fds, O_CLOEXEC), 0);
	cr_assert_eq(posix_spawn_file_actions_init(&actions), 0);
	cr_assert_eq(posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], 3), 0);
	cr_assert_eq(posix_spawn(&pid, "/bin/sh", &actions, NULL, argv, environ), 0);
	posix_spawn_file_actions_destroy(&actions);
	close(pipe_fds[1]);
	cr_assert_eq(read(pipe_fds[0], &byte, 1), 1);
	cr_expect_eq(cgroup_empty(&cg), false);
	cr_expect_eq(cgroup_freeze(&cg, true), 0);
	cr_expect(becomes(&cg, "frozen 1\n"));
	cr_expect_eq(cgroup_freeze(&cg, false), 0);
	cr_expect(becomes(&cg, "frozen 0\n"));
	cr_expect_eq(cgroup_freeze(&cg, true), 0);
	cr_expect(becomes(&cg, "frozen 1\n"));
	/* no thaw: what is frozen dies all the same */
	cr_expect_eq(cgroup_kill(&cg), 0);
	cr_expect_eq(WTERMSIG(fixture_wait(pid)), SIGKILL);
	/* the other two hold the pipe until they are gone */
	gone.fd = pipe_fds[0];
	while (poll(&gone, 1, 5000) == 1 && read(pipe_fds[0], &byte, 1) == 1) {
	}
	for (int i = 0; i < 1000 && !cgroup_empty(&cg); i++) {
		poll(NULL, 0, 1);
	}
	cr_expect_eq(cgroup_empty(&cg), true);
	close(pipe_fds[0]);
	close(cg.kill_fd);
	close(cg.dir_fd[CTL_MEMORY]);
	cr_expect_eq(rmdir(dir), 0);
}

/* ---- destroy and sweep -------------------------------------------------------------------- */

static bool
exists(const struct cgroup_site *site, enum cgroup_ctl ctl, const char *name)
{
	char path[1024];

	snprintf(path, sizeof(path), "%s/%s", site->parent[ctl], name);
	return access(path, F_OK) == 0;
}

static void
make_everywhere(const struct cgroup_site *site, const char *name)
{
	for (unsigned int c = 0; c < ARRAY_LEN(fixture_controllers); c++) {
		char path[1024];

		snprintf(path, sizeof(path), "%s/%s", site->parent[c], name);
		cr_assert_eq(mkdir(path, 0755), 0, "%s: %s", path, strerror(errno));
	}
}

static void
remove_all(const struct cgroup_site *site, const char *name)
{
	for (unsigned int c = 0; c < ARRAY_LEN(fixture_controllers); c++) {
		char path[1024];

		snprintf(path, sizeof(path), "%s/%s", site->parent[c], name);
		cr_expect_eq(rmdir(path), 0, "%s: %s", path, strerror(errno));
	}
}

/* The name of a group whose owner was a process that is dead now. */
static void
dead_name(char name[80])
{
	char *argv[] = { (char *)"true", NULL };
	struct cgroup_owner owner;
	pid_t pid;

	cr_assert_eq(posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ), 0);
	cr_assert_eq(cgroup_owner_of(pid, &owner), 0);
	cr_assert_eq(fixture_wait(pid), 0);
	snprintf(name, 80, "c-%08x-%lx-%d-%lu-0000beef", owner.boot, owner.pidns, owner.pid,
		 owner.start);
}

Test(cgroup_usage, sweep_judges_each_name)
{
	static const struct {
		const char *format; /* boot, pid namespace, pid, start */
		int boot, pidns, start;
		bool want_gone;
	} rows[] = {
		{ "c-%08x-%lx-%d-%lu-00000001", 0, 0, 0, false }, /* alive: this process */
		{ "c-%08x-%lx-%d-%lu-00000002", 0, 0, 1, true },  /* the pid was given to another */
		{ "c-%08x-%lx-%d-%lu-00000003", 1, 0, 0, true },  /* another boot */
		{ "c-%08x-%lx-%d-%lu-00000004", 0, 1, 1, false }, /* another pid namespace */
		{ "c-%08x-%lx-%d-%lu-4", 0, 0, 1, false },	  /* not a name of ours … */
		{ "c-%08X-%lX-%d-%lu-0000000Z", 0, 0, 1, false },
		{ "d-%08x-%lx-%d-%lu-00000005", 0, 0, 1, false },
		{ "c-%08x-%lx-0%d-%lu-00000006", 0, 0, 1, false },
		{ "c-%08x-%lx-%d-%lu-00000007-", 0, 0, 1, false },
		{ "probe-%d%x", 0, 0, 0, false },
	};
	struct cgroup_site site = fixture_site();
	char names[ARRAY_LEN(rows)][128];
	struct cgroup_owner self;

	cr_assert_eq(cgroup_owner_of(getpid(), &self), 0);
	for (unsigned int i = 0; i < ARRAY_LEN(rows); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(names[i], sizeof(names[i]), rows[i].format,
			 self.boot + (uint32_t)rows[i].boot, self.pidns + (uint64_t)rows[i].pidns,
			 self.pid, self.start + (uint64_t)rows[i].start);
#pragma GCC diagnostic pop
		make_everywhere(&site, names[i]);
	}
	cgroup_sweep(&site);
	for (unsigned int i = 0; i < ARRAY_LEN(rows); i++) {
		for (unsigned int c = 0; c < ARRAY_LEN(fixture_controllers); c++) {
			cr_expect_eq(exists(&site, (enum cgroup_ctl)c, names[i]),
				     !rows[i].want_gone, "%s in %s", names[i], site.parent[c]);
		}
		if (!rows[i].want_gone) {
			remove_all(&site, names[i]);
		}
	}
	fixture_finish(&site);
}

Test(cgroup_usage, sweep_kills_what_a_dead_owner_left)
{
	struct cgroup_site site = fixture_site();
	unsigned int fds = scratch_count_fds();
	char name[80];
	pid_t pid;

	dead_name(name);
	make_everywhere(&site, name);
	pid = fixture_spawn(&site, name, SLEEPERS, true);
	cgroup_sweep(&site);
	cr_expect_eq(WTERMSIG(fixture_wait(pid)), SIGKILL);
	for (unsigned int c = 0; c < ARRAY_LEN(fixture_controllers); c++) {
		cr_expect_eq(exists(&site, (enum cgroup_ctl)c, name), false, "%s", site.parent[c]);
	}
	cr_expect_eq(scratch_count_fds(), fds);
	fixture_finish(&site);
}

Test(cgroup_usage, sweep_leaves_a_live_group)
{
	struct limits limits = fixture_limits();
	struct cgroup_site site = fixture_site();
	struct cgroup cg = fixture_create(&site, &limits);
	pid_t pid = fixture_spawn(&site, cg.name, SLEEPERS, true);
	int status;

	cgroup_sweep(&site);
	cr_expect_eq(waitpid(pid, &status, WNOHANG), 0);
	cr_expect_eq(cgroup_empty(&cg), false);
	cr_expect_eq(cgroup_kill(&cg), 0);
	fixture_wait(pid);
	cgroup_destroy(&cg, &site);
	fixture_finish(&site);
}

/* Whatever hierarchy a removal stopped at, the first parent still names it. */
Test(cgroup_usage, busy_group_stays_findable)
{
	struct limits limits = fixture_limits();
	struct cgroup_site site = fixture_site();
	struct cgroup cg = fixture_create(&site, &limits);
	char name[80], in[600], out[600];

	memcpy(name, cg.name, sizeof(name));
	snprintf(in, sizeof(in), "%s/%s/tasks", site.parent[CTL_PIDS], name);
	snprintf(out, sizeof(out), "%s/../tasks", site.parent[CTL_PIDS]);
	cr_assert_eq(cgroup_file_write(AT_FDCWD, in, "0"), 0);
	cgroup_destroy(&cg, &site);
	cr_expect_eq(exists(&site, CTL_MEMORY, name), true);
	cr_expect_eq(exists(&site, CTL_PIDS, name), true);
	cr_expect_eq(exists(&site, CTL_CPU, name), false);
	cr_expect_eq(exists(&site, CTL_CPUACCT, name), false);
	cr_assert_eq(cgroup_file_write(AT_FDCWD, out, "0"), 0);
	cr_expect_eq(cgroup_file_write(AT_FDCWD, out, "0"), 0);
	for (unsigned int c = CTL_MEMORY; c <= CTL_PIDS; c++) {
		snprintf(in, sizeof(in), "%s/%s", site.parent[c], name);
		cr_expect_eq(rmdir(in), 0);
	}
	fixture_finish(&site);
}

/* ---- anywhere ----------------------------------------------------------------------------- */

static const char *const v2_files[][2] = {
	{ "memory.peak", "5242880\n" },
	{ "memory.current", "4096\n" },
	{ "memory.stat", "anon 1\nfile 2\nkernel 3\nshmem 1048576\nshmem_thp 7\n" },
	{ "memory.events", "low 0\nhigh 0\nmax 9\noom 3\noom_kill 2\noom_group_kill 1\n" },
	{ "pids.peak", "12\n" },
	{ "pids.events", "max 4\n" },
	{ "cpu.stat", "usage_usec 1234567\nuser_usec 1\nsystem_usec 2\n" },
	{ "cgroup.events", "populated 1\nfrozen 0\n" },
	{ NULL, NULL },
};

Test(cgroup_usage, v2_usage)
{
	char dir[] = "/tmp/airlock-test-XXXXXX";
	int dir_fd = fixture_fake(dir, v2_files);
	struct cgroup cg = CGROUP_INIT;
	struct cgroup_usage usage;
	uint64_t cpu_ms = 0;

	cg.version = CGROUP_V2;
	cg.dir_fd[CTL_MEMORY] = dir_fd;
	cr_assert_eq(cgroup_read_usage(&cg, &usage), 0);
	cr_expect_eq(usage.memory_peak_bytes, 5242880);
	cr_expect_eq(usage.memory_now_bytes, 4096);
	cr_expect_eq(usage.shmem_bytes, 1048576);
	cr_expect_eq(usage.oom_kills, 2);
	cr_expect_eq(usage.pids_peak, 12);
	cr_expect_eq(usage.pids_max_events, 4);
	cr_expect_eq(usage.cpu_ms, 1234);
	cr_assert_eq(cgroup_read_cpu(&cg, &cpu_ms), 0);
	cr_expect_eq(cpu_ms, 1234);
	cr_expect_eq(cgroup_empty(&cg), false);
	fixture_fake_finish(dir, dir_fd, v2_files);
}

/* An old kernel without the peaks: 0, no failure. */
Test(cgroup_usage, v2_usage_without_files)
{
	static const char *const files[][2] = { { "memory.current", "4096\n" },
						{ "cgroup.events", "populated 0\nfrozen 0\n" },
						{ NULL, NULL } };
	char dir[] = "/tmp/airlock-test-XXXXXX";
	int dir_fd = fixture_fake(dir, files);
	struct cgroup cg = CGROUP_INIT;
	struct cgroup_usage usage;

	cg.version = CGROUP_V2;
	cg.dir_fd[CTL_MEMORY] = dir_fd;
	cr_assert_eq(cgroup_read_usage(&cg, &usage), 0);
	cr_expect_eq(usage.memory_peak_bytes, 0);
	cr_expect_eq(usage.memory_now_bytes, 4096);
	cr_expect_eq(usage.oom_kills, 0);
	cr_expect_eq(cgroup_empty(&cg), true);
	fixture_fake_finish(dir, dir_fd, files);
}

Test(cgroup_usage, v2_oom_fd)
{
	char dir[] = "/tmp/airlock-test-XXXXXX";
	int dir_fd = fixture_fake(dir, v2_files);
	struct cgroup cg = CGROUP_INIT;
	short events = 0;
	int fd;

	cg.version = CGROUP_V2;
	cg.dir_fd[CTL_MEMORY] = dir_fd;
	fd = cgroup_oom_fd(&cg, &events);
	cr_assert_geq(fd, 0);
	cr_expect_eq(events, POLLPRI);
	cr_expect_eq(cgroup_oom_fired(&cg, fd), true);
	cr_assert_eq(cgroup_file_write(dir_fd, "memory.events",
				       "low 0\nhigh 0\nmax 9\noom 3\noom_kill 0\n"),
		     0);
	cr_expect_eq(cgroup_oom_fired(&cg, fd), false);
	close(fd);
	cg.missing = DEGRADE_CGROUP_MEMORY;
	cr_expect_eq(cgroup_oom_fd(&cg, &events), -1);
	fixture_fake_finish(dir, dir_fd, v2_files);
}

Test(cgroup_usage, no_group)
{
	struct cgroup cg = CGROUP_INIT;
	struct cgroup_usage usage = { .oom_kills = 7 };
	struct cgroup_site site;
	uint64_t cpu_ms = 7;
	short events = 0;

	cr_assert_eq(cgroup_site_init(&site), 0);
	cr_expect_eq(cgroup_read_usage(&cg, &usage), 0);
	cr_expect_eq(usage.oom_kills, 0);
	cr_expect_eq(cgroup_read_cpu(&cg, &cpu_ms), -ENODATA);
	cr_expect_eq(cpu_ms, 7);
	cr_expect_eq(cgroup_oom_fd(&cg, &events), -1);
	cr_expect_eq(cgroup_kill(&cg), 0);
	cr_expect_eq(cgroup_freeze(&cg, true), -EOPNOTSUPP);
	cr_expect_eq(cgroup_empty(&cg), true);
	cgroup_sweep(&site);
	cgroup_destroy(&cg, &site);
	cgroup_site_finish(&site);
}
