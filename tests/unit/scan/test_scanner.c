/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of scanner.c: what it takes, and where it keeps it. Run by anybody. */
#include "scan_world.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../mapping.h"
#include "../scratch.h"

static int
create(const char *item, size_t len, size_t count)
{
	static char bytes[SCAN_VALUE_MAX + 1];
	struct scan_value values[SCAN_VALUES_MAX + 1];
	struct err err = ERR_INIT;
	struct scanner *s = NULL;
	int rc;

	memset(bytes, 'v', sizeof(bytes));
	for (size_t i = 0; i < count; i++) {
		values[i] = (struct scan_value){ item, bytes, len };
	}
	rc = scanner_create(values, count, &s, &err);
	cr_assert_eq(rc, err.code);
	cr_assert_eq(rc == 0, s != NULL);
	scanner_destroy(s);
	return rc;
}

Test(scanner, what_it_takes)
{
	static char name[SCAN_ITEM_MAX + 2];

	cr_assert_eq(create("a", 20, 0), 0);
	cr_assert_eq(create("a", 20, 1), 0);
	cr_assert_eq(create("a", 0, 1), 0);
	cr_assert_eq(create("a", SCAN_VALUE_MAX, 1), 0);
	cr_assert_eq(create("a", SCAN_VALUE_MAX + 1, 1), -E2BIG);
	cr_assert_eq(create("a", 20, SCAN_VALUES_MAX), 0);
	cr_assert_eq(create("a", 20, SCAN_VALUES_MAX + 1), -E2BIG);
	cr_assert_eq(create("", 20, 1), -EINVAL);
	memset(name, 'n', SCAN_ITEM_MAX);
	cr_assert_eq(create(name, 20, 1), 0);
	name[SCAN_ITEM_MAX] = 'n';
	cr_assert_eq(create(name, 20, 1), -EINVAL);
	scanner_destroy(NULL);
}

Test(scanner, too_short_is_said)
{
	const struct scan_value values[] = { value_of("empty", ""), value_of("short", "12345\n"),
					     value_of("least", "123456"),
					     value_of("lines", "\n\n\n\n\r\n") };
	struct world w;

	begin(&w, values, ARRAY_LEN(values));
	cr_assert_eq(scanner_covers(w.scanner, 0), false);
	cr_assert_eq(scanner_covers(w.scanner, 1), false);
	cr_assert_eq(scanner_covers(w.scanner, 2), true);
	cr_assert_eq(scanner_covers(w.scanner, 3), false);
	cr_assert_str_eq(scanner_item(w.scanner, 1), "short");
	expect_cut(&w, "12345 123456 \n\n\n\n", "12345 [redacted:least] \n\n\n\n");
	cr_assert_eq(w.found[0].item, 2u);
	end(&w);
}

Test(scanner, nothing_to_look_for)
{
	struct world w;

	begin(&w, NULL, 0);
	expect_cut(&w, "anything at all", "anything at all");
	end(&w);
}

Test(scanner, its_mapping_is_not_dumped_and_not_inherited)
{
	const struct scan_value value = value_of("gh", "correct horse battery");
	char flags[512];
	struct world w;
	int status;
	pid_t child;

	begin(&w, &value, 1);
	cr_assert_eq(mapping_flags(w.scanner, flags, sizeof(flags)), (uintptr_t)w.scanner,
		     "the mapping is not one of its own");
	cr_assert_not_null(strstr(flags, " dd "), "%s", flags);
	cr_assert_not_null(strstr(flags, " wf "), "%s", flags);
	child = fork();
	if (child == 0) {
		const uint8_t *bytes = (const uint8_t *)w.scanner;

		for (size_t i = 0; i < sizeof(struct scanner); i++) {
			if (bytes[i] != 0) {
				_exit(1);
			}
		}
		_exit(0);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
	end(&w);
}

/* Every four bytes that can begin a match are marked: none is missed by the stride. */
Test(scanner, every_length_has_its_stride)
{
	uint32_t seed = 9;

	for (size_t len = SCAN_VALUE_MIN; len < 60; len++) {
		uint8_t bytes[60], text[400];
		const struct scan_value value = { "k", bytes, len };
		struct world w;

		for (size_t i = 0; i < sizeof(bytes); i++) {
			bytes[i] = (uint8_t)(1 + next_random(&seed) % 255);
		}
		bytes[len - 1] = 'x';
		begin(&w, &value, 1);
		cr_assert_leq(w.scanner->stride, len);
		for (size_t at = 0; at < 70; at++) {
			memset(text, 0, sizeof(text));
			memcpy(text + at, bytes, len);
			feed(&w, text, sizeof(text), &(size_t){ sizeof(text) }, 1);
			cr_assert_eq(w.count, 1u, "%zu bytes at %zu", len, at);
			cr_assert_eq(w.found[0].offset, at);
			feed(&w, text, at + len, &(size_t){ sizeof(text) }, 1);
			cr_assert_eq(w.count, 1u, "%zu bytes at the end, at %zu", len, at);
		}
		end(&w);
	}
}

Test(scanner, no_descriptor_and_no_mapping_is_left)
{
	const unsigned int fds = scratch_count_fds();
	char line[512];
	unsigned int before = 0, after = 0;

	for (int round = 0; round < 2; round++) {
		FILE *f = fopen("/proc/self/maps", "re");

		cr_assert_not_null(f);
		while (fgets(line, sizeof(line), f) != NULL) {
			*(round == 0 ? &before : &after) += 1;
		}
		fclose(f);
		for (int i = 0; round == 0 && i < 50; i++) {
			cr_assert_eq(create("a", SCAN_VALUE_MAX, 1), 0);
		}
	}
	cr_assert_lt(after, before + 20);
	cr_assert_eq(scratch_count_fds(), fds);
}
