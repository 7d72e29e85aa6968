/* SPDX-License-Identifier: Apache-2.0 */
/* Runs as the developer or CI. Entries of tests.allow and tests.deny, as text. */
#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "../../../launcher/profile/profile_internal.h"
#include "../../../launcher/profile/vectors.h"

static struct vector v;
static char why[256];

static void
reads(const char *text, enum vector_kind kind, const char *subject, int error)
{
	strcpy(why, "");
	cr_assert_eq(vector_parse(text, &v, why, sizeof(why)), 0, "%s: %s", text, why);
	cr_expect_eq(v.kind, kind, "%s", text);
	cr_expect_str_eq(v.subject, subject);
	cr_expect_eq(v.error, error, "%s", text);
}

static void
refuses(const char *text, const char *because)
{
	strcpy(why, "");
	cr_expect_eq(vector_parse(text, &v, why, sizeof(why)), -EINVAL, "%s", text);
	cr_expect_str_eq(why, because);
}

Test(profile_vectors, every_kind)
{
	reads("see /etc/shadow", VECTOR_SEE, "/etc/shadow", 0);
	reads("read ~/.ssh/id_rsa -> ENOENT", VECTOR_READ, "~/.ssh/id_rsa", ENOENT);
	reads("write a b -> c -> EROFS", VECTOR_WRITE, "a b -> c", EROFS);
	reads("execute  ./tool", VECTOR_EXECUTE, "./tool", 0);
	reads("command python3", VECTOR_COMMAND, "python3", 0);
	reads("environment LC_ALL", VECTOR_ENVIRONMENT, "LC_ALL", 0);
	reads("syscall ptrace -> EPERM", VECTOR_SYSCALL, "ptrace", EPERM);
	reads("limit memory=1GiB", VECTOR_LIMIT, "memory", 0);
	cr_expect_eq(v.amount, UINT64_C(1) << 30);
	cr_expect_eq(v.limit_key, KEY_LIM_MEMORY);
	for (unsigned int i = 0; i < VECTOR__COUNT; i++) {
		char text[64];

		snprintf(text, sizeof(text), "%s ", vector_word((enum vector_kind)i));
		cr_expect_eq(vector_parse(text, &v, why, sizeof(why)), -EINVAL, "%s", text);
	}
}

Test(profile_vectors, arguments_of_calls)
{
	reads("syscall socket:AF_INET,SOCK_STREAM|SOCK_CLOEXEC,0", VECTOR_SYSCALL,
	      "socket:AF_INET,SOCK_STREAM|SOCK_CLOEXEC,0", 0);
	cr_expect_str_eq(v.call.name, "socket");
	cr_expect_eq(v.call.given, 3);
	cr_expect_eq(v.call.args[0], AF_INET);
	cr_expect_eq(v.call.args[1], SOCK_STREAM | SOCK_CLOEXEC);
	cr_expect_eq(v.call.args[2], 0);
	reads("syscall unshare:CLONE_NEWUSER|0x80", VECTOR_SYSCALL, "unshare:CLONE_NEWUSER|0x80",
	      0);
	cr_expect_eq(v.call.args[0], CLONE_NEWUSER | 0x80);
	reads("syscall close:-1", VECTOR_SYSCALL, "close:-1", 0);
	cr_expect_eq(v.call.args[0], UINT64_MAX);
	reads("syscall close", VECTOR_SYSCALL, "close", 0);
	cr_expect_eq(v.call.given, 0);
}

Test(profile_vectors, what_is_wrong_is_said)
{
	refuses("",
		"wants see, read, write, execute, command, environment, syscall or limit first, "
		"not ''");
	refuses("raed /x",
		"wants see, read, write, execute, command, environment, syscall or limit "
		"first, not 'raed'; did you mean 'read'?");
	refuses("read a/../../b", "a/../../b: a path in the workspace has no '..'");
	refuses("read ..", "..: a path in the workspace has no '..'");
	refuses("read", "read wants a path behind it");
	refuses("syscall opnat", "unknown system call 'opnat'; did you mean 'openat'?");
	refuses("syscall socket:AF_INTE",
		"'AF_INTE' is neither a number nor a name that airlock knows; did you mean "
		"'AF_INET'?");
	refuses("syscall socket:", "'' is neither a number nor a name that airlock knows");
	refuses("syscall socket:1,,2", "'' is neither a number nor a name that airlock knows");
	refuses("syscall socket:1|", "'' is neither a number nor a name that airlock knows");
	refuses("syscall socket:0x", "'0x' is neither a number nor a name that airlock knows");
	refuses("syscall close:1,2,3,4,5,6,7", "a system call has at most 6 arguments");
	refuses("syscall ptrace -> EPREM", "unknown errno 'EPREM'; did you mean 'EPERM'?");
	refuses("command ls -> EPERM", "command gives no errno");
	refuses("limit memroy=1GiB", "unknown limit 'memroy'; did you mean 'memory'?");
	refuses("limit memory", "limit wants NAME=VALUE");
	refuses("limit memory=lots",
		"limits.memory wants a size with its unit, such as 512MiB or 2GiB, not 'lots'");
}
