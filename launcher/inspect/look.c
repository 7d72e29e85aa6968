/* SPDX-License-Identifier: Apache-2.0 */
/* Run by airlock-inspect as the tool: what its sections share. */
#include <errno.h>
#include <fcntl.h>
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
