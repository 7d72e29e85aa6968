/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page of `airlock show`: headed parts, labelled facts, small tables; as text, or as HTML for
 * a case folder. airlock-cli only; pure.
 */
#ifndef AIRLOCK_CLI_VIEW_PAGE_H
#define AIRLOCK_CLI_VIEW_PAGE_H

#include "view_format.h"

/* A label column that leaves room for a SHA-256 in 80 columns. */
#define PAGE_LABEL 14u
/* What a page shows of a digest: enough to tell digests apart, short enough to be read. */
#define PAGE_DIGEST 12

struct digest_set;

struct page {
	struct view view;
	bool verbose; /* digests and lists whole, no line cut */
	bool html;    /* HTML in the place of text: parts are lists, what is in them is escaped */
	bool is_list_open;		  /* of HTML */
	const struct digest_set *objects; /* HTML: digests that become links to objects/<digest> */
	struct buf out;
};

#define PAGE_INIT               \
	{                       \
		.out = BUF_INIT \
	}
#define auto_page __attribute__((cleanup(page_finish))) struct page

void page_init(struct page *p, int fd);
/* For HTML: verbose, without colour, for no terminal. */
void page_init_html(struct page *p, const struct digest_set *objects);
void page_finish(struct page *p);
/* HTML: ends the list that is open. */
void page_end(struct page *p);
/* The class by which a color is meant in HTML; "" for none. */
const char *page_class(enum view_color color);
/* Appends text to the page as HTML, with links for digests of objects. */
void page_html(struct page *p, const char *text);
/* "SAW" and the like, with what the part answers. */
void page_part(struct page *p, const char *title, const char *question);
/* One fact; text is safe and is wrapped under itself. A label of "" goes on with the fact above. */
void page_fact(struct page *p, const char *label, const char *text);
void page_fact_color(struct page *p, const char *label, enum view_color color, const char *text);
void page_factf(struct page *p, const char *label, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A text over the whole width, wrapped. */
void page_text(struct page *p, enum view_color color, const char *text);
/* Appends a digest of a record, whole when verbose; "-" for "". */
void page_digest(const struct page *p, struct buf *b, const char *hex);
/* A line below a fact that is not wrapped but cut, unless verbose. */
void page_line(struct page *p, enum view_color color, const char *text);
/* What is said about such a line, below it and further in; wrapped. */
void page_remark(struct page *p, enum view_color color, size_t indent, const char *text);

#endif
