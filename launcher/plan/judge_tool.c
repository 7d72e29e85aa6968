/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Environment and command of a call against a profile. Runs in airlock-cli, as the caller. Names
 * may be any text.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "judge.h"
#include "judge_internal.h"

/* ---- environment ----------------------------------------------------------------------------- */

static const char *
entry_of(const struct strings *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct strings one = { .items = &list->items[i], .count = 1 };

		if (profile_env_matches(&one, name)) {
			return list->items[i];
		}
	}
	return NULL;
}

struct judge_environment
judge_environment(const struct profile *p, const char *name)
{
	static const char *const own[] = {
#define ENV_OWN(variable, value) variable,
#include "../profile/env_own.def"
#undef ENV_OWN
	};
	const char *refused = profile_env_refused(name), *entry;

	for (size_t i = 0; i < p->env_set_count; i++) {
		if (strcmp(p->env_set[i].name, name) == 0) {
			return (struct judge_environment){ true, KEY_ENV_SET, name,
							   "the profile gives it a fixed value" };
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		if (strcmp(own[i], name) == 0) {
			return (struct judge_environment){ true, KEY__COUNT, NULL,
							   "airlock itself sets it" };
		}
	}
	if (refused != NULL) {
		return (struct judge_environment){ false, KEY__COUNT, NULL, refused };
	}
	entry = entry_of(&p->env_pass, name);
	if (entry != NULL) {
		return (struct judge_environment){ true, KEY_ENV_PASS, entry,
						   "it is taken over from airlock's environment" };
	}
	entry = entry_of(&p->env_accept, name);
	if (entry != NULL) {
		return (struct judge_environment){ true, KEY_ENV_ACCEPT, entry,
						   "-e and --env-file may give it" };
	}
	return (struct judge_environment){ false, KEY__COUNT, NULL,
					   "no entry of the profile names it" };
}

/* ---- command --------------------------------------------------------------------------------- */

/* `tool.run` names what may be the entry command; both sides are compared after links. */
static void
judge_allowed(const struct profile *p, struct judge_command *answer)
{
	if (answer->error != 0 || p->tool_run.count == 0) {
		return;
	}
	for (size_t i = 0; i < p->tool_run.count; i++) {
		auto_free char *allowed = realpath(p->tool_run.items[i], NULL);

		if (allowed != NULL && strcmp(allowed, answer->path) == 0) {
			answer->entry = p->tool_run.items[i];
			answer->why = "tool.run names it";
			return;
		}
	}
	answer->error = EPERM;
	answer->why = "only what tool.run names may be the command of a call";
}

static int
try(struct judge *j, const char *path, struct judge_command *answer)
{
	struct judge_path found;
	int rc = judge_path(j, path, JUDGE_EXECUTE, &found);

	if (rc == 0) {
		*answer = (struct judge_command){ .error = found.error,
						  .path = found.error != ENOENT ? found.real : NULL,
						  .rule = found.rule,
						  .why = found.why };
	}
	return rc;
}

int
judge_command(struct judge *j, const char *name, const char *path, struct judge_command *ret)
{
	const struct profile *p = judge_profile(j);
	struct judge_command answer = {
		.error = ENOENT, .why = "no directory of PATH that the tool can read has it"
	};
	char full[PATH_MAX];
	int rc = 0;

	if (strlen(name) >= PATH_MAX) {
		return -ENAMETOOLONG;
	}
	if (strchr(name, '/') != NULL) {
		int n = snprintf(full, sizeof(full), "%s%s%s",
				 name[0] == '/' ? "" : judge_workspace(j),
				 name[0] == '/' ? "" : "/", name);

		rc = n >= (int)sizeof(full) ? -ENAMETOOLONG : try(j, full, &answer);
		judge_allowed(p, &answer);
	}
	for (const char *dirs = strchr(name, '/') != NULL ? "" : path;
	     rc == 0 && answer.error != 0 && *dirs != '\0';) {
		size_t len = strcspn(dirs, ":");
		struct judge_command found = { .error = ENOENT };
		int n = snprintf(full, sizeof(full), "%.*s/%s", (int)len, dirs, name);

		dirs += len + (dirs[len] == ':');
		if (full[0] != '/' || n >= (int)sizeof(full)) {
			continue;
		}
		rc = try(j, full, &found);
		if (rc < 0 || found.error != 0) {
			continue;
		}
		judge_allowed(p, &found);
		/* The first one is named where none may be the command. */
		if (found.error == 0 || answer.path == NULL) {
			answer = found;
		}
	}
	*ret = answer;
	return rc;
}
