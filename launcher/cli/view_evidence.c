/* SPDX-License-Identifier: Apache-2.0 */
/* Runs in airlock-cli as the caller, in the caller's own state directory. */
#include "view_evidence.h"

#include <stdlib.h>

#include "../log/log_write.h"

void
signing_finish(struct signing *s)
{
	index_close(s->ix);
	s->ix = NULL;
	store_finish(&s->store);
}

int
signing_open(struct signing *ret, struct err *err)
{
	auto_signing s = SIGNING_INIT;
	auto_free char *path = NULL;
	uint64_t entries;
	int rc = store_path(getenv("AIRLOCK_STATE"), getenv("XDG_STATE_HOME"), getenv("HOME"),
			    &path, err);

	if (rc == 0) {
		rc = store_open_read(path, &s.store, err);
	}
	if (rc == 0) {
		rc = index_open_write(&s.store, true, &s.ix, err);
	}
	if (rc == 0) {
		rc = index_ingest(s.ix, &s.store, &entries, err);
	}
	if (rc == 0) {
		rc = log_extend(s.ix, &s.store, getenv("CREDENTIALS_DIRECTORY"), &s.size, err);
		ignore_err(log_refuse(&s.store, rc != 0 ? err->text : NULL), "it is said here");
	}
	if (rc == 0) {
		*ret = s;
		s = (struct signing)SIGNING_INIT;
	}
	return rc;
}
