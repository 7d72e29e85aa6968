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
#include "../base/trusted.h"
#include "profile_internal.h"

#define DROPINS_MAX 64u

struct chain_file {
	dev_t dev;
	ino_t ino;
	struct profile_doc doc;
	struct profile_doc *dropins; /* in the order of their names */
	size_t dropin_count;
};

struct loader {
	const struct profile_request *req;
	struct profile_arena arena; /* sources, trees, values; handed over with the profile */
	struct profile_report report;
	struct profile_loaded out;
	struct profile_search search;
	struct chain_file chain[PROFILE_DEPTH_MAX + 1]; /* the profile asked for first */
	unsigned int chain_len;
	struct err plain; /* a failure without a place in a file */
	int code;	  /* of the first failure */
};

/* ---- dependencies ---------------------------------------------------------------------------- */

void
profile_loaded_finish(struct profile_loaded *l)
{
	struct profile_arena a = { .chunks = l->arena, .failed = false };

	profile_destroy(l->profile);
	for (size_t i = 0; i < l->dep_count; i++) {
		free((char *)l->deps[i].path);
	}
	free(l->deps);
	profile_arena_finish(&a);
	*l = (struct profile_loaded){ .profile = NULL };
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
#define FAIL_AT(l, code, from, ...)                                            \
	((from) != NULL ? profile_report_at(&(l)->report, (from), __VA_ARGS__) \
			: (void)err_set(&(l)->plain, (code), __VA_ARGS__),     \
	 fail((l), (code)))

/* ---- ownership ------------------------------------------------------------------------------- */

static bool
check_owner(struct loader *l, const char *path, const struct stat *st, bool system,
	    const struct profile_place *from)
{
	const struct trust trust = { l->req->caller, l->req->unmapped, system };
	struct err err = ERR_INIT;

	if (trusted_owner(&trust, path, st, &err) < 0) {
		return FAIL_AT(l, -EPERM, from, "%s", err.text);
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

/* Bytes to the keys that are in them. part: version and name may be missing. */
static bool
parse_file(struct loader *l, const char *path, const struct buf *bytes, bool part,
	   struct profile_doc *ret)
{
	struct profile_source *source = profile_arena_get(&l->arena, 1, sizeof(*source));
	struct profile_node *root;
	unsigned int before = l->report.count;

	if (source == NULL) {
		return fail(l, -ENOMEM);
	}
	source->path = profile_arena_text(&l->arena, path, strlen(path));
	source->data = (const uint8_t *)profile_arena_text(&l->arena, buf_text(bytes), bytes->len);
	source->len = bytes->len;
	if (source->path == NULL || source->data == NULL) {
		return fail(l, -ENOMEM);
	}
	ret->source = source;
	root = profile_yaml_parse(&l->arena, source, &l->report);
	if (root == NULL) {
		return fail(l, -EINVAL);
	}
	profile_read(&l->arena, root, part, &l->report, ret);
	return l->report.count == before ? true : fail(l, -EINVAL);
}

/* ---- drop-ins -------------------------------------------------------------------------------- */

static int
compare_names(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* Names that end in .yaml, sorted; others are no drop-ins (README, an editor's copy). */
static bool
list_dropins(struct loader *l, const char *path, const struct profile_place *from,
	     const char *ret_names[DROPINS_MAX], size_t *ret_count)
{
	DIR *dir = opendir(path);
	const struct dirent *e;
	size_t count = 0;

	if (dir == NULL) {
		return FAIL_AT(l, -errno, from, "%s: %s", path, strerror(errno));
	}
	while (count <= DROPINS_MAX && (e = readdir(dir)) != NULL) {
		size_t len = strlen(e->d_name);

		if (len < 6 || strcmp(e->d_name + len - 5, ".yaml") != 0 || e->d_name[0] == '.') {
			continue;
		}
		if (count < DROPINS_MAX) {
			ret_names[count] = profile_arena_text(&l->arena, e->d_name, len);
		}
		count++;
	}
	closedir(dir);
	if (count > DROPINS_MAX) {
		return FAIL_AT(l, -EINVAL, from, "%s: more than %u drop-ins", path, DROPINS_MAX);
	}
	if (l->arena.failed) {
		return fail(l, -ENOMEM);
	}
	qsort(ret_names, count, sizeof(ret_names[0]), compare_names);
	*ret_count = count;
	return true;
}

/* What a drop-in says of itself must fit the profile beside it. */
static bool
check_dropin(struct loader *l, const struct profile_doc *profile,
	     const struct profile_doc *dropin)
{
	const struct profile_value *name = &dropin->values[KEY_NAME];
	const struct profile_value *extends = &dropin->values[KEY_EXTENDS];
	const struct profile_value *wanted = &profile->values[KEY_NAME];
	unsigned int before = l->report.count;

	if (name->set && wanted->set && strcmp(name->text, wanted->text) != 0) {
		profile_report_at(&l->report, &name->at,
				  "name: '%s' is not the name of the profile, '%s'; a drop-in "
				  "needs none",
				  name->text, wanted->text);
	}
	if (extends->set) {
		profile_report_at(&l->report, &extends->at,
				  "extends: a drop-in has no parent of its own");
	}
	return l->report.count == before ? true : fail(l, -EINVAL);
}

static bool
read_dropin(struct loader *l, const char *path, bool system, const struct profile_place *from,
	    struct chain_file *file)
{
	auto_buf bytes = BUF_INIT;
	struct stat st;
	struct profile_doc *doc = &file->dropins[file->dropin_count];

	if (!slurp_checked(l, path, system, from, &st, &bytes)) {
		return false;
	}
	file->dropin_count++;
	return parse_file(l, path, &bytes, true, doc) && check_dropin(l, &file->doc, doc);
}

/*
 * PROFILE.yaml.d/NAME.yaml. The directory is a dependency also where it is not there; its own time
 * changes with its entries, and was taken before they are read.
 */
static bool
read_dropins(struct loader *l, const char *profile, bool system, const struct profile_place *from,
	     struct chain_file *file)
{
	const char *names[DROPINS_MAX];
	char dir[PATH_MAX], path[PATH_MAX];
	size_t count = 0;
	struct stat st;
	int n = snprintf(dir, sizeof(dir), "%s.d", profile);

	if (n < 0 || (size_t)n >= sizeof(dir)) {
		return FAIL_AT(l, -ENAMETOOLONG, from, "%s.d: path too long", profile);
	}
	if (stat(dir, &st) < 0) {
		if (errno != ENOENT) {
			return FAIL_AT(l, -errno, from, "%s: %s", dir, strerror(errno));
		}
		return add_dep(&l->out, dir, NULL) == 0 ? true : fail(l, -ENOMEM);
	}
	if (!S_ISDIR(st.st_mode)) {
		return FAIL_AT(l, -ENOTDIR, from, "%s is not a directory of drop-ins", dir);
	}
	if (!check_owner(l, dir, &st, system, from)) {
		return false;
	}
	if (add_dep(&l->out, dir, &st) < 0) {
		return fail(l, -ENOMEM);
	}
	if (!list_dropins(l, dir, from, names, &count)) {
		return false;
	}
	file->dropins = profile_arena_get(&l->arena, count + 1, sizeof(*file->dropins));
	if (file->dropins == NULL) {
		return fail(l, -ENOMEM);
	}
	for (size_t i = 0; i < count; i++) {
		n = snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		if (n < 0 || (size_t)n >= sizeof(path)) {
			return FAIL_AT(l, -ENAMETOOLONG, from, "%s/%s: path too long", dir,
				       names[i]);
		}
		if (!read_dropin(l, path, system, from, file)) {
			return false;
		}
	}
	return true;
}

/* wanted: the name that led here, or NULL for a path. */
static bool
read_file(struct loader *l, const char *path, bool system, const char *wanted,
	  const struct profile_place *from)
{
	auto_buf bytes = BUF_INIT;
	struct chain_file *file;
	const struct profile_value *name;
	struct stat st;

	if (!slurp_checked(l, path, system, from, &st, &bytes)) {
		return false;
	}
	if (is_in_chain(l, &st)) {
		return FAIL_AT(l, -EINVAL, from, "extends: a circle: %s is its own parent", path);
	}
	file = &l->chain[l->chain_len++];
	file->dev = st.st_dev;
	file->ino = st.st_ino;
	if (!parse_file(l, path, &bytes, false, &file->doc)) {
		return false;
	}
	name = &file->doc.values[KEY_NAME];
	if (wanted != NULL && name->set && strcmp(name->text, wanted) != 0) {
		profile_report_at(&l->report, &name->at,
				  "name: '%s' is not the name of the file, '%s'", name->text,
				  wanted);
		return fail(l, -EINVAL);
	}
	return read_dropins(l, path, system, from, file);
}

/* ---- search ---------------------------------------------------------------------------------- */

static bool
not_found(struct loader *l, const char *name, bool circle, const struct profile_place *from)
{
	const char *names[PROFILE_NAMES_MAX];
	size_t count = profile_search_names(&l->arena, &l->search, names);
	char hint[96];
	auto_buf have = BUF_INIT;

	if (circle) {
		return FAIL_AT(l, -EINVAL, from, "extends: a circle: '%s' is its own parent", name);
	}
	for (size_t i = 0; i < count; i++) {
		buf_printf(&have, "%s%s", i > 0 ? ", " : "", names[i]);
	}
	profile_hint(hint, sizeof(hint), profile_nearest(name, names, count));
	return FAIL_AT(l, -ENOENT, from, "no profile '%s'%s (there are: %s)", name, hint,
		       count > 0 ? buf_text(&have) : "none");
}

/* Where files of root may show as nobody's. */
static bool
is_system(enum profile_where where)
{
	return where == PROFILE_SYSTEM || where == PROFILE_SHIPPED;
}

/* The same file by its path is the same file. */
static bool
is_system_path(const struct loader *l, const char *path)
{
	size_t len = (size_t)(strrchr(path, '/') - path);

	for (size_t i = 0; i < l->search.count; i++) {
		const char *dir = l->search.dirs[i].path;

		if (is_system(l->search.dirs[i].where) && strlen(dir) == len &&
		    strncmp(dir, path, len) == 0) {
			return true;
		}
	}
	return false;
}

/*
 * The first file of that name that is not in the chain already: so a user's default.yaml may extend
 * the default that it hides. What cannot be reached (no such directory, no permission) is absent.
 */
static bool
find_and_read(struct loader *l, const char *name, const struct profile_place *from)
{
	bool circle = false;

	for (size_t i = 0; i < l->search.count; i++) {
		char path[PATH_MAX];
		struct stat st;
		int n = snprintf(path, sizeof(path), "%s/%s.yaml", l->search.dirs[i].path, name);

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
		return read_file(l, path, is_system(l->search.dirs[i].where), name, from);
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
	if (full.failed) {
		return fail(l, -ENOMEM);
	}
	return read_file(l, buf_text(&full), is_system_path(l, buf_text(&full)), NULL, from);
}

static bool
read_one(struct loader *l, const char *name, const struct profile_place *from)
{
	if (strchr(name, '/') != NULL) {
		return read_path(l, name, from);
	}
	if (!profile_name_is_right(name)) {
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
	int rc = profile_search_make(&l->arena, l->req, &l->search, &l->plain);

	if (rc < 0) {
		return fail(l, rc);
	}
	if (!read_one(l, l->req->name, NULL)) {
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

/* A drop-in narrows its profile as a child would, and leaves it its name and what it opens. */
static void
merge_dropin(struct loader *l, struct profile_doc *profile, const struct profile_doc *dropin)
{
	const struct profile_doc before = *profile;

	profile_merge(&l->arena, &before, dropin, &l->report, profile);
	profile->source = before.source;
	for (unsigned int i = 0; i < KEY__COUNT; i++) {
		enum profile_narrow narrow = profile_key((enum profile_key_id)i)->narrow;

		if (!dropin->values[i].set && (narrow == NARROW_OWN || narrow == NARROW_OPEN)) {
			profile->values[i] = before.values[i];
		}
	}
}

/*
 * From the oldest parent down; each is complete, and has its drop-ins, before its child is held
 * against it.
 */
static bool
merge_chain(struct loader *l, struct profile_doc *ret)
{
	struct profile_doc parent, merged;
	unsigned int before = l->report.count;

	for (unsigned int i = l->chain_len; i > 0; i--) {
		const struct chain_file *file = &l->chain[i - 1];
		bool top = i == l->chain_len;

		profile_merge(&l->arena, top ? NULL : &parent, &file->doc, &l->report, &merged);
		profile_complete(&l->arena, &merged, &l->report);
		for (size_t k = 0; l->report.count == before && k < file->dropin_count; k++) {
			merge_dropin(l, &merged, &file->dropins[k]);
		}
		if (l->report.count != before) {
			return fail(l, -EINVAL);
		}
		parent = merged;
	}
	*ret = merged;
	return l->arena.failed ? fail(l, -ENOMEM) : true;
}

static void
keep_file(struct loader *l, struct profile_file *files, const struct profile_doc *doc, bool dropin)
{
	const struct profile_source *source = doc->source;

	files[l->out.file_count++] =
		(struct profile_file){ source->path, source->data, source->len, dropin };
}

/* What was read: for those who show it, and for the front, which looks where it lies. */
static bool
keep_files(struct loader *l)
{
	struct profile_file *files;
	const char **paths;
	size_t count = l->chain_len;

	for (unsigned int i = 0; i < l->chain_len; i++) {
		count += l->chain[i].dropin_count;
	}
	files = profile_arena_get(&l->arena, count, sizeof(*files));
	paths = profile_arena_get(&l->arena, count + 1, sizeof(*paths));
	if (files == NULL || paths == NULL) {
		return fail(l, -ENOMEM);
	}
	for (unsigned int i = 0; i < l->chain_len; i++) {
		keep_file(l, files, &l->chain[i].doc, false);
		for (size_t k = 0; k < l->chain[i].dropin_count; k++) {
			keep_file(l, files, &l->chain[i].dropins[k], true);
		}
	}
	for (size_t i = 0; i < count; i++) {
		paths[i] = files[i].path;
	}
	l->out.files = files;
	l->out.profile->files = (struct strings){ paths, count };
	return true;
}

static int
load(struct loader *l)
{
	struct profile_doc *doc = profile_arena_get(&l->arena, 1, sizeof(*doc));
	int rc;

	if (doc == NULL) {
		return -ENOMEM;
	}
	if (!read_chain(l) || !merge_chain(l, doc)) {
		return l->code;
	}
	l->out.doc = doc;
	rc = profile_build(doc, l->req->home, &l->out.profile);
	if (rc == 0) {
		size_t len = strlen(l->req->shipped_dir);
		const char *source = l->out.profile->source;

		l->out.profile->shipped = strncmp(source, l->req->shipped_dir, len) == 0 &&
					  source[len] == '/';
		rc = keep_files(l) ? 0 : l->code;
	}
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
	l->out.arena = l->arena.chunks;
	if (rc == 0) {
		*ret = l->out;
	} else {
		tell(l, from, rc, err);
		profile_loaded_finish(&l->out);
	}
	return rc;
}
