/* SPDX-License-Identifier: Apache-2.0 */
/* Text for people. Runs in airlock-cli as the caller; the texts come from tools and callers. */
#include "view_format.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#define DEFAULT_COLUMNS 80u
#define MIN_COLUMNS 40u

void
view_init(struct view *v, int fd)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	struct winsize size = { 0 };

	v->terminal = isatty(fd) == 1;
	v->color = v->terminal && (no_color == NULL || no_color[0] == '\0') &&
		   (term == NULL || strcmp(term, "dumb") != 0);
	v->columns = DEFAULT_COLUMNS;
	if (v->terminal && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= MIN_COLUMNS) {
		v->columns = size.ws_col;
	}
}

void
view_paint(const struct view *v, struct buf *b, enum view_color color, const char *text)
{
	static const char *const codes[VIEW_COLOR__COUNT] = {
		[VIEW_PLAIN] = "",	   [VIEW_BOLD] = "\033[1m",    [VIEW_DIM] = "\033[2m",
		[VIEW_GREEN] = "\033[32m", [VIEW_YELLOW] = "\033[33m", [VIEW_RED] = "\033[31m",
	};
	bool painted = v->color && color != VIEW_PLAIN;

	if (painted) {
		buf_puts(b, codes[color]);
	}
	buf_puts(b, text);
	if (painted) {
		buf_puts(b, "\033[0m");
	}
}

enum view_color
view_verdict_color(const char *verdict)
{
	static const struct {
		const char *verdict;
		enum view_color color;
	} colors[] = {
		{ "ok", VIEW_GREEN },
		{ "failed", VIEW_YELLOW },
		{ "signaled", VIEW_YELLOW },
		{ "timeout", VIEW_YELLOW },
		/* of those without outcome, as lists have them */
		{ "running", VIEW_PLAIN },
		{ "frozen", VIEW_YELLOW },
		{ "resolved", VIEW_YELLOW },
	};

	for (size_t i = 0; i < ARRAY_LEN(colors); i++) {
		if (strcmp(colors[i].verdict, verdict) == 0) {
			return colors[i].color;
		}
	}
	return VIEW_RED;
}

void
view_duration(struct buf *b, uint64_t ms)
{
	unsigned long long s = ms / 1000;

	if (ms < 1000) {
		buf_printf(b, "%llums", (unsigned long long)ms);
	} else if (ms < 60000) {
		buf_printf(b, "%llu.%llus", s, (unsigned long long)(ms % 1000 / 100));
	} else if (s < 3600) {
		buf_printf(b, "%llum%02llus", s / 60, s % 60);
	} else if (s < 86400) {
		buf_printf(b, "%lluh%02llum", s / 3600, s % 3600 / 60);
	} else {
		buf_printf(b, "%llud%02lluh", s / 86400, s % 86400 / 3600);
	}
}

void
view_count(struct buf *b, uint64_t count, const char *one, const char *many)
{
	buf_printf(b, "%llu %s", (unsigned long long)count, count == 1 ? one : many);
}

void
view_size(struct buf *b, uint64_t bytes)
{
	static const char units[] = "KMGTPE";
	uint64_t tenths;
	unsigned int shift = 10;

	if (bytes < 1024) {
		buf_printf(b, "%llu B", (unsigned long long)bytes);
		return;
	}
	while (shift < 60 && bytes >> shift >= 1024) {
		shift += 10;
	}
	tenths = (bytes >> shift) * 10 + (((bytes >> (shift - 10)) & 1023) * 10 >> 10);
	if (tenths % 10 == 0) {
		buf_printf(b, "%llu %ciB", (unsigned long long)(tenths / 10),
			   units[shift / 10 - 1]);
	} else {
		buf_printf(b, "%llu.%llu %ciB", (unsigned long long)(tenths / 10),
			   (unsigned long long)(tenths % 10), units[shift / 10 - 1]);
	}
}

void
view_changes(struct buf *b, uint64_t created, uint64_t modified, uint64_t deleted)
{
	const struct {
		char sign;
		uint64_t count;
	} parts[] = { { '+', created }, { '~', modified }, { '-', deleted } };
	bool first = true;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		if (parts[i].count > 0) {
			buf_printf(b, "%s%c%llu", first ? "" : " ", parts[i].sign,
				   (unsigned long long)parts[i].count);
			first = false;
		}
	}
}

static void
local_time(uint64_t ms, struct tm *ret)
{
	time_t s = (time_t)(ms / 1000);

	if (localtime_r(&s, ret) == NULL) {
		memset(ret, 0, sizeof(*ret)); /* a year that no calendar has */
		ret->tm_mday = 1;
	}
}

enum view_time_style
view_time_style(uint64_t oldest_ms, uint64_t now_ms)
{
	struct tm oldest, now;

	local_time(oldest_ms, &oldest);
	local_time(now_ms, &now);
	if (oldest.tm_year == now.tm_year && oldest.tm_yday == now.tm_yday) {
		return VIEW_TIME_TODAY;
	}
	return oldest.tm_year == now.tm_year ? VIEW_TIME_YEAR : VIEW_TIME_DATE;
}

void
view_time(struct buf *b, uint64_t ms, enum view_time_style style)
{
	static const char *const formats[VIEW_TIME__COUNT] = {
		[VIEW_TIME_TODAY] = "%H:%M:%S",
		[VIEW_TIME_YEAR] = "%m-%d %H:%M",
		[VIEW_TIME_DATE] = "%Y-%m-%d",
		[VIEW_TIME_MINUTE] = "%Y-%m-%d %H:%M",
		[VIEW_TIME_FULL] = "%Y-%m-%d %H:%M:%S %z",
	};
	char text[64];
	struct tm tm;

	local_time(ms, &tm);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* the formats are the table above */
	if (strftime(text, sizeof(text), formats[style], &tm) > 0) {
		buf_puts(b, text);
	}
#pragma GCC diagnostic pop
}

/* ---- columns ------------------------------------------------------------------------------ */

/* Columns of one character: near enough for a table, without a locale. */
static size_t
char_width(uint32_t c)
{
	static const struct {
		uint32_t first, last;
		size_t width;
	} ranges[] = {
		{ 0x0300, 0x036f, 0 },	 { 0x1100, 0x115f, 2 },	  { 0x2e80, 0x303e, 2 },
		{ 0x3041, 0xa4cf, 2 },	 { 0xac00, 0xd7a3, 2 },	  { 0xf900, 0xfaff, 2 },
		{ 0xfe30, 0xfe6f, 2 },	 { 0xff00, 0xff60, 2 },	  { 0xffe0, 0xffe6, 2 },
		{ 0x1f300, 0x1f64f, 2 }, { 0x1f900, 0x1f9ff, 2 }, { 0x20000, 0x3fffd, 2 },
	};

	for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
		if (c >= ranges[i].first && c <= ranges[i].last) {
			return ranges[i].width;
		}
	}
	return 1;
}

/* Bytes of the character at p and its columns. */
static size_t
next_char(const char *p, size_t *ret_width)
{
	uint32_t c = 0;
	size_t n = text_utf8((const uint8_t *)p, strnlen(p, 4), &c);

	*ret_width = n > 0 ? char_width(c) : 1;
	return n > 0 ? n : 1;
}

size_t
view_width(const char *text)
{
	size_t width = 0, one;

	while (*text != '\0') {
		text += next_char(text, &one);
		width += one;
	}
	return width;
}

void
view_cut(struct buf *b, const char *text, size_t columns)
{
	size_t used = 0;

	if (view_width(text) <= columns) {
		buf_puts(b, text);
		return;
	}
	for (;;) {
		size_t one, n = next_char(text, &one);

		if (used + one + 1 > columns) {
			break;
		}
		buf_put(b, text, n);
		text += n;
		used += one;
	}
	if (columns > 0) {
		buf_puts(b, "…");
	}
}

void
view_pad(struct buf *b, const char *text, size_t width, bool right)
{
	size_t used = view_width(text);
	int spaces = used < width ? (int)(width - used) : 0;

	if (right) {
		buf_printf(b, "%*s%s", spaces, "", text);
	} else {
		buf_printf(b, "%s%*s", text, spaces, "");
	}
}

void
view_wrap(struct buf *b, const char *text, size_t indent, size_t columns)
{
	size_t at = indent;
	bool first = true;

	while (*text != '\0') {
		size_t len = strcspn(text, " \n");
		auto_buf word = BUF_INIT;
		size_t width;

		buf_put(&word, text, len);
		width = view_width(buf_text(&word));
		if (!first && at + 1 + width > columns) {
			buf_printf(b, "\n%*s", (int)indent, "");
			at = indent;
			first = true;
		}
		if (!first) {
			buf_putc(b, ' ');
			at++;
		}
		buf_put(b, text, len);
		at += width;
		first = false;
		text += len;
		if (*text == '\n' && text[1] != '\0') {
			buf_printf(b, "\n%*s", (int)indent, "");
			at = indent;
			first = true;
		}
		text += *text != '\0' ? 1 : 0;
	}
	buf_putc(b, '\n');
}

/* ---- other people's bytes ----------------------------------------------------------------- */

static void
unvis_or_as_is(struct buf *raw, const char *spelled)
{
	if (text_unvis(spelled, raw) != 0) {
		buf_puts(raw, spelled);
	}
}

void
view_text(struct buf *b, const char *spelled)
{
	auto_buf raw = BUF_INIT;

	unvis_or_as_is(&raw, spelled);
	text_safe(b, raw.data, raw.len, false);
}

/* A backslash of the name is shown as \134: one look for one name. */
void
view_path(struct buf *b, const char *spelled)
{
	auto_buf raw = BUF_INIT;
	size_t from = 0;

	unvis_or_as_is(&raw, spelled);
	for (size_t i = 0; i <= raw.len; i++) {
		if (i < raw.len && raw.data[i] != '\\') {
			continue;
		}
		if (i > from) {
			text_safe(b, raw.data + from, i - from, false);
		}
		if (i < raw.len) {
			buf_puts(b, "\\134");
		}
		from = i + 1;
	}
}
