/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock profile check`: reads each profile as a call would, compiles and checks its filters, and
 * tells all errors. Runs in airlock-cli as the caller.
 */
#include <stdio.h>
#include <string.h>

#include "../base/text.h"
#include "cmd_profile.h"
#include "commands.h"

static int
check(const struct profile_request *request, struct buf *report, struct err *err)
{
	auto_loaded loaded = { .profile = NULL };
	auto_filters filters = { .tool.insns = NULL };
	auto_buf source = BUF_INIT;
	int rc = profile_load(request, &loaded, report, err);

	if (rc == 0) {
		rc = profile_filters_make(loaded.profile, &filters, err);
	}
	if (rc < 0) {
		return rc;
	}
	text_safe(&source, loaded.profile->source, strlen(loaded.profile->source), false);
	printf("ok %s\n", buf_text(&source));
	return 0;
}

int
cmd_profile_check(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	auto_places places = { .shipped = NULL };
	struct err err = ERR_INIT;
	const char *name, *argument;
	int rc = command_line_next(&cl, &name, &argument);
	int status = 0;

	rc = command_line_end(&cl, rc, 1, SIZE_MAX);
	if (rc >= 0) {
		return rc;
	}
	if (places_find(&places, &err) < 0) {
		return commands_fail(EXIT_AIRLOCK, &err);
	}
	for (size_t i = 0; i < cl.operands; i++) {
		const struct profile_request request =
			profile_request_of(cl.operand[i], places.shipped);
		auto_buf report = BUF_INIT;

		if (check(&request, &report, &err) < 0) {
			/* In the order of the operands, where both go to one place. */
			fflush(stdout);
			status = profile_fail(1, &report, &err);
		}
	}
	return status;
}
