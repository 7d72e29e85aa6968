/* SPDX-License-Identifier: Apache-2.0 */
/* Between relay.c and relay_scan.c, which looks at what relay.c would pass on. */
#ifndef AIRLOCK_SUPERVISE_RELAY_INTERNAL_H
#define AIRLOCK_SUPERVISE_RELAY_INTERNAL_H

#include "relay.h"

/* Captures it, and puts it where the caller gets it from. */
int relay_pass(struct relay *r, enum relay_stream s, const void *data, size_t len, struct err *err)
	must_check;

/* Only with a scanner. relay_finish undoes it, also after a failure. */
int relay_scan_init(struct relay *r) must_check;
/* What may pass of it, passes. What may not does not stay in data either. */
int relay_scan_put(struct relay *r, enum relay_stream s, uint8_t *data, size_t len, struct err *err)
	must_check;
/* The stream has ended: what was held passes. */
int relay_scan_end(struct relay *r, enum relay_stream s, struct err *err) must_check;
void relay_scan_finish(struct relay *r);

#endif
