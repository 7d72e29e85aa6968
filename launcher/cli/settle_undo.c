/* SPDX-License-Identifier: Apache-2.0 */
/* Run by airlock-cli as settle_apply.h says. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../snapshot/invert.h"
#include "../snapshot/remove.h"
#include "settle_apply.h"

static int
content(void *arg, const uint8_t digest[SHA256_SIZE], struct buf *out, struct err *err)
{
	struct settling *s = arg;

	return object_content(&s->reading, &s->rec, digest, out, err);
}

/* A directory of its own below scratch/; a crash may have left one. */
static int
make_scratch(struct settling *s, char name[64], int *ret_parent, struct err *err)
{
	auto_fd parent = store_scratch_open(&s->store, err);
	int fd;

	snprintf(name, 64, "undo-%s", s->rec.id);
	if (parent < 0) {
		return parent;
	}
	fd = remove_tree(parent, name);
	fd = fd < 0 ? err_sys(err, fd, "remove %s/scratch/%s", s->store.path, name)
		    : store_scratch_make(&s->store, parent, name, err);
	*ret_parent = take_fd(&parent);
	return fd;
}

static int
invert(struct settling *s, int upper_fd, struct err *err)
{
	const struct invert_request req = {
		.changes = &s->list.set,
		.workspace_fd = s->workspace_fd,
		.upper_fd = upper_fd,
		.content = content,
		.arg = s,
	};
	auto_buf lost = BUF_INIT, gone = BUF_INIT;
	int rc = changes_invert(&req, &lost, err);

	if (rc == -ENODATA) {
		fputs(buf_text(&lost), stderr);
		object_put_collected(&s->reading, &s->rec, &gone);
		rc = err_set(err, rc,
			     "%s: what the paths above held before was not kept, so it cannot be "
			     "given back; nothing was changed%s",
			     s->rec.id, buf_text(&gone));
	}
	return rc;
}

static int
commit_inverse(struct settling *s, int upper_fd, struct err *err)
{
	const struct settle_entry entry = {
		.call = s->rec.id,
		.action = "undo",
		.settled = "undone",
		.changes_digest = s->digest,
	};
	struct change_set set = { .items = NULL };
	auto_buf paths = BUF_INIT;
	int rc = settling_collect(s, upper_fd, &set, err);

	if (rc == 0 && !changes_is_inverse(&s->list.set, &set, SETTLING_NAMED, &paths)) {
		fputs(buf_text(&paths), stderr);
		rc = err_set(err, -ESTALE,
			     "%s: the paths above were changed since, by a later call or somebody "
			     "else, or are in a directory that may not be read; nothing was "
			     "changed",
			     s->rec.id);
	}
	rc = rc < 0 ? rc : settle_commit(s, upper_fd, &set, &entry, err);
	changes_finish(&set);
	return rc;
}

int
settle_undo(const char *name, struct settled *ret, struct err *err)
{
	auto_settling s = SETTLING_INIT;
	auto_fd parent = -1, upper = -1;
	char scratch[64];
	int rc = settling_open(name, &s, err);

	if (rc == 0 && strcmp(record_settled(&s.rec), "committed") != 0) {
		rc = err_set(err, -EALREADY, "%s: it is not committed, but %s", s.rec.id,
			     record_settled(&s.rec));
	}
	rc = rc < 0 ? rc : settling_lock_workspace(&s, err);
	upper = rc < 0 ? rc : make_scratch(&s, scratch, &parent, err);
	if (upper < 0) {
		return upper;
	}
	rc = invert(&s, upper, err);
	rc = rc < 0 ? rc : commit_inverse(&s, upper, err);
	settle_tell(&s, ret);
	ignore_err(remove_tree(parent, scratch), "the next sweep removes it");
	return rc;
}
