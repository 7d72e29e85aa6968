/* SPDX-License-Identifier: Apache-2.0 */
/* A plan with something in every field and list, for the codec's tests and the fuzzer's seeds. */
#ifndef AIRLOCK_TESTS_PLAN_SAMPLE_H
#define AIRLOCK_TESTS_PLAN_SAMPLE_H

#include "../../../launcher/plan/plan.h"

/* Everything is static: the plan is not to be given to plan_release. */
static inline void
plan_sample(struct plan *ret)
{
	static const char *argv[] = { "/usr/bin/env", "", "a b", "\xff\x01", NULL };
	static const char *envp[] = { "PATH=/usr/bin", "EMPTY=", NULL };
	static uint32_t groups[] = { 4, 65534 };
	static const uint8_t bytes[] = { 'x', 0, 'y', 0 };
	static struct plan_mount mounts[] = {
		{ .kind = MOUNT_DIR, .mode = 0755, .target = "/run", .source = "", .data = bytes },
		{ .kind = MOUNT_NODE,
		  .flags = MOUNT_NOEXEC,
		  .device = UINT64_C(0x123456789abcdef0),
		  .inode = UINT64_C(0xfedcba9876543210),
		  .target = "/dev/null",
		  .source = "/dev/null",
		  .data = bytes },
		{ .kind = MOUNT_FILE,
		  .mode = 0444,
		  .target = "/etc/x",
		  .source = "",
		  .data = bytes,
		  .data_len = 4 },
		{ .kind = MOUNT__COUNT - 1,
		  .flags = MOUNT_WRITABLE,
		  .target = "/proc/sys",
		  .source = "s",
		  .data = bytes },
	};
	static struct plan_rule rules[] = { { "/", 8 }, { "/usr", UINT64_MAX } };
	static struct plan_rlimit rlimits[] = { { 7, 1024, UINT64_C(1) << 40 },
						{ 4, 1, UINT64_MAX } };
	static struct plan_credential credentials[] = { { DELIVERY_ENV, "TOKEN" },
							{ DELIVERY_FILE, "" } };
	static const struct sock_filter filter[] = {
		{ 0x20, 0, 0, 4 }, { 0x15, 1, 2, 0xc000003e }, { 6, 0, 0, 0x7fff0000 },
	};
	static const struct sock_filter init_filter[] = { { 6, 0, 0, 0x80000000 } };
	uint64_t n = 1;

	*ret = (struct plan){
		.argv = argv,
		.argc = 4,
		.envp = envp,
		.envc = 2,
		.groups = groups,
		.group_count = 2,
		.mounts = mounts,
		.mount_count = 4,
		.rules = rules,
		.rule_count = 2,
		.rlimits = rlimits,
		.rlimit_count = 2,
		.credentials = credentials,
		.credential_count = 2,
		.filter = filter,
		.filter_len = 3,
		.init_filter = init_filter,
		.init_filter_len = 1,
	};
	/* another value in each, so that two that are swapped show */
#define STR(name, doc) ret->name = "value of " #name;
#define U32(name, doc) ret->name = 0x80000000u + (uint32_t)n++;
#define U64(name, doc) ret->name = UINT64_C(0x8000000000000000) + n++;
#include "../../../launcher/plan/plan_fields.def"
#undef STR
#undef U32
#undef U64
}

#endif
