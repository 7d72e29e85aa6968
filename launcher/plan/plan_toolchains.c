/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front: finds the toolchains of toolchains.def. One lstat per place that a host does
 * not have. What is not certain to be a toolchain of the caller's is not given; nothing here ends a
 * launch.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "plan_build.h"
#include "toolchains.h"

#define OVERFLOW_UID 65534u
#define LOOKED_MAX 8192u /* entries of directories, per place */

static const char *const names[] = {
#define TOOLCHAIN(id, name, sentence) [TOOLCHAIN_##id] = (name),
#include "../profile/toolchains.def"
};
_Static_assert(ARRAY_LEN(names) == TOOLCHAIN__COUNT, "every toolchain has its name");

static const struct place {
	enum toolchain id;
	const char *variable, *standard, *markers, *shown, *programs, *masked;
} places[] = {
#define PLACE(id, variable, standard, markers, shown, programs, masked)                            \
	{ TOOLCHAIN_##id, variable, standard, markers, shown, programs, masked },
#include "../profile/toolchains.def"
};

/*
 * Directories of a HOME that no variable can make a toolchain of, and what lies below them. The
 * markers keep them out; this is for the day on which one of them holds a marker.
 */
static const char *const secrets[] = {
	".aws", ".azure", ".config/airlock", ".config/gcloud", ".config/gh", ".docker", ".gnupg",
	".kube", ".local/share/keyrings", ".mozilla", ".password-store", ".ssh",
};

struct finder {
	struct arena *arena;
	const struct toolchain_query *q;
	const char *home;    /* without links; NULL when there is none */
	uid_t uid;
	const char *root;    /* of the place that is looked at */
	unsigned int looked; /* in it */
	size_t shown_room, mask_room;
	struct toolchains t;
};

typedef int found_fn(struct finder *s, const char *path, const struct stat *st);

const char *
toolchain_name(enum toolchain id)
{
	return names[id];
}

/* ---- patterns ------------------------------------------------------------------------ */

/* As root, the tool has an id of its own, which owns nothing: what others may, it may. */
static bool
tool_may(const struct finder *s, const char *path, const struct stat *st, int how)
{
	if (s->q->identity->kind == IDENTITY_RANGE) {
		return ((int)st->st_mode & how) == how;
	}
	return st->st_uid == s->uid ? ((int)(st->st_mode >> 6) & how) == how
				    : access(path, how) == 0;
}

/* A directory that was looked at and may be read. */
static bool
is_shown(const struct finder *s, const char *path)
{
	for (size_t i = s->t.shown_count; i > 0; i--) {
		if (s->t.shown[i - 1].type == S_IFDIR &&
		    strcmp(s->t.shown[i - 1].path, path) == 0) {
			return true;
		}
	}
	return false;
}

static int below(struct finder *s, const char *dir, const char *pattern, found_fn *found);

/* type: as far as it is known and enough; DT_UNKNOWN else. */
static int
step(struct finder *s, const char *path, unsigned char type, const char *rest, found_fn *found)
{
	bool ask = type == DT_UNKNOWN || s->q->identity->kind == IDENTITY_RANGE;
	struct stat st = { .st_mode = type == DT_DIR ? S_IFDIR : 0 };

	if ((ask || *rest == '\0') && lstat(path, &st) < 0) {
		return errno == ENOENT || errno == ENOTDIR || errno == EACCES ? 0 : -errno;
	}
	if (*rest == '\0') {
		return found(s, path, &st);
	}
	/* What a link leads to has a name of its own, and is found by that or is not shown. */
	return S_ISDIR(st.st_mode) && (!ask || tool_may(s, path, &st, X_OK))
		       ? below(s, path, rest + 1, found)
		       : 0;
}

/* "a|b" below dir: so that what is listed above them is listed once. */
static int
each_name(struct finder *s, const char *dir, char *names_left, const char *rest, found_fn *found)
{
	char *save = NULL;
	int rc = 0;

	for (char *name = strtok_r(names_left, "|", &save); rc == 0 && name != NULL;
	     name = strtok_r(NULL, "|", &save)) {
		char *path = arena_printf(s->arena, "%s/%s", dir, name);
		unsigned char type = path != NULL && is_shown(s, path) ? DT_DIR : DT_UNKNOWN;

		rc = path == NULL ? -ENOMEM : step(s, path, type, rest, found);
	}
	return rc;
}

/* found(path) for everything below dir that the pattern names, without following a link. */
static int
below(struct finder *s, const char *dir, const char *pattern, found_fn *found)
{
	size_t len = strcspn(pattern, "/");
	char *name = arena_copy(s->arena, pattern, len);
	DIR *listing;
	int rc = 0;

	if (name == NULL) {
		return -ENOMEM;
	}
	if (strcmp(name, ".") == 0) {
		return step(s, dir, DT_UNKNOWN, pattern + len, found);
	}
	if (strpbrk(name, "*?[") == NULL) {
		return each_name(s, dir, name, pattern + len, found);
	}
	listing = opendir(dir);
	if (listing == NULL) {
		return errno == ENOENT || errno == ENOTDIR ? 0 : -errno;
	}
	for (struct dirent *e = readdir(listing); rc == 0 && e != NULL; e = readdir(listing)) {
		char *path;

		if (fnmatch(name, e->d_name, FNM_PERIOD) != 0) {
			continue;
		}
		path = arena_printf(s->arena, "%s/%s", dir, e->d_name);
		rc = path == NULL		   ? -ENOMEM
		     : ++s->looked > LOOKED_MAX ? -E2BIG
						: step(s, path, e->d_type, pattern + len, found);
	}
	closedir(listing);
	return rc;
}

/* The same for each pattern of a list. */
static int
each(struct finder *s, const char *list, found_fn *found)
{
	int rc = 0;

	while (rc == 0 && *list != '\0') {
		size_t len = strcspn(list, ":");
		char *pattern = arena_copy(s->arena, list, len);

		if (pattern == NULL) {
			return -ENOMEM;
		}
		if (strncmp(pattern, "~/", 2) == 0) {
			rc = s->home != NULL ? below(s, s->home, pattern + 2, found) : 0;
		} else {
			rc = below(s, s->root, pattern, found);
		}
		list += len + (list[len] == ':');
	}
	return rc;
}

/* ---- what may be given --------------------------------------------------------------- */

/*
 * Root's or the caller's, and nobody else can write it. A group of the same number is the user's
 * own; a sticky directory of root's is the Nix store, whose group are its builders.
 */
static bool
is_trusted(const struct finder *s, const struct stat *st)
{
	bool roots = st->st_uid == (s->q->identity->root_unmapped ? OVERFLOW_UID : 0);

	if (!roots && st->st_uid != s->uid) {
		return false;
	}
	return (st->st_mode & S_IWOTH) == 0 &&
	       ((st->st_mode & S_IWGRP) == 0 || st->st_gid == st->st_uid ||
		(roots && (st->st_mode & S_ISVTX) != 0));
}

static bool
tool_may_reach(const struct finder *s, const char *path)
{
	struct stat st;

	if (s->q->identity->kind != IDENTITY_RANGE) {
		return true;
	}
	for (const char *slash = strchr(path + 1, '/'); slash != NULL;
	     slash = strchr(slash + 1, '/')) {
		char *prefix = arena_copy(s->arena, path, (size_t)(slash - path));

		if (prefix == NULL || stat(prefix, &st) < 0 || !tool_may(s, prefix, &st, X_OK)) {
			return false;
		}
	}
	return true;
}

static bool
overlaps(const char *a, const char *b)
{
	return plan_covers(a, b) || plan_covers(b, a);
}

/* In any home: "/home/u/.ssh/x" lies in ".ssh". */
static bool
lies_in(const char *path, const char *secret)
{
	size_t len = strlen(secret);

	for (const char *at = strstr(path, secret); at != NULL; at = strstr(at + 1, secret)) {
		if (at > path && at[-1] == '/' && (at[len] == '/' || at[len] == '\0')) {
			return true;
		}
	}
	return false;
}

bool
toolchain_is_secret(const char *home, const char *state, const char *path)
{
	bool secret = overlaps(state, path);
	size_t len = home != NULL ? strlen(home) : 0;

	for (size_t i = 0; i < ARRAY_LEN(secrets) && !secret; i++) {
		/* No root is HOME or above it, so what is shown is below HOME or beside it. */
		secret = lies_in(path, secrets[i]) ||
			 (home != NULL && plan_covers(home, path) &&
			  plan_covers(path + len + 1, secrets[i]));
	}
	return secret;
}

/* ---- what was found ------------------------------------------------------------------ */

static void *
grown(struct arena *a, void *items, size_t count, size_t *room, size_t size)
{
	void *more;

	if (count < *room) {
		return items;
	}
	more = arena_alloc(a, (*room * 2 + 32) * size);
	if (more != NULL && count > 0) {
		memcpy(more, items, count * size);
	}
	*room = *room * 2 + 32;
	return more;
}

static int
push_shown(struct finder *s, const char *path, const struct stat *st, const char *link)
{
	struct toolchains *t = &s->t;

	t->shown = grown(s->arena, t->shown, t->shown_count, &s->shown_room, sizeof(*t->shown));
	if (t->shown == NULL) {
		return -ENOMEM;
	}
	t->shown[t->shown_count++] = (struct read_entry){ .path = path,
							  .type = st->st_mode & S_IFMT,
							  .is_program = (st->st_mode & 0111) != 0,
							  .size = (uint64_t)st->st_size,
							  .link = link };
	return 0;
}

static int
show(struct finder *s, const char *path, const struct stat *st)
{
	if (S_ISLNK(st->st_mode)) {
		char *target = arena_alloc(s->arena, PATH_MAX);
		ssize_t n = target != NULL ? readlink(path, target, PATH_MAX - 1) : -1;

		return target == NULL ? -ENOMEM : n < 0 ? -errno : push_shown(s, path, st, target);
	}
	if ((!S_ISDIR(st->st_mode) && !S_ISREG(st->st_mode)) || !is_trusted(s, st) ||
	    !tool_may(s, path, st, S_ISDIR(st->st_mode) ? R_OK | X_OK : R_OK) ||
	    toolchain_is_secret(s->home, s->q->state, path) || plan_covers(s->q->workspace, path)) {
		return 0;
	}
	return push_shown(s, path, st, NULL);
}

static int
mask(struct finder *s, const char *path, const struct stat *st)
{
	struct toolchains *t = &s->t;
	bool seen = false;

	for (size_t i = 0; i < t->shown_count && !seen; i++) {
		seen = t->shown[i].type == S_IFDIR && plan_covers(t->shown[i].path, path);
	}
	/* A workspace in there shows all of itself. */
	if (!seen || (!S_ISDIR(st->st_mode) && !S_ISREG(st->st_mode)) ||
	    plan_covers(s->q->workspace, path)) {
		return 0;
	}
	t->masks = grown(s->arena, t->masks, t->mask_count, &s->mask_room, sizeof(*t->masks));
	if (t->masks == NULL) {
		return -ENOMEM;
	}
	t->masks[t->mask_count++] =
		(struct read_mask){ .path = path, .is_dir = S_ISDIR(st->st_mode) };
	return 0;
}

/* Stops the walk: one marker is enough. What a tool may have made is none. */
static int
mark(struct finder *s, const char *path, const struct stat *st)
{
	ignore_err(st != NULL, "that it is there is all");
	return plan_covers(s->q->workspace, path) ? 0 : -EEXIST;
}

/* The link by which the caller knows the directory, so that scripts that name it find it. */
static int
show_link(struct finder *s, const char *asked)
{
	const struct stat as_link = { .st_mode = S_IFLNK };

	if (strcmp(asked, s->root) == 0 || plan_covers(s->q->workspace, asked)) {
		return 0;
	}
	return push_shown(s, asked, &as_link, s->root);
}

static bool
is_known(const struct finder *s, const struct place *row)
{
	for (size_t i = 0; i < s->t.place_count; i++) {
		if (s->t.places[i].id == row->id && strcmp(s->t.places[i].root, s->root) == 0) {
			return true;
		}
	}
	return false;
}

/* 1: it is one and was taken; 0: it is none, or is not given. */
static int
take(struct finder *s, const struct place *row, const char *asked, const char *variable)
{
	struct toolchains *t = &s->t;
	size_t shown = t->shown_count, masks = t->mask_count;
	int rc;

	rc = row->markers[0] == '\0' ? -EEXIST : each(s, row->markers, mark);
	if (rc != -EEXIST) {
		return rc == -ENOMEM ? rc : 0;
	}
	rc = each(s, row->shown, show);
	if (rc == 0 && t->shown_count > shown) {
		rc = each(s, row->masked, mask);
	}
	if (rc == 0 && t->shown_count > shown) {
		rc = show_link(s, asked);
		t->places[t->place_count++] = (struct toolchain_place){ .id = row->id,
									.asked = asked,
									.root = s->root,
									.variable = variable,
									.programs = row->programs };
		return rc < 0 ? rc : 1;
	}
	/* What could not be looked through is not known to be masked. */
	t->shown_count = shown;
	t->mask_count = masks;
	return rc == -ENOMEM ? rc : 0;
}

static int
examine(struct finder *s, const struct place *row, const char *asked, const char *variable)
{
	char real[PATH_MAX];
	struct stat st;
	auto_fd fd = open(asked, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || fdio_path(fd, real) < 0 || real[0] != '/' || fstat(fd, &st) < 0 ||
	    !is_trusted(s, &st) || !tool_may(s, real, &st, X_OK) || !tool_may_reach(s, real) ||
	    plan_covers(s->q->workspace, real) ||
	    (s->home != NULL && plan_covers(real, s->home))) {
		return 0;
	}
	s->root = arena_string(s->arena, real);
	if (s->root == NULL) {
		return -ENOMEM;
	}
	s->looked = 0;
	return is_known(s, row) ? 1 : take(s, row, asked, variable);
}

static int
look(struct finder *s, const struct place *row)
{
	const char *home = s->q->identity->home;
	const char *asked = row->variable[0] != '\0'
				    ? plan_plain_path(s->arena, s->q->variable(row->variable))
				    : NULL;
	int rc = asked != NULL ? examine(s, row, asked, row->variable) : 0;

	if (rc != 0 || row->standard[0] == '\0') {
		return rc;
	}
	if (row->standard[0] != '~') {
		return examine(s, row, row->standard, NULL);
	}
	if (s->home == NULL) {
		return 0;
	}
	asked = arena_printf(s->arena, "%s%s", home, row->standard + 1);
	return asked == NULL ? -ENOMEM : examine(s, row, asked, NULL);
}

int
toolchains_find(struct arena *a, const struct toolchain_query *q, struct toolchains *ret)
{
	struct finder s = { .arena = a, .q = q, .uid = geteuid() };

	*ret = s.t;
	if (q->wanted == 0) {
		return 0;
	}
	s.t.places = arena_alloc(a, ARRAY_LEN(places) * sizeof(*s.t.places));
	s.home = arena_alloc(a, PATH_MAX);
	if (s.t.places == NULL || s.home == NULL) {
		return -ENOMEM;
	}
	s.home = realpath(q->identity->home, (char *)(uintptr_t)s.home);
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		int rc = (q->wanted & 1u << places[i].id) != 0 ? look(&s, &places[i]) : 0;

		if (rc < 0) {
			return rc;
		}
	}
	*ret = s.t;
	return 0;
}

size_t
toolchains_names(const struct toolchains *t, const char *ret_names[TOOLCHAIN__COUNT])
{
	size_t count = 0;

	for (unsigned int id = 0; id < TOOLCHAIN__COUNT; id++) {
		bool given = false;

		for (size_t i = 0; i < t->place_count && !given; i++) {
			given = t->places[i].id == id;
		}
		if (given) {
			ret_names[count++] = names[id];
		}
	}
	return count;
}

const char *
toolchain_of(const struct toolchain_query *q, const char *path)
{
	struct toolchain_query one = *q;
	auto_free char *real = realpath(path, NULL);

	for (unsigned int id = 0; real != NULL && id < TOOLCHAIN__COUNT; id++) {
		struct arena a = ARENA_INIT;
		struct toolchains t;
		bool has = false;

		one.wanted = 1u << id & ~q->wanted;
		if (toolchains_find(&a, &one, &t) == 0) {
			for (size_t i = 0; i < t.shown_count && !has; i++) {
				has = plan_covers(t.shown[i].path, real);
			}
		}
		arena_finish(&a);
		if (has) {
			return names[id];
		}
	}
	return NULL;
}
