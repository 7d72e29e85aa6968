/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock profile diff A B`: what B newly grants and what it takes away, with an exit status for
 * CI. Runs in airlock-cli as the caller. Trusts no file: what is shown of one is escaped.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/json.h"
#include "../base/text.h"
#include "../profile/profile_diff.h"
#include "cmd_profile.h"
#include "commands.h"
#include "view_format.h"

#define KEY_WIDTH 22u

struct side {
	const char *name;
	struct profile_loaded loaded;
};

struct compared {
	struct side a, b;
	struct profile_changes changes;
	struct buf report;
	struct err err;
};

/* ---- for people ------------------------------------------------------------------------------ */

static void
put_safe(struct buf *b, const char *text)
{
	if (text[0] == '\0') {
		buf_puts(b, "nothing");
	} else {
		text_safe(b, text, strlen(text), false);
	}
}

static void
put_change(struct buf *text, const struct profile_change *c)
{
	if (c->after != NULL) {
		put_safe(text, c->after);
	}
	if (c->before != NULL && c->after != NULL) {
		buf_puts(text, ", was ");
	} else if (c->before != NULL && c->effect == PROFILE_GRANTS) {
		buf_puts(text, "no longer ");
	}
	if (c->before != NULL) {
		put_safe(text, c->before);
	}
}

/* All changes of one key and effect from row *i on; *i is then behind them. */
static void
put_key(const struct view *v, struct buf *out, const struct profile_changes *changes, size_t *i)
{
	const struct profile_change *first = &changes->rows[*i];
	auto_buf text = BUF_INIT, place = BUF_INIT;

	for (; *i < changes->count && strcmp(changes->rows[*i].key, first->key) == 0; (*i)++) {
		if (changes->rows[*i].effect == first->effect) {
			buf_puts(&text, text.len > 0 ? "; " : "");
			put_change(&text, &changes->rows[*i]);
		}
	}
	buf_puts(out, "  ");
	view_pad(out, first->key, KEY_WIDTH - 3, false);
	buf_putc(out, ' ');
	view_wrap(out, buf_text(&text), KEY_WIDTH, v->columns);
	if (first->at != NULL) {
		buf_printf(out, "%*s", (int)KEY_WIDTH, "");
		put_safe(&place, first->at);
		view_paint(v, out, VIEW_DIM, buf_text(&place));
		buf_putc(out, '\n');
	}
}

static void
put_part(const struct view *v, struct buf *out, const struct compared *d,
	 enum profile_effect effect)
{
	static const struct {
		enum view_color color;
		const char *heading;
	} parts[] = {
		[PROFILE_GRANTS] = { VIEW_RED, "grants what the other does not:" },
		[PROFILE_TAKES] = { VIEW_GREEN, "takes away:" },
		[PROFILE_CHANGES] = { VIEW_BOLD, "changes, neither more nor less:" },
	};
	auto_buf heading = BUF_INIT;
	bool any = false;

	_Static_assert(ARRAY_LEN(parts) == PROFILE_EFFECT__COUNT, "one heading per effect");
	put_safe(&heading, d->b.name);
	buf_putc(&heading, ' ');
	buf_puts(&heading, parts[effect].heading);
	for (size_t i = 0; i < d->changes.count;) {
		if (d->changes.rows[i].effect != effect) {
			i++;
			continue;
		}
		if (!any) {
			view_paint(v, out, parts[effect].color, buf_text(&heading));
			buf_putc(out, '\n');
			any = true;
		}
		put_key(v, out, &d->changes, &i);
	}
}

static void
print_page(const struct compared *d)
{
	auto_buf out = BUF_INIT;
	struct view v;

	view_init(&v, STDOUT_FILENO);
	for (unsigned int i = 0; i < PROFILE_EFFECT__COUNT; i++) {
		put_part(&v, &out, d, (enum profile_effect)i);
	}
	put_safe(&out, d->b.name);
	buf_puts(&out, d->changes.widens ? " widens " : " grants nothing that is not granted by ");
	put_safe(&out, d->a.name);
	buf_putc(&out, '\n');
	fputs(buf_text(&out), stdout);
}

/* ---- for programs ---------------------------------------------------------------------------- */

static void
put_side(struct json *j, const char *key, const struct side *s)
{
	const struct profile *p = s->loaded.profile;

	json_key(j, key);
	json_begin_object(j);
	json_kv_hex(j, "digest", p->digest, sizeof(p->digest));
	json_kv_bytes(j, "name", p->name);
	json_kv_bytes(j, "path", p->source);
	json_end(j);
}

static int
print_json(struct compared *d)
{
	static const char *const effects[] = {
		[PROFILE_GRANTS] = "grants",
		[PROFILE_TAKES] = "takes",
		[PROFILE_CHANGES] = "changes",
	};
	auto_buf out = BUF_INIT;
	struct json j;

	_Static_assert(ARRAY_LEN(effects) == PROFILE_EFFECT__COUNT, "one word per effect");
	json_init(&j, &out);
	json_begin_object(&j);
	put_side(&j, "a", &d->a);
	put_side(&j, "b", &d->b);
	json_key(&j, "changes");
	json_begin_array(&j);
	for (size_t i = 0; i < d->changes.count; i++) {
		const struct profile_change *c = &d->changes.rows[i];

		json_begin_object(&j);
		json_kv_bytes(&j, "after", c->after);
		json_kv_bytes(&j, "at", c->at);
		json_kv_bytes(&j, "before", c->before);
		json_kv_str(&j, "effect", effects[c->effect]);
		json_kv_str(&j, "key", c->key);
		json_end(&j);
	}
	json_end(&j);
	json_kv_bool(&j, "widens", d->changes.widens);
	json_end(&j);
	if (json_error(&j) < 0) {
		return err_set(&d->err, json_error(&j), "profile diff: JSON");
	}
	puts(buf_text(&out));
	return 0;
}

/* ---- the verb -------------------------------------------------------------------------------- */

static int
compare(struct compared *d, bool json)
{
	auto_places places = { .shipped = NULL };
	struct side *sides[] = { &d->a, &d->b };
	int rc = places_find(&places, &d->err);

	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(sides); i++) {
		const struct profile_request request =
			profile_request_of(sides[i]->name, places.shipped);

		rc = profile_load(&request, &sides[i]->loaded, &d->report, &d->err);
	}
	if (rc < 0) {
		return rc;
	}
	rc = profile_diff(d->a.loaded.doc, d->b.loaded.doc, &d->changes);
	if (rc < 0) {
		return err_sys(&d->err, rc, "profile diff");
	}
	if (json) {
		return print_json(d);
	}
	print_page(d);
	return 0;
}

int
cmd_profile_diff(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	struct compared d = { .err = ERR_INIT };
	const char *name, *argument;
	bool json = false;
	int rc, status;

	while ((rc = command_line_next(&cl, &name, &argument)) > 0) {
		json = true; /* the one option there is */
	}
	rc = command_line_end(&cl, rc, 2, 2);
	if (rc >= 0) {
		return rc;
	}
	d.a.name = cl.operand[0];
	d.b.name = cl.operand[1];
	if (compare(&d, json) < 0) {
		status = profile_fail(EXIT_AIRLOCK, &d.report, &d.err);
	} else {
		status = d.changes.widens ? 1 : 0;
	}
	profile_changes_finish(&d.changes);
	profile_loaded_finish(&d.a.loaded);
	profile_loaded_finish(&d.b.loaded);
	buf_finish(&d.report);
	return status;
}
