/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by front_lookup.c (COMMAND) and front_program.c (what it needs to start). Front only. */
#ifndef AIRLOCK_CLI_FRONT_LOOKUP_H
#define AIRLOCK_CLI_FRONT_LOOKUP_H

#include "front.h"

bool front_is_program(mode_t mode);
/* plan_look with f->err set. */
int front_look(struct front *f, const char *path, struct plan_look *ret) must_check;
/* Absolute, from the directory the tool starts in; NULL: no memory. */
char *front_from_cwd(struct front *f, const char *path);
/*
 * A name in the call's PATH; refused with the reason when there is none. role: what it is for
 * COMMAND, as the beginning of a sentence ("its interpreter"); "": it is COMMAND, of which what
 * tool.run does not name is passed over while something else is found.
 */
int front_lookup_name(struct front *f, const char *role, const char *name, const char **ret_path,
		      struct plan_look *ret_look) must_check;
/*
 * Refuses what is not visible inside; says where the host has it and what to do. name: as it was
 * asked for; path: what links made of it.
 */
int front_not_visible(struct front *f, const char *role, const char *name, const char *path);
/* Refuses what filesystem.hide covers; what: whose part it is, "" for COMMAND itself. */
int front_refuse_hidden(struct front *f, const char *what, const struct plan_look *look);
/* Refuses with a reason alone: -EACCES and -ELOOP are 126, all else is 127. */
int front_refuse_program(struct front *f, int code, const char *why);
/* Interpreters and loaders that COMMAND needs, down to the last. */
int front_check_program(struct front *f, const struct plan_look *command) must_check;

#endif
