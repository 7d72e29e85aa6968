/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI, root or not, with the age programs. Where the identity is. */
#include "../../../launcher/bundle/bundle_identity.h"
#include "bundle_test.h"

struct found {
	int fd;
	struct buf path;
};

#define auto_found __attribute__((cleanup(found_finish))) struct found

static void
found_finish(struct found *f)
{
	cleanup_fd(&f->fd);
	buf_finish(&f->path);
}

static int
find(struct place *p, const char *credentials, struct found *f)
{
	found_finish(f);
	*f = (struct found){ .fd = -1 };
	return bundle_identity_open(&p->request, credentials, &f->fd, &f->path, &p->err);
}

Test(bundle_identity, made_once)
{
	auto_place p;
	auto_found f = { .fd = -1 }, g = { .fd = -1 };
	auto_buf key = BUF_INIT;
	char recipient[IDENTITY_RECIPIENT_SIZE], again[IDENTITY_RECIPIENT_SIZE];
	struct stat st;

	place_init(&p);
	cr_expect_eq(find(&p, NULL, &f), -ENOENT);
	expect_text(&p, "no identity: $D/.config/airlock/identity is not there; airlock creds init "
			"makes it");
	cr_assert_eq(bundle_identity_make(&p.request, &g.fd, &g.path, &p.err), 0, "%s", p.err.text);
	cr_assert_eq(bundle_identity_recipient(g.fd, recipient, &p.err), 0, "%s", p.err.text);
	cr_expect_eq(strncmp(recipient, "age1", 4), 0);
	cr_assert_eq(find(&p, NULL, &f), 0, "%s", p.err.text);
	cr_expect_str_eq(buf_text(&f.path), buf_text(&g.path));
	cr_assert_eq(fstat(f.fd, &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0600);
	cr_assert_eq(fdio_slurp(f.fd, 4096, &key), 0);
	cr_expect_not_null(strstr(buf_text(&key), "\nAGE-SECRET-KEY-1"));
	found_finish(&g);
	g = (struct found){ .fd = -1 };
	cr_expect_eq(bundle_identity_make(&p.request, &g.fd, &g.path, &p.err), -EEXIST);
	expect_text(&p, "$D/.config/airlock/identity is there already, and stays");
	cr_assert_eq(bundle_identity_recipient(f.fd, again, &p.err), 0, "%s", p.err.text);
	cr_expect_str_eq(again, recipient);
}

Test(bundle_identity, a_credential_comes_first)
{
	auto_place p;
	auto_found f = { .fd = -1 };
	char dir[128], file[256];

	place_init(&p);
	snprintf(dir, sizeof(dir), "%s/credentials", p.dir);
	put(p.dir, "credentials", IDENTITY_CREDENTIAL, "x");
	put(p.dir, ".config/airlock", "identity", "y");
	snprintf(file, sizeof(file), "%s/" IDENTITY_CREDENTIAL, dir);
	cr_assert_eq(chmod(file, 0400), 0);
	cr_assert_eq(find(&p, dir, &f), 0, "%s", p.err.text);
	cr_expect_str_eq(buf_text(&f.path), file);
	cr_assert_eq(unlink(file), 0);
	cr_expect_eq(find(&p, dir, &f), -EPERM, "the own one, which others can read");
	expect_text(&p, "$D/.config/airlock/identity can be read by others (mode 0644): chmod 0600 "
			"it");
}

Test(bundle_identity, links_and_directories)
{
	auto_place p;
	auto_found f = { .fd = -1 };
	char path[512], other[256], dir[256];

	place_init(&p);
	put(p.dir, ".config/airlock", "identity", "y");
	snprintf(dir, sizeof(dir), "%s/.config/airlock", p.dir);
	snprintf(path, sizeof(path), "%s/identity", dir);
	snprintf(other, sizeof(other), "%s/other", p.dir);
	cr_assert_eq(chmod(path, 0600), 0);
	cr_assert_eq(find(&p, NULL, &f), 0, "%s", p.err.text);
	cr_assert_eq(link(path, other), 0);
	cr_expect_eq(find(&p, NULL, &f), -EPERM);
	expect_text(&p,
		    "$D/.config/airlock/identity has 2 names (hard links); make a copy of its own");
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(symlink(other, path), 0);
	cr_expect_eq(find(&p, NULL, &f), -EPERM);
	expect_text(&p, "$D/.config/airlock/identity is a link");
	cr_assert_eq(unlink(path), 0);
	cr_assert_eq(rename(other, path), 0);
	cr_assert_eq(chmod(dir, 0770), 0);
	cr_expect_eq(find(&p, NULL, &f), -EPERM);
	expect_text(&p, "$D/.config/airlock is writable by others (mode 0770); run: chmod go-w "
			"$D/.config/airlock");
}

Test(bundle_identity, what_is_no_key)
{
	auto_place p;
	char recipient[IDENTITY_RECIPIENT_SIZE];
	auto_fd fd = fdio_memfd("key", "x\n", 2);

	place_init(&p);
	cr_expect_eq(bundle_identity_recipient(fd, recipient, &p.err), -EINVAL);
	cr_expect_str_eq(p.err.text, "the identity file has no secret key of age");
}
