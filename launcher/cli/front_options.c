/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front. argv is the caller's: option parsing stops at the first non-option, nothing
 * behind COMMAND is ours.
 */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/limits.h"
#include "../base/nearest.h"
#include "front.h"

enum option_kind { OPT_TEXT, OPT_LIST, OPT_NUMBER, OPT_FLAG };

struct option_row {
	char letter;
	const char *name;
	enum option_kind kind;
	size_t offset; /* in struct front_options, of TEXT and FLAG */
	const char *arg, *help;
};

enum option_id {
#define X(letter, name, kind, member, arg, help) OPTION_##member,
#include "run_options.def"
#undef X
	OPTION__COUNT
};

static const struct option_row rows[] = {
#define X(letter_, name_, kind_, member, arg_, help_)                           \
	[OPTION_##member] = { .letter = (letter_),                              \
			      .name = (name_),                                  \
			      .kind = OPT_##kind_,                              \
			      .offset = offsetof(struct front_options, member), \
			      .arg = (arg_),                                    \
			      .help = (help_) },
#include "run_options.def"
#undef X
};

static void
print_help(void)
{
	dprintf(STDOUT_FILENO, "usage: airlock run [options] [--] [COMMAND [ARG...]]\n\n");
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char left[64];

		snprintf(left, sizeof(left), "%c%c%s --%s %s", rows[i].letter != 0 ? '-' : ' ',
			 rows[i].letter != 0 ? rows[i].letter : ' ',
			 rows[i].letter != 0 ? "," : " ", rows[i].name, rows[i].arg);
		dprintf(STDOUT_FILENO, "  %-28s %s\n", left, rows[i].help);
	}
	dprintf(STDOUT_FILENO,
		"\nThe exit status is the tool's; 123 held, 124 timeout, 125 airlock itself, "
		"126, 127 as a shell's. See airlock(1).\n");
}

static int
add_to_list(struct front *f, const char ***list, size_t *count, const char *value)
{
	/* Lists grow by one from the arena: they are a handful long. */
	const char **grown = arena_alloc(&f->arena, (*count + 1) * sizeof(*grown));

	if (grown == NULL) {
		return err_set(&f->err, -ENOMEM, "out of memory");
	}
	if (*count > 0) {
		memcpy(grown, *list, *count * sizeof(*grown));
	}
	grown[(*count)++] = value;
	*list = grown;
	return 0;
}

static int
store_fd(struct front *f, const char *value)
{
	char *end;
	long fd = strtol(value, &end, 10);

	if (*value == '\0' || *end != '\0' || fd < 0 || fd > 1000000 ||
	    fcntl((int)fd, F_GETFD) < 0) {
		return err_set(&f->err, -EINVAL, "--result-fd %s: not an open descriptor", value);
	}
	f->opt.result_fd = (int)fd;
	return 0;
}

static int
store_listed(struct front *f, enum option_id id, const char *value)
{
	struct front_options *o = &f->opt;
	const struct {
		enum option_id id;
		const char ***list;
		size_t *count;
	} lists[] = {
		{ OPTION_env, &o->env, &o->env_count },
		{ OPTION_env_files, &o->env_files, &o->env_file_count },
		{ OPTION_grants, &o->grants, &o->grant_count },
		{ OPTION_handles, &o->handles, &o->handle_count },
		{ OPTION_limits, &o->limits, &o->limit_count },
	};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		if (lists[i].id == id) {
			return add_to_list(f, lists[i].list, lists[i].count, value);
		}
	}
	return -EINVAL;
}

static int
store_value(struct front *f, enum option_id id, const char *value)
{
	void *at = (char *)&f->opt + rows[id].offset;

	switch (rows[id].kind) {
	case OPT_TEXT:
		*(const char **)at = value;
		return 0;
	case OPT_LIST:
		return store_listed(f, id, value);
	case OPT_NUMBER:
		return store_fd(f, value);
	case OPT_FLAG:
		*(bool *)at = true;
		break;
	}
	if (f->opt.help) {
		print_help();
		return -ECANCELED;
	}
	return 0;
}

static int
unknown_long(struct front *f, const char *text, size_t len)
{
	const char *names[OPTION__COUNT];
	char *word = arena_copy(&f->arena, text, len);
	const char *near;

	for (enum option_id id = 0; id < OPTION__COUNT; id++) {
		names[id] = rows[id].name;
	}
	near = word == NULL ? NULL : nearest_name(word, names, OPTION__COUNT);
	if (near != NULL) {
		return err_set(&f->err, -EINVAL, "unknown option --%s; did you mean --%s?", word,
			       near);
	}
	return err_set(&f->err, -EINVAL, "unknown option --%.*s (see 'airlock run --help')",
		       (int)len, text);
}

/* "--name=value", "--name value"; *at moves over what was taken. */
static int
parse_long(struct front *f, int argc, char **argv, int *at)
{
	const char *text = argv[*at] + 2;
	size_t len = strcspn(text, "=");

	for (enum option_id id = 0; id < OPTION__COUNT; id++) {
		const char *value = text[len] == '=' ? text + len + 1 : NULL;

		if (strlen(rows[id].name) != len || strncmp(rows[id].name, text, len) != 0) {
			continue;
		}
		if (rows[id].kind == OPT_FLAG) {
			return value != NULL ? err_set(&f->err, -EINVAL, "--%s takes no value",
						       rows[id].name)
					     : store_value(f, id, "");
		}
		if (value == NULL && *at + 1 < argc) {
			value = argv[++*at];
		}
		if (value == NULL) {
			return err_set(&f->err, -EINVAL, "--%s wants %s", rows[id].name,
				       rows[id].arg);
		}
		return store_value(f, id, value);
	}
	return unknown_long(f, text, len);
}

/* "-p value", "-pvalue", "-nq". */
static int
parse_short(struct front *f, int argc, char **argv, int *at)
{
	for (const char *p = argv[*at] + 1; *p != '\0'; p++) {
		enum option_id id = 0;
		int rc;

		while (id < OPTION__COUNT && rows[id].letter != *p) {
			id++;
		}
		if (id == OPTION__COUNT) {
			return err_set(&f->err, -EINVAL,
				       "unknown option -%c (see 'airlock run --help')", *p);
		}
		if (rows[id].kind != OPT_FLAG) {
			const char *value = p[1] != '\0'   ? p + 1
					  : *at + 1 < argc ? argv[++*at]
							   : NULL;

			return value != NULL
				     ? store_value(f, id, value)
				     : err_set(&f->err, -EINVAL, "-%c wants %s", *p, rows[id].arg);
		}
		rc = store_value(f, id, "");
		if (rc < 0) {
			return rc;
		}
	}
	return 0;
}

static int
check_key(struct front *f)
{
	const char *key = f->opt.key;

	if (key == NULL) {
		return f->opt.wait ? err_set(&f->err, -EINVAL, "--wait goes with --key") : 0;
	}
	if (key[0] == '\0' || strlen(key) > CAP_KEY) {
		return err_set(&f->err, -EINVAL, "--key: between 1 and %u bytes", CAP_KEY);
	}
	for (const char *p = key; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f) {
			return err_set(&f->err, -EINVAL,
				       "--key: control characters are not allowed");
		}
	}
	return 0;
}

/* At a terminal it is a shell (front_choose_shell), which wants one. */
static int
default_command(struct front *f)
{
	bool person = isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1;

	if (!person && !f->opt.tty) {
		return err_set(&f->err, -EINVAL,
			       "no command (usage: airlock run [options] -- COMMAND [ARG...]); "
			       "at a terminal, or with -t, it would be a shell");
	}
	f->opt.tty = true;
	f->opt.profile = f->opt.profile != NULL ? f->opt.profile : "session";
	return check_key(f);
}

static int
parse_words(struct front *f, int argc, char **argv)
{
	int at = 1;
	int rc = 0;

	for (; rc == 0 && at < argc && argv[at][0] == '-' && argv[at][1] != '\0'; at++) {
		if (strcmp(argv[at], "--") == 0) {
			at++;
			break;
		}
		rc = argv[at][1] == '-' ? parse_long(f, argc, argv, &at)
					: parse_short(f, argc, argv, &at);
	}
	if (rc < 0) {
		return rc;
	}
	f->options_read = true;
	if (at >= argc) {
		return default_command(f);
	}
	f->opt.argv = (const char *const *)(argv + at);
	f->opt.argc = (size_t)(argc - at);
	if (f->opt.argv[0][0] == '\0') {
		return err_set(&f->err, -EINVAL, "the command is an empty string");
	}
	return check_key(f);
}

int
front_parse(struct front *f, int argc, char **argv)
{
	struct err err;
	int rc, opened;

	f->opt.result_fd = f->opt.receipt_fd = -1;
	rc = parse_words(f, argc, argv);
	rc = rc < 0 ? rc : front_over_parse(f);
	rc = rc < 0 ? rc : front_input_parse(f);
	rc = rc < 0 ? rc : front_serves_parse(f);
	f->opt.profile = f->opt.profile != NULL ? f->opt.profile : "default";
	if (rc == -ECANCELED) {
		return rc;
	}
	/* What is wrong with the other options goes into the result as well. */
	err = f->err;
	opened = front_open_answers(f);
	if (rc < 0) {
		f->err = err;
		return rc;
	}
	return opened;
}
