/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the output of a tool that has a terminal (-t) safe for a person's own: editors and pagers
 * work, nothing reaches beyond the screen. An allow-list of whole sequences; each passes complete
 * or not at all, so that the person's terminal is never left in the middle of one. Passed are
 *  - text as term_filter knows it, newline, tab, carriage return, backspace, bell;
 *  - colours (SGR); moving, erasing, inserting, deleting, scrolling, tabs; the cursor's shape;
 *  - the private modes of a table: cursor, wrapping, the other screen, mouse, focus, paste;
 *  - ESC 7 8 = > M D E, line drawing (ESC ( 0 and the like, SO, SI).
 * Everything else is dropped, since shown as text it would only destroy the picture: OSC, DCS, APC,
 * PM, SOS (to their end), device queries, window operations, the scroll-back (CSI 3 J), media copy,
 * resets, keyboard protocols, palettes, and what could not be put back: tab stops, origin mode. A
 * byte that is no UTF-8 becomes U+FFFD; what reorders or hides text is dropped. What a tool left
 * switched is switched back by the flush. Pure; growth errors are in out (buf_error). Sources:
 * ECMA-48; xterm's ctlseqs; terminfo of Debian.
 */
#ifndef AIRLOCK_SUPERVISE_TERM_SCREEN_H
#define AIRLOCK_SUPERVISE_TERM_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"

/*
 * Legal moves: GROUND -> UTF8 | ESCAPE; ESCAPE -> CSI | STRING; STRING -> STRING_ESCAPE -> ESCAPE;
 * each -> GROUND.
 */
enum term_screen_state {
	SCREEN_GROUND,
	SCREEN_UTF8,
	SCREEN_ESCAPE,
	SCREEN_CSI,
	SCREEN_STRING,        /* dropped up to its terminator */
	SCREEN_STRING_ESCAPE, /* an ESC in it, which may be half of the terminator */
	SCREEN__COUNT
};

struct term_screen {
	enum term_screen_state state;
	uint8_t held[64];   /* a sequence or UTF-8 character that is not complete yet */
	size_t held_len;    /* up to 65: one more than fits is too long to pass */
	bool bell_ends;     /* the string is an OSC */
	uint32_t switched;  /* private modes that are not as they were, by their row */
	bool coloured, inserting, keypad, region, drawing, shifted, shaped;
	bool restored;      /* a saved cursor was put back, with the colours it was saved with */
};

void term_screen_put(struct term_screen *s, const void *data, size_t len, struct buf *out);
/*
 * While the caller's shell has the terminal: back, and later again what a tool that draws its
 * screen anew takes for granted.
 */
void term_screen_undo(const struct term_screen *s, struct buf *out);
void term_screen_redo(const struct term_screen *s, struct buf *out);
/* Switches back what is not as it was, and forgets what was held. */
void term_screen_flush(struct term_screen *s, struct buf *out);
/*
 * Of what was put, an end of unknown length was not shown: switches back all that could be
 * switched, from the middle of a sequence too.
 */
void term_screen_give_up(struct term_screen *s, struct buf *out);

#endif
