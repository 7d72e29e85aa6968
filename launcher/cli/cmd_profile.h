/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the verbs that read profiles share: where profiles are, a request for one, its filters, and
 * how errors in it are told. airlock-cli only, as the caller.
 */
#ifndef AIRLOCK_CLI_CMD_PROFILE_H
#define AIRLOCK_CLI_CMD_PROFILE_H

#include "../plan/filter.h"
#include "../profile/profile_load.h"

#define SYSTEM_PROFILES "/etc/airlock/profiles"

/* Of this airlock: the directories of programs and of the profiles that came with it. Owned. */
struct places {
	char *programs, *shipped;
	char *front; /* what a person starts, `airlock` */
};

#define auto_places __attribute__((cleanup(places_finish))) struct places
#define auto_loaded __attribute__((cleanup(profile_loaded_finish))) struct profile_loaded

int places_find(struct places *ret, struct err *err) must_check;
void places_finish(struct places *p);
/* The caller's home; borrowed from the environment or the account. */
const char *places_home(void);
/*
 * As root, and as run does it: from now on this process's files are where the account of that user
 * says, not where the environment that root was called with does. -errno.
 */
int places_become(uid_t uid) must_check;

/*
 * The request of this process for one profile: the search path and the home come from its
 * environment. All is borrowed.
 */
struct profile_request profile_request_of(const char *name, const char *shipped);

/* Both filters of a profile. */
struct profile_filters {
	struct filter_program tool, init;
};

#define auto_filters __attribute__((cleanup(profile_filters_finish))) struct profile_filters

/* Compiles and checks them; the profile then points into *ret. */
int
profile_filters_make(struct profile *p, struct profile_filters *ret, struct err *err) must_check;
void profile_filters_finish(struct profile_filters *f);

/*
 * On stderr: the report, whose lines begin with a file's name as a compiler's do, or the error as
 * ours. Returns status.
 */
int profile_fail(int status, const struct buf *report, const struct err *err);

#endif
