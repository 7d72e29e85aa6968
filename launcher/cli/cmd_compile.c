/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hidden verb behind a missing or stale cache entry: reads a profile, compiles and checks its
 * filters, writes the cache file that the front decodes. Exec'd by the front, as the caller; argv
 * is the front's. Trusts profile files as far as profile_load.c does.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "cmd_profile.h"
#include "commands.h"

#define USAGE \
	"usage: airlock compile-profile --profile NAME|PATH --shipped DIR --home DIR --out FILE"

struct compile_args {
	const char *profile, *shipped, *home, *out;
};

static int
parse_args(int argc, char **argv, struct compile_args *ret, struct err *err)
{
	struct compile_args a = { .profile = NULL };
	const struct {
		const char *name;
		const char **slot;
	} options[] = {
		{ "--profile", &a.profile },
		{ "--shipped", &a.shipped },
		{ "--home", &a.home },
		{ "--out", &a.out },
	};

	for (int i = 1; i < argc; i += 2) {
		size_t o = 0;

		while (o < ARRAY_LEN(options) && strcmp(argv[i], options[o].name) != 0) {
			o++;
		}
		if (o == ARRAY_LEN(options) || i + 1 == argc) {
			return err_set(err, -EINVAL, USAGE);
		}
		*options[o].slot = argv[i + 1];
	}
	if (a.profile == NULL || a.shipped == NULL || a.home == NULL || a.out == NULL) {
		return err_set(err, -EINVAL, USAGE);
	}
	if (a.shipped[0] != '/' || a.home[0] != '/') {
		return err_set(err, -EINVAL, "--shipped and --home want absolute paths");
	}
	*ret = a;
	return 0;
}

/* Beside the file, then renamed over it: a reader sees the old bytes or the new ones. */
static int
write_file(const char *path, const struct buf *bytes, struct err *err)
{
	auto_free char *temporary = NULL;
	auto_fd fd = -1;
	int rc;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0) {
		temporary = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	fd = mkostemp(temporary, O_CLOEXEC); /* 0600 */
	if (fd < 0) {
		return err_sys(err, -errno, "cannot write %s", path);
	}
	rc = fdio_write(fd, bytes->data, bytes->len);
	if (rc == 0 && rename(temporary, path) < 0) {
		rc = -errno;
	}
	if (rc < 0) {
		ignore_err(unlink(temporary), "the first failure is what counts");
		return err_sys(err, rc, "cannot write %s", path);
	}
	return 0;
}

static int
compile(const struct compile_args *args, struct buf *report, struct err *err)
{
	struct profile_request request = profile_request_of(args->profile, args->shipped);
	auto_loaded loaded = { .profile = NULL };
	auto_filters filters = { .tool.insns = NULL };
	auto_buf bytes = BUF_INIT;
	auto_free char *self = realpath("/proc/self/exe", NULL);
	struct utsname host;
	int rc;

	request.home = args->home;
	rc = profile_load(&request, &loaded, report, err);
	if (rc == 0 && profile_git_identity(&loaded, &request) < 0) {
		rc = err_set(err, -ENOMEM, "out of memory");
	}
	/*
	 * Keys, groups and filters are compiled into this program: another build is another
	 * answer.
	 */
	if (rc == 0 && (self == NULL || profile_loaded_add(&loaded, self) < 0)) {
		rc = err_set(err, -ENOMEM, "out of memory");
	}
	if (rc == 0) {
		rc = profile_filters_make(loaded.profile, &filters, err);
	}
	if (rc < 0) {
		return rc;
	}
	if (uname(&host) < 0) {
		return err_sys(err, -errno, "uname");
	}
	profile_encode(loaded.profile, loaded.deps, loaded.dep_count, host.release, &bytes);
	if (bytes.failed) {
		return err_set(err, -ENOMEM, "out of memory");
	}
	return write_file(args->out, &bytes, err);
}

int
cmd_compile_profile(int argc, char **argv)
{
	struct err err = ERR_INIT;
	struct compile_args args = { .profile = NULL };
	auto_buf report = BUF_INIT;

	if (parse_args(argc, argv, &args, &err) < 0) {
		return commands_fail(EXIT_AIRLOCK, &err);
	}
	if (compile(&args, &report, &err) == 0) {
		return 0;
	}
	return profile_fail(EXIT_AIRLOCK, &report, &err);
}
