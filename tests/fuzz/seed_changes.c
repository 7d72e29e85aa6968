/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the first inputs for fuzz_changes into a directory. Run by the developer or CI. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../../launcher/base/fdio.h"
#include "../unit/snapshot/changes_golden.h"

static int
write_seed(const char *dir, const char *name, const char *text)
{
	char path[4096];
	auto_fd fd = -1;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path)) {
		return -1;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	return fd < 0 ? -1 : fdio_write(fd, text, strlen(text));
}

int
main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: seed_changes DIRECTORY\n");
		return 2;
	}
	if (write_seed(argv[1], "golden", CHANGES_GOLDEN) < 0 ||
	    write_seed(argv[1], "empty", CHANGES_GOLDEN_HEADER) < 0 ||
	    write_seed(argv[1], "link",
		       CHANGES_GOLDEN_HEADER "create - 120777 - - - - 3:a/b 4:../c\n"
					     "delete 120777 - - - aa" ZEROS_62 " - 1:x -\n"
					     "mode 010600 010644 - - - - 2:\\304\\200 -\n") < 0) {
		perror("seed_changes");
		return 1;
	}
	return 0;
}
