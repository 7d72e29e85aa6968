/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of note.h. */
#ifndef AIRLOCK_EVIDENCE_NOTE_INTERNAL_H
#define AIRLOCK_EVIDENCE_NOTE_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

bool note_name_is_good(const char *name, size_t len);

#endif
