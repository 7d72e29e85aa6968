/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. The bytes that the jail trusts for nothing but their shape. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "../../../launcher/base/limits.h"
#include "../../../launcher/plan/plan.h"
#include "plan_sample.h"

static void
encode(struct buf *out)
{
	struct plan p;

	plan_sample(&p);
	plan_encode(&p, out);
	cr_assert_eq(buf_error(out), 0);
}

static void
expect_strings(const char *const *want, const char *const *found, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		cr_expect_str_eq(found[i], want[i]);
	}
	cr_expect_null(found[count]);
}

static void
expect_filter(const struct sock_filter *want, const struct sock_filter *found, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		cr_expect_eq(found[i].code, want[i].code, "instruction %zu", i);
		cr_expect_eq(found[i].jt, want[i].jt, "instruction %zu", i);
		cr_expect_eq(found[i].jf, want[i].jf, "instruction %zu", i);
		cr_expect_eq(found[i].k, want[i].k, "instruction %zu", i);
	}
}

Test(plan_codec, scalars_come_back)
{
	auto_buf bytes = BUF_INIT;
	struct plan want, p;

	encode(&bytes);
	plan_sample(&want);
	cr_assert_eq(plan_decode(bytes.data, bytes.len, &p), 0);
#define STR(name, doc) cr_expect_str_eq(p.name, want.name, #name);
#define U32(name, doc) cr_expect_eq(p.name, want.name, #name);
#define U64(name, doc) cr_expect_eq(p.name, want.name, #name);
#include "../../../launcher/plan/plan_fields.def"
#undef STR
#undef U32
#undef U64
	plan_release(&p);
}

Test(plan_codec, lists_come_back)
{
	auto_buf bytes = BUF_INIT;
	struct plan want, p;

	encode(&bytes);
	plan_sample(&want);
	cr_assert_eq(plan_decode(bytes.data, bytes.len, &p), 0);
	cr_assert_eq(p.argc, want.argc);
	expect_strings(want.argv, p.argv, want.argc);
	cr_assert_eq(p.envc, want.envc);
	expect_strings(want.envp, p.envp, want.envc);
	cr_assert_eq(p.group_count, 2u);
	cr_expect_eq(p.groups[0], 4u);
	cr_expect_eq(p.groups[1], 65534u);
	cr_assert_eq(p.rule_count, 2u);
	for (size_t i = 0; i < 2; i++) {
		cr_expect_str_eq(p.rules[i].path, want.rules[i].path);
		cr_expect_eq(p.rules[i].access, want.rules[i].access);
		cr_expect_eq(p.rlimits[i].resource, want.rlimits[i].resource);
		cr_expect_eq(p.rlimits[i].soft, want.rlimits[i].soft);
		cr_expect_eq(p.rlimits[i].hard, want.rlimits[i].hard);
	}
	cr_assert_eq(p.rlimit_count, 2u);
	cr_assert_eq(p.filter_len, 3u);
	expect_filter(want.filter, p.filter, 3);
	cr_assert_eq(p.init_filter_len, 1u);
	expect_filter(want.init_filter, p.init_filter, 1);
	plan_release(&p);
}

Test(plan_codec, mounts_come_back)
{
	auto_buf bytes = BUF_INIT;
	struct plan want, p;

	encode(&bytes);
	plan_sample(&want);
	cr_assert_eq(plan_decode(bytes.data, bytes.len, &p), 0);
	cr_assert_eq(p.mount_count, want.mount_count);
	for (size_t i = 0; i < want.mount_count; i++) {
		const struct plan_mount *a = &want.mounts[i], *b = &p.mounts[i];

		cr_expect_eq(b->kind, a->kind, "row %zu", i);
		cr_expect_eq(b->flags, a->flags, "row %zu", i);
		cr_expect_eq(b->mode, a->mode, "row %zu", i);
		cr_expect_eq(b->device, a->device, "row %zu", i);
		cr_expect_eq(b->inode, a->inode, "row %zu", i);
		cr_expect_str_eq(b->target, a->target);
		cr_expect_str_eq(b->source, a->source);
		cr_assert_eq(b->data_len, a->data_len, "row %zu", i);
		cr_expect_eq(memcmp(b->data, a->data, a->data_len), 0, "row %zu", i);
	}
	plan_release(&p);
	cr_expect_null(p.mounts);
	cr_expect_eq(p.mount_count, 0u);
}

Test(plan_codec, same_plan_same_bytes)
{
	auto_buf one = BUF_INIT, two = BUF_INIT, again = BUF_INIT;
	struct plan p;

	encode(&one);
	encode(&two);
	cr_assert_eq(one.len, two.len);
	cr_expect_eq(memcmp(one.data, two.data, one.len), 0);
	cr_assert_eq(plan_decode(one.data, one.len, &p), 0);
	plan_encode(&p, &again);
	cr_assert_eq(again.len, one.len);
	cr_expect_eq(memcmp(again.data, one.data, one.len), 0);
	plan_release(&p);
}

Test(plan_codec, smallest_plan)
{
	static const char *argv[] = { "x", NULL };
	struct plan small = { .argv = argv, .argc = 1 }, p;
	auto_buf bytes = BUF_INIT;

#define STR(name, doc) small.name = "";
#define U32(name, doc)
#define U64(name, doc)
#include "../../../launcher/plan/plan_fields.def"
#undef STR
#undef U32
#undef U64
	plan_encode(&small, &bytes);
	cr_assert_eq(plan_decode(bytes.data, bytes.len, &p), 0);
	cr_expect_eq(p.mount_count, 0u);
	cr_expect_eq(p.filter_len, 0u);
	cr_expect_str_eq(p.argv[0], "x");
	plan_release(&p);
}

Test(plan_codec, nothing_to_run_is_damage)
{
	auto_buf bytes = BUF_INIT;
	struct plan p;

	plan_sample(&p);
	p.argc = 0;
	plan_encode(&p, &bytes);
	cr_expect_eq(plan_decode(bytes.data, bytes.len, &p), -EBADMSG);
}

/* The copy is exactly as long as what is read, so that ASan sees the first byte too many. */
static int
decode_copy(const uint8_t *data, size_t len, struct plan *ret)
{
	uint8_t *copy = malloc(len > 0 ? len : 1);
	int rc;

	cr_assert_not_null(copy);
	if (len > 0) {
		memcpy(copy, data, len);
	}
	rc = plan_decode(copy, len, ret);
	if (rc == 0) {
		plan_release(ret);
	}
	free(copy);
	return rc;
}

Test(plan_codec, cut_at_every_byte)
{
	auto_buf bytes = BUF_INIT;

	encode(&bytes);
	for (size_t len = 0; len < bytes.len; len++) {
		struct plan p = { .argc = 77 };

		cr_assert_eq(decode_copy(bytes.data, len, &p), -EBADMSG, "cut at %zu of %zu", len,
			     bytes.len);
		cr_assert_eq(p.argc, 77u, "cut at %zu: the output was touched", len);
	}
}

Test(plan_codec, one_byte_more)
{
	auto_buf bytes = BUF_INIT;
	struct plan p;

	encode(&bytes);
	buf_u8(&bytes, 0);
	cr_expect_eq(decode_copy(bytes.data, bytes.len, &p), -EBADMSG);
}

Test(plan_codec, another_magic_or_version)
{
	auto_buf bytes = BUF_INIT;
	struct plan p;

	encode(&bytes);
	for (size_t at = 0; at < 8; at++) {
		bytes.data[at] ^= 1;
		cr_expect_eq(decode_copy(bytes.data, bytes.len, &p), -EBADMSG, "byte %zu", at);
		bytes.data[at] ^= 1;
	}
	cr_expect_eq(decode_copy(bytes.data, bytes.len, &p), 0);
}

/*
 * Every four bytes in turn become a huge, a merely large and a slightly too large number. Counts
 * and lengths are among them; whatever it was, nothing crashes, and a limit on the address space of
 * the largest honest plan (each count is at most the bytes that are left) stays far above what is
 * taken.
 */
Test(plan_codec, damaged_numbers)
{
	static const uint32_t values[] = { 0xffffffffu, 0x7fffffffu, 1000001u,
					   1000000u,	0x00ffffffu, 500u };
	auto_buf bytes = BUF_INIT;
	struct rusage before, after;

	encode(&bytes);
	cr_assert_eq(getrusage(RUSAGE_SELF, &before), 0);
	for (size_t at = 0; at + 4 <= bytes.len; at++) {
		for (size_t v = 0; v < ARRAY_LEN(values); v++) {
			uint8_t kept[4];
			struct plan p;
			int rc;

			memcpy(kept, bytes.data + at, 4);
			memcpy(bytes.data + at, &values[v], 4);
			rc = decode_copy(bytes.data, bytes.len, &p);
			cr_assert_eq(rc == 0 ? -EBADMSG : rc, -EBADMSG, "at %zu, value %x", at,
				     values[v]);
			memcpy(bytes.data + at, kept, 4);
		}
	}
	cr_assert_eq(getrusage(RUSAGE_SELF, &after), 0);
	cr_expect_lt(after.ru_maxrss - before.ru_maxrss, 64 << 10, "%ld KiB more",
		     after.ru_maxrss - before.ru_maxrss);
}

Test(plan_codec, every_bit_turned)
{
	auto_buf bytes = BUF_INIT;

	encode(&bytes);
	for (size_t bit = 0; bit < bytes.len * 8; bit++) {
		struct plan p;
		int rc;

		bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
		rc = decode_copy(bytes.data, bytes.len, &p);
		cr_assert_eq(rc == 0 ? -EBADMSG : rc, -EBADMSG, "at bit %zu", bit);
		bytes.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

/*
 * A list whose count alone would be megabytes of elements must not be made for a few bytes of
 * input.
 */
Test(plan_codec, a_count_does_not_buy_memory)
{
	auto_buf bytes = BUF_INIT, tail = BUF_INIT;
	struct plan sample, p;
	struct rusage before, after;
	size_t at;

	plan_sample(&sample);
	sample.argc = 1;
	sample.envc = sample.group_count = sample.mount_count = sample.rule_count =
		sample.rlimit_count = 0;
	sample.filter_len = sample.init_filter_len = 0;
	plan_encode(&sample, &bytes);
	/* groups, mounts, rules, rlimits: u32 each, then two u16: 20 bytes before the end */
	at = bytes.len - 20 + 4;
	buf_put(&tail, bytes.data, at);
	buf_u32(&tail, 900000); /* mounts, of which 900000 bytes follow that are none */
	for (int i = 0; i < 900000; i++) {
		buf_u8(&tail, 0xff);
	}
	cr_assert_eq(getrusage(RUSAGE_SELF, &before), 0);
	cr_expect_eq(plan_decode(tail.data, tail.len, &p), -EBADMSG);
	cr_assert_eq(getrusage(RUSAGE_SELF, &after), 0);
	cr_expect_lt(after.ru_maxrss - before.ru_maxrss, 32 << 10, "%ld KiB for %zu bytes of input",
		     after.ru_maxrss - before.ru_maxrss, tail.len);
}

Test(plan_codec, an_unknown_mount_kind)
{
	struct plan p;
	auto_buf bytes = BUF_INIT;
	uint32_t kind;

	plan_sample(&p);
	kind = p.mounts[0].kind;
	p.mounts[0].kind = MOUNT__COUNT;
	plan_encode(&p, &bytes);
	cr_expect_eq(plan_decode(bytes.data, bytes.len, &p), -EBADMSG);
	p.mounts[0].kind = kind;
}

Test(plan_codec, a_nul_inside_a_text)
{
	struct plan p;
	auto_buf bytes = BUF_INIT;
	uint8_t *at;

	encode(&bytes);
	at = memmem(bytes.data, bytes.len, "value of exe", 12);
	cr_assert_not_null(at);
	at[5] = 0;
	cr_expect_eq(decode_copy(bytes.data, bytes.len, &p), -EBADMSG);
}

Test(plan_codec, longer_than_a_plan_may_be)
{
	static const char *argv[] = { "x", NULL };
	struct plan small, p;
	auto_buf bytes = BUF_INIT;
	uint8_t *big = calloc(1, CAP_PLAN);
	struct plan_mount row = {
		.kind = MOUNT_FILE, .target = "/x", .source = "", .data = big, .data_len = CAP_PLAN
	};

	plan_sample(&small);
	small.argv = argv;
	small.argc = 1;
	small.mounts = &row;
	small.mount_count = 1;
	plan_encode(&small, &bytes);
	cr_assert_gt(bytes.len, (size_t)CAP_PLAN);
	cr_expect_eq(plan_decode(bytes.data, bytes.len, &p), -EBADMSG);
	free(big);
}

Test(plan_codec, every_kind_has_a_name_and_a_file_system_or_none)
{
	static const struct {
		enum mount_kind kind;
		const char *name, *fs;
	} rows[] = {
#define X(id, text, type) { MOUNT_##id, text, type },
#include "../../../launcher/plan/mount_kinds.def"
#undef X
	};

	cr_assert_eq(ARRAY_LEN(rows), (size_t)MOUNT__COUNT);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_expect_eq(rows[i].kind, i);
		cr_expect_str_eq(plan_mount_kind_name(rows[i].kind), rows[i].name);
		cr_expect_str_eq(plan_mount_fs(rows[i].kind), rows[i].fs);
	}
	/*
	 * A row whose fs is "" is not looked for in mountinfo: exactly the kinds that leave no
	 * mount.
	 */
	cr_expect_str_eq(plan_mount_fs(MOUNT_WORKSPACE), "overlay");
	cr_expect_str_eq(plan_mount_fs(MOUNT_LAYER), "");
	cr_expect_str_eq(plan_mount_fs(MOUNT_COPY), "");
}
