/* SPDX-License-Identifier: Apache-2.0 */
/* Run by the front; pure but for its own table. */
#include "denials.h"

#include <stdio.h>
#include <string.h>

void
denials_add(struct denials *d, const char *kind, const char *what, const char *rule,
	    const char *hint)
{
	struct denial item = { .count = 1 };

	/* Compared as they are kept: cut to their room. */
	snprintf(item.kind, sizeof(item.kind), "%s", kind);
	snprintf(item.what, sizeof(item.what), "%s", what);
	snprintf(item.rule, sizeof(item.rule), "%s", rule);
	snprintf(item.hint, sizeof(item.hint), "%s", hint);
	for (size_t i = 0; i < d->count; i++) {
		if (strcmp(d->items[i].kind, item.kind) == 0 &&
		    strcmp(d->items[i].what, item.what) == 0) {
			d->items[i].count++;
			return;
		}
	}
	if (d->count == CAP_DENIAL_EVENTS) {
		d->dropped++;
		return;
	}
	d->items[d->count++] = item;
}

void
denials_write(const struct denials *d, struct json *j)
{
	json_begin_array(j);
	for (size_t i = 0; i < d->count; i++) {
		json_begin_object(j);
		json_kv_uint(j, "count", d->items[i].count);
		json_kv_str(j, "hint", d->items[i].hint);
		json_kv_str(j, "kind", d->items[i].kind);
		json_kv_str(j, "rule", d->items[i].rule);
		json_kv_str(j, "what", d->items[i].what);
		json_end(j);
	}
	json_end(j);
}

uint64_t
denials_total(const struct denials *d)
{
	uint64_t total = d->dropped;

	for (size_t i = 0; i < d->count; i++) {
		total += d->items[i].count;
	}
	return total;
}
