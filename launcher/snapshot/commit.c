/* SPDX-License-Identifier: Apache-2.0 */
/* The order of a commit, of its failure and of its end. Run as commit.h says. */
#include "commit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/limits.h"
#include "commit_internal.h"
#include "remove.h"

/* clang-format off */
static const struct commit_step {
	const char *name;
	int (*run)(struct commit *cm);
	bool touches; /* from here on the workspace differs from before */
} commit_steps[] = {
	/* should: refuse where another commit is cut short. Must not say that one begins */
	{ .name = "room",   .run = commit_room },
	/* should: say where the staging directory will be. Must not touch the workspace */
	{ .name = "begin",  .run = commit_journal_begin },
	/* should: compare all with what was collected. Must not write anything */
	{ .name = "check",  .run = commit_check },
	/* should: make all new content durable beside its place. Must not touch an entry */
	{ .name = "stage",  .run = commit_stage },
	/* should: say which inode goes where */
	{ .name = "rows",   .run = commit_journal_rows },
	/* should: take children before parents */
	{ .name = "delete", .run = commit_delete, .touches = true },
	/* should: place parents before children, writable until the end */
	{ .name = "put",    .run = commit_put, .touches = true },
	/* should: go children before parents: a parent may close itself */
	{ .name = "modes",  .run = commit_modes, .touches = true },
};
/* clang-format on */

/* Only what has our names: somebody else's directory is never emptied. */
static int
check_staging(struct commit *cm, int fd)
{
	struct fs_names names = FS_NAMES_INIT;
	struct fs_stat st;
	int r = fsat_stat(fd, "", &st);
	bool ours = r == 0 && st.uid == geteuid();

	r = r < 0 ? r : fsat_list(fd, SIZE_MAX, &names);
	for (size_t i = 0; ours && i < names.count; i++) {
		const char *name = names.items[i];

		ours = (name[0] == 'n' || name[0] == 'd') &&
		       name[1 + strspn(name + 1, "0123456789")] == '\0';
	}
	fsat_names_finish(&names);
	if (r < 0) {
		return commit_fail(cm, r, COMMIT_STAGING, "remove");
	}
	return ours ? 0
		    : err_set(cm->err, -ENOTEMPTY,
			      "%s in the workspace is not what airlock left: move it away",
			      COMMIT_STAGING);
}

/*
 * By descriptor, and the one that was worked in where that is known: who may write the workspace
 * may give the name to any directory of it, at any moment. Such a one stays, as it is not empty.
 */
static int
remove_staging(struct commit *cm)
{
	auto_fd fd = fsat_open(cm->staging_fd >= 0 ? cm->staging_fd : cm->workspace_fd,
			       cm->staging_fd >= 0 ? "." : COMMIT_STAGING,
			       O_RDONLY | O_DIRECTORY);
	int r = fd < 0 ? fd : check_staging(cm, fd);

	if (r == -ENOENT) {
		return 0;
	}
	if (fd < 0) {
		return commit_fail(cm, r, COMMIT_STAGING, "remove");
	}
	if (r < 0) {
		return r;
	}
	r = remove_content(fd);
	if (r == 0 && unlinkat(cm->workspace_fd, COMMIT_STAGING, AT_REMOVEDIR) < 0) {
		r = errno == ENOENT ? 0 : -errno;
	}
	return r < 0 ? commit_fail(cm, r, COMMIT_STAGING, "remove") : 0;
}

int
commit_clean(struct commit *cm)
{
	int r = remove_staging(cm);

	cleanup_fd(&cm->staging_fd);
	cm->staging_fd = -1;
	if (r == 0 && cm->root_mode != 0) {
		r = fsat_chmod(cm->workspace_fd, cm->root_mode);
		r = r < 0 ? err_sys(cm->err, r, "commit: the workspace's mode") : 0;
	}
	return r;
}

/* The workspace is as before; the first failure is the one to tell. */
static int
give_up(struct commit *cm, int code)
{
	struct err told = *cm->err;

	commit_tighten(cm, false);
	/* a staging directory that we did not make is somebody's who may need it */
	if (cm->journal_fd >= 0 && (cm->staging_fd < 0 || commit_clean(cm) == 0)) {
		ignore_err(commit_journal_remove(cm), "the next recovery finds nothing to do");
	}
	*cm->err = told;
	return code;
}

static int
stuck(struct commit *cm)
{
	err_prefix(cm->err,
		   "the commit could be neither finished nor taken back: what it displaced "
		   "is in " COMMIT_STAGING ", `airlock recover` tries again");
	cm->err->code = -EIO;
	return -EIO;
}

static int
take_back(struct commit *cm, int code)
{
	struct err told = *cm->err;
	int r = code == -EIO ? code : commit_take_back(cm);

	if (r == 0) {
		commit_tighten(cm, false);
		r = commit_journal_done(cm, false);
	}
	if (r < 0) {
		return stuck(cm);
	}
	*cm->err = told;
	return give_up(cm, code);
}

static int
run_steps(struct commit *cm, bool *ret_touched)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(commit_steps); i++) {
		*ret_touched = commit_steps[i].touches;
		r = commit_steps[i].run(cm);
		if (r < 0 && cm->err->code == 0) {
			err_sys(cm->err, r, "commit: %s", commit_steps[i].name);
		}
	}
	return r;
}

int
commit_run(const struct commit_request *req, struct commit **ret_commit, struct err *err)
{
	struct commit *cm;
	bool touched = false;
	int r;

	*ret_commit = NULL;
	if (req->changes->count == 0) {
		return 0;
	}
	cm = calloc(1, sizeof(*cm));
	if (cm == NULL) {
		return err_set(err, -ENOMEM, "out of memory");
	}
	*cm = (struct commit){
		.req = req,
		.err = err,
		.workspace_fd = req->workspace_fd,
		.commits_fd = req->commits_fd,
		.staging_fd = -1,
		.journal_fd = -1,
		.workspace = { .root_fd = req->workspace_fd, .fd = -1, .is_workspace = true },
		.upper = { .root_fd = req->upper_fd, .fd = -1 },
	};
	r = run_steps(cm, &touched);
	if (r == 0) {
		commit_tighten(cm, true);
		r = commit_sync(cm);
		r = r < 0 ? r : commit_journal_done(cm, true);
	}
	if (r < 0) {
		r = touched ? take_back(cm, r) : give_up(cm, r);
		commit_free(cm);
		free(cm);
		return r;
	}
	cm->req = NULL;
	*ret_commit = cm;
	return 0;
}

void
commit_leave(struct commit *cm)
{
	if (cm != NULL) {
		commit_free(cm);
		free(cm);
	}
}

void
commit_close(struct commit *cm)
{
	if (cm == NULL) {
		return;
	}
	cm->err = &cm->closing;
	if (commit_clean(cm) == 0) {
		ignore_err(commit_journal_remove(cm), "the next recovery finds it done");
	}
	commit_leave(cm);
}
