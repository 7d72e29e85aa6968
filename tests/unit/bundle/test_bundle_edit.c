/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. Manifests as people write them, before and after; no I/O but one. */
#include "../../../launcher/bundle/bundle_edit.h"
#include "bundle_test.h"

struct edited {
	struct bundle_at at;
	struct buf bytes, report;
	struct err err;
};

#define auto_edited __attribute__((cleanup(edited_finish))) struct edited

static void
edited_finish(struct edited *e)
{
	bundle_at_finish(&e->at);
	buf_finish(&e->bytes);
	buf_finish(&e->report);
}

static void
edited_init(struct edited *e, const char *yaml)
{
	memset(e, 0, sizeof(*e));
	e->at = (struct bundle_at)BUNDLE_AT_INIT;
	e->at.path = strdup("/b");
	buf_puts(&e->at.manifest, yaml);
	cr_assert_eq(
		bundle_parse("m.yaml", "acme", &e->at.manifest, &e->at.bundle, &e->report, &e->err),
		0, "%s", buf_text(&e->report));
}

static const struct bundle_item new_item = { .name = "new",
					     .about = "",
					     .source = BUNDLE_SOURCE_SEALED,
					     .version = 1,
					     BUNDLE_ITEM_UNSAID,
					     .access = BUNDLE_WRITE };

#define NEW(indent)                                                                \
	indent "new:\n" indent "  source: sealed\n" indent "  version: 1\n" indent \
	       "  deliver: file\n" indent "  access: write\n"

/* Where a new item goes. NULL: refused with the words of the third column. */
static const struct {
	const char *before, *after, *err;
} adds[] = {
	{ HEAD "items:\n", HEAD "items:\n" NEW("  "), NULL },
	{ HEAD "items:", HEAD "items:\n" NEW("  "), NULL },
	{ HEAD, HEAD "items:\n" NEW("  "), NULL },
	{ HEAD "items: {}\n", HEAD "items: \n" NEW("  "), NULL },
	{ HEAD "items: { } # none\n", HEAD "items:  # none\n" NEW("  "), NULL },
	{ HEAD "items:\n    # first\n    a: { source: fd, handle: h } # one\n",
	  HEAD "items:\n    # first\n    a: { source: fd, handle: h } # one\n" NEW("    "), NULL },
	{ "items:\n  a:\n    source: fd\n    handle: h\n\n# about us\nowner: A\n" HEAD,
	  "items:\n  a:\n    source: fd\n    handle: h\n" NEW("  ") "\n# about us\nowner: A\n" HEAD,
	  NULL },
	{ HEAD "items: { a: { source: fd, handle: h } }\n", NULL,
	  "/b/bundle.yaml stays; with item new changed it would read: bundle.yaml:4:10: error: not "
	  "YAML: " },
	{ HEAD "items:\n...\n", NULL,
	  "/b/bundle.yaml stays; with item new changed it would read: " },
	{ HEAD "items:\n  new: { source: fd, handle: h }\n", NULL,
	  "bundle acme has an item new; airlock creds rotate gives it another value" },
};

Test(bundle_edit, add)
{
	for (size_t i = 0; i < ARRAY_LEN(adds); i++) {
		auto_edited e;
		int rc;

		edited_init(&e, adds[i].before);
		rc = bundle_edit_add(&e.at, &new_item, &e.bytes, &e.err);
		if (adds[i].after != NULL) {
			cr_expect_eq(rc, 0, "%s: %s", adds[i].before, e.err.text);
			cr_expect_str_eq(buf_text(&e.bytes), adds[i].after);
		} else {
			cr_expect_lt(rc, 0, "%s", adds[i].before);
			cr_expect_eq(strncmp(e.err.text, adds[i].err, strlen(adds[i].err)), 0,
				     "%s: %s", adds[i].before, e.err.text);
		}
	}
}

Test(bundle_edit, add_all_that_can_be_said)
{
	auto_edited e;
	struct bundle_item item = new_item;

	item.about = "a \"token\": # of\\x é";
	item.deliver = BUNDLE_DELIVER_ENV;
	item.deliver_name = "GH_TOKEN";
	item.access = BUNDLE_READ;
	item.not_after_ms = 1798761600000;
	item.ttl_ms = 600000;
	item.max_uses = 7;
	edited_init(&e, HEAD "items:\n");
	cr_assert_eq(bundle_edit_add(&e.at, &item, &e.bytes, &e.err), 0, "%s", e.err.text);
	cr_expect_str_eq(buf_text(&e.bytes), HEAD
			 "items:\n  new:\n    about: \"a \\\"token\\\": # of\\\\x é\"\n"
			 "    source: sealed\n    version: 1\n    deliver: env\n"
			 "    name: \"GH_TOKEN\"\n    access: read\n"
			 "    not_after: 2027-01-01T00:00:00Z\n    ttl: 10m\n    max_uses: 7\n");
}

Test(bundle_edit, add_what_is_not_right)
{
	auto_edited e;
	struct bundle_item item = new_item;

	item.about = "two\nlines";
	edited_init(&e, HEAD "items:\n");
	cr_expect_eq(bundle_edit_add(&e.at, &item, &e.bytes, &e.err), -EINVAL);
	cr_expect_str_eq(e.err.text,
			 "/b/bundle.yaml stays; with item new changed it would read: "
			 "bundle.yaml:5:13: error: new.about: wants one line of text, at most 1024 "
			 "bytes, not 'two\\012lines'");
}

/* Of item a: version 2, no end, not revoked, become 3, 2027 and revoked. */
static const struct {
	const char *before, *after;
} changes[] = {
	{ HEAD "items:\n  # é\n  a: # the a\n    source: sealed # é\n    version: 2 # now\n"
	       "    revoked: false\n    not_after: 2026-01-01T00:00:00Z\n"
	       "  b: { source: fd, handle: h }\n",
	  HEAD "items:\n  # é\n  a: # the a\n    source: sealed # é\n    version: 3 # now\n"
	       "    revoked: true\n    not_after: 2027-01-01T00:00:00Z\n"
	       "  b: { source: fd, handle: h }\n" },
	{ HEAD "items:\n  a:\n    source: sealed\n    version: \"2\"\n",
	  HEAD "items:\n  a:\n    revoked: true\n    not_after: 2027-01-01T00:00:00Z\n"
	       "    source: sealed\n    version: \"3\"\n" },
	{ HEAD "items: { a: { source: sealed, version: 2 } }\n",
	  HEAD "items: { a: { revoked: true, not_after: 2027-01-01T00:00:00Z, source: sealed, "
	       "version: 3 } }\n" },
	{ HEAD "items:\n  a: {\n    source: sealed, version: '2' }\n", HEAD
	  "items:\n  a: {\n    revoked: true, not_after: 2027-01-01T00:00:00Z, source: sealed, "
	  "version: '3' }\n" },
	{ HEAD "items:\n  a:\n    source: sealed\n    version: \"\\x32\"\n", NULL },
};

Test(bundle_edit, change)
{
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		auto_edited e;
		struct bundle_item to;
		int rc;

		edited_init(&e, changes[i].before);
		to = *bundle_item(&e.at.bundle, "a");
		to.version = 3;
		to.not_after_ms = 1798761600000;
		to.revoked = true;
		rc = bundle_edit_item(&e.at, &to, &e.bytes, &e.err);
		if (changes[i].after != NULL) {
			cr_expect_eq(rc, 0, "%s: %s", changes[i].before, e.err.text);
			cr_expect_str_eq(buf_text(&e.bytes), changes[i].after);
		} else {
			cr_expect_eq(rc, -EINVAL, "%s: %s", changes[i].before, buf_text(&e.bytes));
		}
	}
}

Test(bundle_edit, nothing_else_may_differ)
{
	auto_edited e;
	struct bundle_item to;

	edited_init(&e, HEAD "items:\n  a: { source: sealed, version: 2 }\n");
	to = *bundle_item(&e.at.bundle, "a");
	to.ttl_ms = 1000;
	to.version = 3;
	cr_expect_eq(bundle_edit_item(&e.at, &to, &e.bytes, &e.err), -EINVAL);
	cr_expect_str_eq(e.err.text, "/b/bundle.yaml stays; with item a changed it would read: "
				     "otherwise than meant; change it by hand");
}

Test(bundle_edit, a_new_bundle)
{
	auto_place p;
	auto_buf path = BUF_INIT;
	struct stat st;
	char dir[256];

	place_init(&p);
	cr_assert_eq(bundle_create(&p.request, "acme", RECIPIENT, &path, &p.err), 0, "%s",
		     p.err.text);
	cr_assert_eq(open_read(&p, "acme"), 0, "%s", p.err.text);
	cr_expect_eq(p.at.bundle.item_count, 0u);
	cr_expect_str_eq(p.at.bundle.recipients.items[0], RECIPIENT);
	snprintf(dir, sizeof(dir), "%s/acme/bundle.yaml", p.own);
	cr_expect_str_eq(buf_text(&path), dir);
	snprintf(dir, sizeof(dir), "%s/acme", p.own);
	cr_assert_eq(stat(dir, &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0700);
	cr_expect_eq(bundle_create(&p.request, "acme", RECIPIENT, &path, &p.err), -EEXIST);
	expect_text(&p, "$D/.config/airlock/bundles/acme is there already, and stays");
}
