/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_resolve.c over journals that are made by hand. Run by `make unit`. */
#include "../store/index_fixture.h"

#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../launcher/base/fdio.h"
#include "../../../launcher/cli/commands.h"
#include "../../../launcher/workflow/keys.h"
#include "../../../launcher/workflow/ledger.h"
#include "../locks.h"

static void
begin(void)
{
	state_make();
	cr_assert_eq(setenv("AIRLOCK_STATE", state_dir, 1), 0);
}

TestSuite(cmd_resolve, .init = begin, .fini = state_remove);

/* A state directory with the directory of WORKFLOW. */
static struct store
open_with_workflow(void)
{
	struct store s = open_store();

	cr_assert(mkdirat(s.dir_fd, "wf", 0700) == 0 || errno == EEXIST);
	cr_assert_eq(mkdirat(s.dir_fd, "wf/" WORKFLOW, 0700), 0);
	return s;
}

/* The verb's exit status; what it said, on both streams, is in ret. */
static int
resolve(const char *call, const char *answer, const char *reason, struct buf *ret)
{
	char *argv[] = {
		(char *)"resolve",	   (char *)(uintptr_t)call,
		(char *)(uintptr_t)answer, (char *)(uintptr_t)(reason != NULL ? "--reason" : NULL),
		(char *)(uintptr_t)reason, NULL
	};
	int kept[2] = { dup(STDOUT_FILENO), dup(STDERR_FILENO) }, status, fd;
	char path[96];

	snprintf(path, sizeof(path), "%s/said", state_dir);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);
	cr_assert_geq(fd, 0);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(dup2(fd, STDOUT_FILENO + i), STDOUT_FILENO + i);
	}
	close(fd);
	optind = 1;
	status = cmd_resolve(reason != NULL ? 5 : 3, argv);
	fflush(stdout);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(dup2(kept[i], STDOUT_FILENO + i), STDOUT_FILENO + i);
		close(kept[i]);
	}
	buf_reset(ret);
	cr_assert_eq(fdio_slurp_at(AT_FDCWD, path, 1u << 16, ret), 0);
	return status;
}

Test(cmd_resolve, an_unknown_call_is_resolved_once)
{
	auto_store s = open_with_workflow();
	auto_buf said = BUF_INIT;

	append_planned_with(&s, CALL_A, "\"attempt\":2,\"key\":\"k\",\"retry\":\"ask\"", "\"ee\"");
	cr_expect_eq(resolve(CALL_A, "perhaps", NULL, &said), 125);
	cr_expect_str_eq(buf_text(&said), "airlock: resolve: perhaps is no answer; there are done, "
					  "not-done, rerun\n");
	cr_expect_eq(resolve("0198c2a4", "rerun", "looked \033[2J", &said), 0, "%s",
		     buf_text(&said));
	cr_expect_str_eq(buf_text(&said), "call 0198c2a4-7f3e: it may run again; a retry under its "
					  "key k runs, as attempt 3\n");
	cr_expect_eq(resolve(CALL_A, "done", NULL, &said), 1);
	cr_expect_not_null(strstr(buf_text(&said), CALL_A " was resolved as rerun 2"), "%s",
			   buf_text(&said));
	ingest(&s);
	expect_answer("SELECT why FROM damaged", "");
	expect_answer("SELECT call, answer, reason FROM resolve", CALL_A "|rerun|looked \033[2J\n");
}

Test(cmd_resolve, each_answer_says_what_a_retry_gets)
{
	static const struct {
		const char *key, *answer, *said;
	} rows[] = {
		{ "\"k\"", "done",
		  "its work is done; a retry under its key k is answered as done, and runs "
		  "nothing\n" },
		{ "\"k\"", "not-done",
		  "its work is not done; a retry under its key k is answered as interrupted (exit "
		  "125), and runs nothing: to do it after all, take another key\n" },
		{ "\"k\"", "rerun",
		  "it may run again; a retry under its key k runs, as attempt 2\n" },
		{ "null", "done",
		  "its work is done; it had no key, so nobody is answered by it\n" },
	};
	auto_store s = open_with_workflow();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf said = BUF_INIT, members = BUF_INIT, expected = BUF_INIT;
		char call[UUID_TEXT_SIZE];

		snprintf(call, sizeof(call), "0198c2a4-7f3e-7abc-8def-%012zx", i);
		buf_printf(&members, "\"key\":%s", rows[i].key);
		append_planned_with(&s, call, buf_text(&members), "\"ee\"");
		cr_expect_eq(resolve(call, rows[i].answer, NULL, &said), 0, "row %zu", i);
		buf_printf(&expected, "call 0198c2a4-7f3e: %s", rows[i].said);
		cr_expect_str_eq(buf_text(&said), buf_text(&expected), "row %zu", i);
	}
}

Test(cmd_resolve, a_later_attempt_has_the_key)
{
	struct key_entry later = { .call = CALL_B, .attempt = 2 };
	auto_store s = open_with_workflow();
	auto_buf said = BUF_INIT;
	auto_fd dir = openat(s.dir_fd, "wf/" WORKFLOW, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	memset(later.parts, '0', sizeof(later.parts) - 1);
	append_planned_with(&s, CALL_A, "\"key\":\"k\",\"retry\":\"safe\"", "\"ee\"");
	append_planned_with(&s, CALL_B, "\"key\":\"k\",\"retry\":\"safe\"", "\"ee\"");
	cr_assert_eq(keys_write(dir, "k", &later), 0);
	cr_expect_eq(resolve(CALL_A, "not-done", NULL, &said), 1);
	cr_expect_str_eq(buf_text(&said),
			 "airlock: " CALL_A ": its key is that of call " CALL_B " by now\n");
	snprintf(later.call, sizeof(later.call), "%s", CALL_A);
	cr_assert_eq(keys_write(dir, "k", &later), 0);
	cr_expect_eq(resolve(CALL_A, "not-done", NULL, &said), 0, "%s", buf_text(&said));
}

Test(cmd_resolve, a_call_that_ended_or_runs_is_not_unknown)
{
	auto_store s = open_with_workflow();
	auto_buf said = BUF_INIT;
	auto_fd running = -1;

	append_planned(&s, CALL_A, "python");
	append_outcome(&s, CALL_A, "failed");
	append_planned(&s, CALL_B, "python");
	cr_expect_eq(resolve(CALL_A, "done", NULL, &said), 1);
	cr_expect_str_eq(buf_text(&said), "airlock: " CALL_A
					  " is not unknown: it ended, and its verdict is failed\n");
	cr_assert_eq(mkdirat(s.dir_fd, "running", 0700), 0);
	running = openat(s.dir_fd, "running/" CALL_B, O_CREAT | O_RDWR, 0600);
	cr_assert_eq(flock(running, LOCK_EX), 0);
	cr_expect_eq(resolve(CALL_B, "done", NULL, &said), 1);
	cr_expect_str_eq(buf_text(&said),
			 "airlock: " CALL_B " still runs: airlock kill 0198c2a4-7f3e ends it\n");
	ingest(&s);
	expect_answer("SELECT count(*) FROM resolve", "0\n");
	cleanup_fd(&running); /* its front died */
	running = -1;
	cr_expect_eq(resolve(CALL_B, "done", NULL, &said), 0, "%s", buf_text(&said));
}

/* The ledger of WORKFLOW, which somebody else has. */
static int
hold_ledger(const struct store *s, ino_t *ret_ino)
{
	struct stat st;
	int fd = openat(s->dir_fd, "wf/" WORKFLOW "/" LEDGER_FILE, O_CREAT | O_RDWR | O_CLOEXEC,
			0600);

	cr_assert_geq(fd, 0);
	cr_assert_eq(flock(fd, LOCK_EX), 0);
	cr_assert_eq(fstat(fd, &st), 0);
	*ret_ino = st.st_ino;
	return fd;
}

/* It may begin a commit, and die in it, as long as that takes. */
Test(cmd_resolve, for_a_call_that_runs_no_ledger_is_waited_for)
{
	auto_store s = open_with_workflow();
	auto_buf said = BUF_INIT;
	auto_fd running = -1, ledger = -1;
	ino_t ino;

	append_planned(&s, CALL_A, "python");
	cr_assert_eq(mkdirat(s.dir_fd, "running", 0700), 0);
	running = openat(s.dir_fd, "running/" CALL_A, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	cr_assert_eq(flock(running, LOCK_EX), 0);
	ledger = hold_ledger(&s, &ino);
	cr_expect_eq(resolve(CALL_A, "done", NULL, &said), 1);
	cr_expect_str_eq(buf_text(&said),
			 "airlock: " CALL_A " still runs: airlock kill 0198c2a4-7f3e ends it\n");
}

Test(cmd_resolve, a_commit_that_shows_while_the_ledger_is_waited_for_may_end_it)
{
	auto_store s = open_with_workflow();
	auto_buf said = BUF_INIT;
	auto_fd ledger = -1, commit = -1;
	ino_t ino;
	pid_t pid;
	int status = 0;

	append_planned(&s, CALL_A, "python");
	ledger = hold_ledger(&s, &ino);
	pid = fork();
	if (pid == 0) {
		_exit(resolve(CALL_A, "done", NULL, &said));
	}
	while (!locks_is_waited_for(ino) && waitpid(pid, &status, WNOHANG) == 0) {
		sched_yield();
	}
	cr_assert_eq(mkdirat(s.dir_fd, "commits", 0700), 0);
	commit = openat(s.dir_fd, "commits/" CALL_A, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	cr_assert_geq(commit, 0);
	cr_assert_eq(flock(ledger, LOCK_UN), 0);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(WEXITSTATUS(status), 1);
	cr_assert_eq(fdio_slurp_at(s.dir_fd, "said", 1u << 16, &said), 0);
	cr_expect_str_eq(buf_text(&said),
			 "airlock: a commit of call " CALL_A " was cut short, and is not recovered "
			 "yet: `airlock recover` says why\n");
	ingest(&s);
	expect_answer("SELECT count(*) FROM resolve", "0\n");
}
