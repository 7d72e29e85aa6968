/* SPDX-License-Identifier: Apache-2.0 */
/* One text out of a JSON object. */
#include "../../../launcher/base/json_find.h"

#include <criterion/criterion.h>
#include <string.h>

static void
expect(const char *object, const char *member, const char *want)
{
	auto_buf got = BUF_INIT;
	bool found = json_find_text(object, member, &got);

	cr_expect_eq(found, want != NULL, "%s in %s", member, object);
	cr_expect_str_eq(buf_text(&got), want != NULL ? want : "", "%s in %s", member, object);
}

Test(json_find, texts)
{
	expect("{}", "a", NULL);
	expect(" { \"a\" : \"x\" } ", "a", "x");
	expect("{\"b\":[1,{\"a\":\"no\"},\"]}\"],\"a\":\"x\"}", "a", "x");
	expect("{\"b\":{\"a\":\"no\"},\"c\":\"\\\"a\\\":\"}", "a", NULL);
	expect("{\"a\":1,\"b\":true,\"c\":null,\"d\":\"last\"}", "d", "last");
	expect("{\"a\":1}", "a", NULL);
	expect("{\"a\":{}}", "a", NULL);
	expect("{\"a\":\"first\",\"a\":\"last\"}", "a", "last");
	expect("{\"a\":\"last is none\",\"a\":7}", "a", NULL);
	expect("{\"a\":\"\"}", "a", "");
	expect("{\"\\u0061\":\"spelled\"}", "a", "spelled");
}

Test(json_find, escapes)
{
	expect("{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "a", "\"\\/\b\f\n\r\t");
	expect("{\"a\":\"\\u00e9\\u20ac\\ud83d\\ude00!\"}", "a",
	       "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80!");
	expect("{\"a\":\"\xc3\xa9\"}", "a", "\xc3\xa9");
	expect("{\"a\":\"x\\u0000y\"}", "a", "x");
}

Test(json_find, of_a_member)
{
	const char *object = "{\"id\":\"no\",\"p\":{\"x\":[\"id\"],\"id\":\"alice\"}}";
	auto_buf got = BUF_INIT;

	cr_expect(json_find_text_in(object, "p", "id", &got));
	cr_expect_str_eq(buf_text(&got), "alice");
	cr_expect_not(json_find_text_in(object, "id", "id", &got));
	cr_expect_not(json_find_text_in(object, "q", "id", &got));
}

/* "name=value's first byte" of each member. */
static void
expect_members(const char *object, const char *expected)
{
	const char *at = object, *value;
	auto_buf all = BUF_INIT;

	for (;;) {
		auto_buf name = BUF_INIT;

		value = json_next(&at, &name);
		if (value == NULL) {
			break;
		}
		buf_printf(&all, "%s=%c ", buf_text(&name), *value);
	}
	cr_expect_str_eq(buf_text(&all), expected);
	cr_expect_null(json_next(&at, &all), "and no more");
}

Test(json_find, members_in_their_order)
{
	expect_members("{}", "");
	expect_members("{ }", "");
	expect_members("{\"a\":1}", "a=1 ");
	expect_members("{ \"a\" : {\"b\":[1,2]} , \"c\\u0064\" : \"}\" , \"a\":null }",
		       "a={ cd=\" a=n ");
}
