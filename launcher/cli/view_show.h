/* SPDX-License-Identifier: Apache-2.0 */
/* The three parts of `airlock show`. airlock-cli only, as the caller; see cmd_show.c. */
#ifndef AIRLOCK_CLI_VIEW_SHOW_H
#define AIRLOCK_CLI_VIEW_SHOW_H

#include "view_page.h"
#include "view_record.h"

void show_saw(struct page *p, const struct record *rec);
void show_decided(struct page *p, const struct record *rec);
void show_touched(struct page *p, const struct record *rec);

/* A fact from a string of the record; "-" when it is absent. */
void show_text(struct page *p, const char *label, const json_t *object, const char *member);
/* A fact from an array of strings, joined by spaces; "none" when it is empty. */
void show_strings(struct page *p, const char *label, const json_t *array);
/* "1.2 KiB, all kept", its digest below. */
void show_stream(struct page *p, const char *label, const json_t *stream);

#endif
