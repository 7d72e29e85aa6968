/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front, as the owner, under the workspace's shared lock: `workspace: snapshot`, a copy
 * of the workspace in the state directory. From here on the request's workspace_fd is the copy; the
 * lock keeps the workspace itself, which is locked again and read again to commit.
 */
#include <errno.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/fdio.h"
#include "../base/limits.h"
#include "../snapshot/copy_tree.h"
#include "front.h"

#define TREE "tree"

/* Whoever does not take the lock can change the workspace while it is copied. */
static int
note_changes(struct front *f, int64_t start_ns)
{
	const struct tree_look look = {
		.root_fd = f->req.workspace_fd,
		.stop_fd = -1,
		.start_ns = start_ns,
		.deadline_ns = UINT64_MAX,
	};

	return tree_look_again(&look, &f->tree_changed, &f->err);
}

static void
note_losses(struct front *f, const struct copy_result *r)
{
	if (r->closed > 0) {
		front_warn(f, arena_printf(&f->arena,
					   "in the call's copy of the workspace %llu are empty: "
					   "airlock may not read them",
					   (unsigned long long)r->closed));
	}
	if (r->left_out > 0) {
		front_warn(f, arena_printf(&f->arena,
					   "the call's copy of the workspace is without %llu: "
					   "devices, mounts",
					   (unsigned long long)r->left_out));
	}
}

static int
copy(struct front *f, int tree_fd)
{
	const struct request *r = &f->req;
	const struct copy_request req = {
		.from_fd = r->workspace_fd,
		.to_fd = tree_fd,
		.workspace = true,
		.max_entries = r->limits.files,
		.max_bytes = r->limits.disk_bytes,
		.stop_fd = &f->end_fd,
	};
	struct copy_result result = { .entries = 0 };
	int64_t start_ns = (int64_t)clock_next_tick_ns();
	int rc = copy_tree(&req, &result, &f->err);

	if (rc == -EINTR) {
		return front_ended(f);
	}
	if (rc == -EFBIG) {
		return err_set(&f->err, rc,
			       "the workspace's copy takes more than limits.disk (%llu bytes): "
			       "raise that, or use workspace: shared",
			       (unsigned long long)req.max_bytes);
	}
	if (rc == -E2BIG) {
		return err_set(&f->err, rc,
			       "the workspace's copy has more than limits.files (%llu entries), or "
			       "is deeper than %u: raise that, or use workspace: shared",
			       (unsigned long long)req.max_entries, CAP_TREE_DEPTH);
	}
	if (rc == 0) {
		note_losses(f, &result);
		rc = note_changes(f, start_ns);
	}
	return rc;
}

/* Nobody commits to it, and nobody has to wait for the call. */
int
front_use_tree(struct front *f, const char *path, int tree_fd)
{
	struct request *r = &f->req;
	struct stat st;

	if (path == NULL || fstat(tree_fd, &st) < 0) {
		return err_sys(&f->err, path == NULL ? -ENOMEM : -errno, "what the call works on");
	}
	r->lower_dir = path;
	r->lower_dev = st.st_dev;
	r->lower_ino = st.st_ino;
	r->workspace_fd = tree_fd; /* the lock has the other, until the end */
	r->snapshot = true;
	/* A clone that was made before root became the owner is the workspace's. */
	cleanup_fd(&f->workspace_clone);
	f->workspace_clone = -1;
	r->workspace_clone = false;
	workspace_lock_release(&f->lock);
	return 0;
}

int
front_snapshot(struct front *f)
{
	auto_fd tree_fd = -1;
	int rc;

	if (f->opt.input != NULL || f->profile->workspace != WORKSPACE_SNAPSHOT) {
		return 0; /* nobody else works on the input */
	}
	if (f->draft.count > 0) {
		/* the lock keeps the layers where they are (layer.h) */
		front_warn(f, "the workflow has a draft: the call shares the workspace, as "
			      "workspace: shared");
		return 0;
	}
	f->snapshot_name = arena_printf(&f->arena, "%s-workspace", f->req.call_text);
	if (f->snapshot_name == NULL) {
		return err_set(&f->err, -ENOMEM, "out of memory");
	}
	f->snapshot_fd = front_scratch(f, f->snapshot_name);
	if (f->snapshot_fd < 0) {
		return f->snapshot_fd;
	}
	tree_fd = fdio_make_dir(f->snapshot_fd, TREE);
	if (tree_fd < 0) {
		return err_sys(&f->err, tree_fd, "make %s/scratch/%s/" TREE, f->store.path,
			       f->snapshot_name);
	}
	rc = copy(f, tree_fd);
	return rc < 0 ? rc
		      : front_use_tree(f,
				       arena_printf(&f->arena, "%s/scratch/%s/" TREE,
						    f->store.path, f->snapshot_name),
				       take_fd(&tree_fd));
}
