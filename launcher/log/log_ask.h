/* SPDX-License-Identifier: Apache-2.0 */
/* One question to a witness, by airlock-witness submit. airlock-log only, as the caller. */
#ifndef AIRLOCK_LOG_ASK_H
#define AIRLOCK_LOG_ASK_H

#include "../base/buf.h"

/*
 * program: path of airlock-witness. request: the body of add-checkpoint. 0 and what came back;
 * -EAGAIN and the size that the witness has, when that is another; -EPROTO when it did not answer,
 * or refused, or the program could not be run.
 */
int log_ask(const char *program, const char *url, const struct buf *request, struct buf *ret_answer)
	must_check;

#endif
