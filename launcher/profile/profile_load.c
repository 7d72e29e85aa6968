/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds, checks and reads profile files and follows `extends`. Runs in airlock-cli, as the caller.
 * Trusts no name and no file: ownership is checked on the opened file, and on the directories of
 * its name and of what the name leads to.
 */
#include "profile_load.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/fdio.h"
#include "../base/limits.h"
#include "../base/text.h"
#include "profile_internal.h"

#define NAMES_MAX 256 /* profiles listed when one is not found */

/* Directories of the search, in their order; `system`: where unmapped owners may be root. */
struct search_dir {
	const char *path;
	bool system;
};

struct chain_file {
	dev_t dev;
	ino_t ino;
	struct profile_doc doc;
};

struct loader {
	const struct profile_request *req;
	struct profile_arena arena; /* sources, trees, values */
	struct profile_report report;
	struct profile_loaded out;
	struct search_dir dirs[32];
	size_t dir_count;
	struct chain_file chain[PROFILE_DEPTH_MAX + 1]; /* the profile asked for first */
	unsigned int chain_len;
	struct err plain; /* a failure without a place in a file */
	int code;         /* of the first failure */
};

/* ---- dependencies ---------------------------------------------------------------------------- */

void
profile_loaded_finish(struct profile_loaded *l)
{
	profile_destroy(l->profile);
	for (size_t i = 0; i < l->dep_count; i++) {
		free((char *)l->deps[i].path);
	}
	free(l->deps);
	*l = (struct profile_loaded){ .profile = NULL, .deps = NULL, .dep_count = 0 };
}

static int
add_dep(struct profile_loaded *l, const char *path, const struct stat *st)
{
	struct profile_dep *grown, *d;
	auto_free char *copy = strdup(path);

	for (size_t i = 0; i < l->dep_count; i++) {
		if (strcmp(l->deps[i].path, path) == 0) {
			return 0;
		}
	}
	if (l->dep_count == PROFILE_DEPS_MAX) {
		return -E2BIG;
	}
	grown = realloc(l->deps, (l->dep_count + 1) * sizeof(*grown));
	if (grown == NULL || copy == NULL) {
		l->deps = grown != NULL ? grown : l->deps;
		return -ENOMEM;
	}
	l->deps = grown;
	d = &grown[l->dep_count++];
	*d = (struct profile_dep){ .path = take_ptr(copy), .present = st != NULL };
	if (st != NULL) {
		d->dev = (uint64_t)st->st_dev;
		d->ino = (uint64_t)st->st_ino;
		d->size = (uint64_t)st->st_size;
		d->mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
		d->ctime_ns = (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec;
	}
	return 0;
}

int
profile_loaded_add(struct profile_loaded *l, const char *path)
{
	struct stat st;

	return add_dep(l, path, stat(path, &st) == 0 ? &st : NULL);
}

/* ---- failures -------------------------------------------------------------------------------- */

static bool
fail(struct loader *l, int code)
{
	l->code = l->code == 0 ? code : l->code;
	return false;
}

/* At the line that asked (extends), or without a place for the command line. */
#define FAIL_AT(l, code, from, ...)                                                                \
	((from) != NULL ? profile_report_at(&(l)->report, (from), __VA_ARGS__) :                   \
			  (void)err_set(&(l)->plain, (code), __VA_ARGS__),                         \
	 fail((l), (code)))

/* ---- ownership ------------------------------------------------------------------------------- */

uid_t
profile_unmapped_uid(void)
{
	auto_buf map = BUF_INIT, overflow = BUF_INIT;
	uint64_t row[3], uid; /* inside, outside, count */

	if (fdio_slurp_at(AT_FDCWD, "/proc/sys/kernel/overflowuid", CAP_PROC_FILE, &overflow) < 0 ||
	    fdio_slurp_at(AT_FDCWD, "/proc/self/uid_map", CAP_PROC_FILE, &map) < 0 ||
	    text_numbers(buf_text(&overflow), ' ', &uid, 1) == NULL) {
		return (uid_t)-1;
	}
	for (const char *p = buf_text(&map); (p = text_numbers(p, ' ', row, 3)) != NULL;) {
		if (uid >= row[0] && uid - row[0] < row[2]) {
			return (uid_t)-1;
		}
	}
	return (uid_t)uid;
}

static bool
check_owner(struct loader *l, const char *path, const struct stat *st, bool system,
	    const struct profile_place *from)
{
	bool known = st->st_uid == 0 || st->st_uid == l->req->caller ||
		     (system && st->st_uid == l->req->unmapped);

	if (!known && st->st_uid == l->req->unmapped) {
		return FAIL_AT(
			l, -EPERM, from,
			"%s belongs to somebody whom this user namespace does not map; use a copy "
			"of your own",
			path);
	}
	if (!known) {
		return FAIL_AT(
			l, -EPERM, from,
			"%s belongs to uid %u, neither root nor the caller; run: chown %u %s", path,
			(unsigned int)st->st_uid, (unsigned int)l->req->caller, path);
	}
	if ((st->st_mode & 022) != 0) {
		return FAIL_AT(l, -EPERM, from,
			       "%s is writable by others (mode %04o); run: chmod go-w %s", path,
			       (unsigned int)st->st_mode & 07777, path);
	}
	return true;
}

static bool
check_dir_of(struct loader *l, const char *path, bool system, const struct profile_place *from)
{
	const char *slash = strrchr(path, '/');
	auto_free char *dir = strndup(path, slash == path ? 1 : (size_t)(slash - path));
	struct stat st;

	if (dir == NULL) {
		return fail(l, -ENOMEM);
	}
	if (stat(dir, &st) < 0) {
		return FAIL_AT(l, -errno, from, "%s: %s", dir, strerror(errno));
	}
	return check_owner(l, dir, &st, system, from);
}

/* ---- reading one file ------------------------------------------------------------------------ */

static bool
slurp_checked(struct loader *l, const char *path, bool system, const struct profile_place *from,
	      struct stat *ret_st, struct buf *bytes)
{
	/* O_NONBLOCK: a FIFO of that name must not stop us. */
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	auto_free char *real = realpath(path, NULL);
	int rc;

	if (fd < 0 || real == NULL || fstat(fd, ret_st) < 0) {
		return FAIL_AT(l, -errno, from, "%s: %s", path, strerror(errno));
	}
	if (!S_ISREG(ret_st->st_mode)) {
		return FAIL_AT(l, -EINVAL, from, "%s is not a regular file", path);
	}
	if (!check_owner(l, path, ret_st, system, from) || !check_dir_of(l, path, system, from) ||
	    (strcmp(real, path) != 0 && !check_dir_of(l, real, system, from))) {
		return false;
	}
	rc = add_dep(&l->out, path, ret_st);
	if (rc == 0) {
		rc = fdio_slurp(fd, CAP_PROFILE_FILE + 1u, bytes);
	}
	if (rc == -EFBIG) {
		return FAIL_AT(l, -EINVAL, from, "%s: error: larger than 1 MiB", path);
	}
	if (rc < 0) {
		return FAIL_AT(l, rc, from, "%s: %s", path, strerror(-rc));
	}
	return true;
}

static bool
is_in_chain(const struct loader *l, const struct stat *st)
{
	for (unsigned int i = 0; i < l->chain_len; i++) {
		if (l->chain[i].dev == st->st_dev && l->chain[i].ino == st->st_ino) {
			return true;
		}
	}
	return false;
}

/* wanted: the name that led here, or NULL for a path. */
static bool
read_file(struct loader *l, const char *path, bool system, const char *wanted,
	  const struct profile_place *from)
{
	auto_buf bytes = BUF_INIT;
	struct profile_source *source = profile_arena_get(&l->arena, 1, sizeof(*source));
	struct chain_file *file;
	struct profile_node *root;
	const struct profile_value *name;
	struct stat st;
	unsigned int before = l->report.count;

	if (!slurp_checked(l, path, system, from, &st, &bytes)) {
		return false;
	}
	if (is_in_chain(l, &st)) {
		return FAIL_AT(l, -EINVAL, from, "extends: a circle: %s is its own parent", path);
	}
	if (source == NULL) {
		return fail(l, -ENOMEM);
	}
	source->path = profile_arena_text(&l->arena, path, strlen(path));
	source->data = (const uint8_t *)profile_arena_text(&l->arena, buf_text(&bytes), bytes.len);
	source->len = bytes.len;
	if (source->path == NULL || source->data == NULL) {
		return fail(l, -ENOMEM);
	}
	file = &l->chain[l->chain_len++];
	file->dev = st.st_dev;
	file->ino = st.st_ino;
	file->doc.source = source;
	root = profile_yaml_parse(&l->arena, source, &l->report);
	if (root == NULL) {
		return fail(l, -EINVAL);
	}
	profile_read(&l->arena, root, &l->report, &file->doc);
	name = &file->doc.values[KEY_NAME];
	if (wanted != NULL && name->set && strcmp(name->text, wanted) != 0) {
		profile_report_at(&l->report, &name->at,
				  "name: '%s' is not the name of the file, '%s'", name->text,
				  wanted);
	}
	return l->report.count == before ? true : fail(l, -EINVAL);
}

/* ---- search ---------------------------------------------------------------------------------- */

static bool
add_dir(struct loader *l, const char *path, size_t len, bool system)
{
	if (len == 0) {
		return true;
	}
	if (path[0] != '/') {
		return FAIL_AT(l, -EINVAL, (struct profile_place *)NULL,
			       "AIRLOCK_PROFILES: '%.*s' is not an absolute path", (int)len, path);
	}
	if (l->dir_count == ARRAY_LEN(l->dirs)) {
		return FAIL_AT(l, -EINVAL, (struct profile_place *)NULL,
			       "AIRLOCK_PROFILES: too many directories");
	}
	while (len > 1 && path[len - 1] == '/') {
		len--;
	}
	l->dirs[l->dir_count].path = profile_arena_text(&l->arena, path, len);
	l->dirs[l->dir_count].system = system;
	l->dir_count++;
	return l->arena.failed ? fail(l, -ENOMEM) : true;
}

static bool
make_search_path(struct loader *l)
{
	const struct profile_request *q = l->req;
	bool config = q->config_home != NULL && q->config_home[0] == '/';
	auto_buf own = BUF_INIT;

	for (const char *p = q->search != NULL ? q->search : ""; *p != '\0';) {
		size_t len = strcspn(p, ":");

		if (!add_dir(l, p, len, false)) {
			return false;
		}
		p += len;
		p += *p == ':' ? 1 : 0;
	}
	buf_puts(&own, config ? q->config_home : q->home);
	buf_puts(&own, config ? "/airlock/profiles" : "/.config/airlock/profiles");
	return add_dir(l, buf_text(&own), own.len, false) &&
	       add_dir(l, q->system_dir, strlen(q->system_dir), true) &&
	       add_dir(l, q->shipped_dir, strlen(q->shipped_dir), true);
}

/* Names of all profiles that can be found, into the arena. */
static size_t
list_names(struct loader *l, const char **names, size_t most)
{
	size_t count = 0;

	for (size_t i = 0; i < l->dir_count; i++) {
		DIR *dir = opendir(l->dirs[i].path);
		const struct dirent *e;

		while (dir != NULL && count < most && (e = readdir(dir)) != NULL) {
			size_t len = strlen(e->d_name);
			char *name;
			bool seen = false;

			if (len < 6 || strcmp(e->d_name + len - 5, ".yaml") != 0 ||
			    e->d_name[0] == '.') {
				continue;
			}
			name = profile_arena_text(&l->arena, e->d_name, len - 5);
			for (size_t j = 0; name != NULL && j < count; j++) {
				seen = seen || strcmp(names[j], name) == 0;
			}
			if (name != NULL && !seen) {
				names[count++] = name;
			}
		}
		if (dir != NULL) {
			closedir(dir);
		}
	}
	return count;
}

static int
compare_names(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static bool
not_found(struct loader *l, const char *name, bool circle, const struct profile_place *from)
{
	const char *names[NAMES_MAX];
	size_t count = list_names(l, names, NAMES_MAX);
	char hint[96];
	auto_buf have = BUF_INIT;

	if (circle) {
		return FAIL_AT(l, -EINVAL, from, "extends: a circle: '%s' is its own parent", name);
	}
	qsort(names, count, sizeof(names[0]), compare_names);
	for (size_t i = 0; i < count; i++) {
		buf_printf(&have, "%s%s", i > 0 ? ", " : "", names[i]);
	}
	profile_hint(hint, sizeof(hint), profile_nearest(name, names, count));
	return FAIL_AT(l, -ENOENT, from, "no profile '%s'%s (there are: %s)", name, hint,
		       count > 0 ? buf_text(&have) : "none");
}

/*
 * The first file of that name that is not in the chain already: so a user's default.yaml may extend
 * the default that it hides. What cannot be reached (no such directory, no permission) is absent.
 */
static bool
find_and_read(struct loader *l, const char *name, const struct profile_place *from)
{
	bool circle = false;

	for (size_t i = 0; i < l->dir_count; i++) {
		char path[PATH_MAX];
		struct stat st;
		int n = snprintf(path, sizeof(path), "%s/%s.yaml", l->dirs[i].path, name);

		if (n < 0 || (size_t)n >= sizeof(path)) {
			continue;
		}
		if (stat(path, &st) < 0) {
			if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) {
				return FAIL_AT(l, -errno, from, "%s: %s", path, strerror(errno));
			}
			if (add_dep(&l->out, path, NULL) < 0) {
				return fail(l, -ENOMEM);
			}
			continue;
		}
		if (is_in_chain(l, &st)) {
			circle = true;
			continue;
		}
		return read_file(l, path, l->dirs[i].system, name, from);
	}
	return not_found(l, name, circle, from);
}

static bool
read_path(struct loader *l, const char *path, const struct profile_place *from)
{
	auto_buf full = BUF_INIT;

	if (strncmp(path, "~/", 2) == 0) {
		buf_puts(&full, l->req->home);
		buf_puts(&full, path + 1);
	} else if (path[0] == '/') {
		buf_puts(&full, path);
	} else {
		auto_free char *cwd = getcwd(NULL, 0);

		if (cwd == NULL) {
			return FAIL_AT(l, -errno, from, "%s: the current directory: %s", path,
				       strerror(errno));
		}
		buf_printf(&full, "%s/%s", cwd, path);
	}
	return full.failed ? fail(l, -ENOMEM) : read_file(l, buf_text(&full), false, NULL, from);
}

static bool
name_fits(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= 64 && name[0] != '.' && name[0] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == len;
}

static bool
read_one(struct loader *l, const char *name, const struct profile_place *from)
{
	if (strchr(name, '/') != NULL) {
		return read_path(l, name, from);
	}
	if (!name_fits(name)) {
		return FAIL_AT(
			l, -EINVAL, from,
			"'%s' is no name of a profile: small letters, digits, '.', '_', '-', at "
			"most 64; a path has a slash in it",
			name);
	}
	return find_and_read(l, name, from);
}

/* ---- the chain ------------------------------------------------------------------------------- */

static bool
read_chain(struct loader *l)
{
	if (!make_search_path(l) || !read_one(l, l->req->name, NULL)) {
		return false;
	}
	for (;;) {
		const struct profile_value *parent =
			&l->chain[l->chain_len - 1].doc.values[KEY_EXTENDS];

		if (!parent->set) {
			return true;
		}
		if (l->chain_len == ARRAY_LEN(l->chain)) {
			return FAIL_AT(l, -EINVAL, &parent->at, "extends: more than %d parents",
				       PROFILE_DEPTH_MAX);
		}
		if (!read_one(l, parent->text, &parent->at)) {
			return false;
		}
	}
}

/* From the oldest parent down; each is complete before its child is held against it. */
static bool
merge_chain(struct loader *l, struct profile_doc *ret)
{
	struct profile_doc parent, merged;
	unsigned int before = l->report.count;

	for (unsigned int i = l->chain_len; i > 0; i--) {
		bool top = i == l->chain_len;

		profile_merge(&l->arena, top ? NULL : &parent, &l->chain[i - 1].doc, &l->report,
			      &merged);
		profile_complete(&l->arena, &merged, &l->report);
		if (l->report.count != before) {
			return fail(l, -EINVAL);
		}
		parent = merged;
	}
	*ret = merged;
	return l->arena.failed ? fail(l, -ENOMEM) : true;
}

static int
load(struct loader *l)
{
	struct profile_doc doc;
	int rc;

	if (!read_chain(l) || !merge_chain(l, &doc)) {
		return l->code;
	}
	rc = profile_build(&doc, l->req->home, &l->out.profile);
	return rc;
}

/*
 * What the caller prints in one line: the failure without a place, or the first line of the
 * report.
 */
static void
tell(const struct loader *l, size_t from, int code, struct err *err)
{
	const char *text = buf_text(l->report.out) + from;

	if (l->report.out->len > from) {
		err_set(err, code, "%.*s", (int)strcspn(text, "\n"), text);
	} else if (l->plain.code != 0) {
		err_set(err, code, "%s", l->plain.text);
	} else {
		err_sys(err, code, "profile");
	}
}

int
profile_load(const struct profile_request *req, struct profile_loaded *ret, struct buf *report,
	     struct err *err)
{
	auto_free struct loader *l = calloc(1, sizeof(*l));
	size_t from = report->len;
	int rc;

	if (l == NULL) {
		return err_sys(err, -ENOMEM, "profile");
	}
	l->req = req;
	l->report.out = report;
	rc = load(l);
	if (rc == 0) {
		*ret = l->out;
	} else {
		profile_loaded_finish(&l->out);
		tell(l, from, rc, err);
	}
	profile_arena_finish(&l->arena);
	return rc;
}
