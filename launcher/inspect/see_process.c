/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Run by airlock-inspect as the tool: what the process is and holds. Of a variable the name is
 * looked at, up to its '='; the values of HOME and CREDENTIALS_DIRECTORY name directories.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../base/text.h"
#include "../sys/sys.h"
#include "inspect.h"
#include "parse.h"

#define NAMES_MAX 4096u
#define CAPABILITIES 64
#define GROUPS_MAX 1024

/* ---- capabilities ---------------------------------------------------------------------------- */

static void
say_set(struct report *r, const char *key, uint64_t set)
{
	static const char *const known[CAPABILITIES] = {
#define CAPABILITY(number, name) [number] = (name),
#include "capabilities.def"
#undef CAPABILITY
	};
	const char *words[CAPABILITIES];
	char unknown[CAPABILITIES][16];
	size_t count = 0;

	for (int i = 0; i < CAPABILITIES; i++) {
		if ((set >> i & 1) != 0) {
			snprintf(unknown[i], sizeof(unknown[i]), "cap_%d", i);
			words[count++] = known[i] != NULL ? known[i] : unknown[i];
		}
	}
	report_words(r, key, words, count);
}

void
see_capabilities(struct look *l)
{
	static const char *const sets[][2] = { { "ambient", "CapAmb" },
					       { "bounding", "CapBnd" },
					       { "effective", "CapEff" },
					       { "inheritable", "CapInh" },
					       { "permitted", "CapPrm" } };

	report_object(l->report, "capabilities");
	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		uint64_t set;

		if (parse_status_number(buf_text(&l->status), sets[i][1], 16, &set)) {
			say_set(l->report, sets[i][0], set);
		} else {
			report_text(l->report, sets[i][0], NULL);
		}
	}
	report_end(l->report);
}

/* ---- names ----------------------------------------------------------------------------------- */

static int
text_order(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* What a directory holds, in memory of l and in order. */
static size_t
list_names(struct look *l, const char *path, const char *names[NAMES_MAX])
{
	auto_dir dir = NULL;
	size_t count = 0;

	if (fdio_list_dir(AT_FDCWD, path, 0, &dir) < 0) {
		return 0;
	}
	for (struct dirent *e = readdir(dir); e != NULL && count < NAMES_MAX; e = readdir(dir)) {
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
			names[count] = arena_string(&l->arena, e->d_name);
			count += names[count] != NULL;
		}
	}
	qsort(names, count, sizeof(*names), text_order);
	return count;
}

void
see_credentials(struct look *l)
{
	const char *directory = inspect_variable(l, "CREDENTIALS_DIRECTORY");
	const char **names = arena_alloc(&l->arena, NAMES_MAX * sizeof(*names));
	size_t count = directory != NULL && names != NULL ? list_names(l, directory, names) : 0;

	report_object(l->report, "credentials");
	report_text(l->report, "directory", directory);
	report_words(l->report, "files", names, count);
	report_end(l->report);
}

void
see_environment(struct look *l)
{
	const char **names = arena_alloc(&l->arena, NAMES_MAX * sizeof(*names));
	size_t count = 0;

	for (const char *const *e = l->environment;
	     names != NULL && *e != NULL && count < NAMES_MAX; e++) {
		names[count] = arena_copy(&l->arena, *e, strcspn(*e, "="));
		count += names[count] != NULL;
	}
	report_list(l->report, "environment");
	if (count > 0) {
		qsort(names, count, sizeof(*names), text_order);
	}
	for (size_t i = 0; i < count; i++) {
		report_row(l->report);
		report_flag(l->report, "credential", parse_is_credential(names[i]));
		report_title(l->report, "name", names[i]);
		report_end(l->report);
	}
	report_end(l->report);
}

/* ---- descriptors ----------------------------------------------------------------------------- */

static void
say_descriptor(struct report *r, int fd)
{
	static const char *const ways[] = { "read", "write", "both", "path" };
	char link[64], target[PATH_MAX], number[16];
	int flags = fcntl(fd, F_GETFL), way = flags & O_ACCMODE;
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, target, sizeof(target) - 1);
	target[n > 0 ? n : 0] = '\0';
	snprintf(number, sizeof(number), "%d", fd);
	report_row(r);
	report_text(r, "access", flags < 0 ? NULL : ways[(flags & O_PATH) != 0 ? 3 : way]);
	if (r->is_json) {
		report_number(r, "number", (uint64_t)fd);
	} else {
		report_title(r, "number", number);
	}
	report_text(r, "target", target[0] != '\0' ? target : NULL);
	report_end(r);
}

/* The one that listed them is closed by now. */
void
see_descriptors(struct look *l)
{
	int *fds;
	size_t count = inspect_numbers(l, "/proc/self/fd", NAMES_MAX, &fds);

	report_list(l->report, "descriptors");
	for (size_t i = 0; i < count; i++) {
		if (fcntl(fds[i], F_GETFD) >= 0) {
			say_descriptor(l->report, fds[i]);
		}
	}
	report_end(l->report);
}

/* ---- ids ------------------------------------------------------------------------------------- */

static void
say_map(struct look *l, const char *key, const char *path)
{
	const char *at = inspect_slurp(l, path);

	report_list(l->report, key);
	for (char *line = inspect_line(l, &at); line != NULL; line = inspect_line(l, &at)) {
		uint64_t n[3];

		if (text_numbers(line, ' ', n, ARRAY_LEN(n)) != NULL) {
			report_row(l->report);
			report_number(l->report, "count", n[2]);
			report_number(l->report, "inside", n[0]);
			report_number(l->report, "outside", n[1]);
			report_end(l->report);
		}
	}
	report_end(l->report);
}

/* Real, effective, saved, of the file system. */
static void
say_ids(struct look *l, const char *key, const char *field)
{
	const char *text = parse_status(buf_text(&l->status), field);
	uint64_t ids[4];

	report_object(l->report, key);
	if (text != NULL && text_numbers(text, '\t', ids, ARRAY_LEN(ids)) != NULL) {
		report_number(l->report, "effective", ids[1]);
		report_number(l->report, "file_system", ids[3]);
		report_number(l->report, "real", ids[0]);
		report_number(l->report, "saved", ids[2]);
	}
	report_end(l->report);
}

static void
say_groups(struct look *l)
{
	gid_t *groups = arena_alloc(&l->arena, GROUPS_MAX * sizeof(*groups));
	const char **words = arena_alloc(&l->arena, GROUPS_MAX * sizeof(*words));
	int n = groups != NULL && words != NULL ? getgroups(GROUPS_MAX, groups) : 0;
	size_t count = 0;

	for (int i = 0; i < n; i++) {
		words[count] = arena_printf(&l->arena, "%u", groups[i]);
		count += words[count] != NULL;
	}
	report_words(l->report, "groups", words, count);
}

void
see_identity(struct look *l)
{
	const char *at = inspect_slurp(l, "/proc/self/setgroups");

	report_object(l->report, "identity");
	say_map(l, "gid_map", "/proc/self/gid_map");
	say_ids(l, "gids", "Gid");
	say_groups(l);
	report_text(l->report, "setgroups", inspect_line(l, &at));
	say_map(l, "uid_map", "/proc/self/uid_map");
	say_ids(l, "uids", "Uid");
	report_end(l->report);
}

/* ---- limits, the process --------------------------------------------------------------------- */

static const struct {
	const char *name;
	int limit;
} limits[] = {
	/* clang-format off */
	{ "AS", RLIMIT_AS }, { "CORE", RLIMIT_CORE }, { "CPU", RLIMIT_CPU }, { "DATA", RLIMIT_DATA },
	{ "FSIZE", RLIMIT_FSIZE }, { "LOCKS", RLIMIT_LOCKS }, { "MEMLOCK", RLIMIT_MEMLOCK },
	{ "MSGQUEUE", RLIMIT_MSGQUEUE }, { "NICE", RLIMIT_NICE }, { "NOFILE", RLIMIT_NOFILE },
	{ "NPROC", RLIMIT_NPROC }, { "RSS", RLIMIT_RSS }, { "RTPRIO", RLIMIT_RTPRIO },
	{ "RTTIME", RLIMIT_RTTIME }, { "SIGPENDING", RLIMIT_SIGPENDING }, { "STACK", RLIMIT_STACK },
	/* clang-format on */
};

void
see_limits(struct look *l)
{
	report_list(l->report, "limits");
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct rlimit v;

		if (getrlimit(limits[i].limit, &v) == 0) {
			report_row(l->report);
			report_known(l->report, "hard", v.rlim_max != RLIM_INFINITY, v.rlim_max,
				     "unlimited");
			report_title(l->report, "name", limits[i].name);
			report_known(l->report, "soft", v.rlim_cur != RLIM_INFINITY, v.rlim_cur,
				     "unlimited");
			report_end(l->report);
		}
	}
	report_end(l->report);
}

static void
say_asked(struct report *r, const char *key, int v)
{
	report_known(r, key, v >= 0, (uint64_t)v, "not known");
}

void
see_process(struct look *l)
{
	char cwd[PATH_MAX], mask[16] = "";
	uint64_t v = 0;
	bool known = parse_status_number(buf_text(&l->status), "Umask", 8, &v);

	snprintf(mask, sizeof(mask), "%03llo", (unsigned long long)v);
	report_object(l->report, "process");
	report_text(l->report, "directory", getcwd(cwd, sizeof(cwd)));
	report_flag(l->report, "dumpable", prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1);
	report_flag(l->report, "no_new_privs", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	report_number(l->report, "parent", (uint64_t)getppid());
	report_number(l->report, "pid", (uint64_t)getpid());
	say_asked(l->report, "securebits", prctl(PR_GET_SECUREBITS, 0, 0, 0, 0));
	report_number(l->report, "session", (uint64_t)getsid(0));
	report_text(l->report, "umask", known ? mask : NULL);
	report_end(l->report);
}

void
see_seccomp(struct look *l)
{
	static const char *const modes[] = { "off", "strict", "filter" };
	uint64_t filters = 0, mode = 0;
	bool counted = parse_status_number(buf_text(&l->status), "Seccomp_filters", 10, &filters);
	bool known = parse_status_number(buf_text(&l->status), "Seccomp", 10, &mode);

	report_object(l->report, "seccomp");
	report_known(l->report, "filters", counted, filters, "not known");
	report_text(l->report, "mode", known && mode < ARRAY_LEN(modes) ? modes[mode] : NULL);
	report_end(l->report);
}

void
see_kernel(struct look *l)
{
	struct utsname u;

	report_object(l->report, "kernel");
	if (uname(&u) == 0) {
		report_text(l->report, "host", u.nodename);
		report_text(l->report, "machine", u.machine);
		report_text(l->report, "release", u.release);
		report_text(l->report, "version", u.version);
	}
	report_end(l->report);
}

/* ---- the terminal ---------------------------------------------------------------------------- */

void
see_terminal(struct look *l)
{
	static const char *const numbers[] = { "0", "1", "2" };
	auto_fd fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	int error = fd < 0 ? errno : 0;
	const char *sysctl = inspect_slurp(l, "/proc/sys/dev/tty/legacy_tiocsti");
	const char *words[ARRAY_LEN(numbers)];
	size_t count = 0;

	for (int i = 0; i < (int)ARRAY_LEN(numbers); i++) {
		if (isatty(i)) {
			words[count++] = numbers[i];
		}
	}
	report_object(l->report, "terminal");
	report_text(l->report, "controlling", inspect_result(error));
	report_words(l->report, "descriptors", words, count);
	report_text(l->report, "legacy_tiocsti",
		    sysctl[0] == '\0'  ? NULL
		    : sysctl[0] == '1' ? "on"
				       : "off");
	report_end(l->report);
}
