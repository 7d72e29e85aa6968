/* SPDX-License-Identifier: Apache-2.0 */
/* commands.c: the table of verbs and the reading of options. Run by `make unit`. */
#include "../../../launcher/cli/commands.h"

#include <criterion/criterion.h>
#include <getopt.h>
#include <stdint.h>
#include <string.h>

#include "../../../launcher/base/buf.h"

static const struct {
	const char *verb, *name;
} options[] = {
/* clang-format off */
#define OPTION(verb, letter, name, argument, help) { verb, name },
#include "../../../launcher/cli/options.def"
#undef OPTION
	/* clang-format on */
};

Test(commands, every_verb_is_found_and_has_its_help)
{
	size_t count = 0;

	for (const struct command *c = commands; c->name != NULL; c++) {
		cr_expect_eq(commands_find(c->name), c, "%s", c->name);
		cr_expect_not_null(c->handler, "%s", c->name);
		cr_expect_gt(strlen(c->help), (size_t)0, "%s", c->name);
		cr_expect_lt(strlen(c->name) + strlen(c->help), (size_t)78, "%s", c->name);
		count++;
	}
	cr_expect_geq(count, (size_t)11);
}

Test(commands, every_option_has_its_verb)
{
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		cr_expect_not_null(commands_find(options[i].verb), "%s", options[i].name);
		if (i > 0) {
			int order = strcmp(options[i - 1].verb, options[i].verb);

			cr_expect_leq(order, 0, "%s", options[i].name);
			cr_expect(order < 0 || strcmp(options[i - 1].name, options[i].name) < 0,
				  "%s", options[i].name);
		}
	}
}

Test(commands, the_nearest_verb)
{
	static const struct {
		const char *typed, *expected;
	} rows[] = {
		{ "lgo", "log" },
		{ "shwo", "show" },
		{ "logs", "log" },
		{ "exprot", "export" },
		{ "docter", "doctor" },
		{ "profiles", "profile" },
		{ "xyzzy", NULL },
		{ "", NULL },
		{ "compile-profil", NULL },
		{ "a-word-that-is-longer-than-any-verb-could-be", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct command *c = commands_nearest(rows[i].typed);

		cr_expect_str_eq(c != NULL ? c->name : "none",
				 rows[i].expected != NULL ? rows[i].expected : "none", "%s",
				 rows[i].typed);
	}
}

/* Options and operands of a line as one text; "error" at an error. */
static void
read_line(const char *const *words, struct buf *out)
{
	char *argv[10];
	struct command_line cl = { .argc = 0, .argv = argv };
	const char *name, *argument;
	int rc;

	while (words[cl.argc] != NULL) {
		argv[cl.argc] = (char *)(uintptr_t)words[cl.argc];
		cl.argc++;
	}
	argv[cl.argc] = NULL;
	optind = 0;
	while ((rc = command_line_next(&cl, &name, &argument)) > 0) {
		buf_printf(out, "%s=%s ", name, argument != NULL ? argument : "");
	}
	if (rc < 0) {
		buf_printf(out, "error %d", command_line_end(&cl, rc, 0, SIZE_MAX));
		return;
	}
	for (size_t i = 0; i < cl.operands; i++) {
		buf_printf(out, "[%s]", cl.operand[i]);
	}
}

Test(commands, options_may_follow_operands)
{
	static const struct {
		const char *words[9];
		const char *expected;
	} rows[] = {
		{ { "log" }, "" },
		{ { "log", "-n", "5", "--json" }, "number=5 json= " },
		{ { "log", "-n5" }, "number=5 " },
		{ { "log", "--number=7" }, "number=7 " },
		{ { "show", "@last", "--json" }, "json= [@last]" },
		{ { "show", "@last", "-v" }, "verbose= [@last]" },
		{ { "show", "--verbose", "@last" }, "verbose= [@last]" },
		{ { "show", "--json", "@last" }, "json= [@last]" },
		{ { "show", "--", "--json" }, "[--json]" },
		{ { "export", "@last", "--to", "d", "x" }, "to=d [@last][x]" },
		{ { "cat", "a", "b", "c", "d", "e" }, "[a][b][c][d][e]" },
		{ { "show", "a", "--json", "b", "-v", "--", "--", "-v" },
		  "json= verbose= [a][b][--][-v]" },
		{ { "profile list", "--json" }, "json= " },
		{ { "profile check", "a", "--json" }, "error 125" },
		{ { "log", "--bad" }, "error 125" },
		{ { "log", "-x" }, "error 125" },
		{ { "log", "-n" }, "error 125" },
		{ { "log", "--json=1" }, "error 125" },
		{ { "show", "-n", "5" }, "error 125" },
		{ { "log", "--help" }, "error 0" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf out = BUF_INIT;

		read_line(rows[i].words, &out);
		cr_expect_str_eq(buf_text(&out), rows[i].expected, "row %zu", i);
	}
}
