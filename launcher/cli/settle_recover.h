/* SPDX-License-Identifier: Apache-2.0 */
/* Commits that were cut short, taken up by airlock-cli as who made them. */
#ifndef AIRLOCK_CLI_SETTLE_RECOVER_H
#define AIRLOCK_CLI_SETTLE_RECOVER_H

#include <stdbool.h>

#include "../base/err.h"
#include "../snapshot/commit.h"

/*
 * Finishes or takes back every commit in the store whose committer is gone; each is told on stderr
 * in one line (quiet: only what could not be). Goes on after a failure; the first is returned.
 */
int settle_recover_all(struct store *s, bool quiet, struct err *err) must_check;
/* -EBUSY where a commit of the call is under way, or was cut short: its outcome may still come. */
int settle_check_commit(const struct store *s, const char *call, struct err *err) must_check;

#endif
