/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The second look at the input tree, by times alone. Run by the front as the workspace's owner when
 * the tool is dead, over a directory that others may still change: what vanishes between two looks
 * has changed its directory. No recursion: depth lives on the heap and is bounded.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/clock.h"
#include "../base/grow.h"
#include "../base/limits.h"
#include "fsat.h"
#include "snapshot.h"

#define LOOKS_PER_STOP 1024u /* entries between two questions whether to go on */

struct level {
	int fd; /* -1 while a deeper level is open and this one is below FSAT_OPEN_LEVELS */
	uint64_t dev, ino;
	struct fs_names names;
	size_t next;
	size_t path_len; /* of this directory in look.path */
};

struct look {
	const struct tree_look *req;
	struct tree_changed result;
	struct level *levels;
	size_t depth, cap;
	unsigned int until_stop;
	struct buf path;
};

static int
note(struct look *k, const struct fs_stat *st)
{
	if (st->ctime_ns < k->req->start_ns) {
		return 0;
	}
	if (k->result.kept < TREE_CHANGED_KEPT) {
		char *path = strdup(k->path.len > 0 ? buf_text(&k->path) : ".");

		if (path == NULL) {
			return -ENOMEM;
		}
		k->result.paths[k->result.kept++] = path;
	}
	k->result.count++;
	return 0;
}

static bool
is_stopped(struct look *k)
{
	struct pollfd stop = { .fd = k->req->stop_fd, .events = POLLIN };

	if (k->until_stop-- > 0) {
		return false;
	}
	k->until_stop = LOOKS_PER_STOP;
	return poll(&stop, 1, 0) > 0 || clock_monotonic_ns() >= k->req->deadline_ns;
}

/* Takes over fd. */
static int
push(struct look *k, int fd, const struct fs_stat *st)
{
	struct level *l = k->depth > CAP_TREE_DEPTH
				  ? NULL
				  : grow_array(k->levels, k->depth, &k->cap, sizeof(*l));

	if (l == NULL) {
		close(fd);
		return k->depth > CAP_TREE_DEPTH ? -E2BIG : -ENOMEM;
	}
	k->levels = l;
	if (k->depth > FSAT_OPEN_LEVELS) {
		cleanup_fd(&k->levels[k->depth - 1].fd);
		k->levels[k->depth - 1].fd = -1;
	}
	l = &k->levels[k->depth++];
	*l = (struct level){ .fd = fd, .dev = st->dev, .ino = st->ino, .path_len = k->path.len };
	return fsat_list(fd, SIZE_MAX, &l->names);
}

static void
level_finish(struct level *l)
{
	cleanup_fd(&l->fd);
	fsat_names_finish(&l->names);
}

static int
pop(struct look *k)
{
	struct level *l = &k->levels[--k->depth];
	struct level *parent = k->depth > 0 ? l - 1 : NULL;
	int rc = 0;

	if (parent != NULL && parent->fd < 0) {
		parent->fd = fsat_open_parent(l->fd, parent->dev, parent->ino);
		rc = parent->fd < 0 ? parent->fd : 0;
	}
	level_finish(l);
	fsat_path_cut(&k->path, parent != NULL ? parent->path_len : 0);
	return rc;
}

static bool
is_passed_by(int error)
{
	return error == -ENOENT || error == -ENOTDIR || error == -ELOOP || error == -EXDEV ||
	       error == -EACCES || error == -EPERM;
}

static int
enter(struct look *k)
{
	struct level *l = &k->levels[k->depth - 1];
	size_t len = k->path.len;
	const char *name = l->names.items[l->next++];
	struct fs_stat st;
	int rc = fsat_stat(l->fd, name, &st);

	if (rc < 0) {
		return is_passed_by(rc) ? 0 : rc;
	}
	fsat_path_push(&k->path, name);
	rc = buf_error(&k->path) < 0 ? -ENOMEM : note(k, &st);
	if (rc == 0 && S_ISDIR(st.mode) && !st.mount_root) {
		int fd = fsat_open(l->fd, name, O_RDONLY | O_DIRECTORY);

		if (fd >= 0) {
			return push(k, fd, &st); /* its path stays */
		}
		rc = is_passed_by(fd) ? 0 : fd;
	}
	fsat_path_cut(&k->path, len);
	return rc;
}

static int
walk(struct look *k)
{
	struct fs_stat st;
	int fd = fsat_open(k->req->root_fd, ".", O_RDONLY | O_DIRECTORY);
	int rc = fd < 0 ? fd : fsat_stat(fd, "", &st);

	if (rc == 0) {
		rc = note(k, &st);
	}
	if (rc < 0) {
		cleanup_fd(&fd);
		return rc;
	}
	rc = push(k, fd, &st);
	while (rc == 0 && k->depth > 0) {
		struct level *l = &k->levels[k->depth - 1];

		if (is_stopped(k)) {
			return -ECANCELED;
		}
		rc = l->next < l->names.count ? enter(k) : pop(k);
	}
	return rc;
}

int
tree_look_again(const struct tree_look *req, struct tree_changed *ret, struct err *err)
{
	struct look k = { .req = req, .path = BUF_INIT };
	int rc = walk(&k);

	while (k.depth > 0) {
		level_finish(&k.levels[--k.depth]);
	}
	if (rc < 0) {
		err_sys(err, rc, "look at the input tree again");
		tree_changed_finish(&k.result);
	} else {
		*ret = k.result;
	}
	free(k.levels);
	buf_finish(&k.path);
	return rc;
}

void
tree_changed_finish(struct tree_changed *c)
{
	for (size_t i = 0; i < c->kept; i++) {
		free(c->paths[i]);
	}
	*c = (struct tree_changed){ .count = 0 };
}
