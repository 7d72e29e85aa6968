/* SPDX-License-Identifier: Apache-2.0 */
/* Run by airlock-cli as who settles. */
#include "settle_entry.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/json.h"
#include "../base/text.h"

static void
write_record(struct json *j, const struct settle_entry *e)
{
	json_begin_object(j);
	json_kv_str(j, "action", e->action);
	json_key(j, "actor");
	json_begin_object(j);
	json_kv_uint(j, "gid", getegid());
	json_kv_uint(j, "uid", geteuid());
	json_end(j);
	json_kv_str(j, "call", e->call);
	json_key(j, "changes");
	if (e->changes_digest != NULL) {
		json_hex(j, e->changes_digest, SHA256_SIZE);
	} else {
		json_put_null(j);
	}
	json_key(j, "reason");
	if (e->reason != NULL) {
		json_bytes(j, e->reason, strlen(e->reason));
	} else {
		json_put_null(j);
	}
	json_kv_str(j, "settled", e->settled);
	json_kv_uint(j, "t", clock_realtime_ms());
	json_kv_uint(j, "v", 1);
	json_end(j);
}

int
settle_entry_write(const struct settle_entry *entry, struct buf *ret_payload, struct err *err)
{
	uint8_t salt[16];
	struct json j;
	int rc;

	if (getrandom(salt, sizeof(salt), 0) != (ssize_t)sizeof(salt)) {
		return err_sys(err, -errno, "getrandom");
	}
	buf_reset(ret_payload);
	json_init(&j, ret_payload);
	json_begin_object(&j);
	json_kv_str(&j, "call", entry->call);
	json_key(&j, "record");
	write_record(&j, entry);
	json_key(&j, "salt");
	json_hex(&j, salt, sizeof(salt));
	json_kv_str(&j, "type", "settle");
	json_end(&j);
	rc = json_error(&j);
	return rc < 0 ? err_sys(err, rc, "write the settle entry") : 0;
}
