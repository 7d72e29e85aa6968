/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock witness`: becomes airlock-witness, which has its own libraries. Runs in airlock-cli as
 * the caller; the words are the caller's, handed on as they are.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd_profile.h"
#include "commands.h"

int
cmd_witness(int argc, char **argv)
{
	auto_places places = { .programs = NULL };
	auto_free const char **words = calloc((size_t)argc + 2, sizeof(*words));
	auto_buf path = BUF_INIT;
	struct err err = ERR_INIT;

	if (words == NULL) {
		err_set(&err, -ENOMEM, "out of memory");
		return commands_fail(EXIT_AIRLOCK, &err);
	}
	if (places_find(&places, &err) < 0) {
		return commands_fail(EXIT_AIRLOCK, &err);
	}
	/* argv[0] has both words: "witness serve" */
	words[0] = "airlock-witness";
	words[1] = strchr(argv[0], ' ') + 1;
	for (int i = 1; i < argc; i++) {
		words[i + 1] = argv[i];
	}
	buf_printf(&path, "%s/airlock-witness", places.programs);
	execv(buf_text(&path), (char *const *)(uintptr_t)words);
	err_sys(&err, -errno, "%s (is it installed?)", buf_text(&path));
	return commands_fail(EXIT_AIRLOCK, &err);
}
