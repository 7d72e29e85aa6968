/* SPDX-License-Identifier: Apache-2.0 */
/* The calls of `airlock log` in other programs' formats. airlock-cli only, as the caller. */
#ifndef AIRLOCK_CLI_VIEW_TELEMETRY_H
#define AIRLOCK_CLI_VIEW_TELEMETRY_H

#include "../base/err.h"
#include "../store/index.h"
#include "view_state.h"

enum telemetry_format {
	TELEMETRY_NONE,
	TELEMETRY_OCSF, /* OCSF 1.8, one event a line */
	TELEMETRY_OTLP, /* one OTLP/JSON ExportTraceServiceRequest; of no call: nothing */
};

/* To stdout, the calls that the query finds, oldest first. */
int view_telemetry(struct reading *r, const struct index_query *query, enum telemetry_format format,
		   struct err *err) must_check;

#endif
