/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a finished profile says about itself: names of keys, and how a key comes to grant more. Runs
 * in airlock-cli and in the static front, which has no other use for keys.def. Pure.
 */
#include "profile.h"

#include <string.h>

#include "../base/text.h"

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

void
profile_put_quoted(struct buf *out, const char *text)
{
	size_t left = strlen(text);

	buf_putc(out, '"');
	for (const uint8_t *p = (const uint8_t *)text; left > 0;) {
		uint32_t c = 0;
		size_t step = text_utf8(p, left, &c);

		if (step == 0) {
			step = 1;
		} else if (c == '"' || c == '\\') {
			buf_printf(out, "\\%c", (char)c);
		} else if (c < 0x20 || (c >= 0x7f && c <= 0x9f) || c == 0x2028 || c == 0x2029 ||
			   c == 0xfeff) {
			buf_printf(out, "\\u%04x", (unsigned int)c);
		} else {
			buf_put(out, p, step);
		}
		p += step;
		left -= step;
	}
	buf_putc(out, '"');
}

/*
 * A list that stands in the file gets one entry more; a new one begins with its parent's, unless
 * the parent to name is not the one that has the entries (profile_remedy).
 */
void
profile_remedy_entry(struct buf *b, const struct profile *p, enum profile_key_id id,
		     const char *entry)
{
	const unsigned int flags = p->rules[id].flags;
	bool other_parent = p->shipped && (flags & RULE_OPEN) == 0;
	bool own = !p->shipped && (flags & RULE_OWN) != 0;
	const char *name = key_names[id], *dot = strchr(name, '.');
	auto_buf change = BUF_INIT, text = BUF_INIT;

	buf_puts(&change, "add ");
	profile_put_quoted(&change, entry);
	buf_printf(&change, " to %s", name);
	if (dot != NULL) {
		buf_printf(&text, "%.*s: { %s: [", (int)(dot - name), name, dot + 1);
	} else {
		buf_printf(&text, "%s: [", name);
	}
	buf_printf(&text, "%s, ", own || other_parent ? "..." : "\"" PROFILE_PARENT "\"");
	profile_put_quoted(&text, entry);
	buf_puts(&text, dot != NULL ? "] }" : "]");
	profile_remedy(b, p, id, buf_text(&change), buf_text(&text));
	if (other_parent) {
		buf_printf(b, ", where ... are the entries of %s", p->name);
	}
}
