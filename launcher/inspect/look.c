/* SPDX-License-Identifier: Apache-2.0 */
/* Run by airlock-inspect as the tool: what its sections share. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "../base/fdio.h"
#include "../probe/try.h"
#include "inspect.h"
#include "parse.h"

#define SLURP_MAX (16u << 20)

const char *
inspect_result(int error)
{
	switch (error) {
	case 0:
		return "ok";
	case TRY_NO_ANSWER:
		return "killed";
#define ERROR(name) \
	case name:  \
		return #name;
#include "errnos.def"
#undef ERROR
	default:
		return "another error";
	}
}

const char *
inspect_slurp(struct look *l, const char *path)
{
	auto_buf text = BUF_INIT;
	const char *kept = NULL;

	if (fdio_slurp_at(AT_FDCWD, path, SLURP_MAX, &text) == 0) {
		kept = arena_string(&l->arena, buf_text(&text));
	}
	return kept != NULL ? kept : "";
}

static int
number_order(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

size_t
inspect_numbers(struct look *l, const char *dir, size_t max, int **ret)
{
	int *numbers = arena_alloc(&l->arena, max * sizeof(*numbers));
	DIR *names = opendir(dir);
	size_t count = 0;

	for (struct dirent *e = names != NULL ? readdir(names) : NULL;
	     numbers != NULL && e != NULL && count < max; e = readdir(names)) {
		if (e->d_name[0] >= '0' && e->d_name[0] <= '9') {
			numbers[count++] = (int)strtol(e->d_name, NULL, 10);
		}
	}
	if (names != NULL) {
		closedir(names);
	}
	if (count > 0) {
		qsort(numbers, count, sizeof(*numbers), number_order);
	}
	*ret = numbers;
	return count;
}

char *
inspect_line(struct look *l, const char **at)
{
	size_t len = strcspn(*at, "\n");
	char *line = **at != '\0' ? arena_copy(&l->arena, *at, len) : NULL;

	*at += len + ((*at)[len] == '\n');
	return line;
}

void
inspect_each_mount(struct look *l,
		   bool (*one)(struct look *l, const struct parsed_mount *m, void *context),
		   void *context)
{
	const char *at = buf_text(&l->mounts);
	bool goes_on = true;

	for (char *line = inspect_line(l, &at); goes_on && line != NULL;
	     line = inspect_line(l, &at)) {
		struct parsed_mount m;

		goes_on = !parse_mount(line, &m) || one(l, &m, context);
	}
}

const char *
inspect_variable(const struct look *l, const char *name)
{
	size_t len = strlen(name);

	for (const char *const *e = l->environment; *e != NULL; e++) {
		if (strncmp(*e, name, len) == 0 && (*e)[len] == '=') {
			return *e + len + 1;
		}
	}
	return NULL;
}
