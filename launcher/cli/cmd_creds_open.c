/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a value opens and is what its delivery needs, in a process of its own: it alone has the
 * plaintext, for some milliseconds, in locked memory, and says of it that it is right, or why not.
 * Runs in airlock-cli as the caller.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../base/clock.h"
#include "../base/fdio.h"
#include "../base/units.h"
#include "../bundle/bundle_time.h"
#include "../sys/sys.h"
#include "cmd_creds.h"
#include "commands.h"

#define FILE_FD 3
#define IDENTITY_FD 4
#define EXIT_NO_PROGRAM 127

/* ---- who asks -------------------------------------------------------------------------------- */

static void __attribute__((noreturn))
become_open(const struct sealed_place *place, const char *deliver, int file, int identity, int out,
	    pid_t parent)
{
	char version[24];
	const char *const argv[] = { "airlock-cli", "open-sealed", place->bundle, place->item,
				     version,	    deliver,	   NULL };
	char *const envp[] = { NULL };
	int fds[] = { STDIN_FILENO, out, STDERR_FILENO, file, identity };

	_Static_assert(FILE_FD == 3 && IDENTITY_FD == 4, "as they stand there");

	snprintf(version, sizeof(version), "%llu", (unsigned long long)place->version);
	if (sys_place_fds(fds, ARRAY_LEN(fds)) == 0 && sys_end_with_parent(parent, SIGKILL) == 0) {
		execve("/proc/self/exe", (char *const *)argv, envp);
	}
	_exit(EXIT_NO_PROGRAM);
}

int
creds_try_open(const struct sealed_place *place, enum bundle_delivery deliver, int file,
	       int identity, struct err *err)
{
	auto_buf said = BUF_INIT;
	pid_t pid, self = getpid();
	int pipes[2], status = 0, rc;

	if (pipe2(pipes, O_CLOEXEC) < 0) {
		return err_sys(err, -errno, "open a sealed file");
	}
	pid = fork();
	if (pid == 0) {
		become_open(place, bundle_delivery_word(deliver), file, identity, pipes[1], self);
	}
	close(pipes[1]);
	rc = pid < 0 ? -errno : fdio_slurp(pipes[0], ERR_TEXT_MAX, &said);
	close(pipes[0]);
	if (pid > 0) {
		int waited = sys_wait(pid, &status);

		rc = rc < 0 ? rc : waited;
	}
	if (rc < 0) {
		return err_sys(err, rc, "open a sealed file");
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		return 0;
	}
	return err_set(err, -EBADMSG, "%s", said.len > 0 ? buf_text(&said) : "it was not opened");
}

/* ---- who opens ------------------------------------------------------------------------------- */

static int
open_it(const struct sealed_place *place, enum bundle_delivery deliver, struct err *err)
{
	auto_locked room = LOCKED_INIT;
	struct sealed_value value = { .len = 0 };
	char at[BUNDLE_TIME_SIZE];
	int rc = creds_harden(err);

	rc = rc < 0 ? rc : creds_lock(&room, SEALED_ROOM, err);
	if (rc == 0 && place->version == 0) {
		value.data = room.data;
		rc = creds_value_read_all(FILE_FD, "its file", &room, &value.len, err);
	} else if (rc == 0) {
		rc = sealed_open(FILE_FD, IDENTITY_FD, place, &room, &value, err);
	}
	if (rc == 0 && value.not_after_ms > 0 && value.not_after_ms <= clock_realtime_ms()) {
		rc = err_set(err, -EKEYEXPIRED, "its value ended %s",
			     bundle_time_print(value.not_after_ms, at) == 0 ? at : "");
	}
	return rc < 0 ? rc : creds_value_check(deliver, value.data, value.len, err);
}

/* airlock open-sealed BUNDLE ITEM VERSION DELIVERY, with the file and the identity at 3 and 4. */
int
cmd_open_sealed(int argc, char **argv)
{
	struct sealed_place place = { .version = 0 };
	enum bundle_delivery deliver;
	struct err err = ERR_INIT;

	if (argc != 5 || units_count(argv[3], &place.version) < 0 ||
	    !bundle_delivery_find(argv[4], &deliver)) {
		return EXIT_AIRLOCK;
	}
	place.bundle = argv[1];
	place.item = argv[2];
	if (open_it(&place, deliver, &err) < 0) {
		fputs(err.text, stdout);
		return 1;
	}
	return 0;
}
