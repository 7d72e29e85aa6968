/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory object (docs/formats.md, "Directory object"): canonical text of one directory,
 * written by the front, read by airlock-cli from the store. A reader takes nothing but the one
 * canonical spelling.
 */
#ifndef AIRLOCK_SNAPSHOT_DIROBJ_H
#define AIRLOCK_SNAPSHOT_DIROBJ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "../base/buf.h"
#include "../base/cleanup.h"
#include "../base/sha256.h"

/* What to write: everything is borrowed. */
struct dirobj_entry {
	mode_t mode; /* whole st_mode: the kind letter comes from it */
	uid_t uid;
	gid_t gid;
	uint64_t size;	       /* written for regular files only */
	const uint8_t *digest; /* regular files and directories; NULL is "-" */
	const char *target;    /* symlinks */
	const char *name;
	const char *xattrs; /* xattrs.text: "" or " xattr:…" */
};

/* 'f' 'd' 'l' 's' 'p' 'b' 'c'; '?' for anything else. */
char dirobj_kind(mode_t mode);

void dirobj_begin(struct buf *b);
/* Entries must come in ascending order of their raw names. */
void dirobj_add(struct buf *b, const struct dirobj_entry *e);

/* One line as read. name and target are owned; finish with dirobj_item_finish. */
struct dirobj_item {
	char kind;
	unsigned int mode; /* the four octal digits */
	uint32_t uid, gid;
	uint64_t size;
	bool has_digest;
	uint8_t digest[SHA256_SIZE];
	struct buf name, target;
	const char *xattrs; /* borrowed from the object, not NUL-terminated */
	size_t xattrs_len;
};

#define DIROBJ_ITEM_INIT                                                                           \
	{                                                                                          \
		.kind = '?', .name = BUF_INIT, .target = BUF_INIT                                  \
	}

void dirobj_item_finish(struct dirobj_item *item);
#define auto_dirobj_item __attribute__((cleanup(dirobj_item_finish))) struct dirobj_item

struct dirobj_reader {
	const char *p; /* borrowed */
	size_t left;
	struct buf last_name;
};

/* -EBADMSG when the text is no directory object. dirobj_close frees what the reader holds. */
int dirobj_open(struct dirobj_reader *r, const char *text, size_t len) must_check;
/* 1 and an entry (replacing what ret holds), 0 at the end, -EBADMSG. */
int dirobj_next(struct dirobj_reader *r, struct dirobj_item *ret) must_check;
void dirobj_close(struct dirobj_reader *r);
#define auto_dirobj_reader __attribute__((cleanup(dirobj_close))) struct dirobj_reader

/* The entry of that raw name: 0, -ENOENT, -EBADMSG. ret must be initialised. */
int dirobj_find(const char *text, size_t len, const char *name, struct dirobj_item *ret) must_check;

#endif
