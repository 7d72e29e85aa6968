/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the supervisor with the caller's authority, over bytes that the tool chose, in pieces of
 * any size. A piece is looked at where it lies; only what could begin a match is copied.
 */
#include "scan_stream.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "scan_internal.h"

/* A text of the stream that is looked at, and where it begins. */
struct view {
	struct scan_stream *stream;
	const uint8_t *text;
	uint64_t begins;
};

int
scan_stream_init(struct scan_stream *st, const struct scanner *s, const struct scan_sink *sink)
{
	size_t size = 2 * s->text_max; /* what is held, and what decides about it */
	uint8_t *held = scan_map(&size);

	if (held == NULL) {
		return -errno;
	}
	*st = (struct scan_stream){
		.scanner = s, .sink = *sink, .held = held, .held_room = size, .last_item = UINT_MAX
	};
	return 0;
}

void
scan_stream_finish(struct scan_stream *st)
{
	scan_unmap(st->held, st->held_room);
	*st = (struct scan_stream)SCAN_STREAM_INIT;
}

static void
put(struct scan_stream *st, const void *data, size_t len)
{
	if (st->error == 0 && len > 0 && st->sink.put != NULL) {
		st->error = st->sink.put(st->sink.arg, data, len);
	}
}

/* Passes on what is before that offset, and was not replaced. */
static void
pass(const struct view *v, uint64_t to)
{
	struct scan_stream *st = v->stream;

	if (st->passed < to) {
		put(st, v->text + (st->passed - v->begins), (size_t)(to - st->passed));
		st->passed = to;
	}
}

static bool
on_match(void *arg, size_t at, size_t len, const struct scan_pattern *p)
{
	const struct view *v = arg;
	struct scan_stream *st = v->stream;
	const struct scan_match match = { .item = p->item,
					  .form = scan_shapes[p->shape].form,
					  .offset = v->begins + at,
					  .len = len };
	const bool joined = match.offset <= st->match_end && match.item == st->last_item;
	char mark[SCAN_MARK_MAX];

	if (match.offset + len <= st->match_end) {
		return true; /* lies in the one before */
	}
	pass(v, match.offset);
	if (st->error == 0 && !st->sink.found(st->sink.arg, &match)) {
		st->stopped = true;
		return false;
	}
	if (!joined) {
		snprintf(mark, sizeof(mark), "[redacted:%s]", scanner_item(st->scanner, p->item));
		put(st, mark, strlen(mark));
	}
	st->passed = st->match_end = match.offset + len;
	st->last_item = match.item;
	return st->error == 0;
}

/* Looks at what begins before `end`; the first that is not decided. */
static size_t
look(struct scan_stream *st, const uint8_t *text, size_t len, size_t end, bool last)
{
	struct view v = { .stream = st, .text = text, .begins = st->base };
	const struct scan_walk walk = { .scanner = st->scanner,
					.text = text,
					.len = len,
					.end = end,
					.last = last,
					.match = on_match,
					.arg = &v };
	const size_t decided = scan_walk(&walk);

	if (!st->stopped) {
		pass(&v, v.begins + decided);
	}
	st->base += decided;
	return decided;
}

static bool
is_over(const struct scan_stream *st)
{
	return st->stopped || st->error != 0;
}

/* What is held does not stay where it was. */
static void
hold(struct scan_stream *st, const uint8_t *text, size_t len)
{
	const size_t before = st->held_len;

	memmove(st->held, text, len);
	st->held_len = len;
	if (len < before) {
		explicit_bzero(st->held + len, before - len);
	}
}

int
scan_stream_put(struct scan_stream *st, const void *data, size_t len)
{
	const uint8_t *text = data;
	size_t decided;

	if (is_over(st) || len == 0) {
		return st->error;
	}
	if (st->held_len > 0) {
		const size_t old = st->held_len;
		const size_t room = st->held_room - old;
		const size_t more = len < room ? len : room;

		memcpy(st->held + old, text, more);
		st->held_len += more;
		decided = look(st, st->held, st->held_len, old, false);
		if (is_over(st) || decided < old) {
			/* no match is so long that this could be without the whole piece in it */
			hold(st, st->held + decided, st->held_len - decided);
			return st->error;
		}
		hold(st, st->held, 0);
	}
	decided = look(st, text, len, len, false);
	if (!is_over(st)) {
		hold(st, text + decided, len - decided);
	}
	return st->error;
}

int
scan_stream_end(struct scan_stream *st)
{
	if (!is_over(st) && st->held_len > 0) {
		look(st, st->held, st->held_len, st->held_len, true);
	}
	hold(st, st->held, 0);
	return st->error;
}
