/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the judge share. */
#ifndef AIRLOCK_PLAN_JUDGE_INTERNAL_H
#define AIRLOCK_PLAN_JUDGE_INTERNAL_H

#include "judge.h"

const struct profile *judge_profile(const struct judge *j);
const char *judge_workspace(const struct judge *j);

#endif
