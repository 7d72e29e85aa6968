/* SPDX-License-Identifier: Apache-2.0 */
/* Run by the front on the first bytes of COMMAND, which the workspace may have written. Pure. */
#include "plan_program.h"

#include <elf.h>
#include <string.h>

#if defined(__x86_64__)
#define NATIVE EM_X86_64
#elif defined(__aarch64__)
#define NATIVE EM_AARCH64
#else
#error "no ELF machine for this architecture"
#endif

#define HEADERS_MAX 64u

/* fs/binfmt_script.c: blanks are spaces and tabs; a name that 256 bytes cut off is no script. */
static void
read_script(const uint8_t *head, size_t len, struct program *ret)
{
	char line[PROGRAM_SCRIPT + 1];
	size_t room = len < PROGRAM_SCRIPT ? len : PROGRAM_SCRIPT, end;
	bool is_whole = len < PROGRAM_SCRIPT;
	char *name = line + 2, *rest;

	memcpy(line, head, room);
	line[room] = '\0';
	end = strcspn(line, "\n");
	is_whole |= end < room;
	line[end] = '\0';
	while (end > 2 && (line[end - 1] == ' ' || line[end - 1] == '\t')) {
		line[--end] = '\0';
		is_whole = true;
	}
	name += strspn(name, " \t");
	rest = name + strcspn(name, " \t");
	if (*name == '\0' || (!is_whole && *rest == '\0')) {
		return;
	}
	ret->kind = PROGRAM_INTERPRETED;
	memcpy(ret->needs, name, (size_t)(rest - name));
	rest += strspn(rest, " \t");
	memcpy(ret->argument, rest, strlen(rest));
}

static void
read_elf(const uint8_t *head, size_t len, struct program *ret)
{
	Elf64_Ehdr e;
	Elf64_Phdr p;

	if (len < sizeof(e)) {
		return;
	}
	memcpy(&e, head, sizeof(e));
	if (e.e_ident[EI_CLASS] != ELFCLASS64 || e.e_machine != NATIVE ||
	    e.e_phentsize != sizeof(p)) {
		return;
	}
	for (unsigned int i = 0; i < e.e_phnum && i < HEADERS_MAX; i++) {
		uint64_t at = e.e_phoff + i * sizeof(p);

		if (e.e_phoff > len || at + sizeof(p) > len) {
			return;
		}
		memcpy(&p, head + at, sizeof(p));
		if (p.p_type != PT_INTERP) {
			continue;
		}
		/* With its NUL, as the kernel wants it. */
		if (p.p_filesz < 2 || p.p_filesz > sizeof(ret->needs) || p.p_offset > len ||
		    p.p_filesz > len - p.p_offset ||
		    memchr(head + p.p_offset, '\0', p.p_filesz) !=
			    head + p.p_offset + p.p_filesz - 1) {
			return;
		}
		ret->kind = PROGRAM_LOADED;
		memcpy(ret->needs, head + p.p_offset, p.p_filesz);
		return;
	}
}

void
program_read(const uint8_t *head, size_t len, struct program *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (len >= 2 && memcmp(head, "#!", 2) == 0) {
		read_script(head, len, ret);
	} else if (len >= SELFMAG && memcmp(head, ELFMAG, SELFMAG) == 0) {
		read_elf(head, len, ret);
	}
}

bool
program_env_name(const char *argument, char *ret, size_t size)
{
	static const char split[] = "-S";
	const char *name = argument;
	size_t len;

	if (strncmp(name, split, sizeof(split) - 1) == 0) {
		name += sizeof(split) - 1;
		if (strpbrk(name, "\\\"'$#") != NULL) {
			return false;
		}
		name += strspn(name, " \t");
		len = strcspn(name, " \t");
	} else {
		len = strlen(name); /* blanks and all: the kernel gives one argument */
	}
	if (len == 0 || len >= size || name[0] == '-' || memchr(name, '=', len) != NULL) {
		return false;
	}
	memcpy(ret, name, len);
	ret[len] = '\0';
	return true;
}
