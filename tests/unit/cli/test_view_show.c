/* SPDX-License-Identifier: Apache-2.0 */
/* view_show.c: streams and what went in. Run by `make unit`. */
#include "view_fixture.h"

static void
stream_page(const char *stream, bool verbose, const char *expected)
{
	auto_buf outcome = BUF_INIT;
	auto_record rec = RECORD_INIT;
	auto_page p = make_page();

	buf_printf(&outcome, "{\"stdout\":%s}", stream);
	rec = make_record("{}", buf_text(&outcome));
	p.verbose = verbose;
	show_stream(&p, NULL, &rec, "stdout");
	expect_page(&p, expected);
}

Test(view_show, streams)
{
	stream_page("{\"bytes\":0,\"digest\":\"ab\",\"kept\":0}", false, "  stdout      empty\n");
	/* "hi\033[31m\nyou" */
	stream_page("{\"bytes\":12,\"digest\":\"ab\",\"inline\":\"aGkbWzMxbQp5b3U=\",\"kept\":12}",
		    false,
		    "  stdout      12 B: airlock cat 0198c2a4-7f3e stdout\n"
		    "              | hi\\033[31m\n"
		    "              | you\n");
	stream_page("{\"bytes\":5000,\"digest\":\"0123456789abcdef\",\"kept\":0}", false,
		    "  stdout      4.8 KiB, nothing of it was kept but its digest, 0123456789ab\n");
	stream_page(
		"{\"bytes\":5000,\"digest\":\"ab\",\"kept\":4097,\"object\":\"cd\"}", false,
		"  stdout      4.8 KiB, only the first 4 KiB were kept: airlock cat 0198c2a4-7f3e\n"
		"              stdout\n");
	/* seven lines "1" to "7" */
	stream_page(
		"{\"bytes\":14,\"digest\":\"ab\",\"inline\":\"MQoyCjMKNAo1CjYKNwo=\",\"kept\":14}",
		false,
		"  stdout      14 B: airlock cat 0198c2a4-7f3e stdout\n"
		"              | 1\n              | 2\n              | 3\n              | 4\n"
		"              | 5\n              | …\n");
	stream_page("{\"bytes\":4,\"digest\":\"ab\",\"inline\":\"MQoyCg==\",\"kept\":4}", true,
		    "  stdout      4 B, ab: airlock cat 0198c2a4-7f3e stdout\n"
		    "              | 1\n              | 2\n");
}

Test(view_show, lists_and_objects)
{
	json_t *array = parse_json("[\"a\",\"b\\\\033c\",7]");
	json_t *object = parse_json("{\"model\":\"m\",\"nested\":{\"b\":1,\"a\":[2]}}");
	auto_buf b = BUF_INIT;
	auto_page p = make_page();

	show_strings(&b, array, ", ");
	cr_expect_str_eq(buf_text(&b), "a, b\\033c, ?");
	show_object(&p, "context", object);
	show_object(&p, "context", NULL);
	expect_page(&p, "  context     model: m\n"
			"              nested: {\"a\":[2],\"b\":1}\n");
	json_decref(array);
	json_decref(object);
}

/* clang-format off */
#define PLANNED                                                                                    \
	"{\"tool\":\"/usr/bin/sh\",\"cwd\":\"/w/sub\",\"env_names\":[\"HOME\",\"PATH\"],\"key\":\"k1\","    \
	"\"actor\":{\"uid\":1000,\"gid\":100,\"groups\":[4,24]},\"context\":{\"model\":\"m\"},"             \
	"\"node\":{\"airlock\":\"0.1.0\",\"kernel\":\"6.1\"},\"workspace\":{\"path\":\"/w\"}}"

/* clang-format on */

Test(view_show, what_went_in)
{
	auto_record rec = make_record(
		PLANNED,
		"{\"stdin\":{\"bytes\":0,\"kept\":0},\"in_tree\":{\"bytes\":1536,"
		"\"changed\":[\".\",\"a b\",\"e\\\\033[1m\"],\"changed_count\":5,"
		"\"digest\":\"0123456789abcdef\",\"directories\":1,\"files\":2,\"links\":1,"
		"\"unstable\":true}}");
	auto_page p = make_page();

	show_saw(&p, NULL, &rec);
	expect_page(&p,
		    "\nSAW  what went in\n"
		    "  program     /usr/bin/sh\n"
		    "  workspace   /w\n"
		    "  started in  /w/sub\n"
		    "  input       2 files, 1 directory, 1 link, 1.5 KiB; tree 0123456789ab\n"
		    "              unstable: something else wrote to the workspace meanwhile: "
		    "., a b,\n"
		    "              e\\033[1m and 2 more\n"
		    "  environment HOME PATH\n"
		    "  stdin       empty\n"
		    "  caller      uid 1000, gid 100, groups 4 24\n"
		    "  key         k1\n"
		    "  context     model: m\n"
		    "  host        Linux 6.1, airlock 0.1.0\n"
		    "  not seen    which files it read; values of variables\n");
}

Test(view_show, what_went_in_without_an_outcome)
{
	auto_record rec =
		make_record("{\"tool\":\"t\",\"cwd\":\"/w\",\"env_names\":[],\"actor\":{},"
			    "\"node\":{},\"workspace\":{\"path\":\"/w\"}}",
			    NULL);
	auto_page p = make_page();

	show_saw(&p, NULL, &rec);
	expect_page(&p,
		    "\nSAW  what went in\n"
		    "  program     t\n"
		    "  workspace   /w\n"
		    "  input       not hashed: what stood in the workspace is not known\n"
		    "  environment empty\n"
		    "  caller      uid 0, gid 0\n"
		    "  host        Linux , airlock\n"
		    "  not seen    which files it read; values of variables\n");
}

Test(view_show, a_terminal_explains_the_streams)
{
	auto_record rec = make_record(
		"{\"tool\":\"t\",\"cwd\":\"/w\",\"env_names\":[],\"actor\":{},\"node\":{},"
		"\"terminal\":true,\"workspace\":{\"path\":\"/w\"}}",
		"{\"attestation\":{\"terminal\":{\"columns\":100,\"rows\":30}},"
		"\"stdin\":{\"bytes\":0,\"kept\":0}}");
	auto_page p = make_page();

	show_saw(&p, NULL, &rec);
	cr_expect_not_null(strstr(buf_text(&p.out),
				  "  terminal    its own, 30 rows and 100 columns at the "
				  "start; stdin is what was\n"
				  "              typed, stdout all that it showed\n"),
			   "%s", buf_text(&p.out));
}
