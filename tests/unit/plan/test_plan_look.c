/* SPDX-License-Identifier: Apache-2.0 */
/* plan_look: what a tool meets at a path, links and hidden places included. Run by `make unit`. */
#include "plan_world.h"

static struct plan_world w;
static struct rule_path reads[2], hides[1];
static char read_paths[2][128];

static void
make_link(const char *target, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", w.dir, name);
	cr_assert_eq(symlink(target, path), 0, "%s", path);
}

static void
start(void)
{
	plan_world_init(&w);
	plan_world_make(&w, "a/");
	plan_world_make(&w, "a/f");
	plan_world_make(&w, "tool");
	plan_world_make(&w, "text");
	plan_world_make(&w, "other");
	plan_world_make(&w, "ws/f");
	plan_world_make(&w, "ws/keys/");
	plan_world_make(&w, "ws/keys/one");
	make_link("f", "a/near");
	make_link("../other", "a/out");
	make_link("../ws/f", "a/far");
	make_link("loop", "a/loop");
	make_link("a/f", "beside");
	for (size_t i = 0; i < 2; i++) {
		snprintf(read_paths[i], sizeof(read_paths[0]), "%s/%s", w.dir,
			 i == 0 ? "a" : "tool");
		reads[i] = (struct rule_path){ .path = read_paths[i], .origin = "t.yaml:3" };
	}
	w.profile.read = reads;
	w.profile.read_count = 2;
}

static void
finish(void)
{
	plan_world_finish(&w);
}

TestSuite(plan_look, .init = start, .fini = finish);

static struct plan_look
look_at(const char *path)
{
	struct plan_look look = { .error = -1 };
	struct err err = ERR_INIT;

	if (w.builder == NULL) {
		cr_assert_eq(plan_world_build(&w, &err), 0, "%s", err.text);
	}
	cr_assert_eq(plan_look(w.builder, path, &look), 0, "%s", path);
	return look;
}

Test(plan_look, places)
{
	static const struct {
		const char *name;
		int error;
		const char *to; /* where it leads, or what is missing */
	} rows[] = {
		{ "a", 0, "a" },
		{ "a/f", 0, "a/f" },
		{ "a/../a/./f", 0, "a/f" },
		{ "a//f", 0, "a/f" },
		{ "a/near", 0, "a/f" },
		{ "a/far", 0, "ws/f" },
		{ "ws", 0, "ws" },
		{ "ws/f", 0, "ws/f" },
		{ "tool", 0, "tool" },
		{ "", 0, "" }, /* the way to what is there */
		{ "other", ENOENT, "other" },
		{ "a/out", ENOENT, "other" },
		{ "beside", ENOENT, "beside" }, /* a link that nobody shows, to what is shown */
		{ "none/x/y", ENOENT, "none/x/y" },
		{ "a/f/x", ENOTDIR, "a/f/x" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char path[256], to[256];
		struct plan_look look;

		snprintf(path, sizeof(path), "%s/%s", w.dir, rows[i].name);
		snprintf(to, sizeof(to), "%s%s%s", w.dir, rows[i].to[0] != '\0' ? "/" : "",
			 rows[i].to);
		look = look_at(path);
		cr_expect_eq(look.error, rows[i].error, "%s: %d", path, look.error);
		cr_expect_str_eq(look.error == 0 ? look.real : look.wanted, to);
	}
}

Test(plan_look, circles_and_what_is_the_sandboxs_own)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/a/loop", w.dir);
	cr_expect_eq(look_at(path).error, ELOOP);
	cr_expect_eq(look_at("/tmp/airlock-not-there").error, ENOENT);
	cr_expect_eq(look_at("/proc/self/exe").error, ENOENT);
	cr_expect_eq(look_at("/dev/null").error, 0);
	cr_expect_eq(look_at("/etc/passwd").mode, (mode_t)(S_IFREG | 0444));
	cr_expect_null(look_at("/etc/passwd").host);
}

Test(plan_look, what_is_hidden_in_the_workspace)
{
	char path[256];
	struct plan_look look;

	hides[0] = (struct rule_path){ .path = "keys", .origin = "t.yaml:9" };
	w.profile.hide = (struct rule_paths){ .items = hides, .count = 1 };
	snprintf(path, sizeof(path), "%s/keys/one", w.workspace);
	look = look_at(path);
	cr_expect_eq(look.error, EPERM);
	cr_assert_not_null(look.hide);
	cr_expect_str_eq(look.hide->origin, "t.yaml:9");
	snprintf(path, sizeof(path), "%s/f", w.workspace);
	cr_expect_null(look_at(path).hide);
}

/* A single file is a copy: what could be executed on the host can be inside. */
Test(plan_look, a_file_that_is_a_program_stays_one)
{
	struct plan_look look;

	cr_assert_eq(chmod(read_paths[1], 0700), 0);
	look = look_at(read_paths[1]);
	cr_expect_eq(plan_world_row(&w, "tool")->mode, 0555u);
	cr_expect_eq(look.mode, (mode_t)(S_IFREG | 0555));
	cr_expect_str_eq(look.host, read_paths[1]);
}

Test(plan_look, a_file_that_is_none_does_not_become_one)
{
	cr_expect_eq(look_at(read_paths[1]).mode, (mode_t)(S_IFREG | 0444));
	cr_expect_eq(plan_world_row(&w, "tool")->mode, 0444u);
}
