/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `airlock profile new`: writes a profile to begin with into the caller's own directory. Runs in
 * airlock-cli as the caller. Overwrites nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/text.h"
#include "../profile/profile_print.h"
#include "cmd_profile.h"
#include "commands.h"

struct new_profile {
	struct places places;
	struct buf dir, path, text;
	struct buf report;
	struct err err;
};

static struct profile_request
request_of(const struct new_profile *n, const char *name)
{
	return profile_request_of(name, n->places.shipped);
}

/* The text, from the effective values of the parent. */
static int
compose(struct new_profile *n, const char *name, const char *parent)
{
	const struct profile_request request = request_of(n, parent);
	auto_loaded loaded = { .profile = NULL };
	const char *from = parent;
	auto_buf full = BUF_INIT;
	int rc = profile_load(&request, &loaded, &n->report, &n->err);

	if (rc < 0) {
		return rc;
	}
	/* A relative path would be another file's from where the new one is. */
	if (strchr(parent, '/') != NULL && parent[0] != '/' && parent[0] != '~') {
		buf_puts(&full, loaded.files[0].path);
		from = buf_text(&full);
	}
	profile_print_skeleton(loaded.doc, name, from, &n->text);
	return buf_error(&n->text) < 0 ? err_sys(&n->err, -ENOMEM, "profile new") : 0;
}

static int
write_new(struct new_profile *n)
{
	const char *path = buf_text(&n->path);
	auto_fd fd = -1;
	int rc = fdio_mkdirs(buf_text(&n->dir), 0755);

	if (rc < 0) {
		return err_sys(&n->err, rc, "%s", buf_text(&n->dir));
	}
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0 && errno == EEXIST) {
		return err_set(&n->err, -EEXIST,
			       "%s is there already; edit it, or take another name", path);
	}
	if (fd < 0) {
		return err_sys(&n->err, -errno, "%s", path);
	}
	rc = fdio_write(fd, n->text.data, n->text.len);
	if (rc < 0) {
		ignore_err(unlink(path), "the first failure is what counts");
		return err_sys(&n->err, rc, "%s", path);
	}
	return 0;
}

/*
 * What a call under it would say: its directory may be writable by others, another file may come
 * before it.
 */
static int
try_new(struct new_profile *n, const char *name)
{
	const struct profile_request request = request_of(n, name);
	auto_loaded loaded = { .profile = NULL };
	int rc = profile_load(&request, &loaded, &n->report, &n->err);

	if (rc == 0 && strcmp(loaded.files[0].path, buf_text(&n->path)) != 0) {
		rc = err_set(&n->err, -EEXIST,
			     "%s comes before it; take another name, or change AIRLOCK_PROFILES",
			     loaded.files[0].path);
	}
	if (rc < 0) {
		ignore_err(unlink(buf_text(&n->path)), "the first failure is what counts");
	}
	return rc;
}

static void
tell(const struct new_profile *n, const char *name, const char *parent)
{
	auto_buf path = BUF_INIT, from = BUF_INIT;

	text_safe(&path, n->path.data, n->path.len, false);
	text_safe(&from, parent, strlen(parent), false);
	printf("wrote %s\n\n"
	       "It is as %s now. Say in it what it is for and what the tool needs, then:\n"
	       "  airlock profile check %s\n"
	       "  airlock profile show %s --origin\n"
	       "  airlock run -p %s -- COMMAND\n",
	       buf_text(&path), buf_text(&from), name, name, name);
}

static int
make_new(struct new_profile *n, const char *name, const char *parent)
{
	struct profile_request request;
	int rc = places_find(&n->places, &n->err);

	if (rc < 0) {
		return rc;
	}
	request = request_of(n, name);
	if (!profile_name_is_right(name)) {
		return err_set(&n->err, -EINVAL,
			       "'%s' is no name of a profile: small letters, digits, '.', '_', "
			       "'-', at most 64",
			       name);
	}
	profile_own_dir(&request, &n->dir);
	buf_printf(&n->path, "%s/%s.yaml", buf_text(&n->dir), name);
	if (buf_error(&n->path) < 0 || buf_error(&n->dir) < 0) {
		return err_sys(&n->err, -ENOMEM, "profile new");
	}
	rc = compose(n, name, parent);
	rc = rc == 0 ? write_new(n) : rc;
	rc = rc == 0 ? try_new(n, name) : rc;
	if (rc == 0) {
		tell(n, name, parent);
	}
	return rc;
}

int
cmd_profile_new(int argc, char **argv)
{
	struct command_line cl = { .argc = argc, .argv = argv };
	struct new_profile n = { .err = ERR_INIT };
	const char *parent = "default";
	const char *name, *argument;
	int rc, status = 0;

	while ((rc = command_line_next(&cl, &name, &argument)) > 0) {
		parent = argument;
	}
	rc = command_line_end(&cl, rc, 1, 1);
	if (rc >= 0) {
		return rc;
	}
	if (make_new(&n, cl.operand[0], parent) < 0) {
		status = profile_fail(EXIT_AIRLOCK, &n.report, &n.err);
	}
	places_finish(&n.places);
	buf_finish(&n.dir);
	buf_finish(&n.path);
	buf_finish(&n.text);
	buf_finish(&n.report);
	return status;
}
