/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock recover`: what a crash left of commits, of calls, and of workflows. Runs in airlock-cli
 * as the caller; also started by the front.
 */
#include "cmd_recover.h"

#include "commands.h"
#include "settle_recover.h"

int
recover_state(struct store *store, bool quiet, struct err *err)
{
	auto_reading reading = READING_INIT;
	struct recovery r = { .store = store, .reading = &reading, .quiet = quiet };
	bool commits_left = commit_is_left(store) != 0;
	struct err told = ERR_INIT;
	int rc;

	/* first: what they append is the end of their calls */
	if (commits_left && settle_recover_all(store, quiet, &told) < 0) {
		r.failed++;
	}
	rc = reading_open_raw(&reading, err);
	if (rc < 0) {
		return rc;
	}
	recover_calls(&r);
	recover_workflows(&r);
	recover_leases(&r);
	if (!quiet && !commits_left && r.found == 0 && r.failed == 0) {
		puts("nothing to recover");
	}
	return r.failed > 0 ? 1 : 0;
}

int
cmd_recover(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	auto_store store = STORE_INIT;
	auto_free char *path = NULL;
	struct err err = ERR_INIT;
	bool quiet = false;
	int rc = command_line_flag(&cl, 0, 0, &quiet);

	if (rc >= 0) {
		return rc;
	}
	rc = reading_path(&path, &err);
	rc = rc < 0 ? rc : store_open_write(path, &store, &err);
	rc = rc < 0 ? rc : recover_state(&store, quiet, &err);
	return rc < 0 ? commands_fail(1, &err) : rc;
}
