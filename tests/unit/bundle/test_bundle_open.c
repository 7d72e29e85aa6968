/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs as the developer or CI, root or not. Search, owners, links, the lock. Works in a directory
 * of its own below /tmp.
 */
#include <sys/file.h>

#include "bundle_test.h"

#define ITEMS "items:\n  gh: { source: sealed, version: 2 }\n"
#define OF(name) "bundle: " name "\nrecipients: [" RECIPIENT "]\n" ITEMS

Test(bundle_open, own_before_the_systems)
{
	auto_place p;
	char config[256];

	place_init(&p);
	put(p.system, "acme", "bundle.yaml", OF("acme"));
	cr_assert_eq(open_read(&p, "acme"), 0, "%s", p.err.text);
	cr_expect(p.at.is_system);
	put(p.own, "acme", "bundle.yaml", OF("acme"));
	cr_assert_eq(open_read(&p, "acme"), 0, "%s", p.err.text);
	cr_expect_not(p.at.is_system);
	cr_expect_eq(p.at.mode, 0644);
	cr_expect_eq(p.at.manifest.len, strlen(OF("acme")));
	snprintf(config, sizeof(config), "%s/other", p.dir);
	p.request.config_home = config;
	cr_assert_eq(open_read(&p, "acme"), 0, "%s", p.err.text);
	cr_expect(p.at.is_system, "another configuration directory has none");
	p.request.config_home = "other";
	cr_assert_eq(open_read(&p, "acme"), 0, "%s", p.err.text);
	cr_expect_not(p.at.is_system, "one that is not absolute does not count");
}

Test(bundle_open, not_found_lists_what_there_is)
{
	auto_place p;

	place_init(&p);
	cr_expect_eq(open_read(&p, "acme"), -ENOENT);
	cr_expect_str_eq(p.err.text, "no bundle 'acme' (there are: none)");
	put(p.own, "acne", "bundle.yaml", "");
	put(p.system, "acne", "bundle.yaml", "");
	put(p.system, "zoo", "bundle.yaml", "");
	cr_expect_eq(open_read(&p, "acme"), -ENOENT);
	cr_expect_str_eq(p.err.text,
			 "no bundle 'acme'; did you mean 'acne'? (there are: acne, zoo)");
	cr_expect_eq(open_read(&p, "../acne"), -EINVAL);
	cr_expect_str_eq(p.err.text,
			 "'../acne' is no name of a bundle: small letters, digits, '.', '_', '-', "
			 "the first a letter or digit, at most 64");
}

Test(bundle_open, errors_have_their_place)
{
	auto_place p;

	place_init(&p);
	put(p.own, "acme", "bundle.yaml", "bundle: acme\nitem: x\n");
	cr_expect_eq(open_read(&p, "acme"), -EINVAL);
	expect_text(&p, "$D/.config/airlock/bundles/acme/bundle.yaml:2:1: error: unknown key "
			"'item'; did you mean 'items'?");
	cr_expect_not_null(strstr(buf_text(&p.report), "\nitem: x\n^~~~\n"));
}

Test(bundle_open, owners_and_modes)
{
	auto_place p;
	char path[256];

	place_init(&p);
	put(p.own, "acme", "bundle.yaml", OF("acme"));
	cr_expect_eq(open_read(&p, "acme"), 0, "control");
	cr_assert_eq(chmod(p.own, 0777), 0);
	cr_expect_eq(open_read(&p, "acme"), -EPERM);
	expect_text(&p, "$D/.config/airlock/bundles is writable by others (mode 0777); run: chmod "
			"go-w $D/.config/airlock/bundles");
	cr_assert_eq(chmod(p.own, 0755), 0);
	snprintf(path, sizeof(path), "%s/acme", p.own);
	cr_assert_eq(chmod(path, 0775), 0);
	cr_expect_eq(open_read(&p, "acme"), -EPERM);
	expect_text(&p, "$D/.config/airlock/bundles/acme is writable by others (mode 0775); run: "
			"chmod go-w $D/.config/airlock/bundles/acme");
	cr_assert_eq(chmod(path, 0755), 0);
	snprintf(path, sizeof(path), "%s/acme/bundle.yaml", p.own);
	cr_assert_eq(chmod(path, 0646), 0);
	cr_expect_eq(open_read(&p, "acme"), -EPERM);
	cr_assert_eq(chmod(path, 0600), 0);
	cr_expect_eq(open_read(&p, "acme"), 0, "%s", p.err.text);
	p.request.caller = geteuid() + 1;
	if (geteuid() != 0) {
		cr_expect_eq(open_read(&p, "acme"), -EPERM);
	}
}

Test(bundle_open, links_are_refused)
{
	auto_place p;
	char path[256], other[256];

	place_init(&p);
	put(p.own, "acme", "bundle.yaml", OF("acme"));
	snprintf(path, sizeof(path), "%s/beta", p.own);
	cr_assert_eq(symlink("acme", path), 0);
	cr_expect_eq(open_read(&p, "beta"), -EPERM);
	expect_text(&p, "$D/.config/airlock/bundles/beta is no directory; a bundle is one, and no "
			"link to one");
	snprintf(path, sizeof(path), "%s/acme/bundle.yaml", p.own);
	snprintf(other, sizeof(other), "%s/manifest", p.dir);
	cr_assert_eq(link(path, other), 0);
	cr_expect_eq(open_read(&p, "acme"), -EPERM);
	expect_text(&p,
		    "$D/.config/airlock/bundles/acme/bundle.yaml has 2 names (hard links); make "
		    "a copy of its own");
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(symlink(other, path), 0);
	cr_expect_eq(open_read(&p, "acme"), -EPERM);
	expect_text(&p, "$D/.config/airlock/bundles/acme/bundle.yaml is a link, or reached through "
			"one");
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_expect_eq(open_read(&p, "acme"), -EPERM, "and is not waited for");
	expect_text(&p, "$D/.config/airlock/bundles/acme/bundle.yaml is not a regular file");
	cr_assert_eq(unlink(path), 0);
	cr_expect_eq(open_read(&p, "acme"), -ENOENT);
	expect_text(&p, "$D/.config/airlock/bundles/acme/bundle.yaml: No such file or directory");
}

Test(bundle_open, sealed_files)
{
	auto_place p;
	const struct bundle_item *item;
	char path[256], other[256];
	int fd = -1;

	place_init(&p);
	put(p.own, "acme", "bundle.yaml", OF("acme"));
	cr_assert_eq(open_read(&p, "acme"), 0, "%s", p.err.text);
	item = bundle_item(&p.at.bundle, "gh");
	cr_expect_eq(bundle_open_item(&p.at, item, &fd, &p.err), -ENOENT);
	expect_text(&p, "$D/.config/airlock/bundles/acme/gh.2.age: No such file or directory");
	put(p.own, "acme", "gh.2.age", "cipher");
	cr_assert_eq(bundle_open_item(&p.at, item, &fd, &p.err), 0, "%s", p.err.text);
	close(fd);
	snprintf(path, sizeof(path), "%s/acme/gh.2.age", p.own);
	snprintf(other, sizeof(other), "%s/x.age", p.dir);
	cr_assert_eq(link(path, other), 0);
	cr_expect_eq(bundle_open_item(&p.at, item, &fd, &p.err), -EPERM);
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(symlink(other, path), 0);
	cr_expect_eq(bundle_open_item(&p.at, item, &fd, &p.err), -EPERM);
	expect_text(&p,
		    "$D/.config/airlock/bundles/acme/gh.2.age is a link, or reached through one");
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(rename(other, path), 0);
	cr_assert_eq(chmod(path, 0666), 0);
	cr_expect_eq(bundle_open_item(&p.at, item, &fd, &p.err), -EPERM);
	cr_assert_eq(chmod(path, 0600), 0);
	cr_assert_eq(truncate(path, (256 << 10) + 1), 0);
	cr_expect_eq(bundle_open_item(&p.at, item, &fd, &p.err), -EFBIG);
	expect_text(&p, "$D/.config/airlock/bundles/acme/gh.2.age is larger than 256 KiB");
}

Test(bundle_open, commands)
{
	const char *command[] = { NULL };
	const struct bundle_item item = { .name = "gh",
					  BUNDLE_ITEM_UNSAID,
					  .command = { .items = command, .count = 1 } };
	auto_place p;
	char path[256], other[256], dir[256], through[256];

	place_init(&p);
	put(p.own, "acme", "bundle.yaml", OF("acme"));
	cr_assert_eq(open_read(&p, "acme"), 0, "%s", p.err.text);
	snprintf(path, sizeof(path), "%s/acme/resolver", p.own);
	snprintf(other, sizeof(other), "%s/link", p.dir);
	snprintf(dir, sizeof(dir), "%s/acme", p.own);
	snprintf(through, sizeof(through), "%s/link/resolver", p.dir);
	command[0] = path;
	cr_expect_eq(bundle_check_command(&p.at, &item, &p.err), -ENOENT);
	put(p.own, "acme", "resolver", "#!/bin/sh\n");
	cr_expect_eq(bundle_check_command(&p.at, &item, &p.err), -EPERM);
	expect_text(&p, "$D/.config/airlock/bundles/acme/resolver is no program");
	cr_assert_eq(chmod(path, 0755), 0);
	cr_expect_eq(bundle_check_command(&p.at, &item, &p.err), 0, "%s", p.err.text);
	cr_assert_eq(chmod(path, 0775), 0);
	cr_expect_eq(bundle_check_command(&p.at, &item, &p.err), -EPERM);
	cr_assert_eq(chmod(path, 0757), 0);
	cr_expect_eq(bundle_check_command(&p.at, &item, &p.err), -EPERM);
	cr_assert_eq(chmod(path, 0755), 0);
	command[0] = other;
	cr_assert_eq(symlink(path, other), 0);
	cr_expect_eq(bundle_check_command(&p.at, &item, &p.err), -EPERM);
	expect_text(&p, "$D/link is a link, or reached through one");
	cr_assert_eq(unlink(other), 0);
	cr_assert_eq(symlink(dir, other), 0);
	command[0] = through;
	cr_expect_eq(bundle_check_command(&p.at, &item, &p.err), -EPERM);
	command[0] = dir;
	cr_expect_eq(bundle_check_command(&p.at, &item, &p.err), -EPERM);
	expect_text(&p, "$D/.config/airlock/bundles/acme is no program");
	if (geteuid() == 0) {
		command[0] = path;
		cr_assert_eq(chown(path, 12345, 12345), 0);
		cr_expect_eq(bundle_check_command(&p.at, &item, &p.err), -EPERM);
	}
}

Test(bundle_open, private_files)
{
	auto_place p;
	char manifest[512], path[256], other[256];
	const struct bundle_item *item;
	int fd = -1;

	place_init(&p);
	snprintf(manifest, sizeof(manifest),
		 "bundle: acme\nitems:\n  f: { source: file, path: %s/secret }\n"
		 "  d: { source: fd, handle: h }\n",
		 p.dir);
	put(p.own, "acme", "bundle.yaml", manifest);
	put(p.dir, ".", "secret", "s");
	snprintf(path, sizeof(path), "%s/secret", p.dir);
	cr_assert_eq(open_read(&p, "acme"), 0, "%s", p.err.text);
	item = bundle_item(&p.at.bundle, "f");
	cr_expect_eq(bundle_open_item(&p.at, item, &fd, &p.err), -EPERM);
	expect_text(&p, "$D/secret can be read by others (mode 0644): chmod 0600 it");
	cr_assert_eq(chmod(path, 0600), 0);
	cr_assert_eq(bundle_open_item(&p.at, item, &fd, &p.err), 0, "%s", p.err.text);
	close(fd);
	snprintf(other, sizeof(other), "%s/other", p.dir);
	cr_assert_eq(link(path, other), 0);
	cr_expect_eq(bundle_open_item(&p.at, item, &fd, &p.err), -EPERM);
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(symlink(other, path), 0);
	cr_expect_eq(bundle_open_item(&p.at, item, &fd, &p.err), -EPERM);
	expect_text(&p, "$D/secret is a link, or reached through one");
	cr_expect_eq(bundle_open_item(&p.at, bundle_item(&p.at.bundle, "d"), &fd, &p.err), -EINVAL);
	cr_expect_str_eq(p.err.text, "acme/d is no file: its source is fd");
}

Test(bundle_open, readers_together_a_writer_alone)
{
	auto_place p;
	auto_bundle_at second = BUNDLE_AT_INIT;
	auto_fd dir = -1;
	char path[256];

	place_init(&p);
	put(p.own, "acme", "bundle.yaml", OF("acme"));
	snprintf(path, sizeof(path), "%s/acme", p.own);
	dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	cr_assert_eq(open_read(&p, "acme"), 0, "%s", p.err.text);
	cr_assert_eq(bundle_open_read(&p.request, "acme", &second, &p.report, &p.err), 0);
	cr_expect_eq(flock(dir, LOCK_EX | LOCK_NB), -1);
	cr_expect_eq(errno, EWOULDBLOCK);
	bundle_at_finish(&second);
	bundle_at_finish(&p.at);
	cr_assert_eq(bundle_open_write(&p.request, "acme", &second, &p.report, &p.err), 0);
	cr_expect_eq(flock(dir, LOCK_SH | LOCK_NB), -1);
	cr_expect_eq(errno, EWOULDBLOCK);
}

Test(bundle_open, no_descriptor_is_left)
{
	auto_place p;
	unsigned int before;

	place_init(&p);
	put(p.own, "acme", "bundle.yaml", "x");
	put(p.own, "beta", "bundle.yaml", OF("beta"));
	before = scratch_count_fds();
	cr_expect_eq(open_read(&p, "acme"), -EINVAL);
	cr_expect_eq(open_read(&p, "none"), -ENOENT);
	cr_expect_eq(open_read(&p, "beta"), 0);
	bundle_at_finish(&p.at);
	cr_expect_eq(scratch_count_fds(), before);
}

Test(bundle_open, listing)
{
	auto_place p;
	struct bundle_listing list;
	char path[256];

	place_init(&p);
	put(p.own, "b", "bundle.yaml", "");
	put(p.system, "b", "bundle.yaml", "");
	put(p.system, "a", "x", "");
	put(p.system, "UPPER", "x", "");
	put(p.own, ".", "file", "");
	cr_assert_eq(bundle_list(&p.request, &list, &p.err), 0);
	cr_assert_eq(list.count, 3u);
	cr_expect_str_eq(list.rows[0].name, "a");
	cr_expect(list.rows[0].is_system);
	cr_expect_str_eq(list.rows[1].name, "b");
	cr_expect_not(list.rows[1].is_system);
	cr_expect_not(list.rows[1].is_hidden);
	snprintf(path, sizeof(path), "%s/b", p.own);
	cr_expect_str_eq(list.rows[1].path, path);
	cr_expect(list.rows[2].is_hidden);
	bundle_listing_finish(&list);
}
