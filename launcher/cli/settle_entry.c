/* SPDX-License-Identifier: Apache-2.0 */
/* Run by airlock-cli as who settles. */
#include "settle_entry.h"

#include <unistd.h>

#include "../base/clock.h"
#include "../base/json.h"
#include "../store/store.h"
#include "../store/entry.h"
#include "../workflow/ledger.h"

/* The record, whose last members these are, in its envelope. */
static int
print_entry(enum entry_type type, const char *call, struct json *j, const struct buf *record,
	    struct buf *ret_payload, struct err *err)
{
	int rc;

	json_kv_uint(j, "v", 1);
	json_end(j);
	rc = json_error(j);
	buf_reset(ret_payload);
	if (rc == 0) {
		rc = entry_print(type, call, record->data, record->len, ret_payload);
	}
	return rc < 0 ? err_sys(err, rc, "write the %s entry", entry_type_word(type)) : 0;
}

int
settle_entry_write(const struct settle_entry *entry, struct buf *ret_payload, struct err *err)
{
	auto_buf record = BUF_INIT;
	struct json j;

	json_init(&j, &record);
	json_begin_object(&j);
	json_kv_str(&j, "action", entry->action);
	json_key(&j, "actor");
	store_put_actor(&j);
	json_kv_str(&j, "call", entry->call);
	json_kv_hex(&j, "changes", entry->changes_digest, SHA256_SIZE);
	json_kv_bytes(&j, "reason", entry->reason);
	json_kv_str(&j, "settled", entry->settled);
	json_kv_uint(&j, "t", clock_realtime_ms());
	return print_entry(ENTRY_SETTLE, entry->call, &j, &record, ret_payload, err);
}

int
lost_entry_write(const struct lost_entry *entry, struct buf *ret_payload, struct err *err)
{
	auto_buf record = BUF_INIT;
	struct json j;

	json_init(&j, &record);
	json_begin_object(&j);
	json_key(&j, "actor");
	store_put_actor(&j);
	json_kv_str(&j, "call", entry->call);
	json_kv_uint(&j, "t", entry->t_ms);
	json_key(&j, "used");
	json_begin_object(&j);
	ledger_put_amounts(&j, entry->used, false);
	json_end(&j);
	return print_entry(ENTRY_LOST, entry->call, &j, &record, ret_payload, err);
}

int
resolve_entry_write(const struct resolve_entry *entry, struct buf *ret_payload, struct err *err)
{
	auto_buf record = BUF_INIT;
	struct json j;

	json_init(&j, &record);
	json_begin_object(&j);
	json_key(&j, "actor");
	store_put_actor(&j);
	json_kv_str(&j, "answer", entry->answer);
	json_kv_str(&j, "call", entry->call);
	json_kv_bytes(&j, "reason", entry->reason);
	json_kv_uint(&j, "t", clock_realtime_ms());
	return print_entry(ENTRY_RESOLVE, entry->call, &j, &record, ret_payload, err);
}
