/* SPDX-License-Identifier: Apache-2.0 */
/* `airlock recover`: what a crash left of commits. Runs in airlock-cli as the caller. */
#include <errno.h>

#include "commands.h"
#include "settle_recover.h"
#include "view_state.h"

int
cmd_recover(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	auto_store store = STORE_INIT;
	auto_free char *path = NULL;
	const char *name, *argument;
	struct err err = ERR_INIT;
	bool quiet = false;
	int rc;

	while ((rc = command_line_next(&cl, &name, &argument)) > 0) {
		quiet = true; /* the only option there is */
	}
	rc = command_line_end(&cl, rc, 0, 0);
	if (rc >= 0) {
		return rc;
	}
	rc = reading_path(&path, &err);
	rc = rc < 0 ? rc : store_open_write(path, &store, &err);
	if (rc < 0) {
		return commands_fail(1, &err);
	}
	if (commit_is_left(&store) == 0) {
		if (!quiet) {
			puts("nothing to recover");
		}
		return 0;
	}
	/* what could not be done was told, call by call */
	return settle_recover_all(&store, quiet, &err) < 0 ? 1 : 0;
}
