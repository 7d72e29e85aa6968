/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for the scanner: two values and a text, all of them the fuzzer's. Run by the
 * developer or CI. What the search finds is what trying every place finds, and a stream becomes the
 * same in one piece and in many.
 */
#include "../../launcher/base/buf.h"
#include "../../launcher/scan/scan_internal.h"
#include "../../launcher/scan/scan_stream.h"
#include "fuzz.h"

#define VALUES 2u
#define FOUND_MAX 1024u

struct seen {
	struct scan_match found[FOUND_MAX];
	size_t count;
	struct buf out;
};

static bool
found(void *arg, const struct scan_match *m)
{
	struct seen *seen = arg;

	require(seen->count < FOUND_MAX, "more matches than there is text");
	seen->found[seen->count++] = *m;
	return true;
}

static int
put(void *arg, const void *data, size_t len)
{
	struct seen *seen = arg;

	buf_put(&seen->out, data, len);
	return 0;
}

static void
check_search(const struct scanner *s, const uint8_t *text, size_t len)
{
	static struct seen seen;
	size_t match_end = 0, next = 0;

	seen.count = 0;
	require(scanner_search(s, text, len, found, &seen), "it ended early");
	for (size_t at = 0; at < len; at++) {
		size_t longest = 0;

		for (unsigned int i = 0; i < s->patterns; i++) {
			const size_t n = scan_match_at(&s->pattern[i], text + at, len - at);

			longest = n != SCAN_MORE && n > longest ? n : longest;
		}
		if (longest > 0 && at + longest > match_end) {
			match_end = at + longest;
			require(next < seen.count && seen.found[next].offset == at &&
					seen.found[next].len == longest,
				"a match was missed");
			next++;
		}
	}
	require(next == seen.count, "a match that is none");
}

/* In pieces of that size; 0: in one. */
static void
stream(const struct scanner *s, const uint8_t *text, size_t len, size_t piece, struct seen *seen)
{
	const struct scan_sink sink = { .put = put, .found = found, .arg = seen };
	struct scan_stream st = SCAN_STREAM_INIT;

	seen->count = 0;
	buf_reset(&seen->out);
	require(scan_stream_init(&st, s, &sink) == 0, "memory");
	piece = piece == 0 ? len : piece;
	for (size_t at = 0; at < len; at += piece) {
		require(scan_stream_put(&st, text + at, piece < len - at ? piece : len - at) == 0,
			"a put that failed");
	}
	require(scan_stream_end(&st) == 0, "an end that failed");
	scan_stream_finish(&st);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct seen whole, cut;
	struct scan_value values[VALUES];
	struct scanner *s;
	struct err err;

	if (size < 2 * VALUES) {
		return 0;
	}
	for (unsigned int i = 0; i < VALUES; i++) {
		const size_t len = data[0] % 100 < size - 1 ? data[0] % 100 : size - 1;

		values[i] = (struct scan_value){ "item", data + 1, len };
		data += 1 + len;
		size -= 1 + len;
		if (size == 0) {
			return 0;
		}
	}
	require(scanner_create(values, VALUES, &s, &err) == 0, "not made");
	check_search(s, data, size);
	stream(s, data, size, 0, &whole);
	for (size_t piece = 1; piece < 40; piece = 3 * piece + 1) {
		stream(s, data, size, piece, &cut);
		require(cut.count == whole.count &&
				memcmp(cut.found, whole.found,
				       whole.count * sizeof(whole.found[0])) == 0,
			"other matches in pieces");
		require(cut.out.len == whole.out.len &&
				memcmp(buf_text(&cut.out), buf_text(&whole.out), cut.out.len) == 0,
			"other bytes in pieces");
	}
	scanner_destroy(s);
	return 0;
}
