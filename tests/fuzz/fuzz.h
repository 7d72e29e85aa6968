/* SPDX-License-Identifier: Apache-2.0 */
/* What the targets share: the call of libFuzzer, and how they say that a promise does not hold. */
#ifndef AIRLOCK_TESTS_FUZZ_H
#define AIRLOCK_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../launcher/base/buf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void
require(bool holds, const char *what)
{
	if (!holds) {
		fprintf(stderr, "%s\n", what);
		abort();
	}
}

/* With a text that a person wants to see beside it; NULL: none. */
static inline void
require_shown(bool holds, const char *what, const struct buf *shown)
{
	if (!holds) {
		fprintf(stderr, "%s\n%s\n", what, shown != NULL ? buf_text(shown) : "");
		abort();
	}
}

#endif
