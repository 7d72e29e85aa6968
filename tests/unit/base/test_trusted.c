/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI, root or not. Owners and modes, with what is said of each. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../../launcher/base/trusted.h"

Test(trusted, all_ids_are_mapped_here)
{
	/* Where the tests run in a user namespace of one id this is the overflow uid. */
	uid_t uid = trusted_unmapped_uid();

	cr_expect_eq(uid == (uid_t)-1 || uid == 65534, true, "%u", (unsigned int)uid);
}

/* One row per kind of owner and mode, of a caller 1000 where 65534 stands for unmapped owners. */
static const struct {
	uid_t uid;
	mode_t mode;
	bool is_system;
	const char *text; /* NULL: it is taken */
} rows[] = {
	{ 0, 0644, false, NULL },
	{ 1000, 0600, false, NULL },
	{ 65534, 0644, true, NULL },
	{ 65534, 0644, false,
	  "/a b belongs to somebody whom this user namespace does not map; use a copy of your "
	  "own" },
	{ 1001, 0644, true,
	  "/a b belongs to uid 1001, neither root nor the caller; run: chown 1000 '/a b'" },
	{ 1000, 0664, false, "/a b is writable by others (mode 0664); run: chmod go-w '/a b'" },
	{ 0, 0646, true, "/a b is writable by others (mode 0646); run: chmod go-w '/a b'" },
};

Test(trusted, owners)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct trust trust = { 1000, 65534, rows[i].is_system };
		const struct stat st = { .st_uid = rows[i].uid, .st_mode = S_IFREG | rows[i].mode };
		struct err err = ERR_INIT;

		cr_expect_eq(trusted_owner(&trust, "/a b", &st, &err),
			     rows[i].text == NULL ? 0 : -EPERM, "row %zu", i);
		cr_expect_str_eq(err.text, rows[i].text == NULL ? "" : rows[i].text);
	}
}

Test(trusted, private_files)
{
	auto_fd fd = memfd_create("private", MFD_CLOEXEC);
	auto_fd null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct err err = ERR_INIT;

	cr_assert_eq(fchmod(fd, 0600), 0);
	cr_expect_eq(trusted_private(fd, "/key", &err), 0);
	cr_assert_eq(fchmod(fd, 0400), 0);
	cr_expect_eq(trusted_private(fd, "/key", &err), 0);
	cr_assert_eq(fchmod(fd, 0640), 0);
	cr_expect_eq(trusted_private(fd, "/key", &err), -EPERM);
	cr_expect_str_eq(err.text, "/key can be read by others (mode 0640): chmod 0600 it");
	cr_expect_eq(trusted_private(null, "/dev/null", &err), -EPERM);
	cr_expect_str_eq(err.text, "/dev/null is not a regular file");
}
