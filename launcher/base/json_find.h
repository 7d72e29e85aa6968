/* SPDX-License-Identifier: Apache-2.0 */
/* One text of a JSON object, for who links no reader of JSON. Anybody may call. */
#ifndef AIRLOCK_BASE_JSON_FIND_H
#define AIRLOCK_BASE_JSON_FIND_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/*
 * Appends the text of a member of an object, its escapes resolved; of the last one where there are
 * several, as most readers do. object passed json_check_object. False, with nothing appended, when
 * it has no such member or that is no text. An escaped NUL ends the text.
 */
bool json_find_text(const char *object, const char *member, struct buf *ret);
/* The same of a member of a member that is an object. */
bool json_find_text_in(const char *object, const char *outer, const char *member, struct buf *ret);

#endif
