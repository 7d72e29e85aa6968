/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the supervisor with the caller's authority. The tool's output goes through the scanner
 * before anybody gets it; what was found is counted.
 */
#include "relay_internal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/grow.h"

/* For the time of one put: whose it is. */
struct passing {
	struct relay *relay;
	enum relay_stream stream;
	struct err *err;
};

static int
put(void *arg, const void *data, size_t len)
{
	const struct passing *p = arg;

	return relay_pass(p->relay, p->stream, data, len, p->err);
}

static struct relay_leak *
leak_of(struct relay *r, enum relay_stream s, const struct scan_match *m)
{
	struct relay_leak *grown;

	for (size_t i = 0; i < r->leak_count; i++) {
		struct relay_leak *leak = &r->leaks[i];

		if (leak->stream == s && leak->item == m->item && leak->form == m->form) {
			return leak;
		}
	}
	grown = grow_array(r->leaks, r->leak_count, &r->leak_cap, sizeof(*grown));
	if (grown == NULL) {
		return NULL;
	}
	r->leaks = grown;
	r->leaks[r->leak_count] = (struct relay_leak){
		.item = m->item, .form = m->form, .stream = s, .offset = m->offset
	};
	return &r->leaks[r->leak_count++];
}

static bool
found(void *arg, const struct scan_match *m)
{
	struct passing *p = arg;
	struct relay *r = p->relay;
	struct relay_leak *leak = leak_of(r, p->stream, m);

	if (leak == NULL) {
		r->capture_error = err_sys(p->err, -ENOMEM, "cannot count what was leaked");
		return false;
	}
	leak->count++;
	r->leaked = r->on_leak == LEAK_STOP;
	return !r->leaked;
}

int
relay_scan_init(struct relay *r)
{
	const struct scan_sink sink = { .put = put, .found = found };
	int code = 0;

	for (int s = RELAY_STDOUT; code == 0 && s < RELAY__COUNT; s++) {
		code = scan_stream_init(&r->scan[s], r->scanner, &sink);
	}
	return code;
}

void
relay_scan_finish(struct relay *r)
{
	for (int s = 0; s < RELAY__COUNT; s++) {
		scan_stream_finish(&r->scan[s]);
	}
	free(r->leaks);
	r->leaks = NULL;
	r->leak_count = r->leak_cap = 0;
}

int
relay_scan_put(struct relay *r, enum relay_stream s, uint8_t *data, size_t len, struct err *err)
{
	struct scan_stream *scan = &r->scan[s];
	const uint64_t match_end = scan->match_end;
	struct passing passing = { r, s, err };
	int code;

	scan->sink.arg = &passing;
	code = scan_stream_put(scan, data, len);
	scan->sink.arg = NULL;
	if (scan->match_end != match_end || scan->stopped) {
		explicit_bzero(data, len);
	} else {
		const size_t held = scan->held_len < len ? scan->held_len : len;

		explicit_bzero(data + len - held, held);
	}
	return code == 0 ? r->capture_error : code;
}

int
relay_scan_end(struct relay *r, enum relay_stream s, struct err *err)
{
	struct passing passing = { r, s, err };
	int code;

	r->scan[s].sink.arg = &passing;
	code = scan_stream_end(&r->scan[s]);
	r->scan[s].sink.arg = NULL;
	return code == 0 ? r->capture_error : code;
}

/* ---- what is said of it ---------------------------------------------------------------------- */

static const char *
stream_word(enum relay_stream s)
{
	return s == RELAY_STDERR ? "stderr" : "stdout";
}

void
relay_leak_text(const struct relay *r, char *ret_text, size_t size)
{
	const struct relay_leak *last = &r->leaks[r->leak_count - 1];

	snprintf(ret_text, size, "leak: %s was written to %s as %s",
		 scanner_item(r->scanner, last->item), stream_word(last->stream),
		 scan_form_word(last->form));
}

void
relay_leak_write(struct json *j, const char *item, const char *stream, const char *form,
		 int64_t offset, uint64_t count)
{
	json_begin_object(j);
	json_kv_uint(j, "count", count);
	json_kv_str(j, "form", form);
	json_kv_str(j, "item", item);
	json_kv_known(j, "offset", offset >= 0, offset);
	json_kv_str(j, "stream", stream);
	json_end(j);
}

void
relay_leaks_write(const struct relay *r, struct json *j)
{
	for (size_t i = 0; i < r->leak_count; i++) {
		const struct relay_leak *leak = &r->leaks[i];

		relay_leak_write(j, scanner_item(r->scanner, leak->item), stream_word(leak->stream),
				 scan_form_word(leak->form), (int64_t)leak->offset, leak->count);
	}
}
