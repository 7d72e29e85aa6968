/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commits, while another process of the same user swaps directories of the workspace for symbolic
 * links that lead out of it, and back. Nothing outside changes, not even a time; what the swapper
 * leaves alone is entirely as the commit says; what he swaps is so after a commit, and after a
 * conflict as before or as after, entry by entry. Run as root, which becomes nobody.
 * usage: race SEED
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../../launcher/snapshot/commit.h"

#define NOBODY 65534
#define SWAPS 10000u
#define DIRS 4u /* swapped; as many again are left alone */
#define PATHS ((size_t)2 * DIRS * 7)

struct shared {
	atomic_bool run, rests;
	atomic_uint swaps;
};

static char root[64];
static struct shared *shared;

static void
check(bool good, const char *what)
{
	if (!good) {
		fprintf(stderr, "not ok: %s: %s\n", what, strerror(errno));
		exit(1);
	}
}

/* ---- the world ---------------------------------------------------------------------------------
 */

static int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static void
dir(const char *path)
{
	check(mkdir(path, 0755) == 0, path);
}

static void
file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	check(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), path);
	close(fd);
}

static void
gone(const char *path)
{
	file(path, "");
	check(setxattr(path, "user.overlay.whiteout", "y", 1, 0) == 0, path);
}

/* d<i> is swapped, s<i> is not; both have all kinds of change. */
static void
make_world(void)
{
	char path[64];

	nftw("ws", remove_one, 16, FTW_DEPTH | FTW_PHYS);
	nftw("up", remove_one, 16, FTW_DEPTH | FTW_PHYS);
	dir("ws");
	dir("up");
	for (unsigned int i = 0; i < 2 * DIRS; i++) {
		const char *const tops[] = { "ws", "up" };

		for (size_t t = 0; t < 2; t++) {
			char at[32];

			snprintf(at, sizeof(at), "%s/%c%u", tops[t], "ds"[i % 2], i / 2);
			dir(at);
			snprintf(path, sizeof(path), "%s/modify", at);
			file(path, t == 0 ? "old" : "new");
			snprintf(path, sizeof(path), "%s/delete", at);
			(t == 0 ? file(path, "old") : gone(path));
			snprintf(path, sizeof(path), "%s/wood", at);
			if (t == 1) {
				gone(path);
			} else {
				dir(path);
			}
			snprintf(path, sizeof(path), "%s/%s", at, t == 0 ? "wood/leaf" : "create");
			file(path, "leaf");
			if (t == 1) {
				snprintf(path, sizeof(path), "%s/tree", at);
				dir(path);
				snprintf(path, sizeof(path), "%s/tree/leaf", at);
				file(path, "leaf");
			}
		}
	}
}

/* What a commit that followed a link would find there. */
static void
make_outside(void)
{
	dir("outside");
	file("outside/modify", "outside");
	file("outside/delete", "outside");
	dir("outside/wood");
	file("outside/wood/leaf", "outside");
}

static char found[8192];
static size_t found_len;
static bool with_times;

static int
note_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	char text[16] = "";
	int fd = S_ISREG(st->st_mode) ? open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) : -1;

	(void)flag;
	if (ftw->level == 0) {
		return 0;
	}
	check(fd < 0 || read(fd, text, sizeof(text) - 1) >= 0, path);
	if (fd >= 0) {
		close(fd);
	}
	/* a new directory in a swapped one may be left as it was staged */
	found_len += (size_t)snprintf(found + found_len, sizeof(found) - found_len, "%s %o %s",
				      path, strncmp(path, "ws/d", 4) == 0 ? 0 : st->st_mode, text);
	if (with_times) {
		found_len += (size_t)snprintf(found + found_len, sizeof(found) - found_len,
					      " %ld.%ld", st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
	}
	found_len += (size_t)snprintf(found + found_len, sizeof(found) - found_len, "\n");
	check(found_len + 256 < sizeof(found), "room for the tree");
	return 0;
}

/* In the order of the file system, which is the same for the same directory. */
static char *
describe(const char *path, bool times)
{
	found_len = 0;
	found[0] = '\0';
	with_times = times;
	check(nftw(path, note_entry, 16, FTW_PHYS) == 0, path);
	return strdup(found);
}

/* ---- the swapper -------------------------------------------------------------------------------
 */

static void
swap(unsigned int i)
{
	char path[16], away[24];

	snprintf(path, sizeof(path), "ws/d%u", i);
	snprintf(away, sizeof(away), "ws/away%u", i);
	if (rename(path, away) < 0) {
		return;
	}
	if (symlink("../outside", path) == 0) {
		atomic_fetch_add(&shared->swaps, 1);
	}
	sched_yield();
	check(unlink(path) == 0 && rename(away, path) == 0, path);
}

static void
swapper(unsigned int seed)
{
	srandom(seed);
	for (;;) {
		if (!atomic_load(&shared->run)) {
			atomic_store(&shared->rests, true);
			sched_yield();
			continue;
		}
		atomic_store(&shared->rests, false);
		swap((unsigned int)random() % DIRS);
	}
}

static void
pause_swapper(void)
{
	atomic_store(&shared->run, false);
	while (!atomic_load(&shared->rests)) {
		sched_yield();
	}
}

static void
let_swap(void)
{
	atomic_store(&shared->rests, false);
	atomic_store(&shared->run, true);
}

/* ---- the committer -----------------------------------------------------------------------------
 */

/* 0, or why it did not commit. */
static int
commit(struct store *store, bool disturbed)
{
	auto_fd ws = open("ws", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	auto_fd up = open("up", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct change_set set = { .items = NULL };
	struct err err = ERR_INIT;
	auto_fd commits = commit_open_dir(store, &err);
	struct collect_request collect = { .upper_fd = up,
					   .lower_fd = ws,
					   .opaque_xattr = "user.overlay.opaque",
					   .capture = CAPTURE_DIGESTS,
					   .max_files = 1000 };
	char path[80];
	struct commit_request req = { .upper_fd = up,
				      .workspace_fd = ws,
				      .workspace = path,
				      .changes = &set,
				      .start_ns = INT64_MAX,
				      .owner_uid = NOBODY,
				      .owner_gid = NOBODY,
				      .call = { 1, 2, 3 },
				      .commits_fd = commits };
	struct commit *cm = NULL;
	int r;

	snprintf(path, sizeof(path), "%s/ws", root);
	check(changes_collect(&collect, &set, &err) == 0, err.text);
	check(set.count == PATHS, "the number of changes");
	if (disturbed) {
		let_swap();
	}
	r = commit_run(&req, &cm, &err);
	commit_close(cm);
	if (disturbed) {
		pause_swapper();
	}
	changes_finish(&set);
	return r;
}

/* Whether each line of a is one of b's or c's. only: lines of what is so called alone. */
static void
check_lines(const char *a, const char *b, const char *c, char only)
{
	while (*a != '\0') {
		size_t len = strcspn(a, "\n") + 1;
		char line[256];

		snprintf(line, sizeof(line), "%.*s", (int)len, a);
		check((only != '\0' && line[3] != only) || strstr(b, line) != NULL ||
			      strstr(c, line) != NULL,
		      line);
		a += len;
	}
}

/* r: how the commit ended. */
static void
check_world(int r, const char *before, const char *after)
{
	auto_free char *now = describe("ws", false);

	if (r != 0) {
		check_lines(now, before, "", 's');
		check_lines(before, now, "", 's');
		check_lines(now, before, after, '\0');
		return;
	}
	check_lines(now, after, "", '\0');
	check_lines(after, now, "", '\0');
}

static void
become_nobody(void)
{
	check(chown(root, NOBODY, NOBODY) == 0, root);
	check(setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0,
	      "become nobody");
	check(chdir(root) == 0 && mkdir("state", 0700) == 0, root);
}

/* Where user.* attributes are: in memory from Linux 6.6 on. */
static void
make_root(void)
{
	static const char *const places[] = { "/dev/shm", "/tmp" };

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		snprintf(root, sizeof(root), "%s/airlock-race-XXXXXX", places[i]);
		check(mkdtemp(root) != NULL, root);
		if (setxattr(root, "user.note", "1", 1, 0) == 0) {
			return;
		}
		check(rmdir(root) == 0, root);
	}
	check(false, "a place that has user.* attributes");
}

int
main(int argc, char **argv)
{
	unsigned int seed = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 1;
	auto_free char *before = NULL, *after = NULL, *outside = NULL;
	auto_store store = STORE_INIT;
	unsigned int commits = 0, conflicts = 0;
	struct err err = ERR_INIT;
	char path[80];
	pid_t pid;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	check(shared != MAP_FAILED, "shared memory");
	make_root();
	become_nobody();
	make_outside();
	snprintf(path, sizeof(path), "%s/state", root);
	check(store_open_write(path, &store, &err) == 0, err.text);
	make_world();
	before = describe("ws", false);
	outside = describe("outside", true);
	check(commit(&store, false) == 0, "a commit that nobody disturbs");
	after = describe("ws", false);
	pid = fork();
	check(pid >= 0, "fork");
	if (pid == 0) {
		swapper(seed);
	}
	while (atomic_load(&shared->swaps) < SWAPS || commits == 0 || conflicts == 0) {
		auto_free char *still = NULL;
		int r;

		make_world();
		r = commit(&store, true);
		check(r == 0 || r == -ESTALE, "a commit is entire, or a conflict");
		check_world(r, before, after);
		still = describe("outside", true);
		check(strcmp(still, outside) == 0, "nothing outside changes");
		commits += r == 0;
		conflicts += r == -ESTALE;
	}
	check(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid, "end the swapper");
	nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	printf("ok race: %u swaps, %u commits, %u conflicts, seed %u\n",
	       atomic_load(&shared->swaps), commits, conflicts, seed);
	return 0;
}
