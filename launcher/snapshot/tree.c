/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input tree. Run by the front as the workspace's owner, in a thread beside the running tool,
 * over a directory that the user and his programs may change meanwhile: every entry may vanish or
 * turn into something else between two looks. No recursion: depth lives on the heap and is bounded.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "../base/clock.h"
#include "../base/grow.h"
#include "../base/limits.h"
#include "dirobj.h"
#include "fsat.h"
#include "names_internal.h"
#include "snapshot.h"
#include "stat_cache.h"
#include "xattrs.h"

struct level {
	int fd; /* -1 while a deeper level is open and this one is below FSAT_OPEN_LEVELS */
	struct fs_stat st;
	struct fs_names names;
	size_t next;
	size_t path_len; /* of this directory in walk.path */
	struct buf text; /* the directory object so far */
	struct xattrs xattrs;
};

struct walk {
	const struct tree_request *req;
	struct tree_result result;
	struct stat_cache cache;
	struct level *levels;
	size_t depth, cap;
	struct buf path;
	struct buf target;
};

static void
level_finish(struct level *l)
{
	cleanup_fd(&l->fd);
	fsat_names_finish(&l->names);
	buf_finish(&l->text);
	xattrs_finish(&l->xattrs);
}

static int
walk_error(const struct walk *w, struct err *err, int code, const char *name)
{
	const char *path = buf_text(&w->path);

	return err_sys(err, code, "input tree: %s%s%s", path, path[0] != '\0' ? "/" : "", name);
}

/* Changes after the start are seen by ctime alone: whatever sets a time also sets that one to now.
 */
static void
note_time(struct walk *w, const struct fs_stat *st)
{
	if (st->ctime_ns >= w->req->start_ns) {
		w->result.unstable = true;
	}
}

/* Takes over fd. */
static int
push(struct walk *w, int fd, const struct fs_stat *st, const char *name)
{
	struct level *l = w->depth > CAP_TREE_DEPTH
				  ? NULL
				  : grow_array(w->levels, w->depth, &w->cap, sizeof(*l));
	int r;

	if (l == NULL) {
		close(fd);
		return w->depth > CAP_TREE_DEPTH ? -E2BIG : -ENOMEM;
	}
	w->levels = l;
	if (w->depth > FSAT_OPEN_LEVELS) {
		cleanup_fd(&w->levels[w->depth - 1].fd);
		w->levels[w->depth - 1].fd = -1;
	}
	l = &w->levels[w->depth++];
	*l = (struct level){ .fd = fd, .st = *st };
	if (name[0] != '\0') {
		fsat_path_push(&w->path, name);
	}
	l->path_len = w->path.len;
	dirobj_begin(&l->text);
	r = fsat_list(fd, SIZE_MAX, &l->names);
	return r < 0 ? r : xattrs_read(fd, XATTRS_TREE, NULL, &l->xattrs);
}

static int
store_directory(struct walk *w, const struct buf *text, uint8_t ret_digest[SHA256_SIZE],
		struct err *err)
{
	if (buf_error(text) < 0) {
		return err_sys(err, -ENOMEM, "input tree");
	}
	if (w->req->pack != NULL) {
		return pack_put(w->req->pack, OBJECT_DIRECTORY, text->data, text->len, ret_digest,
				err);
	}
	sha256_of(text->data, text->len, ret_digest);
	return 0;
}

static void
add_line(struct level *parent, const struct fs_stat *st, const char *name, const uint8_t *digest,
	 const char *target, const char *xattrs)
{
	dirobj_add(&parent->text, &(struct dirobj_entry){ .mode = st->mode,
							  .uid = st->uid,
							  .gid = st->gid,
							  .size = st->size,
							  .digest = digest,
							  .target = target,
							  .name = name,
							  .xattrs = xattrs });
}

/* The top level is complete: its object is stored and named in its parent, or is the result. */
static int
pop(struct walk *w, struct err *err)
{
	struct level *l = &w->levels[w->depth - 1];
	struct level *parent = w->depth > 1 ? l - 1 : NULL;
	uint8_t digest[SHA256_SIZE];
	int r = store_directory(w, &l->text, digest, err);

	if (r < 0) {
		return r;
	}
	if (parent == NULL) {
		memcpy(w->result.digest, digest, sizeof(digest));
	} else {
		if (parent->fd < 0) {
			parent->fd = fsat_open_parent(l->fd, parent->st.dev, parent->st.ino);
		}
		if (parent->fd < 0) {
			return walk_error(w, err, parent->fd, "..");
		}
		add_line(parent, &l->st, parent->names.items[parent->next - 1], digest, NULL,
			 buf_text(&l->xattrs.text));
		fsat_path_cut(&w->path, parent->path_len);
	}
	level_finish(l);
	w->depth--;
	return 0;
}

static bool
content_wanted(struct walk *w, const char *name, uint64_t size)
{
	size_t len = w->path.len;
	bool secret;

	if (!w->req->content || w->req->pack == NULL ||
	    (w->req->content_max != 0 && size > w->req->content_max)) {
		return false;
	}
	fsat_path_push(&w->path, name);
	secret = names_is_secret(buf_text(&w->path)) ||
		 names_hidden_entry(buf_text(&w->path), S_IFREG, w->req->hide) != NULL;
	fsat_path_cut(&w->path, len);
	return !secret;
}

/* Reads an open file; -ESTALE when it did not hold still. */
static int
read_file(struct walk *w, int fd, const struct fs_stat *st, const uint8_t *known, bool content,
	  uint8_t ret_digest[SHA256_SIZE], struct err *err)
{
	struct fs_stat after;
	uint64_t size = st->size;
	int r;

	if (content) {
		r = pack_put_file(w->req->pack, fd, st->size, known, ret_digest, err);
		if (r < 0) {
			return r;
		}
	} else if (known == NULL) {
		/* a file that grows while it is read ends the reading, not the tree */
		const struct fs_reading reading = { .cancel = w->req->cancel };

		r = fsat_hash(fd, st->size, &reading, ret_digest, &size);
		if (r < 0) {
			return r == -EFBIG ? -ESTALE : r;
		}
	} else {
		memcpy(ret_digest, known, SHA256_SIZE);
	}
	r = fsat_stat(fd, "", &after);
	if (r < 0) {
		return r;
	}
	return size == st->size && after.size == st->size && after.ctime_ns == st->ctime_ns &&
			       after.mtime_ns == st->mtime_ns
		       ? 0
		       : -ESTALE;
}

struct file_fact {
	bool known;
	uint8_t digest[SHA256_SIZE];
	struct xattrs xattrs;
};

/* A file that the cache does not answer, or whose bytes or attributes are wanted. */
static int
open_and_read(struct walk *w, int fd, const struct fs_stat *st, const struct stat_cache_item *hit,
	      bool content, struct file_fact *fact, struct err *err)
{
	struct fs_stat now;
	int r = fsat_stat(fd, "", &now);

	if (r < 0) {
		return r;
	}
	if (!fsat_same_file(&now, st) || !S_ISREG(now.mode)) {
		return -ESTALE;
	}
	r = xattrs_read(fd, XATTRS_TREE, NULL, &fact->xattrs);
	if (r < 0) {
		return r;
	}
	r = read_file(w, fd, st, hit != NULL ? hit->digest : NULL, content, fact->digest, err);
	if (r == 0 && hit == NULL) {
		w->result.counts.hashed_files++;
		stat_cache_add(&w->cache, st, fact->digest,
			       fact->xattrs.text.len > 0 ? STAT_CACHE_XATTRS : 0);
	}
	fact->known = r == 0;
	return r;
}

static int
file_facts(struct walk *w, int dirfd, const char *name, const struct fs_stat *st,
	   struct file_fact *fact, struct err *err)
{
	struct stat_cache_item item;
	bool hit = stat_cache_find(&w->cache, st, &item);
	bool content = content_wanted(w, name, st->size);
	auto_fd fd = -1;
	int r;

	if (content && hit && pack_has(w->req->pack, item.digest)) {
		content = false;
	}
	if (hit && !content && (item.flags & STAT_CACHE_XATTRS) == 0) {
		fact->known = true;
		memcpy(fact->digest, item.digest, SHA256_SIZE);
		return 0;
	}
	fd = fsat_open(dirfd, name, O_RDONLY);
	if (fd == -ENOENT || fd == -ELOOP || fd == -ENXIO) {
		w->result.unstable = true; /* gone, or something else by now */
		return 0;
	}
	if (fd == -EACCES || fd == -EPERM) {
		w->result.counts.unreadable++;
		return 0;
	}
	if (fd < 0) {
		return walk_error(w, err, fd, name);
	}
	r = open_and_read(w, fd, st, hit ? &item : NULL, content, fact, err);
	if (r == -ESTALE) {
		fact->known = false;
		w->result.unstable = true;
		return 0;
	}
	if (!content && (r == -EIO || r == -EACCES || r == -EPERM)) {
		w->result.counts.unreadable++; /* a bad block, or a file system that refuses late */
		return 0;
	}
	return r < 0 && (err == NULL || err->code != r) ? walk_error(w, err, r, name) : r;
}

static int
enter_file(struct walk *w, struct level *l, const char *name, const struct fs_stat *st,
	   struct err *err)
{
	struct file_fact fact = { .known = false, .xattrs = XATTRS_INIT };
	int r = 0;

	w->result.counts.files++;
	w->result.counts.bytes += st->size;
	if (st->mount_root) {
		w->result.counts.hidden_mounts++;
	} else {
		r = file_facts(w, l->fd, name, st, &fact, err);
	}
	if (r == 0) {
		add_line(l, st, name, fact.known ? fact.digest : NULL, NULL,
			 buf_text(&fact.xattrs.text));
	}
	xattrs_finish(&fact.xattrs);
	return r;
}

static int
enter_directory(struct walk *w, struct level *l, const char *name, const struct fs_stat *st,
		struct err *err)
{
	struct fs_stat now;
	int fd, r;

	w->result.counts.directories++;
	fd = st->mount_root ? -EXDEV : fsat_open(l->fd, name, O_RDONLY | O_DIRECTORY);
	if (fd == -EXDEV || fd == -EACCES || fd == -EPERM) {
		w->result.counts.hidden_mounts += fd == -EXDEV;
		w->result.counts.unreadable += fd != -EXDEV;
		add_line(l, st, name, NULL, NULL, "");
		return 0;
	}
	if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP) {
		w->result.unstable = true;
		add_line(l, st, name, NULL, NULL, "");
		return 0;
	}
	r = fd < 0 ? fd : fsat_stat(fd, "", &now);
	if (r == 0) {
		return push(w, fd, &now, name); /* l may have moved */
	}
	cleanup_fd(&fd);
	return walk_error(w, err, r, name);
}

static int
enter_link(struct walk *w, struct level *l, const char *name, const struct fs_stat *st,
	   struct err *err)
{
	int r = fsat_readlink(l->fd, name, &w->target);

	w->result.counts.links++;
	if (r == -ENOENT || r == -EINVAL) {
		w->result.unstable = true; /* no link any more: what stood there cannot be told */
		return 0;
	}
	if (r < 0) {
		return walk_error(w, err, r, name);
	}
	add_line(l, st, name, NULL, buf_text(&w->target), "");
	return 0;
}

static int
enter(struct walk *w, struct err *err)
{
	struct level *l = &w->levels[w->depth - 1];
	const char *name = l->names.items[l->next++];
	struct fs_stat st;
	int r = fsat_stat(l->fd, name, &st);

	if (r == -ENOENT) {
		w->result.unstable = true;
		return 0;
	}
	if (r < 0) {
		return walk_error(w, err, r, name);
	}
	note_time(w, &st);
	if (S_ISREG(st.mode)) {
		return enter_file(w, l, name, &st, err);
	}
	if (S_ISDIR(st.mode)) {
		r = enter_directory(w, l, name, &st, err);
		return r < 0 && (err == NULL || err->code != r) ? walk_error(w, err, r, "") : r;
	}
	if (S_ISLNK(st.mode)) {
		return enter_link(w, l, name, &st, err);
	}
	w->result.counts.others++;
	add_line(l, &st, name, NULL, NULL, "");
	return 0;
}

static int
walk_all(struct walk *w, struct err *err)
{
	const atomic_bool *cancel = w->req->cancel;
	struct fs_stat st;
	int fd = fsat_open(w->req->root_fd, ".", O_RDONLY | O_DIRECTORY);
	int r = fd < 0 ? fd : fsat_stat(fd, "", &st);

	if (r < 0) {
		cleanup_fd(&fd);
		return err_sys(err, r, "input tree: workspace");
	}
	note_time(w, &st);
	r = push(w, fd, &st, "");
	if (r < 0) {
		return err_sys(err, r, "input tree: workspace");
	}
	while (r == 0 && w->depth > 0) {
		struct level *l = &w->levels[w->depth - 1];

		if (cancel != NULL && atomic_load_explicit(cancel, memory_order_relaxed)) {
			return err_set(err, -ECANCELED, "input tree: cancelled");
		}
		r = l->next < l->names.count ? enter(w, err) : pop(w, err);
	}
	return r;
}

int
tree_hash(const struct tree_request *req, struct tree_result *ret, struct err *err)
{
	struct walk w = { .req = req, .path = BUF_INIT, .target = BUF_INIT };
	int r;

	stat_cache_open(&w.cache, req->cache_fd, (int64_t)clock_ns(CLOCK_REALTIME));
	r = walk_all(&w, err);
	if (r == 0) {
		ignore_err(stat_cache_save(&w.cache), "a lost cache costs the next call time only");
		*ret = w.result;
	}
	while (w.depth > 0) {
		level_finish(&w.levels[--w.depth]);
	}
	free(w.levels);
	stat_cache_close(&w.cache);
	buf_finish(&w.path);
	buf_finish(&w.target);
	return r;
}
