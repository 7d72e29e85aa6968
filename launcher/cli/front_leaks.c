/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front: leased values where none is to be. In the context, before it is recorded, and
 * in what a tool had its key's agent sign for; in the output and the change set the relay and the
 * collector look (supervise/relay.h, snapshot/snapshot.h), and here is what all of them found.
 */
#include <errno.h>
#include <string.h>

#include "../base/json.h"
#include "front_lease.h"

struct redaction {
	const struct scanner *scanner;
	const char *text;
	size_t done; /* of it */
	struct buf *out;
	uint64_t *leaks; /* per item */
};

static bool
redact(void *arg, const struct scan_match *m)
{
	struct redaction *r = arg;

	buf_put(r->out, r->text + r->done, m->offset - r->done);
	buf_printf(r->out, "[redacted:%s]", scanner_item(r->scanner, m->item));
	r->done = m->offset + m->len;
	r->leaks[m->item]++;
	return true;
}

/* The text with marks; false, and out is empty, where it has no value in it. */
static bool
redact_text(const struct scanner *scanner, const char *text, size_t len, uint64_t *leaks,
	    struct buf *out)
{
	struct redaction r = {
		.scanner = scanner, .text = text, .out = out, .leaks = leaks
	};

	scanner_search(scanner, text, len, redact, &r);
	if (r.done > 0) {
		buf_put(out, text + r.done, len - r.done);
	}
	return r.done > 0;
}

int
front_redact_context(struct front *f, const struct scanner *scanner)
{
	auto_buf text = BUF_INIT;
	size_t len = f->req.context != NULL ? strlen(f->req.context) : 0;

	if (len == 0) {
		return 0;
	}
	if (!redact_text(scanner, f->req.context, len, f->lease->context_leaks, &text)) {
		return 0;
	}
	/* a mark in the middle of an escape leaves no JSON */
	if (buf_error(&text) < 0 || json_check_object(buf_text(&text), text.len) < 0) {
		return err_set(&f->err, -EACCES,
			       "the context has a value in it that is leased to the call");
	}
	f->req.context = arena_copy(&f->arena, text.data, text.len);
	return f->req.context == NULL ? err_set(&f->err, -ENOMEM, "out of memory") : 0;
}

/* A tool may have its agent sign for anything: also for a value that it was given besides. */
void
front_redact_uses(struct front *f)
{
	struct lease_hold *h = f->lease;

	for (size_t i = 0; i < h->lease.count; i++) {
		for (size_t k = 0; k < h->uses[i].count; k++) {
			const char *what = h->uses[i].rows[k].what;
			auto_buf text = BUF_INIT;
			bool is_leak = redact_text(h->scanner, what, strlen(what), h->use_leaks,
						   &text);

			h->named_uses[i][k] = is_leak ? arena_copy(&f->arena, text.data, text.len)
						      : what;
		}
	}
}

/* How many changes have that item in them; of names the first one counts, it ends the list. */
static uint64_t
leaked_changes(const struct change_set *cs, uint64_t named, size_t item)
{
	uint64_t count = named >> item & 1;

	for (size_t i = 0; cs->leaked > 0 && i < cs->count; i++) {
		count += cs->items[i].leaked >> item & 1;
	}
	return count;
}

void
front_leaks_json(struct json *j, const struct front *f)
{
	const struct lease_hold *h = f->lease;
	const size_t count = h != NULL && h->scanner != NULL ? h->lease.count : 0;

	json_begin_array(j);
	for (size_t i = 0; i < count; i++) {
		const struct {
			const char *stream;
			uint64_t count;
		} rows[] = { { "agent", h->use_leaks[i] },
			     { "context", h->context_leaks[i] },
			     { "changes", leaked_changes(&f->changes, h->named, i) } };

		for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
			if (rows[k].count > 0) {
				relay_leak_write(j, h->lease.items[i].item, rows[k].stream, NULL,
						 -1, rows[k].count);
			}
		}
	}
	if (count > 0) {
		relay_leaks_write(&f->relay, j);
	}
	json_end(j);
}
