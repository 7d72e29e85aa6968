/* SPDX-License-Identifier: Apache-2.0 */
/* Run by the front and airlock-cli, as the caller. */
#include "event.h"

#include <string.h>

#include "../base/clock.h"
#include "../base/json.h"

static void
put_list(struct json *j, const char *key, const char *const *items, size_t count)
{
	json_key(j, key);
	json_begin_array(j);
	for (size_t i = 0; i < count; i++) {
		json_bytes(j, items[i], strlen(items[i]));
	}
	json_end(j);
}

static void
put_budget(struct json *j, const struct ledger *l)
{
	json_key(j, "budget");
	if (l == NULL) {
		json_put_null(j);
		return;
	}
	json_begin_object(j);
	ledger_put_amounts(j, l->limit, true);
	json_end(j);
}

int
workflow_append_event(struct store *s, const struct workflow_event *e, struct err *err)
{
	const struct ledger *l = e->l;
	char workflow[UUID_TEXT_SIZE];
	auto_buf record = BUF_INIT;
	struct json j;

	json_init(&j, &record);
	json_begin_object(&j);
	json_kv_str(&j, "action", e->action);
	json_key(&j, "actor");
	store_put_actor(&j);
	put_budget(&j, l);
	json_kv_bytes(&j, "bundle", e->bundle);
	json_kv_str(&j, "by", e->by);
	json_key(&j, "check");
	if (e->check != NULL) {
		json_raw(&j, e->check, strlen(e->check));
	} else {
		json_put_null(&j);
	}
	json_kv_known(&j, "deadline", l != NULL && l->deadline_ms != 0,
		      l != NULL ? (int64_t)l->deadline_ms : 0);
	json_kv_known(&j, "guard", l != NULL, l != NULL ? l->guard : 0);
	put_list(&j, "labels", e->labels, e->label_count);
	json_kv_bytes(&j, "name", e->name);
	json_kv_bytes(&j, "owner", e->owner);
	json_kv_bytes(&j, "reason", e->reason);
	json_kv_bytes(&j, "step", e->step);
	put_list(&j, "steps", e->steps, e->step_count);
	json_kv_uint(&j, "t", clock_realtime_ms());
	json_kv_uint(&j, "v", 1);
	text_uuid_print(e->workflow, workflow);
	json_kv_str(&j, "workflow", workflow);
	json_end(&j);
	if (json_error(&j) < 0) {
		return err_sys(err, json_error(&j), "write an entry about the workflow");
	}
	return store_append_event(s, ENTRY_WORKFLOW, record.data, record.len, err);
}
