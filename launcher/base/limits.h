/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every cap on a size that somebody else controls, in one place. Bytes unless the name says
 * otherwise.
 */
#ifndef AIRLOCK_BASE_LIMITS_H
#define AIRLOCK_BASE_LIMITS_H

#define CAP_PROFILE_FILE (1u << 20)     /* a profile file (docs/formats.md §13) */
#define CAP_JOURNAL_ENTRY (1u << 20)    /* payload of a journal entry */
#define CAP_JOURNAL_FILE (64u << 20)    /* roll to the next journal file at this size */
#define CAP_INLINE_STREAM 4096u         /* streams up to this stand in the outcome entry */
#define CAP_PACK_FILE (64u << 20)       /* roll to the next pack at this size */
#define CAP_PARTS_FROM (16u << 20)      /* a file larger than this is stored in parts */
#define CAP_PART (4u << 20)
#define CAP_KEY 128u                    /* a caller's idempotency key */
#define CAP_CONTEXT (64u << 10)         /* the context document of a gateway */
#define CAP_PLAN (8u << 20)             /* an encoded plan */
#define CAP_PROC_FILE (1u << 20)        /* anything read from /proc or a cgroup */
#define CAP_DENIAL_EVENTS 256u /* different denials kept of one call; the rest is counted */
#define CAP_TREE_DEPTH 1024u            /* directories below a workspace root */
#define CAP_VALUE (64u << 10) /* the value of a credential: what a pipe holds */
#define CAP_ANSWER (1u << 20) /* what a resolver answers */
#define CAP_SEALED_PAYLOAD (128u << 10) /* the JSON in a sealed file */
#define CAP_SEALED_FILE (256u << 10)    /* an age file with that, armoured or not */

#endif
