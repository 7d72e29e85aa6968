/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Read paths of a profile -> mount rows. Run by the front. A link that root made is followed (so
 * /bin on a merged-/usr host gives /usr/bin); any other link is shown and not followed: who may
 * write it must not steer what is mounted. Directories become read-only overlays; several paths
 * below one top directory share one overlay (LAYER + PARTs) when nothing is mounted below it; a
 * directory with mounts below is taken apart, because overlayfs refuses it in a user namespace, and
 * so is one that holds what airlock makes up.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plan_build_internal.h"

#define LINKS_MAX 8
#define OVERFLOW_UID 65534u
#define SPLIT_MAX 4096u
#define COPY_MAX \
	4096u /* bytes, of a file: above, binding it out of the shared overlay costs less */

bool
plan_covers(const char *dir, const char *path)
{
	size_t len = strlen(dir);

	return strcmp(dir, "/") == 0 ||
	       (strncmp(dir, path, len) == 0 && (path[len] == '/' || path[len] == '\0'));
}

static int
push_entry(struct plan_builder *b, struct read_entry entry)
{
	if (b->read_count == b->read_room) {
		size_t room = b->read_room == 0 ? 64 : b->read_room * 2;
		struct read_entry *grown = arena_alloc(&b->arena, room * sizeof(*grown));

		if (grown == NULL) {
			return -ENOMEM;
		}
		if (b->read_count > 0) {
			memcpy(grown, b->reads, b->read_count * sizeof(*grown));
		}
		b->reads = grown;
		b->read_room = room;
	}
	b->reads[b->read_count++] = entry;
	return 0;
}

static int
add_entry(struct plan_builder *b, const char *path, const struct stat *st, const char *link)
{
	return push_entry(b, (struct read_entry){ .path = path,
						  .type = st->st_mode & S_IFMT,
						  .is_program = (st->st_mode & 0111) != 0,
						  .size = (uint64_t)st->st_size,
						  .link = link,
						  .rule = b->rule });
}

/*
 * "dir/x" + link target -> absolute, "." and ".." folded by text: links below are resolved on the
 * next turn.
 */
static char *
join_link(struct plan_builder *b, const char *parent, const char *target, const char *rest)
{
	char *raw = target[0] == '/' ? arena_printf(&b->arena, "%s%s", target, rest)
				     : arena_printf(&b->arena, "%s/%s%s", parent, target, rest);
	char *out = raw != NULL ? arena_alloc(&b->arena, strlen(raw) + 2) : NULL;
	char *save = NULL;
	size_t used = 0;

	if (out == NULL) {
		return NULL;
	}
	for (char *name = strtok_r(raw, "/", &save); name != NULL;
	     name = strtok_r(NULL, "/", &save)) {
		if (strcmp(name, ".") == 0) {
			continue;
		}
		if (strcmp(name, "..") == 0) {
			while (used > 0 && out[--used] != '/') {
			}
			continue;
		}
		out[used++] = '/';
		memcpy(out + used, name, strlen(name));
		used += strlen(name);
	}
	if (used == 0) {
		out[used++] = '/';
	}
	out[used] = '\0';
	return out;
}

static bool
is_roots(const struct plan_builder *b, uid_t uid)
{
	return b->request->identity.root_unmapped ? uid == OVERFLOW_UID : uid == 0;
}

static int
resolve(struct plan_builder *b, const char *path, int depth)
{
	struct stat st = { 0 };
	const char *end = path;

	while (*end != '\0') {
		char *prefix;

		end += strcspn(end + 1, "/") + 1;
		prefix = arena_copy(&b->arena, path, (size_t)(end - path));
		if (prefix == NULL) {
			return -ENOMEM;
		}
		if (*end != '\0' && b->plain_dir != NULL && plan_covers(prefix, b->plain_dir)) {
			continue;
		}
		if (lstat(prefix, &st) < 0) {
			/*
			 * A read path that this host does not have is no error: profiles are shared
			 * by many hosts.
			 */
			return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : -errno;
		}
		if (S_ISLNK(st.st_mode)) {
			char *slash = strrchr(prefix, '/');
			char *target = arena_alloc(&b->arena, PATH_MAX);
			ssize_t n = target != NULL ? readlink(prefix, target, PATH_MAX - 1) : -1;
			int rc = n < 0 ? -errno : add_entry(b, prefix, &st, target);
			char *parent = arena_copy(&b->arena, prefix, (size_t)(slash - prefix));

			if (rc < 0 || target == NULL || parent == NULL) {
				return rc < 0 ? rc : -ENOMEM;
			}
			if (!is_roots(b, st.st_uid) || depth >= LINKS_MAX) {
				return 0;
			}
			target = join_link(b, parent, target, end);
			return target == NULL ? -ENOMEM : resolve(b, target, depth + 1);
		}
		if (*end != '\0' && S_ISDIR(st.st_mode)) {
			b->plain_dir = prefix;
		}
	}
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode)) {
		return -EINVAL;
	}
	return add_entry(b, path, &st, NULL);
}

int
plan_path_order(const char *a, const char *b)
{
	for (;; a++, b++) {
		unsigned char x = *a == '/' ? 1 : (unsigned char)*a;
		unsigned char y = *b == '/' ? 1 : (unsigned char)*b;

		if (x != y || x == 0) {
			return (int)x - (int)y;
		}
	}
}

static int
entry_order(const void *a, const void *b)
{
	return plan_path_order(((const struct read_entry *)a)->path,
			       ((const struct read_entry *)b)->path);
}

/* Drops what an earlier directory covers already. */
static void
sort_and_fold(struct plan_builder *b)
{
	const char *dir = NULL;
	size_t kept = 0;

	if (b->read_count > 0) {
		qsort(b->reads, b->read_count, sizeof(*b->reads), entry_order);
	}
	for (size_t i = 0; i < b->read_count; i++) {
		const struct read_entry *e = &b->reads[i];

		if ((dir != NULL && plan_covers(dir, e->path)) ||
		    (kept > 0 && strcmp(b->reads[kept - 1].path, e->path) == 0)) {
			continue;
		}
		if (e->type == S_IFDIR) {
			dir = e->path;
		}
		b->reads[kept++] = *e;
	}
	b->read_count = kept;
}

/* A copy belongs to the tool's own id, so one bit of the host's three stands for all. */
static int
file_row(struct plan_builder *b, const char *path, bool is_program)
{
	return plan_row(b, (struct plan_mount){ .kind = MOUNT_COPY,
						.mode = is_program ? 0555 : 0444, .target = path,
						.source = path });
}

static int
link_row(struct plan_builder *b, const char *path, const char *link)
{
	return plan_row(
		b, (struct plan_mount){ .kind = MOUNT_SYMLINK, .target = path, .source = link });
}

static int tree_rows(struct plan_builder *b, const char *path, unsigned int *budget);

static int
split_one(struct plan_builder *b, int dir_fd, const char *dir, const char *name,
	  unsigned int *budget)
{
	struct stat st;
	char *path = arena_printf(&b->arena, "%s/%s", dir, name);

	if (path == NULL || (*budget)-- == 0) {
		return path == NULL ? -ENOMEM : -E2BIG;
	}
	if (plan_made_up(path)) {
		return 0;
	}
	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		return errno == ENOENT || errno == EACCES ? 0 : -errno;
	}
	if (S_ISDIR(st.st_mode)) {
		return tree_rows(b, path, budget);
	}
	if (S_ISLNK(st.st_mode)) {
		char *target = arena_alloc(&b->arena, PATH_MAX);
		ssize_t n = target != NULL ? readlinkat(dir_fd, name, target, PATH_MAX - 1) : -1;

		return n < 0 ? -errno : link_row(b, path, target);
	}
	return S_ISREG(st.st_mode) && access(path, R_OK) == 0
		       ? file_row(b, path, (st.st_mode & 0111) != 0)
		       : 0;
}

static int
tree_rows(struct plan_builder *b, const char *path, unsigned int *budget)
{
	DIR *dir;
	int rc;

	if (mount_table_below(&b->mounts, path) == NULL && !plan_made_up_below(path)) {
		return plan_row(b, (struct plan_mount){ .kind = MOUNT_TREE, .target = path,
							.source = path });
	}
	rc = plan_row(b, (struct plan_mount){ .kind = MOUNT_DIR, .mode = 0755, .target = path,
					      .source = "" });
	dir = opendir(path);
	if (dir == NULL) {
		return rc < 0 ? rc : errno == EACCES ? 0 : -errno;
	}
	for (struct dirent *e = readdir(dir); rc == 0 && e != NULL; e = readdir(dir)) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
			rc = split_one(b, dirfd(dir), path, e->d_name, budget);
		}
	}
	closedir(dir);
	return rc;
}

/* How many directories from entry i on share its top directory ("/etc"). */
static size_t
group_size(const struct plan_builder *b, size_t i, const char *top)
{
	size_t members = 0;

	for (; i < b->read_count && plan_covers(top, b->reads[i].path); i++) {
		members += b->reads[i].type == S_IFDIR;
	}
	return members;
}

/* Rows for all entries below top from one shared overlay; returns the next index in *ret_next. */
static int
layer_rows(struct plan_builder *b, size_t i, const char *top, size_t *ret_next)
{
	int rc = plan_row(b,
			  (struct plan_mount){ .kind = MOUNT_LAYER, .target = top, .source = top });

	for (; rc == 0 && i < b->read_count && plan_covers(top, b->reads[i].path); i++) {
		const struct read_entry *e = &b->reads[i];

		if (plan_made_up(e->path)) {
			continue;
		}
		/*
		 * A small copy costs less than a mount: in the making, in the attestation and at
		 * the end.
		 */
		if (e->type == S_IFLNK || (e->type == S_IFREG && e->size <= COPY_MAX)) {
			rc = e->type == S_IFLNK ? link_row(b, e->path, e->link)
						: file_row(b, e->path, e->is_program);
			continue;
		}
		rc = plan_row(b, (struct plan_mount){ .kind = MOUNT_PART, .target = e->path,
						      .source = e->path + strlen(top) + 1 });
	}
	*ret_next = i;
	return rc;
}

static int
entry_row(struct plan_builder *b, const struct read_entry *e)
{
	unsigned int budget = SPLIT_MAX;

	if (e->type == S_IFLNK) {
		return link_row(b, e->path, e->link);
	}
	return e->type == S_IFREG ? file_row(b, e->path, e->is_program)
				  : tree_rows(b, e->path, &budget);
}

/* What was found of toolchains has no link in it any more. */
static int
add_toolchains(struct plan_builder *b)
{
	const struct toolchains *t = b->request->toolchains;
	int rc = 0;

	for (size_t i = 0; t != NULL && rc == 0 && i < t->shown_count; i++) {
		rc = push_entry(b, t->shown[i]);
	}
	for (size_t i = 0; t != NULL && rc == 0 && i < t->mask_count; i++) {
		const struct read_mask *m = &t->masks[i];

		rc = plan_row(b, (struct plan_mount){
					 .kind = m->is_dir ? MOUNT_MASK_DIR : MOUNT_MASK_FILE,
					 .flags = m->is_dir ? MOUNT_NOEXEC : 0,
					 .target = m->path,
					 .source = "" });
	}
	return rc;
}

int
plan_add_reads(struct plan_builder *b, struct err *err)
{
	int rc = add_toolchains(b);

	if (rc < 0) {
		return err_sys(err, rc, "toolchains");
	}
	for (size_t i = 0; i < b->profile->read_count; i++) {
		const struct rule_path *rule = &b->profile->read[i];

		b->rule = rule;
		rc = resolve(b, rule->path, 0);
		if (rc < 0) {
			return err_sys(
				err, rc, "%s: filesystem.read %s: %s", rule->origin, rule->path,
				rc == -EINVAL
					? "only directories, files and links can be read paths"
					: "cannot be looked at");
		}
	}
	sort_and_fold(b);
	for (size_t i = 0; rc == 0 && i < b->read_count;) {
		const char *path = b->reads[i].path;
		size_t top_len = strcspn(path + 1, "/") + 1;
		const char *top = arena_copy(&b->arena, path, top_len);

		if (top == NULL) {
			rc = -ENOMEM;
		} else if (plan_made_up(path)) {
			i++;
		} else if (path[top_len] == '/' && group_size(b, i, top) > 1 &&
			   mount_table_below(&b->mounts, top) == NULL &&
			   access(top, R_OK | X_OK) == 0) {
			rc = layer_rows(b, i, top, &i);
		} else {
			rc = entry_row(b, &b->reads[i++]);
		}
		if (rc < 0) {
			return err_sys(err, rc, "read path %s", path);
		}
	}
	return rc;
}
