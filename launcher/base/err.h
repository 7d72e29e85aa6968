/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What went wrong, for a person: a fixed text that the caller owns, built outward (the innermost
 * call sets it, callers put context before it) and printed once, by a main. Never allocates.
 * Every function takes NULL for "nobody wants the text".
 */
#ifndef AIRLOCK_BASE_ERR_H
#define AIRLOCK_BASE_ERR_H

#include <stddef.h>

#define ERR_TEXT_MAX 1024

struct err {
	int code;                /* negative errno of the innermost failure, 0 when none */
	char text[ERR_TEXT_MAX]; /* one line, no newline at its end; cut when too long */
};

#define ERR_INIT { .code = 0, .text = "" }

/* Sets code and text; returns code, so that `return err_set(err, -EINVAL, "…")` reads well. */
int err_set(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* The same, with ": " and the system's words for -code at the end. */
int err_sys(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* Puts context before the text: "context: text". */
void err_prefix(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
