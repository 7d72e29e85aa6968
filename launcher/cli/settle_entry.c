/* SPDX-License-Identifier: Apache-2.0 */
/* Run by airlock-cli as who settles. */
#include "settle_entry.h"

#include <unistd.h>

#include "../base/clock.h"
#include "../base/json.h"
#include "../store/store.h"
#include "../store/entry.h"

static void
write_record(struct json *j, const struct settle_entry *e)
{
	json_begin_object(j);
	json_kv_str(j, "action", e->action);
	json_key(j, "actor");
	store_put_actor(j);
	json_kv_str(j, "call", e->call);
	json_kv_hex(j, "changes", e->changes_digest, SHA256_SIZE);
	json_kv_bytes(j, "reason", e->reason);
	json_kv_str(j, "settled", e->settled);
	json_kv_uint(j, "t", clock_realtime_ms());
	json_kv_uint(j, "v", 1);
	json_end(j);
}

int
settle_entry_write(const struct settle_entry *entry, struct buf *ret_payload, struct err *err)
{
	auto_buf record = BUF_INIT;
	struct json j;
	int rc;

	json_init(&j, &record);
	write_record(&j, entry);
	rc = json_error(&j);
	buf_reset(ret_payload);
	if (rc == 0) {
		rc = entry_print(ENTRY_SETTLE, entry->call, record.data, record.len, ret_payload);
	}
	return rc < 0 ? err_sys(err, rc, "write the settle entry") : 0;
}
