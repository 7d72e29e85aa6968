/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One path of a profile: text to a normalised path, by the key's type. Runs in airlock-cli, as the
 * caller. Trusts nothing in the text. No I/O.
 */
#include <string.h>

#include "explain.h"
#include "profile_internal.h"

struct parse {
	struct profile_arena *arena;
	const struct profile_key *key;
	struct profile_report *report;
};

/* Reports and returns false, so that parsers end with it. */
#define REFUSE(c, at, ...) (profile_report_at((c)->report, (at), __VA_ARGS__), false)

static bool
refuse_form(const struct parse *c, const struct profile_node *node)
{
	/* A cache's type is about its name. */
	const enum profile_type type = c->key->type == TYPE_CACHES ? TYPE_WRITES : c->key->type;

	return REFUSE(c, &node->at, "%s: wants %s, not '%s'", c->key->name,
		      profile_type_what(type), node->text);
}

/* ---- paths ----------------------------------------------------------------------------------- */

/* "//" and "/./" and a "/" at the end go; ".." was refused before. */
static const char *
squeeze(struct profile_arena *a, const char *text, bool keep_end)
{
	size_t len = strlen(text), used = 0;
	char *out = profile_arena_text(a, text, len);

	if (out == NULL) {
		return NULL;
	}
	for (const char *p = text; *p != '\0';) {
		size_t part = strcspn(p, "/");

		if (part > 0 && !(part == 1 && p[0] == '.')) {
			if (used > 0 && out[used - 1] != '/') {
				out[used++] = '/';
			} else if (used == 0 && text[0] == '/') {
				out[used++] = '/';
			}
			memmove(out + used, p, part);
			used += part;
		}
		p += part;
		p += strspn(p, "/");
	}
	if (used == 0 && text[0] == '/') {
		out[used++] = '/';
	}
	if (keep_end && used > 0 && text[len - 1] == '/' && out[used - 1] != '/') {
		out[used++] = '/';
	}
	out[used] = '\0';
	return out;
}

static bool
has_dotdot(const char *path)
{
	for (const char *p = path; *p != '\0';) {
		size_t part = strcspn(p, "/");

		if (part == 2 && p[0] == '.' && p[1] == '.') {
			return true;
		}
		p += part;
		p += strspn(p, "/");
	}
	return false;
}

static bool
check_path(const struct parse *c, const struct profile_node *node)
{
	const char *text = node->text;

	if (strlen(text) > PROFILE_PATH_MAX) {
		return REFUSE(c, &node->at, "%s: a path longer than %d bytes", c->key->name,
			      PROFILE_PATH_MAX);
	}
	if (strchr(text, '\n') != NULL) {
		return REFUSE(c, &node->at, "%s: a path with a newline in it", c->key->name);
	}
	if (has_dotdot(text)) {
		return REFUSE(c, &node->at, "%s: '%s' has '..' in it", c->key->name, text);
	}
	return true;
}

static bool
parse_host_path(const struct parse *c, const struct profile_node *node, const char **ret)
{
	if (!check_path(c, node)) {
		return false;
	}
	if (node->text[0] != '/' && strncmp(node->text, "~/", 2) != 0) {
		return refuse_form(c, node);
	}
	*ret = squeeze(c->arena, node->text, false);
	return *ret != NULL;
}

/* Paths that would hand over everything, or that every sandbox has of its own. */
static const struct {
	const char *path;
	bool below; /* also everything below it */
	const char *why;
} unreadable[] = {
	{ "/", false, "that is the whole host; name the directories" },
	{ "/dev", true, "a sandbox has its own /dev" },
	{ "/home", false, "that is every home with its credentials; name the directories" },
	{ "/proc", true, "a sandbox has its own /proc" },
	{ "/root", false, "that is a home with its credentials; name the directories" },
	{ "/tmp", false, "a sandbox has its own /tmp" },
	{ "~", false, "that is the whole home with its credentials; name the directories" },
};

const char *
explain_unreadable(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(unreadable); i++) {
		size_t len = strlen(unreadable[i].path);

		if (strcmp(path, unreadable[i].path) == 0 ||
		    (unreadable[i].below && strncmp(path, unreadable[i].path, len) == 0 &&
		     path[len] == '/')) {
			return unreadable[i].why;
		}
	}
	return NULL;
}

static bool
parse_read(const struct parse *c, const struct profile_node *node, const char **ret)
{
	const char *path = NULL, *why;

	if (!parse_host_path(c, node, &path)) {
		return false;
	}
	why = explain_unreadable(path);
	if (why != NULL) {
		return REFUSE(c, &node->at, "%s: '%s' cannot be read: %s", c->key->name, path, why);
	}
	*ret = path;
	return true;
}

static bool
parse_protect(const struct parse *c, const struct profile_node *node, const char **ret)
{
	const char *path;

	if (!check_path(c, node)) {
		return false;
	}
	if (node->text[0] == '/' || node->text[0] == '~') {
		return refuse_form(c, node);
	}
	path = squeeze(c->arena, node->text, true);
	if (path != NULL && path[0] == '\0') {
		return REFUSE(c, &node->at, "%s: '%s' is the whole workspace; use mode: observe",
			      c->key->name, node->text);
	}
	*ret = path;
	return path != NULL;
}

/* What is hidden is masked by name, so a pattern would promise more than it holds. */
static bool
parse_hide(const struct parse *c, const struct profile_node *node, const char **ret)
{
	if (!check_path(c, node)) {
		return false;
	}
	if (node->text[0] == '/' || node->text[0] == '~') {
		return refuse_form(c, node);
	}
	if (strpbrk(node->text, "*?[") != NULL) {
		return REFUSE(c, &node->at, "%s: '%s' is a pattern; name the files and directories",
			      c->key->name, node->text);
	}
	*ret = squeeze(c->arena, node->text, false);
	if (*ret != NULL && (*ret)[0] == '\0') {
		return REFUSE(c, &node->at,
			      "%s: '%s' is the whole workspace; run the tool in another one",
			      c->key->name, node->text);
	}
	return *ret != NULL;
}

/* Where programs of the system come from, or what it is made of; and directories of many owners. */
static const struct {
	const char *path;
	bool below; /* also everything below it */
} unwritable[] = {
	{ "/", false },    { "/bin", true },   { "/boot", true },   { "/dev", true },
	{ "/etc", true },  { "/home", false }, { "/lib", true },    { "/lib32", true },
	{ "/lib64", true }, { "/libx32", true }, { "/media", false }, { "/mnt", false },
	{ "/opt", false }, { "/proc", true },  { "/root", false },  { "/run", false },
	{ "/sbin", true }, { "/srv", false },  { "/sys", true },    { "/tmp", false },
	{ "/usr", true },  { "/var", false },  { "/var/tmp", false }, { "~", false },
};

static bool
parse_write(const struct parse *c, const struct profile_node *node, const char **ret)
{
	const char *path = NULL;

	if (!parse_host_path(c, node, &path)) {
		return false;
	}
	for (size_t i = 0; i < ARRAY_LEN(unwritable); i++) {
		size_t len = strlen(unwritable[i].path);

		if (strcmp(path, unwritable[i].path) == 0 ||
		    (unwritable[i].below && strncmp(path, unwritable[i].path, len) == 0 &&
		     path[len] == '/')) {
			return REFUSE(c, &node->at,
				      "%s: '%s' cannot be given: it belongs to the system or to "
				      "many; name a directory of your own",
				      c->key->name, path);
		}
	}
	*ret = path;
	return true;
}

bool
profile_path_parse(struct profile_arena *a, const struct profile_key *key,
		   const struct profile_node *node, struct profile_report *report, const char **ret)
{
	static bool (*const parsers[TYPE__COUNT])(const struct parse *c,
						  const struct profile_node *node,
						  const char **ret) = {
		[TYPE_CACHES] = parse_write,       [TYPE_COMMANDS] = parse_host_path,
		[TYPE_HIDES] = parse_hide,         [TYPE_PROFILE] = parse_host_path,
		[TYPE_PROTECTS] = parse_protect,   [TYPE_READS] = parse_read,
		[TYPE_WRITES] = parse_write,
	};
	const struct parse c = { a, key, report };

	return parsers[key->type](&c, node, ret);
}
