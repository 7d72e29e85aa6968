/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. The cache file: round trip, stale, damaged at every byte. */
#include "profile_test.h"

#include "../../../launcher/base/crc32.h"

static const char yaml[] =
	"version: 1\nname: full\ndescription: All of it\nowners: { permissions: p@x, incidents: "
	"i@x }\n"
	"tool: { run: [/usr/bin/b, ~/bin/a] }\neffects: [write-workspace, "
	"write-external, read]\nmode: apply\n"
	"success: [0, 7, 255]\nfilesystem: { read: [/usr, ~/.cargo, /bin], hide: [k], "
	"write: [~/out], cache: { c: { path: ~/c, scope: user, exec: true } }, "
	"protect: [z, deploy/], hold_above: { bytes: 3MiB } "
	"}\n"
	"network: { loopback: true }\ngit: { identity: true, worktree: true }\n"
	"environment: { pass: [TZ, \"LC_*\"], accept: [CI], set: { B: two, A: one } }\n"
	"syscalls: { allow: [\"@default\"] }\n"
	"limits: { memory: 2GiB, pids: 512, cpu: 400%, cpu_time: 1h, wall: 10m, disk: 1GiB, files: "
	"1000, "
	"output: 1MiB, open_files: 64 }\n"
	"toolchains: [all]\n"
	"allow_degraded: [landlock, cgroup]\nretry: safe\non_failure: { then: stop, "
	"retries: 3, backoff: 2s }\n"
	"capture: { inputs: content, file_size: 9MiB, stdin: 0B, "
	"environment: [LANG] }\n"
	"observe_writes: "
	"refuse\nworkspace: snapshot\n";

static const struct sock_filter tool_filter[] = {
	{ .code = 0x20, .k = 4 },
	{ .code = 0x15, .jt = 1, .jf = 2, .k = 0xc000003e },
	{ .code = 0x06, .k = 0x7fff0000 },
};
static const struct sock_filter init_filter[] = { { .code = 0x06, .k = 0x80000000 } };

static struct profile *
sample(void)
{
	struct parsed p;
	struct profile *profile = NULL;

	parsed_init(&p, "/x/full.yaml", yaml, sizeof(yaml) - 1);
	profile_complete(&p.arena, &p.doc, &p.report);
	cr_assert_str_eq(buf_text(&p.text), "");
	cr_assert_eq(profile_build(&p.doc, "/home/u", &profile), 0);
	parsed_finish(&p);
	profile->git_name = "Nora Example";
	profile->git_email = "nora@example.com";
	profile->filter = tool_filter;
	profile->filter_len = ARRAY_LEN(tool_filter);
	memset(profile->filter_digest, 0xab, 32);
	profile->init_filter = init_filter;
	profile->init_filter_len = ARRAY_LEN(init_filter);
	profile->shipped = true;
	profile->rules[KEY_LIM_PIDS].flags = RULE_ALL;
	return profile;
}

static struct profile_dep
dep_of(const char *path)
{
	struct profile_dep d = { .path = path };
	struct stat st;

	if (stat(path, &st) == 0) {
		d.present = true;
		d.dev = (uint64_t)st.st_dev;
		d.ino = (uint64_t)st.st_ino;
		d.size = (uint64_t)st.st_size;
		d.mtime_ns = (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
		d.ctime_ns = (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec;
	}
	return d;
}

static void
set_crc(uint8_t *data, size_t len)
{
	uint32_t crc = crc32_update(0, data + 8, len - 8);

	for (unsigned int i = 0; i < 4; i++) {
		data[4 + i] = (uint8_t)(crc >> (8 * i));
	}
}

Test(profile_codec, round_trip)
{
	struct profile *p = sample(), *q = NULL;
	const struct profile_dep deps[] = { dep_of("/"), dep_of("/nonexistent/x.yaml") };
	auto_buf bytes = BUF_INIT, again = BUF_INIT;
	struct err err = ERR_INIT;

	profile_encode(p, deps, 2, "6.1", &bytes);
	cr_assert_eq(buf_error(&bytes), 0);
	cr_assert_eq(profile_decode(bytes.data, bytes.len, "6.1", &q, &err), 0, "%s", err.text);
	/* Nothing lost: the same profile has the same bytes. */
	profile_encode(q, deps, 2, "6.1", &again);
	cr_assert_eq(again.len, bytes.len);
	cr_expect_arr_eq(again.data, bytes.data, bytes.len);
	cr_expect_str_eq(q->name, "full");
	cr_expect_str_eq(q->owner_incidents, "i@x");
	cr_expect_str_eq(q->read[1].path, "/home/u/.cargo");
	cr_expect_str_eq(q->read[1].origin, "full.yaml:9");
	cr_assert_eq(q->cache_count, 1u);
	cr_expect_str_eq(q->caches[0].name, "c");
	cr_expect_str_eq(q->caches[0].at.path, "/home/u/c");
	cr_expect_str_eq(q->caches[0].at.origin, "full.yaml:9");
	cr_expect_eq(q->caches[0].flags, CACHE_ALL);
	cr_expect_eq(q->hold_bytes.most, (uint64_t)3 << 20);
	cr_expect_str_eq(q->hold_bytes.origin, "full.yaml:9");
	cr_expect_eq(q->hold_files.most, UINT64_MAX);
	cr_expect_str_eq(q->hold_files.origin, "");
	cr_expect_eq(q->shipped, true);
	cr_expect_str_eq(q->rules[KEY_LIM_PIDS].place, "full.yaml:14");
	cr_expect_str_eq(q->rules[KEY_SYSCALLS].place, "full.yaml:13");
	cr_expect_str_eq(q->rules[KEY_OPEN].place, "built-in");
	cr_expect_eq(q->rules[KEY_LIM_PIDS].flags, (uint32_t)RULE_ALL);
	cr_expect_str_eq(q->env_set[0].value, "one");
	cr_expect_null(q->syscalls.items[1]);
	cr_expect_eq(q->filter_len, 3u);
	cr_expect_eq(q->filter[1].jf, 2);
	cr_expect_eq(q->filter[1].k, 0xc000003eu);
	cr_expect_eq(q->filter_digest[31], 0xab);
	cr_expect_eq(q->init_filter[0].k, 0x80000000u);
	cr_expect_eq(q->limits.open_files, 64u);
	cr_expect_eq(q->toolchains, TOOLCHAINS_ALL);
	cr_expect_arr_eq(q->digest, p->digest, 32);
	profile_destroy(q);
	profile_destroy(p);
	profile_destroy(NULL);
}

/* Behind other bytes in the same buffer. */
Test(profile_codec, appends)
{
	struct profile *p = sample(), *q = NULL;
	auto_buf bytes = BUF_INIT;

	buf_puts(&bytes, "before");
	profile_encode(p, NULL, 0, "6.1", &bytes);
	cr_expect_eq(profile_decode(bytes.data + 6, bytes.len - 6, "6.1", &q, NULL), 0);
	profile_destroy(q);
	profile_destroy(p);
}

Test(profile_codec, another_kernel_or_version_is_stale)
{
	struct profile *p = sample(), *q = NULL;
	auto_buf bytes = BUF_INIT;
	struct err err = ERR_INIT;
	uint8_t *version;

	profile_encode(p, NULL, 0, "6.1", &bytes);
	cr_expect_eq(profile_decode(bytes.data, bytes.len, "6.2", &q, &err), -ESTALE);
	cr_expect_str_eq(err.text, "compiled under another kernel");
	version = bytes.data + 8 + 2 + 4;
	cr_assert_eq(version[0], AIRLOCK_VERSION[0]);
	version[0] = '9';
	set_crc(bytes.data, bytes.len);
	cr_expect_eq(profile_decode(bytes.data, bytes.len, "6.1", &q, &err), -ESTALE);
	cr_expect_str_eq(err.text, "compiled by another version of airlock");
	cr_expect_null(q);
	profile_destroy(p);
}

Test(profile_codec, dependencies)
{
	char dir[] = "/tmp/airlock-test-XXXXXX", path[64], link[64];
	struct profile *p = sample(), *q = NULL;
	struct profile_dep deps[2];
	auto_buf bytes = BUF_INIT;
	struct err err = ERR_INIT;
	auto_buf expected = BUF_INIT;

	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a.yaml", dir);
	snprintf(link, sizeof(link), "%s/b.yaml", dir);
	buf_printf(&expected, "%s changed", link);
	write_text(path, "one");
	deps[0] = dep_of(path);
	deps[1] = dep_of(link);
	cr_assert_eq(deps[0].present, true);
	cr_assert_eq(deps[1].present, false);
	profile_encode(p, deps, 2, "6.1", &bytes);
	cr_assert_eq(profile_decode(bytes.data, bytes.len, "6.1", &q, &err), 0, "%s", err.text);
	profile_destroy(q);
	q = NULL;
	/* A file with precedence appears. */
	write_text(link, "x");
	cr_expect_eq(profile_decode(bytes.data, bytes.len, "6.1", &q, &err), -ESTALE);
	cr_expect_str_eq(err.text, buf_text(&expected));
	cr_assert_eq(unlink(link), 0);
	cr_assert_eq(profile_decode(bytes.data, bytes.len, "6.1", &q, &err), 0);
	profile_destroy(q);
	q = NULL;
	/* Same size, other bytes; then gone. */
	write_text(path, "two");
	cr_expect_eq(profile_decode(bytes.data, bytes.len, "6.1", &q, &err), -ESTALE);
	cr_assert_eq(unlink(path), 0);
	cr_expect_eq(profile_decode(bytes.data, bytes.len, "6.1", &q, &err), -ESTALE);
	cr_expect_null(q);
	profile_destroy(p);
	remove_tree(dir);
}

Test(profile_codec, truncated_at_every_byte)
{
	struct profile *p = sample(), *q = NULL;
	const struct profile_dep deps[] = { dep_of("/") };
	auto_buf bytes = BUF_INIT;

	profile_encode(p, deps, 1, "6.1", &bytes);
	for (size_t len = 0; len < bytes.len; len++) {
		/* A copy of exactly that size, so that the sanitizer sees a read behind it. */
		auto_free uint8_t *cut = malloc(len > 0 ? len : 1);

		memcpy(cut, bytes.data, len);
		cr_assert_eq(profile_decode(cut, len, "6.1", &q, NULL), -EBADMSG, "%zu", len);
		if (len > 8) {
			/* The same with a crc that fits: the structure must hold by itself. */
			set_crc(cut, len);
			cr_assert_eq(profile_decode(cut, len, "6.1", &q, NULL), -EBADMSG, "%zu",
				     len);
		}
	}
	cr_expect_null(q);
	profile_destroy(p);
}

Test(profile_codec, a_byte_too_many)
{
	struct profile *p = sample(), *q = NULL;
	auto_buf bytes = BUF_INIT;

	profile_encode(p, NULL, 0, "6.1", &bytes);
	buf_u8(&bytes, 0);
	set_crc(bytes.data, bytes.len);
	cr_expect_eq(profile_decode(bytes.data, bytes.len, "6.1", &q, NULL), -EBADMSG);
	profile_destroy(p);
}

Test(profile_codec, flipped_bytes)
{
	static const uint8_t flips[] = { 0x01, 0x80, 0xff };
	struct profile *p = sample(), *q = NULL;
	const struct profile_dep deps[] = { dep_of("/") };
	auto_buf bytes = BUF_INIT;
	auto_free uint8_t *copy = NULL;

	profile_encode(p, deps, 1, "6.1", &bytes);
	copy = malloc(bytes.len);
	for (size_t at = 0; at < bytes.len; at++) {
		for (size_t f = 0; f < ARRAY_LEN(flips); f++) {
			int rc;

			memcpy(copy, bytes.data, bytes.len);
			copy[at] ^= flips[f];
			cr_assert_eq(profile_decode(copy, bytes.len, "6.1", &q, NULL), -EBADMSG,
				     "%zu", at);
			/*
			 * With a crc that fits it may be another whole profile, stale, or
			 * damaged; never a crash.
			 */
			set_crc(copy, bytes.len);
			rc = profile_decode(copy, bytes.len, "6.1", &q, NULL);
			cr_assert_eq(rc == 0 || rc == -EBADMSG || rc == -ESTALE, true, "%zu: %d",
				     at, rc);
			if (rc == 0) {
				profile_destroy(q);
				q = NULL;
			}
		}
	}
	profile_destroy(p);
}

/* The name becomes part of a path. */
Test(profile_codec, a_cache_has_a_file_name)
{
	static const char *const names[] = { "a/b", "..", ".x", "" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct profile *p = sample(), *q = NULL;
		auto_buf bytes = BUF_INIT;
		struct err err = ERR_INIT;

		p->caches[0].name = names[i];
		profile_encode(p, NULL, 0, "6.1", &bytes);
		cr_expect_eq(profile_decode(bytes.data, bytes.len, "6.1", &q, &err), -EBADMSG, "%s",
			     names[i]);
		cr_expect_null(q);
		profile_destroy(p);
	}
}
