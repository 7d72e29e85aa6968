/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls that are under way, from outside: which ones, a signal to their fronts, their end. For
 * `airlock kill`, `airlock stop`, `airlock workflow pause|resume|stop` and `airlock creds revoke`.
 * airlock-cli, as the caller; what refuses new calls (a ledger's state, stop_set, a manifest) is
 * durable before any of this is called, so that no call slips through.
 */
#ifndef AIRLOCK_CLI_CONTROL_H
#define AIRLOCK_CLI_CONTROL_H

#include <stddef.h>
#include <stdint.h>

#include "../base/err.h"
#include "../base/text.h"
#include "../store/store.h"
#include "../workflow/running.h"

/* The caller's state directory, for reading; nothing is recovered. -ENOENT where there is none. */
int control_open(struct store *ret, struct err *err) must_check;

struct control_list {
	struct running_call *items; /* owned; oldest first */
	size_t count;
};

#define auto_control_list __attribute__((cleanup(control_list_finish))) struct control_list
void control_list_finish(struct control_list *l);
/* Every call that has a file, those without an airlock too. The caller has ret freed either way. */
int control_list(const struct store *s, struct control_list *ret, struct err *err) must_check;

#define CONTROL_WAIT_MS 15000u /* a call that is not dead by then is undead */

/* What is NULL is not asked; a call is meant when all that is asked fits. All NULL: every call. */
struct control_filter {
	const uint8_t *call, *workflow; /* 16 bytes */
	const char *principal; /* the whole name */
	const char *bundle, *item; /* of what is leased to it; both or none */
	bool but_owed; /* not one that serves a lease that is owed: it is what ends the lease */
};

struct control_calls {
	char (*texts)[UUID_TEXT_SIZE]; /* owned; of those that were signalled */
	size_t count;
	size_t unreachable; /* living, and cannot be signalled from here (another pid namespace) */
};

#define auto_control_calls __attribute__((cleanup(control_calls_finish))) struct control_calls
void control_calls_finish(struct control_calls *c);

/*
 * Signals the front of each living call that is meant: RUNNING_SIGNAL_KILL, _FREEZE, _THAW or
 * _LIMITS. One that ended meanwhile is not counted. 0 also where there was none; ret is zeroed
 * before it is handed in, and the caller's to finish either way.
 */
int control_signal(const struct store *s, const struct control_filter *which, int signal,
		   enum running_by by, struct control_calls *ret, struct err *err) must_check;
/* Says on stderr that some cannot be reached; whether there are any. */
bool control_tell_unreachable(const struct control_calls *c);
/*
 * Ends a line that says what was done: how many calls are "ended" (or what `done` is). Where they
 * are to end, waits for that. The exit status: 1 when some have not ended or cannot be reached.
 */
int control_tell(const struct store *s, const struct control_calls *c, bool are_to_end,
		 const char *done) must_check;
/* Waits until they have ended, all together at most timeout_ms; how many have not. */
size_t control_wait(const struct store *s, const struct control_calls *c, uint64_t timeout_ms);

#endif
