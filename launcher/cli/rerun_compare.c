/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in airlock-cli as the caller; what two records say is compared, and shown escaped. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../snapshot/snapshot.h"
#include "rerun.h"
#include "view_diff.h"

#define LINE_SHOWN 60u /* columns of a line that differs */
#define DIGEST_SHOWN 12

const char *const rerun_whats[RERUN_WHAT__COUNT] = {
	[RERUN_VERDICT] = "verdict", [RERUN_EXIT] = "exit",	  [RERUN_STDOUT] = "stdout",
	[RERUN_STDERR] = "stderr",   [RERUN_CHANGES] = "changes",
};

const char *const rerun_answers[RERUN_ANSWER__COUNT] = {
	[RERUN_SAME] = "same",
	[RERUN_DIFFERENT] = "different",
	[RERUN_UNKNOWN] = "unknown",
};

void
rerun_comparison_finish(struct rerun_comparison *c)
{
	for (size_t i = 0; i < RERUN_WHAT__COUNT; i++) {
		buf_finish(&c->rows[i].then);
		buf_finish(&c->rows[i].now);
		buf_finish(&c->rows[i].first);
	}
}

bool
rerun_is_same(const struct rerun_comparison *c)
{
	for (size_t i = 0; i < RERUN_WHAT__COUNT; i++) {
		if (c->rows[i].answer != RERUN_SAME) {
			return false;
		}
	}
	return true;
}

static void
answer(struct rerun_row *row, bool is_same)
{
	row->answer = is_same ? RERUN_SAME : RERUN_DIFFERENT;
}

/* ---- how it ended ---------------------------------------------------------------------------- */

static void
put_exit(struct buf *b, const struct record *rec)
{
	const json_t *code = json_object_get(rec->outcome, "exit");
	int signal = (int)record_number(rec->outcome, "signal");
	const char *name = signal > 0 ? sigabbrev_np(signal) : NULL;

	if (json_is_integer(code)) {
		buf_printf(b, "%lld", (long long)json_integer_value(code));
	} else if (name != NULL) {
		buf_printf(b, "SIG%s", name);
	} else if (signal > 0) {
		buf_printf(b, "signal %d", signal);
	} else {
		buf_puts(b, "none");
	}
}

static void
compare_end(const struct record *then, const struct record *now, struct rerun_comparison *c)
{
	struct rerun_row *verdict = &c->rows[RERUN_VERDICT], *code = &c->rows[RERUN_EXIT];

	view_text(&verdict->then, record_text(then->outcome, "verdict"));
	view_text(&verdict->now, record_text(now->outcome, "verdict"));
	answer(verdict, strcmp(buf_text(&verdict->then), buf_text(&verdict->now)) == 0);
	put_exit(&code->then, then);
	put_exit(&code->now, now);
	answer(code, strcmp(buf_text(&code->then), buf_text(&code->now)) == 0);
}

/* ---- streams --------------------------------------------------------------------------------- */

static size_t
line_length(const struct buf *text, size_t at)
{
	const uint8_t *newline = memchr(text->data + at, '\n', text->len - at);

	return newline != NULL ? (size_t)(newline - text->data) - at : text->len - at;
}

static void
put_line(struct buf *out, const struct buf *text, size_t at)
{
	auto_buf safe = BUF_INIT;

	if (at >= text->len) {
		buf_puts(out, "the end");
		return;
	}
	text_safe(&safe, text->data + at, line_length(text, at), false);
	buf_putc(out, '"');
	view_cut(out, buf_text(&safe), LINE_SHOWN);
	buf_puts(out, at + line_length(text, at) < text->len ? "\"" : "\" without a newline");
}

void
rerun_first_line(const struct buf *then, const struct buf *now, struct buf *out)
{
	size_t shorter = then->len < now->len ? then->len : now->len, at = 0, start = 0;
	unsigned long long number = 1;

	for (; at < shorter && then->data[at] == now->data[at]; at++) {
		if (then->data[at] == '\n') {
			start = at + 1;
			number++;
		}
	}
	buf_printf(out, "line %llu: ", number);
	put_line(out, then, start);
	buf_puts(out, " then, ");
	put_line(out, now, start);
	buf_puts(out, " now");
}

static bool
has_digest(const json_t *stream)
{
	return record_text(stream, "digest")[0] != '\0';
}

static void
put_stream(struct buf *b, const json_t *stream)
{
	uint64_t bytes = record_number(stream, "bytes");

	if (bytes == 0) {
		buf_puts(b, "empty");
		return;
	}
	view_size(b, bytes);
	if (has_digest(stream)) {
		buf_printf(b, ", sha256 %.*s", DIGEST_SHOWN, record_text(stream, "digest"));
	}
}

/* Where they differ, as far as both were kept. */
static void
find_line(struct reading *r, const struct record *then, const struct record *now, const char *name,
	  struct buf *out)
{
	auto_buf first = BUF_INIT, second = BUF_INIT;
	struct err err = ERR_INIT;

	if (object_stream(r, then, name, &first, &err) == 0 &&
	    object_stream(r, now, name, &second, &err) == 0) {
		rerun_first_line(&first, &second, out);
	}
}

static void
compare_stream(struct reading *r, const struct record *then, const struct record *now,
	       enum rerun_what what, struct rerun_comparison *c)
{
	const char *name = rerun_whats[what];
	const json_t *first = json_object_get(then->outcome, name);
	const json_t *second = json_object_get(now->outcome, name);
	struct rerun_row *row = &c->rows[what];

	put_stream(&row->then, first);
	put_stream(&row->now, second);
	answer(row,
	       record_number(first, "bytes") == record_number(second, "bytes") &&
		       strcmp(record_text(first, "digest"), record_text(second, "digest")) == 0);
	if (record_number(first, "bytes") == record_number(second, "bytes") &&
	    record_number(first, "bytes") > 0 && !(has_digest(first) && has_digest(second))) {
		row->answer = RERUN_UNKNOWN; /* as long, and nobody knows what it is */
	} else if (row->answer != RERUN_SAME) {
		find_line(r, then, now, name, &row->first);
	}
}

/* ---- change sets ----------------------------------------------------------------------------- */

static void
put_side(struct buf *b, const char *word, mode_t mode, bool is_known, const uint8_t *digest)
{
	char hex[HEX_DIGEST_SIZE];

	if (mode == 0) {
		return;
	}
	buf_printf(b, " %s %06o", word, (unsigned int)mode);
	if (is_known) {
		text_hex(digest, SHA256_SIZE, hex);
		buf_printf(b, " %.*s", DIGEST_SHOWN, hex);
	}
}

static void
put_change(struct buf *b, const struct change *c)
{
	if (c == NULL) {
		buf_puts(b, "not changed");
		return;
	}
	buf_puts(b, changes_kind_word(c->kind));
	put_side(b, "from", c->mode_before, c->before_known, c->before);
	put_side(b, "to", c->mode_after, c->after_known, c->after);
}

static void
put_set(struct buf *b, const struct change_set *set)
{
	if (set->count == 0) {
		buf_puts(b, "none");
		return;
	}
	view_changes(b, set->created, set->modified, set->deleted);
}

static void
compare_sets(const struct change_set *then, const struct change_set *now, struct rerun_row *row)
{
	const char *path = changes_first_difference(then, now);

	put_set(&row->then, then);
	put_set(&row->now, now);
	answer(row, path == NULL);
	if (path != NULL) {
		diff_put_path(&row->first, path);
		buf_puts(&row->first, ": ");
		put_change(&row->first, changes_find(then, path));
		buf_puts(&row->first, " then, ");
		put_change(&row->first, changes_find(now, path));
		buf_puts(&row->first, " now");
	}
}

/* A call whose changes were not read has no answer, and that is told. */
static int
compare_changes(struct reading *r, const struct record *then, const struct record *now,
		struct rerun_row *row, struct err *err)
{
	struct change_list first = { .set = { .items = NULL } };
	struct change_list second = { .set = { .items = NULL } };
	int rc = object_changes(r, then, &first, err);

	if (rc == 0) {
		rc = object_changes(r, now, &second, err);
	}
	if (rc == 0) {
		compare_sets(&first.set, &second.set, row);
	} else if (rc == -ENODATA) {
		row->answer = RERUN_UNKNOWN;
		text_safe(&row->first, err->text, strlen(err->text), false);
		*err = (struct err)ERR_INIT;
		rc = 0;
	}
	changes_finish(&first.set);
	changes_finish(&second.set);
	return rc;
}

/* ---- what was another to begin with ---------------------------------------------------------- */

/* Members of the planned record that should be the same. */
static void
note_planned(const struct record *then, const struct record *now, struct rerun_notes *notes)
{
	static const struct {
		const char *path, *what;
	} members[] = {
		{ "node.airlock", "airlock is version" },
		{ "node.kernel", "the kernel is" },
		{ "tool", "the program is" },
		{ "worktree", "the repository of the worktree is" },
	};

	for (size_t i = 0; i < ARRAY_LEN(members); i++) {
		auto_buf first = BUF_INIT, second = BUF_INIT;

		view_text(&first, record_text(then->planned, members[i].path));
		view_text(&second, record_text(now->planned, members[i].path));
		if (strcmp(buf_text(&first), buf_text(&second)) != 0) {
			rerun_note(notes, "%s %s now, and was %s", members[i].what,
				   second.len > 0 ? buf_text(&second) : "none",
				   first.len > 0 ? buf_text(&first) : "none");
		}
	}
	if (strcmp(record_text(then->planned, "profile.digest"),
		   record_text(now->planned, "profile.digest")) != 0) {
		rerun_note(notes,
			   "the profile says something else now: its digest is %.*s, and was "
			   "%.*s",
			   DIGEST_SHOWN, record_text(now->planned, "profile.digest"), DIGEST_SHOWN,
			   record_text(then->planned, "profile.digest"));
	}
	if (json_equal(json_object_get(then->planned, "toolchains"),
		       json_object_get(now->planned, "toolchains")) == 0) {
		rerun_note(notes, "other toolchains are given now");
	}
	if (json_equal(json_object_get(then->planned, "env_names"),
		       json_object_get(now->planned, "env_names")) == 0) {
		rerun_note(notes, "the names of its variables are not the same ones");
	}
	if (json_equal(json_object_get(then->planned, "limits"),
		       json_object_get(now->planned, "limits")) == 0) {
		rerun_note(notes, "its limits are not the same");
	}
}

/* What of the host the tool saw besides. */
static void
note_surroundings(const struct record *then, struct rerun_notes *notes)
{
	if (record_number(then->outcome, "in_tree.files") > 0) {
		rerun_note(notes, "times of files are not recorded: all have that of the call");
	}
	if (json_array_size(json_object_get(then->planned, "caches")) > 0) {
		rerun_note(notes, "directories of filesystem.cache are as later calls left them");
	}
	if (json_array_size(json_object_get(then->planned, "write")) > 0) {
		rerun_note(notes, "directories of filesystem.write are as they are today, and "
				  "read-only");
	}
	if (json_array_size(json_object_get(then->outcome, "done_when")) > 0) {
		rerun_note(notes, "postconditions are not tried again");
	}
}

static void
note_input(const struct record *then, const struct record *now, struct rerun_notes *notes)
{
	const char *first = record_text(then->outcome, "in_tree.digest");
	const char *second = record_text(now->outcome, "in_tree.digest");

	if (json_is_true(record_get(then->outcome, "in_tree.unstable"))) {
		rerun_note(notes, "something else wrote to the input while it was recorded");
	}
	if (json_array_size(json_object_get(then->planned, "draft")) > 0) {
		rerun_note(notes,
			   "the change sets that the call ran over are part of the input now");
	} else if (strcmp(first, second) != 0) {
		rerun_note(notes,
			   "the input is not quite the same, in owners, attributes or what "
			   "is said above: its tree is %.*s, and was %.*s",
			   DIGEST_SHOWN, second[0] != '\0' ? second : "unknown", DIGEST_SHOWN,
			   first[0] != '\0' ? first : "unknown");
	}
}

int
rerun_compare(struct reading *r, const struct record *then, const struct record *now,
	      struct rerun_comparison *ret, struct rerun_notes *notes, struct err *err)
{
	if (now->outcome == NULL) {
		return err_set(err, -ENODATA, "%s, the second call, has no outcome", now->id);
	}
	compare_end(then, now, ret);
	compare_stream(r, then, now, RERUN_STDOUT, ret);
	compare_stream(r, then, now, RERUN_STDERR, ret);
	note_planned(then, now, notes);
	note_input(then, now, notes);
	note_surroundings(then, notes);
	return compare_changes(r, then, now, &ret->rows[RERUN_CHANGES], err);
}
