/* SPDX-License-Identifier: Apache-2.0 */
/* The text of a definition, between its reader and who makes it. */
#ifndef AIRLOCK_WORKFLOW_WORKFLOW_INTERNAL_H
#define AIRLOCK_WORKFLOW_WORKFLOW_INTERNAL_H

#include "../base/buf.h"
#include "workflow.h"

/* Appends the one spelling of it. */
void workflow_definition_print(const struct workflow_definition *d, struct buf *out);
/* -EBADMSG for every other; *ret is untouched then. */
int workflow_definition_parse(const struct buf *text, struct workflow_definition *ret) must_check;
/* Whether every word in it is one that it may have. */
bool workflow_definition_is_good(const struct workflow_definition *d);

#endif
