/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in airlock-cli, as the caller. Trusts nothing in the tree. No I/O. */
#include "bundle_values.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "../base/units.h"
#include "../profile/profile.h"
#include "bundle_time.h"

#define LINE_MAX_BYTES 1024u
#define FILENAME_MAX_BYTES 64u
#define COMMAND_WORDS_MAX 256u
#define RECIPIENT_LEN 62u /* of an X25519 key: age1, 52 characters, 6 of a checksum */

/* What each type wants, for its error. */
static const char *const wants[] = {
	[BUNDLE_TYPE_ACCESS] = "read or write",
	[BUNDLE_TYPE_BOOL] = "true or false",
	[BUNDLE_TYPE_COMMAND] = "a list whose first word is an absolute path, such as "
				"[/usr/local/bin/resolver, --fast]",
	[BUNDLE_TYPE_COUNT] = "a whole number, such as 100",
	[BUNDLE_TYPE_DELIVERY] = "file, env, fd, ssh-agent or proxy",
	[BUNDLE_TYPE_DURATION] = "a duration with its unit, such as 30s, 10m or 1h",
	[BUNDLE_TYPE_FILENAME] = "at most 64 letters, digits, '.', '_' and '-', the first no '.' "
				 "and no '-'",
	[BUNDLE_TYPE_ITEMS] = "names of items",
	[BUNDLE_TYPE_LINE] = "one line of text, at most 1024 bytes",
	[BUNDLE_TYPE_NAME] = "small letters, digits, '.', '_' and '-', the first a letter or "
			     "digit, at most 64",
	[BUNDLE_TYPE_PATH] = "an absolute path without '..'",
	[BUNDLE_TYPE_RECIPIENTS] = "a list of public keys of age (age1...), at most 64",
	[BUNDLE_TYPE_SOURCE] = "sealed, file, fd, systemd or exec",
	[BUNDLE_TYPE_TIME] = "a moment in UTC, such as 2027-01-01T00:00:00Z",
};

_Static_assert(ARRAY_LEN(wants) == BUNDLE_TYPE__COUNT, "one sentence per type");

static bool
refuse(const struct bundle_values *v, enum bundle_type type, const struct profile_node *node)
{
	const struct profile_place *at =
		node->empty && node->key != NULL ? &node->key_at : &node->at;
	bool shown = node->kind == NODE_SCALAR && !node->empty;

	profile_report_at(v->report, at, "%s%s%s: wants %s%s%s%s", v->item != NULL ? v->item : "",
			  v->item != NULL ? "." : "", v->key, wants[type], shown ? ", not '" : "",
			  shown ? node->text : "", shown ? "'" : "");
	return false;
}

/* ---- texts ---------------------------------------------------------------------------------- */

/* What a page, a terminal and a log can show as it is. */
bool
bundle_line_is_right(const char *text)
{
	auto_buf safe = BUF_INIT;
	size_t len = strlen(text);

	text_safe(&safe, text, len, false);
	return len > 0 && len <= LINE_MAX_BYTES && strcmp(buf_text(&safe), text) == 0;
}

static bool
is_filename(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len <= FILENAME_MAX_BYTES && text[0] != '.' && text[0] != '-' &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		       len;
}

static bool
is_path(const char *text)
{
	if (text[0] != '/' || !bundle_line_is_right(text)) {
		return false;
	}
	for (const char *p = text; p != NULL; p = strchr(p + 1, '/')) {
		if (strncmp(p, "/..", 3) == 0 && (p[3] == '/' || p[3] == '\0')) {
			return false;
		}
	}
	return true;
}

bool
bundle_recipient_is_right(const char *text)
{
	size_t len = strlen(text);

	return len == RECIPIENT_LEN && strncmp(text, "age1", 4) == 0 &&
	       strspn(text + 4, "023456789acdefghjklmnpqrstuvwxyz") == len - 4;
}

static bool
take_text(const struct profile_node *node, bool is_right, void *field)
{
	if (is_right) {
		*(const char **)field = node->text;
	}
	return is_right;
}

/* ---- lists ---------------------------------------------------------------------------------- */

/* Whether this may be word number `at`. */
static bool
is_word(enum bundle_type type, size_t at, const struct profile_node *node)
{
	if (node->kind != NODE_SCALAR || node->empty) {
		return false;
	}
	if (type == BUNDLE_TYPE_RECIPIENTS) {
		return at < BUNDLE_RECIPIENTS_MAX && bundle_recipient_is_right(node->text);
	}
	return at < COMMAND_WORDS_MAX && (at > 0 || is_path(node->text));
}

static bool
take_words(const struct bundle_values *v, enum bundle_type type, const struct profile_node *node,
	   struct bundle_words *ret)
{
	struct bundle_words words = { .count = 0 };
	size_t count = 0;

	for (const struct profile_node *n = node->first; n != NULL; n = n->next, count++) {
		if (!is_word(type, count, n)) {
			return refuse(v, type, n);
		}
	}
	if (node->kind != NODE_LIST || count == 0) {
		return refuse(v, type, node);
	}
	words.items = profile_arena_get(v->arena, count, sizeof(*words.items));
	for (const struct profile_node *n = node->first; words.items != NULL && n != NULL;
	     n = n->next) {
		words.items[words.count++] = n->text;
	}
	*ret = words;
	return true;
}

/* ---- one value ------------------------------------------------------------------------------ */

static bool
take_source(const char *text, enum bundle_source *ret)
{
	for (unsigned int i = 0; i < BUNDLE_SOURCE__COUNT; i++) {
		if (strcmp(bundle_source_word((enum bundle_source)i), text) == 0) {
			*ret = (enum bundle_source)i;
			return true;
		}
	}
	return false;
}

static bool
take_bool(const char *text, bool *ret)
{
	*ret = strcmp(text, "true") == 0;
	return *ret || strcmp(text, "false") == 0;
}

static bool
take_scalar(enum bundle_type type, const struct profile_node *node, void *field)
{
	const char *text = node->text;

	switch (type) {
	case BUNDLE_TYPE_ACCESS:
		return bundle_access_find(text, field);
	case BUNDLE_TYPE_BOOL:
		return take_bool(text, field);
	case BUNDLE_TYPE_COUNT:
		return units_count(text, field) == 0 && *(uint64_t *)field <= INT64_MAX;
	case BUNDLE_TYPE_DELIVERY:
		return bundle_delivery_find(text, field);
	case BUNDLE_TYPE_DURATION:
		return units_duration(text, field) == 0 && *(uint64_t *)field > 0 &&
		     *(uint64_t *)field <= INT64_MAX;
	case BUNDLE_TYPE_FILENAME:
		return take_text(node, is_filename(text), field);
	case BUNDLE_TYPE_LINE:
		return take_text(node, bundle_line_is_right(text), field);
	case BUNDLE_TYPE_NAME:
		return take_text(node, bundle_name_is_right(text), field);
	case BUNDLE_TYPE_PATH:
		return take_text(node, is_path(text), field);
	case BUNDLE_TYPE_SOURCE:
		return take_source(text, field);
	case BUNDLE_TYPE_TIME:
		return bundle_time_parse(text, field) == 0;
	case BUNDLE_TYPE_COMMAND:
	case BUNDLE_TYPE_RECIPIENTS:
	case BUNDLE_TYPE_ITEMS:
	case BUNDLE_TYPE__COUNT:
		break;
	}
	return false;
}

bool
bundle_value(const struct bundle_values *v, enum bundle_type type, const struct profile_node *node,
	     void *field)
{
	if (type == BUNDLE_TYPE_COMMAND || type == BUNDLE_TYPE_RECIPIENTS) {
		return take_words(v, type, node, field);
	}
	if (node->kind != NODE_SCALAR || node->empty || !take_scalar(type, node, field)) {
		return refuse(v, type, node);
	}
	return true;
}

/* ---- the name that a tool sees -------------------------------------------------------------- */

static bool
is_variable(const char *text)
{
	return text[0] != '\0' && strchr("0123456789", text[0]) == NULL &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") ==
		       strlen(text);
}

/* Why a variable of that name is not a credential's; NULL. */
static const char *
why_not_variable(const char *name)
{
	static const char *const own[] = {
#define ENV_OWN(own_name, value) own_name,
#include "../profile/env_own.def"
#undef ENV_OWN
		"PATH",
		"CREDENTIALS_DIRECTORY",
	};

	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		if (strcmp(own[i], name) == 0) {
			return "airlock sets it";
		}
	}
	return profile_env_refused(name);
}

static const char *
default_name(struct profile_arena *a, const struct bundle_item *item, bool is_variable_name)
{
	char *name = profile_arena_text(a, item->name, strlen(item->name));

	for (char *p = name; is_variable_name && p != NULL && *p != '\0'; p++) {
		if (*p == '.' || *p == '-') {
			*p = '_';
		} else if (*p >= 'a' && *p <= 'z') {
			*p = (char)(*p - 'a' + 'A');
		}
	}
	return name != NULL ? name : "";
}

void
bundle_value_name(struct profile_arena *a, struct profile_report *report, struct bundle_item *item,
		  const struct profile_place *at)
{
	bool agent = item->deliver == BUNDLE_DELIVER_SSH_AGENT;
	bool variable =
		agent || item->deliver == BUNDLE_DELIVER_ENV || item->deliver == BUNDLE_DELIVER_FD;
	const char *why;

	if (item->deliver_name[0] == '\0') {
		item->deliver_name = agent ? "SSH_AUTH_SOCK" : default_name(a, item, variable);
	}
	if (!variable) {
		return;
	}
	why = why_not_variable(item->deliver_name);
	if (!is_variable(item->deliver_name)) {
		profile_report_at(report, at,
				  "%s.name: '%s' is no name of a variable; write name: NAME with "
				  "letters, digits and '_', the first no digit",
				  item->name, item->deliver_name);
	} else if (why != NULL) {
		profile_report_at(report, at, "%s.name: %s is no variable for a credential: %s",
				  item->name, item->deliver_name, why);
	}
}
