/* SPDX-License-Identifier: Apache-2.0 */
/*
 * airlock-cli: every verb but `run`. Exec'd by the static front `airlock` with its argv, as the
 * caller. Trusts nothing but the caller's own files; what it prints that came from a tool is
 * escaped.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../base/fdio.h"
#include "../base/text.h"
#include "commands.h"

/* What a person may type instead of the verb. */
static const char *
as_verb(const char *word)
{
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		return "help";
	}
	if (strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0) {
		return "version";
	}
	return word;
}

static int
unknown(const char *word)
{
	const struct command *near = commands_nearest(word);
	auto_buf name = BUF_INIT;

	text_safe(&name, word, strlen(word), false);
	if (near != NULL) {
		fprintf(stderr, "airlock: no verb %s; did you mean %s?\n", buf_text(&name),
			near->name);
	} else {
		fprintf(stderr, "airlock: no verb %s; airlock help lists them\n", buf_text(&name));
	}
	return EXIT_AIRLOCK;
}

int
main(int argc, char **argv)
{
	const struct command *command = NULL;
	int status;

	/* the caller's closed ones stay as good as closed: written to, or read, they fail */
	if (fdio_plug_standard(O_WRONLY, O_RDONLY) < 0) {
		return EXIT_AIRLOCK;
	}
	if (argc < 2) {
		return cmd_help(0, NULL);
	}
	command = commands_find(as_verb(argv[1]));
	if (command == NULL) {
		return unknown(argv[1]);
	}
	status = command->handler(argc - 1, argv + 1);
	/* a full disk behind stdout must not look like success */
	if ((fflush(stdout) != 0 || ferror(stdout) != 0) && status == 0) {
		perror("airlock: standard output");
		status = 1;
	}
	return status;
}
