/* SPDX-License-Identifier: Apache-2.0 */
/* What SQLite says, as the rest of airlock says it. Runs in airlock-log and airlock-cli. */
#include <errno.h>

#include "../base/cleanup.h"
#include "index_internal.h"

int
index_error(struct index *ix, struct err *err, const char *step)
{
	int code, system = 0;

	switch (sqlite3_errcode(ix->db)) {
	case SQLITE_FULL:
		code = -ENOSPC;
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
	case SQLITE_SCHEMA:
		code = -EBADMSG;
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		code = -EBUSY;
		break;
	case SQLITE_READONLY:
		code = -EROFS;
		break;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		code = -EACCES;
		break;
	case SQLITE_IOERR:
		code = -EIO;
		system = sqlite3_system_errno(ix->db);
		break;
	case SQLITE_NOMEM:
		code = -ENOMEM;
		break;
	default:
		code = -EIO;
	}
	/* "disk I/O error" can be a full disk, or a limit of the caller's */
	if (system == ENOSPC || system == EDQUOT || system == EFBIG) {
		return err_sys(err, -system, "index.db: %s", step);
	}
	return err_set(err, code, "index.db: %s: %s", step, sqlite3_errmsg(ix->db));
}

int
index_exec(struct index *ix, const char *sql, const char *step, struct err *err)
{
	return sqlite3_exec(ix->db, sql, NULL, NULL, NULL) == SQLITE_OK
		     ? 0
		     : index_error(ix, err, step);
}

int
index_prepare(struct index *ix, const char *sql, sqlite3_stmt **ret_stmt, struct err *err)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(ix->db, sql, -1, &st, NULL) != SQLITE_OK) {
		return index_error(ix, err, "prepare a statement");
	}
	*ret_stmt = st;
	return 0;
}
