/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kills who commits at each of its system calls, one after the other, recovers, and compares the
 * workspace with what it was before and with what it is after a commit that nobody killed: it must
 * be one of the two. With `twice` the recovery is killed too, at a system call chosen by the seed,
 * and the second one must do. Run as root, which becomes nobody for the commits: a directory that
 * its owner may not write has to be opened and closed again. With `many` the commit has 200 paths
 * more, and 200 of its system calls are chosen by the seed.
 * usage: commit [twice|many SEED], or commit power SEED DIR HOOK ARG ARG (tests/faults/power)
 */
#include "../../launcher/snapshot/commit.h"
#include "../e2e/payload/tree.h"
#include "faults.h"

#define DONE "{\"done\":1}"
#define UNDONE "{\"undone\":1}"

#define MANY 200u /* paths, and kills */
#define CUTS 100  /* of the power: half a second each */

static char root[64];
static bool many;

/* ---- the world ---------------------------------------------------------------------------------
 */

static void
file(const char *path, const char *text, mode_t mode)
{
	char full[256];
	FILE *f;

	snprintf(full, sizeof(full), "%s/%s", root, path);
	f = fopen(full, "we");
	check(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0, full);
	check(chmod(full, mode) == 0 && chown(full, NOBODY, NOBODY) == 0, full);
}

static void
dir(const char *path)
{
	char full[256];

	snprintf(full, sizeof(full), "%s/%s", root, path);
	check(mkdir(full, 0755) == 0 && chown(full, NOBODY, NOBODY) == 0, full);
}

static void
mode(const char *path, mode_t m)
{
	char full[256];

	snprintf(full, sizeof(full), "%s/%s", root, path);
	check(chmod(full, m) == 0, full);
}

static void
link_to(const char *path, const char *target)
{
	char full[256];

	snprintf(full, sizeof(full), "%s/%s", root, path);
	check(symlink(target, full) == 0 && lchown(full, NOBODY, NOBODY) == 0, full);
}

static void
attribute(const char *path, const char *name, const char *value)
{
	char full[256];

	snprintf(full, sizeof(full), "%s/%s", root, path);
	check(setxattr(full, name, value, strlen(value), 0) == 0, full);
}

static void
gone(const char *path)
{
	file(path, "", 0644);
	attribute(path, "user.overlay.whiteout", "y");
}

/* As many again that are made, written or deleted. */
static void
make_more(void)
{
	char path[64];

	for (unsigned int i = 0; i < MANY; i++) {
		if (i % 20 == 0) {
			snprintf(path, sizeof(path), "ws/more%u", i / 20);
			dir(path);
			snprintf(path, sizeof(path), "up/more%u", i / 20);
			dir(path);
		}
		snprintf(path, sizeof(path), "ws/more%u/f%u", i / 20, i);
		if (i % 4 != 0) {
			file(path, "old", 0644);
		}
		memcpy(path, "up", 2);
		if (i % 4 == 1) {
			gone(path);
		} else {
			file(path, "new", 0600);
		}
	}
}

/* Every kind of change, in open and in closed directories. */
static void
make_world(void)
{
	remove_all(root);
	check(mkdir(root, 0755) == 0 && chown(root, NOBODY, NOBODY) == 0, root);
	dir("ws");
	dir("up");
	dir("state");
	mode("state", 0700);
	file("ws/kept", "kept", 0644);
	file("ws/modify", "old", 0640);
	attribute("ws/modify", "user.note", "old");
	file("up/modify", "new", 0600);
	attribute("up/modify", "user.note", "new");
	file("ws/mode", "same", 0644);
	attribute("ws/mode", "user.was", "1");
	file("up/mode", "same", 0755);
	attribute("up/mode", "user.is", "22");
	file("up/create", "new", 0444);
	dir("up/tree");
	dir("up/tree/sub");
	file("up/tree/sub/leaf", "leaf", 0644);
	mode("up/tree/sub", 0500);
	file("ws/delete", "old", 0644);
	gone("up/delete");
	dir("ws/wood");
	file("ws/wood/leaf", "leaf", 0644);
	mode("ws/wood", 0555);
	gone("up/wood");
	file("ws/f2d", "file", 0644);
	dir("up/f2d");
	file("up/f2d/in", "in", 0644);
	dir("ws/d2f");
	file("ws/d2f/in", "in", 0644);
	mode("ws/d2f", 0500);
	file("up/d2f", "file", 0644);
	link_to("ws/link", "kept");
	link_to("up/link", "modify");
	dir("ws/closed");
	file("ws/closed/in", "old", 0644);
	mode("ws/closed", 0555);
	dir("up/closed");
	file("up/closed/in", "new", 0644);
	file("up/closed/more", "more", 0644);
	mode("up/closed", 0555);
	dir("ws/open");
	dir("up/open");
	file("up/open/last", "x", 0644);
	mode("up/open", 0000);
	if (many) {
		make_more();
	}
}

static void
describe_workspace(char **ret)
{
	char path[96];
	size_t len;
	FILE *out;

	free(*ret);
	*ret = NULL;
	out = open_memstream(ret, &len);
	snprintf(path, sizeof(path), "%s/ws", root);
	check(out != NULL, "memory");
	tree_describe(out, path, false);
	check(fclose(out) == 0, "memory");
}

/* ---- committer and recoverer, in a child -------------------------------------------------------
 */

struct places {
	struct store store;
	int ws, up;
};

static void
become_nobody(struct places *p)
{
	struct err err = ERR_INIT;
	char path[96];

	check(setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0,
	      "become nobody");
	snprintf(path, sizeof(path), "%s/ws", root);
	p->ws = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/up", root);
	p->up = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	snprintf(path, sizeof(path), "%s/state", root);
	check(p->ws >= 0 && p->up >= 0, "open the world");
	check(store_open_write(path, &p->store, &err) == 0, err.text);
}

static void
commit(void)
{
	struct places p = { .store = STORE_INIT };
	struct change_set set = { .items = NULL };
	struct collect_request collect = { .opaque_xattr = "user.overlay.opaque",
					   .capture = CAPTURE_DIGESTS,
					   .max_files = 1000 };
	struct commit_request req = { .start_ns = INT64_MAX,
				      .owner_uid = NOBODY,
				      .owner_gid = NOBODY,
				      .call = { 1, 2, 3 },
				      .done = { DONE, strlen(DONE) },
				      .undone = { UNDONE, strlen(UNDONE) } };
	struct commit *cm = NULL;
	struct journal_pos pos;
	struct err err = ERR_INIT;
	char path[96];

	become_nobody(&p);
	snprintf(path, sizeof(path), "%s/ws", root);
	collect.upper_fd = req.upper_fd = p.up;
	collect.lower_fd = req.workspace_fd = p.ws;
	req.workspace = path;
	req.changes = &set;
	check(changes_collect(&collect, &set, &err) == 0, err.text);
	check(set.count == 18 + (many ? MANY : 0), "the number of changes");
	raise(SIGSTOP);
	req.commits_fd = commit_open_dir(&p.store, &err);
	check(req.commits_fd >= 0 && commit_run(&req, &cm, &err) == 0, err.text);
	check(journal_append(&p.store, DONE, strlen(DONE), &pos, &err) == 0, err.text);
	commit_close(cm);
	_exit(0);
}

static int
recover_left(void *arg, struct commit_left *left)
{
	struct places *p = arg;
	enum commit_recovered how;
	struct err err = ERR_INIT;

	check(commit_recover(&p->store, left, left->workspace[0] != '\0' ? p->ws : -1, &how,
			     &err) == 0,
	      err.text);
	return 0;
}

static void
recover(void)
{
	struct places p = { .store = STORE_INIT };

	become_nobody(&p);
	raise(SIGSTOP);
	check(commit_each_left(&p.store, recover_left, &p) == 0, "recover");
	_exit(0);
}

/* ---- the killer --------------------------------------------------------------------------------
 */

/* Runs fn in a child and kills it before its system call `at`, counted from its stop on; 0: never.
 * How many calls it made. */
static unsigned long
kill_in(void (*fn)(void), unsigned long at)
{
	unsigned long calls;
	int status;
	pid_t pid = fork();

	check(pid >= 0, "fork");
	if (pid == 0) {
		check(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0, "trace");
		fn();
	}
	calls = run_until(pid, at, NULL, &status);
	check(status == (at != 0 && calls == at ? SIGKILL : 0), "the child's end");
	return calls;
}

struct entries {
	unsigned int done, undone;
};

static int
count_entry(void *arg, struct journal_pos pos, const uint8_t *json, size_t len)
{
	struct entries *e = arg;

	(void)pos;
	e->done += len == strlen(DONE) && memcmp(json, DONE, len) == 0;
	e->undone += len == strlen(UNDONE) && memcmp(json, UNDONE, len) == 0;
	return 0;
}

/* What is left of the commit itself, and what the record says. */
static void
check_rest(bool after)
{
	auto_store store = STORE_INIT;
	struct entries e = { 0 };
	struct journal_pos next;
	struct err err = ERR_INIT;
	char path[96];
	struct stat st;

	snprintf(path, sizeof(path), "%s/ws/%s", root, COMMIT_STAGING);
	check(lstat(path, &st) < 0 && errno == ENOENT, "the staging directory is gone");
	snprintf(path, sizeof(path), "%s/state/commits", root);
	if (stat(path, &st) == 0) {
		check(rmdir(path) == 0, "no journal is left");
	}
	snprintf(path, sizeof(path), "%s/state", root);
	check(chown(path, 0, 0) == 0, path);
	check(store_open_read(path, &store, &err) == 0, err.text);
	check(journal_read(&store, (struct journal_pos){ 0, 0 }, &next, count_entry, &e, &err) == 0,
	      err.text);
	check(e.done == (after ? 1u : 0u) && e.undone == 0, "the record says what became of it");
}

/* The file system is now what had reached the disk (tests/faults/power). */
static void
cut_power(char **argv)
{
	int status;
	pid_t pid = fork();

	check(pid >= 0, "fork");
	if (pid == 0) {
		execl(argv[4], argv[4], argv[5], argv[2], "cut", argv[6], (char *)NULL);
		_exit(127);
	}
	check(waitpid(pid, &status, 0) == pid && status == 0, "cut the power");
}

int
main(int argc, char **argv)
{
	auto_free char *before = NULL, *after = NULL, *now = NULL;
	bool twice = argc > 1 && strcmp(argv[1], "twice") == 0;
	bool power = argc > 6 && strcmp(argv[1], "power") == 0;
	unsigned long calls, tries, kills = 0, was_before = 0, was_after = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	srandom(argc > 2 ? (unsigned int)strtoul(argv[2], NULL, 10) : 1);
	many = argc > 1 && strcmp(argv[1], "many") == 0;
	if (power) {
		snprintf(root, sizeof(root), "%s", argv[3]);
	} else {
		make_root(root, sizeof(root));
	}
	make_world();
	describe_workspace(&before);
	calls = kill_in(commit, 0);
	describe_workspace(&after);
	check(strcmp(before, after) != 0, "the commit did something");
	check_rest(true);
	tries = many ? MANY : power ? CUTS : calls;
	for (unsigned long i = 1; i <= tries; i++) {
		unsigned long at = many || power ? 1 + (unsigned long)random() % calls : i;
		bool is_after;

		kills++;
		make_world();
		if (power) {
			sync();
		}
		kill_in(commit, at);
		if (power) {
			cut_power(argv);
		}
		if (twice) {
			kill_in(recover, 1 + (unsigned long)random() % 300);
		}
		kill_in(recover, 0);
		describe_workspace(&now);
		is_after = strcmp(now, after) == 0;
		was_after += is_after;
		if (!is_after) {
			was_before++;
			if (strcmp(now, before) != 0) {
				fprintf(stderr, "not ok: killed before call %lu of %lu: half:\n%s",
					at, calls, now);
				return 1;
			}
		}
		check_rest(is_after);
	}
	remove_all(root);
	check(was_before > 0 && was_after > 0, "both ends were seen");
	printf("ok commit%s: %lu kills of %lu system calls, %lu times as before, %lu as after\n",
	       twice   ? ", recovery killed too"
	       : many  ? " of many paths"
	       : power ? ", the power cut"
		       : "",
	       kills, calls, was_before, was_after);
	return 0;
}
