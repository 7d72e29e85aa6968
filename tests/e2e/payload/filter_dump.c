/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the compiled, checked filter of the named groups to a file, for the filter's live test.
 * Run by tests/e2e/filter_live.sh.   filter_dump FILE notify|errno|init [GROUP…]
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "../../../launcher/base/fdio.h"
#include "../../../launcher/plan/filter.h"

int
main(int argc, char **argv)
{
	struct filter_program f = { .insns = NULL, .len = 0 };
	struct err err = ERR_INIT;
	auto_fd fd = -1;
	int r;

	if (argc < 3) {
		fprintf(stderr, "usage: filter_dump FILE notify|errno|init [GROUP…]\n");
		return 2;
	}
	if (strcmp(argv[2], "init") == 0) {
		r = filter_compile_init(&f, &err);
	} else {
		const char *const *groups = (const char *const *)(argv + 3);
		size_t count = (size_t)argc - 3;
		bool notify = strcmp(argv[2], "notify") == 0;

		r = filter_compile(groups, count, notify, &f, &err);
		if (r == 0) {
			r = filter_check(&f, groups, count, notify, &err);
		}
	}
	if (r < 0) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	r = fd < 0 ? -1 : fdio_write(fd, f.insns, f.len * sizeof(f.insns[0]));
	printf("%u instructions\n", f.len);
	filter_finish(&f);
	return r < 0 ? 1 : 0;
}
