/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commits, while another process of the same user swaps directories of the workspace for symbolic
 * links that lead out of it, and back. Nothing outside changes, not even a time; what the swapper
 * leaves alone is entirely as the commit says; what he swaps is so after a commit, and after a
 * conflict as before or as after, entry by entry. Run as root, which becomes nobody.
 * usage: race SEED
 */
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "../../launcher/snapshot/commit.h"
#include "faults.h"

#define SWAPS 10000u  /* while somebody commits */
#define EACH 300u     /* so many conflicts, and commits that swaps were in */
#define ROUNDS 20000u /* or it fails */
#define TIMES 4u      /* in every other round so many swaps at most */
#define LATE 32	      /* and before each so many turns given away */
#define DIRS 4u	      /* swapped; as many again are left alone */
#define PATHS ((size_t)2 * DIRS * 7)

struct shared {
	atomic_bool commits;
	atomic_uint swaps;
};

static char root[64];
static struct shared *shared;
static int go[2], said[2]; /* how often the swapper is to swap, 0: as long as somebody
				commits; a byte when he begins, and one when he ends */

/* ---- the world ---------------------------------------------------------------------------------
 */

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

/* d<i> is swapped, s<i> is not. */
static void
in_dir(char ret[64], const char *top, unsigned int i, const char *name)
{
	snprintf(ret, 64, "%s/%c%u%s", top, "ds"[i % 2], i / 2, name);
}

/* As before. */
static void
make_workspace(void)
{
	char path[64];

	remove_all("ws");
	dir("ws");
	for (unsigned int i = 0; i < 2 * DIRS; i++) {
		in_dir(path, "ws", i, "");
		dir(path);
		in_dir(path, "ws", i, "/modify");
		file(path, "old");
		in_dir(path, "ws", i, "/delete");
		file(path, "old");
		in_dir(path, "ws", i, "/wood");
		dir(path);
		in_dir(path, "ws", i, "/wood/leaf");
		file(path, "leaf");
	}
}

/* All kinds of change to all. */
static void
make_upper(void)
{
	char path[64];

	dir("up");
	for (unsigned int i = 0; i < 2 * DIRS; i++) {
		in_dir(path, "up", i, "");
		dir(path);
		in_dir(path, "up", i, "/modify");
		file(path, "new");
		in_dir(path, "up", i, "/delete");
		gone(path);
		in_dir(path, "up", i, "/wood");
		gone(path);
		in_dir(path, "up", i, "/create");
		file(path, "leaf");
		in_dir(path, "up", i, "/tree");
		dir(path);
		in_dir(path, "up", i, "/tree/leaf");
		file(path, "leaf");
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
	if (symlink("../outside", path) == 0 && atomic_load(&shared->commits)) {
		atomic_fetch_add(&shared->swaps, 1);
	}
	sched_yield();
	check(unlink(path) == 0 && rename(away, path) == 0, path);
}

static void
swapper(unsigned int seed)
{
	unsigned char times;

	srandom(seed);
	while (read(go[0], &times, 1) == 1) {
		check(write(said[1], "x", 1) == 1, "say that it begins");
		for (unsigned int i = 0; times == 0 ? atomic_load(&shared->commits) : i < times;
		     i++) {
			/* at once it would nearly always be in the way */
			for (long late = times == 0 ? 0 : random() % LATE; late > 0; late--) {
				sched_yield();
			}
			swap((unsigned int)random() % DIRS);
		}
		check(write(said[1], "x", 1) == 1, "say that it rests");
	}
}

static void
hear(void)
{
	char byte;

	check(read(said[0], &byte, 1) == 1, "the swapper says something");
}

static void
begin_swaps(void)
{
	unsigned char times = (unsigned char)(random() % 2 * (1 + random() % TIMES));

	atomic_store(&shared->commits, true);
	check(write(go[1], &times, 1) == 1, "let it swap");
	hear();
}

static void
end_swaps(void)
{
	atomic_store(&shared->commits, false);
	hear();
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
		begin_swaps();
	}
	r = commit_run(&req, &cm, &err);
	commit_close(cm);
	if (disturbed) {
		end_swaps();
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

int
main(int argc, char **argv)
{
	unsigned int seed = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 1;
	auto_free char *before = NULL, *after = NULL, *outside = NULL;
	auto_store store = STORE_INIT;
	unsigned int rounds = 0, commits = 0, conflicts = 0;
	struct err err = ERR_INIT;
	char path[80];
	int status;
	pid_t pid;

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	check(shared != MAP_FAILED, "shared memory");
	make_root(root, sizeof(root));
	become_nobody();
	make_outside();
	snprintf(path, sizeof(path), "%s/state", root);
	check(store_open_write(path, &store, &err) == 0, err.text);
	make_workspace();
	make_upper();
	before = describe("ws", false);
	outside = describe("outside", true);
	check(commit(&store, false) == 0, "a commit that nobody disturbs");
	after = describe("ws", false);
	check(pipe(go) == 0 && pipe(said) == 0, "pipes");
	pid = fork();
	check(pid >= 0, "fork");
	if (pid == 0) {
		close(go[1]);
		swapper(seed);
		_exit(0);
	}
	srandom(seed + 1);
	while (atomic_load(&shared->swaps) < SWAPS || commits < EACH || conflicts < EACH) {
		auto_free char *still = NULL;
		unsigned int swaps = atomic_load(&shared->swaps);
		int r;

		make_workspace();
		r = commit(&store, true);
		check(r == 0 || r == -ESTALE, "a commit is entire, or a conflict");
		check_world(r, before, after);
		still = describe("outside", true);
		check(strcmp(still, outside) == 0, "nothing outside changes");
		commits += r == 0 && atomic_load(&shared->swaps) > swaps;
		conflicts += r == -ESTALE;
		check(++rounds < ROUNDS, "both ends are seen often");
	}
	close(go[1]);
	check(waitpid(pid, &status, 0) == pid && status == 0, "the swapper's end");
	remove_all(root);
	printf("ok race: %u swaps in %u rounds, %u commits among them, %u conflicts, seed %u\n",
	       atomic_load(&shared->swaps), rounds, commits, conflicts, seed);
	return 0;
}
