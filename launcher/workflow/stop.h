/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stop button: what refuses every new call of a state directory, or those of one principal,
 * until it is released (`airlock stop`). A file for each in $STATE/stop (docs/formats.md, "Stop").
 * Looked at by the front after its file in running/ is there, set by airlock-cli before it looks
 * there: no call slips through between the two.
 */
#ifndef AIRLOCK_WORKFLOW_STOP_H
#define AIRLOCK_WORKFLOW_STOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/err.h"
#include "../store/store.h"

struct stop_order {
	uint64_t since_ms;
	uid_t uid;	     /* who stopped it */
	char reason[256];    /* "" */
	char principal[129]; /* whose calls, cut; "": everybody's; "?": the file does not say */
};

/*
 * Whether a call of this principal (NULL or "": none) is stopped: 1 and the order that says so, 0,
 * or -errno. One that is there and cannot be read stops, too.
 */
int stop_find(const struct store *s, const char *principal, struct stop_order *ret) must_check;
/*
 * principal NULL: all. In the place of what was there; order->principal is not looked at. Every
 * front sees it when it returns 0, and a power cut may take it back until stop_sync: those that are
 * under way are told to end in between, and do not wait for a disk. Where a full disk has no room
 * for the order, its file stops all the same, without reason, or as it stood there before.
 */
int stop_set(const struct store *s, const char *principal, const struct stop_order *order,
	     struct err *err) must_check;
/* Durable when it returns 0. */
int stop_sync(const struct store *s, const char *principal, struct err *err) must_check;
/* -ENOENT where nothing was stopped. Durable when it returns 0. */
int stop_release(const struct store *s, const char *principal, struct err *err) must_check;
/*
 * Calls fn for every order, in no order, until it returns other than 0, which is returned. One that
 * cannot be read is passed with what is known.
 */
int stop_each(const struct store *s, int (*fn)(void *arg, const struct stop_order *order),
	      void *arg, struct err *err) must_check;

#endif
