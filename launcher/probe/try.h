/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An act that may end, block or replace the process that does it: airlock-probe and airlock-inspect
 * do it in a child. Only for programs of the sandbox, which hold no secret.
 */
#ifndef AIRLOCK_PROBE_TRY_H
#define AIRLOCK_PROBE_TRY_H

#define TRY_NO_ANSWER (-1)

/* act says its answer with try_say, once; fd is close-on-exec. */
typedef void try_act(const void *what, int fd);

/*
 * What act has said; when_closed where it ended or became another program without a word;
 * TRY_NO_ANSWER after a second; an errno where there could be no child.
 */
int try_in_child(try_act *act, const void *what, int when_closed);
void try_say(int fd, int answer);

#endif
