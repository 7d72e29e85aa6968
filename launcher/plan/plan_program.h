/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program needs before its first instruction, read from its first bytes as the kernel reads
 * them: the interpreter of a script ('#!' line), the loader of a dynamic ELF program (PT_INTERP).
 * Pure; the bytes may be anything.
 */
#ifndef AIRLOCK_PLAN_PLAN_PROGRAM_H
#define AIRLOCK_PLAN_PLAN_PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROGRAM_HEAD 1024u  /* bytes to read: a linker puts the loader's name among the first */
#define PROGRAM_SCRIPT 256u /* of which the kernel takes so many for a script */
#define PROGRAM_SCRIPTS 5u  /* scripts in a row before exec gives ELOOP */

enum program_kind {
	PROGRAM_ALONE,       /* needs nothing that can be seen here, or is none of the two */
	PROGRAM_INTERPRETED, /* `needs` and, unless it is "", one `argument` */
	PROGRAM_LOADED,      /* `needs` is the loader */
	PROGRAM_KIND__COUNT
};

struct program {
	enum program_kind kind;
	char needs[PROGRAM_SCRIPT];
	char argument[PROGRAM_SCRIPT];
};

void program_read(const uint8_t *head, size_t len, struct program *ret);

/*
 * The program that env(1) looks for in PATH when a '#!' line gives it this argument, into `ret`
 * (size bytes); false when that depends on more than the argument (options, assignments, quotes).
 */
bool program_env_name(const char *argument, char *ret, size_t size);

#endif
