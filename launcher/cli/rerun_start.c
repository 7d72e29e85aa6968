/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs in airlock-cli as the caller: `airlock run` with what the record says, by its own options.
 * No shell; what stands in the record are arguments and never options, which end at "--". The front
 * checks all of it again.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../base/arena.h"
#include "../base/fdio.h"
#include "../base/units.h"
#include "../plan/judge.h"
#include "../profile/profile.h"
#include "../sys/sys.h"
#include "cmd_profile.h"
#include "rerun.h"

#define SAID_MAX ((size_t)1 << 20)
#define RESULT_MAX ((size_t)8 << 20)

struct start {
	struct arena arena;
	const struct record *rec;
	struct rerun_notes *notes;
	const char **argv;
	size_t argc, room;
	const char **unset; /* variables that the first call had not */
	size_t unset_count;
	const char **set; /* NAME=VALUE, of those whose values are recorded */
	size_t set_count;
	struct buf now, gone; /* names: of today's environment, and not in it */
	int input_fd, said_fd, result_fd, context_fd;
	int scratch_fd; /* borrowed: whose lock keeps the input */
	bool failed; /* out of memory */
};

static void
start_finish(struct start *s)
{
	arena_finish(&s->arena);
	free(s->argv);
	free(s->unset);
	free(s->set);
	buf_finish(&s->now);
	buf_finish(&s->gone);
	cleanup_fd(&s->input_fd);
	cleanup_fd(&s->said_fd);
	cleanup_fd(&s->result_fd);
	cleanup_fd(&s->context_fd);
}

/* A word of the command line; text lives as long as s. */
static void
add(struct start *s, const char *text)
{
	if (s->argc + 2 > s->room) {
		size_t room = s->room > 0 ? 2 * s->room : 64;
		const char **argv = reallocarray(s->argv, room, sizeof(*argv));

		if (argv == NULL) {
			s->failed = true;
			return;
		}
		s->argv = argv;
		s->room = room;
	}
	s->failed = s->failed || text == NULL;
	s->argv[s->argc++] = text;
	s->argv[s->argc] = NULL;
}

/* A string of the record, with the bytes that it spells. */
static const char *
raw(struct start *s, const char *spelled)
{
	auto_buf bytes = BUF_INIT;

	if (spelled == NULL || text_unvis(spelled, &bytes) != 0 ||
	    memchr(buf_text(&bytes), '\0', bytes.len) != NULL) {
		return NULL;
	}
	return arena_copy(&s->arena, buf_text(&bytes), bytes.len);
}

/* ---- variables ------------------------------------------------------------------------------- */

static bool
is_in(const json_t *array, const char *name)
{
	for (size_t i = 0; i < json_array_size(array); i++) {
		const char *item = json_string_value(json_array_get(array, i));

		if (item != NULL && strcmp(item, name) == 0) {
			return true;
		}
	}
	return false;
}

/* What a call gets whatever its caller has. */
static bool
is_given(const struct profile *p, const char *name)
{
	const struct judge_environment j = judge_environment(p, name);

	return j.crosses && (j.key == KEY_ENV_SET || j.key == KEY__COUNT);
}

static void
add_name(struct buf *names, const char *name)
{
	buf_puts(names, names->len > 0 ? ", " : "");
	text_safe(names, name, strlen(name), false);
}

/* What airlock itself goes by is today's: the tool gets it from there. */
static bool
is_ours(const char *name)
{
	return strncmp(name, "AIRLOCK_", 8) == 0 || strncmp(name, "XDG_", 4) == 0 ||
	       profile_env_refused(name) != NULL;
}

/* The value that the profile had kept, put where airlock finds it; false: it is not recorded. */
static bool
restore(struct start *s, const char *name)
{
	const json_t *values = json_object_get(s->rec->planned, "env_values");
	size_t len = strlen(name);

	for (size_t i = 0; i < json_array_size(values) && !is_ours(name); i++) {
		const char *entry = raw(s, json_string_value(json_array_get(values, i)));
		const char **grown;

		if (entry == NULL || strncmp(entry, name, len) != 0 || entry[len] != '=') {
			continue;
		}
		grown = reallocarray(s->set, s->set_count + 1, sizeof(*grown));
		if (grown == NULL) {
			s->failed = true;
			return false;
		}
		s->set = grown;
		s->set[s->set_count++] = entry;
		return true;
	}
	return false;
}

/* The names that the first call had: passed on by the profile, or handed in. */
static void
hand_in(struct start *s, const struct profile *p, const json_t *names)
{
	for (size_t i = 0; i < json_array_size(names); i++) {
		const char *name = raw(s, json_string_value(json_array_get(names, i)));
		bool is_passed, is_accepted;

		if (name == NULL || is_given(p, name)) {
			continue;
		}
		is_passed = profile_env_matches(&p->env_pass, name);
		is_accepted = profile_env_matches(&p->env_accept, name);
		if (!is_passed && !is_accepted) {
			continue; /* a toolchain's, or of another profile: the records tell */
		}
		if (!restore(s, name)) {
			add_name(getenv(name) != NULL ? &s->now : &s->gone, name);
			if (getenv(name) == NULL) {
				continue;
			}
		}
		if (!is_passed) {
			add(s, "-e");
			add(s, name);
		}
	}
}

/* What the profile would pass on and the first call had not. */
static void
leave_out(struct start *s, const struct profile *p, const json_t *names)
{
	for (char **e = environ; *e != NULL; e++) {
		const char *equals = strchr(*e, '=');
		const char *name =
			equals != NULL ? arena_copy(&s->arena, *e, (size_t)(equals - *e)) : NULL;
		const char **grown;

		if (name == NULL || is_given(p, name) || is_in(names, name) ||
		    !profile_env_matches(&p->env_pass, name)) {
			continue;
		}
		grown = reallocarray(s->unset, s->unset_count + 1, sizeof(*grown));
		if (grown == NULL) {
			s->failed = true;
			return;
		}
		s->unset = grown;
		s->unset[s->unset_count++] = name;
	}
}

/* ---- limits ---------------------------------------------------------------------------------- */

/* Only those that were lowered: the others are the profile's, and a denial says so. */
static void
lower_limits(struct start *s, const struct profile *p)
{
	static const struct {
		const char *name;
		size_t offset;
		void (*print)(struct buf *b, uint64_t value);
	} rows[] = {
#define LIMIT(id, label, member, unit, example) \
	{ (label), offsetof(struct limits, member), units_print_##unit },
#include "../profile/limits.def"
#undef LIMIT
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const uint64_t *allowed =
			(const uint64_t *)(const void *)((const char *)&p->limits + rows[i].offset);
		uint64_t had =
			record_number(json_object_get(s->rec->planned, "limits"), rows[i].name);
		auto_buf word = BUF_INIT;

		if (had >= *allowed) {
			continue;
		}
		buf_printf(&word, "%s=", rows[i].name);
		rows[i].print(&word, had);
		add(s, "--limit");
		add(s, arena_copy(&s->arena, buf_text(&word), word.len));
	}
}

/* ---- credentials ----------------------------------------------------------------------------- */

/*
 * Leased anew, of today's bundle: of what the call had, what only reads. With --input a call is
 * given what is asked for here, and nothing else that its profile lists.
 */
static void
lease_again(struct start *s)
{
	const json_t *items = json_object_get(s->rec->planned, "credentials");
	size_t given = 0, writing = 0;

	for (size_t i = 0; i < json_array_size(items); i++) {
		const json_t *item = json_array_get(items, i);

		if (strcmp(record_text(item, "access"), "read") != 0) {
			writing++;
			continue;
		}
		if (given++ == 0) {
			add(s, "--bundle");
			add(s, raw(s, record_text(item, "bundle")));
		}
		add(s, "--grant");
		add(s, raw(s, record_text(item, "item")));
	}
	if (given > 0) {
		rerun_note(s->notes, "credentials are leased anew, with the values of today");
	}
	if (writing > 0) {
		rerun_note(s->notes,
			   "%zu of its %zu credentials %s not given: their access is write, and "
			   "the call observes",
			   writing, json_array_size(items), writing == 1 ? "is" : "are");
	}
}

/* ---- the command line ------------------------------------------------------------------------ */

static void
note_variables(struct start *s)
{
	if (s->now.len > 0) {
		rerun_note(s->notes,
			   "values that are not recorded, taken from today's environment: %s",
			   buf_text(&s->now));
	}
	if (s->gone.len > 0) {
		rerun_note(s->notes, "variables that the call had and that are not set today: %s",
			   buf_text(&s->gone));
	}
}

/* The profile as it is today; it need not be the one of the record, which is told then. */
static int
read_profile(struct start *s, const char *source, const char *shipped, struct err *err)
{
	auto_loaded loaded = { .profile = NULL };
	auto_buf report = BUF_INIT;
	struct profile_request request = profile_request_of(source, shipped);
	const json_t *names = json_object_get(s->rec->planned, "env_names");
	int rc = profile_load(&request, &loaded, &report, err);

	if (rc != 0) {
		err_prefix(err, "the profile of the call");
		return rc;
	}
	hand_in(s, loaded.profile, names);
	leave_out(s, loaded.profile, names);
	lower_limits(s, loaded.profile);
	if (loaded.profile->observe_writes == OBSERVE_REFUSE &&
	    strcmp(record_text(s->rec->planned, "mode"), "observe") != 0) {
		rerun_note(s->notes, "the call runs in mode observe, in which the profile refuses "
				     "writes (observe_writes: refuse)");
	}
	note_variables(s);
	return 0;
}

static int
make_argv(struct start *s, const struct rerun_scratch *scratch, struct err *err)
{
	const json_t *planned = s->rec->planned;
	const json_t *argv = json_object_get(planned, "argv");
	const char *source = raw(s, record_text(planned, "profile.source"));
	auto_places places = { .shipped = NULL };
	int rc = places_find(&places, err);

	if (rc != 0 || source == NULL) {
		return rc != 0 ? rc : err_set(err, -EBADMSG, "the record's profile has no path");
	}
	add(s, arena_string(&s->arena, places.front));
	add(s, "run");
	add(s, "-q");
	add(s, "-p");
	add(s, source);
	add(s, "-w");
	add(s, raw(s, record_text(planned, "workspace.path")));
	add(s, "-C");
	add(s, raw(s, record_text(planned, "cwd")));
	add(s, "--input");
	add(s, scratch->path);
	add(s, "--context");
	add(s, arena_printf(&s->arena, "/proc/self/fd/%d", s->context_fd));
	add(s, "--result-fd");
	add(s, arena_printf(&s->arena, "%d", s->result_fd));
	lease_again(s);
	rc = read_profile(s, source, places.shipped, err);
	add(s, "--");
	for (size_t i = 0; i < json_array_size(argv); i++) {
		add(s, raw(s, json_string_value(json_array_get(argv, i))));
	}
	return rc == 0 && s->failed
		     ? err_set(err, -EBADMSG, "the record's command cannot be run again")
		     : rc;
}

/* ---- running it ------------------------------------------------------------------------------ */

static int
open_files(struct start *s, struct reading *r, struct err *err)
{
	const json_t *in = json_object_get(s->rec->outcome, "stdin");
	uint64_t bytes = record_number(in, "bytes"), kept = record_number(in, "kept");
	auto_buf input = BUF_INIT, context = BUF_INIT;
	int rc;

	if (kept < bytes) {
		return err_set(err, -ENODATA,
			       "stdin: %llu bytes passed and %llu were kept, so the call cannot "
			       "have them again (capture.stdin of the profile says how much is)",
			       (unsigned long long)bytes, (unsigned long long)kept);
	}
	rc = object_stream(r, s->rec, "stdin", &input, err);
	if (rc != 0) {
		return rc;
	}
	buf_printf(&context, "{\"rerun_of\":\"%s\"}", s->rec->id);
	s->input_fd = fdio_memfd("stdin", input.data, input.len);
	s->context_fd = fdio_memfd("context", context.data, context.len);
	s->said_fd = fdio_memfd("said", "", 0);
	s->result_fd = fdio_memfd("result", "", 0);
	if (s->input_fd < 0 || s->context_fd < 0 || s->said_fd < 0 || s->result_fd < 0) {
		return err_sys(err, -errno, "memfd_create");
	}
	return 0;
}

/*
 * The second call outlives nobody who wants to compare it. Its airlock may not hear of that end (it
 * changes its ids where root starts it), and is not at an end with the signal: so it has the lock
 * of its input as well, which no other call sweeps from under it.
 */
static void __attribute__((noreturn)) become_airlock(const struct start *s, pid_t parent)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	for (size_t i = 0; i < s->unset_count; i++) {
		unsetenv(s->unset[i]);
	}
	for (size_t i = 0; i < s->set_count; i++) {
		putenv((char *)(uintptr_t)s->set[i]);
	}
	if (sys_end_with_parent(parent, SIGTERM) == 0 && fcntl(s->scratch_fd, F_SETFD, 0) == 0 &&
	    fcntl(s->context_fd, F_SETFD, 0) == 0 && fcntl(s->result_fd, F_SETFD, 0) == 0 &&
	    dup2(s->input_fd, 0) == 0 && dup2(null, 1) == 1 && dup2(s->said_fd, 2) == 2) {
		execv(s->argv[0], (char *const *)(uintptr_t)s->argv);
	}
	_exit(127);
}

/* The first line of what airlock said, without its name in front. */
static void
put_said(const struct start *s, struct buf *out)
{
	auto_buf said = BUF_INIT;
	const char *text;

	if (lseek(s->said_fd, 0, SEEK_SET) < 0 || fdio_slurp(s->said_fd, SAID_MAX, &said) < 0) {
		return;
	}
	text = buf_text(&said);
	text += strncmp(text, "airlock: ", 9) == 0 ? 9 : 0;
	text_safe(out, text, strcspn(text, "\n"), false);
}

static bool
is_denied(const json_t *verdict)
{
	const char *word = json_string_value(verdict);

	return word != NULL && strcmp(word, "denied") == 0;
}

static int
read_result(const struct start *s, char ret_id[UUID_TEXT_SIZE], struct err *err)
{
	auto_buf text = BUF_INIT, said = BUF_INIT;
	json_t *result;
	const char *id;
	bool is_recorded, is_refused;

	if (lseek(s->result_fd, 0, SEEK_SET) < 0 ||
	    fdio_slurp(s->result_fd, RESULT_MAX, &text) < 0) {
		return err_sys(err, -EIO, "read the result of the second call");
	}
	result = json_loadb(buf_text(&text), text.len, 0, NULL);
	id = json_string_value(json_object_get(result, "call"));
	is_recorded = id != NULL && strlen(id) == UUID_TEXT_SIZE - 1;
	if (is_recorded) {
		memcpy(ret_id, id, UUID_TEXT_SIZE);
	}
	/* who was let in then and is not now did not do it again: there is nothing to compare */
	is_refused = is_denied(json_object_get(result, "verdict")) &&
		     !is_denied(json_object_get(s->rec->outcome, "verdict"));
	json_decref(result);
	if (is_recorded && !is_refused) {
		return 0;
	}
	put_said(s, &said);
	return err_set(err, -ECHILD, "airlock did not run it: %s",
		       said.len > 0 ? buf_text(&said) : "it said nothing");
}

static int
run(const struct start *s, struct err *err)
{
	const pid_t parent = getpid();
	pid_t pid = fork();
	int rc;

	if (pid == 0) {
		become_airlock(s, parent);
	}
	if (pid < 0) {
		return err_sys(err, -errno, "fork");
	}
	rc = sys_wait(pid, NULL);
	return rc < 0 ? err_sys(err, rc, "wait for the second call") : 0;
}

int
rerun_start(struct reading *r, const struct record *rec, const struct rerun_scratch *scratch,
	    struct rerun_notes *notes, char ret_id[UUID_TEXT_SIZE], struct err *err)
{
	__attribute__((cleanup(start_finish))) struct start s = {
		.rec = rec,
		.notes = notes,
		.now = BUF_INIT,
		.gone = BUF_INIT,
		.input_fd = -1,
		.said_fd = -1,
		.result_fd = -1,
		.context_fd = -1,
		.scratch_fd = scratch->fd,
	};
	int rc = open_files(&s, r, err);

	rc = rc != 0 ? rc : make_argv(&s, scratch, err);
	rc = rc != 0 ? rc : run(&s, err);
	return rc != 0 ? rc : read_result(&s, ret_id, err);
}
