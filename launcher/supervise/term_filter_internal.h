/* SPDX-License-Identifier: Apache-2.0 */
/* What term_filter.c and term_screen.c judge alike. */
#ifndef AIRLOCK_SUPERVISE_TERM_FILTER_INTERNAL_H
#define AIRLOCK_SUPERVISE_TERM_FILTER_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool term_is_plain(uint8_t c);            /* ASCII that only writes */
bool term_is_hidden(uint32_t character);  /* reorders, hides or breaks lines without a glyph */
/* Bytes of the UTF-8 character that this byte begins, 0 when it begins none. */
size_t term_utf8_length(uint8_t c);

#endif
