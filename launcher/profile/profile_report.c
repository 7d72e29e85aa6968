/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors in a profile, as text with the place, the source line and a caret. Runs in airlock-cli, as
 * the caller. Trusts nothing in the file: what is shown of it is escaped.
 */
#include <stdio.h>
#include <string.h>

#include "../base/nearest.h"
#include "../base/text.h"
#include "profile_internal.h"

#define LINE_SHOWN_MAX 400u /* bytes of a source line that are shown */

static bool
find_line(const struct profile_place *at, const uint8_t **ret_line, size_t *ret_len)
{
	const struct profile_source *s = at->source;
	const uint8_t *p = s->data, *end, *newline;

	if (p == NULL || at->line == 0) {
		return false;
	}
	end = p + s->len;
	for (unsigned int line = 1; line < at->line; line++) {
		p = memchr(p, '\n', (size_t)(end - p));
		if (p == NULL) {
			return false;
		}
		p++;
	}
	*ret_line = p;
	newline = memchr(p, '\n', (size_t)(end - p));
	*ret_len = (size_t)((newline != NULL ? newline : end) - p);
	return true;
}

static void
show_line(struct buf *out, const struct profile_place *at)
{
	const uint8_t *line;
	size_t len, pos = 0;
	unsigned int column = 1;
	bool cut;
	auto_buf caret = BUF_INIT;

	/* Behind the last line there is nothing to show. */
	if (!find_line(at, &line, &len) || len == 0) {
		return;
	}
	cut = len > LINE_SHOWN_MAX;
	len = cut ? LINE_SHOWN_MAX : len;
	while (pos < len) {
		uint32_t c;
		size_t step = text_utf8(line + pos, len - pos, &c);
		size_t before = out->len, shown;

		step = step == 0 ? 1 : step;
		/* A tab keeps its place in the line; anything else unprintable is shown as \ooo. */
		if (line[pos] == '\t') {
			buf_putc(out, ' ');
		} else {
			text_safe(out, line + pos, step, false);
		}
		shown = step > 1 && out->len - before == step ? 1 : out->len - before;
		for (size_t i = 0; i < shown; i++) {
			if (column < at->column) {
				buf_putc(&caret, ' ');
			} else if (column < at->column + at->width) {
				buf_putc(&caret, column == at->column && i == 0 ? '^' : '~');
			}
		}
		pos += step;
		column++;
	}
	if (column <= at->column && !cut) {
		buf_putc(&caret, '^');
	}
	buf_putc(out, '\n');
	if (column > at->column || !cut) {
		buf_puts(out, buf_text(&caret));
		buf_putc(out, '\n');
	}
}

static void
put_place(struct buf *out, const struct profile_place *at)
{
	text_safe(out, at->source->path, strlen(at->source->path), false);
	if (at->line > 0) {
		buf_printf(out, ":%u:%u", at->line, at->column);
	}
}

static void __attribute__((format(printf, 2, 0)))
put_text(struct buf *out, const char *fmt, va_list ap)
{
	char text[2048];

	vsnprintf(text, sizeof(text), fmt, ap);
	text_safe(out, text, strlen(text), false);
	buf_putc(out, '\n');
}

void
profile_report_at(struct profile_report *r, const struct profile_place *at, const char *fmt, ...)
{
	va_list ap;

	r->count++;
	if (r->count > PROFILE_ERRORS_MAX) {
		if (r->count == PROFILE_ERRORS_MAX + 1) {
			buf_printf(r->out, "more than %d errors; the rest is not shown\n",
				   PROFILE_ERRORS_MAX);
		}
		return;
	}
	put_place(r->out, at);
	buf_puts(r->out, ": error: ");
	va_start(ap, fmt);
	put_text(r->out, fmt, ap);
	va_end(ap);
	show_line(r->out, at);
}

void
profile_report_note(struct profile_report *r, const struct profile_place *at, const char *fmt, ...)
{
	va_list ap;

	if (r->count > PROFILE_ERRORS_MAX) {
		return;
	}
	put_place(r->out, at);
	buf_puts(r->out, ": note: ");
	va_start(ap, fmt);
	put_text(r->out, fmt, ap);
	va_end(ap);
	show_line(r->out, at);
}

const char *
profile_nearest(const char *word, const char *const *names, size_t count)
{
	return nearest_name(word, names, count);
}

const char *
profile_hint(char *text, size_t size, const char *nearest)
{
	text[0] = '\0';
	if (nearest != NULL) {
		snprintf(text, size, "; did you mean '%s'?", nearest);
	}
	return text;
}
