/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front: from the workspace's .git to the repository it belongs to. Both directions must
 * agree, and no link is followed. Files are read by descriptor and are small; nothing is listed.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "plan_build_internal.h"

#define POINTER_MAX 8192u       /* bytes of a file that holds one path */
#define CONFIG_MAX (64u << 10)
#define COPY_MAX (32u << 20)    /* half of the sandbox's root, where copies go */
#define COPIES_MAX (48u << 20)  /* all of them */

static const struct part {
	const char *name;
	bool own; /* of the worktree: below worktrees/NAME */
	bool is_dir, needed;
} parts[] = {
	/* clang-format off */
	{ "HEAD",                false, false, true },
	{ "objects",             false, true,  true },
	{ "refs",                false, true,  true },
	{ "packed-refs",         false, false, false },
	{ "shallow",             false, false, false },
	{ "info/attributes",     false, false, false },
	{ "info/exclude",        false, false, false },
	{ "HEAD",                true,  false, true },
	{ "commondir",           true,  false, true },
	{ "gitdir",              true,  false, true },
	{ "index",               true,  false, false },
	{ "refs",                true,  true,  false },
	{ "info/sparse-checkout", true, false, false },
	{ "CHERRY_PICK_HEAD",    true,  false, false },
	{ "MERGE_HEAD",          true,  false, false },
	{ "ORIG_HEAD",           true,  false, false },
	{ "REVERT_HEAD",         true,  false, false },
	/* clang-format on */
};
_Static_assert(ARRAY_LEN(parts) <= WORKTREE_ITEMS_MAX, "every part has room");

struct search {
	struct arena *arena;
	const struct worktree_query *q;
	const char *common, *name; /* of the repository's directory; of the worktree in it */
	int common_fd, own_fd;
	off_t copied;
	struct worktree found;
};

/* 0 to go on is never its answer: what is refused ends the search. */
static int
refuse(struct search *s, const char *where, const char *why)
{
	s->found.refusal =
		arena_printf(s->arena, "%s%s%s", where, where[0] != '\0' ? " " : "", why);
	return s->found.refusal == NULL ? -ENOMEM : -EPERM;
}

/* Of that type, opened for reading after it was looked at, and no link followed. */
static int
open_readable(int dirfd, const char *path, mode_t type, struct stat *ret_st)
{
	size_t link;
	char again[32];
	auto_fd seen = plan_open_plain(dirfd, path, ret_st, &link);
	int fd;

	if (seen < 0 || (ret_st->st_mode & S_IFMT) != type) {
		return seen < 0 ? seen : -EINVAL;
	}
	snprintf(again, sizeof(again), "/proc/self/fd/%d", seen);
	fd = open(again, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A regular file's one line; NULL when it is not that. */
static char *
read_line(struct search *s, int dirfd, const char *name)
{
	auto_buf text = BUF_INIT;
	struct stat st;
	auto_fd fd = open_readable(dirfd, name, S_IFREG, &st);

	if (fd < 0 || fdio_slurp(fd, POINTER_MAX, &text) < 0 || text.len == 0 ||
	    memchr(text.data, '\0', text.len) != NULL) {
		return NULL;
	}
	text.len -= text.data[text.len - 1] == '\n';
	return memchr(text.data, '\n', text.len) != NULL
		       ? NULL
		       : arena_copy(s->arena, text.data, text.len);
}

/* ".git" -> common and name, by text alone. */
static int
parse_pointer(struct search *s)
{
	static const char prefix[] = "gitdir: ", dir[] = "/worktrees";
	char *line = read_line(s, s->q->workspace_fd, ".git"), *slash;
	const char *path = line != NULL && strncmp(line, prefix, sizeof(prefix) - 1) == 0
				   ? line + sizeof(prefix) - 1
				   : NULL;
	const char *plain = plan_plain_path(s->arena, path);
	size_t len;

	if (path == NULL || plain == NULL || strcmp(plain, path) != 0) {
		return refuse(s, "", "its .git names no absolute path");
	}
	slash = strrchr(line, '/');
	*slash = '\0';
	s->name = slash + 1;
	len = strlen(path);
	if (len <= sizeof(dir) - 1 || strcmp(path + len - (sizeof(dir) - 1), dir) != 0) {
		return refuse(s, plain, "is no directory of a linked worktree");
	}
	s->common = arena_copy(s->arena, path, len - (sizeof(dir) - 1));
	return s->common == NULL ? -ENOMEM : 0;
}

static int
check_place(struct search *s)
{
	const struct worktree_query *q = s->q;
	const char *named = q->identity->home;
	auto_free char *real = realpath(named, NULL);
	const char *home = real != NULL ? real : named;

	if (plan_covers(q->workspace, s->common) || plan_covers(s->common, q->workspace)) {
		return refuse(s, s->common, "lies in the workspace or contains it");
	}
	if (plan_covers(s->common, home) || plan_covers(s->common, named) ||
	    toolchain_is_secret(home, q->state, s->common)) {
		return refuse(s, s->common, "is a place that no call is shown");
	}
	return 0;
}

/* A directory of the caller's that nobody else writes. */
static int
open_dir(struct search *s, int dirfd, const char *path, const char *whole)
{
	const struct identity *id = s->q->identity;
	uid_t caller = id->kind == IDENTITY_RANGE ? id->owner_uid : id->uid_outside;
	struct stat st;
	size_t link;
	auto_fd fd = plan_open_plain(dirfd, path, &st, &link);

	if (fd == -ELOOP) {
		return refuse(s, whole, "has a link in its path, which is not followed");
	}
	if (fd < 0 || !S_ISDIR(st.st_mode)) {
		return refuse(s, whole, "is no directory that can be looked at");
	}
	if (st.st_uid != caller || (st.st_mode & S_IWOTH) != 0) {
		return refuse(s, whole, "is not the caller's alone to write");
	}
	return take_fd(&fd);
}

static int
open_both(struct search *s)
{
	const char *below = arena_printf(s->arena, "worktrees/%s", s->name);
	const char *own = arena_printf(s->arena, "%s/worktrees/%s", s->common, s->name);
	auto_fd root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (below == NULL || own == NULL) {
		return -ENOMEM;
	}
	s->common_fd = open_dir(s, root, s->common + 1, s->common);
	s->own_fd = s->common_fd < 0 ? s->common_fd : open_dir(s, s->common_fd, below, own);
	return s->own_fd < 0 ? s->own_fd : 0;
}

/* gitrepository-layout(5): what each side says of the other. */
static int
check_agreement(struct search *s)
{
	const char *back = read_line(s, s->own_fd, "gitdir");
	const char *up = read_line(s, s->own_fd, "commondir");
	const char *here = arena_printf(s->arena, "%s/.git", s->q->workspace);
	struct stat st;

	if (here == NULL) {
		return -ENOMEM;
	}
	if (back == NULL || strcmp(back, here) != 0) {
		return refuse(s, s->common, "has no worktree of that name at this workspace");
	}
	if (up == NULL || (strcmp(up, "../..") != 0 && strcmp(up, s->common) != 0)) {
		return refuse(s, s->common, "is not what the worktree's commondir names");
	}
	return fstatat(s->common_fd, "reftable", &st, AT_SYMLINK_NOFOLLOW) == 0
		       ? refuse(s, s->common, "keeps its references as reftable")
		       : 0;
}

/* As root, the tool has an id of its own: it and its jail reach what others may. */
static bool
others_reach(const struct search *s, const char *path)
{
	struct stat st;

	for (const char *slash = strchr(path + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		char *prefix = arena_copy(s->arena, path, (size_t)(slash - path));

		if (prefix == NULL || lstat(prefix, &st) < 0 || (st.st_mode & S_IXOTH) == 0) {
			return false;
		}
	}
	return true;
}

static int
take_part(struct search *s, const struct part *part)
{
	const mode_t others = part->is_dir ? S_IROTH | S_IXOTH : S_IROTH;
	const char *path = !part->own ? part->name
				      : arena_printf(s->arena, "worktrees/%s/%s", s->name,
						     part->name);
	const char *whole = path != NULL ? arena_printf(s->arena, "%s/%s", s->common, path) : NULL;
	struct stat st;
	auto_fd fd = open_readable(part->own ? s->own_fd : s->common_fd, part->name,
				   part->is_dir ? S_IFDIR : S_IFREG, &st);

	if (whole == NULL) {
		return -ENOMEM;
	}
	if (fd == -ENOENT && !part->needed) {
		return 0;
	}
	if (fd < 0) {
		return refuse(s, whole, part->is_dir ? "is no directory that can be read"
						     : "is no file that can be read");
	}
	if (!part->is_dir && st.st_size > COPY_MAX) {
		return refuse(s, whole, "is larger than 32 MiB");
	}
	s->copied += part->is_dir ? 0 : st.st_size;
	if (s->copied > COPIES_MAX) {
		return refuse(s, whole, "and the files beside it are larger than 48 MiB");
	}
	if (s->q->identity->kind == IDENTITY_RANGE &&
	    ((st.st_mode & others) != others || !others_reach(s, whole))) {
		return refuse(s, whole, "is not readable by the user that the tool runs as");
	}
	s->found.items[s->found.item_count++] =
		(struct worktree_item){ .path = path,
					.is_dir = part->is_dir,
					.device = part->is_dir ? st.st_dev : 0,
					.inode = part->is_dir ? st.st_ino : 0 };
	return 0;
}

/*
 * The configuration itself stays outside: URLs in it may hold tokens. That it says sha256 somewhere
 * chooses between the two that are made up; a wrong choice is git's to complain of.
 */
static void
find_format(struct search *s)
{
	auto_buf text = BUF_INIT;
	struct stat st;
	auto_fd fd = open_readable(s->common_fd, "config", S_IFREG, &st);

	if (fd >= 0 && fdio_slurp(fd, CONFIG_MAX, &text) == 0) {
		const char *key = strcasestr(buf_text(&text), "objectformat");

		s->found.sha256 = key != NULL && strncasecmp(key + 12 + strspn(key + 12, " \t="),
							     "sha256", 6) == 0;
	}
}

static int
search(struct search *s)
{
	int rc = parse_pointer(s);

	if (rc == 0) {
		rc = check_place(s);
	}
	if (rc == 0) {
		rc = open_both(s);
	}
	if (rc == 0) {
		rc = check_agreement(s);
	}
	for (size_t i = 0; rc == 0 && i < ARRAY_LEN(parts); i++) {
		rc = take_part(s, &parts[i]);
	}
	if (rc == 0) {
		find_format(s);
		s->found.common = s->common;
	}
	return rc == -EPERM ? 0 : rc;
}

bool
worktree_is_linked(int workspace_fd)
{
	struct stat st;

	return fstatat(workspace_fd, ".git", &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode);
}

int
worktree_find(struct arena *a, const struct worktree_query *q, struct worktree *ret)
{
	struct search s = { .arena = a, .q = q, .common_fd = -1, .own_fd = -1 };
	int rc = worktree_is_linked(q->workspace_fd) ? search(&s) : 0;

	cleanup_fd(&s.common_fd);
	cleanup_fd(&s.own_fd);
	*ret = s.found;
	return rc;
}
