/* SPDX-License-Identifier: Apache-2.0 */
/* Run by the front; pure but for its own table. */
#include "denials.h"

#include <stdlib.h>
#include <string.h>

void
denials_finish(struct denials *d)
{
	free(d->items);
	*d = (struct denials){ .items = NULL };
}

/* Most calls have none, and a full table is large: it grows as it is needed. */
static bool
grow(struct denials *d)
{
	size_t room = d->room == 0 ? 4 : d->room * 2;
	struct denial *grown;

	if (d->count < d->room) {
		return true;
	}
	grown = d->count == CAP_DENIAL_EVENTS ? NULL : realloc(d->items, room * sizeof(*grown));
	if (grown == NULL) {
		return false;
	}
	d->items = grown;
	d->room = room;
	return true;
}

void
denials_add(struct denials *d, const struct denial *item)
{
	for (size_t i = 0; i < d->count; i++) {
		if (strcmp(d->items[i].kind, item->kind) == 0 &&
		    strcmp(d->items[i].what, item->what) == 0) {
			d->items[i].count++;
			return;
		}
	}
	if (!grow(d)) {
		d->dropped++;
		return;
	}
	d->items[d->count] = *item;
	d->items[d->count++].count = 1;
}

void
denials_write(const struct denials *d, struct json *j)
{
	json_begin_array(j);
	for (size_t i = 0; i < d->count; i++) {
		const struct denial *item = &d->items[i];

		json_begin_object(j);
		json_kv_uint(j, "count", item->count);
		json_kv_str(j, "hint", item->hint);
		json_kv_str(j, "kind", item->kind);
		json_kv_str(j, "rule", item->rule);
		json_kv_str(j, "what", item->what);
		json_kv_str(j, "why", item->why);
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
