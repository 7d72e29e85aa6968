/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. First bytes of programs, whole, cut and hostile. */
#include <criterion/criterion.h>
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../../launcher/base/cleanup.h"
#include "../../../launcher/plan/plan_program.h"

/* In a block of exactly that size, so that the sanitizer sees a read behind it. */
static struct program
read_of(const void *bytes, size_t len)
{
	auto_free uint8_t *copy = malloc(len > 0 ? len : 1);
	struct program p;

	memcpy(copy, bytes, len);
	program_read(copy, len, &p);
	return p;
}

Test(plan_program, scripts)
{
	static const struct {
		const char *text, *needs, *argument; /* needs NULL: no script */
	} rows[] = {
		{ "#!/bin/sh\necho", "/bin/sh", "" },
		{ "#!/bin/sh", "/bin/sh", "" },
		{ "#! \t/bin/sh \t -eu  \t\nx", "/bin/sh", "-eu" },
		{ "#!/usr/bin/env python3 -u\n", "/usr/bin/env", "python3 -u" },
		{ "#!relative/sh x\n", "relative/sh", "x" },
		{ "#!/bin/sh\r\n", "/bin/sh\r", "" },
		{ "#!\n/bin/sh", NULL, NULL },
		{ "#!   \t", NULL, NULL },
		{ "#!", NULL, NULL },
		{ "#", NULL, NULL },
		{ "", NULL, NULL },
		{ "/bin/sh", NULL, NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct program p = read_of(rows[i].text, strlen(rows[i].text));

		if (rows[i].needs == NULL) {
			cr_expect_eq(p.kind, PROGRAM_ALONE, "%s", rows[i].text);
			continue;
		}
		cr_expect_eq(p.kind, PROGRAM_INTERPRETED, "%s", rows[i].text);
		cr_expect_str_eq(p.needs, rows[i].needs);
		cr_expect_str_eq(p.argument, rows[i].argument);
	}
}

/* A name that may go on behind what the kernel reads is none; an argument may be cut. */
Test(plan_program, scripts_that_are_cut_off)
{
	char text[400];
	struct program p;

	memset(text, 'x', sizeof(text));
	memcpy(text, "#!/", 3);
	p = read_of(text, sizeof(text));
	cr_expect_eq(p.kind, PROGRAM_ALONE);
	text[255] = '\n';
	p = read_of(text, sizeof(text));
	cr_expect_eq(p.kind, PROGRAM_INTERPRETED);
	cr_expect_eq(strlen(p.needs), 253u);
	text[255] = 'x';
	text[10] = ' ';
	p = read_of(text, sizeof(text));
	cr_expect_eq(p.kind, PROGRAM_INTERPRETED);
	cr_expect_str_eq(p.needs, "/xxxxxxx");
	cr_expect_eq(strlen(p.argument), 245u);
}

struct image {
	Elf64_Ehdr e;
	Elf64_Phdr p[2];
	char name[32];
};

static struct image
image_of(const char *name)
{
	struct image i = { .e = { .e_phoff = offsetof(struct image, p), .e_phnum = 2,
				  .e_phentsize = sizeof(Elf64_Phdr) },
			   .p = { { .p_type = PT_PHDR },
				  { .p_type = PT_INTERP, .p_offset = offsetof(struct image, name),
				    .p_filesz = strlen(name) + 1 } } };

	memcpy(i.e.e_ident, ELFMAG, SELFMAG);
	i.e.e_ident[EI_CLASS] = ELFCLASS64;
#if defined(__x86_64__)
	i.e.e_machine = EM_X86_64;
#else
	i.e.e_machine = EM_AARCH64;
#endif
	snprintf(i.name, sizeof(i.name), "%s", name);
	return i;
}

Test(plan_program, loaders)
{
	struct image i = image_of("/lib64/ld.so");
	struct program p = read_of(&i, sizeof(i));

	cr_expect_eq(p.kind, PROGRAM_LOADED);
	cr_expect_str_eq(p.needs, "/lib64/ld.so");
	/* Cut anywhere: known or not, never a read behind the end. */
	for (size_t len = 0; len < sizeof(i); len++) {
		p = read_of(&i, len);
		cr_expect_eq(p.kind,
			     len < offsetof(struct image, name) + 13 ? PROGRAM_ALONE
								     : PROGRAM_LOADED,
			     "%zu", len);
	}
}

Test(plan_program, damaged_or_foreign_programs)
{
	struct image good = image_of("/lib64/ld.so"), i;

#define EXPECT_ALONE(change)                                                                       \
	do {                                                                                       \
		i = good;                                                                          \
		change;                                                                            \
		cr_expect_eq(read_of(&i, sizeof(i)).kind, PROGRAM_ALONE, #change);                 \
	} while (0)
	EXPECT_ALONE(i.e.e_machine = EM_386);
	EXPECT_ALONE(i.e.e_ident[EI_CLASS] = ELFCLASS32);
	EXPECT_ALONE(i.e.e_phentsize = 32);
	EXPECT_ALONE(i.e.e_phnum = 1);
	EXPECT_ALONE(i.e.e_phoff = UINT64_MAX);
	EXPECT_ALONE(i.e.e_phoff = sizeof(i));
	EXPECT_ALONE(i.p[1].p_offset = UINT64_MAX);
	EXPECT_ALONE(i.p[1].p_offset = sizeof(i) - 4);
	EXPECT_ALONE(i.p[1].p_filesz = UINT64_MAX);
	EXPECT_ALONE(i.p[1].p_filesz = 1);
	EXPECT_ALONE(i.p[1].p_filesz = 12); /* without its NUL */
	EXPECT_ALONE(i.p[1].p_filesz = 20); /* with a NUL inside */
#undef EXPECT_ALONE
}

Test(plan_program, what_env_looks_for)
{
	static const struct {
		const char *argument, *name; /* NULL: cannot be known */
	} rows[] = {
		{ "python3", "python3" },
		{ "-S python3 -u", "python3" },
		{ "-Snode", "node" },
		{ "./run", "./run" },
		{ "python3 -u", "python3 -u" }, /* one argument: no program is named so */
		{ "-i", NULL },
		{ "-S -i node", NULL },
		{ "-S 'node' x", NULL },
		{ "-S $NODE", NULL },
		{ "A=1", NULL },
		{ "-S A=1 node", NULL },
		{ "-S", NULL },
		{ "", NULL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char name[16];
		bool known = program_env_name(rows[i].argument, name, sizeof(name));

		cr_expect_eq(known, rows[i].name != NULL, "%s", rows[i].argument);
		if (known && rows[i].name != NULL) {
			cr_expect_str_eq(name, rows[i].name);
		}
	}
	cr_expect_eq(program_env_name("a-name-that-does-not-fit", (char[16]){ 0 }, 16), false);
}
