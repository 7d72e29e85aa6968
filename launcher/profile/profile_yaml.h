/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The strict YAML reader: bytes to a tree with a place at every node, and errors told at those
 * places with the line and a caret. For files that people write: profiles, and the manifests of
 * bundles. Runs in airlock-cli, as the caller. The tree and what it borrows live in an arena of the
 * caller's.
 */
#ifndef AIRLOCK_PROFILE_PROFILE_YAML_H
#define AIRLOCK_PROFILE_PROFILE_YAML_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"

#define PROFILE_ERRORS_MAX 20  /* errors told in one run */
#define PROFILE_NESTING_MAX 8  /* YAML nesting; the schemas need 3 */
#define PROFILE_NODES_MAX 8192 /* keys and values of a file; look-ups are linear */

/* ---- arena (profile_codec.c): zeroed memory that is freed at once ---------------------------- */

struct profile_chunk {
	struct profile_chunk *next;
	size_t used, size;
	_Alignas(16) uint8_t bytes[];
};

struct profile_arena {
	struct profile_chunk *chunks; /* owned; the newest first */
	bool failed;		      /* an allocation failed */
};

#define auto_arena __attribute__((cleanup(profile_arena_finish))) struct profile_arena

void profile_arena_finish(struct profile_arena *a);
/* Zeroed; NULL when there is no memory (and a->failed). */
void *profile_arena_get(struct profile_arena *a, size_t count, size_t size);
char *profile_arena_text(struct profile_arena *a, const char *text, size_t len);

/* ---- places and the report ------------------------------------------------------------------- */

struct profile_source {
	const char *path;    /* as it is shown */
	const uint8_t *data; /* the bytes, for the source line; NULL when they were not read */
	size_t len;
	const char *what;   /* "bundle"; NULL: "profile" */
	const char *begins; /* how such a file begins; NULL: "version: 1 and name: NAME" */
};

/* Lines and columns count from 1, columns in characters. line 0: the file as a whole. */
struct profile_place {
	const struct profile_source *source;
	unsigned int line, column, width; /* width: characters under the caret, at least 1 */
};

struct profile_report {
	struct buf *out;    /* borrowed */
	unsigned int count; /* errors so far, also those not told any more */
};

/* "file:line:col: error: text", the source line, the caret. Bytes of the file are escaped. */
void profile_report_at(struct profile_report *r, const struct profile_place *at, const char *fmt,
		       ...) __attribute__((format(printf, 3, 4)));
/* "file:line:col: note: text" below the error before. */
void profile_report_note(struct profile_report *r, const struct profile_place *at, const char *fmt,
			 ...) __attribute__((format(printf, 3, 4)));
/* "" or "; did you mean 'x'?" into text; returns text. */
const char *profile_hint(char *text, size_t size, const char *nearest);

/* ---- the YAML tree (profile_yaml.c) ---------------------------------------------------------- */

enum profile_node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP, NODE__COUNT };

struct profile_node {
	enum profile_node_kind kind;
	struct profile_place at;
	const char *text; /* of a scalar; NUL-terminated, no NUL inside */
	bool empty;	  /* a plain scalar with nothing in it (null) */
	const char *key;  /* of an entry of a map, else NULL */
	struct profile_place key_at;
	struct profile_node *first, *last, *next;
};

/*
 * Strict YAML: one document, no anchors, aliases, tags, merge keys, directives, tabs, control
 * bytes; UTF-8; at most CAP_PROFILE_FILE bytes. NULL when anything was reported. airlock-cli only
 * (libfyaml).
 */
struct profile_node *
profile_yaml_parse(struct profile_arena *a, const struct profile_source *source,
		   struct profile_report *report);

#endif
