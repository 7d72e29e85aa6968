/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI: PATH inside, and which virtual environment is in use. */
#include "toolchain_world.h"

TestSuite(plan_toolchains_path, .init = world_setup, .fini = world_finish);

#define PROFILES "/usr/local/bin:/usr/bin:/bin"

/* PATH without HOME in front of its entries. */
static char *
path_of(uint32_t wanted, const char *callers, const char *first)
{
	struct toolchain_query q = world_query(wanted);
	struct toolchains t;
	auto_buf from = BUF_INIT, out = BUF_INIT;
	const char *path;

	for (const char *p = callers; *p != '\0'; p++) {
		if (*p == '~') {
			buf_puts(&from, home);
		} else {
			buf_putc(&from, *p);
		}
	}
	cr_assert_eq(toolchains_find(&world_arena, &q, &t), 0);
	path = toolchains_path(&world_arena, &t, PROFILES, buf_text(&from), first);
	cr_assert_not_null(path);
	for (const char *p = path; *p != '\0';) {
		size_t len = strlen(home);

		if (strncmp(p, home, len) == 0) {
			buf_putc(&out, '~');
			p += len;
		} else {
			buf_putc(&out, *p++);
		}
	}
	return arena_string(&world_arena, buf_text(&out));
}

static void
make_two(void)
{
	make_file(".nvm/nvm.sh");
	make_file(".nvm/versions/node/v18/bin/node");
	make_file(".nvm/versions/node/v20/bin/node");
	make_file(".cargo/bin/cargo");
}

#define TWO (NVM | 1u << TOOLCHAIN_CARGO)

Test(plan_toolchains_path, rows)
{
	static const struct {
		const char *callers, *want;
	} rows[] = {
		{ "", PROFILES ":~/.cargo/bin" },
		{ "/usr/bin:/bin", PROFILES ":~/.cargo/bin" },
		{ "~/.nvm/versions/node/v20/bin:/usr/bin",
		  "~/.nvm/versions/node/v20/bin:" PROFILES ":~/.cargo/bin" },
		{ "/usr/bin:~/.nvm/versions/node/v20/bin:/bin",
		  "/usr/local/bin:/usr/bin:~/.nvm/versions/node/v20/bin:/bin:~/.cargo/bin" },
		{ "/bin:~/.cargo/bin/:/usr/bin", PROFILES ":~/.cargo/bin" },
		{ "~/.cargo/bin:~/.nvm/versions/node/v18/bin:~/.cargo/bin",
		  "~/.cargo/bin:~/.nvm/versions/node/v18/bin:" PROFILES },
		/* What is no directory of programs, and what is nobody's. */
		{ "~/.nvm:~/.nvm/versions:~/.nvm/versions/node/v20:~:~/bin:/opt/x:/tmp:bin:.::",
		  PROFILES ":~/.cargo/bin" },
		{ "~/.nvm/versions/node/../node/v20/bin",
		  "~/.nvm/versions/node/v20/bin:" PROFILES ":~/.cargo/bin" },
		{ "~/.nvm/versions/node/v20/bin/..:~/.nvm/versions/node/.hidden/bin",
		  PROFILES ":~/.cargo/bin" },
	};

	make_two();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_expect_str_eq(path_of(TWO, rows[i].callers, NULL), rows[i].want, "%s: %s",
				 rows[i].callers, path_of(TWO, rows[i].callers, NULL));
	}
	cr_expect_str_eq(path_of(0, "~/.cargo/bin:/bin", NULL), PROFILES);
	cr_expect_str_eq(path_of(NVM, "~/.cargo/bin:/bin", NULL), PROFILES);
	cr_expect_str_eq(path_of(0, "/bin", "/w/.venv/bin"), "/w/.venv/bin:" PROFILES);
}

Test(plan_toolchains_path, links_on_the_callers_path)
{
	make_two();
	make_dir("session");
	cr_assert_eq(symlink(in_home(".nvm/versions/node/v20"), in_home("session/x")), 0);
	cr_assert_eq(symlink("v20", in_home(".nvm/versions/node/current")), 0);
	cr_expect_str_eq(path_of(NVM, "~/session/x/bin", NULL),
			 "~/.nvm/versions/node/v20/bin:" PROFILES);
	cr_expect_str_eq(path_of(NVM, "~/.nvm/versions/node/current/bin", NULL),
			 "~/.nvm/versions/node/current/bin:" PROFILES);
}

Test(plan_toolchains_path, the_workspaces_environment)
{
	struct toolchain_query q = world_query(1u << TOOLCHAIN_VENV);
	const char *cwd = in_home("ws/sub");
	const char *venv = in_home("ws/.venv");

	make_file("ws/.venv/pyvenv.cfg");
	make_file("ws/.venv/bin/python");
	make_file("ws/plain/bin/python");
	make_file("venv/pyvenv.cfg");
	make_file("venv/bin/python");
	make_dir("ws/sub");
	cr_expect_null(toolchain_venv(&world_arena, &q, cwd, "python"));
	cr_expect_str_eq(toolchain_venv(&world_arena, &q, cwd, "../.venv/bin/python"), venv);
	cr_expect_str_eq(toolchain_venv(&world_arena, &q, "/", in_home("ws/.venv/bin/python")),
			 venv);
	cr_expect_null(toolchain_venv(&world_arena, &q, cwd, "../plain/bin/python"));
	cr_expect_null(toolchain_venv(&world_arena, &q, cwd, "../../venv/bin/python"));
	set_variable("VIRTUAL_ENV", venv);
	cr_expect_str_eq(toolchain_venv(&world_arena, &q, cwd, "python"), venv);
	q.wanted = 0;
	cr_expect_null(toolchain_venv(&world_arena, &q, cwd, "python"));
	q.wanted = TOOLCHAINS_ALL;
	set_variable("VIRTUAL_ENV", in_home("venv"));
	cr_expect_null(toolchain_venv(&world_arena, &q, cwd, "python"));
	set_variable("VIRTUAL_ENV", in_home("ws/plain"));
	cr_expect_null(toolchain_venv(&world_arena, &q, cwd, "python"));
	set_variable("VIRTUAL_ENV", "../.venv");
	cr_expect_null(toolchain_venv(&world_arena, &q, cwd, "python"));
}
