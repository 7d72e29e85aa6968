/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock-cli revoke-leases [CALL]`, started by the front as the caller: resolvers are asked to
 * end what they gave. Of a call that has ended, each item is said with what became of it; without
 * one it is what earlier calls left, as far as it is due, and nobody waits.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd_resolver.h"
#include "commands.h"
#include "view_state.h"

#define CALL_SECONDS 12u /* for all of one call's: the front waits */
#define LOCK_MS 4000	 /* a resolver that is told to end ends sooner */

static void
tell(void *arg, enum resolver_paid paid, const struct owed *o, const struct err *err)
{
	static const char *const words[] = { [RESOLVER_REVOKED] = "revoked",
					     [RESOLVER_NONE] = "none",
					     [RESOLVER_PENDING] = "pending",
					     [RESOLVER_BUSY] = "pending",
					     [RESOLVER_NOT_DUE] = "pending" };

	_Static_assert(ARRAY_LEN(words) == RESOLVER_PAID__COUNT, "every end has its word");
	(void)arg, (void)err;
	printf("%s %s\n", words[paid], o->item);
	fflush(stdout);
}

static void
say_nothing(void *arg, enum resolver_paid paid, const struct owed *o, const struct err *err)
{
	(void)arg, (void)paid, (void)o, (void)err;
}

int
cmd_revoke_leases(int argc, char **argv)
{
	struct resolver_walk walk = { .tell = say_nothing, .is_due_only = true };
	auto_store store = STORE_INIT;
	auto_free char *path = NULL;
	struct err err = ERR_INIT;
	int rc = reading_path(&path, &err);

	if (argc > 1) {
		walk = (struct resolver_walk){ .call = argv[1], .wait_ms = LOCK_MS, .tell = tell };
		alarm(CALL_SECONDS);
	}
	rc = rc < 0 ? rc : store_open_write(path, &store, &err);
	rc = rc < 0 ? rc : resolver_revoke(&store, &walk, &err);
	return rc < 0 ? commands_fail(1, &err) : 0;
}
