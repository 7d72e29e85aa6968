/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who wrote which part of a file: the versions that calls left of it, one after the other, and from
 * which of them each line of the last one comes. airlock-cli only, as the caller. Paths and
 * contents are the tools'.
 */
#ifndef AIRLOCK_CLI_VIEW_BLAME_H
#define AIRLOCK_CLI_VIEW_BLAME_H

#include <sys/types.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/sha256.h"
#include "view_page.h"
#include "view_record.h"

#define BLAME_NONE SIZE_MAX

/* ---- the lines (view_blame_trace.c, pure but for diff(1)) ------------------------------------ */

struct blame_version {
	const struct buf *content; /* borrowed; NULL: not known */
	size_t restores;	   /* the version before it that an undo brought back; BLAME_NONE */
};

/*
 * The steps that a line can come from: those behind version `from`, where it was not there, up to
 * version `to`, where it is. from BLAME_NONE: no version before `to` is known. Step i leads to
 * version i; step 0 is what was there before all.
 */
struct blame_origin {
	size_t from, to;
};

/* A run of lines from one origin; first counts from 1. */
struct blame_part {
	size_t first, count;
	struct blame_origin origin;
};

/*
 * The parts of the last version, in order, owned by the caller (free). by_line false: the content
 * is one part. -EINVAL when the last version is not known. Two versions that diff(1) cannot compare
 * are as if the older one was not known.
 */
int blame_trace(const struct blame_version *versions, size_t count, bool by_line,
		struct blame_part **ret_parts, size_t *ret_count, struct err *err) must_check;

/* ---- the history (view_blame_history.c) ------------------------------------------------------ */

/* What stands at the path. */
struct blame_state {
	char type;     /* 'f' file, 'l' link, 'd' directory, '?' anything else, '-' nothing */
	uint64_t size; /* of a file in a change set; else 0 */
	bool has_digest;
	uint8_t digest[SHA256_SIZE]; /* of a file's bytes or a link's target */
	bool has_content;
	struct buf content; /* what has no bytes has none, and that is known */
	const char *why;    /* static; why there is no content; NULL */
};

struct blame_call {
	struct record record;
	char *path; /* from its workspace down, raw */
	struct blame_state before, after;
	const char *kind; /* static */
};

#define BLAME_OUTSIDE SIZE_MAX

/* A version, and what led to it. */
struct blame_step {
	size_t call;  /* in calls[], or BLAME_OUTSIDE */
	bool is_undo; /* the call was taken back */
	uint64_t t_ms;
	int64_t uid; /* who applied or took back; -1: the call committed by itself */
	struct blame_state state;
	size_t restores; /* as blame_version has it */
};

struct blame_history {
	struct buf path; /* absolute, raw */
	struct blame_call *calls;
	size_t call_count;
	struct blame_step *steps;
	size_t count, cap;
	bool by_line;	      /* what is there now is a text that can be compared by line */
	uint64_t mtime_ms;    /* of what is there now, as it says itself; 0: nothing is */
	uint64_t uncommitted; /* calls that touched it and whose changes are not in the workspace */
	uint64_t forgotten;   /* calls of the store that nobody knows anything of any more */
	uint64_t unlisted;    /* calls whose list is not in the store, so that they may have */
};

#define BLAME_HISTORY_INIT       \
	{                        \
		.path = BUF_INIT \
	}
#define auto_blame_history __attribute__((cleanup(blame_history_finish))) struct blame_history

/*
 * Every step that the store knows of the absolute path, and what is there now as the last state.
 * -EISDIR, and what opening the file says.
 */
int blame_history_load(struct reading *r, const struct buf *path, struct blame_history *ret,
		       struct err *err) must_check;
void blame_history_finish(struct blame_history *h);

/* ---- for a person, for a program (view_blame_page.c, view_blame_json.c) ---------------------- */

/* Where the profile of a call says that it may write, as far as it is the same today. */
struct blame_rule {
	struct buf place; /* "python.yaml:14"; empty: the profile is another today, or gone */
};

struct blame {
	const struct blame_history *history;
	const struct blame_part *parts;
	size_t part_count;
	const struct blame_rule *rules; /* one per call */
};

int blame_print(struct page *p, const struct blame *b) must_check;
int blame_json(const struct blame *b, struct buf *out) must_check;
/* The steps of a part: the first, and how many; 0: what was there before all is one of them. */
size_t blame_steps(const struct blame_part *part, size_t *ret_first);

#endif
