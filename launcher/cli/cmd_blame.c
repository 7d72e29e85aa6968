/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock blame`: which call wrote which part of a file of a workspace. Runs in airlock-cli as the
 * caller, who has to be able to read the file.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd_profile.h"
#include "commands.h"
#include "view_blame.h"
#include "view_diff.h"
#include "view_filter.h"

struct request {
	const char *file;
	bool json, verbose;
};

/* -1 to go on, else the exit status. */
static int
parse(int argc, char **argv, struct request *ret)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	const char *name, *argument;
	int rc;

	while ((rc = command_line_next(&cl, &name, &argument)) > 0) {
		*(strcmp(name, "json") == 0 ? &ret->json : &ret->verbose) = true;
	}
	rc = command_line_end(&cl, rc, 1, 1);
	if (rc >= 0) {
		return rc;
	}
	ret->file = cl.operand[0];
	return -1;
}

/* ---- where the profile says it --------------------------------------------------------------- */

static void
rules_finish(struct blame_rule *rules, size_t count)
{
	for (size_t i = 0; rules != NULL && i < count; i++) {
		buf_finish(&rules[i].place);
	}
	free(rules);
}

/* As it is today; a digest stands for all values, so the same digest has the same mode. */
static void
find_rule(const struct record *rec, const char *shipped, struct blame_rule *ret)
{
	auto_loaded loaded = { .profile = NULL };
	auto_buf report = BUF_INIT, source = BUF_INIT;
	struct profile_request request;
	char hex[HEX_DIGEST_SIZE];
	const struct profile *p;

	if (text_unvis(record_text(rec->planned, "profile.source"), &source) != 0 ||
	    strchr(buf_text(&source), '/') == NULL) {
		return;
	}
	request = profile_request_of(buf_text(&source), shipped);
	if (profile_load(&request, &loaded, &report, NULL) != 0) {
		return;
	}
	p = loaded.profile;
	text_hex(p->digest, SHA256_SIZE, hex);
	if (strcmp(hex, record_text(rec->planned, "profile.digest")) != 0) {
		return;
	}
	buf_puts(&ret->place, p->rules[KEY_MODE].place);
	if (strcmp(profile_mode_words[p->mode], record_text(rec->planned, "mode")) != 0) {
		buf_printf(&ret->place, ", which says %s, narrowed by -m",
			   profile_mode_words[p->mode]);
	}
}

static int
find_rules(const struct blame_history *h, struct blame_rule **ret)
{
	auto_places places = { .shipped = NULL };
	struct blame_rule *rules = calloc(h->call_count + 1, sizeof(*rules));

	if (rules == NULL) {
		return -ENOMEM;
	}
	*ret = rules;
	if (places_find(&places, NULL) != 0) {
		return 0; /* then no place is known */
	}
	for (size_t i = 0; i < h->call_count; i++) {
		const struct record *rec = &h->calls[i].record;
		size_t same = 0;

		while (same < i &&
		       (strcmp(record_text(h->calls[same].record.planned, "profile.digest"),
			       record_text(rec->planned, "profile.digest")) != 0 ||
			strcmp(record_text(h->calls[same].record.planned, "profile.source"),
			       record_text(rec->planned, "profile.source")) != 0 ||
			strcmp(record_text(h->calls[same].record.planned, "mode"),
			       record_text(rec->planned, "mode")) != 0)) {
			same++;
		}
		if (same < i) {
			buf_put(&rules[i].place, rules[same].place.data, rules[same].place.len);
		} else {
			find_rule(rec, places.shipped, &rules[i]);
		}
	}
	return 0;
}

/* ---- the lines ------------------------------------------------------------------------------- */

/* One part: whether two versions are alike is told by type and digest, which are always small. */
static int
identities(const struct blame_history *h, struct buf *ret)
{
	for (size_t i = 0; i < h->count; i++) {
		const struct blame_state *s = &h->steps[i].state;

		if (s->type != '-') {
			buf_putc(&ret[i], s->type);
			buf_put(&ret[i], s->digest, s->has_digest ? SHA256_SIZE : 0);
		}
		if (buf_error(&ret[i]) != 0) {
			return -ENOMEM;
		}
	}
	return 0;
}

static bool
is_known(const struct blame_state *s, bool by_line)
{
	return by_line ? s->has_content : s->has_digest || (s->type != 'f' && s->type != 'l');
}

static void
ids_finish(struct buf *ids, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		buf_finish(&ids[i]);
	}
	free(ids);
}

static int
trace(const struct blame_history *h, struct blame_part **ret_parts, size_t *ret_count,
      struct err *err)
{
	const bool by_line = h->by_line;
	auto_free struct blame_version *versions = calloc(h->count, sizeof(*versions));
	struct buf *ids = calloc(h->count, sizeof(*ids));
	int rc;

	if (versions == NULL || ids == NULL) {
		free(ids);
		return err_sys(err, -ENOMEM, "compare versions");
	}
	rc = by_line ? 0 : identities(h, ids);
	if (rc != 0) {
		rc = err_sys(err, rc, "compare versions");
	}
	for (size_t i = 0; rc == 0 && i < h->count; i++) {
		const struct blame_state *s = &h->steps[i].state;

		versions[i].restores = h->steps[i].restores;
		if (is_known(s, by_line)) {
			/* what is no file has no lines: an empty id */
			versions[i].content = by_line && s->type == 'f' ? &s->content : &ids[i];
		}
	}
	rc = rc != 0 ? rc : blame_trace(versions, h->count, by_line, ret_parts, ret_count, err);
	ids_finish(ids, h->count);
	return rc;
}

static int
print(const struct request *req, const struct blame *b, struct err *err)
{
	auto_page page = PAGE_INIT;
	auto_buf json = BUF_INIT;
	const struct buf *out = req->json ? &json : &page.out;
	int rc;

	page_init(&page, STDOUT_FILENO);
	page.verbose = req->verbose;
	rc = req->json ? blame_json(b, &json) : blame_print(&page, b);
	rc = rc == 0 ? commands_write(out) : rc;
	return rc == 0 ? 0 : err_sys(err, rc, "standard output");
}

static int
blame(const struct request *req, const struct blame_history *h, struct err *err)
{
	const struct blame_state *now = &h->steps[h->count - 1].state;
	struct blame b = { .history = h };
	struct blame_part *parts = NULL;
	struct blame_rule *rules = NULL;
	auto_buf shown = BUF_INIT;
	int rc;

	if (now->type == '-' && h->call_count == 0) {
		diff_put_path(&shown, buf_text(&h->path));
		return err_set(err, -ENOENT,
			       "%s: no such file, and no call that is recorded here changed it",
			       buf_text(&shown));
	}
	rc = trace(h, &parts, &b.part_count, err);
	if (rc == 0 && find_rules(h, &rules) != 0) {
		rc = err_sys(err, -ENOMEM, "read profiles");
	}
	if (rc == 0) {
		b.parts = parts;
		b.rules = rules;
		rc = print(req, &b, err);
	}
	rules_finish(rules, h->call_count);
	free(parts);
	return rc;
}

int
cmd_blame(int argc, char **argv)
{
	struct request req = { .file = NULL };
	auto_reading r = READING_INIT;
	auto_blame_history history = BLAME_HISTORY_INIT;
	auto_buf path = BUF_INIT;
	struct err err = ERR_INIT;
	int rc = parse(argc, argv, &req);

	if (rc >= 0) {
		return rc;
	}
	rc = view_filter_absolute(req.file, &path, &err);
	rc = rc != 0 ? rc : reading_open(&r, &err);
	rc = rc != 0 ? rc : blame_history_load(&r, &path, &history, &err);
	rc = rc != 0 ? rc : blame(&req, &history, &err);
	return rc != 0 ? commands_fail(1, &err) : 0;
}
