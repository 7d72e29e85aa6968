/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libFuzzer target for the plan's decoder, which runs as PID 1 of a sandbox. Run by the developer
 * or CI; the bytes are anybody's. What it takes for a plan must be exactly what the encoder writes
 * for it: one plan, one digest.
 *
 *   clang -std=gnu17 -D_GNU_SOURCE -g -O1 -fsanitize=fuzzer,address,undefined
 *   -fno-sanitize-recover=all \
 *         -o fuzz_plan tests/fuzz/fuzz_plan.c launcher/plan/plan_codec.c launcher/base/buf.c
 *   seed_plan CORPUS && fuzz_plan -max_len=8192 -rss_limit_mb=256 CORPUS
 */
#include <stdlib.h>
#include <string.h>

#include "../../launcher/plan/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/*
 * Looks at everything that the jail will look at; a text without its end or an array too short
 * shows here.
 */
static size_t
touch(const struct plan *p)
{
	size_t sum = 0;

#define STR(name, doc) sum += strlen(p->name);
#define U32(name, doc) sum += p->name;
#define U64(name, doc) sum += p->name;
#include "../../launcher/plan/plan_fields.def"
#undef STR
#undef U32
#undef U64
	for (size_t i = 0; p->argv[i] != NULL; i++) {
		sum += strlen(p->argv[i]);
	}
	for (size_t i = 0; p->envp[i] != NULL; i++) {
		sum += strlen(p->envp[i]);
	}
	for (size_t i = 0; i < p->mount_count; i++) {
		const struct plan_mount *m = &p->mounts[i];

		sum += strlen(plan_mount_kind_name(m->kind)) + strlen(plan_mount_fs(m->kind));
		sum += strlen(m->target) + strlen(m->source);
		for (size_t b = 0; b < m->data_len; b++) {
			sum += m->data[b];
		}
	}
	for (size_t i = 0; i < p->rule_count; i++) {
		sum += strlen(p->rules[i].path);
	}
	for (size_t i = 0; i < p->filter_len; i++) {
		sum += p->filter[i].k;
	}
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	volatile size_t sum;
	struct buf again = BUF_INIT;
	struct plan p;

	if (plan_decode(data, size, &p) != 0) {
		return 0;
	}
	sum = touch(&p);
	(void)sum;
	plan_encode(&p, &again);
	if (again.failed || again.len != size || memcmp(again.data, data, size) != 0) {
		abort();
	}
	buf_finish(&again);
	plan_release(&p);
	return 0;
}
