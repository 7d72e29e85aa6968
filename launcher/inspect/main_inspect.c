/* SPDX-License-Identifier: Apache-2.0 */
/*
 * airlock-inspect: prints what a sandbox can see. Run by whoever wants to know, as the tool: inside
 * airlock, inside another launcher, or on the host, to compare. It needs nothing and trusts
 * nothing. Of variables and credentials it knows names; no value is looked at but those of HOME and
 * CREDENTIALS_DIRECTORY, which name directories.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "inspect.h"

#define STATUS_MAX (64u << 10)
#define MOUNTS_MAX (16u << 20)
#define EXIT_USAGE 2

static const struct section {
	const char *name;
	void (*see)(struct look *l);
	const char *sentence;
} sections[] = {
#define SECTION(name, function, sentence) { name, function, sentence },
#include "sections.def"
#undef SECTION
};

static int
help(void)
{
	printf("usage: airlock-inspect [--json] [SECTION...]\n\n"
	       "Prints what a process here can see and do. Sections:\n");
	for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
		printf("  %-13s %s\n", sections[i].name, sections[i].sentence);
	}
	return ferror(stdout) != 0 || fflush(stdout) != 0;
}

static bool
is_section(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
		if (strcmp(sections[i].name, word) == 0) {
			return true;
		}
	}
	return false;
}

/* None named: all of them. */
static bool
is_wanted(const char *name, char **words)
{
	bool all = *words == NULL;

	for (; !all && *words != NULL; words++) {
		if (strcmp(*words, name) == 0) {
			return true;
		}
	}
	return all;
}

static int
inspect(bool is_json, char **words)
{
	auto_buf out = BUF_INIT;
	struct report report;
	struct look l = { .report = &report,
			  .status = BUF_INIT,
			  .mounts = BUF_INIT,
			  .environment = (const char *const *)environ };
	int rc;

	ignore_err(fdio_slurp_at(AT_FDCWD, "/proc/self/status", STATUS_MAX, &l.status),
		   "then it is empty, and says nothing");
	ignore_err(fdio_slurp_at(AT_FDCWD, "/proc/self/mountinfo", MOUNTS_MAX, &l.mounts),
		   "then it is empty, and says nothing");
	report_init(&report, &out, is_json);
	for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
		if (is_wanted(sections[i].name, words)) {
			sections[i].see(&l);
		}
	}
	rc = report_finish(&report);
	if (rc == 0) {
		rc = fdio_write(STDOUT_FILENO, out.data, out.len);
	}
	buf_finish(&l.status);
	buf_finish(&l.mounts);
	arena_finish(&l.arena);
	if (rc < 0) {
		fprintf(stderr, "airlock-inspect: the report could not be written: %s\n",
			strerror(-rc));
	}
	return rc < 0;
}

int
main(int argc, char **argv)
{
	bool is_json = false;
	int i = 1;

	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			is_json = true;
		} else if (strcmp(argv[i], "--help") == 0) {
			return help();
		} else if (strcmp(argv[i], "--version") == 0) {
			return printf("airlock-inspect " AIRLOCK_VERSION "\n") < 0;
		} else {
			fprintf(stderr, "airlock-inspect: see airlock-inspect --help\n");
			return EXIT_USAGE;
		}
	}
	for (int n = i; n < argc; n++) {
		if (!is_section(argv[n])) {
			fprintf(stderr, "airlock-inspect: see airlock-inspect --help\n");
			return EXIT_USAGE;
		}
	}
	return inspect(is_json, argv + i);
}
