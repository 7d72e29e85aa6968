/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar of a git configuration file, as git's own reader has it (config.c): sections, quoted
 * subsections, [a.b], quotes, escapes, continued lines, comments, CRLF, a byte order mark. Inner
 * blanks of a value stay as they are: old versions of git make spaces of them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../base/grow.h"
#include "gitconfig.h"

struct reader {
	const char *p, *end;
	bool eof;		 /* the last character was the end, which counts as a newline */
	size_t line, begin_line; /* of the last character; of the section or entry in hand */
	char *out; /* what the entries point into; never more than was read, and its NULs */
	const char *section, *subsection;
	struct gitconfig *g;
};

static int
next_char(struct reader *r)
{
	int c;

	if (r->p == r->end) {
		r->eof = true;
		return '\n';
	}
	c = (unsigned char)*r->p++;
	if (c == '\r' && r->p < r->end && *r->p == '\n') {
		r->p++;
		c = '\n';
	}
	r->line += c == '\n';
	return c;
}

static bool
is_blank(int c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool
is_letter(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_key_char(int c)
{
	return is_letter(c) || (c >= '0' && c <= '9') || c == '-';
}

static void
put(struct reader *r, int c)
{
	*r->out++ = (char)c;
}

static void
put_lower(struct reader *r, int c)
{
	put(r, c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Behind `[section `: `"subsection"]`. It follows the bytes of the section. */
static bool
read_subsection(struct reader *r, int c)
{
	do {
		if (c == '\n') {
			return false;
		}
		c = next_char(r);
	} while (is_blank(c));
	if (c != '"') {
		return false;
	}
	for (;;) {
		c = next_char(r);
		if (c == '\n') {
			return false;
		}
		if (c == '"') {
			return next_char(r) == ']';
		}
		if (c == '\\') {
			c = next_char(r);
			if (c == '\n') {
				return false;
			}
		}
		put(r, c);
	}
}

/*
 * Behind `[`. git joins all parts with dots and takes what is before the first one for the section
 * and the rest for the subsection: so [a.b "c"] is b.c of a.
 */
static bool
read_section(struct reader *r)
{
	char *begin = r->out, *dot;
	bool quoted = false;
	int c;

	while (!quoted && (c = next_char(r)) != ']') {
		if (r->eof) {
			return false;
		}
		if (is_blank(c)) {
			put(r, '.');
			if (!read_subsection(r, c)) {
				return false;
			}
			quoted = true;
		} else if (is_key_char(c) || c == '.') {
			put_lower(r, c);
		} else {
			return false;
		}
	}
	if (r->out == begin) {
		return false;
	}
	put(r, '\0');
	dot = strchr(begin, '.');
	r->section = begin;
	r->subsection = NULL;
	if (dot != NULL) {
		*dot = '\0';
		r->subsection = dot + 1;
	}
	return true;
}

/* What a backslash makes of the character behind it; 0: git refuses it. */
static int
unescape(int c)
{
	static const char from[] = "tbn\\\"", to[] = "\t\b\n\\\"";
	const char *at = strchr(from, c);

	return at != NULL && c != '\0' ? to[at - from] : 0;
}

static const char *
read_value(struct reader *r)
{
	char *begin = r->out;
	char *trim = NULL; /* where the blanks at the end begin */
	bool quote = false, comment = false;

	for (;;) {
		int c = next_char(r);

		if (c == '\n') {
			break;
		}
		if (comment) {
			continue;
		}
		if (is_blank(c) && !quote) {
			trim = trim == NULL ? r->out : trim;
			if (r->out > begin) {
				put(r, c);
			}
			continue;
		}
		if (!quote && (c == ';' || c == '#')) {
			comment = true;
			continue;
		}
		trim = NULL;
		if (c == '"') {
			quote = !quote;
			continue;
		}
		if (c == '\\') {
			c = next_char(r);
			if (c == '\n') {
				continue;
			}
			c = unescape(c);
			if (c == 0) {
				return NULL;
			}
		}
		put(r, c);
	}
	if (quote) {
		return NULL;
	}
	r->out = trim != NULL ? trim : r->out;
	put(r, '\0');
	return begin;
}

static int
append(struct gitconfig *g, const struct gitconfig_entry *e)
{
	struct gitconfig_entry *grown = grow_array(g->items, g->count, &g->cap, sizeof(*grown));

	if (grown == NULL) {
		return -ENOMEM;
	}
	g->items = grown;
	g->items[g->count++] = *e;
	return 0;
}

/* c: the key's first character. 1: an entry, 0: not git's grammar, or -ENOMEM. */
static int
read_entry(struct reader *r, int c)
{
	struct gitconfig_entry e = { .section = r->section,
				     .subsection = r->subsection,
				     .key = r->out };
	int rc;

	while (!r->eof && is_key_char(c)) {
		put_lower(r, c);
		c = next_char(r);
	}
	put(r, '\0');
	while (c == ' ' || c == '\t') {
		c = next_char(r);
	}
	if (c != '\n') {
		e.value = c == '=' ? read_value(r) : NULL;
		if (e.value == NULL) {
			return 0;
		}
	}
	if (e.section == NULL || r->g->count == GITCONFIG_ENTRIES_MAX) {
		return 0;
	}
	rc = append(r->g, &e);
	return rc < 0 ? rc : 1;
}

static int
read_all(struct reader *r)
{
	bool comment = false;
	int rc = 1;

	while (rc > 0) {
		int c;

		r->begin_line = r->line;
		c = next_char(r);

		if (r->eof) {
			return 1;
		}
		if (c == '\n') {
			comment = false;
		} else if (comment || is_blank(c)) {
			continue;
		} else if (c == '#' || c == ';') {
			comment = true;
		} else if (c == '[') {
			rc = read_section(r);
		} else {
			rc = is_letter(c) ? read_entry(r, c) : 0;
		}
	}
	return rc;
}

int
gitconfig_parse(const char *bytes, size_t len, struct gitconfig *ret)
{
	static const char bom[] = "\xef\xbb\xbf";
	struct reader r = { .p = bytes, .end = bytes + len, .line = 1, .g = ret };
	int rc;

	*ret = (struct gitconfig){ .items = NULL };
	if (len > GITCONFIG_BYTES_MAX || (len > 0 && memchr(bytes, '\0', len) != NULL)) {
		ret->broken_line = 1;
		return 0;
	}
	/* each stored byte was read, and each NUL stands for a delimiter or the end */
	ret->bytes = malloc(len * 2 + 4);
	if (ret->bytes == NULL) {
		return -ENOMEM;
	}
	r.out = ret->bytes;
	if (len >= 3 && memcmp(bytes, bom, 3) == 0) {
		r.p += 3;
	}
	rc = read_all(&r);
	if (rc < 0) {
		return rc;
	}
	ret->broken_line = rc > 0 ? 0 : r.begin_line;
	return 0;
}

void
gitconfig_finish(struct gitconfig *g)
{
	free(g->items);
	free(g->bytes);
	*g = (struct gitconfig){ .items = NULL };
}
