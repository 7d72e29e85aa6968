/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scope-bound ownership. A variable declared auto_* must be initialised (-1 or NULL); it releases
 * what it holds when its scope ends. Hand the value out with take_fd or take_ptr.
 */
#ifndef AIRLOCK_BASE_CLEANUP_H
#define AIRLOCK_BASE_CLEANUP_H

#include <stdlib.h>
#include <unistd.h>

#define must_check __attribute__((warn_unused_result))
#define auto_fd __attribute__((cleanup(cleanup_fd))) int
#define auto_free __attribute__((cleanup(cleanup_free)))

/* States why a result may be dropped; gcc warns through a plain (void) cast. */
#define ignore_err(expr, why)                                                                      \
	do {                                                                                       \
		__typeof__(expr) ignored_ __attribute__((unused)) = (expr);                        \
		_Static_assert(sizeof(why) > 1, "say why");                                        \
	} while (0)

static inline void
cleanup_fd(int *fd)
{
	if (*fd >= 0) {
		close(*fd);
	}
}

static inline void
cleanup_free(void *slot)
{
	free(*(void **)slot);
}

static inline int
take_fd(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

#define take_ptr(p)                                                                                \
	({                                                                                         \
		__typeof__(p) *slot_ = &(p);                                                       \
		__typeof__(p) taken_ = *slot_;                                                     \
		*slot_ = NULL;                                                                     \
		taken_;                                                                            \
	})

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
