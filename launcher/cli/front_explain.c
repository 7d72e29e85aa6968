/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front, last: --explain-denials, for an agent or a person who reads stderr. One block
 * for each event: what, why, which rule, what to do. Names that came from a tool are escaped.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/text.h"
#include "front.h"

#define BLOCKS_MAX 16u /* of each list; the record has the rest */

static void
put_line(struct buf *b, const char *label, const char *text)
{
	if (text[0] != '\0') {
		buf_puts(b, label);
		text_safe(b, text, strlen(text), false);
		buf_putc(b, '\n');
	}
}

static void
put_block(struct buf *b, const struct denial *d)
{
	static const struct {
		const char *kind, *words;
	} kinds[] = {
		{ "launch", "the launch: " },
		{ "layer", "a layer that is missing, as the profile tolerates: " },
		{ "limit", "limits." },
		{ "syscall", "system call " },
	};
	const char *words = "";

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		words = strcmp(kinds[i].kind, d->kind) == 0 ? kinds[i].words : words;
	}
	buf_printf(b, "- %s", words);
	text_safe(b, d->what, strlen(d->what), false);
	if (d->count > 1) {
		buf_printf(b, ", %llu times", (unsigned long long)d->count);
	}
	buf_putc(b, '\n');
	put_line(b, "  why:  ", d->why);
	put_line(b, "  rule: ", d->rule);
	put_line(b, "  do:   ", d->hint);
}

static void
put_list(struct buf *b, const struct denials *d)
{
	for (size_t i = 0; i < d->count && i < BLOCKS_MAX; i++) {
		put_block(b, &d->items[i]);
	}
	if (d->count > BLOCKS_MAX) {
		buf_printf(b, "- and %zu more kinds, which `airlock show` lists\n",
			   d->count - BLOCKS_MAX);
	}
	if (d->dropped > 0) {
		buf_printf(b, "- and %llu more denials of other kinds\n",
			   (unsigned long long)d->dropped);
	}
}

static void
put_decider(struct buf *b, const struct front *f)
{
	const struct profile *p = f->profile;

	buf_puts(b, " The sandbox decided, not the tool, and trying again changes nothing.");
	if (p == NULL) {
		buf_putc(b, '\n');
		return;
	}
	buf_puts(b, " Profile: ");
	text_safe(b, p->source, strlen(p->source), false);
	if (p->owner_permissions[0] != '\0') {
		buf_puts(b, "; who answers for it: ");
		text_safe(b, p->owner_permissions, strlen(p->owner_permissions), false);
	}
	buf_puts(b, ".\n");
}

/* Before there was a call to speak of: what failed said it in one line, or in parts. */
static void
put_refusal(struct buf *b, const struct front *f)
{
	buf_puts(b, "airlock: nothing was run.");
	put_decider(b, f);
	if (f->refusal.count > 0) {
		put_block(b, &f->refusal);
	} else {
		put_line(b, "- why:  ", f->said ? "see the message above" : f->err.text);
	}
}

void
front_explain(const struct front *f)
{
	const struct denials *d = &f->outcome.denials;
	auto_buf text = BUF_INIT;

	if (!f->opt.explain_denials) {
		return;
	}
	if (!f->recorded && f->err.code != 0) {
		put_refusal(&text, f);
	} else if (d->count > 0 || d->dropped > 0 || f->layers.count > 0) {
		buf_puts(&text, "airlock: what was denied, and what can be done.");
		put_decider(&text, f);
		put_list(&text, d);
		put_list(&text, &f->layers);
	}
	ignore_err(fdio_write(STDERR_FILENO, buf_text(&text), text.len),
		   "who does not read it, does not want it");
}
