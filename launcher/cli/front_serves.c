/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front: `--serves CALL`, a call that is asked for the credential of another one, or to
 * end it. What it says is the value: it goes from the tool into the pipe of whoever asks, and
 * nobody in between reads, counts or keeps it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/arena.h"
#include "../base/fdio.h"
#include "../base/text.h"
#include "../credd/owed.h"
#include "../credd/serves.h"
#include "front.h"

int
front_serves_parse(struct front *f)
{
	const struct front_options *o = &f->opt;
	uint8_t id[16];
	struct stat st;

	if (o->serves == NULL) {
		return 0;
	}
	if (text_uuid_parse(o->serves, id) < 0) {
		return err_set(&f->err, -EINVAL, "--serves %s: wants the whole id of a call",
			       o->serves);
	}
	if (o->key != NULL || o->tty || o->over != NULL || o->input != NULL ||
	    o->workflow != NULL || o->mode != NULL || o->bundle != NULL || o->grant_count > 0 ||
	    o->handle_count > 0) {
		return err_set(&f->err, -EINVAL,
			       "--serves does not go with --key, --tty, --over, --input, "
			       "--workflow, --mode, --bundle, --grant and --credential-fd");
	}
	if (fstat(STDOUT_FILENO, &st) < 0 || !S_ISFIFO(st.st_mode)) {
		return err_set(&f->err, -EINVAL, "--serves: stdout is no pipe");
	}
	return 0;
}

bool
front_serves_here(const struct front *f)
{
	size_t len = strlen(f->state_path);
	const char *workspace = f->req.workspace;

	return f->opt.serves != NULL && strncmp(workspace, f->state_path, len) == 0 &&
	       strcmp(workspace + len, "/" SERVES_DIR) == 0;
}

int
front_serves_narrow(struct front *f)
{
	if (f->opt.serves != NULL && f->req.limits.wall_ms > SERVES_WALL_MS) {
		f->req.limits.wall_ms = SERVES_WALL_MS;
	}
	return 0;
}

/* Whether it is this very command, under that profile, that something is owed to. */
static bool
is_owed_to(const struct front *f, const struct owed *o)
{
	if (o->is_none || strcmp(o->call, f->opt.serves) != 0 ||
	    strcmp(o->profile, f->opt.profile) != 0 || o->command_count != f->opt.argc) {
		return false;
	}
	for (size_t i = 0; i < f->opt.argc; i++) {
		if (strcmp(o->command[i], f->opt.argv[i]) != 0) {
			return false;
		}
	}
	return true;
}

static bool
is_ours(const struct front *f, int dir, const char *name)
{
	size_t len = strlen(f->opt.serves);
	struct arena arena = ARENA_INIT;
	auto_buf bytes = BUF_INIT;
	struct owed o;
	bool is_owed = strncmp(name, f->opt.serves, len) == 0 && name[len] == '.' &&
		       fdio_slurp_file_at(dir, name, OWED_MAX, &bytes) == 0 &&
		       owed_read(&bytes, &arena, &o) == 0 && is_owed_to(f, &o);

	arena_finish(&arena);
	return is_owed;
}

/* Whether there is a lease that is owed, or one that is_ours. */
static bool
has_owed(const struct front *f, bool ours_alone)
{
	auto_dir dir = NULL;
	const struct dirent *e;

	if (fdio_list_dir(f->store.dir_fd, OWED_DIR, O_NOFOLLOW, &dir) < 0) {
		return false;
	}
	while ((e = readdir(dir)) != NULL) {
		if (ours_alone ? is_ours(f, dirfd(dir), e->d_name) : e->d_name[0] != '.') {
			return true;
		}
	}
	return false;
}

bool
front_serves_owed(const struct front *f)
{
	return front_serves_here(f) && has_owed(f, true);
}

bool
front_serves_left(const struct front *f)
{
	return has_owed(f, false);
}

int
front_serves_let_go(struct front *f)
{
	int null;

	if (f->opt.serves == NULL) {
		return 0;
	}
	/* else whoever reads it would wait for us */
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null < 0 || dup2(null, STDOUT_FILENO) < 0) {
		return err_sys(&f->err, -errno, "give the tool its stdout");
	}
	close(null);
	return 0;
}
