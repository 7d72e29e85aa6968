/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is everything that was signed still in the journal? Runs in whoever opens the store for writing:
 * the front, in the path of a call, airlock-cli and airlock-log, as the caller. `log.at` is written
 * by airlock-log after each checkpoint.
 */
#include <errno.h>

#include "store_internal.h"

int
store_covered(const struct store *s, struct journal_pos *ret, struct err *err)
{
	uint64_t pair[2] = { 0 };
	int r = store_read_pair(s, COVERED_FILE, pair);

	if (r == -EBADMSG || pair[0] > UINT32_MAX) {
		return err_set(err, -EBADMSG,
			       "%s/%s is damaged: how far the signed log goes cannot be told. "
			       "Remove it, and airlock-log writes it again",
			       s->path, COVERED_FILE);
	}
	if (r < 0) {
		return r == -ENOENT ? r : err_sys(err, r, "%s/%s", s->path, COVERED_FILE);
	}
	*ret = (struct journal_pos){ .file = (uint32_t)pair[0], .offset = pair[1] };
	return 0;
}

int
store_cover(const struct store *s, struct journal_pos pos, struct err *err)
{
	const uint64_t pair[2] = { pos.file, pos.offset };
	int r = store_write_pair(s, COVERED_FILE, pair);

	return r < 0 ? err_sys(err, r, "write %s/%s", s->path, COVERED_FILE) : 0;
}

int
store_covered_check(const struct store *s, struct err *err)
{
	struct journal_pos covered = { 0 };
	uint64_t size = 0;
	char name[JOURNAL_NAME_SIZE];
	int r = store_covered(s, &covered, err);

	if (r < 0) {
		return r == -ENOENT ? 0 : r;
	}
	if (covered.file < s->journal_number) {
		return 0;
	}
	if (covered.file == COVERED_CLOSED) {
		return err_set(err, -ESHUTDOWN,
			       "state directory %s: its log was closed (airlock key close), and "
			       "takes no more entries: use another state directory",
			       s->path);
	}
	/* one that was made since the store looked is fine */
	r = journal_size(s->dir_fd, covered.file, &size);
	journal_name(covered.file, name);
	if (r < 0 && r != -ENOENT) {
		return err_sys(err, r, "%s/%s", s->path, name);
	}
	if (r == 0 && covered.offset <= size) {
		return 0;
	}
	return err_set(
		err, -ESTALE,
		"state directory %s: the journal ends before what its log has signed (%s, "
		"byte %llu): a backup was put back. To go on would fork the log. Put back the "
		"newer journal; or move log, log.db, log.key and log.at out of there, and a new "
		"log with a new key begins",
		s->path, name, (unsigned long long)covered.offset);
}
