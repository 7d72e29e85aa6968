/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock gc`: objects of workflows that nobody used for long, what crashes left, and how much the
 * state directory may hold. Records stay. Runs in airlock-cli as the caller.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/units.h"
#include "../snapshot/fsat.h"
#include "../store/quota.h"
#include "collect.h"
#include "commands.h"
#include "view_format.h"

#define WORKFLOWS_MAX 1048576u

struct request {
	bool dry, by_age, has_quota;
	uint64_t older_than_ms, quota_bytes;
};

struct gc {
	const struct request *req;
	struct reading reading;
	struct store store; /* for writing; not open with --dry-run */
	uint64_t now_ms;
	uint64_t bytes; /* that went, or would */
};

static int
take_quota(struct request *req, const char *text)
{
	req->has_quota = true;
	if (strcmp(text, "none") == 0) {
		req->quota_bytes = 0;
		return 0;
	}
	return units_size(text, &req->quota_bytes) < 0 || req->quota_bytes == 0 ? -EINVAL : 0;
}

/* -1 to go on, else the exit status. */
static int
parse(int argc, char **argv, struct request *ret)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	const char *name, *argument;
	int rc;

	while ((rc = command_line_next(&cl, &name, &argument)) > 0) {
		if (strcmp(name, "dry-run") == 0) {
			ret->dry = true;
		} else if (strcmp(name, "quota") == 0) {
			if (take_quota(ret, argument) < 0) {
				fprintf(stderr,
					"airlock: gc: --quota takes a size, such as 20G, or "
					"none\n");
				return EXIT_AIRLOCK;
			}
		} else if (units_duration(argument, &ret->older_than_ms) < 0) {
			fprintf(stderr, "airlock: gc: --older-than takes an age, such as 90d\n");
			return EXIT_AIRLOCK;
		} else {
			ret->by_age = true;
		}
	}
	return command_line_end(&cl, rc, 0, 0);
}

static bool
is_old(const struct gc *g, uint64_t newest_ms)
{
	return newest_ms < g->now_ms && g->now_ms - newest_ms >= g->req->older_than_ms;
}

static void
print_workflow(const struct collect_calls *calls, const struct collect_entry *e)
{
	auto_buf line = BUF_INIT;

	buf_printf(&line, "workflow %s, last used ", e->workflow);
	view_time(&line, calls->newest_ms, VIEW_TIME_DATE);
	buf_puts(&line, ": ");
	view_count(&line, e->objects, "object", "objects");
	buf_puts(&line, ", ");
	view_size(&line, e->bytes);
	printf("%s\n", buf_text(&line));
}

/* Under the workflow's locks. What is held keeps it; so does what is newer than it seemed. */
static int
collect_locked(struct gc *g, const struct collect *c, const struct collect_entry *entry,
	       struct err *err)
{
	struct collect_calls calls = { .items = NULL };
	struct err none = ERR_INIT;
	int rc = collect_calls_list(&g->reading, c->workflow, &calls, err);

	if (rc == 0 && is_old(g, calls.newest_ms) && collect_check_held(c, &calls, &none) == 0) {
		print_workflow(&calls, entry);
		rc = g->req->dry ? 0 : collect_log(&g->store, entry, err);
		rc = rc < 0 || g->req->dry ? rc : collect_remove(c, err);
		g->bytes += entry->bytes;
	} else if (none.code != 0) {
		printf("kept: %s\n", none.text);
	}
	collect_calls_finish(&calls);
	return rc;
}

/* A first look without locks spares the others; nothing is decided by it. */
static int
collect_workflow(struct gc *g, const char *name, struct err *err)
{
	auto_collect c = COLLECT_INIT;
	struct collect_entry entry = { .action = "gc",
				       .workflow = name,
				       .by_age = true,
				       .older_than_ms = g->req->older_than_ms };
	struct err busy = ERR_INIT;
	uint64_t newest_ms = 0;
	int rc = index_workflow_newest(g->reading.ix, name, &newest_ms, err);

	if (rc < 0 || newest_ms == 0 || !is_old(g, newest_ms)) {
		return rc;
	}
	rc = collect_lock(&g->reading.store, name, COLLECT_OBJECTS, &c, &busy);
	if (rc == -EBUSY) {
		printf("kept: %s\n", busy.text);
		return 0;
	}
	if (rc == 0) {
		collect_measure(&c, &entry.objects, &entry.bytes);
	}
	if (rc < 0 || entry.objects + entry.bytes == 0) {
		return 0; /* not a workflow's, or nothing of it is there */
	}
	rc = reading_refresh(&g->reading, err);
	return rc < 0 ? rc : collect_locked(g, &c, &entry, err);
}

static int
collect_all(struct gc *g, struct err *err)
{
	struct fs_names names = FS_NAMES_INIT;
	auto_fd dir = fsat_open(g->reading.store.dir_fd, "wf", O_RDONLY | O_DIRECTORY);
	int rc = dir < 0 ? dir : fsat_list(dir, WORKFLOWS_MAX, &names);

	if (rc < 0) {
		return rc == -ENOENT ? 0 : err_sys(err, rc, "list %s/wf", g->reading.store.path);
	}
	for (size_t i = 0; rc == 0 && i < names.count; i++) {
		rc = collect_workflow(g, names.items[i], err);
	}
	fsat_names_finish(&names);
	return rc;
}

/* First what there is, so that it is logged before it goes. */
static int
sweep(struct gc *g, struct err *err)
{
	auto_buf lines = BUF_INIT;
	struct collect_swept s = {
		.reading = &g->reading, .store = &g->reading.store, .dry = true, .lines = &lines
	};
	struct collect_entry entry = { .action = "gc", .reason = "left by a crash" };
	int rc = collect_sweep(&s, err);

	if (rc < 0 || s.count == 0) {
		return rc;
	}
	printf("left by crashes:\n%s", buf_text(&lines));
	entry.objects = s.count;
	entry.bytes = s.bytes;
	g->bytes += s.bytes;
	if (g->req->dry) {
		return 0;
	}
	rc = collect_log(&g->store, &entry, err);
	s.dry = false;
	s.lines = NULL;
	return rc < 0 ? rc : collect_sweep(&s, err);
}

static int
set_quota(const struct gc *g, struct err *err)
{
	return g->req->has_quota && !g->req->dry ? quota_set(&g->store, g->req->quota_bytes, err)
						 : 0;
}

static void
print_end(const struct gc *g)
{
	auto_buf line = BUF_INIT;
	struct quota q = { 0 };
	struct err none = ERR_INIT;
	uint64_t used = quota_measure(g->reading.store.dir_fd, ".");

	view_size(&line, g->bytes);
	buf_puts(&line, g->req->dry ? " would go; the state directory holds "
				    : " removed; the state directory holds ");
	view_size(&line, used);
	if (quota_read(&g->reading.store, &q, &none) == 0 && q.limit_bytes > 0) {
		buf_puts(&line, " of ");
		view_size(&line, q.limit_bytes);
	}
	printf("%s\n", buf_text(&line));
}

static int
run(struct gc *g, struct err *err)
{
	int rc = reading_open(&g->reading, err);

	if (rc == 0 && !g->req->dry) {
		rc = store_open_write(g->reading.store.path, &g->store, err);
	}
	rc = rc < 0 || !g->req->by_age ? rc : collect_all(g, err);
	rc = rc < 0 ? rc : sweep(g, err);
	rc = rc < 0 || g->req->dry ? rc : collect_sign(err);
	rc = rc < 0 ? rc : set_quota(g, err);
	rc = rc < 0 || g->req->dry ? rc : quota_update(&g->store, err);
	if (rc == 0) {
		print_end(g);
	}
	return rc;
}

int
cmd_gc(int argc, char **argv)
{
	struct request req = { .dry = false };
	struct gc g = { .req = &req, .reading = READING_INIT, .store = STORE_INIT };
	struct err err = ERR_INIT;
	int rc = parse(argc, argv, &req);

	if (rc >= 0) {
		return rc;
	}
	g.now_ms = clock_realtime_ms();
	rc = run(&g, &err);
	store_finish(&g.store);
	reading_finish(&g.reading);
	return rc < 0 ? commands_fail(1, &err) : 0;
}
