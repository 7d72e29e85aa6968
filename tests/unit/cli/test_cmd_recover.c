/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_recover.c, cmd_recover_calls.c and cmd_recover_workflows.c over state directories that are
 * made by hand. Run by `make unit`.
 */
#include "../store/index_fixture.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../../launcher/base/fdio.h"
#include "../../../launcher/cli/commands.h"
#include "../../../launcher/workflow/running.h"

#define CALL_D "0198c2a4-9000-7abc-8def-0123456789ab"
#define RESERVED "\"reserved\":{\"calls\":1,\"cpu_ms\":5,\"disk_bytes\":7,\"wall_ms\":9}"

static void
begin(void)
{
	state_make();
	cr_assert_eq(setenv("AIRLOCK_STATE", state_dir, 1), 0);
}

TestSuite(cmd_recover, .init = begin, .fini = state_remove);

/* Directories of WORKFLOW below the state directory. */
static int
make_workflow(struct store *s)
{
	int fd;

	cr_assert(mkdirat(s->dir_fd, "wf", 0700) == 0 || errno == EEXIST);
	cr_assert_eq(mkdirat(s->dir_fd, "wf/" WORKFLOW, 0700), 0);
	fd = openat(s->dir_fd, "wf/" WORKFLOW, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	return fd;
}

/* Its file, held as long as the descriptor is open. */
static int
enter_running(struct store *s, const char *call)
{
	struct running_call c = { .t0_ms = 1750000000000, .reserved = { 1, 2, 3, 4 } };
	struct err err = ERR_INIT;
	int fd = -1;

	cr_assert_eq(text_uuid_parse(call, c.call), 0);
	cr_assert_eq(text_uuid_parse(WORKFLOW, c.workflow), 0);
	snprintf(c.call_text, sizeof(c.call_text), "%s", call);
	cr_assert_eq(running_self(&c), 0);
	cr_assert_eq(running_enter(s, &c, &fd, &err), 0, "%s", err.text);
	return fd;
}

static void
leave_dead(struct store *s, const char *call)
{
	close(enter_running(s, call));
}

static bool
is_there(const struct store *s, const char *path)
{
	return faccessat(s->dir_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The verb's exit status; what it said, on both streams, is in ret. */
static int
recover(const char *option, struct buf *ret)
{
	char *argv[] = { (char *)"recover", (char *)(uintptr_t)option, NULL };
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
	status = cmd_recover(option != NULL ? 2 : 1, argv);
	fflush(stdout);
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(dup2(kept[i], STDOUT_FILENO + i), STDOUT_FILENO + i);
		close(kept[i]);
	}
	buf_reset(ret);
	cr_assert_eq(fdio_slurp_at(AT_FDCWD, path, 1u << 16, ret), 0);
	return status;
}

static void
expect_said(const char *option, int status, const char *expected)
{
	auto_buf said = BUF_INIT;

	cr_expect_eq(recover(option, &said), status);
	cr_expect_str_eq(buf_text(&said), expected);
}

static void
expect_used(int dir, const char *name, uint64_t calls, uint64_t wall)
{
	struct ledger l;
	struct err err = ERR_INIT;

	cr_assert_eq(ledger_read(dir, &l, &err), 0, "%s", err.text);
	cr_expect_str_eq(l.name, name);
	cr_expect_eq(l.used[BUDGET_CALLS], calls);
	cr_expect_eq(l.used[BUDGET_WALL], wall);
}

Test(cmd_recover, nothing_is_done_where_nothing_is_left)
{
	auto_store s = open_store();
	auto_fd dir = make_workflow(&s);

	expect_said(NULL, 0, "nothing to recover\n");
	expect_said("-q", 0, "");
	cr_expect(!is_there(&s, "wf/" WORKFLOW "/ledger")); /* it had no call */
}

#define LAYER_A "0000000001-" CALL_A
#define LAYER_B "0000000002-" CALL_B
#define LAYER_D "0000000003-" CALL_D

/* It may have been kept, and no outcome says so: no later call runs over it. */
Test(cmd_recover, what_an_unknown_call_left_in_the_draft_is_set_aside)
{
	auto_store s = open_store();
	auto_fd dir = make_workflow(&s), living = -1;
	auto_buf said = BUF_INIT;

	append_planned_with(&s, CALL_A, "\"key\":null," RESERVED, "\"ab\"");
	append_outcome(&s, CALL_A, "ok");
	append_planned_with(&s, CALL_B, "\"key\":null,\"retry\":\"safe\"," RESERVED, "\"ab\"");
	append_planned_with(&s, CALL_D, "\"key\":null," RESERVED, "\"ab\"");
	cr_assert_eq(mkdirat(dir, "draft", 0700), 0);
	cr_assert_eq(mkdirat(dir, "draft/" LAYER_A, 0700), 0);
	cr_assert_eq(mkdirat(dir, "draft/" LAYER_A "/upper", 0700), 0);
	cr_assert_eq(mkdirat(dir, "draft/" LAYER_B, 0700), 0);
	cr_assert_eq(mkdirat(dir, "draft/" LAYER_B "/upper", 0700), 0);
	cr_assert_eq(mkdirat(dir, "draft/" LAYER_D, 0700), 0);
	cr_assert_eq(mkdirat(dir, "draft/" LAYER_D "/upper", 0700), 0);
	leave_dead(&s, CALL_B);
	living = enter_running(&s, CALL_D);
	cr_expect_eq(recover(NULL, &said), 0, "%s", buf_text(&said));
	cr_expect(is_there(&s, "wf/" WORKFLOW "/draft/" LAYER_A "/upper"));
	cr_expect(!is_there(&s, "wf/" WORKFLOW "/draft/" LAYER_B));
	cr_expect(is_there(&s, "wf/" WORKFLOW "/aside/" LAYER_B "/upper"));
	cr_expect(is_there(&s, "wf/" WORKFLOW "/draft/" LAYER_D "/upper"));
}

Test(cmd_recover, each_call_whose_front_died_is_told_and_its_file_goes)
{
	auto_store s = open_store();
	auto_fd dir = make_workflow(&s), living = -1;
	auto_buf said = BUF_INIT;
	static const char *const lines[] = {
		"airlock: call " CALL_A
		" of workflow local was cut short: it had ended, and its verdict is failed\n",
		"airlock: call " CALL_B
		" of workflow local was cut short: nobody knows whether it did its work, and its "
		"profile says retry: ask; look (airlock show 0198c2a4-7f3e) and decide: airlock "
		"resolve 0198c2a4-7f3e done|not-done|rerun\n",
		"airlock: call " CALL_C
		" of workflow local was cut short: nobody knows whether it did its work; a retry "
		"under its key k runs, as attempt 2\n",
		"airlock: call " WORKFLOW
		" was cut short before anything was recorded of it: it did not run\n",
	};

	append_planned_with(&s, CALL_A, "\"key\":null," RESERVED, "\"ab\"");
	append_outcome(&s, CALL_A, "failed");
	append_planned_with(&s, CALL_B, "\"key\":null,\"retry\":\"ask\"," RESERVED, "\"ab\"");
	append_planned_with(&s, CALL_C, "\"attempt\":1,\"key\":\"k\",\"retry\":\"safe\"," RESERVED,
			    "\"ab\"");
	append_planned_with(&s, CALL_D, "\"key\":null," RESERVED, "\"ab\"");
	leave_dead(&s, CALL_A);
	leave_dead(&s, CALL_B);
	leave_dead(&s, CALL_C);
	leave_dead(&s, WORKFLOW); /* an id that no call in the journal has */
	living = enter_running(&s, CALL_D);
	cr_expect_eq(recover(NULL, &said), 0);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		cr_expect_not_null(strstr(buf_text(&said), lines[i]), "%s in %s", lines[i],
				   buf_text(&said));
	}
	cr_expect(!is_there(&s, "running/" CALL_A));
	cr_expect(!is_there(&s, "running/" CALL_B));
	cr_expect(!is_there(&s, "running/" CALL_C));
	cr_expect(!is_there(&s, "running/" WORKFLOW));
	cr_expect(is_there(&s, "running/" CALL_D));
	expect_used(dir, "local", 3, 1200 + 9 + 9);
	expect_said(NULL, 0, "nothing to recover\n");
	cleanup_fd(&living);
	living = -1;
	expect_said("-q", 0, "");
	cr_expect(!is_there(&s, "running/" CALL_D));
	expect_used(dir, "local", 4, 1200 + 9 + 9 + 9);
}

Test(cmd_recover, a_damaged_file_is_of_the_workflow_that_the_record_names)
{
	auto_store s = open_store();
	auto_fd dir = make_workflow(&s);

	append_planned_with(&s, CALL_A, "\"key\":null,\"retry\":\"ask\"," RESERVED, "\"ab\"");
	cr_assert_eq(mkdirat(s.dir_fd, "running", 0700), 0);
	cr_assert_eq(fdio_replace_at(s.dir_fd, "running/" CALL_A, "junk", 4, 0600), 0);
	cr_assert_eq(fdio_replace_at(s.dir_fd, "running/" CALL_B, "", 0, 0600), 0);
	expect_said("-q", 0, "");
	cr_expect(!is_there(&s, "running/" CALL_A));
	cr_expect(!is_there(&s, "running/" CALL_B));
	expect_used(dir, "local", 1, 9);
}

#define NAME "names/triage"
#define MADE \
	"airlock: workflow triage: its definition and its name are made again from the journal\n"
#define LEDGER "airlock: 1 ledger of workflows made again from the journal\n"

Test(cmd_recover, a_workflow_is_made_again_from_its_entry)
{
	auto_store s = open_store();
	struct workflow_definition d;
	auto_buf id = BUF_INIT;
	struct err err = ERR_INIT;
	auto_fd dir = -1;

	append_event(&s, "workflow", EVENT_WORKFLOW_NEW);
	cr_assert(mkdirat(s.dir_fd, "wf", 0700) == 0 || errno == EEXIST);
	expect_said(NULL, 0, MADE LEDGER);
	cr_assert_eq(fdio_slurp_at(s.dir_fd, NAME, 64, &id), 0);
	cr_expect_eq(strncmp(buf_text(&id), WORKFLOW, strlen(WORKFLOW)), 0);
	dir = openat(s.dir_fd, "wf/" WORKFLOW, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(workflow_definition_read(dir, &d, &err), 0, "%s", err.text);
	cr_expect_str_eq(d.name, "triage");
	cr_expect_eq(d.step_count, 2u);
	cr_expect_str_eq(d.steps[1], "edit");
	cr_expect_eq(d.limits[BUDGET_CALLS], 10u);
	cr_expect_eq(d.deadline_ms, 1760000000000u);
	expect_used(dir, "triage", 0, 0);
	expect_said(NULL, 0, "nothing to recover\n");
	/* its name alone; what says nothing is as good as lost */
	cr_assert_eq(fdio_replace_at(s.dir_fd, NAME, "", 0, 0600), 0);
	expect_said(NULL, 0, MADE);
	cr_assert_eq(unlinkat(s.dir_fd, NAME, 0), 0);
	expect_said("-q", 0, "");
	cr_expect(is_there(&s, NAME));
	/* its ledger alone: without it the budget would be lost */
	cr_assert_eq(unlinkat(dir, LEDGER_FILE, 0), 0);
	expect_said(NULL, 0, LEDGER);
	expect_used(dir, "triage", 0, 0);
	cr_assert_eq(fdio_replace_at(dir, LEDGER_FILE, "", 0, 0600), 0);
	expect_said(NULL, 0, LEDGER);
	expect_used(dir, "triage", 0, 0);
}

/* What stopped it was damaged, or how it was made. */
Test(cmd_recover, a_ledger_that_is_made_again_over_damage_is_paused_and_that_is_told)
{
	auto_store s = open_store();
	auto_fd dir = -1;

	append_event(&s, "workflow", EVENT_WORKFLOW_NEW);
	append(&s, "a stop");
	expect_said(NULL, 0,
		    MADE "airlock: workflow triage is paused: 1 damaged journal entry: what is "
			 "known of it may not be all; look (airlock workflow show triage) and "
			 "decide: airlock workflow resume|stop triage\n" LEDGER);
	dir = openat(s.dir_fd, "wf/" WORKFLOW, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	expect_used(dir, "triage", 0, 0);
	expect_said(NULL, 0, "nothing to recover\n");
}

Test(cmd_recover, what_was_forgotten_stays_so)
{
	auto_store s = open_store();

	append_event(&s, "workflow", EVENT_WORKFLOW_NEW);
	append_event(&s, "gc", EVENT_GC);
	expect_said(NULL, 0, "nothing to recover\n");
	cr_expect(!is_there(&s, NAME));
	cr_expect(!is_there(&s, "wf/" WORKFLOW));
}

Test(cmd_recover, a_name_that_cannot_be_made_again_is_told)
{
	auto_store s = open_store();
	auto_buf said = BUF_INIT;

	append_event(&s, "workflow", EVENT_WORKFLOW_NEW);
	cr_assert_eq(mkdirat(s.dir_fd, "names", 0700), 0);
	cr_assert_eq(mkdirat(s.dir_fd, NAME, 0700), 0); /* a directory in its place */
	cr_expect_eq(recover("-q", &said), 1);
	cr_expect_not_null(strstr(buf_text(&said), "airlock: workflow triage is still to be "
						   "recovered: "),
			   "%s", buf_text(&said));
}
