/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a witness remembers: for each log the checkpoint that it cosigned last, the note as it came,
 * in a file named by the SHA-256 of the origin. The directory is the witness's own, and one
 * process's at a time.
 */
#ifndef AIRLOCK_WITNESS_STATE_H
#define AIRLOCK_WITNESS_STATE_H

#include "../evidence/note.h"

/*
 * Opens the directory, makes it (0700) where there is none, and locks it until the descriptor is
 * closed. -EBUSY when another witness has it; -EPERM when others own it or could write to it.
 */
int witness_state_open(const char *path, int *ret_dir_fd, struct err *err) must_check;
/*
 * The last checkpoint of that log; of one that was never cosigned the empty tree. -EBADMSG when the
 * file is damaged: then nothing may be signed for that log.
 */
int witness_state_read(int dir_fd, const char *origin, struct checkpoint *ret, struct err *err)
	must_check;
/*
 * Replaces it; durable when it returns 0. After an error the old or the new one is there, whole.
 */
int witness_state_write(int dir_fd, const char *origin, const char *note, size_t len,
			struct err *err) must_check;

#endif
