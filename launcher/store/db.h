/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every SQLite database of the state directory is opened with (index.db, log.db). airlock-log
 * and airlock-cli, as the caller.
 */
#ifndef AIRLOCK_STORE_DB_H
#define AIRLOCK_STORE_DB_H

#include <sqlite3.h>

#include "../base/cleanup.h"

#define DB_BUSY_TIMEOUT_MS 5000

#define auto_stmt __attribute__((cleanup(db_finalize))) sqlite3_stmt *

static inline void
db_finalize(sqlite3_stmt **slot)
{
	ignore_err(sqlite3_finalize(*slot), "repeats the error of sqlite3_step");
	*slot = NULL;
}

/* Nothing that somebody put into the file runs: its rows are changed by our SQL alone. */
static inline void
db_harden(sqlite3 *db)
{
	ignore_err(sqlite3_busy_timeout(db, DB_BUSY_TIMEOUT_MS),
		   "cannot fail on an open connection");
	ignore_err(sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL), "as above");
	ignore_err(sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL), "as above");
	ignore_err(sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL), "as above");
	ignore_err(sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL), "as above");
}

#endif
