/* SPDX-License-Identifier: Apache-2.0 */
/* Pure; no allocation. Paths are hostile bytes of any length: work is bounded by their components.
 */
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/cleanup.h"
#include "names_internal.h"

enum where { ROOT, ANY };
enum how { TREE, FILES, LEAF, NONDIR };

struct rule {
	enum name_class class;
	const char *pattern;
	enum where where;
	enum how how;
	const char *unless;
	const char *says;
};

/* clang-format off */
static const struct rule name_rules[] = {
#define NAME(class_, pattern_, where_, how_, unless_, reason_)                                     \
	{ .class = NAME_##class_, .pattern = (pattern_), .where = (where_), .how = (how_),         \
	  .unless = (unless_), .says = "built-in: " pattern_ ": " reason_ },
#include "names.def"
#undef NAME
};

static const struct rule secret_rules[] = {
#define SECRET(pattern_, unless_)                                                                  \
	{ .class = NAME_HELD, .pattern = (pattern_), .where = ANY, .how = TREE,                    \
	  .unless = (unless_), .says = (pattern_) },
#include "secrets.def"
#undef SECRET
};
/* clang-format on */

#define RULES_MAX 512u
_Static_assert(ARRAY_LEN(name_rules) <= RULES_MAX && ARRAY_LEN(secret_rules) <= RULES_MAX,
	       "find_rule has room for each");

#define UNDER "under:"
#define DATA "data:"

/* `*` in a pattern's component matches any run of characters. Greedy with one step back: linear. */
static bool
component_matches(const char *pattern, size_t pattern_len, const char *name)
{
	const char *end = pattern + pattern_len;
	const char *star = NULL, *retry = NULL;

	while (*name != '\0') {
		if (pattern < end && *pattern == '*') {
			star = ++pattern;
			retry = name;
		} else if (pattern < end && *pattern == *name) {
			pattern++;
			name++;
		} else if (star != NULL) {
			pattern = star;
			name = ++retry;
		} else {
			return false;
		}
	}
	while (pattern < end && *pattern == '*') {
		pattern++;
	}
	return pattern == end;
}

enum match { MATCH_NO, MATCH_PREFIX, MATCH_EXACT, MATCH_BELOW };

/*
 * One pattern against a path, both from here on. MATCH_PREFIX: the path ended first. At most one
 * `**` in a pattern, so the second loop runs once per component of the path.
 */
static enum match
match_from(const char *pattern, const char *path, bool fold)
{
	char name[NAME_MAX + 1];
	const char *wild_pattern = NULL, *wild_path = NULL;

	for (;;) {
		size_t len = strcspn(pattern, "/");

		if (len == 0) {
			return *path == '\0' ? MATCH_EXACT : MATCH_BELOW;
		}
		if (len == 2 && pattern[0] == '*' && pattern[1] == '*') {
			pattern += len + (pattern[len] == '/');
			wild_pattern = pattern;
			wild_path = path;
			continue;
		}
		if (*path == '\0') {
			return MATCH_PREFIX;
		}
		names_take(&path, fold, name);
		if (component_matches(pattern, len, name)) {
			pattern += len + (pattern[len] == '/');
		} else if (wild_pattern != NULL) {
			names_take(&wild_path, fold, name);
			path = wild_path;
			pattern = wild_pattern;
		} else {
			return MATCH_NO;
		}
	}
}

static bool
starts_with(const char *word, const char *head)
{
	return strncmp(word, head, strlen(head)) == 0;
}

/* What follows the pattern's first component, which starts at `at`, lets the name pass. */
static bool
passes_by_data(const struct rule *rule, const char *at)
{
	char name[NAME_MAX + 1] = "";
	const char *word = strstr(rule->unless, DATA);

	if (word == NULL) {
		return false;
	}
	names_take(&at, true, name);
	names_take(&at, true, name);
	for (; word != NULL; word = strstr(word, DATA)) {
		word += strlen(DATA);
		if (component_matches(word, strcspn(word, " "), name)) {
			return true;
		}
	}
	return false;
}

/* One word of `unless` that the path alone decides. */
static bool
word_passes(const char *word, size_t len, bool fold, const char *path)
{
	char name[NAME_MAX + 1] = "";

	if (starts_with(word, DATA)) {
		return false;
	}
	if (starts_with(word, UNDER)) {
		while (*path != '\0') {
			names_take(&path, fold, name);
			if (*path != '\0' &&
			    component_matches(word + strlen(UNDER), len - strlen(UNDER), name)) {
				return true;
			}
		}
		return false;
	}
	while (*path != '\0') {
		names_take(&path, true, name);
	}
	return component_matches(word, len, name);
}

static bool
passes(const struct rule *rule, const char *path)
{
	const char *word = rule->unless;

	while (*word != '\0') {
		size_t len = strcspn(word, " ");

		if (len > 0 && word_passes(word, len, rule->how != LEAF, path)) {
			return true;
		}
		word += len + (word[len] == ' ');
	}
	return false;
}

/* Whether a rule whose pattern led to m speaks about an entry of that type. */
static bool
type_matches(const struct rule *rule, enum match m, mode_t mode)
{
	if (m == MATCH_NO || m == MATCH_PREFIX) {
		/* a link in the place of the parent brings its own contents */
		return m == MATCH_PREFIX && S_ISLNK(mode);
	}
	switch (rule->how) {
	case TREE:
		return true;
	case FILES:
		return !S_ISDIR(mode);
	case LEAF:
		return m == MATCH_EXACT;
	case NONDIR:
		return m == MATCH_EXACT && !S_ISDIR(mode);
	}
	return false;
}

/*
 * Whether the rule, its pattern from `at` inside path on, speaks about an entry of that type.
 * *ret_spent: it does not, from no later component either: what lets the path pass does so wherever
 * the pattern starts, and `**` has been over all that follows. So a path of any depth costs each
 * rule one look at all of it.
 */
static bool
rule_matches(const struct rule *rule, const char *at, const char *path, mode_t mode,
	     bool *ret_spent)
{
	if (passes_by_data(rule, at)) {
		return false;
	}
	*ret_spent = strstr(rule->pattern, "**") != NULL;
	if (!type_matches(rule, match_from(rule->pattern, at, rule->how != LEAF), mode)) {
		return false;
	}
	*ret_spent = passes(rule, path);
	return !*ret_spent;
}

/* The cheap first look: most rules fail on the first letter of the folded component. */
static bool
may_start(const struct rule *rule, const char *name)
{
	if (rule->how == LEAF) {
		return true;
	}
	return (rule->pattern[0] == name[0] || rule->pattern[0] == '*') &&
	       component_matches(rule->pattern, strcspn(rule->pattern, "/"), name);
}

/* The rule of the strongest class, and of several the first in the path and in the table. */
static const struct rule *
find_rule(const struct rule *rules, size_t count, const char *path, mode_t mode)
{
	const struct rule *found = NULL;
	bool spent[RULES_MAX] = { false };
	char name[NAME_MAX + 1];
	const char *at = path;
	bool root = true;

	while (*at != '\0') {
		const char *next = at;

		names_take(&next, true, name);
		for (size_t i = 0; i < count; i++) {
			if (!spent[i] && (found == NULL || rules[i].class < found->class) &&
			    (root || rules[i].where == ANY) && may_start(&rules[i], name) &&
			    rule_matches(&rules[i], at, path, mode, &spent[i])) {
				found = &rules[i];
			}
		}
		at = next;
		root = false;
	}
	return found;
}

bool
names_is_secret(const char *path)
{
	return find_rule(secret_rules, ARRAY_LEN(secret_rules), path, S_IFREG) != NULL;
}

/* The profile's own entries: from the workspace's root, the path and all below. Compared name by
 * name, both folded, so that an entry may be written in any case. */
static bool
extra_matches(const char *entry, const char *path, mode_t mode)
{
	char want[NAME_MAX + 1], name[NAME_MAX + 1];

	while (entry[0] == '.' && entry[1] == '/') {
		entry += 2;
	}
	while (*entry == '/') {
		entry++;
	}
	if (*entry == '\0') {
		return false;
	}
	while (*entry != '\0') {
		if (*path == '\0') {
			return S_ISLNK(mode);
		}
		names_take(&entry, true, want);
		names_take(&path, true, name);
		if (!component_matches(want, strlen(want), name)) {
			return false;
		}
	}
	return true;
}

enum name_class
names_class(const char *path, mode_t mode, const char **ret_says)
{
	const struct rule *rule = find_rule(name_rules, ARRAY_LEN(name_rules), path, mode);

	*ret_says = rule != NULL ? rule->says : NULL;
	return rule != NULL ? rule->class : NAME__NONE;
}

const char *
names_profile_entry(const char *path, mode_t mode, const struct strings *extra)
{
	for (size_t i = 0; extra != NULL && i < extra->count; i++) {
		if (extra_matches(extra->items[i], path, mode)) {
			return extra->items[i];
		}
	}
	return NULL;
}

const char *
names_hidden_entry(const char *path, mode_t mode, const struct rule_paths *hide)
{
	for (size_t i = 0; hide != NULL && i < hide->count; i++) {
		if (extra_matches(hide->items[i].path, path, mode)) {
			return hide->items[i].path;
		}
	}
	return NULL;
}

const char *
names_protected_by(const char *path)
{
	const char *says;

	return names_class(path, 0, &says) <= NAME_CHECKED ? says : NULL;
}

/* Below the workspace by its own path, which is the same inside and outside; no ".." after it. */
static bool
names_workspace(const char *target, const char *workspace)
{
	size_t len = workspace != NULL ? strlen(workspace) : 0;

	return len > 1 && strncmp(target, workspace, len) == 0 &&
	       (target[len] == '/' || target[len] == '\0');
}

/* A ".." behind a name may leave from wherever that name leads. */
static bool
has_dots(const char *target)
{
	for (const char *p = strstr(target, ".."); p != NULL; p = strstr(p + 1, "..")) {
		if ((p == target || p[-1] == '/') && (p[2] == '/' || p[2] == '\0')) {
			return true;
		}
	}
	return false;
}

bool
names_link_escapes(const char *path, const char *target, const char *workspace)
{
	size_t depth = 0;

	for (const char *p = strchr(path, '/'); p != NULL; p = strchr(p + 1, '/')) {
		depth++;
	}
	if (target[0] == '/') {
		return !names_workspace(target, workspace) || has_dots(target);
	}
	/* "..", each of which leaves a real directory, up to the root */
	while (target[0] == '.' &&
	       (target[1] == '/' || target[1] == '\0' ||
		(target[1] == '.' && (target[2] == '/' || target[2] == '\0')))) {
		size_t dots = target[1] == '.' ? 2 : 1;

		if (dots == 2 && depth-- == 0) {
			return true;
		}
		target += dots;
		while (*target == '/') {
			target++;
		}
	}
	return has_dots(target);
}
