/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of `airlock show`. airlock-cli only, as the caller; see cmd_show.c. */
#ifndef AIRLOCK_CLI_VIEW_SHOW_H
#define AIRLOCK_CLI_VIEW_SHOW_H

#include "view_page.h"
#include "view_record.h"

/* How the call ended and what became of its changes: one sentence, safe to print. */
void show_sentence(struct buf *b, const struct record *rec);
enum view_color show_sentence_color(const struct record *rec);

/* "done 2026-01-31 12:00 by uid 1000": one of resolves[], without its reason. */
void show_resolve(struct buf *b, const json_t *resolve, enum view_time_style style);

void show_head(struct page *p, const struct record *rec);
/* What a person looks for first; nothing at all when there is nothing of it. */
void show_findings(struct page *p, const struct record *rec);
/* What is known of a call that has no outcome, and what can be done; nothing of others. */
void show_unknown(struct page *p, const struct reading *r, const struct record *rec);
/* r gives the first lines of long streams; NULL: of those only that stand in the record. */
void show_saw(struct page *p, struct reading *r, const struct record *rec);
void show_decided(struct page *p, const struct record *rec);
void show_touched(struct page *p, struct reading *r, const struct record *rec);

/* A fact from a string of the record; "-" when it is absent. */
void show_text(struct page *p, const char *label, const json_t *object, const char *member);
/* Appends an array of strings, joined. */
void show_strings(struct buf *b, const json_t *array, const char *between);
/* Members of an object, one fact each; nested values as the JSON they are. */
void show_object(struct page *p, const char *label, const json_t *object);
/* stdin, stdout or stderr: size, what was kept, how to read it, its first lines. */
void show_stream(struct page *p, struct reading *r, const struct record *rec, const char *name);
/* One of denials[]: "system call ptrace, 3 times, by python.yaml:14: why". */
void show_denial(struct buf *b, const json_t *denial);
/* The limits that the call reached: "pids 40 of 40"; nothing when none. */
void show_reached(struct buf *b, const struct record *rec);
/* Whether a person must decide about the change. */
bool show_is_held(const json_t *item);

#endif
