/* SPDX-License-Identifier: Apache-2.0 */
/* What a check that names all that is wrong has told a test; how a line looks, the test says. */
#ifndef AIRLOCK_TESTS_TOLD_H
#define AIRLOCK_TESTS_TOLD_H

#include "../../launcher/base/buf.h"

struct told {
	struct buf lines;
	int stop; /* what the test's function returns */
};

#define auto_told __attribute__((cleanup(told_finish))) struct told

static inline void
told_finish(struct told *told)
{
	buf_finish(&told->lines);
}

#endif
