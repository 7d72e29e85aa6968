/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front: what COMMAND needs before its first instruction: the '#!' line's interpreter,
 * that one's own, the program that env looks for, the loader. All must be visible inside, else the
 * call ends here with a message instead of an ENOENT that names the wrong file. Only what is sure
 * is refused: the kernel decides at exec. The files may be the workspace's: they are opened without
 * links and without waiting, and of each 1 KiB is read.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../plan/plan_program.h"
#include "../sys/sys.h"
#include "front_lookup.h"

#define STEPS_MAX 16u /* programs looked at: env may start script after script */

/* False when there is nothing to be read: then the kernel alone knows. */
static bool
read_program(const struct plan_look *look, struct program *ret)
{
	uint8_t head[PROGRAM_HEAD];
	auto_fd fd = look->host == NULL
			     ? -1
			     : sys_openat2(AT_FDCWD, look->host,
					   O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0,
					   SYS_RESOLVE_NO_MAGICLINKS | SYS_RESOLVE_NO_SYMLINKS);
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		return false;
	}
	n = pread(fd, head, sizeof(head), 0);
	if (n <= 0) {
		return false;
	}
	program_read(head, (size_t)n, ret);
	return ret->kind != PROGRAM_ALONE;
}

/* "its interpreter ('#!' line)"; of a later one it is said whose. */
static const char *
role_of(struct front *f, const char *what, const char *whose)
{
	const char *role = whose == NULL ? arena_printf(&f->arena, "its %s", what)
					 : arena_printf(&f->arena, "the %s of %s", what, whose);

	return role != NULL ? role : what;
}

/* One file that must be there and be a program. */
static int
need(struct front *f, const char *role, const char *path, struct plan_look *ret)
{
	int rc = front_look(f, path, ret);

	if (rc == 0 && ret->error == EPERM) {
		return front_refuse_hidden(f, arena_printf(&f->arena, "%s is %s", role, path), ret);
	}
	if (rc == 0 && (ret->error == ENOENT || ret->error == ENOTDIR)) {
		return front_not_visible(f, role, path, ret->wanted);
	}
	if (rc == 0 && ret->error == 0 && !front_is_program(ret->mode)) {
		return front_refuse_program(f, -EACCES,
					    arena_printf(&f->arena, "%s is %s, which is %s", role,
							 path,
							 S_ISDIR(ret->mode) ? "a directory"
									    : "not executable"));
	}
	return rc;
}

static int
need_loader(struct front *f, const struct program *p, const char *whose)
{
	struct plan_look look = { .error = ENOENT };

	/* From the working directory, as the kernel takes it; it is seldom relative. */
	const char *path = front_from_cwd(f, p->needs);

	return path == NULL ? err_set(&f->err, -ENOMEM, "out of memory")
			    : need(f, role_of(f, "loader", whose), path, &look);
}

/* What env starts: *ret_path stays NULL where that cannot be known. */
static int
need_env(struct front *f, const struct program *p, const char *whose, const char **ret_path,
	 struct plan_look *ret_look)
{
	const char *role = role_of(f, "program for env ('#!' line)", whose);
	char name[PROGRAM_SCRIPT];

	if (!program_env_name(p->argument, name, sizeof(name))) {
		return 0;
	}
	if (strchr(name, '/') == NULL) {
		return front_lookup_name(f, role, name, ret_path, ret_look);
	}
	*ret_path = front_from_cwd(f, name);
	return *ret_path == NULL ? err_set(&f->err, -ENOMEM, "out of memory")
				 : need(f, role, *ret_path, ret_look);
}

static bool
is_env(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strcmp(slash != NULL ? slash + 1 : path, "env") == 0;
}

int
front_check_program(struct front *f, const struct plan_look *command)
{
	struct plan_look look = *command;
	const char *path = NULL; /* NULL: COMMAND itself */
	unsigned int scripts = 0;
	struct program p;

	for (unsigned int i = 0; i < STEPS_MAX && look.error == 0 && read_program(&look, &p); i++) {
		const char *next = NULL, *started = NULL;
		int rc;

		if (p.kind == PROGRAM_LOADED) {
			return need_loader(f, &p, path);
		}
		if (++scripts > PROGRAM_SCRIPTS) {
			return front_refuse_program(
				f, -ELOOP,
				"more scripts in a row are each other's interpreter than the "
				"kernel follows");
		}
		next = front_from_cwd(f, p.needs);
		if (next == NULL) {
			return err_set(&f->err, -ENOMEM, "out of memory");
		}
		rc = need(f, role_of(f, "interpreter ('#!' line)", path), next, &look);
		if (rc == 0 && is_env(next) && p.argument[0] != '\0') {
			rc = need_env(f, &p, path, &started, &look);
			scripts = 0;
			if (rc == 0 && started == NULL) {
				return 0;
			}
		}
		if (rc < 0) {
			return rc;
		}
		path = started != NULL ? started : next;
	}
	return 0;
}
