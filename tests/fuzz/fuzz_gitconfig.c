/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for the reader and the judge of git's configuration. Run by the developer or CI;
 * the bytes are anybody's: what was before, a byte 1, what is after. What is read must read the
 * same when it is written out; a file is never worse than itself; what runs must have been there
 * before when the judge lets a change pass; what it says must be fit for a terminal.
 */
#include "../../launcher/base/text.h"
#include "../../launcher/snapshot/gitconfig.h"
#include "fuzz.h"

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool
same_entry(const struct gitconfig_entry *a, const struct gitconfig_entry *b)
{
	return same_text(a->section, b->section) && same_text(a->subsection, b->subsection) &&
	       same_text(a->key, b->key) && same_text(a->value, b->value);
}

static void
put_quoted(struct buf *out, const char *text, bool value)
{
	buf_putc(out, '"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\') {
			buf_putc(out, '\\');
		}
		if (value && *text == '\n') {
			buf_puts(out, "\\n");
		} else {
			buf_putc(out, *text);
		}
	}
	buf_putc(out, '"');
}

static void
check_written(const struct gitconfig *g)
{
	auto_buf text = BUF_INIT;
	struct gitconfig again;

	for (size_t i = 0; i < g->count; i++) {
		const struct gitconfig_entry *e = &g->items[i];

		if (e->section[0] == '\0') {
			return; /* [.a]: git takes it, and it cannot be written with a quote */
		}
		buf_printf(&text, "[%s", e->section);
		if (e->subsection != NULL) {
			buf_putc(&text, ' ');
			put_quoted(&text, e->subsection, false);
		}
		buf_printf(&text, "]\n%s", e->key);
		if (e->value != NULL) {
			buf_putc(&text, '=');
			put_quoted(&text, e->value, true);
		}
		buf_putc(&text, '\n');
	}
	if (text.len > GITCONFIG_BYTES_MAX) {
		return;
	}
	require(gitconfig_parse(buf_text(&text), text.len, &again) == 0, "memory");
	require(again.broken_line == 0 && again.count == g->count, "not readable when written");
	for (size_t i = 0; i < g->count; i++) {
		require(same_entry(&g->items[i], &again.items[i]), "another entry when written");
	}
	gitconfig_finish(&again);
}

/* Found without the table. */
static bool
runs(const struct gitconfig_entry *e)
{
	static const char *const keys[] = { "fsmonitor", "sshcommand", "hookspath", "editor",
					    "pager",	 "worktree",   "insteadof" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(e->key, keys[i]) == 0) {
			return strcmp(e->section, "color") != 0 &&
			       strcmp(e->section, "advice") != 0 &&
			       strcmp(e->section, "status") != 0 &&
			       strcmp(e->section, "column") != 0;
		}
	}
	return strcmp(e->section, "alias") == 0 || strcmp(e->section, "include") == 0 ||
	       strcmp(e->section, "filter") == 0 || strcmp(e->section, "credential") == 0;
}

static void
check_passed(const struct gitconfig *before, const struct gitconfig *after)
{
	for (size_t i = 0; i < after->count; i++) {
		bool found = !runs(&after->items[i]);

		for (size_t n = 0; !found && n < before->count; n++) {
			found = same_entry(&after->items[i], &before->items[n]);
		}
		require(found, "something new runs");
	}
}

static void
check_why(const struct buf *why)
{
	auto_buf safe = BUF_INIT;

	text_safe(&safe, why->data, why->len, false);
	require(safe.len == why->len && why->len < 2000, "an answer that no terminal should get");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *cut = size > 0 ? memchr(data, 1, size) : NULL;
	size_t first = cut != NULL ? (size_t)(cut - data) : 0;
	size_t second = cut != NULL ? first + 1 : 0;
	struct gitconfig before, after;
	auto_buf why = BUF_INIT;

	require(gitconfig_parse((const char *)data, first, &before) == 0, "memory");
	require(gitconfig_parse((const char *)data + second, size - second, &after) == 0, "memory");
	require(gitconfig_judge(&before, &after, &why) == 0, "memory");
	check_why(&why);
	if (why.len == 0) {
		check_passed(&before, &after);
	}
	if (after.broken_line == 0) {
		check_written(&after);
		require(gitconfig_judge(&after, &after, &why) == 0, "memory");
		require(why.len == 0 || strcmp(buf_text(&why), "too much to compare") == 0,
			"worse than itself");
	}
	gitconfig_finish(&before);
	gitconfig_finish(&after);
	return 0;
}
