/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives a target every file of the directories that are named, once, where there is no libFuzzer:
 * for `make coverage`. Run by a developer.
 */
#include <dirent.h>
#include <fcntl.h>

#include "../../launcher/base/fdio.h"
#include "fuzz.h"

#define INPUT_MAX (1u << 20)

static int
replay(int dir_fd, const char *name)
{
	auto_buf input = BUF_INIT;
	auto_free uint8_t *exact = NULL;
	int rc = fdio_slurp_file_at(dir_fd, name, INPUT_MAX, &input);

	exact = rc == 0 ? malloc(input.len + 1) : NULL;
	if (exact != NULL) {
		memcpy(exact, buf_text(&input), input.len);
		LLVMFuzzerTestOneInput(exact, input.len);
	}
	return rc;
}

int
main(int argc, char **argv)
{
	size_t count = 0;

	for (int i = 1; i < argc; i++) {
		auto_dir dir = NULL;

		if (fdio_list_dir(AT_FDCWD, argv[i], 0, &dir) < 0) {
			fprintf(stderr, "%s cannot be listed\n", argv[i]);
			return 1;
		}
		for (struct dirent *e = readdir(dir); e != NULL; e = readdir(dir)) {
			count += e->d_name[0] != '.' && replay(dirfd(dir), e->d_name) == 0;
		}
	}
	printf("%zu inputs\n", count);
	return count == 0;
}
