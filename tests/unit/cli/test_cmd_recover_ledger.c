/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_recover_ledger.c over journals that are made by hand. Run by `make unit`. */
#include "../store/index_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../../launcher/base/clock.h"
#include "../../../launcher/base/fdio.h"
#include "../../../launcher/cli/cmd_recover.h"
#include "../../../launcher/workflow/keys.h"
#include "../../../launcher/workflow/running.h"

#define CALL_D "0198c2a4-9000-7abc-8def-0123456789ab"
#define CALL_E "0198c2a4-a000-7abc-8def-0123456789ab"
#define REQUEST "\"00000000000000000000000000000000000000000000000000000000000000ab\""
#define PARTS                                                              \
	"0000000011111111222222223333333344444444555555556666666677777777" \
	"88888888"

static void
begin(void)
{
	state_make();
	cr_assert_eq(setenv("AIRLOCK_STATE", state_dir, 1), 0);
}

TestSuite(cmd_recover_ledger, .init = begin, .fini = state_remove);

static uint8_t workflow[16];

/* The workflow's directory. */
static int
make_workflow(struct store *s)
{
	int fd;

	cr_assert(mkdirat(s->dir_fd, "wf", 0700) == 0 || faccessat(s->dir_fd, "wf", F_OK, 0) == 0);
	cr_assert_eq(mkdirat(s->dir_fd, "wf/" WORKFLOW, 0700), 0);
	fd = openat(s->dir_fd, "wf/" WORKFLOW, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(fd, 0);
	cr_assert_eq(text_uuid_parse(WORKFLOW, workflow), 0);
	return fd;
}

/* An entry about the workflow with one piece of it replaced. */
static void
append_about(struct store *s, const char *action, const char *from, const char *to, uint64_t t)
{
	auto_buf record = BUF_INIT, word = BUF_INIT, moment = BUF_INIT;

	buf_puts(&record, EVENT_WORKFLOW_PAUSE);
	buf_printf(&word, "\"%s\"", action);
	buf_printf(&moment, "\"t\":%llu", (unsigned long long)t);
	replace_once(&record, "\"pause\"", buf_text(&word));
	replace_once(&record, "\"t\":7", buf_text(&moment));
	replace_once(&record, from, to);
	append_event(s, "workflow", buf_text(&record));
}

/* One that holds its file, or (the fd closed) a dead one. */
static int
enter_running(struct store *s, const char *call, const uint64_t reserved[BUDGET__COUNT])
{
	struct running_call c = { .t0_ms = 1750000000000 };
	struct err err = ERR_INIT;
	int fd = -1;

	cr_assert_eq(text_uuid_parse(call, c.call), 0);
	cr_assert_eq(text_uuid_parse(WORKFLOW, c.workflow), 0);
	snprintf(c.call_text, sizeof(c.call_text), "%s", call);
	memcpy(c.reserved, reserved, sizeof(c.reserved));
	cr_assert_eq(running_self(&c), 0);
	cr_assert_eq(running_enter(s, &c, &fd, &err), 0, "%s", err.text);
	return fd;
}

/* calls, wall, cpu, disk */
static void
expect_amounts(const uint64_t found[BUDGET__COUNT], const char *expected)
{
	auto_buf text = BUF_INIT;

	buf_printf(&text, "%llu %llu %llu %llu", (unsigned long long)found[BUDGET_CALLS],
		   (unsigned long long)found[BUDGET_WALL], (unsigned long long)found[BUDGET_CPU],
		   (unsigned long long)found[BUDGET_DISK]);
	cr_expect_str_eq(buf_text(&text), expected);
}

/* What the ledger says after it was made again, whatever it said. */
static struct ledger
make_again(int dir)
{
	auto_reading r = READING_INIT;
	auto_ledger f = LEDGER_FILE_INIT;
	struct ledger found;
	struct err err = ERR_INIT;
	int rc;

	cr_assert_eq(reading_open_raw(&r, &err), 0, "%s", err.text);
	cr_assert(ledger_open(dir, &f, &err) == 0 || err.code == -ESTALE, "%s", err.text);
	rc = recover_ledger(&r, dir, workflow, &f, &err);
	ledger_close(&f);
	cr_assert_eq(ledger_read(dir, &found, &err), 0, "%s", err.text);
	/* whether it says that it was paused for that */
	cr_assert_eq(rc, strstr(found.reason, "damaged") != NULL ? 1 : 0, "%d %s", rc, err.text);
	return found;
}

static void
expect_key(int dir, const char *key, const char *call, unsigned int attempt, const char *parts)
{
	struct key_entry e;

	cr_assert_eq(keys_read(dir, key, &e), 0, "%s", key);
	cr_expect_str_eq(e.call, call);
	cr_expect_eq(e.attempt, attempt);
	cr_expect_str_eq(e.parts, parts);
	cr_expect_eq(e.request[31], 0xab);
}

#define RESERVED "\"reserved\":{\"calls\":1,\"cpu_ms\":5,\"disk_bytes\":7,\"wall_ms\":9}"

/* Five calls, of which one runs; the entries about it are the caller's. */
static void
append_calls(struct store *s)
{
	append_planned_with(s, CALL_A,
			    "\"attempt\":1,\"key\":\"k\\\\134\"," RESERVED
			    ",\"request_parts\":\"" PARTS "\",\"retry\":\"ask\"",
			    REQUEST);
	append_outcome(s, CALL_A, "ok");
	append_planned_with(s, CALL_B,
			    "\"attempt\":2,\"key\":\"k\\\\134\"," RESERVED
			    ",\"request_parts\":\"" PARTS "\",\"retry\":\"safe\","
			    "\"retry_of\":\"" CALL_A "\"",
			    REQUEST);
	/* refused: it never had the key */
	append_planned_with(s, CALL_C, "\"attempt\":3,\"key\":\"k\\\\134\"", REQUEST);
	append_outcome(s, CALL_C, "denied");
	append_planned_with(s, CALL_E, "\"attempt\":1,\"key\":\"live\"," RESERVED, REQUEST);
	append_planned_with(s, CALL_D, "\"attempt\":2,\"key\":\"other\"," RESERVED, REQUEST);
}

Test(cmd_recover_ledger, all_of_it_comes_from_the_journal_and_from_what_runs)
{
	static const uint64_t reserved[BUDGET__COUNT] = {
		[BUDGET_CALLS] = 1, [BUDGET_WALL] = 100, [BUDGET_CPU] = 200, [BUDGET_DISK] = 300
	};
	struct key_entry held = { .call = CALL_D, .attempt = 7, .request = { [31] = 0xab } };
	auto_store s = open_store();
	auto_fd dir = make_workflow(&s);
	auto_fd running = -1;
	struct ledger l;

	append_event(&s, "workflow", EVENT_WORKFLOW_NEW);
	append_event(&s, "workflow", EVENT_WORKFLOW_PAUSE);
	append_calls(&s);
	running = enter_running(&s, CALL_D, reserved);
	memset(held.parts, '0', sizeof(held.parts) - 1);
	cr_assert_eq(keys_write(dir, "live", &held), 0);
	l = make_again(dir);
	cr_expect_eq((int)l.state, (int)WORKFLOW_PAUSED);
	cr_expect_eq(l.since_ms, 7u);
	cr_expect_str_eq(l.reason, "a loop");
	cr_expect_str_eq(l.name, "triage");
	cr_expect_eq(l.deadline_ms, 1760000000000u);
	cr_expect_eq(l.guard, 8u);
	cr_expect_eq(l.step, 0u);
	expect_amounts(l.limit, "10 60000 0 0");
	/* A and C as they ended, B and E as they reserved; D counts itself when it ends */
	expect_amounts(l.used, "3 2418 12 18");
	expect_amounts(l.reserved, "1 100 200 300");
	expect_key(dir, "k\\", CALL_B, 2, PARTS);
	/* of before there were parts */
	expect_key(dir, "other", CALL_D, 2,
		   "000000000000000000000000000000000000000000000000000000000000000000000000");
	/* whoever runs under it may not be in the journal yet */
	expect_key(dir, "live", CALL_D, 7, held.parts);
}

Test(cmd_recover_ledger, making_it_twice_is_making_it_once)
{
	auto_store s = open_store();
	auto_fd dir = make_workflow(&s);
	struct ledger first, second;

	append_event(&s, "workflow", EVENT_WORKFLOW_NEW);
	append_calls(&s);
	first = make_again(dir);
	second = make_again(dir);
	expect_amounts(first.used, "4 2427 17 25");
	expect_amounts(second.used, "4 2427 17 25");
	expect_amounts(second.reserved, "0 0 0 0");
	expect_key(dir, "live", CALL_E, 1,
		   "000000000000000000000000000000000000000000000000000000000000000000000000");
}

/*
 * Its t0 is of long ago, so it counts with all that it had; of one that an entry speaks of already,
 * that entry counts, and nothing is appended.
 */
Test(cmd_recover_ledger, a_call_that_died_is_noted_once)
{
	static const char noted[] =
		"SELECT call, type, json_extract(CAST(record AS TEXT), '$.used') FROM entry"
		" WHERE type = 'lost' ORDER BY n";
	static const uint64_t reserved[BUDGET__COUNT] = { [BUDGET_CALLS] = 1 };
	auto_store s = open_store();
	auto_fd dir = make_workflow(&s), running = -1;
	struct ledger l;

	append_event(&s, "workflow", EVENT_WORKFLOW_NEW);
	append_calls(&s);
	append_lost(&s, CALL_B, "3", "1750000000003");
	running = enter_running(&s, CALL_D, reserved);
	for (int i = 0; i < 2; i++) {
		l = make_again(dir);
		/* A and C as they ended, B as was noted, E as it reserved; D counts itself */
		expect_amounts(l.used, "3 2412 10 14");
		expect_answer(noted, CALL_B "|lost|{\"calls\":1,\"cpu_ms\":3,\"disk_bytes\":3,"
					    "\"wall_ms\":3}\n" CALL_E
					    "|lost|{\"calls\":1,\"cpu_ms\":5,\"disk_bytes\":7,"
					    "\"wall_ms\":9}\n");
	}
}

/* In the planned part, and in the ledger that follows it, a call of this moment. */
Test(cmd_recover_ledger, a_call_that_just_began_has_used_little)
{
	auto_store s = open_store();
	auto_fd dir = make_workflow(&s);
	auto_buf now = BUF_INIT, b = BUF_INIT;
	const uint64_t t0_ms = clock_realtime_ms();
	uint64_t most_ms;
	struct ledger l;

	buf_printf(&now, "\"t0\":%llu", (unsigned long long)t0_ms);
	put_planned(&b, CALL_A, "python", "[\"true\"]", "null");
	replace_once(&b, "\"t0\":1750000000000", buf_text(&now));
	replace_once(&b, "\"key\":null",
		     "\"key\":null,\"reserved\":{\"calls\":1,\"cpu_ms\":86400000000,"
		     "\"disk_bytes\":7,\"wall_ms\":86400000}");
	append(&s, buf_text(&b));
	l = make_again(dir);
	most_ms = clock_realtime_ms() - t0_ms;
	cr_expect_leq(l.used[BUDGET_WALL], most_ms);
	cr_expect_eq(l.used[BUDGET_CPU],
		     l.used[BUDGET_WALL] * (uint64_t)sysconf(_SC_NPROCESSORS_CONF));
	cr_expect_eq(l.used[BUDGET_CALLS], 1u);
	cr_expect_eq(l.used[BUDGET_DISK], 7u);
}

/* A full disk keeps nobody from a ledger: the call counts with what it had. */
Test(cmd_recover_ledger, a_call_that_cannot_be_noted_counts_with_what_it_reserved)
{
	auto_store s = open_store();
	auto_fd dir = make_workflow(&s);

	append_calls(&s);
	/* nobody writes into a store that others may write to */
	cr_assert_eq(fchmod(s.dir_fd, 0770), 0);
	expect_amounts(make_again(dir).used, "4 2427 17 25");
	expect_answer("SELECT count(*) FROM entry WHERE type = 'lost'", "0\n");
}

Test(cmd_recover_ledger, each_entry_moves_it)
{
	static const char nothing[] = "\"budget\":null";
	auto_store s = open_store();
	auto_fd dir = make_workflow(&s);
	struct ledger l;

	append_event(&s, "workflow", EVENT_WORKFLOW_NEW);
	append_planned_with(&s, CALL_A, "\"key\":null,\"step\":\"look\"", REQUEST);
	append_planned_with(&s, CALL_B, "\"key\":null,\"step\":\"edit\"", REQUEST);
	append_planned_with(&s, CALL_C, "\"key\":null,\"step\":\"no such\"", REQUEST);
	append_planned_with(&s, CALL_D, "\"key\":null,\"step\":null", REQUEST);
	append_about(&s, "budget",
		     "\"budget\":null,\"by\":\"guard\",\"check\":null,\"deadline\":null,"
		     "\"guard\":null",
		     "\"budget\":{\"calls\":null,\"cpu_ms\":4,\"disk_bytes\":5,\"wall_ms\":6},"
		     "\"by\":\"person\",\"check\":null,\"deadline\":null,\"guard\":3",
		     9);
	l = make_again(dir);
	cr_expect_eq((int)l.state, (int)WORKFLOW_ACTIVE);
	cr_expect_eq(l.since_ms, 6u);
	cr_expect_eq(l.step, 2u);
	cr_expect_eq(l.deadline_ms, 0u);
	cr_expect_eq(l.guard, 3u);
	expect_amounts(l.limit, "0 6 4 5");
	append_about(&s, "pause", "\"a loop\"", "\"back\\\\134slash\"", 10);
	l = make_again(dir);
	cr_expect_eq((int)l.state, (int)WORKFLOW_PAUSED);
	cr_expect_str_eq(l.reason, "back\\slash");
	append_about(&s, "resume", "\"a loop\"", "null", 11);
	l = make_again(dir);
	cr_expect_eq((int)l.state, (int)WORKFLOW_ACTIVE);
	cr_expect_str_eq(l.reason, "");
	append_about(&s, "finish", nothing, nothing, 12);
	l = make_again(dir);
	cr_expect_eq((int)l.state, (int)WORKFLOW_FINISHED);
	cr_expect_eq(l.since_ms, 12u);
	append_about(&s, "stop", nothing, nothing, 13);
	cr_expect_eq((int)make_again(dir).state, (int)WORKFLOW_STOPPED);
}

/* Whoever makes a workflow and whoever recovers it may both append the entry, much later. */
Test(cmd_recover_ledger, a_late_entry_new_undoes_nothing)
{
	auto_store s = open_store();
	auto_fd dir = make_workflow(&s);
	struct ledger l;

	append_about(&s, "budget",
		     "\"budget\":null,\"by\":\"guard\",\"check\":null,\"deadline\":null,"
		     "\"guard\":null",
		     "\"budget\":{\"calls\":2,\"cpu_ms\":4,\"disk_bytes\":5,\"wall_ms\":6},"
		     "\"by\":\"person\",\"check\":null,\"deadline\":1,\"guard\":3",
		     9);
	append_about(&s, "stop", "\"a loop\"", "\"enough\"", 10);
	append_event(&s, "workflow", EVENT_WORKFLOW_NEW);
	append_event(&s, "workflow", EVENT_WORKFLOW_NEW);
	append_planned_with(&s, CALL_A, "\"key\":null,\"step\":\"edit\"", REQUEST);
	l = make_again(dir);
	cr_expect_eq((int)l.state, (int)WORKFLOW_STOPPED);
	cr_expect_eq(l.since_ms, 10u);
	cr_expect_str_eq(l.reason, "enough");
	cr_expect_eq(l.deadline_ms, 1u);
	cr_expect_eq(l.guard, 3u);
	expect_amounts(l.limit, "2 6 4 5");
	/* what nothing else says, it says */
	cr_expect_str_eq(l.name, "triage");
	cr_expect_eq(l.step, 2u);
}

static void
expect_state(int dir, enum workflow_state state, const char *reason)
{
	struct ledger l = make_again(dir);

	cr_expect_eq((int)l.state, (int)state);
	cr_expect_str_eq(l.reason, reason);
}

#define DAMAGED " damaged journal entr"
#define MAY_NOT ": what is known of it may not be all"

Test(cmd_recover_ledger, damage_behind_its_beginning_pauses_it_until_a_person_has_looked)
{
	auto_store s = open_store();
	auto_fd dir = make_workflow(&s);

	append(&s, "an entry of before it was made");
	append_event(&s, "workflow", EVENT_WORKFLOW_NEW);
	expect_state(dir, WORKFLOW_ACTIVE, "");
	append(&s, "a smaller budget");
	expect_state(dir, WORKFLOW_PAUSED, "1" DAMAGED "y" MAY_NOT);
	append(&s, "a stop");
	expect_state(dir, WORKFLOW_PAUSED, "2" DAMAGED "ies" MAY_NOT);
	append_about(&s, "resume", "\"a loop\"", "null", 8);
	expect_state(dir, WORKFLOW_ACTIVE, "");
	expect_state(dir, WORKFLOW_ACTIVE, "");
	append(&s, "another stop");
	expect_state(dir, WORKFLOW_PAUSED, "1" DAMAGED "y" MAY_NOT);
	/* what takes no calls stays as it is, and so does its reason */
	append_about(&s, "pause", "\"a loop\"", "\"mine\"", 9);
	expect_state(dir, WORKFLOW_PAUSED, "mine");
	append_about(&s, "finish", "\"a loop\"", "null", 10);
	expect_state(dir, WORKFLOW_FINISHED, "");
	append_about(&s, "stop", "\"a loop\"", "\"for good\"", 11);
	expect_state(dir, WORKFLOW_STOPPED, "for good");
}

Test(cmd_recover_ledger, damage_before_an_entry_new_that_recovery_made_counts)
{
	auto_store s = open_store();
	auto_fd dir = make_workflow(&s);
	auto_buf record = BUF_INIT;

	append(&s, "how it was made");
	append(&s, "its stop");
	buf_puts(&record, EVENT_WORKFLOW_NEW);
	replace_once(&record, "\"reason\":null", "\"reason\":\"by its definition\"");
	append_event(&s, "workflow", buf_text(&record));
	expect_state(dir, WORKFLOW_PAUSED, "2" DAMAGED "ies" MAY_NOT);
	append_about(&s, "resume", "\"a loop\"", "null", 8);
	expect_state(dir, WORKFLOW_ACTIVE, "");
}

Test(cmd_recover_ledger, without_any_entry_it_is_as_it_was_defined)
{
	struct workflow_definition d = { .name = "triage",
					 .limits = { [BUDGET_CALLS] = 5, [BUDGET_DISK] = 6 },
					 .deadline_ms = 7,
					 .guard = 8 };
	auto_store s = open_store();
	auto_fd dir = make_workflow(&s);
	struct err err = ERR_INIT;
	struct ledger l;

	cr_assert_eq(text_uuid_parse(WORKFLOW, d.id), 0);
	cr_assert_eq(workflow_restore(&s, &d, &err), 0, "%s", err.text);
	append(&s, "how it was made");
	l = make_again(dir);
	cr_expect_str_eq(l.name, "triage");
	cr_expect_eq((int)l.state, (int)WORKFLOW_PAUSED);
	cr_expect_eq(l.deadline_ms, 7u);
	cr_expect_eq(l.guard, 8u);
	expect_amounts(l.limit, "5 0 0 6");
}

Test(cmd_recover_ledger, damage_does_not_pause_what_nobody_can_resume)
{
	auto_store s = open_store();
	auto_fd dir = make_workflow(&s);

	append_planned(&s, CALL_A, "python");
	append(&s, "junk");
	expect_state(dir, WORKFLOW_ACTIVE, "");
	cr_expect_str_eq(make_again(dir).name, "local");
}

Test(cmd_recover_ledger, one_that_was_not_made_by_name_is_local_and_has_no_bounds)
{
	auto_store s = open_store();
	auto_fd dir = make_workflow(&s);
	struct ledger l;

	append_planned(&s, CALL_A, "python"); /* of before there were workflows */
	append_outcome(&s, CALL_A, "ok");
	append_planned(&s, CALL_B, "python");
	l = make_again(dir);
	cr_expect_str_eq(l.name, "local");
	cr_expect_eq((int)l.state, (int)WORKFLOW_ACTIVE);
	expect_amounts(l.limit, "0 0 0 0");
	expect_amounts(l.used, "0 1200 1 2");
}

Test(cmd_recover_ledger, a_damaged_one_is_made_again_when_it_is_opened)
{
	auto_store s = open_store();
	auto_fd dir = make_workflow(&s);
	auto_ledger f = LEDGER_FILE_INIT, again = LEDGER_FILE_INIT;
	struct err err = ERR_INIT;

	append_event(&s, "workflow", EVENT_WORKFLOW_NEW);
	append_calls(&s);
	cr_assert_eq(fdio_replace_at(dir, LEDGER_FILE, "junk", 4, 0600), 0);
	cr_assert_eq(recover_ledger_open(dir, workflow, &f, &err), 0, "%s", err.text);
	cr_expect_str_eq(f.l.name, "triage");
	expect_amounts(f.l.used, "4 2427 17 25");
	/* from then on it is what it says */
	f.l.used[BUDGET_CALLS] = 77;
	cr_assert_eq(ledger_write(&f, &err), 0);
	ledger_close(&f);
	cr_assert_eq(recover_ledger_open(dir, workflow, &again, &err), 0, "%s", err.text);
	expect_amounts(again.l.used, "77 2427 17 25");
}
