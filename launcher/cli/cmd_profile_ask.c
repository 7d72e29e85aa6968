/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile and a call that nobody makes: who the tool would be, where its workspace is, and the
 * plan that answers. Runs in airlock-cli, as the caller.
 */
#include "cmd_profile_ask.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../store/store.h"
#include "../sys/sys.h"

#define NOBODY_S_UID 2147000000u /* stands for the id that a workspace of root's gets */
#define OVERFLOW_UID 65534u
#define LANDLOCK_NEEDED 2

static int
copy_account(struct ask *a, const struct passwd *pw)
{
	a->home = strdup(places_home());
	a->user = strdup(pw != NULL ? pw->pw_name : "user");
	a->request.identity.home = a->home;
	a->request.identity.user = a->user;
	a->request.identity.shell = "/bin/sh";
	return a->home == NULL || a->user == NULL ? -ENOMEM : 0;
}

/*
 * As the launcher decides it (docs/architecture.md, Identity), with one id for all of the range: no
 * answer depends on which it is.
 */
static int
who_runs(struct ask *a, uid_t owner, gid_t group)
{
	struct identity *id = &a->request.identity;
	const struct passwd *pw;
	struct stat kernel;

	if (stat("/proc/sys/kernel", &kernel) < 0) {
		return -errno;
	}
	id->root_unmapped = kernel.st_uid == OVERFLOW_UID && geteuid() != OVERFLOW_UID;
	id->owner_uid = owner;
	id->owner_gid = group;
	id->uid_outside = geteuid();
	id->gid_outside = getegid();
	if (geteuid() != 0 || kernel.st_uid != 0) {
		return copy_account(a, getpwuid(geteuid()));
	}
	if (places_become(owner) < 0) {
		return -ENOMEM;
	}
	a->request.workspace_clone = true;
	pw = getpwuid(owner);
	id->kind = owner == 0 ? IDENTITY_RANGE : IDENTITY_PLAIN;
	id->uid_outside = owner == 0 ? NOBODY_S_UID : owner;
	id->gid_outside = owner == 0 ? NOBODY_S_UID : pw != NULL ? pw->pw_gid : owner;
	return copy_account(a, pw);
}

int
ask_profile(struct ask *a, const char *profile, const char *dir, struct buf *report,
	    struct err *err)
{
	struct stat st = { .st_uid = geteuid(), .st_gid = getegid() };
	struct profile_request request;
	int rc = places_find(&a->places, err);

	if (rc < 0) {
		return rc;
	}
	if (dir != NULL && stat(dir, &st) < 0) {
		return err_sys(err, -errno, "workspace %s", dir);
	}
	rc = who_runs(a, st.st_uid, st.st_gid);
	if (rc < 0) {
		return err_sys(err, rc, "who the tool would be");
	}
	request = profile_request_of(profile, a->places.shipped);
	/* Whose profiles count is who the launcher would have become. */
	if (a->request.identity.kind == IDENTITY_PLAIN) {
		request.caller = a->request.identity.uid_outside;
	}
	return profile_load(&request, &a->loaded, report, err);
}

int
ask_scratch(struct ask *a, struct err *err)
{
	char text[] = "/tmp/airlock-profile-XXXXXX";

	if (mkdtemp(text) == NULL) {
		return err_sys(err, -errno, "%s", text);
	}
	a->scratch = strdup(text);
	return a->scratch == NULL ? err_set(err, -ENOMEM, "out of memory") : 0;
}

static const char *
set_path(const struct profile *p)
{
	for (size_t i = 0; i < p->env_set_count; i++) {
		if (strcmp(p->env_set[i].name, "PATH") == 0) {
			return p->env_set[i].value;
		}
	}
	return PATH_DEFAULT;
}

static int
find_toolchains(struct ask *a, struct err *err)
{
	const struct profile *p = a->loaded.profile;
	int rc = store_path(getenv("AIRLOCK_STATE"), getenv("XDG_STATE_HOME"), a->home, &a->state,
			    err);
	char *real;

	if (rc < 0) {
		return rc;
	}
	/* As the front has it: without links, for what is compared with it. */
	real = realpath(a->state, NULL);
	if (real != NULL) {
		free(a->state);
		a->state = real;
	}
	a->query = (struct toolchain_query){ .wanted = p->toolchains,
					     .identity = &a->request.identity,
					     .workspace = a->workspace,
					     .state = a->state,
					     .variable = getenv };
	rc = toolchains_find(&a->arena, &a->query, &a->toolchains);
	a->request.toolchains = &a->toolchains;
	a->path = set_path(p);
	if (rc == 0 && p->toolchains != 0) {
		a->path = toolchains_path(&a->arena, &a->toolchains, a->path, getenv("PATH"), NULL);
	}
	return rc < 0 || a->path == NULL ? err_set(err, -ENOMEM, "out of memory") : 0;
}

static int
find_worktree(struct ask *a, struct err *err)
{
	auto_fd workspace = open(a->workspace, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct worktree_query q = { .identity = &a->request.identity,
					  .workspace = a->workspace,
					  .workspace_fd = workspace,
					  .state = a->state };

	a->request.worktree = &a->worktree;
	return a->loaded.profile->git_worktree && worktree_find(&a->arena, &q, &a->worktree) < 0
		       ? err_set(err, -ENOMEM, "out of memory")
		       : 0;
}

int
ask_workspace(struct ask *a, const char *dir, struct err *err)
{
	struct request *r = &a->request;
	int abi = sys_landlock_abi(), rc;

	free(a->workspace);
	a->workspace = realpath(dir, NULL);
	if (a->workspace == NULL) {
		return err_sys(err, -errno, "workspace %s", dir);
	}
	r->workspace = r->cwd = a->workspace;
	r->exe = r->upper_dir = "";
	r->mode = a->loaded.profile->mode;
	r->limits = a->loaded.profile->limits;
	r->landlock_abi = abi < LANDLOCK_NEEDED ? 0 : abi;
	rc = find_toolchains(a, err);
	if (rc == 0) {
		rc = find_worktree(a, err);
	}
	return rc == 0 ? judge_create(a->loaded.profile, r, &a->judge, err) : rc;
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st, (void)kind, (void)at;
	return remove(path);
}

void
ask_finish(struct ask *a)
{
	judge_destroy(a->judge);
	profile_loaded_finish(&a->loaded);
	places_finish(&a->places);
	if (a->scratch != NULL) {
		ignore_err(nftw(a->scratch, remove_one, 16, FTW_DEPTH | FTW_PHYS),
			   "what is left is in /tmp");
	}
	arena_finish(&a->arena);
	free(a->state);
	free(a->workspace);
	free(a->home);
	free(a->user);
	free(a->scratch);
}

void
ask_answer_finish(struct ask_answer *answer)
{
	buf_finish(&answer->why);
	buf_finish(&answer->place);
	buf_finish(&answer->remedy);
}

char *
ask_path(const struct ask *a, const char *subject)
{
	char *path;
	int n = subject[0] == '/'	       ? asprintf(&path, "%s", subject)
	      : strncmp(subject, "~/", 2) == 0 ? asprintf(&path, "%s%s", a->home, subject + 1)
					       : asprintf(&path, "%s/%s", a->workspace, subject);

	return n < 0 ? NULL : path;
}
