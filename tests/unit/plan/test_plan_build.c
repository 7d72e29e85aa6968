/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs as the developer or CI. Plans from hand-made profiles and a small tree below /tmp. What
 * needs a foreign owner is tried as root only; what needs a /tmp without mounts in it says so when
 * it cannot be tried.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../../launcher/base/trusted.h"
#include "../../../launcher/plan/plan_build.h"
#include "../../../launcher/profile/profile_load.h"

#define READS_MAX 8
#define UNIT_MIB (UINT64_C(1) << 20)

static char dir[64]; /* of this test's tree, without links in it */
static char paths[32][96];
static size_t path_count;
static struct rule_path reads[READS_MAX];
static struct profile profile;
static struct request request;
static struct plan_builder *builder;
static const struct plan *plan;

/* dir/name; lives as long as the test. */
static const char *
in_dir(const char *name)
{
	cr_assert_lt(path_count, ARRAY_LEN(paths));
	snprintf(paths[path_count], sizeof(paths[0]), "%s/%s", dir, name);
	return paths[path_count++];
}

static const char *
new_dir(const char *name)
{
	const char *path = in_dir(name);

	cr_assert_eq(mkdir(path, 0755), 0, "%s", path);
	return path;
}

static const char *
new_file(const char *name)
{
	const char *path = in_dir(name);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	cr_assert_geq(fd, 0, "%s", path);
	close(fd);
	return path;
}

static const char *
new_link(const char *target, const char *name)
{
	const char *path = in_dir(name);

	cr_assert_eq(symlink(target, path), 0, "%s", path);
	return path;
}

static void
make_world(void)
{
	static const char *argv[] = { "true", NULL };
	static const char *envp[] = { "PATH=/usr/bin", NULL };

	strcpy(dir, "/tmp/airlock-plan-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	profile = (struct profile){
		.name = "test", .source = "/test.yaml", .read = reads, .mode = MODE_APPLY
	};
	request = (struct request){
		.call_text = "01890000-0000-7000-8000-000000000000",
		.argv = argv,
		.argc = 1,
		.envp = envp,
		.envc = 1,
		.exe = "/usr/bin/true",
		.upper_dir = "",
		.workspace = new_dir("ws"),
		.workspace_dev = 5,
		.workspace_ino = 6,
		.lower_dir = "/lower",
		.lower_dev = 7,
		.lower_ino = 8,
		.mode = MODE_APPLY,
		.limits = { .memory_bytes = 64 * UNIT_MIB,
			    .pids = 33,
			    .cpu_time_ms = 1500,
			    .disk_bytes = 8 * UNIT_MIB,
			    .files = 100,
			    .open_files = 50 },
		.landlock_abi = 7,
		.identity = { .kind = IDENTITY_PLAIN,
			      .uid_inside = 1001,
			      .gid_inside = 1002,
			      .uid_outside = 1001,
			      .gid_outside = 1002,
			      .user = "u",
			      .home = "/home/u",
			      .shell = "/bin/sh" },
	};
	request.cwd = request.workspace;
}

static void
remove_tree(void)
{
	plan_builder_destroy(builder);
	/* made in order, so children come last */
	while (path_count > 0) {
		remove(paths[--path_count]);
	}
	cr_expect_eq(rmdir(dir), 0, "%s", dir);
}

/* A skipped test gets no fini. */
static void
skip(const char *why)
{
	remove_tree();
	cr_skip_test("%s", why);
}

TestSuite(plan_build, .init = make_world, .fini = remove_tree);

static void
add_read(const char *path)
{
	cr_assert_lt(profile.read_count, (size_t)READS_MAX);
	reads[profile.read_count++] = (struct rule_path){ .path = path, .origin = "test.yaml:3" };
}

static void
build(void)
{
	struct err err = ERR_INIT;

	cr_assert_eq(plan_builder_create(&profile, &request, &builder, &err), 0, "%s", err.text);
	cr_assert_eq(plan_builder_finish(builder, &plan, &err), 0, "%s", err.text);
}

/* The n-th row with that target, from 0; NULL. */
static const struct plan_mount *
row_at(const char *target, size_t n)
{
	for (size_t i = 0; i < plan->mount_count; i++) {
		if (strcmp(plan->mounts[i].target, target) == 0 && n-- == 0) {
			return &plan->mounts[i];
		}
	}
	return NULL;
}

static void
expect_row(const char *target, enum mount_kind kind, const char *source, uint32_t mode,
	   uint32_t flags)
{
	const struct plan_mount *m = row_at(target, 0);

	cr_assert_not_null(m, "%s is no row", target);
	cr_expect_eq(m->kind, kind, "%s is %s", target, plan_mount_kind_name(m->kind));
	cr_expect_str_eq(m->source, source, "%s", target);
	cr_expect_eq(m->mode, mode, "%s: mode %o", target, m->mode);
	cr_expect_eq(m->flags, flags, "%s: flags %x", target, m->flags);
}

/* ---- the skeleton ---------------------------------------------------------------------------- */

Test(plan_build, skeleton)
{
	static const struct {
		const char *target;
		enum mount_kind kind;
		const char *source;
		uint32_t mode, flags;
	} rows[] = {
		{ "/dev/null", MOUNT_NODE, "/dev/null", 0, 0 },
		{ "/dev/zero", MOUNT_NODE, "/dev/zero", 0, 0 },
		{ "/dev/full", MOUNT_NODE, "/dev/full", 0, 0 },
		{ "/dev/random", MOUNT_NODE, "/dev/random", 0, 0 },
		{ "/dev/urandom", MOUNT_NODE, "/dev/urandom", 0, 0 },
		{ "/dev/pts", MOUNT_PTS, "", 0, 0 },
		{ "/dev/ptmx", MOUNT_SYMLINK, "pts/ptmx", 0, 0 },
		{ "/dev/fd", MOUNT_SYMLINK, "/proc/self/fd", 0, 0 },
		{ "/dev/stdin", MOUNT_SYMLINK, "/proc/self/fd/0", 0, 0 },
		{ "/dev/stdout", MOUNT_SYMLINK, "/proc/self/fd/1", 0, 0 },
		{ "/dev/stderr", MOUNT_SYMLINK, "/proc/self/fd/2", 0, 0 },
		{ "/dev/shm", MOUNT_SCRATCH, "shm", 01777, MOUNT_WRITABLE | MOUNT_NOEXEC },
		{ "/proc", MOUNT_PROC, "", 0, MOUNT_WRITABLE | MOUNT_NOEXEC },
		{ "/proc/sys", MOUNT_READONLY, "", 0, MOUNT_NOEXEC },
		{ "/tmp", MOUNT_SCRATCH, "tmp", 01777, MOUNT_WRITABLE },
		{ "/home/u", MOUNT_SCRATCH, "home", 0700, MOUNT_WRITABLE },
		{ "/run", MOUNT_DIR, "", 0755, 0 },
		{ "/var", MOUNT_DIR, "", 0755, 0 },
		{ "/var/tmp", MOUNT_SYMLINK, "/tmp", 0, 0 },
	};

	build();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		expect_row(rows[i].target, rows[i].kind, rows[i].source, rows[i].mode,
			   rows[i].flags);
	}
	expect_row(request.workspace, MOUNT_WORKSPACE, "", 0, MOUNT_WRITABLE);
}

/* The number that the jail compares is the number of the device here. */
Test(plan_build, device_numbers_are_the_hosts)
{
	size_t nodes = 0;

	build();
	for (size_t i = 0; i < plan->mount_count; i++) {
		const struct plan_mount *m = &plan->mounts[i];
		struct stat st;

		if (m->kind == MOUNT_NODE) {
			cr_assert_eq(stat(m->source, &st), 0, "%s", m->source);
			cr_expect_eq(m->device, st.st_rdev, "%s", m->source);
			nodes++;
		}
	}
	cr_expect_eq(nodes, 5u);
}

Test(plan_build, parents_before_children)
{
	/* both lie on mounts whose rows are made after theirs: HOME and the workspace */
	const char *home = new_dir("home"), *in_home = new_dir("home/tools"),
		   *in_ws = new_dir("ws/sub");

	request.identity.home = home;
	add_read(in_home);
	add_read(in_ws);
	build();
	cr_assert_not_null(row_at(in_home, 0));
	cr_assert_not_null(row_at(in_ws, 0));
	for (size_t i = 0; i < plan->mount_count; i++) {
		const char *child = plan->mounts[i].target;

		for (size_t j = i + 1; j < plan->mount_count; j++) {
			const char *later = plan->mounts[j].target;
			size_t len = strlen(later);

			cr_expect(!(strncmp(later, child, len) == 0 && child[len] == '/'),
				  "%s comes before %s, on which it lies", child, later);
		}
	}
}

Test(plan_build, every_row_has_texts_and_nothing_is_nosuid_by_flag)
{
	add_read("/usr");
	build();
	for (size_t i = 0; i < plan->mount_count; i++) {
		const struct plan_mount *m = &plan->mounts[i];

		cr_assert_not_null(m->target);
		cr_assert_not_null(m->source, "%s", m->target);
		cr_expect_eq(m->target[0], '/');
		cr_expect_eq(m->flags & ~(MOUNT_WRITABLE | MOUNT_NOEXEC), 0u, "%s", m->target);
	}
}

/* ---- made-up files --------------------------------------------------------------------------- */

static void
expect_file(const char *target, const char *text)
{
	const struct plan_mount *m = row_at(target, 0);

	cr_assert_not_null(m, "%s is no row", target);
	cr_expect_eq(m->kind, (uint32_t)MOUNT_FILE, "%s", target);
	cr_expect_eq(m->mode, 0444u, "%s", target);
	cr_assert_eq(m->data_len, strlen(text), "%s: %.*s", target, (int)m->data_len,
		     (const char *)m->data);
	cr_expect_eq(memcmp(m->data, text, m->data_len), 0, "%s: %.*s", target, (int)m->data_len,
		     (const char *)m->data);
}

Test(plan_build, synthetic_files)
{
	build();
	expect_file("/etc/passwd", "root:x:0:0:root:/root:/usr/sbin/nologin\n"
				   "u:x:1001:1002::/home/u:/bin/sh\n"
				   "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n");
	expect_file("/etc/group", "root:x:0:\nu:x:1002:\nnogroup:x:65534:\n");
	expect_file("/etc/hostname", "airlock\n");
	expect_file("/etc/hosts", "127.0.0.1 localhost airlock\n::1 localhost ip6-localhost\n");
	expect_file("/etc/resolv.conf", "# no name server: this call has no network\n");
}

/* ---- read paths ------------------------------------------------------------------------------ */

Test(plan_build, a_read_path_that_is_not_there_makes_no_row)
{
	add_read("/nonexistent/dir");
	build();
	cr_expect_null(row_at("/nonexistent/dir", 0));
	cr_expect_null(row_at("/nonexistent", 0));
}

Test(plan_build, a_special_file_is_refused_with_its_rule)
{
	struct err err = ERR_INIT;
	const char *fifo = in_dir("fifo");

	cr_assert_eq(mkfifo(fifo, 0600), 0);
	add_read(fifo);
	cr_expect_eq(plan_builder_create(&profile, &request, &builder, &err), -EINVAL);
	cr_expect_null(builder);
	cr_expect_eq(strncmp(err.text, "test.yaml:3: filesystem.read /tmp/", 34), 0, "%s",
		     err.text);
	cr_expect_not_null(strstr(err.text, "only directories, files and links"), "%s", err.text);
}

Test(plan_build, one_directory_is_a_tree)
{
	const char *a = new_dir("a");

	add_read(a);
	build();
	expect_row(a, MOUNT_TREE, a, 0, 0);
}

Test(plan_build, one_file_is_a_copy)
{
	const char *f = new_file("f");

	add_read(f);
	build();
	expect_row(f, MOUNT_COPY, f, 0444, 0);
}

Test(plan_build, what_a_directory_covers_is_folded)
{
	const char *a = new_dir("a"), *sub = new_dir("a/sub"), *file = new_file("a/f");

	add_read(a);
	add_read(file);
	add_read(sub);
	add_read(a);
	build();
	expect_row(a, MOUNT_TREE, a, 0, 0);
	cr_expect_null(row_at(a, 1));
	cr_expect_null(row_at(sub, 0));
	cr_expect_null(row_at(file, 0));
}

/* "/a-b" sorts before "/a/b" as bytes and is not below "/a". */
Test(plan_build, a_name_that_only_begins_alike_is_not_covered)
{
	const char *ab = new_dir("a-b"), *top = new_dir("a"), *sub = new_dir("a/sub");
	struct err err = ERR_INIT;
	struct plan_look look;

	add_read(ab);
	add_read(sub);
	cr_assert_eq(plan_builder_create(&profile, &request, &builder, &err), 0, "%s", err.text);
	cr_assert_eq(plan_look(builder, ab, &look), 0);
	cr_expect_eq(look.error, 0);
	cr_assert_eq(plan_look(builder, sub, &look), 0);
	cr_expect_eq(look.error, 0);
	cr_expect_str_eq(look.real + strlen(top), "/sub");
}

Test(plan_build, several_below_one_top_share_a_layer)
{
	const char *a = new_dir("a"), *b = new_dir("b"), *small = new_file("small"),
		   *large = new_file("large");
	auto_mount_table mounts = MOUNT_TABLE_INIT;
	size_t layer = SIZE_MAX, parts = 0;

	cr_assert_eq(mount_table_read("/proc/self/mountinfo", &mounts), 0);
	if (mount_table_below(&mounts, "/tmp") != NULL) {
		skip("something is mounted below /tmp");
	}
	/* a file of a page is copied, a larger one is bound out of the shared overlay */
	cr_assert_eq(truncate(small, 4096), 0);
	cr_assert_eq(truncate(large, 4097), 0);
	add_read(a);
	add_read(b);
	add_read(small);
	add_read(large);
	build();
	expect_row(a, MOUNT_PART, a + strlen("/tmp/"), 0, 0);
	expect_row(b, MOUNT_PART, b + strlen("/tmp/"), 0, 0);
	expect_row(large, MOUNT_PART, large + strlen("/tmp/"), 0, 0);
	expect_row(small, MOUNT_COPY, small, 0444, 0);
	for (size_t i = 0; i < plan->mount_count; i++) {
		const struct plan_mount *m = &plan->mounts[i];

		if (m->kind == MOUNT_LAYER) {
			cr_expect_eq(layer, SIZE_MAX, "a second layer, at %s", m->target);
			cr_expect_str_eq(m->target, "/tmp");
			cr_expect_str_eq(m->source, "/tmp");
			layer = i;
		} else if (m->kind == MOUNT_PART) {
			cr_expect_lt(layer, i, "%s before its layer", m->target);
			parts++;
		}
	}
	cr_expect_eq(parts, 3u);
}

/*
 * What is made up for a sandbox wins over a read path: a second row for the same name could not be
 * made (the jail creates it exclusively), and nothing can be made in a read-only tree.
 */
static void
expect_made_up_wins(const char *read_path, const char *made_up)
{
	struct stat st;

	if (stat(read_path, &st) < 0) {
		skip("this host does not have the path");
	}
	add_read(read_path);
	build();
	cr_assert_not_null(row_at(made_up, 0), "%s is gone", made_up);
	cr_expect_null(row_at(made_up, 1), "%s is read from the host and made up", made_up);
	for (size_t i = 0; i < plan->mount_count; i++) {
		const struct plan_mount *m = &plan->mounts[i];
		size_t len = strlen(m->target);

		if (m->kind == MOUNT_TREE || m->kind == MOUNT_PART) {
			cr_expect(!(strncmp(made_up, m->target, len) == 0 && made_up[len] == '/'),
				  "%s is to be made in %s, which is read-only", made_up, m->target);
		}
	}
}

Test(plan_build, made_up_hosts_wins_over_a_read_file)
{
	expect_made_up_wins("/etc/hosts", "/etc/hosts");
}

Test(plan_build, made_up_files_win_over_all_of_etc)
{
	expect_made_up_wins("/etc", "/etc/passwd");
}

Test(plan_build, the_link_of_var_tmp_wins_over_all_of_var)
{
	expect_made_up_wins("/var", "/var/tmp");
}

/* ---- links ----------------------------------------------------------------------------------- */

Test(plan_build, a_link_of_roots_is_shown_and_followed)
{
	const char *target = new_dir("target"), *sub = new_dir("target/sub");
	const char *absolute = new_link(target, "absolute");
	const char *relative = new_link("./x/../target", "relative");
	char below[128];

	if (geteuid() != 0) {
		skip("only root makes links of root's");
	}
	snprintf(below, sizeof(below), "%s/sub", absolute);
	add_read(below);
	add_read(relative);
	build();
	expect_row(absolute, MOUNT_SYMLINK, target, 0, 0);
	expect_row(relative, MOUNT_SYMLINK, "./x/../target", 0, 0);
	cr_expect_null(row_at(sub, 0), "the target covers it");
	cr_assert_not_null(row_at(target, 0));
}

static void
expect_not_followed(uid_t owner)
{
	const char *secret = new_dir("secret");
	const char *link = new_link(secret, "link");

	cr_assert_eq(lchown(link, owner, owner), 0);
	add_read(link);
	build();
	expect_row(link, MOUNT_SYMLINK, secret, 0, 0);
	cr_expect_null(row_at(secret, 0), "a link of uid %u was followed", owner);
}

Test(plan_build, a_link_of_a_users_is_shown_and_not_followed)
{
	if (geteuid() != 0) {
		skip("only root makes links of others");
	}
	expect_not_followed(1);
}

/* The id that stands for unmapped owners is a user of its own where it is mapped. */
Test(plan_build, a_link_of_nobodys_is_not_followed_where_nobody_is_a_user)
{
	if (geteuid() != 0 || trusted_unmapped_uid() != (uid_t)-1) {
		skip("only root where uid 65534 is mapped makes such links");
	}
	expect_not_followed(65534);
}

Test(plan_build, links_in_a_circle_end)
{
	const char *a = new_link("b", "a");

	new_link("a", "b");
	add_read(a);
	build();
	expect_row(a, MOUNT_SYMLINK, "b", 0, 0);
}

/* ---- flags and scalars ----------------------------------------------------------------------- */

/* The directories that lead to a mount in /tmp or HOME are made in the call's tmpfs. */
static unsigned int
names_in_scratch(const char *path)
{
	size_t home = strlen(request.identity.home);
	unsigned int names = 0;

	path += strncmp(path, request.identity.home, home) == 0 ? home
		: strncmp(path, "/tmp/", 5) == 0		? 4
								: strlen(path);
	for (; *path != '\0'; path++) {
		names += *path == '/';
	}
	return names;
}

Test(plan_build, room_for_what_is_made_in_the_calls_tmpfs)
{
	profile.git_identity = true;
	profile.git_name = profile.git_email = "";
	build();
	cr_expect_eq(plan->scratch_bytes, 8 * UNIT_MIB + 4096);
	cr_expect_eq(plan->scratch_inodes, 117u + names_in_scratch(request.workspace));
}

Test(plan_build, scalars)
{
	build();
	cr_expect_str_eq(plan->call, "01890000-0000-7000-8000-000000000000");
	cr_expect_str_eq(plan->hostname, "airlock");
	cr_expect_str_eq(plan->exe, "/usr/bin/true");
	cr_expect_str_eq(plan->workspace, request.workspace);
	cr_expect_str_eq(plan->cwd, request.workspace);
	cr_expect_str_eq(plan->upper_dir, "");
	cr_expect_str_eq(plan->lower_dir, "/lower");
	cr_expect_eq(plan->lower_dev, 7u);
	cr_expect_eq(plan->lower_ino, 8u);
	cr_expect_eq(plan->uid_inside, 1001u);
	cr_expect_eq(plan->gid_inside, 1002u);
	cr_expect_eq(plan->scratch_bytes, 8 * UNIT_MIB);
	cr_expect_eq(plan->scratch_inodes, 116u + names_in_scratch(request.workspace));
	cr_expect_eq(plan->flags, PLAN_MAP_SELF | PLAN_NOTIFY);
	cr_expect_eq(plan->fd_first_free, (uint32_t)JAIL_FD_WORKSPACE);
	cr_expect_eq(plan->argc, 1u);
	cr_expect_str_eq(plan->argv[0], "true");
}

Test(plan_build, flags_follow_the_request)
{
	request.identity.kind = IDENTITY_RANGE;
	request.workspace_clone = true;
	request.degraded = DEGRADE_NOTIFY;
	profile.loopback = true;
	build();
	cr_expect_eq(plan->flags, PLAN_DROP_GROUPS | PLAN_LOOPBACK | PLAN_WORKSPACE_FD);
	cr_expect_eq(plan->fd_first_free, (uint32_t)JAIL_FD_WORKSPACE + 1);
}

Test(plan_build, a_terminal_brings_dev_tty)
{
	request.terminal = true;
	build();
	cr_expect_eq(plan->flags & PLAN_TERMINAL, PLAN_TERMINAL);
	expect_row("/dev/tty", MOUNT_NODE, "/dev/tty", 0, 0);
}

Test(plan_build, without_a_terminal_there_is_no_dev_tty)
{
	build();
	for (size_t i = 0; i < plan->mount_count; i++) {
		cr_expect_str_neq(plan->mounts[i].target, "/dev/tty");
	}
}

Test(plan_build, observe_refuse_makes_the_workspace_read_only)
{
	request.mode = MODE_OBSERVE;
	profile.observe_writes = OBSERVE_REFUSE;
	build();
	expect_row(request.workspace, MOUNT_WORKSPACE, "", 0, 0);
	cr_expect_eq(plan->flags & PLAN_WORKSPACE_RO, PLAN_WORKSPACE_RO);
}

Test(plan_build, apply_is_writable_whatever_observe_says)
{
	profile.observe_writes = OBSERVE_REFUSE;
	build();
	expect_row(request.workspace, MOUNT_WORKSPACE, "", 0, MOUNT_WRITABLE);
	cr_expect_eq(plan->flags & PLAN_WORKSPACE_RO, 0u);
}

/* ---- Landlock -------------------------------------------------------------------------------- */

static uint64_t
access_of(const char *path)
{
	uint64_t access = 0;

	for (size_t i = 0; i < plan->rule_count; i++) {
		if (strcmp(plan->rules[i].path, path) == 0) {
			access |= plan->rules[i].access;
		}
	}
	return access;
}

Test(plan_build, landlock_rights_by_abi)
{
	static const struct {
		int abi;
		uint64_t fs, net, scoped;
	} rows[] = {
		{ 0, 0, 0, 0 },	     { 2, 0x3fff, 0, 0 }, { 3, 0x7fff, 0, 0 }, { 4, 0x7fff, 3, 0 },
		{ 5, 0xffff, 3, 0 }, { 6, 0xffff, 3, 3 }, { 7, 0xffff, 3, 3 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		request.landlock_abi = rows[i].abi;
		build();
		cr_expect_eq(plan->landlock_abi, (uint32_t)rows[i].abi);
		cr_expect_eq(plan->landlock_fs, rows[i].fs, "ABI %d", rows[i].abi);
		cr_expect_eq(plan->landlock_net, rows[i].net, "ABI %d", rows[i].abi);
		cr_expect_eq(plan->landlock_scoped, rows[i].scoped, "ABI %d", rows[i].abi);
		for (size_t r = 0; r < plan->rule_count; r++) {
			cr_expect_eq(plan->rules[r].access & ~rows[i].fs, 0u, "ABI %d, %s",
				     rows[i].abi, plan->rules[r].path);
			cr_expect_neq(plan->rules[r].access, 0u,
				      "ABI %d, %s: the kernel refuses none", rows[i].abi,
				      plan->rules[r].path);
		}
		plan_builder_destroy(builder);
		builder = NULL;
	}
}

Test(plan_build, a_loopback_leaves_tcp_to_the_namespace)
{
	profile.loopback = true;
	build();
	cr_expect_eq(plan->landlock_net, 0u);
}

Test(plan_build, landlock_rules)
{
	const uint64_t dir_read = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |
				  LANDLOCK_ACCESS_FS_READ_DIR;
	const char *a = new_dir("a");
	const char *link = new_link("a", "link");

	add_read(a);
	add_read(link);
	add_read("/bin/true");
	build();
	cr_expect_eq(access_of("/"), (uint64_t)LANDLOCK_ACCESS_FS_READ_DIR);
	cr_expect_eq(access_of(a), dir_read);
	cr_expect_eq(access_of(link), 0u);
	cr_expect_eq(access_of("/tmp"), UINT64_C(0xffff));
	cr_expect_eq(access_of("/dev/shm"), UINT64_C(0xffff));
	cr_expect_eq(access_of("/home/u"), UINT64_C(0xffff));
	cr_expect_eq(access_of(request.workspace), UINT64_C(0xffff));
	cr_expect_eq(access_of("/usr/bin/true") | access_of("/bin/true"),
		     (uint64_t)(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE),
		     "READ_DIR on a file is EINVAL for the kernel");
	cr_expect_eq(access_of("/proc") & LANDLOCK_ACCESS_FS_MAKE_REG, 0u);
}

Test(plan_build, a_read_only_workspace_is_read_only_for_landlock_too)
{
	request.mode = MODE_OBSERVE;
	profile.observe_writes = OBSERVE_REFUSE;
	build();
	cr_expect_eq(access_of(request.workspace), (uint64_t)(LANDLOCK_ACCESS_FS_EXECUTE |
							     LANDLOCK_ACCESS_FS_READ_FILE |
							     LANDLOCK_ACCESS_FS_READ_DIR));
}

Test(plan_build, credentials_have_a_place_where_one_is_a_file)
{
	static const struct plan_credential credentials[] = {
		{ DELIVERY_SSH_AGENT, "A" }, { DELIVERY_ENV, "B" }, { DELIVERY_FILE, "c" } };

	request.credentials = credentials;
	request.credential_count = 3;
	build();
	expect_row(CREDENTIALS_INSIDE, MOUNT_CREDENTIALS, "", 0, MOUNT_NOEXEC);
	cr_expect_eq(access_of(CREDENTIALS_INSIDE),
		     (uint64_t)(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR));
	cr_expect_eq(plan->fd_first_free, (uint32_t)JAIL_FD_WORKSPACE + 3, "their pipes");
	request.credential_count = 1;
	cr_expect(plan_has_credential_files(&request), "a socket is a file as well");
}

/* ---- rlimits --------------------------------------------------------------------------------- */

static const struct plan_rlimit *
rlimit_of(int resource)
{
	for (size_t i = 0; i < plan->rlimit_count; i++) {
		if (plan->rlimits[i].resource == (uint32_t)resource) {
			return &plan->rlimits[i];
		}
	}
	return NULL;
}

static void
expect_rlimit(int resource, uint64_t soft, uint64_t hard)
{
	const struct plan_rlimit *l = rlimit_of(resource);

	cr_assert_not_null(l, "resource %d", resource);
	cr_expect_eq(l->soft, soft, "resource %d", resource);
	cr_expect_eq(l->hard, hard, "resource %d", resource);
}

Test(plan_build, rlimits)
{
	build();
	expect_rlimit(RLIMIT_NOFILE, 50, 50);
	expect_rlimit(RLIMIT_CPU, 2, 3);
	expect_rlimit(RLIMIT_RTPRIO, 0, 0);
	expect_rlimit(RLIMIT_SIGPENDING, 4096, 4096);
	cr_expect_null(rlimit_of(RLIMIT_NPROC), "the cgroup counts");
	cr_expect_null(rlimit_of(RLIMIT_DATA), "the cgroup counts");
}

Test(plan_build, rlimits_stand_in_for_missing_groups)
{
	request.degraded = DEGRADE_CGROUP;
	build();
	expect_rlimit(RLIMIT_NPROC, 33, 33);
	expect_rlimit(RLIMIT_DATA, 64 * UNIT_MIB, 64 * UNIT_MIB);
}

/* Nobody can go above his own hard limit: the plan holds the value that will stand. */
Test(plan_build, rlimits_are_capped_at_the_callers_hard_limit)
{
	const struct rlimit low = { .rlim_cur = 40, .rlim_max = 40 };
	const struct rlimit cpu = { .rlim_cur = 3600, .rlim_max = 7200 };

	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
	cr_assert_eq(setrlimit(RLIMIT_CPU, &cpu), 0);
	request.limits.cpu_time_ms = 7200 * 1000;
	build();
	expect_rlimit(RLIMIT_NOFILE, 40, 40);
	expect_rlimit(RLIMIT_CPU, 7200, 7200);
}

Test(plan_build, no_core_file_and_no_piped_core)
{
	build();
	expect_rlimit(RLIMIT_CORE, 1, 1);
}

/* ---- a mount inside the workspace ------------------------------------------------------------ */

Test(plan_build, mounts_inside_the_workspace)
{
	const char *const *points = NULL;
	struct err err = ERR_INIT;

	/* "/" has mounts in it on every host: /proc at least */
	request.workspace = "/";
	cr_expect_eq(plan_builder_create(&profile, &request, &builder, &err), -EBUSY);
	cr_expect_not_null(strstr(err.text, "is a mount inside the workspace"), "%s", err.text);
	cr_assert_null(builder);
	request.workspace_clone = true;
	cr_assert_eq(plan_builder_create(&profile, &request, &builder, &err), 0, "%s", err.text);
	cr_expect_gt(plan_hidden_mounts(builder, &points), 0u);
	cr_expect_neq(points[0][1], '\0', "the workspace itself is not inside itself");
}

Test(plan_build, no_mounts_inside_the_workspace)
{
	const char *const *points = NULL;

	build();
	cr_expect_eq(plan_hidden_mounts(builder, &points), 0u);
}
