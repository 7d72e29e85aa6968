/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream, as it comes: what is passed on has "[redacted:ITEM]" in the place of each match,
 * however the stream was cut into pieces. Matches that overlap, or touch, are replaced together: by
 * one mark for each item, in their order. Held back is only what could be the beginning of a match,
 * so the end of an output can wait for what follows it, or for the end of the stream. What is held
 * lies in a mapping like the scanner's.
 */
#ifndef AIRLOCK_SCAN_STREAM_H
#define AIRLOCK_SCAN_STREAM_H

#include "scanner.h"

#define SCAN_MARK_MAX (sizeof("[redacted:]") + SCAN_ITEM_MAX)

struct scan_sink {
	/*
	 * Gets what passes, in order; borrowed for the time of the call. 0, or -errno, which ends
	 * the stream. NULL: nobody wants the bytes.
	 */
	int (*put)(void *arg, const void *data, size_t len);
	/*
	 * Each match, when all before it has passed; offsets are those of the stream as it came.
	 * False: the stream ends here, neither the match nor what follows passes.
	 */
	scan_found *found;
	void *arg; /* of both */
};

struct scan_stream {
	const struct scanner *scanner; /* borrowed */
	struct scan_sink sink;
	uint8_t *held; /* owned: may be the beginning of a match */
	size_t held_len, held_room;
	uint64_t base;	 /* offset in the stream of what comes next: of held[0], if there is any */
	uint64_t passed; /* up to here all was passed on or replaced */
	uint64_t match_end;	/* of the last match */
	unsigned int last_item; /* of the last mark */
	bool stopped;		/* found() did not want more */
	int error;		/* what put said */
};

/* One that was not made yet: scan_stream_finish does nothing. */
#define SCAN_STREAM_INIT     \
	{                    \
		.held = NULL \
	}

/* 0, or -errno of mmap. */
int scan_stream_init(struct scan_stream *st, const struct scanner *s, const struct scan_sink *sink)
	must_check;
/* 0, or what put said, now or before. */
int scan_stream_put(struct scan_stream *st, const void *data, size_t len) must_check;
/* The stream has ended: what was held is passed on. 0, or what put said. */
int scan_stream_end(struct scan_stream *st) must_check;
void scan_stream_finish(struct scan_stream *st);

#endif
