/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads what a call changed. Run by the front as the workspace's owner after every process of the
 * call is dead, over the overlay's upper directory: hostile in names, types, sizes, depth and
 * number, but at rest. The lower is the live workspace. Works level by level on the heap, without
 * recursion.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/grow.h"
#include "../base/limits.h"
#include "changes_internal.h"
#include "names_internal.h"

/* One directory: the upper's entries first, then what the lower has and the tool no longer. */
struct level {
	int upper_fd, lower_fd; /* -1: absent, or closed while a deeper level is open */
	bool has_upper, has_lower;
	struct fs_stat upper, lower;
	struct fs_names names, gone;
	size_t next, next_gone;
	size_t path_len; /* of this directory in collect.path */
	bool forced;	 /* upper.mode must be put back */
	bool closed;	 /* the lower has it, and does not let us see what is in it */
};

struct collect {
	const struct collect_request *req;
	struct err *err;
	struct change_set set;
	struct level *levels;
	size_t depth, cap;
	struct buf path, target, lower_target;
	struct git_places git;
	uint64_t entries, bytes, max_bytes;
};

/* One entry as both layers have it; NULL where a layer has none. */
struct pair {
	const char *name;
	struct level *level;
	const struct fs_stat *upper, *lower;
};

static int
fail(struct collect *c, int code)
{
	return content_fail(c->req, &c->path, code, c->err);
}

/* lower: what stood there before; where the tool could not see it, the store does not either. */
static bool
store_wanted(const struct collect *c, bool lower, uint64_t size)
{
	const char *path = buf_text(&c->path);

	return c->req->pack != NULL && c->req->capture != CAPTURE_DIGESTS &&
	       (c->req->content_max == 0 || size <= c->req->content_max) &&
	       !names_is_secret(path) &&
	       !(lower && names_hidden_entry(path, S_IFREG, c->req->hide) != NULL);
}

/* ---- levels -----------------------------------------------------------------------------------
 */

static void
level_finish(struct level *l)
{
	if (l->forced && l->upper_fd >= 0) {
		ignore_err(fsat_chmod(l->upper_fd, l->upper.mode),
			   "the upper goes away with the call");
	}
	cleanup_fd(&l->upper_fd);
	cleanup_fd(&l->lower_fd);
	fsat_names_finish(&l->names);
	fsat_names_finish(&l->gone);
}

/* Finds the descriptors of a level again from the ones of its child. */
static int
level_reopen(struct level *l, const struct level *child)
{
	if (l->has_upper && l->upper_fd < 0) {
		l->upper_fd = fsat_open_parent(child->upper_fd, l->upper.dev, l->upper.ino);
	}
	if (l->has_lower && l->lower_fd < 0) {
		l->lower_fd = fsat_open_parent(child->lower_fd, l->lower.dev, l->lower.ino);
	}
	if (l->has_upper && l->upper_fd < 0) {
		return l->upper_fd;
	}
	return l->has_lower && l->lower_fd < 0 ? l->lower_fd : 0;
}

static int
pop(struct collect *c)
{
	struct level *l = &c->levels[c->depth - 1];
	int r = 0;

	if (c->depth > 1) {
		r = level_reopen(l - 1, l);
		fsat_path_cut(&c->path, l[-1].path_len);
	}
	git_places_leave(&c->git, l->path_len);
	level_finish(l);
	c->depth--;
	return r;
}

/* Names of the lower that the upper has not. */
static int
list_gone(struct level *l)
{
	size_t kept = 0;
	int r = fsat_list(l->lower_fd, CHANGES_MAX, &l->gone);

	if (r < 0) {
		return r;
	}
	for (size_t i = 0; i < l->gone.count; i++) {
		if (!fsat_listed(&l->names, l->gone.items[i])) {
			l->gone.items[kept++] = l->gone.items[i];
		}
	}
	l->gone.count = kept;
	return 0;
}

/* Takes over both descriptors of l. hides: what the upper has not is deleted. */
static int
push(struct collect *c, struct level *l, bool hides)
{
	uint64_t left = c->req->max_files - c->entries;
	struct level *grown = c->depth > CAP_TREE_DEPTH
				    ? NULL
				    : grow_array(c->levels, c->depth, &c->cap, sizeof(*grown));
	int r = 0;

	if (grown == NULL) {
		level_finish(l);
		return c->depth > CAP_TREE_DEPTH ? -E2BIG : -ENOMEM;
	}
	c->levels = grown;
	if (c->depth > FSAT_OPEN_LEVELS) {
		struct level *parent = &c->levels[c->depth - 1];

		if (l->has_upper) {
			cleanup_fd(&parent->upper_fd);
			parent->upper_fd = -1;
		}
		if (l->has_lower) {
			cleanup_fd(&parent->lower_fd);
			parent->lower_fd = -1;
		}
	}
	l->path_len = c->path.len;
	c->levels[c->depth] = *l;
	l = &c->levels[c->depth++];
	if (l->has_upper) {
		r = fsat_list(l->upper_fd, left > SIZE_MAX ? SIZE_MAX : (size_t)left, &l->names);
	}
	return r == 0 && hides && l->has_lower ? list_gone(l) : r;
}

/* ---- contents ---------------------------------------------------------------------------------
 */

static int
open_upper_file(struct collect *c, const struct pair *p, struct content *ret)
{
	if (p->upper->size > c->max_bytes - c->bytes) {
		return -EFBIG;
	}
	c->bytes += p->upper->size;
	ret->until = c->req->until;
	return content_open_upper(p->level->upper_fd, p->name, p->upper, c->req->opaque_xattr,
				  c->req->scanner, ret);
}

static int
open_lower_file(struct collect *c, const struct pair *p, struct content *ret)
{
	ret->until = c->req->until;
	return content_open_lower(p->level->lower_fd, p->name, ret);
}

static int
keep_content(struct collect *c, struct content *k, uint64_t size)
{
	return content_keep_scanned(store_wanted(c, false, size) ? c->req->pack : NULL, k, size,
				    c->req->scanner, c->err);
}

/*
 * The pre-image may be in somebody's editor: unknown here, and a conflict for the commit. One that
 * is too large to be read is unknown as well, and none.
 */
static int
keep_lower(struct collect *c, struct content *k, uint64_t size)
{
	int r = size > CHANGES_BEFORE_MAX
			? -ESTALE
			: content_keep_scanned(store_wanted(c, true, size) ? c->req->pack : NULL, k,
					       size, c->req->scanner, c->err);

	if (r == -ESTALE) {
		k->known = false;
		return 0;
	}
	return r;
}

static int
keep_target(struct collect *c, const struct buf *target, bool lower,
	    uint8_t ret_digest[SHA256_SIZE])
{
	if (store_wanted(c, lower, target->len) &&
	    content_scan_text(target, c->req->scanner) == 0) {
		return pack_put(c->req->pack, OBJECT_BLOB, target->data, target->len, ret_digest,
				c->err);
	}
	sha256_of(target->data, target->len, ret_digest);
	return 0;
}

/* ---- changes ----------------------------------------------------------------------------------
 */

struct facts {
	enum change_kind kind;
	const struct content *before, *after; /* NULL where there is none */
	const struct buf *target_after;
	const struct xattrs *xattrs_after;
	const struct attribute_leaks *leaks_after; /* in them */
};

static int
judge(const struct collect *c, const struct facts *f, struct change *ch)
{
	const struct judging judging = {
		.root_mode = c->levels[0].lower.mode,
		.capability = f->xattrs_after != NULL && f->xattrs_after->capability,
		.protect = c->req->protect,
		.hide = c->req->hide,
		.git = &c->git,
		.workspace = c->req->workspace,
		.scanner = c->req->hold_leaks ? c->req->scanner : NULL,
		.before = f->before,
		.after = f->after,
	};

	return changes_judge(ch, &judging);
}

/* For an undo, with the pre-image. What its owner cannot read has no pre-image either. */
static int
save_attributes(struct collect *c, const struct pair *p, const struct facts *f, struct change *ch)
{
	auto_fd dir = -1;
	int fd = f->before != NULL ? f->before->fd : -1;

	if (S_ISDIR(p->lower->mode)) {
		dir = fsat_open(p->level->lower_fd, p->name, O_RDONLY | O_DIRECTORY);
		fd = dir;
	}
	return fd < 0 || !store_wanted(c, true, 0) ? 0
						   : content_save_xattrs(fd, c->req->scanner, ch);
}

static int
add(struct collect *c, const struct pair *p, const struct facts *f)
{
	struct change ch = { .kind = f->kind, .path = strdup(buf_text(&c->path)) };
	bool kept_xattrs = f->xattrs_after != NULL && f->xattrs_after->text.len > 0;
	int r = ch.path == NULL ? -ENOMEM
				: content_check_names(c->req, &c->path, f->target_after,
						      f->leaks_after, c->err);

	if (p->lower != NULL) {
		ch.mode_before = p->lower->mode;
		ch.size_before = S_ISREG(p->lower->mode) ? p->lower->size : 0;
		ch.lower_dev = p->lower->dev;
		ch.lower_ino = p->lower->ino;
		ch.lower_ctime_ns = p->lower->ctime_ns;
		ch.lower_mtime_ns = p->lower->mtime_ns;
		r = r < 0 ? r : save_attributes(c, p, f, &ch);
	}
	if (f->kind != CHANGE_DELETE) {
		ch.leaked = (f->after != NULL ? f->after->leaked : 0) |
			    (f->leaks_after != NULL ? f->leaks_after->values : 0);
		ch.mode_after = p->upper->mode;
		ch.size_after = S_ISREG(p->upper->mode) ? p->upper->size : 0;
	}
	if (f->before != NULL && f->before->known) {
		ch.before_known = true;
		memcpy(ch.before, f->before->digest, SHA256_SIZE);
	}
	if (f->after != NULL && f->after->known) {
		ch.after_known = true;
		memcpy(ch.after, f->after->digest, SHA256_SIZE);
	}
	if (f->target_after != NULL) {
		ch.link_after = strdup(buf_text(f->target_after));
		r = ch.link_after == NULL ? -ENOMEM : r;
	}
	ch.xattrs_after = strdup(kept_xattrs ? buf_text(&f->xattrs_after->text) : "");
	if (ch.xattrs_after == NULL) {
		r = -ENOMEM;
	}
	if (r == 0) {
		r = judge(c, f, &ch);
	}
	if (r < 0) {
		changes_drop(&ch);
		return r;
	}
	return changes_append(&c->set, &ch);
}

/* The lower side of an entry that is deleted or replaced: digest and pre-image. */
static int
read_before(struct collect *c, const struct pair *p, struct content *ret)
{
	int r = 0;

	if (S_ISREG(p->lower->mode)) {
		r = open_lower_file(c, p, ret);
		return r < 0 ? r : keep_lower(c, ret, p->lower->size);
	}
	if (S_ISLNK(p->lower->mode)) {
		r = fsat_readlink(p->level->lower_fd, p->name, &c->lower_target);
		if (r == 0) {
			r = keep_target(c, &c->lower_target, true, ret->digest);
			ret->known = r == 0;
		}
	}
	return r;
}

/* Goes on below a lower directory that the tool removed. */
static int
descend_gone(struct collect *c, const struct pair *p)
{
	struct level below = { .upper_fd = -1, .has_lower = true, .lower = *p->lower };

	below.lower_fd = fsat_open(p->level->lower_fd, p->name, O_RDONLY | O_DIRECTORY);
	if (below.lower_fd == -EACCES) {
		return 0; /* if there is anything in it, its removal will be a conflict */
	}
	return below.lower_fd < 0 ? below.lower_fd : push(c, &below, true);
}

static int
visit_gone(struct collect *c, const struct pair *p)
{
	struct content before = CONTENT_INIT;
	int r = read_before(c, p, &before);

	if (r == 0) {
		r = add(c, p, &(struct facts){ .kind = CHANGE_DELETE, .before = &before });
	}
	content_finish(&before);
	return r == 0 && S_ISDIR(p->lower->mode) ? descend_gone(c, p) : r;
}

/* Where we cannot see what the tool took away, we cannot say that it is nothing. */
static int
visit_whiteout(struct collect *c, const struct pair *p)
{
	if (p->lower != NULL) {
		return visit_gone(c, p);
	}
	return p->level->closed ? -EACCES : 0;
}

/* A regular file over a regular file: nothing, mode, or modify. */
static int
compare_files(struct collect *c, const struct pair *p, struct content *after)
{
	struct content before = CONTENT_INIT;
	struct facts f = { .before = &before,
			   .after = after,
			   .xattrs_after = &after->xattrs,
			   .leaks_after = &after->attributes };
	bool same_bytes = false, same_rest, placed = false;
	int r = open_lower_file(c, p, &before);

	if (r == 0 && p->upper->size == p->lower->size && before.fd >= 0) {
		r = content_hash(&before, p->lower->size);
		r = r < 0 ? r : content_hash(after, p->upper->size);
		same_bytes = before.known && after->known &&
			     memcmp(before.digest, after->digest, SHA256_SIZE) == 0;
	}
	same_rest = p->upper->mode == p->lower->mode &&
		    strcmp(buf_text(&before.xattrs.text), buf_text(&after->xattrs.text)) == 0;
	/*
	 * A mode is the inode's: of one with another name outside, a new file takes the place, as
	 * for bytes. So does one that was written again with the same bytes: its mtime says so.
	 */
	if (r == 0 && same_bytes && !same_rest && p->lower->nlink == 1 &&
	    p->upper->mtime_ns == p->lower->mtime_ns) {
		f.kind = CHANGE_MODE;
		r = add(c, p, &f);
	} else if (r == 0 && (!same_bytes || !same_rest)) {
		f.kind = CHANGE_MODIFY;
		r = keep_lower(c, &before, p->lower->size);
		r = r < 0 ? r : keep_content(c, after, p->upper->size);
		r = r < 0 ? r : add(c, p, &f);
		c->set.links_broken += p->lower->nlink > 1;
		placed = true;
	}
	if (r == 0) {
		r = changes_note_lost(&c->set, buf_text(&c->path), &after->xattrs,
				      placed ? NULL : &before.xattrs);
	}
	content_finish(&before);
	return r;
}

/* Anything that stands where nothing, or something of another type, stood. */
static int
add_new(struct collect *c, const struct pair *p, struct facts *f)
{
	struct content before = CONTENT_INIT;
	int r = p->lower != NULL ? read_before(c, p, &before) : 0;

	if (r == 0) {
		f->kind = p->lower != NULL ? CHANGE_REPLACE : CHANGE_CREATE;
		f->before = &before;
		r = add(c, p, f);
		c->set.links_broken +=
			p->lower != NULL && S_ISREG(p->lower->mode) && p->lower->nlink > 1;
	}
	content_finish(&before);
	return r == 0 && p->lower != NULL && S_ISDIR(p->lower->mode) ? descend_gone(c, p) : r;
}

static int
visit_file(struct collect *c, const struct pair *p)
{
	struct content after = CONTENT_INIT;
	int r = open_upper_file(c, p, &after);

	if (r == 0 && after.xattrs.redirect) {
		r = -EUCLEAN;
	} else if (r == 0 && after.xattrs.whiteout && p->upper->size == 0) {
		r = visit_whiteout(c, p);
	} else if (r == 0 && p->lower != NULL && S_ISREG(p->lower->mode)) {
		r = compare_files(c, p, &after);
	} else if (r == 0) {
		struct facts f = { .after = &after,
				   .xattrs_after = &after.xattrs,
				   .leaks_after = &after.attributes };

		r = keep_content(c, &after, p->upper->size);
		r = r < 0 ? r : changes_note_lost(&c->set, buf_text(&c->path), &after.xattrs, NULL);
		r = r < 0 ? r : add_new(c, p, &f);
	}
	content_finish(&after);
	return r;
}

static int
visit_link(struct collect *c, const struct pair *p)
{
	struct content before = CONTENT_INIT, after = CONTENT_INIT;
	struct facts f = { .kind = CHANGE_MODIFY,
			   .before = &before,
			   .after = &after,
			   .target_after = &c->target };
	int r = fsat_readlink(p->level->upper_fd, p->name, &c->target);

	if (r < 0) {
		return r;
	}
	r = keep_target(c, &c->target, false, after.digest);
	after.known = r == 0;
	if (r < 0 || p->lower == NULL || !S_ISLNK(p->lower->mode)) {
		return r < 0 ? r : add_new(c, p, &f);
	}
	r = read_before(c, p, &before);
	if (r == 0 && memcmp(before.digest, after.digest, SHA256_SIZE) != 0) {
		r = add(c, p, &f);
	}
	return r;
}

static int
visit_special(struct collect *c, const struct pair *p)
{
	struct facts f = { .kind = CHANGE_MODE };

	if (p->lower == NULL || (p->lower->mode & S_IFMT) != (p->upper->mode & S_IFMT) ||
	    p->lower->rdev != p->upper->rdev) {
		return add_new(c, p, &f);
	}
	return p->lower->mode != p->upper->mode ? add(c, p, &f) : 0;
}

static bool
is_lower_dir(const struct pair *p)
{
	return p->lower != NULL && S_ISDIR(p->lower->mode);
}

static int
open_directories(const struct pair *p, struct level *l)
{
	l->upper_fd = fsat_open_forced(p->level->upper_fd, p->name, p->upper,
				       O_RDONLY | O_DIRECTORY, S_IRWXU, &l->forced);
	if (l->upper_fd < 0) {
		return l->upper_fd;
	}
	if (!is_lower_dir(p)) {
		return 0;
	}
	l->lower = *p->lower;
	l->lower_fd = fsat_open(p->level->lower_fd, p->name, O_RDONLY | O_DIRECTORY);
	if (l->lower_fd == -EACCES) {
		/* what is in both then looks created, and will be a conflict */
		l->closed = true;
		return 0;
	}
	l->has_lower = l->lower_fd >= 0;
	return l->has_lower ? 0 : l->lower_fd;
}

/* With search right only, an opened directory still hides its entries: that right is added too. */
static int
force_search(struct level *l)
{
	struct fs_stat st;
	int r;

	if (l->forced || fsat_stat(l->upper_fd, ".", &st) == 0) {
		return 0;
	}
	r = fsat_chmod(l->upper_fd, l->upper.mode | S_IRWXU);
	l->forced = r == 0;
	return r;
}

static int
visit_directory(struct collect *c, const struct pair *p)
{
	struct level l = { .upper_fd = -1, .lower_fd = -1, .has_upper = true, .upper = *p->upper };
	struct xattrs x = XATTRS_INIT, lower_x = XATTRS_INIT;
	struct attribute_leaks leaks = { .names = 0 };
	struct facts f = { .kind = CHANGE_MODE, .xattrs_after = &x, .leaks_after = &leaks };
	const struct fs_stat *lower = is_lower_dir(p) ? p->lower : NULL;
	bool opaque = false;
	int r = open_directories(p, &l);

	r = r < 0 ? r : git_places_look(&c->git, l.lower_fd, buf_text(&c->path), c->req);
	r = r < 0 ? r : force_search(&l);
	r = r < 0 ? r : xattrs_read(l.upper_fd, XATTRS_CHANGE, c->req->opaque_xattr, &x);
	r = r < 0 ? r : content_scan_xattrs(l.upper_fd, &x, c->req->scanner, &leaks);
	if (r == 0 && x.redirect) {
		r = -EUCLEAN;
	}
	if (r == 0 && x.opaque && lower != NULL && !l.has_lower) {
		r = -EACCES; /* what it hides cannot be listed */
	}
	if (r == 0 && lower != NULL) {
		r = l.has_lower ? xattrs_read(l.lower_fd, XATTRS_CHANGE, NULL, &lower_x) : 0;
		if (r == 0 && (p->upper->mode != lower->mode ||
			       strcmp(buf_text(&x.text), buf_text(&lower_x.text)) != 0)) {
			r = add(c, p, &f);
		}
	} else if (r == 0) {
		r = add_new(c, p, &f);
	}
	if (r == 0) {
		r = changes_note_lost(&c->set, buf_text(&c->path), &x,
				      lower != NULL ? &lower_x : NULL);
	}
	opaque = x.opaque;
	xattrs_finish(&x);
	xattrs_finish(&lower_x);
	if (r == 0) {
		return push(c, &l, opaque); /* p->level may have moved */
	}
	level_finish(&l);
	return r;
}

/* ---- the walk ---------------------------------------------------------------------------------
 */

/* -ENOENT: the lower has none. What is below a mount is not what the tool saw: refused. */
static int
stat_lower(const struct level *l, const char *name, struct fs_stat *ret)
{
	int r = l->has_lower ? fsat_stat(l->lower_fd, name, ret) : -ENOENT;

	return r == 0 && ret->mount_root ? -EXDEV : r;
}

static int
visit_upper(struct collect *c, struct level *l, const char *name)
{
	struct fs_stat upper, lower;
	struct pair p = { .name = name, .level = l, .upper = &upper, .lower = &lower };
	int r = fsat_stat(l->upper_fd, name, &upper);

	if (r < 0) {
		return r;
	}
	c->entries++;
	r = stat_lower(l, name, &lower);
	if (r == -ENOENT) {
		p.lower = NULL;
	} else if (r < 0) {
		return r;
	}
	switch (upper.mode & S_IFMT) {
	case S_IFDIR:
		return visit_directory(c, &p);
	case S_IFREG:
		return visit_file(c, &p);
	case S_IFLNK:
		return visit_link(c, &p);
	case S_IFCHR:
		if (upper.rdev == 0) {
			return visit_whiteout(c, &p);
		}
		return visit_special(c, &p);
	default:
		return visit_special(c, &p);
	}
}

static int
visit_lower(struct collect *c, struct level *l, const char *name)
{
	struct fs_stat lower;
	struct pair p = { .name = name, .level = l, .lower = &lower };
	int r = stat_lower(l, name, &lower);

	if (r < 0) {
		return r == -ENOENT ? 0 : r; /* somebody else was faster */
	}
	return visit_gone(c, &p);
}

/* One entry of the top level; a directory becomes the new top level. */
static int
step(struct collect *c)
{
	struct level *l = &c->levels[c->depth - 1];
	size_t depth = c->depth, path_len = l->path_len;
	const char *name;
	int r = until_check(c->req->until);

	if (r < 0) {
		return fail(c, r);
	}
	if (l->next == l->names.count && l->next_gone == l->gone.count) {
		r = pop(c);
		return r < 0 ? fail(c, r) : 0;
	}
	if (l->next < l->names.count) {
		name = l->names.items[l->next++];
		fsat_path_push(&c->path, name);
		r = buf_error(&c->path) < 0 ? -ENOMEM : visit_upper(c, l, name);
	} else {
		name = l->gone.items[l->next_gone++];
		fsat_path_push(&c->path, name);
		r = buf_error(&c->path) < 0 ? -ENOMEM : visit_lower(c, l, name);
	}
	if (r < 0) {
		return c->err != NULL && c->err->code == r ? r : fail(c, r);
	}
	if (c->depth == depth) {
		fsat_path_cut(&c->path, path_len);
	}
	return 0;
}

/*
 * A tool that takes the rights off the workspace's root hides nothing from us. They are not put
 * back: the upper's root is ours, its mode is no change, and the commit has to pass it as well.
 */
static int
open_upper_root(int upper_fd)
{
	struct fs_stat st;
	int r = fsat_stat(upper_fd, "", &st);

	return r < 0 || (st.mode & S_IRWXU) == S_IRWXU ? r
						       : fsat_chmod(upper_fd, st.mode | S_IRWXU);
}

static int
walk(struct collect *c)
{
	struct level root = { .has_upper = true, .has_lower = true, .lower_fd = -1 };
	int r = open_upper_root(c->req->upper_fd);

	if (r < 0) {
		return fail(c, r);
	}
	root.upper_fd = fsat_open(c->req->upper_fd, ".", O_RDONLY | O_DIRECTORY);
	if (root.upper_fd >= 0) {
		root.lower_fd = fsat_open(c->req->lower_fd, ".", O_RDONLY | O_DIRECTORY);
	}
	r = root.upper_fd < 0 ? root.upper_fd : root.lower_fd < 0 ? root.lower_fd : 0;
	r = r < 0 ? r : fsat_stat(root.upper_fd, "", &root.upper);
	r = r < 0 ? r : fsat_stat(root.lower_fd, "", &root.lower);
	if (r < 0) {
		level_finish(&root);
		return fail(c, r);
	}
	r = push(c, &root, false);
	r = r < 0 ? r : git_places_look(&c->git, c->levels[0].lower_fd, "", c->req);
	if (r < 0) {
		return fail(c, r);
	}
	while (r == 0 && c->depth > 0) {
		r = step(c);
	}
	return r;
}

static int
seal(struct collect *c)
{
	const struct collect_request *req = c->req;
	auto_buf list = BUF_INIT, meta = BUF_INIT;
	int r;

	changes_sort(&c->set);
	r = changes_list_write(&c->set, req->call, req->workspace_dev, req->workspace_ino, &list);
	if (r < 0) {
		return fail(c, r);
	}
	sha256_of(list.data, list.len, c->set.digest);
	memcpy(c->set.object, c->set.digest, sizeof(c->set.object));
	/* The list of a call that changed nothing says no more than its record does. */
	if (req->pack == NULL || c->set.count == 0) {
		return 0;
	}
	r = pack_put(req->pack, OBJECT_BLOB, list.data, list.len, c->set.object, c->err);
	if (r == 0) {
		r = changes_meta_write(&c->set, &meta);
		r = r < 0 ? fail(c, r)
			  : pack_put(req->pack, OBJECT_BLOB, meta.data, meta.len, c->set.meta,
				     c->err);
	}
	return r;
}

int
changes_collect(const struct collect_request *req, struct change_set *ret, struct err *err)
{
	struct collect c = {
		.req = req,
		.err = err,
		.path = BUF_INIT,
		.target = BUF_INIT,
		.lower_target = BUF_INIT,
		.max_bytes = req->max_bytes != 0 ? req->max_bytes : CHANGES_BYTES_DEFAULT,
	};
	int r;

	if (req->pack != NULL) {
		req->pack->until = req->until;
	}
	r = walk(&c);
	while (c.depth > 0) {
		ignore_err(pop(&c), "the first failure is what counts");
	}
	free(c.levels);
	git_places_finish(&c.git);
	if (req->pack != NULL) {
		req->pack->until = NULL;
	}
	if (r == 0) {
		r = seal(&c);
	}
	if (r == 0) {
		*ret = c.set;
	} else {
		changes_finish(&c.set);
	}
	buf_finish(&c.path);
	buf_finish(&c.target);
	buf_finish(&c.lower_target);
	return r;
}
