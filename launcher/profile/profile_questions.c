/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The questions that a profile's author asks of it: from its own keys and from the file beside it.
 * Runs in airlock-cli, as the caller. Trusts nothing in the file: it grants nothing either.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "../base/fdio.h"
#include "../base/limits.h"
#include "profile_internal.h"
#include "vectors.h"

static void
add(struct profile_arena *a, struct profile_questions *q, const struct profile_value *list,
    bool deny)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct profile_place *at = &list->items[i].at;
		const char *path = at->source != NULL ? at->source->path : "";
		const char *slash = strrchr(path, '/');
		char place[NAME_MAX + 16];
		int n = snprintf(place, sizeof(place), "%s:%u", slash != NULL ? slash + 1 : path,
				 at->line);

		q->items[q->count++] = (struct profile_question){
			.text = profile_arena_text(a, list->items[i].text,
						   strlen(list->items[i].text)),
			.at = profile_arena_text(a, place, n > 0 ? strlen(place) : 0),
			.deny = deny,
		};
	}
}

static int
add_all(struct profile_arena *a, struct profile_questions *q, const struct profile_doc *doc)
{
	const struct profile_value *allow = &doc->values[KEY_TESTS_ALLOW];
	const struct profile_value *deny = &doc->values[KEY_TESTS_DENY];
	struct profile_question *grown =
		profile_arena_get(a, q->count + allow->count + deny->count + 1, sizeof(*grown));

	if (grown == NULL) {
		return -ENOMEM;
	}
	if (q->count > 0) {
		memcpy(grown, q->items, q->count * sizeof(*grown));
	}
	q->items = grown;
	add(a, q, allow, false);
	add(a, q, deny, true);
	return a->failed ? -ENOMEM : 0;
}

/* What else a profile may have would be a rule that nobody reads there. */
static void
check_keys(const struct profile_doc *doc, struct profile_report *report)
{
	for (unsigned int i = 0; i < KEY__COUNT; i++) {
		if (doc->values[i].set && i != KEY_VERSION && i != KEY_NAME &&
		    i != KEY_TESTS_ALLOW && i != KEY_TESTS_DENY) {
			profile_report_at(report, &doc->values[i].at,
					  "%s: a file of vectors has version, name and tests alone",
					  profile_key((enum profile_key_id)i)->name);
		}
	}
}

static int
read_beside(struct profile_arena *a, const struct profile_loaded *l, const char *path,
	    struct profile_report *report, struct profile_doc *doc)
{
	auto_buf bytes = BUF_INIT;
	struct profile_source *source = profile_arena_get(a, 1, sizeof(*source));
	const struct profile_value *name = &doc->values[KEY_NAME];
	struct profile_node *root;
	int rc = fdio_slurp_at(AT_FDCWD, path, CAP_PROFILE_FILE + 1u, &bytes);

	if (rc < 0 || source == NULL) {
		return rc < 0 ? rc : -ENOMEM;
	}
	*source = (struct profile_source){
		.path = profile_arena_text(a, path, strlen(path)),
		.data = (const uint8_t *)profile_arena_text(a, buf_text(&bytes), bytes.len),
		.len = bytes.len,
	};
	if (a->failed) {
		return -ENOMEM;
	}
	root = profile_yaml_parse(a, source, report);
	if (root != NULL) {
		profile_read(a, root, false, report, doc);
		check_keys(doc, report);
	}
	if (root != NULL && name->set && strcmp(name->text, l->profile->name) != 0) {
		profile_report_at(report, &name->at, "name: '%s' is not the profile's, '%s'",
				  name->text, l->profile->name);
	}
	return report->count > 0 ? -EINVAL : 0;
}

static int
load(struct profile_arena *a, const struct profile_loaded *l, struct profile_questions *q,
     struct buf *out, struct err *err)
{
	struct profile_report report = { .out = out };
	struct profile_doc *doc = profile_arena_get(a, 1, sizeof(*doc));
	const char *slash = strrchr(l->profile->source, '/');
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%.*s/vectors/%s.yaml",
			 slash != NULL ? (int)(slash - l->profile->source) : 0, l->profile->source,
			 l->profile->name);
	int rc = doc == NULL ? -ENOMEM : add_all(a, q, l->doc);

	if (rc < 0 || n >= (int)sizeof(path)) {
		return err_set(err, rc < 0 ? rc : -ENAMETOOLONG, "the profile's tests");
	}
	rc = read_beside(a, l, path, &report, doc);
	if (rc == -ENOENT || rc == -ENOTDIR) {
		return 0;
	}
	if (rc == -EINVAL && out->len > 0) {
		return err_set(err, rc, "%.*s", (int)strcspn(buf_text(out), "\n"), buf_text(out));
	}
	if (rc < 0) {
		return err_sys(err, rc, "%s", path);
	}
	rc = add_all(a, q, doc);
	return rc < 0 ? err_set(err, rc, "out of memory") : 0;
}

int
profile_questions_load(const struct profile_loaded *l, struct profile_questions *ret,
		       struct buf *report, struct err *err)
{
	auto_arena a = { .chunks = NULL, .failed = false };
	struct profile_questions q = { .items = NULL, .count = 0 };
	int rc = load(&a, l, &q, report, err);

	if (rc < 0) {
		return rc;
	}
	q.arena = take_ptr(a.chunks);
	*ret = q;
	return 0;
}

void
profile_questions_finish(struct profile_questions *q)
{
	struct profile_arena a = { .chunks = q->arena, .failed = false };

	profile_arena_finish(&a);
	*q = (struct profile_questions){ .items = NULL, .count = 0 };
}
