/* SPDX-License-Identifier: Apache-2.0 */
/* Journals of well-formed and damaged entries, for the tests of index*.c. */
#ifndef AIRLOCK_TEST_INDEX_FIXTURE_H
#define AIRLOCK_TEST_INDEX_FIXTURE_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../../../launcher/store/index.h"
#include "../scratch.h"

#define SALT "00112233445566778899aabbccddeeff"
#define WORKFLOW "0198c2a4-0000-7000-8000-000000000001"
#define CALL_A "0198c2a4-7f3e-7abc-8def-0123456789ab"
#define CALL_B "0198c2a4-7f3e-7abc-9000-0123456789ab"
#define CALL_C "0198c2a4-8000-7abc-8def-0123456789ab"

static char state_dir[64];

__attribute__((unused)) static void
state_make(void)
{
	snprintf(state_dir, sizeof(state_dir), "/tmp/airlock-index-XXXXXX");
	cr_assert_not_null(mkdtemp(state_dir));
}

__attribute__((unused)) static void
state_remove(void)
{
	scratch_remove(state_dir);
}

__attribute__((unused)) static void
append(struct store *s, const char *text)
{
	struct journal_pos pos;
	struct err err = ERR_INIT;

	cr_assert_eq(journal_append(s, text, strlen(text), &pos, &err), 0, "%s", err.text);
}

/* clang-format off */
/* context is JSON. */
__attribute__((unused)) static void
put_planned(struct buf *b, const char *call, const char *profile, const char *argv,
	    const char *context)
{
	buf_printf(
		b,
		"{\"call\":\"%s\",\"record\":{\"actor\":{\"gid\":1000,\"groups\":[4,24],\"uid\":1000},"
		"\"argv\":%s,\"argv_digest\":\"aa\",\"call\":\"%s\",\"context\":%s,\"cwd\":\"/w\","
		"\"env_names\":[\"LANG\",\"PATH\"],\"key\":null,\"limits\":{\"cpu\":200,\"cpu_time\":600000,"
		"\"disk\":1073741824,\"files\":100000,\"memory\":2147483648,\"open_files\":1024,"
		"\"output\":16777216,\"pids\":512,\"wall\":600000},\"mode\":\"apply\",",
		call, argv, call, context);
	buf_printf(
		b,
		"\"node\":{\"airlock\":\"0.1.0\",\"boot_id\":\"b\",\"kernel\":\"6.1\"},"
		"\"plan_digest\":\"bb\",\"policy\":{\"decision\":\"allow\",\"digest\":\"cc\",\"rules\":[]},"
		"\"profile\":{\"digest\":\"dd\",\"name\":\"%s\",\"source\":\"/p.yaml\"},"
		"\"request_digest\":\"ee\",\"seq\":1,\"t0\":1750000000000,\"tool\":\"/usr/bin/true\","
		"\"trace\":null,\"v\":1,\"workflow\":\"" WORKFLOW "\",\"workflow_name\":\"local\","
		"\"workspace\":{\"btime_ns\":1,\"dev\":2,\"ino\":3,\"path\":\"/w\"}},"
		"\"salt\":\"" SALT "\",\"type\":\"call.planned\"}",
		profile);
}

__attribute__((unused)) static void
put_outcome(struct buf *b, const char *call, const char *verdict, const char *items,
	    const char *denials)
{
	buf_printf(
		b,
		"{\"call\":\"%s\",\"record\":{\"attestation\":{},\"call\":\"%s\","
		"\"cgroup_events\":{\"oom_kills\":0,\"pids_max\":0},\"changes\":{\"bytes\":5,\"created\":1,"
		"\"deleted\":0,\"digest\":null,\"held\":0,\"items\":%s,\"links_broken\":0,\"modified\":0,"
		"\"object\":null,\"truncated\":false},\"degraded\":[],\"denials\":%s,\"exit\":0,"
		"\"in_tree\":null,\"labels_after\":[],\"mode\":\"apply\",\"reason\":null,",
		call, call, items, denials);
	buf_printf(
		b,
		"\"settled\":\"committed\",\"signal\":null,"
		"\"stderr\":{\"bytes\":0,\"digest\":null,\"inline\":\"\",\"kept\":0},"
		"\"stdin\":{\"bytes\":0,\"digest\":null,\"inline\":\"\",\"kept\":0},"
		"\"stdout\":{\"bytes\":3,\"digest\":\"ff\",\"inline\":\"aGkK\",\"kept\":3},"
		"\"t1\":1750000001200,\"usage\":{\"cpu_ms\":1,\"disk_bytes\":2,\"memory_peak\":3,"
		"\"pids_peak\":4,\"wall_ms\":1200},\"v\":1,\"verdict\":\"%s\",\"warnings\":[]},"
		"\"salt\":\"" SALT "\",\"type\":\"call.outcome\"}",
		verdict);
}
/* clang-format on */

__attribute__((unused)) static void
append_planned(struct store *s, const char *call, const char *profile)
{
	auto_buf b = BUF_INIT;

	put_planned(&b, call, profile, "[\"true\"]", "null");
	append(s, buf_text(&b));
}

__attribute__((unused)) static void
append_outcome(struct store *s, const char *call, const char *verdict)
{
	auto_buf b = BUF_INIT;

	/* clang-format off */
	put_outcome(
		&b, call, verdict,
		"[{\"after\":\"ab\",\"before\":null,\"hold\":null,\"kind\":\"create\",\"mode_after\":33188,"
		"\"mode_before\":0,\"path\":\"a\\\\040b\",\"size_after\":5,\"size_before\":0}]",
		"[{\"count\":2,\"hint\":\"h\",\"kind\":\"syscall\",\"rule\":\"@default\",\"what\":\"ptrace\"}]");
	/* clang-format on */
	append(s, buf_text(&b));
}

/* reason is JSON. */
__attribute__((unused)) static void
append_settle(struct store *s, const char *call, const char *action, const char *settled,
	      const char *reason)
{
	auto_buf b = BUF_INIT;

	buf_printf(&b,
		   "{\"call\":\"%s\",\"record\":{\"action\":\"%s\","
		   "\"actor\":{\"gid\":100,\"uid\":1000},"
		   "\"call\":\"%s\",\"changes\":\"cafe\",\"reason\":%s,\"settled\":\"%s\","
		   "\"t\":1750000005000,\"v\":1},\"salt\":\"" SALT "\",\"type\":\"settle\"}",
		   call, action, call, reason, settled);
	append(s, buf_text(&b));
}

/* What from is in text becomes to. */
__attribute__((unused)) static void
replace_once(struct buf *text, const char *from, const char *to)
{
	auto_buf old = BUF_INIT;
	const char *at;

	buf_puts(&old, buf_text(text));
	at = strstr(buf_text(&old), from);
	cr_assert_not_null(at, "%s", from);
	buf_reset(text);
	buf_put(text, old.data, (size_t)(at - buf_text(&old)));
	buf_puts(text, to);
	buf_puts(text, at + strlen(from));
}

/* A planned entry with these members in the place of a key of null, and that request's digest. */
__attribute__((unused)) static void
append_planned_with(struct store *s, const char *call, const char *members, const char *request)
{
	auto_buf b = BUF_INIT;

	put_planned(&b, call, "python", "[\"true\"]", "null");
	replace_once(&b, "\"key\":null", members);
	replace_once(&b, "\"ee\"", request);
	append(s, buf_text(&b));
}

/* reason is JSON. */
__attribute__((unused)) static void
append_resolve(struct store *s, const char *call, const char *answer, const char *reason)
{
	auto_buf b = BUF_INIT;

	buf_printf(&b,
		   "{\"call\":\"%s\",\"record\":{\"actor\":{\"gid\":100,\"uid\":1000},"
		   "\"answer\":\"%s\",\"call\":\"%s\",\"reason\":%s,\"t\":1750000007000,"
		   "\"v\":1},\"salt\":\"" SALT "\",\"type\":\"resolve\"}",
		   call, answer, call, reason);
	append(s, buf_text(&b));
}

/* It was found at t_ms, with all of 1 call, and so much of each of the rest. */
__attribute__((unused)) static void
append_lost(struct store *s, const char *call, const char *amount, const char *t_ms)
{
	auto_buf b = BUF_INIT;

	buf_printf(&b,
		   "{\"call\":\"%s\",\"record\":{\"actor\":{\"gid\":100,\"uid\":1000},"
		   "\"call\":\"%s\",\"t\":%s,\"used\":{\"calls\":1,\"cpu_ms\":%s,"
		   "\"disk_bytes\":%s,\"wall_ms\":%s},\"v\":1},\"salt\":\"" SALT
		   "\",\"type\":\"lost\"}",
		   call, call, t_ms, amount, amount, amount);
	append(s, buf_text(&b));
}

/* An entry of no call; record is JSON. */
__attribute__((unused)) static void
append_event(struct store *s, const char *type, const char *record)
{
	auto_buf b = BUF_INIT;

	buf_printf(&b,
		   "{\"call\":\"" ENTRY_NO_CALL "\",\"record\":%s,\"salt\":\"" SALT
		   "\",\"type\":\"%s\"}",
		   record, type);
	append(s, buf_text(&b));
}

/* What is left of a payload when its workflow was forgotten. */
__attribute__((unused)) static void
append_forgotten(struct store *s, const char *payload)
{
	auto_buf b = BUF_INIT;
	struct entry e;

	cr_assert(entry_slice((const uint8_t *)payload, strlen(payload), &e));
	cr_assert_eq(entry_print_forgotten(&e, WORKFLOW, strlen(payload), &b), 0);
	append(s, buf_text(&b));
}

/* clang-format off */
#define EVENT_GC                                                                                   \
	"{\"action\":\"forget\",\"actor\":{\"gid\":100,\"uid\":1000},\"bytes\":9,"                  \
	"\"entries\":2,\"objects\":1,\"older_than_ms\":null,\"reason\":\"asked for\","            \
	"\"t\":1750000006000,\"v\":1,\"workflow\":\"" WORKFLOW "\"}"
/* clang-format on */

/* clang-format off */
#define EVENT_WORKFLOW_NEW                                                                         \
	"{\"action\":\"new\",\"actor\":{\"gid\":100,\"uid\":1000},\"budget\":{\"calls\":10,"     \
	"\"cpu_ms\":null,\"disk_bytes\":null,\"wall_ms\":60000},\"by\":\"person\",\"check\":null," \
	"\"deadline\":1760000000000,\"guard\":8,\"labels\":[],\"name\":\"triage\",\"owner\":null," \
	"\"reason\":null,\"step\":null,\"steps\":[\"look\",\"edit\"],\"t\":6,\"v\":1,"              \
	"\"workflow\":\"" WORKFLOW "\"}"
#define EVENT_WORKFLOW_PAUSE                                                                       \
	"{\"action\":\"pause\",\"actor\":{\"gid\":100,\"uid\":1000},\"budget\":null,"            \
	"\"by\":\"guard\",\"check\":null,\"deadline\":null,\"guard\":null,\"labels\":[],"          \
	"\"name\":\"triage\",\"owner\":null,\"reason\":\"a loop\",\"step\":null,\"steps\":[],"    \
	"\"t\":7,\"v\":1,\"workflow\":\"" WORKFLOW "\"}"
/* clang-format on */

__attribute__((unused)) static struct store
open_store(void)
{
	struct store s = STORE_INIT;
	struct err err = ERR_INIT;

	cr_assert_eq(store_open_write(state_dir, &s, &err), 0, "%s", err.text);
	return s;
}

/* Takes the journal in and closes again; the number of entries. */
__attribute__((unused)) static uint64_t
ingest(struct store *s)
{
	auto_index ix = NULL;
	struct err err = ERR_INIT;
	uint64_t entries = 0;

	cr_assert_eq(index_open_write(s, false, &ix, &err), 0, "%s", err.text);
	cr_assert_eq(index_ingest(ix, s, &entries, &err), 0, "%s", err.text);
	return entries;
}

/* B that did not end, A that was ok, C that failed: as they stand in the list. */
__attribute__((unused)) static struct index *
three_calls(struct store *s)
{
	struct index *ix = NULL;
	struct err err = ERR_INIT;

	append_planned(s, CALL_B, "python");
	append_planned(s, CALL_A, "python");
	append_outcome(s, CALL_A, "ok");
	append_planned(s, CALL_C, "strict");
	append_outcome(s, CALL_C, "failed");
	ingest(s);
	cr_assert_eq(index_open_read(s, &ix, &err), 0, "%s", err.text);
	return ix;
}

/* The answer to a question, rows ended by newlines, columns joined by |. */
__attribute__((unused)) static void
ask(const char *sql, struct buf *out)
{
	char path[96];
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;

	snprintf(path, sizeof(path), "%s/index.db", state_dir);
	cr_assert_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK, "%s",
		     sqlite3_errmsg(db));
	while (sqlite3_step(st) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(st); i++) {
			const char *text = (const char *)sqlite3_column_text(st, i);

			buf_printf(out, "%s%s", i > 0 ? "|" : "", text != NULL ? text : "NULL");
		}
		buf_putc(out, '\n');
	}
	sqlite3_finalize(st);
	sqlite3_close(db);
}

__attribute__((unused)) static void
expect_answer(const char *sql, const char *expected)
{
	auto_buf answer = BUF_INIT;

	ask(sql, &answer);
	cr_expect_str_eq(buf_text(&answer), expected, "%s", sql);
}

#endif
