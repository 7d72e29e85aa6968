/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs as the developer or CI. Which files a name has, in which order, and which hides which. What
 * a search finds first is tested with profile_load.
 */
#include "profile_place.h"

static void
put_rows(const struct place *p, struct buf *out)
{
	struct profile_listing list = { .count = 0 };
	struct err err = ERR_INIT;
	size_t cut = strlen(p->dir) + 1;

	cr_assert_eq(profile_list(&p->request, &list, &err), 0, "%s", err.text);
	for (size_t i = 0; i < list.count; i++) {
		const struct profile_found *row = &list.rows[i];

		buf_printf(out, "%s %s %s%s%s\n", row->name, profile_where_text(row->where),
			   row->path + cut, row->hidden_by != NULL ? " < " : "",
			   row->hidden_by != NULL ? row->hidden_by + cut : "");
	}
	profile_listing_finish(&list);
}

Test(profile_search, every_file_of_every_name)
{
	auto_buf got = BUF_INIT;
	auto_place p;
	char home[128];

	place_init(&p);
	snprintf(home, sizeof(home), "%s/home", p.dir);
	p.request.home = home;
	put(p.shipped, "b.yaml", "nobody reads this");
	put(p.shipped, "a.yaml", "");
	put(p.own, "b.yaml", "");
	put(p.system, "c.yaml", "");
	put(p.second, "b.yaml", "");
	put(p.first, ".d.yaml", "");
	put(p.first, "d.yml", "");
	put(p.first, ".yaml", "");
	put_rows(&p, &got);
	cr_expect_str_eq(buf_text(&got),
			 "a shipped shipped/a.yaml\n"
			 "b given second/b.yaml\n"
			 "b own home/.config/airlock/profiles/b.yaml < second/b.yaml\n"
			 "b shipped shipped/b.yaml < second/b.yaml\n"
			 "c system system/c.yaml\n",
			 "%s", buf_text(&got));
}

Test(profile_search, a_directory_that_is_named_twice)
{
	auto_buf got = BUF_INIT;
	auto_place p;

	place_init(&p);
	p.request.home = p.dir;
	p.request.search = p.system;
	put(p.system, "a.yaml", "");
	put_rows(&p, &got);
	cr_expect_str_eq(buf_text(&got), "a given system/a.yaml\n");
}

Test(profile_search, no_directory_at_all)
{
	auto_buf got = BUF_INIT;
	auto_place p;

	place_init(&p);
	p.request = (struct profile_request){ .name = "",
					      .home = "/nonexistent",
					      .system_dir = "/nonexistent/a",
					      .shipped_dir = "/nonexistent/b" };
	put_rows(&p, &got);
	cr_expect_str_eq(buf_text(&got), "");
}

Test(profile_search, own_directory)
{
	static const struct {
		const char *config_home, *expected;
	} rows[] = {
		{ NULL, "/h/.config/airlock/profiles" },
		{ "", "/h/.config/airlock/profiles" },
		{ "relative", "/h/.config/airlock/profiles" },
		{ "/c", "/c/airlock/profiles" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct profile_request request = { .config_home = rows[i].config_home,
							 .home = "/h" };
		auto_buf got = BUF_INIT;

		profile_own_dir(&request, &got);
		cr_expect_str_eq(buf_text(&got), rows[i].expected);
	}
}
