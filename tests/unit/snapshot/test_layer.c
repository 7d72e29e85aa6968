/* SPDX-License-Identifier: Apache-2.0 */
/* Run by `make unit`: held change sets kept in "out", which stands for a workflow's directory. */
#include "../../../launcher/snapshot/layer.h"

#include <criterion/criterion.h>

#include "changes_world.h"

static const uint8_t call_a[16] = { 0xaa }, call_b[16] = { 0xbb };

static int
keep(const struct world *w, int place, uint64_t seq, const uint8_t call[16],
     const struct layers *base, struct err *err)
{
	struct change_set set = { .items = NULL };
	char name[LAYER_NAME_SIZE];
	const struct layer_keep_request req = {
		.upper_fd = w->up_fd,
		.place_fd = place,
		.name = name,
		.owner_uid = geteuid(),
		.owner_gid = getegid(),
		.max_entries = 100,
		.base = base,
		.changes = &set,
	};
	int r;

	world_collect(w->up_fd, w->ws_fd, &set);
	layer_name(seq, call, name);
	*err = (struct err)ERR_INIT;
	r = layer_keep(&req, err);
	changes_finish(&set);
	return r;
}

Test(layer, names_sort_as_calls_began)
{
	char nine[LAYER_NAME_SIZE], ten[LAYER_NAME_SIZE];

	layer_name(9, call_b, nine);
	layer_name(10, call_a, ten);
	cr_expect_str_eq(nine, "0000000009-bb000000-0000-0000-0000-000000000000");
	cr_expect_lt(strcmp(nine, ten), 0);
}

Test(layer, kept_listed_removed)
{
	struct layers l = { .items = NULL };
	struct err err = ERR_INIT;
	struct world w;
	struct stat st;
	int place, upper;

	world_init(&w);
	cr_expect_eq(layer_open_place(w.out_fd, LAYER_DRAFT, false), -ENOENT);
	place = layer_open_place(w.out_fd, LAYER_DRAFT, true);
	cr_assert_geq(place, 0);
	cr_expect_eq(world_mode(w.out_fd, "draft"), (mode_t)(S_IFDIR | 0700));
	world_file(w.up_fd, "f", "second", 0644);
	cr_assert_eq(keep(&w, place, 12, call_b, NULL, &err), 0, "%s", err.text);
	world_file(w.up_fd, "f", "first", 0644);
	cr_assert_eq(keep(&w, place, 2, call_a, NULL, &err), 0, "%s", err.text);
	cr_assert_eq(mkdirat(place, ".new-cut-short", 0700), 0);
	cr_assert_eq(layers_list(place, &l, &err), 0, "%s", err.text);
	cr_assert_eq(l.count, 2u);
	cr_expect_arr_eq(l.items[0].call, call_a, sizeof(call_a));
	cr_expect_arr_eq(l.items[1].call, call_b, sizeof(call_b));
	upper = layer_open(place, l.items[0].name);
	cr_assert_eq(fstat(upper, &st), 0);
	cr_expect_eq(l.items[0].ino, st.st_ino);
	cr_expect_eq(l.items[0].dev, st.st_dev);
	cr_expect_str_eq(world_read(upper, "f"), "first");
	close(upper);
	cr_expect_eq(layer_remove(place, l.items[0].name), 0);
	cr_expect_eq(layer_remove(place, l.items[0].name), 0);
	cr_expect_eq(layer_open(place, l.items[0].name), -ENOENT);
	layers_finish(&l);
	cr_assert_eq(layers_list(place, &l, &err), 0, "%s", err.text);
	cr_expect_eq(l.count, 1u);
	layers_finish(&l);
	cr_assert_eq(mkdirat(place, "stranger", 0700), 0);
	cr_expect_eq(layers_list(place, &l, &err), -EINVAL);
	cr_expect_str_eq(err.text, "held change set stranger: Invalid argument");
	close(place);
	world_finish(&w);
}

/* A reader that was killed leaves what it had to open open. */
Test(layer, closed_again)
{
	struct err err = ERR_INIT;
	char name[LAYER_NAME_SIZE];
	struct world w;
	int place, upper;

	world_init_plain(&w);
	place = layer_open_place(w.out_fd, LAYER_ASIDE, true);
	world_dir(w.up_fd, "d", 0755);
	world_file(w.up_fd, "d/f", "x", 0000);
	cr_assert_eq(fchmodat(w.up_fd, "d", 0500, 0), 0);
	cr_assert_eq(keep(&w, place, 1, call_a, NULL, &err), 0, "%s", err.text);
	layer_name(1, call_a, name);
	upper = layer_open(place, name);
	cr_assert_eq(fchmodat(upper, "d", 0700, 0), 0);
	cr_assert_eq(fchmodat(upper, "d/f", 0400, 0), 0);
	close(upper);
	upper = layer_open(place, name);
	cr_expect_eq(world_mode(upper, "d"), (mode_t)(S_IFDIR | 0500));
	cr_expect_eq(world_mode(upper, "d/f"), (mode_t)(S_IFREG | 0000));
	close(upper);
	cr_expect_eq(layer_remove(place, name), 0);
	close(place);
	cr_assert_eq(fchmodat(w.up_fd, "d", 0700, 0), 0);
	world_finish(&w);
}

/* Two calls ran over the same draft: the second to end fits on top only beside the first. */
Test(layer, what_fits_on_top)
{
	static const struct {
		const char *path; /* what the second one writes: "d/f" a file in d, "d" a file */
		int want;
	} rows[] = { { "other", 0 },   { "d/other", 0 },      { "d/f", -ESTALE }, { "d", -ESTALE },
		     { "g", -ESTALE }, { "gone/x", -ESTALE }, { "o/x", -ESTALE } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct layers base = { .items = NULL };
		struct err err = ERR_INIT;
		struct world w;
		char *slash, path[16];
		int place;

		world_init(&w);
		place = layer_open_place(w.out_fd, LAYER_DRAFT, true);
		world_dir(w.up_fd, "d", 0755);
		world_file(w.up_fd, "d/f", "x", 0644);
		world_file(w.up_fd, "g", "x", 0644);
		world_file(w.up_fd, "gone", "", 0644);
		world_dir(w.up_fd, "o", 0755);
		world_xattr(w.up_fd, "o", "user.overlay.opaque", "y");
		cr_assert_eq(keep(&w, place, 1, call_a, &base, &err), 0, "%s", err.text);
		close(w.up_fd);
		cr_assert_eq(mkdirat(w.dir_fd, "up2", 0755), 0);
		w.up_fd = openat(w.dir_fd, "up2", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		strcpy(path, rows[i].path);
		slash = strchr(path, '/');
		if (slash != NULL) {
			*slash = '\0';
			world_dir(w.ws_fd, path, 0755);
			world_dir(w.up_fd, path, 0755);
			*slash = '/';
		}
		world_file(w.up_fd, path, "y", 0644);
		cr_expect_eq(keep(&w, place, 2, call_b, &base, &err), rows[i].want, "%s: %s",
			     rows[i].path, err.text);
		if (rows[i].want != 0) {
			char want[128];

			snprintf(want, sizeof(want),
				 "conflict: %s: a call beside this one changed it in the draft",
				 rows[i].path);
			cr_expect_str_eq(err.text, want);
		}
		close(place);
		world_finish(&w);
	}
}
