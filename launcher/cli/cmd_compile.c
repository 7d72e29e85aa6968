/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hidden verbs that read a profile for the front. compile-profile, behind a missing or stale
 * cache entry: compiles and checks its filters, writes the cache file that the front decodes.
 * note-profile, before the first call under a profile: its effective values go into the journal.
 * Exec'd by the front, as the caller; argv is the front's. Trusts profile files as far as
 * profile_load.c does.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/fdio.h"
#include "../base/json.h"
#include "../profile/profile_print.h"
#include "../store/store.h"
#include "cmd_profile.h"
#include "commands.h"

#define COMPILE_USAGE                                                                              \
	"usage: airlock compile-profile --profile NAME|PATH --shipped DIR --home DIR --out FILE"
#define NOTE_USAGE                                                                                 \
	"usage: airlock note-profile --profile NAME|PATH --shipped DIR --home DIR --state DIR"     \
	" --digest D"

struct compile_args {
	const char *profile, *shipped, *home;
	const char *out;	   /* of compile-profile */
	const char *state, *digest; /* of note-profile */
};

static int
parse_args(int argc, char **argv, const char *usage, struct compile_args *ret, struct err *err)
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
		{ "--state", &a.state },
		{ "--digest", &a.digest },
	};

	for (int i = 1; i < argc; i += 2) {
		size_t o = 0;

		while (o < ARRAY_LEN(options) && strcmp(argv[i], options[o].name) != 0) {
			o++;
		}
		if (o == ARRAY_LEN(options) || i + 1 == argc) {
			return err_set(err, -EINVAL, "%s", usage);
		}
		*options[o].slot = argv[i + 1];
	}
	if (a.profile == NULL || a.shipped == NULL || a.home == NULL ||
	    (a.out == NULL) != (a.state != NULL && a.digest != NULL)) {
		return err_set(err, -EINVAL, "%s", usage);
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

/* ---- the first call under a profile --------------------------------------------------------- */

static int
print_load(const struct profile_loaded *loaded, struct buf *out)
{
	const struct profile *p = loaded->profile;
	auto_buf text = BUF_INIT;
	struct json j;

	profile_print_yaml(loaded->doc, true, &text);
	json_init(&j, out);
	json_begin_object(&j);
	json_key(&j, "actor");
	store_put_actor(&j);
	json_kv_hex(&j, "digest", p->digest, sizeof(p->digest));
	json_kv_str(&j, "name", p->name);
	json_kv_bytes(&j, "source", p->source);
	json_kv_uint(&j, "t", clock_realtime_ms());
	json_key(&j, "text");
	json_bytes(&j, buf_text(&text), text.len);
	json_kv_uint(&j, "v", 1);
	json_end(&j);
	return buf_error(&text) != 0 ? buf_error(&text) : json_error(&j);
}

/* That the journal has it: later calls look for this alone. Losing it costs one more entry. */
static int
mark(const struct store *s, const char *digest, struct err *err)
{
	auto_buf path = BUF_INIT;
	auto_fd fd = -1;

	if (mkdirat(s->dir_fd, PROFILES_NOTED, 0700) < 0 && errno != EEXIST) {
		return err_sys(err, -errno, "make %s/" PROFILES_NOTED, s->path);
	}
	buf_printf(&path, PROFILES_NOTED "/%s", digest);
	fd = openat(s->dir_fd, buf_text(&path), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? err_sys(err, -errno, "make %s/%s", s->path, buf_text(&path)) : 0;
}

static int
note(const struct compile_args *args, struct buf *report, struct err *err)
{
	struct profile_request request = profile_request_of(args->profile, args->shipped);
	auto_loaded loaded = { .profile = NULL };
	auto_store store = STORE_INIT;
	auto_buf record = BUF_INIT;
	char digest[HEX_DIGEST_SIZE];
	int rc;

	if (args->digest == NULL || args->state == NULL) {
		return err_set(err, -EINVAL, "--state and --digest belong together");
	}
	request.home = args->home;
	rc = profile_load(&request, &loaded, report, err);
	if (rc < 0) {
		return rc;
	}
	text_hex(loaded.profile->digest, sizeof(loaded.profile->digest), digest);
	if (strcmp(digest, args->digest) != 0) {
		return err_set(err, -ESTALE,
			       "profile %s was changed while a call under it began: start it again",
			       args->profile);
	}
	rc = print_load(&loaded, &record);
	if (rc < 0) {
		return err_sys(err, rc, "note profile %s", args->profile);
	}
	rc = store_open_write(args->state, &store, err);
	if (rc == 0) {
		rc = store_append_event(&store, ENTRY_PROFILE_LOAD, record.data, record.len, err);
	}
	return rc < 0 ? rc : mark(&store, digest, err);
}

static int
run(int argc, char **argv, const char *usage,
    int (*work)(const struct compile_args *args, struct buf *report, struct err *err))
{
	struct err err = ERR_INIT;
	struct compile_args args = { .profile = NULL };
	auto_buf report = BUF_INIT;

	if (parse_args(argc, argv, usage, &args, &err) < 0) {
		return commands_fail(EXIT_AIRLOCK, &err);
	}
	if (work(&args, &report, &err) == 0) {
		return 0;
	}
	return profile_fail(EXIT_AIRLOCK, &report, &err);
}

int
cmd_compile_profile(int argc, char **argv)
{
	return run(argc, argv, COMPILE_USAGE, compile);
}

int
cmd_note_profile(int argc, char **argv)
{
	return run(argc, argv, NOTE_USAGE, note);
}
