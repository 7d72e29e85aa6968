/* SPDX-License-Identifier: Apache-2.0 */
/* Words of manifests: names, sources, deliveries. Runs in airlock-cli. Pure. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/nearest.h"
#include "../base/text.h"
#include "bundle_internal.h"

static const struct {
	const char *word, *later;
} sources[] = {
#define SOURCE(id, word, later, sentence) { word, later },
#include "sources.def"
#undef SOURCE
};

static const struct {
	const char *word, *later;
} deliveries[] = {
#define DELIVERY(id, word, later, sentence) { word, later },
#include "deliveries.def"
#undef DELIVERY
};

static const char *const accesses[] = { [BUNDLE_READ] = "read", [BUNDLE_WRITE] = "write" };

bool
bundle_name_is_right(const char *name)
{
	static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	size_t len = strlen(name);

	return len > 0 && len <= BUNDLE_NAME_MAX && strchr(first, name[0]) != NULL &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

int
bundle_name_check(const char *what, const char *name, struct err *err)
{
	auto_buf safe = BUF_INIT;

	if (bundle_name_is_right(name)) {
		return 0;
	}
	text_safe(&safe, name, strlen(name), false);
	return err_set(err, -EINVAL, BUNDLE_NO_NAME, buf_text(&safe), what, BUNDLE_NAME_MAX);
}

const char *
bundle_source_word(enum bundle_source source)
{
	return sources[source].word;
}

const char *
bundle_delivery_word(enum bundle_delivery delivery)
{
	return deliveries[delivery].word;
}

const char *
bundle_access_word(enum bundle_access access)
{
	return accesses[access];
}

bool
bundle_delivery_find(const char *word, enum bundle_delivery *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(deliveries); i++) {
		if (strcmp(deliveries[i].word, word) == 0) {
			*ret = (enum bundle_delivery)i;
			return true;
		}
	}
	return false;
}

bool
bundle_access_find(const char *word, enum bundle_access *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(accesses); i++) {
		if (strcmp(accesses[i], word) == 0) {
			*ret = (enum bundle_access)i;
			return true;
		}
	}
	return false;
}

const char *
bundle_item_later(const struct bundle_item *item)
{
	const char *later = sources[item->source].later;

	return later != NULL ? later : deliveries[item->deliver].later;
}

const struct bundle_item *
bundle_item(const struct bundle *b, const char *name)
{
	for (size_t i = 0; i < b->item_count; i++) {
		if (strcmp(b->items[i].name, name) == 0) {
			return &b->items[i];
		}
	}
	return NULL;
}

int
bundle_none_such(const char *what, const char *name, const char *const *names, size_t count,
		 struct err *err)
{
	auto_buf have = BUF_INIT, safe = BUF_INIT;
	char hint[96];

	for (size_t i = 0; i < count; i++) {
		buf_printf(&have, "%s%s", i > 0 ? ", " : "", names[i]);
	}
	text_safe(&safe, name, strlen(name), false);
	return err_set(err, -ENOENT, "%s '%s'%s (there are: %s)", what, buf_text(&safe),
		       profile_hint(hint, sizeof(hint), nearest_name(name, names, count)),
		       count > 0 ? buf_text(&have) : "none");
}

int
bundle_item_find(const struct bundle *b, const char *name, const struct bundle_item **ret,
		 struct err *err)
{
	const char *names[BUNDLE_ITEMS_MAX];
	char what[BUNDLE_NAME_MAX + sizeof("bundle  has no item")];

	*ret = bundle_item(b, name);
	if (*ret != NULL) {
		return 0;
	}
	for (size_t i = 0; i < b->item_count; i++) {
		names[i] = b->items[i].name;
	}
	snprintf(what, sizeof(what), "bundle %s has no item", b->name);
	return bundle_none_such(what, name, names, b->item_count, err);
}

void
bundle_item_file(const char *item, uint64_t version, struct buf *ret)
{
	buf_printf(ret, "%s.%llu.age", item, (unsigned long long)version);
}
