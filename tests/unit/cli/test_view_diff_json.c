/* SPDX-License-Identifier: Apache-2.0 */
/* view_diff_json.c: the golden list as an object. Run by `make unit`. */
#include "../../../launcher/cli/view_diff.h"
#include "../snapshot/changes_golden.h"

#include <criterion/criterion.h>
#include <string.h>

Test(view_diff_json, the_golden_list)
{
	struct change_list list;
	struct err err = ERR_INIT;
	auto_buf out = BUF_INIT;

	cr_assert_eq(changes_list_read(CHANGES_GOLDEN, strlen(CHANGES_GOLDEN), &list, &err), 0);
	list.set.items[1].hold_rule = strdup("built-in: .envrc\\033");
	cr_assert_eq(diff_json(&list, "the-call", "held", &out), 0);
	cr_expect_str_eq(
		buf_text(&out),
		"{\"call\":\"the-call\",\"digest\":\"" CHANGES_GOLDEN_DIGEST "\",\"items\":["
		"{\"after\":null,\"before\":null,\"hold\":null,\"kind\":\"replace\","
		"\"mode_after\":41471,\"mode_before\":33188,\"path\":\"\\\\012\\\\377\","
		"\"size_after\":0,\"size_before\":1,\"target\":\"-\",\"xattrs\":[]},"
		"{\"after\":\"00" ZEROS_62 "\",\"before\":null,"
		"\"hold\":\"built-in: .envrc\\\\033\",\"kind\":\"create\","
		"\"mode_after\":33188,\"mode_before\":0,\"path\":\".envrc\","
		"\"size_after\":0,\"size_before\":0,\"target\":null,\"xattrs\":[]},"
		"{\"after\":null,\"before\":null,\"hold\":null,\"kind\":\"mode\","
		"\"mode_after\":16832,\"mode_before\":16877,\"path\":\"d\","
		"\"size_after\":0,\"size_before\":0,\"target\":null,\"xattrs\":[]},"
		"{\"after\":\"bb" ZEROS_62 "\",\"before\":\"aa" ZEROS_62 "\",\"hold\":null,"
		"\"kind\":\"modify\",\"mode_after\":33188,\"mode_before\":33188,"
		"\"path\":\"d.c\",\"size_after\":2,\"size_before\":1,\"target\":null,"
		"\"xattrs\":[\"xattr:user.x=00" ZEROS_62 "\"]},"
		"{\"after\":null,\"before\":null,\"hold\":null,\"kind\":\"delete\","
		"\"mode_after\":0,\"mode_before\":33188,\"path\":\"d/a\\\\040b\","
		"\"size_after\":0,\"size_before\":3,\"target\":null,\"xattrs\":[]}],"
		"\"settled\":\"held\"}\n");
	changes_finish(&list.set);
}

/* A call that changed nothing has no list, and so no digest that somebody could approve. */
Test(view_diff_json, nothing_changed)
{
	struct change_list list = { .set = { .items = NULL } };
	auto_buf out = BUF_INIT;

	cr_assert_eq(diff_json(&list, "the-call", "", &out), 0);
	cr_expect_str_eq(buf_text(&out), "{\"call\":\"the-call\",\"digest\":null,\"items\":[],"
					 "\"settled\":null}\n");
}
