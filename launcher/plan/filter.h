/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Seccomp filters: compiled by libseccomp from groups of the one table (profiles/syscalls.def) in
 * airlock-cli, then judged by our own evaluator against that table before anybody may use them.
 * The front and the jail only carry the finished bytes.
 */
#ifndef AIRLOCK_PLAN_FILTER_H
#define AIRLOCK_PLAN_FILTER_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/cleanup.h"
#include "../base/err.h"

struct filter_program {
	struct sock_filter *insns; /* owned */
	uint16_t len;              /* instructions */
	uint8_t digest[32];        /* SHA-256 of the instruction bytes */
};

void filter_finish(struct filter_program *f);

/*
 * Compiles the union of the groups ("@default", …); notify: denials that explain something become
 * SECCOMP_RET_USER_NOTIF instead of an errno. -EINVAL names an unknown group and the nearest right
 * one. *ret is owned by the caller (filter_finish). Does not judge its own work: filter_check does.
 * airlock-cli only.
 */
int filter_compile(const char *const *groups, size_t group_count, bool notify,
		   struct filter_program *ret, struct err *err) must_check;
/* The small filter of the jail's PID 1: wait, kill, the status socket, exit; all else kills. It is
 * checked before it is handed out. airlock-cli only. */
int filter_compile_init(struct filter_program *ret, struct err *err) must_check;

/* Classic BPF as the kernel runs it for seccomp; returns the SECCOMP_RET_* word. -EINVAL for a
 * program that the kernel would refuse (bad jump, unknown opcode, no return). Pure. */
int filter_eval(const struct sock_filter *insns, uint16_t len, const struct seccomp_data *data,
		uint32_t *ret_action) must_check;

/* What the table says for one call, without any BPF: the oracle of filter_check. A group name that
 * is unknown allows nothing. Pure. */
uint32_t filter_expect(const char *const *groups, size_t group_count, bool notify,
		       const struct seccomp_data *data);

/*
 * Evaluates the program for the native, the foreign and the x32 architecture, every number 0..600
 * and around, and the key arguments with clean and dirty upper halves; any difference from the
 * table, and an instruction that no call reaches, is -EBADMSG with the first row that differs.
 * airlock-cli runs it on every compile, before the cache.
 */
int filter_check(const struct filter_program *f, const char *const *groups, size_t group_count,
		 bool notify, struct err *err) must_check;

/* Facts for denial events, usable in the front (no libseccomp): name ("" when unknown), reason. */
const char *filter_syscall_name(uint32_t arch, int nr);
/*
 * errno the table gives a denied call (EPERM, EAFNOSUPPORT …), with its reason and the group that
 * would allow it (static texts; the group NULL when none would); 0 when it is allowed, which a
 * supervisor that was asked about it must still answer with a refusal.
 */
int filter_denial(const char *const *groups, size_t group_count, const struct seccomp_data *data,
		  const char **ret_reason, const char **ret_group);
/* The groups a profile may name, by index from 0, with a sentence each; NULL behind the last. */
const char *filter_group_name(size_t index, const char **ret_what);

#endif
