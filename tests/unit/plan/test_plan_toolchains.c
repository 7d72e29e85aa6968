/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI: what is found of toolchains, and what is not. */
#include "toolchain_world.h"

TestSuite(plan_toolchains, .init = world_setup, .fini = world_finish);

static void
make_nvm(const char *root)
{
	make_file(arena_printf(&world_arena, "%s/nvm.sh", root));
	make_file(arena_printf(&world_arena, "%s/versions/node/v20/bin/node", root));
	make_file(arena_printf(&world_arena, "%s/versions/node/v20/etc/npmrc", root));
}

#define NVM_SEEN(root) root "/nvm.sh " root "/versions !" root "/versions/node/v20/etc/ "

Test(plan_toolchains, the_standard_place)
{
	make_nvm(".nvm");
	make_file(".nvm/.cache/x");
	cr_expect_str_eq(seen(NVM), NVM_SEEN(".nvm"));
	cr_expect_str_eq(seen(0), "");
	cr_expect_str_eq(seen(1u << TOOLCHAIN_CARGO), "");
	cr_expect_str_eq(seen(TOOLCHAINS_ALL), NVM_SEEN(".nvm"));
}

Test(plan_toolchains, without_its_marker_it_is_none)
{
	make_nvm(".nvm");
	cr_assert_eq(unlink(in_home(".nvm/nvm.sh")), 0);
	cr_expect_str_eq(seen(NVM), "");
}

Test(plan_toolchains, a_variable_moves_it)
{
	make_nvm(".nvm");
	make_nvm("else/where");
	set_variable("NVM_DIR", in_home("else/where//"));
	cr_expect_str_eq(seen(NVM), NVM_SEEN("else/where"));
	/* Only its own. */
	set_variable("PYENV_ROOT", in_home("else/where"));
	cr_expect_str_eq(seen(NVM), NVM_SEEN(".nvm"));
}

/* What is not honoured leaves the standard place. */
Test(plan_toolchains, a_hostile_variable)
{
	static const char *const values[] = { "",	 "/",	       "relative",   ".ssh/../.ssh",
					      "./.ssh/", "//etc//nvm", "/nonexistent" };

	make_nvm(".ssh");
	make_nvm("ws/nvm");
	make_nvm("state/nvm");
	make_nvm("");
	make_nvm(".gnupg/private/nvm");
	for (size_t i = 0; i < ARRAY_LEN(values); i++) {
		set_variable("NVM_DIR", values[i]);
		cr_expect_str_eq(seen(NVM), "", "%s: %s", values[i], seen(NVM));
	}
	for (const char *const *v = (const char *const[]){ ".ssh", "ws/nvm", "state/nvm", "state",
							   ".gnupg/private/nvm", "", NULL };
	     *v != NULL; v++) {
		set_variable("NVM_DIR", in_home(*v));
		cr_expect_str_eq(seen(NVM), "", "%s: %s", *v, seen(NVM));
	}
	/* Another's home. */
	make_nvm("beside/.aws");
	make_nvm("beside/x.aws");
	set_variable("NVM_DIR", in_home("beside/.aws"));
	cr_expect_str_eq(seen(NVM), "");
	set_variable("NVM_DIR", in_home("beside/x.aws"));
	cr_expect_str_eq(seen(NVM), NVM_SEEN("beside/x.aws"));
	set_variable("NVM_DIR", "/tmp");
	cr_expect_str_eq(seen(NVM), "");
	/* A name that could be shown as it is written, and nothing else. */
	make_nvm("good");
	set_variable("NVM_DIR", in_home("good/../good"));
	cr_expect_str_eq(seen(NVM), "");
	make_nvm(".nvm");
	set_variable("NVM_DIR", in_home(".ssh"));
	cr_expect_str_eq(seen(NVM), NVM_SEEN(".nvm"));
}

/* A file of HOME's that a row shows makes no toolchain of a workspace. */
Test(plan_toolchains, a_workspace_is_none)
{
	make_file(".tool-versions");
	make_file("ws/mise/installs/node/20/bin/node");
	set_variable("MISE_DATA_DIR", in_home("ws/mise"));
	cr_expect_str_eq(seen(1u << TOOLCHAIN_MISE), "");
	make_file("mise/installs/node/20/bin/node");
	set_variable("MISE_DATA_DIR", in_home("mise"));
	cr_expect_str_eq(seen(1u << TOOLCHAIN_MISE), "mise/installs .tool-versions ");
}

/* Else a tool could make one of all that lies beside its workspace. */
Test(plan_toolchains, a_marker_in_the_workspace_is_none)
{
	struct toolchain_query q = world_query(1u << TOOLCHAIN_UV);
	struct arena a = ARENA_INIT;
	struct toolchains t;

	make_file("projects/one/uv-receipt.toml");
	make_file("projects/two/.env");
	set_variable("UV_TOOL_DIR", in_home("projects"));
	q.workspace = in_home("projects/one");
	cr_assert_eq(toolchains_find(&a, &q, &t), 0);
	cr_expect_eq(t.shown_count, 0u);
	q.workspace = in_home("projects/two");
	cr_assert_eq(toolchains_find(&a, &q, &t), 0);
	cr_expect_eq(t.shown_count, 1u);
	arena_finish(&a);
}

/* Neither what is shown nor a marker lies behind a link. */
Test(plan_toolchains, a_link_on_the_way)
{
	make_file("other/mod/cache/x");
	make_file("go/bin/tool");
	cr_assert_eq(symlink("../other", in_home("go/pkg")), 0);
	cr_expect_str_eq(seen(1u << TOOLCHAIN_GO), "");
	make_file("paths/pkg/mod/cache/x");
	set_variable("GOPATH", in_home("paths"));
	cr_expect_str_eq(seen(1u << TOOLCHAIN_GO), "paths/pkg/mod ");
}

Test(plan_toolchains, what_others_can_write)
{
	make_nvm("a");
	set_variable("NVM_DIR", in_home("a"));
	cr_assert_eq(chmod(in_home("a"), 0757), 0);
	cr_expect_str_eq(seen(NVM), "");
	cr_assert_eq(chmod(in_home("a"), 0755), 0);
	cr_expect_str_eq(seen(NVM), NVM_SEEN("a"));
	cr_assert_eq(chmod(in_home("a/versions"), 0757), 0);
	cr_expect_str_eq(seen(NVM), "a/nvm.sh ");
}

/* 0775 with a group of the owner's number is how a user-private group looks. */
Test(plan_toolchains, what_a_group_can_write)
{
	struct stat st;

	make_nvm("a");
	set_variable("NVM_DIR", in_home("a"));
	cr_assert_eq(chmod(in_home("a"), 0775), 0);
	cr_assert_eq(stat(in_home("a"), &st), 0);
	cr_expect_str_eq(seen(NVM), st.st_uid == st.st_gid ? NVM_SEEN("a") : "");
	if (geteuid() == 0) {
		cr_assert_eq(chown(in_home("a"), 0, 50), 0);
		cr_assert_eq(chmod(in_home("a"), 0775), 0);
		cr_expect_str_eq(seen(NVM), "");
		/* The Nix store. */
		cr_assert_eq(chmod(in_home("a"), 01775), 0);
		cr_expect_str_eq(seen(NVM), NVM_SEEN("a"));
	}
}

Test(plan_toolchains, what_is_anothers)
{
	if (geteuid() != 0) {
		cr_skip_test("only root can give a file away");
	}
	make_nvm("a");
	set_variable("NVM_DIR", in_home("a"));
	cr_assert_eq(chown(in_home("a"), 65533, 65533), 0);
	cr_expect_str_eq(seen(NVM), "");
	cr_assert_eq(chown(in_home("a"), 0, 0), 0);
	cr_assert_eq(chown(in_home("a/versions"), 65533, 65533), 0);
	cr_expect_str_eq(seen(NVM), "a/nvm.sh ");
	/* In a namespace that does not map the host's root, its files show as the overflow id. */
	cr_assert_eq(chown(in_home("a/versions"), 65534, 65534), 0);
	cr_expect_str_eq(seen(NVM), "a/nvm.sh ");
	world_identity.root_unmapped = true;
	cr_expect_str_eq(seen(NVM), NVM_SEEN("a"));
}

/* The tool's own id owns nothing there: what is not everybody's it could not open. */
Test(plan_toolchains, for_an_id_of_its_own)
{
	make_nvm("a/b");
	set_variable("NVM_DIR", in_home("a/b"));
	world_identity.kind = IDENTITY_RANGE;
	cr_expect_str_eq(seen(NVM), NVM_SEEN("a/b"));
	cr_assert_eq(chmod(in_home("a"), 0700), 0);
	cr_expect_str_eq(seen(NVM), "");
	world_identity.kind = IDENTITY_PLAIN;
	cr_expect_str_eq(seen(NVM), NVM_SEEN("a/b"));
	world_identity.kind = IDENTITY_RANGE;
	cr_assert_eq(chmod(in_home("a"), 0711), 0);
	cr_expect_str_eq(seen(NVM), NVM_SEEN("a/b"));
	cr_assert_eq(chmod(in_home("a/b/versions"), 0711), 0);
	cr_expect_str_eq(seen(NVM), "a/b/nvm.sh ");
}

Test(plan_toolchains, links)
{
	make_nvm("moved");
	cr_assert_eq(symlink("moved", in_home(".nvm")), 0);
	cr_expect_str_eq(seen(NVM),
			 arena_printf(&world_arena,
				      "moved/nvm.sh moved/versions .nvm->%s/moved "
				      "!moved/versions/node/v20/etc/ ",
				      home));
	/* Below it one is shown and not followed. */
	cr_assert_eq(rename(in_home("moved/versions"), in_home("versions-of-x")), 0);
	cr_assert_eq(symlink("../.ssh", in_home("moved/versions")), 0);
	cr_expect_str_eq(seen(NVM),
			 arena_printf(&world_arena,
				      "moved/nvm.sh moved/versions->../.ssh .nvm->%s/moved ",
				      home));
}

Test(plan_toolchains, what_cannot_be_listed_is_not_given)
{
	static const char *const owned[] = { ".nvm", ".nvm/nvm.sh", ".nvm/versions",
					     ".nvm/versions/node" };
	uid_t before = geteuid();

	make_nvm(".nvm");
	/* Root lists everything: it must be somebody else. */
	for (size_t i = 0; before == 0 && i < ARRAY_LEN(owned); i++) {
		cr_assert_eq(chown(in_home(owned[i]), 65533, 65533), 0);
	}
	cr_assert_eq(chmod(in_home(".nvm/versions/node"), 0311), 0);
	cr_assert_eq(seteuid(before == 0 ? 65533 : before), 0);
	cr_expect_str_eq(seen(NVM), "");
	cr_assert_eq(chmod(in_home(".nvm/versions/node"), 0755), 0);
	cr_expect_str_eq(seen(NVM), NVM_SEEN(".nvm"));
	cr_assert_eq(seteuid(before), 0);
}

/* A checkout of a plugin that is worked on keeps its repository. */
Test(plan_toolchains, a_workspace_in_one_is_not_masked)
{
	struct toolchain_query q = world_query(1u << TOOLCHAIN_ASDF);
	struct arena a = ARENA_INIT;
	struct toolchains t;

	make_file(".asdf/shims/node");
	make_file(".asdf/plugins/x/.git/config");
	cr_assert_eq(toolchains_find(&a, &q, &t), 0);
	cr_assert_eq(t.mask_count, 1u);
	cr_expect_str_eq(t.masks[0].path, in_home(".asdf/plugins/x/.git"));
	q.workspace = in_home(".asdf/plugins/x");
	cr_assert_eq(toolchains_find(&a, &q, &t), 0);
	cr_expect_eq(t.mask_count, 0u);
	cr_expect_eq(t.shown_count, 2u);
	arena_finish(&a);
}

Test(plan_toolchains, a_file_of_home)
{
	make_file(".asdf/shims/node");
	make_file(".tool-versions");
	cr_expect_str_eq(seen(1u << TOOLCHAIN_ASDF), ".asdf/shims .tool-versions ");
}

Test(plan_toolchains, names_and_places)
{
	struct toolchain_query q = world_query(TOOLCHAINS_ALL);
	const char *names[TOOLCHAIN__COUNT];
	struct arena a = ARENA_INIT;
	struct toolchains t;

	make_nvm(".nvm");
	make_nvm("other");
	make_file(".cargo/bin/cargo");
	make_file("miniforge3/conda-meta/history");
	make_file("miniforge3/bin/python");
	set_variable("CONDA_PREFIX", in_home("miniforge3"));
	cr_assert_eq(toolchains_find(&a, &q, &t), 0);
	cr_assert_eq(toolchains_names(&t, names), 3u);
	cr_expect_str_eq(names[0], "cargo");
	cr_expect_str_eq(names[1], "conda");
	cr_expect_str_eq(names[2], "nvm");
	/* Found by its variable, and not once more at the standard place. */
	cr_expect_eq(t.place_count, 3u);
	cr_expect_str_eq(t.places[1].variable, "CONDA_PREFIX");
	cr_expect_null(t.places[0].variable);
	arena_finish(&a);
}

Test(plan_toolchains, whose_a_path_is)
{
	struct toolchain_query q = world_query(0);

	make_nvm(".nvm");
	cr_expect_str_eq(toolchain_of(&q, in_home(".nvm/versions/node/v20/bin/node")), "nvm");
	cr_expect_null(toolchain_of(&q, in_home(".nvm/versions/node/v21/bin/node")));
	cr_expect_null(toolchain_of(&q, in_home(".nvm")));
	cr_expect_null(toolchain_of(&q, "/usr/bin/true"));
	/* One that is given already is no answer. */
	q.wanted = NVM;
	cr_expect_null(toolchain_of(&q, in_home(".nvm/versions/node/v20/bin/node")));
}
