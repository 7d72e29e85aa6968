/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger as a file, and what it says of a call. */
#include "../../../launcher/workflow/ledger.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../scratch.h"

struct place {
	char path[40];
	int fd;
};

static struct place
place_make(void)
{
	struct place p = { .path = "/tmp/airlock-ledger-XXXXXX" };

	cr_assert_not_null(mkdtemp(p.path));
	p.fd = open(p.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_geq(p.fd, 0);
	return p;
}

static void
place_finish(struct place *p)
{
	close(p->fd);
	scratch_remove(p->path);
}

static void
note_a_call(const struct place *p)
{
	int fd = openat(p->fd, "calls", O_WRONLY | O_CREAT, 0600);

	cr_assert_eq(write(fd, "0123456789abcdef", 16), 16);
	close(fd);
}

Test(ledger, a_new_one_is_active_and_has_no_bounds)
{
	struct place p = place_make();
	auto_ledger f = LEDGER_FILE_INIT;
	struct err err = ERR_INIT;

	cr_assert_eq(ledger_open(p.fd, &f, &err), 0);
	cr_expect_eq(f.l.state, WORKFLOW_ACTIVE);
	cr_expect_str_eq(f.l.name, "local");
	for (enum budget_id i = 0; i < BUDGET__COUNT; i++) {
		cr_expect_eq(f.l.limit[i], 0u);
	}
	place_finish(&p);
}

Test(ledger, what_was_written_is_read)
{
	struct place p = place_make();
	auto_ledger f = LEDGER_FILE_INIT, again = LEDGER_FILE_INIT;
	struct err err = ERR_INIT;

	cr_assert_eq(ledger_open(p.fd, &f, &err), 0);
	f.l = (struct ledger){ .state = WORKFLOW_PAUSED,
			       .since_ms = 1,
			       .deadline_ms = 2,
			       .limit = { 3, 4, 5, 6 },
			       .used = { 7, 8, 9, 10 },
			       .reserved = { 11, 12, 13, 14 },
			       .guard = 15,
			       .equal = 16,
			       .denied = 17,
			       .last_request = { 18 },
			       .step = 19,
			       .name = "w",
			       .reason = "because" };
	cr_assert_eq(ledger_write(&f, &err), 0);
	ledger_close(&f);
	note_a_call(&p);
	cr_assert_eq(ledger_open(p.fd, &again, &err), 0, "%s", err.text);
	cr_expect_eq(again.l.state, WORKFLOW_PAUSED);
	cr_expect_eq(again.l.since_ms, 1u);
	cr_expect_eq(again.l.deadline_ms, 2u);
	cr_expect_eq(again.l.limit[BUDGET_DISK], 6u);
	cr_expect_eq(again.l.used[BUDGET_CALLS], 7u);
	cr_expect_eq(again.l.reserved[BUDGET_DISK], 14u);
	cr_expect_eq(again.l.guard, 15u);
	cr_expect_eq(again.l.equal, 16u);
	cr_expect_eq(again.l.denied, 17u);
	cr_expect_eq(again.l.last_request[0], 18u);
	cr_expect_eq(again.l.step, 19u);
	cr_expect_str_eq(again.l.name, "w");
	cr_expect_str_eq(again.l.reason, "because");
	place_finish(&p);
}

/* Each bit, and each cut: nothing of it is believed. The boot's id is in the checksum, too. */
Test(ledger, a_damaged_one_is_made_again)
{
	struct place p = place_make();
	auto_ledger f = LEDGER_FILE_INIT;
	struct err err = ERR_INIT;
	uint8_t whole[1024];
	ssize_t len;
	int fd;

	cr_assert_eq(ledger_open(p.fd, &f, &err), 0);
	cr_assert_eq(ledger_write(&f, &err), 0);
	ledger_close(&f);
	note_a_call(&p);
	fd = openat(p.fd, LEDGER_FILE, O_RDWR);
	len = pread(fd, whole, sizeof(whole), 0);
	cr_assert_gt(len, 200);
	for (ssize_t i = 0; i < len; i++) {
		uint8_t wrong = whole[i] ^ 1;

		cr_assert_eq(pwrite(fd, &wrong, 1, i), 1);
		cr_expect_eq(ledger_open(p.fd, &f, &err), -ESTALE, "byte %d", (int)i);
		cr_expect_geq(f.fd, 0);
		ledger_close(&f);
		cr_assert_eq(pwrite(fd, whole + i, 1, i), 1);
	}
	cr_expect_eq(ledger_open(p.fd, &f, &err), 0);
	ledger_close(&f);
	for (ssize_t cut = 0; cut < len; cut++) {
		cr_assert_eq(ftruncate(fd, cut), 0);
		cr_expect_eq(ledger_open(p.fd, &f, &err), -ESTALE, "%d bytes", (int)cut);
		ledger_close(&f);
		cr_assert_eq(pwrite(fd, whole, (size_t)len, 0), len);
	}
	close(fd);
	place_finish(&p);
}

Test(ledger, one_of_a_named_workflow_is_never_empty)
{
	struct place p = place_make();
	auto_ledger f = LEDGER_FILE_INIT;
	struct err err = ERR_INIT;
	int fd = openat(p.fd, WORKFLOW_DEFINITION, O_WRONLY | O_CREAT, 0600);

	close(fd);
	cr_expect_eq(ledger_open(p.fd, &f, &err), -ESTALE);
	cr_expect_geq(f.fd, 0, "it is locked");
	place_finish(&p);
}

Test(ledger, between_distrust_and_write_it_is_made_again)
{
	struct place p = place_make();
	auto_ledger f = LEDGER_FILE_INIT;
	struct ledger l = { .state = WORKFLOW_STOPPED };
	struct err err = ERR_INIT;

	cr_expect_eq(ledger_read(p.fd, &l, NULL), -ENOENT);
	cr_assert_eq(ledger_open(p.fd, &f, &err), 0);
	f.l.guard = 7;
	cr_assert_eq(ledger_write(&f, &err), 0);
	cr_assert_eq(ledger_distrust(&f, &err), 0);
	ledger_close(&f);
	cr_expect_eq(ledger_read(p.fd, &l, NULL), -ESTALE);
	cr_expect_eq(ledger_open(p.fd, &f, &err), -ESTALE);
	f.l = (struct ledger){ .guard = 8 };
	cr_assert_eq(ledger_write(&f, &err), 0);
	ledger_close(&f);
	cr_expect_eq(ledger_read(p.fd, &l, &err), 0, "%s", err.text);
	cr_expect_eq(l.guard, 8u);
	place_finish(&p);
}

/* What the host does not say is no word about the ledger: it is not made again for that. */
Test(ledger, a_boot_that_cannot_be_read_is_an_error)
{
	struct rlimit few, before;
	struct place p = place_make();
	auto_ledger f = LEDGER_FILE_INIT;
	struct ledger l = { .guard = 5 };
	struct err err = ERR_INIT;
	int opened, had_fd, got;

	cr_assert_eq(ledger_open(p.fd, &f, &err), 0);
	cr_assert_eq(ledger_write(&f, &err), 0);
	/* the ledger's own descriptor, and no other */
	few.rlim_cur = (rlim_t)f.fd + 1;
	ledger_close(&f);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	few.rlim_max = before.rlim_max;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	opened = ledger_open(p.fd, &f, &err);
	had_fd = f.fd;
	ledger_close(&f);
	got = ledger_read(p.fd, &l, &err);
	/* criterion wants descriptors */
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	cr_expect_eq(opened, -EMFILE);
	cr_expect_eq(had_fd, -1);
	cr_expect_eq(got, -EMFILE);
	cr_expect_eq(l.guard, 5u, "untouched");
	cr_expect_eq(ledger_open(p.fd, &f, &err), 0);
	place_finish(&p);
}

Test(ledger, it_is_had_alone)
{
	struct place p = place_make();
	auto_ledger f = LEDGER_FILE_INIT, tried = LEDGER_FILE_INIT;
	struct err err = ERR_INIT;
	int fd;

	cr_assert_eq(ledger_open(p.fd, &f, &err), 0);
	cr_expect_eq(ledger_try_open(p.fd, &tried, &err), -EWOULDBLOCK);
	cr_expect_eq(tried.fd, -1);
	fd = openat(p.fd, LEDGER_FILE, O_RDWR);
	cr_expect_eq(flock(fd, LOCK_EX | LOCK_NB), -1);
	cr_expect_eq(errno, EWOULDBLOCK);
	ledger_close(&f);
	cr_expect_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
	close(fd);
	cr_expect_eq(ledger_try_open(p.fd, &tried, &err), 0);
	place_finish(&p);
}

static struct ledger
with_budget(void)
{
	return (struct ledger){ .limit = { [BUDGET_CALLS] = 3, [BUDGET_WALL] = 1000 },
				.name = "w" };
}

Test(ledger, the_rest_of_the_budget_bounds_a_call)
{
	struct ledger l = with_budget();
	uint64_t a[BUDGET__COUNT] = { 1, 600, 50, 60 }, b[BUDGET__COUNT] = { 1, 600, 50, 60 },
		 c[BUDGET__COUNT] = { 1, 600, 50, 60 };
	const uint64_t used[BUDGET__COUNT] = { 1, 100, 7, 8 };
	struct err err = ERR_INIT;

	cr_assert_eq(ledger_admit(&l, 1, a, &err), 0);
	cr_expect_eq(a[BUDGET_WALL], 600u);
	cr_assert_eq(ledger_admit(&l, 1, b, &err), 0);
	cr_expect_eq(b[BUDGET_WALL], 400u);
	cr_expect_eq(b[BUDGET_CPU], 50u);
	cr_expect_eq(ledger_admit(&l, 1, c, &err), -EDQUOT);
	cr_expect_str_eq(
		err.text,
		"workflow w has no wall left in its budget of 1s: 0ms used, 1s reserved by "
		"calls that run; `airlock workflow budget w --budget wall=...` gives it "
		"more");
	cr_expect_eq(c[BUDGET_WALL], 600u);
	cr_expect_eq(l.reserved[BUDGET_CALLS], 2u);
	ledger_account(&l, a, used);
	cr_expect_eq(l.used[BUDGET_WALL], 100u);
	cr_expect_eq(l.used[BUDGET_DISK], 8u);
	cr_expect_eq(l.reserved[BUDGET_WALL], 400u);
	cr_assert_eq(ledger_admit(&l, 1, c, &err), 0);
	cr_expect_eq(c[BUDGET_WALL], 500u);
	ledger_account(&l, b, used);
	ledger_account(&l, c, used);
	cr_expect_eq(l.used[BUDGET_CALLS], 3u);
	cr_expect_eq(l.reserved[BUDGET_CALLS], 0u);
	cr_expect_eq(ledger_admit(&l, 1, c, &err), -EDQUOT);
	cr_expect_not_null(strstr(err.text, "no calls left in its budget of 3: 3 used"));
}

/* own before, others, used, limit, ran: own after */
Test(ledger, a_budget_that_is_lowered_lowers_what_a_running_call_may_have)
{
	static const struct {
		uint64_t own, others, used, limit, ran, after;
	} rows[] = {
		{ 600, 0, 100, 0, 5, 600 },	/* no bound */
		{ 600, 0, 100, 900, 5, 600 },	/* enough is left */
		{ 600, 0, 100, 700, 5, 600 },	/* just so */
		{ 600, 0, 100, 699, 5, 599 },	/* and one less */
		{ 600, 0, 100, 50, 5, 5 },	/* what it ran is gone */
		{ 600, 0, 100, 105, 5, 5 },	/* so that it ends now */
		{ 600, 600, 0, 700, 50, 100 },	/* the others keep theirs */
		{ 600, 600, 0, 300, 50, 50 },	/* also when that is more than all */
		{ 600, 50, 0, 300, 20, 250 },	/* and the next one gets the rest */
		{ 600, 0, 100, 300, 650, 600 }, /* it never gets more */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t own[BUDGET__COUNT] = { 1, rows[i].own, 7, 8 };
		struct ledger l = {
			.limit = { [BUDGET_WALL] = rows[i].limit, [BUDGET_CPU] = 1 },
			.used = { [BUDGET_WALL] = rows[i].used },
			.reserved = { 2, rows[i].own + rows[i].others, 14, 16 },
		};

		cr_expect_eq(ledger_lower(&l, own, rows[i].ran), rows[i].after != rows[i].own,
			     "row %zu", i);
		cr_expect_eq(own[BUDGET_WALL], rows[i].after, "row %zu", i);
		cr_expect_eq(l.reserved[BUDGET_WALL], rows[i].after + rows[i].others, "row %zu", i);
		cr_expect_eq(own[BUDGET_CPU], 7u);
		cr_expect_eq(l.reserved[BUDGET_CPU], 14u);
	}
}

Test(ledger, a_call_whose_end_nobody_saw_used_no_more_than_its_time_allows)
{
	static const struct {
		uint64_t ran_ms, cpus, wall, cpu;
	} rows[] = {
		{ 30, 4, 30, 120 },
		{ 500, 4, 500, 900 }, /* bounded by what it reserved */
		{ 9000, 4, 600, 900 },
		{ 0, 4, 0, 0 },
		{ UINT64_MAX, 4, 600, 900 },
		{ UINT64_MAX / 2, 3, 600, 900 }, /* the product does not fit */
		{ 30, 0, 30, 900 },		 /* nobody knows how many */
	};
	const uint64_t reserved[BUDGET__COUNT] = {
		[BUDGET_CALLS] = 1, [BUDGET_WALL] = 600, [BUDGET_CPU] = 900, [BUDGET_DISK] = 70
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t used[BUDGET__COUNT];

		ledger_lost_use(reserved, rows[i].ran_ms, rows[i].cpus, used);
		cr_expect_eq(used[BUDGET_CALLS], 1u);
		cr_expect_eq(used[BUDGET_WALL], rows[i].wall, "row %zu", i);
		cr_expect_eq(used[BUDGET_CPU], rows[i].cpu, "row %zu", i);
		cr_expect_eq(used[BUDGET_DISK], 70u);
	}
}

Test(ledger, a_deadline_bounds_and_ends)
{
	struct ledger l = { .deadline_ms = 1000, .name = "w" };
	uint64_t bound[BUDGET__COUNT] = { 1, 600, 50, 60 };
	struct err err = ERR_INIT;

	cr_assert_eq(ledger_admit(&l, 900, bound, &err), 0);
	cr_expect_eq(bound[BUDGET_WALL], 100u);
	cr_expect_eq(ledger_admit(&l, 1000, bound, &err), -ETIME);
}

Test(ledger, only_an_active_workflow_takes_calls)
{
	struct ledger l = { .name = "w" };
	uint64_t bound[BUDGET__COUNT] = { 1, 600, 50, 60 };
	struct err err = ERR_INIT;

	ledger_move(&l, WORKFLOW_PAUSED, 5, "lunch");
	cr_expect_eq(ledger_admit(&l, 6, bound, &err), -EBUSY);
	cr_expect_str_eq(err.text,
			 "workflow w is paused: lunch; `airlock workflow resume w` lets it go on");
	cr_expect_eq(l.since_ms, 5u);
	ledger_move(&l, WORKFLOW_STOPPED, 7, NULL);
	cr_expect_eq(ledger_admit(&l, 8, bound, &err), -ESHUTDOWN);
	cr_expect_str_eq(err.text, "workflow w is stopped: it takes no more calls");
	ledger_move(&l, WORKFLOW_ACTIVE, 9, NULL);
	cr_expect_eq(ledger_admit(&l, 10, bound, &err), 0);
}

Test(ledger, equal_requests_in_a_row_pause_it)
{
	struct ledger l = { .guard = 3, .name = "w" };
	const uint8_t a[SHA256_SIZE] = { 1 }, b[SHA256_SIZE] = { 2 };

	cr_expect_not(ledger_guard_request(&l, a, 1));
	cr_expect_not(ledger_guard_request(&l, a, 1));
	cr_expect_not(ledger_guard_request(&l, b, 1));
	cr_expect_not(ledger_guard_request(&l, b, 1));
	cr_expect(ledger_guard_request(&l, b, 8));
	cr_expect_eq(l.state, WORKFLOW_PAUSED);
	cr_expect_eq(l.since_ms, 8u);
	cr_expect_str_eq(l.reason, "loop guard: 3 equal requests in a row");
	/* a person pauses it, too: for the same reason, or for another */
	ledger_move(&l, WORKFLOW_PAUSED, 8, "");
	cr_expect_str_eq(l.reason, "loop guard: 3 equal requests in a row");
	ledger_move(&l, WORKFLOW_PAUSED, 8, "lunch");
	cr_expect_str_eq(l.reason, "lunch");
	ledger_move(&l, WORKFLOW_ACTIVE, 9, NULL);
	cr_expect_str_eq(l.reason, "");
	cr_expect_not(ledger_guard_request(&l, b, 9));
}

Test(ledger, denials_in_a_row_pause_it)
{
	struct ledger l = { .guard = 2, .name = "w" };

	cr_expect_not(ledger_guard_outcome(&l, true, 1));
	cr_expect_not(ledger_guard_outcome(&l, false, 1));
	cr_expect_not(ledger_guard_outcome(&l, true, 1));
	cr_expect(ledger_guard_outcome(&l, true, 1));
	cr_expect_str_eq(l.reason, "loop guard: 2 denials in a row");
	l = (struct ledger){ .guard = 0 };
	for (int i = 0; i < 100; i++) {
		cr_expect_not(ledger_guard_outcome(&l, true, 1));
	}
}

/* states.def, written out once more. */
Test(ledger, moves)
{
	static const char may[WORKFLOW__COUNT][WORKFLOW__COUNT] = {
		[WORKFLOW_ACTIVE] = { 0, 1, 1, 1 },
		[WORKFLOW_PAUSED] = { 1, 0, 1, 0 },
	};

	for (enum workflow_state from = 0; from < WORKFLOW__COUNT; from++) {
		for (enum workflow_state to = 0; to < WORKFLOW__COUNT; to++) {
			cr_expect_eq(workflow_may_move(from, to), may[from][to] != 0, "%s to %s",
				     workflow_state_words[from], workflow_state_words[to]);
		}
	}
}
