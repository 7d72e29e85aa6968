/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls whose fronts died. Run by airlock-cli as cmd_recover.h says. A sandbox dies with its front
 * (PR_SET_PDEATHSIG, and its pid namespace with it); what a kernel might have left in its group is
 * killed with the group.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/grow.h"
#include "../supervise/cgroup.h"
#include "../workflow/running.h"
#include "cmd_recover.h"
#include "view_replay.h"

struct dead {
	char call[UUID_TEXT_SIZE];
	uint8_t workflow[16];
	bool is_done; /* with its workflow */
};

struct deads {
	struct dead *items; /* owned */
	size_t count, cap;
};

void
recovery_tell(struct recovery *r, const char *text)
{
	auto_buf safe = BUF_INIT;

	if (!r->quiet) {
		text_safe(&safe, text, strlen(text), false);
		fprintf(stderr, "airlock: %s\n", buf_text(&safe));
	}
}

void
recovery_fail(struct recovery *r, const char *what, const struct err *err)
{
	auto_buf safe = BUF_INIT;

	text_safe(&safe, err->text, strlen(err->text), false);
	fprintf(stderr, "airlock: %s is still to be recovered: %s\n", what, buf_text(&safe));
	r->failed++;
}

int
recovery_ledger(struct recovery *r, int workflow_fd, const uint8_t workflow[16],
		struct ledger_file *f, struct err *err)
{
	auto_buf line = BUF_INIT;
	int rc = recover_ledger(r->reading, workflow_fd, workflow, f, err);

	if (rc > 0) {
		buf_printf(&line,
			   "workflow %s is paused: %s; look (airlock workflow show %s) and decide: "
			   "airlock workflow resume|stop %s",
			   f->l.name, f->l.reason, f->l.name, f->l.name);
		recovery_tell(r, buf_text(&line));
	}
	return rc < 0 ? rc : 0;
}

/* ---- what is told --------------------------------------------------------------------------- */

static void
put_end(struct buf *b, const struct record *rec)
{
	const uint64_t attempt = record_number(rec->planned, "attempt");
	const char *key = record_text(rec->planned, "key");

	if (rec->outcome != NULL) {
		buf_printf(b, "it had ended, and its verdict is %s", record_verdict(rec));
		return;
	}
	buf_puts(b, "nobody knows whether it did its work");
	if (key_answer_of(rec) == KEY_UNKNOWN) {
		buf_printf(b,
			   ", and its profile says retry: ask; look (airlock show %.13s) and "
			   "decide: airlock resolve %.13s done|not-done|rerun",
			   rec->id, rec->id);
	} else if (key_answer_of(rec) == KEY_AGAIN && key[0] != '\0') {
		buf_printf(b, "; a retry under its key %s runs, as attempt %llu", key,
			   (unsigned long long)(attempt > 0 ? attempt : 1) + 1);
	} else if (key_answer_of(rec) == KEY_AGAIN) {
		buf_puts(b, "; its profile says retry: safe");
	}
}

/* reading was refreshed since the front died. */
static void
tell(struct recovery *r, const struct dead *d)
{
	auto_record rec = RECORD_INIT;
	struct err err = ERR_INIT;
	auto_buf line = BUF_INIT;
	int rc = record_load(r->reading, d->call, &rec, &err);

	buf_printf(&line, "call %s", d->call);
	if (rc == 0) {
		buf_printf(&line, " of workflow %s was cut short: ",
			   record_text(rec.planned, "workflow_name"));
		put_end(&line, &rec);
	} else if (rc == -ENOENT) {
		buf_puts(&line,
			 " was cut short before anything was recorded of it: it did not run");
	} else {
		buf_printf(&line, " was cut short: %s", err.text);
	}
	recovery_tell(r, buf_text(&line));
}

/* ---- one workflow --------------------------------------------------------------------------- */

/* Under the ledger: whoever looks next finds the ledger made again, or the file still there. */
static int
forget_deads(struct recovery *r, struct deads *all, const uint8_t workflow[16], struct err *err)
{
	for (size_t i = 0; i < all->count; i++) {
		struct dead *d = &all->items[i];
		char path[sizeof(RUNNING_DIR "/") + UUID_TEXT_SIZE];

		if (d->is_done || memcmp(d->workflow, workflow, sizeof(d->workflow)) != 0) {
			continue;
		}
		snprintf(path, sizeof(path), RUNNING_DIR "/%s", d->call);
		if (unlinkat(r->store->dir_fd, path, 0) < 0 && errno != ENOENT) {
			return err_sys(err, -errno, "remove %s/%s", r->store->path, path);
		}
		d->is_done = true;
		tell(r, d);
	}
	return 0;
}

/* A workflow that is gone, or that a damaged file does not name, has no ledger to make. */
static int
recover_workflow(struct recovery *r, struct deads *all, const uint8_t workflow[16], struct err *err)
{
	auto_ledger f = LEDGER_FILE_INIT;
	auto_fd dir = workflow_dir(r->store, workflow, false, err);
	int rc = dir == -ENOENT ? 0 : dir;

	if (dir >= 0) {
		rc = ledger_open(dir, &f, err);
		rc = rc == -ESTALE ? 0 : rc;
		rc = rc < 0 ? rc : recovery_ledger(r, dir, workflow, &f, err);
	}
	if (rc == 0) {
		*err = (struct err)ERR_INIT;
		rc = forget_deads(r, all, workflow, err);
	}
	return rc;
}

/* ---- all of them ---------------------------------------------------------------------------- */

static int
add_dead(void *arg, const struct running_call *c)
{
	struct deads *all = arg;
	struct dead *grown;

	if (c->is_alive) {
		return 0;
	}
	grown = grow_array(all->items, all->count, &all->cap, sizeof(*grown));
	if (grown == NULL) {
		return -ENOMEM;
	}
	all->items = grown;
	grown = &all->items[all->count++];
	*grown = (struct dead){ .is_done = false };
	memcpy(grown->call, c->call_text, sizeof(grown->call));
	memcpy(grown->workflow, c->workflow, sizeof(grown->workflow));
	return 0;
}

/* A damaged file may not say whose the call was; its record does, where there is one. */
static void
find_workflow(struct recovery *r, struct dead *d)
{
	static const uint8_t none[16];
	auto_record rec = RECORD_INIT;
	struct err err = ERR_INIT;

	if (memcmp(d->workflow, none, sizeof(none)) == 0 &&
	    record_load(r->reading, d->call, &rec, &err) == 0) {
		memcpy(d->workflow, rec.workflow, sizeof(d->workflow));
	}
}

static void
kill_groups(void)
{
	struct cgroup_site site;
	struct err err = ERR_INIT;

	if (cgroup_discover(&site, &err) == 0) {
		cgroup_sweep(&site);
		cgroup_site_finish(&site);
	}
}

void
recover_calls(struct recovery *r)
{
	struct deads all = { .items = NULL };
	struct err err = ERR_INIT;
	int rc = running_each(r->store, add_dead, &all, &err);

	if (rc < 0) {
		recovery_fail(r, "what runs", &err);
	}
	if (all.count > 0) {
		kill_groups();
	}
	r->found += all.count;
	for (size_t i = 0; i < all.count; i++) {
		find_workflow(r, &all.items[i]);
	}
	for (size_t i = 0; i < all.count; i++) {
		struct dead *d = &all.items[i];
		char what[64];

		err = (struct err)ERR_INIT;
		if (!d->is_done && recover_workflow(r, &all, d->workflow, &err) < 0) {
			snprintf(what, sizeof(what), "call %s", d->call);
			recovery_fail(r, what, &err);
		}
	}
	free(all.items);
}
