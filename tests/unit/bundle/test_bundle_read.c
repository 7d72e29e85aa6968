/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. Manifests: what they say, and every refusal with its place. */
#include "bundle_test.h"

Test(bundle_read, all_that_a_manifest_can_say)
{
	auto_parsed p;
	const struct bundle_item *item;

	parsed_init(&p,
		    "# reviewed\nbundle: acme\nowner: Alice Example\nrecipients:\n  - " RECIPIENT
		    "\nitems:\n"
		    "  gh:\n    about: GitHub token\n    source: sealed\n    version: 3\n"
		    "    deliver: env\n    name: GH_TOKEN\n    access: read\n"
		    "    not_after: 2027-01-01T00:00:00Z\n    ttl: 10m\n    max_uses: 100\n"
		    "    revoked: true\n"
		    "  db.pass: { source: file, path: /run/secrets/db, deliver: fd }\n"
		    "  unit: { source: systemd, credential: token }\n"
		    "  hand: { source: fd, handle: in }\n"
		    "  key: { source: file, path: /k, deliver: ssh-agent }\n"
		    "  vault:\n    source: exec\n    command: [/usr/bin/resolver, --x]\n"
		    "    provider: vault\n    id: kv/gh\n    profile: resolver\n"
		    "    deliver: proxy\n");
	cr_assert_eq(p.rc, 0, "%s", buf_text(&p.report));
	cr_expect_str_eq(p.bundle.name, "acme");
	cr_expect_str_eq(p.bundle.owner, "Alice Example");
	cr_assert_eq(p.bundle.recipients.count, 1u);
	cr_expect_str_eq(p.bundle.recipients.items[0], RECIPIENT);
	cr_assert_eq(p.bundle.item_count, 6u);
	item = bundle_item(&p.bundle, "gh");
	cr_expect_str_eq(item->about, "GitHub token");
	cr_expect_eq(item->source, BUNDLE_SOURCE_SEALED);
	cr_expect_eq(item->version, 3u);
	cr_expect_eq(item->deliver, BUNDLE_DELIVER_ENV);
	cr_expect_str_eq(item->deliver_name, "GH_TOKEN");
	cr_expect_eq(item->access, BUNDLE_READ);
	cr_expect_eq(item->not_after_ms, 1798761600000u);
	cr_expect_eq(item->ttl_ms, 600000u);
	cr_expect_eq(item->max_uses, 100u);
	cr_expect_eq(item->revoked, true);
	cr_expect_eq(item->line, 7u);
	cr_expect_null(bundle_item_later(item));
	item = bundle_item(&p.bundle, "db.pass");
	cr_expect_str_eq(item->path, "/run/secrets/db");
	cr_expect_str_eq(item->deliver_name, "DB_PASS", "by default in capitals");
	cr_expect_eq(item->access, BUNDLE_WRITE, "by default");
	item = bundle_item(&p.bundle, "unit");
	cr_expect_str_eq(item->credential, "token");
	cr_expect_eq(item->deliver, BUNDLE_DELIVER_FILE, "by default");
	cr_expect_str_eq(item->deliver_name, "unit");
	cr_expect_str_eq(bundle_item(&p.bundle, "hand")->handle, "in");
	item = bundle_item(&p.bundle, "key");
	cr_expect_str_eq(item->deliver_name, "SSH_AUTH_SOCK", "by default where ssh looks");
	cr_expect_null(bundle_item_later(item));
	item = bundle_item(&p.bundle, "vault");
	cr_assert_eq(item->command.count, 2u);
	cr_expect_str_eq(item->command.items[1], "--x");
	cr_expect_str_eq(item->provider, "vault");
	cr_expect_str_eq(item->id, "kv/gh");
	cr_expect_str_eq(item->profile, "resolver");
	cr_expect_eq(item->revocable, false, "by default");
	cr_expect_str_eq(bundle_item_later(item), "this version has no egress");
	cr_expect_null(bundle_item(&p.bundle, "g"));
}

Test(bundle_read, digest_is_of_the_bytes)
{
	auto_parsed p;
	uint8_t digest[SHA256_SIZE];

	parsed_init(&p, "bundle: acme\nitems:\n");
	cr_assert_eq(p.rc, 0);
	cr_expect_eq(p.bundle.item_count, 0u);
	sha256_of("bundle: acme\nitems:\n", 20, digest);
	cr_expect_eq(memcmp(p.bundle.digest, digest, SHA256_SIZE), 0);
}

/* One row per thing that is refused. */
static const struct {
	const char *text, *report;
} rows[] = {
	{ "", "m.yaml: error: no bundle in it; it begins with bundle: NAME\n" },
	{ "- a\n", "m.yaml:1:1: error: a bundle is a map of keys, such as bundle: acme\n"
		   "- a\n"
		   "^\n" },
	{ "owner: A\n", "m.yaml:1:1: error: bundle is missing; write bundle: acme\n"
			"owner: A\n"
			"^\n" },
	{ "bundle: acme2\n",
	  "m.yaml:1:9: error: bundle: 'acme2' is not the name of the directory, 'acme'\n"
	  "bundle: acme2\n"
	  "        ^~~~~\n" },
	{ "bundle: acme\n---\nbundle: acme\n",
	  "m.yaml:2:1: error: a second document; a bundle is one\n"
	  "---\n"
	  "^~~\n" },
	{ "bundle: acme\n<<: { owner: A }\n",
	  "m.yaml:2:1: error: merge keys are not allowed; write the keys out\n"
	  "<<: { owner: A }\n"
	  "^~\n" },
	{ "bundle: acme\nrecipient: [x]\n",
	  "m.yaml:2:1: error: unknown key 'recipient'; did you mean 'recipients'?\n"
	  "recipient: [x]\n"
	  "^~~~~~~~~\n" },
	{ "bundle: acme\nrecipients: [age1x]\n",
	  "m.yaml:2:14: error: recipients: wants a list of public keys of age (age1...), at most "
	  "64, not 'age1x'\n"
	  "recipients: [age1x]\n"
	  "             ^~~~~\n" },
	{ "bundle: acme\nrecipients: []\n",
	  "m.yaml:2:13: error: recipients: wants a list of public keys of age (age1...), at most "
	  "64\n"
	  "recipients: []\n"
	  "            ^\n" },
	{ "bundle: acme\nitems: [gh]\n",
	  "m.yaml:2:8: error: items: wants names of items below it, such as gh:\n"
	  "items: [gh]\n"
	  "       ^\n" },
	{ "bundle: acme\nitems:\n  gh:\n",
	  "m.yaml:3:3: error: item gh wants keys below it, such as source: sealed\n"
	  "  gh:\n"
	  "  ^~\n" },
	{ "bundle: acme\nitems:\n  gh: [a]\n",
	  "m.yaml:3:7: error: item gh wants keys below it, such as source: sealed\n"
	  "  gh: [a]\n"
	  "      ^\n" },
	{ "bundle: acme\nitems:\n  Gh: { source: fd }\n",
	  "m.yaml:3:3: error: 'Gh' is no name of an item: small letters, digits, '.', '_', '-', "
	  "the first a letter or digit, at most 64\n"
	  "  Gh: { source: fd }\n"
	  "  ^~\n" },
	{ "bundle: acme\nitems:\n  gh: { version: 1 }\n",
	  "m.yaml:3:3: error: item gh has no source; write source: sealed, file, fd, systemd or "
	  "exec\n"
	  "  gh: { version: 1 }\n"
	  "  ^~\n" },
	{ "bundle: acme\nitems:\n  gh: { source: vault }\n",
	  "m.yaml:3:17: error: gh.source: wants sealed, file, fd, systemd or exec, not 'vault'\n"
	  "  gh: { source: vault }\n"
	  "                ^~~~~\n" },
	{ "bundle: acme\nitems:\n  gh: { source: sealed, version: 1 }\n",
	  "m.yaml:1:1: error: recipients is missing, and item gh is sealed; write recipients: "
	  "[age1...] with the public key of who opens it (age-keygen -y FILE)\n"
	  "bundle: acme\n"
	  "^\n" },
	{ HEAD "items:\n  gh: { source: sealed }\n",
	  "m.yaml:4:3: error: item gh has no version, which source: sealed needs\n"
	  "  gh: { source: sealed }\n"
	  "  ^~\n" },
	{ HEAD "items:\n  gh: { source: sealed, version: 0 }\n",
	  "m.yaml:4:34: error: gh.version: versions begin with 1\n"
	  "  gh: { source: sealed, version: 0 }\n"
	  "                                 ^\n" },
	{ HEAD "items:\n  gh: { source: sealed, version: 1, path: /x }\n",
	  "m.yaml:4:37: error: gh.path is for source: file, and this is source: sealed\n"
	  "  gh: { source: sealed, version: 1, path: /x }\n"
	  "                                    ^~~~\n" },
	{ "bundle: acme\nitems:\n  gh: { source: file, path: ../x }\n",
	  "m.yaml:3:29: error: gh.path: wants an absolute path without '..', not '../x'\n"
	  "  gh: { source: file, path: ../x }\n"
	  "                            ^~~~\n" },
	{ "bundle: acme\nitems:\n  gh: { source: file, path: /a/../x }\n",
	  "m.yaml:3:29: error: gh.path: wants an absolute path without '..', not '/a/../x'\n"
	  "  gh: { source: file, path: /a/../x }\n"
	  "                            ^~~~~~~\n" },
	{ "bundle: acme\nitems:\n  gh: { source: fd, handle: h, delivery: env }\n",
	  "m.yaml:3:32: error: unknown key 'delivery' in item gh; did you mean 'deliver'?\n"
	  "  gh: { source: fd, handle: h, delivery: env }\n"
	  "                               ^~~~~~~~\n" },
	{ "bundle: acme\nitems:\n"
	  "  gh: { source: fd, handle: h, not_after: 2027-02-29T00:00:00Z }\n",
	  "m.yaml:3:43: error: gh.not_after: wants a moment in UTC, such as 2027-01-01T00:00:00Z, "
	  "not '2027-02-29T00:00:00Z'\n"
	  "  gh: { source: fd, handle: h, not_after: 2027-02-29T00:00:00Z }\n"
	  "                                          ^~~~~~~~~~~~~~~~~~~~\n" },
	{ "bundle: acme\nitems:\n  gh: { source: fd, handle: h, max_uses: 0 }\n",
	  "m.yaml:3:42: error: gh.max_uses: 0 would let no call have it: airlock creds revoke "
	  "does; without the key there is no bound\n"
	  "  gh: { source: fd, handle: h, max_uses: 0 }\n"
	  "                                         ^\n" },
	{ "bundle: acme\nitems:\n  gh: { source: fd, handle: h, revoked: yes }\n",
	  "m.yaml:3:41: error: gh.revoked: wants true or false, not 'yes'\n"
	  "  gh: { source: fd, handle: h, revoked: yes }\n"
	  "                                        ^~~\n" },
	{ "bundle: acme\nitems:\n  gh:\n    source: fd\n    handle: h\n    ttl:\n",
	  "m.yaml:6:5: error: gh.ttl: wants a duration with its unit, such as 30s, 10m or 1h\n"
	  "    ttl:\n"
	  "    ^~~\n" },
	{ "bundle: acme\nitems:\n  gh: { source: fd, handle: h, deliver: env, name: LD_PRELOAD }\n",
	  "m.yaml:3:52: error: gh.name: LD_PRELOAD is no variable for a credential: the dynamic "
	  "loader takes libraries from it\n"
	  "  gh: { source: fd, handle: h, deliver: env, name: LD_PRELOAD }\n"
	  "                                                   ^~~~~~~~~~\n" },
	{ "bundle: acme\nitems:\n  gh: { source: fd, handle: h, deliver: env, name: HOME }\n",
	  "m.yaml:3:52: error: gh.name: HOME is no variable for a credential: airlock sets it\n"
	  "  gh: { source: fd, handle: h, deliver: env, name: HOME }\n"
	  "                                                   ^~~~\n" },
	{ "bundle: acme\nitems:\n  2fa: { source: fd, handle: h, deliver: env }\n",
	  "m.yaml:3:3: error: 2fa.name: '2FA' is no name of a variable; write name: NAME with "
	  "letters, digits and '_', the first no digit\n"
	  "  2fa: { source: fd, handle: h, deliver: env }\n"
	  "  ^~~\n" },
	{ "bundle: acme\nitems:\n  gh: { source: fd, handle: h, name: ../x }\n",
	  "m.yaml:3:38: error: gh.name: wants at most 64 letters, digits, '.', '_' and '-', the "
	  "first no '.' and no '-', not '../x'\n"
	  "  gh: { source: fd, handle: h, name: ../x }\n"
	  "                                     ^~~~\n" },
	{ "bundle: acme\nitems:\n"
	  "  r: { source: exec, command: [r], provider: p, id: i, profile: x }\n",
	  "m.yaml:3:32: error: r.command: wants a list whose first word is an absolute path, such "
	  "as [/usr/local/bin/resolver, --fast], not 'r'\n"
	  "  r: { source: exec, command: [r], provider: p, id: i, profile: x }\n"
	  "                               ^\n" },
	{ "bundle: acme\nowner: \"a\\eb\"\n",
	  "m.yaml:2:9: error: owner: wants one line of text, at most 1024 bytes, not 'a\\033b'\n"
	  "owner: \"a\\eb\"\n"
	  "        ^~~~\n" },
	{ "bundle: acme\nitems:\n"
	  "  gh: { source: fd, handle: h }\n  gh: { source: fd, handle: h }\n",
	  "m.yaml:4:3: error: duplicate key 'gh'; the first is in line 3\n"
	  "  gh: { source: fd, handle: h }\n"
	  "  ^~\n" },
};

Test(bundle_read, refusals)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		expect_report(rows[i].text, rows[i].report);
	}
}

Test(bundle_read, several_errors_at_once)
{
	auto_parsed p;

	parsed_init(&p, "bundle: acme\nitems:\n  a: { source: fd }\n  b: { source: x }\n");
	cr_expect_eq(p.rc, -EINVAL);
	cr_expect_str_eq(p.err.text,
			 "m.yaml:3:3: error: item a has no handle, which source: fd needs");
	cr_expect_not_null(strstr(buf_text(&p.report), "m.yaml:4:16: error: b.source: wants "));
}

Test(bundle_read, names)
{
	char longest[BUNDLE_NAME_MAX + 2];

	memset(longest, 'a', sizeof(longest));
	longest[BUNDLE_NAME_MAX + 1] = '\0';
	cr_expect_not(bundle_name_is_right(longest));
	longest[BUNDLE_NAME_MAX] = '\0';
	cr_expect(bundle_name_is_right(longest));
	cr_expect(bundle_name_is_right("0.a_b-c"));
	cr_expect_not(bundle_name_is_right(""));
	cr_expect_not(bundle_name_is_right(".a"));
	cr_expect_not(bundle_name_is_right("-a"));
	cr_expect_not(bundle_name_is_right("a/b"));
	cr_expect_not(bundle_name_is_right("A"));
}

Test(bundle_read, an_item_that_is_not_there)
{
	auto_parsed p;
	const struct bundle_item *item;
	struct err err = ERR_INIT;

	parsed_init(&p, "bundle: acme\nitems: { gh: { source: fd, handle: h } }\n");
	cr_expect_eq(bundle_item_find(&p.bundle, "gh", &item, &err), 0);
	cr_expect_eq(bundle_item_find(&p.bundle, "x9", &item, &err), -ENOENT);
	cr_expect_str_eq(err.text, "bundle acme has no item 'x9' (there are: gh)");
	cr_expect_eq(bundle_item_find(&p.bundle, "g\033h", &item, &err), -ENOENT);
	cr_expect_str_eq(err.text,
			 "bundle acme has no item 'g\\033h'; did you mean 'gh'? (there are: gh)");
}
