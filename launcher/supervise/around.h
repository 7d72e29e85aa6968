/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands around airlock itself and may forbid what a sandbox is made of: a container, somebody
 * else's seccomp filter, AppArmor. Read from this process' own /proc, from the files that docker
 * and podman leave (machines that were made from an image have them too), and from the environment;
 * used in messages only, nothing is decided by it.
 */
#ifndef AIRLOCK_SUPERVISE_AROUND_H
#define AIRLOCK_SUPERVISE_AROUND_H

#include <stdbool.h>

#include "../base/buf.h"
#include "../base/err.h"

enum around_container {
	AROUND_NO_CONTAINER,
	AROUND_DOCKER,	   /* /.dockerenv */
	AROUND_PODMAN,	   /* /run/.containerenv */
	AROUND_KUBERNETES, /* $KUBERNETES_SERVICE_HOST, without either of the above */
	AROUND_CONTAINER,  /* $container says so, and no more */
};

struct around {
	enum around_container container;
	bool is_filtered; /* seccomp mode 2 at the start */
	bool is_masked;	  /* something is mounted over parts of /proc */
	bool is_apparmor; /* under an enforcing profile of AppArmor, as docker's */
	bool lacks_admin; /* uid 0 without CAP_SYS_ADMIN: more than a plain user is asked for */
};

void around_find(struct around *ret);

/* How to start this container so that airlock works in it, one command or setting; nothing without
 * a container. */
void around_command(const struct around *a, struct buf *ret);

/*
 * Appends to err what can be done about it, where code (negative) is one that a container or a
 * filter gives (EPERM, EACCES, ENOSYS) and there is one around. Returns code.
 */
int around_explain(struct err *err, int code);

#endif
