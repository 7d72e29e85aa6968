/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A state directory with a journal, its index and its log, for the tests of launcher/log only. The
 * directory is removed, and open descriptors are counted, when the world ends.
 */
#ifndef AIRLOCK_TESTS_LOG_WORLD_H
#define AIRLOCK_TESTS_LOG_WORLD_H

#include <errno.h>

#include "../store/index_fixture.h"

#include "../../../launcher/base/fdio.h"
#include "../../../launcher/base/text.h"
#include "../../../launcher/evidence/tiles.h"
#include "../../../launcher/log/log_key.h"
#include "../../../launcher/log/log_state.h"
#include "../../../launcher/log/log_write.h"

#define ORIGIN "test.example/log"

struct world {
	struct store store;
	struct index *ix;
	unsigned int fds;
};

#define auto_world __attribute__((cleanup(world_finish))) struct world

__attribute__((unused)) static void
world_take_in(struct world *w)
{
	struct err err = ERR_INIT;
	uint64_t entries;

	cr_assert_eq(index_ingest(w->ix, &w->store, &entries, &err), 0, "%s", err.text);
}

__attribute__((unused)) static void
world_open(struct world *w)
{
	struct err err = ERR_INIT;

	w->store = open_store();
	cr_assert_eq(index_open_write(&w->store, false, &w->ix, &err), 0, "%s", err.text);
	world_take_in(w);
}

__attribute__((unused)) static void
world_close(struct world *w)
{
	index_close(w->ix);
	w->ix = NULL;
	store_finish(&w->store);
	w->store = (struct store)STORE_INIT;
}

__attribute__((unused)) static struct world
world_make(void)
{
	struct world w = { .fds = scratch_count_fds() };

	state_make();
	world_open(&w);
	return w;
}

__attribute__((unused)) static void
world_finish(struct world *w)
{
	world_close(w);
	cr_expect_eq(scratch_count_fds(), w->fds);
	state_remove();
}

/* ---- files of the state directory ------------------------------------------------------------ */

__attribute__((unused)) static struct buf
slurp(const struct world *w, const char *path)
{
	struct buf b = BUF_INIT;

	cr_assert_eq(fdio_slurp_at(w->store.dir_fd, path, 1u << 20, &b), 0, "%s", path);
	return b;
}

__attribute__((unused)) static bool
is_there(const struct world *w, const char *path)
{
	return faccessat(w->store.dir_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

__attribute__((unused)) static void
put_file(const struct world *w, const char *path, const void *bytes, size_t len)
{
	cr_assert_eq(fdio_replace_at(w->store.dir_fd, path, bytes, len, 0600), 0, "%s", path);
}

__attribute__((unused)) static void
flip(const struct world *w, const char *path, off_t at)
{
	auto_fd fd = openat(w->store.dir_fd, path, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	cr_assert_geq(fd, 0, "%s", path);
	cr_assert_eq(pread(fd, &byte, 1, at), 1);
	byte ^= 1;
	cr_assert_eq(pwrite(fd, &byte, 1, at), 1);
}

__attribute__((unused)) static void
copy_file(const struct world *w, const char *from, const char *to)
{
	auto_buf bytes = slurp(w, from);

	put_file(w, to, bytes.data, bytes.len);
}

/* What somebody with write access does to a database of the directory. */
__attribute__((unused)) static void
sql_exec(const char *file, const char *sql)
{
	char path[128];
	sqlite3 *db = NULL;

	snprintf(path, sizeof(path), "%s/%s", state_dir, file);
	cr_assert_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s: %s", sql,
		     sqlite3_errmsg(db));
	sqlite3_close(db);
}

/* ---- the log --------------------------------------------------------------------------------- */

/* A key of that name; what stands in state or elsewhere is up to the test. */
__attribute__((unused)) static void
make_signer(const char *name, struct note_signer *ret)
{
	struct err err = ERR_INIT;

	cr_assert_eq(note_signer_generate(name, NOTE_ALGORITHM_ED25519, ret, &err), 0, "%s",
		     err.text);
}

__attribute__((unused)) static void
make_key(const struct world *w)
{
	auto_note_signer signer = { .key.algorithm = 0 };
	struct err err = ERR_INIT;

	cr_assert_eq(log_key_make(&w->store, NULL, ORIGIN, &signer, &err), 0, "%s", err.text);
}

/* Must work; the size that is signed then. */
__attribute__((unused)) static uint64_t
extend(struct world *w)
{
	struct err err = ERR_INIT;
	uint64_t size = 0;

	world_take_in(w);
	cr_assert_eq(log_extend(w->ix, &w->store, NULL, &size, &err), 0, "%s", err.text);
	return size;
}

__attribute__((unused)) static void
read_latest(const struct world *w, struct log_latest *ret)
{
	auto_log_state state = NULL;
	struct err err = ERR_INIT;

	cr_assert_eq(log_state_open(&w->store, false, &state, &err), 0, "%s", err.text);
	cr_assert_eq(log_state_latest(state, ret, &err), 0, "%s", err.text);
}

__attribute__((unused)) static void
read_checkpoint(const struct world *w, struct checkpoint *ret)
{
	auto_buf text = slurp(w, LOG_CHECKPOINT_FILE);
	struct err err = ERR_INIT;
	struct note note;

	cr_assert_eq(note_parse(buf_text(&text), text.len, &note, &err), 0, "%s", err.text);
	cr_assert_eq(checkpoint_parse(note.text, note.text_len, ret, &err), 0, "%s", err.text);
}

/* One call, its planned entry and its outcome; i is part of its id. */
__attribute__((unused)) static void
append_call(struct world *w, unsigned int i)
{
	char id[UUID_TEXT_SIZE];

	snprintf(id, sizeof(id), "0198c2a4-7f3e-7abc-8def-%012x", i);
	append_planned(&w->store, id, "base");
	append_outcome(&w->store, id, "ok");
}

#endif
