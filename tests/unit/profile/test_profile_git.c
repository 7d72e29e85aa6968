/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. What of a gitconfig is taken over, from homes of the test's own. */
#include "../../../launcher/profile/profile_load.h"
#include "profile_test.h"

static char home[] = "/tmp/airlock-git-XXXXXX";
static const char *config_home;

static void
make_home(void)
{
	cr_assert_not_null(mkdtemp(home));
	config_home = NULL;
}

static void
remove_home(void)
{
	remove_tree(home);
}

TestSuite(profile_git, .init = make_home, .fini = remove_home);

static void
write_in_home(const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", home, name);
	write_text(path, text);
}

static void
expect(const char *name, const char *email, size_t deps)
{
	const struct profile_request req = { .home = home, .config_home = config_home };
	struct profile_arena a = { .chunks = NULL };
	struct profile_loaded l = { .profile = profile_arena_get(&a, 1, sizeof(*l.profile)) };

	cr_assert_not_null(l.profile);
	l.profile->arena = a.chunks;
	l.profile->git_identity = deps > 0;
	cr_assert_eq(profile_git_identity(&l, &req), 0);
	cr_expect_str_eq(l.profile->git_name, name);
	cr_expect_str_eq(l.profile->git_email, email);
	cr_expect_eq(l.dep_count, deps);
	profile_loaded_finish(&l);
}

static void
expect_text(const char *text, const char *name, const char *email)
{
	write_in_home(".gitconfig", text);
	expect(name, email, 2);
}

Test(profile_git, name_and_address_and_nothing_else)
{
	expect_text("[core]\n\tname = no\n\tsshCommand = evil\n[user]\n\tname = Nora Example\n"
		    "\temail = nora@example.com\n\tsigningkey = X\n[alias]\nemail = no\n",
		    "Nora Example", "nora@example.com");
	expect_text("[USER]name=A;comment\nEMAIL = \"b@c\" # comment\n", "A", "b@c");
	expect_text("[user]\n\tname = \"a \\\"b\\\" \\\\ ;c\"  \n", "a \"b\" \\ ;c", "");
	expect_text("[user]\n\tname = one \\\ntwo\n\tname = later\n", "later", "");
	expect_text("[user \"sub\"]\n\tname = no\n[users]\n\tname = no\n", "", "");
	expect_text("; x\n# y\n\n[user]\n\tuseConfigOnly\n\temail = e\n", "", "e");
}

Test(profile_git, what_is_no_name)
{
	expect_text("[user]\n\tname = a\\nb\n\temail = \n", "", "");
	expect_text("[user]\n\tname = \"open\n\temail = e\n", "", "");
	expect_text("[user]\n\tname = bad \\q\n\temail = e\n", "", "");
	expect_text("[user]\n\tname = good\n[broken\n\tname = no\n", "good", "");
	expect_text("", "", "");
}

Test(profile_git, the_home_wins_and_includes_are_not_followed)
{
	char config[64], path[128];

	write_in_home("other", "[user]\n\tname = included\n");
	snprintf(config, sizeof(config), "%s/x", home);
	snprintf(path, sizeof(path), "%s/git", config);
	cr_assert_eq(mkdir(config, 0755), 0);
	cr_assert_eq(mkdir(path, 0755), 0);
	write_in_home("x/git/config", "[user]\n\tname = xdg\n\temail = xdg@x\n");
	config_home = config;
	expect("xdg", "xdg@x", 2);
	expect_text("[include]\n\tpath = other\n[user]\n\tname = own\n", "own", "xdg@x");
}

Test(profile_git, who_does_not_ask_gets_none)
{
	write_in_home(".gitconfig", "[user]\n\tname = a\n");
	expect("", "", 0);
}
