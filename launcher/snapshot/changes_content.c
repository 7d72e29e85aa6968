/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One file of either layer: opened, hashed, stored. Run by the front as the workspace's owner, over
 * what a tool left and over files that their owner may be writing.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/cleanup.h"
#include "../base/fdio.h"
#include "changes_internal.h"

void
content_finish(struct content *k)
{
	cleanup_fd(&k->fd);
	xattrs_finish(&k->xattrs);
}

int
content_open_upper(int dir_fd, const char *name, const struct fs_stat *st, const char *opaque_xattr,
		   const struct scanner *s, struct content *ret)
{
	bool forced;
	int r, back;

	ret->fd = fsat_open_forced(dir_fd, name, st, O_RDONLY, S_IRUSR, &forced);
	if (ret->fd < 0) {
		return ret->fd;
	}
	/* attributes ask for the right each time, not for the descriptor's */
	r = xattrs_read(ret->fd, XATTRS_CHANGE, opaque_xattr, &ret->xattrs);
	r = r < 0 ? r : content_scan_xattrs(ret->fd, &ret->xattrs, s, &ret->attributes);
	back = forced ? fsat_chmod(ret->fd, st->mode) : 0;
	return r < 0 ? r : back;
}

int
content_open_lower(int dir_fd, const char *name, struct content *ret)
{
	ret->fd = fsat_open(dir_fd, name, O_RDONLY);
	if (ret->fd == -EACCES || ret->fd == -EPERM) {
		ret->fd = -1;
		return 0;
	}
	return ret->fd < 0 ? ret->fd : xattrs_read(ret->fd, XATTRS_CHANGE, NULL, &ret->xattrs);
}

static int
hash(struct content *k, uint64_t size, const struct fs_reading *reading)
{
	struct fs_reading all = reading != NULL ? *reading : (struct fs_reading){ .see = NULL };
	uint64_t got;
	int r;

	if (k->fd < 0) {
		return 0;
	}
	if (lseek(k->fd, 0, SEEK_SET) < 0) {
		return -errno;
	}
	all.until = k->until;
	r = fsat_hash(k->fd, size, &all, k->digest, &got);
	if (r < 0 && r != -EFBIG) {
		return r;
	}
	k->known = r == 0 && got == size;
	return 0;
}

int
content_hash(struct content *k, uint64_t size)
{
	return hash(k, size, NULL);
}

static int
see(void *arg, const void *data, size_t len)
{
	return scan_stream_put(arg, data, len);
}

static bool
found(void *arg, const struct scan_match *m)
{
	*(uint64_t *)arg |= UINT64_C(1) << m->item;
	return true;
}

/* Which of the scanner's items it holds, and its digest. */
static int
scan(struct content *k, uint64_t size, const struct scanner *s)
{
	const struct scan_sink sink = { .found = found, .arg = &k->leaked };
	struct scan_stream stream = SCAN_STREAM_INIT;
	const struct fs_reading reading = { .see = see, .arg = &stream };
	int r = scan_stream_init(&stream, s, &sink);

	r = r < 0 ? r : hash(k, size, &reading);
	r = r < 0 ? r : scan_stream_end(&stream);
	scan_stream_finish(&stream);
	return r;
}

static uint64_t
items_in(const void *bytes, size_t len, const struct scanner *s)
{
	uint64_t items = 0;

	if (bytes != NULL && s != NULL) {
		ignore_err(scanner_search(s, bytes, len, found, &items),
			   "found() wants all of them");
	}
	return items;
}

uint64_t
content_scan_text(const struct buf *text, const struct scanner *s)
{
	return text != NULL ? items_in(buf_text(text), text->len, s) : 0;
}

/*
 * Looks through what xattrs_save wrote: which items are in it, and, where ret_rest is not NULL,
 * what of it has none.
 */
static int
scan_saved(const struct buf *saved, const struct scanner *s, struct attribute_leaks *ret,
	   struct buf *ret_rest)
{
	struct rd r = { .p = saved->data, .left = saved->len };

	*ret = (struct attribute_leaks){ .names = 0 };
	while (r.left > 0) {
		const char *name = rd_str(&r);
		size_t len = 0;
		const uint8_t *value = rd_blob(&r, &len);
		const uint64_t in_name = r.bad ? 0 : items_in(name, strlen(name), s);
		const uint64_t in_value = r.bad ? 0 : items_in(value, len, s);

		if (r.bad) {
			return -EBADMSG;
		}
		ret->names |= in_name;
		ret->values |= in_value;
		if (ret_rest != NULL && (in_name | in_value) == 0) {
			buf_str(ret_rest, name);
			buf_blob(ret_rest, value, len);
		}
	}
	return ret_rest != NULL ? buf_error(ret_rest) : 0;
}

int
content_scan_xattrs(int fd, const struct xattrs *x, const struct scanner *s,
		    struct attribute_leaks *ret)
{
	auto_buf saved = BUF_INIT;
	int r = s != NULL && x->text.len > 0 ? xattrs_save(fd, &saved) : 0;

	return r < 0 ? r : scan_saved(&saved, s, ret, NULL);
}

int
content_save_xattrs(int fd, const struct scanner *s, struct change *ch)
{
	auto_buf all = BUF_INIT, saved = BUF_INIT;
	struct attribute_leaks leaks;
	int r = xattrs_save(fd, &all);

	r = r < 0 ? r : scan_saved(&all, s, &leaks, &saved);
	if (r == 0) {
		ch->attributes_before = saved.data;
		ch->attributes_before_len = saved.len;
		saved.data = NULL;
	}
	return r;
}

int
content_fail(const struct collect_request *req, const struct buf *at, int code,
	     struct err *err)
{
	size_t len = at->len;
	const char *cut = len > 200 ? "…" : "";
	const char *path = len > 0 ? buf_text(at) + (len > 200 ? len - 200 : 0) : ".";

	if (content_scan_text(at, req->scanner) != 0) {
		cut = "";
		path = "a name with a leased value in it";
	}
	switch (code) {
	case -E2BIG:
		return err_set(err, code,
			       "change set: %s%s: more entries, levels or bytes of names than a "
			       "call may leave",
			       cut, path);
	case -EFBIG:
		return err_set(err, code, "change set: %s%s: more bytes than a call may leave",
			       cut, path);
	case -EINTR:
		return err_set(err, code, "change set: %s%s: airlock was told to end", cut, path);
	case -ETIME:
		return err_set(err, code, "change set: %s%s: it took too long to be read", cut,
			       path);
	case -EXDEV:
		return err_set(err, code, "change set: %s%s: something is mounted there", cut,
			       path);
	case -EUCLEAN:
		return err_set(err, code,
			       "change set: %s%s: an overlay redirect that we never make", cut,
			       path);
	default:
		return err_sys(err, code, "change set: %s%s", cut, path);
	}
}

int
content_check_names(const struct collect_request *req, const struct buf *path,
		    const struct buf *target, const struct attribute_leaks *attributes,
		    struct err *err)
{
	const uint64_t named = content_scan_text(path, req->scanner) |
			       content_scan_text(target, req->scanner) |
			       (attributes != NULL ? attributes->names : 0);
	unsigned int first = 0;

	if (named == 0) {
		return 0;
	}
	if (req->ret_named != NULL) {
		*req->ret_named = named;
	}
	while ((named >> first & 1) == 0) {
		first++;
	}
	return err_set(err, -EKEYREJECTED,
		       "credential %s is in the name of a change, in a name of its attributes, or "
		       "in what it links to: that is not recorded",
		       scanner_item(req->scanner, first));
}

int
content_keep(struct pack *pack, struct content *k, uint64_t size, struct err *err)
{
	int r = 0;

	if (k->fd < 0) {
		return 0;
	}
	if (pack != NULL) {
		r = pack_put_file(pack, k->fd, size, k->known ? k->digest : NULL, k->digest, err);
		k->known = r == 0;
		return r;
	}
	if (!k->known) {
		r = content_hash(k, size);
	}
	return r == 0 && !k->known ? -ESTALE : r;
}

int
content_keep_scanned(struct pack *pack, struct content *k, uint64_t size, const struct scanner *s,
		     struct err *err)
{
	int r = s != NULL && k->fd >= 0 ? scan(k, size, s) : 0;

	return r < 0 ? r : content_keep(k->leaked == 0 ? pack : NULL, k, size, err);
}

int
content_read(const struct content *k, uint64_t size, struct buf *ret_bytes)
{
	uint8_t digest[SHA256_SIZE];
	int r = 0;

	buf_reset(ret_bytes);
	if (k->fd >= 0) {
		r = lseek(k->fd, 0, SEEK_SET) < 0 ? -errno : fdio_slurp(k->fd, size, ret_bytes);
	}
	if (r < 0 && r != -EFBIG) {
		return r;
	}
	sha256_of(ret_bytes->data, ret_bytes->len, digest);
	return r == 0 && ret_bytes->len == size && k->known &&
			       memcmp(digest, k->digest, SHA256_SIZE) == 0
		     ? 0
		     : -ESTALE;
}
