/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front, after the outcome is durable: the one line that tells a person at a terminal
 * that a call has left something. What came from a tool is escaped.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/text.h"
#include "../store/quota.h"
#include "front.h"

static bool
is_dim(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDERR_FILENO) == 1 && (no_color == NULL || no_color[0] == '\0') &&
	       (term == NULL || strcmp(term, "dumb") != 0);
}

static void
put_part(struct buf *line, uint64_t count, const char *one, const char *many)
{
	if (count > 0) {
		buf_printf(line, "%s%llu %s", line->len > 0 ? ", " : "", (unsigned long long)count,
			   count == 1 ? one : many);
	}
}

static void
put_changes(struct buf *line, const struct change_set *set)
{
	uint64_t written = 0, made = 0, modes = 0, deleted = 0;

	for (size_t i = 0; i < set->count; i++) {
		const struct change *c = &set->items[i];

		if (c->kind == CHANGE_DELETE) {
			deleted++;
		} else if (c->kind == CHANGE_MODE) {
			modes++;
		} else if (S_ISDIR(c->mode_after)) {
			made++;
		} else {
			written++;
		}
	}
	put_part(line, written, "file written", "files written");
	put_part(line, made, "directory made", "directories made");
	put_part(line, modes, "mode changed", "modes changed");
	put_part(line, deleted, "deleted", "deleted");
}

/* What steers agents is said by name: it is easily overlooked among many files. */
static void
put_watched(struct buf *line, const struct change_set *set)
{
	const struct change *first = NULL;

	for (size_t i = 0; first == NULL && i < set->count; i++) {
		first = set->items[i].watched != NULL ? &set->items[i] : NULL;
	}
	if (first == NULL) {
		return;
	}
	buf_printf(line, ", watched: %s", first->path);
	if (set->watched > 1) {
		buf_printf(line, " and %llu more", (unsigned long long)(set->watched - 1));
	}
}

/* What the tool met. A launch that failed has its own line, a layer that is missing the record. */
static bool
is_tools(const struct denial *d)
{
	return strcmp(d->kind, "launch") != 0 && strcmp(d->kind, "layer") != 0;
}

static void
put_denials(struct buf *line, const struct denials *denials)
{
	const struct denial *first = NULL;
	uint64_t count = denials->dropped;

	for (size_t i = 0; i < denials->count; i++) {
		const struct denial *d = &denials->items[i];

		count += is_tools(d) ? d->count : 0;
		first = first == NULL && is_tools(d) ? d : first;
	}
	put_part(line, count, "denied", "denied");
	if (first != NULL) {
		buf_printf(line, ": %s (%s)", first->what, first->rule);
	}
}

/* Where they are not in the workspace. What is held has a line of its own. */
static void
put_settled(struct buf *line, const struct front *f)
{
	if (strcmp(f->settled, "discarded") == 0 && f->changes.count > 0) {
		buf_puts(line, ", discarded");
	} else if (strcmp(f->settled, "held") == 0) {
		buf_puts(line, ", held");
	}
}

/* A line of its own: it is about the store, not about the call. */
static void
note_quota(const struct front *f)
{
	auto_buf text = BUF_INIT;

	if (f->quota_percent < QUOTA_WARN_PERCENT) {
		return;
	}
	buf_printf(&text,
		   "airlock: the state directory uses %u %% of its quota, and at 100 %% no call "
		   "begins: airlock gc --older-than 30d makes room\n",
		   f->quota_percent);
	ignore_err(fdio_write(STDERR_FILENO, text.data, text.len), "a person who left");
}

void
front_note(const struct front *f)
{
	auto_buf line = BUF_INIT, text = BUF_INIT;
	bool held = front_waits(f);
	bool dim = is_dim();

	if (f->opt.quiet || (!f->opt.verbose && isatty(STDERR_FILENO) != 1)) {
		return;
	}
	note_quota(f);
	if (!held || f->opt.verbose) {
		put_changes(&line, &f->changes);
		put_settled(&line, f);
		put_watched(&line, &f->changes);
	}
	put_denials(&line, &f->outcome.denials);
	if (line.len == 0 && !f->opt.verbose) {
		return;
	}
	buf_puts(&text, dim ? "\033[2mairlock: " : "airlock: ");
	if (f->opt.verbose) {
		buf_printf(&text, "%s %s%s", f->req.call_text, verdict_name(f->outcome.verdict),
			   line.len > 0 ? ", " : "");
	}
	text_safe(&text, buf_text(&line), line.len, false);
	buf_printf(&text, " \302\267 airlock show @last%s\n", dim ? "\033[0m" : "");
	ignore_err(fdio_write(STDERR_FILENO, text.data, text.len), "a person who left");
}
