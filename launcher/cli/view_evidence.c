/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in airlock-cli as the caller, in the caller's own state directory. */
#include "view_evidence.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "../base/fdio.h"
#include "../log/log_write.h"

#define OTHERS_TURN_MS 10u
#define OTHERS_LIMIT_MS 30000u

void
signing_finish(struct signing *s)
{
	index_close(s->ix);
	s->ix = NULL;
	store_finish(&s->store);
}

/* ix has the lock. */
static int
extend(struct index *ix, struct store *s, uint64_t *ret_size, struct err *err)
{
	uint64_t entries;
	int rc = index_ingest(ix, s, &entries, err);

	if (rc == 0) {
		rc = log_extend(ix, s, getenv("CREDENTIALS_DIRECTORY"), ret_size, err);
		ignore_err(log_refuse(s, rc != 0 ? err->text : NULL), "it is said here");
	}
	return rc;
}

int
signing_open(struct signing *ret, struct err *err)
{
	auto_signing s = SIGNING_INIT;
	auto_free char *path = NULL;
	int rc = reading_path(&path, err);

	if (rc == 0) {
		rc = store_open_read(path, &s.store, err);
	}
	if (rc == 0) {
		rc = index_open_write(&s.store, true, &s.ix, err);
	}
	if (rc == 0) {
		rc = extend(s.ix, &s.store, &s.size, err);
	}
	if (rc == 0) {
		*ret = s;
		/* NOLINTNEXTLINE(clang-analyzer-deadcode.DeadStores): its cleanup reads it */
		s = (struct signing)SIGNING_INIT;
	}
	return rc;
}

int
signing_extend(struct signing *s, struct err *err)
{
	return extend(s->ix, &s->store, &s->size, err);
}

/* -EAGAIN: not there, or of fewer entries. */
static int
read_checkpoint(const struct store *s, uint64_t index, struct buf *ret_note, struct checkpoint *ret,
		struct err *err)
{
	struct note note;
	int rc;

	buf_reset(ret_note);
	rc = fdio_slurp_file_at(s->dir_fd, LOG_CHECKPOINT_FILE, NOTE_MAX, ret_note);
	if (rc != 0) {
		return rc == -ENOENT ? -EAGAIN
				     : err_sys(err, rc, "read %s/" LOG_CHECKPOINT_FILE, s->path);
	}
	rc = checkpoint_read(buf_text(ret_note), ret_note->len, &note, ret, err);
	return rc == 0 && ret->size <= index ? -EAGAIN : rc;
}

int
signed_checkpoint(struct reading *r, uint64_t index, struct buf *ret_note, struct checkpoint *ret,
		  struct err *err)
{
	for (unsigned int waited_ms = 0; waited_ms < OTHERS_LIMIT_MS; waited_ms += OTHERS_TURN_MS) {
		auto_index ix = NULL;
		uint64_t size;
		int rc = read_checkpoint(&r->store, index, ret_note, ret, err);

		if (rc != -EAGAIN) {
			return rc;
		}
		rc = index_open_write(&r->store, false, &ix, err);
		if (rc == 0) {
			rc = extend(ix, &r->store, &size, err);
			return rc == 0 ? read_checkpoint(&r->store, index, ret_note, ret, err) : rc;
		}
		if (rc != -EWOULDBLOCK) {
			return rc;
		}
		/* an airlock-log has the lock, and signs within a second */
		ignore_err(poll(NULL, 0, OTHERS_TURN_MS), "too early is no harm");
	}
	return err_set(err, -EBUSY, "%s: another process has the log and does not sign",
		       r->store.path);
}
