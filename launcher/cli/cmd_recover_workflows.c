/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workflows whose files are lost, damaged or of another boot. Run by airlock-cli as cmd_recover.h
 * says. Texts in the journal are anybody's: what is no definition makes none.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../base/fdio.h"
#include "../store/record.h"
#include "cmd_recover.h"
#include "cmd_workflow.h"
#include "view_record.h"

/* ---- definitions and names ------------------------------------------------------------------ */

static void
read_texts(const json_t *array, char *ret, size_t size, uint32_t max, uint32_t *ret_count)
{
	for (size_t i = 0; i < json_array_size(array) && i < max; i++) {
		const char *text = json_string_value(json_array_get(array, i));

		snprintf(ret + i * size, size, "%s", text != NULL ? text : "");
		*ret_count = (uint32_t)i + 1;
	}
}

static int
read_definition(const struct index_event *event, struct workflow_definition *ret)
{
	static const char *const bounds[BUDGET__COUNT] = { [BUDGET_CALLS] = "budget.calls",
							   [BUDGET_WALL] = "budget.wall_ms",
							   [BUDGET_CPU] = "budget.cpu_ms",
							   [BUDGET_DISK] = "budget.disk_bytes" };
	json_t *record = record_parse(event->record, event->record_len);
	struct workflow_definition *d = ret;
	auto_buf owner = BUF_INIT;

	if (record == NULL || text_unvis(record_text(record, "owner"), &owner) < 0) {
		json_decref(record);
		return -ENOMEM;
	}
	*d = (struct workflow_definition){ .created_ms = event->t_ms };
	snprintf(d->name, sizeof(d->name), "%s", event->name);
	snprintf(d->owner, sizeof(d->owner), "%s", buf_text(&owner));
	snprintf(d->bundle, sizeof(d->bundle), "%s", record_text(record, "bundle"));
	read_texts(json_object_get(record, "steps"), d->steps[0], sizeof(d->steps[0]),
		   WORKFLOW_STEPS_MAX, &d->step_count);
	read_texts(json_object_get(record, "labels"), d->labels[0], sizeof(d->labels[0]),
		   WORKFLOW_LABELS_MAX, &d->label_count);
	for (enum budget_id i = 0; i < BUDGET__COUNT; i++) {
		d->limits[i] = record_number(record, bounds[i]);
	}
	d->deadline_ms = record_number(record, "deadline");
	d->guard = (uint32_t)record_number(record, "guard");
	json_decref(record);
	return text_uuid_parse(event->workflow, d->id);
}

/* Somebody had it forgotten: it stays so. */
static bool
is_forgotten(struct recovery *r, const char *workflow)
{
	struct index_forgotten f;
	struct err none = ERR_INIT;

	return index_collected(r->reading->ix, workflow, 0, &f, &none) == 0 && f.is_all;
}

static bool
is_there(struct recovery *r, const struct workflow_definition *d)
{
	struct workflow_definition found;
	struct err none = ERR_INIT;
	uint8_t holder[16];
	auto_fd dir = workflow_dir(r->store, d->id, false, &none);

	return dir >= 0 && workflow_definition_read(dir, &found, &none) == 0 &&
	       workflow_find(r->store, d->name, holder, &none) == 0;
}

static int
restore_definition(void *arg, const struct index_event *event)
{
	struct recovery *r = arg;
	struct workflow_definition d;
	struct err err = ERR_INIT;
	auto_buf line = BUF_INIT;
	int rc;

	if (strcmp(event->action, "new") != 0 || is_forgotten(r, event->workflow)) {
		return 0;
	}
	rc = read_definition(event, &d);
	if (rc < 0 || is_there(r, &d)) {
		return rc;
	}
	r->found++;
	buf_printf(&line, "workflow %s", event->name);
	if (workflow_restore(r->store, &d, &err) < 0) {
		recovery_fail(r, buf_text(&line), &err);
		return 0;
	}
	buf_puts(&line, ": its definition and its name are made again from the journal");
	recovery_tell(r, buf_text(&line));
	return 0;
}

/* ---- ledgers -------------------------------------------------------------------------------- */

/* One that nobody has to make again: whole and of this boot, or of a workflow without a call. */
static bool
is_ledger_good(int dir)
{
	struct workflow_definition d;
	struct ledger l;
	struct err none = ERR_INIT;
	struct stat st;
	int rc = ledger_read(dir, &l, &none);
	bool is_empty =
		rc == -ENOENT ||
		(rc == -ESTALE && fstatat(dir, LEDGER_FILE, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		 st.st_size == 0);

	if (!is_empty) {
		return rc == 0;
	}
	return (fstatat(dir, "calls", &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_size == 0) &&
	       workflow_definition_read(dir, &d, &none) == -ENOENT;
}

/* Made by name, and whoever made it died before the journal said so. */
static int
note_missing(struct recovery *r, int dir, struct err *err)
{
	struct workflow_definition d;
	struct err none = ERR_INIT;
	auto_buf line = BUF_INIT;
	bool noted = false;
	int rc = workflow_definition_read(dir, &d, &none) == 0
		       ? workflow_note_missing(r->store, r->reading, &d, &noted, err)
		       : 0;

	if (noted && rc == 0) {
		r->found++;
		buf_printf(&line, "workflow %s: the journal has it now", d.name);
		recovery_tell(r, buf_text(&line));
	}
	return rc;
}

static int
recover_one(struct recovery *r, const char *name, struct err *err)
{
	auto_ledger f = LEDGER_FILE_INIT;
	uint8_t id[16];
	auto_fd dir = -1;
	int rc;

	if (text_uuid_parse(name, id) < 0) {
		return 0;
	}
	dir = workflow_dir(r->store, id, false, err);
	rc = dir < 0 ? dir : note_missing(r, dir, err);
	if (rc < 0 || is_ledger_good(dir)) {
		return rc;
	}
	r->found++;
	rc = ledger_open(dir, &f, err);
	if (rc == 0 || rc == -ESTALE) {
		*err = (struct err)ERR_INIT;
		rc = recovery_ledger(r, dir, id, &f, err);
	}
	return rc;
}

static void
recover_ledgers(struct recovery *r)
{
	auto_dir list = NULL;
	const struct dirent *entry;
	size_t before = r->found, failed = r->failed;
	auto_buf line = BUF_INIT;

	if (fdio_list_dir(r->store->dir_fd, "wf", O_NOFOLLOW, &list) < 0) {
		return; /* no call was ever made */
	}
	while ((entry = readdir(list)) != NULL) {
		struct err err = ERR_INIT;
		char what[96];

		if (recover_one(r, entry->d_name, &err) < 0) {
			snprintf(what, sizeof(what), "the ledger of %.40s", entry->d_name);
			recovery_fail(r, what, &err);
		}
	}
	if (r->found - before > r->failed - failed) {
		size_t made = (r->found - before) - (r->failed - failed);

		buf_printf(&line, "%zu ledger%s of workflows made again from the journal", made,
			   made == 1 ? "" : "s");
		recovery_tell(r, buf_text(&line));
	}
}

void
recover_workflows(struct recovery *r)
{
	struct err err = ERR_INIT;
	int rc = reading_refresh(r->reading, &err);

	rc = rc < 0 ? rc
		    : index_events(r->reading->ix, entry_type_word(ENTRY_WORKFLOW),
				   restore_definition, r, &err);
	if (rc < 0) {
		if (err.code == 0) {
			ignore_err(err_sys(&err, rc, "read what is known of workflows"),
				   "it is told below");
		}
		recovery_fail(r, "a workflow", &err);
		return;
	}
	recover_ledgers(r);
}
