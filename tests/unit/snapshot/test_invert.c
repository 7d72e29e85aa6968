/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by `make unit`: the inverse of a change set that was never committed: the workspace ("ws") is
 * made as the call would have left it, and what it held before comes from a table.
 */
#include "../../../launcher/snapshot/invert.h"

#include <criterion/criterion.h>

#include "changes_world.h"

/* Only "old" and what a link pointed to were kept. */
static int
content(void *arg, const uint8_t digest[SHA256_SIZE], struct buf *out, struct err *err)
{
	static const char *const kept[] = { "old", "f" };

	(void)arg;
	(void)err;
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		uint8_t have[SHA256_SIZE];

		sha256_of(kept[i], strlen(kept[i]), have);
		if (memcmp(have, digest, sizeof(have)) == 0) {
			buf_puts(out, kept[i]);
			return 0;
		}
	}
	return -ENODATA;
}

static int
invert(const struct world *w, const struct change_set *set, struct buf *lost)
{
	const struct invert_request req = {
		.changes = set, .workspace_fd = w->ws_fd, .upper_fd = w->out_fd, .content = content
	};
	struct err err = ERR_INIT;

	return changes_invert(&req, lost, &err);
}

/* The workspace before in ws; what a call makes of it in up; then ws as it is after. */
static void
make(struct world *w, struct change_set *set)
{
	world_init(w);
	world_file(w->ws_fd, "f", "old", 0640);
	world_link(w->ws_fd, "l", "f");
	world_dir(w->ws_fd, "d", 0555);
	world_file(w->ws_fd, "gone", "old", 0600);
	world_file(w->up_fd, "f", "new", 0644);
	world_file(w->up_fd, "l", "now a file", 0644);
	world_dir(w->up_fd, "d", 0700);
	world_dir(w->up_fd, "made", 0755);
	world_file(w->up_fd, "made/in", "in", 0644);
	world_file(w->up_fd, "gone", "", 0644);
	world_xattr(w->up_fd, "gone", "user.overlay.whiteout", "y");
	world_collect(w->up_fd, w->ws_fd, set);
	cr_assert_eq(set->count, 6u);
	world_file(w->ws_fd, "f", "new", 0644);
	cr_assert_eq(unlinkat(w->ws_fd, "l", 0), 0);
	world_file(w->ws_fd, "l", "now a file", 0644);
	cr_assert_eq(fchmodat(w->ws_fd, "d", 0700, 0), 0);
	world_dir(w->ws_fd, "made", 0755);
	world_file(w->ws_fd, "made/in", "in", 0644);
	cr_assert_eq(unlinkat(w->ws_fd, "gone", 0), 0);
}

Test(invert, takes_all_back)
{
	struct change_set set = { .items = NULL }, inverse = { .items = NULL };
	auto_buf lost = BUF_INIT, differing = BUF_INIT;
	struct world w;

	make(&w, &set);
	cr_assert_eq(invert(&w, &set, &lost), 0);
	cr_expect_str_eq(buf_text(&lost), "");
	world_collect(w.out_fd, w.ws_fd, &inverse);
	cr_expect_eq(changes_is_inverse(&set, &inverse, 5, &differing), true, "%s",
		     buf_text(&differing));
	cr_expect_str_eq(world_read(w.out_fd, "f"), "old");
	cr_expect_eq(world_mode(w.out_fd, "f"), (mode_t)(S_IFREG | 0640));
	cr_expect_eq(world_mode(w.out_fd, "d"), (mode_t)(S_IFDIR | 0555));
	cr_expect_eq(world_mode(w.out_fd, "l") & S_IFMT, (mode_t)S_IFLNK);
	changes_finish(&inverse);
	changes_finish(&set);
	cr_assert_eq(fchmodat(w.out_fd, "d", 0700, 0), 0);
	world_finish(&w);
}

Test(invert, what_was_changed_since)
{
	static const struct {
		const char *path, *want;
	} rows[] = { { "f", "  f\n" },
		     { "made/in", "  made/in\n" },
		     { "made/later", "  made/later\n" },
		     { "gone", "  gone\n" } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct change_set set = { .items = NULL }, inverse = { .items = NULL };
		auto_buf lost = BUF_INIT, differing = BUF_INIT;
		struct world w;

		make(&w, &set);
		world_file(w.ws_fd, rows[i].path, "somebody else's", 0644);
		cr_assert_eq(invert(&w, &set, &lost), 0);
		world_collect(w.out_fd, w.ws_fd, &inverse);
		cr_expect_eq(changes_is_inverse(&set, &inverse, 5, &differing), false);
		cr_expect_str_eq(buf_text(&differing), rows[i].want);
		changes_finish(&inverse);
		changes_finish(&set);
		cr_assert_eq(fchmodat(w.out_fd, "d", 0700, 0), 0);
		world_finish(&w);
	}
}

/* No commit gives set-id bits back: what is only that is there already. */
Test(invert, bits_that_no_commit_keeps)
{
	struct change_set set = { .items = NULL }, inverse = { .items = NULL };
	auto_buf lost = BUF_INIT, differing = BUF_INIT;
	struct world w;

	world_init(&w);
	world_file(w.ws_fd, "only", "old", 04755);
	world_file(w.ws_fd, "two", "old", 01644);
	cr_assert_eq(linkat(w.ws_fd, "two", w.out_fd, "beside", 0), 0);
	world_file(w.ws_fd, "more", "old", 04755);
	world_dir(w.ws_fd, "d", 04755);
	world_file(w.up_fd, "only", "old", 0755);
	world_file(w.up_fd, "two", "old", 0644);
	world_file(w.up_fd, "more", "old", 0700);
	world_dir(w.up_fd, "d", 0700);
	world_collect(w.up_fd, w.ws_fd, &set);
	cr_assert_eq(set.count, 4u);
	cr_assert_eq(unlinkat(w.out_fd, "beside", 0), 0);
	cr_assert_eq(fchmodat(w.ws_fd, "only", 0755, 0), 0);
	cr_assert_eq(fchmodat(w.ws_fd, "two", 0644, 0), 0);
	cr_assert_eq(fchmodat(w.ws_fd, "more", 0700, 0), 0);
	cr_assert_eq(fchmodat(w.ws_fd, "d", 0700, 0), 0);
	cr_assert_eq(invert(&w, &set, &lost), 0);
	world_collect(w.out_fd, w.ws_fd, &inverse);
	cr_expect_eq(inverse.count, 2u);
	cr_expect_eq(changes_is_inverse(&set, &inverse, 5, &differing), true, "%s",
		     buf_text(&differing));
	cr_expect_eq(world_mode(w.out_fd, "more"), (mode_t)(S_IFREG | 0755));
	cr_expect_eq(world_mode(w.out_fd, "d"), (mode_t)(S_IFDIR | 0755));
	changes_finish(&inverse);
	/* changed since, on the other hand, is what is neither before nor after */
	cr_assert_eq(fchmodat(w.ws_fd, "only", 0711, 0), 0);
	world_collect(w.out_fd, w.ws_fd, &inverse);
	cr_expect_eq(changes_is_inverse(&set, &inverse, 5, &differing), false);
	cr_expect_str_eq(buf_text(&differing), "  only\n");
	changes_finish(&inverse);
	changes_finish(&set);
	world_finish(&w);
}

Test(invert, what_was_not_kept)
{
	struct change_set set = { .items = NULL };
	auto_buf lost = BUF_INIT;
	struct world w;

	world_init(&w);
	world_file(w.ws_fd, "a", "not kept", 0644);
	world_file(w.ws_fd, "b", "old", 0644);
	cr_assert_eq(mkfifoat(w.ws_fd, "p\x1b", 0644), 0);
	world_file(w.up_fd, "a", "new", 0644);
	world_file(w.up_fd, "b", "new", 0644);
	world_file(w.up_fd, "p\x1b", "a file", 0644);
	world_collect(w.up_fd, w.ws_fd, &set);
	cr_expect_eq(invert(&w, &set, &lost), -ENODATA);
	cr_expect_str_eq(buf_text(&lost), "  a\n  p\\033\n");
	changes_finish(&set);
	world_finish(&w);
}
