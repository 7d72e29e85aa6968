/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of verbs, their help, and the reading of their options. Runs in airlock-cli as the
 * caller; argv is the caller's.
 */
#include "commands.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "../base/nearest.h"
#include "../base/text.h"
#include "view_format.h"

#define HELP_COLUMNS 80u
#define HELP_INDENT 26u
#define OPTIONS_PER_VERB 16u
#define OPTION_VALUE 256 /* getopt's value of the verb's first option; above every letter */

enum visibility { SHOWN, HIDDEN };

const struct command commands[] = {
/* clang-format off */
#define COMMAND(name, handler, visibility, synopsis, help) \
	{ name, synopsis, help, visibility, handler },
#include "commands.def"
#undef COMMAND
#define SUBCOMMAND(name, handler, synopsis, help) { name, synopsis, help, HIDDEN, handler },
#include "subcommands.def"
#undef SUBCOMMAND
	/* clang-format on */
	{ NULL, NULL, NULL, HIDDEN, NULL },
};

static const struct command_option verb_options[] = {
/* clang-format off */
#define OPTION(verb, letter, name, argument, help) { verb, letter, name, argument, help },
#include "options.def"
#undef OPTION
/* the front's own table: it reads these, airlock-cli only tells of them */
#define X(letter, name, kind, member, argument, help) { "run", letter, name, argument, help },
#include "run_options.def"
#undef X
	/* clang-format on */
};

const struct command_option *
commands_options(size_t *ret_count)
{
	*ret_count = ARRAY_LEN(verb_options);
	return verb_options;
}

const struct command *
commands_find(const char *name)
{
	for (const struct command *c = commands; c->name != NULL; c++) {
		if (strcmp(c->name, name) == 0) {
			return c;
		}
	}
	return NULL;
}

const struct command *
commands_nearest(const char *name)
{
	const char *names[ARRAY_LEN(commands)];
	size_t count = 0;
	const char *near;

	for (const struct command *c = commands; c->name != NULL; c++) {
		if (!c->hidden) {
			names[count++] = c->name;
		}
	}
	near = nearest_name(name, names, count);
	return near != NULL ? commands_find(near) : NULL;
}

int
commands_write(const struct buf *text)
{
	int rc = buf_error(text);

	return rc == 0 && fwrite(buf_text(text), 1, text->len, stdout) != text->len ? -EIO : rc;
}

int
commands_fail(int status, const struct err *err)
{
	auto_buf safe = BUF_INIT;

	/* It may name files, and whoever made one chose its name. */
	text_safe(&safe, err->text, strlen(err->text), false);
	fprintf(stderr, "airlock: %s\n", buf_text(&safe));
	return status;
}

/* ---- help --------------------------------------------------------------------------------- */

static void
print_verbs(FILE *out)
{
	fputs("usage: airlock VERB [options]\n\n"
	      "airlock runs one tool call in one sandbox, and keeps what is needed to prove\n"
	      "afterwards what went in, what was allowed and what came out.\n\n",
	      out);
	for (const struct command *c = commands; c->name != NULL; c++) {
		if (!c->hidden) {
			fprintf(out, "  %-9s%s\n", c->name, c->help);
		}
	}
	fputs("\nA CALL is named by its id, by a start of it that is unique, or by @last.\n"
	      "airlock help VERB lists a verb's options; airlock(1) is the manual.\n",
	      out);
}

/* One option in two columns; an argument may be NULL or "". */
static void
print_option(FILE *out, const struct command_option *o)
{
	auto_buf head = BUF_INIT, line = BUF_INIT;

	if (o->letter != 0) {
		buf_printf(&head, "-%c, ", o->letter);
	}
	buf_printf(&head, "--%s", o->name);
	if (o->argument != NULL && o->argument[0] != '\0') {
		buf_printf(&head, " %s", o->argument);
	}
	buf_puts(&line, "  ");
	view_pad(&line, buf_text(&head), HELP_INDENT - 3, false);
	buf_putc(&line, ' ');
	view_wrap(&line, o->help, HELP_INDENT, HELP_COLUMNS);
	fputs(buf_text(&line), out);
}

void
commands_print(const struct command *c, FILE *out)
{
	size_t len = strlen(c->name);

	fprintf(out, "usage: airlock %s%s%s\n\n%s\n", c->name, c->synopsis[0] != '\0' ? " " : "",
		c->synopsis, c->help);
	for (const struct command *below = commands; below->name != NULL; below++) {
		if (strncmp(below->name, c->name, len) == 0 && below->name[len] == ' ') {
			fprintf(out, "  %-9s%s\n", below->name + len + 1, below->help);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(verb_options); i++) {
		if (strcmp(verb_options[i].verb, c->name) == 0) {
			print_option(out, &verb_options[i]);
		}
	}
}

int
cmd_help(int argc, char **argv)
{
	const struct command *c;
	char name[256];

	if (argc ==
	    0) { /* `airlock` alone: a gateway's empty variable must not look like success */
		print_verbs(stderr);
		return EXIT_AIRLOCK;
	}
	if (argc == 1 || argv[1][0] == '-') {
		print_verbs(stdout);
		return 0;
	}
	snprintf(name, sizeof(name), "%s%s%s", argv[1], argc > 2 ? " " : "",
		 argc > 2 ? argv[2] : "");
	c = commands_find(name);
	if (c == NULL) {
		auto_buf safe = BUF_INIT;

		text_safe(&safe, name, strlen(name), false);
		fprintf(stderr, "airlock: no verb %s; airlock help lists them\n", buf_text(&safe));
		return EXIT_AIRLOCK;
	}
	commands_print(c, stdout);
	return 0;
}

/* ---- verbs below a verb ------------------------------------------------------------------- */

/* The second word that is nearest to what was typed; NULL when nothing is near. */
static const char *
nearest_below(const char *verb, const char *word)
{
	const char *names[ARRAY_LEN(commands)];
	size_t count = 0, len = strlen(verb);

	for (const struct command *c = commands; c->name != NULL; c++) {
		if (strncmp(c->name, verb, len) == 0 && c->name[len] == ' ') {
			names[count++] = c->name + len + 1;
		}
	}
	return nearest_name(word, names, count);
}

static int
unknown_below(const char *verb, const char *word)
{
	const char *near = nearest_below(verb, word);
	auto_buf safe = BUF_INIT;

	text_safe(&safe, word, strlen(word), false);
	if (near != NULL) {
		fprintf(stderr, "airlock: %s: no verb %s; did you mean %s?\n", verb,
			buf_text(&safe), near);
	} else {
		fprintf(stderr, "airlock: %s: no verb %s; airlock help %s lists them\n", verb,
			buf_text(&safe), verb);
	}
	return EXIT_AIRLOCK;
}

static int
print_named(const char *name, FILE *out, int status)
{
	const struct command *c = commands_find(name);

	if (c != NULL) {
		commands_print(c, out);
	}
	return status;
}

int
cmd_below(int argc, char **argv)
{
	const struct command *verb;
	char name[64];

	if (argc < 2) {
		return print_named(argv[0], stderr, EXIT_AIRLOCK);
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		return print_named(argv[0], stdout, 0);
	}
	snprintf(name, sizeof(name), "%s %s", argv[0], argv[1]);
	verb = commands_find(name);
	if (verb == NULL) {
		return unknown_below(argv[0], argv[1]);
	}
	argv[1] = name;
	return verb->handler(argc - 1, argv + 1);
}

int
cmd_version(int argc, char **argv)
{
	(void)argc, (void)argv;
	puts("airlock " AIRLOCK_VERSION);
	return 0;
}

/* The static front runs calls; this program is never on that path. */
int
cmd_run(int argc, char **argv)
{
	(void)argc, (void)argv;
	fputs("airlock: run is done by the program airlock itself; this is airlock-cli\n", stderr);
	return EXIT_AIRLOCK;
}

/* ---- one verb's command line -------------------------------------------------------------- */

/* getopt's two tables for one verb; returns the number of long options. */
static size_t
options_of(const char *verb, struct option *longs, char *shorts)
{
	size_t count = 0;

	*shorts++ = '+'; /* stop at operands: they are collected here, so that options may follow
			    them */
	*shorts++ = ':';
	*shorts++ = 'h';
	for (size_t i = 0; i < ARRAY_LEN(verb_options) && count < OPTIONS_PER_VERB; i++) {
		const struct command_option *o = &verb_options[i];

		if (strcmp(o->verb, verb) != 0) {
			continue;
		}
		longs[count++] = (struct option){
			.name = o->name,
			.has_arg = o->argument != NULL ? required_argument : no_argument,
			.val = OPTION_VALUE + (int)i,
		};
		if (o->letter != 0) {
			*shorts++ = (char)o->letter;
			if (o->argument != NULL) {
				*shorts++ = ':';
			}
		}
	}
	longs[count++] = (struct option){ .name = "help", .has_arg = no_argument, .val = 'h' };
	longs[count] = (struct option){ .name = NULL };
	*shorts = '\0';
	return count;
}

static const struct command_option *
option_of(const char *verb, int value)
{
	for (size_t i = 0; i < ARRAY_LEN(verb_options); i++) {
		const struct command_option *o = &verb_options[i];

		if (strcmp(o->verb, verb) == 0 &&
		    (value == OPTION_VALUE + (int)i || value == o->letter)) {
			return o;
		}
	}
	return NULL;
}

/* The option of the verb that is nearest to the word; NULL when nothing is near. */
static const char *
nearest_option(const char *verb, const char *word)
{
	const char *names[OPTIONS_PER_VERB];
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_LEN(verb_options) && count < ARRAY_LEN(names); i++) {
		if (strcmp(verb_options[i].verb, verb) == 0) {
			names[count++] = verb_options[i].name;
		}
	}
	return nearest_name(word, names, count);
}

static int
bad_option(const struct command_line *cl, int c)
{
	const char *word = cl->argv[optind - 1], *near = NULL;
	auto_buf name = BUF_INIT, bare = BUF_INIT;

	if (optopt > 0 && optopt < OPTION_VALUE && strncmp(word, "--", 2) != 0) {
		buf_putc(&name, '-');
		text_safe(&name, &(char){ (char)optopt }, 1, false);
	} else {
		text_safe(&name, word, strlen(word), false);
		buf_put(&bare, word + strspn(word, "-"), strcspn(word + strspn(word, "-"), "="));
		near = nearest_option(cl->argv[0], buf_text(&bare));
	}
	if (c != ':' && near != NULL) {
		fprintf(stderr, "airlock: %s: there is no option %s; did you mean --%s?\n",
			cl->argv[0], buf_text(&name), near);
		return -EINVAL;
	}
	fprintf(stderr, "airlock: %s: %s %s; airlock help %s lists the options\n", cl->argv[0],
		c == ':' ? "an argument is missing after" : "there is no option", buf_text(&name),
		cl->argv[0]);
	return -EINVAL;
}

/* Behind the verb, where getopt does not look any more. */
static void
take_operand(struct command_line *cl)
{
	cl->operand = cl->argv + 1;
	cl->operand[cl->operands++] = cl->argv[optind++];
}

int
command_line_next(struct command_line *cl, const char **ret_name, const char **ret_argument)
{
	struct option longs[OPTIONS_PER_VERB + 2];
	char shorts[4 + 2 * OPTIONS_PER_VERB];
	const struct command_option *o;
	int c;

	options_of(cl->argv[0], longs, shorts);
	opterr = 0;
	for (;;) {
		bool ended;

		optopt = 0;
		c = getopt_long(cl->argc, cl->argv, shorts, longs, NULL);
		if (c != -1) {
			break;
		}
		ended = optind > 1 && strcmp(cl->argv[optind - 1], "--") == 0;
		if (optind >= cl->argc) {
			return 0;
		}
		do {
			take_operand(cl);
		} while (ended && optind < cl->argc);
		if (ended) {
			return 0;
		}
	}
	if (c == 'h') {
		const struct command *verb = commands_find(cl->argv[0]);

		if (verb != NULL) {
			commands_print(verb, stdout);
		}
		return -ECANCELED;
	}
	o = c == '?' || c == ':' ? NULL : option_of(cl->argv[0], c);
	if (o == NULL) {
		return bad_option(cl, c);
	}
	*ret_name = o->name;
	*ret_argument = o->argument != NULL ? optarg : NULL;
	return 1;
}

int
command_line_end(const struct command_line *cl, int rc, size_t min, size_t max)
{
	const struct command *verb = commands_find(cl->argv[0]);

	if (rc < 0) {
		return rc == -ECANCELED ? 0 : EXIT_AIRLOCK;
	}
	if (cl->operands >= min && cl->operands <= max) {
		return -1;
	}
	fprintf(stderr, "usage: airlock %s %s\n", cl->argv[0], verb != NULL ? verb->synopsis : "");
	return EXIT_AIRLOCK;
}

int
command_line_flag(struct command_line *cl, size_t min, size_t max, bool *ret)
{
	const char *name, *argument;
	int rc;

	while ((rc = command_line_next(cl, &name, &argument)) > 0) {
		*ret = true;
	}
	return command_line_end(cl, rc, min, max);
}
