/* SPDX-License-Identifier: Apache-2.0 */
/* event.c: the record, whole, of the most and of the least that it says. Run by `make unit`. */
#include "../../../launcher/workflow/event.h"

#include "../store/store_temp.h"

struct seen {
	char text[4096];
	unsigned int count;
};

static int
take(void *arg, struct journal_pos pos, const uint8_t *json, size_t len)
{
	struct seen *seen = arg;
	struct entry e = { .type = ENTRY__COUNT };

	(void)pos;
	cr_assert(entry_slice(json, len, &e));
	cr_expect_eq(e.type, ENTRY_WORKFLOW);
	cr_expect_str_eq(e.call, ENTRY_NO_CALL);
	cr_assert_lt(e.record_len, sizeof(seen->text));
	memcpy(seen->text, e.record, e.record_len);
	seen->text[e.record_len] = '\0';
	seen->count++;
	return 0;
}

/* Cuts the digits behind a key, which differ each time. */
static void
hide_number(char *text, const char *key)
{
	char *at = strstr(text, key);

	cr_assert_not_null(at, "%s", text);
	at += strlen(key);
	memmove(at, at + strspn(at, "0123456789"), strlen(at + strspn(at, "0123456789")) + 1);
}

static void
expect_record(const struct workflow_event *e, const char *record)
{
	auto_temp t = temp_make();
	auto_store s = STORE_INIT;
	struct seen seen = { .count = 0 };
	struct journal_pos next;
	struct err err = ERR_INIT;

	cr_assert_eq(store_open_write(t.state, &s, &err), 0, "%s", err.text);
	cr_assert_eq(workflow_append_event(&s, e, &err), 0, "%s", err.text);
	cr_assert_eq(journal_read(&s, (struct journal_pos){ 0, 0 }, &next, take, &seen, &err), 0,
		     "%s", err.text);
	cr_assert_eq(seen.count, 1u);
	hide_number(seen.text, "\"gid\":");
	hide_number(seen.text, "\"uid\":");
	hide_number(seen.text, "\"t\":");
	cr_expect_str_eq(seen.text, record);
}

Test(event, a_new_workflow)
{
	const char *const steps[] = { "look", "fix" }, *const labels[] = { "team:core" };
	const struct ledger l = { .limit = { [BUDGET_CALLS] = 3, [BUDGET_DISK] = 4096 },
				  .deadline_ms = 1700000600000,
				  .guard = 10 };
	const struct workflow_event e = {
		.action = "new",
		.by = "person",
		.name = "triage",
		.bundle = "acme",
		.owner = "Ada \\ \xff",
		.steps = steps,
		.step_count = 2,
		.labels = labels,
		.label_count = 1,
		.l = &l,
		.workflow = { 0x01, 0x93, 0x5f, 0x40, 0, 0, 0x70, 0, 0x80 },
	};

	expect_record(
		&e,
		"{\"action\":\"new\",\"actor\":{\"gid\":,\"uid\":},\"budget\":{\"calls\":3,"
		"\"cpu_ms\":null,\"disk_bytes\":4096,\"wall_ms\":null},\"bundle\":\"acme\","
		"\"by\":\"person\","
		"\"check\":null,\"deadline\":1700000600000,\"guard\":10,\"labels\":[\"team:core\"],"
		"\"name\":\"triage\",\"owner\":\"Ada \\\\134 \\\\377\",\"reason\":null,"
		"\"step\":null,\"steps\":[\"look\",\"fix\"],\"t\":,\"v\":1,"
		"\"workflow\":\"01935f40-0000-7000-8000-000000000000\"}");
}

Test(event, what_is_not_said_is_null)
{
	const struct workflow_event pause = {
		.action = "pause", .by = "guard", .name = "triage", .reason = "10 denials in a row"
	};
	const struct workflow_event finish = {
		.action = "finish", .by = "person", .name = "triage", .check = "{\"a\":1}"
	};

	expect_record(&pause,
		      "{\"action\":\"pause\",\"actor\":{\"gid\":,\"uid\":},\"budget\":null,"
		      "\"bundle\":null,"
		      "\"by\":\"guard\",\"check\":null,\"deadline\":null,\"guard\":null,"
		      "\"labels\":[],\"name\":\"triage\",\"owner\":null,"
		      "\"reason\":\"10 denials in a row\",\"step\":null,\"steps\":[],\"t\":,"
		      "\"v\":1,\"workflow\":\"00000000-0000-0000-0000-000000000000\"}");
	expect_record(&finish, "{\"action\":\"finish\",\"actor\":{\"gid\":,\"uid\":},"
			       "\"budget\":null,\"bundle\":null,"
			       "\"by\":\"person\",\"check\":{\"a\":1},"
			       "\"deadline\":null,\"guard\":null,\"labels\":[],\"name\":\"triage\","
			       "\"owner\":null,\"reason\":null,\"step\":null,\"steps\":[],\"t\":,"
			       "\"v\":1,\"workflow\":\"00000000-0000-0000-0000-000000000000\"}");
}
