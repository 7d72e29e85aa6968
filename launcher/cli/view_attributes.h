/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes of other people's schemas (ocsf.def, otlp.def) from a call's records: each row says
 * where a value comes from. airlock-cli only, as the caller. Not to be included beside
 * base/json.h.
 */
#ifndef AIRLOCK_CLI_VIEW_ATTRIBUTES_H
#define AIRLOCK_CLI_VIEW_ATTRIBUTES_H

#include "view_record.h"

enum attribute_source {
	FROM_WORD,    /* the text itself */
	FROM_NUMBER,  /* the number itself */
	FROM_PLANNED, /* a member of the planned record */
	FROM_OUTCOME,
	FROM_DENIAL,
	FROM_CONTEXT, /* a text in the context that the caller gave, by that very name */
	FROM_MADE,    /* made of several things: a row of view_attributes.c */
};

struct attribute {
	unsigned int sets; /* for which kinds of event; the schema's own bits */
	const char *name;
	enum attribute_source source;
	const char *from;
};

/* What attributes are of. */
struct attribute_of {
	const struct record *rec;
	const json_t *denial; /* NULL: of the call as a whole */
	size_t denial_index;
};

/*
 * A new reference, or NULL where the records have nothing for it: absent, null, an empty text. Of
 * FROM_MADE a name that is not in the table is NULL too; a test looks at every row.
 */
json_t *attribute_value(const struct attribute *a, const struct attribute_of *of);
bool attribute_is_known(const struct attribute *a);

/* The call's events, one JSON object a line (OCSF 1.8), appended to out. -ENOMEM. */
int view_ocsf(const struct record *rec, struct buf *out) must_check;
/* The call's span (OTLP/JSON), a new reference; NULL for want of memory. */
json_t *view_otlp_span(const struct record *rec);
/* One ExportTraceServiceRequest of these spans, which it takes over, and a newline. -ENOMEM. */
int view_otlp_request(json_t *spans, struct buf *out) must_check;

extern const struct attribute view_ocsf_rows[], view_otlp_rows[];
extern const size_t view_ocsf_row_count, view_otlp_row_count;

#endif
