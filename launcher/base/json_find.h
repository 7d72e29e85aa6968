/* SPDX-License-Identifier: Apache-2.0 */
/* One member of a JSON object, for who links no reader of JSON. Anybody may call. */
#ifndef AIRLOCK_BASE_JSON_FIND_H
#define AIRLOCK_BASE_JSON_FIND_H

#include <stdbool.h>
#include <stddef.h>

#include "buf.h"

/*
 * The value of a member, in object; of the last one where there are several, as most readers do.
 * NULL when there is none. object passed json_check_object.
 */
const char *json_find(const char *object, const char *member);
/*
 * The members one after the other: *at is the object's brace at first. Appends the name and gives
 * the value, in object; NULL behind the last.
 */
const char *json_next(const char **at, struct buf *ret_name);
/*
 * Appends the text that value is, its escapes resolved. False, with nothing appended, where it is
 * none. It is never longer than its JSON.
 */
bool json_text(const char *value, struct buf *ret);
/* value is at the quote of a text; the place behind its other quote. */
const char *json_skip_text(const char *value);

/*
 * Appends the text of a member, its escapes resolved. False, with nothing appended, when the object
 * has no such member or that is no text. An escaped NUL ends the text.
 */
bool json_find_text(const char *object, const char *member, struct buf *ret);
/* The same of a member of a member that is an object. */
bool json_find_text_in(const char *object, const char *outer, const char *member, struct buf *ret);

#endif
