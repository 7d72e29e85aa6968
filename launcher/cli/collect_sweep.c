/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What crashes left, and nobody names: run by airlock-cli as collect.h says. Nothing goes whose
 * user may still be at work: a workflow's is looked at under its locks, a directory of a call under
 * its own, a file beside the journal when it is too old for anybody to be writing it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/fdio.h"
#include "../snapshot/fsat.h"
#include "../snapshot/layer.h"
#include "../store/quota.h"
#include "../workflow/workflow.h"
#include "collect.h"

#define NAMES_MAX 1048576u
#define NEW_PREFIX ".new-"
#define NEW_AGE_MS 3600000u /* a file without a name of its own is written within moments */

static bool
begins(const char *name, const char *with)
{
	return strncmp(name, with, strlen(with)) == 0;
}

/* Counts, tells and removes one thing. */
static void
take(struct collect_swept *s, int dir_fd, const char *where, const char *name)
{
	uint64_t bytes = quota_measure(dir_fd, name);
	int rc = s->dry ? 0 : collect_unlink(dir_fd, name);

	s->count++;
	s->bytes += bytes;
	s->failed = s->failed < 0 ? s->failed : rc;
	if (s->lines != NULL) {
		buf_printf(s->lines, "%s/", where);
		text_safe(s->lines, name, strlen(name), false);
		buf_putc(s->lines, '\n');
	}
}

/* ---- beside the journal --------------------------------------------------------------------- */

/* A UUIDv7 begins with the moment in which it was made. */
static bool
is_old(const char *uuid_text)
{
	uint64_t made_ms = 0, now_ms = clock_realtime_ms();
	uint8_t uuid[16];

	if (text_uuid_parse(uuid_text, uuid) < 0) {
		return false;
	}
	for (size_t i = 0; i < 6; i++) {
		made_ms = made_ms << 8 | uuid[i];
	}
	return made_ms < now_ms && now_ms - made_ms > NEW_AGE_MS;
}

static int
sweep_journal(struct collect_swept *s)
{
	auto_fd dir = fdio_open_dir(s->store->dir_fd, "journal");
	struct fs_names names = FS_NAMES_INIT;
	int rc = dir < 0 ? dir : fsat_list(dir, NAMES_MAX, &names);

	for (size_t i = 0; rc == 0 && i < names.count; i++) {
		if (begins(names.items[i], NEW_PREFIX) &&
		    is_old(names.items[i] + strlen(NEW_PREFIX))) {
			take(s, dir, "journal", names.items[i]);
		}
	}
	fsat_names_finish(&names);
	return rc;
}

/* ---- directories of calls ------------------------------------------------------------------- */

static int
sweep_scratch(struct collect_swept *s)
{
	auto_fd dir = fdio_open_dir(s->store->dir_fd, "scratch");
	struct fs_names names = FS_NAMES_INIT;
	int rc = dir < 0 ? dir : fsat_list(dir, NAMES_MAX, &names);

	for (size_t i = 0; rc == 0 && i < names.count; i++) {
		auto_fd call = fdio_open_dir(dir, names.items[i]);

		if (call >= 0 && store_scratch_take(dir, names.items[i], call)) {
			take(s, dir, "scratch", names.items[i]);
		}
	}
	fsat_names_finish(&names);
	return rc == -ENOENT ? 0 : rc;
}

/* ---- workflows ------------------------------------------------------------------------------ */

static int
sweep_place(struct collect_swept *s, const struct collect *c, enum layer_place place)
{
	auto_fd dir = layer_open_place(c->dir_fd, place, false);
	struct fs_names names = FS_NAMES_INIT;
	int rc = dir < 0 ? dir : fsat_list(dir, NAMES_MAX, &names);
	char where[96];

	snprintf(where, sizeof(where), "wf/%s/%s", c->workflow, layer_place_words[place]);
	for (size_t i = 0; rc == 0 && i < names.count; i++) {
		if (begins(names.items[i], NEW_PREFIX)) {
			take(s, dir, where, names.items[i]);
		}
	}
	fsat_names_finish(&names);
	return rc == -ENOENT ? 0 : rc;
}

/*
 * Of a call that has no entry at all: nothing ran in it, and no other call refers to it. The
 * snapshot may be older than the lock, so a call that is not in it is looked for once more.
 */
static int
has_no_entry(struct collect_swept *s, const char *id, struct err *err)
{
	char found[UUID_TEXT_SIZE];
	int rc = index_find(s->reading->ix, id, found, err);

	if (rc == -ENOENT) {
		rc = reading_refresh(s->reading, err);
		rc = rc < 0 ? rc : index_find(s->reading->ix, id, found, err);
	}
	return rc == -ENOENT ? 1 : rc;
}

static int
sweep_packs(struct collect_swept *s, const struct collect *c, struct err *err)
{
	struct fs_names names = FS_NAMES_INIT;
	int rc = fsat_list(c->dir_fd, NAMES_MAX, &names);
	char where[64];

	snprintf(where, sizeof(where), "wf/%s", c->workflow);
	for (size_t i = 0; rc == 0 && i < names.count; i++) {
		char id[UUID_TEXT_SIZE];
		unsigned int number;
		uint8_t call[16];

		if (!pack_name_parse(names.items[i], call, &number)) {
			continue;
		}
		text_uuid_print(call, id);
		rc = has_no_entry(s, id, err);
		if (rc == 1) {
			rc = 0;
			take(s, c->dir_fd, where, names.items[i]);
		}
	}
	fsat_names_finish(&names);
	return rc;
}

static int
is_new(void *arg, const struct index_event *event)
{
	(void)arg;
	return strcmp(event->action, "new") == 0;
}

/*
 * Made, but for its name: whoever made it died before, and nobody can call it. That nothing of it
 * stands in the journal tells it from one of which the name is lost.
 */
static int
sweep_unnamed(struct collect_swept *s, const struct collect *c, struct err *err)
{
	struct workflow_definition d;
	struct err none = ERR_INIT;
	uint8_t holder[16];
	int rc;

	if (!is_old(c->workflow) || faccessat(c->dir_fd, "calls", F_OK, 0) == 0 ||
	    workflow_definition_read(c->dir_fd, &d, &none) < 0 ||
	    (workflow_find(s->store, d.name, holder, &none) == 0 &&
	     memcmp(holder, c->uuid, sizeof(holder)) == 0)) {
		return 0;
	}
	rc = index_workflow_events(s->reading->ix, c->workflow, is_new, NULL, err);
	if (rc == 0) {
		auto_fd all = fdio_open_dir(s->store->dir_fd, "wf");

		take(s, all, "wf", c->workflow);
	}
	return rc < 0 ? rc : 0;
}

/* packs: not where entries are damaged, since the index cannot tell whose they are. */
static int
sweep_workflow(struct collect_swept *s, const char *name, bool packs, struct err *err)
{
	auto_collect c = COLLECT_INIT;
	struct err none = ERR_INIT;
	int rc = collect_lock(s->store, name, COLLECT_OBJECTS, &c, &none);

	if (rc < 0 || c.dir_fd < 0) {
		return 0; /* in use, or no workflow's: another time */
	}
	for (enum layer_place p = 0; p < LAYER_PLACE__COUNT && rc == 0; p++) {
		rc = sweep_place(s, &c, p);
	}
	rc = rc == 0 && packs ? sweep_packs(s, &c, err) : rc;
	return rc == 0 && packs ? sweep_unnamed(s, &c, err) : rc;
}

static int
sweep_workflows(struct collect_swept *s, struct err *err)
{
	auto_fd dir = fdio_open_dir(s->store->dir_fd, "wf");
	struct fs_names names = FS_NAMES_INIT;
	uint64_t damaged = 0;
	int rc = dir < 0 ? dir : fsat_list(dir, NAMES_MAX, &names);

	rc = rc < 0 ? rc : index_damaged_count(s->reading->ix, &damaged, err);
	for (size_t i = 0; rc == 0 && i < names.count; i++) {
		rc = sweep_workflow(s, names.items[i], damaged == 0, err);
	}
	fsat_names_finish(&names);
	return rc == -ENOENT ? 0 : rc;
}

int
collect_sweep(struct collect_swept *s, struct err *err)
{
	int rc = sweep_journal(s);

	rc = rc < 0 ? rc : sweep_scratch(s);
	rc = rc < 0 ? rc : sweep_workflows(s, err);
	if (rc < 0) {
		return err->code == rc ? rc : err_sys(err, rc, "look for what crashes left");
	}
	return s->failed < 0 ? err_sys(err, s->failed, "remove what crashes left") : 0;
}
