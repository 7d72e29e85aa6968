/* SPDX-License-Identifier: Apache-2.0 */
/* git.identity: the file that is made up. Run by `make unit`. */
#include "plan_world.h"

static void
expect_file(const char *name, const char *email, const char *want)
{
	struct plan_world w;
	struct err err = ERR_INIT;
	char home[128];
	const struct plan_mount *row;

	plan_world_init(&w);
	snprintf(home, sizeof(home), "%s/home", w.dir);
	w.request.identity.home = home;
	w.request.workspace = "/w \"q\" \\";
	w.request.cwd = w.request.workspace;
	w.profile.git_identity = want != NULL;
	w.profile.git_name = name;
	w.profile.git_email = email;
	cr_assert_eq(plan_world_build(&w, &err), 0, "%s", err.text);
	row = plan_world_row(&w, "home/.gitconfig");
	if (want == NULL) {
		cr_expect_null(row);
	} else {
		cr_assert_not_null(row);
		cr_expect_eq(row->kind, MOUNT_FILE);
		cr_expect_eq(row->data_len, strlen(want));
		cr_expect_eq(memcmp(row->data, want, strlen(want)), 0, "%.*s", (int)row->data_len,
			     (const char *)row->data);
	}
	plan_world_finish(&w);
}

Test(plan_git, values_are_quoted)
{
	expect_file("A \"B\" \\", "a@b",
		    "[safe]\n\tdirectory = \"/w \\\"q\\\" \\\\\"\n[user]\n\tname = \"A \\\"B\\\" "
		    "\\\\\"\n\temail = \"a@b\"\n");
	expect_file("", "", "[safe]\n\tdirectory = \"/w \\\"q\\\" \\\\\"\n");
	expect_file("A", "",
		    "[safe]\n\tdirectory = \"/w \\\"q\\\" \\\\\"\n[user]\n\tname = \"A\"\n");
}

Test(plan_git, who_does_not_ask_gets_none)
{
	expect_file("A", "a@b", NULL);
}
