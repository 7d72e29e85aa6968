/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it costs to settle a call that changed 1,000 small files: collection, beside reading and
 * hashing the same files, and the commit, beside `cp -a` of the same. Run by a developer.
 *
 *         settle DIR ROUNDS   DIR: empty, on the file system to measure
 *
 * Ratios and differences are taken within a round, so that a slow moment counts for both. Half of
 * the files replace one that was there.
 */
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>

#include "../../launcher/snapshot/commit.h"
#include "../../launcher/snapshot/fsat.h"
#include "../faults/faults.h"
#include "bench.h"

#define FILES 1000u
#define PER_DIR 100u
#define SIZE 1024u
#define ROUNDS_MAX 1000u

extern char **environ;

enum measured { HASH, COLLECT, COPY, COMMIT, MEASURED__COUNT };

static double took_ms[MEASURED__COUNT][ROUNDS_MAX];

static void
make_tree(const char *top, unsigned int round, unsigned int step)
{
	char path[64], bytes[SIZE];

	check(mkdir(top, 0755) == 0, top);
	for (unsigned int i = 0; i < FILES; i++) {
		int fd;

		if (i % PER_DIR == 0) {
			snprintf(path, sizeof(path), "%s/d%u", top, i / PER_DIR);
			check(mkdir(path, 0755) == 0, path);
		}
		if (i % step != 0) {
			continue;
		}
		memset(bytes, (int)('a' + i % 26), sizeof(bytes));
		memcpy(bytes, &round, sizeof(round));
		snprintf(path, sizeof(path), "%s/d%u/f%u", top, i / PER_DIR, i);
		fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
		check(fd >= 0 && write(fd, bytes, SIZE) == (ssize_t)SIZE && close(fd) == 0, path);
	}
}

/* What collection cannot do without: both sides of what replaces a file, one of what is new. */
static void
hash_all(const char *top, unsigned int step)
{
	char path[64];
	uint8_t digest[SHA256_SIZE];
	uint64_t size;

	for (unsigned int i = 0; i < FILES; i += step) {
		auto_fd fd = -1;

		snprintf(path, sizeof(path), "%s/d%u/f%u", top, i / PER_DIR, i);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		check(fd >= 0 && fsat_hash(fd, SIZE, NULL, digest, &size) == 0, path);
	}
}

static void
copy_tree(void)
{
	char *const argv[] = { "cp", "-a", "up", "copy", NULL };
	pid_t pid;
	int status;

	check(posix_spawnp(&pid, "cp", NULL, NULL, argv, environ) == 0, "cp");
	check(waitpid(pid, &status, 0) == pid && status == 0, "cp");
}

static void
settle(struct store *store, const char *top, unsigned int round)
{
	auto_fd ws = open("ws", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_fd up = open("up", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct change_set set = { .items = NULL };
	struct err err = ERR_INIT;
	auto_fd commits = commit_open_dir(store, &err);
	const struct collect_request collect = { .upper_fd = up,
						 .lower_fd = ws,
						 .opaque_xattr = "user.overlay.opaque",
						 .capture = CAPTURE_DIGESTS,
						 .max_files = 2 * FILES };
	char path[4096];
	const struct commit_request req = { .upper_fd = up,
					    .workspace_fd = ws,
					    .workspace = path,
					    .changes = &set,
					    .start_ns = INT64_MAX,
					    .owner_uid = geteuid(),
					    .owner_gid = getegid(),
					    .call = { 1 },
					    .commits_fd = commits };
	struct commit *cm = NULL;
	double before = bench_now_ms();

	snprintf(path, sizeof(path), "%s/ws", top);
	check(changes_collect(&collect, &set, &err) == 0, err.text);
	took_ms[COLLECT][round] = bench_now_ms() - before;
	check(set.count == FILES, "the number of changes");
	before = bench_now_ms();
	check(commit_run(&req, &cm, &err) == 0, err.text);
	commit_close(cm);
	took_ms[COMMIT][round] = bench_now_ms() - before;
	changes_finish(&set);
}

static void
print_results(unsigned int rounds)
{
	static const char *const names[] = { "hash", "collect", "cp -a", "commit" };
	double ratios[ROUNDS_MAX], each_us[ROUNDS_MAX];

	for (unsigned int i = 0; i < rounds; i++) {
		ratios[i] = took_ms[COMMIT][i] / took_ms[COPY][i];
		each_us[i] = (took_ms[COLLECT][i] - took_ms[HASH][i]) * 1e3 / FILES;
	}
	for (size_t m = 0; m < MEASURED__COUNT; m++) {
		printf("%-8s %9.3f ms\n", names[m], bench_median(took_ms[m], rounds));
	}
	printf("commit / cp -a: %.2f (at most 3)\n", bench_median(ratios, rounds));
	printf("collect beyond hashing: %.1f us a file (at most 10)\n",
	       bench_median(each_us, rounds));
}

int
main(int argc, char **argv)
{
	unsigned long rounds = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
	auto_store store = STORE_INIT;
	struct err err = ERR_INIT;
	char path[4096];

	if (rounds == 0 || rounds > ROUNDS_MAX) {
		fputs("usage: settle DIR ROUNDS\n", stderr);
		return 2;
	}
	snprintf(path, sizeof(path), "%s/state", argv[1]);
	check(chdir(argv[1]) == 0 && mkdir("state", 0700) == 0, argv[1]);
	check(store_open_write(path, &store, &err) == 0, err.text);
	for (unsigned int round = 0; round < rounds; round++) {
		double before;

		make_tree("ws", 0, 2);
		make_tree("up", round + 1, 1);
		sync();
		before = bench_now_ms();
		hash_all("up", 1);
		hash_all("ws", 2);
		took_ms[HASH][round] = bench_now_ms() - before;
		/* who comes second finds a quieter disk */
		for (unsigned int turn = 0; turn < 2; turn++) {
			if (turn == round % 2) {
				before = bench_now_ms();
				copy_tree();
				took_ms[COPY][round] = bench_now_ms() - before;
			} else {
				settle(&store, argv[1], round);
			}
		}
		remove_all("ws");
		remove_all("up");
		remove_all("copy");
	}
	print_results((unsigned int)rounds);
	return 0;
}
