/* SPDX-License-Identifier: Apache-2.0 */
/* What airlock-cli, which starts resolvers, and the front, which runs them, both know. */
#ifndef AIRLOCK_CREDD_SERVES_H
#define AIRLOCK_CREDD_SERVES_H

#define SERVES_DIR "served"  /* in $STATE: the workspace of resolvers, which stays empty */
#define SERVES_WALL_MS 5000u /* what a resolver has */

#endif
