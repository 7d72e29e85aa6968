/* SPDX-License-Identifier: Apache-2.0 */
/* workflow_create.c: whole or not at all, and never a name twice. Run by `make unit`. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "../../../launcher/workflow/ledger.h"
#include "../store/store_temp.h"

static void
open_store(const struct temp *t, struct store *s)
{
	struct err err = ERR_INIT;

	cr_assert_eq(store_open_write(t->state, s, &err), 0, "%s", err.text);
}

static struct workflow_definition
sample(const char *name)
{
	struct workflow_definition d = {
		.owner = "Ada",
		.step_count = 2,
		.steps = { "look", "fix" },
		.limits = { [BUDGET_CALLS] = 3, [BUDGET_WALL] = 60000 },
		.deadline_ms = 1700000600000,
		.guard = 7,
	};

	snprintf(d.name, sizeof(d.name), "%s", name);
	return d;
}

/* Its ledger is closed again. */
static int
create(const struct store *s, struct workflow_definition *d, struct err *err)
{
	auto_ledger held = LEDGER_FILE_INIT;

	return workflow_create(s, d, &held, err);
}

/* How many entries a directory of the state has. */
static unsigned int
count(const struct temp *t, const char *name)
{
	char path[256];
	unsigned int n = 0;
	DIR *d;

	temp_path(t, name, path);
	d = opendir(path);
	cr_assert_not_null(d);
	for (const struct dirent *e; (e = readdir(d)) != NULL;) {
		n += e->d_name[0] != '.' ? 1 : 0;
	}
	closedir(d);
	return n;
}

Test(workflow_create, it_is_all_there)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct err err = ERR_INIT;
	struct workflow_definition d = sample("triage"), read = { .name = "" };
	uint8_t id[16] = { 0 };

	open_store(&t, &s);
	cr_assert_eq(create(&s, &d, &err), 0, "%s", err.text);
	cr_expect_neq(d.created_ms, 0u);
	cr_assert_eq(workflow_find(&s, "triage", id, &err), 0, "%s", err.text);
	cr_expect_eq(memcmp(id, d.id, sizeof(id)), 0);
	auto_fd dir = workflow_dir(&s, id, false, &err);
	cr_assert_geq(dir, 0, "%s", err.text);
	cr_assert_eq(workflow_definition_read(dir, &read, &err), 0, "%s", err.text);
	cr_expect_eq(memcmp(&read, &d, sizeof(d)), 0);
	auto_ledger f = LEDGER_FILE_INIT;
	cr_assert_eq(ledger_open(dir, &f, &err), 0, "%s", err.text);
	cr_expect_eq(f.l.state, WORKFLOW_ACTIVE);
	cr_expect_eq(f.l.since_ms, d.created_ms);
	cr_expect_str_eq(f.l.name, "triage");
	cr_expect_eq(f.l.limit[BUDGET_CALLS], 3u);
	cr_expect_eq(f.l.limit[BUDGET_WALL], 60000u);
	cr_expect_eq(f.l.limit[BUDGET_CPU], 0u);
	cr_expect_eq(f.l.deadline_ms, 1700000600000u);
	cr_expect_eq(f.l.guard, 7u);
	cr_expect_eq(f.l.used[BUDGET_CALLS], 0u);
	/* nothing else of the making is left */
	cr_expect_eq(count(&t, "wf"), 1u);
	cr_expect_eq(count(&t, "names"), 1u);
	cr_expect_eq(faccessat(dir, "name", F_OK, 0), -1);
	cr_expect_eq(errno, ENOENT);
}

Test(workflow_create, a_name_is_given_once)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct err err = ERR_INIT;
	struct workflow_definition first = sample("x"), second = sample("x"),
				   other = sample("x.new");
	uint8_t id[16] = { 0 };

	open_store(&t, &s);
	cr_assert_eq(create(&s, &other, &err), 0, "%s", err.text);
	cr_assert_eq(create(&s, &first, &err), 0, "%s", err.text);
	cr_expect_eq(create(&s, &second, &err), -EEXIST);
	cr_expect_str_eq(err.text, "there is a workflow x already: `airlock workflow show x` tells "
				   "of it");
	cr_expect_eq(count(&t, "wf"), 2u);
	cr_expect_eq(count(&t, "names"), 2u);
	cr_assert_eq(workflow_find(&s, "x", id, &err), 0);
	cr_expect_eq(memcmp(id, first.id, sizeof(id)), 0);
	cr_assert_eq(workflow_find(&s, "x.new", id, &err), 0);
	cr_expect_eq(memcmp(id, other.id, sizeof(id)), 0);
}

Test(workflow_create, of_many_at_once_one_makes_it)
{
	enum { MAKERS = 16 };
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	unsigned int made = 0, late = 0;
	int go[2];

	open_store(&t, &s);
	cr_assert_eq(pipe2(go, O_CLOEXEC), 0);
	for (int i = 0; i < MAKERS; i++) {
		pid_t pid = fork();

		cr_assert_geq(pid, 0);
		if (pid == 0) {
			struct workflow_definition d = sample("x");
			char byte;

			close(go[1]);
			if (read(go[0], &byte, 1) != 0) {
				_exit(2);
			}
			switch (create(&s, &d, NULL)) {
			case 0:
				_exit(0);
			case -EEXIST:
				_exit(1);
			default:
				_exit(2);
			}
		}
	}
	close(go[0]);
	close(go[1]); /* they all see its end */
	for (int i = 0; i < MAKERS; i++) {
		int status = 0;

		cr_assert_gt(wait(&status), 0);
		cr_assert(WIFEXITED(status));
		made += WEXITSTATUS(status) == 0 ? 1 : 0;
		late += WEXITSTATUS(status) == 1 ? 1 : 0;
	}
	cr_expect_eq(made, 1u);
	cr_expect_eq(late, MAKERS - 1u);
	cr_expect_eq(count(&t, "wf"), 1u);
	cr_expect_eq(count(&t, "names"), 1u);
}

Test(workflow_create, what_is_no_definition)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct workflow_definition rows[] = { sample("local"), sample("-x"), sample("x"),
					      sample("x"), sample("x") };

	memcpy(rows[2].steps[1], "look", sizeof("look"));
	rows[3].step_count = WORKFLOW_STEPS_MAX + 1;
	rows[4].label_count = 1;
	open_store(&t, &s);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_expect_eq(create(&s, &rows[i], NULL), -EINVAL, "row %zu", i);
	}
	cr_expect_not(temp_exists(&t, "names"));
}

Test(workflow_create, a_dead_makers_files_are_in_nobodys_way)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct err err = ERR_INIT;
	struct workflow_definition d = sample("x"), again = sample("x");
	char path[80], text[UUID_TEXT_SIZE];
	uint8_t id[16];

	open_store(&t, &s);
	cr_assert_eq(create(&s, &d, &err), 0, "%s", err.text);
	/* as if it had died before it had the name */
	cr_assert_eq(unlinkat(s.dir_fd, "names/x", 0), 0);
	text_uuid_print(d.id, text);
	snprintf(path, sizeof(path), "wf/%s/name", text);
	temp_write(&t, path, text, strlen(text));
	cr_expect_eq(workflow_find(&s, "x", id, &err), -ENOENT);
	cr_assert_eq(create(&s, &again, &err), 0, "%s", err.text);
	cr_assert_eq(workflow_find(&s, "x", id, &err), 0);
	cr_expect_eq(memcmp(id, again.id, sizeof(id)), 0);
}

Test(workflow_create, what_is_lost_is_made_again)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct err err = ERR_INIT;
	struct workflow_definition d = sample("x"), other = sample("y"), read = { .name = "" };
	char path[80], text[UUID_TEXT_SIZE];
	uint8_t id[16];

	open_store(&t, &s);
	cr_assert_eq(create(&s, &d, &err), 0, "%s", err.text);
	cr_assert_eq(create(&s, &other, &err), 0, "%s", err.text);
	text_uuid_print(d.id, text);
	snprintf(path, sizeof(path), "wf/%s/definition", text);
	/* nothing, then one or the other, then both damaged */
	for (int i = 0; i < 4; i++) {
		if (i == 1 || i == 2) {
			cr_assert_eq(unlinkat(s.dir_fd, i == 1 ? path : "names/x", 0), 0);
		} else if (i == 3) {
			temp_write(&t, path, "v 1\n", 4);
			temp_write(&t, "names/x", "0193", 4);
		}
		cr_assert_eq(workflow_restore(&s, &d, &err), 0, "%d: %s", i, err.text);
		cr_assert_eq(workflow_find(&s, "x", id, &err), 0, "%d: %s", i, err.text);
		cr_expect_eq(memcmp(id, d.id, sizeof(id)), 0, "%d", i);
		auto_fd dir = workflow_dir(&s, id, false, &err);
		cr_assert_eq(workflow_definition_read(dir, &read, &err), 0, "%d: %s", i, err.text);
		cr_expect_eq(memcmp(&read, &d, sizeof(d)), 0, "%d", i);
	}
	cr_expect_eq(count(&t, "names"), 2u);
	memcpy(other.id, d.id, sizeof(other.id));
	cr_expect_eq(workflow_restore(&s, &other, &err), -EEXIST);
}

/* Until its maker has said to the journal how it began. */
Test(workflow_create, whoever_makes_it_holds_its_ledger)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct err err = ERR_INIT;
	struct workflow_definition d = sample("x"), other = sample("x");
	auto_ledger held = LEDGER_FILE_INIT, none = LEDGER_FILE_INIT;
	auto_fd dir = -1, ledger = -1;

	open_store(&t, &s);
	cr_assert_eq(workflow_create(&s, &d, &held, &err), 0, "%s", err.text);
	dir = workflow_dir(&s, d.id, false, &err);
	cr_assert_geq(dir, 0);
	ledger = openat(dir, LEDGER_FILE, O_RDONLY | O_CLOEXEC);
	cr_assert_geq(ledger, 0);
	cr_expect_eq(store_lock(ledger, LOCK_SH | LOCK_NB), -EWOULDBLOCK);
	ledger_close(&held);
	cr_expect_eq(store_lock(ledger, LOCK_SH | LOCK_NB), 0);
	cr_expect_eq(workflow_create(&s, &other, &none, &err), -EEXIST);
	cr_expect_eq(none.fd, -1);
}

Test(workflow_create, a_name_goes_with_its_workflow_only)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct err err = ERR_INIT;
	struct workflow_definition d = sample("x");
	const uint8_t other[16] = { 1 };
	uint8_t id[16];

	open_store(&t, &s);
	cr_expect_eq(workflow_drop_name(&s, "x", d.id, &err), 0, "%s", err.text);
	cr_assert_eq(create(&s, &d, &err), 0, "%s", err.text);
	cr_expect_eq(workflow_drop_name(&s, "x", other, &err), 0, "%s", err.text);
	cr_expect_eq(workflow_find(&s, "x", id, &err), 0);
	cr_expect_eq(workflow_drop_name(&s, "x", d.id, &err), 0, "%s", err.text);
	cr_expect_eq(workflow_find(&s, "x", id, &err), -ENOENT);
	cr_expect_eq(workflow_drop_name(&s, "x", d.id, &err), 0, "%s", err.text);
}
