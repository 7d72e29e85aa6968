/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front. The tool's environment is made, not inherited: a fixed base, what the profile
 * sets and passes, what the caller hands in with -e and the profile accepts. Loader and interpreter
 * names never cross (envnames.def).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "front.h"

#define ENV_FILE_MAX (1u << 20)

struct env_list {
	struct front *f;
	const char **items;
	size_t count, room;
};

/* The jail puts that in; no other value of the name is to be taken for the leased one. */
static bool
is_leased(const struct request *r, const char *name, size_t len)
{
	for (size_t i = 0; i < r->credential_count; i++) {
		const struct plan_credential *c = &r->credentials[i];

		if (c->delivery != DELIVERY_FILE && strncmp(c->name, name, len) == 0 &&
		    c->name[len] == '\0') {
			return true;
		}
	}
	return false;
}

static int
put(struct env_list *list, const char *name, size_t name_len, const char *value)
{
	char *entry;

	if (is_leased(&list->f->req, name, name_len)) {
		return 0;
	}
	entry = arena_printf(&list->f->arena, "%.*s=%s", (int)name_len, name, value);

	if (entry == NULL) {
		return err_set(&list->f->err, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < list->count; i++) {
		if (strncmp(list->items[i], entry, name_len + 1) == 0) {
			list->items[i] = entry;
			return 0;
		}
	}
	if (list->count + 1 >= list->room) {
		size_t room = list->room == 0 ? 64 : list->room * 2;
		const char **grown = arena_alloc(&list->f->arena, room * sizeof(*grown));

		if (grown == NULL) {
			return err_set(&list->f->err, -ENOMEM, "out of memory");
		}
		if (list->count > 0) {
			memcpy(grown, list->items, list->count * sizeof(*grown));
		}
		list->items = grown;
		list->room = room;
	}
	list->items[list->count++] = entry;
	return 0;
}

/* What `environment.set` gives a name; NULL when it does not. It wins over pass and -e. */
static const char *
set_value(const struct profile *p, const char *name)
{
	for (size_t i = 0; i < p->env_set_count; i++) {
		if (strcmp(p->env_set[i].name, name) == 0) {
			return p->env_set[i].value;
		}
	}
	return NULL;
}

static bool
is_set(const struct profile *p, const char *name)
{
	return set_value(p, name) != NULL;
}

static int
put_base(struct env_list *list)
{
	const struct identity *id = &list->f->req.identity;
	const char *cwd = list->f->req.cwd;
	const struct env_pair own[] = {
#define ENV_OWN(name, value) { (name), (value) },
#include "../profile/env_own.def"
#undef ENV_OWN
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(own); i++) {
		rc = put(list, own[i].name, strlen(own[i].name), own[i].value);
	}
	/* The caller's, where the profile passes it, says more; without any it would be "dumb". */
	if (rc == 0 && list->f->req.terminal) {
		rc = put(list, "TERM", 4, "xterm");
	}
	return rc;
}

static int
put_set(struct env_list *list)
{
	const struct profile *p = list->f->profile;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < p->env_set_count; i++) {
		rc = put(list, p->env_set[i].name, strlen(p->env_set[i].name), p->env_set[i].value);
	}
	return rc;
}

/*
 * Variables that named a toolchain's directory, where it was found good; what the profile sets wins
 * over them, but its PATH is where theirs go.
 */
static int
put_toolchains(struct env_list *list)
{
	struct front *f = list->f;
	const struct toolchains *t = &f->toolchains;
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < t->place_count; i++) {
		const char *name = t->places[i].variable;

		if (name != NULL && !is_set(f->profile, name)) {
			rc = put(list, name, strlen(name), t->places[i].asked);
		}
	}
	if (rc == 0 && f->venv != NULL && !is_set(f->profile, "VIRTUAL_ENV")) {
		rc = put(list, "VIRTUAL_ENV", 11, f->venv);
	}
	if (rc == 0 && f->profile->toolchains != 0) {
		const char *own = set_value(f->profile, "PATH");
		const char *venv =
			f->venv != NULL ? arena_printf(&f->arena, "%s/bin", f->venv) : NULL;
		const char *path = toolchains_path(&f->arena, t, own != NULL ? own : PATH_DEFAULT,
						   getenv("PATH"), venv);

		rc = path == NULL ? err_set(&f->err, -ENOMEM, "out of memory")
				  : put(list, "PATH", 4, path);
	}
	return rc;
}

/* Where root became an owner the profile is his word: what else is root's, root gives with -e. */
static int
pass_on(struct env_list *list)
{
	const char *few[FRONT_ENVIRON_ROOM];
	int rc = 0;

	for (const char *const *e = front_environ(list->f, few); rc == 0 && *e != NULL; e++) {
		const char *equals = strchr(*e, '=');
		auto_free char *name = equals != NULL ? strndup(*e, (size_t)(equals - *e)) : NULL;

		if (name != NULL && profile_env_matches(&list->f->profile->env_pass, name) &&
		    profile_env_refused(name) == NULL && !is_set(list->f->profile, name)) {
			rc = put(list, name, strlen(name), equals + 1);
		}
	}
	return rc;
}

/* "NAME=VALUE", or "NAME" for the value in our own environment. */
static int
hand_in(struct env_list *list, const char *given, const char *from)
{
	struct front *f = list->f;
	size_t len = strcspn(given, "=");
	char *name = arena_copy(&f->arena, given, len);
	const char *value = given[len] == '=' ? given + len + 1 : NULL;
	const char *refused;

	if (name == NULL) {
		return err_set(&f->err, -ENOMEM, "out of memory");
	}
	if (len == 0 ||
	    strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") !=
		    len) {
		return err_set(&f->err, -EINVAL, "%s: not the name of a variable: %s", from, name);
	}
	refused = profile_env_refused(name);
	if (refused != NULL) {
		return err_set(&f->err, -EPERM, "%s: %s never crosses into a sandbox: %s", from,
			       name, refused);
	}
	if (!profile_env_matches(&f->profile->env_accept, name)) {
		return err_set(&f->err, -EPERM,
			       "%s: profile %s does not accept %s; add it to environment.accept",
			       from, f->profile->name, name);
	}
	if (is_set(f->profile, name)) {
		return err_set(&f->err, -EPERM, "%s: profile %s sets %s itself (environment.set)",
			       from, f->profile->name, name);
	}
	if (value == NULL) {
		value = getenv(name);
	}
	if (value == NULL) {
		return err_set(&f->err, -ENOENT, "%s: %s is not set in airlock's environment", from,
			       name);
	}
	return put(list, name, len, value);
}

static int
hand_in_file(struct env_list *list, const char *path)
{
	struct front *f = list->f;
	auto_buf text = BUF_INIT;
	char *save = NULL;
	int rc = fdio_slurp_at(AT_FDCWD, path, ENV_FILE_MAX, &text);

	if (rc < 0) {
		return err_sys(&f->err, rc, "--env-file %s", path);
	}
	if (text.len == 0) {
		return 0;
	}
	if (memchr(text.data, 0, text.len) != NULL) {
		return err_set(&f->err, -EINVAL, "--env-file %s: a NUL byte in it", path);
	}
	for (char *line = strtok_r((char *)text.data, "\n", &save); rc == 0 && line != NULL;
	     line = strtok_r(NULL, "\n", &save)) {
		if (line[0] == '#' || line[0] == '\0') {
			continue;
		}
		rc = strchr(line, '=') == NULL
			   ? err_set(&f->err, -EINVAL, "--env-file %s: a line without '='", path)
			   : hand_in(list, line, "--env-file");
	}
	return rc;
}

/*
 * What the caller asks for: passed and handed in. Of this, and not of what is found on the host, is
 * the request (docs/formats.md, "Record").
 */
int
front_asked_environment(struct front *f)
{
	struct env_list list = { .f = f };
	int rc = pass_on(&list);

	for (size_t i = 0; rc == 0 && i < f->opt.env_file_count; i++) {
		rc = hand_in_file(&list, f->opt.env_files[i]);
	}
	for (size_t i = 0; rc == 0 && i < f->opt.env_count; i++) {
		rc = hand_in(&list, f->opt.env[i], "-e");
	}
	f->asked_env = list.items;
	f->asked_env_count = list.count;
	return rc;
}

int
front_environment(struct front *f)
{
	struct env_list list = { .f = f };
	int rc = put_base(&list);

	if (rc == 0) {
		rc = put_set(&list);
	}
	if (rc == 0) {
		rc = put_toolchains(&list);
	}
	for (size_t i = 0; rc == 0 && i < f->asked_env_count; i++) {
		const char *entry = f->asked_env[i], *equals = strchr(entry, '=');

		rc = put(&list, entry, (size_t)(equals - entry), equals + 1);
	}
	if (rc == 0 && plan_has_credential_files(&f->req)) {
		rc = put(&list, CREDENTIALS_VARIABLE, strlen(CREDENTIALS_VARIABLE),
			 CREDENTIALS_INSIDE);
	}
	f->req.envp = list.items;
	f->req.envc = list.count;
	return rc;
}
