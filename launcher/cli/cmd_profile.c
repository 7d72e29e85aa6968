/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the verbs that read profiles share (cmd_profile.h). Runs in
 * airlock-cli as the caller. Trusts profile files as far as profile_load.c does.
 */
#include "cmd_profile.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/text.h"
#include "../base/trusted.h"
#include "commands.h"

/* ---- where things are ------------------------------------------------------------------------ */

static char *
joined(const char *dir, const char *rest)
{
	char *path;

	return asprintf(&path, "%s%s", dir, rest) < 0 ? NULL : path;
}

/* A build tree has all in build/, an installed prefix in libexec/airlock and share/airlock. */
int
places_find(struct places *ret, struct err *err)
{
	struct places p = { .programs = NULL };
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n < 0) {
		return err_sys(err, -errno, "read /proc/self/exe (is /proc mounted?)");
	}
	self[n] = '\0';
	slash = strrchr(self, '/');
	*slash = '\0';
	p.programs = strdup(self);
	slash = strstr(self, "/libexec/airlock");
	if (slash != NULL && slash[strlen("/libexec/airlock")] == '\0') {
		*slash = '\0';
		p.shipped = joined(self, "/share/airlock/profiles");
		p.front = joined(self, "/bin/airlock");
	} else {
		p.front = joined(self, "/airlock");
		slash = strrchr(self, '/');
		self[slash != NULL ? slash - self : 0] = '\0';
		p.shipped = joined(self, "/profiles");
	}
	if (p.programs == NULL || p.shipped == NULL || p.front == NULL) {
		places_finish(&p);
		return err_set(err, -ENOMEM, "out of memory");
	}
	*ret = p;
	return 0;
}

void
places_finish(struct places *p)
{
	free(p->programs);
	free(p->shipped);
	free(p->front);
}

static const char *
home_of(uid_t uid)
{
	const struct passwd *pw = getpwuid(uid);

	return pw != NULL && pw->pw_dir[0] == '/' && pw->pw_dir[1] != '\0' ? pw->pw_dir
									  : "/home/sandbox";
}

const char *
places_home(void)
{
	const char *home = getenv("HOME");

	return home == NULL || home[0] != '/' || home[1] == '\0' ? home_of(geteuid()) : home;
}

int
places_become(uid_t uid)
{
	unsetenv("XDG_CONFIG_HOME");
	unsetenv("XDG_STATE_HOME");
	return setenv("HOME", home_of(uid), 1) < 0 ? -errno : 0;
}

struct profile_request
profile_request_of(const char *name, const char *shipped)
{
	return (struct profile_request){
		.name = name,
		.search = getenv("AIRLOCK_PROFILES"),
		.config_home = getenv("XDG_CONFIG_HOME"),
		.system_dir = SYSTEM_PROFILES,
		.shipped_dir = shipped,
		.home = places_home(),
		.caller = geteuid(),
		.unmapped = trusted_unmapped_uid(),
	};
}

/* ---- filters --------------------------------------------------------------------------------- */

int
profile_filters_make(struct profile *p, struct profile_filters *ret, struct err *err)
{
	/* Denials that explain something go through notification: the supervisor serves it. */
	const bool notify = true;
	int rc = filter_compile(p->syscalls.items, p->syscalls.count, notify, &ret->tool, err);

	if (rc == 0) {
		rc = filter_check(&ret->tool, p->syscalls.items, p->syscalls.count, notify, err);
	}
	if (rc == 0) {
		rc = filter_compile_init(&ret->init, err);
	}
	if (rc < 0) {
		err_prefix(err, "%s", p->source);
		return rc;
	}
	p->filter = ret->tool.insns;
	p->filter_len = ret->tool.len;
	memcpy(p->filter_digest, ret->tool.digest, sizeof(p->filter_digest));
	p->init_filter = ret->init.insns;
	p->init_filter_len = ret->init.len;
	return 0;
}

void
profile_filters_finish(struct profile_filters *f)
{
	filter_finish(&f->tool);
	filter_finish(&f->init);
}

int
profile_fail(int status, const struct buf *report, const struct err *err)
{
	if (report->len == 0) {
		return commands_fail(status, err);
	}
	fputs(buf_text(report), stderr);
	return status;
}
