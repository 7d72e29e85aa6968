/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree of one file to typed values, by keys.def. Runs in airlock-cli, as the caller. Trusts
 * nothing in the tree. No I/O.
 */
#include <stdio.h>
#include <string.h>

#include "profile_internal.h"

struct reader {
	struct profile_arena *arena;
	struct profile_report *report;
	struct profile_doc *doc;
};

static void
unknown_key(const struct reader *r, const struct profile_node *node, const char *section)
{
	char near[64], hint[96];
	bool found = profile_key_nearest(section, node->key, near, sizeof(near));

	profile_hint(hint, sizeof(hint), found ? near : NULL);
	if (section[0] == '\0') {
		profile_report_at(r->report, &node->key_at, "unknown key '%s'%s", node->key, hint);
	} else {
		profile_report_at(r->report, &node->key_at, "unknown key '%s' in %s%s", node->key,
				  section, hint);
	}
}

static void
read_section(const struct reader *r, const struct profile_node *map, const char *section,
	     unsigned int depth)
{
	for (const struct profile_node *n = map->first; n != NULL; n = n->next) {
		const struct profile_key *key;
		char name[128];

		if (strlen(n->key) > 48 || strchr(n->key, '.') != NULL) {
			unknown_key(r, n, section);
			continue;
		}
		snprintf(name, sizeof(name), "%s%s%s", section, section[0] != '\0' ? "." : "",
			 n->key);
		key = profile_key_find(name);
		if (key != NULL) {
			struct profile_value *value = &r->doc->values[key->id];

			/* Reported already; the key counts as not set. */
			if (!profile_value_parse(r->arena, key, n, r->report, value)) {
				continue;
			}
		} else if (!profile_key_is_section(name) || depth == PROFILE_NESTING_MAX) {
			unknown_key(r, n, section);
		} else if (n->kind != NODE_MAP) {
			profile_report_at(r->report, n->empty ? &n->key_at : &n->at,
					  "%s: wants keys below it", name);
		} else {
			read_section(r, n, name, depth + 1);
		}
	}
}

void
profile_read(struct profile_arena *a, const struct profile_node *root, bool part,
	     struct profile_report *report, struct profile_doc *ret)
{
	const struct reader r = { a, report, ret };
	unsigned int before = report->count;

	if (root->kind != NODE_MAP) {
		profile_report_at(report, &root->at,
				  "a profile is a map of keys, such as version: 1");
		return;
	}
	read_section(&r, root, "", 0);
	/* Do not ask for what was there but wrong. */
	if (report->count != before || part) {
		return;
	}
	if (!ret->values[KEY_VERSION].set) {
		profile_report_at(report, &root->at, "version is missing; write version: 1");
	}
	if (!ret->values[KEY_NAME].set) {
		profile_report_at(report, &root->at, "name is missing; write name: NAME");
	}
}
