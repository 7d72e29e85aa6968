/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the table of system calls to a finished program. Runs in airlock-cli as the caller; trusts
 * the table and takes group names from a profile. libseccomp makes the dispatch by architecture
 * and number. Tests of arguments are appended here: libseccomp can only express "if these
 * arguments, then", with one answer for all the rest, while ioctl and socket each need their own;
 * and its merging of argument rules is where it has had faults. filter_check judges the result
 * against the table, so neither half is trusted.
 */
#include "filter_internal.h"

#include <errno.h>
#include <seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "../base/buf.h"
#include "../base/fdio.h"
#include "../base/sha256.h"

/* Stands for "go to the tests of row n" in what libseccomp makes; no finished filter traces. */
#define PLACEHOLDER(index) SCMP_ACT_TRACE((uint32_t)(index))

static void
release_context(scmp_filter_ctx *ctx)
{
	if (*ctx != NULL) {
		seccomp_release(*ctx);
	}
}

static int
set_attributes(scmp_filter_ctx ctx)
{
	static const struct {
		enum scmp_filter_attr attr;
		uint32_t value;
	} wanted[] = {
		{ SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS },
		{ SCMP_FLTATR_CTL_NNP, 0 },      /* the jail has set it, and attests it */
		{ SCMP_FLTATR_CTL_TSYNC, 0 },    /* one thread; and TSYNC excludes a listener */
		{ SCMP_FLTATR_CTL_LOG, 0 },
		{ SCMP_FLTATR_CTL_SSB, 0 },      /* keep the speculation mitigations */
		{ SCMP_FLTATR_CTL_OPTIMIZE, 2 }, /* a tree: a list costs the kernel 3× to load */
	};
	size_t i;
	int r;

	for (i = 0; i < ARRAY_LEN(wanted); i++) {
		r = seccomp_attr_set(ctx, wanted[i].attr, wanted[i].value);
		if (r < 0) {
			return r;
		}
	}
	return 0;
}

static int
add_rules(scmp_filter_ctx ctx, const struct filter_policy *policy, struct err *err)
{
	size_t i;

	for (i = 0; i < filter_row_count; i++) {
		const struct filter_row *row = &filter_rows[i];
		uint32_t action = filter_row_action(policy, row);
		int r;

		if (row->kind == FILTER_COND && filter_row_allowed(policy, row)) {
			action = PLACEHOLDER(i);
		}
		if (FILTER_NR(row) < 0 || action == filter_otherwise(policy)) {
			continue;
		}
		r = seccomp_rule_add_exact(ctx, action, FILTER_NR(row), 0);
		if (r < 0) {
			return err_sys(err, r, "cannot add %s to the filter", row->name);
		}
	}
	return 0;
}

static int
export_program(scmp_filter_ctx ctx, struct buf *out)
{
	auto_fd fd = memfd_create("airlock-filter", MFD_CLOEXEC);
	int r;

	if (fd < 0) {
		return -errno;
	}
	r = seccomp_export_bpf(ctx, fd);
	if (r < 0) {
		return r;
	}
	if (lseek(fd, 0, SEEK_SET) < 0) {
		return -errno;
	}
	return fdio_slurp(fd, BPF_MAXINSNS * sizeof(struct sock_filter), out);
}

/* libseccomp always ends with an answer for foreign architectures, also where it gave it before. */
static void
drop_dead_end(struct buf *out)
{
	const struct sock_filter *insns = (const void *)out->data;
	size_t last = out->len / sizeof(*insns) - 1;
	size_t pc;

	for (pc = 0; pc < last; pc++) {
		const struct sock_filter *in = &insns[pc];
		bool returns = BPF_CLASS(in->code) == BPF_RET;
		bool branches = BPF_CLASS(in->code) == BPF_JMP && BPF_OP(in->code) != BPF_JA;

		if ((in->code == (BPF_JMP | BPF_JA) && pc + 1 + in->k == last) ||
		    (branches && (pc + 1 + in->jt == last || pc + 1 + in->jf == last)) ||
		    (pc + 1 == last && !returns)) {
			return;
		}
	}
	out->len = last * sizeof(*insns);
}

static void
put(struct buf *out, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
	struct sock_filter in = { .code = code, .jt = jt, .jf = jf, .k = k };

	buf_put(out, &in, sizeof(in));
}

/* How many of a row's cases need code: those just before the last with its very answer do not. */
static size_t
needed_cases(const struct filter_case *cases, size_t count)
{
	const struct filter_case *last = &cases[count - 1];
	size_t n = count - 1;

	while (n > 0 && cases[n - 1].error == last->error && cases[n - 1].tell == last->tell) {
		n--;
	}
	return n;
}

static uint8_t
case_length(const struct filter_case *c)
{
	uint8_t n = 1;
	size_t i;

	for (i = 0; i < FILTER_TESTS; i++) {
		if (c->test[i].arg >= 0) {
			n += c->test[i].mask == UINT32_MAX ? 2 : 3;
		}
	}
	return n;
}

static uint32_t
case_action(const struct filter_policy *policy, const struct filter_case *c)
{
	return c->error == 0 ? SECCOMP_RET_ALLOW : filter_refusal(policy, c->error, c->tell);
}

static void
put_case(struct buf *out, const struct filter_policy *policy, const struct filter_case *c)
{
	uint8_t left = case_length(c);
	size_t i;

	for (i = 0; i < FILTER_TESTS; i++) {
		const struct filter_test *t = &c->test[i];

		if (t->arg < 0) {
			continue;
		}
		put(out, BPF_LD | BPF_W | BPF_ABS, 0, 0,
		    (uint32_t)(offsetof(struct seccomp_data, args) + 8 * (size_t)t->arg));
		left--;
		if (t->mask != UINT32_MAX) {
			put(out, BPF_ALU | BPF_AND | BPF_K, 0, 0, t->mask);
			left--;
		}
		left--;
		put(out, BPF_JMP | BPF_JEQ | BPF_K, 0, left, t->value);
	}
	put(out, BPF_RET | BPF_K, 0, 0, case_action(policy, c));
}

/* Turns each placeholder into a jump to the tests of its row, which are appended. */
static void
append_tests(struct buf *out, const struct filter_policy *policy)
{
	size_t dispatch = out->len / sizeof(struct sock_filter);
	size_t i, pc, n, count;

	for (i = 0; i < filter_row_count; i++) {
		uint32_t start = (uint32_t)(out->len / sizeof(struct sock_filter));
		const struct filter_case *cases;

		if (filter_rows[i].kind != FILTER_COND || FILTER_NR(&filter_rows[i]) < 0 ||
		    !filter_row_allowed(policy, &filter_rows[i])) {
			continue;
		}
		for (pc = 0; pc < dispatch; pc++) {
			struct sock_filter in;
			uint8_t *at = out->data + pc * sizeof(in);

			memcpy(&in, at, sizeof(in));
			if (in.code == (BPF_RET | BPF_K) && in.k == PLACEHOLDER(i)) {
				in.code = BPF_JMP | BPF_JA;
				in.k = start - (uint32_t)pc - 1;
				memcpy(at, &in, sizeof(in));
			}
		}
		cases = filter_row_cases(&filter_rows[i], &count);
		for (n = 0; n < needed_cases(cases, count); n++) {
			put_case(out, policy, &cases[n]);
		}
		put_case(out, policy, &cases[count - 1]);
	}
}

static int
compile(const struct filter_policy *policy, struct filter_program *ret, struct err *err)
{
	__attribute__((cleanup(release_context))) scmp_filter_ctx ctx = NULL;
	auto_buf code = BUF_INIT;
	int r;

	ctx = seccomp_init(policy->kill ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(ENOSYS));
	if (ctx == NULL) {
		return err_set(err, -ENOMEM, "libseccomp gives no filter");
	}
	r = set_attributes(ctx);
	if (r < 0) {
		return err_sys(err, r, "libseccomp refuses an attribute");
	}
	r = add_rules(ctx, policy, err);
	if (r < 0) {
		return r;
	}
	r = export_program(ctx, &code);
	if (r < 0) {
		return err_sys(err, r, "libseccomp exports no filter");
	}
	if (code.len < sizeof(struct sock_filter)) {
		return err_set(err, -EBADMSG, "libseccomp exports an empty filter");
	}
	drop_dead_end(&code);
	append_tests(&code, policy);
	if (buf_error(&code) < 0) {
		return err_set(err, -ENOMEM, "no memory for the filter");
	}
	if (code.len > BPF_MAXINSNS * sizeof(struct sock_filter)) {
		return err_set(err, -EFBIG, "the filter is longer than the kernel takes");
	}
	ret->len = (uint16_t)(code.len / sizeof(struct sock_filter));
	sha256_of(code.data, code.len, ret->digest);
	/* malloc aligns for anything, so the bytes may stay where they are */
	ret->insns = (struct sock_filter *)(void *)code.data;
	code = (struct buf)BUF_INIT;
	return 0;
}

static size_t
smallest(size_t a, size_t b, size_t c)
{
	size_t least = a < b ? a : b;

	return least < c ? least : c;
}

/* Levenshtein distance; long names are as far as can be. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[32];
	size_t len = strlen(b), i, j;

	if (len >= ARRAY_LEN(row) || strlen(a) >= ARRAY_LEN(row)) {
		return SIZE_MAX;
	}
	for (j = 0; j <= len; j++) {
		row[j] = j;
	}
	for (i = 0; a[i] != '\0'; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (j = 0; j < len; j++) {
			size_t above = row[j + 1];

			row[j + 1] = smallest(above + 1, row[j] + 1, diagonal + (a[i] != b[j]));
			diagonal = above;
		}
	}
	return row[len];
}

static const char *
nearest_group(const char *wrong)
{
	const char *name, *what, *best = NULL;
	size_t i, least = SIZE_MAX;

	for (i = 0; (name = filter_group_name(i, &what)) != NULL; i++) {
		/* a name that was cut short is nearer than one that merely looks alike */
		bool cut = strlen(wrong) > 2 && strncmp(wrong, name, strlen(wrong)) == 0;
		size_t d = cut ? 0 : distance(wrong, name);

		if (best == NULL || d < least) {
			best = name;
			least = d;
		}
	}
	return best;
}

int
filter_compile(const char *const *groups, size_t group_count, bool notify,
	       struct filter_program *ret, struct err *err)
{
	struct filter_policy policy = filter_policy_of(groups, group_count, notify);
	size_t i;

	for (i = 0; i < group_count; i++) {
		if (filter_group_bits(groups[i]) == 0) {
			return err_set(err, -EINVAL,
				       "unknown syscall group \"%s\": did you mean \"%s\"?",
				       groups[i], nearest_group(groups[i]));
		}
	}
	return compile(&policy, ret, err);
}

int
filter_compile_init(struct filter_program *ret, struct err *err)
{
	struct filter_policy policy = filter_policy_init();
	struct filter_program made = { .insns = NULL, .len = 0 };
	int r = compile(&policy, &made, err);

	if (r == 0) {
		r = filter_check_policy(&made, &policy, err);
	}
	if (r < 0) {
		filter_finish(&made);
		return r;
	}
	*ret = made;
	return 0;
}
