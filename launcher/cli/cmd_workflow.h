/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the verbs below `airlock workflow` share. airlock-cli only, as the caller, who is the only
 * one to write into the state directory.
 */
#ifndef AIRLOCK_CLI_CMD_WORKFLOW_H
#define AIRLOCK_CLI_CMD_WORKFLOW_H

#include "../workflow/ledger.h"

/* ---- words of the command line (cmd_workflow_words.c) --------------------------------------- */

/*
 * "calls=100,wall=2h,cpu=30m,disk=5G": what is named is set, the rest stays; `none` is no bound.
 * -EINVAL for a word that is not of budget.def, an amount that is none, and for a bound of 0; then
 * limits may be changed in part.
 */
int
workflow_words_budget(const char *text, uint64_t limits[BUDGET__COUNT], struct err *err) must_check;
/* A time from now on ("4h"), or a moment (when_read), which lies ahead; `none` is 0. -EINVAL. */
int workflow_words_deadline(const char *text, uint64_t now_ms, uint64_t *ret_ms, struct err *err)
	must_check;
/* "a,b,c", added to what is there. -EINVAL. */
int
workflow_words_steps(const char *text, struct workflow_definition *d, struct err *err) must_check;
int
workflow_words_label(const char *text, struct workflow_definition *d, struct err *err) must_check;
/* A number; 0: no loop guard. -EINVAL. */
int workflow_words_guard(const char *text, uint32_t *ret, struct err *err) must_check;
int
workflow_words_owner(const char *text, struct workflow_definition *d, struct err *err) must_check;

#endif
