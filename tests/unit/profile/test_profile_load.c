/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs as the developer or CI, root or not. Search, precedence, ownership, extends across files,
 * the shipped profiles. Works in a directory of its own below /tmp.
 */
#include "profile_place.h"

#define A_IS(what) "version: 1\nname: a\ndescription: " what "\n" LIMITS

/* From the last directory of the search to the first: each new file wins, and invalidates. */
Test(profile_load, precedence)
{
	auto_place p;
	const char *dirs[5];

	place_init(&p);
	dirs[0] = p.shipped;
	dirs[1] = p.system;
	dirs[2] = p.own;
	dirs[3] = p.second;
	dirs[4] = p.first;
	for (size_t i = 0; i < 5; i++) {
		char text[512], source[256];

		snprintf(text, sizeof(text), "version: 1\nname: a\ndescription: d%zu\n%s", i,
			 LIMITS);
		snprintf(source, sizeof(source), "%s/a.yaml", dirs[i]);
		put(dirs[i], "a.yaml", text);
		cr_assert_eq(load(&p, "a"), 0, "%s", buf_text(&p.report));
		cr_expect_str_eq(p.loaded.profile->source, source);
		/* All before it, and its drop-ins, were looked for and are dependencies. */
		cr_assert_eq(p.loaded.dep_count, 6 - i);
		for (size_t j = 0; j < p.loaded.dep_count; j++) {
			cr_expect_eq(p.loaded.deps[j].present, j == 4 - i);
		}
		cr_expect_str_eq(p.loaded.deps[4 - i].path, source);
	}
}

Test(profile_load, config_home_wins_over_home)
{
	auto_place p;
	char config[128];

	place_init(&p);
	make_dir(config, sizeof(config), p.dir, "cfg/airlock/profiles");
	put(p.own, "a.yaml", A_IS("home"));
	put(config, "a.yaml", A_IS("config"));
	cr_assert_eq(load(&p, "a"), 0);
	cr_expect_str_eq(p.loaded.profile->description, "home");
	snprintf(config, sizeof(config), "%s/cfg", p.dir);
	p.request.config_home = config;
	cr_assert_eq(load(&p, "a"), 0);
	cr_expect_str_eq(p.loaded.profile->description, "config");
	/* The specification of these directories: a relative value counts as unset. */
	p.request.config_home = "cfg";
	cr_assert_eq(load(&p, "a"), 0);
	cr_expect_str_eq(p.loaded.profile->description, "home");
}

Test(profile_load, not_found_lists_what_there_is)
{
	auto_place p;

	place_init(&p);
	cr_expect_eq(load(&p, "python"), -ENOENT);
	cr_expect_str_eq(p.err.text, "no profile 'python' (there are: none)");
	put(p.own, "pythn.yaml", A_IS("x"));
	put(p.shipped, "base.yaml", A_IS("x"));
	put(p.shipped, "pythn.yaml", A_IS("x"));
	put(p.shipped, "notes.txt", "x");
	cr_expect_eq(load(&p, "python"), -ENOENT);
	cr_expect_str_eq(p.err.text,
			 "no profile 'python'; did you mean 'pythn'? (there are: base, pythn)");
	cr_expect_str_eq(buf_text(&p.report), "", "no place in a file");
	cr_expect_eq(p.err.code, -ENOENT);
}

Test(profile_load, names_and_paths)
{
	auto_place p;
	char path[256];

	place_init(&p);
	put(p.second, "other.yml", A_IS("by path"));
	snprintf(path, sizeof(path), "%s/other.yml", p.second);
	cr_assert_eq(load(&p, path), 0, "%s", buf_text(&p.report));
	cr_expect_str_eq(p.loaded.profile->description, "by path");
	snprintf(path, sizeof(path), "%s/none.yml", p.second);
	cr_expect_eq(load(&p, path), -ENOENT);
	expect_text(&p, p.err.text, "$D/second/none.yml: No such file or directory");
	put(p.dir, "home/x.yaml", A_IS("home"));
	cr_assert_eq(load(&p, "~/x.yaml"), 0, "%s", buf_text(&p.report));
	cr_expect_eq(load(&p, "A"), -EINVAL);
	cr_expect_str_eq(p.err.text,
			 "'A' is no name of a profile: small letters, digits, '.', '_', '-', at "
			 "most 64; a path has a slash in it");
	cr_expect_eq(load(&p, ""), -EINVAL);
	/* A path leads to a regular file, or nowhere. */
	cr_expect_eq(load(&p, p.second), -EINVAL);
	expect_text(&p, p.err.text, "$D/second is not a regular file");
	snprintf(path, sizeof(path), "%s/fifo", p.second);
	cr_assert_eq(mkfifo(path, 0644), 0);
	cr_expect_eq(load(&p, path), -EINVAL);
	expect_text(&p, p.err.text, "$D/second/fifo is not a regular file");
}

Test(profile_load, the_name_is_that_of_the_file)
{
	auto_place p;

	place_init(&p);
	put(p.first, "b.yaml", A_IS("x"));
	cr_expect_eq(load(&p, "b"), -EINVAL);
	expect_text(&p, p.err.text,
		    "$D/first/b.yaml:2:7: error: name: 'a' is not the name of the file, 'b'");
}

Test(profile_load, a_search_directory_is_absolute)
{
	auto_place p;

	place_init(&p);
	p.request.search = "x:/y";
	cr_expect_eq(load(&p, "a"), -EINVAL);
	cr_expect_str_eq(p.err.text, "AIRLOCK_PROFILES: 'x' is not an absolute path");
}

Test(profile_load, writable_by_others_is_refused)
{
	auto_place p;
	char path[256];

	place_init(&p);
	put(p.first, "a.yaml", A_IS("x"));
	snprintf(path, sizeof(path), "%s/a.yaml", p.first);
	cr_assert_eq(chmod(path, 0664), 0);
	cr_expect_eq(load(&p, "a"), -EPERM);
	expect_text(&p, p.err.text,
		    "$D/first/a.yaml is writable by others (mode 0664); run: chmod go-w "
		    "$D/first/a.yaml");
	cr_assert_eq(chmod(path, 0646), 0);
	cr_expect_eq(load(&p, "a"), -EPERM);
	cr_assert_eq(chmod(path, 0600), 0);
	cr_assert_eq(load(&p, "a"), 0);
	cr_assert_eq(chmod(p.first, 01777), 0);
	cr_expect_eq(load(&p, "a"), -EPERM);
	expect_text(&p, p.err.text,
		    "$D/first is writable by others (mode 1777); run: chmod go-w $D/first");
	cr_assert_eq(chmod(p.first, 0755), 0);
	cr_assert_eq(load(&p, "a"), 0);
}

/* A link is judged where it stands and where it leads. */
Test(profile_load, links)
{
	auto_place p;
	char path[256], target[256];

	place_init(&p);
	put(p.second, "real.yaml", A_IS("linked"));
	snprintf(target, sizeof(target), "%s/real.yaml", p.second);
	snprintf(path, sizeof(path), "%s/a.yaml", p.first);
	cr_assert_eq(symlink(target, path), 0);
	cr_assert_eq(load(&p, "a"), 0, "%s", buf_text(&p.report));
	cr_expect_str_eq(p.loaded.profile->description, "linked");
	cr_assert_eq(chmod(p.second, 0777), 0);
	cr_expect_eq(load(&p, "a"), -EPERM);
	expect_text(&p, p.err.text,
		    "$D/second is writable by others (mode 0777); run: chmod go-w $D/second");
	cr_assert_eq(chmod(p.second, 0755), 0);
}

/* As somebody else: the files are neither root's nor that caller's. */
Test(profile_load, foreign_owner_is_refused)
{
	auto_place p;
	char wanted[512];

	place_init(&p);
	put(p.first, "a.yaml", A_IS("x"));
	put(p.shipped, "b.yaml", "version: 1\nname: b\n" LIMITS);
	if (geteuid() == 0) {
		char path[256];

		snprintf(path, sizeof(path), "%s/a.yaml", p.first);
		cr_assert_eq(chown(path, 4242, 4242), 0);
		snprintf(path, sizeof(path), "%s/b.yaml", p.shipped);
		cr_assert_eq(chown(path, 4242, 4242), 0);
		cr_assert_eq(chown(p.shipped, 4242, 4242), 0);
		p.request.caller = 0;
	} else {
		p.request.caller = geteuid() + 1;
	}
	cr_expect_eq(load(&p, "a"), -EPERM);
	snprintf(wanted, sizeof(wanted),
		 "$D/first/a.yaml belongs to uid %u, neither root nor the caller; run: chown %u "
		 "$D/first/a.yaml",
		 geteuid() == 0 ? 4242u : (unsigned int)geteuid(), (unsigned int)p.request.caller);
	expect_text(&p, p.err.text, wanted);
	/*
	 * An owner that the user namespace does not map may be root: for the system's directories
	 * only.
	 */
	p.request.unmapped = geteuid() == 0 ? 4242 : geteuid();
	cr_expect_eq(load(&p, "a"), -EPERM);
	expect_text(&p, p.err.text,
		    "$D/first/a.yaml belongs to somebody whom this user namespace does not map; "
		    "use a copy of your own");
	cr_expect_eq(load(&p, "b"), 0, "%s", buf_text(&p.report));
	p.request.unmapped = (uid_t)-1;
	cr_expect_eq(load(&p, "b"), -EPERM);
}

Test(profile_load, extends_across_directories)
{
	auto_place p;

	place_init(&p);
	put(p.shipped, "top.yaml", "version: 1\nname: top\nopen: [mode, limits.wall]\n" LIMITS);
	put(p.system, "mid.yaml",
	    "version: 1\nname: mid\nextends: top\nmode: apply\nlimits: { wall: 1h }\n");
	put(p.own, "a.yaml", "version: 1\nname: a\nextends: mid\nlimits: { wall: 30m }\n");
	cr_assert_eq(load(&p, "a"), 0, "%s", buf_text(&p.report));
	cr_expect_eq(p.loaded.profile->mode, MODE_APPLY);
	cr_expect_eq(p.loaded.profile->limits.wall_ms, 1800000u);
	cr_expect_eq(p.loaded.profile->limits.pids, 512u);
	/* mid does not open what top opened to it. */
	put(p.own, "a.yaml", "version: 1\nname: a\nextends: mid\nlimits: { wall: 2h }\n");
	cr_expect_eq(load(&p, "a"), -EINVAL);
	expect_text(&p, buf_text(&p.report),
		    "$D/home/.config/airlock/profiles/a.yaml:4:17: error: limits.wall: 2h is wider "
		    "than the "
		    "parent's 1h ($D/system/mid.yaml:5:17)\n"
		    "limits: { wall: 2h }\n"
		    "                ^~\n"
		    "$D/system/mid.yaml:5:17: note: the parent's value; it could say open: "
		    "[limits.wall]\n"
		    "limits: { wall: 1h }\n"
		    "                ^~\n");
	expect_text(&p, p.err.text,
		    "$D/home/.config/airlock/profiles/a.yaml:4:17: error: limits.wall: 2h is wider "
		    "than the "
		    "parent's 1h ($D/system/mid.yaml:5:17)");
}

/* A user's a.yaml may build on the one that it hides. */
Test(profile_load, extends_the_hidden_namesake)
{
	auto_place p;

	place_init(&p);
	put(p.shipped, "a.yaml", A_IS("shipped"));
	put(p.own, "a.yaml",
	    "version: 1\nname: a\ndescription: own\nextends: a\nlimits: { wall: 1m }\n");
	cr_assert_eq(load(&p, "a"), 0, "%s", buf_text(&p.report));
	cr_expect_str_eq(p.loaded.profile->description, "own");
	cr_expect_eq(p.loaded.profile->limits.wall_ms, 60000u);
}

Test(profile_load, circles)
{
	auto_place p;
	char text[256];

	place_init(&p);
	put(p.first, "a.yaml", "version: 1\nname: a\nextends: b\n");
	put(p.first, "b.yaml", "version: 1\nname: b\nextends: a\n");
	cr_expect_eq(load(&p, "a"), -EINVAL);
	expect_text(&p, buf_text(&p.report),
		    "$D/first/b.yaml:3:10: error: extends: a circle: 'a' is its own parent\n"
		    "extends: a\n"
		    "         ^\n");
	snprintf(text, sizeof(text), "version: 1\nname: a\nextends: %s/a.yaml\n", p.first);
	put(p.first, "a.yaml", text);
	cr_expect_eq(load(&p, "a"), -EINVAL);
	expect_text(&p, p.err.text,
		    "$D/first/a.yaml:3:10: error: extends: a circle: $D/first/a.yaml is its own "
		    "parent");
}

Test(profile_load, four_parents_at_most)
{
	auto_place p;

	place_init(&p);
	put(p.first, "p5.yaml", "version: 1\nname: p5\n" LIMITS);
	for (unsigned int i = 0; i < 5; i++) {
		char name[16], text[128];

		snprintf(name, sizeof(name), "p%u.yaml", i);
		snprintf(text, sizeof(text), "version: 1\nname: p%u\nextends: p%u\n", i, i + 1);
		put(p.first, name, text);
	}
	cr_expect_eq(load(&p, "p1"), 0, "%s", buf_text(&p.report));
	cr_expect_eq(load(&p, "p0"), -EINVAL);
	expect_text(&p, p.err.text, "$D/first/p4.yaml:3:10: error: extends: more than 4 parents");
}

Test(profile_load, an_unknown_parent)
{
	auto_place p;

	place_init(&p);
	put(p.first, "base.yaml", "version: 1\nname: base\n" LIMITS);
	put(p.first, "a.yaml", "version: 1\nname: a\nextends: bsae\n");
	cr_expect_eq(load(&p, "a"), -ENOENT);
	expect_text(&p, buf_text(&p.report),
		    "$D/first/a.yaml:3:10: error: no profile 'bsae'; did you mean 'base'? (there "
		    "are: a, base)\n"
		    "extends: bsae\n"
		    "         ^~~~\n");
}

Test(profile_load, too_large)
{
	auto_place p;
	auto_free char *text = malloc((1u << 20) + 2);
	char path[256];

	place_init(&p);
	memset(text, '#', (1u << 20) + 1);
	text[(1u << 20) + 1] = '\0';
	put(p.first, "a.yaml", text);
	cr_expect_eq(load(&p, "a"), -EINVAL);
	expect_text(&p, p.err.text, "$D/first/a.yaml: error: larger than 1 MiB");
	snprintf(path, sizeof(path), "%s/a.yaml", p.first);
	cr_assert_eq(truncate(path, 4u << 20), 0);
	cr_expect_eq(load(&p, "a"), -EINVAL);
	expect_text(&p, p.err.text, "$D/first/a.yaml: error: larger than 1 MiB");
}

Test(profile_load, no_descriptor_is_left)
{
	auto_place p;
	int before = dup(0), after;

	close(before);
	place_init(&p);
	put(p.shipped, "top.yaml", "version: 1\nname: top\n" LIMITS);
	put(p.first, "a.yaml", "version: 1\nname: a\nextends: top\n");
	cr_assert_eq(load(&p, "a"), 0);
	cr_assert_eq(load(&p, "none"), -ENOENT);
	after = dup(0);
	close(after);
	cr_expect_eq(after, before);
}

Test(profile_load, an_added_dependency)
{
	auto_place p;

	place_init(&p);
	put(p.first, "a.yaml", A_IS("x"));
	cr_assert_eq(load(&p, "a"), 0);
	cr_assert_eq(p.loaded.dep_count, 2u); /* and where its drop-ins would be */
	cr_assert_eq(profile_loaded_add(&p.loaded, p.first), 0);
	cr_assert_eq(profile_loaded_add(&p.loaded, "/nonexistent"), 0);
	cr_assert_eq(p.loaded.dep_count, 4u);
	cr_expect_eq(p.loaded.deps[2].present, true);
	cr_expect_eq(p.loaded.deps[3].present, false);
}

/* ---- the shipped ones ------------------------------------------------------------------------ */

/* The tests run in the checkout's root. */
static int
load_shipped(struct place *p, const char *name)
{
	static char shipped[4096];

	cr_assert_not_null(getcwd(shipped, sizeof(shipped) - 16));
	strcat(shipped, "/profiles");
	p->request.shipped_dir = shipped;
	return load(p, name);
}

static bool
reads(const struct profile *p, const char *path)
{
	for (size_t i = 0; i < p->read_count; i++) {
		if (strcmp(p->read[i].path, path) == 0) {
			return true;
		}
	}
	return false;
}

Test(profile_load, shipped_default)
{
	static const char *const secrets[] = { "/etc",	     "/etc/shadow", "/etc/passwd",
					       "/etc/ssl",   "/etc/ssh",    "/etc/ssl/private",
					       "/etc/npmrc", "/root",	    "/home",
					       "/var",	     "/run",	    "/etc/resolv.conf" };
	auto_place p;
	const struct profile *d;

	place_init(&p);
	cr_assert_eq(load_shipped(&p, "default"), 0, "%s", buf_text(&p.report));
	d = p.loaded.profile;
	cr_expect_eq(d->mode, MODE_APPLY);
	cr_expect_eq(d->allow_degraded, DEGRADE_CGROUP | DEGRADE_LANDLOCK);
	cr_expect_eq(d->loopback, true);
	cr_expect_eq(d->effects, EFFECT_READ | EFFECT_WRITE_WORKSPACE);
	cr_expect_eq(d->success[0], 1);
	cr_expect_eq(d->capture_inputs, CAPTURE_TOUCHED);
	cr_expect_eq(d->tool_run.count, 0u);
	cr_expect_eq(d->shipped, true);
	cr_expect_eq(strncmp(d->rules[KEY_SYSCALLS].place, "base.yaml:", 10), 0);
	cr_expect_eq(strncmp(d->rules[KEY_MODE].place, "default.yaml:", 13), 0);
	cr_expect_eq(d->rules[KEY_SYSCALLS].flags, RULE_WIDEN | RULE_OPEN);
	cr_expect_eq(d->rules[KEY_FS_READ].flags, RULE_WIDEN | RULE_OPEN | RULE_OWN);
	cr_expect_eq(d->rules[KEY_CAPTURE_INPUTS].flags, 0u);
	cr_expect_eq(d->limits.memory_bytes, 2147483648u);
	cr_expect_eq(d->limits.pids, 512u);
	cr_expect_eq(d->limits.cpu_percent, 400u);
	cr_expect_eq(d->limits.cpu_time_ms, 3600000u);
	cr_expect_eq(d->limits.wall_ms, 600000u);
	cr_expect_eq(d->limits.disk_bytes, 1073741824u);
	cr_expect_eq(d->limits.files, 200000u);
	cr_expect_eq(d->limits.output_bytes, 16777216u);
	cr_expect_eq(d->limits.open_files, 1024u);
	cr_expect_eq(reads(d, "/usr"), true);
	cr_expect_eq(reads(d, "/etc/ssl/certs"), true);
	cr_expect_eq(profile_env_matches(&d->env_pass, "LC_ALL"), true);
	cr_expect_eq(profile_env_matches(&d->env_pass, "AWS_SECRET_ACCESS_KEY"), false);
	cr_expect_eq(profile_env_matches(&d->env_accept, "CI"), true);
	cr_assert_eq(d->env_set_count, 1u);
	cr_expect_str_eq(d->env_set[0].name, "PATH");
	for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
		cr_expect_eq(reads(d, secrets[i]), false, "%s", secrets[i]);
	}
}

Test(profile_load, shipped_strict)
{
	auto_place p;
	const struct profile *s;

	place_init(&p);
	cr_assert_eq(load_shipped(&p, "strict"), 0, "%s", buf_text(&p.report));
	s = p.loaded.profile;
	cr_expect_eq(s->allow_degraded, 0u);
	cr_expect_eq(s->loopback, false);
	cr_expect_eq(s->mode, MODE_APPLY);
	cr_expect_eq(s->env_accept.count, 0u);
	cr_expect_lt(s->limits.memory_bytes, 2147483648u);
	cr_expect_eq(reads(s, "/opt"), false);
}

Test(profile_load, shipped_base_grants_nothing)
{
	auto_place p;
	const struct profile *b;

	place_init(&p);
	cr_assert_eq(load_shipped(&p, "base"), 0, "%s", buf_text(&p.report));
	b = p.loaded.profile;
	cr_expect_eq(b->mode, MODE_OBSERVE);
	cr_expect_eq(b->read_count, 0u);
	cr_expect_eq(b->allow_degraded, 0u);
	cr_expect_eq(b->effects, EFFECT_READ);
	cr_expect_eq(b->env_pass.count + b->env_accept.count + b->env_set_count, 0u);
}

/*
 * A developer's own profile over default: more to read, a longer wall, observe; but not more
 * layers missing.
 */
Test(profile_load, own_profile_over_default)
{
	auto_place p;

	place_init(&p);
	put(p.own, "mine.yaml",
	    "version: 1\nname: mine\nextends: default\nmode: observe\nfilesystem: { read: [/usr, "
	    "~/.cargo/bin] }\n"
	    "limits: { wall: 1h }\n");
	cr_assert_eq(load_shipped(&p, "mine"), 0, "%s", buf_text(&p.report));
	put(p.own, "mine.yaml",
	    "version: 1\nname: mine\nextends: strict\nallow_degraded: [landlock]\n");
	cr_expect_eq(load_shipped(&p, "mine"), -EINVAL);
	cr_expect_not_null(strstr(p.err.text,
				  "mine.yaml:4:18: error: allow_degraded: 'landlock' is more than "
				  "the parent allows ("));
}
