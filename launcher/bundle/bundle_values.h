/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a manifest's keys, by their type. Private to this directory. airlock-cli, pure. */
#ifndef AIRLOCK_BUNDLE_BUNDLE_VALUES_H
#define AIRLOCK_BUNDLE_BUNDLE_VALUES_H

#include "bundle_internal.h"

enum bundle_key_id {
#define KEY(id, name, place, type, source, is_needed, sentence) BUNDLE_KEY_##id,
#include "bundle_keys.def"
#undef KEY
	BUNDLE_KEY__COUNT
};

enum bundle_type {
	BUNDLE_TYPE_ACCESS,	/* enum bundle_access */
	BUNDLE_TYPE_BOOL,	/* bool */
	BUNDLE_TYPE_COMMAND,	/* struct bundle_words */
	BUNDLE_TYPE_COUNT,	/* uint64_t */
	BUNDLE_TYPE_DELIVERY,	/* enum bundle_delivery */
	BUNDLE_TYPE_DURATION,	/* uint64_t, milliseconds */
	BUNDLE_TYPE_FILENAME,	/* const char *; also the name of a variable */
	BUNDLE_TYPE_ITEMS,	/* read by bundle_read.c */
	BUNDLE_TYPE_LINE,	/* const char * */
	BUNDLE_TYPE_NAME,	/* const char * */
	BUNDLE_TYPE_PATH,	/* const char * */
	BUNDLE_TYPE_RECIPIENTS, /* struct bundle_words */
	BUNDLE_TYPE_SOURCE,	/* enum bundle_source */
	BUNDLE_TYPE_TIME,	/* uint64_t, milliseconds since 1970 */
	BUNDLE_TYPE__COUNT
};

struct bundle_values {
	struct profile_arena *arena;
	struct profile_report *report;
	const char *item; /* NULL at the top */
	const char *key;
};

/* One value into *field, which has the type above; false when something was reported. */
bool bundle_value(const struct bundle_values *v, enum bundle_type type,
		  const struct profile_node *node, void *field);
/*
 * The name under which the item is delivered: the default where the manifest says none, and whether
 * it can be one. Errors are told at that place.
 */
void bundle_value_name(struct profile_arena *a, struct profile_report *report,
		       struct bundle_item *item, const struct profile_place *at);
/* age1 and 58 characters; the checksum is age's to look at. */
bool bundle_recipient_is_right(const char *text);
/* What a page, a terminal and a log can show as it is: at most 1024 bytes. */
bool bundle_line_is_right(const char *text);

#endif
