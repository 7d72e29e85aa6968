/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The components of a path as somebody else may read them: a file system that ignores case or
 * normalises, a program that takes another character for the separator, a person who sees the name.
 * Pure; no allocation. Paths are hostile bytes of any length.
 */
#include <limits.h>
#include <string.h>

#include "../base/cleanup.h"
#include "names_internal.h"

/* Case-insensitive file systems ignore these: zero width, direction, the byte order mark. */
static const char *const ignored[] = {
	"\xc2\xad",	"\xe2\x80\x8b", "\xe2\x80\x8c", "\xe2\x80\x8d", "\xe2\x80\x8e",
	"\xe2\x80\x8f", "\xe2\x80\xaa", "\xe2\x80\xab", "\xe2\x80\xac", "\xe2\x80\xad",
	"\xe2\x80\xae", "\xe2\x81\xa0", "\xe2\x81\xa1", "\xe2\x81\xa2", "\xe2\x81\xa3",
	"\xe2\x81\xa4", "\xe2\x81\xaa", "\xe2\x81\xab", "\xe2\x81\xac", "\xe2\x81\xad",
	"\xe2\x81\xae", "\xe2\x81\xaf", "\xef\xbb\xbf",
};

/* Besides / and \ (Windows' own): what is shown as one, or becomes one in another character set. */
static const char *const separators[] = {
	"\xc2\xa5",	/* U+00A5: the place of the backslash in Japanese sets */
	"\xe1\x9c\xb5", /* U+1735 */
	"\xe2\x81\x84", /* U+2044 fraction slash */
	"\xe2\x82\xa9", /* U+20A9: the place of the backslash in Korean sets */
	"\xe2\x88\x95", /* U+2215 division slash */
	"\xe2\x88\x96", /* U+2216 set minus */
	"\xe2\x95\xb1", /* U+2571 */
	"\xe2\x95\xb2", /* U+2572 */
	"\xe2\x9f\x8b", /* U+27CB */
	"\xe2\x9f\x8d", /* U+27CD */
	"\xe2\xa7\xb5", /* U+29F5 reverse solidus operator */
	"\xe2\xa7\xb8", /* U+29F8 big solidus */
	"\xe2\xa7\xb9", /* U+29F9 big reverse solidus */
	"\xe3\x87\x93", /* U+31D3 */
	"\xe3\x87\x94", /* U+31D4 */
	"\xef\xb9\xa8", /* U+FE68 small reverse solidus */
	"\xef\xbc\x8f", /* U+FF0F fullwidth solidus */
	"\xef\xbc\xbc", /* U+FF3C fullwidth reverse solidus */
};

/* Other characters that fold or normalise to one of ASCII. */
static const struct {
	const char *from;
	char to;
} folded[] = {
	{ "\xc5\xbf", 's' },	 /* U+017F long s */
	{ "\xe2\x80\xa4", '.' }, /* U+2024 one dot leader */
	{ "\xe2\x84\xaa", 'k' }, /* U+212A Kelvin */
	{ "\xef\xb9\x92", '.' }, /* U+FE52 small full stop */
};

static size_t
starts_with(const char *s, const char *with)
{
	size_t len = strlen(with);

	return strncmp(s, with, len) == 0 ? len : 0;
}

static size_t
first_of(const char *s, const char *const *items, size_t count)
{
	size_t len = 0;

	for (size_t i = 0; len == 0 && i < count; i++) {
		len = starts_with(s, items[i]);
	}
	return len;
}

/* Length of the separator at s; 0 when there is none. */
static size_t
separator(const char *s)
{
	if ((unsigned char)*s < 0x80) {
		return *s == '/' || *s == '\\';
	}
	return first_of(s, separators, ARRAY_LEN(separators));
}

static const char *
skip_ignored(const char *s)
{
	while ((unsigned char)*s >= 0x80) {
		size_t len = first_of(s, ignored, ARRAY_LEN(ignored));

		if (len == 0) {
			break;
		}
		s += len;
	}
	return s;
}

/* U+FF01 to U+FF5E are "!" to "~" in full width. */
static char
from_full_width(const char *s)
{
	unsigned char mid, last;

	if ((unsigned char)s[0] != 0xef) {
		return '\0';
	}
	mid = (unsigned char)s[1];
	last = mid != 0 ? (unsigned char)s[2] : 0;
	if (mid == 0xbc && last >= 0x81 && last <= 0xbf) {
		return (char)(last - 0x81 + '!');
	}
	return (char)(mid == 0xbd && last >= 0x80 && last <= 0x9e ? last - 0x80 + '`' : '\0');
}

static char
lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Reads one character, folded. 0 at the component's end, where *p then stands. */
static char
fold_next(const char **p)
{
	const char *s = skip_ignored(*p);
	char wide = from_full_width(s);

	*p = s;
	if (*s == '\0' || separator(s) != 0) {
		return '\0';
	}
	for (size_t i = 0; (unsigned char)*s >= 0x80 && i < ARRAY_LEN(folded); i++) {
		size_t len = starts_with(s, folded[i].from);

		if (len != 0) {
			*p = s + len;
			return folded[i].to;
		}
	}
	if (wide != '\0') {
		*p = s + 3;
		return lower(wide);
	}
	*p = s + 1;
	return lower(*s);
}

static void
skip_separators(const char **p, bool fold)
{
	size_t len;

	while ((len = fold ? separator(*p) : **p == '/') != 0) {
		*p += len;
	}
}

size_t
names_take(const char **p, bool fold, char name[NAME_MAX + 1])
{
	size_t len = 0;
	char c;

	skip_separators(p, fold);
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
	/* Windows takes dots and blanks off the end, and nobody sees a blank. "." and ".." stay. */
	while (fold && len > 2 && (name[len - 1] == '.' || name[len - 1] == ' ')) {
		len--;
	}
	name[len] = '\0';
	skip_separators(p, fold);
	return len;
}
