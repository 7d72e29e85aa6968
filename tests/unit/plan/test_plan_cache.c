/* SPDX-License-Identifier: Apache-2.0 */
/* filesystem.cache: which rows, and where a cache may not stand. Run by `make unit`. */
#include "plan_world.h"

#include "../../../launcher/plan/plan_build_internal.h"

static char path[160], source[160];
static struct profile_cache caches[2];
static struct request_cache behind[2];

/* The world's profile has a cache at `at`; behind it is dir/kept. */
static void
give(struct plan_world *w, const char *at, uint32_t flags)
{
	snprintf(path, sizeof(path), "%s", at);
	snprintf(source, sizeof(source), "%s/kept", w->dir);
	caches[0] = (struct profile_cache){ .name = "c",
					    .at = { path, "t.yaml:3" },
					    .flags = flags };
	behind[0] = (struct request_cache){ .source = source, .dev = 7, .ino = 77 };
	w->profile.caches = caches;
	w->profile.cache_count = 1;
	w->request.caches = behind;
}

static const struct plan_mount *
row_of(const struct plan_world *w)
{
	for (size_t i = 0; i < w->plan->mount_count; i++) {
		if (strcmp(w->plan->mounts[i].target, path) == 0) {
			return &w->plan->mounts[i];
		}
	}
	return NULL;
}

static uint64_t
access_of(const struct plan_world *w)
{
	for (size_t i = 0; i < w->plan->rule_count; i++) {
		if (strcmp(w->plan->rules[i].path, path) == 0) {
			return w->plan->rules[i].access;
		}
	}
	return 0;
}

#define LL_EXECUTE 1u
#define LL_WRITE 2u
#define LL_READ 4u

static void
expect_row(enum mode mode, uint32_t cache, uint32_t flags, uint64_t access)
{
	struct plan_world w;
	struct err err = ERR_INIT;
	const struct plan_mount *row;

	plan_world_init(&w);
	w.request.mode = mode;
	give(&w, "/home/u/.cache/c", cache);
	cr_assert_eq(plan_world_build(&w, &err), 0, "%s", err.text);
	row = row_of(&w);
	cr_assert_not_null(row);
	cr_expect_eq(row->kind, MOUNT_CACHE);
	cr_expect_eq(row->flags, flags);
	cr_expect_eq(row->device, 7u);
	cr_expect_eq(row->inode, 77u);
	cr_expect_str_eq(row->source, source);
	cr_expect_eq(access_of(&w) & (LL_EXECUTE | LL_WRITE | LL_READ), access);
	plan_world_finish(&w);
}

Test(plan_cache, a_directory_is_mounted_and_compared)
{
	expect_row(MODE_APPLY, 0, MOUNT_NOEXEC | MOUNT_WRITABLE, LL_WRITE | LL_READ);
	expect_row(MODE_APPLY, CACHE_USER, MOUNT_NOEXEC | MOUNT_WRITABLE, LL_WRITE | LL_READ);
	expect_row(MODE_APPLY, CACHE_EXEC, MOUNT_WRITABLE, LL_EXECUTE | LL_WRITE | LL_READ);
	expect_row(MODE_OBSERVE, 0, MOUNT_NOEXEC, LL_READ);
	expect_row(MODE_OBSERVE, CACHE_EXEC, 0, LL_EXECUTE | LL_READ);
}

/* Who only asks what would be has no directory. */
Test(plan_cache, without_a_directory_behind_it)
{
	struct plan_world w;
	struct err err = ERR_INIT;
	struct plan_look look;

	plan_world_init(&w);
	give(&w, "/home/u/.cache/c", 0);
	w.request.caches = NULL;
	cr_assert_eq(plan_world_build(&w, &err), 0, "%s", err.text);
	cr_assert_not_null(row_of(&w));
	cr_expect_str_eq(row_of(&w)->source, "");
	cr_assert_eq(plan_look(w.builder, "/home/u/.cache/c", &look), 0);
	cr_expect_eq(look.error, 0);
	cr_expect_eq(look.mode & S_IFMT, (mode_t)S_IFDIR);
	cr_expect_null(look.host);
	cr_assert_eq(plan_look(w.builder, "/home/u/.cache/c/x", &look), 0);
	cr_expect_eq(look.error, ENOENT);
	plan_world_finish(&w);
}

static void
expect_refused(struct plan_world *w, const char *at, const char *why)
{
	struct err err = ERR_INIT;
	char want[512];

	give(w, at, 0);
	cr_expect_eq(plan_world_build(w, &err), -EINVAL, "%s", at);
	snprintf(want, sizeof(want), "t.yaml:3: filesystem.cache %s: %s", at, why);
	cr_expect_str_eq(err.text, want);
}

#define ELSEWHERE                                                                              \
	"it must be in the call's own directories, such as HOME, or a directory that "          \
	"filesystem.read shows, and no link on the way"

static struct rule_path read_rule;

Test(plan_cache, where_it_may_not_stand)
{
	struct plan_world w;
	struct err err = ERR_INIT;
	char read[128], at[160], there[256];

	plan_world_init(&w);
	plan_world_make(&w, "read/");
	plan_world_make(&w, "read/dir/");
	plan_world_make(&w, "read/file");
	snprintf(read, sizeof(read), "%s/read", w.dir);
	cr_assert_eq(symlink("dir", strcat(strcpy(at, read), "/link")), 0);
	read_rule = (struct rule_path){ .path = read, .origin = "t.yaml:2" };
	w.profile.read = &read_rule;
	w.profile.read_count = 1;
	expect_refused(&w, "/home/u", "/home/u is there already");
	expect_refused(&w, "/home", "/home/u is there already");
	snprintf(there, sizeof(there), "%s is there already", w.workspace);
	expect_refused(&w, w.workspace, there);
	snprintf(at, sizeof(at), "%s/c", w.workspace);
	expect_refused(&w, at, ELSEWHERE);
	expect_refused(&w, "/var/tmp/c", ELSEWHERE);
	expect_refused(&w, "/dev/null/c", ELSEWHERE);
	snprintf(there, sizeof(there), "%s is there already", read);
	expect_refused(&w, read, there);
	snprintf(at, sizeof(at), "%s/none", read);
	expect_refused(&w, at, ELSEWHERE);
	snprintf(at, sizeof(at), "%s/file", read);
	expect_refused(&w, at, ELSEWHERE);
	snprintf(at, sizeof(at), "%s/link", read);
	expect_refused(&w, at, ELSEWHERE);
	snprintf(at, sizeof(at), "%s/dir", read);
	give(&w, at, 0);
	cr_expect_eq(plan_world_build(&w, &err), 0, "%s", err.text);
	plan_world_finish(&w);
}

Test(plan_cache, one_at_a_place)
{
	struct plan_world w;
	struct err err = ERR_INIT;

	plan_world_init(&w);
	give(&w, "/home/u/c", 0);
	caches[1] = caches[0];
	w.profile.cache_count = 2;
	cr_expect_eq(plan_world_build(&w, &err), -EINVAL);
	cr_expect_str_eq(err.text,
			 "t.yaml:3: filesystem.cache /home/u/c: /home/u/c is there already");
	caches[1].at.path = "/home/u/c/d";
	err = (struct err)ERR_INIT;
	cr_expect_eq(plan_world_build(&w, &err), -EINVAL);
	cr_expect_str_eq(err.text, "t.yaml:3: filesystem.cache /home/u/c/d: " ELSEWHERE);
	plan_world_finish(&w);
}
