/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What evidence costs: an entry that is durable, the intake of many entries into index and log, a
 * large output, and how long after its answer a call is signed. Each beside something that does not
 * less than it must. Run by a developer.
 *
 *         store DIR AIRLOCK ROUNDS ENTRIES MIB
 *
 * DIR: empty, on the file system to measure. Ratios are taken within a round, so that a slow moment
 * of the machine counts for both.
 */
#include <fcntl.h>
#include <spawn.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include "../../launcher/base/crc32.h"
#include "../../launcher/base/fdio.h"
#include "../../launcher/evidence/note.h"
#include "../../launcher/log/log_write.h"
#include "../../launcher/store/index.h"
#include "../faults/faults.h"
#include "bench.h"

#define ROUNDS_MAX 10000u
#define HEAVY_ROUNDS 3u /* of what takes seconds */
#define BATCH 512u	/* entries in a transaction, as airlock-log has it */
#define SALT "00112233445566778899aabbccddeeff"
#define WORKFLOW "0198c2a4-0000-7000-8000-000000000001"
#define SIGNED_LIMIT_MS 10000.0

extern char **environ;

static void
run(char *const *argv)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;
	int status;

	check(posix_spawn_file_actions_init(&actions) == 0, "spawn");
	check(posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0) == 0,
	      "spawn");
	check(posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ) == 0, argv[0]);
	check(waitpid(pid, &status, 0) == pid && status == 0, argv[0]);
	posix_spawn_file_actions_destroy(&actions);
}

/* ---- entries --------------------------------------------------------------------------------- */

static void
put_planned(struct buf *b, const char *call)
{
	buf_printf(b,
		   "{\"call\":\"%s\",\"record\":{\"actor\":{\"gid\":1000,\"groups\":[4,"
		   "24],\"uid\":1000},"
		   "\"argv\":[\"make\",\"-j2\",\"test\"],\"argv_digest\":\"aa\",\"call\":\"%s\","
		   "\"context\":null,\"cwd\":\"/home/user/project\","
		   "\"env_names\":[\"HOME\",\"LANG\",\"PATH\",\"TERM\"],\"key\":null,"
		   "\"limits\":{\"cpu\":200,"
		   "\"cpu_time\":600000,\"disk\":1073741824,\"files\":100000,\"memory\":2147483648,"
		   "\"open_files\":1024,\"output\":16777216,\"pids\":512,\"wall\":600000},"
		   "\"mode\":\"apply\",",
		   call, call);
	buf_printf(b, "\"node\":{\"airlock\":\"0.1.0\",\"boot_id\":\"b\",\"kernel\":\"6.1\"},"
		      "\"plan_digest\":\"bb\",\"policy\":{\"decision\":\"allow\","
		      "\"digest\":\"cc\",\"rules\":[]},"
		      "\"profile\":{\"digest\":\"dd\",\"name\":\"build\",\"source\":\"/p.yaml\"},"
		      "\"request_digest\":\"ee\",\"seq\":1,\"t0\":1750000000000,"
		      "\"tool\":\"/usr/bin/make\","
		      "\"trace\":null,\"v\":1,\"workflow\":\"" WORKFLOW
		      "\",\"workflow_name\":\"local\","
		      "\"workspace\":{\"btime_ns\":1,\"dev\":2,\"ino\":3,"
		      "\"path\":\"/home/user/project\"}},"
		      "\"salt\":\"" SALT "\",\"type\":\"call.planned\"}");
}

static void
put_outcome(struct buf *b, const char *call)
{
	buf_printf(b,
		   "{\"call\":\"%s\",\"record\":{\"attestation\":{},\"call\":\"%s\","
		   "\"cgroup_events\":{\"oom_kills\":0,\"pids_max\":0},"
		   "\"changes\":{\"bytes\":5,\"created\":1,"
		   "\"deleted\":0,\"digest\":null,\"held\":0,\"items\":["
		   "{\"after\":\"ab\",\"before\":null,\"hold\":null,\"kind\":\"create\","
		   "\"mode_after\":33188,"
		   "\"mode_before\":0,\"path\":\"src/main.o\",\"size_after\":5,\"size_before\":0}],"
		   "\"links_broken\":0,\"modified\":0,\"object\":null,"
		   "\"truncated\":false},\"degraded\":[],",
		   call, call);
	buf_printf(
		b,
		"\"denials\":[{\"count\":2,\"hint\":\"h\",\"kind\":\"syscall\","
		"\"rule\":\"@default\","
		"\"what\":\"ptrace\"}],\"exit\":0,\"in_tree\":null,"
		"\"labels_after\":[],\"mode\":\"apply\","
		"\"reason\":null,\"settled\":\"committed\",\"signal\":null,"
		"\"stderr\":{\"bytes\":0,\"digest\":null,\"inline\":\"\",\"kept\":0},"
		"\"stdin\":{\"bytes\":0,\"digest\":null,\"inline\":\"\",\"kept\":0},"
		"\"stdout\":{\"bytes\":3,\"digest\":\"ff\",\"inline\":\"aGkK\",\"kept\":3},"
		"\"t1\":1750000001200,\"usage\":{\"cpu_ms\":1,\"disk_bytes\":2,\"memory_peak\":3,"
		"\"pids_peak\":4,\"wall_ms\":1200},\"v\":1,\"verdict\":\"ok\",\"warnings\":[]},"
		"\"salt\":\"" SALT "\",\"type\":\"call.outcome\"}");
}

/* Entry n of many calls: planned and outcome in turn. */
static void
put_entry(struct buf *b, unsigned int n)
{
	char call[UUID_TEXT_SIZE];

	snprintf(call, sizeof(call), "0198c2a4-7f3e-7abc-8def-%012x", n / 2);
	if (n % 2 == 0) {
		put_planned(b, call);
	} else {
		put_outcome(b, call);
	}
}

/* ---- one entry that is durable --------------------------------------------------------------- */

static double append_ms[ROUNDS_MAX], write_ms[ROUNDS_MAX], ratios[ROUNDS_MAX];

static void
bench_append(const char *dir, unsigned int rounds)
{
	auto_store s = STORE_INIT;
	auto_buf entry = BUF_INIT;
	auto_fd bare = open("bare", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct journal_pos pos;
	struct err err = ERR_INIT;
	char path[4096];

	put_outcome(&entry, "0198c2a4-7f3e-7abc-8def-000000000000");
	check(bare >= 0 && posix_fallocate(bare, 0, (off_t)(entry.len * rounds)) == 0, "bare");
	check(fsync(bare) == 0, "bare");
	snprintf(path, sizeof(path), "%s/append", dir);
	check(store_open_write(path, &s, &err) == 0, err.text);
	for (unsigned int i = 0; i < rounds; i++) {
		for (unsigned int turn = 0; turn < 2; turn++) {
			double before = bench_now_ms();

			if (turn == i % 2) {
				check(journal_append(&s, entry.data, entry.len, &pos, &err) == 0,
				      err.text);
				append_ms[i] = bench_now_ms() - before;
			} else {
				check(fdio_pwrite(bare, entry.data, entry.len,
						  (off_t)(entry.len * i)) == 0 &&
					      fdatasync(bare) == 0,
				      "bare");
				write_ms[i] = bench_now_ms() - before;
			}
		}
		ratios[i] = append_ms[i] / write_ms[i];
	}
	printf("entry of %zu bytes, durable: %.3f ms (at most 1); write and fdatasync alone: "
	       "%.3f ms; ratio %.2f\n",
	       entry.len, bench_median(append_ms, rounds), bench_median(write_ms, rounds),
	       bench_median(ratios, rounds));
}

/* ---- intake ---------------------------------------------------------------------------------- */

/* The journal of a store, at once; its bytes are what journal_append writes. */
static void
make_journal(const char *state, unsigned int entries)
{
	auto_store s = STORE_INIT;
	auto_buf bytes = BUF_INIT;
	struct err err = ERR_INIT;

	check(store_open_write(state, &s, &err) == 0, err.text);
	for (unsigned int n = 0; n < entries; n++) {
		auto_buf entry = BUF_INIT;

		put_entry(&entry, n);
		buf_u32(&bytes, (uint32_t)entry.len);
		buf_u32(&bytes, crc32_update(0, entry.data, entry.len));
		buf_put(&bytes, entry.data, entry.len);
	}
	check(buf_error(&bytes) == 0, "memory");
	check(fdio_pwrite(s.journal_fd, bytes.data, bytes.len, 0) == 0 && fsync(s.journal_fd) == 0,
	      "journal");
}

static void
exec_sql(sqlite3 *db, const char *sql)
{
	check(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, sqlite3_errmsg(db));
}

/* The same payloads as rows of one table, in transactions of the same size. */
static double
insert_alone(unsigned int entries)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *st = NULL;
	double before = bench_now_ms();

	check(sqlite3_open("alone.db", &db) == SQLITE_OK, "alone.db");
	exec_sql(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
		     " CREATE TABLE t(n INTEGER PRIMARY KEY, payload BLOB) STRICT");
	check(sqlite3_prepare_v2(db, "INSERT INTO t VALUES (?1, ?2)", -1, &st, NULL) == SQLITE_OK,
	      "prepare");
	for (unsigned int n = 0; n < entries; n++) {
		auto_buf entry = BUF_INIT;

		if (n % BATCH == 0) {
			exec_sql(db, n > 0 ? "COMMIT; BEGIN" : "BEGIN");
		}
		put_entry(&entry, n);
		sqlite3_bind_int(st, 1, (int)n);
		sqlite3_bind_blob(st, 2, entry.data, (int)entry.len, SQLITE_STATIC);
		check(sqlite3_step(st) == SQLITE_DONE && sqlite3_reset(st) == SQLITE_OK, "insert");
	}
	exec_sql(db, "COMMIT");
	sqlite3_finalize(st);
	sqlite3_close(db);
	unlink("alone.db");
	return bench_now_ms() - before;
}

static void
take_in(const char *state, unsigned int entries, double *ret_index_ms, double *ret_log_ms)
{
	auto_store s = STORE_INIT;
	auto_index ix = NULL;
	struct err err = ERR_INIT;
	uint64_t taken = 0, size = 0;
	double before = bench_now_ms(), middle;

	check(store_open_read(state, &s, &err) == 0, err.text);
	check(index_open_write(&s, true, &ix, &err) == 0, err.text);
	check(index_ingest(ix, &s, &taken, &err) == 0, err.text);
	check(taken == entries, "the number of entries");
	middle = bench_now_ms();
	check(log_extend(ix, &s, NULL, &size, &err) == 0, err.text);
	check(size == (uint64_t)entries + 1, "the size of the log");
	*ret_index_ms = middle - before;
	*ret_log_ms = bench_now_ms() - middle;
}

static void
bench_intake(const char *dir, unsigned int entries)
{
	double index_ms[HEAVY_ROUNDS], log_ms[HEAVY_ROUNDS], alone_ms[HEAVY_ROUNDS],
		each[HEAVY_ROUNDS], ratio[HEAVY_ROUNDS];
	char state[4096];

	for (unsigned int i = 0; i < HEAVY_ROUNDS; i++) {
		snprintf(state, sizeof(state), "%s/intake%u", dir, i);
		make_journal(state, entries);
		alone_ms[i] = insert_alone(entries);
		take_in(state, entries, &index_ms[i], &log_ms[i]);
		each[i] = entries * 1e3 / (index_ms[i] + log_ms[i]);
		ratio[i] = (index_ms[i] + log_ms[i]) / alone_ms[i];
		remove_all(state);
	}
	printf("intake of %u entries: %.0f records/s (at least 10000): index %.0f ms, log %.0f ms; "
	       "the same bytes into one table of SQLite: %.0f ms; ratio %.2f\n",
	       entries, bench_median(each, HEAVY_ROUNDS), bench_median(index_ms, HEAVY_ROUNDS),
	       bench_median(log_ms, HEAVY_ROUNDS), bench_median(alone_ms, HEAVY_ROUNDS),
	       bench_median(ratio, HEAVY_ROUNDS));
}

/* ---- a large output -------------------------------------------------------------------------- */

static void
make_output(unsigned int mib)
{
	static uint64_t block[(1u << 20) / 8];
	auto_fd fd = open("output", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	uint64_t x = 88172645463325252u;

	check(fd >= 0, "output");
	for (unsigned int i = 0; i < mib; i++) {
		for (size_t k = 0; k < sizeof(block) / sizeof(block[0]); k++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			block[k] = x;
		}
		check(fdio_write(fd, block, sizeof(block)) == 0, "output");
	}
	check(fsync(fd) == 0, "output");
}

static double
digest_output(void)
{
	char *argv[] = { "openssl", "dgst", "-sha256", "output", NULL };
	double before = bench_now_ms();

	run(argv);
	return bench_now_ms() - before;
}

static double
copy_output(void)
{
	char *argv[] = { "dd",		"if=output", "of=copy", "bs=4M", "conv=fdatasync",
			 "status=none", NULL };
	double before = bench_now_ms(), took;

	run(argv);
	took = bench_now_ms() - before;
	check(unlink("copy") == 0, "copy");
	return took;
}

static void
store_output(const char *state, unsigned int mib, double *ret_put_ms, double *ret_sync_ms)
{
	static const uint8_t call[16] = { 1 }, workflow[16] = { 2 };
	auto_store s = STORE_INIT;
	struct pack p = PACK_INIT;
	auto_fd fd = open("output", O_RDONLY | O_CLOEXEC);
	uint8_t digest[SHA256_SIZE];
	struct err err = ERR_INIT;
	double before, middle;

	check(store_open_write(state, &s, &err) == 0, err.text);
	check(fd >= 0 && pack_init(&p, &s, workflow, call, &err) == 0, err.text);
	before = bench_now_ms();
	check(pack_put_file(&p, fd, (uint64_t)mib << 20, NULL, digest, &err) == 0, err.text);
	middle = bench_now_ms();
	check(pack_sync(&p, &err) == 0, err.text);
	*ret_put_ms = middle - before;
	*ret_sync_ms = bench_now_ms() - middle;
	pack_finish(&p);
}

static void
bench_output(const char *dir, unsigned int mib)
{
	double digest_ms[HEAVY_ROUNDS], copy_ms[HEAVY_ROUNDS], put_ms[HEAVY_ROUNDS],
		sync_ms[HEAVY_ROUNDS], of_digest[HEAVY_ROUNDS], of_copy[HEAVY_ROUNDS];
	char state[4096];

	make_output(mib);
	digest_output(); /* warm */
	for (unsigned int i = 0; i < HEAVY_ROUNDS; i++) {
		snprintf(state, sizeof(state), "%s/output%u", dir, i);
		digest_ms[i] = digest_output();
		store_output(state, mib, &put_ms[i], &sync_ms[i]);
		remove_all(state);
		copy_ms[i] = copy_output();
		of_digest[i] = 100 * digest_ms[i] / (put_ms[i] + sync_ms[i]);
		of_copy[i] = 100 * copy_ms[i] / (put_ms[i] + sync_ms[i]);
	}
	unlink("output");
	printf("output of %u MiB, hashed, stored, durable: %.0f ms and %.0f ms; "
	       "openssl dgst -sha256: "
	       "%.0f ms, that is %.0f %% of its speed (at least 80); dd with fdatasync: %.0f ms, "
	       "%.0f %%\n",
	       mib, bench_median(put_ms, HEAVY_ROUNDS), bench_median(sync_ms, HEAVY_ROUNDS),
	       bench_median(digest_ms, HEAVY_ROUNDS), bench_median(of_digest, HEAVY_ROUNDS),
	       bench_median(copy_ms, HEAVY_ROUNDS), bench_median(of_copy, HEAVY_ROUNDS));
}

/* ---- signed ---------------------------------------------------------------------------------- */

/* Entries that the published checkpoint covers; 0 while there is none. */
static uint64_t
signed_size(const char *path)
{
	auto_buf text = BUF_INIT;
	struct checkpoint c;
	struct note note;

	return fdio_slurp_at(AT_FDCWD, path, NOTE_MAX, &text) == 0 &&
			       note_parse(buf_text(&text), text.len, &note, NULL) == 0 &&
			       checkpoint_parse(note.text, note.text_len, &c, NULL) == 0
		     ? c.size
		     : 0;
}

static void
bench_signed(const char *dir, char *airlock, unsigned int rounds)
{
	char *argv[] = { airlock, "run", "-w", "ws", "--", "true", NULL };
	char state[4096], path[4200];
	double worst = 0;

	snprintf(state, sizeof(state), "%s/signed", dir);
	snprintf(path, sizeof(path), "%s/log/checkpoint", state);
	check(mkdir("ws", 0755) == 0 && setenv("AIRLOCK_STATE", state, 1) == 0, "ws");
	run(argv); /* makes key and log; entries that come once */
	while (signed_size(path) == 0) {
		usleep(1000);
	}
	for (unsigned int i = 0; i < rounds; i++) {
		uint64_t before = signed_size(path);
		double answered;

		run(argv);
		answered = bench_now_ms();
		while (signed_size(path) < before + 2 &&
		       bench_now_ms() - answered < SIGNED_LIMIT_MS) {
			usleep(1000);
		}
		append_ms[i] = bench_now_ms() - answered;
		worst = append_ms[i] > worst ? append_ms[i] : worst;
	}
	printf("a checkpoint covers a call %.0f ms after its answer, %.0f ms at worst (at most "
	       "1000)\n",
	       bench_median(append_ms, rounds), worst);
}

int
main(int argc, char **argv)
{
	unsigned long rounds = argc == 6 ? strtoul(argv[3], NULL, 10) : 0;
	unsigned long entries = argc == 6 ? strtoul(argv[4], NULL, 10) : 0;
	unsigned long mib = argc == 6 ? strtoul(argv[5], NULL, 10) : 0;

	if (rounds == 0 || rounds > ROUNDS_MAX || entries == 0 || entries > 100000 || mib == 0) {
		fputs("usage: store DIR AIRLOCK ROUNDS ENTRIES MIB\n", stderr);
		return 2;
	}
	check(chdir(argv[1]) == 0, argv[1]);
	bench_append(argv[1], (unsigned int)rounds);
	bench_intake(argv[1], (unsigned int)entries);
	bench_output(argv[1], (unsigned int)mib);
	bench_signed(argv[1], argv[2], (unsigned int)(rounds < 20 ? rounds : 20));
	return 0;
}
