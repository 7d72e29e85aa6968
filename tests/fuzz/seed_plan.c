/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes the first inputs for fuzz_plan into a directory. Run by the developer or CI.
 *
 *   cc -std=gnu17 -D_GNU_SOURCE -o seed_plan tests/fuzz/seed_plan.c launcher/plan/plan_codec.c \
 *      launcher/base/buf.c launcher/base/fdio.c
 *   seed_plan DIRECTORY
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../../launcher/base/fdio.h"
#include "../unit/plan/plan_sample.h"

static int
write_seed(const char *dir, const char *name, const struct plan *p)
{
	char path[4096];
	auto_buf bytes = BUF_INIT;
	auto_fd fd = -1;

	plan_encode(p, &bytes);
	if (buf_error(&bytes) < 0 ||
	    snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path)) {
		return -1;
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	return fd < 0 ? -1 : fdio_write(fd, bytes.data, bytes.len);
}

int
main(int argc, char **argv)
{
	struct plan full, bare;
	int rc;

	if (argc != 2) {
		fprintf(stderr, "usage: seed_plan DIRECTORY\n");
		return 2;
	}
	plan_sample(&full);
	plan_sample(&bare);
	bare.argc = 1;
	bare.envc = bare.group_count = bare.mount_count = bare.rule_count = bare.rlimit_count = 0;
	bare.filter_len = bare.init_filter_len = 0;
	rc = write_seed(argv[1], "full", &full);
	if (rc == 0) {
		rc = write_seed(argv[1], "bare", &bare);
	}
	for (size_t i = 0; rc == 0 && i < full.mount_count; i++) {
		struct plan one = bare;
		char name[32];

		one.mounts = &full.mounts[i];
		one.mount_count = 1;
		snprintf(name, sizeof(name), "mount-%zu", i);
		rc = write_seed(argv[1], name, &one);
	}
	if (rc < 0) {
		perror("seed_plan");
	}
	return rc < 0;
}
