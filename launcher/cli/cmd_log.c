/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock log`: calls, one line each, newest last. Runs in airlock-cli as the caller. Commands and
 * names are the callers' and the tools': the index holds commands that are safe to print, the rest
 * is escaped here.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/json.h"
#include "../base/nearest.h"
#include "commands.h"
#include "view_filter.h"
#include "view_list.h"
#include "view_state.h"
#include "view_telemetry.h"
#include "view_when.h"

#define DEFAULT_LAST 20u

struct request {
	struct index_query query;
	struct view_filter filter;
	bool json;
	enum telemetry_format telemetry;
};

static int
take_number(struct request *req, const char *text, struct err *err)
{
	if (strspn(text, "0123456789") != strlen(text) || strlen(text) - 1 >= 9) {
		return err_set(err, -EINVAL, "-n takes a number");
	}
	req->query.last = strtoul(text, NULL, 10);
	return 0;
}

static int
take_profile(struct request *req, const char *text, struct err *err)
{
	(void)err;
	req->query.profile = text;
	return 0;
}

static int
take_workflow(struct request *req, const char *text, struct err *err)
{
	(void)err;
	req->query.workflow = text;
	return 0;
}

static int
take_verdict(struct request *req, const char *text, struct err *err)
{
	static const char *const words[] = {
#define X(id, name, sentence) name,
#include "../supervise/verdicts.def"
#undef X
		"unknown",
	};
	auto_buf list = BUF_INIT, shown = BUF_INIT;
	const char *near = nearest_name(text, words, ARRAY_LEN(words));

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (strcmp(words[i], text) == 0) {
			req->query.verdict = text;
			return 0;
		}
		buf_printf(&list, "%s%s", i > 0 ? ", " : "", words[i]);
	}
	text_safe(&shown, text, strlen(text), false);
	if (near != NULL) {
		return err_set(err, -EINVAL,
			       "--verdict %s: there is no such verdict; did you mean %s?",
			       buf_text(&shown), near);
	}
	return err_set(err, -EINVAL, "--verdict %s: there is no such verdict; there are %s",
		       buf_text(&shown), buf_text(&list));
}

static int
take_moment(const char *option, const char *text, bool is_end, uint64_t *ret_ms, struct err *err)
{
	auto_buf shown = BUF_INIT;

	if (when_read(text, clock_realtime_ms(), is_end, ret_ms) == 0) {
		return 0;
	}
	text_safe(&shown, text, strlen(text), false);
	return err_set(err, -EINVAL, "%s %s: no moment; it takes " WHEN_FORMS, option,
		       buf_text(&shown));
}

static int
take_since(struct request *req, const char *text, struct err *err)
{
	return take_moment("--since", text, false, &req->query.since_ms, err);
}

static int
take_until(struct request *req, const char *text, struct err *err)
{
	return take_moment("--until", text, true, &req->query.until_ms, err);
}

static int
take_touched(struct request *req, const char *text, struct err *err)
{
	return view_filter_touched(&req->filter, text, err);
}

static int
take_digest(struct request *req, const char *text, struct err *err)
{
	return view_filter_digest(&req->filter, text, err);
}

static int
take_principal(struct request *req, const char *text, struct err *err)
{
	(void)err;
	view_filter_principal(&req->filter, text);
	return 0;
}

/* Those with an argument. */
static const struct {
	const char *name;
	int (*take)(struct request *req, const char *text, struct err *err);
} options[] = {
	{ "digest", take_digest },   { "number", take_number },	  { "principal", take_principal },
	{ "profile", take_profile }, { "since", take_since },	  { "touched", take_touched },
	{ "until", take_until },     { "verdict", take_verdict }, { "workflow", take_workflow },
};

/* -1 to go on, else the exit status. */
static int
parse(int argc, char **argv, struct request *ret)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	const char *name, *argument;
	struct err err = ERR_INIT;
	int rc;

	while ((rc = command_line_next(&cl, &name, &argument)) > 0) {
		ret->json = ret->json || strcmp(name, "json") == 0;
		if (strcmp(name, "ocsf") == 0) {
			ret->telemetry = TELEMETRY_OCSF;
		} else if (strcmp(name, "otlp-json") == 0) {
			ret->telemetry = TELEMETRY_OTLP;
		}
		for (size_t i = 0; i < ARRAY_LEN(options); i++) {
			if (strcmp(options[i].name, name) == 0 &&
			    options[i].take(ret, argument, &err) != 0) {
				err_prefix(&err, "log");
				return commands_fail(EXIT_AIRLOCK, &err);
			}
		}
	}
	return command_line_end(&cl, rc, 0, 0);
}

static int
print_json(void *arg, const struct index_call *call)
{
	bool ended = call->t1_ms != 0;
	auto_buf line = BUF_INIT;
	struct json j;

	json_init(&j, &line);
	json_begin_object(&j);
	json_kv_uint(&j, "attempt", call->attempt);
	json_kv_str(&j, "call", call->id);
	json_key(&j, "changes");
	view_list_changes_json(&j, call);
	json_kv_str(&j, "command", call->command);
	json_kv_uint(&j, "degraded", call->degraded);
	json_kv_uint(&j, "denials", call->denials);
	json_kv_known(&j, "duration_ms", ended, view_list_duration(call));
	json_kv_known(&j, "exit", call->exit >= 0, call->exit);
	json_kv_str(&j, "key", text_or_null(call->key));
	json_kv_str(&j, "mode", call->mode);
	json_kv_str(&j, "profile", call->profile);
	json_kv_str(&j, "resolved", text_or_null(call->answer));
	json_kv_str(&j, "retry_of", text_or_null(call->retry_of));
	json_kv_uint(&j, "seq", call->seq);
	json_kv_str(&j, "settled", text_or_null(call->settled));
	json_kv_known(&j, "signal", call->signal != 0, call->signal);
	json_kv_str(&j, "state", view_list_state(arg, call));
	json_kv_str(&j, "step", text_or_null(call->step));
	json_kv_uint(&j, "t0", call->t0_ms);
	json_kv_known(&j, "t1", ended, (int64_t)call->t1_ms);
	json_kv_str(&j, "tool", call->tool);
	json_kv_uint(&j, "uid", call->uid);
	json_kv_str(&j, "verdict", call->verdict);
	json_kv_str(&j, "workflow", call->workflow);
	json_kv_str(&j, "workflow_name", call->workflow_name);
	json_end(&j);
	buf_putc(&line, '\n');
	return json_error(&j) != 0 ? json_error(&j) : commands_write(&line);
}

/* Why a workflow that somebody asks for has no calls. */
static bool
tell_forgotten(struct reading *r, const char *workflow)
{
	auto_buf who = BUF_INIT;
	struct index_forgotten f;
	struct err none = ERR_INIT;
	char id[UUID_TEXT_SIZE];

	if (workflow == NULL || index_workflow(r->ix, workflow, id, &none) != 0 ||
	    index_collected(r->ix, id, 0, &f, &none) != 0 || !f.is_all) {
		return false;
	}
	index_put_remover(&who, &f);
	fprintf(stderr, "airlock: workflow %s was forgotten %s\n", id, buf_text(&who));
	return true;
}

static int
print_table(struct reading *r, const struct request *req, struct err *err)
{
	auto_view_list list = VIEW_LIST_INIT;
	auto_buf page = BUF_INIT;
	struct view v;
	int rc;

	view_init(&v, STDOUT_FILENO);
	list.ix = r->ix;
	list.reading = r;
	rc = index_list(r->ix, &req->query, view_list_add, &list, err);
	if (rc == 0) {
		rc = view_list_prefixes(&list, err);
	}
	if (rc != 0) {
		return rc;
	}
	view_list_print(&list, &v, clock_realtime_ms(), &page);
	fwrite(page.data, 1, page.len, stdout);
	if (list.count == 0 && tell_forgotten(r, req->query.workflow)) {
		return rc;
	}
	if (list.count == 0 && v.terminal) {
		fputs("airlock: no call matches\n", stderr);
	}
	return buf_error(&page);
}

/* Entries that are no entries are evidence of something: say it each time. */
static void
warn_damaged(struct reading *r)
{
	uint64_t damaged = 0;

	if (index_damaged_count(r->ix, &damaged, NULL) == 0 && damaged > 0) {
		fflush(stdout);
		fprintf(stderr,
			"airlock: %llu damaged journal %s in %s (table `damaged` of index.db)\n",
			(unsigned long long)damaged, damaged == 1 ? "entry" : "entries",
			r->store.path);
	}
}

static void
warn_unlisted(const struct request *req)
{
	if (req->filter.unlisted > 0) {
		fflush(stdout);
		fprintf(stderr,
			"airlock: %llu more may match: the list of what they changed is not in the "
			"store\n",
			(unsigned long long)req->filter.unlisted);
	}
}

#define PROFILES_COMPARED 256u

/* A profile that no call ran under may be one, or a slip. */
static void
warn_unknown_profile(struct reading *r, const struct request *req)
{
	auto_buf names = BUF_INIT, shown = BUF_INIT, near = BUF_INIT;
	const char *list[PROFILES_COMPARED], *found;
	size_t count = 0;

	if (req->query.profile == NULL || index_profiles(r->ix, &names, NULL) != 0) {
		return;
	}
	for (size_t at = 0; at < names.len && count < PROFILES_COMPARED;) {
		list[count] = buf_text(&names) + at;
		if (strcmp(list[count], req->query.profile) == 0) {
			return;
		}
		at += strlen(list[count++]) + 1;
	}
	found = nearest_name(req->query.profile, list, count);
	if (found == NULL) {
		return;
	}
	text_safe(&shown, req->query.profile, strlen(req->query.profile), false);
	text_safe(&near, found, strlen(found), false);
	fflush(stdout);
	fprintf(stderr, "airlock: no call ran under a profile %s; did you mean %s?\n",
		buf_text(&shown), buf_text(&near));
}

static void
request_finish(struct request *req)
{
	view_filter_finish(&req->filter);
}

int
cmd_log(int argc, char **argv)
{
	__attribute__((cleanup(request_finish))) struct request req = {
		.query = { .last = DEFAULT_LAST },
		.filter = VIEW_FILTER_INIT,
	};
	auto_reading r = READING_INIT;
	char workflow[UUID_TEXT_SIZE];
	struct err err = ERR_INIT;
	int rc = parse(argc, argv, &req);

	if (rc >= 0) {
		return rc;
	}
	rc = reading_open(&r, &err);
	if (rc == -ENOENT) {
		return commands_fail(0, &err);
	}
	if (rc == 0) {
		req.query.workflow = reading_workflow(&r, req.query.workflow, workflow);
	}
	if (rc == 0 && view_filter_is_set(&req.filter)) {
		req.filter.reading = &r;
		req.query.match = view_filter_match;
		req.query.match_arg = &req.filter;
	}
	if (rc == 0 && req.telemetry != TELEMETRY_NONE) {
		rc = view_telemetry(&r, &req.query, req.telemetry, &err);
	} else if (rc == 0) {
		rc = req.json ? index_list(r.ix, &req.query, print_json, &r, &err)
			      : print_table(&r, &req, &err);
	}
	if (rc != 0) {
		if (err.code == 0) {
			err = req.filter.err;
		}
		if (err.code == 0) {
			ignore_err(err_sys(&err, rc, "list calls"), "it is returned below");
		}
		return commands_fail(1, &err);
	}
	warn_unknown_profile(&r, &req);
	warn_unlisted(&req);
	warn_damaged(&r);
	return 0;
}
