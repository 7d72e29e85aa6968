/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes a tool's output safe for a person's terminal. An allow-list: printable UTF-8, newline, tab,
 * carriage return, backspace, and SGR (colours: CSI digits ; : m, at most 64 bytes). Everything
 * else that could act on the terminal (OSC, DCS, APC, PM, SOS, device queries, mode setting,
 * charset shifts, all other CSI, bell) is shown as text, byte by byte: ESC as "\033". So are bytes
 * that are not UTF-8 (8-bit C1 controls among them), U+0080 to U+009F, and characters that reorder
 * or hide text (CVE-2021-42574). For terminals that speak UTF-8: in an 8-bit one the bytes of a
 * valid character could be C1 controls. A sequence may be cut anywhere between two calls. Colours
 * that the tool leaves on are reset by the flush, so that it cannot hide the line that we print
 * after it. Pure; growth errors are in out (buf_error). Sources: ECMA-48, ISO 6429; xterm's
 * ctlseqs; RFC 3629.
 */
#ifndef AIRLOCK_SUPERVISE_TERM_FILTER_H
#define AIRLOCK_SUPERVISE_TERM_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"

struct term_filter {
	uint8_t held[64]; /* a sequence or UTF-8 character that is not complete yet */
	size_t held_len;
	bool coloured;    /* an SGR passed that was not a reset */
};

/*
 * Where a write of what a filter made ended, which may be anywhere: a terminal takes what it has
 * room for. What another stream writes there next would complete what is open: "CSI 0" is the
 * beginning of a colour, "6n" is plain text, and both are a query.
 */
struct term_cut {
	bool sequence;         /* inside an SGR */
	size_t character_left; /* bytes of a UTF-8 character that are to come */
};

void term_cut_follow(struct term_cut *c, const void *written, size_t len);
bool term_cut_is_whole(const struct term_cut *c);
/* How much of what is to be written next makes it whole; len when that does not. */
size_t term_cut_rest(const struct term_cut *c, const void *next, size_t len);

void term_filter_init(struct term_filter *f);
void term_filter_put(struct term_filter *f, const void *data, size_t len, struct buf *out);
/* What was held at the end, escaped; then the reset of colours. */
void term_filter_flush(struct term_filter *f, struct buf *out);

#endif
