/* SPDX-License-Identifier: Apache-2.0 */
/* Run as layer.h says. */
#include "layer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/text.h"
#include "copy_tree.h"
#include "fsat.h"
#include "remove.h"

#define CLOSED "closed" /* entries that their owner cannot open, with their modes */
#define CLOSED_MAX (128u << 20)
#define UNFINISHED ".new-"
#define LIST_MAX 65536 /* names in one place */
#define NUMBER_DIGITS 10

const char *const layer_place_words[] = { [LAYER_DRAFT] = "draft", [LAYER_ASIDE] = "aside" };

void
layer_name(uint64_t seq, const uint8_t call[16], char ret_name[LAYER_NAME_SIZE])
{
	char uuid[UUID_TEXT_SIZE];

	text_uuid_print(call, uuid);
	snprintf(ret_name, LAYER_NAME_SIZE, "%0*llu-%s", NUMBER_DIGITS,
		 (unsigned long long)(seq % 10000000000ull), uuid);
}

int
layer_open_place(int workflow_fd, enum layer_place place, bool make)
{
	const char *name = layer_place_words[place];

	return make ? fdio_make_dir(workflow_fd, name) : fdio_open_dir(workflow_fd, name);
}

/* ---- modes that a killed reader left open ------------------------------------------------------
 */

/*
 * Backwards: children stand before their directories in the list, and what lies in a directory that
 * is closed was put right before that was.
 */
static int
close_again(int upper_fd, const struct buf *closed)
{
	struct rd in = { .p = closed->data, .left = closed->len };

	while (in.left > 0) {
		mode_t mode = rd_u32(&in);
		const char *path = rd_str(&in);
		struct fs_stat st;
		auto_fd fd = in.bad ? -EBADMSG : fsat_open_path(upper_fd, path, O_PATH);
		int r = fd < 0 ? fd : fsat_stat(fd, "", &st);

		if (r == 0 && (st.mode & 07777) != mode) {
			r = fsat_chmod(fd, mode);
		}
		if (r < 0 && r != -EACCES && r != -ENOENT) {
			return r;
		}
	}
	return 0;
}

int
layer_lock(int place_fd, const char *name, bool alone)
{
	auto_fd dir = fdio_open_dir(place_fd, name);

	if (dir < 0) {
		return dir;
	}
	return flock(dir, (alone ? LOCK_EX : LOCK_SH) | LOCK_NB) < 0 ? -errno : take_fd(&dir);
}

int
layer_open(int place_fd, const char *name)
{
	auto_fd dir = fdio_open_dir(place_fd, name);
	auto_buf closed = BUF_INIT;
	auto_fd upper = dir < 0 ? dir : fdio_open_dir(dir, "upper");
	int r;

	if (upper < 0) {
		return upper;
	}
	r = fdio_slurp_at(dir, CLOSED, CLOSED_MAX, &closed);
	r = r == -ENOENT ? 0 : r < 0 ? r : close_again(upper, &closed);
	return r < 0 ? r : take_fd(&upper);
}

/* ---- the list ----------------------------------------------------------------------------------
 */

void
layers_finish(struct layers *l)
{
	free(l->items);
	*l = (struct layers){ .items = NULL };
}

static int
read_layer(int place_fd, const char *name, struct layer *ret)
{
	struct fs_stat st;
	auto_fd upper = -1;
	int r = 0;

	if (strlen(name) != LAYER_NAME_SIZE - 1 || name[NUMBER_DIGITS] != '-' ||
	    text_uuid_parse(name + NUMBER_DIGITS + 1, ret->call) < 0) {
		return -EINVAL;
	}
	upper = layer_open(place_fd, name);
	r = upper < 0 ? upper : fsat_stat(upper, "", &st);
	if (r < 0) {
		return r;
	}
	memcpy(ret->name, name, LAYER_NAME_SIZE);
	ret->dev = st.dev;
	ret->ino = st.ino;
	return 0;
}

int
layers_list(int place_fd, struct layers *ret, struct err *err)
{
	struct fs_names names = FS_NAMES_INIT;
	struct layers l = { .items = NULL };
	int r = fsat_list(place_fd, LIST_MAX, &names);

	l.items = r == 0 ? calloc(names.count + 1, sizeof(*l.items)) : NULL;
	if (r == 0 && l.items == NULL) {
		r = -ENOMEM;
	}
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		if (names.items[i][0] == '.') {
			continue; /* one that was cut short */
		}
		r = read_layer(place_fd, names.items[i], &l.items[l.count]);
		if (r < 0) {
			err_sys(err, r, "held change set %s", names.items[i]);
		}
		l.count += r == 0;
	}
	fsat_names_finish(&names);
	if (r < 0) {
		layers_finish(&l);
		return err->code == r ? r : err_sys(err, r, "list the held change sets");
	}
	*ret = l;
	return 0;
}

/* ---- keeping -----------------------------------------------------------------------------------
 */

/* Whether a layer decides what stands at path: an entry there that is no directory, or above it
 * one, or a directory that hides what is below. */
static int
decides(int upper_fd, const char *path, bool is_dir)
{
	auto_free char *copy = strdup(path);
	char *p = copy;

	if (copy == NULL) {
		return -ENOMEM;
	}
	for (;;) {
		char *slash = strchr(p, '/');
		auto_fd fd = -1;
		struct fs_stat st;
		char mark;
		int r;

		if (slash != NULL) {
			*slash = '\0';
		}
		fd = fsat_open_path(upper_fd, copy, O_PATH);
		r = fd < 0 ? fd : fsat_stat(fd, "", &st);
		if (r < 0) {
			return r == -ENOENT ? 0 : r == -ELOOP || r == -ENOTDIR ? 1 : r;
		}
		if (!S_ISDIR(st.mode)) {
			return 1;
		}
		if (slash == NULL) {
			return !is_dir;
		}
		cleanup_fd(&fd);
		fd = fsat_open_path(upper_fd, copy, O_RDONLY | O_DIRECTORY);
		if (fd < 0 || fgetxattr(fd, "user.overlay.opaque", &mark, 1) == 1) {
			return 1;
		}
		*slash = '/';
		p = slash + 1;
	}
}

static bool
is_base(const struct layers *base, const char *name)
{
	for (size_t i = 0; i < base->count; i++) {
		if (strcmp(base->items[i].name, name) == 0) {
			return true;
		}
	}
	return false;
}

static int
check_fits(const struct layer_keep_request *req, struct err *err)
{
	struct layers now = { .items = NULL };
	int r = layers_list(req->place_fd, &now, err);

	if (r == 0 && now.count >= LAYERS_MAX) {
		r = err_set(err, -ESTALE,
			    "calls beside this one made the draft as long as it may be: %u change "
			    "sets",
			    LAYERS_MAX);
	}
	for (size_t i = 0; r == 0 && i < now.count; i++) {
		auto_fd upper = -1;

		if (is_base(req->base, now.items[i].name)) {
			continue;
		}
		upper = layer_open(req->place_fd, now.items[i].name);
		r = upper < 0 ? upper : 0;
		for (size_t j = 0; r == 0 && j < req->changes->count; j++) {
			const struct change *c = &req->changes->items[j];

			r = decides(upper, c->path,
				    S_ISDIR(c->mode_after != 0 ? c->mode_after : c->mode_before));
			if (r > 0) {
				r = err_set(err, -ESTALE,
					    "conflict: %s: a call beside this one changed it in "
					    "the draft",
					    c->path);
			}
		}
	}
	layers_finish(&now);
	return r < 0 && err->code != r ? err_sys(err, r, "compare with the draft") : r;
}

static int
write_closed(int dir_fd, const struct buf *closed)
{
	auto_fd fd = -1;

	if (closed->len == 0) {
		return 0;
	}
	fd = openat(dir_fd, CLOSED, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fdio_write(fd, closed->data, closed->len);
}

static int
fill(const struct layer_keep_request *req, const char *unfinished, struct err *err)
{
	auto_buf closed = BUF_INIT;
	auto_fd dir = fdio_open_dir(req->place_fd, unfinished);
	auto_fd upper = -1;
	struct copy_result copied;
	int r = dir < 0 ? dir : mkdirat(dir, "upper", 0755) < 0 ? -errno : 0;

	if (r == 0) {
		upper = fdio_open_dir(dir, "upper");
		r = upper < 0 ? upper : 0;
	}
	if (r == 0 && geteuid() == 0 && fchown(upper, req->owner_uid, req->owner_gid) < 0) {
		r = -errno;
	}
	if (r == 0) {
		const struct copy_request copy = {
			.from_fd = req->upper_fd,
			.to_fd = upper,
			.layer = true,
			.owner_uid = req->owner_uid,
			.owner_gid = req->owner_gid,
			.max_entries = req->max_entries,
			.closed = &closed,
		};

		r = copy_tree(&copy, &copied, err);
	}
	r = r < 0 ? r : write_closed(dir, &closed);
	if (r == 0 && syncfs(dir) < 0) {
		r = -errno;
	}
	return r < 0 && err->code != r ? err_sys(err, r, "keep the change set") : r;
}

/* One at a time: what fits on top is decided against what is there. The lock, or -errno. */
static int
lock_place(const struct layer_keep_request *req, struct err *err)
{
	auto_fd lock = openat(req->place_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (lock < 0 || flock(lock, LOCK_EX) < 0) {
		return err_sys(err, -errno, "lock the held change sets");
	}
	r = req->base != NULL ? check_fits(req, err) : 0;
	return r < 0 ? r : take_fd(&lock);
}

int
layer_move(const struct layer_keep_request *req, int from_fd, struct err *err)
{
	auto_fd lock = lock_place(req, err);
	int r = lock < 0 ? lock : 0;

	if (r == 0 && (renameat(from_fd, req->name, req->place_fd, req->name) < 0 ||
		       fsync(lock) < 0 || fsync(from_fd) < 0)) {
		r = err_sys(err, -errno, "move the held change set");
	}
	return r;
}

int
layer_keep(const struct layer_keep_request *req, struct err *err)
{
	char unfinished[LAYER_NAME_SIZE + 8];
	auto_fd lock = lock_place(req, err);
	int r = lock < 0 ? lock : 0;

	snprintf(unfinished, sizeof(unfinished), "%s%s", UNFINISHED, req->name);
	if (r == 0 && mkdirat(req->place_fd, unfinished, 0700) < 0) {
		r = err_sys(err, -errno, "keep the change set");
	}
	if (r < 0) {
		return r;
	}
	r = fill(req, unfinished, err);
	if (r == 0 && (renameat(req->place_fd, unfinished, req->place_fd, req->name) < 0 ||
		       fsync(lock) < 0)) {
		r = err_sys(err, -errno, "keep the change set");
	}
	if (r < 0) {
		ignore_err(remove_tree(req->place_fd, unfinished),
			   "its name says that it is not whole");
	}
	return r;
}

int
layer_remove(int place_fd, const char *name)
{
	char unfinished[LAYER_NAME_SIZE + 8];

	/* gone at once for everybody who lists, however long the rest takes */
	snprintf(unfinished, sizeof(unfinished), "%s%s", UNFINISHED, name);
	if (renameat(place_fd, name, place_fd, unfinished) < 0 && errno != ENOENT) {
		return -errno;
	}
	if (fsync(place_fd) < 0) {
		return -errno;
	}
	return remove_tree(place_fd, unfinished);
}

static int
forget_in(int workflow_fd, enum layer_place place, const char *call)
{
	auto_fd fd = layer_open_place(workflow_fd, place, false);
	struct fs_names names = FS_NAMES_INIT;
	int r = fd < 0 ? fd : fsat_list(fd, SIZE_MAX, &names);

	for (size_t i = 0; r == 0 && i < names.count; i++) {
		const char *name = names.items[i];
		bool half = strncmp(name, UNFINISHED, strlen(UNFINISHED)) == 0;
		const char *whole = name + (half ? strlen(UNFINISHED) : 0);

		if (strlen(whole) == LAYER_NAME_SIZE - 1 &&
		    strcmp(whole + NUMBER_DIGITS + 1, call) == 0) {
			r = layer_remove(fd, whole);
		}
	}
	fsat_names_finish(&names);
	return r == -ENOENT ? 0 : r;
}

int
layer_forget(const struct store *s, const uint8_t call[16])
{
	auto_fd workflows = fdio_open_dir(s->dir_fd, "wf");
	struct fs_names names = FS_NAMES_INIT;
	char uuid[UUID_TEXT_SIZE];
	int r = workflows < 0 ? workflows : fsat_list(workflows, SIZE_MAX, &names);

	text_uuid_print(call, uuid);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		auto_fd one = fsat_open(workflows, names.items[i], O_RDONLY | O_DIRECTORY);

		r = one < 0 ? one : forget_in(one, LAYER_DRAFT, uuid);
		r = r < 0 ? r : forget_in(one, LAYER_ASIDE, uuid);
	}
	fsat_names_finish(&names);
	return r == -ENOENT ? 0 : r;
}
