/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question, answered: yes or no, by which rule, and what would change it. Runs in airlock-cli,
 * as the caller; the answers are texts that may hold bytes of files and of the question.
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/units.h"
#include "../profile/explain.h"
#include "cmd_profile_ask.h"

static void
place_of(const struct ask *a, struct ask_answer *ret, enum profile_key_id key, const char *item)
{
	ret->key = key;
	explain_place(&a->loaded, key, item, &ret->place);
}

/* What shows a path of the host: a read path, a worktree's repository, or a toolchain. */
static void
place_of_path(const struct ask *a, struct ask_answer *ret, const struct rule_path *rule,
	      const char *real)
{
	if (rule != NULL) {
		ret->key = KEY_FS_READ;
		buf_puts(&ret->place, rule->origin);
	} else if (plan_covers(WORKTREE_INSIDE, real)) {
		place_of(a, ret, KEY_GIT_WORKTREE, NULL);
	} else {
		place_of(a, ret, KEY_TOOLCHAINS, NULL);
	}
}

/* A path of the host that nothing shows; what has it may be a toolchain. */
static void
remedy_hidden(const struct ask *a, struct buf *b, const char *path)
{
	const char *why = explain_unreadable(path), *toolchain;

	if (why != NULL) {
		buf_printf(b, "no profile may read it: %s", why);
		return;
	}
	toolchain = toolchain_of(&a->query, path);
	if (toolchain != NULL) {
		profile_remedy_entry(b, a->loaded.profile, KEY_TOOLCHAINS, toolchain);
	} else {
		profile_remedy_entry(b, a->loaded.profile, KEY_FS_READ, path);
	}
}

/* ---- paths ----------------------------------------------------------------------------------- */

/* Nothing of the host's is shown there. */
static bool
is_hidden(const struct judge_path *found)
{
	return found->ground == JUDGE_NOTHING || found->ground == JUDGE_SCRATCH;
}

static void
remedy_path(const struct ask *a, const char *path, enum judge_access access,
	    const struct judge_path *found, struct ask_answer *ret)
{
	bool hidden = is_hidden(found);
	struct stat st;

	if (access == JUDGE_WRITE && (found->error == EROFS || hidden)) {
		buf_puts(&ret->remedy,
			 "a tool writes to the workspace, to /tmp and to HOME; hand it "
			 "the directory as its workspace (-w)");
	} else if (access != JUDGE_WRITE && hidden && lstat(path, &st) == 0) {
		remedy_hidden(a, &ret->remedy, path);
	} else if (access != JUDGE_WRITE && hidden) {
		buf_puts(&ret->remedy, "the host does not have it either");
	}
}

static int
ask_access(struct ask *a, const char *subject, enum judge_access access, struct ask_answer *ret)
{
	auto_free char *path = ask_path(a, subject);
	struct judge_path found;
	struct stat st;
	int rc = path == NULL ? -ENOMEM : judge_path(a->judge, path, access, &found);

	if (rc < 0) {
		return rc;
	}
	ret->allowed = found.error == 0;
	ret->error = found.error;
	ret->masked = found.ground == JUDGE_MASKED;
	ret->absent = found.ground != JUDGE_SCRATCH && found.ground != JUDGE_CACHE &&
		      lstat(path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR);
	buf_puts(&ret->why, found.why);
	if (strcmp(found.real, path) != 0 && !found.absent) {
		buf_printf(&ret->why, " (links lead to %s)", found.real);
	}
	if (found.ground == JUDGE_HOST) {
		place_of_path(a, ret, found.rule, found.real);
	} else if (found.rule != NULL) {
		ret->key = found.ground == JUDGE_CACHE	    ? KEY_FS_CACHE
			   : found.ground == JUDGE_EXTERNAL ? KEY_FS_WRITE
							    : KEY_FS_HIDE;
		buf_puts(&ret->place, found.rule->origin);
	} else if (!ret->allowed && is_hidden(&found)) {
		place_of(a, ret, KEY_FS_READ, NULL);
	}
	if (!ret->allowed) {
		remedy_path(a, path, access, &found, ret);
	}
	return 0;
}

/* ---- commands -------------------------------------------------------------------------------- */

/* Where the caller's own PATH has it; heap, or NULL. */
static char *
host_has(const char *name)
{
	const char *dirs = strchr(name, '/') != NULL ? "" : getenv("PATH");

	if (strchr(name, '/') != NULL && access(name, X_OK) == 0) {
		return realpath(name, NULL);
	}
	for (const char *p = dirs != NULL ? dirs : ""; *p != '\0';) {
		size_t len = strcspn(p, ":");
		char *path = NULL;

		if (asprintf(&path, "%.*s/%s", (int)len, p, name) < 0) {
			return NULL;
		}
		if (path[0] == '/' && access(path, X_OK) == 0) {
			return path;
		}
		free(path);
		p += len + (p[len] == ':');
	}
	return NULL;
}

static int
ask_command(struct ask *a, const char *name, struct ask_answer *ret)
{
	auto_free char *path = strncmp(name, "~/", 2) == 0 ? ask_path(a, name) : strdup(name);
	auto_free char *elsewhere = NULL;
	struct judge_command found;
	int rc = path == NULL ? -ENOMEM : judge_command(a->judge, path, a->path, &found);

	if (rc < 0) {
		return rc;
	}
	elsewhere = found.path == NULL ? host_has(path) : NULL;
	ret->allowed = found.error == 0;
	ret->error = found.error;
	ret->absent = found.path == NULL && elsewhere == NULL;
	if (found.path != NULL) {
		buf_printf(&ret->why, "%s: %s", found.path, found.why);
	} else if (elsewhere != NULL) {
		buf_printf(&ret->why, "the host has it at %s, which the profile does not show",
			   elsewhere);
		remedy_hidden(a, &ret->remedy, elsewhere);
	} else {
		buf_puts(&ret->why, found.why);
	}
	if (found.error == EPERM) {
		place_of(a, ret, KEY_TOOL_RUN, NULL);
		profile_remedy_entry(&ret->remedy, a->loaded.profile, KEY_TOOL_RUN, found.path);
	} else if (found.entry != NULL) {
		place_of(a, ret, KEY_TOOL_RUN, found.entry);
	} else if (found.rule != NULL) {
		place_of_path(a, ret, found.rule, found.path);
	}
	return 0;
}

/* ---- the rest -------------------------------------------------------------------------------- */

static void
ask_environment(const struct ask *a, const char *name, struct ask_answer *ret)
{
	struct judge_environment found = judge_environment(a->loaded.profile, name);

	for (size_t i = 0; i < a->toolchains.place_count && found.key == KEY__COUNT; i++) {
		const char *variable = a->toolchains.places[i].variable;

		if (variable != NULL && strcmp(variable, name) == 0) {
			found = (struct judge_environment){ true, KEY_TOOLCHAINS, NULL,
							    "it names a toolchain that is given" };
		}
	}
	ret->allowed = found.crosses;
	buf_puts(&ret->why, found.why);
	if (found.key != KEY__COUNT) {
		place_of(a, ret, found.key, found.entry);
	}
	if (!found.crosses && profile_env_refused(name) == NULL) {
		place_of(a, ret, KEY_ENV_ACCEPT, NULL);
		profile_remedy_entry(&ret->remedy, a->loaded.profile, KEY_ENV_ACCEPT, name);
	}
}

/* Which calls of that name are granted: one line per case. */
static void
put_cases(struct buf *b, const char *name)
{
	const char *why, *before = "";
	int error = 0;

	buf_puts(b, "its arguments decide:");
	for (size_t i = 0; (why = judge_syscall_case(name, i, &error)) != NULL; i++) {
		/* "TCP" is said once, not once for each way to ask for it. */
		if (strcmp(why, before) != 0) {
			buf_printf(b, "\n  %s: %s", error == 0 ? "yes" : strerrorname_np(error),
				   why);
		}
		before = why;
	}
}

static int
ask_syscall(const struct ask *a, const struct vector_call *call, struct ask_answer *ret)
{
	const struct profile *p = a->loaded.profile;
	struct judge_syscall found;
	int rc = judge_syscall(&p->syscalls, call->name, call->args, &found);

	if (rc < 0) {
		return rc;
	}
	if (found.depends && call->given == 0 && found.listed != NULL) {
		found.error = 0;
		put_cases(&ret->why, call->name);
	} else if (strcmp(found.what, found.why) == 0) {
		buf_puts(&ret->why, found.what);
	} else {
		buf_printf(&ret->why, "%s; here: %s", found.what, found.why);
	}
	ret->allowed = found.error == 0;
	ret->error = found.error;
	if (found.listed != NULL) {
		buf_printf(&ret->why, "\n%s by %s%s%s",
			   ret->allowed ? "granted" : "the call as such is granted", found.group,
			   strcmp(found.listed, found.group) != 0 ? ", which is part of " : "",
			   strcmp(found.listed, found.group) != 0 ? found.listed : "");
		place_of(a, ret, KEY_SYSCALLS, found.listed);
	} else {
		place_of(a, ret, KEY_SYSCALLS, NULL);
	}
	if (!ret->allowed && found.listed == NULL && found.group != NULL) {
		profile_remedy_entry(&ret->remedy, a->loaded.profile, KEY_SYSCALLS, found.group);
	} else if (!ret->allowed) {
		buf_puts(&ret->remedy, "no profile can allow it");
	}
	return 0;
}

static void
ask_limit(const struct ask *a, const struct vector *v, struct ask_answer *ret)
{
	static const struct {
		enum profile_key_id key;
		size_t offset;
		void (*print)(struct buf *b, uint64_t value);
	} rows[] = {
#define LIMIT(id, name, member, unit, example) \
	{ KEY_##id, offsetof(struct limits, member), units_print_##unit },
#include "../profile/limits.def"
#undef LIMIT
	};
	const struct profile *p = a->loaded.profile;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_buf change = BUF_INIT, text = BUF_INIT;
		uint64_t has;

		if (rows[i].key != v->limit_key) {
			continue;
		}
		memcpy(&has, (const char *)&p->limits + rows[i].offset, sizeof(has));
		ret->allowed = v->amount <= has;
		buf_printf(&ret->why, "limits.%s is ", v->subject);
		rows[i].print(&ret->why, has);
		place_of(a, ret, v->limit_key, NULL);
		if (!ret->allowed) {
			buf_printf(&change, "raise limits.%s", v->subject);
			buf_printf(&text, "limits: { %s: ", v->subject);
			rows[i].print(&text, v->amount);
			buf_puts(&text, " }");
			profile_remedy(&ret->remedy, p, v->limit_key, buf_text(&change),
				       buf_text(&text));
		}
	}
}

int
ask_vector(struct ask *a, const struct vector *v, struct ask_answer *ret, struct err *err)
{
	int rc = 0;

	switch (v->kind) {
	case VECTOR_SEE:
		rc = ask_access(a, v->subject, JUDGE_SEE, ret);
		break;
	case VECTOR_READ:
		rc = ask_access(a, v->subject, JUDGE_READ, ret);
		break;
	case VECTOR_WRITE:
		rc = ask_access(a, v->subject, JUDGE_WRITE, ret);
		break;
	case VECTOR_EXECUTE:
		rc = ask_access(a, v->subject, JUDGE_EXECUTE, ret);
		break;
	case VECTOR_COMMAND:
		rc = ask_command(a, v->subject, ret);
		break;
	case VECTOR_ENVIRONMENT:
		ask_environment(a, v->subject, ret);
		break;
	case VECTOR_SYSCALL:
		rc = ask_syscall(a, &v->call, ret);
		break;
	case VECTOR_LIMIT:
		ask_limit(a, v, ret);
		break;
	case VECTOR__COUNT:
		rc = -EINVAL;
		break;
	}
	if (rc == 0 && (ret->why.failed || ret->place.failed || ret->remedy.failed)) {
		rc = -ENOMEM;
	}
	return rc < 0 ? err_sys(err, rc, "%s %s", vector_word(v->kind), v->subject) : 0;
}

int
ask_question(struct ask *a, const struct profile_question *q, struct vector *ret_vector,
	     struct ask_answer *ret, struct err *err)
{
	char why[256];

	return vector_parse(q->text, ret_vector, why, sizeof(why)) < 0
		     ? err_set(err, -EINVAL, "%s: %s", q->at, why)
		     : ask_vector(a, ret_vector, ret, err);
}
