/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front: `--input DIR`, a call that sees the content of another directory at its
 * workspace's place, in mode observe. Opened as the caller before anything is decided, as the
 * workspace is; from front_input on the request's workspace_fd is this directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../snapshot/fsat.h"
#include "front.h"

int
front_input_parse(struct front *f)
{
	const char *observe = profile_mode_words[MODE_OBSERVE];

	if (f->opt.input == NULL) {
		return 0;
	}
	if (f->opt.mode != NULL && strcmp(f->opt.mode, observe) != 0) {
		return err_set(&f->err, -EINVAL,
			       "--input goes with -m observe alone: what a call changes of another "
			       "directory's content cannot be committed");
	}
	if (f->opt.over != NULL) {
		return err_set(&f->err, -EINVAL,
			       "--input and --over do not go together: one says what the call sees "
			       "instead of the workspace, the other what it sees over it");
	}
	f->opt.mode = observe;
	return 0;
}

int
front_input_open(struct front *f)
{
	const char *given = f->opt.input;
	char path[PATH_MAX];
	struct stat st = { .st_uid = (uid_t)-1 };
	int rc;

	if (given == NULL) {
		return 0;
	}
	f->input_fd = front_open_named(given, O_RDONLY | O_DIRECTORY, 0);
	rc = f->input_fd < 0 ? f->input_fd : fdio_path(f->input_fd, path);
	if (rc == 0 && fstat(f->input_fd, &st) < 0) {
		rc = -errno;
	}
	if (rc < 0) {
		return err_sys(&f->err, rc, "--input %s", given);
	}
	if (st.st_uid != geteuid() && st.st_uid != f->req.identity.owner_uid) {
		return err_set(&f->err, -EPERM, "--input %s: it belongs to uid %u, not to you",
			       given, (unsigned int)st.st_uid);
	}
	f->input_path = arena_string(&f->arena, path);
	return f->input_path == NULL ? err_set(&f->err, -ENOMEM, "out of memory") : 0;
}

/* -C names what will be there: a path of the workspace, which need not have it today. */
int
front_input_cwd(struct front *f, const char *given)
{
	struct request *r = &f->req;
	auto_fd fd = -1;
	const char *below;

	if (given == NULL) {
		r->cwd = r->workspace;
		return 0;
	}
	r->cwd = given[0] == '/' ? given : arena_printf(&f->arena, "%s/%s", r->workspace, given);
	if (r->cwd == NULL) {
		return err_set(&f->err, -ENOMEM, "out of memory");
	}
	if (!plan_covers(r->workspace, r->cwd)) {
		return err_set(&f->err, -EINVAL, "-C %s: not in the workspace %s", r->cwd,
			       r->workspace);
	}
	below = r->cwd + strlen(r->workspace);
	below += strspn(below, "/");
	fd = fsat_open_path(f->input_fd, below, O_RDONLY | O_DIRECTORY);
	return fd < 0 ? err_sys(&f->err, fd, "-C %s, in the input %s", r->cwd, f->input_path) : 0;
}

int
front_input(struct front *f)
{
	return f->opt.input != NULL ? front_use_tree(f, f->input_path, f->input_fd) : 0;
}
