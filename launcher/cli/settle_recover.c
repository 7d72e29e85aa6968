/* SPDX-License-Identifier: Apache-2.0 */
/* Run by airlock-cli as settle_recover.h says. */
#include "settle_recover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/text.h"
#include "../snapshot/lock.h"
#include "../sys/sys.h"

struct recovery {
	struct store *store;
	bool quiet;
	struct err *err;
	int first;
};

static const char *const told[] = {
	[COMMIT_NOTHING] = "had not begun: the workspace is as before",
	[COMMIT_FINISHED] = "was cut short, and is finished now",
	[COMMIT_UNDONE] = "was cut short, and is taken back: the workspace is as before",
};

_Static_assert(ARRAY_LEN(told) == COMMIT_RECOVERED__COUNT, "every end has its words");

static int
recover_in(struct recovery *r, struct commit_left *left, enum commit_recovered *ret,
	   struct err *err)
{
	struct workspace_lock lock = WORKSPACE_LOCK_INIT;
	auto_fd workspace = -1;
	int rc;

	if (left->unreadable < 0) {
		return err_sys(err, left->unreadable,
			       "%s/commits/%s cannot be read as a commit's journal; what no commit "
			       "made is to be moved away",
			       r->store->path, left->name);
	}
	if (left->workspace[0] == '\0') {
		return commit_recover(r->store, left, -1, ret, err);
	}
	workspace = sys_openat2(AT_FDCWD, left->workspace, O_RDONLY | O_DIRECTORY, 0,
				SYS_RESOLVE_NO_SYMLINKS | SYS_RESOLVE_NO_MAGICLINKS);
	if (workspace < 0) {
		return err_sys(err, workspace,
			       "its workspace is to be moved back there, or, where it is gone for "
			       "good, %s/commits/%s to be removed",
			       r->store->path, left->name);
	}
	lock.workspace_fd = workspace;
	lock.state_fd = r->store->dir_fd;
	rc = workspace_lock_exclusive(&lock, NULL, WORKSPACE_LOCK_RUN_MS, err);
	rc = rc < 0 ? rc : commit_recover(r->store, left, workspace, ret, err);
	workspace_lock_release(&lock);
	return rc;
}

static int
recover_one(void *arg, struct commit_left *left)
{
	struct recovery *r = arg;
	enum commit_recovered how = COMMIT_NOTHING;
	struct err err = ERR_INIT;
	auto_buf line = BUF_INIT, safe = BUF_INIT;
	int rc = recover_in(r, left, &how, &err);

	if (rc < 0) {
		buf_printf(&line, "the commit of call %s%s%s is still to be recovered: %s",
			   left->name, left->workspace[0] != '\0' ? " in " : "", left->workspace,
			   err.text);
		*r->err = r->first == 0 ? err : *r->err;
		r->first = r->first == 0 ? rc : r->first;
	} else {
		buf_printf(&line, "the commit of call %s in %s %s", left->name, left->workspace,
			   told[how]);
	}
	if (rc < 0 || !r->quiet) {
		text_safe(&safe, buf_text(&line), line.len, false);
		fprintf(stderr, "airlock: %s\n", buf_text(&safe));
	}
	return 0;
}

int
settle_recover_all(struct store *s, bool quiet, struct err *err)
{
	struct recovery r = { .store = s, .quiet = quiet, .err = err };
	int rc = commit_each_left(s, recover_one, &r);

	return rc < 0 ? err_sys(err, rc, "look for commits that were cut short") : r.first;
}

int
settle_check_commit(const struct store *s, const char *call, struct err *err)
{
	char path[sizeof("commits/") + UUID_TEXT_SIZE];
	struct stat st;

	snprintf(path, sizeof(path), "commits/%s", call);
	return fstatat(s->dir_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0
		       ? 0
		       : err_set(err, -EBUSY,
				 "a commit of call %s was cut short, and is not recovered yet: "
				 "`airlock recover` says why",
				 call);
}
