/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directories in which profiles are looked for, and which names are in them. Runs in
 * airlock-cli, as the caller. Opens no profile: what a file is worth is profile_load.c's to say.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "profile_internal.h"
#include "profile_load.h"

static int
add_dir(struct profile_arena *a, struct profile_search *s, const char *path, size_t len,
	enum profile_where where)
{
	while (len > 1 && path[len - 1] == '/') {
		len--;
	}
	s->dirs[s->count].path = profile_arena_text(a, path, len);
	s->dirs[s->count].where = where;
	s->count++;
	return a->failed ? -ENOMEM : 0;
}

/* The directories of $AIRLOCK_PROFILES; empty ones are passed over. */
static int
add_given(struct profile_arena *a, struct profile_search *s, const char *list, struct err *err)
{
	for (const char *p = list; *p != '\0';) {
		size_t len = strcspn(p, ":");

		if (len > 0 && p[0] != '/') {
			return err_set(err, -EINVAL,
				       "AIRLOCK_PROFILES: '%.*s' is not an absolute path", (int)len,
				       p);
		}
		if (s->count + 3 == ARRAY_LEN(s->dirs)) {
			return err_set(err, -EINVAL, "AIRLOCK_PROFILES: too many directories");
		}
		if (len > 0 && add_dir(a, s, p, len, PROFILE_GIVEN) < 0) {
			return err_sys(err, -ENOMEM, "AIRLOCK_PROFILES");
		}
		p += len;
		p += *p == ':' ? 1 : 0;
	}
	return 0;
}

void
profile_own_dir(const struct profile_request *req, struct buf *ret)
{
	bool config = req->config_home != NULL && req->config_home[0] == '/';

	buf_puts(ret, config ? req->config_home : req->home);
	buf_puts(ret, config ? "/airlock/profiles" : "/.config/airlock/profiles");
}

int
profile_search_make(struct profile_arena *a, const struct profile_request *req,
		    struct profile_search *ret, struct err *err)
{
	struct profile_search s = { .count = 0 };
	auto_buf own = BUF_INIT;
	int rc = add_given(a, &s, req->search != NULL ? req->search : "", err);

	if (rc < 0) {
		return rc;
	}
	profile_own_dir(req, &own);
	if (buf_error(&own) < 0 || add_dir(a, &s, buf_text(&own), own.len, PROFILE_OWN) < 0 ||
	    add_dir(a, &s, req->system_dir, strlen(req->system_dir), PROFILE_SYSTEM) < 0 ||
	    add_dir(a, &s, req->shipped_dir, strlen(req->shipped_dir), PROFILE_SHIPPED) < 0) {
		return err_sys(err, -ENOMEM, "profiles");
	}
	*ret = s;
	return 0;
}

static int
compare_names(const void *a, const void *b)
{
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

size_t
profile_search_names(struct profile_arena *a, const struct profile_search *s,
		     const char *ret_names[PROFILE_NAMES_MAX])
{
	size_t count = 0;

	for (size_t i = 0; i < s->count; i++) {
		DIR *dir = opendir(s->dirs[i].path);
		const struct dirent *e;

		while (dir != NULL && count < PROFILE_NAMES_MAX && (e = readdir(dir)) != NULL) {
			size_t len = strlen(e->d_name);
			char *name;
			bool seen = false;

			if (len < 6 || strcmp(e->d_name + len - 5, ".yaml") != 0 ||
			    e->d_name[0] == '.') {
				continue;
			}
			name = profile_arena_text(a, e->d_name, len - 5);
			for (size_t j = 0; name != NULL && j < count; j++) {
				seen = seen || strcmp(ret_names[j], name) == 0;
			}
			if (name != NULL && !seen) {
				ret_names[count++] = name;
			}
		}
		if (dir != NULL) {
			closedir(dir);
		}
	}
	qsort(ret_names, count, sizeof(ret_names[0]), compare_names);
	return count;
}

/* ---- the list -------------------------------------------------------------------------------- */

const char *
profile_where_text(enum profile_where where)
{
	static const char *const texts[] = {
		[PROFILE_GIVEN] = "given",
		[PROFILE_OWN] = "own",
		[PROFILE_SYSTEM] = "system",
		[PROFILE_SHIPPED] = "shipped",
	};

	_Static_assert(ARRAY_LEN(texts) == PROFILE_WHERE__COUNT, "one word per value");
	return texts[where];
}

/* All files of one name in the order of the search; the first hides those behind it. */
static void
list_name(struct profile_arena *a, const struct profile_search *s, const char *name,
	  struct profile_listing *ret)
{
	const char *first = NULL;

	for (size_t i = 0; i < s->count; i++) {
		char path[PATH_MAX];
		struct stat st;
		int n = snprintf(path, sizeof(path), "%s/%s.yaml", s->dirs[i].path, name);
		struct profile_found *row = &ret->rows[ret->count];

		if (n < 0 || (size_t)n >= sizeof(path) || stat(path, &st) < 0 ||
		    (first != NULL && strcmp(first, path) == 0)) {
			continue;
		}
		row->name = name;
		row->path = profile_arena_text(a, path, (size_t)n);
		row->hidden_by = first;
		row->where = s->dirs[i].where;
		first = first != NULL ? first : row->path;
		ret->count++;
	}
}

int
profile_list(const struct profile_request *req, struct profile_listing *ret, struct err *err)
{
	auto_arena a = { .chunks = NULL, .failed = false };
	const char *names[PROFILE_NAMES_MAX];
	struct profile_listing list = { .count = 0 };
	struct profile_search search = { .count = 0 };
	int rc = profile_search_make(&a, req, &search, err);
	size_t count;

	if (rc < 0) {
		return rc;
	}
	count = profile_search_names(&a, &search, names);
	list.rows = profile_arena_get(&a, count * search.count + 1, sizeof(*list.rows));
	for (size_t i = 0; list.rows != NULL && i < count; i++) {
		list_name(&a, &search, names[i], &list);
	}
	if (a.failed) {
		return err_sys(err, -ENOMEM, "profiles");
	}
	list.arena = take_ptr(a.chunks);
	*ret = list;
	return 0;
}

void
profile_listing_finish(struct profile_listing *l)
{
	struct profile_arena a = { .chunks = l->arena, .failed = false };

	profile_arena_finish(&a);
	*l = (struct profile_listing){ .count = 0 };
}
