/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in airlock-cli as the caller; callers escape what they hand in. */
#include "view_page.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../store/digest_set.h"

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
page_init_html(struct page *p, const struct digest_set *objects)
{
	p->view = (struct view){ .columns = UINT_MAX };
	p->verbose = p->html = true;
	p->objects = objects;
}

void
page_finish(struct page *p)
{
	buf_finish(&p->out);
}

/* ---- HTML --------------------------------------------------------------------------------- */

static void
put_escaped(struct buf *b, char c)
{
	switch (c) {
	case '&':
		buf_puts(b, "&amp;");
		break;
	case '<':
		buf_puts(b, "&lt;");
		break;
	case '>':
		buf_puts(b, "&gt;");
		break;
	case '"':
		buf_puts(b, "&quot;");
		break;
	case '\'':
		buf_puts(b, "&#39;");
		break;
	default:
		buf_putc(b, c);
	}
}

/* Hex digits that are the digest of an object of the folder. */
static bool
is_object(const struct page *p, const char *text, size_t len)
{
	char hex[HEX_DIGEST_SIZE];
	uint8_t digest[SHA256_SIZE];

	if (p->objects == NULL || len != HEX_DIGEST_SIZE - 1) {
		return false;
	}
	memcpy(hex, text, len);
	hex[len] = '\0';
	return text_unhex(hex, digest, sizeof(digest)) == 0 && digest_set_has(p->objects, digest);
}

void
page_html(struct page *p, const char *text)
{
	while (*text != '\0') {
		size_t len = strspn(text, "0123456789abcdef");

		if (is_object(p, text, len)) {
			buf_printf(&p->out, "<a href=\"objects/%.*s\">%.*s</a>", (int)len, text,
				   (int)len, text);
		} else {
			len = len > 0 ? len : 1;
			for (size_t i = 0; i < len; i++) {
				put_escaped(&p->out, text[i]);
			}
		}
		text += len;
	}
}

const char *
page_class(enum view_color color)
{
	static const char *const classes[VIEW_COLOR__COUNT] = {
		[VIEW_PLAIN] = "",     [VIEW_BOLD] = "bold",	 [VIEW_DIM] = "dim",
		[VIEW_GREEN] = "good", [VIEW_YELLOW] = "notice", [VIEW_RED] = "bad",
	};

	return classes[color];
}

/* One item of the list; label NULL: without a term. */
static void
put_item(struct page *p, const char *label, const char *kind, enum view_color color,
	 const char *text)
{
	if (!p->is_list_open) {
		buf_puts(&p->out, "<dl>\n");
		p->is_list_open = true;
	}
	if (label != NULL && label[0] != '\0') {
		buf_puts(&p->out, "<dt>");
		page_html(p, label);
		buf_puts(&p->out, "</dt>");
	}
	buf_printf(&p->out, "<dd class=\"%s %s\">", kind, page_class(color));
	page_html(p, text[0] != '\0' ? text : "-");
	buf_puts(&p->out, "</dd>\n");
}

void
page_end(struct page *p)
{
	if (p->is_list_open) {
		buf_puts(&p->out, "</dl>\n");
		p->is_list_open = false;
	}
}

static void
put_html_part(struct page *p, const char *title, const char *question)
{
	page_end(p);
	buf_puts(&p->out, "<h3>");
	page_html(p, title);
	buf_puts(&p->out, " <small>");
	page_html(p, question);
	buf_puts(&p->out, "</small></h3>\n");
}

/* ---- text --------------------------------------------------------------------------------- */

void
page_part(struct page *p, const char *title, const char *question)
{
	if (p->html) {
		put_html_part(p, title, question);
		return;
	}
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
	if (p->html) {
		put_item(p, label, "fact", VIEW_PLAIN, text);
		return;
	}
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
	if (p->html) {
		put_item(p, label, "fact", color, text);
		return;
	}
	put_label(p, label);
	put_wrapped(p, color, text, PAGE_LABEL);
}

void
page_text(struct page *p, enum view_color color, const char *text)
{
	if (p->html) {
		page_end(p);
		buf_printf(&p->out, "<p class=\"sentence %s\">", page_class(color));
		page_html(p, text);
		buf_puts(&p->out, "</p>\n");
		return;
	}
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

	if (p->html) {
		put_item(p, NULL, "line", color, text);
		return;
	}
	view_cut(&cut, text, p->verbose ? SIZE_MAX : p->view.columns - PAGE_LABEL);
	buf_printf(&p->out, "%*s", (int)PAGE_LABEL, "");
	view_paint(&p->view, &p->out, color, buf_text(&cut));
	buf_putc(&p->out, '\n');
}

void
page_remark(struct page *p, enum view_color color, size_t indent, const char *text)
{
	if (p->html) {
		put_item(p, NULL, "remark", color, text);
		return;
	}
	buf_printf(&p->out, "%*s", (int)(PAGE_LABEL + indent), "");
	put_wrapped(p, color, text, PAGE_LABEL + indent);
}
