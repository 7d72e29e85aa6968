/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. Calls under way: who holds them, and who gets a signal. */
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "../../../launcher/workflow/running.h"
#include "../store/store_temp.h"

#define CALL "01890a5d-ac96-774b-bcce-b302099a8057"
#define OTHER "01890a5d-ac96-774b-bcce-b302099a8058"

static void
open_store(const struct temp *t, struct store *s)
{
	struct err err = ERR_INIT;

	cr_assert_eq(store_open_write(t->state, s, &err), 0, "%s", err.text);
}

static struct running_call
sample(void)
{
	struct running_call c = { .t0_ms = 1700000000123,
				  .reserved = { 1, 60000, 0, UINT64_MAX },
				  .profile = "a b\nc",
				  .cgroup = "/x/airlock/call" };

	running_set_principal(&c, "ann\xff");
	cr_assert_eq(text_uuid_parse(CALL, c.call), 0);
	cr_assert_eq(text_uuid_parse(OTHER, c.workflow), 0);
	memcpy(c.call_text, CALL, sizeof(c.call_text));
	cr_assert_eq(running_self(&c), 0);
	return c;
}

struct seen {
	unsigned int count;
	struct running_call last;
};

static int
see(void *arg, const struct running_call *c)
{
	struct seen *seen = arg;

	seen->count++;
	seen->last = *c;
	return 0;
}

static struct seen
look(const struct store *s)
{
	struct seen seen = { .count = 0 };
	struct err err = ERR_INIT;

	cr_assert_eq(running_each(s, see, &seen, &err), 0, "%s", err.text);
	return seen;
}

Test(running, self_is_a_process_that_began)
{
	struct running_call a = { .pid = 0 }, b = { .pid = 0 };

	cr_assert_eq(running_self(&a), 0);
	cr_assert_eq(running_self(&b), 0);
	cr_expect_eq(a.pid, getpid());
	cr_expect_gt(a.pid_start, 0u);
	cr_expect_eq(a.pid_start, b.pid_start);
}

Test(running, what_was_written_is_read)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct running_call c = sample();
	struct err err = ERR_INIT;
	struct seen seen;
	struct stat st;
	char path[256];
	int fd = -1;

	open_store(&t, &s);
	cr_expect_eq(look(&s).count, 0u); /* no directory yet */
	cr_assert_eq(running_enter(&s, &c, &fd, &err), 0, "%s", err.text);
	temp_path(&t, RUNNING_DIR, path);
	cr_assert_eq(stat(path, &st), 0);
	cr_expect_eq(st.st_mode, (mode_t)(S_IFDIR | 0700));
	seen = look(&s);
	cr_assert_eq(seen.count, 1u);
	cr_expect(seen.last.is_alive);
	cr_expect_not(seen.last.is_frozen);
	cr_expect_str_eq(seen.last.call_text, CALL);
	cr_expect_arr_eq(seen.last.call, c.call, 16);
	cr_expect_arr_eq(seen.last.workflow, c.workflow, 16);
	cr_expect_eq(seen.last.pid, c.pid);
	cr_expect_eq(seen.last.pid_start, c.pid_start);
	cr_expect_eq(seen.last.t0_ms, c.t0_ms);
	cr_expect_arr_eq(seen.last.reserved, c.reserved, sizeof(c.reserved));
	cr_expect_str_eq(seen.last.profile, c.profile);
	cr_expect_str_eq(seen.last.cgroup, c.cgroup);
	cr_expect_str_eq(seen.last.principal, "ann\xff");
	cr_expect(running_is_principal(&seen.last, "ann\xff"));
	cr_expect_not(running_is_principal(&seen.last, "ann"));
	cr_expect(seen.last.is_whole);
	cr_expect_str_eq(seen.last.lease, "");
	cr_expect_not(running_may_hold(&seen.last, "acme", "gh"));

	/* shorter than before: nothing of the old one stays */
	c.cgroup[0] = '\0';
	c.is_frozen = true;
	cr_assert_eq(running_update(fd, &c), 0);
	seen = look(&s);
	cr_expect_str_eq(seen.last.cgroup, "");
	cr_expect(seen.last.is_frozen);

	running_leave(&s, CALL, &fd);
	cr_expect_eq(fd, -1);
	cr_expect_eq(look(&s).count, 0u);
	running_leave(&s, CALL, &fd); /* nothing */
}

static bool
may_hold(const struct store *s, const char *bundle, const char *item)
{
	struct seen seen = look(s);

	cr_assert_eq(seen.count, 1u);
	return running_may_hold(&seen.last, bundle, item);
}

Test(running, what_is_leased_to_it)
{
	static const char *const items[] = { "gh", "gh-2", "x.y" };
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct running_call c = sample();
	struct err err = ERR_INIT;
	int fd = -1;

	open_store(&t, &s);
	cr_assert_eq(running_set_lease(&c, "acme", items, 3), 0);
	cr_assert_eq(running_enter(&s, &c, &fd, &err), 0, "%s", err.text);
	cr_expect_str_eq(look(&s).last.lease, "acme gh gh-2 x.y");
	for (size_t i = 0; i < 3; i++) {
		cr_expect(may_hold(&s, "acme", items[i]), "%s", items[i]);
		cr_expect_not(may_hold(&s, "acm", items[i]), "%s", items[i]);
		cr_expect_not(may_hold(&s, "acme-2", items[i]), "%s", items[i]);
	}
	cr_expect_not(may_hold(&s, "acme", "g"));
	cr_expect_not(may_hold(&s, "acme", "gh-"));
	cr_expect_not(may_hold(&s, "acme", "y"));
	cr_expect_not(may_hold(&s, "acme", "acme"));
	/* less than it asked for */
	cr_assert_eq(running_set_lease(&c, "acme", items + 1, 1), 0);
	cr_assert_eq(running_update(fd, &c), 0);
	cr_expect_not(may_hold(&s, "acme", "gh"));
	cr_expect(may_hold(&s, "acme", "gh-2"));
	/* what is cut off may have said anything */
	cr_assert_eq(ftruncate(fd, 20), 0);
	cr_expect(may_hold(&s, "acme", "gh"));
	cr_assert_eq(ftruncate(fd, 0), 0);
	cr_expect(may_hold(&s, "acme", "gh"));
	cr_assert_eq(running_set_lease(&c, "acme", items, 0), 0);
	cr_assert_eq(running_update(fd, &c), 0);
	cr_expect_not(may_hold(&s, "acme", "gh"));
	running_leave(&s, CALL, &fd);
}

/* As much as a bundle can have, with all else as long as it can be; and no more. */
Test(running, the_longest_lease_is_whole)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct running_call c = sample();
	struct err err = ERR_INIT;
	char names[17][66];
	const char *items[17];
	int fd = -1;

	for (size_t i = 0; i < 17; i++) {
		memset(names[i], 'a' + (int)i, 65);
		names[i][i == 16 ? 65 : 64] = '\0';
		items[i] = names[i];
	}
	open_store(&t, &s);
	memset(c.profile, 1, sizeof(c.profile) - 1);
	memset(c.cgroup, 1, sizeof(c.cgroup) - 1);
	memset(c.principal, 1, sizeof(c.principal) - 1);
	cr_assert_eq(running_set_lease(&c, names[0], items, 16), 0);
	cr_assert_eq(running_enter(&s, &c, &fd, &err), 0, "%s", err.text);
	cr_expect(look(&s).last.is_whole);
	for (size_t i = 0; i < 16; i++) {
		cr_expect(may_hold(&s, names[0], names[i]), "%zu", i);
	}
	cr_expect_eq(running_set_lease(&c, names[16], items, 16), -E2BIG);
	cr_expect_str_eq(c.lease, "");
	running_leave(&s, CALL, &fd);
}

Test(running, who_is_alive)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct running_call c = sample(), seen;
	struct err err = ERR_INIT;
	int fd = -1;

	open_store(&t, &s);
	cr_expect_eq(running_is_alive(&s, CALL), 0); /* there is no such call */
	cr_expect_eq(running_look(&s, CALL, &seen), -ENOENT);
	cr_assert_eq(running_enter(&s, &c, &fd, &err), 0, "%s", err.text);
	cr_expect_eq(running_is_alive(&s, CALL), 1);
	cr_expect_eq(running_is_alive(&s, CALL), 1); /* who asks is no front */
	c.is_frozen = true;
	cr_assert_eq(running_update(fd, &c), 0);
	cr_expect_eq(running_look(&s, CALL, &seen), 0);
	cr_expect(seen.is_alive);
	cr_expect(seen.is_frozen);
	cr_expect_str_eq(seen.call_text, CALL);
	close(fd);
	cr_expect_eq(running_is_alive(&s, CALL), 0);
	cr_expect_eq(running_look(&s, CALL, &seen), 0);
	cr_expect_not(seen.is_alive);
	cr_assert_eq(unlinkat(s.dir_fd, RUNNING_DIR "/" CALL, 0), 0);
	cr_assert_eq(symlinkat("/", s.dir_fd, RUNNING_DIR "/" CALL), 0);
	cr_expect_eq(running_is_alive(&s, CALL), -ELOOP);
	cr_expect_eq(running_look(&s, CALL, &seen), -ELOOP);
	cr_expect_str_eq(seen.call_text, CALL);
}

Test(running, who_died_is_seen)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct running_call c = sample();
	struct err err = ERR_INIT;
	int fd = -1;

	open_store(&t, &s);
	cr_expect_not(running_has_dead(&s));
	cr_assert_eq(running_enter(&s, &c, &fd, &err), 0, "%s", err.text);
	cr_expect_not(running_has_dead(&s));
	close(fd); /* as the kernel does */
	cr_expect(running_has_dead(&s));
	cr_expect_eq(look(&s).count, 1u);
	cr_expect_not(look(&s).last.is_alive);
	cr_expect_eq(running_signal(&s, &c, 0, RUNNING_BY_KILL), -ESRCH);
	cr_expect_eq(running_wait(&s, CALL, 0, -1), 0);
}

Test(running, each_ends_where_it_is_told)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct running_call c = sample();
	struct err err = ERR_INIT;
	auto_fd fd = -1;
	auto_fd other = -1;

	open_store(&t, &s);
	cr_assert_eq(running_enter(&s, &c, &fd, &err), 0);
	memcpy(c.call_text, OTHER, sizeof(c.call_text));
	cr_assert_eq(running_enter(&s, &c, &other, &err), 0);
	cr_expect_eq(look(&s).count, 2u);
}

/* Not ours, cut, or full of what does not fit: bounded, and never left out. */
Test(running, a_file_is_not_believed)
{
	static const char *const texts[] = {
		"",
		"v 1\n",
		"end\n",
		"pid 99999999999999999999 1\nt0 x\nworkflow y\nreserved 1 2\nprofile \\9\nend\n",
		"pid 0 0\nprofile aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaaaaaaaaaa\nend\n",
	};
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct running_call c = sample();
	struct err err = ERR_INIT;
	int fd = -1;

	open_store(&t, &s);
	cr_assert_eq(running_enter(&s, &c, &fd, &err), 0);
	running_leave(&s, CALL, &fd);
	temp_write(&t, RUNNING_DIR "/junk", "x", 1);
	temp_write(&t, RUNNING_DIR "/" CALL "x", "x", 1);
	cr_expect_eq(look(&s).count, 0u);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct seen seen;

		temp_write(&t, RUNNING_DIR "/" CALL, texts[i], strlen(texts[i]));
		seen = look(&s);
		cr_expect_eq(seen.count, 1u, "%zu", i);
		cr_expect_str_eq(seen.last.call_text, CALL, "%zu", i);
		cr_expect_eq(seen.last.pid, 0, "%zu", i);
		cr_expect_leq(strlen(seen.last.profile), 64u, "%zu", i);
		cr_expect_eq(running_signal(&s, &seen.last, 0, RUNNING_BY_KILL), -ESRCH, "%zu", i);
	}
}

Test(running, one_without_a_name_is_swept)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct running_call c = sample();
	struct err err = ERR_INIT;
	char path[256];
	auto_fd held = -1;
	int fd = -1;

	open_store(&t, &s);
	cr_assert_eq(running_enter(&s, &c, &fd, &err), 0);
	running_leave(&s, CALL, &fd);
	temp_write(&t, RUNNING_DIR "/.new-" CALL, "x", 1);
	temp_write(&t, RUNNING_DIR "/.new-" OTHER, "x", 1);
	temp_path(&t, RUNNING_DIR "/.new-" OTHER, path);
	held = open(path, O_RDONLY | O_CLOEXEC);
	cr_assert_eq(flock(held, LOCK_EX), 0);
	cr_expect_not(running_has_dead(&s));
	cr_expect_eq(look(&s).count, 0u);
	cr_expect_not(temp_exists(&t, RUNNING_DIR "/.new-" CALL));
	cr_expect(temp_exists(&t, RUNNING_DIR "/.new-" OTHER));
}

/* ---- a process that holds a call ------------------------------------------------------------- */

struct holder {
	pid_t pid;
	int to_fd, from_fd; /* closing to_fd ends it; from_fd: what it says */
	struct running_call call;
};

/* What it got: signal, value, and the sender's pid. */
static void __attribute__((noreturn))
hold(const struct store *s, struct running_call *c, int in, int out)
{
	struct err err = ERR_INIT;
	struct timespec soon = { .tv_nsec = 1000000 };
	siginfo_t info;
	sigset_t set;
	char byte;
	int fd = -1;

	sigemptyset(&set);
	sigaddset(&set, RUNNING_SIGNAL_KILL);
	sigaddset(&set, RUNNING_SIGNAL_FREEZE);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fcntl(in, F_SETFL, O_NONBLOCK);
	if (running_self(c) < 0 || running_enter(s, c, &fd, &err) < 0 ||
	    write(out, c, sizeof(*c)) != (ssize_t)sizeof(*c)) {
		_exit(1);
	}
	while (read(in, &byte, 1) != 0) {
		if (sigtimedwait(&set, &info, &soon) > 0) {
			const int told[] = { info.si_signo, info.si_value.sival_int,
					     (int)info.si_pid };

			if (write(out, told, sizeof(told)) != (ssize_t)sizeof(told)) {
				_exit(1);
			}
		}
	}
	running_leave(s, c->call_text, &fd);
	_exit(0);
}

static void
holder_start(struct holder *h, const struct store *s)
{
	int to[2], from[2];

	h->call = sample();
	cr_assert_eq(pipe2(to, O_CLOEXEC), 0);
	cr_assert_eq(pipe2(from, O_CLOEXEC), 0);
	h->pid = fork();
	if (h->pid == 0) {
		close(to[1]);
		close(from[0]);
		hold(s, &h->call, to[0], from[1]);
	}
	cr_assert_gt(h->pid, 0);
	close(to[0]);
	close(from[1]);
	h->to_fd = to[1];
	h->from_fd = from[0];
	cr_assert_eq(fdio_read(h->from_fd, &h->call, sizeof(h->call)), 0);
}

static void
holder_end(struct holder *h)
{
	int status = -1;

	close(h->to_fd);
	cr_expect_eq(waitpid(h->pid, &status, 0), h->pid);
	cr_expect_eq(status, 0);
	close(h->from_fd);
}

Test(running, the_front_is_told_by_whom)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct holder h;
	struct running_call wrong;
	static const int flags[] = { RUNNING_LIMITS_FLAG, 0, RUNNING_THAW_FLAG };
	int told[3] = { 0 }, status;

	open_store(&t, &s);
	holder_start(&h, &s);
	cr_assert_eq(running_signal(&s, &h.call, RUNNING_SIGNAL_KILL, RUNNING_BY_STOP), 0);
	cr_assert_eq(fdio_read(h.from_fd, told, sizeof(told)), 0);
	cr_expect_eq(told[0], RUNNING_SIGNAL_KILL);
	cr_expect_eq(told[1], (int)RUNNING_BY_STOP);
	cr_expect_eq(told[2], getpid());

	/* one number, so that they come in their order */
	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		cr_assert_eq(running_signal(&s, &h.call, RUNNING_SIGNAL_FREEZE | flags[i],
					    RUNNING_BY_WORKFLOW),
			     0);
		cr_assert_eq(fdio_read(h.from_fd, told, sizeof(told)), 0);
		cr_expect_eq(told[0], RUNNING_SIGNAL_FREEZE);
		cr_expect_eq(told[1], (int)RUNNING_BY_WORKFLOW | flags[i]);
	}

	/* a suspended job is told as well */
	cr_assert_eq(kill(h.pid, SIGSTOP), 0);
	cr_assert_eq(waitpid(h.pid, &status, WUNTRACED), h.pid);
	cr_assert(WIFSTOPPED(status));
	cr_assert_eq(running_signal(&s, &h.call, RUNNING_SIGNAL_KILL, RUNNING_BY_KILL), 0);
	cr_assert_eq(fdio_read(h.from_fd, told, sizeof(told)), 0);
	cr_expect_eq(told[1], (int)RUNNING_BY_KILL);

	/* the same pid, but another process had it then; and a pid that is somebody else's */
	wrong = h.call;
	wrong.pid_start++;
	cr_expect_eq(running_signal(&s, &wrong, RUNNING_SIGNAL_KILL, RUNNING_BY_STOP), -ESRCH);
	wrong = h.call;
	wrong.pid = getpid();
	cr_expect_eq(running_signal(&s, &wrong, SIGKILL, RUNNING_BY_STOP), -ESRCH);
	holder_end(&h);
	cr_expect_eq(running_signal(&s, &h.call, SIGKILL, RUNNING_BY_STOP), -ESRCH);
}

Test(running, wait_ends_with_the_call)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct holder h;
	pid_t waiter;
	int status = -1;

	open_store(&t, &s);
	cr_expect_eq(running_wait(&s, CALL, 1, -1), -ENOENT);
	holder_start(&h, &s);
	cr_expect_eq(running_wait(&s, CALL, 1, -1), -ETIMEDOUT);
	waiter = fork();
	if (waiter == 0) {
		int rc;

		close(h.to_fd); /* else its holder never ends */
		rc = running_wait(&s, CALL, 600000, -1);
		_exit(rc == 0 || rc == -ENOENT ? 0 : 1);
	}
	holder_end(&h);
	cr_expect_eq(waitpid(waiter, &status, 0), waiter);
	cr_expect_eq(status, 0);
}

Test(running, words_for_every_value)
{
	for (int i = 0; i < RUNNING_BY__COUNT; i++) {
		cr_expect_gt(strlen(running_by_words(i)), 0u, "%d", i);
	}
	cr_expect_str_eq(running_by_words(RUNNING_BY_STOP), "airlock stop");
	cr_expect_str_eq(running_by_words(RUNNING_BY__COUNT), running_by_words(RUNNING_BY_NOBODY));
	cr_expect_str_eq(running_by_words(-1), running_by_words(RUNNING_BY_NOBODY));
}

/* A sweep may take the file before it is locked: it is made again, and never lost. */
Test(running, entering_beside_sweeps)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct running_call c = sample();
	struct err err = ERR_INIT;
	pid_t sweepers[2];

	open_store(&t, &s);
	for (size_t i = 0; i < ARRAY_LEN(sweepers); i++) {
		sweepers[i] = fork();
		if (sweepers[i] == 0) {
			/* a test that is given up must not leave them sweep for ever */
			cr_assert_eq(prctl(PR_SET_PDEATHSIG, SIGKILL), 0);
		}
		while (sweepers[i] == 0) {
			struct seen seen = { .count = 0 };

			if (running_each(&s, see, &seen, &err) < 0 ||
			    (seen.count > 0 && !seen.last.is_alive)) {
				_exit(1);
			}
		}
	}
	for (int i = 0; i < 2000; i++) {
		int fd = -1;

		cr_assert_eq(running_enter(&s, &c, &fd, &err), 0, "%d: %s", i, err.text);
		cr_assert(temp_exists(&t, RUNNING_DIR "/" CALL), "%d", i);
		running_leave(&s, CALL, &fd);
	}
	for (size_t i = 0; i < ARRAY_LEN(sweepers); i++) {
		int status = -1;

		/* it has not ended by itself: it saw no call without its front */
		cr_expect_eq(kill(sweepers[i], SIGKILL), 0);
		cr_expect_eq(waitpid(sweepers[i], &status, 0), sweepers[i]);
		cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	}
}
