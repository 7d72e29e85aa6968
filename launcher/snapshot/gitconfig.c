/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compares two git configurations by gitconfig.def. Pure. Run by the front as the workspace's owner
 * over what a tool wrote. An entry is settled when its key is harmless, or its value is; what is
 * left of both files, in its order, must be the same.
 */
#include "gitconfig.h"

#include <string.h>

#include "../base/text.h"

enum sub { NONE, EACH, ANY };
enum rule { HARMLESS, REMOTE_NAME, REFSPEC, NEW_URL, HELD };

struct key {
	const char *section;
	enum sub sub;
	const char *key;
	enum rule rule;
	const char *reason;
};

/* clang-format off */
static const struct key keys[] = {
#define GITKEY(section_, sub_, key_, rule_, reason_)                                               \
	{ .section = (section_), .sub = (sub_), .key = (key_), .rule = (rule_),                    \
	  .reason = (reason_) },
#include "gitconfig.def"
#undef GITKEY
};
/* clang-format on */

#define PART_MAX 100 /* of a name in the answer */
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* Entries that are looked at to find others, at the most: the files are a tool's. */
#define WORK_MAX (1u << 22)

struct comparison {
	const struct gitconfig *before, *after;
	size_t work;
};

static const struct key *
find_key(const struct gitconfig_entry *e)
{
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const struct key *k = &keys[i];

		if (strcmp(k->section, e->section) == 0 &&
		    (k->sub == ANY || (k->sub == EACH) == (e->subsection != NULL)) &&
		    (strcmp(k->key, "*") == 0 || strcmp(k->key, e->key) == 0)) {
			return k;
		}
	}
	return NULL;
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool
same_entry(const struct gitconfig_entry *a, const struct gitconfig_entry *b)
{
	return strcmp(a->section, b->section) == 0 && same_text(a->subsection, b->subsection) &&
	       strcmp(a->key, b->key) == 0 && same_text(a->value, b->value);
}

/* Whether g has an entry like it; each NULL stands for anything. */
static bool
has(struct comparison *c, const struct gitconfig *g, const struct gitconfig_entry *like)
{
	for (size_t i = 0; i < g->count && c->work < WORK_MAX; i++) {
		const struct gitconfig_entry *e = &g->items[i];

		c->work++;
		if (strcmp(e->section, like->section) == 0 &&
		    (like->subsection == NULL || same_text(e->subsection, like->subsection)) &&
		    (like->key == NULL || strcmp(e->key, like->key) == 0) &&
		    (like->value == NULL || same_text(e->value, like->value))) {
			return true;
		}
	}
	return false;
}

static bool
starts_plain(const char *text)
{
	return strspn(text, LETTERS) > 0;
}

/* A name that cannot be taken for an address, a path or an option. */
static bool
is_plain_name(const char *name)
{
	return starts_plain(name) && name[strspn(name, LETTERS "._-")] == '\0';
}

static bool
is_remote(struct comparison *c, const struct gitconfig *g, const char *name)
{
	return is_plain_name(name) &&
	       has(c, g, &(struct gitconfig_entry){ "remote", name, "url", NULL });
}

/*
 * "." is this repository: a branch that pulled from elsewhere would take what a tool committed to
 * another branch, checked out by the next pull. Harmless of a new branch, and where it stood.
 */
static bool
remote_name_settled(struct comparison *c, const struct gitconfig_entry *e)
{
	const struct gitconfig_entry branch = { "branch", e->subsection, NULL, NULL };

	if (e->value == NULL) {
		return false;
	}
	if (strcmp(e->value, ".") == 0) {
		return has(c, c->before, e) || !has(c, c->before, &branch);
	}
	return is_remote(c, c->before, e->value) ||
	       (is_remote(c, c->after, e->value) && !has(c, c->before, &branch));
}

/* The length of a branch's name, or of "*", at the start of text; 0: neither. */
static size_t
branch_length(const char *text)
{
	size_t len = strspn(text, LETTERS "._-/");

	return text[0] == '*' ? 1 : len;
}

/* "+refs/heads/X:refs/remotes/NAME/X": writes nothing but what is known of that remote. */
static bool
refspec_settled(const struct gitconfig_entry *e)
{
	static const char from[] = "refs/heads/", to[] = ":refs/remotes/";
	const char *at = e->value, *branch;
	size_t len, name_len = strlen(e->subsection);

	if (at == NULL || !is_plain_name(e->subsection)) {
		return false;
	}
	at += *at == '+';
	if (strncmp(at, from, strlen(from)) != 0) {
		return false;
	}
	branch = at + strlen(from);
	len = branch_length(branch);
	at = branch + len;
	if (len == 0 || strncmp(at, to, strlen(to)) != 0) {
		return false;
	}
	at += strlen(to);
	if (strncmp(at, e->subsection, name_len) != 0 || at[name_len] != '/') {
		return false;
	}
	at += name_len + 1;
	return strncmp(at, branch, len) == 0 && at[len] == '\0';
}

/*
 * https://host/…, ssh://user@host/…, git://host/… or user@host:path: no helper program, no path of
 * this machine, no name or password in an https address, nothing that looks like an option.
 */
static bool
is_plain_url(const char *url)
{
	static const struct {
		const char *scheme;
		bool user;
	} schemes[] = { { "https://", false }, { "ssh://", true }, { "git://", false } };
	const char *host = url;
	bool user = true;
	size_t len;

	if (url[strspn(url, LETTERS "._~:/@+=,-")] != '\0' || strstr(url, "::") != NULL) {
		return false;
	}
	for (size_t i = 0; host == url && i < ARRAY_LEN(schemes); i++) {
		if (strncmp(url, schemes[i].scheme, strlen(schemes[i].scheme)) == 0) {
			host = url + strlen(schemes[i].scheme);
			user = schemes[i].user;
		}
	}
	if ((host == url && strstr(url, "://") != NULL) || !starts_plain(host)) {
		return false;
	}
	len = strcspn(host, "/:@");
	if (user && host[len] == '@') {
		host += len + 1;
		len = strcspn(host, "/:@");
	}
	if (!starts_plain(host)) {
		return false;
	}
	/* without a scheme "host:path" is an address of ssh's, "./a:b" and "a/b:c" are files */
	if (strstr(url, "://") == NULL) {
		return host[len] == ':' && host[len + 1] != '-' && host[len + 1] != '\0';
	}
	if (host[len] == ':') {
		len += 1 + strspn(host + len + 1, "0123456789");
	}
	return host[len] == '/';
}

/* A new address for a name that is used already would redirect what uses it. */
static bool
url_settled(struct comparison *c, const struct gitconfig_entry *e)
{
	const char *name = e->subsection;

	return e->value != NULL && is_plain_name(name) && is_plain_url(e->value) &&
	       !has(c, c->before, &(struct gitconfig_entry){ "remote", name, NULL, NULL }) &&
	       !has(c, c->before, &(struct gitconfig_entry){ "branch", NULL, "remote", name }) &&
	       !has(c, c->before,
		    &(struct gitconfig_entry){ "branch", NULL, "pushremote", name }) &&
	       !has(c, c->before, &(struct gitconfig_entry){ "remote", NULL, "pushdefault", name });
}

/* Whether this entry is no matter, wherever it stands. */
static bool
settled(struct comparison *c, const struct gitconfig_entry *e)
{
	const struct key *k = find_key(e);

	if (k == NULL) {
		return false;
	}
	switch (k->rule) {
	case HARMLESS:
		return true;
	case REMOTE_NAME:
		return remote_name_settled(c, e);
	case REFSPEC:
		return refspec_settled(e);
	case NEW_URL:
		return url_settled(c, e);
	case HELD:
		break;
	}
	return false;
}

static const struct gitconfig_entry *
next_open(struct comparison *c, const struct gitconfig *g, size_t *at)
{
	while (*at < g->count) {
		const struct gitconfig_entry *e = &g->items[(*at)++];

		if (!settled(c, e)) {
			return e;
		}
	}
	return NULL;
}

/* The first open entry of a that b has not; NULL when there is none. */
static const struct gitconfig_entry *
only_in(struct comparison *c, const struct gitconfig *a, const struct gitconfig *b)
{
	size_t at = 0;
	const struct gitconfig_entry *e;

	while ((e = next_open(c, a, &at)) != NULL) {
		bool found = false;

		for (size_t i = 0; !found && i < b->count && c->work < WORK_MAX; i++) {
			found = same_entry(e, &b->items[i]);
			c->work++;
		}
		if (!found) {
			return e;
		}
	}
	return NULL;
}

static void
put_part(struct buf *out, const char *head, const char *part)
{
	buf_puts(out, head);
	text_safe(out, part, strnlen(part, PART_MAX), false);
}

static void
put_why(struct buf *out, const struct gitconfig_entry *e)
{
	const struct key *k = find_key(e);

	put_part(out, "", e->section);
	if (e->subsection != NULL) {
		put_part(out, ".", e->subsection);
	}
	put_part(out, ".", e->key);
	buf_printf(out, ": %s", k != NULL ? k->reason : "not known to be harmless");
}

static void
put_broken(struct buf *out, const struct gitconfig *g, const char *whose)
{
	if (g->broken_line != 0 && out->len == 0) {
		buf_printf(out, "line %zu%s cannot be understood", g->broken_line, whose);
	}
}

/* The one of was and is that a person wants to hear about. */
static const struct gitconfig_entry *
culprit(struct comparison *c, const struct gitconfig_entry *was, const struct gitconfig_entry *is)
{
	const struct gitconfig_entry *e = only_in(c, c->after, c->before);

	e = e != NULL ? e : only_in(c, c->before, c->after);
	/* else the same entries, some of them twice or in another order */
	return e != NULL ? e : is != NULL ? is : was;
}

int
gitconfig_judge(const struct gitconfig *before, const struct gitconfig *after, struct buf *ret_why)
{
	struct comparison c = { .before = before, .after = after };
	const struct gitconfig_entry *was, *is;
	size_t at_before = 0, at_after = 0;

	buf_reset(ret_why);
	put_broken(ret_why, after, "");
	put_broken(ret_why, before, " of what it was");
	if (ret_why->len > 0) {
		return buf_error(ret_why);
	}
	do {
		was = next_open(&c, before, &at_before);
		is = next_open(&c, after, &at_after);
	} while (was != NULL && is != NULL && same_entry(was, is));
	if (was != NULL || is != NULL) {
		put_why(ret_why, culprit(&c, was, is));
	} else if (c.work >= WORK_MAX) {
		buf_puts(ret_why, "too much to compare");
	}
	return buf_error(ret_why);
}
