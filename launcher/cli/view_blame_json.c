/* SPDX-License-Identifier: Apache-2.0 */
/* `airlock blame --json`: one object. Runs in airlock-cli as the caller; pure. */
#include <errno.h>
#include <string.h>

#include "view_blame.h"

/* Paths in vis octal, as everywhere. */
static json_t *
spelled(const struct buf *raw)
{
	auto_buf text = BUF_INIT;

	text_vis(&text, raw->data, raw->len);
	return json_string(buf_text(&text));
}

static json_t *
digest_or_null(const struct blame_state *s)
{
	char hex[HEX_DIGEST_SIZE];

	if (!s->has_digest) {
		return json_null();
	}
	text_hex(s->digest, SHA256_SIZE, hex);
	return json_string(hex);
}

static json_t *
id_or_null(const struct blame_history *h, size_t step)
{
	size_t call = h->steps[step].call;

	return call == BLAME_OUTSIDE ? json_null() : json_string(h->calls[call].record.id);
}

/* One step to a version: NULL for what is not said. */
static json_t *
step_json(const struct blame_history *h, size_t i)
{
	const struct blame_step *step = &h->steps[i];
	bool is_outside = step->call == BLAME_OUTSIDE;

	return json_pack("{s:o, s:o, s:s, s:o, s:o}", "call", id_or_null(h, i), "digest",
			 digest_or_null(&step->state), "how",
			 is_outside	 ? "outside"
			 : step->is_undo ? "undone"
					 : "committed",
			 "t", step->t_ms > 0 ? json_integer((json_int_t)step->t_ms) : json_null(),
			 "uid", step->uid >= 0 ? json_integer(step->uid) : json_null());
}

static json_t *
part_json(const struct blame *b, const struct blame_part *part)
{
	const struct blame_history *h = b->history;
	size_t first, steps = blame_steps(part, &first);
	json_t *from = json_array();
	const char *source = steps != 1				   ? "unknown"
			   : h->steps[first].call == BLAME_OUTSIDE ? "outside"
								   : "call";

	for (size_t i = first; i < first + steps; i++) {
		if (json_array_append_new(from, json_integer((json_int_t)i)) != 0) {
			json_decref(from);
			return NULL;
		}
	}
	return json_pack("{s:o, s:o, s:o, s:s, s:o}", "call",
			 steps == 1 ? id_or_null(h, first) : json_null(), "first",
			 h->by_line ? json_integer((json_int_t)part->first) : json_null(), "last",
			 h->by_line ? json_integer((json_int_t)(part->first + part->count - 1))
				    : json_null(),
			 "source", source, "steps", from);
}

/* What the record says, as it says it. */
static json_t *
copy(const json_t *object, const char *path)
{
	const json_t *value = record_get(object, path);

	return value != NULL ? json_deep_copy(value) : json_null();
}

static json_t *
call_json(const struct blame *b, size_t i)
{
	const struct blame_call *c = &b->history->calls[i];
	const json_t *planned = c->record.planned;
	const struct blame_rule *rule = &b->rules[i];

	return json_pack("{s:o, s:o, s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "actor",
			 copy(planned, "actor"), "argv", copy(planned, "argv"), "call",
			 c->record.id, "context", copy(planned, "context"), "kind", c->kind, "mode",
			 copy(planned, "mode"), "profile", copy(planned, "profile"), "rule",
			 rule->place.len > 0 ? json_string(buf_text(&rule->place)) : json_null(),
			 "t0", copy(planned, "t0"), "workflow", copy(planned, "workflow"),
			 "workspace", copy(planned, "workspace.path"));
}

/* Takes the item over, also when it fails. */
static bool
append(json_t *array, json_t *item)
{
	return item != NULL && json_array_append_new(array, item) == 0;
}

int
blame_json(const struct blame *b, struct buf *out)
{
	const struct blame_history *h = b->history;
	json_t *calls = json_array(), *parts = json_array(), *steps = json_array(), *whole;
	bool is_good = true;
	int rc;

	for (size_t i = 0; i < h->call_count; i++) {
		is_good = append(calls, call_json(b, i)) && is_good;
	}
	for (size_t i = 0; i < b->part_count; i++) {
		is_good = append(parts, part_json(b, &b->parts[i])) && is_good;
	}
	for (size_t i = 0; i < h->count; i++) {
		is_good = append(steps, step_json(h, i)) && is_good;
	}
	whole = json_pack("{s:b, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:I, s:I}", "by_line",
			  h->by_line, "calls", calls, "digest",
			  digest_or_null(&h->steps[h->count - 1].state), "forgotten",
			  (json_int_t)h->forgotten, "mtime",
			  h->mtime_ms > 0 ? json_integer((json_int_t)h->mtime_ms) : json_null(),
			  "parts", parts, "path", spelled(&h->path), "steps", steps, "uncommitted",
			  (json_int_t)h->uncommitted, "unlisted", (json_int_t)h->unlisted);
	rc = record_put_json(whole, out);
	buf_putc(out, '\n');
	return rc == 0 && is_good ? buf_error(out) : -ENOMEM;
}
