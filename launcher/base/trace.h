/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AIRLOCK_TRACE=1: what each step of a call cost, on stderr at its end. The clock is read only when
 * it is on; one thread calls. The names are borrowed for ever: string constants.
 */
#ifndef AIRLOCK_BASE_TRACE_H
#define AIRLOCK_BASE_TRACE_H

#include <stdbool.h>

void trace_start(bool on);
void trace_step(const char *name);
void trace_print(void);

#endif
