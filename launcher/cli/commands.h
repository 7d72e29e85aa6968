/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs of airlock-cli and how their command lines are read. Run as the caller; argv is the
 * caller's. The person typed `airlock`, so that is the name in every message.
 */
#ifndef AIRLOCK_CLI_COMMANDS_H
#define AIRLOCK_CLI_COMMANDS_H

#include <stddef.h>
#include <stdio.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/err.h"

/* Exit of airlock itself when it could not do what was asked for (docs/airlock.1). */
#define EXIT_AIRLOCK 125

struct command {
	const char *name, *synopsis, *help;
	int hidden;
	int (*handler)(int argc, char **argv); /* argv[0] is the verb; returns the exit status */
};

/* Ends with a row whose name is NULL. */
extern const struct command commands[];

/* An option of a verb; also those of run, which the front reads. */
struct command_option {
	const char *verb;
	int letter; /* 0: none */
	const char *name;
	const char *argument; /* its placeholder; NULL or "": none */
	const char *help;
};

const struct command_option *commands_options(size_t *ret_count);

#define COMMAND(name, handler, visibility, synopsis, help) int handler(int argc, char **argv);
#include "commands.def"
#undef COMMAND
#define SUBCOMMAND(name, handler, synopsis, help) int handler(int argc, char **argv);
#include "subcommands.def"
#undef SUBCOMMAND

/* NULL when there is none. A verb below another has both words: "profile list". */
const struct command *commands_find(const char *name);
/* The verb that is nearest to what was typed; NULL when nothing is near. */
const struct command *commands_nearest(const char *name);
/* A verb's help: its options, and the verbs below it. */
void commands_print(const struct command *c, FILE *out);
/* To stdout; 0, -EIO or what the buffer failed with. */
int commands_write(const struct buf *text) must_check;
/* Prints `airlock: text` to stderr; returns status. */
int commands_fail(int status, const struct err *err);

/* ---- one verb's command line -------------------------------------------------------------- */

struct command_line {
	int argc;
	char **argv;
	char **operand; /* in argv, whose words that were read make room for them */
	size_t operands;
};

/*
 * The next option of the verb argv[0] (options.def): 1 with its name and argument (borrowed from
 * argv, NULL when it takes none); 0 at the end, when operand[] is complete; else a negative number,
 * after one line on stderr. --help prints the verb's help and ends with -ECANCELED. What is not
 * positive goes to command_line_end.
 */
int command_line_next(struct command_line *cl, const char **ret_name, const char **ret_argument)
	must_check;
/*
 * After the last option: -1 to go on, else the exit status, where rc of the above says so or the
 * number of operands is not between min and max.
 */
int command_line_end(const struct command_line *cl, int rc, size_t min, size_t max) must_check;
/* All of both, of a verb whose one option is a flag: *ret is set where it is given. */
int command_line_flag(struct command_line *cl, size_t min, size_t max, bool *ret) must_check;

#endif
