/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing an export directory. airlock-cli only, as the caller; see cmd_export.c. In MANIFEST a
 * file has a line as sha256sum writes it; what could not be written has a comment line, which
 * sha256sum skips.
 */
#ifndef AIRLOCK_CLI_VIEW_EXPORT_H
#define AIRLOCK_CLI_VIEW_EXPORT_H

#include "view_record.h"

struct export
{
	int root_fd;
	struct buf manifest, notes_text;
	unsigned long long files, notes;
	unsigned long long lost; /* notes of what was kept and is not in the store any more */
};

#define EXPORT_INIT                                                         \
	{                                                                   \
		.root_fd = -1, .manifest = BUF_INIT, .notes_text = BUF_INIT \
	}
#define auto_export __attribute__((cleanup(export_finish))) struct export

/* Makes the directory, or takes one that is empty: -ENOTEMPTY. */
int export_open(struct export *x, const char *path, struct err *err) must_check;
/* A new directory in the export's root; its descriptor, or -errno. */
int export_directory(struct export *x, const char *name, struct err *err) must_check;
/* A new file `name` in dir_fd; shown is its raw path from the export's root. */
int export_bytes(struct export *x, int dir_fd, const char *name, const char *shown, mode_t mode,
		 const struct buf *content, struct err *err) must_check;
/* The same at a path from the export's root, whose directories are made as needed. */
int export_at(struct export *x, const char *path, mode_t mode, const struct buf *content,
	      struct err *err) must_check;
/* What is not there: why, the raw path, and its digest or target as text. */
void export_note(struct export *x, const char *why, const char *shown, const char *detail);
/* in/ and out/ as far as there is something. */
int export_trees(struct export *x, struct reading *r, const struct record *rec, struct err *err)
	must_check;
/* Writes MANIFEST. */
int export_close(struct export *x, struct err *err) must_check;
void export_finish(struct export *x);

#endif
