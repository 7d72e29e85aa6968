/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random trees and random work on them, the same from the same seed. Each case is a directory
 * c<number>/t of the current one. Run by tests/e2e/64-property.sh, natively and in a sandbox.
 *
 *         work make SEED FIRST COUNT [copies]  trees; copies: a file each in the place of hard
 *                     links
 *         work run SEED FIRST COUNT OPS UID [emulate]  at most OPS operations on each, and what
 *                     became of each, a line per operation. UID: whose the trees are outside.
 *                     emulate: renaming a directory that was there before fails with EXDEV
 */
#include <ftw.h>
#include <linux/capability.h>
#include <sys/syscall.h>

#include "tree.h"

#define NAMES_OF_A_CASE 4u
#define OLD_MAX 200000u

static const char long_name[256] = { [0 ... 254] = 'L' };
static const char *const pool[] = {
	"a",	"b",	"deep", "c d", "new\nline", "back\\slash", "\xff\xfe\x80", long_name,
	"\xc3\xa9", "-rf", " ",	  "...", "*",	     "tab\there",  "$(x)",	   "'\"",
};

static uint64_t state;

static uint32_t
draw(uint32_t below)
{
	uint64_t z;

	state += 0x9e3779b97f4a7c15u;
	z = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (uint32_t)((z ^ (z >> 31)) >> 16) % below;
}

/* ---- paths -------------------------------------------------------------------------------------
 */

static const char *names[NAMES_OF_A_CASE];

static void
choose_names(void)
{
	for (size_t i = 0; i < NAMES_OF_A_CASE; i++) {
		names[i] = pool[draw(sizeof(pool) / sizeof(pool[0]))];
	}
}

/* Of what is in a directory, in the order of bytes; "" when nothing is, or it is closed. */
static void
draw_entry(const char *dir, char ret[256])
{
	struct dirent **list;
	int n = scandir(dir, &list, not_dots, by_bytes);
	uint32_t chosen = draw(n > 0 ? (uint32_t)n : 1);

	ret[0] = '\0';
	for (int i = 0; i < n; i++) {
		if ((uint32_t)i == chosen) {
			snprintf(ret, 256, "%s", list[i]->d_name);
		}
		free(list[i]);
	}
	if (n >= 0) {
		free(list);
	}
}

static void
add_name(char path[PATH_SIZE], const char *name)
{
	size_t len = strlen(path);

	if (len + strlen(name) + 2 < PATH_SIZE) {
		snprintf(path + len, PATH_SIZE - len, "%s%s", len > 0 ? "/" : "", name);
	}
}

/* Down through what is there, then perhaps a name more; nothing is there: a name of the case. */
static void
draw_path(uint32_t new_of_six, char ret[PATH_SIZE])
{
	char entry[256];
	struct stat st;

	ret[0] = '\0';
	do {
		draw_entry(ret[0] == '\0' ? "." : ret, entry);
		if (entry[0] == '\0') {
			break;
		}
		add_name(ret, entry);
	} while (stat(ret, &st) == 0 && S_ISDIR(st.st_mode) && draw(5) < 3);
	if (ret[0] == '\0' ||
	    (draw(6) < new_of_six && stat(ret, &st) == 0 && S_ISDIR(st.st_mode))) {
		add_name(ret, names[draw(NAMES_OF_A_CASE)]);
	} else if (draw(6) < new_of_six) {
		snprintf(ret, PATH_SIZE, "%s", names[draw(NAMES_OF_A_CASE)]);
	}
}

/* ---- directories that were there before --------------------------------------------------------
 */

static ino_t old[OLD_MAX];
static size_t old_count;
static bool emulate;

static int
note_old(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)path;
	(void)flag;
	(void)ftw;
	if (S_ISDIR(st->st_mode) && old_count < OLD_MAX) {
		old[old_count++] = st->st_ino;
	}
	return 0;
}

static bool
is_old(const struct stat *st)
{
	for (size_t i = 0; emulate && S_ISDIR(st->st_mode) && i < old_count; i++) {
		if (old[i] == st->st_ino) {
			return true;
		}
	}
	return false;
}

/* Its number may come again. */
static void
forget_old(ino_t ino)
{
	for (size_t i = 0; i < old_count; i++) {
		if (old[i] == ino) {
			old[i] = old[--old_count];
		}
	}
}

static int
result(int r)
{
	return r < 0 ? -errno : 0;
}

static int
remove_directory(const char *path)
{
	struct stat st;
	bool there = lstat(path, &st) == 0;
	int r = result(rmdir(path));

	if (r == 0 && there) {
		forget_old(st.st_ino);
	}
	return r;
}

/*
 * What an overlay says to the rename of a directory that it did not make, after all that it checks
 * before. Nothing is changed: what can be done is taken back.
 */
static int
rename_old(const char *from, const char *to, unsigned int flags)
{
	struct stat st;
	bool there = lstat(to, &st) == 0;
	unsigned int back = there ? RENAME_EXCHANGE : RENAME_NOREPLACE;
	int r;

	if ((flags & RENAME_NOREPLACE) != 0 && there) {
		return -EEXIST;
	}
	if (flags == RENAME_EXCHANGE && !there) {
		return result(renameat2(AT_FDCWD, from, AT_FDCWD, to, flags));
	}
	if (there && !S_ISDIR(st.st_mode) && flags == 0) {
		r = result(rename(from, to));
		return r == 0 ? -EIO : r;
	}
	r = result(renameat2(AT_FDCWD, from, AT_FDCWD, to, back));
	if (r == -EINVAL && there && flags == 0) {
		r = result(rename(from, to));
		return r == 0 ? -EIO : r;
	}
	if (r == -EACCES && there && flags == 0 && (st.st_mode & S_IWUSR) == 0) {
		/* to be exchanged it must be writable, to be replaced it need not */
		r = chmod(to, st.st_mode | S_IWUSR) < 0 ? -EIO : rename_old(from, to, flags);
		return chmod(to, st.st_mode & 07777) < 0 ? -EIO : r;
	}
	if (r < 0) {
		return r;
	}
	r = result(there ? renameat2(AT_FDCWD, from, AT_FDCWD, to, back)
			 : renameat2(AT_FDCWD, to, AT_FDCWD, from, back));
	return r < 0 ? -EIO : -EXDEV;
}

static int
rename_entry(const char *from, const char *to, unsigned int flags)
{
	struct stat a, b;
	bool has_a = lstat(from, &a) == 0, has_b = lstat(to, &b) == 0;
	int r;

	if (has_a && has_b && a.st_ino == b.st_ino) {
		return result(renameat2(AT_FDCWD, from, AT_FDCWD, to, flags));
	}
	if ((has_a && is_old(&a)) || (flags == RENAME_EXCHANGE && has_b && is_old(&b))) {
		return rename_old(from, to, flags);
	}
	r = result(renameat2(AT_FDCWD, from, AT_FDCWD, to, flags));
	if (r == 0 && flags == 0 && has_b && S_ISDIR(b.st_mode)) {
		forget_old(b.st_ino);
	}
	return r;
}

/* ---- operations --------------------------------------------------------------------------------
 */

static int
write_at(const char *path, int flags, off_t at, size_t len)
{
	char *bytes = malloc(len + 1);
	int fd, r = 0;

	for (size_t i = 0; bytes != NULL && i < len; i++) {
		bytes[i] = i % 64 == 63 ? '\n' : (char)('a' + draw(26));
	}
	fd = open(path, flags | O_WRONLY | O_CLOEXEC, 0644);
	if (fd < 0 || bytes == NULL) {
		r = -errno;
	} else if ((flags & O_APPEND) == 0 ? pwrite(fd, bytes, len, at) != (ssize_t)len
					   : write(fd, bytes, len) != (ssize_t)len) {
		r = -errno;
	}
	if (fd >= 0) {
		close(fd);
	}
	free(bytes);
	return r;
}

static size_t
draw_length(void)
{
	return draw(12) == 0 ? 66000 : draw(200);
}

static int
create(const char *p, const char *q)
{
	(void)q;
	return write_at(p, O_CREAT | O_TRUNC, 0, draw_length());
}

static int
create_empty(const char *p, const char *q)
{
	(void)q;
	return write_at(p, O_CREAT | O_EXCL, 0, 0);
}

static int
append(const char *p, const char *q)
{
	(void)q;
	return write_at(p, O_APPEND, 0, draw_length());
}

static int
overwrite(const char *p, const char *q)
{
	(void)q;
	return write_at(p, 0, draw(300), draw(40));
}

static int
cut(const char *p, const char *q)
{
	(void)q;
	return result(truncate(p, draw(2) == 0 ? 0 : draw(400)));
}

static int
sparse(const char *p, const char *q)
{
	(void)q;
	return write_at(p, O_CREAT, 150000 + draw(100000), 1 + draw(30));
}

static int
make_directory(const char *p, const char *q)
{
	(void)q;
	return result(mkdir(p, draw(4) == 0 ? 0700 : 0755));
}

static int
make_directories(const char *p, const char *q)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), "%s", p);
	for (char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(path, 0755);
		*slash = '/';
	}
	return make_directory(p, q);
}

static int
remove_dir(const char *p, const char *q)
{
	(void)q;
	return remove_directory(p);
}

static int
remove_file(const char *p, const char *q)
{
	(void)q;
	return result(unlink(p));
}

static int
move(const char *p, const char *q)
{
	return rename_entry(p, q, 0);
}

static int
move_new(const char *p, const char *q)
{
	return rename_entry(p, q, RENAME_NOREPLACE);
}

static int
exchange(const char *p, const char *q)
{
	return rename_entry(p, q, RENAME_EXCHANGE);
}

static int
make_link(const char *p, const char *q)
{
	static const char *const targets[] = { "a", "../b", "./deep", "c d/a", "nowhere", "." };

	(void)q;
	return result(symlink(targets[draw(6)], p));
}

/*
 * Of a file that was there before, an overlay sees each name as a file of its own, also one that is
 * made now: what is done through one does not always show through the other. Those files are marked
 * and, like links, left alone here.
 */
static int
hard_link(const char *p, const char *q)
{
	struct stat st;
	char value;

	if (lstat(p, &st) == 0 && (!S_ISREG(st.st_mode) ||
				   lgetxattr(p, "user.was", &value, 1) >= 0 || errno != ENODATA)) {
		return -EMLINK;
	}
	return result(link(p, q));
}

/* Of what is in a directory that its owner may not read a plain user's undo knows nothing. */
static bool leave_open;

static int
change_mode(const char *p, const char *q)
{
	static const mode_t files[] = { 0644, 0600, 0444, 0000, 0755, 0400, 0200, 0111 };
	static const mode_t dirs[] = { 0755, 0555, 0700, 0500, 0711, 0000, 0300, 0777 };
	uint32_t which = draw(8);
	struct stat st;

	(void)q;
	if (lstat(p, &st) < 0) {
		return -errno;
	}
	if (S_ISLNK(st.st_mode)) {
		return -ELOOP;
	}
	return result(chmod(p, !S_ISDIR(st.st_mode) ? files[which]
			    : leave_open	     ? dirs[which] | 0500
						     : dirs[which]));
}

static int
set_attribute(const char *p, const char *q)
{
	static const char *const attributes[] = { "user.a", "user.b", "user.long name" };
	char value[64];
	size_t len = draw(sizeof(value));
	const char *name = attributes[draw(3)];

	(void)q;
	for (size_t i = 0; i < len; i++) {
		value[i] = (char)draw(256);
	}
	return result(lsetxattr(p, name, value, len, 0));
}

static int
remove_attribute(const char *p, const char *q)
{
	(void)q;
	return result(lremovexattr(p, draw(2) == 0 ? "user.a" : "user.b"));
}

/* Everything, as `rm -r` does; the first failure ends it. */
static int
remove_all(const char *p, const char *q)
{
	struct dirent **list;
	struct stat st;
	int n, r = 0;

	if (lstat(p, &st) < 0) {
		return -errno;
	}
	if (!S_ISDIR(st.st_mode)) {
		return result(unlink(p));
	}
	n = scandir(p, &list, not_dots, by_bytes);
	if (n < 0) {
		return -errno;
	}
	for (int i = 0; i < n; i++) {
		char *below = NULL;

		if (r == 0 && asprintf(&below, "%s/%s", p, list[i]->d_name) > 0) {
			r = remove_all(below, q);
		}
		free(below);
		free(list[i]);
	}
	free(list);
	return r < 0 ? r : remove_directory(p);
}

/* A file becomes a directory with a file in it, a directory a file. */
static int
turn_over(const char *p, const char *q)
{
	char below[PATH_SIZE + 300];
	struct stat st;
	int r;

	if (lstat(p, &st) < 0) {
		return -errno;
	}
	r = remove_all(p, q);
	if (r < 0 || S_ISDIR(st.st_mode)) {
		return r < 0 ? r : create(p, q);
	}
	r = make_directory(p, q);
	snprintf(below, sizeof(below), "%s/%s", p, names[draw(NAMES_OF_A_CASE)]);
	return r < 0 ? r : create(below, q);
}

/* clang-format off */
static const struct operation {
	const char *name;
	int (*run)(const char *p, const char *q);
	bool makes; /* of what a tree is made of */
} operations[] = {
	{ "create", create, true },
	{ "create", create, true },
	{ "create-empty", create_empty, true },
	{ "append", append, false },
	{ "overwrite", overwrite, false },
	{ "truncate", cut, false },
	{ "sparse", sparse, true },
	{ "mkdir", make_directory, true },
	{ "mkdir-p", make_directories, true },
	{ "mkdir-p", make_directories, true },
	{ "rmdir", remove_dir, false },
	{ "unlink", remove_file, false },
	{ "rename", move, false },
	{ "rename", move, false },
	{ "rename", move, false },
	{ "rename-new", move_new, false },
	{ "exchange", exchange, false },
	{ "symlink", make_link, true },
	{ "link", hard_link, false },
	{ "chmod", change_mode, false },
	{ "chmod", change_mode, false },
	{ "setxattr", set_attribute, true },
	{ "removexattr", remove_attribute, false },
	{ "remove-all", remove_all, false },
	{ "turn-over", turn_over, false },
	{ "turn-over", turn_over, false },
};
/* clang-format on */

#define OPERATIONS (sizeof(operations) / sizeof(operations[0]))

/* ---- cases -------------------------------------------------------------------------------------
 */

static void
enter_case(unsigned long number)
{
	char path[64];

	snprintf(path, sizeof(path), "c%lu/t", number);
	if (chdir(path) < 0) {
		fail(path);
	}
}

static void
leave_case(void)
{
	if (chdir("../..") < 0) {
		fail("leave the case");
	}
}

static void
seed_case(uint64_t seed, unsigned long number, uint64_t phase)
{
	state = seed * 0x2545f4914f6cdd1du + number;
	choose_names();
	state ^= phase << 60;
}

/* Closed to its owner only for root: of what a plain user cannot read there is no pre-image. */
static void
close_some(const char *path, const struct stat *st)
{
	static const mode_t files[] = { 0644, 0600, 0444, 0755, 0400, 0000 };
	static const mode_t dirs[] = { 0755, 0700, 0555, 0500, 0711, 0000 };
	uint32_t which = draw(geteuid() == 0 ? 6 : 5);

	if (draw(3) == 0 && !S_ISLNK(st->st_mode) &&
	    chmod(path, S_ISDIR(st->st_mode) ? dirs[which] : files[which]) < 0) {
		fail(path);
	}
}

/* In the order of names, what is in a directory before it. */
static void
close_tree(const char *path)
{
	struct dirent **list;
	int n = scandir(path, &list, not_dots, by_bytes);

	for (int i = 0; i < n; i++) {
		char *below = NULL;
		struct stat st;

		if (asprintf(&below, "%s/%s", path, list[i]->d_name) < 0 || lstat(below, &st) < 0) {
			fail("close a tree");
		}
		if (S_ISDIR(st.st_mode)) {
			close_tree(below);
		}
		if (S_ISREG(st.st_mode) && setxattr(below, "user.was", "1", 1, 0) < 0) {
			fail(below);
		}
		close_some(below, &st);
		free(below);
		free(list[i]);
	}
	if (n >= 0) {
		free(list);
	}
}

static void
copy_attributes(int from, int to)
{
	char all[1024], value[256];
	ssize_t len = flistxattr(from, all, sizeof(all));

	for (char *name = all; len > 0 && name < all + len; name += strlen(name) + 1) {
		ssize_t n = fgetxattr(from, name, value, sizeof(value));

		if (strncmp(name, "user.", 5) == 0 &&
		    (n < 0 || fsetxattr(to, name, value, (size_t)n, 0) < 0)) {
			fail(name);
		}
	}
}

/*
 * A second name of a file. In the native tree a copy: in an overlay each name that is written
 * becomes a file of its own.
 */
static void
second_name(bool copies)
{
	char from_path[PATH_SIZE], to_path[PATH_SIZE], bytes[65536];
	struct stat st, there;
	ssize_t n;
	int from, to;

	draw_path(0, from_path);
	draw_path(4, to_path);
	if (lstat(from_path, &st) < 0 || !S_ISREG(st.st_mode)) {
		return;
	}
	if (lstat(to_path, &there) == 0) {
		return;
	}
	if (!copies) {
		(void)!link(from_path, to_path);
		return;
	}
	to = open(to_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (to < 0) {
		return;
	}
	from = open(from_path, O_RDONLY | O_CLOEXEC);
	while ((n = read(from, bytes, sizeof(bytes))) > 0) {
		if (write(to, bytes, (size_t)n) != n) {
			fail("copy");
		}
	}
	copy_attributes(from, to);
	if (n < 0 || fchmod(to, st.st_mode & 07777) < 0 || close(from) < 0 || close(to) < 0) {
		fail("copy");
	}
}

static void
make_case(uint64_t seed, unsigned long number, bool copies)
{
	char path[64];

	snprintf(path, sizeof(path), "c%lu", number);
	if (mkdir(path, 0755) < 0) {
		fail(path);
	}
	snprintf(path, sizeof(path), "c%lu/t", number);
	if (mkdir(path, 0755) < 0) {
		fail(path);
	}
	enter_case(number);
	seed_case(seed, number, 1);
	for (uint32_t left = draw(24); left > 0;) {
		const struct operation *o = &operations[draw(OPERATIONS)];
		char p[PATH_SIZE];

		if (o->makes) {
			draw_path(5, p);
			(void)o->run(p, p);
			left--;
		}
	}
	close_tree(".");
	for (uint32_t left = draw(3); left > 0; left--) {
		second_name(copies);
	}
	leave_case();
}

static void
run_case(uint64_t seed, unsigned long number, unsigned long most)
{
	uint32_t count;

	enter_case(number);
	seed_case(seed, number, 2);
	count = 1 + draw(25);
	for (uint32_t i = 1; i <= count && i <= most; i++) {
		const struct operation *o = &operations[draw(OPERATIONS)];
		char p[PATH_SIZE], q[PATH_SIZE];
		uint64_t kept;
		int r;

		draw_path(2, p);
		draw_path(3, q);
		/* how much an operation draws does not decide the next one */
		kept = state;
		r = o->run(p, q);
		state = kept;
		printf("c%lu %u: %s ", number, i, o->name);
		put(stdout, p, strlen(p));
		putchar(' ');
		put(stdout, q, strlen(q));
		printf(": %s\n", r == 0 ? "done" : strerrorname_np(-r));
	}
	leave_case();
}

/* In a sandbox root has none, and natively it must not have more. */
static void
drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 } };

	if (syscall(SYS_capset, &header, none) < 0) {
		fail("capset");
	}
}

int
main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	uint64_t seed = argc > 4 ? strtoull(argv[2], NULL, 10) : 0;
	unsigned long first = argc > 4 ? strtoul(argv[3], NULL, 10) : 0;
	unsigned long count = argc > 4 ? strtoul(argv[4], NULL, 10) : 0;
	const char *last = argc > 0 ? argv[argc - 1] : "";

	umask(022);
	if (argc < 5 || (strcmp(verb, "make") != 0 && strcmp(verb, "run") != 0)) {
		fputs("usage: work make|run …\n", stderr);
		return 2;
	}
	emulate = strcmp(last, "emulate") == 0;
	if (emulate && nftw(".", note_old, 32, FTW_PHYS) < 0) {
		fail("look for directories");
	}
	leave_open = argc > 6 && strcmp(argv[6], "0") != 0;
	if (strcmp(verb, "run") == 0) {
		drop_capabilities();
	}
	for (unsigned long i = first; i < first + count; i++) {
		if (strcmp(verb, "make") == 0) {
			make_case(seed, i, strcmp(last, "copies") == 0);
		} else {
			run_case(seed, i, argc > 5 ? strtoul(argv[5], NULL, 10) : 1000);
		}
	}
	return 0;
}
