/* SPDX-License-Identifier: Apache-2.0 */
/* Pure; no allocation. Paths are hostile bytes of any length: work is bounded by their components.
 */
#include "names_internal.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

enum where { ROOT, ANY };
enum how { TREE, LEAF, NONDIR };

struct rule {
	const char *pattern;
	enum where where;
	enum how how;
	const char *unless;
	const char *says;
};

/* clang-format off */
static const struct rule protected_rules[] = {
#define PROTECTED(pattern_, where_, how_, unless_, reason_)                                        \
	{ .pattern = (pattern_), .where = (where_), .how = (how_), .unless = (unless_),            \
	  .says = "built-in: " pattern_ },
#include "protected.def"
#undef PROTECTED
};

static const struct rule secret_rules[] = {
#define SECRET(pattern_, unless_)                                                                  \
	{ .pattern = (pattern_), .where = ANY, .how = TREE, .unless = (unless_), .says = (pattern_) },
#include "secrets.def"
#undef SECRET
};
/* clang-format on */

#define UNDER "under:"

/*
 * Reads one character of a name, folded as a case-insensitive file system would: ASCII letters, the
 * two other characters that fold to one (the long s and the Kelvin sign), and invisible ones, which
 * it ignores. 0 at the component's end.
 */
static char
fold_next(const char **p)
{
	static const char *const ignored[] = {
		"\xc2\xad",	"\xe2\x80\x8b", "\xe2\x80\x8c", "\xe2\x80\x8d", "\xe2\x80\x8e",
		"\xe2\x80\x8f", "\xe2\x80\xaa", "\xe2\x80\xab", "\xe2\x80\xac", "\xe2\x80\xad",
		"\xe2\x80\xae", "\xe2\x81\xa0", "\xe2\x81\xa1", "\xe2\x81\xa2", "\xe2\x81\xa3",
		"\xe2\x81\xa4", "\xe2\x81\xaa", "\xe2\x81\xab", "\xe2\x81\xac", "\xe2\x81\xad",
		"\xe2\x81\xae", "\xe2\x81\xaf", "\xef\xbb\xbf",
	};
	const char *s = *p;

	for (size_t i = 0; (unsigned char)*s >= 0x80 && i < sizeof(ignored) / sizeof(ignored[0]);
	     i++) {
		if (strncmp(s, ignored[i], strlen(ignored[i])) == 0) {
			s += strlen(ignored[i]);
			i = (size_t)-1; /* look again behind it */
		}
	}
	if (*s == '\0' || *s == '/') {
		*p = s;
		return '\0';
	}
	if (strncmp(s, "\xe2\x84\xaa", 3) == 0) {
		*p = s + 3;
		return 'k';
	}
	if (strncmp(s, "\xc5\xbf", 2) == 0) {
		*p = s + 2;
		return 's';
	}
	*p = s + 1;
	return (char)(*s >= 'A' && *s <= 'Z' ? *s - 'A' + 'a' : *s);
}

/* The folded component at *p, which moves behind it and its slashes; its length, cut to NAME_MAX.
 */
static size_t
take_component(const char **p, bool fold, char name[NAME_MAX + 1])
{
	size_t len = 0;
	char c;

	while (**p == '/') {
		(*p)++;
	}
	for (;;) {
		if (fold) {
			c = fold_next(p);
		} else {
			c = (char)(**p == '/' ? '\0' : **p);
			*p += c != '\0';
		}
		if (c == '\0') {
			break;
		}
		if (len < NAME_MAX) {
			name[len++] = c;
		}
	}
	name[len] = '\0';
	while (**p == '/') {
		(*p)++;
	}
	return len;
}

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

static bool
word_matches(const char *words, const char *name)
{
	while (*words != '\0') {
		size_t len = strcspn(words, " ");

		if (len > 0 && component_matches(words, len, name)) {
			return true;
		}
		words += len + (words[len] == ' ');
	}
	return false;
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
		take_component(&path, fold, name);
		if (component_matches(pattern, len, name)) {
			pattern += len + (pattern[len] == '/');
		} else if (wild_pattern != NULL) {
			take_component(&wild_path, fold, name);
			path = wild_path;
			pattern = wild_pattern;
		} else {
			return MATCH_NO;
		}
	}
}

static bool
passes(const struct rule *rule, const char *path)
{
	char name[NAME_MAX + 1] = "";

	if (rule->unless[0] == '\0') {
		return false;
	}
	if (strncmp(rule->unless, UNDER, strlen(UNDER)) == 0) {
		while (*path != '\0') {
			take_component(&path, rule->how != LEAF, name);
			if (*path != '\0' && strcmp(name, rule->unless + strlen(UNDER)) == 0) {
				return true;
			}
		}
		return false;
	}
	while (*path != '\0') {
		take_component(&path, true, name);
	}
	return word_matches(rule->unless, name);
}

/* Whether a rule whose pattern starts at `at` (inside path) speaks about an entry of that type. */
static bool
rule_matches(const struct rule *rule, const char *at, const char *path, mode_t mode)
{
	enum match m = match_from(rule->pattern, at, rule->how != LEAF);

	if (m == MATCH_PREFIX) {
		/* a link in the place of the parent brings its own contents */
		return S_ISLNK(mode);
	}
	if (m == MATCH_NO || (m == MATCH_BELOW && rule->how != TREE) ||
	    (m == MATCH_EXACT && rule->how == NONDIR && S_ISDIR(mode))) {
		return false;
	}
	return !passes(rule, path);
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

static const struct rule *
find_rule(const struct rule *rules, size_t count, const char *path, mode_t mode)
{
	char name[NAME_MAX + 1];
	const char *at = path;
	bool root = true;

	while (*at != '\0') {
		const char *next = at;

		take_component(&next, true, name);
		for (size_t i = 0; i < count; i++) {
			if ((root || rules[i].where == ANY) && may_start(&rules[i], name) &&
			    rule_matches(&rules[i], at, path, mode)) {
				return &rules[i];
			}
		}
		at = next;
		root = false;
	}
	return NULL;
}

bool
names_is_secret(const char *path)
{
	return find_rule(secret_rules, sizeof(secret_rules) / sizeof(secret_rules[0]), path,
			 S_IFREG) != NULL;
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
		take_component(&entry, true, want);
		take_component(&path, true, name);
		if (!component_matches(want, strlen(want), name)) {
			return false;
		}
	}
	return true;
}

const char *
names_protected_entry(const char *path, mode_t mode, const struct strings *extra)
{
	const struct rule *rule = find_rule(
		protected_rules, sizeof(protected_rules) / sizeof(protected_rules[0]), path, mode);

	if (rule != NULL) {
		return rule->says;
	}
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
names_protected_by(const char *path, const struct strings *extra)
{
	return names_protected_entry(path, S_IFDIR, extra);
}

bool
names_link_escapes(const char *path, const char *target)
{
	size_t depth = 0;

	for (const char *p = strchr(path, '/'); p != NULL; p = strchr(p + 1, '/')) {
		depth++;
	}
	if (target[0] == '/') {
		return true;
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
	/* ".." behind a name may leave from wherever that name leads */
	for (const char *p = strstr(target, ".."); p != NULL; p = strstr(p + 1, "..")) {
		if ((p == target || p[-1] == '/') && (p[2] == '/' || p[2] == '\0')) {
			return true;
		}
	}
	return false;
}
