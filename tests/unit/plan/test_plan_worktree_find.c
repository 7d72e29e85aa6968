/* SPDX-License-Identifier: Apache-2.0 */
/* git.worktree: whose repository is given, and why others are not. Run by `make unit`. */
#include "worktree_world.h"

/* want: what the refusal says, "DIR" for the directory of the test; NULL: it is given. */
static void
expect(struct worktree_world *w, const char *want)
{
	char whole[512] = "";

	w->found = (struct worktree){ .common = NULL };
	cr_assert_eq(worktree_find(&w->arena, &w->query, &w->found), 0);
	if (want == NULL) {
		cr_expect_null(w->found.refusal, "%s", w->found.refusal);
		cr_assert_not_null(w->found.common);
		cr_expect_str_eq(w->found.common, w->common);
		return;
	}
	snprintf(whole, sizeof(whole), "%s%s", strncmp(want, "DIR", 3) == 0 ? w->plan.dir : "",
		 want + (strncmp(want, "DIR", 3) == 0 ? 3 : 0));
	cr_expect_null(w->found.common, "given: %s", want);
	cr_assert_not_null(w->found.refusal, "%s", want);
	cr_expect_str_eq(w->found.refusal, whole);
}

static void
point(const struct worktree_world *w, const char *text)
{
	worktree_write(w, "ws/.git", text);
}

Test(plan_worktree_find, what_is_listed_is_given_and_nothing_else)
{
	static const char *const want[] = { "HEAD", "objects", "refs", "packed-refs",
					    "worktrees/one/HEAD",
					    "worktrees/one/commondir", "worktrees/one/gitdir",
					    "worktrees/one/index" };
	struct worktree_world w;
	struct stat st;

	worktree_world_init(&w);
	expect(&w, NULL);
	cr_assert_eq(w.found.item_count, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		cr_expect_str_eq(w.found.items[i].path, want[i]);
		cr_expect_eq(w.found.items[i].is_dir, i == 1 || i == 2);
	}
	cr_assert_eq(stat(worktree_path(&w, "main/.git/objects"), &st), 0);
	cr_expect_eq(w.found.items[1].device, st.st_dev);
	cr_expect_eq(w.found.items[1].inode, st.st_ino);
	cr_expect_eq(w.found.sha256, false);
	worktree_write(&w, "main/.git/config", "[extensions]\n\tobjectformat = sha256\n");
	expect(&w, NULL);
	cr_expect_eq(w.found.sha256, true);
	worktree_write(&w, "main/.git/worktrees/one/commondir", w.common);
	expect(&w, NULL);
	worktree_world_finish(&w);
}

Test(plan_worktree_find, a_repository_or_none_is_no_worktree)
{
	struct worktree_world w;

	worktree_world_init(&w);
	cr_expect_eq(worktree_is_linked(w.query.workspace_fd), true);
	cr_assert_eq(unlink(worktree_path(&w, "ws/.git")), 0);
	cr_expect_eq(worktree_is_linked(w.query.workspace_fd), false);
	cr_assert_eq(worktree_find(&w.arena, &w.query, &w.found), 0);
	cr_expect_null(w.found.common);
	cr_expect_null(w.found.refusal);
	plan_world_make(&w.plan, "ws/.git/");
	cr_expect_eq(worktree_is_linked(w.query.workspace_fd), false);
	worktree_world_finish(&w);
}

Test(plan_worktree_find, the_pointer)
{
	static const char *const bad[] = { "gitdir: ../main/.git/worktrees/one\n",
					   "gitdir: /a/../b/worktrees/one\n",
					   "gitdir: /a/worktrees/..\n",
					   "/a/worktrees/one\n",
					   "gitdir: /a/worktrees/one\nmore\n",
					   "gitdir: /\n",
					   "gitdir: /a/worktrees/one/\n",
					   "",
					   "gitdir: \n" };
	struct worktree_world w;
	char text[256];

	worktree_world_init(&w);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		point(&w, bad[i]);
		expect(&w, "its .git names no absolute path");
	}
	point(&w, "gitdir: /worktrees/one\n");
	expect(&w, "/worktrees/one is no directory of a linked worktree");
	point(&w, "gitdir: /a/b/c\n");
	expect(&w, "/a/b/c is no directory of a linked worktree");
	point(&w, "gitdir: /a/place/of/some/keys\n");
	expect(&w, "/a/place/of/some/keys is no directory of a linked worktree");
	snprintf(text, sizeof(text), "gitdir: %s/worktrees/two", w.common);
	point(&w, text);
	expect(&w, "DIR/main/.git/worktrees/two is no directory that can be looked at");
	worktree_world_finish(&w);
}

Test(plan_worktree_find, the_other_side_must_name_this_workspace)
{
	struct worktree_world w;
	char text[256];

	worktree_world_init(&w);
	worktree_write(&w, "main/.git/worktrees/one/gitdir", "/elsewhere/.git\n");
	expect(&w, "DIR/main/.git has no worktree of that name at this workspace");
	snprintf(text, sizeof(text), "%s/.git/x\n", w.plan.workspace);
	worktree_write(&w, "main/.git/worktrees/one/gitdir", text);
	expect(&w, "DIR/main/.git has no worktree of that name at this workspace");
	snprintf(text, sizeof(text), "%s/.git\n", w.plan.workspace);
	worktree_write(&w, "main/.git/worktrees/one/gitdir", text);
	expect(&w, NULL);
	worktree_write(&w, "main/.git/worktrees/one/commondir", "/etc\n");
	expect(&w, "DIR/main/.git is not what the worktree's commondir names");
	worktree_world_finish(&w);
}

Test(plan_worktree_find, links_are_not_followed)
{
	struct worktree_world w;
	char text[256], to[128];

	worktree_world_init(&w);
	snprintf(to, sizeof(to), "%s/main", w.plan.dir);
	cr_assert_eq(symlink(to, worktree_path(&w, "via")), 0);
	snprintf(text, sizeof(text), "gitdir: %s/via/.git/worktrees/one\n", w.plan.dir);
	point(&w, text);
	expect(&w, "DIR/via/.git has a link in its path, which is not followed");
	snprintf(text, sizeof(text), "gitdir: %s/worktrees/link\n", w.common);
	point(&w, text);
	cr_assert_eq(symlink("one", worktree_path(&w, "main/.git/worktrees/link")), 0);
	expect(&w, "DIR/main/.git/worktrees/link has a link in its path, which is not followed");
	snprintf(text, sizeof(text), "gitdir: %s/worktrees/one\n", w.common);
	point(&w, text);
	cr_assert_eq(unlink(worktree_path(&w, "main/.git/worktrees/one/index")), 0);
	cr_assert_eq(symlink("/etc/passwd", worktree_path(&w, "main/.git/worktrees/one/index")), 0);
	expect(&w, "DIR/main/.git/worktrees/one/index is no file that can be read");
	cr_assert_eq(unlink(worktree_path(&w, "main/.git/worktrees/one/index")), 0);
	cr_assert_eq(rmdir(worktree_path(&w, "main/.git/objects")), 0);
	cr_assert_eq(symlink("/etc", worktree_path(&w, "main/.git/objects")), 0);
	expect(&w, "DIR/main/.git/objects is no directory that can be read");
	worktree_world_finish(&w);
}

Test(plan_worktree_find, it_is_a_repository)
{
	struct worktree_world w;

	worktree_world_init(&w);
	plan_world_make(&w.plan, "main/.git/reftable/");
	expect(&w, "DIR/main/.git keeps its references as reftable");
	cr_assert_eq(rmdir(worktree_path(&w, "main/.git/reftable")), 0);
	cr_assert_eq(truncate(worktree_path(&w, "main/.git/packed-refs"), 33 << 20), 0);
	expect(&w, "DIR/main/.git/packed-refs is larger than 32 MiB");
	cr_assert_eq(truncate(worktree_path(&w, "main/.git/packed-refs"), 32 << 20), 0);
	expect(&w, NULL);
	cr_assert_eq(truncate(worktree_path(&w, "main/.git/worktrees/one/index"), 32 << 20), 0);
	expect(&w, "DIR/main/.git/worktrees/one/index and the files beside it are larger than "
		   "48 MiB");
	cr_assert_eq(unlink(worktree_path(&w, "main/.git/packed-refs")), 0);
	expect(&w, NULL);
	cr_assert_eq(unlink(worktree_path(&w, "main/.git/worktrees/one/index")), 0);
	plan_world_make(&w.plan, "main/.git/worktrees/one/index/");
	expect(&w, "DIR/main/.git/worktrees/one/index is no file that can be read");
	cr_assert_eq(rmdir(worktree_path(&w, "main/.git/worktrees/one/index")), 0);
	cr_assert_eq(mkfifo(worktree_path(&w, "main/.git/worktrees/one/index"), 0644), 0);
	expect(&w, "DIR/main/.git/worktrees/one/index is no file that can be read");
	cr_assert_eq(unlink(worktree_path(&w, "main/.git/worktrees/one/index")), 0);
	cr_assert_eq(rmdir(worktree_path(&w, "main/.git/refs")), 0);
	expect(&w, "DIR/main/.git/refs is no directory that can be read");
	cr_assert_eq(unlink(worktree_path(&w, "main/.git/HEAD")), 0);
	expect(&w, "DIR/main/.git/HEAD is no file that can be read");
	worktree_world_finish(&w);
}

Test(plan_worktree_find, whose_it_is)
{
	struct worktree_world w;

	worktree_world_init(&w);
	cr_assert_eq(chmod(worktree_path(&w, "main/.git"), 0777), 0);
	expect(&w, "DIR/main/.git is not the caller's alone to write");
	cr_assert_eq(chmod(worktree_path(&w, "main/.git"), 0775), 0);
	expect(&w, NULL);
	cr_assert_eq(chmod(worktree_path(&w, "main/.git/worktrees/one"), 0777), 0);
	expect(&w, "DIR/main/.git/worktrees/one is not the caller's alone to write");
	cr_assert_eq(chmod(worktree_path(&w, "main/.git/worktrees/one"), 0755), 0);
	w.plan.request.identity.uid_outside++;
	expect(&w, "DIR/main/.git is not the caller's alone to write");
	/* As root, the tool's id is another than the caller's, and must be let in. */
	w.plan.request.identity.kind = IDENTITY_RANGE;
	expect(&w, "DIR/main/.git/HEAD is not readable by the user that the tool runs as");
	cr_assert_eq(chmod(w.plan.dir, 0711), 0);
	expect(&w, NULL);
	cr_assert_eq(chmod(worktree_path(&w, "main/.git/worktrees/one/index"), 0600), 0);
	expect(&w, "DIR/main/.git/worktrees/one/index is not readable by the user that the tool "
		   "runs as");
	worktree_world_finish(&w);
}

Test(plan_worktree_find, where_it_may_lie)
{
	struct worktree_world w;
	char text[256], place[128];

	worktree_world_init(&w);
	w.query.state = w.common;
	expect(&w, "DIR/main/.git is a place that no call is shown");
	w.query.state = w.state;
	snprintf(place, sizeof(place), "%s/worktrees", w.common);
	w.plan.request.identity.home = place;
	expect(&w, "DIR/main/.git is a place that no call is shown");
	w.plan.request.identity.home = w.common;
	expect(&w, "DIR/main/.git is a place that no call is shown");
	w.plan.request.identity.home = w.plan.dir;
	expect(&w, NULL);
	snprintf(text, sizeof(text), "gitdir: %s/.ssh/worktrees/one\n", w.plan.dir);
	point(&w, text);
	expect(&w, "DIR/.ssh is a place that no call is shown");
	snprintf(text, sizeof(text), "gitdir: %s/own/worktrees/one\n", w.plan.workspace);
	point(&w, text);
	expect(&w, "DIR/ws/own lies in the workspace or contains it");
	snprintf(text, sizeof(text), "gitdir: %s/worktrees/one\n", w.plan.dir);
	point(&w, text);
	snprintf(place, sizeof(place), "%s lies in the workspace or contains it", w.plan.dir);
	expect(&w, place);
	worktree_world_finish(&w);
}
