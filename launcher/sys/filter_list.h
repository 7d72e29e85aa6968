/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filters of our own helper programs that are a list of system calls (seccomp(2)): a head, a row
 * for each call, and the verdict for all others, BPF_STMT(BPF_RET | BPF_K, …). The tool's filter is
 * another thing (plan/filter.h).
 */
#ifndef AIRLOCK_SYS_FILTER_LIST_H
#define AIRLOCK_SYS_FILTER_LIST_H

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define FILTER_LIST_ARCH AUDIT_ARCH_X86_64
#define FILTER_LIST_END 0x40000000u /* x32 says that it is this architecture; its numbers differ */
#elif defined(__aarch64__)
#define FILTER_LIST_ARCH AUDIT_ARCH_AARCH64
#define FILTER_LIST_END 0xffffffffu
#else
#error "no audit architecture is known for this one"
#endif

/* A call of another architecture, or of x32, ends the process. */
#define FILTER_LIST_HEAD                                                                           \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),                   \
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, FILTER_LIST_ARCH, 1, 0),                       \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),                               \
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),             \
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, FILTER_LIST_END, 0, 1),                        \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
#define FILTER_LIST_CALL(nr, verdict)                                                              \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1), BPF_STMT(BPF_RET | BPF_K, (verdict))

#endif
