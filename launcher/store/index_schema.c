/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of index.db. Whoever changes one raises the version: an index of another version is
 * dropped and made again from the journal. Linked into airlock-log and airlock-cli; pure data.
 */
#include "index_internal.h"

const int index_schema_version = 2;

/* clang-format off */
const char index_schema[] =
	/* How far the journal was taken in; written in the transaction of the rows before it. */
	"CREATE TABLE position("
	" one INTEGER PRIMARY KEY CHECK (one = 1),"
	" file INTEGER NOT NULL,"
	" offset INTEGER NOT NULL) STRICT;"
	"INSERT INTO position VALUES (1, 0, 0);"
	/*
	 * Every well-formed entry in journal order: n is its place in the log to come. The
	 * record is the exact bytes that were written, so a leaf can be made from salt and
	 * record.
	 */
	"CREATE TABLE entry("
	" n INTEGER PRIMARY KEY,"
	" file INTEGER NOT NULL,"
	" offset INTEGER NOT NULL,"
	" type TEXT NOT NULL,"
	" call TEXT NOT NULL,"
	" salt BLOB NOT NULL,"
	" record BLOB NOT NULL) STRICT;"
	/* Once per call each, but for settle entries. */
	"CREATE UNIQUE INDEX entry_part ON entry(call, type,"
	" CASE type WHEN 'settle' THEN n ELSE -1 END);"
	/*
	 * One row per call; n is its planned entry. Members of the outcome are NULL until it is
	 * there; settled, reason and changes_digest are what the settle entries made of them.
	 */
	"CREATE TABLE call("
	" n INTEGER PRIMARY KEY,"
	" id TEXT NOT NULL UNIQUE,"
	" workflow TEXT NOT NULL,"
	" workflow_name TEXT NOT NULL,"
	" seq INTEGER NOT NULL,"
	" key TEXT,"
	" trace TEXT,"
	" profile TEXT NOT NULL,"
	" profile_digest TEXT NOT NULL,"
	" mode TEXT NOT NULL,"
	" tool TEXT NOT NULL,"
	" command TEXT NOT NULL,"
	" argv_digest TEXT NOT NULL,"
	" cwd TEXT NOT NULL,"
	" workspace TEXT NOT NULL,"
	" uid INTEGER NOT NULL,"
	" decision TEXT NOT NULL,"
	" request_digest TEXT NOT NULL,"
	" t0 INTEGER NOT NULL,"
	" verdict TEXT NOT NULL DEFAULT 'unknown',"
	" settled TEXT,"
	" reason TEXT,"
	" exit INTEGER,"
	" signal INTEGER,"
	" t1 INTEGER,"
	" wall_ms INTEGER,"
	" cpu_ms INTEGER,"
	" memory_peak INTEGER,"
	" disk_bytes INTEGER,"
	" created INTEGER,"
	" modified INTEGER,"
	" deleted INTEGER,"
	" held INTEGER,"
	" changes_digest TEXT,"
	" denials INTEGER,"
	" degraded INTEGER,"
	" in_tree TEXT,"
	" stdin TEXT,"
	" stdout TEXT,"
	" stderr TEXT) STRICT;"
	"CREATE INDEX call_workflow ON call(workflow);"
	"CREATE INDEX call_key ON call(key) WHERE key IS NOT NULL;"
	"CREATE TABLE denial("
	" call TEXT NOT NULL,"
	" n INTEGER NOT NULL,"
	" kind TEXT NOT NULL,"
	" what TEXT NOT NULL,"
	" rule TEXT,"
	" hint TEXT,"
	" count INTEGER NOT NULL,"
	" PRIMARY KEY (call, n)) STRICT, WITHOUT ROWID;"
	/* What stands in the record: the first 1000 of a call. */
	"CREATE TABLE change("
	" call TEXT NOT NULL,"
	" n INTEGER NOT NULL,"
	" path TEXT NOT NULL,"
	" kind TEXT NOT NULL,"
	" hold TEXT,"
	" size_before INTEGER,"
	" size_after INTEGER,"
	" before TEXT,"
	" after TEXT,"
	" PRIMARY KEY (call, n)) STRICT, WITHOUT ROWID;"
	"CREATE INDEX change_path ON change(path);"
	"CREATE INDEX change_after ON change(after) WHERE after IS NOT NULL;"
	/* n is the entry's: the greatest of a call says how it is settled now. */
	"CREATE TABLE settle("
	" n INTEGER PRIMARY KEY,"
	" call TEXT NOT NULL,"
	" action TEXT NOT NULL,"
	" settled TEXT NOT NULL,"
	" t INTEGER NOT NULL,"
	" uid INTEGER NOT NULL,"
	" reason TEXT,"
	" changes TEXT) STRICT;"
	"CREATE INDEX settle_call ON settle(call);"
	"CREATE TABLE damaged("
	" file INTEGER NOT NULL,"
	" offset INTEGER NOT NULL,"
	" why TEXT NOT NULL,"
	" payload BLOB NOT NULL,"
	" PRIMARY KEY (file, offset)) STRICT, WITHOUT ROWID;";
/* clang-format on */
