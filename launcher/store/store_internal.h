/* SPDX-License-Identifier: Apache-2.0 */
/* What store.c, journal.c and the pack files share; nobody else includes it. */
#ifndef AIRLOCK_STORE_STORE_INTERNAL_H
#define AIRLOCK_STORE_STORE_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "store.h"

#define JOURNAL_DIR "journal"
#define JOURNAL_HEADER 8           /* u32 length, u32 crc32 */
#define JOURNAL_RESERVE (4u << 20) /* room is taken in steps of this */
#define JOURNAL_NAME_SIZE 64       /* "journal/.new-<uuid>" and to spare */
#define WORKFLOW_DIR "wf"

/* The file's name below $STATE. */
void journal_name(uint32_t number, char ret_name[JOURNAL_NAME_SIZE]);
/* The smallest number above `after` and the greatest number, 0 where there is none; -ENOENT without
 * a journal directory. */
int journal_scan(int dir_fd, uint32_t after, uint32_t *ret_next, uint32_t *ret_newest) must_check;
/* The size of file `number`; -ENOENT when it is not there. */
int journal_size(int dir_fd, uint32_t number, uint64_t *ret_size) must_check;
/*
 * Opens journal file `number` for reading and appending in the place of the store's present one,
 * which is closed (and so unlocked).
 */
int journal_switch(struct store *s, uint32_t number, struct err *err) must_check;
/*
 * Begins a new file behind the newest one, if that has an entry: from then on that one is complete
 * and nobody writes to it.
 */
int journal_roll(struct store *s, struct err *err) must_check;
/* A file beside the journal's, journal/.new-<uuid>, that no other process or thread makes too. */
int journal_open_unnamed(int dir_fd, char ret_name[JOURNAL_NAME_SIZE], int *ret_fd) must_check;
/* Makes file `number`, with room reserved, durable in its directory; -EEXIST when it is there. On
 * failure nothing is left. */
int journal_create(int dir_fd, uint32_t number) must_check;
/* Room for one more entry of the greatest size behind the end of the file fd. */
int journal_reserve(int dir_fd, int fd) must_check;

/*
 * Refuses (-ESTALE) when the journal, opened for writing, ends before the position in log.at, up to
 * which the signed log covers it: signing other entries there would fork the log. Without the file
 * there is no log; one that cannot be read is a refusal.
 */
int store_covered_check(const struct store *s, struct err *err) must_check;

/*
 * Two numbers of a file in the state directory, exactly "N M\n": -EBADMSG otherwise. Written
 * durably, in the place of what is there; one writer at a time, under index.lock. -errno.
 */
int store_read_pair(const struct store *s, const char *name, uint64_t ret_pair[2]) must_check;
int store_write_pair(const struct store *s, const char *name, const uint64_t pair[2]) must_check;

static inline uint32_t
journal_load32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void
journal_store32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}

/* Payload length of the whole entry at p, of which `left` bytes are there; 0 when it is none. */
size_t journal_entry_len(const uint8_t *p, uint64_t left);

/* Says what is wrong with the state directory; returns code. */
int store_fail(struct err *err, int code, const char *path, const char *what);

#endif
