/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One postcondition of done_when: a map to a command and what is expected of it. Runs in
 * airlock-cli, as the caller. Trusts nothing in the text. No I/O.
 */
#include <string.h>

#include "../base/text.h"
#include "../base/units.h"
#include "profile_internal.h"

#define EXIT_MOST 255u

struct parse {
	struct profile_arena *arena;
	const struct profile_key *key;
	struct profile_report *report;
	struct profile_check *check;
};

/* Reports and returns false, so that parsers end with it. */
#define REFUSE(c, at, ...) (profile_report_at((c)->report, (at), __VA_ARGS__), false)

static bool
wants(const struct parse *c, const struct profile_node *node, const char *what)
{
	return REFUSE(c, node->empty ? &node->key_at : &node->at, "%s: %s wants %s", c->key->name,
		      node->key, what);
}

static bool
is_scalar(const struct profile_node *node)
{
	return node->kind == NODE_SCALAR && !node->empty;
}

static bool
parse_name(const struct parse *c, const struct profile_node *node)
{
	c->check->name = node->text;
	return is_scalar(node) && profile_name_is_right(node->text)
		     ? true
		     : wants(c, node, profile_type_what(TYPE_NAME));
}

static bool
parse_profile(const struct parse *c, const struct profile_node *node)
{
	struct profile_key as_path = *c->key;

	c->check->profile = node->text;
	if (is_scalar(node) && strchr(node->text, '/') != NULL) {
		as_path.type = TYPE_PROFILE;
		return profile_path_parse(c->arena, &as_path, node, c->report, &c->check->profile);
	}
	return is_scalar(node) && profile_name_is_right(node->text)
		     ? true
		     : wants(c, node, profile_type_what(TYPE_PROFILE));
}

static bool
parse_run(const struct parse *c, const struct profile_node *node)
{
	static const char what[] = "a list of words, the program first, such as [make, check]";
	struct strings *run = &c->check->run;
	const char **words = profile_arena_get(c->arena, PROFILE_WORDS_MAX + 1, sizeof(*words));

	if (node->kind != NODE_LIST || node->first == NULL || words == NULL) {
		return wants(c, node, what);
	}
	run->items = words;
	for (const struct profile_node *n = node->first; n != NULL; n = n->next) {
		if (!is_scalar(n) || run->count == PROFILE_WORDS_MAX ||
		    (run->count == 0 && n->text[0] == '\0')) {
			return REFUSE(c, &n->at, "%s: run wants %s, at most %u", c->key->name, what,
				      PROFILE_WORDS_MAX);
		}
		words[run->count++] = n->text;
	}
	return true;
}

static bool
parse_expect(const struct parse *c, const struct profile_node *node)
{
	static const char *const names[] = { "exit" };
	const struct profile_node *n = node->kind == NODE_MAP ? node->first : NULL;
	uint64_t exit = 0;
	char hint[80];

	if (n == NULL) {
		return wants(c, node, "a map: { exit: 0 }");
	}
	for (; n != NULL; n = n->next) {
		if (strcmp(n->key, names[0]) != 0) {
			return REFUSE(c, &n->key_at, "%s: unknown key '%s' in expect%s",
				      c->key->name, n->key,
				      profile_hint(hint, sizeof(hint),
						   profile_nearest(n->key, names, 1)));
		}
		if (!is_scalar(n) || profile_number_parse(TYPE_EXITS, n->text, &exit) < 0 ||
		    exit > EXIT_MOST) {
			return wants(c, n, profile_type_what(TYPE_EXITS));
		}
	}
	c->check->exit = (uint8_t)exit;
	return true;
}

static bool
parse_wall(const struct parse *c, const struct profile_node *node)
{
	const struct profile_key *limit = profile_key(KEY_LIM_WALL);
	auto_buf least = BUF_INIT, most = BUF_INIT;

	if (!is_scalar(node) ||
	    profile_number_parse(TYPE_DURATION, node->text, &c->check->wall_ms) < 0) {
		return wants(c, node, profile_type_what(TYPE_DURATION));
	}
	if (c->check->wall_ms < limit->least || c->check->wall_ms > limit->most) {
		profile_value_print(&least, TYPE_DURATION, limit->least);
		profile_value_print(&most, TYPE_DURATION, limit->most);
		return REFUSE(c, &node->at, "%s: wall is from %s to %s, not '%s'", c->key->name,
			      buf_text(&least), buf_text(&most), node->text);
	}
	return true;
}

static const struct part {
	const char *name;
	bool (*parse)(const struct parse *c, const struct profile_node *node);
} parts[] = {
	{ "name", parse_name },	    { "profile", parse_profile }, { "run", parse_run },
	{ "expect", parse_expect }, { "wall", parse_wall },
};

static bool
parse_part(const struct parse *c, const struct profile_node *node)
{
	const char *names[ARRAY_LEN(parts)];
	char hint[80];

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		names[i] = parts[i].name;
		if (strcmp(node->key, parts[i].name) == 0) {
			return parts[i].parse(c, node);
		}
	}
	return REFUSE(c, &node->key_at, "%s: unknown key '%s'%s", c->key->name, node->key,
		      profile_hint(hint, sizeof(hint),
				   profile_nearest(node->key, names, ARRAY_LEN(names))));
}

/* One spelling for one postcondition: profiles are compared by it. */
static void
put_value(struct buf *b, const struct profile_check *check)
{
	for (size_t i = 0; i < check->run.count; i++) {
		buf_puts(b, i > 0 ? " " : "");
		text_shell(b, check->run.items[i]);
	}
	buf_puts(b, " (");
	if (check->profile != NULL) {
		buf_puts(b, "profile ");
		text_shell(b, check->profile);
		buf_puts(b, ", ");
	}
	buf_printf(b, "exit %u", check->exit);
	if (check->wall_ms > 0) {
		buf_puts(b, ", within ");
		units_print_duration(b, check->wall_ms);
	}
	buf_putc(b, ')');
}

bool
profile_check_parse(struct profile_arena *a, const struct profile_key *key,
		    const struct profile_node *node, struct profile_report *report,
		    struct profile_item *ret)
{
	struct profile_check *check = profile_arena_get(a, 1, sizeof(*check));
	const struct parse c = { a, key, report, check };
	struct profile_item item = { .at = node->at, .check = check };
	auto_buf value = BUF_INIT;

	if (check == NULL) {
		return false;
	}
	if (node->kind != NODE_MAP) {
		return REFUSE(&c, &node->at, "%s: wants %s", key->name,
			      profile_type_what(key->type));
	}
	for (const struct profile_node *n = node->first; n != NULL; n = n->next) {
		if (!parse_part(&c, n)) {
			return false;
		}
	}
	if (check->name == NULL || check->run.count == 0) {
		return REFUSE(&c, &node->at, "%s: this one has no %s", key->name,
			      check->name == NULL ? "name" : "run");
	}
	put_value(&value, check);
	item.text = check->name;
	item.value = profile_arena_text(a, buf_text(&value), value.len);
	*ret = item;
	return item.value != NULL && !value.failed;
}
