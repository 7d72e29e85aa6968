/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front, as the owner: the directories behind filesystem.cache, in the state directory,
 * where no tool sees more than the one that it is given:
 * caches/WORKFLOW (or "user")/PROFILE-HASH/NAME. The hash is of the profile's file, because two
 * files can have one name, and what a call of the one left must never reach the other.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/sha256.h"
#include "../base/text.h"
#include "../sys/sys.h"
#include "front.h"

/*
 * One directory of ours below another, made where it is missing. The tool owns the lowest one and
 * may have changed its mode, never what is above it; so its mode is set by name.
 */
static int
enter(int parent_fd, const char *name, int *ret_fd)
{
	struct stat st;
	auto_fd fd = -1;

	if (mkdirat(parent_fd, name, 0700) < 0 && errno != EEXIST) {
		return -errno;
	}
	fd = sys_openat2(parent_fd, name, O_PATH | O_DIRECTORY, 0,
			 SYS_RESOLVE_BENEATH | SYS_RESOLVE_NO_SYMLINKS);
	if (fd < 0 || fstat(fd, &st) < 0) {
		return fd < 0 ? fd : -errno;
	}
	if (st.st_uid != geteuid()) {
		return -EPERM;
	}
	if ((st.st_mode & 07777) != 0700 && fchmodat(parent_fd, name, 0700, 0) < 0) {
		return -errno;
	}
	cleanup_fd(ret_fd);
	*ret_fd = take_fd(&fd);
	return 0;
}

/* The name by which the jail finds it again, without links. */
static int
describe(struct front *f, int fd, struct request_cache *ret)
{
	char path[PATH_MAX];
	struct stat st;
	int rc = fdio_path(fd, path);

	if (rc < 0 || fstat(fd, &st) < 0) {
		return rc < 0 ? rc : -errno;
	}
	ret->source = arena_string(&f->arena, path);
	ret->dev = st.st_dev;
	ret->ino = st.st_ino;
	return ret->source == NULL ? -ENOMEM : 0;
}

static int
make_one(struct front *f, const struct profile_cache *c, const char *profile,
	 struct request_cache *ret)
{
	char workflow[UUID_TEXT_SIZE];
	const char *const way[] = { "caches", (c->flags & CACHE_USER) != 0 ? "user" : workflow,
				    profile, c->name };
	auto_fd fd = -1;
	int rc;

	text_uuid_print(f->workflow, workflow);
	rc = enter(f->store.dir_fd, way[0], &fd);
	for (size_t i = 1; rc == 0 && i < ARRAY_LEN(way); i++) {
		rc = enter(fd, way[i], &fd);
	}
	if (rc == 0) {
		rc = describe(f, fd, ret);
	}
	return rc < 0 ? err_sys(&f->err, rc, "%s: filesystem.cache: make %s/%s/%s/%s/%s",
				c->at.origin, f->store.path, way[0], way[1], way[2], way[3])
		      : 0;
}

int
front_caches(struct front *f)
{
	const struct profile *p = f->profile;
	struct request_cache *made;
	uint8_t digest[32];
	char hash[HEX_DIGEST_SIZE];
	const char *profile;
	int rc = 0;

	if (p->cache_count == 0) {
		return 0;
	}
	if (f->req.identity.kind == IDENTITY_RANGE) {
		return err_set(&f->err, -EPERM,
			       "%s: filesystem.cache %s: a cache cannot be given in a workspace of "
			       "root's yet; start airlock as a user, or with a user's workspace",
			       p->caches[0].at.origin, p->caches[0].at.path);
	}
	if (f->opt.dry_run) {
		return 0;
	}
	sha256_of(p->source, strlen(p->source), digest);
	text_hex(digest, 32, hash);
	profile = arena_printf(&f->arena, "%s-%.16s", p->name, hash);
	made = arena_alloc(&f->arena, p->cache_count * sizeof(*made));
	if (profile == NULL || made == NULL) {
		return err_set(&f->err, -ENOMEM, "out of memory");
	}
	for (size_t i = 0; rc == 0 && i < p->cache_count; i++) {
		rc = make_one(f, &p->caches[i], profile, &made[i]);
	}
	f->req.caches = made;
	return rc;
}
