/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waits for what a resolver says, and for the end of the call that it is: a child of the caller's
 * that is `airlock run --serves`. Run by airlock-credd and airlock-cli.
 */
#ifndef AIRLOCK_CREDD_HEAR_H
#define AIRLOCK_CREDD_HEAR_H

#include <stdbool.h>
#include <sys/types.h>

#include "../base/err.h"
#include "../base/text.h"

#define HEAR_MS 10000u /* a resolver has 5 s; its sandbox and its record come to it */

struct heard {
	size_t len;		   /* of what it said, in the caller's memory */
	char call[UUID_TEXT_SIZE]; /* its own; "": it has no record */
	bool has_not_run;	   /* airlock says that the resolver was never started */
};

/*
 * Reads out_fd to its end, at most size bytes; -EFBIG where there are more. Then the child must end
 * with 0: else -ETIMEDOUT, -ECHILD with words of the result JSON in result_fd, of which none is the
 * resolver's. The child is reaped in any case: asked to end, then killed, where it does not. Closes
 * no descriptor.
 */
int hear(int out_fd, int result_fd, pid_t pid, uint8_t *data, size_t size, struct heard *ret,
	 struct err *err) must_check;

#endif
