/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state directory: journal (the truth), packs (objects of one workflow), index.db (follows).
 * The front opens it, appends planned and outcome entries, writes one pack per call; airlock-log
 * reads the journal into the index; airlock-cli reads. Exact bytes: docs/formats.md §1, §2, §6.
 */
#ifndef AIRLOCK_STORE_STORE_H
#define AIRLOCK_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/buf.h"
#include "../base/err.h"
#include "../base/json.h"
#include "../base/sha256.h"
#include "entry.h"

/* In $STATE: a file for each digest of a profile whose values the journal has (profile.load). */
#define PROFILES_NOTED "profiles"

struct store {
	int dir_fd;     /* $STATE; -1 when not open */
	int journal_fd; /* the journal file to append to, opened by store_open_write; else -1 */
	uint32_t journal_number; /* NNNN of that file */
	uint64_t journal_end;    /* up to here the file is known to be whole; UINT64_MAX: not looked
				    yet */
	char *path;              /* owned, absolute */
};

#define STORE_INIT                                                                                 \
	{                                                                                          \
		.dir_fd = -1, .journal_fd = -1, .journal_end = UINT64_MAX, .path = NULL            \
	}
#define auto_store __attribute__((cleanup(store_finish))) struct store

/* $AIRLOCK_STATE, else $XDG_STATE_HOME/airlock, else home/.local/state/airlock (NULL and "" are
 * unset); -EINVAL when relative or no home. ret is a heap string. */
int store_path(const char *env_state, const char *env_xdg_state, const char *home, char **ret_path,
	       struct err *err) must_check;

/*
 * Makes the layout when absent (0700), refuses a directory of another owner or writable by others,
 * and reserves room for one outcome (fallocate; ENOSPC and EROFS are refusals with the reason). A
 * journal that ends before what the log has signed (a restored backup) is refused with -ESTALE.
 * Nothing but directories is left behind on failure.
 */
int store_open_write(const char *path, struct store *ret_store, struct err *err) must_check;
/* Read-only; -ENOENT when there is no store yet. */
int store_open_read(const char *path, struct store *ret_store, struct err *err) must_check;
void store_finish(struct store *s);
/* flock(2), over EINTR; -errno. */
int store_lock(int fd, int operation) must_check;
/*
 * The same for at most timeout_ms (0: for ever), or until wake_fd (-1: none) is readable:
 * -ETIMEDOUT, -EINTR. Whoever waits in store_lock comes first.
 */
int store_lock_until(int fd, int operation, uint64_t timeout_ms, int wake_fd) must_check;

/*
 * scratch/, for directories that go with the process that made them: each is new and locked, and a
 * sweep takes what nobody holds. Descriptors, or -errno.
 */
int store_scratch_open(const struct store *s, struct err *err) must_check;
int store_scratch_make(const struct store *s, int scratch_fd, const char *name, struct err *err)
	must_check;
/*
 * A sweep's: whether fd, opened by that name, is nobody's. The lock is ours then, and the name its
 * own: what was opened may have gone meanwhile, and its maker have made it anew.
 */
bool store_scratch_take(int scratch_fd, const char *name, int fd) must_check;

/* ---- journal --------------------------------------------------------------------------------- */

struct journal_pos {
	uint32_t file;   /* NNNN of the journal file, from 1 */
	uint64_t offset; /* of the entry's first byte */
};

/* Below, at or above 0: a is before, at or behind b. */
static inline int
journal_pos_order(struct journal_pos a, struct journal_pos b)
{
	return a.file != b.file ? (a.file > b.file) - (a.file < b.file)
				: (a.offset > b.offset) - (a.offset < b.offset);
}

/*
 * Appends one entry under flock, repairs a torn tail first, rolls at CAP_JOURNAL_FILE, fdatasyncs.
 * When it returns 0 the entry is durable; otherwise it is not in the journal. json is 1 byte to
 * CAP_JOURNAL_ENTRY long (-EINVAL, -E2BIG) and holds no NUL (-EINVAL: a torn entry must not be able
 * to look like a whole one inside). -EBADMSG when the end of the journal is damaged beyond what a
 * crash leaves, -ESTALE when the file was removed under us.
 */
int journal_append(struct store *s, const void *json, size_t len, struct journal_pos *ret_pos,
	       struct err *err) must_check;

/*
 * Calls fn for every whole entry from pos on ({0, 0}: from the start); stops at the first torn
 * entry (not an error at the very end of the newest file, -EBADMSG elsewhere). *ret_next is where
 * to go on later. fn's non-zero result ends the walk and is returned. Everything durable when the
 * walk began is seen. -ESTALE when pos is not in the journal any more, or not yet (a restored
 * backup).
 */
int journal_read(struct store *s, struct journal_pos from, struct journal_pos *ret_next,
		 int (*fn)(void *arg, struct journal_pos pos, const uint8_t *json, size_t len),
		 void *arg, struct err *err) must_check;

/*
 * Appends an entry of no call: record is compact JSON with sorted keys, of the shape that
 * index_shape.def has for the type. The store is open for writing. Durable when it returns 0;
 * -EINVAL for a type that is of a call.
 */
int store_append_event(struct store *s, enum entry_type type, const void *record, size_t len,
		       struct err *err) must_check;
/* The same in the state directory at path, which is opened for it. */
int store_append_event_to(const char *path, enum entry_type type, const void *record, size_t len,
			  struct err *err) must_check;

/*
 * Everything before `to` is durable when it returns 0; what is before `from` was made so already.
 * -ESTALE when the journal ends before `to`: its writer took an entry back.
 */
int journal_sync(const struct store *s, struct journal_pos from, struct journal_pos to,
	       struct err *err) must_check;

#define STOP_DIR "stop" /* of workflow/stop.h; made with the store: a full disk may have no room */
#define COVERED_FILE "log.at"
/* The file of that position where the log was closed: no journal gets there. */
#define COVERED_CLOSED UINT32_MAX
/*
 * The journal position that log.at names: all before it is covered by the signed log. -ENOENT
 * (without a text) when there is no log yet, -EBADMSG when it is no position.
 */
int store_covered(const struct store *s, struct journal_pos *ret, struct err *err) must_check;
/* Names another one, durable. One writer at a time, under index.lock. */
int store_cover(const struct store *s, struct journal_pos pos, struct err *err) must_check;

/* The value of a record's `node`: version of airlock, boot, kernel. */
void store_put_node(struct json *j);
/* The value of `actor` of an entry that is no call's own: whoever runs this process. */
void store_put_actor(struct json *j);

/* ---- packs ----------------------------------------------------------------------------------- */

enum object_type { OBJECT_BLOB = 1, OBJECT_DIRECTORY = 2, OBJECT_RECORD = 3, OBJECT_PARTS = 4 };

/*
 * One writer per call; the file appears at the first object that is not in the workflow yet. After
 * a failed write everything answers that failure: what was put is not all there.
 */
struct pack {
	struct store *store; /* borrowed */
	uint8_t workflow[16];
	uint8_t call[16];
	int fd;              /* -1 until the first object */
	int lock_fd;         /* of pack-<call>-01, whose flock stands for all packs of the call */
	unsigned int number; /* NN of pack-<call>-NN.alp */
	uint64_t offset;     /* where the next record goes, pending ones counted */
	int failed;          /* the -errno that ended this pack, else 0 */
	bool is_synced;      /* nothing was put since pack_sync */
	struct digest_set *have; /* digests the workflow holds, from `wf/<id>/have`; and added */
	struct buf added;        /* digests this call added (32 bytes each) */
	struct buf pending;      /* records that are not written yet */
	uint64_t stored_bytes;   /* payload bytes that this call added */
	const struct until *until; /* asked before each part of a file; NULL: nobody */
};

#define PACK_INIT                                                                                  \
	{                                                                                          \
		.fd = -1, .lock_fd = -1                                                            \
	}

/* Loads `have` (absent: empty). Thread: one thread at a time uses a pack. */
int pack_init(struct pack *p, struct store *s, const uint8_t workflow[16], const uint8_t call[16],
	       struct err *err) must_check;
/* Stores bytes unless the workflow holds them; ret_digest is their SHA-256 either way. type is not
 * OBJECT_PARTS: a blob above CAP_PARTS_FROM is stored in parts by itself. */
int pack_put(struct pack *p, enum object_type type, const void *data, size_t len,
	     uint8_t ret_digest[SHA256_SIZE], struct err *err) must_check;
/*
 * Stores size bytes of a regular file from offset 0 (parts above CAP_PARTS_FROM). digest_known:
 * when not NULL and held already, nothing is read. -ESTALE when the file had not exactly size
 * bytes, or hashed to something else than digest_known; what p->until says. The file's offset is
 * not moved.
 */
int pack_put_file(struct pack *p, int fd, uint64_t size, const uint8_t *digest_known,
	     uint8_t ret_digest[SHA256_SIZE], struct err *err) must_check;
bool pack_has(const struct pack *p, const uint8_t digest[SHA256_SIZE]);
/* fdatasync of what was written; call before the outcome entry. */
int pack_sync(struct pack *p, struct err *err) must_check;
/* After the outcome entry is durable: appends `added` to `have` (loss of it only costs dedupe).
 * -EINVAL before pack_sync. */
int pack_publish(struct pack *p) must_check;
void pack_finish(struct pack *p); /* closes; objects that no outcome names are ignored by readers */

/*
 * Where the objects of a workflow are: its packs are walked once, and what is stored later is not
 * seen. Borrows nothing of the store; destroy takes NULL.
 */
struct pack_catalog;
int pack_catalog_create(struct store *s, const uint8_t workflow[16], struct pack_catalog **ret,
	       struct err *err) must_check;
void pack_catalog_destroy(struct pack_catalog *c);
/* How many different objects there are. */
size_t pack_catalog_count(const struct pack_catalog *c);
/*
 * Finds and rehashes an object of the workflow and appends it to out; codec 0 and 1 (zstd is linked
 * in airlock-cli/-log only). What was stored in parts comes back whole, as OBJECT_BLOB. -ENOENT;
 * -EBADMSG when no copy of it has the bytes that the name says; -EOPNOTSUPP for another codec. out
 * stays as it was on failure.
 */
int pack_catalog_get(struct pack_catalog *c, const uint8_t digest[SHA256_SIZE], struct buf *out,
		     enum object_type *ret_type, struct err *err) must_check;

/* Whether a file of a workflow's directory is one of its packs to a reader: "pack-….alp". */
bool pack_is_name(const char *name);
/* The call and the number in it; false where a writer spells it in another way. */
bool pack_name_parse(const char *name, uint8_t ret_call[16], unsigned int *ret_number);

/* What the packs of one call hold. */
struct pack_sum {
	uint64_t files, objects;
	uint64_t bytes;		     /* of the stored payloads */
	uint8_t digest[SHA256_SIZE]; /* over the objects' digests, in the order of the packs */
};

typedef int (*pack_wrong_fn)(void *arg, const char *file, uint64_t offset, const char *what);

/*
 * Reads all packs of a call and rehashes each object. fn is told each thing that is wrong: the file
 * below $STATE, the offset in it, and what; bytes behind the last whole object are wrong, too. 0,
 * fn's non-zero result, or -errno where a pack could not be read at all.
 */
int pack_check(struct store *s, const uint8_t workflow[16], const uint8_t call[16],
	       pack_wrong_fn fn, void *arg, struct pack_sum *ret, struct err *err) must_check;

/*
 * Each digest in the workflow's `have` that none of its packs holds: a later call would not store
 * what it believes to be there. fn and results as above.
 */
int pack_check_have(struct store *s, const uint8_t workflow[16], pack_wrong_fn fn, void *arg,
		    struct err *err) must_check;

#endif
