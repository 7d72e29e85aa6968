/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tiles: that they hash to what was signed, and that no other files lie among them. Runs in
 * airlock-cli.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "log_key.h"
#include "log_write.h"
#include "verify_internal.h"

static int
on_tile(void *arg, const char *path, uint64_t index, const char *what)
{
	char where[TILE_PATH_SIZE + 64];

	snprintf(where, sizeof(where), LOG_DIR "/%s (entries from %llu on)", path,
		 (unsigned long long)index);
	verify_wrong(arg, where, "%s", what);
	return 0;
}

static int
check_root(struct verify *v, const struct checkpoint *c, const char *where, struct err *err)
{
	uint8_t root[SHA256_SIZE];
	int rc = merkle_root(tiles_read, v->tiles, c->size, root);

	if (rc == -EBADMSG) {
		return 0; /* told by tiles_check */
	}
	if (rc == 0 && memcmp(root, c->root, SHA256_SIZE) != 0) {
		verify_wrong(v, where, "the tiles have another root than the one that is signed");
	}
	return rc != 0 ? err_sys(err, rc, "read the tiles") : 0;
}

static int
check_roots(struct verify *v, struct err *err)
{
	const bool is_published = v->older_note.len == 0;
	int rc = check_root(v, &v->checkpoint, is_published ? LOG_CHECKPOINT_FILE : LOG_STATE_FILE,
			    err);

	return rc == 0 && !is_published ? check_root(v, &v->older, LOG_CHECKPOINT_FILE, err) : rc;
}

static int
on_stray(void *arg, const char *path, bool is_ahead, const char *what)
{
	char where[PATH_MAX + 8];

	snprintf(where, sizeof(where), LOG_DIR "/%s", path);
	if (is_ahead) {
		verify_note(arg, where, "%s", what);
	} else {
		verify_wrong(arg, where, "%s", what);
	}
	return 0;
}

/* ---- log.db -------------------------------------------------------------------------------- */

/* What was signed last is the checkpoint. */
static int
check_state(struct verify *v, struct err *err)
{
	const struct log_latest *latest = &v->latest;

	if (v->latest_rc == -ENOMEM) {
		return err_set(err, v->latest_rc, "%s", v->latest_err.text);
	}
	if (v->latest_rc == -EROFS) {
		verify_note(v, LOG_STATE_FILE,
			    "was being written when a crash came, and was not compared: the next "
			    "airlock-log takes that back");
	} else if (v->latest_rc != 0) {
		verify_wrong(v, LOG_STATE_FILE, "cannot be read: %s", v->latest_err.text);
	} else if (latest->size != v->checkpoint.size) {
		verify_wrong(v, LOG_STATE_FILE,
			     "says that %llu entries were signed, and the checkpoint has %llu",
			     (unsigned long long)latest->size,
			     (unsigned long long)v->checkpoint.size);
	} else if (memcmp(latest->root, v->checkpoint.root, SHA256_SIZE) != 0) {
		verify_wrong(v, LOG_STATE_FILE,
			     "another root was signed for the same size: the log forked");
	} else if (!note_key_equal(&latest->key, &v->result.signer) &&
		   !note_key_equal(&latest->key, &v->next_signer)) {
		verify_wrong(v, LOG_STATE_FILE, "names another key than the one that signs");
	}
	return 0;
}

int
verify_tiles(struct verify *v, struct err *err)
{
	int rc = tiles_check(v->tiles, on_tile, v);

	if (rc != 0) {
		return err_sys(err, rc, "read the tiles");
	}
	rc = check_roots(v, err);
	if (rc == 0) {
		rc = tiles_stray(v->tiles, on_stray, v);
		rc = rc != 0 ? err_sys(err, rc, "read the tiles") : 0;
	}
	return rc == 0 ? check_state(v, err) : rc;
}
