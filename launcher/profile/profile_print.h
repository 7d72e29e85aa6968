/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Effective values as text: YAML that can be read back, where each stands, a profile to begin with,
 * and the JSON Schema of all profiles. airlock-cli only. Pure; check `out` with buf_error. What
 * comes from files is quoted, so that no control byte is left in it.
 */
#ifndef AIRLOCK_PROFILE_PROFILE_PRINT_H
#define AIRLOCK_PROFILE_PROFILE_PRINT_H

#include "profile_load.h"

/*
 * A profile without `extends` that means the same. origins: "# FILE:LINE" behind every value and
 * entry, "# default" where nobody set it.
 */
void profile_print_yaml(const struct profile_doc *doc, bool origins, struct buf *out);
/* The effective profile as canonical JSON (sorted keys, sorted lists, no place, no home). */
int profile_canonical(const struct profile_doc *doc, struct buf *out) must_check;
/* A JSON array of {"at","key","value"}, one per value and entry; at: "FILE:LINE" or null. */
int profile_print_origins(const struct profile_doc *doc, struct buf *out) must_check;
/*
 * A profile `name` that extends `parent` and changes nothing: its keys are explained in "##"
 * comments, and its values are commented out with "#".
 */
void profile_print_skeleton(const struct profile_doc *doc, const char *name, const char *parent,
			    struct buf *out);
/* JSON Schema 2020-12 of a profile. */
int profile_print_schema(struct buf *out) must_check;

#endif
