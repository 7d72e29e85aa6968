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

static void
collect(struct leased *l, bool hold_leaks)
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
	};
	struct err err = ERR_INIT;

	cr_assert_eq(changes_collect(&req, &l->set, &err), 0, "%s", err.text);
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
	world_link(l->w.up_fd, "link", "x/" TOKEN);
	world_link(l->w.up_fd, "other-link", "clean");
	world_file(l->w.up_fd, "of-" TOKEN, "its name", 0644);
	/* it had the value before the call, and has it no more */
	world_file(l->w.ws_fd, "cleaned", TOKEN, 0644);
	world_file(l->w.up_fd, "cleaned", "empty", 0644);
}

Test(changes_content, which_changes_hold_what)
{
	struct leased l;

	begin(&l);
	leave(&l);
	collect(&l, false);
	cr_assert_eq(l.set.count, 9u);
	cr_assert_eq(l.set.leaked, 6u);
	cr_assert_eq(l.set.held, 0u);
	expect_change(&l, "clean", 0, NULL, true);
	expect_change(&l, "config", 1, NULL, false);
	expect_change(&l, "both", 3, NULL, false);
	expect_change(&l, "changed", 2, NULL, false);
	expect_change(&l, "same-size", 2, NULL, false);
	expect_change(&l, "link", 1, NULL, false);
	expect_change(&l, "other-link", 0, NULL, true);
	expect_change(&l, "of-" TOKEN, 1, NULL, true);
	expect_change(&l, "cleaned", 0, NULL, true);
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
	expect_change(&l, "link", 1, "leak: gh", false);
	expect_change(&l, "of-" TOKEN, 1, "leak: gh", true);
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
