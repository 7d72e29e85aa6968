/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs as the developer or CI, root or not. Drop-ins of a profile and of its parents: what they
 * may say, their order, who may write them, and that a compiled profile depends on them.
 */
#include "profile_place.h"

#define A "version: 1\nname: a\ndescription: A\nopen: [limits.pids]\nmode: apply\n" LIMITS

static void
put_dropin(const struct place *p, const char *profile, const char *name, const char *text)
{
	char dir[192];

	snprintf(dir, sizeof(dir), "%s/%s.yaml.d", p->own, profile);
	cr_assert_eq(fdio_mkdirs(dir, 0755), 0);
	put(dir, name, text);
}

static void
expect_refused(struct place *p, int code, const char *expected)
{
	cr_expect_eq(load(p, "a"), code);
	expect_text(p, p->err.text, expected);
}

static const struct profile_dep *
find_dep(const struct place *p, const char *below)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", p->own, below);
	for (size_t i = 0; i < p->loaded.dep_count; i++) {
		if (strcmp(p->loaded.deps[i].path, path) == 0) {
			return &p->loaded.deps[i];
		}
	}
	return NULL;
}

Test(profile_dropin, narrow_in_the_order_of_their_names)
{
	auto_place p;

	place_init(&p);
	put(p.own, "a.yaml", A);
	put_dropin(&p, "a", "20-b.yaml", "limits: { wall: 3m }\n");
	put_dropin(&p, "a", "10-a.yaml",
		   "version: 1\nname: a\nlimits: { wall: 5m }\nmode: observe\nfilesystem: { "
		   "protect: [x] }\n");
	put_dropin(&p, "a", "README", "not YAML: [");
	put_dropin(&p, "a", ".hidden.yaml", "not YAML: [");
	put_dropin(&p, "a", "30-c.yaml~", "not YAML: [");
	cr_assert_eq(load(&p, "a"), 0, "%s", p.err.text);
	cr_expect_eq(p.loaded.profile->limits.wall_ms, 180000u);
	cr_expect_eq(p.loaded.profile->limits.memory_bytes, UINT64_C(2) << 30);
	cr_expect_eq(p.loaded.profile->mode, MODE_OBSERVE);
	cr_expect_eq(p.loaded.profile->protect.count, 1u);
	cr_expect_str_eq(p.loaded.profile->name, "a");
	cr_expect_str_eq(p.loaded.profile->description, "A");
	expect_text(&p, p.loaded.profile->source, "$D/home/.config/airlock/profiles/a.yaml");
	cr_assert_eq(p.loaded.profile->files.count, 3u);
	expect_text(&p, p.loaded.profile->files.items[1],
		    "$D/home/.config/airlock/profiles/a.yaml.d/10-a.yaml");
	expect_text(&p, p.loaded.profile->files.items[2],
		    "$D/home/.config/airlock/profiles/a.yaml.d/20-b.yaml");
	cr_expect_eq(p.loaded.files[0].is_dropin, false);
	cr_expect_eq(p.loaded.files[1].is_dropin, true);
	put_dropin(&p, "a", "30-c.yaml", "limits: { wall: 4m }\n");
	expect_refused(&p, -EINVAL,
		       "$D/home/.config/airlock/profiles/a.yaml.d/30-c.yaml:1:17: error: "
		       "limits.wall: 4m is wider than the parent's 3m "
		       "($D/home/.config/airlock/profiles/a.yaml.d/20-b.yaml:1:17)");
}

Test(profile_dropin, widens_only_what_its_profile_opens)
{
	auto_place p;

	place_init(&p);
	put(p.own, "a.yaml", A);
	put_dropin(&p, "a", "10.yaml", "limits: { pids: 4096 }\n");
	cr_assert_eq(load(&p, "a"), 0, "%s", p.err.text);
	cr_expect_eq(p.loaded.profile->limits.pids, 4096u);
	put_dropin(&p, "a", "20.yaml", "limits: { memory: 4GiB }\n");
	expect_refused(&p, -EINVAL,
		       "$D/home/.config/airlock/profiles/a.yaml.d/20.yaml:1:19: error: "
		       "limits.memory: 4GiB is wider than the parent's 2GiB "
		       "($D/home/.config/airlock/profiles/a.yaml:6:19)");
}

/* Children are held against the profile with its drop-ins; what it opens stays open. */
Test(profile_dropin, hold_for_children)
{
	auto_place p;

	place_init(&p);
	put(p.own, "b.yaml", A "filesystem: { read: [/usr] }\n");
	put(p.own, "a.yaml", "version: 1\nname: a\nextends: b\nlimits: { pids: 9999 }\n");
	put_dropin(&p, "b", "10.yaml", "limits: { wall: 1m }\n");
	expect_refused(&p, -EINVAL,
		       "$D/home/.config/airlock/profiles/b.yaml:2:7: error: name: 'a' is not the "
		       "name of the file, 'b'");
	put(p.own, "b.yaml", "version: 1\nname: b\nopen: [limits.pids]\n" LIMITS);
	cr_assert_eq(load(&p, "a"), 0, "%s", p.err.text);
	cr_expect_eq(p.loaded.profile->limits.wall_ms, 60000u);
	cr_expect_eq(p.loaded.profile->limits.pids, 9999u);
	put(p.own, "a.yaml", "version: 1\nname: a\nextends: b\nlimits: { wall: 2m }\n");
	cr_expect_eq(load(&p, "a"), -EINVAL);
	put_dropin(&p, "b", "10.yaml", "open: []\n");
	put(p.own, "a.yaml", "version: 1\nname: a\nextends: b\nlimits: { pids: 9999 }\n");
	cr_expect_eq(load(&p, "a"), -EINVAL);
}

Test(profile_dropin, says_nothing_else_of_itself)
{
	static const struct {
		const char *text, *expected;
	} rows[] = {
		{ "name: b\n", "1:7: error: name: 'b' is not the name of the profile, 'a'; a "
			       "drop-in needs none" },
		{ "extends: a\n", "1:10: error: extends: a drop-in has no parent of its own" },
		{ "version: 2\n", "1:10: error: version: wants the number 1, not '2'" },
		{ "limts: {}\n", "1:1: error: unknown key 'limts'; did you mean 'limits'?" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		auto_place p;
		auto_buf expected = BUF_INIT;

		place_init(&p);
		put(p.own, "a.yaml", A);
		put_dropin(&p, "a", "10.yaml", rows[i].text);
		buf_printf(&expected, "$D/home/.config/airlock/profiles/a.yaml.d/10.yaml:%s",
			   rows[i].expected);
		expect_refused(&p, -EINVAL, buf_text(&expected));
	}
}

Test(profile_dropin, nobody_else_may_write_them)
{
	auto_place p;
	char path[256];

	place_init(&p);
	put(p.own, "a.yaml", A);
	put_dropin(&p, "a", "10.yaml", "limits: { wall: 1m }\n");
	snprintf(path, sizeof(path), "%s/a.yaml.d/10.yaml", p.own);
	cr_assert_eq(chmod(path, 0664), 0);
	expect_refused(&p, -EPERM,
		       "$D/home/.config/airlock/profiles/a.yaml.d/10.yaml is writable by others "
		       "(mode 0664); run: chmod go-w "
		       "$D/home/.config/airlock/profiles/a.yaml.d/10.yaml");
	cr_assert_eq(unlink(path), 0);
	*strrchr(path, '/') = '\0';
	/* Also where nothing is in it yet. */
	cr_assert_eq(chmod(path, 0777), 0);
	expect_refused(&p, -EPERM,
		       "$D/home/.config/airlock/profiles/a.yaml.d is writable by others (mode "
		       "0777); run: chmod go-w $D/home/.config/airlock/profiles/a.yaml.d");
	cr_assert_eq(rmdir(path), 0);
	put(p.own, "a.yaml.d", "limits: { wall: 1m }\n");
	expect_refused(&p, -ENOTDIR,
		       "$D/home/.config/airlock/profiles/a.yaml.d is not a directory of drop-ins");
}

Test(profile_dropin, are_dependencies)
{
	auto_place p;
	const struct profile_dep *d;

	place_init(&p);
	put(p.own, "a.yaml", A);
	cr_assert_eq(load(&p, "a"), 0);
	d = find_dep(&p, "a.yaml.d");
	cr_assert_not_null(d);
	cr_expect_eq(d->present, false);
	put_dropin(&p, "a", "10.yaml", "limits: { wall: 1m }\n");
	cr_assert_eq(load(&p, "a"), 0);
	d = find_dep(&p, "a.yaml.d");
	cr_assert_not_null(d);
	cr_expect_eq(d->present, true);
	d = find_dep(&p, "a.yaml.d/10.yaml");
	cr_assert_not_null(d);
	cr_expect_eq(d->present, true);
}

Test(profile_dropin, not_too_many)
{
	auto_place p;

	place_init(&p);
	put(p.own, "a.yaml", A);
	for (unsigned int i = 0; i < 64; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%02u.yaml", i);
		put_dropin(&p, "a", name, "limits: { wall: 1m }\n");
	}
	cr_assert_eq(load(&p, "a"), 0, "%s", p.err.text);
	put_dropin(&p, "a", "more.yaml", "limits: { wall: 1m }\n");
	expect_refused(&p, -EINVAL,
		       "$D/home/.config/airlock/profiles/a.yaml.d: more than 64 drop-ins");
}
