/* SPDX-License-Identifier: Apache-2.0 */
/* Where the objects of a workflow lie, between pack_read.c and pack_read_catalog.c. */
#ifndef AIRLOCK_STORE_PACK_READ_INTERNAL_H
#define AIRLOCK_STORE_PACK_READ_INTERNAL_H

#include "pack_format.h"

/* One record of one pack. */
struct pack_place {
	struct pack_header h;
	uint64_t payload; /* offset of the stored bytes */
	size_t pack;	  /* in names */
};

struct pack_catalog {
	uint8_t workflow[16];
	int dir_fd;
	char **names; /* of packs; owned */
	size_t name_count;
	struct pack_place *places; /* by digest, then in the order in which they were found */
	size_t place_count, place_cap;
	int worst; /* why a pack could not be read, else 0 */
	/* the pack that was read last stays open */
	int fd;
	size_t fd_pack;
};

/*
 * The record's plain bytes into out, which is empty. -EBADMSG when they have another digest than
 * its name, -EOPNOTSUPP for another codec. Parts are not hashed here: their name is the file's.
 */
int pack_read_record(int fd, const struct pack_place *place, struct buf *out) must_check;

/* The first place of the digest and how many follow it. */
const struct pack_place *pack_catalog_find(const struct pack_catalog *c,
					   const uint8_t digest[SHA256_SIZE], size_t *ret_count);
/* A descriptor of that pack, borrowed until the next call; -errno. */
int pack_catalog_fd(struct pack_catalog *c, size_t pack);

#endif
