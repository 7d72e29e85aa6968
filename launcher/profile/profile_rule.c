/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a finished profile says about itself: names of keys, and how a key comes to grant more. Runs
 * in airlock-cli and in the static front, which has no other use for keys.def. Pure.
 */
#include "profile.h"

static const char *const key_names[] = {
#define KEY(id, name, type, narrow, least, most, fallback, sentence) [KEY_##id] = (name),
#include "keys.def"
#undef KEY
};

const char *
profile_key_name(enum profile_key_id id)
{
	return key_names[id];
}

/*
 * A file that came with airlock is not edited but extended; one that extends what does not open the
 * key would be refused, so `base`, which opens what can be granted at all, is named instead.
 */
void
profile_remedy(struct buf *b, const struct profile *p, enum profile_key_id id, const char *change,
	       const char *entry)
{
	const struct profile_rule *rule = &p->rules[id];

	if (p->shipped) {
		buf_printf(b, "%s in a profile of your own: `extends: %s` and `%s`", change,
			   (rule->flags & RULE_OPEN) != 0 ? p->name : "base", entry);
	} else if ((rule->flags & RULE_WIDEN) != 0) {
		buf_printf(b, "%s in %s: `%s`", change, p->source, entry);
	} else if ((rule->flags & RULE_OWN) != 0) {
		buf_printf(b, "%s in %s, as far as its parent allows: `%s`", change, p->source,
			   entry);
	} else {
		buf_printf(b,
			   "%s in the parent of %s (%s has the rule), or have that parent say "
			   "`open: [%s]`: `%s`",
			   change, p->source, rule->place, key_names[id], entry);
	}
}
