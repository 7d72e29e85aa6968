/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agents of a lease and their clients. Run by airlock-credd once it is confined. It is served
 * one request at a time, so that the end of the call waits for one signature at the most.
 */
#ifndef AIRLOCK_CREDD_AGENT_SERVE_H
#define AIRLOCK_CREDD_AGENT_SERVE_H

#include "agent.h"

#define AGENT_CLIENTS_MAX 16u /* at once; others wait for one of them to go */

/*
 * Where an agent's socket comes from and its clients after it: first a SOCK_SEQPACKET socket to the
 * jail, which hands one listening socket in and goes.
 */
struct agent_door {
	int fd; /* owned; -1: closed */
	bool is_listening;
	struct agent *agent; /* borrowed */
};

/*
 * Until the front says something, or is gone. Closes all doors, and all that came through them.
 * SIGPIPE is ignored: a client may be gone.
 */
void agent_serve(int front_fd, struct agent_door *doors, size_t count);

#endif
