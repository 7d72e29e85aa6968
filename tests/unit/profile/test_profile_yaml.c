/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. Strict YAML: every refusal with its exact place and text. */
#include "profile_test.h"

Test(profile_yaml, tree_of_a_good_text)
{
	auto_parsed p;
	static const char text[] = "version: 1\nname: a\nsuccess: [0, 3]\n";
	const struct profile_node *n;

	parsed_init(&p, "t.yaml", text, sizeof(text) - 1);
	cr_assert_str_eq(buf_text(&p.text), "");
	cr_assert_not_null(p.root);
	cr_expect_eq(p.root->kind, NODE_MAP);
	n = p.root->first;
	cr_expect_str_eq(n->key, "version");
	cr_expect_str_eq(n->text, "1");
	cr_expect_eq(n->at.line, 1u);
	cr_expect_eq(n->at.column, 10u);
	cr_expect_eq(n->at.width, 1u);
	n = n->next->next;
	cr_expect_str_eq(n->key, "success");
	cr_expect_eq(n->key_at.line, 3u);
	cr_expect_eq(n->key_at.column, 1u);
	cr_expect_eq(n->key_at.width, 7u);
	cr_expect_eq(n->kind, NODE_LIST);
	cr_expect_str_eq(n->first->next->text, "3");
	cr_expect_eq(n->first->next->at.column, 14u);
	cr_expect_null(n->next);
}

Test(profile_yaml, quoted_and_plain_are_the_same)
{
	expect_report("version: \"1\"\nname: 'a'\ndescription: >\n  folded\n  text\n", "");
}

Test(profile_yaml, one_explicit_document_is_fine)
{
	expect_report("# c\n---\nversion: 1\nname: a\n...\n", "");
}

/* One row per thing that is refused. */
static const struct {
	const char *text, *report;
} rows[] = {
	{ "", "t.yaml: error: no profile in it; it begins with version: 1 and name: NAME\n" },
	{ "# only a comment\n",
	  "t.yaml: error: no profile in it; it begins with version: 1 and name: NAME\n" },
	{ "version: 1\nname: &x a\n",
	  "t.yaml:2:7: error: anchors are not allowed; write the value out\n"
	  "name: &x a\n"
	  "      ^~\n" },
	{ "version: 1\nname: a\nlimits: &l { pids: 5 }\n",
	  "t.yaml:3:9: error: anchors are not allowed; write the value out\n"
	  "limits: &l { pids: 5 }\n"
	  "        ^~\n" },
	{ "version: 1\nname: a\ndescription: *x\n",
	  "t.yaml:3:14: error: aliases are not allowed; write the value out\n"
	  "description: *x\n"
	  "             ^~\n" },
	{ "version: 1\nname: a\n*x : 3\n",
	  "t.yaml:3:1: error: aliases are not allowed; write the value out\n"
	  "*x : 3\n"
	  "^~\n" },
	{ "version: !!int 1\nname: a\n",
	  "t.yaml:1:10: error: tags are not allowed; the key decides the type\n"
	  "version: !!int 1\n"
	  "         ^~~~~\n" },
	{ "version: 1\nname: a\nsuccess: !x [0]\n",
	  "t.yaml:3:10: error: tags are not allowed; the key decides the type\n"
	  "success: !x [0]\n"
	  "         ^~\n" },
	{ "version: 1\nname: a\n<<: { mode: apply }\n",
	  "t.yaml:3:1: error: merge keys are not allowed; use extends\n"
	  "<<: { mode: apply }\n"
	  "^~\n" },
	{ "version: 1\nname: a\n---\nversion: 1\n",
	  "t.yaml:3:1: error: a second document; a profile is one\n"
	  "---\n"
	  "^~~\n" },
	{ "%YAML 1.1\n---\nversion: 1\n", "t.yaml:1:1: error: directives are not allowed\n"
					  "%YAML 1.1\n"
					  "^\n" },
	{ "version: 1\nname: a\nlimits:\n\tpids: 5\n",
	  "t.yaml:4:1: error: tab; indent with spaces\n"
	  " pids: 5\n"
	  "^\n" },
	{ "version: 1\nname: a # x\ty\n", "t.yaml:2:12: error: tab; indent with spaces\n"
					  "name: a # x y\n"
					  "           ^\n" },
	{ "version: 1\nname: a\xff\n", "t.yaml:2:8: error: byte that is not UTF-8\n"
				       "name: a\\377\n"
				       "       ^~~~\n" },
	{ "version: 1\nname: \xed\xa0\x80\n", "t.yaml:2:7: error: byte that is not UTF-8\n"
					      "name: \\355\\240\\200\n"
					      "      ^~~~\n" },
	{ "version: 1\r\nname: a\r\n",
	  "t.yaml:1:11: error: carriage return; end lines with a newline only\n"
	  "version: 1\\015\n"
	  "          ^~~~\n"
	  "t.yaml:2:8: error: carriage return; end lines with a newline only\n"
	  "name: a\\015\n"
	  "       ^~~~\n" },
	{ "version: 1\nname: \x1b[31m\n", "t.yaml:2:7: error: control character\n"
					  "name: \\033[31m\n"
					  "      ^~~~\n" },
	{ "\xef\xbb\xbfversion: 1\n", "t.yaml:1:1: error: byte order mark at the start\n"
				      "\\357\\273\\277version: 1\n"
				      "^~~~~~~~~~~~\n" },
	{ "version: 1\nname: a\nname: b\n",
	  "t.yaml:3:1: error: duplicate key 'name'; the first is in line 2\n"
	  "name: b\n"
	  "^~~~\n" },
	{ "version: 1\nname: a\nlimits: { pids: 5, \"pids\": 6 }\n",
	  "t.yaml:3:21: error: duplicate key 'pids'; the first is in line 3\n"
	  "limits: { pids: 5, \"pids\": 6 }\n"
	  "                    ^~~~\n" },
	{ "? [a, b]\n: 1\n", "t.yaml:1:3: error: a key must be a plain name\n"
			     "? [a, b]\n"
			     "  ^\n" },
	{ "version: 1\nname: a\nx: [[[[[[[[[1]]]]]]]]]\n", "t.yaml:3:11: error: nested too deeply\n"
							   "x: [[[[[[[[[1]]]]]]]]]\n"
							   "          ^\n" },
	{ "version: 1\nname: a\ndescription: \"a\\0b\"\n", "t.yaml:3:15: error: NUL in a text\n"
							   "description: \"a\\0b\"\n"
							   "              ^~~~\n" },
	{ "a: b: c\n",
	  "t.yaml:1:5: error: not YAML: invalid nested block mapping on the same line\n"
	  "a: b: c\n"
	  "    ^\n" },
	{ "version: [1\n",
	  "t.yaml:2:1: error: not YAML: flow sequence without a closing bracket\n" },
};

Test(profile_yaml, refusals)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		expect_report(rows[i].text, rows[i].report);
	}
}

/* Several errors of the tree in one run. */
Test(profile_yaml, tells_more_than_one)
{
	expect_report("version: &a 1\nname: !!str a\n<<: 3\nmode: *a\n",
		      "t.yaml:1:10: error: anchors are not allowed; write the value out\n"
		      "version: &a 1\n"
		      "         ^~\n"
		      "t.yaml:2:7: error: tags are not allowed; the key decides the type\n"
		      "name: !!str a\n"
		      "      ^~~~~\n"
		      "t.yaml:3:1: error: merge keys are not allowed; use extends\n"
		      "<<: 3\n"
		      "^~\n"
		      "t.yaml:4:7: error: aliases are not allowed; write the value out\n"
		      "mode: *a\n"
		      "      ^~\n");
}

Test(profile_yaml, size_is_bounded)
{
	const size_t most = 1u << 20;
	auto_free char *text = malloc(most + 1);
	auto_parsed p;

	memset(text, '#', most + 1);
	parsed_init(&p, "t.yaml", text, most + 1);
	cr_expect_str_eq(buf_text(&p.text), "t.yaml: error: larger than 1 MiB\n");
	parsed_finish(&p);
	parsed_init(&p, "t.yaml", text, most);
	cr_expect_str_eq(
		buf_text(&p.text),
		"t.yaml: error: no profile in it; it begins with version: 1 and name: NAME\n");
}

Test(profile_yaml, keys_are_bounded)
{
	auto_buf text = BUF_INIT;
	auto_parsed p;

	for (unsigned int i = 0; i < PROFILE_NODES_MAX; i++) {
		buf_printf(&text, "k%u: 1\n", i);
	}
	parsed_init(&p, "t.yaml", buf_text(&text), text.len);
	cr_expect_str_eq(buf_text(&p.text), "t.yaml:4095:8: error: too many keys and values\n"
					    "k4094: 1\n"
					    "       ^\n");
}

Test(profile_yaml, depth_of_brackets_does_not_matter)
{
	const size_t len = 200000;
	auto_free char *text = malloc(len);
	auto_parsed p;

	memset(text, '[', len);
	parsed_init(&p, "t.yaml", text, len);
	cr_expect_null(p.root);
	cr_expect_eq(strncmp(buf_text(&p.text), "t.yaml:1:9: error: nested too deeply\n", 37), 0);
}
