/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by `make unit`: the lock of a workspace among several holders. A lock belongs to an open file
 * description, so that two of them in one process are two calls; crashes are real processes.
 */
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "../../../launcher/base/clock.h"
#include "../../../launcher/snapshot/lock.h"
#include "../../../launcher/snapshot/snapshot.h"
#include "snapshot_world.h"

#define BUSY_RUNS "busy: another call runs in the workspace"
#define BUSY_COMMITS "busy: another call commits in the workspace"

/* ws, ws/in, ws/in/deep and ws/other; "out" is the state directory of everybody. */
static void
tree_init(struct world *w)
{
	world_init_plain(w);
	world_dir(w->out_fd, "cache", 0700);
	world_dir(w->ws_fd, "in", 0755);
	world_dir(w->ws_fd, "in/deep", 0755);
	world_dir(w->ws_fd, "other", 0755);
}

static struct workspace_lock
lock_of(const struct world *w, const char *path)
{
	struct workspace_lock l = WORKSPACE_LOCK_INIT;

	l.workspace_fd = openat(w->ws_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(l.workspace_fd, 0);
	l.state_fd = w->out_fd;
	return l;
}

static void
lock_done(struct workspace_lock *l)
{
	workspace_lock_release(l);
	cr_expect_eq(l->gate_fd, -1);
	cr_expect_eq(l->above_count, 0u);
	close(l->workspace_fd);
}

/* Why it is busy where another holds a directory above. */
static const char *
above(const struct world *w, const char *dir)
{
	static char why[192];

	snprintf(why, sizeof(why),
		 "busy: another call runs in %s%s, which contains the workspace, or commits below "
		 "it",
		 w->path, dir);
	return why;
}

static void
expect_shared(struct workspace_lock *l, int want, const char *why)
{
	struct err err = ERR_INIT;

	cr_expect_eq(workspace_lock_shared(l, 0, &err), want, "%s", err.text);
	cr_expect_str_eq(err.text, why);
	cr_expect_eq(l->gate_fd, -1);
	cr_expect_eq(l->above_count, 0u);
}

/* Touches one file of that path, below directories that are there. */
static void
expect_exclusive(struct workspace_lock *l, const char *path, int want, const char *why)
{
	char copy[64];
	struct change change = { .path = copy, .kind = CHANGE_CREATE, .mode_after = S_IFREG };
	const struct change_set touched = { .items = &change, .count = 1 };
	struct err err = ERR_INIT;

	snprintf(copy, sizeof(copy), "%s", path);
	cr_expect_eq(workspace_lock_exclusive(l, &touched, 0, &err), want, "%s", err.text);
	cr_expect_str_eq(err.text, why);
	if (want < 0) {
		cr_expect_eq(l->gate_fd, -1);
		cr_expect_eq(l->above_count, 0u);
	}
}

Test(lock, shared_by_calls_exclusive_to_commit)
{
	struct world w;

	tree_init(&w);
	{
		struct workspace_lock a = lock_of(&w, "."), b = lock_of(&w, "."),
				      c = lock_of(&w, ".");

		expect_shared(&a, 0, "");
		expect_shared(&b, 0, "");
		expect_exclusive(&a, "f", -EBUSY, BUSY_RUNS);
		workspace_lock_release(&b);
		/* a has nothing any more: it was given up before it waited */
		expect_exclusive(&b, "f", 0, "");
		expect_exclusive(&a, "f", -EBUSY, above(&w, ""));
		expect_shared(&c, -EBUSY, "busy: another call waits to commit to the workspace");
		workspace_lock_release(&b);
		expect_shared(&c, 0, "");
		lock_done(&a);
		lock_done(&b);
		lock_done(&c);
	}
	world_finish(&w);
}

/* Another user has another gate; the workspace itself is what both know. */
Test(lock, of_two_users)
{
	struct world w;
	struct workspace_lock a, b;

	tree_init(&w);
	world_dir(w.up_fd, "cache", 0700);
	a = lock_of(&w, ".");
	b = lock_of(&w, ".");
	b.state_fd = w.up_fd;
	expect_exclusive(&a, "f", 0, "");
	expect_shared(&b, -EBUSY, above(&w, ""));
	expect_exclusive(&b, "f", -EBUSY, above(&w, ""));
	workspace_lock_release(&a);
	expect_shared(&b, 0, "");
	expect_exclusive(&a, "f", -EBUSY, BUSY_RUNS);
	lock_done(&a);
	lock_done(&b);
	world_finish(&w);
}

/* A call in the inner one stops a commit of the outer one that touches it, and no other. */
Test(lock, commit_around_a_call)
{
	static const struct {
		const char *runs, *touches, *busy;
	} rows[] = {
		{ "in", "in/f", "in" },
		{ "in", "in/deep/f", "in" },
		{ "in/deep", "in/deep/f", "in/deep" },
		{ "in/deep", "in/deep/none/f", "in/deep" },
		{ "in/deep", "in/f", NULL },
		{ "in", "f", NULL },
		{ "in", "other/f", NULL },
		{ "in", "in-f", NULL },
	};
	struct world w;

	tree_init(&w);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct workspace_lock inner = lock_of(&w, rows[i].runs), outer = lock_of(&w, ".");
		char why[96];

		snprintf(why, sizeof(why), "busy: another call runs in %s inside the workspace",
			 rows[i].busy != NULL ? rows[i].busy : "");
		expect_shared(&inner, 0, "");
		expect_exclusive(&outer, rows[i].touches, rows[i].busy != NULL ? -EBUSY : 0,
				 rows[i].busy != NULL ? why : "");
		lock_done(&inner);
		lock_done(&outer);
	}
	world_finish(&w);
}

/* A deleted or changed directory counts itself, a file does not. */
Test(lock, a_touched_directory_may_be_a_workspace)
{
	struct change items[] = {
		{ .path = strdup("in"), .kind = CHANGE_MODE, .mode_before = S_IFREG },
		{ .path = strdup("in-f"), .kind = CHANGE_CREATE },
		{ .path = strdup("other"), .kind = CHANGE_DELETE, .mode_before = S_IFDIR },
	};
	const struct change_set touched = { .items = items, .count = 3 };
	struct err err = ERR_INIT;
	struct world w;
	struct workspace_lock inner, outer;

	tree_init(&w);
	inner = lock_of(&w, "other");
	outer = lock_of(&w, ".");
	expect_shared(&inner, 0, "");
	cr_expect_eq(workspace_lock_exclusive(&outer, &touched, 0, &err), -EBUSY);
	cr_expect_str_eq(err.text, "busy: another call runs in other inside the workspace");
	lock_done(&inner);
	inner = lock_of(&w, "in");
	expect_shared(&inner, 0, "");
	cr_expect_eq(workspace_lock_exclusive(&outer, &touched, 0, &err), 0, "%s", err.text);
	lock_done(&inner);
	lock_done(&outer);
	for (size_t i = 0; i < touched.count; i++) {
		free(items[i].path);
	}
	world_finish(&w);
}

/* A call in the outer one stops every commit inside; a commit there every beginning inside. */
Test(lock, commit_inside_a_call)
{
	struct world w;
	struct workspace_lock outer, inner;

	tree_init(&w);
	outer = lock_of(&w, ".");
	inner = lock_of(&w, "in/deep");
	expect_shared(&outer, 0, "");
	expect_exclusive(&inner, "f", -EBUSY, above(&w, "/ws"));
	expect_shared(&inner, 0, "");
	workspace_lock_release(&inner);
	workspace_lock_release(&outer);

	expect_exclusive(&outer, "f", 0, "");
	expect_shared(&inner, -EBUSY, above(&w, ""));
	workspace_lock_release(&outer);

	/* the other way round: while the inner one commits, nothing begins above */
	expect_exclusive(&inner, "f", 0, "");
	expect_shared(&outer, -EBUSY, above(&w, ""));
	workspace_lock_release(&inner);
	expect_shared(&outer, 0, "");
	lock_done(&outer);
	lock_done(&inner);
	world_finish(&w);
}

/* A long call in one of two neighbours is nothing to the other. */
Test(lock, neighbours)
{
	struct world w;
	struct workspace_lock a, b;

	tree_init(&w);
	a = lock_of(&w, "in");
	b = lock_of(&w, "other");
	expect_shared(&a, 0, "");
	expect_exclusive(&b, "f", 0, "");
	lock_done(&a);
	lock_done(&b);
	world_finish(&w);
}

/* Whoever can read a directory can lock it. */
Test(lock, somebody_else_has_it)
{
	struct world w;
	struct workspace_lock l;
	int fd;

	tree_init(&w);
	l = lock_of(&w, ".");
	fd = open(w.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(flock(w.ws_fd, LOCK_EX), 0);
	expect_shared(&l, -EBUSY, BUSY_COMMITS);
	cr_assert_eq(flock(w.ws_fd, LOCK_SH), 0);
	expect_shared(&l, 0, "");
	expect_exclusive(&l, "f", -EBUSY, BUSY_RUNS);
	cr_assert_eq(flock(w.ws_fd, LOCK_UN), 0);
	cr_assert_eq(flock(fd, LOCK_SH), 0);
	expect_exclusive(&l, "f", -EBUSY, above(&w, ""));
	expect_shared(&l, 0, "");
	lock_done(&l);
	close(fd);
	world_finish(&w);
}

/* Places of others, and of everybody, are not locked: who can read them could stop us. */
Test(lock, what_is_above)
{
	static const struct {
		mode_t mode;
		size_t above;
	} rows[] = { { 0755, 2 }, { 01777, 1 }, { 0777, 2 } };
	struct world w;

	tree_init(&w);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct workspace_lock l = lock_of(&w, "in/deep");

		cr_assert_eq(fchmod(w.ws_fd, rows[i].mode), 0);
		expect_exclusive(&l, "f", 0, "");
		/* in, ws, and what world_init made; /tmp is root's and everybody's */
		cr_expect_eq(l.above_count, rows[i].above + (rows[i].mode != 01777 ? 1 : 0));
		lock_done(&l);
	}
	cr_assert_eq(fchmod(w.ws_fd, 0755), 0);
	world_finish(&w);
}

Test(lock, deeper_than_it_can_hold)
{
	struct world w;
	struct err err = ERR_INIT;
	struct workspace_lock l = WORKSPACE_LOCK_INIT;
	int at;

	tree_init(&w);
	at = openat(w.ws_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (unsigned int i = 0; i < WORKSPACE_LOCK_ABOVE_MAX; i++) {
		int next;

		world_dir(at, "d", 0755);
		next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = next;
	}
	l.workspace_fd = at;
	l.state_fd = w.out_fd;
	cr_expect_eq(workspace_lock_shared(&l, 0, &err), -ENAMETOOLONG);
	cr_expect_str_eq(err.text, "the workspace lies more than 128 directories deep: each is "
				   "locked with it");
	lock_done(&l);
	world_finish(&w);
}

/* Killed, whatever it holds: nothing stays. */
Test(lock, dies_with_its_holder)
{
	struct world w;
	struct workspace_lock mine;
	int ready[2];
	char byte;
	pid_t pid;

	tree_init(&w);
	mine = lock_of(&w, ".");
	cr_assert_eq(pipe(ready), 0);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		struct workspace_lock l = lock_of(&w, ".");
		const struct change_set nothing = { .count = 0 };
		struct err err = ERR_INIT;
		int rc = workspace_lock_exclusive(&l, &nothing, 0, &err);

		_exit(rc < 0 || write(ready[1], "x", 1) != 1 || pause() < 0);
	}
	cr_assert_eq(read(ready[0], &byte, 1), 1);
	expect_shared(&mine, -EBUSY, "busy: another call waits to commit to the workspace");
	cr_assert_eq(kill(pid, SIGKILL), 0);
	cr_assert_eq(waitpid(pid, NULL, 0), pid);
	expect_exclusive(&mine, "f", 0, "");
	lock_done(&mine);
	close(ready[0]);
	close(ready[1]);
	world_finish(&w);
}

/* A wait has its end, and whoever interrupts airlock has it at once. */
Test(lock, waits)
{
	const struct change_set nothing = { .count = 0 };
	struct err err = ERR_INIT;
	struct workspace_lock runs, commits;
	struct world w;
	uint64_t from, took_ms;
	int wake[2];

	tree_init(&w);
	runs = lock_of(&w, ".");
	commits = lock_of(&w, ".");
	expect_shared(&runs, 0, "");
	from = clock_monotonic_ns();
	cr_expect_eq(workspace_lock_exclusive(&commits, &nothing, 60, &err), -EBUSY);
	took_ms = (clock_monotonic_ns() - from) / 1000000;
	cr_expect_geq(took_ms, 60u);
	cr_expect_str_eq(err.text, BUSY_RUNS);

	cr_assert_eq(pipe(wake), 0);
	cr_assert_eq(write(wake[1], "x", 1), 1);
	commits.wake_fd = wake[0];
	from = clock_monotonic_ns();
	cr_expect_eq(workspace_lock_exclusive(&commits, &nothing, 60000, &err), -EBUSY);
	took_ms = (clock_monotonic_ns() - from) / 1000000;
	cr_expect_lt(took_ms, 30000u);
	lock_done(&runs);
	lock_done(&commits);
	close(wake[0]);
	close(wake[1]);
	world_finish(&w);
}

/* Who waits to commit gets it when the last of those who were there before has gone. */
Test(lock, new_calls_do_not_keep_a_commit_waiting)
{
	const struct change_set nothing = { .count = 0 };
	struct workspace_lock before, after;
	struct world w;
	int status;
	pid_t pid;

	tree_init(&w);
	before = lock_of(&w, ".");
	after = lock_of(&w, ".");
	expect_shared(&before, 0, "");
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		struct workspace_lock l = lock_of(&w, ".");
		struct err err = ERR_INIT;

		close(before.workspace_fd); /* a copy would hold the lock */
		_exit(workspace_lock_exclusive(&l, &nothing, 60000, &err) == 0 ? 0 : 1);
	}
	/* until the child has the gate a new call gets in; from then on it does not */
	for (struct err err = ERR_INIT; workspace_lock_shared(&after, 0, &err) == 0;) {
		workspace_lock_release(&after);
	}
	workspace_lock_release(&before);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0);
	expect_shared(&after, 0, "");
	lock_done(&before);
	lock_done(&after);
	world_finish(&w);
}

/* Nor does a commit that waits keep a call from its workspace: it has given up first. */
Test(lock, a_gate_that_stays_shut)
{
	struct workspace_lock call;
	struct err err = ERR_INIT;
	struct stat st;
	struct world w;
	char gate[64];
	int fd;

	tree_init(&w);
	call = lock_of(&w, ".");
	cr_assert_eq(fstat(w.ws_fd, &st), 0);
	snprintf(gate, sizeof(gate), "cache/lock-%llx-%llx", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	fd = openat(w.out_fd, gate, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	cr_assert_eq(flock(fd, LOCK_EX), 0);
	expect_shared(&call, -EBUSY, "busy: another call waits to commit to the workspace");
	expect_exclusive(&call, "f", 0, "");
	cr_expect_eq(workspace_lock_shared(&call, WORKSPACE_LOCK_RUN_MS, &err), 0, "%s", err.text);
	close(fd);
	lock_done(&call);
	world_finish(&w);
}

Test(lock, without_a_state_directory)
{
	struct world w;
	struct err err = ERR_INIT;
	struct workspace_lock l;
	struct stat st;
	char why[128];

	tree_init(&w);
	l = lock_of(&w, ".");
	cr_assert_eq(unlinkat(w.out_fd, "cache", AT_REMOVEDIR), 0);
	cr_assert_eq(fstat(w.ws_fd, &st), 0);
	cr_expect_eq(workspace_lock_shared(&l, 0, &err), -ENOENT);
	snprintf(why, sizeof(why),
		 "open cache/lock-%llx-%llx in the state directory: No such file or directory",
		 (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	cr_expect_str_eq(err.text, why);
	lock_done(&l);
	world_finish(&w);
}
