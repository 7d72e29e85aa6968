/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One system call against a profile's groups, by the table. Runs in airlock-cli. Pure; name and
 * arguments may be anything.
 */
#include <errno.h>
#include <string.h>

#include "../base/nearest.h"
#include "filter_internal.h"
#include "judge.h"

static const struct filter_row *
row_of(const char *name)
{
	for (size_t i = 0; i < filter_row_count; i++) {
		if (strcmp(filter_rows[i].name, name) == 0) {
			return &filter_rows[i];
		}
	}
	return NULL;
}

/* A single group that has the call; one in `listed` first. */
static const char *
group_of(const struct filter_row *row, const char *listed)
{
	const uint32_t chosen = listed != NULL ? filter_group_bits(listed) : 0;
	const char *any = NULL, *name, *what;

	for (size_t i = 0; (name = filter_group_name(i, &what)) != NULL; i++) {
		uint32_t bits = filter_group_bits(name);

		if ((bits & (bits - 1)) != 0 || (bits & row->groups) == 0) {
			continue;
		}
		if ((bits & chosen) != 0) {
			return name;
		}
		any = any == NULL ? name : any;
	}
	return any;
}

static const char *
listed_by(const struct filter_row *row, const struct strings *groups)
{
	for (size_t i = 0; i < groups->count; i++) {
		if ((filter_group_bits(groups->items[i]) & row->groups) != 0) {
			return groups->items[i];
		}
	}
	return (filter_group_bits("@jail") & row->groups) != 0 ? "@jail" : NULL;
}

int
judge_syscall(const struct strings *groups, const char *name, const uint64_t args[6],
	      struct judge_syscall *ret)
{
	const struct filter_row *row = row_of(name);
	struct seccomp_data data = { .arch = FILTER_ARCH };
	struct judge_syscall answer = { .group = NULL };
	const char *granting; /* the first that would do; `group` prefers one that is listed */

	if (row == NULL) {
		return -ENOENT;
	}
	answer.what = row->why;
	if (FILTER_NR(row) < 0) {
		answer.error = ENOSYS;
		answer.why = "processors of this kind do not have the call";
		*ret = answer;
		return 0;
	}
	data.nr = FILTER_NR(row);
	memcpy(data.args, args, sizeof(data.args));
	answer.listed = listed_by(row, groups);
	answer.group = group_of(row, answer.listed);
	answer.depends = row->kind == FILTER_COND;
	answer.why = row->why;
	answer.error = filter_denial(groups->items, groups->count, &data, &answer.why, &granting);
	if (answer.error == 0 && answer.depends) {
		size_t count;
		const struct filter_case *c = filter_row_cases(row, &count);

		for (size_t i = 0; i < count; i++) {
			if (filter_case_fits(&c[i], &data)) {
				answer.why = c[i].why;
				break;
			}
		}
	}
	*ret = answer;
	return 0;
}

struct judge_number
judge_syscall_number(const char *name)
{
	const struct filter_row *row = row_of(name);

	return (struct judge_number){ .number = row != NULL ? FILTER_NR(row) : -1,
				      .depends = row != NULL && row->kind == FILTER_COND };
}

const char *
judge_syscall_case(const char *name, size_t index, int *ret_error)
{
	const struct filter_row *row = row_of(name);
	size_t count = 0;
	const struct filter_case *cases = row != NULL ? filter_row_cases(row, &count) : NULL;

	if (cases == NULL || index >= count) {
		return NULL;
	}
	*ret_error = cases[index].error;
	return cases[index].why;
}

const char *
judge_syscall_nearest(const char *word)
{
	const char *names[1024];
	size_t count = 0;

	for (; count < filter_row_count && count < ARRAY_LEN(names); count++) {
		names[count] = filter_rows[count].name;
	}
	return nearest_name(word, names, count);
}
