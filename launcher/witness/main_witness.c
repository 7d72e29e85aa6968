/* SPDX-License-Identifier: Apache-2.0 */
/*
 * airlock-witness: says of logs that they only grew. `serve` and `new-key` are its operator's, who
 * should not be the one whose log it is; `submit` is started by airlock-log, as the caller.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "verbs.h"

#include "../base/cleanup.h"

static const char usage[] = "usage: airlock-witness VERB [options]\n"
			    "  new-key  make a key\n"
			    "  serve    cosign checkpoints of logs that only grow\n"
			    "  submit   ask a witness for a cosignature (airlock-log does that)\n";

int
verb_fail(int status, const struct err *err)
{
	fprintf(stderr, "airlock-witness: %s\n", err->text);
	return status;
}

int
verb_usage(const char *text, const char *why)
{
	if (why == NULL) {
		fputs(text, stdout);
		return 0;
	}
	if (why[0] != '\0') {
		fprintf(stderr, "airlock-witness: %s\n", why);
	}
	fputs(text, stderr);
	return WITNESS_EXIT_USAGE;
}

int
main(int argc, char **argv)
{
	/* clang-format off */
	static const struct { const char *name; int (*run)(int argc, char **argv); } verbs[] = {
		{ "new-key", verb_new_key },
		{ "serve", verb_serve },
		{ "submit", verb_submit },
	};
	/* clang-format on */

	umask(077);
	if (argc < 2) {
		return verb_usage(usage, "needs a verb");
	}
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (strcmp(argv[1], verbs[i].name) == 0) {
			return verbs[i].run(argc - 1, argv + 1);
		}
	}
	return verb_usage(usage, strcmp(argv[1], "--help") == 0 ? NULL : "no such verb");
}
