/* SPDX-License-Identifier: Apache-2.0 */
/* Run by `make unit`: trees in a temporary directory; digests are computed a second time by hand.
 */
#include <criterion/criterion.h>

#include "../../../launcher/base/text.h"
#include "../../../launcher/snapshot/snapshot.h"
#include "snapshot_world.h"

static int
hash(const struct world *w, int cache_fd, int64_t start_ns, struct tree_result *ret)
{
	struct tree_request req = {
		.root_fd = w->ws_fd,
		.cache_fd = cache_fd,
		.start_ns = start_ns,
	};

	return tree_hash(&req, ret, NULL);
}

static void
digest_of(const char *text, char hex[65])
{
	uint8_t d[32];

	sha256_of(text, strlen(text), d);
	text_hex(d, 32, hex);
}

Test(tree, merkle_of_everything)
{
	struct tree_result got;
	struct buf text = BUF_INIT;
	struct world w;
	char x[65], sub[65], root[65], hex[65];
	unsigned int u = geteuid(), g = getegid();

	world_init(&w);
	world_file(w.ws_fd, "a", "hello", 0644);
	world_dir(w.ws_fd, "d", 0750);
	world_file(w.ws_fd, "d/\n\xff", "", 0000);
	world_link(w.ws_fd, "l", "/etc/pass wd");
	cr_assert_eq(mkfifoat(w.ws_fd, "p", 0600), 0);
	world_file(w.ws_fd, "x", "hello", 04755);
	world_xattr(w.ws_fd, "x", "user.note", "hello");
	cr_assert_eq(hash(&w, -1, INT64_MAX, &got), 0);
	digest_of("hello", x);
	digest_of("", hex);
	buf_printf(&text, "airlock-dir v1\nf 0000 %u:%u 0 %s \\012\\377\n", u, g,
		   u == 0 ? hex : "-");
	digest_of(buf_text(&text), sub);
	buf_reset(&text);
	buf_printf(&text, "airlock-dir v1\nf 0644 %u:%u 5 %s a\nd 0750 %u:%u - %s d\n", u, g, x, u,
		   g, sub);
	buf_printf(&text, "l 0777 %u:%u - /etc/pass\\040wd l\np 0600 %u:%u - - p\n", u, g, u, g);
	buf_printf(&text, "f 4755 %u:%u 5 %s x xattr:user.note=%s\n", u, g, x, x);
	digest_of(buf_text(&text), root);
	text_hex(got.digest, 32, hex);
	cr_expect_str_eq(hex, root);
	cr_expect_eq(got.counts.files, 3u);
	cr_expect_eq(got.counts.directories, 1u);
	cr_expect_eq(got.counts.links, 1u);
	cr_expect_eq(got.counts.others, 1u);
	cr_expect_eq(got.counts.bytes, 10u);
	cr_expect_eq(got.unstable, false);
	buf_finish(&text);
	world_finish(&w);
}

Test(tree, unreadable_as_a_plain_user)
{
	struct tree_result got;
	struct world w;

	world_init(&w);
	cr_assert_eq(fchmod(w.dir_fd, 0755), 0);
	world_file(w.ws_fd, "f", "x", 0600);
	world_dir(w.ws_fd, "d", 0700);
	if (geteuid() == 0) {
		cr_assert_eq(seteuid(65534), 0);
	} else {
		cr_assert_eq(fchmodat(w.ws_fd, "f", 0, 0), 0);
		cr_assert_eq(fchmodat(w.ws_fd, "d", 0, 0), 0);
	}
	cr_expect_eq(hash(&w, -1, INT64_MAX, &got), 0);
	cr_expect_eq(got.counts.unreadable, 2u);
	cr_expect_eq(got.counts.hashed_files, 0u);
	cr_assert_eq(seteuid(getuid()), 0);
	world_finish(&w);
}

Test(tree, cache_answers_and_notices)
{
	struct tree_result first, second, third;
	struct timespec wait = { .tv_nsec = 40000000 };
	struct world w;
	char name[32];
	int cache;

	world_init(&w);
	cache = openat(w.dir_fd, "cache", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "%d", i);
		world_file(w.ws_fd, name, name, 0644);
	}
	world_xattr(w.ws_fd, "7", "user.note", "x");
	nanosleep(&wait, NULL); /* the file clock's tick */
	cr_assert_eq(hash(&w, cache, INT64_MAX, &first), 0);
	cr_expect_eq(first.counts.hashed_files, 50u);
	cr_assert_eq(hash(&w, cache, INT64_MAX, &second), 0);
	cr_expect_eq(second.counts.hashed_files, 0u);
	cr_expect_arr_eq(second.digest, first.digest, 32);
	/* same size, same mtime */
	world_file(w.ws_fd, "10", "XX", 0644);
	cr_assert_eq(hash(&w, cache, INT64_MAX, &third), 0);
	cr_expect_eq(third.counts.hashed_files, 1u);
	cr_expect_neq(memcmp(third.digest, first.digest, 32), 0);
	world_file(w.ws_fd, "10", "10", 0644);
	cr_assert_eq(hash(&w, cache, INT64_MAX, &third), 0);
	cr_expect_arr_eq(third.digest, first.digest, 32);
	close(cache);
	world_finish(&w);
}

Test(tree, unstable_since_the_start)
{
	struct tree_result got;
	struct world w;
	struct stat st;

	world_init(&w);
	world_file(w.ws_fd, "a", "x", 0644);
	cr_assert_eq(fstatat(w.ws_fd, "a", &st, 0), 0);
	cr_assert_eq(
		hash(&w, -1, (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec, &got),
		0);
	cr_expect_eq(got.unstable, true);
	cr_assert_eq(hash(&w, -1, (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec + 1,
			  &got),
		     0);
	cr_expect_eq(got.unstable, false);
	world_finish(&w);
}

Test(tree, cancelled_and_empty)
{
	atomic_bool cancel = true;
	struct tree_result got;
	struct world w;
	char hex[65], want[65];

	world_init(&w);
	{
		struct tree_request req = {
			.root_fd = w.ws_fd, .cache_fd = -1, .start_ns = INT64_MAX, .cancel = &cancel
		};

		cr_expect_eq(tree_hash(&req, &got, NULL), -ECANCELED);
		cancel = false;
		cr_expect_eq(tree_hash(&req, &got, NULL), 0);
	}
	digest_of("airlock-dir v1\n", want);
	text_hex(got.digest, 32, hex);
	cr_expect_str_eq(hex, want);
	world_finish(&w);
}

Test(tree, deeper_than_descriptors)
{
	struct tree_result got;
	struct world w;
	int at, before, after;

	world_init(&w);
	at = dup(w.ws_fd);
	for (int i = 0; i < 1024; i++) {
		int next;

		cr_assert_eq(mkdirat(at, "d", 0755), 0);
		next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		close(at);
		at = next;
		world_file(at, "f", "x", 0644);
	}
	before = dup(0);
	close(before);
	cr_expect_eq(hash(&w, -1, INT64_MAX, &got), 0);
	cr_expect_eq(got.counts.directories, 1024u);
	cr_expect_eq(got.counts.files, 1024u);
	cr_assert_eq(mkdirat(at, "d", 0755), 0);
	cr_expect_eq(hash(&w, -1, INT64_MAX, &got), -E2BIG);
	after = dup(0);
	close(after);
	cr_expect_eq(after, before);
	close(at);
	world_finish(&w);
}

Test(tree, contents_without_secrets)
{
	struct store store = STORE_INIT;
	struct err err = ERR_INIT;
	struct tree_result got;
	struct pack pack;
	struct world w;
	char state[128];
	uint8_t id[16] = { 1 }, digest[32];

	world_init(&w);
	snprintf(state, sizeof(state), "%s/state", w.path);
	cr_assert_eq(store_open_write(state, &store, &err), 0, "%s", err.text);
	cr_assert_eq(pack_init(&pack, &store, id, id, &err), 0, "%s", err.text);
	world_dir(w.ws_fd, ".aws", 0755);
	world_file(w.ws_fd, ".aws/x", "secret", 0644);
	world_file(w.ws_fd, "f", "plain", 0644);
	world_file(w.ws_fd, "h", "hidden", 0644);
	{
		const struct rule_path hidden[] = { { "h", "t:1" } };
		const struct rule_paths hide = { .items = hidden, .count = 1 };
		struct tree_request req = { .root_fd = w.ws_fd,
					    .cache_fd = -1,
					    .start_ns = INT64_MAX,
					    .content = true,
					    .hide = &hide,
					    .pack = &pack };

		cr_assert_eq(tree_hash(&req, &got, &err), 0, "%s", err.text);
	}
	cr_expect_eq(pack_has(&pack, got.digest), true);
	sha256_of("plain", 5, digest);
	cr_expect_eq(pack_has(&pack, digest), true);
	sha256_of("secret", 6, digest);
	cr_expect_eq(pack_has(&pack, digest), false);
	sha256_of("hidden", 6, digest);
	cr_expect_eq(pack_has(&pack, digest), false);
	pack_finish(&pack);
	store_finish(&store);
	world_finish(&w);
}
