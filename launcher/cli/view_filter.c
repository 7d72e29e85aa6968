/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-cli as the caller. What is asked for is the caller's own; what the records say is
 * anybody's and is only compared.
 */
#include "view_filter.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/units.h"
#include "../snapshot/snapshot.h"
#include "../store/record.h"
#include "view_record.h"

#define HEX "0123456789abcdef"

void
view_filter_finish(struct view_filter *f)
{
	buf_finish(&f->touched);
}

bool
view_filter_is_set(const struct view_filter *f)
{
	return f->has_touched || f->digest[0] != '\0' || f->principal != NULL;
}

/* ---- what is asked for -------------------------------------------------------------------- */

/* The rest of a path below a directory that exists: no "..", no needless slash or dot. */
static int
append_rest(struct buf *path, const char *p)
{
	while (*p != '\0') {
		size_t len = strcspn(p, "/");

		if (len == 2 && memcmp(p, "..", 2) == 0) {
			return -ENOENT;
		}
		if (len > 0 && !(len == 1 && *p == '.')) {
			buf_puts(path,
				 path->len > 0 && path->data[path->len - 1] == '/' ? "" : "/");
			buf_put(path, p, len);
		}
		p += len + (p[len] == '/' ? 1 : 0);
	}
	return 0;
}

/* Cuts the last component off; false when there is none left. */
static bool
cut_last(char *path, size_t *len)
{
	while (*len > 1 && path[*len - 1] == '/') {
		(*len)--;
	}
	while (*len > 0 && path[*len - 1] != '/') {
		(*len)--;
	}
	path[*len] = '\0';
	return *len > 0;
}

int
view_filter_absolute(const char *given, struct buf *ret_path, struct err *err)
{
	auto_buf whole = BUF_INIT, shown = BUF_INIT;
	auto_free char *head = NULL;
	char here[PATH_MAX];
	size_t len;

	text_safe(&shown, given, strlen(given), false);
	if (given[0] == '\0') {
		return err_set(err, -EINVAL, "an empty path names nothing");
	}
	if (given[0] != '/') {
		if (getcwd(here, sizeof(here)) == NULL) {
			return err_sys(err, -errno, "the current directory");
		}
		buf_printf(&whole, "%s/", here);
	}
	buf_puts(&whole, given);
	head = buf_error(&whole) == 0 ? strdup(buf_text(&whole)) : NULL;
	if (head == NULL) {
		return err_sys(err, -ENOMEM, "read a path");
	}
	len = strlen(head);
	while (cut_last(head, &len)) {
		auto_free char *real = realpath(head, NULL);

		if (real == NULL) {
			continue;
		}
		buf_puts(ret_path, real);
		if (append_rest(ret_path, buf_text(&whole) + len) != 0) {
			return err_set(err, -ENOENT,
				       "%s: \"..\" stands behind a directory that does not exist",
				       buf_text(&shown));
		}
		return buf_error(ret_path) == 0 ? 0 : err_sys(err, -ENOMEM, "read a path");
	}
	return err_sys(err, -ENOENT, "%s", buf_text(&shown));
}

int
view_filter_touched(struct view_filter *f, const char *path, struct err *err)
{
	auto_buf raw = BUF_INIT;
	int rc = view_filter_absolute(path, &raw, err);

	if (rc == 0) {
		buf_reset(&f->touched);
		text_vis(&f->touched, raw.data, raw.len);
		f->has_touched = true;
		rc = buf_error(&f->touched);
	}
	return rc;
}

int
view_filter_digest(struct view_filter *f, const char *text, struct err *err)
{
	size_t len = strlen(text);
	auto_buf shown = BUF_INIT;

	text_safe(&shown, text, len, false);
	if (len < FILTER_DIGITS_MIN || len >= sizeof(f->digest) ||
	    strspn(text, HEX "ABCDEF") != len) {
		return err_set(err, -EINVAL,
			       "%s is no digest: give a SHA-256 in hex, or its first %u digits or "
			       "more",
			       buf_text(&shown), FILTER_DIGITS_MIN);
	}
	for (size_t i = 0; i <= len; i++) {
		f->digest[i] =
			(char)(text[i] >= 'A' && text[i] <= 'F' ? text[i] - 'A' + 'a' : text[i]);
	}
	return 0;
}

void
view_filter_principal(struct view_filter *f, const char *name)
{
	const struct passwd *user = getpwnam(name);
	uint64_t uid;

	f->principal = name;
	f->has_uid = true;
	if (user != NULL) {
		f->uid = user->pw_uid;
	} else if (units_count(name, &uid) == 0 && uid < (uid_t)-1) {
		f->uid = (uid_t)uid;
	} else {
		f->has_uid = false;
	}
}

/* ---- paths -------------------------------------------------------------------------------- */

/* Where in path the part below dir begins, at its end when they are one; -1: it lies elsewhere. */
static ssize_t
behind(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	if (strcmp(dir, "/") == 0) {
		return 1;
	}
	if (strncmp(path, dir, len) != 0 || (path[len] != '/' && path[len] != '\0')) {
		return -1;
	}
	return (ssize_t)(path[len] == '/' ? len + 1 : len);
}

int
view_filter_below(const char *path, const char *workspace, const char **ret_below)
{
	ssize_t below = behind(path, workspace);

	if (below < 0 && behind(workspace, path) < 0) {
		return 0;
	}
	*ret_below = below >= 0 ? path + below : "";
	return 1;
}

/* The whole list of the call: 1 when a change of it is at the path or below it. */
static int
is_in_list(struct view_filter *f, const char *id, const char *below)
{
	auto_record rec = RECORD_INIT;
	auto_buf raw = BUF_INIT;
	struct change_list list;
	int rc = record_load(f->reading, id, &rec, &f->err), found = 0;

	if (rc == 0 && text_unvis(below, &raw) != 0) {
		return 0;
	}
	rc = rc != 0 ? rc : object_changes(f->reading, &rec, &list, &f->err);
	if (rc == -ENODATA) {
		f->err = (struct err)ERR_INIT;
		f->unlisted++;
		return 0;
	}
	if (rc != 0) {
		return rc;
	}
	for (size_t i = 0; i < list.set.count && found == 0; i++) {
		found = raw.len == 0 || behind(list.set.items[i].path, buf_text(&raw)) >= 0;
	}
	changes_finish(&list.set);
	return found;
}

static int
match_touched(struct view_filter *f, const struct index_call *call)
{
	uint64_t all = call->created + call->modified + call->deleted, listed = 0, there = 0;
	const char *below;
	int rc;

	if ((all == 0 && call->changes_digest[0] == '\0') ||
	    view_filter_below(buf_text(&f->touched), call->workspace, &below) == 0) {
		return 0;
	}
	rc = index_changed(f->reading->ix, call->id, below, &listed, &there, &f->err);
	if (rc != 0 || there > 0) {
		return rc != 0 ? rc : 1;
	}
	/* the record's list is cut; of a call without outcome recovery left the list alone */
	return listed < all || all == 0 ? is_in_list(f, call->id, below) : 0;
}

/* ---- digests ------------------------------------------------------------------------------ */

/* Whether a word of 64 hex digits in the text begins so. */
static bool
has_digest(const struct buf *text, const char *prefix)
{
	const size_t len = strlen(prefix), whole = 64;
	const char *p = buf_text(text), *end = p + text->len;

	while ((p = memmem(p, (size_t)(end - p), prefix, len)) != NULL) {
		bool begins = p == buf_text(text) || strchr(HEX, p[-1]) == NULL;

		if (begins && (size_t)(end - p) >= whole && strspn(p, HEX) == whole) {
			return true;
		}
		p += len;
	}
	return false;
}

static bool
is_digest_of(const struct buf *record, const char *prefix)
{
	uint8_t digest[SHA256_SIZE];
	char hex[HEX_DIGEST_SIZE];

	sha256_of(record->data, record->len, digest);
	text_hex(digest, sizeof(digest), hex);
	return record->len > 0 && strncmp(hex, prefix, strlen(prefix)) == 0;
}

struct settles_asked {
	const char *prefix;
	bool found;
};

static int
look_at_settle(void *arg, const struct index_settle *settle)
{
	struct settles_asked *asked = arg;
	auto_buf text = BUF_INIT;

	buf_put(&text, settle->record, settle->record_len);
	asked->found = asked->found || has_digest(&text, asked->prefix) ||
		       is_digest_of(&text, asked->prefix);
	return buf_error(&text);
}

/* The list as it is stored: its digests stand in the record only as far as it is listed there. */
static int
is_digest_in_list(struct view_filter *f, const struct index_call *call)
{
	auto_record rec = RECORD_INIT;
	auto_buf text = BUF_INIT;
	uint8_t digest[SHA256_SIZE];
	int rc = record_load(f->reading, call->id, &rec, &f->err);

	if (rc == 0 &&
	    text_unhex(record_text(rec.outcome, "changes.object"), digest, sizeof(digest)) != 0) {
		return 0;
	}
	rc = rc != 0 ? rc : object_content(f->reading, &rec, digest, &text, &f->err);
	if (rc == -ENODATA) {
		f->unlisted++;
		return 0;
	}
	return rc != 0 ? rc : has_digest(&text, f->digest);
}

static int
match_digest(struct view_filter *f, const struct index_call *call)
{
	struct settles_asked asked = { .prefix = f->digest };
	uint64_t all = call->created + call->modified + call->deleted, listed = 0, there = 0;
	auto_buf planned = BUF_INIT, outcome = BUF_INIT;
	bool is_leaf = false;
	int rc = index_records(f->reading->ix, call->id, &planned, &outcome, &f->err);

	if (rc == 0 && (has_digest(&planned, f->digest) || has_digest(&outcome, f->digest) ||
			is_digest_of(&planned, f->digest) || is_digest_of(&outcome, f->digest))) {
		return 1;
	}
	rc = rc != 0 ? rc
		     : index_settles(f->reading->ix, call->id, look_at_settle, &asked, &f->err);
	if (rc != 0 || asked.found) {
		return rc != 0 ? rc : 1;
	}
	rc = index_has_entry(f->reading->ix, call->id, f->digest, &is_leaf, &f->err);
	if (rc != 0 || is_leaf) {
		return rc != 0 ? rc : 1;
	}
	rc = index_changed(f->reading->ix, call->id, "", &listed, &there, &f->err);
	return rc == 0 && listed < all ? is_digest_in_list(f, call) : rc;
}

/* ---- whom it was for ---------------------------------------------------------------------- */

/* Most records have no such word, and need not be read. */
static int
match_principal(struct view_filter *f, const struct index_call *call)
{
	static const char word[] = "\"principal\"";
	auto_buf planned = BUF_INIT, outcome = BUF_INIT;
	json_t *record;
	int rc, is_named;

	if (f->has_uid && call->uid == f->uid) {
		return 1;
	}
	rc = index_records(f->reading->ix, call->id, &planned, &outcome, &f->err);
	if (rc != 0 || memmem(buf_text(&planned), planned.len, word, strlen(word)) == NULL) {
		return rc;
	}
	record = record_parse(planned.data, planned.len);
	is_named = strcmp(record_principal(record), f->principal) == 0;
	json_decref(record);
	return is_named;
}

int
view_filter_match(void *arg, const struct index_call *call)
{
	struct view_filter *f = arg;
	int is_taken = 1;

	if (f->has_touched) {
		is_taken = match_touched(f, call);
	}
	if (is_taken > 0 && f->principal != NULL) {
		is_taken = match_principal(f, call);
	}
	if (is_taken > 0 && f->digest[0] != '\0') {
		is_taken = match_digest(f, call);
	}
	return is_taken;
}
