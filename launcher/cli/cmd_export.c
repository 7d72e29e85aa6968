/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock export`: what was captured of a call, as files in a new or empty directory, with a
 * MANIFEST that `sha256sum -c` takes. Runs in airlock-cli as the caller. Names, modes and link
 * targets are the tool's and the workspace's: everything is made by descriptor, below the
 * directory, never through a link.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "commands.h"
#include "view_export.h"
#include "view_record.h"

static const char *
parse(struct command_line *cl, int *ret_status)
{
	const char *name, *argument, *to = NULL;
	int rc;

	while ((rc = command_line_next(cl, &name, &argument)) > 0) {
		to = argument; /* the only option there is */
	}
	if (rc != 0) {
		*ret_status = command_line_status(rc);
		return NULL;
	}
	*ret_status = EXIT_AIRLOCK;
	if (command_line_operands(cl, 1, 1) != 0) {
		return NULL;
	}
	if (to == NULL) {
		fputs("airlock: export: --to DIR is missing\n", stderr);
	}
	return to;
}

static int
export_records(struct export *x, const struct record *rec, struct err *err)
{
	int rc = export_bytes(x, x->root_fd, "record-planned.json", "record-planned.json", 0600,
			      &rec->planned_text, err);

	if (rc == 0 && rec->outcome != NULL) {
		rc = export_bytes(x, x->root_fd, "record-outcome.json", "record-outcome.json", 0600,
				  &rec->outcome_text, err);
	}
	return rc;
}

static int
export_streams(struct export *x, struct reading *r, const struct record *rec, struct err *err)
{
	static const char *const streams[] = { "stdin", "stdout", "stderr" };
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(streams) && rc == 0 && rec->outcome != NULL; i++) {
		const json_t *stream = json_object_get(rec->outcome, streams[i]);
		auto_buf content = BUF_INIT;

		rc = object_stream(r, rec, streams[i], &content, err);
		if (rc == -ENODATA) {
			bool kept = record_number(stream, "kept") > 0;

			export_note(x, kept ? "kept, and lost since" : "not captured", streams[i],
				    record_text(stream, "digest"));
			x->lost += kept ? 1 : 0;
			rc = 0;
			continue;
		}
		if (rc == 0 && content.len < record_number(stream, "bytes")) {
			export_note(x, "only the start was captured", streams[i],
				    record_text(stream, "digest"));
		}
		if (rc == 0) {
			rc = export_bytes(x, x->root_fd, streams[i], streams[i], 0600, &content,
					  err);
		}
	}
	return rc;
}

int
cmd_export(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	auto_reading r = READING_INIT;
	auto_record rec = RECORD_INIT;
	auto_export x = EXPORT_INIT;
	struct err err = ERR_INIT;
	int status = 0, rc;
	const char *to = parse(&cl, &status);

	if (to == NULL) {
		return status;
	}
	rc = reading_open(&r, &err);
	if (rc == 0) {
		rc = record_load(&r, cl.operand[0], &rec, &err);
	}
	if (rc == 0) {
		rc = export_open(&x, to, &err);
	}
	if (rc == 0) {
		rc = export_records(&x, &rec, &err);
	}
	if (rc == 0) {
		rc = export_streams(&x, &r, &rec, &err);
	}
	if (rc == 0) {
		rc = export_trees(&x, &r, &rec, &err);
	}
	if (rc == 0) {
		rc = export_close(&x, &err);
	}
	if (rc != 0) {
		return commands_fail(1, &err);
	}
	fprintf(stderr,
		"airlock: %llu files of call %s are in %s; MANIFEST lists them, and %llu notes\n",
		x.files, rec.id, to, x.notes);
	if (x.lost > 0) {
		fprintf(stderr,
			"airlock: %llu that the record says were kept are not in the store\n",
			x.lost);
		return 1;
	}
	return 0;
}
