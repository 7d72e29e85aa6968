/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. The texts that people get. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "../../../launcher/base/err.h"

Test(err, set_gives_code_back)
{
	struct err err = ERR_INIT;

	cr_expect_eq(err_set(&err, -EINVAL, "port %d out of range", 70000), -EINVAL);
	cr_expect_eq(err.code, -EINVAL);
	cr_expect_str_eq(err.text, "port 70000 out of range");
}

Test(err, sys_adds_the_systems_words)
{
	struct err err = ERR_INIT;

	cr_expect_eq(err_sys(&err, -ENOENT, "open %s", "/x"), -ENOENT);
	cr_expect_eq(err.code, -ENOENT);
	cr_expect_str_eq(err.text, "open /x: No such file or directory");
}

Test(err, prefix_goes_outward_and_keeps_the_code)
{
	struct err err = ERR_INIT;

	cr_expect_eq(err_sys(&err, -EACCES, "open b"), -EACCES);
	err_prefix(&err, "profile %s", "a");
	err_prefix(&err, "run");
	cr_expect_eq(err.code, -EACCES);
	cr_expect_str_eq(err.text, "run: profile a: open b: Permission denied");
}

Test(err, null_is_nobody)
{
	cr_expect_eq(err_set(NULL, -EIO, "x"), -EIO);
	cr_expect_eq(err_sys(NULL, -EIO, "x"), -EIO);
	err_prefix(NULL, "x");
}

Test(err, too_long_is_cut)
{
	struct err err = ERR_INIT;
	char big[2 * ERR_TEXT_MAX];

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	cr_expect_eq(err_set(&err, -EIO, "%s", big), -EIO);
	cr_expect_eq(strlen(err.text), (size_t)ERR_TEXT_MAX - 1);
	cr_expect_eq(err_sys(&err, -EIO, "%s", big), -EIO);
	cr_expect_eq(strlen(err.text), (size_t)ERR_TEXT_MAX - 1);
	err_prefix(&err, "front");
	cr_expect_eq(strlen(err.text), (size_t)ERR_TEXT_MAX - 1);
	cr_expect_eq(strncmp(err.text, "front: xxx", 10), 0);
	err_prefix(&err, "%s", big);
	cr_expect_eq(strlen(err.text), (size_t)ERR_TEXT_MAX - 1);
}
