/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs of airlock-witness: each takes argc and argv from the verb on, returns the exit. */
#ifndef AIRLOCK_WITNESS_VERBS_H
#define AIRLOCK_WITNESS_VERBS_H

#include "../base/err.h"

#define WITNESS_EXIT_CONFLICT \
	4 /* of submit: the old size is not what the witness has (it is printed) */
#define WITNESS_EXIT_USAGE 125

int verb_new_key(int argc, char **argv);
int verb_serve(int argc, char **argv);
int verb_submit(int argc, char **argv);

/* Prints "airlock-witness: text"; returns status. */
int verb_fail(int status, const struct err *err);
/* Prints what is wrong with the command line, or its help; returns the status. */
int verb_usage(const char *usage, const char *why);

#endif
