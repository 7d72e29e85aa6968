/* SPDX-License-Identifier: Apache-2.0 */
/* The age programs as children. Private to this directory. airlock-cli and airlock-credd. */
#ifndef AIRLOCK_BUNDLE_SEALED_AGE_H
#define AIRLOCK_BUNDLE_SEALED_AGE_H

#include <sys/types.h>

#include "../base/err.h"
#include "../base/cleanup.h"

#define AGE_SECONDS 10u /* for all that one child does */

/* All borrowed. */
struct age_child {
	const char *const *argv; /* argv[0] is the absolute path of the program */
	int in_fd, out_fd;
	int identity_fd; /* the child's descriptor 3, or -1 */
	/* set by age_start */
	int said_fd; /* owned: what it says on stderr */
	int pidfd;   /* owned */
	pid_t pid;
};

#define AGE_CHILD_INIT                                                                     \
	{                                                                                  \
		.argv = NULL, .in_fd = -1, .out_fd = -1, .identity_fd = -1, .said_fd = -1, \
		.pidfd = -1                                                                \
	}
#define auto_age_child __attribute__((cleanup(age_finish))) struct age_child

/* Its descriptors are 0, 1, 2 and the identity; it dies with us. 0 or -errno with its text. */
int age_start(struct age_child *c, struct err *err) must_check;
/*
 * Waits for its end: 0 where it says so, else what sealed.h says, in words that are ours: nothing
 * of what it said is passed on.
 */
int age_wait(struct age_child *c, struct err *err) must_check;
/* Ends it where it lives. */
void age_finish(struct age_child *c);

#endif
