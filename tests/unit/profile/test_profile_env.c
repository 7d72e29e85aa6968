/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. Names of variables against the lists. */
#include "profile_test.h"

static const struct {
	const char *pattern, *why;
} refused[] = {
#define ENV_REFUSED(pattern, why) { pattern, why },
#include "../../../launcher/profile/envnames.def"
#undef ENV_REFUSED
};

/* Each row refuses itself, with its own reason, and a longer name only with a star. */
Test(profile_env, every_row)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		char name[128];
		size_t len = strlen(refused[i].pattern);
		bool star = refused[i].pattern[len - 1] == '*';
		const char *why;

		snprintf(name, sizeof(name), "%.*s", (int)(star ? len - 1 : len),
			 refused[i].pattern);
		why = profile_env_refused(name);
		cr_assert_not_null(why, "%s", name);
		cr_expect_str_eq(why, refused[i].why, "%s", name);
		snprintf(name, sizeof(name), "%.*sZZ", (int)(star ? len - 1 : len),
			 refused[i].pattern);
		cr_expect_eq(profile_env_refused(name) != NULL, star, "%s", name);
	}
}

Test(profile_env, names_that_matter_are_there)
{
	static const char *const names[] = {
		"LD_PRELOAD", "LD_LIBRARY_PATH", "GCONV_PATH", "PYTHONPATH", "PYTHONSTARTUP",
		"NODE_OPTIONS", "PERL5LIB", "PERL5OPT", "RUBYOPT", "RUBYLIB", "BASH_ENV", "ENV",
		"JAVA_TOOL_OPTIONS", "GIT_SSH_COMMAND", "BASH_FUNC_x%%", "GLIBC_TUNABLES",
	};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		cr_expect_not_null(profile_env_refused(names[i]), "%s", names[i]);
	}
}

Test(profile_env, harmless_names_pass)
{
	static const char *const names[] = { "LANG",	       "PATH",	  "CI",
					     "ENVIRONMENT",    "LDFLAGS", "PYTHONUNBUFFERED",
					     "NODE_ENV",       "",	  "LD",
					     "GIT_AUTHOR_NAME" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		cr_expect_null(profile_env_refused(names[i]), "%s", names[i]);
	}
}

Test(profile_env, patterns)
{
	const char *items[] = { "LANG", "LC_*", NULL };
	const struct strings list = { .items = items, .count = 2 };
	const struct strings none = { .items = items, .count = 0 };

	cr_expect_eq(profile_env_matches(&list, "LANG"), true);
	cr_expect_eq(profile_env_matches(&list, "LC_ALL"), true);
	cr_expect_eq(profile_env_matches(&list, "LC_"), true);
	cr_expect_eq(profile_env_matches(&list, "LANGUAGE"), false);
	cr_expect_eq(profile_env_matches(&list, "LC"), false);
	cr_expect_eq(profile_env_matches(&list, ""), false);
	cr_expect_eq(profile_env_matches(&none, "LANG"), false);
}
