/* SPDX-License-Identifier: Apache-2.0 */
/* Run by `make unit` as anybody; no input but the tables below. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#include "../../../launcher/snapshot/gitconfig.h"

static void
judge(const char *before, const char *after, struct buf *why)
{
	struct gitconfig was, is;

	cr_assert_eq(gitconfig_parse(before, strlen(before), &was), 0);
	cr_assert_eq(gitconfig_parse(after, strlen(after), &is), 0);
	cr_assert_eq(gitconfig_judge(&was, &is, why), 0);
	gitconfig_finish(&was);
	gitconfig_finish(&is);
}

/* ---- every row of the table ------------------------------------------------------------------ */

struct raw_key {
	const char *section, *sub, *key, *rule, *reason;
};

static const struct raw_key keys[] = {
#define GITKEY(section_, sub_, key_, rule_, reason_) { section_, #sub_, key_, #rule_, reason_ },
#include "../../../launcher/snapshot/gitconfig.def"
#undef GITKEY
};

static void
text_of(const struct raw_key *k, const char *value, struct buf *text, struct buf *name)
{
	const char *key = strcmp(k->key, "*") == 0 ? "anything" : k->key;
	bool sub = strcmp(k->sub, "NONE") != 0;

	buf_printf(text, sub ? "[%s \"Sub\"]\n" : "[%s]\n", k->section);
	buf_printf(text, "%s = %s\n", key, value);
	buf_printf(name, sub ? "%s.Sub.%s: " : "%s.%s: ", k->section, key);
	buf_puts(name, k->reason);
}

Test(gitconfig, every_row)
{
	cr_expect_gt(sizeof(keys) / sizeof(keys[0]), 150u);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		auto_buf text = BUF_INIT, other = BUF_INIT, name = BUF_INIT, why = BUF_INIT;
		bool harmless = strcmp(keys[i].rule, "HARMLESS") == 0;
		const char *want;

		text_of(&keys[i], "!touch x", &text, &name);
		want = harmless ? "" : buf_text(&name);
		judge("", buf_text(&text), &why);
		cr_expect_str_eq(buf_text(&why), want, "added");
		judge(buf_text(&text), "", &why);
		cr_expect_str_eq(buf_text(&why), want, "removed");
		judge(buf_text(&text), buf_text(&text), &why);
		cr_expect_str_eq(buf_text(&why), "", "left alone: %s", buf_text(&name));
		buf_reset(&name);
		text_of(&keys[i], "other", &other, &name);
		judge(buf_text(&text), buf_text(&other), &why);
		cr_expect_str_eq(buf_text(&why), want, "changed");
		cr_expect_gt(strlen(keys[i].reason), 3u, "%s", buf_text(&name));
	}
}

/* What starts a row that is more general than another one would hide it. */
Test(gitconfig, the_table_is_sorted_and_in_lower_case)
{
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const struct raw_key *k = &keys[i], *last = i > 0 ? &keys[i - 1] : NULL;
		int order = last == NULL ? -1 : strcmp(last->section, k->section);

		cr_expect(order < 0 || (order == 0 && strcmp(last->sub, "ANY") != 0), "%s.%s",
			  k->section, k->key);
		for (const char *p = k->section; *p != '\0'; p++) {
			cr_expect_not(*p >= 'A' && *p <= 'Z', "%s", k->section);
		}
		for (const char *p = k->key; *p != '\0'; p++) {
			cr_expect_not(*p >= 'A' && *p <= 'Z', "%s", k->key);
		}
	}
}

/* ---- what depends on the value, or on what was there ----------------------------------------- */

#define INIT "[core]\n\trepositoryformatversion = 0\n\tfilemode = true\n\tbare = false\n"
#define ORIGIN                                                     \
	"[remote \"origin\"]\n\turl = https://example.com/a.git\n" \
	"\tfetch = +refs/heads/*:refs/remotes/origin/*\n"
#define MAIN "[branch \"main\"]\n\tremote = origin\n\tmerge = refs/heads/main\n"
#define URL "remote.n.url: where git fetches from and pushes to"
#define NEW_REMOTE(url)                                   \
	{                                                 \
		"", "[remote \"n\"]\nurl = " url "\n", "" \
	}
#define BAD_REMOTE(url)                                    \
	{                                                  \
		"", "[remote \"n\"]\nurl = " url "\n", URL \
	}
#define FETCH "remote.n.fetch: which refs a fetch writes"
#define REFSPEC(spec)                                        \
	{                                                    \
		"", "[remote \"n\"]\nfetch = " spec "\n", "" \
	}
#define BAD_REFSPEC(spec)                                       \
	{                                                       \
		"", "[remote \"n\"]\nfetch = " spec "\n", FETCH \
	}

struct row {
	const char *before, *after, *why;
};

static const struct row rows[] = {
	{ "", INIT, "" },
	{ "", INIT ORIGIN MAIN, "" },
	{ INIT, INIT "[user]\nname = X\n", "" },
	{ INIT ORIGIN MAIN, INIT ORIGIN MAIN "[branch \"topic\"]\nremote = .\nmerge = x\n", "" },
	/* this repository as the remote: of a new branch, or where it was */
	{ INIT ORIGIN MAIN,
	  INIT ORIGIN "[branch \"main\"]\nremote = .\nmerge = refs/heads/tmp\n",
	  "branch.main.remote: where git fetches from and pushes to" },
	{ INIT ORIGIN MAIN, INIT ORIGIN MAIN "[branch \"main\"]\nremote = .\n",
	  "branch.main.remote: where git fetches from and pushes to" },
	{ INIT "[branch \"b\"]\nmerge = x\n", INIT "[branch \"b\"]\nmerge = x\nremote = .\n",
	  "branch.b.remote: where git fetches from and pushes to" },
	{ INIT "[branch \"b\"]\nremote = .\n",
	  INIT "[branch \"b\"]\nremote = .\nmerge = refs/heads/x\n", "" },
	{ INIT "[branch \"b\"]\nremote = .\n", INIT, "" },
	{ INIT "[alias]\na = !b\n", INIT "[alias]\na = !b\n[user]\nname = X\n", "" },
	{ INIT "[user]\nname = X\n[alias]\na = !b\n", INIT "[alias]\na = !b\n", "" },
	/* written in another way, the same */
	{ "[alias]\na = !b # x\n", "[ALIAS]\r\n\tA=\"!b\"\r\n", "" },
	/* what git does not know cannot be judged */
	{ INIT, INIT "[core]\nnewkey = x\n", "core.newkey: not known to be harmless" },
	{ INIT, INIT "[user]\nname = \"x\n", "line 6 cannot be understood" },
	{ INIT "[user]\nname = \"x\n", INIT, "line 6 of what it was cannot be understood" },
	{ INIT, INIT "[user \"sub\"]\nname = x\n", "user.sub.name: not known to be harmless" },
	{ "", "[\xff]\n", "line 1 cannot be understood" },
	/* a key's place and number count where git follows it */
	{ "[alias]\na = !b\na = !c\n", "[alias]\na = !c\na = !b\n",
	  "alias.a: git runs it as a command of its own" },
	{ "[alias]\na = !b\n", "[alias]\na = !b\na = !b\n",
	  "alias.a: git runs it as a command of its own" },
	{ "[alias]\na = !b\nc = d\n", "[alias]\nc = d\n",
	  "alias.a: git runs it as a command of its own" },
	{ "[alias]\na\n", "[alias]\na =\n", "alias.a: git runs it as a command of its own" },
	{ "[core]\neditor = a\n[include]\npath = x\n", "[include]\npath = x\n[core]\neditor = a\n",
	  "include.path: brings another file's keys" },
	{ "[filter \"A\"]\nclean = x\n", "[filter \"a\"]\nclean = x\n",
	  "filter.a.clean: git runs it on every file that it writes" },
	{ "", "[core]\nFSMonitor = x\n", "core.fsmonitor: git runs it" },
	{ "", "[includeIf \"gitdir:x\"]\npath = x\n",
	  "includeif.gitdir:x.path: brings another file's keys" },
	{ "", "[a\"b\\033\"]\n", "line 1 cannot be understood" },
	{ "", "[x \"a\033b\"]\nc = d\n", "x.a\\033b.c: not known to be harmless" },
	/* addresses: of a new remote, and plain */
	NEW_REMOTE("https://example.com/a/b.git"),
	NEW_REMOTE("https://example.com:8443/a"),
	NEW_REMOTE("ssh://git@example.com/a"),
	NEW_REMOTE("ssh://example.com:22/~user/a"),
	NEW_REMOTE("git://example.com/a"),
	NEW_REMOTE("git@example.com:a/b.git"),
	NEW_REMOTE("example.com:a"),
	BAD_REMOTE("ext::sh -c touch"),
	BAD_REMOTE("ext::sh"),
	BAD_REMOTE("fd::3"),
	BAD_REMOTE("https::x"),
	BAD_REMOTE("file:///tmp/a"),
	BAD_REMOTE("/tmp/a"),
	BAD_REMOTE("../a"),
	BAD_REMOTE("./a:b"),
	BAD_REMOTE("a"),
	BAD_REMOTE("a/b:c"),
	BAD_REMOTE("http://example.com/a"),
	BAD_REMOTE("ftp://example.com/a"),
	BAD_REMOTE("HTTPS://example.com/a"),
	BAD_REMOTE("https://user@example.com/a"),
	BAD_REMOTE("https://u:p@example.com/a"),
	BAD_REMOTE("https://example.com/%0a"),
	BAD_REMOTE("https://example.com/a b"),
	BAD_REMOTE("https:///a"),
	BAD_REMOTE("https://example.com"),
	BAD_REMOTE("https://-x/a"),
	BAD_REMOTE("https://example.com:x/a"),
	BAD_REMOTE("https://example.com:1@b/a"),
	BAD_REMOTE("ssh://-oProxyCommand=x/a"),
	BAD_REMOTE("ssh://-oProxyCommand=x@h/a"),
	BAD_REMOTE("ssh://git@-oProxyCommand=x/a"),
	BAD_REMOTE("-oProxyCommand=x:a"),
	BAD_REMOTE("git@-oProxyCommand=x:a"),
	BAD_REMOTE("host:-upload"),
	BAD_REMOTE("host:"),
	BAD_REMOTE("git@a@b:c"),
	BAD_REMOTE(""),
	{ "", "[remote \"n\"]\nurl\n", URL },
	{ "", "[remote \"n\"]\nurl = https://a.b/c\nurl = /d\n", URL },
	{ "", "[remote \"https://a.b/c\"]\nurl = https://e.f/g\n",
	  "remote.https://a.b/c.url: where git fetches from and pushes to" },
	{ "", "[remote \"..\"]\nurl = https://e.f/g\n",
	  "remote....url: where git fetches from and pushes to" },
	{ "", "[remote]\nurl = https://e.f/g\n", "remote.url: not known to be harmless" },
	{ ORIGIN, "[remote \"origin\"]\nurl = https://example.com/b.git\n",
	  "remote.origin.url: where git fetches from and pushes to" },
	{ ORIGIN, ORIGIN "url = https://example.com/b.git\n",
	  "remote.origin.url: where git fetches from and pushes to" },
	{ ORIGIN, "", "remote.origin.url: where git fetches from and pushes to" },
	{ "[remote \"n\"]\nprune = true\n", "[remote \"n\"]\nurl = https://a.b/c\n", URL },
	{ "[branch \"b\"]\nremote = n\n",
	  "[branch \"b\"]\nremote = n\n[remote \"n\"]\nurl = https://a.b/c\n", URL },
	{ "[branch \"b\"]\npushRemote = n\n",
	  "[branch \"b\"]\npushRemote = n\n[remote \"n\"]\nurl = https://a.b/c\n", URL },
	{ "[remote]\npushDefault = n\n",
	  "[remote]\npushDefault = n\n[remote \"n\"]\nurl = https://a.b/c\n", URL },
	/* refspecs: as git writes them, nothing but what is known of that remote */
	REFSPEC("+refs/heads/*:refs/remotes/n/*"),
	REFSPEC("refs/heads/*:refs/remotes/n/*"),
	REFSPEC("+refs/heads/main:refs/remotes/n/main"),
	REFSPEC("+refs/heads/a/b-1:refs/remotes/n/a/b-1"),
	BAD_REFSPEC("+refs/heads/*:refs/heads/*"),
	BAD_REFSPEC("+refs/*:refs/*"),
	BAD_REFSPEC("+refs/heads/*:refs/remotes/m/*"),
	BAD_REFSPEC("+refs/heads/*:refs/remotes/n/*x"),
	BAD_REFSPEC("+refs/heads/a:refs/remotes/n/b"),
	BAD_REFSPEC("+refs/heads/a:refs/remotes/n/a/b"),
	BAD_REFSPEC("+refs/heads/a*:refs/remotes/n/a*"),
	BAD_REFSPEC("+refs/heads/:refs/remotes/n/"),
	BAD_REFSPEC("+refs/tags/*:refs/tags/*"),
	BAD_REFSPEC("main"),
	{ "", "[remote \"n\"]\nfetch\n", FETCH },
	/* branches */
	{ ORIGIN, ORIGIN MAIN, "" },
	{ ORIGIN MAIN, ORIGIN, "" },
	{ ORIGIN, ORIGIN "[branch \"b\"]\nremote = other\n",
	  "branch.b.remote: where git fetches from and pushes to" },
	{ ORIGIN, ORIGIN "[branch \"b\"]\nremote = https://a.b/c\n",
	  "branch.b.remote: where git fetches from and pushes to" },
	{ ORIGIN, ORIGIN "[branch \"b\"]\nremote\n",
	  "branch.b.remote: where git fetches from and pushes to" },
	{ ORIGIN MAIN,
	  ORIGIN "[branch \"main\"]\nremote = n\n[remote \"n\"]\nurl = https://a.b/c\n",
	  "branch.main.remote: where git fetches from and pushes to" },
	{ ORIGIN, ORIGIN "[branch \"b\"]\nremote = n\n[remote \"n\"]\nurl = https://a.b/c\n", "" },
	{ ORIGIN "[branch \"b\"]\nremote = /x\n", ORIGIN "[branch \"b\"]\nremote = /x\nmerge = y\n",
	  "" },
	{ ORIGIN "[branch \"b\"]\nremote = /x\n", ORIGIN "[branch \"b\"]\nremote = origin\n",
	  "branch.b.remote: where git fetches from and pushes to" },
};

Test(gitconfig, rows)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		auto_buf why = BUF_INIT;

		judge(rows[i].before, rows[i].after, &why);
		cr_expect_str_eq(buf_text(&why), rows[i].why, "row %zu: %s", i, rows[i].after);
	}
}

Test(gitconfig, a_clone_of_many_branches)
{
	auto_buf text = BUF_INIT, why = BUF_INIT;
	auto_free char *before = NULL;

	buf_puts(&text, "[remote \"origin\"]\nurl=https://a.b/c\n");
	for (size_t i = 0; i < 4000; i++) {
		buf_printf(&text, "[branch \"b%zu\"]\nremote=origin\nmerge=refs/heads/b%zu\n", i,
			   i);
	}
	before = strdup(buf_text(&text));
	buf_puts(&text, "[branch \"new\"]\nremote=origin\nmerge=refs/heads/new\n");
	judge(before, buf_text(&text), &why);
	cr_expect_str_eq(buf_text(&why), "");
	buf_puts(&text, "[core]\npager=x\n");
	judge(before, buf_text(&text), &why);
	cr_expect_str_eq(buf_text(&why), "core.pager: git runs it");
}

Test(gitconfig, work_is_bounded)
{
	auto_buf before = BUF_INIT, after = BUF_INIT, why = BUF_INIT;

	buf_puts(&before, "[branch \"b\"]\n");
	for (size_t i = 0; i < GITCONFIG_ENTRIES_MAX; i++) {
		buf_puts(&before, "merge=n\n");
	}
	for (size_t i = 0; i < 20; i++) {
		buf_printf(&after, "[remote \"n%zu\"]\nurl=https://a.b/c\n", i);
	}
	judge(buf_text(&before), buf_text(&after), &why);
	cr_expect_str_eq(buf_text(&why), "");
	for (size_t i = 20; i < 200; i++) {
		buf_printf(&after, "[remote \"n%zu\"]\nurl=https://a.b/c\n", i);
	}
	judge(buf_text(&before), buf_text(&after), &why);
	cr_expect_str_eq(buf_text(&why), "too much to compare");
}
