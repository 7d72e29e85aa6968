/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tool as an attacker. Runs inside the sandbox under test and, as the control, outside of it;
 * trusts nothing, is trusted with nothing. Every act prints one line "ACT=RESULT": ok, a value, or
 * the name of the errno.
 */
#ifndef ATTACK_H
#define ATTACK_H

#include <stddef.h>
#include <stdint.h>

struct act {
	const char *verb;
	/* argument: what stood behind "verb:", "" without; line: the whole word, for report() */
	void (*run)(const char *line, const char *argument);
};

/* One table per file, ended by a row without a verb. */
extern const struct act acts_files[], acts_kernel[], acts_net[], acts_life[],
	acts_between[];

/* "NAME=ok", or the errno's name when result is below 0. */
void report(const char *name, long result);
void report_text(const char *name, const char *text);
const char *errno_name(int code);

/* The same, for an act that may kill its process: in a child. "killed-N" when signal N ended it. */
void report_child(const char *name, long (*run)(const void *), const void *argument);

struct call {
	const char *name;
	long number;
	uint64_t args[6];
};
void report_call(const struct call *call);

/* Cuts "A,B" in place of a copy: the first half is returned, *ret_rest is the other or "". */
const char *cut(const char *argument, const char **ret_rest);

/*
 * "hand:PATH COMMAND…": starts COMMAND with PATH's descriptor waiting on its stdin. Returns on
 * failure.
 */
void hand_and_exec(const char *path, char **command);

#endif
