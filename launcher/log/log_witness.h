/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Has witnesses sign what was signed: those of $STATE/log.policy (a trust file) that have a URL. A
 * rewritten log is then found by whoever asks for their cosignatures, also when root rewrote it.
 * airlock-log only, under index.lock; one request per witness is on its way at a time, by
 * airlock-witness.
 */
#ifndef AIRLOCK_LOG_WITNESS_H
#define AIRLOCK_LOG_WITNESS_H

#include <stdbool.h>

#include "../store/index.h"
#include "../store/store.h"

#define LOG_POLICY_FILE "log.policy"

/*
 * After log_extend. program: path of airlock-witness. What a witness's answer changes (it was
 * added, it is silent, it answers again, it is not in the file any more) becomes a `witness` entry
 * of the journal; *ret_logged: there was one. 0 also when a witness is silent; -ESTALE when one has
 * seen more entries than this log has (a restored backup), -EBADMSG when it has seen others,
 * -EINVAL for a trust file that is none.
 */
int log_witness(struct index *ix, struct store *s, const char *program, bool *ret_logged,
		struct err *err) must_check;

#endif
