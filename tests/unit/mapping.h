/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel says of a mapping of the test's own. Run by anybody. */
#ifndef AIRLOCK_TESTS_MAPPING_H
#define AIRLOCK_TESTS_MAPPING_H

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/*
 * The line of its flags (proc_pid_smaps(5)): " dd " is MADV_DONTDUMP, " dc " MADV_DONTFORK, " wf "
 * MADV_WIPEONFORK; "" where nothing is mapped. Returns where the mapping begins.
 */
static inline uintptr_t
mapping_flags(const void *at, char *ret, size_t size)
{
	FILE *maps = fopen("/proc/self/smaps", "re");
	unsigned long from = 0, to = 0;
	uintptr_t begins = 0;
	char line[512];

	ret[0] = '\0';
	cr_assert_not_null(maps);
	while (fgets(line, sizeof(line), maps) != NULL) {
		unsigned long a, b;

		if (sscanf(line, "%lx-%lx ", &a, &b) == 2) {
			from = a;
			to = b;
		} else if (strncmp(line, "VmFlags:", 8) == 0 && (uintptr_t)at >= from &&
			   (uintptr_t)at < to) {
			snprintf(ret, size, "%s", line);
			begins = from;
		}
	}
	fclose(maps);
	return begins;
}

#endif
