/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of ssh-keygen and openssl, made for a test and gone with it. */
#ifndef AIRLOCK_TESTS_KEYS_H
#define AIRLOCK_TESTS_KEYS_H

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../launcher/base/fdio.h"
#include "../../../launcher/base/text.h"
#include "../../../launcher/credd/ssh_key.h"
#include "../scratch.h"

struct keys {
	char dir[64];
	struct buf text;
};

static inline void
keys_init(struct keys *k)
{
	*k = (struct keys){ .dir = "/tmp/airlock-keys-XXXXXX", .text = BUF_INIT };
	cr_assert_not_null(mkdtemp(k->dir));
}

static inline void
keys_finish(struct keys *k)
{
	buf_finish(&k->text);
	scratch_remove(k->dir);
}

#define auto_keys __attribute__((cleanup(keys_finish))) struct keys

/*
 * Commands of the shell, in the directory, all of which succeed, or fail behind the word `not`: the
 * status. What they say goes nowhere.
 */
static inline int
keys_run(const struct keys *k, const char *command)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		if (chdir(k->dir) == 0 && dup2(null, 0) == 0 && dup2(null, 1) == 1 &&
		    dup2(null, 2) == 2) {
			execl("/bin/sh", "sh", "-euc",
			      "not() { if \"$@\"; then exit 1; fi; }; eval \"$1\"", "sh", command,
			      NULL);
		}
		_exit(127);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The bytes of a file there; borrowed until the next one. */
static inline const struct buf *
keys_read(struct keys *k, const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", k->dir, name);
	buf_reset(&k->text);
	cr_assert_eq(fdio_slurp_at(AT_FDCWD, path, 1u << 20, &k->text), 0, "%s", path);
	return &k->text;
}

/* The key `command` leaves in the file "key". */
static inline int
keys_open(struct keys *k, const char *command, struct ssh_key *ret, struct err *err)
{
	const struct buf *text;

	cr_assert_eq(keys_run(k, "rm -f key key.pub"), 0);
	cr_assert_eq(keys_run(k, command), 0, "%s", command);
	text = keys_read(k, "key");
	return ssh_key_open(text->data, text->len, ret, err);
}

#endif
