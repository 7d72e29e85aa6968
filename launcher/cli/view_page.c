/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in airlock-cli as the caller; callers escape what they hand in. */
#include "view_page.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PAGE_MAX_COLUMNS 100u /* longer lines are hard to read */
#define MARGIN "  "

void
page_init(struct page *p, int fd)
{
	view_init(&p->view, fd);
	if (p->view.columns > PAGE_MAX_COLUMNS) {
		p->view.columns = PAGE_MAX_COLUMNS;
	}
}

void
page_finish(struct page *p)
{
	buf_finish(&p->out);
}

void
page_part(struct page *p, const char *title, const char *question)
{
	buf_putc(&p->out, '\n');
	view_paint(&p->view, &p->out, VIEW_BOLD, title);
	buf_puts(&p->out, MARGIN);
	view_paint(&p->view, &p->out, VIEW_DIM, question);
	buf_putc(&p->out, '\n');
}

static void
put_label(struct page *p, const char *label)
{
	auto_buf padded = BUF_INIT;

	view_pad(&padded, label, PAGE_LABEL - strlen(MARGIN) - 1, false);
	buf_puts(&p->out, MARGIN);
	view_paint(&p->view, &p->out, VIEW_DIM, buf_text(&padded));
	buf_putc(&p->out, ' ');
}

void
page_fact(struct page *p, const char *label, const char *text)
{
	put_label(p, label);
	view_wrap(&p->out, text[0] != '\0' ? text : "-", PAGE_LABEL, p->view.columns);
}

static void
put_wrapped(struct page *p, enum view_color color, const char *text, size_t indent)
{
	auto_buf wrapped = BUF_INIT;

	view_wrap(&wrapped, text, indent, p->view.columns);
	if (wrapped.len > 0) {
		wrapped.data[--wrapped.len] = '\0'; /* the colour ends before the newline */
	}
	view_paint(&p->view, &p->out, color, buf_text(&wrapped));
	buf_putc(&p->out, '\n');
}

void
page_fact_color(struct page *p, const char *label, enum view_color color, const char *text)
{
	put_label(p, label);
	put_wrapped(p, color, text, PAGE_LABEL);
}

void
page_text(struct page *p, enum view_color color, const char *text)
{
	put_wrapped(p, color, text, 0);
}

void
page_digest(const struct page *p, struct buf *b, const char *hex)
{
	auto_buf safe = BUF_INIT;

	text_safe(&safe, hex, strlen(hex), false);
	if (safe.len == 0) {
		buf_putc(b, '-');
	} else if (p->verbose) {
		buf_puts(b, buf_text(&safe));
	} else {
		buf_printf(b, "%.*s", PAGE_DIGEST, buf_text(&safe));
	}
}

void
page_factf(struct page *p, const char *label, const char *fmt, ...)
{
	auto_free char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		text = NULL;
		p->out.failed = true;
		return;
	}
	page_fact(p, label, text);
}

void
page_line(struct page *p, enum view_color color, const char *text)
{
	auto_buf cut = BUF_INIT;

	view_cut(&cut, text, p->verbose ? SIZE_MAX : p->view.columns - PAGE_LABEL);
	buf_printf(&p->out, "%*s", (int)PAGE_LABEL, "");
	view_paint(&p->view, &p->out, color, buf_text(&cut));
	buf_putc(&p->out, '\n');
}

void
page_remark(struct page *p, enum view_color color, size_t indent, const char *text)
{
	buf_printf(&p->out, "%*s", (int)(PAGE_LABEL + indent), "");
	put_wrapped(p, color, text, PAGE_LABEL + indent);
}
