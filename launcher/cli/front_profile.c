/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by the front, as the owner. A profile comes as finished bytes from the cache; a miss is
 * airlock-cli's work.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/json.h"
#include "../base/limits.h"
#include "../base/nearest.h"
#include "../base/text.h"
#include "../base/units.h"
#include "front.h"

#define CACHE_FILE_MAX (4u << 20)

/*
 * Everything that decides which file a name means; what is in the files is checked by
 * profile_decode.
 */
static char *
cache_name(struct front *f, const char *name)
{
	const char *parts[] = { name, f->paths.shipped, f->req.identity.home,
				getenv("AIRLOCK_PROFILES"), getenv("XDG_CONFIG_HOME") };
	struct sha256 hash;
	uint8_t digest[32];
	char hex[HEX_DIGEST_SIZE];

	sha256_init(&hash);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		const char *part = parts[i] != NULL ? parts[i] : "";

		sha256_update(&hash, part, strlen(part) + 1);
	}
	sha256_final(&hash, digest);
	text_hex(digest, 32, hex);
	return arena_printf(&f->arena, "%s/cache/profile-%.32s", f->store.path, hex);
}

static int
load_cached(struct front *f, const char *path, const char *kernel)
{
	auto_buf bytes = BUF_INIT;
	struct stat st;
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int rc;

	if (fd < 0 || fstat(fd, &st) < 0) {
		return err_sys(&f->err, -errno, "%s", path);
	}
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022) != 0) {
		return err_set(&f->err, -ESTALE, "%s: not a private file of ours", path);
	}
	rc = fdio_slurp(fd, CACHE_FILE_MAX, &bytes);
	return rc < 0 ? err_sys(&f->err, rc, "%s", path)
		      : profile_decode(bytes.data, bytes.len, kernel, &f->profile, &f->err);
}

/*
 * What the tool may write must not say what the tool may do: not the profile, none of its drop-ins,
 * no parent.
 */
static int
refuse_inside(struct front *f)
{
	const struct strings *files = &f->profile->files;

	for (size_t i = 0; i < files->count; i++) {
		auto_free char *real = realpath(files->items[i], NULL);

		if (real == NULL) {
			return err_sys(&f->err, -errno, "profile %s", files->items[i]);
		}
		if (plan_covers(f->req.workspace, real)) {
			return err_set(&f->err, -EPERM,
				       "profile %s lies in the workspace: a tool could write the "
				       "rules of the next call; keep it elsewhere",
				       real);
		}
	}
	return 0;
}

int
front_profile(struct front *f)
{
	const char *name = f->opt.profile;
	struct utsname host;
	const char *path;
	int rc;

	if (name[0] == '\0') {
		return err_set(&f->err, -EINVAL, "-p: an empty profile name");
	}
	if (strchr(name, '/') != NULL && name[0] != '/') {
		char here[PATH_MAX];

		if (getcwd(here, sizeof(here)) == NULL) {
			return err_sys(&f->err, -errno, "-p %s", name);
		}
		name = arena_printf(&f->arena, "%s/%s", here, name);
	}
	f->profile_name = name;
	path = name == NULL ? NULL : cache_name(f, name);
	if (path == NULL || uname(&host) < 0) {
		return err_set(&f->err, -ENOMEM, "out of memory");
	}
	rc = load_cached(f, path, host.release);
	if (rc < 0) {
		const char *argv[] = { "airlock",   "compile-profile",
				       "--profile", name,
				       "--shipped", f->paths.shipped,
				       "--home",    f->req.identity.home,
				       "--out",	    path,
				       NULL };

		rc = front_run_cli(f, argv);
		if (rc != 0) {
			/* It has said what is wrong, with file, line and column. */
			f->said = rc > 0;
			return rc < 0 ? rc
				      : err_set(&f->err, -EINVAL, "profile %s is not usable", name);
		}
		rc = load_cached(f, path, host.release);
	}
	if (rc < 0) {
		err_prefix(&f->err, "compiled profile");
		return rc;
	}
	return refuse_inside(f);
}

/*
 * The first call under a profile in this state directory has its values put into the journal,
 * before its own entry; all later ones look for a file.
 */
int
front_note_profile(struct front *f)
{
	char digest[HEX_DIGEST_SIZE], path[sizeof(PROFILES_NOTED) + HEX_DIGEST_SIZE];
	const char *argv[] = { "airlock",   "note-profile",
			       "--profile", f->profile_name,
			       "--shipped", f->paths.shipped,
			       "--home",    f->req.identity.home,
			       "--state",   f->store.path,
			       "--digest",  digest,
			       NULL };
	int rc;

	text_hex(f->profile->digest, sizeof(f->profile->digest), digest);
	snprintf(path, sizeof(path), PROFILES_NOTED "/%s", digest);
	if (faccessat(f->store.dir_fd, path, F_OK, 0) == 0) {
		return 0;
	}
	rc = front_run_cli(f, argv);
	if (rc != 0) {
		f->said = rc > 0;
		return rc < 0 ? rc
			      : err_set(&f->err, -EINVAL,
					"the journal could not be told the values of profile %s",
					f->profile_name);
	}
	return 0;
}

static int
narrow_mode(struct front *f)
{
	const char *given = f->opt.mode;

	f->req.mode = f->profile->mode;
	if (given == NULL) {
		return 0;
	}
	for (enum mode mode = 0; mode < MODE__COUNT; mode++) {
		if (strcmp(given, profile_mode_words[mode]) != 0) {
			continue;
		}
		if (mode > f->profile->mode) {
			return err_set(&f->err, -EPERM,
				       "-m %s: profile %s says %s, and options only narrow", given,
				       f->profile->name, profile_mode_words[f->profile->mode]);
		}
		f->req.mode = mode;
		return 0;
	}
	return err_set(&f->err, -EINVAL, "-m %s: unknown mode (observe, propose, apply)", given);
}

struct limit_row {
	const char *name;
	size_t offset;
	int (*parse)(const char *text, uint64_t *ret);
	const char *example;
};

static const struct limit_row limit_rows[] = {
#define LIMIT(key, label, member, unit, sample)                                                    \
	{ .name = (label), .offset = offsetof(struct limits, member), .parse = units_##unit,       \
	  .example = (sample) },
#include "../profile/limits.def"
#undef LIMIT
};

static int
unknown_limit(struct front *f, const char *given, size_t len)
{
	const char *names[ARRAY_LEN(limit_rows)];
	char *word = arena_copy(&f->arena, given, len);
	const char *near;

	for (size_t i = 0; i < ARRAY_LEN(limit_rows); i++) {
		names[i] = limit_rows[i].name;
	}
	near = word == NULL ? NULL : nearest_name(word, names, ARRAY_LEN(names));
	if (near != NULL) {
		return err_set(&f->err, -EINVAL, "--limit %s: unknown limit; did you mean '%s'?",
			       given, near);
	}
	return err_set(&f->err, -EINVAL,
		       "--limit %s: unknown limit (cpu, cpu_time, disk, files, memory, open_files, "
		       "output, pids, wall)",
		       given);
}

static int
narrow_limit(struct front *f, const char *given)
{
	size_t len = strcspn(given, "=");

	for (size_t i = 0; i < ARRAY_LEN(limit_rows); i++) {
		const struct limit_row *row = &limit_rows[i];
		uint64_t *slot = (uint64_t *)(void *)((char *)&f->req.limits + row->offset);
		uint64_t value;

		if (strlen(row->name) != len || strncmp(row->name, given, len) != 0) {
			continue;
		}
		if (given[len] != '=' || row->parse(given + len + 1, &value) < 0 || value == 0) {
			return err_set(&f->err, -EINVAL, "--limit %s: wants a value like %s=%s",
				       given, row->name, row->example);
		}
		if (value > *slot) {
			return err_set(&f->err, -EPERM,
				       "--limit %s: above what profile %s allows; options only "
				       "narrow",
				       given, f->profile->name);
		}
		*slot = value;
		return 0;
	}
	return unknown_limit(f, given, len);
}

/* Said here and not by the cgroup alone: where the host gives no group the number is as wrong. */
static int
check_memory(struct front *f)
{
	uint64_t wanted = f->req.limits.memory_bytes;
	struct sysinfo info;
	uint64_t host;

	if (sysinfo(&info) < 0) {
		return err_sys(&f->err, -errno, "sysinfo");
	}
	host = (uint64_t)info.totalram * info.mem_unit;
	return wanted <= host ? 0
			      : err_set(&f->err, -ERANGE,
					"limits.memory is %llu bytes but this host has %llu: "
					"--limit memory=SIZE lowers it",
					(unsigned long long)wanted, (unsigned long long)host);
}

static int
read_context(struct front *f)
{
	auto_buf text = BUF_INIT;
	int rc;

	if (f->opt.context == NULL) {
		return 0;
	}
	rc = fdio_slurp_at(AT_FDCWD, f->opt.context, CAP_CONTEXT, &text);
	if (rc == -EFBIG) {
		return err_set(&f->err, rc, "--context %s: more than %u bytes", f->opt.context,
			       CAP_CONTEXT);
	}
	if (rc < 0) {
		return err_sys(&f->err, rc, "--context %s", f->opt.context);
	}
	rc = json_check_object(buf_text(&text), text.len);
	if (rc < 0) {
		return err_set(&f->err, rc, "--context %s: not one JSON object", f->opt.context);
	}
	f->req.context = arena_copy(&f->arena, text.data, text.len);
	return f->req.context == NULL ? err_set(&f->err, -ENOMEM, "out of memory") : 0;
}

int
front_narrow(struct front *f)
{
	int rc = narrow_mode(f);

	f->req.limits = f->profile->limits;
	f->req.key = f->opt.key;
	for (size_t i = 0; rc == 0 && i < f->opt.limit_count; i++) {
		rc = narrow_limit(f, f->opt.limits[i]);
	}
	if (rc == 0) {
		rc = check_memory(f);
	}
	return rc == 0 ? read_context(f) : rc;
}
