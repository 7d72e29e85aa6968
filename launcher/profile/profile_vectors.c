/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One entry of tests.allow or tests.deny, from text. Runs in airlock-cli, as the caller. Trusts
 * nothing in the text. Pure.
 */
#include "vectors.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/tty.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "../base/text.h"
#include "profile_internal.h"

#define ERRNO_LAST 133

static const char *const call_names[] = {
#define ALLOW(call, x86, arm, groups, why) #call,
#define COND(call, x86, arm, groups, why) #call,
#define DENY(call, x86, arm, groups, error, tell, why) #call,
#include "../../profiles/syscalls.def"
};

static const struct {
	const char *name;
	uint64_t value;
} argument_names[] = {
#define ARGUMENT(word) { #word, (uint64_t)(word) },
#define ARGUMENT_IS(word, number) { #word, (number) },
#include "arguments.def"
};

static const struct {
	const char *word, *what;
} kinds[] = {
#define VECTOR(id, name, follows, sentence) { name, follows },
#include "vectors.def"
#undef VECTOR
};

/* One line, without what a terminal would act on. */
static int __attribute__((format(printf, 3, 4)))
refuse(char *why, size_t size, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, size, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

const char *
vector_word(enum vector_kind kind)
{
	return kinds[kind].word;
}

/* ---- system calls ---------------------------------------------------------------------------- */

static int
read_word(const char *word, uint64_t *ret, char *why, size_t size)
{
	const char *names[ARRAY_LEN(argument_names)];
	char *end, hint[96];

	for (size_t i = 0; i < ARRAY_LEN(argument_names); i++) {
		names[i] = argument_names[i].name;
		if (strcmp(word, argument_names[i].name) == 0) {
			*ret = argument_names[i].value;
			return 0;
		}
	}
	errno = 0;
	*ret = word[0] == '-' ? (uint64_t)strtoll(word, &end, 0) : strtoull(word, &end, 0);
	if (word[0] != '\0' && strchr("-0123456789", word[0]) != NULL && *end == '\0' &&
	    errno == 0) {
		return 0;
	}
	return refuse(
		why, size, "'%s' is neither a number nor a name that airlock knows%s", word,
		profile_hint(hint, sizeof(hint), profile_nearest(word, names, ARRAY_LEN(names))));
}

/* Words joined by '|'. */
static int
read_argument(const char *text, size_t len, uint64_t *ret, char *why, size_t size)
{
	char word[64];
	uint64_t value = 0, part;

	for (size_t at = 0; at <= len;) {
		size_t n = strcspn(text + at, "|,");
		int rc;

		n = at + n > len ? len - at : n;
		if (n >= sizeof(word)) {
			return refuse(why, size, "an argument is longer than %zu characters",
				      sizeof(word) - 1);
		}
		memcpy(word, text + at, n);
		word[n] = '\0';
		rc = read_word(word, &part, why, size);
		if (rc < 0) {
			return rc;
		}
		value |= part;
		at += n + 1;
	}
	*ret = value;
	return 0;
}

int
vector_call_parse(const char *text, struct vector_call *ret, char *why, size_t size)
{
	struct vector_call call = { .given = 0 };
	size_t len = strcspn(text, ":"), known = 0;
	char hint[96];

	if (len >= sizeof(call.name)) {
		return refuse(why, size, "no system call has a name that long");
	}
	memcpy(call.name, text, len);
	while (known < ARRAY_LEN(call_names) && strcmp(call_names[known], call.name) != 0) {
		known++;
	}
	if (known == ARRAY_LEN(call_names)) {
		return refuse(why, size, "unknown system call '%s'%s", call.name,
			      profile_hint(hint, sizeof(hint),
					   profile_nearest(call.name, call_names,
							   ARRAY_LEN(call_names))));
	}
	for (const char *p = text + len; *p != '\0';) {
		size_t n = strcspn(++p, ",");
		int rc;

		if (call.given == ARRAY_LEN(call.args)) {
			return refuse(why, size, "a system call has at most 6 arguments");
		}
		rc = read_argument(p, n, &call.args[call.given++], why, size);
		if (rc < 0) {
			return rc;
		}
		p += n;
	}
	*ret = call;
	return 0;
}

/* ---- the rest -------------------------------------------------------------------------------- */

static int
read_limit(struct vector *v, char *why, size_t size)
{
	size_t len = strcspn(v->subject, "=");
	char name[48];
	const struct profile_key *key;

	snprintf(name, sizeof(name), "limits.%.*s", (int)(len < 32 ? len : 32), v->subject);
	key = profile_key_find(name);
	if (key == NULL) {
		char near[64], hint[96];
		bool found =
			profile_key_nearest("limits", name + strlen("limits."), near, sizeof(near));

		return refuse(why, size, "unknown limit '%s'%s", name + strlen("limits."),
			      profile_hint(hint, sizeof(hint), found ? near : NULL));
	}
	if (v->subject[len] != '=') {
		return refuse(why, size, "limit wants NAME=VALUE");
	}
	if (profile_number_parse(key->type, v->subject + len + 1, &v->amount) < 0) {
		return refuse(why, size, "%s wants %s, not '%s'", name,
			      profile_type_what(key->type), v->subject + len + 1);
	}
	v->limit_key = key->id;
	v->subject[len] = '\0';
	return 0;
}

static int
read_errno(const char *name, int *ret, char *why, size_t size)
{
	const char *names[ERRNO_LAST];
	size_t count = 0;
	char hint[96];

	for (int i = 1; i <= ERRNO_LAST; i++) {
		const char *known = strerrorname_np(i);

		if (known == NULL) {
			continue;
		}
		if (strcmp(known, name) == 0) {
			*ret = i;
			return 0;
		}
		names[count++] = known;
	}
	return refuse(why, size, "unknown errno '%s'%s", name,
		      profile_hint(hint, sizeof(hint), profile_nearest(name, names, count)));
}

static bool
is_path(enum vector_kind kind)
{
	return kind == VECTOR_SEE || kind == VECTOR_READ || kind == VECTOR_WRITE ||
	       kind == VECTOR_EXECUTE;
}

/* Paths in the workspace are made before they are asked about, and only there. */
static bool
leaves(const char *path)
{
	for (const char *p = path[0] == '/' || path[0] == '~' ? "" : path; *p != '\0';) {
		size_t len = strcspn(p, "/");

		if (len == 2 && p[0] == '.' && p[1] == '.') {
			return true;
		}
		p += len + (p[len] == '/');
	}
	return false;
}

static int
read_kind(const char *text, size_t len, enum vector_kind *ret, char *why, size_t size)
{
	const char *names[VECTOR__COUNT];
	char word[32], hint[96];

	snprintf(word, sizeof(word), "%.*s", (int)(len < 31 ? len : 31), text);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		names[i] = kinds[i].word;
		if (strcmp(word, kinds[i].word) == 0) {
			*ret = (enum vector_kind)i;
			return 0;
		}
	}
	return refuse(
		why, size,
		"wants see, read, write, execute, command, environment, syscall or limit "
		"first, not '%s'%s",
		word,
		profile_hint(hint, sizeof(hint), profile_nearest(word, names, VECTOR__COUNT)));
}

int
vector_parse(const char *text, struct vector *ret, char *why, size_t size)
{
	size_t word = strcspn(text, " "), len;
	const char *subject = text + word + strspn(text + word, " "), *arrow = NULL;
	int rc = read_kind(text, word, &ret->kind, why, size);

	if (rc < 0) {
		return rc;
	}
	/* The last one: a path may have it as well. */
	for (const char *p = strstr(subject, " -> "); p != NULL; p = strstr(p + 1, " -> ")) {
		arrow = p;
	}
	len = arrow != NULL ? (size_t)(arrow - subject) : strlen(subject);
	if (len == 0 || len >= sizeof(ret->subject)) {
		return refuse(why, size, "%s wants %s behind it", kinds[ret->kind].word,
			      kinds[ret->kind].what);
	}
	memcpy(ret->subject, subject, len);
	ret->subject[len] = '\0';
	ret->error = 0;
	if (arrow != NULL) {
		rc = read_errno(arrow + strlen(" -> "), &ret->error, why, size);
	}
	if (rc == 0 && arrow != NULL && ret->kind != VECTOR_SYSCALL && !is_path(ret->kind)) {
		rc = refuse(why, size, "%s gives no errno", kinds[ret->kind].word);
	}
	if (rc == 0 && is_path(ret->kind) && leaves(ret->subject)) {
		rc = refuse(why, size, "%s: a path in the workspace has no '..'", ret->subject);
	}
	if (rc == 0 && ret->kind == VECTOR_SYSCALL) {
		rc = vector_call_parse(ret->subject, &ret->call, why, size);
	}
	if (rc == 0 && ret->kind == VECTOR_LIMIT) {
		rc = read_limit(ret, why, size);
	}
	return rc;
}
