/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hidden verb behind completion.bash, .fish and .zsh: what may stand where a person presses
 * TAB, from the tables of verbs, options, limits and verdicts, from the profiles that are there,
 * the workflows that have a name and the calls that run. Runs in airlock-cli as the caller, on a
 * line that is not finished. Starts nothing, reads no profile.
 *
 * Out: one candidate a line, WORD, a tab, what it is; ":files", ":dirs" or ":commands" where the
 * shell knows better.
 */
#include <stdio.h>
#include <string.h>

#include "../base/fdio.h"
#include "../profile/profile.h"
#include "../snapshot/fsat.h"
#include "../workflow/workflow.h"
#include "cmd_creds.h"
#include "cmd_profile.h"
#include "commands.h"
#include "control.h"

#define WORKFLOWS_MAX 65536u

/* The line from the verb on; the last word is the one to complete, perhaps empty. */
struct line {
	char **words;
	int count;
	const char *verb; /* "profile show" where there is one below */
	int first;	  /* the word behind it */
	const char *word;
};

/* One candidate: the word, and what it is for shells that show it. */
static void
offer(const struct line *l, const char *word, const char *help)
{
	if (strncmp(word, l->word, strlen(l->word)) == 0) {
		printf("%s\t%s\n", word, help);
	}
}

/* ---- values, by the placeholder that tables have for them ------------------------------------ */

static void
offer_profiles(const struct line *l)
{
	auto_places places = { .shipped = NULL };
	struct profile_listing list = { .count = 0 };
	struct profile_request request;

	/* There is nobody to tell an error to. */
	if (places_find(&places, NULL) < 0) {
		return;
	}
	request = profile_request_of("", places.shipped);
	if (profile_list(&request, &list, NULL) == 0) {
		for (size_t i = 0; i < list.count; i++) {
			if (list.rows[i].hidden_by == NULL &&
			    profile_name_is_right(list.rows[i].name)) {
				offer(l, list.rows[i].name, "profile");
			}
		}
	}
	profile_listing_finish(&list);
}

static void
offer_profiles_and_files(const struct line *l)
{
	offer_profiles(l);
	puts(":files");
}

static void
offer_modes(const struct line *l)
{
	offer(l, "observe", "changes are discarded");
	offer(l, "apply", "changes are committed when the tool succeeds");
}

static void
offer_verdicts(const struct line *l)
{
	static const struct {
		const char *name, *sentence;
	} verdicts[] = {
#define X(id, name, sentence) { name, sentence },
#include "../supervise/verdicts.def"
#undef X
	};

	for (size_t i = 0; i < ARRAY_LEN(verdicts); i++) {
		offer(l, verdicts[i].name, verdicts[i].sentence);
	}
}

static void
offer_limits(const struct line *l)
{
	static const struct {
		const char *key, *sentence;
	} keys[] = {
#define KEY(id, name, type, narrow, least, most, fallback, sentence) { name, sentence },
#include "../profile/keys.def"
#undef KEY
	};
	static const char section[] = "limits.";

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		auto_buf word = BUF_INIT;

		if (strncmp(keys[i].key, section, strlen(section)) == 0) {
			buf_printf(&word, "%s=", keys[i].key + strlen(section));
			offer(l, buf_text(&word), keys[i].sentence);
		}
	}
}

/* Those that are under way: no other can be killed. */
static void
offer_running(const struct line *l)
{
	auto_control_list list = { .items = NULL };
	auto_store s = STORE_INIT;

	if (control_open(&s, NULL) < 0 || control_list(&s, &list, NULL) < 0) {
		return;
	}
	for (size_t i = 0; i < list.count; i++) {
		offer(l, list.items[i].call_text, "a call under way");
	}
}

static void
offer_calls(const struct line *l)
{
	if (strcmp(l->verb, "kill") == 0) {
		offer_running(l);
		return;
	}
	offer(l, "@last", "the last call");
}

static void
offer_workflows(const struct line *l)
{
	struct fs_names names = FS_NAMES_INIT;
	auto_store s = STORE_INIT;
	auto_fd dir = control_open(&s, NULL) < 0 ? -1 : fdio_open_dir(s.dir_fd, WORKFLOW_NAMES);

	if (dir < 0 || fsat_list(dir, WORKFLOWS_MAX, &names) < 0) {
		return;
	}
	for (size_t i = 0; i < names.count; i++) {
		if (workflow_name_is_good(names.items[i])) {
			offer(l, names.items[i], "a workflow");
		}
	}
	fsat_names_finish(&names);
}

static void
offer_bundles(const struct line *l)
{
	struct bundle_listing list = { .count = 0 };
	auto_creds c = { .at = BUNDLE_AT_INIT };

	creds_init(&c);
	if (bundle_list(&c.req, &list, NULL) == 0) {
		for (size_t i = 0; i < list.count; i++) {
			if (!list.rows[i].is_hidden) {
				offer(l, list.rows[i].name, "a bundle");
			}
		}
	}
	bundle_listing_finish(&list);
}

static void
offer_files(const struct line *l)
{
	(void)l;
	puts(":files");
}

static void
offer_directories(const struct line *l)
{
	(void)l;
	puts(":dirs");
}

static const struct {
	const char *placeholder;
	void (*offer)(const struct line *l);
} values[] = {
	{ "A", offer_profiles_and_files },
	{ "B", offer_profiles_and_files },
	{ "BUNDLE", offer_bundles },
	{ "CALL", offer_calls },
	{ "DIR", offer_directories },
	{ "FILE", offer_files },
	{ "FILE...", offer_files },
	{ "FILE|NAME...", offer_profiles_and_files },
	{ "KEY=VALUE", offer_limits },
	{ "LIMIT=VALUE", offer_limits },
	{ "MODE", offer_modes },
	{ "P", offer_profiles },
	{ "PATH", offer_files },
	{ "PROFILE", offer_profiles_and_files },
	{ "PROFILE...", offer_profiles_and_files },
	{ "V", offer_verdicts },
	{ "W", offer_workflows },
	{ "WORKFLOW", offer_workflows },
};

/* "bash|zsh|fish": the words themselves; what has capitals is a placeholder. */
static void
offer_words(const struct line *l, const char *words)
{
	while (*words != '\0') {
		size_t len = strcspn(words, "|");
		auto_buf word = BUF_INIT;

		buf_put(&word, words, len);
		if (strpbrk(buf_text(&word), "ABCDEFGHIJKLMNOPQRSTUVWXYZ.") == NULL) {
			offer(l, buf_text(&word), "");
		}
		words += len + (words[len] == '|' ? 1 : 0);
	}
}

static void
offer_value(const struct line *l, const char *placeholder)
{
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		if (strcmp(values[i].placeholder, placeholder) == 0) {
			values[i].offer(l);
			return;
		}
	}
	if (strchr(placeholder, '|') != NULL) {
		offer_words(l, placeholder);
	}
}

/* ---- verbs, options, operands ---------------------------------------------------------------- */

/* Verbs that are shown, or those below one. */
static void
offer_verbs(const struct line *l, const char *above)
{
	size_t len = strlen(above);

	for (const struct command *c = commands; c->name != NULL; c++) {
		bool below = strchr(c->name, ' ') != NULL;

		if (len > 0 && strncmp(c->name, above, len) == 0 && c->name[len] == ' ') {
			offer(l, c->name + len + 1, c->help);
		} else if (len == 0 && !below && !c->hidden) {
			offer(l, c->name, c->help);
		}
	}
}

/* The option that a word names, NULL for none. */
static const struct command_option *
find_option(const char *verb, const char *word)
{
	size_t count;
	const struct command_option *all = commands_options(&count);

	for (size_t i = 0; i < count; i++) {
		const struct command_option *o = &all[i];
		bool is_long = strncmp(word, "--", 2) == 0 && strcmp(word + 2, o->name) == 0;
		bool is_short =
			word[0] == '-' && o->letter != 0 && word[1] == o->letter && word[2] == '\0';

		if (strcmp(o->verb, verb) == 0 && (is_long || is_short)) {
			return o;
		}
	}
	return NULL;
}

static void
offer_options(const struct line *l)
{
	size_t count;
	const struct command_option *all = commands_options(&count);

	for (size_t i = 0; i < count; i++) {
		auto_buf word = BUF_INIT;

		if (strcmp(all[i].verb, l->verb) == 0) {
			buf_printf(&word, "--%s", all[i].name);
			offer(l, buf_text(&word), all[i].help);
		}
	}
	if (find_option(l->verb, "--help") == NULL) {
		offer(l, "--help", "this verb's options");
	}
}

static bool
takes_value(const struct command_option *o)
{
	return o != NULL && o->argument != NULL && o->argument[0] != '\0';
}

/* The placeholder of operand `index` in a synopsis; what is in brackets is an option. */
static void
operand_of(const char *synopsis, int index, struct buf *ret)
{
	for (const char *p = synopsis; *p != '\0';) {
		size_t len = *p == '[' ? strcspn(p, "]") + 1 : strcspn(p, " ");
		bool last;

		if (*p != '[' && *p != '-') {
			last = len > 3 && strncmp(p + len - 3, "...", 3) == 0;
			if (index == 0 || last) {
				buf_put(ret, p, len);
				return;
			}
			index--;
		}
		p += len;
		p += strspn(p, " ");
	}
}

/*
 * Walks to the word; true when an operand is to be completed, with how many are before it. run's
 * command ends its options.
 */
static bool
walk(const struct line *l, int *ret_operands, const struct command_option **ret_option)
{
	bool is_run = strcmp(l->verb, "run") == 0, ended = false;

	*ret_operands = 0;
	*ret_option = NULL;
	for (int i = l->first; i + 1 < l->count; i++) {
		const char *word = l->words[i];
		const struct command_option *o = ended ? NULL : find_option(l->verb, word);

		if (!ended && strcmp(word, "--") == 0) {
			ended = true;
		} else if (takes_value(o)) {
			i++;
			/* bash makes words of "--mode", "=" and the value */
			if (i + 1 < l->count && strcmp(l->words[i], "=") == 0) {
				i++;
			}
			if (i + 1 >= l->count) {
				*ret_option = o;
				return false;
			}
		} else if (ended || word[0] != '-') {
			(*ret_operands)++;
			ended = ended || is_run;
		}
	}
	return ended || l->word[0] != '-';
}

static void
offer_operand(const struct line *l, int operands)
{
	const struct command *c = commands_find(l->verb);
	auto_buf placeholder = BUF_INIT;

	if (strcmp(l->verb, "run") == 0) {
		puts(operands == 0 ? ":commands" : ":files");
	} else if (strcmp(l->verb, "help") == 0) {
		offer_verbs(l, operands == 0 ? "" : l->words[l->first]);
	} else if (c != NULL) {
		operand_of(c->synopsis, operands, &placeholder);
		offer_value(l, buf_text(&placeholder));
	}
}

static void
complete(struct line *l)
{
	const struct command_option *o;
	const char *value = strchr(l->word, '=');
	int operands;

	if (strcmp(l->word, "=") == 0) {
		l->word = "";
	}
	if (walk(l, &operands, &o)) {
		offer_operand(l, operands);
	} else if (o != NULL) {
		offer_value(l, o->argument);
	} else if (value == NULL) {
		offer_options(l);
	}
}

/* airlock complete [--] WORD...: the words of the line behind `airlock`. */
int
cmd_complete(int argc, char **argv)
{
	int skip = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1;
	struct line l = { .words = argv + skip, .count = argc - skip, .first = 1 };
	const struct command *above;
	char name[64];

	if (l.count < 1) {
		return EXIT_AIRLOCK;
	}
	l.word = l.words[l.count - 1];
	l.verb = l.words[0];
	if (l.count == 1) {
		offer_verbs(&l, "");
		return 0;
	}
	above = commands_find(l.verb);
	if (above != NULL && above->handler == cmd_below) {
		if (l.count == 2) {
			offer_verbs(&l, above->name);
			return 0;
		}
		snprintf(name, sizeof(name), "%s %s", above->name, l.words[1]);
		l.verb = name;
		l.first = 2;
	}
	complete(&l);
	return 0;
}
