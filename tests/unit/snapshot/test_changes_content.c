/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Unit tests of changes_content.c, through changes_collect: which changes hold what was leased to
 * the call, and what of them is stored. Run by `make unit`.
 */
#include "../../../launcher/scan/scanner.h"
#include "../../../launcher/snapshot/changes_internal.h"
#include "snapshot_world.h"

#include "../../../launcher/base/json.h"
#include "../../../launcher/store/store.h"

#define TOKEN "ghp_0123456789abcdef"
#define PASSWORD "correct horse"

struct leased {
	struct world w;
	struct store store;
	struct pack pack;
	struct scanner *scanner;
	struct change_set set;
	uint64_t named;
};

static void
begin(struct leased *l)
{
	static const struct scan_value values[] = { { "gh", TOKEN, sizeof(TOKEN) - 1 },
						    { "db", PASSWORD, sizeof(PASSWORD) - 1 } };
	const uint8_t id[16] = { 1 };
	struct err err = ERR_INIT;
	char path[80];

	*l = (struct leased){ .store = STORE_INIT };
	world_init(&l->w);
	snprintf(path, sizeof(path), "%s/state", l->w.path);
	cr_assert_eq(store_open_write(path, &l->store, &err), 0, "%s", err.text);
	cr_assert_eq(pack_init(&l->pack, &l->store, id, id, &err), 0, "%s", err.text);
	cr_assert_eq(scanner_create(values, ARRAY_LEN(values), &l->scanner, &err), 0);
}

static int
try_to_collect(struct leased *l, bool hold_leaks, struct err *err)
{
	const struct collect_request req = {
		.upper_fd = l->w.up_fd,
		.lower_fd = l->w.ws_fd,
		.opaque_xattr = "user.overlay.opaque",
		.capture = CAPTURE_TOUCHED,
		.max_files = 1000,
		.pack = &l->pack,
		.scanner = l->scanner,
		.hold_leaks = hold_leaks,
		.ret_named = &l->named,
	};

	return changes_collect(&req, &l->set, err);
}

static void
collect(struct leased *l, bool hold_leaks)
{
	struct err err = ERR_INIT;

	cr_assert_eq(try_to_collect(l, hold_leaks, &err), 0, "%s", err.text);
	cr_assert_eq(l->named, 0u);
}

static void
end(struct leased *l)
{
	changes_finish(&l->set);
	scanner_destroy(l->scanner);
	pack_finish(&l->pack);
	store_finish(&l->store);
	world_finish(&l->w);
}

static void
expect_change(struct leased *l, const char *path, uint64_t items, const char *rule, bool stored)
{
	const struct change *c = changes_find(&l->set, path);

	cr_assert_not_null(c, "%s", path);
	cr_assert_eq(c->leaked, items, "%s: %llx", path, (unsigned long long)c->leaked);
	cr_assert_eq(c->hold, rule != NULL ? HOLD_LEAK : HOLD_NONE, "%s", path);
	cr_assert_str_eq(rule != NULL ? c->hold_rule : "", rule != NULL ? rule : "");
	cr_assert_eq(c->after_known, true);
	cr_assert_eq(pack_has(&l->pack, c->after), stored, "%s", path);
}

static void
leave(struct leased *l)
{
	world_file(l->w.up_fd, "clean", "nothing of it", 0644);
	world_file(l->w.up_fd, "config", "token=" TOKEN "\n", 0644);
	world_file(l->w.up_fd, "both", TOKEN "\nY29ycmVjdCBob3JzZQ==\n", 0644);
	world_file(l->w.ws_fd, "changed", "old and longer", 0644);
	world_file(l->w.up_fd, "changed", "new: " PASSWORD, 0644);
	/* of the same size, so that both were hashed already */
	world_file(l->w.ws_fd, "same-size", "was " PASSWORD, 0644);
	world_file(l->w.up_fd, "same-size", "now " PASSWORD, 0644);
	world_link(l->w.up_fd, "other-link", "clean");
	/* it had the value before the call, and has it no more */
	world_file(l->w.ws_fd, "cleaned", "was " TOKEN, 0644);
	world_file(l->w.up_fd, "cleaned", "empty", 0644);
	world_link(l->w.ws_fd, "old-link", TOKEN);
	world_link(l->w.up_fd, "old-link", "new");
	world_file(l->w.up_fd, "attribute", "nothing in it", 0644);
	world_xattr(l->w.up_fd, "attribute", "user.a", "x" TOKEN);
	cr_assert_eq(mkdirat(l->w.up_fd, "directory", 0755), 0);
	world_xattr(l->w.up_fd, "directory", "user.a", PASSWORD);
}

/* A text that was there before the call. */
static void
expect_before(struct leased *l, const char *path, bool stored)
{
	const struct change *c = changes_find(&l->set, path);

	cr_assert_not_null(c, "%s", path);
	cr_assert_eq(c->before_known, true);
	cr_assert_eq(pack_has(&l->pack, c->before), stored, "%s", path);
}

Test(changes_content, which_changes_hold_what)
{
	struct leased l;

	begin(&l);
	leave(&l);
	collect(&l, false);
	cr_assert_eq(l.set.count, 10u);
	cr_assert_eq(l.set.leaked, 6u);
	cr_assert_eq(l.set.held, 0u);
	expect_change(&l, "clean", 0, NULL, true);
	expect_change(&l, "config", 1, NULL, false);
	expect_change(&l, "both", 3, NULL, false);
	expect_change(&l, "changed", 2, NULL, false);
	expect_change(&l, "same-size", 2, NULL, false);
	expect_change(&l, "other-link", 0, NULL, true);
	expect_change(&l, "old-link", 0, NULL, true);
	expect_change(&l, "cleaned", 0, NULL, true);
	expect_change(&l, "attribute", 1, NULL, true);
	cr_assert_eq(changes_find(&l.set, "directory")->leaked, 2u);
	expect_before(&l, "changed", true);
	expect_before(&l, "same-size", false);
	expect_before(&l, "cleaned", false);
	expect_before(&l, "old-link", false);
	end(&l);
}

/* What the list would say is not recorded at all, and who says it does not say it either. */
static void
expect_refused(void (*make)(struct leased *l), uint64_t items)
{
	struct err err = ERR_INIT;
	struct leased l;

	begin(&l);
	world_file(l.w.up_fd, "clean", "nothing of it", 0644);
	make(&l);
	cr_assert_eq(try_to_collect(&l, false, &err), -EKEYREJECTED);
	cr_assert_null(l.set.items);
	cr_assert_eq(l.named, items, "%llx", (unsigned long long)l.named);
	cr_assert_null(strstr(err.text, TOKEN));
	cr_assert_eq(strncmp(err.text, "credential ", strlen("credential ")), 0, "%s", err.text);
	end(&l);
}

static void
name_file(struct leased *l)
{
	world_file(l->w.up_fd, "of-" TOKEN, "its name", 0644);
}

static void
name_directory(struct leased *l)
{
	cr_assert_eq(mkdirat(l->w.up_fd, PASSWORD, 0755), 0);
}

static void
name_target(struct leased *l)
{
	world_link(l->w.up_fd, "link", "x/" TOKEN);
}

static void
name_attribute(struct leased *l)
{
	world_xattr(l->w.up_fd, "clean", "user." TOKEN, "x");
}

static void
name_of_what_was_there(struct leased *l)
{
	world_file(l->w.ws_fd, "of-" TOKEN, "its name", 0644);
	world_whiteout(l->w.up_fd, "of-" TOKEN);
}

Test(changes_content, a_name_is_not_recorded)
{
	expect_refused(name_file, 1);
	expect_refused(name_directory, 2);
	expect_refused(name_target, 1);
	expect_refused(name_attribute, 1);
	expect_refused(name_of_what_was_there, 1);
}

/* An attribute of before comes into the pack for an undo: without what has a value. */
Test(changes_content, attributes_of_before)
{
	auto_buf other = BUF_INIT;
	const struct change *c;
	struct leased l;

	begin(&l);
	world_file(l.w.ws_fd, "file", "text", 0644);
	world_xattr(l.w.ws_fd, "file", "user.kept", "other");
	world_xattr(l.w.ws_fd, "file", "user.leaks", TOKEN);
	world_file(l.w.up_fd, "file", "another", 0644);
	collect(&l, false);
	c = changes_find(&l.set, "file");
	buf_str(&other, "user.kept");
	buf_blob(&other, "other", strlen("other"));
	cr_assert_eq(c->attributes_before_len, other.len);
	cr_assert_eq(memcmp(c->attributes_before, other.data, other.len), 0);
	cr_assert_eq(c->leaked, 0u);
	end(&l);
}

/* Whoever reads a change set that cannot be read is told why, not what. */
Test(changes_content, a_failure_does_not_say_it)
{
	struct err err = ERR_INIT;
	struct leased l;

	begin(&l);
	world_file(l.w.up_fd, TOKEN, "x", 0644);
	world_xattr(l.w.up_fd, TOKEN, "user.overlay.redirect", "x");
	cr_assert_eq(try_to_collect(&l, false, &err), -EUCLEAN);
	cr_assert_null(strstr(err.text, TOKEN), "%s", err.text);
	end(&l);
}

Test(changes_content, what_is_held)
{
	struct leased l;

	begin(&l);
	leave(&l);
	collect(&l, true);
	cr_assert_eq(l.set.held, 6u);
	expect_change(&l, "clean", 0, NULL, true);
	expect_change(&l, "config", 1, "leak: gh", false);
	expect_change(&l, "both", 3, "leak: gh, db", false);
	expect_change(&l, "attribute", 1, "leak: gh", true);
	cr_assert_str_eq(changes_find(&l.set, "directory")->hold_rule, "leak: db");
	expect_change(&l, "cleaned", 0, NULL, true);
	end(&l);
}

/* Files are read in pieces of 128 KiB. */
Test(changes_content, a_large_file_at_every_cut)
{
	enum { PIECE = 128 << 10 };
	struct leased l;
	char name[20];

	begin(&l);
	for (int before = 0; before <= 20; before++) {
		auto_buf text = BUF_INIT;

		while (text.len < (size_t)PIECE - (size_t)before) {
			buf_puts(&text, ".");
		}
		buf_puts(&text, TOKEN ".");
		snprintf(name, sizeof(name), "f%d", before);
		world_file(l.w.up_fd, name, buf_text(&text), 0644);
	}
	collect(&l, false);
	cr_assert_eq(l.set.leaked, 21u);
	end(&l);
}

/* The digests, and so the list, are those of what is there. */
Test(changes_content, the_digests_are_as_without)
{
	uint8_t digest[SHA256_SIZE];
	struct scanner *scanner;
	struct leased l;

	begin(&l);
	leave(&l);
	scanner = l.scanner;
	l.scanner = NULL;
	collect(&l, false);
	cr_assert_eq(l.set.leaked, 0u);
	expect_change(&l, "config", 0, NULL, true);
	memcpy(digest, l.set.digest, SHA256_SIZE);
	changes_finish(&l.set);
	l.set = (struct change_set){ .items = NULL };
	l.scanner = scanner;
	collect(&l, false);
	cr_assert_eq(memcmp(digest, l.set.digest, SHA256_SIZE), 0);
	end(&l);
}
