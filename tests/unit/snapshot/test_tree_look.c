/* SPDX-License-Identifier: Apache-2.0 */
/* Run by `make unit`: what was changed in a tree since a moment. */
#include <criterion/criterion.h>

#include "../../../launcher/base/clock.h"
#include "../../../launcher/base/limits.h"
#include "../../../launcher/snapshot/snapshot.h"
#include "snapshot_world.h"

static int64_t
now(void)
{
	return (int64_t)clock_next_tick_ns();
}

static struct tree_look
look_since(const struct world *w, int64_t start_ns)
{
	return (struct tree_look){
		.root_fd = w->ws_fd,
		.stop_fd = -1,
		.start_ns = start_ns,
		.deadline_ns = UINT64_MAX,
	};
}

/* paths: with a blank after each */
static void
expect_changed(const struct world *w, int64_t start_ns, uint64_t count, const char *paths)
{
	const struct tree_look look = look_since(w, start_ns);
	struct tree_changed got = { .count = 0 };
	struct err err = ERR_INIT;
	char text[2048] = "";

	cr_assert_eq(tree_look_again(&look, &got, &err), 0, "%s", err.text);
	for (size_t i = 0; i < got.kept; i++) {
		strcat(text, got.paths[i]);
		strcat(text, " ");
	}
	cr_expect_str_eq(text, paths);
	cr_expect_eq(got.count, count);
	tree_changed_finish(&got);
	cr_expect_eq(got.kept, 0u);
}

static void
tree_init(struct world *w)
{
	world_init(w);
	world_file(w->ws_fd, "a", "1", 0644);
	world_dir(w->ws_fd, "d", 0755);
	world_dir(w->ws_fd, "d/e", 0755);
	world_file(w->ws_fd, "d/e/f", "1", 0644);
	world_file(w->ws_fd, "d/z", "1", 0644);
	world_link(w->ws_fd, "out", "../out");
	world_file(w->out_fd, "canary", "1", 0644);
}

Test(tree_look, what_each_act_changes)
{
	struct world w;
	int64_t start;

	tree_init(&w);
	start = now();
	expect_changed(&w, start, 0, "");

	world_file(w.ws_fd, "d/e/f", "2", 0644);
	expect_changed(&w, start, 1, "d/e/f ");

	start = now();
	cr_assert_eq(fchmodat(w.ws_fd, "d/z", 0600, 0), 0);
	expect_changed(&w, start, 1, "d/z ");

	start = now();
	cr_assert_eq(unlinkat(w.ws_fd, "d/z", 0), 0);
	expect_changed(&w, start, 1, "d ");

	start = now();
	cr_assert_eq(renameat(w.ws_fd, "a", w.ws_fd, "d/a"), 0);
	expect_changed(&w, start, 3, ". d d/a ");

	/* a time of old is set now */
	start = now();
	cr_assert_eq(utimensat(w.ws_fd, "d/a", (struct timespec[2]){ { 1, 0 }, { 1, 0 } }, 0), 0);
	expect_changed(&w, start, 1, "d/a ");

	/* not what a link leads to */
	start = now();
	world_file(w.out_fd, "canary", "2", 0644);
	world_file(w.out_fd, "new", "2", 0644);
	expect_changed(&w, start, 0, "");
	world_finish(&w);
}

Test(tree_look, the_first_ten_are_named)
{
	struct world w;
	int64_t start;

	tree_init(&w);
	start = now();
	for (int i = 0; i < 25; i++) {
		char name[32];

		snprintf(name, sizeof(name), "d/e/n%02d", i);
		world_file(w.ws_fd, name, "", 0644);
	}
	expect_changed(&w, start, 26,
		       "d/e d/e/n00 d/e/n01 d/e/n02 d/e/n03 d/e/n04 d/e/n05 d/e/n06 d/e/n07 "
		       "d/e/n08 ");
	world_finish(&w);
}

/* Deeper than descriptors are kept for, and back. */
Test(tree_look, deep)
{
	struct world w;
	struct buf path = BUF_INIT;
	int64_t start;
	int at;

	tree_init(&w);
	at = world_deep(w.ws_fd, "d/e", 200);
	buf_puts(&path, "d/e");
	for (int i = 0; i < 200; i++) {
		buf_puts(&path, "/m");
	}
	start = now();
	world_file(at, "bottom", "1", 0644);
	world_file(w.ws_fd, "d/e/m/z", "2", 0644);
	{
		struct buf want = BUF_INIT;

		buf_printf(&want, "%s %s/bottom d/e/m/z ", buf_text(&path), buf_text(&path));
		expect_changed(&w, start, 3, buf_text(&want));
		buf_finish(&want);
	}
	close(at);
	buf_finish(&path);
	world_finish(&w);
}

Test(tree_look, what_cannot_be_entered_is_passed_by)
{
	struct world w;
	int64_t start;

	world_init_plain(&w);
	world_dir(w.ws_fd, "closed", 0755);
	world_file(w.ws_fd, "closed/f", "", 0644);
	world_file(w.ws_fd, "open", "", 0644);
	cr_assert_eq(fchmodat(w.ws_fd, "closed", 0000, 0), 0);
	start = now();
	world_file(w.ws_fd, "open", "2", 0644);
	expect_changed(&w, start, 1, "open ");
	cr_assert_eq(fchmodat(w.ws_fd, "closed", 0755, 0), 0);
	world_finish(&w);
}

Test(tree_look, ends_when_told)
{
	struct world w;
	struct tree_look look;
	struct tree_changed got = { .count = 77 };
	struct err err = ERR_INIT;
	int wake[2];

	tree_init(&w);
	look = look_since(&w, 0);
	look.deadline_ns = 0;
	cr_expect_eq(tree_look_again(&look, &got, &err), -ECANCELED);
	cr_expect_str_eq(err.text, "look at the input tree again: Operation canceled");
	cr_expect_eq(got.count, 77u);

	cr_assert_eq(pipe(wake), 0);
	cr_assert_eq(write(wake[1], "x", 1), 1);
	look = look_since(&w, 0);
	look.stop_fd = wake[0];
	cr_expect_eq(tree_look_again(&look, &got, &err), -ECANCELED);
	close(wake[0]);
	close(wake[1]);
	world_finish(&w);
}

Test(tree_look, as_deep_as_the_first_look)
{
	struct world w;
	struct tree_look look;
	struct tree_changed got = { .count = 0 };
	struct err err = ERR_INIT;
	int at;

	world_init(&w);
	at = dup(w.ws_fd);
	for (unsigned int i = 0; i <= CAP_TREE_DEPTH; i++) {
		int next;

		if (i == CAP_TREE_DEPTH) {
			look = look_since(&w, INT64_MAX);
			cr_expect_eq(tree_look_again(&look, &got, &err), 0, "%s", err.text);
		}
		cr_assert_eq(mkdirat(at, "d", 0755), 0);
		next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = next;
	}
	look = look_since(&w, INT64_MAX);
	cr_expect_eq(tree_look_again(&look, &got, &err), -E2BIG);
	close(at);
	world_finish(&w);
}
