/* SPDX-License-Identifier: Apache-2.0 */
/* index.db against the journal, row by row. Runs in airlock-cli. */
#include <errno.h>
#include <stdio.h>

#include "verify_internal.h"

static int
on_row(void *arg, const char *table, const char *row, const char *what)
{
	char where[256];

	snprintf(where, sizeof(where), "index.db, table %s, row %.160s", table, row);
	verify_wrong(arg, where, "%s", what);
	return 0;
}

/* log.at is where the front looks whether the journal is older than the log. */
static void
check_position(struct verify *v)
{
	const struct journal_pos at = v->at;
	struct journal_pos end = { 0, 0 };

	if (v->at_rc != 0) {
		verify_wrong(v, COVERED_FILE, "is missing, or no position in the journal");
	} else if (at.file == COVERED_CLOSED) {
		verify_note(v, COVERED_FILE, "the log was closed");
	} else if (index_position(v->fresh, &end, NULL) == 0 && journal_pos_order(at, end) > 0) {
		verify_wrong(v, COVERED_FILE,
			     "is behind the journal's end: entries that were signed are gone");
	}
}

int
verify_index(struct verify *v, struct err *err)
{
	struct err why = ERR_INIT;
	bool is_behind = false;
	int rc = index_compare(v->fresh, v->store, on_row, v, &is_behind, &why);

	check_position(v);
	switch (rc) {
	case 0:
		if (is_behind) {
			verify_note(v, "index.db",
				    "is not up to date or of another version, and was not "
				    "compared: airlock-log --wait makes it so");
		}
		return 0;
	case -ENOENT:
		verify_note(v, "index.db", "is missing; airlock-log makes it from the journal");
		return 0;
	case -EBADMSG:
		verify_wrong(v, "index.db",
			     "%s; airlock-log --rebuild makes it again from the journal", why.text);
		return 0;
	default:
		return err_set(err, rc, "%s", why.text);
	}
}
