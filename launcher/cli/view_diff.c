/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pages of `airlock diff`. Runs in airlock-cli as the caller. What is shown must be what a
 * commit would do: nothing of a change is left out in silence, and what cannot be shown is named
 * with its digest and the reason.
 */
#include "view_diff.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "commands.h"
#include "view_record.h"

#define STAT_BAR 40u   /* columns of + and - */
#define STAT_PATH 200u /* a longer path makes its own line longer, not all of them */

void
diff_put_path(struct buf *b, const char *path)
{
	auto_buf spelled = BUF_INIT;

	text_vis(&spelled, path, strlen(path));
	view_path(b, buf_text(&spelled));
}

static int
flush(struct buf *out)
{
	int rc = commands_write(out);

	buf_reset(out);
	return rc;
}

/* ---- what a change is --------------------------------------------------------------------- */

static const char *
type_word(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "file";
	case S_IFDIR:
		return "directory";
	case S_IFLNK:
		return "link";
	case S_IFIFO:
		return "fifo";
	case S_IFSOCK:
		return "socket";
	case S_IFCHR:
	case S_IFBLK:
		return "device";
	default:
		return "?";
	}
}

static void
put_mode(struct buf *b, mode_t mode)
{
	buf_printf(b, "%04o", (unsigned int)mode & 07777);
}

/* "file, 0644 -> 0755", "file, 0644 -> link": what is the same on both sides stands once. */
static void
put_what(struct buf *b, const struct change *c)
{
	mode_t before = c->mode_before, after = c->mode_after;
	bool is_one_type = before != 0 && after != 0 && (before & S_IFMT) == (after & S_IFMT);

	buf_puts(b, type_word(before != 0 ? before : after));
	if (!S_ISLNK(before != 0 ? before : after)) {
		buf_puts(b, ", ");
		put_mode(b, before != 0 ? before : after);
	}
	if (before == 0 || after == 0 || before == after) {
		return;
	}
	buf_puts(b, " -> ");
	if (!is_one_type) {
		buf_puts(b, type_word(after));
		buf_puts(b, S_ISLNK(after) ? "" : ", ");
	}
	if (!S_ISLNK(after)) {
		put_mode(b, after);
	}
}

/* ---- contents ----------------------------------------------------------------------------- */

/* One side of a change: the bytes of a file or of a link's target, or why they are not here. */
struct side {
	bool is_file, is_link; /* neither: nothing whose bytes count */
	bool is_known;	       /* its digest is */
	const uint8_t *digest;
	uint64_t size;
	struct buf content;
	bool has_content;
	const char *why; /* not here, and rightly so; NULL otherwise */
	struct err err;	 /* not here, and should be; code 0 otherwise */
};

struct sides {
	struct side before, after;
};

static void
sides_finish(struct sides *s)
{
	buf_finish(&s->before.content);
	buf_finish(&s->after.content);
}

#define auto_sides __attribute__((cleanup(sides_finish))) struct sides

static void
load_side(struct diff_set *set, const struct change *c, bool is_before, struct side *ret)
{
	mode_t mode = is_before ? c->mode_before : c->mode_after;
	char hex[HEX_DIGEST_SIZE];
	int rc;

	*ret = (struct side){ .is_file = S_ISREG(mode),
			      .is_link = S_ISLNK(mode),
			      .is_known = is_before ? c->before_known : c->after_known,
			      .digest = is_before ? c->before : c->after,
			      .size = is_before ? c->size_before : c->size_after,
			      .content = BUF_INIT,
			      .err = ERR_INIT };
	if (!ret->is_file && !ret->is_link) {
		return;
	}
	if (!ret->is_known) {
		ret->why = "it could not be read";
		return;
	}
	if (ret->is_file && ret->size > DIFF_FILE_MAX) {
		ret->why = "it is too large to be compared here; airlock cat writes it";
		return;
	}
	rc = object_content(set->reading, set->record, ret->digest, &ret->content, &ret->err);
	ret->has_content = rc == 0;
	if (rc != -ENODATA) {
		return;
	}
	ret->why = object_not_kept(set->record, c->path, ret->size, is_before);
	if (ret->why == NULL) {
		text_hex(ret->digest, SHA256_SIZE, hex);
		ignore_err(err_set(&ret->err, rc,
				   "its object %s is in no pack of the workflow: removed, or not "
				   "restored",
				   hex),
			   "the side carries it");
	}
}

static void
load_sides(struct diff_set *set, const struct change *c, struct sides *ret)
{
	load_side(set, c, true, &ret->before);
	load_side(set, c, false, &ret->after);
}

/* ---- one change --------------------------------------------------------------------------- */

static void
put_line(struct diff_set *set, struct buf *out, enum view_color color, const char *text)
{
	view_paint(&set->view, out, color, text);
	buf_putc(out, '\n');
}

static void
put_fact(struct diff_set *set, struct buf *out, enum view_color color, const char *text)
{
	auto_buf line = BUF_INIT;

	buf_printf(&line, "  %s", text);
	put_line(set, out, color, buf_text(&line));
}

static enum view_color
line_color(int sign)
{
	switch (sign) {
	case '+':
		return VIEW_GREEN;
	case '-':
		return VIEW_RED;
	case '@':
		return VIEW_DIM;
	default:
		return VIEW_PLAIN;
	}
}

static void
put_hunks(struct diff_set *set, struct buf *out, const struct buf *hunks)
{
	const uint8_t *p = hunks->data, *end = p + hunks->len;

	while (p < end) {
		const uint8_t *newline = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((newline != NULL ? newline : end) - p);
		auto_buf line = BUF_INIT;

		text_safe(&line, p, len, true);
		put_line(set, out, line_color(len > 0 ? *p : ' '), buf_text(&line));
		p += len + 1;
	}
}

/* A side that is no file, or is not shown, is none. */
static void
put_name(struct diff_set *set, struct buf *out, const char *prefix, const char *path)
{
	auto_buf line = BUF_INIT;

	buf_put(&line, prefix, 4);
	if (path != NULL) {
		buf_puts(&line, prefix + 4);
		diff_put_path(&line, path);
	} else {
		buf_puts(&line, "/dev/null");
	}
	put_line(set, out, VIEW_BOLD, buf_text(&line));
}

/* "before  812 B  <digest>", and why there is no more of it. */
static void
put_side(struct diff_set *set, struct buf *out, const char *label, const struct side *side)
{
	auto_buf line = BUF_INIT;
	char hex[HEX_DIGEST_SIZE] = "unknown";

	if (!side->is_file) {
		return;
	}
	if (side->is_known) {
		text_hex(side->digest, SHA256_SIZE, hex);
	}
	buf_printf(&line, "%-6s ", label);
	buf_puts(&line, side->has_content && !diff_is_text(&side->content) ? "binary, " : "");
	view_size(&line, side->size);
	buf_printf(&line, ", sha256 %s", hex);
	put_fact(set, out, VIEW_PLAIN, buf_text(&line));
	buf_reset(&line);
	if (side->err.code != 0) {
		buf_puts(&line, "NOT SHOWN: ");
		text_safe(&line, side->err.text, strlen(side->err.text), false);
		put_fact(set, out, VIEW_RED, buf_text(&line));
	} else if (side->why != NULL) {
		buf_printf(&line, "not shown: %s", side->why);
		put_fact(set, out, VIEW_YELLOW, buf_text(&line));
	}
}

/* A side that has no bytes to compare is an empty text. */
static bool
is_comparable(const struct side *side)
{
	return !side->is_file || (side->has_content && diff_is_text(&side->content));
}

static bool
has_differing_bytes(const struct change *c)
{
	return c->kind != CHANGE_MODE && (S_ISREG(c->mode_before) || S_ISREG(c->mode_after)) &&
	       !(c->before_known && c->after_known && S_ISREG(c->mode_before) &&
		 S_ISREG(c->mode_after) && memcmp(c->before, c->after, SHA256_SIZE) == 0);
}

/* Only files: a link's target is no line of text. */
static int
compare(const struct sides *s, struct buf *hunks, struct err *err)
{
	if (s->before.is_file && s->after.is_file) {
		return diff_run(&s->before.content, &s->after.content, hunks, err);
	}
	if (s->before.is_file) {
		diff_whole(&s->before.content, '-', hunks);
	} else {
		diff_whole(&s->after.content, '+', hunks);
	}
	return buf_error(hunks) == 0 ? 0 : err_sys(err, -ENOMEM, "compare two texts");
}

static void
put_text(struct diff_set *set, struct buf *out, const char *before, const char *after,
	 const struct buf *hunks)
{
	if (hunks->len > 0) {
		put_name(set, out, "--- a/", before);
		put_name(set, out, "+++ b/", after);
		put_hunks(set, out, hunks);
	}
}

/* One side is no text that is here: the digests stand for it, and the new text is shown whole. */
static void
put_uncompared(struct diff_set *set, struct buf *out, const struct change *c, const struct sides *s)
{
	auto_buf whole = BUF_INIT;

	put_side(set, out, "before", &s->before);
	put_side(set, out, "after", &s->after);
	if (s->after.is_file && is_comparable(&s->after)) {
		diff_whole(&s->after.content, '+', &whole);
		put_text(set, out, NULL, c->path, &whole);
	}
}

static void
put_bytes(struct diff_set *set, struct buf *out, const struct change *c, const struct sides *s)
{
	auto_buf hunks = BUF_INIT, line = BUF_INIT;
	struct err err = ERR_INIT;

	if (!has_differing_bytes(c)) {
		return;
	}
	if (!is_comparable(&s->before) || !is_comparable(&s->after)) {
		put_uncompared(set, out, c, s);
	} else if (compare(s, &hunks, &err) == 0) {
		put_text(set, out, s->before.is_file ? c->path : NULL,
			 s->after.is_file ? c->path : NULL, &hunks);
	} else {
		set->failures++;
		buf_printf(&line, "NOT COMPARED: %s", err.text);
		put_fact(set, out, VIEW_RED, buf_text(&line));
		put_uncompared(set, out, c, s);
	}
}

/* "link: a -> b": from where it pointed to where it points. */
static void
put_targets(struct diff_set *set, struct buf *out, const struct change *c, const struct sides *s)
{
	auto_buf line = BUF_INIT;

	if (!s->before.is_link && !s->after.is_link) {
		return;
	}
	buf_puts(&line, "target ");
	if (s->before.has_content && s->before.is_link) {
		diff_put_path(&line, buf_text(&s->before.content));
	} else if (s->before.is_link) {
		buf_puts(&line, "(not shown: ");
		buf_puts(&line, s->before.why != NULL ? s->before.why : s->before.err.text);
		buf_putc(&line, ')');
	}
	if (s->after.is_link) {
		buf_puts(&line, s->before.is_link ? " -> " : "");
		diff_put_path(&line, c->link_after);
	}
	put_fact(set, out, VIEW_PLAIN, buf_text(&line));
}

static void
put_attributes(struct diff_set *set, struct buf *out, const struct change *c)
{
	const char *p = c->xattrs_after != NULL ? c->xattrs_after : "";

	while (*p != '\0') {
		int len = (int)strcspn(p + 1, " ");
		int name = len - (int)strlen("xattr:=") - (HEX_DIGEST_SIZE - 1);
		auto_buf line = BUF_INIT;

		/* " xattr:NAME=DIGEST": the reader of the list took no other */
		p += 1 + strlen("xattr:");
		buf_printf(&line, "attribute %.*s, sha256 of its value %.*s", name, p,
			   HEX_DIGEST_SIZE - 1, p + name + 1);
		put_fact(set, out, VIEW_PLAIN, buf_text(&line));
		p += name + 1 + HEX_DIGEST_SIZE - 1;
	}
	if (c->kind == CHANGE_MODE && c->mode_before == c->mode_after &&
	    (c->xattrs_after == NULL || c->xattrs_after[0] == '\0')) {
		put_fact(set, out, VIEW_PLAIN, "attributes: those there were are removed");
	}
}

static void
put_head(struct diff_set *set, struct buf *out, const struct change *c)
{
	auto_buf line = BUF_INIT;

	buf_printf(&line, "%s ", changes_kind_word(c->kind));
	diff_put_path(&line, c->path);
	buf_puts(&line, " (");
	put_what(&line, c);
	buf_putc(&line, ')');
	put_line(set, out, VIEW_BOLD, buf_text(&line));
	if (c->hold_rule != NULL) {
		buf_reset(&line);
		buf_puts(&line, "HELD for a person: ");
		view_text(&line, c->hold_rule);
		put_fact(set, out, VIEW_YELLOW, buf_text(&line));
	}
}

static void
count_failures(struct diff_set *set, const struct sides *s)
{
	set->failures += (s->before.err.code != 0 ? 1 : 0) + (s->after.err.code != 0 ? 1 : 0);
}

static void
put_change(struct diff_set *set, struct buf *out, const struct change *c)
{
	auto_sides s = { .before = { .content = BUF_INIT }, .after = { .content = BUF_INIT } };

	put_head(set, out, c);
	put_attributes(set, out, c);
	if (c->kind == CHANGE_MODE) {
		return; /* the bytes are the same, and need not be there */
	}
	load_sides(set, c, &s);
	count_failures(set, &s);
	put_targets(set, out, c, &s);
	put_bytes(set, out, c, &s);
}

int
diff_print(struct diff_set *set, struct err *err)
{
	auto_buf out = BUF_INIT;
	int rc = 0;

	for (size_t i = 0; i < set->list->set.count && rc == 0; i++) {
		buf_putc(&out, '\n');
		put_change(set, &out, &set->list->set.items[i]);
		rc = flush(&out);
	}
	return rc < 0 ? err_sys(err, rc, "standard output") : 0;
}

/* ---- --stat ------------------------------------------------------------------------------- */

struct stat_row {
	char *path, *note; /* owned; note: in place of numbers, or NULL */
	uint64_t added, removed;
};

struct stat_table {
	struct stat_row *rows;
	size_t count;
	uint64_t added, removed, most; /* most: of one row, both together */
};

static void
stat_table_finish(struct stat_table *t)
{
	for (size_t i = 0; i < t->count; i++) {
		free(t->rows[i].path);
		free(t->rows[i].note);
	}
	free(t->rows);
}

#define auto_stat_table __attribute__((cleanup(stat_table_finish))) struct stat_table

/* What stands where git has numbers: a change whose lines nobody can count. */
static void
put_note(struct buf *b, const struct change *c, const struct sides *s, const struct err *err)
{
	const struct side *failed = s->before.err.code != 0 ? &s->before : &s->after;

	if (err->code != 0 || failed->err.code != 0) {
		buf_puts(b, "NOT READ: ");
		buf_puts(b, err->code != 0 ? err->text : failed->err.text);
	} else if (!has_differing_bytes(c)) {
		put_what(b, c);
	} else {
		bool is_read = s->before.has_content || s->after.has_content;

		buf_puts(b, is_read ? "binary" : "not compared");
		if (s->before.is_file) {
			buf_puts(b, " ");
			view_size(b, c->size_before);
		}
		buf_puts(b, s->before.is_file && s->after.is_file ? " ->" : "");
		if (s->after.is_file) {
			buf_puts(b, " ");
			view_size(b, c->size_after);
		}
	}
}

static int
count_change(struct diff_set *set, const struct change *c, struct stat_row *row)
{
	auto_sides s = { .before = { .content = BUF_INIT }, .after = { .content = BUF_INIT } };
	auto_buf path = BUF_INIT, note = BUF_INIT, hunks = BUF_INIT;
	struct err err = ERR_INIT;
	bool is_counted = false;

	if (has_differing_bytes(c)) {
		load_sides(set, c, &s);
		count_failures(set, &s);
		is_counted = is_comparable(&s.before) && is_comparable(&s.after) &&
			     compare(&s, &hunks, &err) == 0;
		set->failures += err.code != 0 ? 1 : 0;
	}
	diff_put_path(&path, c->path);
	if (is_counted) {
		row->added = diff_count(&hunks, '+');
		row->removed = diff_count(&hunks, '-');
	} else {
		put_note(&note, c, &s, &err);
		row->note = strdup(buf_text(&note));
	}
	row->path = strdup(buf_text(&path));
	return row->path == NULL || (!is_counted && row->note == NULL) || buf_error(&path) != 0
		     ? -ENOMEM
		     : 0;
}

/* At least one column for what is not zero. */
static uint64_t
bar(uint64_t lines, uint64_t most)
{
	uint64_t columns = most > STAT_BAR ? lines * STAT_BAR / most : lines;

	return lines > 0 && columns == 0 ? 1 : columns;
}

static void
put_bar(struct diff_set *set, struct buf *out, char sign, uint64_t columns)
{
	auto_buf text = BUF_INIT;

	for (uint64_t i = 0; i < columns; i++) {
		buf_putc(&text, sign);
	}
	if (columns > 0) {
		view_paint(&set->view, out, line_color(sign), buf_text(&text));
	}
}

static void
put_rows(struct diff_set *set, struct buf *out, const struct stat_table *t)
{
	size_t width = 0;
	int digits = snprintf(NULL, 0, "%llu", (unsigned long long)t->most);

	for (size_t i = 0; i < t->count; i++) {
		size_t one = view_width(t->rows[i].path);

		width = one > width && one <= STAT_PATH ? one : width;
	}
	for (size_t i = 0; i < t->count; i++) {
		const struct stat_row *row = &t->rows[i];
		uint64_t lines = row->added + row->removed;

		buf_putc(out, ' ');
		view_pad(out, row->path, width, false);
		buf_puts(out, " | ");
		if (row->note != NULL) {
			text_safe(out, row->note, strlen(row->note), false);
		} else {
			buf_printf(out, "%*llu%s", digits, (unsigned long long)lines,
				   lines > 0 ? " " : "");
			put_bar(set, out, '+', bar(row->added, t->most));
			put_bar(set, out, '-', bar(row->removed, t->most));
		}
		buf_putc(out, '\n');
	}
	buf_putc(out, ' ');
	view_count(out, t->count, "path changed, ", "paths changed, ");
	view_count(out, t->added, "insertion(+), ", "insertions(+), ");
	view_count(out, t->removed, "deletion(-)", "deletions(-)");
	buf_putc(out, '\n');
}

int
diff_print_stat(struct diff_set *set, struct err *err)
{
	const struct change_set *cs = &set->list->set;
	auto_stat_table t = { .rows = calloc(cs->count > 0 ? cs->count : 1, sizeof(*t.rows)) };
	auto_buf out = BUF_INIT;
	int rc = t.rows == NULL ? -ENOMEM : 0;

	while (rc == 0 && t.count < cs->count) {
		struct stat_row *row = &t.rows[t.count];

		rc = count_change(set, &cs->items[t.count++], row);
		t.added += row->added;
		t.removed += row->removed;
		if (row->added + row->removed > t.most) {
			t.most = row->added + row->removed;
		}
	}
	if (rc == 0) {
		put_rows(set, &out, &t);
		rc = flush(&out);
	}
	return rc < 0 ? err_sys(err, rc, "count the changes") : 0;
}
