/* SPDX-License-Identifier: Apache-2.0 */
/*
 * airlock: the small static front. `run` is done here from beginning to end; every other verb is
 * airlock-cli's, which it execs with the same arguments. Refuses to run setuid, setgid or with file
 * capabilities.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/fdio.h"
#include "../sys/sys.h"
#include "front.h"

#define FILES_ENOUGH 1024u

static int
exec_cli(char **argv)
{
	struct front f = { .err = ERR_INIT };
	int rc = front_find_paths(&f);

	if (rc == 0) {
		/* The plugs go away with exec; airlock-cli then sees what the caller gave. */
		rc = sys_execveat(f.paths.cli_fd, "", (const char *const *)argv,
				  (const char *const *)environ, AT_EMPTY_PATH);
		err_sys(&f.err, rc, "start airlock-cli");
	}
	dprintf(STDERR_FILENO, "airlock: %s\n", f.err.text);
	return EXIT_AIRLOCK;
}

int
main(int argc, char **argv)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN },
			       plain = { .sa_handler = SIG_DFL };
	const char *trace = getenv("AIRLOCK_TRACE");
	struct rlimit files;

	trace_start(trace != NULL && strcmp(trace, "1") == 0);
	if (getauxval(AT_SECURE) != 0 || getuid() != geteuid() || getgid() != getegid()) {
		dprintf(STDERR_FILENO,
			"airlock: refuses to run setuid, setgid or with file capabilities: remove "
			"the bit (chmod u-s,g-s; setcap -r)\n");
		return EXIT_AIRLOCK;
	}
	/* what is made here is to be used here, whatever the caller masks */
	umask(umask(0) & ~(mode_t)S_IRWXU);
	/* CLOEXEC tells the relay that a plug is not the caller's */
	if (fdio_plug_standard(O_RDWR, O_RDWR) < 0) {
		return EXIT_AIRLOCK;
	}
	/* a file size limit is an error to be told, and ends neither record nor commit */
	sigaction(SIGXFSZ, &ignore, NULL);
	/* who ignores them leaves us, and all that we start, no child's status and no alarm */
	sigaction(SIGCHLD, &plain, NULL);
	sigaction(SIGALRM, &plain, NULL);
	if (argc < 2 || strcmp(argv[1], "run") != 0) {
		return exec_cli(argv);
	}
	/* A call needs some thirty descriptors; what the hard limit allows is ours to use. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < FILES_ENOUGH) {
		files.rlim_cur = files.rlim_max < FILES_ENOUGH ? files.rlim_max : FILES_ENOUGH;
		ignore_err(setrlimit(RLIMIT_NOFILE, &files),
			   "where it does not help, what fails says so");
	}
	/* a caller that went away must not end us before the record is written */
	sigaction(SIGPIPE, &ignore, NULL);
	return front_main_run(argc - 1, argv + 1);
}
