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
#include "../plan/filter.h"
#include "../profile/profile_load.h"
#include "commands.h"

#define SYSTEM_PROFILES "/etc/airlock/profiles"
#define USAGE                                                                                      \
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

/* Compiles into the profile; *tool and *init own what it then points to. */
static int
compile_filters(struct profile *p, struct filter_program *tool, struct filter_program *init,
		struct err *err)
{
	/* Denials that explain something go through notification: the supervisor serves it. */
	const bool notify = true;
	int rc = filter_compile(p->syscalls.items, p->syscalls.count, notify, tool, err);

	if (rc == 0) {
		rc = filter_check(tool, p->syscalls.items, p->syscalls.count, notify, err);
	}
	if (rc == 0) {
		rc = filter_compile_init(init, err);
	}
	if (rc < 0) {
		err_prefix(err, "%s", p->source);
		return rc;
	}
	p->filter = tool->insns;
	p->filter_len = tool->len;
	memcpy(p->filter_digest, tool->digest, sizeof(p->filter_digest));
	p->init_filter = init->insns;
	p->init_filter_len = init->len;
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
	const struct profile_request request = {
		.name = args->profile,
		.search = getenv("AIRLOCK_PROFILES"),
		.config_home = getenv("XDG_CONFIG_HOME"),
		.system_dir = SYSTEM_PROFILES,
		.shipped_dir = args->shipped,
		.home = args->home,
		.caller = geteuid(),
		.unmapped = profile_unmapped_uid(),
	};
	__attribute__((
		cleanup(profile_loaded_finish))) struct profile_loaded loaded = { .deps = NULL };
	__attribute__((cleanup(filter_finish))) struct filter_program tool = { .insns = NULL };
	__attribute__((cleanup(filter_finish))) struct filter_program init = { .insns = NULL };
	auto_buf bytes = BUF_INIT;
	auto_free char *self = realpath("/proc/self/exe", NULL);
	struct utsname host;
	int rc = profile_load(&request, &loaded, report, err);

	/*
	 * Keys, groups and filters are compiled into this program: another build is another
	 * answer.
	 */
	if (rc == 0 && (self == NULL || profile_loaded_add(&loaded, self) < 0)) {
		rc = err_set(err, -ENOMEM, "out of memory");
	}
	if (rc == 0) {
		rc = compile_filters(loaded.profile, &tool, &init, err);
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
	/* Errors in a file begin with its name, as a compiler's do; all others with ours. */
	if (report.len == 0) {
		return commands_fail(EXIT_AIRLOCK, &err);
	}
	fputs(buf_text(&report), stderr);
	return EXIT_AIRLOCK;
}
