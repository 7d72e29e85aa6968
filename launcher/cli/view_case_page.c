/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index.html of a case folder: one page that needs no script and loads nothing. Runs in airlock-cli
 * as the caller. All text of a record passes text_safe (view_text, view_path) and then page_html,
 * which escapes it; the page's policy forbids everything but its own style.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "view_case.h"
#include "view_show.h"

static const char style[] =
	":root{color-scheme:light dark;--line:#c9ccd1;--dim:#5c636b;--good:#1a7431;"
	"--notice:#8a5a00;--bad:#b3261e;--back:#f6f7f8}\n"
	"@media(prefers-color-scheme:dark){:root{--line:#43484f;--dim:#9aa2ab;--good:#6ac47f;"
	"--notice:#e0ad4a;--bad:#ff8a80;--back:#1e2226}}\n"
	"body{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:0 auto;padding:1rem}\n"
	"h1{font-size:1.5rem;margin:.5rem 0}h2{font-size:1.15rem;margin:0 0 .5rem;"
	"overflow-wrap:anywhere}\n"
	"h3{font-size:.95rem;letter-spacing:.06em;margin:1rem 0 .3rem;"
	"border-bottom:1px solid var(--line)}\n"
	"h3 small{font-weight:normal;letter-spacing:0;color:var(--dim)}\n"
	"code,.line,.mono,td.command{font:.86rem/1.45 ui-monospace,monospace}\n"
	"section{border:1px solid var(--line);border-radius:.4rem;padding:1rem;margin:1.2rem 0;"
	"break-inside:auto}\n"
	".dim,time{color:var(--dim)}.good{color:var(--good)}.notice{color:var(--notice)}"
	".bad{color:var(--bad)}.bold,.sentence{font-weight:600}\n"
	"dl{display:grid;grid-template-columns:8.5rem minmax(0,1fr);gap:.15rem .8rem;margin:0}\n"
	"dt{color:var(--dim)}dd{margin:0;grid-column:2;overflow-wrap:anywhere}\n"
	"dd.line{white-space:pre-wrap}dd.remark{padding-left:1.5rem}\n"
	"table{border-collapse:collapse;width:100%}th{text-align:left;color:var(--dim);"
	"font-weight:normal}\n"
	"th,td{padding:.25rem .6rem .25rem 0;border-bottom:1px solid var(--line);"
	"vertical-align:top}\n"
	"td.command{overflow-wrap:anywhere;width:45%}a{color:inherit}\n"
	"ul{padding-left:1.2rem}li{overflow-wrap:anywhere}\n"
	".facts{background:var(--back);border-radius:.4rem;padding:.6rem 1rem;margin:.8rem 0}\n"
	"@media(max-width:40rem){body{padding:.6rem}dl{display:block}dt{margin-top:.4rem}\n"
	"dd.line{font-size:.78rem}thead{display:none}tr{display:block;padding:.4rem 0;"
	"border-bottom:1px solid var(--line)}\n"
	"td{display:inline;border:0;padding-right:.5rem}td.command{display:block;width:auto}}\n"
	"@media print{body{font-size:10pt;max-width:none}section{border:0;border-top:2px solid;"
	"border-radius:0;padding:.5rem 0}\n"
	"h2,h3,dt{break-after:avoid}a{text-decoration:none}}\n";

/* ---- small things ------------------------------------------------------------------------- */

static void
put_time(struct page *p, uint64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm tm;
	char text[48];

	if (gmtime_r(&seconds, &tm) == NULL) {
		return;
	}
	snprintf(text, sizeof(text), "%04d-%02d-%02d %02d:%02d:%02d UTC", tm.tm_year + 1900,
		 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
	buf_puts(&p->out, "<time>");
	page_html(p, text);
	buf_puts(&p->out, "</time>");
}

/* Opens an element whose text a color's class paints. */
static void
open_element(struct page *p, const char *element, enum view_color color)
{
	buf_printf(&p->out, "<%s class=\"%s\">", element, page_class(color));
}

/* "call 4", as a link to it. */
static void
put_link(struct page *p, const struct record *rec)
{
	buf_printf(&p->out, "<a href=\"#call-%s\">call %llu</a>", rec->id,
		   (unsigned long long)record_number(rec->planned, "seq"));
}

/* ---- what to look at ---------------------------------------------------------------------- */

static void
put_notable(struct page *p, const struct record *rec, enum view_color color, const char *text)
{
	open_element(p, "li", color);
	page_html(p, text);
	buf_puts(&p->out, " (");
	put_link(p, rec);
	buf_puts(&p->out, ")</li>\n");
}

static void
note_changes(struct page *p, const struct record *rec)
{
	const json_t *items = record_get(rec->outcome, "changes.items");

	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);
		const char *watched = record_text(item, "watched");
		auto_buf text = BUF_INIT;

		if (!show_is_held(item) && watched[0] == '\0') {
			continue;
		}
		buf_puts(&text, show_is_held(item) ? "held: " : "watched: ");
		view_path(&text, record_text(item, "path"));
		buf_puts(&text, ", ");
		view_text(&text, show_is_held(item) ? record_text(item, "hold") : watched);
		put_notable(p, rec, VIEW_YELLOW, buf_text(&text));
	}
}

static void
note_denials(struct page *p, const struct record *rec)
{
	const json_t *denials = json_object_get(rec->outcome, "denials");

	for (size_t i = 0; i < json_array_size(denials); i++) {
		const json_t *d = json_array_get(denials, i);
		auto_buf text = BUF_INIT;

		buf_puts(&text, "denied: ");
		show_denial(&text, d);
		put_notable(p, rec, VIEW_YELLOW, buf_text(&text));
	}
}

static void
note_call(struct case_folder *c, const struct record *rec)
{
	auto_buf sentence = BUF_INIT;

	if (strcmp(record_verdict(rec), "ok") != 0) {
		show_sentence(&sentence, rec);
		put_notable(&c->notable, rec, show_sentence_color(rec), buf_text(&sentence));
	}
	note_changes(&c->notable, rec);
	note_denials(&c->notable, rec);
}

/* ---- the timeline ------------------------------------------------------------------------- */

static void
put_cell(struct page *p, enum view_color color, const char *text)
{
	open_element(p, "td", color);
	page_html(p, text);
	buf_puts(&p->out, "</td>");
}

static void
put_row(struct page *p, const struct record *rec)
{
	const json_t *changes = json_object_get(rec->outcome, "changes");
	const char *verdict = record_verdict(rec);
	const char *settled = record_settled(rec);
	uint64_t t0 = record_number(rec->planned, "t0"), t1 = record_number(rec->outcome, "t1");
	auto_buf command = BUF_INIT, text = BUF_INIT;

	record_command(&command, rec);
	buf_puts(&p->out, "<tr><td>");
	put_time(p, t0);
	buf_puts(&p->out, "</td><td>");
	put_link(p, rec);
	buf_puts(&p->out, "</td>");
	put_cell(p, view_verdict_color(verdict), verdict);
	buf_puts(&p->out, "<td class=\"command\">");
	page_html(p, buf_text(&command));
	buf_puts(&p->out, "</td>");
	if (t1 >= t0) {
		view_duration(&text, t1 - t0);
	}
	put_cell(p, VIEW_DIM, buf_text(&text));
	buf_reset(&text);
	view_changes(&text, record_number(changes, "created"), record_number(changes, "modified"),
		     record_number(changes, "deleted"));
	if (text.len > 0) {
		buf_puts(&text, " ");
		view_text(&text, settled);
	}
	put_cell(p, strcmp(settled, "held") == 0 ? VIEW_YELLOW : VIEW_PLAIN, buf_text(&text));
	buf_puts(&p->out, "</tr>\n");
}

/* ---- a call ------------------------------------------------------------------------------- */

static void
put_files(struct page *p, const struct record *rec)
{
	const struct record_leaf *leaves[] = { &rec->planned_leaf, &rec->outcome_leaf };
	static const char *const words[] = { "call.planned", "call.outcome" };

	page_end(p);
	buf_puts(&p->out, "<p class=\"dim\">Records:");
	for (size_t i = 0; i < ARRAY_LEN(leaves); i++) {
		if (leaves[i]->is_there) {
			buf_printf(&p->out, " <a href=\"records/%llu-%s.json\">entry %llu, %s</a>",
				   (unsigned long long)leaves[i]->n, words[i],
				   (unsigned long long)leaves[i]->n, words[i]);
		}
	}
	buf_puts(&p->out, "</p>\n");
}

void
case_page_call(struct case_folder *c, const struct record *rec)
{
	struct page *p = &c->sections;
	auto_buf command = BUF_INIT;

	put_row(&c->timeline, rec);
	note_call(c, rec);
	record_command(&command, rec);
	buf_printf(&p->out, "<section id=\"call-%s\">\n<h2>", rec->id);
	buf_printf(&p->out, "%llu. <code>", (unsigned long long)record_number(rec->planned, "seq"));
	page_html(p, buf_text(&command));
	buf_puts(&p->out, "</code></h2>\n");
	show_head(p, rec);
	show_findings(p, rec);
	show_saw(p, c->r, rec);
	show_decided(p, rec);
	show_touched(p, c->r, rec);
	put_files(p, rec);
	buf_puts(&p->out, "</section>\n");
}

void
case_page_forgotten(struct case_folder *c, const char *call, const struct index_forgotten *f)
{
	struct page *p = &c->notable;
	auto_buf text = BUF_INIT;

	buf_printf(&text, "forgotten: call %s; ", call);
	if (f->is_logged) {
		buf_printf(&text, "uid %lld had its records removed", (long long)f->uid);
	} else {
		buf_puts(&text, "its records were removed by hand, no entry says by whom");
	}
	if (f->reason[0] != '\0') {
		buf_puts(&text, " (");
		text_safe(&text, f->reason, strlen(f->reason), false);
		buf_putc(&text, ')');
	}
	open_element(p, "li", f->is_logged ? VIEW_DIM : VIEW_RED);
	page_html(p, buf_text(&text));
	if (f->is_logged) {
		buf_puts(&p->out, " ");
		put_time(p, f->t_ms);
	}
	buf_puts(&p->out, "</li>\n");
}

/* ---- the page ----------------------------------------------------------------------------- */

/* The policy names the one style by its digest. */
static void
put_head(struct page *p, const char *title)
{
	uint8_t digest[SHA256_SIZE];
	auto_buf hash = BUF_INIT;

	sha256_of(style, sizeof(style) - 1, digest);
	text_base64(&hash, digest, sizeof(digest));
	buf_puts(&p->out, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
			  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
			  "'none'; style-src 'sha256-");
	buf_puts(&p->out, buf_text(&hash));
	buf_puts(&p->out,
		 "'; base-uri 'none'; form-action 'none'\">\n"
		 "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
		 "<meta name=\"referrer\" content=\"no-referrer\">\n<title>");
	page_html(p, title);
	buf_puts(&p->out, "</title>\n<style>");
	buf_puts(&p->out, style);
	buf_puts(&p->out, "</style>\n</head>\n<body>\n");
}

static void
put_workflows(const struct case_folder *c, struct buf *b)
{
	const char *id;
	json_t *name;

	json_object_foreach (c->workflows, id, name) {
		buf_puts(b, b->len > 0 ? ", " : "");
		view_text(b, json_string_value(name));
		buf_printf(b, " (%s)", id);
	}
}

/* Whose log it is: the first two lines of the checkpoint. */
static void
put_log(struct page *p, const struct case_folder *c)
{
	const char *text = buf_text(&c->checkpoint);
	size_t origin_len = strcspn(text, "\n");
	const char *size = text[origin_len] != '\0' ? text + origin_len + 1 : "";
	auto_buf origin = BUF_INIT, entries = BUF_INIT;

	text_safe(&origin, text, origin_len, false);
	text_safe(&entries, size, strcspn(size, "\n"), false);
	buf_printf(&p->out, "<p>%llu entries of the log <code>", (unsigned long long)c->leaves);
	page_html(p, buf_text(&origin));
	buf_puts(&p->out, "</code>, as it was when it had ");
	page_html(p, buf_text(&entries));
	buf_puts(&p->out, ".</p>\n");
}

static void
put_facts(struct page *p, const struct case_folder *c, const char *workflows)
{
	buf_puts(&p->out, "<div class=\"facts\"><p>");
	page_html(p, workflows);
	buf_printf(&p->out, ": %llu %s%s", (unsigned long long)c->calls,
		   c->calls == 1 ? "call" : "calls", c->t0_ms > 0 ? ", " : "");
	if (c->t0_ms > 0) {
		put_time(p, c->t0_ms);
	}
	if (c->t0_ms > 0) {
		buf_puts(&p->out, " to ");
		put_time(p, c->t1_ms > c->t0_ms ? c->t1_ms : c->t0_ms);
	}
	buf_puts(&p->out, ".</p>\n");
	put_log(p, c);
	buf_puts(&p->out, "<p>This page was made from the records beside it and is not part "
			  "of the proof. <code>sh verify.sh KEY</code> checks, with openssl and "
			  "without airlock, that the records and objects are the ones that were "
			  "logged; KEY is a file with the log's public key, from somebody whom you "
			  "trust.</p></div>\n");
}

int
case_page(struct case_folder *c, struct buf *out)
{
	auto_page page = PAGE_INIT;
	auto_buf workflows = BUF_INIT;

	page_init_html(&page, NULL);
	put_workflows(c, &workflows);
	put_head(&page, "airlock: a case");
	buf_puts(&page.out, "<h1>What these calls saw and did</h1>\n");
	put_facts(&page, c, buf_text(&workflows));
	buf_puts(&page.out, "<h3>LOOK HERE FIRST <small>what was held, denied, or did not "
			    "succeed</small></h3>\n");
	if (c->notable.out.len > 0) {
		buf_puts(&page.out, "<ul>\n");
		buf_put(&page.out, c->notable.out.data, c->notable.out.len);
		buf_puts(&page.out, "</ul>\n");
	} else {
		buf_puts(&page.out, "<p>Nothing.</p>\n");
	}
	buf_puts(&page.out,
		 "<h3>TIMELINE <small>all calls, oldest first</small></h3>\n<table>\n"
		 "<thead><tr><th>started</th><th>call</th><th>verdict</th>"
		 "<th>command</th><th>took</th><th>changes</th></tr></thead>\n<tbody>\n");
	buf_put(&page.out, c->timeline.out.data, c->timeline.out.len);
	buf_puts(&page.out, "</tbody>\n</table>\n");
	buf_put(&page.out, c->sections.out.data, c->sections.out.len);
	buf_puts(&page.out, "</body>\n</html>\n");
	if (buf_error(&page.out) != 0 || buf_error(&c->notable.out) != 0 ||
	    buf_error(&c->timeline.out) != 0 || buf_error(&c->sections.out) != 0) {
		return -ENOMEM;
	}
	buf_put(out, page.out.data, page.out.len);
	return buf_error(out);
}
